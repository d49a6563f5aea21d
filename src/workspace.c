/*
 * workspace.c
 *		Workspaces: one tenant each.
 */
#include "postgres.h"

#include "pgtime.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "errcodes.h"
#include "ordertrack.h"
#include "plan.h"

static const char *time_zone_arg(FunctionCallInfo fcinfo, int n);
static bool is_in_time_zone_files(const char *name);

PG_FUNCTION_INFO_V1(ordertrack_create_workspace);

/* Makes a workspace with the default transitions and returns its id. */
Datum
ordertrack_create_workspace(PG_FUNCTION_ARGS)
{
	const char *name = ot_required_text_arg(fcinfo, 0, "name", OT_MAX_TEXT);
	const char *time_zone = time_zone_arg(fcinfo, 1);
	OtArgs workspace = {0};
	OtArgs transitions = {0};
	int64 workspace_id;

	PreventCommandIfReadOnly("ordertrack.create_workspace()");
	ot_begin();
	ot_arg_text(&workspace, name);
	ot_arg_text(&workspace, time_zone);
	if (ot_run(OT_PLAN_WORKSPACE_INSERT, &workspace) == 0)
		ereport(ERROR, errcode(OT_ERRCODE_EXISTS),
				errmsg("workspace \"%s\" already exists", name));
	workspace_id = ot_get_int8(0, 1);

	ot_arg_int8(&transitions, workspace_id);
	ot_run(OT_PLAN_WORKSPACE_TRANSITIONS, &transitions);
	ot_end();
	PG_RETURN_INT64(workspace_id);
}

/*
 * Gives a time zone in its own spelling ("europe/berlin" is Europe/Berlin).
 * pg_tzset() takes POSIX rules as well, so that a slip of the pen such as
 * "Europe/Berlin1" would be a zone one hour west of Greenwich.  A rule has a
 * digit; few names have one, and for those the files decide.
 */
static const char *
time_zone_arg(FunctionCallInfo fcinfo, int n)
{
	const char *given = ot_required_text_arg(fcinfo, n, "time_zone", OT_MAX_TEXT);
	pg_tz *zone = pg_tzset(given);

	if (zone == NULL || !pg_tz_acceptable(zone) ||
		(strpbrk(given, "0123456789") != NULL &&
		 !is_in_time_zone_files(pg_get_timezone_name(zone))))
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("time zone \"%s\" is not known", given),
				errhint("View pg_timezone_names lists the names."));
	return pg_get_timezone_name(zone);
}

static bool
is_in_time_zone_files(const char *name)
{
	pg_tzenum *zones = pg_tzenumerate_start();
	pg_tz *zone;
	bool is_found = false;

	while (!is_found && (zone = pg_tzenumerate_next(zones)) != NULL)
		is_found = strcmp(pg_get_timezone_name(zone), name) == 0;
	pg_tzenumerate_end(zones);
	return is_found;
}

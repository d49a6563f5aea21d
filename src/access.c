/*
 * access.c
 *		Access: four kinds of roles, and who counts as an admin.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "storage/lockdefs.h"
#include "utils/acl.h"

#include "errcodes.h"
#include "ordertrack.h"
#include "plan.h"

static const char *kind_arg(FunctionCallInfo fcinfo, int n);
static void lock_grants(void);
static void remember(const char *kind, const char *role_name);
static bool forget(const char *kind, const char *role_name);
static void apply(const char *role_name);

PG_FUNCTION_INFO_V1(ordertrack_grant_access);
PG_FUNCTION_INFO_V1(ordertrack_revoke_access);

/* Gives a role what its kind needs, and remembers it. */
Datum
ordertrack_grant_access(PG_FUNCTION_ARGS)
{
	const char *kind = kind_arg(fcinfo, 0);
	const char *role_name = ot_required_text_arg(fcinfo, 1, "role_name", OT_MAX_TEXT);

	PreventCommandIfReadOnly("ordertrack.grant_access()");
	(void) get_role_oid(role_name, false);

	ot_begin();
	lock_grants();
	remember(kind, role_name);
	apply(role_name);
	ot_end();
	PG_RETURN_VOID();
}

/*
 * Takes back what grant_access() gave, also from a role that has another name
 * since.  One that was dropped is only forgotten: a new one of its name must not
 * come by its access.
 */
Datum
ordertrack_revoke_access(PG_FUNCTION_ARGS)
{
	const char *kind = kind_arg(fcinfo, 0);
	const char *role_name = ot_required_text_arg(fcinfo, 1, "role_name", OT_MAX_TEXT);
	bool was_granted;

	PreventCommandIfReadOnly("ordertrack.revoke_access()");
	ot_begin();
	lock_grants();
	was_granted = forget(kind, role_name);
	if (OidIsValid(get_role_oid(role_name, was_granted)))
		apply(role_name);
	ot_end();
	PG_RETURN_VOID();
}

/*
 * Tells whether the calling role may do what an admin may, in whichever
 * function of ours it is.
 */
bool
ot_outer_is_admin(void)
{
	OtArgs args = {0};

	if (superuser_arg(GetOuterUserId()))
		return true;
	ot_arg_text(&args, ot_outer_role());
	return ot_run(OT_PLAN_IS_ADMIN, &args) > 0;
}

static const char *
kind_arg(FunctionCallInfo fcinfo, int n)
{
	static const char *const kinds[] = {"app", "support", "admin", "auditor"};
	const char *given = ot_required_text_arg(fcinfo, n, "kind", OT_MAX_TEXT);

	for (int i = 0; i < lengthof(kinds); i++)
		if (strcmp(given, kinds[i]) == 0)
			return kinds[i];
	ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
			errmsg("kind of access \"%s\" is not known", given),
			errhint("Kinds are app, support, admin and auditor."));
	return NULL;
}

/*
 * Lets one caller at a time change grants; two GRANTs on the same object would
 * otherwise fail with "tuple concurrently updated".
 */
static void
lock_grants(void)
{
	(void) RangeVarGetRelid(makeRangeVar("ordertrack", "access_grants", -1),
							ShareRowExclusiveLock, true);
}

static void
remember(const char *kind, const char *role_name)
{
	OtArgs args = {0};

	ot_arg_text(&args, kind);
	ot_arg_text(&args, role_name);
	ot_arg_text(&args, ot_session_role());
	ot_run(OT_PLAN_ACCESS_INSERT, &args);
}

static bool
forget(const char *kind, const char *role_name)
{
	OtArgs args = {0};

	ot_arg_text(&args, kind);
	ot_arg_text(&args, role_name);
	return ot_run(OT_PLAN_ACCESS_DELETE, &args) > 0;
}

/* Makes the privileges of a role what the remembered kinds open to it. */
static void
apply(const char *role_name)
{
	OtArgs args = {0};

	ot_arg_text(&args, role_name);
	ot_run(OT_PLAN_ACCESS_APPLY, &args);
}

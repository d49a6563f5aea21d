/*
 * transition.c
 *		The moves that a status may make, as rows of status_transitions.
 */
#include "postgres.h"

#include "errcodes.h"
#include "ordertrack.h"

static char *list_moves(int64 workspace, const char *entity, const char *from_status,
						const char *status_before_hold);

/*
 * Finds the event_type of an allowed move, NULL where it is not allowed.  The
 * row to "previous" allows what the entity was before its hold.
 */
char *
ot_transition_find(int64 workspace, const char *entity, const char *from_status,
				   const char *to_status, const char *status_before_hold)
{
	OtArgs args = {0};
	char *event_type;

	ot_arg_int8(&args, workspace);
	ot_arg_text(&args, entity);
	ot_arg_text(&args, from_status);
	ot_arg_text(&args, to_status);
	ot_arg_bool(&args,
				status_before_hold != NULL && strcmp(status_before_hold, to_status) == 0);
	if (ot_run(OT_PLAN_TRANSITION_FIND, &args) == 0)
		return NULL;
	event_type = ot_get_text(0, 1);
	if (event_type == NULL)
		event_type = psprintf("%s_%s", entity,
							  strcmp(to_status, "created") == 0 ? "released" : to_status);
	return event_type;
}

/* Tells whether a new entity may begin with a status. */
bool
ot_transition_is_first(int64 workspace, const char *entity, const char *status)
{
	OtArgs args = {0};

	ot_arg_int8(&args, workspace);
	ot_arg_text(&args, entity);
	ot_arg_text(&args, status);
	return ot_run(OT_PLAN_TRANSITION_FIRST, &args) > 0;
}

/* Refuses a move and names the allowed ones; from_status NULL: a first status. */
void
ot_transition_refuse(int64 workspace, const char *entity, const char *from_status,
					 const char *to_status, const char *status_before_hold)
{
	char *moves = list_moves(workspace, entity, from_status, status_before_hold);

	if (from_status == NULL)
		ereport(ERROR, errcode(OT_ERRCODE_TRANSITION),
				errmsg("%s cannot begin with status \"%s\"", entity, to_status),
				errdetail("Allowed first: %s.", moves == NULL ? "none" : moves));
	ereport(ERROR, errcode(OT_ERRCODE_TRANSITION),
			errmsg("%s status cannot change from \"%s\" to \"%s\"", entity, from_status,
				   to_status),
			moves == NULL ? errdetail("Status \"%s\" is final.", from_status)
						  : errdetail("Allowed from \"%s\": %s.", from_status, moves));
}

static char *
list_moves(int64 workspace, const char *entity, const char *from_status,
		   const char *status_before_hold)
{
	OtArgs args = {0};

	ot_arg_int8(&args, workspace);
	ot_arg_text(&args, entity);
	ot_arg_text(&args, from_status);
	ot_arg_text(&args, status_before_hold);
	ot_run(OT_PLAN_TRANSITION_LIST, &args);
	return ot_get_text(0, 1);
}

/*
 * order_change.c
 *		Tells the triggers of orders what a function is doing while its UPDATE
 *		runs: who does it, when, and the note that explains it.
 */
#include "postgres.h"

#include "ordertrack.h"

#define NOT_TAKEN (-1)

/*
 * Valid only while ot_change_order() runs, and for one version of the row: an
 * UPDATE by somebody's trigger meanwhile is a change of its own.
 */
static const OtChange *current_change = NULL;
static int32 taken_at = NOT_TAKEN; /* number of the note before the change */

/* Runs an UPDATE of one order; its triggers write the note of the change. */
uint64
ot_change_order(const OtChange *change, OtPlan plan, OtArgs *args)
{
	const OtChange *outer_change = current_change;
	int32 outer_taken_at = taken_at;
	uint64 count = 0;

	current_change = change;
	taken_at = NOT_TAKEN;
	PG_TRY();
	{
		count = ot_run(plan, args);
	}
	PG_FINALLY();
	{
		current_change = outer_change;
		taken_at = outer_taken_at;
	}
	PG_END_TRY();
	return count;
}

/* Adds the note of a change to an order, and moves it where a status is given. */
void
ot_order_tell(const OtChange *change, const char *status)
{
	OtArgs args = {0};

	ot_arg_int8(&args, change->workspace);
	ot_arg_int8(&args, change->order_id);
	if (status != NULL)
		ot_arg_text(&args, status);
	if (ot_change_order(change,
						status == NULL ? OT_PLAN_ORDER_TOUCH : OT_PLAN_ORDER_STATUS,
						&args) == 0)
		ot_order_refuse(change->workspace, change->order_id);
}

/* Moves a locked order to another status, with the notes of a change before it. */
void
ot_order_move(const OtChange *change, const char *status)
{
	OtArgs args = {0};

	ot_arg_int8(&args, change->workspace);
	ot_arg_int8(&args, change->order_id);
	ot_arg_text(&args, status);
	if (ot_change_order(change, OT_PLAN_ORDER_STATUS, &args) != 1)
		ot_refuse_suppressed();
}

/*
 * Gives what a function is doing to this version of an order, or NULL: to the
 * BEFORE trigger once, and to the AFTER trigger of the same version again.
 */
const OtChange *
ot_current_change(int64 workspace, int64 order_id, int32 note_no, bool is_before)
{
	if (current_change == NULL || current_change->workspace != workspace ||
		current_change->order_id != order_id)
		return NULL;
	if (is_before && taken_at == NOT_TAKEN)
		taken_at = note_no;
	else if (is_before || taken_at != note_no)
		return NULL;
	return current_change;
}

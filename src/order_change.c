/*
 * order_change.c
 *		Tells the triggers of orders what a function is doing while its UPDATE
 *		runs: who does it, when, and the note that explains it.
 */
#include "postgres.h"

#include "ordertrack.h"

/* Valid only while ot_change_order() runs; a raw UPDATE finds none. */
static const OtChange *current_change = NULL;

/* Runs an UPDATE of one order; its triggers write the note of the change. */
uint64
ot_change_order(const OtChange *change, OtPlan plan, OtArgs *args)
{
	const OtChange *outer_change = current_change;
	uint64 count = 0;

	current_change = change;
	PG_TRY();
	{
		count = ot_run(plan, args);
	}
	PG_FINALLY();
	{
		current_change = outer_change;
	}
	PG_END_TRY();
	return count;
}

/* Gives what a function is doing to this order, or NULL. */
const OtChange *
ot_current_change(int64 workspace, int64 order_id)
{
	if (current_change != NULL && current_change->workspace == workspace &&
		current_change->order_id == order_id)
		return current_change;
	return NULL;
}

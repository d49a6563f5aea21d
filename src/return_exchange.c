/*
 * return_exchange.c
 *		The order that a customer gets in exchange: it waits for the return.
 */
#include "postgres.h"

#include "errcodes.h"
#include "return.h"

/* Gives the return that an order waits for, 0 for none. */
int64
ot_return_of_exchange(int64 workspace, int64 order_id)
{
	OtArgs args = {0};

	ot_arg_int8(&args, workspace);
	ot_arg_int8(&args, order_id);
	return ot_run(OT_PLAN_RETURN_OF_EXCHANGE, &args) == 0 ? 0 : ot_get_int8(0, 1);
}

/* Refuses to release an order that waits for a return. */
void
ot_returns_hold_exchange(int64 workspace, int64 order_id)
{
	int64 return_id = ot_return_of_exchange(workspace, order_id);

	if (return_id != 0)
		ereport(ERROR, errcode(OT_ERRCODE_TRANSITION),
				errmsg("order " INT64_FORMAT " waits for an exchange", order_id),
				errdetail("Return " INT64_FORMAT " is not complete.", return_id),
				errhint("ordertrack.complete_return() moves the order on."));
}

/* Moves on an order that still waits, where that is allowed. */
void
ot_return_release_exchange(int64 order_id, const OtReturnChange *change)
{
	int64 workspace = change->row.workspace;
	OtChange move = {0};
	OtOrderRow order;

	ot_order_take(workspace, order_id, &order);
	if (strcmp(order.status, "awaiting_exchange") != 0 ||
		ot_transition_find(workspace, "order", order.status, "in_progress", NULL) == NULL)
		return;
	move.workspace = workspace;
	move.order_id = order_id;
	move.now = change->row.now;
	move.channel = change->row.channel;
	move.actor = change->row.actor;
	ot_order_tell(&move, "in_progress");
}

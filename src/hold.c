/*
 * hold.c
 *		hold_order and release_order: an order that waits, and goes on as what it
 *		was before.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "errcodes.h"
#include "ordertrack.h"

PG_FUNCTION_INFO_V1(ordertrack_hold_order);
PG_FUNCTION_INFO_V1(ordertrack_release_order);

static char *status_before_hold(const OtChange *change, const char *status);

/* Puts an order on hold and gives the status before; the trigger judges. */
Datum
ordertrack_hold_order(PG_FUNCTION_ARGS)
{
	OtChange change = {0};
	OtOrderRow order;
	char *reason;

	PreventCommandIfReadOnly("ordertrack.hold_order()");
	change.order_id = ot_id_arg(fcinfo, 0, "order_id");
	reason = ot_text_arg(fcinfo, 1, "reason", OT_MAX_TEXT);
	change.channel = ot_text_arg(fcinfo, 2, "channel", OT_MAX_TEXT);
	change.actor = ot_text_arg(fcinfo, 3, "actor", OT_MAX_TEXT);
	change.workspace = ot_workspace_arg(fcinfo, 4);

	ot_begin();
	ot_order_take(change.workspace, change.order_id, &order);
	change.now = GetCurrentTimestamp();
	if (strcmp(order.status, "on_hold") != 0)
	{
		ot_change_explain(&change, reason);
		ot_order_move(&change, "on_hold");
	}
	ot_end();
	PG_RETURN_TEXT_P(cstring_to_text(order.status));
}

/*
 * Lets an order go on and gives the status that it has then: what came of payments
 * and shipments during the hold may have moved it on at once.
 */
Datum
ordertrack_release_order(PG_FUNCTION_ARGS)
{
	OtChange change = {0};
	OtOrderRow order;
	char *status;

	PreventCommandIfReadOnly("ordertrack.release_order()");
	change.order_id = ot_id_arg(fcinfo, 0, "order_id");
	change.channel = ot_text_arg(fcinfo, 1, "channel", OT_MAX_TEXT);
	change.actor = ot_text_arg(fcinfo, 2, "actor", OT_MAX_TEXT);
	change.workspace = ot_workspace_arg(fcinfo, 3);

	ot_begin();
	ot_order_take(change.workspace, change.order_id, &order);
	change.now = GetCurrentTimestamp();
	status = status_before_hold(&change, order.status);
	ot_order_move(&change, status);
	ot_order_take(change.workspace, change.order_id, &order);
	ot_end();
	PG_RETURN_TEXT_P(cstring_to_text(order.status));
}

/* Gives what a locked order was before its hold. */
static char *
status_before_hold(const OtChange *change, const char *status)
{
	OtArgs args = {0};

	if (strcmp(status, "on_hold") != 0)
		ereport(ERROR, errcode(OT_ERRCODE_TRANSITION),
				errmsg("order " INT64_FORMAT " is not on hold", change->order_id),
				errdetail("Its status is \"%s\".", status));
	ot_arg_int8(&args, change->workspace);
	ot_arg_int8(&args, change->order_id);
	ot_run(OT_PLAN_ORDER_READ, &args);
	return ot_get_text(0, 2);
}

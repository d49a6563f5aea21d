/*
 * shipment_order.c
 *		Shipments and the status of their order: an order becomes partially shipped
 *		and completed by its shipments, which stop, go on and end with it.
 */
#include "postgres.h"

#include "shipment.h"

static OtPlan plan_for(const char *old_status, const char *new_status);
static void change_shipments(const OtChange *order_change, OtPlan plan);
static void settle(const OtChange *change, const char *order_status);

/* Why shipments change that follow their order; valid only while they do. */
static const OtChange *followed = NULL;

/*
 * Gives the status that an order gets by its shipments, or NULL where it keeps the
 * one that it has.
 */
const char *
ot_shipments_order_status(int64 workspace, int64 order_id, const char *order_status)
{
	OtShipmentSums sums;
	const char *status;
	OtArgs args = {0};

	if (!ot_order_follows_shipments(order_status))
		return NULL;
	ot_arg_int8(&args, workspace);
	ot_arg_int8(&args, order_id);
	ot_run(OT_PLAN_SHIPMENT_SUMS, &args);
	sums.is_shipped = ot_get_bool(0, 1);
	sums.is_active = ot_get_bool(0, 2);
	sums.has_rest = ot_get_bool(0, 3);
	status = ot_shipments_judge_order(&sums);
	if (status == NULL || strcmp(status, order_status) == 0 ||
		ot_transition_find(workspace, "order", order_status, status, NULL) == NULL)
		return NULL;
	return status;
}

/* Tells whether something of an order was sent. */
bool
ot_shipments_are_sent(int64 workspace, int64 order_id)
{
	OtArgs args = {0};

	ot_arg_int8(&args, workspace);
	ot_arg_int8(&args, order_id);
	return ot_run(OT_PLAN_SHIPMENT_SENT, &args) > 0;
}

/* Tells whether a shipment of an order is not canceled. */
bool
ot_shipments_are_live(int64 workspace, int64 order_id)
{
	OtArgs args = {0};

	ot_arg_int8(&args, workspace);
	ot_arg_int8(&args, order_id);
	return ot_run(OT_PLAN_SHIPMENT_LIVE, &args) > 0;
}

/*
 * Has the shipments of an order follow a change of its status, whoever made that:
 * those that are not shipped yet stop with it, go on with it, or end with it.
 */
void
ot_shipments_follow(const OtChange *order_change, const char *old_status,
					const char *new_status)
{
	OtPlan plan = plan_for(old_status, new_status);

	if (plan == OT_PLAN_COUNT)
		return;
	change_shipments(order_change, plan);
	if (plan == OT_PLAN_SHIPMENTS_RELEASE)
		settle(order_change, new_status);
}

static void
change_shipments(const OtChange *order_change, OtPlan plan)
{
	const OtChange *outer = followed;
	OtArgs args = {0};

	ot_arg_int8(&args, order_change->workspace);
	ot_arg_int8(&args, order_change->order_id);
	followed = order_change;
	PG_TRY();
	{
		ot_run(plan, &args);
	}
	PG_FINALLY();
	{
		followed = outer;
	}
	PG_END_TRY();
}

static OtPlan
plan_for(const char *old_status, const char *new_status)
{
	if (strcmp(new_status, "canceled") == 0)
		return OT_PLAN_SHIPMENTS_CANCEL;
	if (strcmp(new_status, "on_hold") == 0)
		return OT_PLAN_SHIPMENTS_HOLD;
	if (strcmp(old_status, "on_hold") == 0)
		return OT_PLAN_SHIPMENTS_RELEASE;
	return OT_PLAN_COUNT;
}

/* During the hold a shipment may have been canceled that the order was waiting for. */
static void
settle(const OtChange *change, const char *order_status)
{
	const char *status =
		ot_shipments_order_status(change->workspace, change->order_id, order_status);

	if (status != NULL)
		ot_order_tell(change, status);
}

/* Gives the change of the order that its shipments follow, or NULL. */
const OtChange *
ot_shipments_followed(int64 workspace, int64 order_id)
{
	if (followed == NULL || followed->workspace != workspace ||
		followed->order_id != order_id)
		return NULL;
	return followed;
}

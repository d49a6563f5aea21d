/*
 * manual_discount.c
 *		set_manual_discount: what somebody takes off an order by hand, beside what
 *		codes give.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/timestamp.h"

#include "errcodes.h"
#include "payment.h"
#include "verdict.h"

PG_FUNCTION_INFO_V1(ordertrack_set_manual_discount);

typedef struct Setting
{
	OtChange change; /* of the order */
	int64 amount;
	const char *reason;
	bool is_known; /* the order has a row already, perhaps of 0 */
	int64 old_amount;
	OtOrderRow order;
} Setting;

static int64 amount_arg(FunctionCallInfo fcinfo, int n);
static void read_old(Setting *setting);
static void check(const Setting *setting);
static void write_discount(const Setting *setting);
static void change_order(Setting *setting);
static Jsonb *describe(const Setting *setting);
static int64 discount_after(const Setting *setting);

/* Replaces the manual discount of an order and gives the one before. */
Datum
ordertrack_set_manual_discount(PG_FUNCTION_ARGS)
{
	Setting setting = {0};
	OtChange *change = &setting.change;

	PreventCommandIfReadOnly("ordertrack.set_manual_discount()");
	change->order_id = ot_id_arg(fcinfo, 0, "order_id");
	setting.amount = amount_arg(fcinfo, 1);
	setting.reason = ot_text_arg(fcinfo, 2, "reason", OT_MAX_TEXT);
	change->channel = ot_text_arg(fcinfo, 3, "channel", OT_MAX_TEXT);
	change->actor = ot_text_arg(fcinfo, 4, "actor", OT_MAX_TEXT);
	change->workspace = ot_workspace_arg(fcinfo, 5);

	ot_begin();
	ot_order_take(change->workspace, change->order_id, &setting.order);
	change->now = GetCurrentTimestamp();
	read_old(&setting);
	if (setting.amount != setting.old_amount)
	{
		check(&setting);
		write_discount(&setting);
		change_order(&setting);
	}
	ot_end();
	PG_RETURN_INT64(setting.old_amount);
}

static int64
amount_arg(FunctionCallInfo fcinfo, int n)
{
	ot_require_arg(fcinfo, n, "amount");
	if (PG_GETARG_INT64(n) < 0)
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("argument \"amount\" must not be negative"),
				errhint("0 takes the manual discount away."));
	return PG_GETARG_INT64(n);
}

static void
read_old(Setting *setting)
{
	OtArgs args = {0};

	ot_arg_int8(&args, setting->change.workspace);
	ot_arg_int8(&args, setting->change.order_id);
	setting->is_known = ot_run(OT_PLAN_MANUAL_DISCOUNT_READ, &args) > 0;
	if (setting->is_known)
		setting->old_amount = ot_get_int8(0, 1);
}

/* Other discounts leave so much of the order; a smaller one is never too much. */
static void
check(const Setting *setting)
{
	const OtOrderRow *order = &setting->order;
	int64 most = order->amount - order->discount_amount + setting->old_amount;

	if (!ot_order_takes_redemptions(order->status))
		ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				errmsg("an order with status \"%s\" takes no manual discount",
					   order->status));
	if (setting->amount > most)
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("manual discount is more than is left to pay"),
				errdetail("Without it " INT64_FORMAT " is left to pay.", most));
}

/* A discount that is taken away leaves its row, with 0. */
static void
write_discount(const Setting *setting)
{
	const OtChange *change = &setting->change;
	OtRowChange row = {.table = "manual_discounts"};
	OtArgs args = {0};

	row.workspace = change->workspace;
	row.id = change->order_id;
	row.now = change->now;
	ot_arg_int8(&args, change->workspace);
	ot_arg_int8(&args, change->order_id);
	ot_arg_int8(&args, setting->amount);
	ot_arg_text(&args, setting->reason);
	ot_arg_time(&args, change->now);
	if (setting->is_known)
		ot_change_row(&row, OT_PLAN_MANUAL_DISCOUNT_UPDATE, &args);
	else
		ot_insert_announced(&row, OT_PLAN_MANUAL_DISCOUNT_INSERT, &args, 1);
}

static void
change_order(Setting *setting)
{
	OtChange *change = &setting->change;
	const OtOrderRow *order = &setting->order;
	int64 discount = discount_after(setting);
	OtArgs args = {0};

	change->event_type = "promotion_manual_discount";
	change->data = describe(setting);
	ot_change_explain(change, setting->reason);
	ot_arg_int8(&args, change->workspace);
	ot_arg_int8(&args, change->order_id);
	ot_arg_int8(&args, discount);
	ot_arg_text(&args, ot_payments_status(change->workspace, change->order_id,
										  order->amount - discount, order->status));
	ot_arg_null(&args);
	ot_arg_int8(&args, order->amount);
	if (ot_change_order(change, OT_PLAN_ORDER_DISCOUNT, &args) != 1)
		ot_refuse_suppressed();
}

static Jsonb *
describe(const Setting *setting)
{
	OtJson json;

	ot_json_begin(&json);
	ot_note_sign(&json, setting->change.actor);
	ot_json_open(&json, "discount_amount");
	ot_json_add_int8(&json, "new", discount_after(setting));
	ot_json_add_int8(&json, "old", setting->order.discount_amount);
	ot_json_close(&json);
	ot_json_open(&json, "manual_discount_amount");
	ot_json_add_int8(&json, "new", setting->amount);
	ot_json_add_int8(&json, "old", setting->old_amount);
	ot_json_close(&json);
	return ot_json_end(&json);
}

static int64
discount_after(const Setting *setting)
{
	return setting->order.discount_amount - setting->old_amount + setting->amount;
}

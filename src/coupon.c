/*
 * coupon.c
 *		add_coupon and remove_coupon: codes of a stored order, by the machinery of
 *		redemptions and rollbacks.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/timestamp.h"

#include "plan.h"
#include "rollback.h"

PG_FUNCTION_INFO_V1(ordertrack_add_coupon);
PG_FUNCTION_INFO_V1(ordertrack_remove_coupon);

static Jsonb *name_order(int64 order_id);
static char *customer_of(int64 workspace, int64 customer_id);
static void read_removal(FunctionCallInfo fcinfo, OtRollbackRequest *request);
static void hash_removal(OtRollbackRequest *request);
static int64 find_live(const OtRollbackRequest *request);

/*
 * Uses a code on a stored order for its customer, or records why not.  The hash of
 * the request is without the customer, whom the order may get later.
 */
Datum
ordertrack_add_coupon(PG_FUNCTION_ARGS)
{
	int64 order_id = ot_id_arg(fcinfo, 0, "order_id");
	OtRequest request = {.function = "add_coupon", .keeps_status = true};
	OtOrderRow order;
	OtOutcome outcome;

	PreventCommandIfReadOnly("ordertrack.add_coupon()");
	request.has_amount = !PG_ARGISNULL(2);
	request.amount = request.has_amount ? PG_GETARG_INT64(2) : 0;
	request.idempotency_key = ot_text_or_null(fcinfo, 4);
	request.channel = ot_text_or_null(fcinfo, 5);
	request.actor = ot_text_or_null(fcinfo, 6);
	request.workspace = ot_workspace_arg(fcinfo, 7);
	ot_request_read(&request, ot_text_or_null(fcinfo, 1), NULL, name_order(order_id),
					ot_jsonb_or_null(fcinfo, 3));

	ot_begin();
	ot_lock_redemptions(false);
	ot_order_take(request.workspace, order_id, &order);
	request.customer = customer_of(request.workspace, order.customer_id);
	if (!ot_redeem(&request, NULL, &outcome))
		ot_key_refuse();
	ot_end();
	return ot_outcome_return(fcinfo, &outcome);
}

static Jsonb *
name_order(int64 order_id)
{
	OtJson json;

	ot_json_begin(&json);
	ot_json_add_int8(&json, "id", order_id);
	return ot_json_end(&json);
}

/* Gives the source_id of a customer, NULL for none. */
static char *
customer_of(int64 workspace, int64 customer_id)
{
	OtArgs args = {0};

	ot_arg_int8(&args, workspace);
	ot_arg_int8(&args, customer_id);
	if (customer_id == 0 || ot_run(OT_PLAN_COUPON_CUSTOMER, &args) == 0)
		return NULL;
	return ot_get_text(0, 1);
}

/* Undoes the newest use of a code on an order that is live, or records why not. */
Datum
ordertrack_remove_coupon(PG_FUNCTION_ARGS)
{
	OtRollbackRequest request = {.function = "remove_coupon", .keeps_order = true};
	OtOutcome outcome = {0};
	OtOrderRow order;

	PreventCommandIfReadOnly("ordertrack.remove_coupon()");
	read_removal(fcinfo, &request);
	ot_begin();
	ot_lock_redemptions(false);
	ot_order_take(request.workspace, request.order_id, &order);
	request.now = GetCurrentTimestamp();
	request.redemption_id = find_live(&request);
	ot_rollback(&request, &outcome);
	ot_end();
	return ot_outcome_return(fcinfo, &outcome);
}

static void
read_removal(FunctionCallInfo fcinfo, OtRollbackRequest *request)
{
	request->order_id = ot_id_arg(fcinfo, 0, "order_id");
	request->code = ot_text_or_null(fcinfo, 1);
	request->reason = ot_text_or_null(fcinfo, 2);
	request->idempotency_key = ot_text_or_null(fcinfo, 3);
	request->channel = ot_text_or_null(fcinfo, 4);
	request->actor = ot_text_or_null(fcinfo, 5);
	request->workspace = ot_workspace_arg(fcinfo, 6);
	if (request->idempotency_key != NULL)
		hash_removal(request);
	if (request->code == NULL)
		ot_rollback_request_blame(request, "code must not be null");
	else if (*request->code == '\0')
		ot_rollback_request_blame(request, "code must not be empty");
	ot_rollback_request_blame(request, ot_fit_text(&request->code, "code", OT_MAX_CODE));
	ot_rollback_request_check(request);
}

static void
hash_removal(OtRollbackRequest *request)
{
	const char *fields[3];

	fields[0] = psprintf(INT64_FORMAT, request->order_id);
	fields[1] = request->code;
	fields[2] = request->reason;
	ot_request_hash(request->function, lengthof(fields), fields, request->hash);
}

/* Under the order's lock what is live stays so; 0 is none. */
static int64
find_live(const OtRollbackRequest *request)
{
	OtArgs args = {0};

	ot_arg_int8(&args, request->workspace);
	ot_arg_int8(&args, request->order_id);
	ot_arg_text(&args, request->code);
	return ot_run(OT_PLAN_COUPON_LIVE, &args) == 0 ? 0 : ot_get_int8(0, 1);
}

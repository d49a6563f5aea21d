/*
 * payment.c
 *		add_payment, create_refund, set_payment_status: money that comes for an
 *		order, and goes back.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "errcodes.h"
#include "payment.h"
#include "redemption.h"

PG_FUNCTION_INFO_V1(ordertrack_add_payment);
PG_FUNCTION_INFO_V1(ordertrack_create_refund);
PG_FUNCTION_INFO_V1(ordertrack_set_payment_status);

static int64 amount_arg(FunctionCallInfo fcinfo);
static char *status_arg(FunctionCallInfo fcinfo, int n);
static int64 return_arg(FunctionCallInfo fcinfo);
static void check_type(const char *transaction_type);
static int64 pay(OtPayment *payment, const char *function, const char *key);
static bool take_key(const OtPayment *payment, const char *function, const char *key,
					 int64 *payment_id);
static void check_order(const OtPayment *payment, const OtOrderRow *order);
static void check_return(const OtPayment *payment);
static void refuse_return(int64 return_id) pg_attribute_noreturn();
static char *lock_payment(const OtRowChange *change);

/* Records a payment and gives its id. */
Datum
ordertrack_add_payment(PG_FUNCTION_ARGS)
{
	OtPayment payment = {0};
	char *key;

	PreventCommandIfReadOnly("ordertrack.add_payment()");
	payment.order_id = ot_id_arg(fcinfo, 0, "order_id");
	payment.amount = amount_arg(fcinfo);
	payment.method = ot_text_arg(fcinfo, 2, "method", OT_MAX_TEXT);
	payment.transaction_type =
		ot_required_text_arg(fcinfo, 3, "transaction_type", OT_MAX_TEXT);
	payment.status = status_arg(fcinfo, 4);
	payment.transaction_id = ot_text_arg(fcinfo, 5, "transaction_id", OT_MAX_TEXT);
	key = ot_key_arg(fcinfo, 6);
	payment.channel = ot_text_arg(fcinfo, 7, "channel", OT_MAX_TEXT);
	payment.actor = ot_text_arg(fcinfo, 8, "actor", OT_MAX_TEXT);
	payment.workspace = ot_workspace_arg(fcinfo, 9);
	check_type(payment.transaction_type);
	PG_RETURN_INT64(pay(&payment, "add_payment", key));
}

/* Records a refund and gives its payment's id. */
Datum
ordertrack_create_refund(PG_FUNCTION_ARGS)
{
	OtPayment payment = {.transaction_type = "credit"};
	char *key;

	PreventCommandIfReadOnly("ordertrack.create_refund()");
	payment.order_id = ot_id_arg(fcinfo, 0, "order_id");
	payment.amount = amount_arg(fcinfo);
	payment.reason = ot_text_arg(fcinfo, 2, "reason", OT_MAX_TEXT);
	payment.method = ot_text_arg(fcinfo, 3, "method", OT_MAX_TEXT);
	payment.status = status_arg(fcinfo, 4);
	payment.return_id = return_arg(fcinfo);
	payment.transaction_id = ot_text_arg(fcinfo, 6, "transaction_id", OT_MAX_TEXT);
	key = ot_key_arg(fcinfo, 7);
	payment.channel = ot_text_arg(fcinfo, 8, "channel", OT_MAX_TEXT);
	payment.actor = ot_text_arg(fcinfo, 9, "actor", OT_MAX_TEXT);
	payment.workspace = ot_workspace_arg(fcinfo, 10);
	PG_RETURN_INT64(pay(&payment, "create_refund", key));
}

static int64
amount_arg(FunctionCallInfo fcinfo)
{
	int64 amount = ot_id_arg(fcinfo, 1, "amount");

	if (amount <= 0)
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("\"amount\" must be greater than zero"));
	return amount;
}

static char *
status_arg(FunctionCallInfo fcinfo, int n)
{
	static const char *const statuses[] = {"pending", "processed", "failed"};
	char *status = ot_required_text_arg(fcinfo, n, "status", OT_MAX_TEXT);

	for (int i = 0; i < lengthof(statuses); i++)
		if (strcmp(statuses[i], status) == 0)
			return status;
	ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
			errmsg("unknown payment status \"%s\"", status),
			errhint("Statuses are pending, processed and failed."));
	return NULL;
}

/* Gives the id of the return, 0 for none; no return has that. */
static int64
return_arg(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(5))
		return 0;
	if (PG_GETARG_INT64(5) == 0)
		refuse_return(0);
	return PG_GETARG_INT64(5);
}

static void
check_type(const char *transaction_type)
{
	static const char *const types[] = {"authorization", "capture", "sale", "void"};

	for (int i = 0; i < lengthof(types); i++)
		if (strcmp(types[i], transaction_type) == 0)
			return;
	if (strcmp(transaction_type, "credit") == 0)
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("a payment cannot have transaction type \"credit\""),
				errdetail("Such a payment is a refund."),
				errhint("Use ordertrack.create_refund()."));
	ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
			errmsg("unknown transaction type \"%s\"", transaction_type),
			errhint("Types are authorization, capture, sale and void."));
}

/*
 * Inserts a payment, once for a key.  The order comes before the key, as in all
 * functions that take both, so that two calls never wait in a circle; a repeated
 * call is answered whatever has become of the order meanwhile.
 */
static int64
pay(OtPayment *payment, const char *function, const char *key)
{
	OtOrderRow order;

	ot_begin();
	ot_order_take(payment->workspace, payment->order_id, &order);
	payment->now = GetCurrentTimestamp();
	payment->payment_id = ot_next_payment_id();
	if (take_key(payment, function, key, &payment->payment_id))
	{
		check_order(payment, &order);
		check_return(payment);
		ot_payment_insert(payment);
	}
	ot_end();
	return payment->payment_id;
}

/* Takes the key; false where it has the id of a payment already. */
static bool
take_key(const OtPayment *payment, const char *function, const char *key,
		 int64 *payment_id)
{
	const char *fields[8];
	uint8 hash[OT_HASH_LENGTH];
	OtKeyUse use = {.workspace = payment->workspace,
					.key = key,
					.function = function,
					.hash = hash,
					.now = payment->now,
					.find = OT_PLAN_PAYMENT_KEY_FIND,
					.claim = OT_PLAN_PAYMENT_KEY_CLAIM};

	if (key == NULL)
		return true;
	fields[0] = psprintf(INT64_FORMAT, payment->order_id);
	fields[1] = psprintf(INT64_FORMAT, payment->amount);
	fields[2] = payment->method;
	fields[3] = payment->transaction_type;
	fields[4] = payment->status;
	fields[5] = payment->transaction_id;
	fields[6] = payment->reason;
	fields[7] =
		payment->return_id == 0 ? NULL : psprintf(INT64_FORMAT, payment->return_id);
	ot_request_hash(function, lengthof(fields), fields, hash);
	return ot_key_take(&use, payment_id);
}

/* An order that is over gives money back, but takes none. */
static void
check_order(const OtPayment *payment, const OtOrderRow *order)
{
	if (strcmp(order->status, "canceled") == 0 &&
		strcmp(payment->transaction_type, "credit") != 0 &&
		strcmp(payment->transaction_type, "void") != 0)
		ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				errmsg("order " INT64_FORMAT " takes no payment", payment->order_id),
				errdetail("Its status is \"canceled\"."),
				errhint("Refunds and payments of type \"void\" are still possible."));
}

/* The return that a refund is for is one of the same order. */
static void
check_return(const OtPayment *payment)
{
	OtArgs args = {0};

	if (payment->return_id == 0)
		return;
	ot_arg_int8(&args, payment->workspace);
	ot_arg_int8(&args, payment->return_id);
	if (ot_run(OT_PLAN_PAYMENT_RETURN, &args) == 0)
		refuse_return(payment->return_id);
	if (ot_get_int8(0, 1) != payment->order_id)
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("return " INT64_FORMAT " is not of order " INT64_FORMAT,
					   payment->return_id, payment->order_id));
}

static void
refuse_return(int64 return_id)
{
	ereport(ERROR, errcode(OT_ERRCODE_NOT_FOUND),
			errmsg("return " INT64_FORMAT " does not exist", return_id));
}

/* Inserts a payment, announced to guard_insert; the triggers judge and tell it. */
void
ot_payment_insert(const OtPayment *payment)
{
	OtRowChange change = {.table = "payments",
						  .workspace = payment->workspace,
						  .id = payment->payment_id,
						  .now = payment->now,
						  .channel = payment->channel,
						  .actor = payment->actor};
	OtArgs args = {0};

	ot_arg_int8(&args, payment->workspace);
	ot_arg_int8(&args, payment->payment_id);
	ot_arg_int8(&args, payment->order_id);
	ot_arg_id(&args, payment->return_id);
	ot_arg_text(&args, payment->transaction_type);
	ot_arg_text(&args, payment->method);
	ot_arg_int8(&args, payment->amount);
	ot_arg_text(&args, payment->status);
	ot_arg_text(&args, payment->transaction_id);
	ot_arg_text(&args, payment->reason);
	ot_arg_text(&args, ot_session_role());
	ot_arg_text(&args, payment->actor);
	ot_arg_text(&args, payment->channel);
	ot_arg_time(&args, payment->now);
	ot_insert_announced(&change, OT_PLAN_PAYMENT_INSERT, &args, 1);
}

/* Moves a payment to a status and gives the one before; the trigger judges. */
Datum
ordertrack_set_payment_status(PG_FUNCTION_ARGS)
{
	OtRowChange change = {.table = "payments"};
	char *status;
	char *old_status;

	PreventCommandIfReadOnly("ordertrack.set_payment_status()");
	change.id = ot_id_arg(fcinfo, 0, "payment_id");
	status = status_arg(fcinfo, 1);
	change.channel = ot_text_arg(fcinfo, 2, "channel", OT_MAX_TEXT);
	change.actor = ot_text_arg(fcinfo, 3, "actor", OT_MAX_TEXT);
	change.workspace = ot_workspace_arg(fcinfo, 4);

	ot_begin();
	old_status = lock_payment(&change);
	change.now = GetCurrentTimestamp();
	if (strcmp(old_status, status) != 0)
	{
		OtArgs args = {0};

		ot_arg_int8(&args, change.workspace);
		ot_arg_int8(&args, change.id);
		ot_arg_text(&args, status);
		ot_change_row(&change, OT_PLAN_PAYMENT_STATUS, &args);
	}
	ot_end();
	PG_RETURN_TEXT_P(cstring_to_text(old_status));
}

/* Locks a payment, its order first, and gives its status. */
static char *
lock_payment(const OtRowChange *change)
{
	OtArgs args = {0};
	OtArgs order_args;

	ot_arg_int8(&args, change->workspace);
	ot_arg_int8(&args, change->id);
	order_args = args;
	ot_run(OT_PLAN_PAYMENT_LOCK_ORDER, &order_args);
	if (ot_run(OT_PLAN_PAYMENT_LOCK, &args) == 0)
	{
		ot_require_workspace(change->workspace);
		ereport(ERROR, errcode(OT_ERRCODE_NOT_FOUND),
				errmsg("payment " INT64_FORMAT " does not exist", change->id));
	}
	return ot_get_text(0, 1);
}

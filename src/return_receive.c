/*
 * return_receive.c
 *		receive_return, complete_return: what came back, and what is paid for it.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"

#include "errcodes.h"
#include "payment.h"
#include "return.h"

PG_FUNCTION_INFO_V1(ordertrack_receive_return);
PG_FUNCTION_INFO_V1(ordertrack_complete_return);

static void check_may_receive(const OtReturnChange *change, const OtReturnRow *row);
static void insert_receipt(const OtReturnChange *change);
static void tell_received(const OtReturnChange *change, int64 order_id);
static int64 refund_arg(FunctionCallInfo fcinfo);
static void check_may_complete(const OtReturnChange *change, const OtReturnRow *row);
static void refund(const OtReturnChange *change, const OtReturnRow *row,
				   const char *method);

/* Records units that came back, and gives the status that the return has then. */
Datum
ordertrack_receive_return(PG_FUNCTION_ARGS)
{
	OtReturnChange change = {0};
	OtLineUnits *units;
	OtReturnRow row;

	PreventCommandIfReadOnly("ordertrack.receive_return()");
	change.row.id = ot_id_arg(fcinfo, 0, "return_id");
	units = ot_line_units_arg(fcinfo, 1, "items");
	ot_return_read(fcinfo, 2, &change);

	ot_begin();
	ot_return_lock(&change, &row);
	check_may_receive(&change, &row);
	change.received =
		units != NULL ? units : ot_return_expected(change.row.workspace, change.row.id);
	insert_receipt(&change);
	if (strcmp(row.status, "awaiting_stock_return") == 0)
		ot_return_set_status(&change, "awaiting_completion");
	else
		tell_received(&change, row.order_id);
	ot_end();
	PG_RETURN_TEXT_P(cstring_to_text("awaiting_completion"));
}

/* A return that is over takes nothing more. */
static void
check_may_receive(const OtReturnChange *change, const OtReturnRow *row)
{
	if (strcmp(row->status, "awaiting_stock_return") != 0 &&
		strcmp(row->status, "awaiting_completion") != 0)
		ot_transition_refuse(change->row.workspace, "return", row->status,
							 "awaiting_completion", NULL);
}

/* The trigger of the receipts judges whether so many are to come. */
static void
insert_receipt(const OtReturnChange *change)
{
	OtRowChange receipt = change->row;
	OtArgs find = {0};
	OtArgs args = {0};

	receipt.table = "return_receipts";
	ot_arg_int8(&find, receipt.workspace);
	ot_arg_int8(&find, receipt.id);
	args = find;
	ot_run(OT_PLAN_RETURN_RECEIPT_NO, &find);
	ot_arg_int4(&args, ot_get_int4(0, 1));
	ot_arg_line_units(&args, change->received);
	ot_arg_time(&args, receipt.now);
	ot_insert_announced(&receipt, OT_PLAN_RETURN_RECEIPTS_INSERT, &args,
						change->received->count);
}

/* The first receipt is told with the status; this is one after it. */
static void
tell_received(const OtReturnChange *change, int64 order_id)
{
	OtJson json;

	ot_json_begin(&json);
	ot_json_add_int8(&json, "return_id", change->row.id);
	ot_line_units_describe(change->received, &json);
	ot_return_tell(change, order_id, "return_receipt_items", &json);
}

/* Ends a return that came back, with its refund; gives what was refunded. */
Datum
ordertrack_complete_return(PG_FUNCTION_ARGS)
{
	OtReturnChange change = {0};
	char *method;
	OtReturnRow row;

	PreventCommandIfReadOnly("ordertrack.complete_return()");
	change.row.id = ot_id_arg(fcinfo, 0, "return_id");
	change.refund_amount = refund_arg(fcinfo);
	method = ot_text_arg(fcinfo, 2, "method", OT_MAX_TEXT);
	ot_return_read(fcinfo, 3, &change);

	ot_begin();
	ot_return_lock(&change, &row);
	check_may_complete(&change, &row);
	if (PG_ARGISNULL(1))
		change.refund_amount =
			ot_return_default_refund(change.row.workspace, row.order_id, change.row.id);
	if (change.refund_amount > 0)
		refund(&change, &row, method);
	ot_return_set_status(&change, "complete");
	ot_end();
	PG_RETURN_INT64(change.refund_amount);
}

static int64
refund_arg(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(1))
		return 0;
	if (PG_GETARG_INT64(1) < 0)
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("\"refund_amount\" must not be negative"));
	return PG_GETARG_INT64(1);
}

/* The trigger judges it too, but the refund comes before it. */
static void
check_may_complete(const OtReturnChange *change, const OtReturnRow *row)
{
	if (ot_transition_find(change->row.workspace, "return", row->status, "complete",
						   NULL) == NULL)
		ot_transition_refuse(change->row.workspace, "return", row->status, "complete",
							 NULL);
}

static void
refund(const OtReturnChange *change, const OtReturnRow *row, const char *method)
{
	OtPayment payment = {.workspace = change->row.workspace,
						 .order_id = row->order_id,
						 .return_id = change->row.id,
						 .transaction_type = "credit",
						 .method = method,
						 .amount = change->refund_amount,
						 .status = "processed",
						 .channel = change->row.channel,
						 .actor = change->row.actor,
						 .now = change->row.now};

	payment.payment_id = ot_next_payment_id();
	ot_payment_insert(&payment);
}

/*
 * payment_sum.c
 *		What the payments of an order add up to, and what that means for its
 *		status.
 */
#include "postgres.h"

#include "errcodes.h"
#include "payment.h"

/* Tells whether a payment's amount has been paid; an authorization only promises. */
bool
ot_payment_pays(const char *transaction_type, const char *status)
{
	return strcmp(status, "processed") == 0 && (strcmp(transaction_type, "sale") == 0 ||
												strcmp(transaction_type, "capture") == 0);
}

/* Tells whether a payment's amount is refunded, or is on its way back. */
bool
ot_payment_refunds(const char *transaction_type, const char *status)
{
	return strcmp(transaction_type, "credit") == 0 && strcmp(status, "failed") != 0;
}

/* Adds up the payments of an order but one; 0 leaves none out. */
void
ot_payments_sum(int64 workspace, int64 order_id, int64 but_payment_id, OtPaid *sums)
{
	OtArgs args = {0};

	ot_arg_int8(&args, workspace);
	ot_arg_int8(&args, order_id);
	ot_arg_int8(&args, but_payment_id);
	ot_run(OT_PLAN_PAYMENTS_SUM, &args);
	if (ot_is_null(0, 1) || ot_is_null(0, 2))
		ereport(ERROR, errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				errmsg("payments of order " INT64_FORMAT " are out of range", order_id),
				errdetail("Their sum does not fit into 64 bits."));
	sums->paid = ot_get_int8(0, 1);
	sums->refunded = ot_get_int8(0, 2);
}

const char *
ot_payments_settle(int64 workspace, int64 order_id, int64 total_amount,
				   const char *status)
{
	OtPaid sums;

	ot_payments_sum(workspace, order_id, 0, &sums);
	if (sums.paid == 0)
		return status;
	return ot_payments_status(workspace, order_id, total_amount, status);
}

const char *
ot_payments_status(int64 workspace, int64 order_id, int64 total_amount,
				   const char *status)
{
	OtPaid sums;

	if (strcmp(status, "created") != 0 && strcmp(status, "fulfilled") != 0)
		return status;
	ot_payments_sum(workspace, order_id, 0, &sums);
	if (sums.paid - sums.refunded < total_amount ||
		ot_transition_find(workspace, "order", status, "paid", NULL) == NULL)
		return status;
	return "paid";
}

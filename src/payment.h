/*
 * payment.h
 *		Payments of an order, and refunds of what was paid.
 */
#ifndef OT_PAYMENT_H
#define OT_PAYMENT_H

#include "ordertrack.h"

/* A new payment; of a refund the type is "credit". */
typedef struct OtPayment
{
	int64 workspace;
	int64 payment_id;
	int64 order_id;
	int64 return_id; /* 0: none */
	const char *transaction_type;
	const char *method; /* may be NULL, as all texts but the status */
	int64 amount;
	const char *status;
	const char *transaction_id;
	const char *reason;
	const char *channel;
	const char *actor;
	TimestampTz now;
} OtPayment;

/* payment.c: inserts a payment of an order that the caller has locked */
extern void ot_payment_insert(const OtPayment *payment);

/* ---- payment_sum.c: what payments add up to ---- */

typedef struct OtPaid
{
	int64 paid;		/* by processed sales and captures */
	int64 refunded; /* or to be refunded: what has not failed */
} OtPaid;

extern bool ot_payment_pays(const char *transaction_type, const char *status);
extern bool ot_payment_refunds(const char *transaction_type, const char *status);
extern void ot_payments_sum(int64 workspace, int64 order_id, int64 but_payment_id,
							OtPaid *sums);

/*
 * Gives the status that an order with this total and status is to have: "paid"
 * where its payments reach the total, else the same.  The caller has locked it.
 */
extern const char *ot_payments_status(int64 workspace, int64 order_id, int64 total_amount,
									  const char *status);

/* Likewise where no payment came: an order that costs nothing is not paid by that. */
extern const char *ot_payments_settle(int64 workspace, int64 order_id, int64 total_amount,
									  const char *status);

#endif

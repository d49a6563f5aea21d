/*
 * reservation_facts.c
 *		Reads reservations, and takes those that are about to end out of what is
 *		used.
 *
 * A reservation has spent the counters like a redemption.  So it counts for
 * everybody without being read, and only two kinds are looked for: the caller's
 * own, and those whose time is over but whose counters nobody has taken back
 * yet.  A verdict sees the counters without them.
 */
#include "postgres.h"

#include "plan.h"
#include "reservation.h"

/* Columns of OT_PLAN_..._ENDING, from 1. */
enum
{
	USES = 1,
	AMOUNT,
	ORDER_AMOUNT,
	CUSTOMER_USES,
	DAY_USES,
	CUSTOMER_DAY_USES = DAY_USES + OT_PERIOD_COUNT
};

static OtReservation find_own(const OtRequest *request, TimestampTz now,
							  const OtFacts *facts);
static int64 read_ending(OtPlan plan, const OtRequest *request, const OtFacts *facts,
						 int64 entity_id, TimestampTz now);
static void take_out(OtTerms *terms);

/* Completes the facts, under the active snapshot. */
void
ot_reservations_read(const OtRequest *request, TimestampTz now, OtFacts *facts)
{
	if (request->reservation_key != NULL)
		facts->reservation = find_own(request, now, facts);
	if (facts->voucher.has_reservations &&
		read_ending(OT_PLAN_VOUCHER_ENDING, request, facts, facts->voucher.id, now) > 0)
	{
		facts->ending_count += ot_get_int8(0, USES);
		if (facts->is_gift)
			facts->gift_balance += ot_get_int8(0, AMOUNT);
		take_out(&facts->voucher);
	}
	if (facts->campaign.has_reservations &&
		read_ending(OT_PLAN_CAMPAIGN_ENDING, request, facts, facts->campaign.id, now) > 0)
	{
		facts->ending_count += ot_get_int8(0, USES);
		take_out(&facts->campaign);
	}
}

/* One that was made for a customer is that customer's alone. */
static OtReservation
find_own(const OtRequest *request, TimestampTz now, const OtFacts *facts)
{
	OtArgs args = {0};
	const char *customer;
	const char *status;

	ot_arg_int8(&args, request->workspace);
	ot_arg_text(&args, request->reservation_key);
	if (ot_read(OT_PLAN_RESERVATION_FIND, &args) == 0 ||
		ot_get_int8(0, 1) != facts->voucher.id)
		return OT_RESERVATION_UNKNOWN;
	customer = ot_get_text(0, 3);
	if (customer != NULL &&
		(request->customer == NULL || strcmp(customer, request->customer) != 0))
		return OT_RESERVATION_UNKNOWN;
	status = ot_get_text(0, 4);
	if (strcmp(status, "released") == 0)
		return OT_RESERVATION_RELEASED;
	if (strcmp(status, "redeemed") == 0)
		return OT_RESERVATION_REDEEMED;
	return now < ot_get_time(0, 5, 0) ? OT_RESERVATION_LIVE : OT_RESERVATION_OVER;
}

/* Adds up what ends; returns how many reservations that are. */
static int64
read_ending(OtPlan plan, const OtRequest *request, const OtFacts *facts, int64 entity_id,
			TimestampTz now)
{
	OtArgs args = {0};

	ot_arg_int8(&args, request->workspace);
	ot_arg_int8(&args, entity_id);
	ot_arg_time(&args, now);
	ot_arg_text(&args, facts->reservation == OT_RESERVATION_LIVE
						   ? request->reservation_key
						   : NULL);
	ot_arg_id(&args, facts->customer_id);
	for (int i = 0; i < OT_PERIOD_COUNT; i++)
		ot_arg(&args, DateADTGetDatum(facts->local_time.starts_on[i]));
	ot_arg_keys(&args, request->locked_keys);
	ot_read(plan, &args);
	return ot_get_int8(0, USES);
}

/* Adds the keys that a call is bound to, NULL for none. */
void
ot_arg_keys(OtArgs *args, ArrayType *keys)
{
	if (keys == NULL)
		ot_arg_null(args);
	else
		ot_arg(args, PointerGetDatum(keys));
}

static void
take_out(OtTerms *terms)
{
	if (terms->redemption_limit != 0)
		terms->redeemed_count -= ot_get_int8(0, USES);
	if (terms->customer_limit != 0)
		terms->customer_used -= ot_get_int8(0, CUSTOMER_USES);
	for (int i = 0; i < OT_PERIOD_COUNT; i++)
	{
		if (terms->period[i].limit != 0)
			terms->period[i].used -= ot_get_int8(0, DAY_USES + i);
		if (terms->customer_period[i].limit != 0)
			terms->customer_period[i].used -= ot_get_int8(0, CUSTOMER_DAY_USES + i);
	}
	if (terms->discount_budget.limit != 0)
		terms->discount_budget.used -= ot_get_int8(0, AMOUNT);
	if (terms->order_budget.limit != 0)
		terms->order_budget.used -= ot_get_int8(0, ORDER_AMOUNT);
}

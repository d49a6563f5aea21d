/*
 * verdict.c
 *		Decides a redemption: facts in, verdict out, no SQL and no clock.
 *		validate and redeem share it, so a dry run can't disagree.
 */
#include "postgres.h"

#include "limit.h"
#include "redemption_item.h"
#include "verdict.h"

static OtFailure judge_input(const OtRequest *request, OtVerdict *verdict);
static OtFailure judge_reservation(const OtFacts *facts, OtVerdict *verdict);
static OtFailure judge_voucher(const OtFacts *facts, TimestampTz now);
static OtFailure judge_order(const OtRequest *request, const OtFacts *facts,
							 OtVerdict *verdict);
static OtFailure judge_amounts(const OtRequest *request, const OtFacts *facts,
							   OtVerdict *verdict);
static void give_on_lines(const OtRequest *request, const OtFacts *facts,
						  OtVerdict *verdict);
static OtFailure find_missing(const OtRequest *request, const OtFacts *facts,
							  const OtVerdict *verdict);
static void give_discount(const OtFacts *facts, bool has_order, OtVerdict *verdict);
static OtFailure judge_rules(const OtRequest *request, const OtFacts *facts,
							 OtVerdict *verdict);
static bool needs_customer(const OtFacts *facts);
static bool has_lines(const OtRequest *request, const OtFacts *facts);
static bool knows_order(const OtFacts *facts);
static bool fits_customer(const OtRequest *request, const OtFacts *facts);
static OtFailure judge_gift(const OtRequest *request, const OtFacts *facts, int64 payable,
							OtVerdict *verdict);
static OtFailure judge_limits(const OtFacts *facts, OtVerdict *verdict);
static bool is_open(const OtTerms *terms, Timestamp local_time);
static bool is_exhausted(const OtTerms *terms);
static bool is_used_up(const OtTerms *terms);

/*
 * Finds the first reason against a redemption, in the order of OtFailure, or
 * what it gives and what its order comes to.
 */
void
ot_judge(const OtRequest *request, const OtFacts *facts, TimestampTz now,
		 OtVerdict *verdict)
{
	memset(verdict, 0, sizeof(*verdict));
	verdict->gift_balance = facts->gift_balance;

	if ((verdict->failure = judge_input(request, verdict)) == OT_OK &&
		(verdict->failure = judge_reservation(facts, verdict)) == OT_OK &&
		(verdict->failure = judge_voucher(facts, now)) == OT_OK &&
		(verdict->failure = judge_order(request, facts, verdict)) == OT_OK &&
		(verdict->failure = judge_amounts(request, facts, verdict)) == OT_OK &&
		(verdict->failure = judge_rules(request, facts, verdict)) == OT_OK)
		verdict->failure = judge_limits(facts, verdict);

	if (verdict->failure != OT_OK && verdict->message == NULL)
		verdict->message = ot_failure_message(verdict->failure);
}

static OtFailure
judge_input(const OtRequest *request, OtVerdict *verdict)
{
	if (request->is_bad)
	{
		verdict->message = request->bad_message;
		return OT_INVALID_INPUT;
	}
	if (request->order.failure == OT_INVALID_INPUT)
	{
		verdict->message = request->order.failure_message;
		return OT_INVALID_INPUT;
	}
	return OT_OK;
}

/* One whose time is over counts for nobody, as if it had not been named. */
static OtFailure
judge_reservation(const OtFacts *facts, OtVerdict *verdict)
{
	if (facts->voucher.id == 0)
		return OT_VOUCHER_NOT_FOUND;
	switch (facts->reservation)
	{
		case OT_RESERVATION_RELEASED:
			verdict->message = "the reservation has been released";
			return OT_RESERVATION_NOT_FOUND;
		case OT_RESERVATION_REDEEMED:
			verdict->message = "the reservation has been redeemed";
			return OT_RESERVATION_NOT_FOUND;
		case OT_RESERVATION_UNKNOWN:
			return OT_RESERVATION_NOT_FOUND;
		default:
			return OT_OK;
	}
}

static OtFailure
judge_voucher(const OtFacts *facts, TimestampTz now)
{
	const OtTerms *voucher = &facts->voucher;
	const OtTerms *campaign = &facts->campaign;

	if (!voucher->is_active || (campaign->id != 0 && !campaign->is_active))
		return OT_VOUCHER_DISABLED;
	if (now < voucher->starts_at || (campaign->id != 0 && now < campaign->starts_at))
		return OT_VOUCHER_NOT_ACTIVE;
	if (now >= voucher->expires_at || (campaign->id != 0 && now >= campaign->expires_at))
		return OT_VOUCHER_EXPIRED;
	if (!is_open(voucher, facts->local_time.now) ||
		!is_open(campaign, facts->local_time.now))
		return OT_VOUCHER_NOT_ACTIVE_NOW;
	if (is_exhausted(voucher) || is_exhausted(campaign))
		return OT_QUANTITY_EXCEEDED;
	return OT_OK;
}

static OtFailure
judge_order(const OtRequest *request, const OtFacts *facts, OtVerdict *verdict)
{
	const OtOrderData *data = &request->order;
	const OtOrderFacts *order = &facts->order;

	if (data->failure == OT_INVALID_ORDER)
		verdict->message = data->failure_message;
	else if (data->has_id && order->id == 0)
		verdict->message = "there is no order with this id";
	else if (order->is_contradicted)
		verdict->message = "id and source_id name different orders";
	else if (order->id != 0 && !ot_order_takes_redemptions(order->status))
		verdict->message =
			psprintf("an order with status %s takes no redemption", order->status);
	else
		return OT_OK;
	return OT_INVALID_ORDER;
}

/* Works out the amounts; everything before this point has been found right. */
static OtFailure
judge_amounts(const OtRequest *request, const OtFacts *facts, OtVerdict *verdict)
{
	const OtOrderData *data = &request->order;
	bool has_order = facts->order.id != 0 || data->is_given;
	OtFailure failure;

	if (data->failure == OT_INVALID_AMOUNT)
	{
		verdict->message = data->failure_message;
		return OT_INVALID_AMOUNT;
	}
	if (!fits_customer(request, facts))
	{
		verdict->message = "the sum of the customer's orders is out of range";
		return OT_INVALID_AMOUNT;
	}
	if (facts->is_gift && request->has_amount && request->amount <= 0)
	{
		verdict->message = "gift credits to spend must be more than 0";
		return OT_INVALID_AMOUNT;
	}
	give_on_lines(request, facts, verdict);
	if (verdict->cart_result == OT_CART_OUT_OF_RANGE)
	{
		verdict->message = "the order's amount with its free units is out of range";
		return OT_INVALID_AMOUNT;
	}
	if ((failure = find_missing(request, facts, verdict)) != OT_OK)
		return failure;

	verdict->amount = knows_order(facts) ? facts->order.amount : data->amount;
	verdict->discount_amount = facts->order.discount_amount;
	if (facts->is_gift &&
		(failure = judge_gift(request, facts,
							  has_order ? verdict->amount - verdict->discount_amount
										: request->amount,
							  verdict)) != OT_OK)
		return failure;
	give_discount(facts, has_order, verdict);
	return OT_OK;
}

/* Works out a discount on lines: of the request, where no others are known. */
static void
give_on_lines(const OtRequest *request, const OtFacts *facts, OtVerdict *verdict)
{
	if (facts->is_gift || facts->discount.effect == OT_APPLY_TO_ORDER)
		return;
	verdict->has_cart = true;
	if (facts->has_cart)
		ot_cart_copy(&verdict->cart, &facts->cart);
	else
		ot_cart_fill(&verdict->cart, &request->order);
	if (knows_order(facts))
	{
		verdict->cart.amount = facts->order.amount;
		verdict->cart.discount_amount = facts->order.discount_amount;
	}
	verdict->cart_result = ot_cart_discount(&verdict->cart, &facts->discount);
	if (verdict->cart_result == OT_CART_OK)
		ot_cart_name_new_line(&verdict->cart, &facts->discount);
}

static OtFailure
find_missing(const OtRequest *request, const OtFacts *facts, const OtVerdict *verdict)
{
	bool is_stored = facts->order.id != 0;
	bool has_order = is_stored || request->order.is_given;
	bool has_amount = is_stored || request->order.has_amount;

	if (needs_customer(facts) && request->customer == NULL)
		return OT_MISSING_CUSTOMER;
	if (verdict->cart_result == OT_CART_NO_LINES ||
		((facts->rules.uses & OT_NEEDS_ITEMS) != 0 && !has_lines(request, facts)))
		return OT_MISSING_ORDER_ITEMS;
	if ((has_order && !has_amount) ||
		(!has_order && facts->is_gift && !request->has_amount) ||
		((facts->rules.uses & OT_NEEDS_AMOUNT) != 0 && !has_amount) ||
		verdict->cart_result == OT_CART_NO_AMOUNT)
		return OT_MISSING_AMOUNT;
	return OT_OK;
}

/* Adds what is given to the discounts of the order, where there is one. */
static void
give_discount(const OtFacts *facts, bool has_order, OtVerdict *verdict)
{
	if (verdict->has_cart)
	{
		verdict->given = verdict->cart.given_discount;
		verdict->amount = verdict->cart.amount;
	}
	else if (!facts->is_gift)
		verdict->given = ot_money_discount(&facts->discount,
										   verdict->amount - verdict->discount_amount);
	if (has_order)
		verdict->discount_amount += verdict->given;
	verdict->total_amount = verdict->amount - verdict->discount_amount;
}

/*
 * Judges the rules.  A code must not be used up on an order that has nothing it
 * is for, which is as if the first rule about the order said so.
 */
static OtFailure
judge_rules(const OtRequest *request, const OtFacts *facts, OtVerdict *verdict)
{
	OtFailure failure = ot_rules_judge(request, facts, verdict);

	if (failure == OT_CUSTOMER_RULES_VIOLATED || verdict->cart_result != OT_CART_NO_MATCH)
		return failure;
	verdict->message = "no line of the order matches the discount";
	return OT_ORDER_RULES_VIOLATED;
}

static bool
needs_customer(const OtFacts *facts)
{
	return ot_terms_count_customer(&facts->voucher) ||
		   ot_terms_count_customer(&facts->campaign) ||
		   (facts->rules.uses & OT_NEEDS_CUSTOMER) != 0;
}

static bool
has_lines(const OtRequest *request, const OtFacts *facts)
{
	return ot_rules_order(request, facts)->line_count > 0;
}

/* Tells whether the order's amounts are among the facts: it is stored, or carried. */
static bool
knows_order(const OtFacts *facts)
{
	return facts->order.id != 0 || facts->is_carried;
}

/* The sum of a customer's orders must stay in 64 bits, too. */
static bool
fits_customer(const OtRequest *request, const OtFacts *facts)
{
	int64 total = facts->customer_total;

	return knows_order(facts) || ot_money_add(&total, request->order.amount);
}

static OtFailure
judge_gift(const OtRequest *request, const OtFacts *facts, int64 payable,
		   OtVerdict *verdict)
{
	if (request->has_amount && request->amount > facts->gift_balance)
		return OT_GIFT_AMOUNT_EXCEEDED;
	if (payable > 0 && facts->gift_balance == 0)
		return OT_GIFT_AMOUNT_EXCEEDED;
	verdict->given = request->has_amount ? request->amount : facts->gift_balance;
	verdict->given = Min(verdict->given, payable);
	verdict->gift_balance = facts->gift_balance - verdict->given;
	return OT_OK;
}

static OtFailure
judge_limits(const OtFacts *facts, OtVerdict *verdict)
{
	if (is_used_up(&facts->voucher) || is_used_up(&facts->campaign))
		return OT_REDEMPTION_RULES_VIOLATED;
	verdict->message = ot_limits_judge(&facts->voucher, &facts->campaign, verdict->given,
									   verdict->amount);
	return verdict->message == NULL ? OT_OK : OT_REDEMPTION_RULES_VIOLATED;
}

static bool
is_open(const OtTerms *terms, Timestamp local_time)
{
	return terms->validity == NULL || ot_validity_covers(terms->validity, local_time);
}

static bool
is_exhausted(const OtTerms *terms)
{
	return terms->redemption_limit != 0 &&
		   terms->redeemed_count - terms->stripe_uses >= terms->redemption_limit;
}

static bool
is_used_up(const OtTerms *terms)
{
	return terms->customer_limit != 0 && terms->customer_used >= terms->customer_limit;
}

/* Tells whether an order of this status may be given discounts. */
bool
ot_order_takes_redemptions(const char *status)
{
	return strcmp(status, "created") == 0 || strcmp(status, "paid") == 0 ||
		   strcmp(status, "fulfilled") == 0 || strcmp(status, "in_progress") == 0 ||
		   strcmp(status, "partially_shipped") == 0;
}

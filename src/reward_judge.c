/*
 * reward_judge.c
 *		Decides whether a customer gets a reward: facts in, verdict out, no SQL
 *		and no clock.  redeem_reward and can_redeem_reward share it.
 */
#include "postgres.h"

#include "reward_redemption.h"

static OtFailure judge_reward(const OtRewardFacts *facts, TimestampTz now);
static OtFailure judge_customer(const OtRewardFacts *facts);
static OtFailure judge_order(const OtRewardRequest *request, const OtRewardFacts *facts,
							 OtRewardVerdict *verdict);
static OtFailure judge_values(const OtRewardFacts *facts, OtRewardVerdict *verdict);
static OtFailure judge_limits(const OtRewardFacts *facts, OtRewardVerdict *verdict);
static OtFailure judge_points(const OtRewardFacts *facts, OtRewardVerdict *verdict);

/*
 * Finds the first reason against it, in this order: the reward, the customer,
 * what is asked for, what is left of it, and last the points, so that nobody is
 * told to collect points for what can't be had anyway.
 */
void
ot_reward_judge(const OtRewardRequest *request, const OtRewardFacts *facts,
				TimestampTz now, OtRewardVerdict *verdict)
{
	bool is_single = facts->reward.is_cashback || facts->reward.is_percentage;

	memset(verdict, 0, sizeof(*verdict));
	verdict->quantity = is_single ? 1 : request->quantity;
	if (request->bad_message != NULL)
	{
		verdict->failure = OT_INVALID_INPUT;
		verdict->message = request->bad_message;
	}
	else if ((verdict->failure = judge_reward(facts, now)) == OT_OK &&
			 (verdict->failure = judge_customer(facts)) == OT_OK &&
			 (verdict->failure = judge_order(request, facts, verdict)) == OT_OK &&
			 (verdict->failure = judge_values(facts, verdict)) == OT_OK &&
			 (verdict->failure = judge_limits(facts, verdict)) == OT_OK)
		verdict->failure = judge_points(facts, verdict);

	if (verdict->failure != OT_OK && verdict->message == NULL)
		verdict->message = ot_failure_message(verdict->failure);
}

/* Both windows must be open: that in which it can be had, and that in which it is seen.
 */
static OtFailure
judge_reward(const OtRewardFacts *facts, TimestampTz now)
{
	const OtReward *reward = &facts->reward;

	if (reward->id == 0)
		return OT_REWARD_NOT_FOUND;
	if (!reward->is_active || now < reward->starts_at || now < reward->visible_from)
		return OT_REWARD_NOT_ACTIVE;
	if (now >= reward->expires_at || now >= reward->visible_until)
		return OT_REWARD_EXPIRED;
	return OT_OK;
}

static OtFailure
judge_customer(const OtRewardFacts *facts)
{
	if (!facts->may_spend)
		return OT_CUSTOMER_NOT_ALLOWED;
	if (facts->reward.segment_count > 0 && !facts->is_in_segment)
		return OT_CUSTOMER_RULES_VIOLATED;
	return OT_OK;
}

/* A percentage is one of an order that this same customer has bought. */
static OtFailure
judge_order(const OtRewardRequest *request, const OtRewardFacts *facts,
			OtRewardVerdict *verdict)
{
	const OtRewardOrder *order = &facts->order;

	if (!facts->reward.is_percentage && request->base_order_id != 0)
		verdict->message = "the reward is not computed from an order";
	else if (!facts->reward.is_percentage)
		return OT_OK;
	else if (request->base_order_id == 0)
		verdict->message = "the reward needs an order that it is a percentage of";
	else if (!order->is_found)
		verdict->message = "there is no order with this id";
	else if (facts->customer_id == 0 || order->customer_id != facts->customer_id)
		verdict->message = "the order is not one of this customer";
	else if (!order->is_bought)
		verdict->message = "the order is not paid";
	else
		return OT_OK;
	return OT_INVALID_ORDER;
}

/* Works out what it costs, and what a unit is worth where it is money. */
static OtFailure
judge_values(const OtRewardFacts *facts, OtRewardVerdict *verdict)
{
	const OtReward *reward = &facts->reward;

	if (!ot_money_multiply(reward->cost_in_points, verdict->quantity, &verdict->cost))
	{
		verdict->message = "the price in points is out of range";
		return OT_INVALID_AMOUNT;
	}
	verdict->has_value = reward->is_cashback || reward->is_percentage;
	if (reward->is_percentage)
		verdict->value = facts->order.value;
	if (reward->is_cashback &&
		!ot_money_multiply(reward->cost_in_points, reward->point_value, &verdict->value))
	{
		verdict->message = "the value of the points is out of range";
		return OT_INVALID_AMOUNT;
	}
	if (verdict->has_value && verdict->value <= 0)
	{
		verdict->message = "the reward would be worth nothing";
		return OT_INVALID_AMOUNT;
	}
	return OT_OK;
}

/* The limits are independent of each other, and of stock and codes. */
static OtFailure
judge_limits(const OtRewardFacts *facts, OtRewardVerdict *verdict)
{
	const OtReward *reward = &facts->reward;
	int64 quantity = verdict->quantity;

	if (reward->redemption_limit != 0 &&
		quantity > reward->redemption_limit - reward->redeemed_count)
	{
		verdict->message = "the reward has been used up";
		return OT_QUANTITY_EXCEEDED;
	}
	if (reward->customer_limit != 0 &&
		quantity > reward->customer_limit - facts->customer_used)
		return OT_CUSTOMER_LIMIT_EXCEEDED;
	if (reward->is_stocked && quantity > facts->stock)
		return OT_OUT_OF_STOCK;
	if (reward->code_source == OT_CODES_POOL && quantity > facts->free_codes)
		return OT_NO_CODES_LEFT;
	return OT_OK;
}

static OtFailure
judge_points(const OtRewardFacts *facts, OtRewardVerdict *verdict)
{
	if (facts->points.active >= verdict->cost)
		return OT_OK;
	verdict->missing = verdict->cost - facts->points.active;
	verdict->message = psprintf(
		"You must have " INT64_FORMAT " more points to get reward", verdict->missing);
	return OT_NOT_ENOUGH_POINTS;
}

/*
 * reward_redemption.c
 *		redeem_reward and can_redeem_reward: one loop that decides, and one record
 *		for every attempt, as for codes.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/timestamp.h"

#include "plan.h"
#include "reward_redemption.h"

PG_FUNCTION_INFO_V1(ordertrack_redeem_reward);
PG_FUNCTION_INFO_V1(ordertrack_can_redeem_reward);

static int64 redeem(OtRewardAttempt *attempt);

/* Buys a reward with points, or records why not. */
Datum
ordertrack_redeem_reward(PG_FUNCTION_ARGS)
{
	OtRewardRequest request = {.function = "redeem_reward"};
	OtRewardAttempt attempt = {.request = &request};
	int64 replayed_id;
	Datum outcome;

	PreventCommandIfReadOnly("ordertrack.redeem_reward()");
	ot_reward_request_read(&request, fcinfo);
	attempt.now = GetCurrentTimestamp();

	ot_begin();
	ot_lock_redemptions(false);
	replayed_id = redeem(&attempt);
	outcome = replayed_id != 0
				  ? ot_reward_outcome_replay(fcinfo, request.workspace, replayed_id)
				  : ot_reward_outcome_return(fcinfo, &attempt);
	ot_end();
	return outcome;
}

/*
 * Decides and writes.  Every turn of the loop reads fresh facts; a turn that ends
 * without an answer means that another session has committed something that
 * changed them.  Returns the redemption that the idempotency key has, or 0.
 */
static int64
redeem(OtRewardAttempt *attempt)
{
	const OtRewardRequest *request = attempt->request;
	int64 redemption_id = 0;

	for (int turn = 1;; turn++)
	{
		int64 replayed_id = 0;

		ot_begin_turn(turn);
		if (request->idempotency_key != NULL &&
			ot_key_look(request->workspace, request->idempotency_key, request->hash,
						&replayed_id) == OT_KEY_CONFLICT)
			ot_key_refuse();
		if (replayed_id != 0)
			return replayed_id;

		ot_reward_facts_read(request, attempt->now, &attempt->facts);
		ot_reward_judge(request, &attempt->facts, attempt->now, &attempt->verdict);
		if (redemption_id == 0)
			redemption_id = ot_next_redemption_id();
		attempt->facts.redemption_id = redemption_id;
		if (attempt->verdict.failure == OT_OK ? ot_reward_accept(attempt)
											  : ot_reward_refuse(attempt))
			return 0;
		attempt->order_id = 0;
	}
}

/* Answers what redeem_reward would answer, and writes nothing. */
Datum
ordertrack_can_redeem_reward(PG_FUNCTION_ARGS)
{
	OtRewardRequest request = {.function = "can_redeem_reward"};
	OtRewardAttempt attempt = {.request = &request};

	request.reward = ot_text_or_null(fcinfo, 0);
	request.customer = ot_text_or_null(fcinfo, 1);
	request.has_quantity = !PG_ARGISNULL(2);
	request.quantity = request.has_quantity ? PG_GETARG_INT64(2) : 0;
	request.color = ot_text_or_null(fcinfo, 3);
	request.size = ot_text_or_null(fcinfo, 4);
	request.base_order_id = PG_ARGISNULL(5) ? 0 : PG_GETARG_INT64(5);
	request.workspace = ot_workspace_arg(fcinfo, 6);
	ot_reward_request_check(&request);
	attempt.now = GetCurrentTimestamp();

	ot_begin();
	ot_reward_facts_read(&request, attempt.now, &attempt.facts);
	ot_reward_judge(&request, &attempt.facts, attempt.now, &attempt.verdict);
	ot_end();
	return ot_reward_outcome_return(fcinfo, &attempt);
}

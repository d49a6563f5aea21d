/*
 * reward_take.c
 *		Takes what there is of a reward: codes, uses and stock, each by one
 *		conditional statement.
 */
#include "postgres.h"

#include "access/xact.h"

#include "plan.h"
#include "reward_redemption.h"

/* 80 random bits, in letters and digits that are not taken for each other. */
#define CODE_LENGTH 16
#define ALPHABET "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

static bool take_from_pool(OtRewardAttempt *attempt);
static void find_held_code(OtRewardAttempt *attempt);
static bool wait_for_code(void *context);
static char *generate_code(void);
static bool spend_uses(const OtRewardAttempt *attempt);
static bool spend_customer_uses(const OtRewardAttempt *attempt);
static bool take_stock(const OtRewardAttempt *attempt);
static void add_reward(OtArgs *args, const OtRewardAttempt *attempt);

/* Gives each unit its code; false where others hold the last of the pool. */
bool
ot_reward_codes_take(OtRewardAttempt *attempt)
{
	const OtReward *reward = &attempt->facts.reward;
	const OtRewardVerdict *verdict = &attempt->verdict;

	attempt->codes = palloc0(sizeof(char *) * verdict->quantity);
	if (reward->code_source == OT_CODES_POOL)
		return take_from_pool(attempt);
	for (int64 i = 0; i < verdict->quantity; i++)
	{
		if (reward->code_source == OT_CODES_GENERATED)
			attempt->codes[i] = generate_code();
		else if (reward->code_source == OT_CODES_SHARED)
			attempt->codes[i] = reward->shared_code;
		else if (reward->is_percentage)
			attempt->codes[i] = psprintf(INT64_FORMAT, verdict->value);
	}
	return true;
}

/* Steps over codes that others are taking at this moment. */
static bool
take_from_pool(OtRewardAttempt *attempt)
{
	int64 quantity = attempt->verdict.quantity;
	OtArgs args = {0};

	add_reward(&args, attempt);
	ot_arg_int8(&args, quantity);
	ot_arg_time(&args, attempt->now);
	if (ot_run(OT_PLAN_REWARD_CODES_TAKE, &args) < quantity)
	{
		find_held_code(attempt);
		return false;
	}
	for (int64 i = 0; i < quantity; i++)
		attempt->codes[i] = ot_get_text(i, 1);
	return true;
}

/* All that are free are ours by now, so one that still looks free is another's. */
static void
find_held_code(OtRewardAttempt *attempt)
{
	OtArgs args = {0};

	add_reward(&args, attempt);
	if (ot_run(OT_PLAN_REWARD_CODE_HELD, &args) == 1)
		attempt->held_code_no = ot_get_int8(0, 1);
}

/*
 * Waits for who holds one of the last codes: what he does not take is free again.
 * It is one code, and it is given up again, so that nobody waits for a code while
 * he holds another.
 */
void
ot_reward_codes_wait(OtRewardAttempt *attempt)
{
	if (attempt->held_code_no != 0)
		(void) ot_in_subtransaction(wait_for_code, attempt);
}

static bool
wait_for_code(void *context)
{
	const OtRewardAttempt *attempt = context;
	OtArgs args = {0};

	add_reward(&args, attempt);
	ot_arg_int8(&args, attempt->held_code_no);
	ot_run(OT_PLAN_REWARD_CODE_WAIT, &args);
	return false;
}

static char *
generate_code(void)
{
	uint8 random[CODE_LENGTH];
	char *code = palloc(CODE_LENGTH + 1);

	if (!pg_strong_random(random, CODE_LENGTH))
		ereport(ERROR, errcode(ERRCODE_INTERNAL_ERROR),
				errmsg("could not generate random code"));
	for (int i = 0; i < CODE_LENGTH; i++)
		code[i] = ALPHABET[random[i] % (sizeof(ALPHABET) - 1)];
	code[CODE_LENGTH] = '\0';
	return code;
}

/* Spends limits and stock, where there are any; they come last, as all counters. */
bool
ot_reward_counters_spend(const OtRewardAttempt *attempt)
{
	const OtReward *reward = &attempt->facts.reward;

	if (reward->redemption_limit == 0)
		ot_reward_hold(attempt->request->workspace, reward->id);
	return (reward->redemption_limit == 0 || spend_uses(attempt)) &&
		   (reward->customer_limit == 0 || spend_customer_uses(attempt)) &&
		   (!reward->is_stocked || take_stock(attempt));
}

/*
 * Locks a reward where the snapshot is older than the lock on redemptions: it
 * could otherwise miss a limit that has been set since; 40001 tells the caller to
 * try again.
 */
void
ot_reward_hold(int64 workspace, int64 reward_id)
{
	OtArgs args = {0};

	if (!IsolationUsesXactSnapshot())
		return;
	ot_arg_int8(&args, workspace);
	ot_arg_int8(&args, reward_id);
	ot_run(OT_PLAN_REWARD_SHARE, &args);
}

static bool
spend_uses(const OtRewardAttempt *attempt)
{
	OtArgs args = {0};

	add_reward(&args, attempt);
	ot_arg_int8(&args, attempt->verdict.quantity);
	return ot_run(OT_PLAN_REWARD_SPEND, &args) == 1;
}

static bool
spend_customer_uses(const OtRewardAttempt *attempt)
{
	OtArgs args = {0};

	add_reward(&args, attempt);
	ot_arg_int8(&args, attempt->facts.customer_id);
	ot_arg_int8(&args, attempt->verdict.quantity);
	ot_arg_int8(&args, attempt->facts.reward.customer_limit);
	ot_arg_time(&args, attempt->now);
	return ot_run(OT_PLAN_REWARD_CUSTOMER_SPEND, &args) == 1;
}

static bool
take_stock(const OtRewardAttempt *attempt)
{
	OtArgs args = {0};

	add_reward(&args, attempt);
	ot_arg_text(&args, attempt->request->color);
	ot_arg_text(&args, attempt->request->size);
	ot_arg_int8(&args, attempt->verdict.quantity);
	ot_arg_time(&args, attempt->now);
	return ot_run(OT_PLAN_REWARD_STOCK_TAKE, &args) == 1;
}

static void
add_reward(OtArgs *args, const OtRewardAttempt *attempt)
{
	ot_arg_int8(args, attempt->request->workspace);
	ot_arg_int8(args, attempt->facts.reward.id);
}

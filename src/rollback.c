/*
 * rollback.c
 *		Undoes a redemption, a gift card's also in parts, by a row of its own.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "errcodes.h"
#include "plan.h"
#include "reward_rollback.h"
#include "rollback.h"

PG_FUNCTION_INFO_V1(ordertrack_rollback_redemption);

static void read_request(FunctionCallInfo fcinfo, OtRollbackRequest *request);
static void hash_request(OtRollbackRequest *request, bool has_id);
static bool roll_back(const OtRollbackRequest *request, OtOutcome *outcome);
static void lock(const OtRollbackRequest *request, OtRollbackFacts *facts);
static bool is_shipped(const OtRollbackRequest *request, const OtRollbackFacts *facts);
static void judge(const OtRollbackRequest *request, const OtRollbackFacts *facts,
				  OtRollbackVerdict *verdict);

/* Undoes a redemption, or records why not. */
Datum
ordertrack_rollback_redemption(PG_FUNCTION_ARGS)
{
	OtRollbackRequest request = {.function = "rollback_redemption"};
	OtOutcome outcome = {0};

	PreventCommandIfReadOnly("ordertrack.rollback_redemption()");
	read_request(fcinfo, &request);
	ot_begin();
	ot_lock_redemptions(false);
	ot_rollback(&request, &outcome);
	ot_end();
	return ot_outcome_return(fcinfo, &outcome);
}

static void
read_request(FunctionCallInfo fcinfo, OtRollbackRequest *request)
{
	request->redemption_id = PG_ARGISNULL(0) ? 0 : PG_GETARG_INT64(0);
	if (PG_ARGISNULL(0))
		request->bad_message = "redemption_id must not be null";
	request->reason = PG_ARGISNULL(1) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(1));
	request->has_amount = !PG_ARGISNULL(2);
	request->amount = request->has_amount ? PG_GETARG_INT64(2) : 0;
	request->idempotency_key =
		PG_ARGISNULL(3) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(3));
	request->channel = PG_ARGISNULL(4) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(4));
	request->actor = PG_ARGISNULL(5) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(5));
	request->workspace = ot_workspace_arg(fcinfo, 6);
	request->now = GetCurrentTimestamp();
	if (request->idempotency_key != NULL)
		hash_request(request, !PG_ARGISNULL(0));
	ot_rollback_request_check(request);
}

static void
hash_request(OtRollbackRequest *request, bool has_id)
{
	const char *fields[3];

	fields[0] = has_id ? psprintf(INT64_FORMAT, request->redemption_id) : NULL;
	fields[1] = request->reason;
	fields[2] = request->has_amount ? psprintf(INT64_FORMAT, request->amount) : NULL;
	ot_request_hash(request->function, lengthof(fields), fields, request->hash);
}

/* Cuts to its limit what is too long: such an attempt is refused, and recorded. */
void
ot_rollback_request_check(OtRollbackRequest *request)
{
	ot_rollback_request_blame(request,
							  ot_fit_text(&request->reason, "reason", OT_MAX_TEXT));
	ot_rollback_request_blame(request,
							  ot_fit_text(&request->channel, "channel", OT_MAX_TEXT));
	ot_rollback_request_blame(request,
							  ot_fit_text(&request->actor, "actor", OT_MAX_TEXT));
	if (request->idempotency_key != NULL &&
		(*request->idempotency_key == '\0' ||
		 strlen(request->idempotency_key) > OT_MAX_KEY))
	{
		ot_rollback_request_blame(request, *request->idempotency_key == '\0'
											   ? "idempotency_key must not be empty"
											   : "idempotency_key is too long");
		request->idempotency_key = NULL;
	}
}

/* Says what is wrong with the input; the first reason stays, NULL is none. */
void
ot_rollback_request_blame(OtRollbackRequest *request, const char *message)
{
	if (request->bad_message == NULL)
		request->bad_message = message;
}

/* Decides and writes a rollback, or gives the first answer of its key again. */
void
ot_rollback(const OtRollbackRequest *request, OtOutcome *outcome)
{
	do
	{
		CHECK_FOR_INTERRUPTS();
		if (request->idempotency_key != NULL)
		{
			OtKeyState state = ot_key_find(request->workspace, request->idempotency_key,
										   request->hash, outcome);

			if (state == OT_KEY_CONFLICT)
				ot_key_refuse();
			if (state == OT_KEY_REPLAYED)
				return;
		}
	} while (!roll_back(request, outcome));
}

/*
 * Decides and writes under the locks of the order and of the redemption, after
 * which nothing can be lost but the key: false, with nothing written, where
 * another session has just taken it.
 */
static bool
roll_back(const OtRollbackRequest *request, OtOutcome *outcome)
{
	OtRollbackFacts facts = {.order_id = request->order_id, .code = request->code};
	OtRollbackVerdict verdict = {0};

	lock(request, &facts);
	if (facts.is_found)
		ot_rollback_facts_read(request, &facts);
	if (facts.is_redeemed && facts.reward_id != 0)
		ot_reward_units_lock(request, facts.quantity, &facts.units);
	if (facts.is_redeemed && (facts.has_items || facts.is_stack || facts.reward_id != 0))
		facts.is_shipped = is_shipped(request, &facts);
	judge(request, &facts, &verdict);
	facts.rollback_id = ot_next_redemption_id();
	if (request->idempotency_key != NULL &&
		!ot_key_claim(request->workspace, request->idempotency_key, request->function,
					  request->hash, facts.rollback_id, request->now))
		return false;

	memset(outcome, 0, sizeof(*outcome));
	outcome->redemption_id = facts.rollback_id;
	outcome->order_id = facts.order_id;
	outcome->has_gift_balance = facts.is_gift;
	if (verdict.failure == OT_OK && facts.is_stack)
		ot_rollback_stack(request, &facts, outcome);
	else if (verdict.failure == OT_OK && facts.reward_id != 0)
		ot_reward_roll_back(request, &facts, outcome);
	else if (verdict.failure == OT_OK)
		ot_rollback_write(request, &facts, &verdict, outcome);
	else
	{
		outcome->gift_balance = facts.gift_balance;
		outcome->failure_code = ot_failure_code(verdict.failure);
		outcome->failure_message = verdict.message;
	}
	ot_rollback_record(request, &facts, &verdict, 0, outcome);
	return true;
}

/* Locks the order, then the redemption: FOR NO KEY UPDATE fires no trigger. */
static void
lock(const OtRollbackRequest *request, OtRollbackFacts *facts)
{
	OtArgs find = {0};
	OtArgs redemption = {0};
	int64 order_id;

	ot_arg_int8(&find, request->workspace);
	ot_arg_int8(&find, request->redemption_id);
	if (ot_run(OT_PLAN_ROLLBACK_FIND, &find) == 0)
		ot_require_workspace(request->workspace);
	/* One that is committed from here on is not found, or its order would be missed. */
	facts->is_found = request->bad_message == NULL && !ot_is_null(0, 1);
	order_id = ot_get_int8(0, 2);
	if (!facts->is_found)
		return;

	ot_rollback_order_read(request, order_id, facts);
	ot_arg_int8(&redemption, request->workspace);
	ot_arg_int8(&redemption, request->redemption_id);
	ot_run(OT_PLAN_ROLLBACK_LOCK, &redemption);
}

/* Locks the order, where there is one, and reads how it stands. */
void
ot_rollback_order_read(const OtRollbackRequest *request, int64 order_id,
					   OtRollbackFacts *facts)
{
	OtArgs args = {0};

	ot_arg_int8(&args, request->workspace);
	ot_arg_int8(&args, order_id);
	if (order_id == 0 || ot_run(OT_PLAN_ORDER_LOCK, &args) == 0)
		return;
	facts->order_status = ot_get_text(0, 1);
	facts->order_amount = ot_get_int8(0, 2);
	facts->order_discount = ot_get_int8(0, 3);
	facts->order_customer_id = ot_get_int8(0, 4);
}

/* Reads a redemption that is there, under our lock or that of its stack. */
void
ot_rollback_facts_read(const OtRollbackRequest *request, OtRollbackFacts *facts)
{
	OtArgs args = {0};
	const char *kind;

	ot_arg_int8(&args, request->workspace);
	ot_arg_int8(&args, request->redemption_id);
	ot_run(OT_PLAN_ROLLBACK_FACTS, &args);
	kind = ot_get_text(0, 1);
	facts->is_stack = strcmp(kind, "stack") == 0;
	facts->is_redeemed =
		strcmp(kind, "rollback") != 0 && strcmp(ot_get_text(0, 2), "success") == 0;
	facts->code = ot_get_text(0, 3);
	facts->voucher_id = ot_get_int8(0, 4);
	facts->campaign_id = ot_get_int8(0, 5);
	facts->customer_id = ot_get_int8(0, 6);
	facts->customer = ot_get_text(0, 7);
	facts->order_id = ot_get_int8(0, 8);
	facts->amount = ot_get_int8(0, 9);
	facts->is_gift = !ot_is_null(0, 10);
	facts->redeemed_amount = ot_get_int8(0, 11);
	facts->redeemed_at = ot_get_time(0, 12, 0);
	facts->parts = ot_get_int4(0, 13);
	facts->given_back = ot_get_int8(0, 14);
	facts->is_complete = ot_get_bool(0, 15);
	facts->gift_balance = ot_get_int8(0, 16);
	facts->has_items = ot_get_bool(0, 17);
	facts->stack_id = ot_get_int8(0, 18);
	facts->reward = ot_get_text(0, 19);
	facts->reward_id = ot_get_int8(0, 20);
	facts->quantity = ot_get_int8(0, 21);
	facts->points = ot_get_int8(0, 22);
}

/*
 * Tells whether less would be left of a line than is in shipments, or whether the
 * customer has a unit of a reward, whose order is all of it.
 */
static bool
is_shipped(const OtRollbackRequest *request, const OtRollbackFacts *facts)
{
	OtArgs args = {0};

	ot_arg_int8(&args, request->workspace);
	ot_arg_int8(&args, facts->order_id);
	if (facts->reward_id != 0)
		return ot_run(OT_PLAN_REWARD_SHIPPED, &args) > 0;
	ot_arg_int8(&args, request->redemption_id);
	return ot_run(OT_PLAN_ROLLBACK_SHIPPED, &args) > 0;
}

/* Expired and disabled codes can be rolled back: this is about the redemption. */
static void
judge(const OtRollbackRequest *request, const OtRollbackFacts *facts,
	  OtRollbackVerdict *verdict)
{
	int64 left = facts->amount - facts->given_back;

	verdict->amount = request->has_amount ? request->amount : left;
	if (request->bad_message != NULL)
	{
		verdict->failure = OT_INVALID_INPUT;
		verdict->message = request->bad_message;
	}
	else if (!facts->is_found)
	{
		verdict->failure = OT_REDEMPTION_NOT_FOUND;
		if (request->order_id != 0)
			verdict->message = "the order has no live redemption of this code";
	}
	else if (!facts->is_redeemed)
		verdict->failure = OT_NOT_REDEEMED;
	else if (facts->stack_id != 0)
		verdict->failure = OT_PART_OF_STACK;
	else if (facts->is_complete)
		verdict->failure = OT_ALREADY_ROLLED_BACK;
	else if (request->has_amount && !facts->is_gift)
	{
		verdict->failure = OT_INVALID_AMOUNT;
		verdict->message = facts->is_stack ? "a stack is rolled back as a whole"
						   : facts->reward != NULL
							   ? "a reward is rolled back as a whole"
							   : "a discount is rolled back as a whole";
	}
	else if (request->has_amount && (request->amount <= 0 || request->amount > left))
	{
		verdict->failure = OT_INVALID_AMOUNT;
		verdict->message =
			"the amount must be more than 0 and at most what is left of the redemption";
	}
	else if (facts->units.is_in_use)
		verdict->failure = OT_REWARD_USED;
	else if (facts->is_shipped)
	{
		verdict->failure = OT_ITEMS_SHIPPED;
		if (facts->reward_id != 0)
			verdict->message = "units of the reward were shipped and did not come back";
	}
	if (verdict->failure != OT_OK && verdict->message == NULL)
		verdict->message = ot_failure_message(verdict->failure);
	verdict->is_complete = verdict->amount == left;
}

/* Adds the row of a rollback; stack_id is that of the rollback it is a part of. */
void
ot_rollback_record(const OtRollbackRequest *request, const OtRollbackFacts *facts,
				   const OtRollbackVerdict *verdict, int64 stack_id,
				   const OtOutcome *outcome)
{
	OtRecord row = {0};

	row.workspace = request->workspace;
	row.redemption_id = facts->rollback_id;
	row.is_rollback = true;
	row.failure = verdict->failure;
	row.failure_message = verdict->message;
	row.code = facts->code;
	row.voucher_id = facts->voucher_id;
	row.campaign_id = facts->campaign_id;
	row.customer_id = facts->customer_id;
	row.customer = facts->customer;
	row.order_id = facts->order_id;
	row.amount = -verdict->amount;
	row.discount_amount = outcome->discount_amount;
	row.total_amount = outcome->total_amount;
	row.has_gift_balance = outcome->has_gift_balance;
	row.gift_balance = outcome->gift_balance;
	row.reason = request->reason;
	row.rollback_of = request->redemption_id;
	row.rollback_no = facts->parts + 1;
	row.is_complete = verdict->is_complete;
	row.actor = request->actor;
	row.channel = request->channel;
	row.now = request->now;
	row.stack_id = stack_id;
	row.reward = facts->reward;
	row.reward_id = facts->reward_id;
	row.has_quantity = facts->reward != NULL;
	row.quantity = facts->quantity;
	row.points = -facts->points;
	ot_record_insert(&row);
}

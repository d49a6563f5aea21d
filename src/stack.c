/*
 * stack.c
 *		validate_stack and redeem_stack: several codes on one order, decided
 *		together and written together.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "plan.h"
#include "stack.h"

PG_FUNCTION_INFO_V1(ordertrack_validate_stack);
PG_FUNCTION_INFO_V1(ordertrack_redeem_stack);

static void redeem(OtStack *stack, ReturnSetInfo *result);
static void judge(OtStack *stack, TimestampTz now);
static void draw_ids(OtStack *stack, int64 *stack_id);
static bool refuse(const OtStack *stack, int64 stack_id, TimestampTz now);
static void record_refusals(const OtStack *stack, int64 stack_id, TimestampTz now);
static void tell(const OtStack *stack, int64 stack_id, int64 order_id,
				 ReturnSetInfo *result);
static bool replay(const OtStack *stack, ReturnSetInfo *result);

/* Answers what redeem_stack would answer, and writes nothing. */
Datum
ordertrack_validate_stack(PG_FUNCTION_ARGS)
{
	OtStack stack = {0};
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	TimestampTz now = GetCurrentTimestamp();

	stack.request.workspace = ot_workspace_arg(fcinfo, 7);
	stack.request.channel = ot_text_or_null(fcinfo, 5);
	stack.request.actor = ot_text_or_null(fcinfo, 6);
	ot_stack_read(&stack, fcinfo);
	InitMaterializedSRF(fcinfo, 0);

	ot_begin();
	ot_require_workspace(stack.request.workspace);
	judge(&stack, now);
	tell(&stack, 0, stack.count == 0 ? 0 : stack.attempts[0].facts.order.id, result);
	ot_end();
	return (Datum) 0;
}

/* Uses several codes, or records why not. */
Datum
ordertrack_redeem_stack(PG_FUNCTION_ARGS)
{
	OtStack stack = {0};
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	PreventCommandIfReadOnly("ordertrack.redeem_stack()");
	stack.request.workspace = ot_workspace_arg(fcinfo, 8);
	stack.request.idempotency_key = ot_text_or_null(fcinfo, 5);
	stack.request.channel = ot_text_or_null(fcinfo, 6);
	stack.request.actor = ot_text_or_null(fcinfo, 7);
	ot_stack_read(&stack, fcinfo);
	InitMaterializedSRF(fcinfo, 0);

	ot_begin();
	ot_lock_redemptions(false);
	ot_require_workspace(stack.request.workspace);
	redeem(&stack, result);
	ot_end();
	return (Datum) 0;
}

/* Decides and writes a stack; a turn is what it is in ot_redeem(). */
static void
redeem(OtStack *stack, ReturnSetInfo *result)
{
	OtAcceptance acceptance = {.now = GetCurrentTimestamp()};
	int64 locked_order_id = 0;

	for (int turn = 1;; turn++)
	{
		int64 order_id = 0;

		ot_begin_turn(turn);
		if (replay(stack, result))
			return;
		judge(stack, acceptance.now);
		if (stack->failure == OT_OK &&
			stack->accepted[0]->facts.order.id != locked_order_id)
		{
			locked_order_id = stack->accepted[0]->facts.order.id;
			ot_order_lock(stack->request.workspace, locked_order_id);
			continue;
		}
		draw_ids(stack, &acceptance.stack_id);
		acceptance.attempts = stack->accepted;
		acceptance.count = stack->accepted_count;
		if (stack->failure == OT_OK ? ot_accept(&acceptance, &order_id)
									: refuse(stack, acceptance.stack_id, acceptance.now))
		{
			record_refusals(stack, acceptance.stack_id, acceptance.now);
			tell(stack, acceptance.stack_id, order_id, result);
			return;
		}
	}
}

static void
judge(OtStack *stack, TimestampTz now)
{
	for (int i = 0; i < stack->count; i++)
	{
		memset(&stack->attempts[i].facts, 0, sizeof(OtFacts));
		memset(&stack->attempts[i].verdict, 0, sizeof(OtVerdict));
	}
	if (stack->count > 0 && !stack->request.is_bad)
		ot_stack_facts_read(stack->attempts, stack->count, now);
	ot_stack_judge(stack, now);
	/* A cut text may name another's row. */
	for (int i = 0; i < stack->count; i++)
		if (stack->attempts[i].verdict.failure == OT_INVALID_INPUT)
			memset(&stack->attempts[i].facts, 0, sizeof(OtFacts));
}

/* Draws an id for the stack and for each code, in their order, at the first turn. */
static void
draw_ids(OtStack *stack, int64 *stack_id)
{
	if (*stack_id == 0)
	{
		*stack_id = ot_next_redemption_id();
		stack->redemption_ids = palloc(sizeof(int64) * Max(stack->count, 1));
		for (int i = 0; i < stack->count; i++)
			stack->redemption_ids[i] = ot_next_redemption_id();
	}
	for (int i = 0; i < stack->count; i++)
		stack->attempts[i].facts.redemption_id = stack->redemption_ids[i];
}

/* Records the refusal of the stack itself; false where its key was just taken. */
static bool
refuse(const OtStack *stack, int64 stack_id, TimestampTz now)
{
	const OtRequest *request = &stack->request;
	OtAttempt attempt = {.request = unconstify(OtRequest *, request)};
	OtRecord record;

	if (request->idempotency_key != NULL &&
		!ot_key_claim(request->workspace, request->idempotency_key, "redeem_stack",
					  request->hash, stack_id, now))
		return false;
	if (stack->count > 0)
		attempt.facts = stack->attempts[0].facts;
	attempt.verdict.failure = stack->failure;
	attempt.verdict.message = stack->message;
	ot_record_read(&record, &attempt, now);
	ot_record_make_stack(&record, stack_id);
	ot_record_insert(&record);
	return true;
}

/* Records the codes that were refused. */
static void
record_refusals(const OtStack *stack, int64 stack_id, TimestampTz now)
{
	for (int i = 0; i < stack->count; i++)
	{
		OtRecord record;

		if (stack->attempts[i].verdict.failure == OT_OK)
			continue;
		ot_record_read(&record, &stack->attempts[i], now);
		record.stack_id = stack_id;
		ot_record_insert(&record);
	}
}

/* Gives the outcome of the stack, then that of each code. */
static void
tell(const OtStack *stack, int64 stack_id, int64 order_id, ReturnSetInfo *result)
{
	OtOutcome outcome = {0};

	outcome.redemption_id = stack_id;
	outcome.is_success = stack->failure == OT_OK;
	outcome.failure_code = ot_failure_code(stack->failure);
	outcome.failure_message = stack->message;
	if (outcome.is_success)
	{
		const OtVerdict *last = &stack->accepted[stack->accepted_count - 1]->verdict;

		outcome.order_id = order_id;
		outcome.amount = last->amount;
		outcome.discount_amount = last->discount_amount;
		outcome.total_amount = last->total_amount;
	}
	else if (stack->count > 0)
		outcome.order_id = stack->attempts[0].facts.order.id;
	ot_outcome_put(result, &outcome);
	for (int i = 0; i < stack->count; i++)
	{
		const OtAttempt *attempt = &stack->attempts[i];

		ot_outcome_tell(&outcome, &attempt->facts, &attempt->verdict, order_id);
		ot_outcome_put(result, &outcome);
	}
}

/* Gives the first answers again, where the key is known. */
static bool
replay(const OtStack *stack, ReturnSetInfo *result)
{
	const OtRequest *request = &stack->request;
	OtOutcome outcome;
	OtArgs args = {0};
	int64 ids[OT_MAX_CODES];
	int count;

	if (request->idempotency_key == NULL)
		return false;
	switch (ot_key_find(request->workspace, request->idempotency_key, request->hash,
						&outcome))
	{
		case OT_KEY_NEW:
			return false;
		case OT_KEY_CONFLICT:
			ot_key_refuse();
		case OT_KEY_REPLAYED:
			break;
	}
	ot_outcome_put(result, &outcome);
	ot_arg_int8(&args, request->workspace);
	ot_arg_int8(&args, outcome.redemption_id);
	count = (int) ot_run(OT_PLAN_STACK_PARTS, &args);
	for (int i = 0; i < count && i < OT_MAX_CODES; i++)
		ids[i] = ot_get_int8(i, 1);
	for (int i = 0; i < count && i < OT_MAX_CODES; i++)
	{
		ot_outcome_replay(request->workspace, ids[i], &outcome);
		ot_outcome_put(result, &outcome);
	}
	return true;
}

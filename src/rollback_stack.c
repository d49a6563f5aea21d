/*
 * rollback_stack.c
 *		Undoes a stack: the redemption of each of its codes, the last one first.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "limit.h"
#include "plan.h"
#include "rollback.h"

typedef struct Parts
{
	int count;
	int64 ids[OT_MAX_CODES];
	Datum codes[OT_MAX_CODES];
} Parts;

static void read_parts(const OtRollbackRequest *request, Parts *parts);
static void lock_counters(const OtRollbackRequest *request, const OtRollbackFacts *facts,
						  Parts *parts);
static void roll_back(const OtRollbackRequest *request, const OtRollbackFacts *stack,
					  int64 redemption_id, OtOutcome *outcome);

/* Writes the rollbacks of the codes; that of the stack is the caller's. */
void
ot_rollback_stack(const OtRollbackRequest *request, const OtRollbackFacts *facts,
				  OtOutcome *outcome)
{
	OtOutcome part = {0};
	Parts parts;

	read_parts(request, &parts);
	lock_counters(request, facts, &parts);
	for (int i = parts.count - 1; i >= 0; i--)
		roll_back(request, facts, parts.ids[i], &part);
	outcome->is_success = true;
	outcome->discount_amount = part.discount_amount;
	outcome->total_amount = part.total_amount;
	outcome->amount = part.discount_amount + part.total_amount;
}

static void
read_parts(const OtRollbackRequest *request, Parts *parts)
{
	OtArgs args = {0};
	uint64 count;

	ot_arg_int8(&args, request->workspace);
	ot_arg_int8(&args, request->redemption_id);
	count = ot_run(OT_PLAN_STACK_PARTS, &args);
	if (count > OT_MAX_CODES)
		elog(ERROR, "a stack has more than %d codes", OT_MAX_CODES);
	parts->count = (int) count;
	for (int i = 0; i < parts->count; i++)
	{
		const char *code = ot_get_text(i, 2);

		parts->ids[i] = ot_get_int8(i, 1);
		parts->codes[i] = CStringGetTextDatum(code == NULL ? "" : code);
	}
}

/* Customers come before vouchers, and vouchers by id, whatever the codes' order. */
static void
lock_counters(const OtRollbackRequest *request, const OtRollbackFacts *facts,
			  Parts *parts)
{
	OtLocked locked;

	ot_limits_lock_customers(request->workspace, facts->customer_id,
							 facts->order_customer_id);
	ot_codes_lock(
		request->workspace,
		construct_array(parts->codes, parts->count, TEXTOID, -1, false, TYPALIGN_INT),
		&locked);
}

/* Undoes one code, on what the one after it has left; a refused one has nothing. */
static void
roll_back(const OtRollbackRequest *request, const OtRollbackFacts *stack,
		  int64 redemption_id, OtOutcome *outcome)
{
	OtRollbackRequest part = *request;
	OtRollbackFacts facts = {0};
	OtRollbackVerdict verdict = {0};

	part.redemption_id = redemption_id;
	facts.is_found = true;
	ot_rollback_facts_read(&part, &facts);
	if (!facts.is_redeemed)
		return;
	ot_rollback_order_read(&part, facts.order_id, &facts);
	facts.rollback_id = ot_next_redemption_id();
	verdict.amount = facts.amount;
	verdict.is_complete = true;
	memset(outcome, 0, sizeof(*outcome));
	outcome->has_gift_balance = facts.is_gift;
	ot_rollback_write(&part, &facts, &verdict, outcome);
	ot_rollback_record(&part, &facts, &verdict, stack->rollback_id, outcome);
}

/*
 * stack_judge.c
 *		Judges the codes of a stack one after the other, each on what those
 *		accepted before it leave.  No SQL and no clock, as in verdict.c.
 */
#include "postgres.h"

#include "stack.h"

static void judge_input(OtStack *stack);
static bool is_same(const char *code, const char *other);
static void carry(const OtStack *stack, OtFacts *facts);
static void carry_lines(const OtStack *stack, OtFacts *facts);
static void count_use(OtTerms *terms, const OtVerdict *verdict);
static void refuse_all(OtStack *stack);

/* Gives each code its verdict, and the stack its own. */
void
ot_stack_judge(OtStack *stack, TimestampTz now)
{
	stack->accepted_count = 0;
	judge_input(stack);
	if (stack->failure != OT_OK)
		return;
	for (int i = 0; i < stack->count; i++)
	{
		OtAttempt *attempt = &stack->attempts[i];

		carry(stack, &attempt->facts);
		ot_judge(attempt->request, &attempt->facts, now, &attempt->verdict);
		if (attempt->verdict.failure == OT_OK)
			stack->accepted[stack->accepted_count++] = attempt;
	}
	if (stack->accepted_count == 0 ||
		(!stack->is_partial && stack->accepted_count < stack->count))
		refuse_all(stack);
}

/* What is wrong with the stack as such is the answer for each of its codes, too. */
static void
judge_input(OtStack *stack)
{
	stack->failure = OT_OK;
	stack->message = NULL;
	if (stack->request.is_bad)
	{
		stack->failure = OT_INVALID_INPUT;
		stack->message = stack->request.bad_message;
	}
	for (int i = 0; i < stack->count && stack->failure == OT_OK; i++)
		for (int j = 0; j < i; j++)
			if (is_same(stack->requests[i].code, stack->requests[j].code))
			{
				stack->failure = OT_DUPLICATED_CODES;
				stack->message = ot_failure_message(stack->failure);
			}
	for (int i = 0; i < stack->count; i++)
	{
		stack->attempts[i].verdict.failure = stack->failure;
		stack->attempts[i].verdict.message = stack->message;
	}
}

static bool
is_same(const char *code, const char *other)
{
	return code != NULL && other != NULL && strcmp(code, other) == 0;
}

/* Brings facts to what they are once the codes accepted so far are applied. */
static void
carry(const OtStack *stack, OtFacts *facts)
{
	for (int i = 0; i < stack->accepted_count; i++)
	{
		const OtAttempt *before = stack->accepted[i];

		facts->is_carried = stack->request.order.is_given && facts->order.id == 0;
		facts->order.amount = before->verdict.amount;
		facts->order.discount_amount = before->verdict.discount_amount;
		if (before->verdict.has_cart)
		{
			facts->has_cart = true;
			facts->cart = before->verdict.cart;
			if ((facts->rules.uses & OT_READS_ITEMS) != 0)
				carry_lines(stack, facts);
		}
		if (facts->campaign.id != 0 && facts->campaign.id == before->facts.campaign.id)
			count_use(&facts->campaign, &before->verdict);
	}
}

/*
 * Brings the lines that rules read to those of the cart, in which free units have
 * made some larger and added others at the end.
 */
static void
carry_lines(const OtStack *stack, OtFacts *facts)
{
	const OtCart *cart = &facts->cart;
	OtOrderData *order = &facts->rules.order;
	OtLine *lines = palloc0(sizeof(OtLine) * Max(cart->line_count, 1));

	if (facts->is_carried && !order->is_given)
		*order = stack->request.order;
	for (int i = 0; i < cart->line_count; i++)
	{
		const OtCartLine *from = &cart->lines[i];

		if (i < order->line_count)
			lines[i] = order->lines[i];
		lines[i].product_id = unconstify(char *, from->product_id);
		lines[i].sku = unconstify(char *, from->sku);
		lines[i].quantity = from->quantity;
		lines[i].has_price = from->has_price;
		lines[i].price = from->price;
		lines[i].has_amount = from->has_amount;
		lines[i].amount = from->amount;
	}
	order->lines = lines;
	order->line_count = cart->line_count;
}

/* Sums stay in range: what is used is within the limit, and what was given too. */
static void
count_use(OtTerms *terms, const OtVerdict *verdict)
{
	terms->redeemed_count++;
	terms->customer_used++;
	for (int i = 0; i < OT_PERIOD_COUNT; i++)
	{
		terms->period[i].used++;
		terms->customer_period[i].used++;
	}
	if (terms->discount_budget.limit != 0)
		terms->discount_budget.used += verdict->given;
	if (terms->order_budget.limit != 0)
		terms->order_budget.used += verdict->amount;
}

/* Those that would have been accepted are refused because of the others. */
static void
refuse_all(OtStack *stack)
{
	stack->failure = OT_STACK_REFUSED;
	stack->message = stack->accepted_count == 0 ? "all codes of the stack were refused"
												: "a code of the stack was refused";
	for (int i = 0; i < stack->accepted_count; i++)
	{
		stack->accepted[i]->verdict.failure = OT_STACK_REFUSED;
		stack->accepted[i]->verdict.message = ot_failure_message(OT_STACK_REFUSED);
	}
}

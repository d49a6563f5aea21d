/*
 * rule_facts.c
 *		Reads the rules of a voucher and its campaign, and of the database what
 *		their conditions ask for.
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "plan.h"
#include "redemption.h"

/* Columns of OT_PLAN_RULE_FACTS. */
enum
{
	NAME,
	APPLIES_TO,
	CONDITION,
	MESSAGE,
	RULE_COLUMNS
};

/* What a customer's statement needs, and gives. */
typedef struct CustomerWork
{
	OtPlan plan;
	OtArgs args;
	Jsonb *customer;
} CustomerWork;

static void read_rules(const OtRequest *request, const OtFacts *facts,
					   OtRuleFacts *rules);
static void read_customer(const OtRequest *request, TimestampTz now, OtRuleFacts *rules);
static void run_customer(void *context);
static void read_order(const OtRequest *request, int64 order_id, OtRuleFacts *rules);
static void read_campaign(const OtRequest *request, int64 campaign_id,
						  OtRuleFacts *rules);

/*
 * Reads the rules, and of the document only what one of them reads and the
 * request does not say.
 */
void
ot_rule_facts_read(const OtRequest *request, TimestampTz now, OtFacts *facts)
{
	OtRuleFacts *rules = &facts->rules;

	read_rules(request, facts, rules);
	if ((rules->uses & OT_READS_CUSTOMER) != 0 && request->customer != NULL)
		read_customer(request, now, rules);
	if ((rules->uses & OT_READS_STORED) != 0 && facts->order.id != 0)
		read_order(request, facts->order.id, rules);
	if ((rules->uses & OT_READS_CAMPAIGN) != 0 && facts->campaign.id != 0)
		read_campaign(request, facts->campaign.id, rules);
}

static void
read_rules(const OtRequest *request, const OtFacts *facts, OtRuleFacts *rules)
{
	OtArgs args = {0};

	ot_arg_int8(&args, request->workspace);
	ot_arg_int8(&args, facts->voucher.id);
	ot_arg_id(&args, facts->campaign.id);
	rules->count = (int) ot_read(OT_PLAN_RULE_FACTS, &args);
	rules->rules = palloc0(sizeof(OtRule) * Max(rules->count, 1));
	for (int i = 0; i < rules->count; i++)
	{
		OtRule *rule = &rules->rules[i];
		Datum values[RULE_COLUMNS];
		bool nulls[RULE_COLUMNS];

		ot_get_row_at(i, values, nulls);
		rule->name = TextDatumGetCString(values[NAME]);
		rule->target = ot_rule_target(TextDatumGetCString(values[APPLIES_TO]));
		rule->condition = DatumGetJsonPathPCopy(values[CONDITION]);
		rule->message = nulls[MESSAGE] ? NULL : TextDatumGetCString(values[MESSAGE]);
		rules->uses |= ot_condition_uses(rule->condition, NULL);
		if (rule->target == OT_RULE_CUSTOMER)
			rules->uses |= OT_NEEDS_CUSTOMER;
	}
}

/* Tells what a rule is about; a name that is none gives the number of them. */
OtRuleTarget
ot_rule_target(const char *name)
{
	static const char *const names[] = {"customer", "order", "redemption"};
	int i = 0;

	while (i < lengthof(names) && strcmp(names[i], name) != 0)
		i++;
	return (OtRuleTarget) i;
}

/* The conditions of segments are tried by the statement, so it is bounded too. */
static void
read_customer(const OtRequest *request, TimestampTz now, OtRuleFacts *rules)
{
	CustomerWork work = {.plan = OT_PLAN_RULE_CUSTOMER};

	ot_arg_int8(&work.args, request->workspace);
	ot_arg_text(&work.args, request->customer);
	ot_arg_time(&work.args, now);
	if ((rules->uses & OT_READS_SEGMENTS) != 0)
	{
		work.plan = OT_PLAN_RULE_SEGMENTS;
		ot_in_rule_time(run_customer, &work);
	}
	else
		run_customer(&work);
	rules->customer = work.customer;
}

static void
run_customer(void *context)
{
	CustomerWork *work = context;

	if (ot_read(work->plan, &work->args) > 0)
		work->customer = ot_get_jsonb(0, 1);
}

static void
read_order(const OtRequest *request, int64 order_id, OtRuleFacts *rules)
{
	OtArgs args = {0};

	ot_arg_int8(&args, request->workspace);
	ot_arg_int8(&args, order_id);
	ot_arg_bool(&args, (rules->uses & OT_READS_ITEMS) != 0);
	if (ot_read(OT_PLAN_RULE_ORDER, &args) == 0)
		return;
	rules->order_source_id = ot_get_text(0, 1);
	rules->order_metadata = ot_get_jsonb(0, 2);
	rules->items = ot_get_jsonb(0, 3);
	rules->items_count = ot_get_int8(0, 4);
	rules->quantity = ot_get_int8(0, 5);
}

static void
read_campaign(const OtRequest *request, int64 campaign_id, OtRuleFacts *rules)
{
	OtArgs args = {0};

	ot_arg_int8(&args, request->workspace);
	ot_arg_int8(&args, campaign_id);
	if (ot_read(OT_PLAN_RULE_CAMPAIGN, &args) > 0)
		rules->campaign = ot_get_jsonb(0, 1);
}

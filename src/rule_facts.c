/*
 * rule_facts.c
 *		Reads the rules of a voucher and its campaign, and of the database what
 *		their conditions ask for.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "plan.h"
#include "redemption.h"

/* Columns of OT_PLAN_VOUCHER_RULES and OT_PLAN_CAMPAIGN_RULES. */
enum
{
	RULE_ID,
	NAME,
	APPLIES_TO,
	CONDITION,
	MESSAGE,
	RULE_COLUMNS
};

static void read_rules(OtPlan plan, int64 workspace, int64 owner_id, OtRuleFacts *rules);
static void read_rule(uint64 row, OtRuleFacts *rules);
static void read_lists(int64 workspace, int64 customer_id, OtRuleFacts *rules);
static ArrayType *take_ids(uint64 count);
static void read_conditions(int64 workspace, OtRuleFacts *rules);
static OtSegment *add_segments(OtRuleFacts *rules, uint64 count);
static void read_order(int64 workspace, int64 order_id, OtOrderData *order);
static void read_lines(int64 workspace, int64 order_id, OtOrderData *order);
static void read_campaign(int64 workspace, int64 campaign_id, OtRuleFacts *rules);

/* Reads the rules, and the conditions of segments where a rule asks for these. */
void
ot_rules_read(const OtRequest *request, OtFacts *facts)
{
	OtRuleFacts *rules = &facts->rules;
	int64 workspace = request->workspace;

	rules->customer.source_id = request->customer;
	if (facts->voucher.has_rules)
		read_rules(OT_PLAN_VOUCHER_RULES, workspace, facts->voucher.id, rules);
	if (facts->campaign.has_rules)
		read_rules(OT_PLAN_CAMPAIGN_RULES, workspace, facts->campaign.id, rules);
	if ((rules->uses & OT_READS_SEGMENTS) != 0 && request->customer != NULL)
		read_conditions(workspace, rules);
}

/*
 * Reads of the document only what one of the rules reads and neither the request
 * nor the other facts say.
 */
void
ot_rule_facts_read(const OtRequest *request, TimestampTz now, OtFacts *facts)
{
	OtRuleFacts *rules = &facts->rules;
	int64 workspace = request->workspace;

	if ((rules->uses & OT_READS_SEGMENTS) != 0 && facts->customer_id != 0)
		read_lists(workspace, facts->customer_id, rules);
	if ((rules->uses & OT_READS_DAYS) != 0 && rules->customer.has_last_order)
		ot_rule_days_read(workspace, now, &rules->customer);
	if ((rules->uses & OT_READS_STORED) != 0 && facts->order.id != 0)
		read_order(workspace, facts->order.id, &rules->order);
	if ((rules->uses & OT_READS_ITEMS) != 0 && facts->order.id != 0)
		read_lines(workspace, facts->order.id, &rules->order);
	if ((rules->uses & OT_READS_CAMPAIGN) != 0 && facts->campaign.id != 0)
		read_campaign(workspace, facts->campaign.id, rules);
}

static void
read_rules(OtPlan plan, int64 workspace, int64 owner_id, OtRuleFacts *rules)
{
	OtArgs args = {0};
	uint64 count;

	ot_arg_int8(&args, workspace);
	ot_arg_int8(&args, owner_id);
	count = ot_read(plan, &args);
	if (rules->rules == NULL)
		rules->rules = palloc(sizeof(OtRule) * Max(count, 1));
	else
		rules->rules = repalloc(rules->rules, sizeof(OtRule) * (rules->count + count));
	for (uint64 row = 0; row < count; row++)
		read_rule(row, rules);
}

/* Puts a rule where its rule_id belongs; voucher and campaign may share one. */
static void
read_rule(uint64 row, OtRuleFacts *rules)
{
	OtRule rule = {0};
	Datum values[RULE_COLUMNS];
	bool nulls[RULE_COLUMNS];
	int at = rules->count;

	ot_get_row_at(row, values, nulls);
	rule.id = DatumGetInt64(values[RULE_ID]);
	while (at > 0 && rules->rules[at - 1].id > rule.id)
		at--;
	if (at > 0 && rules->rules[at - 1].id == rule.id)
		return;
	rule.name = TextDatumGetCString(values[NAME]);
	rule.target = ot_rule_target(TextDatumGetCString(values[APPLIES_TO]));
	rule.condition = DatumGetJsonPathPCopy(values[CONDITION]);
	rule.message = nulls[MESSAGE] ? NULL : TextDatumGetCString(values[MESSAGE]);
	rules->uses |= ot_condition_uses(rule.condition, NULL);
	if (rule.target == OT_RULE_CUSTOMER)
		rules->uses |= OT_NEEDS_CUSTOMER;
	memmove(&rules->rules[at + 1], &rules->rules[at],
			sizeof(OtRule) * (rules->count - at));
	rules->rules[at] = rule;
	rules->count++;
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

/* The fixed lists that hold the customer, found by the customer. */
static void
read_lists(int64 workspace, int64 customer_id, OtRuleFacts *rules)
{
	OtArgs members = {0};
	OtArgs args = {0};
	uint64 count;
	OtSegment *segments;

	ot_arg_int8(&members, workspace);
	ot_arg_int8(&members, customer_id);
	count = ot_read(OT_PLAN_RULE_MEMBERS, &members);
	if (count == 0)
		return;
	ot_arg_int8(&args, workspace);
	ot_arg(&args, PointerGetDatum(take_ids(count)));
	count = ot_read(OT_PLAN_RULE_LISTS, &args);
	segments = add_segments(rules, count);
	for (uint64 row = 0; row < count; row++)
		segments[row].name = ot_get_text(row, 1);
}

/* Takes the ids that the rows of the last result are. */
static ArrayType *
take_ids(uint64 count)
{
	Datum *ids = palloc(sizeof(Datum) * count);

	for (uint64 row = 0; row < count; row++)
		ids[row] = Int64GetDatum(ot_get_int8(row, 1));
	return construct_array(ids, count, INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE);
}

/* The conditions of segments, which are tried on the customer's part. */
static void
read_conditions(int64 workspace, OtRuleFacts *rules)
{
	OtArgs args = {0};
	uint64 count;
	OtSegment *segments;

	ot_arg_int8(&args, workspace);
	count = ot_read(OT_PLAN_RULE_CONDITIONS, &args);
	segments = add_segments(rules, count);
	for (uint64 row = 0; row < count; row++)
	{
		Datum values[2];
		bool nulls[2];

		ot_get_row_at(row, values, nulls);
		segments[row].name = TextDatumGetCString(values[0]);
		segments[row].condition = DatumGetJsonPathPCopy(values[1]);
		rules->uses |= ot_condition_uses(segments[row].condition, NULL) &
					   (OT_READS_CUSTOMER | OT_READS_DAYS);
	}
}

/* Makes room for more segments and gives where they begin. */
static OtSegment *
add_segments(OtRuleFacts *rules, uint64 count)
{
	OtSegment *segments = palloc0(sizeof(OtSegment) * (rules->segment_count + count + 1));
	int before = rules->segment_count;

	if (before > 0)
		memcpy(segments, rules->segments, sizeof(OtSegment) * before);
	rules->segments = segments;
	rules->segment_count += count;
	return segments + before;
}

/* Reads days_since_last_order: calendar days of the workspace's time zone. */
void
ot_rule_days_read(int64 workspace, TimestampTz now, OtRuleCustomer *customer)
{
	OtArgs args = {0};

	ot_arg_int8(&args, workspace);
	ot_arg_time(&args, customer->last_order_at);
	ot_arg_time(&args, now);
	customer->has_days = ot_read(OT_PLAN_RULE_DAYS, &args) > 0;
	if (customer->has_days)
		customer->days_since_last_order = ot_get_int8(0, 1);
}

static void
read_order(int64 workspace, int64 order_id, OtOrderData *order)
{
	OtArgs args = {0};

	ot_arg_int8(&args, workspace);
	ot_arg_int8(&args, order_id);
	if (ot_read(OT_PLAN_RULE_ORDER, &args) == 0)
		return;
	order->source_id = ot_get_text(0, 1);
	order->amount = ot_get_int8(0, 2);
	order->metadata = ot_get_jsonb(0, 3);
}

static void
read_lines(int64 workspace, int64 order_id, OtOrderData *order)
{
	OtArgs args = {0};

	ot_arg_int8(&args, workspace);
	ot_arg_int8(&args, order_id);
	order->line_count = ot_read(OT_PLAN_RULE_LINES, &args);
	order->lines = palloc0(sizeof(OtLine) * Max(order->line_count, 1));
	for (int row = 0; row < order->line_count; row++)
	{
		OtLine *line = &order->lines[row];

		line->sku = ot_get_text(row, 1);
		line->product_id = ot_get_text(row, 2);
		line->quantity = ot_get_int8(row, 3);
		line->has_price = !ot_is_null(row, 4);
		line->price = ot_get_int8(row, 4);
		line->has_amount = !ot_is_null(row, 5);
		line->amount = ot_get_int8(row, 5);
		line->metadata = ot_get_jsonb(row, 6);
	}
}

static void
read_campaign(int64 workspace, int64 campaign_id, OtRuleFacts *rules)
{
	OtArgs args = {0};

	ot_arg_int8(&args, workspace);
	ot_arg_int8(&args, campaign_id);
	if (ot_read(OT_PLAN_RULE_CAMPAIGN, &args) == 0)
		return;
	rules->campaign_name = ot_get_text(0, 1);
	rules->campaign_metadata = ot_get_jsonb(0, 2);
}

/*
 * rule_judge.c
 *		Judges an attempt by its rules: builds the document of what the verdict
 *		knows and tries each condition on it.  No SQL and no clock of its own.
 */
#include "postgres.h"

#include "verdict.h"

typedef struct Judgement
{
	const OtRequest *request;
	const OtFacts *facts;
	const OtVerdict *verdict;
	const char *tried;		/* name of the segment or rule */
	const OtRule *violated; /* the first, by target and rule_id */
} Judgement;

static void try_rules(void *context);
static void tell_rule(void *context);
static Jsonb *make_document(Judgement *judgement);
static void add_order(OtJson *json, const Judgement *judgement);
static void add_items(OtJson *json, const OtOrderData *data);
static void add_lines(OtJson *json, const OtOrderData *data);
static void add_customer(OtJson *json, Judgement *judgement);
static void add_segments(OtJson *json, Judgement *judgement);
static void add_redemption(OtJson *json, const Judgement *judgement);
static void add_campaign(OtJson *json, const OtRuleFacts *rules);

static const struct
{
	OtFailure failure;
	const char *message;
} refusals[OT_RULE_TARGET_COUNT] = {
	[OT_RULE_CUSTOMER] = {OT_CUSTOMER_RULES_VIOLATED,
						  "the customer does not match the rules"},
	[OT_RULE_ORDER] = {OT_ORDER_RULES_VIOLATED, "the order does not match the rules"},
	[OT_RULE_REDEMPTION] = {OT_REDEMPTION_RULES_VIOLATED,
							"the redemption does not match the rules"},
};

/*
 * Finds the first rule that is not true: those about the customer come before
 * those about the order, these before those about the redemption.
 */
OtFailure
ot_rules_judge(const OtRequest *request, const OtFacts *facts, OtVerdict *verdict)
{
	Judgement judgement = {request, facts, verdict, NULL, NULL};
	ErrorContextCallback where;

	if (facts->rules.count == 0)
		return OT_OK;
	where.callback = tell_rule;
	where.arg = &judgement;
	where.previous = error_context_stack;
	error_context_stack = &where;
	ot_in_rule_time(try_rules, &judgement);
	error_context_stack = where.previous;

	if (judgement.violated == NULL)
		return OT_OK;
	verdict->message = judgement.violated->message != NULL
						   ? judgement.violated->message
						   : refusals[judgement.violated->target].message;
	return refusals[judgement.violated->target].failure;
}

static void
try_rules(void *context)
{
	Judgement *judgement = context;
	const OtRuleFacts *rules = &judgement->facts->rules;
	Jsonb *document = make_document(judgement);

	for (int target = 0; target < OT_RULE_TARGET_COUNT; target++)
		for (int i = 0; i < rules->count; i++)
		{
			const OtRule *rule = &rules->rules[i];

			if ((int) rule->target != target)
				continue;
			judgement->tried = rule->name;
			if (!ot_condition_match(rule->condition, document, NULL))
			{
				judgement->violated = rule;
				return;
			}
		}
}

/* Says in the context of an error, which only a cancellation can be, where. */
static void
tell_rule(void *context)
{
	const Judgement *judgement = context;

	if (judgement->tried != NULL)
		errcontext("rule or segment \"%s\"; all those of a redemption have %d ms",
				   judgement->tried, OT_RULE_TIME);
}

/* Gives the order that rules are about: as stored, as carried, or as asked for. */
const OtOrderData *
ot_rules_order(const OtRequest *request, const OtFacts *facts)
{
	return facts->order.id != 0 || facts->rules.order.is_given ? &facts->rules.order
															   : &request->order;
}

/* Builds the parts that the rules read; what is not known is left out. */
static Jsonb *
make_document(Judgement *judgement)
{
	const OtRuleFacts *rules = &judgement->facts->rules;
	OtJson json;

	ot_json_begin(&json);
	if ((rules->uses & OT_READS_ORDER) != 0 &&
		(judgement->facts->order.id != 0 || judgement->request->order.is_given))
		add_order(&json, judgement);
	if ((rules->uses & (OT_READS_CUSTOMER | OT_READS_SEGMENTS)) != 0 &&
		judgement->request->customer != NULL)
		add_customer(&json, judgement);
	if ((rules->uses & OT_READS_REDEMPTION) != 0)
		add_redemption(&json, judgement);
	if (rules->campaign_name != NULL)
		add_campaign(&json, rules);
	return ot_json_end(&json);
}

/* A stored order is told as stored, as everywhere. */
static void
add_order(OtJson *json, const Judgement *judgement)
{
	const OtRuleFacts *rules = &judgement->facts->rules;
	const OtVerdict *verdict = judgement->verdict;
	const OtOrderData *data = ot_rules_order(judgement->request, judgement->facts);

	ot_json_open(json, "order");
	ot_json_add_text(json, "source_id", data->source_id);
	ot_json_add_int8(json, "amount", verdict->amount - verdict->cart.given_amount);
	ot_json_add_int8(json, "initial_amount", data->amount);
	ot_json_add_int8(json, "discount_amount", verdict->discount_amount);
	ot_json_add_int8(json, "total_amount", verdict->total_amount);
	ot_json_add_object(json, "metadata", data->metadata);
	if ((rules->uses & OT_READS_ITEMS) != 0)
		add_items(json, data);
	ot_json_close(json);
}

static void
add_items(OtJson *json, const OtOrderData *data)
{
	int64 quantity = 0;

	for (int i = 0; i < data->line_count; i++)
		if (!ot_money_add(&quantity, data->lines[i].quantity))
			quantity = PG_INT64_MAX;
	if (data->line_count > 0)
		add_lines(json, data);
	ot_json_add_int8(json, "items_count", data->line_count);
	ot_json_add_int8(json, "quantity", quantity);
}

static void
add_lines(OtJson *json, const OtOrderData *data)
{
	ot_json_open_array(json, "items");
	for (int i = 0; i < data->line_count; i++)
	{
		const OtLine *line = &data->lines[i];

		ot_json_open_element(json);
		ot_json_add_text(json, "sku", line->sku);
		ot_json_add_text(json, "product_id", line->product_id);
		ot_json_add_int8(json, "quantity", line->quantity);
		if (line->has_price)
			ot_json_add_int8(json, "price", line->price);
		if (line->has_amount)
			ot_json_add_int8(json, "amount", line->amount);
		ot_json_add_object(json, "metadata", line->metadata);
		ot_json_close(json);
	}
	ot_json_close_array(json);
}

/* Adds what the rules read of the customer. */
static void
add_customer(OtJson *json, Judgement *judgement)
{
	ot_json_open(json, "customer");
	if ((judgement->facts->rules.uses & OT_READS_CUSTOMER) != 0)
		ot_rule_customer_add(json, &judgement->facts->rules.customer);
	if ((judgement->facts->rules.uses & OT_READS_SEGMENTS) != 0)
		add_segments(json, judgement);
	ot_json_close(json);
}

/* Adds the lists that hold the customer, and the conditions that find it. */
static void
add_segments(OtJson *json, Judgement *judgement)
{
	const OtRuleFacts *rules = &judgement->facts->rules;
	Jsonb *document = NULL;

	ot_json_open_array(json, "segments");
	for (int i = 0; i < rules->segment_count; i++)
	{
		const OtSegment *segment = &rules->segments[i];

		judgement->tried = segment->name;
		if (segment->condition != NULL)
		{
			if (document == NULL)
				document = ot_rule_customer_document(&rules->customer);
			if (!ot_condition_match(segment->condition, document, NULL))
				continue;
		}
		ot_json_add_element(json, segment->name);
	}
	ot_json_close_array(json);
}

static void
add_redemption(OtJson *json, const Judgement *judgement)
{
	const OtRequest *request = judgement->request;

	ot_json_open(json, "redemption");
	ot_json_add_int8(json, "amount", judgement->verdict->given);
	ot_json_add_text(json, "channel", request->channel);
	ot_json_add_text(json, "actor", request->actor);
	ot_json_add_object(json, "metadata", request->metadata);
	ot_json_close(json);
}

static void
add_campaign(OtJson *json, const OtRuleFacts *rules)
{
	ot_json_open(json, "campaign");
	ot_json_add_text(json, "name", rules->campaign_name);
	ot_json_add_object(json, "metadata", rules->campaign_metadata);
	ot_json_close(json);
}

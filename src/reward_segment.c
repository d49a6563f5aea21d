/*
 * reward_segment.c
 *		Tells whether a customer is in one of the segments that a reward is for.
 */
#include "postgres.h"

#include "plan.h"
#include "reward_redemption.h"

/* The segments that are conditions, and the customer whom they are tried on. */
typedef struct Trial
{
	uint64 count;
	JsonPath **conditions;
	OtRuleCustomer customer;
	bool is_matched;
} Trial;

static bool read_segments(int64 workspace, int64 reward_id, int64 customer_id,
						  Trial *trial);
static void read_customer(int64 workspace, TimestampTz now, Trial *trial);
static void try_conditions(void *context);

/* Fixed lists are looked at first: they need no evaluation. */
bool
ot_reward_segment_match(int64 workspace, int64 reward_id, const char *customer,
						int64 customer_id, TimestampTz now)
{
	Trial trial = {0};

	if (read_segments(workspace, reward_id, customer_id, &trial))
		return true;
	if (trial.count == 0)
		return false;
	trial.customer.source_id = customer;
	if (customer_id != 0)
		read_customer(workspace, now, &trial);
	ot_in_rule_time(try_conditions, &trial);
	return trial.is_matched;
}

/* Collects the conditions; true where the customer is in one of the lists. */
static bool
read_segments(int64 workspace, int64 reward_id, int64 customer_id, Trial *trial)
{
	OtArgs args = {0};
	uint64 count;

	ot_arg_int8(&args, workspace);
	ot_arg_int8(&args, reward_id);
	ot_arg_int8(&args, customer_id);
	count = ot_read(OT_PLAN_REWARD_SEGMENTS, &args);
	trial->conditions = palloc(sizeof(JsonPath *) * Max(count, 1));
	for (uint64 row = 0; row < count; row++)
	{
		Datum values[2];
		bool nulls[2];

		ot_get_row_at(row, values, nulls);
		if (DatumGetBool(values[1]))
			return true;
		if (!nulls[0])
			trial->conditions[trial->count++] = DatumGetJsonPathPCopy(values[0]);
	}
	return false;
}

static void
read_customer(int64 workspace, TimestampTz now, Trial *trial)
{
	OtRuleCustomer *customer = &trial->customer;
	Datum values[OT_RULE_CUSTOMER_COLUMNS];
	bool nulls[OT_RULE_CUSTOMER_COLUMNS];
	OtArgs args = {0};

	ot_arg_int8(&args, workspace);
	ot_arg_text(&args, customer->source_id);
	if (ot_read(OT_PLAN_RULE_CUSTOMER, &args) == 0)
		return;
	ot_get_row(values, nulls);
	ot_rule_customer_take(customer, values, nulls);
	for (uint64 i = 0; i < trial->count && customer->has_last_order; i++)
		if ((ot_condition_uses(trial->conditions[i], NULL) & OT_READS_DAYS) != 0)
		{
			ot_rule_days_read(workspace, now, customer);
			return;
		}
}

static void
try_conditions(void *context)
{
	Trial *trial = context;
	Jsonb *document = ot_rule_customer_document(&trial->customer);

	for (uint64 i = 0; i < trial->count && !trial->is_matched; i++)
		trial->is_matched = ot_condition_match(trial->conditions[i], document, NULL);
}

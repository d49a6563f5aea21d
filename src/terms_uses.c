/*
 * terms_uses.c
 *		Counts what was used before a limit, where one is set for the first
 *		time, and forgets the counters of a limit that is cleared.
 */
#include "postgres.h"

#include "limit.h"
#include "terms.h"

/* A month and a day, so that no period that is running began earlier. */
#define LONGEST_PERIOD (32 * USECS_PER_DAY)

static bool sets_first(const OtTermsArgs *terms, const OtTermsStored *stored,
					   OtTermsField limit);
static void count_redemptions(const OtTermsPlans *plans, int64 workspace,
							  OtTermsStored *stored);
static void count_budgets(int64 workspace, OtTermsStored *stored);
static void count_periods(const OtTermsPlans *plans, int64 workspace,
						  const OtTermsArgs *terms, const OtTermsStored *stored,
						  TimestampTz now);
static void forget_period(const OtTermsPlans *plans, int64 workspace, int64 id,
						  OtTermsField limit);
static void count_period(const OtTermsPlans *plans, int64 workspace, int64 id,
						 OtTermsField limit, const OtLocalTime *local_time,
						 TimestampTz now);
static bool is_for_customers(OtTermsField limit);
static OtPeriod period_of(OtTermsField limit);
static uint64 run_by_id(OtPlan plan, int64 workspace, int64 id);

static const char *const period_names[OT_PERIOD_COUNT] = {"day", "week", "month"};

/* Tells whether any limit is set where there was none. */
bool
ot_terms_set_first(const OtTermsArgs *terms, const OtTermsStored *stored)
{
	for (int i = OT_REDEMPTION_LIMIT; i < terms->value_count; i++)
		if (sets_first(terms, stored, i))
			return true;
	return false;
}

static bool
sets_first(const OtTermsArgs *terms, const OtTermsStored *stored, OtTermsField limit)
{
	return limit < terms->value_count && terms->is_set[limit] && !stored->is_set[limit];
}

/* Makes the counters what they would be, had the limits always been set. */
void
ot_terms_count_uses(const OtTermsPlans *plans, int64 workspace, const OtTermsArgs *terms,
					OtTermsStored *stored, TimestampTz now)
{
	if (sets_first(terms, stored, OT_REDEMPTION_LIMIT))
		count_redemptions(plans, workspace, stored);
	if (sets_first(terms, stored, OT_CUSTOMER_LIMIT))
	{
		run_by_id(plans->forget_customers, workspace, stored->id);
		run_by_id(plans->count_customers, workspace, stored->id);
	}
	if (sets_first(terms, stored, OT_DISCOUNT_BUDGET) ||
		sets_first(terms, stored, OT_ORDER_BUDGET))
		count_budgets(workspace, stored);
	count_periods(plans, workspace, terms, stored, now);
}

static void
count_redemptions(const OtTermsPlans *plans, int64 workspace, OtTermsStored *stored)
{
	run_by_id(plans->count, workspace, stored->id);
	stored->redeemed_count = ot_get_int8(0, 1);
}

static void
count_budgets(int64 workspace, OtTermsStored *stored)
{
	run_by_id(OT_PLAN_CAMPAIGN_COUNT_SPENT, workspace, stored->id);
	stored->discount_spent = ot_get_int8(0, 1);
	stored->order_spent = ot_get_int8(0, 2);
}

/* Only the periods that are running count; what is set again begins anew. */
static void
count_periods(const OtTermsPlans *plans, int64 workspace, const OtTermsArgs *terms,
			  const OtTermsStored *stored, TimestampTz now)
{
	OtLocalTime local_time;
	bool has_time = false;

	for (int limit = OT_PER_DAY; limit <= OT_CUSTOMER_PER_MONTH; limit++)
	{
		bool is_first = sets_first(terms, stored, limit);

		if (is_first || terms->is_cleared[limit])
			forget_period(plans, workspace, stored->id, limit);
		if (is_first && !has_time)
			ot_local_time_read(workspace, now, &local_time);
		if (is_first)
			count_period(plans, workspace, stored->id, limit, &local_time, now);
		has_time |= is_first;
	}
}

static void
forget_period(const OtTermsPlans *plans, int64 workspace, int64 id, OtTermsField limit)
{
	OtArgs args = {0};

	ot_arg_int8(&args, workspace);
	ot_arg_text(&args, plans->entity);
	ot_arg_int8(&args, id);
	ot_arg_text(&args, period_names[period_of(limit)]);
	ot_arg_bool(&args, is_for_customers(limit));
	ot_run(OT_PLAN_PERIOD_FORGET, &args);
}

static void
count_period(const OtTermsPlans *plans, int64 workspace, int64 id, OtTermsField limit,
			 const OtLocalTime *local_time, TimestampTz now)
{
	OtArgs args = {0};

	ot_arg_int8(&args, workspace);
	ot_arg_int8(&args, id);
	ot_arg_text(&args, period_names[period_of(limit)]);
	ot_arg(&args, DateADTGetDatum(local_time->starts_on[period_of(limit)]));
	ot_arg_bool(&args, is_for_customers(limit));
	ot_arg_time(&args, now);
	ot_arg_time(&args, now - LONGEST_PERIOD);
	ot_run(plans->count_period, &args);
}

static bool
is_for_customers(OtTermsField limit)
{
	return limit >= OT_CUSTOMER_PER_DAY;
}

static OtPeriod
period_of(OtTermsField limit)
{
	return is_for_customers(limit) ? limit - OT_CUSTOMER_PER_DAY : limit - OT_PER_DAY;
}

static uint64
run_by_id(OtPlan plan, int64 workspace, int64 id)
{
	OtArgs args = {0};

	ot_arg_int8(&args, workspace);
	ot_arg_int8(&args, id);
	return ot_run(plan, &args);
}

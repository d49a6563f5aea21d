/*
 * limit_judge.c
 *		Judges limits: what is used against what is allowed.  No SQL, no clock.
 */
#include "postgres.h"

#include "limit.h"

static const char *judge_periods(const OtLimit *limits, const char *who);
static bool is_used_up(const OtLimit *limit);
static bool has_limit(const OtLimit *limits);

static const char *const period_words[OT_PERIOD_COUNT] = {"today", "this week",
														  "this month"};

/*
 * Tells which condition of the redemption is not met, or NULL: the customer's
 * limits, then those of a period, then budgets, each of the voucher first.
 */
const char *
ot_limits_judge(const OtTerms *voucher, const OtTerms *campaign, int64 given,
				int64 order_amount)
{
	const OtTerms *both[] = {voucher, campaign};
	static const char *const customers[] = {"the customer has used the voucher up",
											"the customer has used the campaign up"};
	static const char *const all[] = {"the voucher has been used up",
									  "the campaign has been used up"};
	const char *problem = NULL;

	for (int i = 0; i < lengthof(both) && problem == NULL; i++)
		problem = judge_periods(both[i]->period, all[i]);
	for (int i = 0; i < lengthof(both) && problem == NULL; i++)
		problem = judge_periods(both[i]->customer_period, customers[i]);
	if (problem != NULL)
		return problem;
	/* Written so that no sum can overflow. */
	if (campaign->discount_budget.limit != 0 &&
		given > campaign->discount_budget.limit - campaign->discount_budget.used)
		return "the campaign's discount budget is not enough";
	if (campaign->order_budget.limit != 0 &&
		order_amount > campaign->order_budget.limit - campaign->order_budget.used)
		return "the campaign's order budget is not enough";
	return NULL;
}

static const char *
judge_periods(const OtLimit *limits, const char *who)
{
	for (int i = 0; i < OT_PERIOD_COUNT; i++)
		if (is_used_up(&limits[i]))
			return psprintf("%s for %s", who, period_words[i]);
	return NULL;
}

static bool
is_used_up(const OtLimit *limit)
{
	return limit->limit != 0 && limit->used >= limit->limit;
}

/* Tells whether uses are counted on the voucher or the campaign as such. */
bool
ot_terms_count(const OtTerms *terms)
{
	return terms->redemption_limit != 0 || ot_terms_have_budget(terms) ||
		   has_limit(terms->period);
}

/* Tells whether uses are counted for each customer. */
bool
ot_terms_count_customer(const OtTerms *terms)
{
	return terms->customer_limit != 0 || has_limit(terms->customer_period);
}

/* Tells whether uses are counted in calendar periods. */
bool
ot_terms_count_period(const OtTerms *terms)
{
	return has_limit(terms->period) || has_limit(terms->customer_period);
}

/* Tells whether a campaign has a budget, which only its row counts. */
bool
ot_terms_have_budget(const OtTerms *campaign)
{
	return campaign->discount_budget.limit != 0 || campaign->order_budget.limit != 0;
}

static bool
has_limit(const OtLimit *limits)
{
	return limits[OT_DAY].limit != 0 || limits[OT_WEEK].limit != 0 ||
		   limits[OT_MONTH].limit != 0;
}

/*
 * limit.c
 *		Spends what one use of a code counts, and gives it back.
 *
 * Each counter is one conditional statement, and only limits that are set are
 * counted.  Locks come in one order: customers, the voucher, its stripe, the
 * campaign, its stripe.  Nobody waits to take a stripe, but some wait for all of
 * them while they hold the row, so a row may not be waited for once one of its
 * stripes is held, be it by giving back to it.  The other counters are only
 * written under one of these: those of a customer under the customer's, those of
 * all customers under the voucher's or the campaign's.  So no two sessions wait
 * for each other.
 */
#include "postgres.h"

#include "access/xact.h"

#include "limit.h"
#include "plan.h"
#include "reservation.h"

static bool spend_voucher(OtUse *use);
static bool spend_voucher_row(const OtUse *use);
static bool spend_campaign(OtUse *use);
static bool spend_stripe(OtUse *use, const char *entity, int64 entity_id);
static bool spend_campaign_row(const OtUse *use, bool counts_use);
static void hold(const OtUse *use, const OtTerms *terms, OtPlan exclusively,
				 OtPlan for_snapshot);
static bool spend_customer(const OtUse *use, OtPlan plan, const OtTerms *terms);
static bool spend_periods(const OtUse *use, const char *entity, const OtTerms *terms);
static bool spend_period(const OtUse *use, const char *entity, const OtTerms *terms,
						 OtPeriod period, int64 customer_id, int64 limit);
static int64 give_back_voucher(const OtUse *use, bool is_complete);
static void give_back_campaign(const OtUse *use, bool is_complete);
static void give_back_customer(const OtUse *use, OtPlan plan, const OtTerms *terms);
static void give_back_periods(const OtUse *use, const char *entity, const OtTerms *terms);
static void give_back_period(const OtUse *use, const char *entity, const OtTerms *terms,
							 OtPeriod period, int64 customer_id);
static void run_by_id(OtPlan plan, int64 workspace, int64 id);

static const char *const period_names[OT_PERIOD_COUNT] = {"day", "week", "month"};

/*
 * Locks the customer whose uses will be counted, and the order's, whose sums
 * will change, in the order of their ids.
 */
void
ot_limits_lock_customers(int64 workspace, int64 customer_id, int64 order_customer_id)
{
	OtArgs args = {0};

	ot_arg_int8(&args, workspace);
	ot_arg_id(&args, customer_id);
	ot_arg_id(&args, order_customer_id);
	ot_run(OT_PLAN_CUSTOMERS_LOCK, &args);
}

/*
 * Spends all limits that are set; the customer is locked already.  False, with
 * some perhaps spent, where another session was faster: the caller undoes that
 * in a subtransaction, calls ot_limits_wait(), and reads the facts again.
 */
bool
ot_limits_spend(OtUse *use)
{
	use->keeps_voucher =
		use->ending != NULL && !use->is_gift && use->ending->voucher.uses > 0;
	use->keeps_campaign = use->ending != NULL && use->ending->campaign.uses > 0;
	ot_ending_give_back_voucher(use);
	if (!spend_voucher(use))
		return false;
	ot_ending_give_back_campaign(use);
	if (!spend_campaign(use))
		return false;
	ot_ending_give_back_counters(use);
	return spend_customer(use, OT_PLAN_VOUCHER_CUSTOMER_SPEND, use->voucher) &&
		   spend_customer(use, OT_PLAN_CAMPAIGN_CUSTOMER_SPEND, use->campaign) &&
		   spend_periods(use, "voucher", use->voucher) &&
		   spend_periods(use, "campaign", use->campaign);
}

/* Waits for a stripe, where spending has found all of them taken. */
void
ot_limits_wait(const OtUse *use)
{
	if (use->busy_entity != NULL)
		ot_stripes_wait(use->workspace, use->busy_entity, use->busy_id);
}

/*
 * The row comes before stripes: what was given back to it is spent first, and
 * nobody waits for it while he holds a stripe.
 */
static bool
spend_voucher(OtUse *use)
{
	const OtTerms *terms = use->voucher;

	if (use->keeps_voucher)
		return true;
	if (use->is_gift || terms->redeemed_count < terms->redemption_limit)
		return spend_voucher_row(use);
	hold(use, terms, OT_PLAN_VOUCHER_HOLD, OT_PLAN_VOUCHER_SHARE);
	return terms->redemption_limit == 0 ||
		   (terms->is_striped && spend_stripe(use, "voucher", terms->id));
}

static bool
spend_voucher_row(const OtUse *use)
{
	const OtTerms *terms = use->voucher;
	OtArgs args = {0};

	ot_arg_int8(&args, use->workspace);
	ot_arg_int8(&args, terms->id);
	ot_arg_int8(&args, use->given);
	ot_arg_int8(&args, use->gift_balance);
	if (ot_run(OT_PLAN_VOUCHER_SPEND, &args) != 1)
		return false;
	if (!use->is_gift && ot_stripes_are_due(terms))
		ot_stripes_split(use->workspace, "voucher", terms->id, OT_PLAN_VOUCHER_SPLIT,
						 ot_get_int8(0, 2) - ot_get_int8(0, 1));
	return true;
}

static bool
spend_campaign(OtUse *use)
{
	const OtTerms *terms = use->campaign;
	bool keeps_use = use->keeps_campaign;
	bool counts_use = !keeps_use && terms->redeemed_count < terms->redemption_limit;

	if (terms->id == 0)
		return true;
	if (counts_use || ot_terms_have_budget(terms))
	{
		if (!spend_campaign_row(use, counts_use))
			return false;
	}
	else if (!keeps_use)
		hold(use, terms, OT_PLAN_CAMPAIGN_HOLD, OT_PLAN_CAMPAIGN_SHARE);
	return counts_use || keeps_use || terms->redemption_limit == 0 ||
		   (terms->is_striped && spend_stripe(use, "campaign", terms->id));
}

static bool
spend_campaign_row(const OtUse *use, bool counts_use)
{
	const OtTerms *terms = use->campaign;
	OtArgs args = {0};

	ot_arg_int8(&args, use->workspace);
	ot_arg_int8(&args, terms->id);
	ot_arg_int8(&args, counts_use ? 1 : 0);
	ot_arg_int8(&args, use->given);
	ot_arg_int8(&args, use->order_amount);
	if (ot_run(OT_PLAN_CAMPAIGN_SPEND, &args) != 1)
		return false;
	/* Budgets keep the one row, so that stripes would gain nothing. */
	if (counts_use && !ot_terms_have_budget(terms) && ot_stripes_are_due(terms))
		ot_stripes_split(use->workspace, "campaign", terms->id, OT_PLAN_CAMPAIGN_SPLIT,
						 ot_get_int8(0, 2) - ot_get_int8(0, 1));
	return true;
}

/*
 * Takes a use from a stripe.  Where all are taken this doesn't wait: on the way
 * it may have locked some that are empty by now, for which others wait.
 */
static bool
spend_stripe(OtUse *use, const char *entity, int64 entity_id)
{
	if (ot_stripes_spend(use->workspace, entity, entity_id))
		return true;
	use->busy_entity = entity;
	use->busy_id = entity_id;
	return false;
}

/*
 * Locks a voucher or campaign whose row is not written: for the counters of all
 * customers, and where the snapshot is older than the lock on redemptions.
 * REPEATABLE READ could otherwise miss a limit that has been set since; 40001
 * tells the caller to try again.  A share lock will do where the row stays unwritten.
 */
static void
hold(const OtUse *use, const OtTerms *terms, OtPlan exclusively, OtPlan for_snapshot)
{
	bool counts_all = false;

	for (int i = 0; i < OT_PERIOD_COUNT; i++)
		counts_all |= terms->period[i].limit != 0;
	if (counts_all)
		run_by_id(exclusively, use->workspace, terms->id);
	else if (IsolationUsesXactSnapshot())
		run_by_id(for_snapshot, use->workspace, terms->id);
}

static bool
spend_customer(const OtUse *use, OtPlan plan, const OtTerms *terms)
{
	OtArgs args = {0};

	if (terms->customer_limit == 0)
		return true;
	ot_arg_int8(&args, use->workspace);
	ot_arg_int8(&args, terms->id);
	ot_arg_int8(&args, use->customer_id);
	ot_arg_int8(&args, terms->customer_limit);
	ot_arg_time(&args, use->now);
	return ot_run(plan, &args) == 1;
}

static bool
spend_periods(const OtUse *use, const char *entity, const OtTerms *terms)
{
	for (int i = 0; i < OT_PERIOD_COUNT; i++)
		if (!spend_period(use, entity, terms, i, 0, terms->period[i].limit) ||
			!spend_period(use, entity, terms, i, use->customer_id,
						  terms->customer_period[i].limit))
			return false;
	return true;
}

static bool
spend_period(const OtUse *use, const char *entity, const OtTerms *terms, OtPeriod period,
			 int64 customer_id, int64 limit)
{
	OtArgs args = {0};

	if (limit == 0)
		return true;
	ot_arg_int8(&args, use->workspace);
	ot_arg_text(&args, entity);
	ot_arg_int8(&args, terms->id);
	ot_arg_text(&args, period_names[period]);
	ot_arg(&args, DateADTGetDatum(use->local_time->starts_on[period]));
	ot_arg_int8(&args, customer_id);
	ot_arg_int8(&args, limit);
	ot_arg_time(&args, use->now);
	return ot_run(OT_PLAN_PERIOD_SPEND, &args) == 1;
}

/*
 * Gives credits and budgets back, and with the part that completes it the use;
 * returns the gift card's balance.  The customer is locked already, where uses
 * are counted for each.
 */
int64
ot_limits_give_back(const OtUse *use, bool is_complete)
{
	int64 balance = give_back_voucher(use, is_complete);

	if (use->campaign->id != 0)
		give_back_campaign(use, is_complete);
	if (!is_complete)
		return balance;
	give_back_customer(use, OT_PLAN_VOUCHER_CUSTOMER_GIVE_BACK, use->voucher);
	give_back_customer(use, OT_PLAN_CAMPAIGN_CUSTOMER_GIVE_BACK, use->campaign);
	give_back_periods(use, "voucher", use->voucher);
	give_back_periods(use, "campaign", use->campaign);
	return balance;
}

static int64
give_back_voucher(const OtUse *use, bool is_complete)
{
	const OtTerms *terms = use->voucher;
	OtArgs args = {0};

	hold(use, terms, OT_PLAN_VOUCHER_HOLD, OT_PLAN_VOUCHER_HOLD);
	if (!use->is_gift && (!is_complete || terms->redemption_limit == 0))
		return 0;
	if (terms->is_striped && ot_stripes_give_back(use->workspace, "voucher", terms->id))
		return 0;
	ot_arg_int8(&args, use->workspace);
	ot_arg_int8(&args, terms->id);
	ot_arg_int8(&args, is_complete ? 1 : 0);
	ot_arg_int8(&args, use->given);
	ot_run(OT_PLAN_VOUCHER_GIVE_BACK, &args);
	return ot_get_int8(0, 1);
}

static void
give_back_campaign(const OtUse *use, bool is_complete)
{
	const OtTerms *terms = use->campaign;
	bool has_budget = ot_terms_have_budget(terms);
	bool counts_use = is_complete && terms->redemption_limit != 0;
	OtArgs args = {0};

	hold(use, terms, OT_PLAN_CAMPAIGN_HOLD, OT_PLAN_CAMPAIGN_HOLD);
	if (counts_use && terms->is_striped && !has_budget &&
		ot_stripes_give_back(use->workspace, "campaign", terms->id))
		return;
	if (!counts_use && !has_budget)
		return;
	ot_arg_int8(&args, use->workspace);
	ot_arg_int8(&args, terms->id);
	ot_arg_int8(&args, counts_use ? 1 : 0);
	ot_arg_int8(&args, use->given);
	ot_arg_int8(&args, is_complete ? use->order_amount : 0);
	ot_run(OT_PLAN_CAMPAIGN_GIVE_BACK, &args);
}

static void
give_back_customer(const OtUse *use, OtPlan plan, const OtTerms *terms)
{
	OtArgs args = {0};

	if (terms->customer_limit == 0)
		return;
	ot_arg_int8(&args, use->workspace);
	ot_arg_int8(&args, terms->id);
	ot_arg_id(&args, use->customer_id);
	ot_run(plan, &args);
}

/* A use from before the customer was known to be needed has counted for none. */
static void
give_back_periods(const OtUse *use, const char *entity, const OtTerms *terms)
{
	for (int i = 0; i < OT_PERIOD_COUNT; i++)
	{
		if (terms->period[i].limit != 0)
			give_back_period(use, entity, terms, i, 0);
		if (terms->customer_period[i].limit != 0 && use->customer_id != 0)
			give_back_period(use, entity, terms, i, use->customer_id);
	}
}

static void
give_back_period(const OtUse *use, const char *entity, const OtTerms *terms,
				 OtPeriod period, int64 customer_id)
{
	OtArgs args = {0};

	ot_arg_int8(&args, use->workspace);
	ot_arg_text(&args, entity);
	ot_arg_int8(&args, terms->id);
	ot_arg_text(&args, period_names[period]);
	ot_arg(&args, DateADTGetDatum(use->local_time->starts_on[period]));
	ot_arg_int8(&args, customer_id);
	ot_run(OT_PLAN_PERIOD_GIVE_BACK, &args);
}

static void
run_by_id(OtPlan plan, int64 workspace, int64 id)
{
	OtArgs args = {0};

	ot_arg_int8(&args, workspace);
	ot_arg_int8(&args, id);
	ot_run(plan, &args);
}

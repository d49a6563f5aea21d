/*
 * redemption_facts.c
 *		Reads all that decides a redemption as of one committed state.
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "discount.h"
#include "errcodes.h"
#include "plan.h"
#include "redemption.h"

/* Columns of OT_PLAN_VOUCHER_FACTS; the first eight are those of a campaign. */
enum
{
	TERMS_ID,
	IS_ACTIVE,
	STARTS_AT,
	EXPIRES_AT,
	REDEMPTION_LIMIT,
	REDEEMED_COUNT,
	CUSTOMER_LIMIT,
	RULE_COUNT,
	CAMPAIGN_ID,
	IS_GIFT,
	DISCOUNT,
	GIFT_BALANCE,
	VOUCHER_COLUMNS
};

static void read_voucher(const OtRequest *request, OtFacts *facts);
static void read_campaign(const OtRequest *request, int64 campaign_id, OtFacts *facts);
static void read_terms(OtTerms *terms, const Datum *values, const bool *nulls);
static void read_discount(OtFacts *facts, const Jsonb *object);
static void read_customer(const OtRequest *request, OtFacts *facts);
static void read_order(const OtRequest *request, OtOrderFacts *order);
static void count_customer_uses(const OtRequest *request, OtFacts *facts);
static void hold(OtPlan plan, int64 workspace, int64 id);

/*
 * Reads the facts.  One snapshot serves all statements, so that no verdict
 * mixes two states.
 */
void
ot_facts_read(const OtRequest *request, TimestampTz now, OtFacts *facts)
{
	memset(facts, 0, sizeof(*facts));
	ot_take_snapshot();
	read_voucher(request, facts);
	read_customer(request, facts);
	read_order(request, &facts->order);
	if (facts->customer_id != 0 &&
		(facts->voucher.customer_limit != 0 || facts->campaign.customer_limit != 0))
		count_customer_uses(request, facts);
	if (facts->voucher.has_rules || facts->campaign.has_rules)
		ot_rule_facts_read(request, now, facts);
	ot_drop_snapshot();
}

/* A voucher proves its workspace; without one that is looked up. */
static void
read_voucher(const OtRequest *request, OtFacts *facts)
{
	OtArgs args = {0};
	Datum values[VOUCHER_COLUMNS];
	bool nulls[VOUCHER_COLUMNS];

	ot_arg_int8(&args, request->workspace);
	ot_arg_text(&args, request->code);
	if (ot_read(OT_PLAN_VOUCHER_FACTS, &args) == 0)
	{
		ot_require_workspace(request->workspace);
		return;
	}
	ot_get_row(values, nulls);
	read_terms(&facts->voucher, values, nulls);
	facts->is_gift = DatumGetBool(values[IS_GIFT]);
	facts->gift_balance = nulls[GIFT_BALANCE] ? 0 : DatumGetInt64(values[GIFT_BALANCE]);
	if (!nulls[DISCOUNT])
		read_discount(facts, DatumGetJsonbP(values[DISCOUNT]));
	if (!nulls[CAMPAIGN_ID])
		read_campaign(request, DatumGetInt64(values[CAMPAIGN_ID]), facts);
}

static void
read_campaign(const OtRequest *request, int64 campaign_id, OtFacts *facts)
{
	OtArgs args = {0};
	Datum values[VOUCHER_COLUMNS];
	bool nulls[VOUCHER_COLUMNS];

	ot_arg_int8(&args, request->workspace);
	ot_arg_int8(&args, campaign_id);
	if (ot_read(OT_PLAN_CAMPAIGN_FACTS, &args) == 0)
		return;
	ot_get_row(values, nulls);
	read_terms(&facts->campaign, values, nulls);
}

static void
read_terms(OtTerms *terms, const Datum *values, const bool *nulls)
{
	terms->id = DatumGetInt64(values[TERMS_ID]);
	terms->is_active = DatumGetBool(values[IS_ACTIVE]);
	terms->starts_at =
		nulls[STARTS_AT] ? DT_NOBEGIN : DatumGetTimestampTz(values[STARTS_AT]);
	terms->expires_at =
		nulls[EXPIRES_AT] ? DT_NOEND : DatumGetTimestampTz(values[EXPIRES_AT]);
	terms->redemption_limit =
		nulls[REDEMPTION_LIMIT] ? 0 : DatumGetInt64(values[REDEMPTION_LIMIT]);
	terms->redeemed_count =
		nulls[REDEEMED_COUNT] ? 0 : DatumGetInt64(values[REDEEMED_COUNT]);
	terms->customer_limit =
		nulls[CUSTOMER_LIMIT] ? 0 : DatumGetInt64(values[CUSTOMER_LIMIT]);
	terms->has_rules = DatumGetInt64(values[RULE_COUNT]) > 0;
}

static void
read_discount(OtFacts *facts, const Jsonb *object)
{
	const char *problem = ot_discount_read(&facts->discount, object);

	if (problem != NULL)
		ereport(
			ERROR, errcode(ERRCODE_DATA_CORRUPTED),
			errmsg("discount of voucher " INT64_FORMAT " is damaged", facts->voucher.id),
			errdetail_internal("%s", problem));
}

static void
read_customer(const OtRequest *request, OtFacts *facts)
{
	OtArgs args = {0};

	if (request->customer == NULL)
		return;
	ot_arg_int8(&args, request->workspace);
	ot_arg_text(&args, request->customer);
	if (ot_read(OT_PLAN_CUSTOMER_FACTS, &args) == 0)
		return;
	facts->customer_id = ot_get_int8(0, 1);
	facts->customer_total = ot_get_int8(0, 2);
}

/* An id comes before a source_id, which must then name the same order. */
static void
read_order(const OtRequest *request, OtOrderFacts *order)
{
	const OtOrderData *data = &request->order;
	OtArgs args = {0};
	const char *source_id;

	if (!data->has_id && data->source_id == NULL)
		return;
	ot_arg_int8(&args, request->workspace);
	if (data->has_id)
		ot_arg_int8(&args, data->id);
	else
		ot_arg_text(&args, data->source_id);
	if (ot_read(data->has_id ? OT_PLAN_ORDER_FACTS : OT_PLAN_SOURCE_FACTS, &args) == 0)
		return;
	order->id = ot_get_int8(0, 1);
	order->status = ot_get_text(0, 2);
	order->amount = ot_get_int8(0, 3);
	order->discount_amount = ot_get_int8(0, 4);
	order->customer_id = ot_get_int8(0, 5);
	source_id = ot_get_text(0, 6);
	order->is_contradicted =
		data->source_id != NULL &&
		(source_id == NULL || strcmp(source_id, data->source_id) != 0);
}

/*
 * Locks the voucher and the campaign whose uses are not counted, where the
 * snapshot is older than the lock on redemptions: REPEATABLE READ could
 * otherwise miss a limit that has been set since.  40001 tells the caller to try
 * again.  What is counted is locked by its counter.
 */
void
ot_facts_hold(const OtRequest *request, const OtFacts *facts)
{
	if (!IsolationUsesXactSnapshot())
		return;
	if (facts->voucher.redemption_limit == 0 && !facts->is_gift)
		hold(OT_PLAN_VOUCHER_SHARE, request->workspace, facts->voucher.id);
	if (facts->campaign.id != 0 && facts->campaign.redemption_limit == 0)
		hold(OT_PLAN_CAMPAIGN_SHARE, request->workspace, facts->campaign.id);
}

static void
hold(OtPlan plan, int64 workspace, int64 id)
{
	OtArgs args = {0};

	ot_arg_int8(&args, workspace);
	ot_arg_int8(&args, id);
	ot_run(plan, &args);
}

static void
count_customer_uses(const OtRequest *request, OtFacts *facts)
{
	OtArgs args = {0};

	ot_arg_int8(&args, request->workspace);
	ot_arg_int8(&args, facts->voucher.id);
	ot_arg_id(&args, facts->campaign.id);
	ot_arg_int8(&args, facts->customer_id);
	ot_read(OT_PLAN_CUSTOMER_USES, &args);
	facts->voucher.customer_used = ot_get_int8(0, 1);
	facts->campaign.customer_used = ot_get_int8(0, 2);
}

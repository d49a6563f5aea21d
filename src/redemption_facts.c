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

/* Columns of OT_PLAN_VOUCHER_FACTS. */
enum
{
	VOUCHER_ID,
	IS_GIFT,
	DISCOUNT,
	GIFT_BALANCE,
	VOUCHER_TERMS, /* six columns, as read_terms() takes them */
	CAMPAIGN_ID = VOUCHER_TERMS + 6,
	CAMPAIGN_TERMS,
	VOUCHER_COLUMNS = CAMPAIGN_TERMS + 6
};

/* OT_PLAN_PARTY_FACTS gives two columns of the customer and five of the order. */
#define PARTY_COLUMNS 7

static void read_voucher(const OtRequest *request, OtFacts *facts);
static void read_parties(const OtRequest *request, OtFacts *facts);
static void hold(OtPlan plan, int64 workspace, int64 id);
static void read_terms(OtTerms *terms, int64 id, const Datum *values, const bool *nulls);
static void read_order(OtOrderFacts *order, const Datum *values, const bool *nulls);
static void find_order_by_id(const OtRequest *request, OtFacts *facts);
static void count_customer_uses(const OtRequest *request, OtFacts *facts);

/*
 * Reads the facts.  One snapshot serves all statements, so that no verdict
 * mixes two states.
 */
void
ot_facts_read(const OtRequest *request, OtFacts *facts)
{
	memset(facts, 0, sizeof(*facts));
	ot_take_snapshot();
	read_voucher(request, facts);
	read_parties(request, facts);
	if (request->order.has_id)
		find_order_by_id(request, facts);
	if (facts->customer_id != 0 &&
		(facts->voucher.customer_limit != 0 || facts->campaign.customer_limit != 0))
		count_customer_uses(request, facts);
	ot_drop_snapshot();
}

static void
read_voucher(const OtRequest *request, OtFacts *facts)
{
	OtArgs args = {0};
	Datum values[VOUCHER_COLUMNS];
	bool nulls[VOUCHER_COLUMNS];

	ot_arg_int8(&args, request->workspace);
	ot_arg_text(&args, request->code);
	if (ot_read(OT_PLAN_VOUCHER_FACTS, &args) == 0)
		return;
	ot_get_row(values, nulls);
	read_terms(&facts->voucher, DatumGetInt64(values[VOUCHER_ID]), &values[VOUCHER_TERMS],
			   &nulls[VOUCHER_TERMS]);
	read_terms(&facts->campaign,
			   nulls[CAMPAIGN_ID] ? 0 : DatumGetInt64(values[CAMPAIGN_ID]),
			   &values[CAMPAIGN_TERMS], &nulls[CAMPAIGN_TERMS]);
	facts->is_gift = DatumGetBool(values[IS_GIFT]);
	facts->gift_balance = nulls[GIFT_BALANCE] ? 0 : DatumGetInt64(values[GIFT_BALANCE]);
	if (!nulls[DISCOUNT])
	{
		const char *problem =
			ot_discount_read(&facts->discount, DatumGetJsonbP(values[DISCOUNT]));

		if (problem != NULL)
			ereport(ERROR, errcode(ERRCODE_DATA_CORRUPTED),
					errmsg("discount of voucher " INT64_FORMAT " is damaged",
						   facts->voucher.id),
					errdetail_internal("%s", problem));
	}
}

static void
read_parties(const OtRequest *request, OtFacts *facts)
{
	OtArgs args = {0};
	Datum values[PARTY_COLUMNS];
	bool nulls[PARTY_COLUMNS];

	ot_arg_int8(&args, request->workspace);
	ot_arg_text(&args, request->customer);
	ot_arg_text(&args, request->order.source_id);
	if (ot_read(OT_PLAN_PARTY_FACTS, &args) == 0)
		ereport(ERROR, errcode(OT_ERRCODE_NOT_FOUND),
				errmsg("workspace " INT64_FORMAT " does not exist", request->workspace));
	ot_get_row(values, nulls);
	facts->customer_id = nulls[0] ? 0 : DatumGetInt64(values[0]);
	facts->customer_total = nulls[1] ? 0 : DatumGetInt64(values[1]);
	read_order(&facts->order, &values[2], &nulls[2]);
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

/* Reads is_active, starts_at, expires_at, two limits and the count between. */
static void
read_terms(OtTerms *terms, int64 id, const Datum *values, const bool *nulls)
{
	terms->id = id;
	terms->is_active = !nulls[0] && DatumGetBool(values[0]);
	terms->starts_at = nulls[1] ? DT_NOBEGIN : DatumGetTimestampTz(values[1]);
	terms->expires_at = nulls[2] ? DT_NOEND : DatumGetTimestampTz(values[2]);
	terms->redemption_limit = nulls[3] ? 0 : DatumGetInt64(values[3]);
	terms->redeemed_count = nulls[4] ? 0 : DatumGetInt64(values[4]);
	terms->customer_limit = nulls[5] ? 0 : DatumGetInt64(values[5]);
}

/* Reads order_id, status, amount, discount_amount and customer_id. */
static void
read_order(OtOrderFacts *order, const Datum *values, const bool *nulls)
{
	if (nulls[0])
		return;
	order->id = DatumGetInt64(values[0]);
	order->status = TextDatumGetCString(values[1]);
	order->amount = DatumGetInt64(values[2]);
	order->discount_amount = DatumGetInt64(values[3]);
	order->customer_id = nulls[4] ? 0 : DatumGetInt64(values[4]);
}

/* Looks the order up by id; a source_id beside it must name the same one. */
static void
find_order_by_id(const OtRequest *request, OtFacts *facts)
{
	OtArgs args = {0};
	Datum values[6];
	bool nulls[6];
	const char *source_id;

	memset(&facts->order, 0, sizeof(facts->order));
	ot_arg_int8(&args, request->workspace);
	ot_arg_int8(&args, request->order.id);
	if (ot_read(OT_PLAN_ORDER_FACTS, &args) == 0)
		return;
	ot_get_row(values, nulls);
	read_order(&facts->order, values, nulls);
	source_id = nulls[5] ? NULL : TextDatumGetCString(values[5]);
	if (request->order.source_id != NULL)
		facts->order.is_contradicted =
			source_id == NULL || strcmp(source_id, request->order.source_id) != 0;
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

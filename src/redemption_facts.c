/*
 * redemption_facts.c
 *		Reads all that decides a redemption as of one committed state.
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "discount.h"
#include "errcodes.h"
#include "limit.h"
#include "plan.h"
#include "redemption.h"
#include "redemption_item.h"
#include "reservation.h"

/* Columns of OT_PLAN_VOUCHER_FACTS after its terms. */
enum
{
	CAMPAIGN_ID = OT_TERMS_COLUMNS,
	DISCOUNT,
	GIFT_BALANCE,
	VOUCHER_COLUMNS
};

static void read_code(const OtRequest *request, OtFacts *facts);
static void read_rest(const OtRequest *request, TimestampTz now, OtFacts *facts);
static void read_voucher(const OtRequest *request, OtFacts *facts);
static void read_customer(const OtRequest *request, OtFacts *facts);
static void read_order(const OtRequest *request, OtOrderFacts *order);
static void count_customer_uses(const OtRequest *request, OtFacts *facts);

/*
 * Reads the facts.  One snapshot serves all statements, so that no verdict
 * mixes two states.
 */
void
ot_facts_read(const OtRequest *request, TimestampTz now, OtFacts *facts)
{
	memset(facts, 0, sizeof(*facts));
	if (request->prefetch != NULL && ot_prefetch_take(request, facts))
		return;
	ot_take_snapshot();
	read_code(request, facts);
	read_customer(request, facts);
	read_order(request, &facts->order);
	read_rest(request, now, facts);
	ot_drop_snapshot();
}

/* Likewise for the codes of a stack, which share customer and order. */
void
ot_stack_facts_read(OtAttempt *attempts, int count, TimestampTz now)
{
	const OtFacts *first = &attempts[0].facts;

	ot_take_snapshot();
	for (int i = 0; i < count; i++)
	{
		const OtRequest *request = attempts[i].request;
		OtFacts *facts = &attempts[i].facts;

		memset(facts, 0, sizeof(*facts));
		read_code(request, facts);
		if (i == 0 || facts->rules.count > 0)
			read_customer(request, facts);
		facts->customer_id = first->customer_id;
		facts->customer_total = first->customer_total;
		if (i == 0)
			read_order(request, &facts->order);
		facts->order = first->order;
		read_rest(request, now, facts);
		/* Codes of one campaign need to know all that it has left. */
		if (i > 0 && facts->campaign.is_striped)
			facts->campaign.stripe_uses =
				ot_stripes_sum(request->workspace, "campaign", facts->campaign.id);
	}
	ot_drop_snapshot();
}

/* Reads the code and its rules, which say what they need to know of the rest. */
static void
read_code(const OtRequest *request, OtFacts *facts)
{
	read_voucher(request, facts);
	if (facts->voucher.has_rules || facts->campaign.has_rules)
		ot_rules_read(request, facts);
}

/* Reads what depends on the code as well as on customer or order. */
static void
read_rest(const OtRequest *request, TimestampTz now, OtFacts *facts)
{
	facts->has_cart = facts->order.id != 0 && facts->discount.effect != OT_APPLY_TO_ORDER;
	if (facts->has_cart)
		ot_cart_read(&facts->cart, request->workspace, facts->order.id);
	if (facts->customer_id != 0 &&
		(facts->voucher.customer_limit != 0 || facts->campaign.customer_limit != 0))
		count_customer_uses(request, facts);
	ot_limits_read(request->workspace, facts->customer_id, now, &facts->voucher,
				   &facts->campaign, &facts->local_time);
	if (request->reservation_key != NULL || facts->voucher.has_reservations ||
		facts->campaign.has_reservations)
		ot_reservations_read(request, now, facts);
	if (facts->rules.count > 0)
		ot_rule_facts_read(request, now, facts);
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
	ot_terms_take(&facts->voucher, values, nulls);
	facts->is_gift = !nulls[GIFT_BALANCE]; /* and only then: vouchers_value_check */
	facts->gift_balance = nulls[GIFT_BALANCE] ? 0 : DatumGetInt64(values[GIFT_BALANCE]);
	if (!nulls[DISCOUNT])
		ot_discount_take(&facts->discount, DatumGetJsonbP(values[DISCOUNT]),
						 facts->voucher.id);
	if (!nulls[CAMPAIGN_ID])
		ot_campaign_terms_read(request->workspace, DatumGetInt64(values[CAMPAIGN_ID]),
							   &facts->campaign);
}

/* Takes a stored discount, which was right when it was stored. */
void
ot_discount_take(OtDiscount *discount, const Jsonb *object, int64 voucher_id)
{
	const char *problem = ot_discount_read(discount, object);

	if (problem != NULL)
		ereport(ERROR, errcode(ERRCODE_DATA_CORRUPTED),
				errmsg("discount of voucher " INT64_FORMAT " is damaged", voucher_id),
				errdetail_internal("%s", problem));
}

/* A customer is read once, also where rules ask for more of it. */
static void
read_customer(const OtRequest *request, OtFacts *facts)
{
	bool is_for_rules = (facts->rules.uses & OT_READS_CUSTOMER) != 0;
	OtArgs args = {0};
	Datum values[OT_RULE_CUSTOMER_COLUMNS];
	bool nulls[OT_RULE_CUSTOMER_COLUMNS];

	if (request->customer == NULL)
		return;
	ot_arg_int8(&args, request->workspace);
	ot_arg_text(&args, request->customer);
	if (ot_read(is_for_rules ? OT_PLAN_RULE_CUSTOMER : OT_PLAN_CUSTOMER_FACTS, &args) ==
		0)
		return;
	ot_get_row(values, nulls);
	facts->customer_id = DatumGetInt64(values[OT_RULE_CUSTOMER_ID]);
	facts->customer_total = DatumGetInt64(values[OT_RULE_CUSTOMER_ORDER_TOTAL]);
	if (is_for_rules)
		ot_rule_customer_take(&facts->rules.customer, values, nulls);
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

/*
 * terms_facts.c
 *		Reads the terms of a voucher or a campaign from their rows.
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "plan.h"
#include "redemption.h"

static int64 take_int8(const Datum *values, const bool *nulls, int column);
static const OtValidity *take_validity(const Datum *values, const OtTerms *terms);

/* Takes terms from the columns that the rows of both have alike. */
void
ot_terms_take(OtTerms *terms, const Datum *values, const bool *nulls)
{
	terms->id = DatumGetInt64(values[OT_TERMS_ID]);
	terms->is_active = DatumGetBool(values[OT_TERMS_IS_ACTIVE]);
	terms->starts_at = nulls[OT_TERMS_STARTS_AT]
						   ? DT_NOBEGIN
						   : DatumGetTimestampTz(values[OT_TERMS_STARTS_AT]);
	terms->expires_at = nulls[OT_TERMS_EXPIRES_AT]
							? DT_NOEND
							: DatumGetTimestampTz(values[OT_TERMS_EXPIRES_AT]);
	terms->redemption_limit = take_int8(values, nulls, OT_TERMS_REDEMPTION_LIMIT);
	terms->redeemed_count = take_int8(values, nulls, OT_TERMS_REDEEMED_COUNT);
	terms->customer_limit = take_int8(values, nulls, OT_TERMS_CUSTOMER_LIMIT);
	terms->is_striped = DatumGetBool(values[OT_TERMS_IS_STRIPED]);
	terms->has_rules = DatumGetInt64(values[OT_TERMS_RULE_COUNT]) > 0;
	terms->has_reservations = DatumGetBool(values[OT_TERMS_HAS_RESERVATIONS]);
	for (int i = 0; i < OT_PERIOD_COUNT; i++)
	{
		terms->period[i].limit = take_int8(values, nulls, OT_TERMS_PER_DAY + i);
		terms->customer_period[i].limit =
			take_int8(values, nulls, OT_TERMS_CUSTOMER_PER_DAY + i);
	}
	if (!nulls[OT_TERMS_VALIDITY_HOURS])
		terms->validity = take_validity(values, terms);
}

/* Reads the terms of a voucher by its id; none where there is no such voucher. */
void
ot_voucher_terms_read(int64 workspace, int64 voucher_id, OtTerms *terms)
{
	OtArgs args = {0};
	Datum values[OT_TERMS_COLUMNS];
	bool nulls[OT_TERMS_COLUMNS];

	ot_arg_int8(&args, workspace);
	ot_arg_int8(&args, voucher_id);
	if (ot_read(OT_PLAN_VOUCHER_TERMS, &args) == 0)
		return;
	ot_get_row(values, nulls);
	ot_terms_take(terms, values, nulls);
}

/* Reads the terms of a campaign, which has budgets, too. */
void
ot_campaign_terms_read(int64 workspace, int64 campaign_id, OtTerms *terms)
{
	OtArgs args = {0};
	Datum values[OT_CAMPAIGN_COLUMNS];
	bool nulls[OT_CAMPAIGN_COLUMNS];

	ot_arg_int8(&args, workspace);
	ot_arg_int8(&args, campaign_id);
	if (ot_read(OT_PLAN_CAMPAIGN_FACTS, &args) == 0)
		return;
	ot_get_row(values, nulls);
	ot_terms_take(terms, values, nulls);
	terms->discount_budget.limit = take_int8(values, nulls, OT_CAMPAIGN_DISCOUNT_BUDGET);
	terms->discount_budget.used = take_int8(values, nulls, OT_CAMPAIGN_DISCOUNT_SPENT);
	terms->order_budget.limit = take_int8(values, nulls, OT_CAMPAIGN_ORDER_BUDGET);
	terms->order_budget.used = take_int8(values, nulls, OT_CAMPAIGN_ORDER_SPENT);
}

/* A limit that is NULL is none, and no limit is 0. */
static int64
take_int8(const Datum *values, const bool *nulls, int column)
{
	return nulls[column] ? 0 : DatumGetInt64(values[column]);
}

static const OtValidity *
take_validity(const Datum *values, const OtTerms *terms)
{
	OtValidity *validity = palloc(sizeof(OtValidity));
	const char *problem =
		ot_validity_read(validity, DatumGetJsonbP(values[OT_TERMS_VALIDITY_HOURS]));

	if (problem != NULL)
		ereport(ERROR, errcode(ERRCODE_DATA_CORRUPTED),
				errmsg("validity_hours of voucher or campaign " INT64_FORMAT
					   " are damaged",
					   terms->id),
				errdetail_internal("%s", problem));
	return validity;
}

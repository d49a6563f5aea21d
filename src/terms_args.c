/*
 * terms_args.c
 *		Reads dates, hours and limits from the arguments of a function, and
 *		checks them.
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "errcodes.h"
#include "ordertrack.h"
#include "terms.h"
#include "validity.h"

static const char *const field_names[OT_TERMS_FIELD_COUNT] = {
	"starts_at",		  "expires_at",		  "redemption_limit",
	"customer_limit",	  "per_day",		  "per_week",
	"per_month",		  "customer_per_day", "customer_per_week",
	"customer_per_month", "discount_budget",  "order_budget",
	"validity_hours",	  "metadata"};

static void read_terms(OtTermsArgs *terms, FunctionCallInfo fcinfo, int first,
					   int value_count);
static Jsonb *read_validity(FunctionCallInfo fcinfo, int n);

/* Reads the terms of something new from the arguments that begin at first. */
void
ot_terms_read_new(OtTermsArgs *terms, FunctionCallInfo fcinfo, int first, int value_count)
{
	read_terms(terms, fcinfo, first, value_count);
	if (!terms->has_is_active)
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("argument \"is_active\" must not be null"));
}

/* Reads changed terms from the arguments that begin at first; clear is last. */
void
ot_terms_read_change(OtTermsArgs *terms, FunctionCallInfo fcinfo, int first,
					 int value_count)
{
	int clear = first + value_count + 3;
	const char *names[OT_TERMS_FIELD_COUNT];

	read_terms(terms, fcinfo, first, value_count);
	/* A voucher has no budgets. */
	for (int i = 0; i < OT_TERMS_FIELD_COUNT; i++)
		names[i] = i < value_count || i >= OT_VALIDITY_HOURS ? field_names[i] : NULL;
	ot_clear_arg(fcinfo, clear, names, lengthof(names), terms->is_set, terms->is_cleared);
}

/* Adds the values, validity_hours, is_active and metadata. */
void
ot_terms_add(OtArgs *args, const OtTermsArgs *terms)
{
	for (int i = 0; i < terms->value_count; i++)
		ot_arg_int8_or_null(args, terms->is_set[i], terms->value[i]);
	ot_arg_jsonb(args, terms->validity_hours);
	if (terms->has_is_active)
		ot_arg_bool(args, terms->is_active);
	else
		ot_arg_null(args);
	ot_arg_jsonb(args, terms->metadata);
}

/* Refuses limits and dates that nobody could use. */
void
ot_terms_check(const OtTermsArgs *terms)
{
	for (int i = OT_REDEMPTION_LIMIT; i < terms->value_count; i++)
		if (terms->is_set[i] && terms->value[i] <= 0)
			ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
					errmsg("\"%s\" must be greater than zero", field_names[i]));
	if (terms->is_set[OT_STARTS_AT] && terms->is_set[OT_EXPIRES_AT] &&
		terms->value[OT_STARTS_AT] >= terms->value[OT_EXPIRES_AT])
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("\"starts_at\" must be before \"expires_at\""));
}

/* Reads times and limits, which all are 64 bits, hours, is_active and metadata. */
static void
read_terms(OtTermsArgs *terms, FunctionCallInfo fcinfo, int first, int value_count)
{
	int rest = first + value_count;

	memset(terms, 0, sizeof(*terms));
	terms->value_count = value_count;
	for (int i = 0; i < value_count; i++)
	{
		terms->is_set[i] = !PG_ARGISNULL(first + i);
		if (terms->is_set[i])
			terms->value[i] = PG_GETARG_INT64(first + i);
	}
	terms->validity_hours = read_validity(fcinfo, rest);
	terms->is_set[OT_VALIDITY_HOURS] = terms->validity_hours != NULL;
	terms->has_is_active = !PG_ARGISNULL(rest + 1);
	terms->is_active = terms->has_is_active && PG_GETARG_BOOL(rest + 1);
	terms->metadata = ot_object_arg(fcinfo, rest + 2, "metadata");
	terms->is_set[OT_METADATA] = terms->metadata != NULL;
	ot_terms_check(terms);
}

static Jsonb *
read_validity(FunctionCallInfo fcinfo, int n)
{
	Jsonb *array = PG_ARGISNULL(n) ? NULL : PG_GETARG_JSONB_P(n);
	OtValidity ignored;
	const char *problem = array == NULL ? NULL : ot_validity_read(&ignored, array);

	if (problem != NULL)
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("invalid validity_hours: %s", problem),
				errhint("Windows are %s.", OT_VALIDITY_FORM));
	return array;
}

/*
 * terms_args.c
 *		Reads dates, hours and limits from the arguments of a function, and
 *		checks them.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
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
static void read_clear(OtTermsArgs *terms, ArrayType *clear);
static bool has_field(const OtTermsArgs *terms, int field);
static int find_field(const OtTermsArgs *terms, const char *name);
static char *list_fields(const OtTermsArgs *terms);

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

	read_terms(terms, fcinfo, first, value_count);
	if (!PG_ARGISNULL(clear))
		read_clear(terms, PG_GETARG_ARRAYTYPE_P(clear));
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

/* Reads the names of the fields to empty. */
static void
read_clear(OtTermsArgs *terms, ArrayType *clear)
{
	Datum *names;
	bool *nulls;
	int count;

	deconstruct_array(clear, TEXTOID, -1, false, TYPALIGN_INT, &names, &nulls, &count);
	for (int i = 0; i < count; i++)
	{
		int field;

		if (nulls[i])
			ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
					errmsg("argument \"clear\" must not contain null"));
		field = find_field(terms, TextDatumGetCString(names[i]));
		if (terms->is_set[field])
			ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
					errmsg("field \"%s\" is both set and cleared", field_names[field]));
		terms->is_cleared[field] = true;
	}
}

/* A voucher has no budgets. */
static bool
has_field(const OtTermsArgs *terms, int field)
{
	return field < terms->value_count || field >= OT_VALIDITY_HOURS;
}

static int
find_field(const OtTermsArgs *terms, const char *name)
{
	for (int i = 0; i < OT_TERMS_FIELD_COUNT; i++)
		if (has_field(terms, i) && strcmp(name, field_names[i]) == 0)
			return i;
	ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
			errmsg("field \"%s\" cannot be cleared", name),
			errdetail("Fields that can be cleared are %s.", list_fields(terms)));
	return -1;
}

static char *
list_fields(const OtTermsArgs *terms)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < OT_TERMS_FIELD_COUNT; i++)
		if (has_field(terms, i))
			appendStringInfo(&list, "%s%s",
							 i == 0							 ? ""
							 : i + 1 == OT_TERMS_FIELD_COUNT ? " and "
															 : ", ",
							 field_names[i]);
	return list.data;
}

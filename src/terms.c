/*
 * terms.c
 *		Dates and limits, which vouchers and campaigns have alike: reads them,
 *		changes them, and counts past uses when a limit is set for the first
 *		time.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "errcodes.h"
#include "ordertrack.h"
#include "terms.h"

/* A change under way. */
typedef struct Change
{
	const OtTermsPlans *plans;
	int64 workspace;
	const char *key;
	const OtTermsArgs *terms;
	bool is_found;
} Change;

/* What the table holds: columns of the statements find and lock. */
typedef struct Stored
{
	int64 id;
	bool is_set[OT_METADATA];
	int64 value[OT_METADATA];
	int64 redeemed_count;
} Stored;

static const char *const field_names[OT_TERMS_FIELD_COUNT] = {
	"starts_at", "expires_at", "redemption_limit", "customer_limit", "metadata"};

static void read_terms(OtTermsArgs *terms, FunctionCallInfo fcinfo, int first);
static void read_clear(OtTermsArgs *terms, ArrayType *clear);
static int find_field(const char *name);
static void check_values(const bool *is_set, const int64 *value);
static bool try_change(void *context);
static bool find_stored(const Change *change, Stored *stored);
static bool lock_stored(const Change *change, Stored *stored);
static void read_stored(Stored *stored);
static bool sets_first(const OtTermsArgs *terms, const Stored *stored,
					   OtTermsField limit);
static void lock_uses(void);
static void merge(const OtTermsArgs *terms, const Stored *stored, OtTermsArgs *merged);
static void count_uses(const Change *change, Stored *stored);
static void refuse_low_limit(int64 used) pg_attribute_noreturn();
static void write_merged(const Change *change, const Stored *stored,
						 const OtTermsArgs *merged);
static uint64 run_by_id(OtPlan plan, int64 workspace, int64 id);

/* Reads the terms of something new from the arguments that begin at first. */
void
ot_terms_read_new(OtTermsArgs *terms, FunctionCallInfo fcinfo, int first)
{
	read_terms(terms, fcinfo, first);
	if (!terms->has_is_active)
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("argument \"is_active\" must not be null"));
}

/* Reads changed terms from the arguments that begin at first; clear is last. */
void
ot_terms_read_change(OtTermsArgs *terms, FunctionCallInfo fcinfo, int first)
{
	read_terms(terms, fcinfo, first);
	if (!PG_ARGISNULL(first + OT_TERMS_ARGS))
		read_clear(terms, PG_GETARG_ARRAYTYPE_P(first + OT_TERMS_ARGS));
}

/* Adds starts_at, expires_at, both limits, is_active and metadata. */
void
ot_terms_add(OtArgs *args, const OtTermsArgs *terms)
{
	for (int i = 0; i < OT_METADATA; i++)
		ot_arg_int8_or_null(args, terms->is_set[i], terms->value[i]);
	if (terms->has_is_active)
		ot_arg_bool(args, terms->is_active);
	else
		ot_arg_null(args);
	ot_arg_jsonb(args, terms->metadata);
}

/*
 * Changes the row that has the key; false where there is none.  Each new turn
 * means that somebody else has committed a change of the same row.
 */
bool
ot_terms_update(const OtTermsPlans *plans, int64 workspace, const char *key,
				const OtTermsArgs *terms)
{
	Change change = {plans, workspace, key, terms, false};

	while (!ot_in_subtransaction(try_change, &change))
		CHECK_FOR_INTERRUPTS();
	return change.is_found;
}

/* Reads four times and limits, which all are 64 bits, is_active and metadata. */
static void
read_terms(OtTermsArgs *terms, FunctionCallInfo fcinfo, int first)
{
	memset(terms, 0, sizeof(*terms));
	for (int i = 0; i < OT_METADATA; i++)
	{
		terms->is_set[i] = !PG_ARGISNULL(first + i);
		if (terms->is_set[i])
			terms->value[i] = PG_GETARG_INT64(first + i);
	}
	terms->has_is_active = !PG_ARGISNULL(first + 4);
	terms->is_active = terms->has_is_active && PG_GETARG_BOOL(first + 4);
	terms->metadata = ot_object_arg(fcinfo, first + 5, "metadata");
	terms->is_set[OT_METADATA] = terms->metadata != NULL;
	check_values(terms->is_set, terms->value);
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
		field = find_field(TextDatumGetCString(names[i]));
		if (terms->is_set[field])
			ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
					errmsg("field \"%s\" is both set and cleared", field_names[field]));
		terms->is_cleared[field] = true;
	}
}

static int
find_field(const char *name)
{
	for (int i = 0; i < OT_TERMS_FIELD_COUNT; i++)
		if (strcmp(name, field_names[i]) == 0)
			return i;
	ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
			errmsg("field \"%s\" cannot be cleared", name),
			errdetail("Fields that can be cleared are %s, %s, %s, %s and %s.",
					  field_names[0], field_names[1], field_names[2], field_names[3],
					  field_names[4]));
	return -1;
}

/* Refuses limits and dates that nobody could use. */
static void
check_values(const bool *is_set, const int64 *value)
{
	for (int i = OT_REDEMPTION_LIMIT; i <= OT_CUSTOMER_LIMIT; i++)
		if (is_set[i] && value[i] <= 0)
			ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
					errmsg("\"%s\" must be greater than zero", field_names[i]));
	if (is_set[OT_STARTS_AT] && is_set[OT_EXPIRES_AT] &&
		value[OT_STARTS_AT] >= value[OT_EXPIRES_AT])
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("\"starts_at\" must be before \"expires_at\""));
}

/*
 * Changes the row; false where it must be done again.
 *
 * Uses can only be counted under the lock on redemptions, which is to be taken
 * before the row.  So the first look, without a lock, tells whether to take it;
 * if the row turns out to have lost its limit since, all is undone, because a
 * row lock ends no other way.
 */
static bool
try_change(void *context)
{
	Change *change = context;
	const OtTermsArgs *terms = change->terms;
	Stored stored;
	OtTermsArgs merged;
	bool has_locked_uses;

	change->is_found = find_stored(change, &stored);
	if (!change->is_found)
		return true;

	has_locked_uses = sets_first(terms, &stored, OT_REDEMPTION_LIMIT) ||
					  sets_first(terms, &stored, OT_CUSTOMER_LIMIT);
	if (has_locked_uses)
		lock_uses();
	if (!lock_stored(change, &stored))
		return false;
	if (!has_locked_uses && (sets_first(terms, &stored, OT_REDEMPTION_LIMIT) ||
							 sets_first(terms, &stored, OT_CUSTOMER_LIMIT)))
		return false;

	merge(terms, &stored, &merged);
	check_values(merged.is_set, merged.value);
	count_uses(change, &stored);
	if (merged.is_set[OT_REDEMPTION_LIMIT] &&
		stored.redeemed_count > merged.value[OT_REDEMPTION_LIMIT])
		refuse_low_limit(stored.redeemed_count);
	write_merged(change, &stored, &merged);
	return true;
}

static bool
find_stored(const Change *change, Stored *stored)
{
	OtArgs args = {0};

	ot_arg_int8(&args, change->workspace);
	ot_arg_text(&args, change->key);
	if (ot_run(change->plans->find, &args) == 0)
		return false;
	read_stored(stored);
	return true;
}

static bool
lock_stored(const Change *change, Stored *stored)
{
	if (run_by_id(change->plans->lock, change->workspace, stored->id) == 0)
		return false;
	read_stored(stored);
	return true;
}

static void
read_stored(Stored *stored)
{
	stored->id = ot_get_int8(0, 1);
	for (int i = 0; i < OT_METADATA; i++)
	{
		stored->is_set[i] = !ot_is_null(0, 2 + i);
		stored->value[i] = ot_get_int8(0, 2 + i);
	}
	stored->redeemed_count = ot_get_int8(0, 2 + OT_METADATA);
}

/* Tells whether a limit is set where there was none. */
static bool
sets_first(const OtTermsArgs *terms, const Stored *stored, OtTermsField limit)
{
	return terms->is_set[limit] && !stored->is_set[limit];
}

/* Waits until all uses are committed, and keeps new ones out. */
static void
lock_uses(void)
{
	if (IsolationUsesXactSnapshot())
		ereport(
			ERROR, errcode(ERRCODE_INVALID_TRANSACTION_STATE),
			errmsg("cannot set a first limit in a transaction of this isolation level"),
			errdetail("Uses that were committed after its snapshot would not count."),
			errhint("Use a transaction of isolation level READ COMMITTED."));
	ot_lock_redemptions(true);
}

/* Lays what is passed over what is stored. */
static void
merge(const OtTermsArgs *terms, const Stored *stored, OtTermsArgs *merged)
{
	*merged = *terms;
	for (int i = 0; i < OT_METADATA; i++)
		if (!terms->is_set[i] && !terms->is_cleared[i])
		{
			merged->is_set[i] = stored->is_set[i];
			merged->value[i] = stored->value[i];
		}
	/* The statement takes null for no change and a JSON null for none. */
	if (terms->is_cleared[OT_METADATA])
		merged->metadata =
			DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum("null")));
}

/* Counts what was used before a limit, where one is set for the first time. */
static void
count_uses(const Change *change, Stored *stored)
{
	const OtTermsPlans *plans = change->plans;

	if (sets_first(change->terms, stored, OT_REDEMPTION_LIMIT))
	{
		run_by_id(plans->count, change->workspace, stored->id);
		stored->redeemed_count = ot_get_int8(0, 1);
	}
	if (sets_first(change->terms, stored, OT_CUSTOMER_LIMIT))
	{
		run_by_id(plans->forget_customers, change->workspace, stored->id);
		run_by_id(plans->count_customers, change->workspace, stored->id);
	}
}

static void
refuse_low_limit(int64 used)
{
	ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
			errmsg("\"redemption_limit\" is below the number of uses"),
			errdetail("There are " INT64_FORMAT " uses that were not rolled back.", used),
			errhint("To stop further uses, set is_active to false."));
}

static void
write_merged(const Change *change, const Stored *stored, const OtTermsArgs *merged)
{
	OtArgs args = {0};

	ot_arg_int8(&args, change->workspace);
	ot_arg_int8(&args, stored->id);
	ot_terms_add(&args, merged);
	ot_arg_int8_or_null(&args, merged->is_set[OT_REDEMPTION_LIMIT],
						stored->redeemed_count);
	ot_arg_time(&args, GetCurrentTimestamp());
	ot_run(change->plans->update, &args);
}

static uint64
run_by_id(OtPlan plan, int64 workspace, int64 id)
{
	OtArgs args = {0};

	ot_arg_int8(&args, workspace);
	ot_arg_int8(&args, id);
	return ot_run(plan, &args);
}

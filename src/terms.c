/*
 * terms.c
 *		Changes the dates and limits of a voucher or a campaign.
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "errcodes.h"
#include "limit.h"
#include "ordertrack.h"
#include "reservation.h"
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

static bool try_change(void *context);
static bool find_stored(const Change *change, OtTermsStored *stored);
static bool lock_stored(const Change *change, OtTermsStored *stored);
static void read_stored(OtTermsStored *stored, int value_count);
static void lock_uses(void);
static void merge(const OtTermsArgs *terms, const OtTermsStored *stored,
				  OtTermsArgs *merged);
static Jsonb *json_null(void);
static void fold(const Change *change, OtTermsStored *stored);
static void check_uses(const OtTermsArgs *merged, const OtTermsStored *stored);
static void check_budget(const OtTermsArgs *merged, OtTermsField field, const char *name,
						 int64 spent);
static void write_merged(const Change *change, const OtTermsStored *stored,
						 const OtTermsArgs *merged, TimestampTz now);

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
	OtTermsStored stored;
	OtTermsArgs merged;
	bool has_locked_uses;
	TimestampTz now;

	change->is_found = find_stored(change, &stored);
	if (!change->is_found)
		return true;

	has_locked_uses = ot_terms_set_first(change->terms, &stored);
	if (has_locked_uses)
		lock_uses();
	ot_reservations_clear(change->workspace, change->plans->entity, stored.id,
						  GetCurrentTimestamp());
	if (!lock_stored(change, &stored))
		return false;
	if (!has_locked_uses && ot_terms_set_first(change->terms, &stored))
		return false;

	/* Read under the lock: no use that is to be counted comes later. */
	now = GetCurrentTimestamp();
	merge(change->terms, &stored, &merged);
	ot_terms_check(&merged);
	fold(change, &stored);
	ot_terms_count_uses(change->plans, change->workspace, change->terms, &stored, now);
	check_uses(&merged, &stored);
	write_merged(change, &stored, &merged, now);
	return true;
}

static bool
find_stored(const Change *change, OtTermsStored *stored)
{
	OtArgs args = {0};

	ot_arg_int8(&args, change->workspace);
	ot_arg_text(&args, change->key);
	if (ot_run(change->plans->find, &args) == 0)
		return false;
	read_stored(stored, change->terms->value_count);
	return true;
}

static bool
lock_stored(const Change *change, OtTermsStored *stored)
{
	OtArgs args = {0};

	ot_arg_int8(&args, change->workspace);
	ot_arg_int8(&args, stored->id);
	if (ot_run(change->plans->lock, &args) == 0)
		return false;
	read_stored(stored, change->terms->value_count);
	return true;
}

static void
read_stored(OtTermsStored *stored, int value_count)
{
	memset(stored, 0, sizeof(*stored));
	stored->id = ot_get_int8(0, 1);
	for (int i = 0; i < value_count; i++)
	{
		stored->is_set[i] = !ot_is_null(0, 2 + i);
		stored->value[i] = ot_get_int8(0, 2 + i);
	}
	stored->redeemed_count = ot_get_int8(0, 2 + value_count);
	stored->is_striped = ot_get_bool(0, 3 + value_count);
	if (value_count == OT_CAMPAIGN_VALUES)
	{
		stored->discount_spent = ot_get_int8(0, 4 + value_count);
		stored->order_spent = ot_get_int8(0, 5 + value_count);
	}
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
merge(const OtTermsArgs *terms, const OtTermsStored *stored, OtTermsArgs *merged)
{
	*merged = *terms;
	for (int i = 0; i < terms->value_count; i++)
		if (!terms->is_set[i] && !terms->is_cleared[i])
		{
			merged->is_set[i] = stored->is_set[i];
			merged->value[i] = stored->value[i];
		}
	if (terms->is_cleared[OT_VALIDITY_HOURS])
		merged->validity_hours = json_null();
	if (terms->is_cleared[OT_METADATA])
		merged->metadata = json_null();
}

/* The statement takes null for no change and a JSON null for none. */
static Jsonb *
json_null(void)
{
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum("null")));
}

/* A limit that changes is one counter again, until sessions queue for it. */
static void
fold(const Change *change, OtTermsStored *stored)
{
	const OtTermsArgs *terms = change->terms;

	if (!stored->is_striped ||
		!(terms->is_set[OT_REDEMPTION_LIMIT] || terms->is_cleared[OT_REDEMPTION_LIMIT]))
		return;
	stored->redeemed_count -=
		ot_stripes_fold(change->workspace, change->plans->entity, stored->id);
	stored->is_striped = false;
}

static void
check_uses(const OtTermsArgs *merged, const OtTermsStored *stored)
{
	if (merged->is_set[OT_REDEMPTION_LIMIT] &&
		stored->redeemed_count > merged->value[OT_REDEMPTION_LIMIT])
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("\"redemption_limit\" is below the number of uses"),
				errdetail("There are " INT64_FORMAT
						  " uses that were neither rolled back nor released.",
						  stored->redeemed_count),
				errhint("To stop further uses, set is_active to false."));
	check_budget(merged, OT_DISCOUNT_BUDGET, "discount_budget", stored->discount_spent);
	check_budget(merged, OT_ORDER_BUDGET, "order_budget", stored->order_spent);
}

static void
check_budget(const OtTermsArgs *merged, OtTermsField field, const char *name, int64 spent)
{
	if (!merged->is_set[field] || spent <= merged->value[field])
		return;
	ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
			errmsg("\"%s\" is below what has been spent", name),
			errdetail(
				"Uses that were neither rolled back nor released have spent " INT64_FORMAT
				".",
				spent),
			errhint("To stop further uses, set is_active to false."));
}

static void
write_merged(const Change *change, const OtTermsStored *stored, const OtTermsArgs *merged,
			 TimestampTz now)
{
	OtArgs args = {0};

	ot_arg_int8(&args, change->workspace);
	ot_arg_int8(&args, stored->id);
	ot_terms_add(&args, merged);
	ot_arg_int8_or_null(&args, merged->is_set[OT_REDEMPTION_LIMIT],
						stored->redeemed_count);
	ot_arg_bool(&args, stored->is_striped);
	ot_arg_time(&args, now);
	if (merged->value_count == OT_CAMPAIGN_VALUES)
	{
		ot_arg_int8_or_null(&args, merged->is_set[OT_DISCOUNT_BUDGET],
							stored->discount_spent);
		ot_arg_int8_or_null(&args, merged->is_set[OT_ORDER_BUDGET], stored->order_spent);
	}
	ot_run(change->plans->update, &args);
}

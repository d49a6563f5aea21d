/*
 * terms.c
 *		Changes the dates and limits of a voucher or a campaign.
 */
#include "postgres.h"

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
	OtTermsStored stored;
} Change;

static bool find_stored(void *context);
static bool lock_stored(void *context);
static bool sets_first(const void *context);
static void write_change(void *context);
static void read_stored(OtTermsStored *stored, int value_count);
static void merge(const OtTermsArgs *terms, const OtTermsStored *stored,
				  OtTermsArgs *merged);
static void fold(const Change *change, OtTermsStored *stored);
static void check_uses(const OtTermsArgs *merged, const OtTermsStored *stored);
static void check_budget(const OtTermsArgs *merged, OtTermsField field, const char *name,
						 int64 spent);
static void write_merged(const Change *change, const OtTermsStored *stored,
						 const OtTermsArgs *merged, TimestampTz now);

static const OtLimitSteps steps = {find_stored, sets_first, lock_stored, write_change};

/* Changes the row that has the key; false where there is none. */
bool
ot_terms_update(const OtTermsPlans *plans, int64 workspace, const char *key,
				const OtTermsArgs *terms)
{
	Change change = {.plans = plans, .workspace = workspace, .key = key, .terms = terms};

	return ot_change_limits(&steps, &change);
}

static bool
find_stored(void *context)
{
	Change *change = context;
	OtArgs args = {0};

	ot_arg_int8(&args, change->workspace);
	ot_arg_text(&args, change->key);
	if (ot_run(change->plans->find, &args) == 0)
		return false;
	read_stored(&change->stored, change->terms->value_count);
	return true;
}

static bool
sets_first(const void *context)
{
	const Change *change = context;

	return ot_terms_set_first(change->terms, &change->stored);
}

static bool
lock_stored(void *context)
{
	Change *change = context;
	OtArgs args = {0};

	ot_reservations_clear(change->workspace, change->plans->entity, change->stored.id,
						  GetCurrentTimestamp());
	ot_arg_int8(&args, change->workspace);
	ot_arg_int8(&args, change->stored.id);
	if (ot_run(change->plans->lock, &args) == 0)
		return false;
	read_stored(&change->stored, change->terms->value_count);
	return true;
}

static void
write_change(void *context)
{
	Change *change = context;
	OtTermsStored *stored = &change->stored;
	OtTermsArgs merged;
	/* Under the lock: no use that is to be counted comes later. */
	TimestampTz now = GetCurrentTimestamp();

	merge(change->terms, stored, &merged);
	ot_terms_check(&merged);
	fold(change, stored);
	ot_terms_count_uses(change->plans, change->workspace, change->terms, stored, now);
	check_uses(&merged, stored);
	write_merged(change, stored, &merged, now);
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
		merged->validity_hours = ot_json_null();
	if (terms->is_cleared[OT_METADATA])
		merged->metadata = ot_json_null();
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
	ot_limit_check(merged->is_set[OT_REDEMPTION_LIMIT],
				   merged->value[OT_REDEMPTION_LIMIT], stored->redeemed_count);
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

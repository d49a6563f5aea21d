/*
 * reward_update.c
 *		update_reward: changes what is passed, also limits of a reward that is
 *		being bought.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/timestamp.h"

#include "ordertrack.h"
#include "reward_catalog.h"

/* Arguments of update_reward; those in between are numbers and times. */
enum
{
	NAME,
	IS_ACTIVE = 11,
	METADATA,
	CLEAR,
	WORKSPACE
};

/* Where each field is among them. */
static const int arguments[OT_REWARD_VALUES] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};

/* A change under way: what is passed, and what is stored. */
typedef struct Change
{
	int64 workspace;
	const char *name;
	OtRewardTerms passed;
	bool is_cleared[OT_REWARD_FIELD_COUNT];
	Jsonb *metadata; /* JSON null: none */
	bool has_is_active;
	bool is_active;
	int64 reward_id;
	OtRewardTerms stored;
	int64 redeemed_count;
} Change;

static void read_change(Change *change, FunctionCallInfo fcinfo);
static bool find_stored(void *context);
static bool lock_stored(void *context);
static void read_stored(Change *change);
static bool sets_first(const void *context);
static bool sets_first_limit(const Change *change, OtRewardField limit);
static void write_change(void *context);
static void merge(const Change *change, OtRewardTerms *merged);
static void count_units(Change *change);
static void write_merged(const Change *change, const OtRewardTerms *merged);
static void run_by_id(OtPlan plan, const Change *change);

static const OtLimitSteps steps = {find_stored, sets_first, lock_stored, write_change};

PG_FUNCTION_INFO_V1(ordertrack_update_reward);

/* Changes what is passed of a reward. */
Datum
ordertrack_update_reward(PG_FUNCTION_ARGS)
{
	Change change = {0};

	PreventCommandIfReadOnly("ordertrack.update_reward()");
	read_change(&change, fcinfo);
	ot_begin();
	ot_require_workspace(change.workspace);
	(void) ot_change_limits(&steps, &change);
	ot_end();
	PG_RETURN_VOID();
}

/* A reward always costs points and is inactive for a number of days, also 0. */
static void
read_change(Change *change, FunctionCallInfo fcinfo)
{
	OtRewardTerms *passed = &change->passed;
	const char *names[OT_REWARD_FIELD_COUNT];

	change->name = ot_required_text_arg(fcinfo, NAME, "name", OT_MAX_TEXT);
	change->workspace = ot_workspace_arg(fcinfo, WORKSPACE);
	ot_reward_terms_read(passed, fcinfo, arguments);
	change->has_is_active = !PG_ARGISNULL(IS_ACTIVE);
	change->is_active = change->has_is_active && PG_GETARG_BOOL(IS_ACTIVE);
	change->metadata = ot_object_arg(fcinfo, METADATA, "metadata");
	passed->is_set[OT_REWARD_METADATA] = change->metadata != NULL;
	for (int i = 0; i < OT_REWARD_FIELD_COUNT; i++)
		names[i] = i == OT_REWARD_COST_IN_POINTS || i == OT_REWARD_DAYS_INACTIVE
					   ? NULL
					   : ot_reward_field_names[i];
	ot_clear_arg(fcinfo, CLEAR, names, lengthof(names), passed->is_set,
				 change->is_cleared);
	if (change->is_cleared[OT_REWARD_METADATA])
		change->metadata = ot_json_null();
}

/*
 * What can't be set is refused here already: a limit of a type that has none
 * would otherwise wait for all purchases first.
 */
static bool
find_stored(void *context)
{
	Change *change = context;
	OtRewardTerms merged;

	change->reward_id = ot_reward_find(change->workspace, change->name);
	read_stored(change);
	merge(change, &merged);
	return true;
}

static bool
lock_stored(void *context)
{
	Change *change = context;
	OtArgs args = {0};

	ot_arg_int8(&args, change->workspace);
	ot_arg_int8(&args, change->reward_id);
	if (ot_run(OT_PLAN_REWARD_LOCK, &args) == 0)
		return false;
	read_stored(change);
	return true;
}

static void
read_stored(Change *change)
{
	OtRewardTerms *stored = &change->stored;

	stored->type = ot_reward_type(ot_get_text(0, OT_REWARD_TYPE));
	stored->has_point_value = !ot_is_null(0, OT_REWARD_POINT_VALUE);
	stored->point_value = ot_get_int8(0, OT_REWARD_POINT_VALUE);
	for (int i = 0; i < OT_REWARD_VALUES; i++)
	{
		stored->is_set[i] = !ot_is_null(0, OT_REWARD_FIRST_VALUE + i);
		stored->value[i] = ot_get_int8(0, OT_REWARD_FIRST_VALUE + i);
	}
	change->redeemed_count = ot_get_int8(0, OT_REWARD_REDEEMED_COUNT);
}

static bool
sets_first(const void *context)
{
	const Change *change = context;

	return sets_first_limit(change, OT_REWARD_REDEMPTION_LIMIT) ||
		   sets_first_limit(change, OT_REWARD_CUSTOMER_LIMIT);
}

static bool
sets_first_limit(const Change *change, OtRewardField limit)
{
	return change->passed.is_set[limit] && !change->stored.is_set[limit];
}

static void
write_change(void *context)
{
	Change *change = context;
	OtRewardTerms merged;

	merge(change, &merged);
	count_units(change);
	ot_limit_check(merged.is_set[OT_REWARD_REDEMPTION_LIMIT],
				   merged.value[OT_REWARD_REDEMPTION_LIMIT], change->redeemed_count);
	write_merged(change, &merged);
}

/* Lays what is passed over what is stored, and checks what comes of it. */
static void
merge(const Change *change, OtRewardTerms *merged)
{
	*merged = change->stored;
	for (int i = 0; i < OT_REWARD_VALUES; i++)
	{
		if (change->passed.is_set[i])
			merged->value[i] = change->passed.value[i];
		merged->is_set[i] = change->passed.is_set[i] ||
							(change->stored.is_set[i] && !change->is_cleared[i]);
	}
	ot_reward_terms_check(merged);
}

/* Makes the counters what they would be, had the limits always been set. */
static void
count_units(Change *change)
{
	if (sets_first_limit(change, OT_REWARD_REDEMPTION_LIMIT))
	{
		run_by_id(OT_PLAN_REWARD_COUNT, change);
		change->redeemed_count = ot_get_int8(0, 1);
	}
	if (sets_first_limit(change, OT_REWARD_CUSTOMER_LIMIT))
	{
		run_by_id(OT_PLAN_REWARD_FORGET_CUSTOMERS, change);
		run_by_id(OT_PLAN_REWARD_COUNT_CUSTOMERS, change);
	}
}

static void
write_merged(const Change *change, const OtRewardTerms *merged)
{
	OtArgs args = {0};

	ot_arg_int8(&args, change->workspace);
	ot_arg_int8(&args, change->reward_id);
	ot_reward_terms_add(&args, merged);
	ot_arg_jsonb(&args, change->metadata);
	if (change->has_is_active)
		ot_arg_bool(&args, change->is_active);
	else
		ot_arg_null(&args);
	ot_arg_int8_or_null(&args, merged->is_set[OT_REWARD_REDEMPTION_LIMIT],
						change->redeemed_count);
	ot_arg_time(&args, GetCurrentTimestamp());
	ot_write(OT_PLAN_REWARD_UPDATE, &args, 1);
}

static void
run_by_id(OtPlan plan, const Change *change)
{
	OtArgs args = {0};

	ot_arg_int8(&args, change->workspace);
	ot_arg_int8(&args, change->reward_id);
	ot_run(plan, &args);
}

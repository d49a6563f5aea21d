/*
 * reward_facts.c
 *		Reads all that decides whether a customer gets a reward, as of one
 *		committed state.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "plan.h"
#include "reward_redemption.h"

/* Columns of OT_PLAN_REWARD_FACTS. */
enum
{
	REWARD_ID,
	TYPE,
	COST_IN_POINTS,
	TAX_VALUE,
	POINT_VALUE,
	DATA_SOURCE,
	IS_ACTIVE,
	STARTS_AT,
	EXPIRES_AT,
	VISIBLE_FROM,
	VISIBLE_UNTIL,
	REDEMPTION_LIMIT,
	REDEEMED_COUNT,
	CUSTOMER_LIMIT,
	IS_STOCKED,
	SEGMENT_COUNT,
	DAYS_INACTIVE,
	DAYS_VALID,
	CODE_SOURCE,
	SHARED_CODE,
	REWARD_COLUMNS
};

static void read_reward(const OtRewardRequest *request, OtReward *reward);
static void take_terms(OtReward *reward, const Datum *values, const bool *nulls);
static OtCodeSource code_source_of(const char *name);
static void read_customer(const OtRewardRequest *request, TimestampTz now,
						  OtRewardFacts *facts);
static void read_supply(const OtRewardRequest *request, OtRewardFacts *facts);
static void read_order(const OtRewardRequest *request, OtRewardFacts *facts);
static int64 read_number(OtPlan plan, OtArgs *args);

/* Reads the facts; of what a reward doesn't ask for, nothing. */
void
ot_reward_facts_read(const OtRewardRequest *request, TimestampTz now,
					 OtRewardFacts *facts)
{
	OtReward *reward = &facts->reward;

	memset(facts, 0, sizeof(*facts));
	if (request->bad_message != NULL)
	{
		ot_require_workspace(request->workspace);
		return;
	}
	ot_take_snapshot();
	read_reward(request, reward);
	if (reward->id == 0)
		ot_require_workspace(request->workspace);
	else
	{
		read_customer(request, now, facts);
		if (reward->segment_count > 0)
			facts->is_in_segment =
				ot_reward_segment_match(request->workspace, reward->id, request->customer,
										facts->customer_id, now);
		read_supply(request, facts);
		if (request->base_order_id != 0)
			read_order(request, facts);
	}
	ot_drop_snapshot();
}

static void
read_reward(const OtRewardRequest *request, OtReward *reward)
{
	OtArgs args = {0};
	Datum values[REWARD_COLUMNS];
	bool nulls[REWARD_COLUMNS];

	ot_arg_int8(&args, request->workspace);
	ot_arg_text(&args, request->reward);
	if (ot_read(OT_PLAN_REWARD_FACTS, &args) == 0)
		return;
	ot_get_row(values, nulls);
	reward->id = DatumGetInt64(values[REWARD_ID]);
	reward->type = TextDatumGetCString(values[TYPE]);
	reward->is_cashback = strcmp(reward->type, "cashback") == 0;
	reward->is_percentage = strcmp(reward->type, "percentage_discount_code") == 0;
	reward->cost_in_points = DatumGetInt64(values[COST_IN_POINTS]);
	reward->has_tax_value = !nulls[TAX_VALUE];
	reward->tax_value = nulls[TAX_VALUE] ? 0 : DatumGetInt64(values[TAX_VALUE]);
	reward->point_value = nulls[POINT_VALUE] ? 0 : DatumGetInt64(values[POINT_VALUE]);
	if (!nulls[DATA_SOURCE])
		reward->data_source = TextDatumGetCString(values[DATA_SOURCE]);
	reward->code_source = code_source_of(TextDatumGetCString(values[CODE_SOURCE]));
	if (!nulls[SHARED_CODE])
		reward->shared_code = TextDatumGetCString(values[SHARED_CODE]);
	take_terms(reward, values, nulls);
}

/* Takes when and how often the reward may be had. */
static void
take_terms(OtReward *reward, const Datum *values, const bool *nulls)
{
#define TIME_OR(column, if_null)                                                         \
	(nulls[column] ? (if_null) : DatumGetTimestampTz(values[column]))
#define NUMBER(column) (nulls[column] ? 0 : DatumGetInt64(values[column]))

	reward->is_active = DatumGetBool(values[IS_ACTIVE]);
	reward->starts_at = TIME_OR(STARTS_AT, DT_NOBEGIN);
	reward->expires_at = TIME_OR(EXPIRES_AT, DT_NOEND);
	reward->visible_from = TIME_OR(VISIBLE_FROM, DT_NOBEGIN);
	reward->visible_until = TIME_OR(VISIBLE_UNTIL, DT_NOEND);
	reward->redemption_limit = NUMBER(REDEMPTION_LIMIT);
	reward->redeemed_count = NUMBER(REDEEMED_COUNT);
	reward->customer_limit = NUMBER(CUSTOMER_LIMIT);
	reward->is_stocked = DatumGetBool(values[IS_STOCKED]);
	reward->segment_count = DatumGetInt32(values[SEGMENT_COUNT]);
	reward->days_inactive = DatumGetInt32(values[DAYS_INACTIVE]);
	reward->days_valid = nulls[DAYS_VALID] ? 0 : DatumGetInt32(values[DAYS_VALID]);

#undef TIME_OR
#undef NUMBER
}

static OtCodeSource
code_source_of(const char *name)
{
	return strcmp(name, "generated") == 0 ? OT_CODES_GENERATED
		   : strcmp(name, "shared") == 0  ? OT_CODES_SHARED
		   : strcmp(name, "pool") == 0	  ? OT_CODES_POOL
										  : OT_CODES_NONE;
}

/* Reads the customer, and the points where the reward costs any. */
static void
read_customer(const OtRewardRequest *request, TimestampTz now, OtRewardFacts *facts)
{
	OtPoints *points = &facts->points;
	OtArgs args = {0};

	facts->may_spend = true;
	ot_arg_int8(&args, request->workspace);
	ot_arg_text(&args, request->customer);
	if (ot_read(OT_PLAN_REWARD_CUSTOMER, &args) == 0)
		return;
	facts->customer_id = ot_get_int8(0, 1);
	facts->may_spend = ot_get_bool(0, 2);
	facts->address = ot_get_jsonb(0, 3);
	points->balance = ot_get_int8(0, 4);
	points->movement_count = ot_get_int8(0, 5);
	points->moved_at = ot_get_time(0, 6, DT_NOBEGIN);
	if (points->balance > 0)
		ot_points_lots_read(request->workspace, facts->customer_id, now, DT_NOEND,
							points);
}

/* Reads what there is left for this customer, where a limit asks for it. */
static void
read_supply(const OtRewardRequest *request, OtRewardFacts *facts)
{
	const OtReward *reward = &facts->reward;
	OtArgs used = {0};
	OtArgs stock = {0};
	OtArgs codes = {0};

	ot_arg_int8(&used, request->workspace);
	ot_arg_int8(&used, reward->id);
	stock = codes = used;
	if (reward->customer_limit != 0 && facts->customer_id != 0)
	{
		ot_arg_int8(&used, facts->customer_id);
		facts->customer_used = read_number(OT_PLAN_REWARD_CUSTOMER_USED, &used);
	}
	if (reward->is_stocked)
	{
		ot_arg_text(&stock, request->color);
		ot_arg_text(&stock, request->size);
		facts->stock = read_number(OT_PLAN_REWARD_STOCK, &stock);
	}
	if (reward->code_source == OT_CODES_POOL)
	{
		ot_arg_int8(&codes, request->quantity);
		facts->free_codes = read_number(OT_PLAN_REWARD_FREE_CODES, &codes);
	}
}

/* Reads the first column of the first row; without a row it is 0. */
static int64
read_number(OtPlan plan, OtArgs *args)
{
	return ot_read(plan, args) == 0 ? 0 : ot_get_int8(0, 1);
}

static void
read_order(const OtRewardRequest *request, OtRewardFacts *facts)
{
	OtRewardOrder *order = &facts->order;
	OtArgs args = {0};

	ot_arg_int8(&args, request->workspace);
	ot_arg_int8(&args, request->base_order_id);
	ot_arg_int8(&args, facts->reward.id);
	if (ot_read(OT_PLAN_REWARD_ORDER, &args) == 0)
		return;
	order->is_found = true;
	order->customer_id = ot_get_int8(0, 1);
	order->is_bought = ot_order_status_counts(ot_get_text(0, 2), ot_get_text(0, 3));
	order->value = ot_get_int8(0, 4);
}

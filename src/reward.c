/*
 * reward.c
 *		create_reward: an item of the catalog of what points can buy.
 *
 * Messages don't name codes: who knows one may be able to spend it.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "discount.h"
#include "errcodes.h"
#include "ordertrack.h"
#include "reward_catalog.h"

/* Arguments of create_reward; those in between are numbers and times. */
enum
{
	NAME,
	TYPE,
	PERCENT_OFF = 4,
	POINT_VALUE,
	DATA_SOURCE,
	SEGMENTS = 11,
	STOCK = 14,
	CODE_SOURCE = 17,
	SHARED_CODE,
	IS_ACTIVE,
	METADATA,
	WORKSPACE
};

/* Where each field is among them. */
static const int arguments[OT_REWARD_VALUES] = {2, 3, 7, 8, 9, 10, 12, 13, 15, 16};

typedef struct NewReward
{
	int64 workspace;
	const char *name;
	OtRewardTerms terms;
	Numeric percent_off; /* NULL: none */
	const char *data_source;
	ArrayType *segments;
	OtStock stock;
	const char *code_source;
	const char *shared_code;
	bool is_active;
	Jsonb *metadata;
} NewReward;

static void read_reward(NewReward *reward, FunctionCallInfo fcinfo);
static void read_worth(NewReward *reward, FunctionCallInfo fcinfo);
static void read_codes(NewReward *reward, FunctionCallInfo fcinfo);
static const char *default_code_source(const NewReward *reward);
static void check_code_source(const NewReward *reward);
static int64 insert_reward(const NewReward *reward, TimestampTz now);
static int64 count_segments(const NewReward *reward);
static void insert_segments(const NewReward *reward, int64 reward_id, TimestampTz now);

PG_FUNCTION_INFO_V1(ordertrack_create_reward);

/* Makes a reward and returns its id. */
Datum
ordertrack_create_reward(PG_FUNCTION_ARGS)
{
	NewReward reward = {0};
	TimestampTz now = GetCurrentTimestamp();
	int64 reward_id;

	PreventCommandIfReadOnly("ordertrack.create_reward()");
	read_reward(&reward, fcinfo);

	ot_begin();
	ot_require_workspace(reward.workspace);
	reward_id = insert_reward(&reward, now);
	if (reward.segments != NULL)
		insert_segments(&reward, reward_id, now);
	ot_stock_insert(&reward.stock, reward.workspace, reward_id, now);
	ot_end();
	PG_RETURN_INT64(reward_id);
}

static void
read_reward(NewReward *reward, FunctionCallInfo fcinfo)
{
	reward->name = ot_required_text_arg(fcinfo, NAME, "name", OT_MAX_TEXT);
	reward->terms.type =
		ot_reward_type(ot_required_text_arg(fcinfo, TYPE, "type", OT_MAX_TEXT));
	ot_require_arg(fcinfo, arguments[OT_REWARD_COST_IN_POINTS], "cost_in_points");
	ot_require_arg(fcinfo, arguments[OT_REWARD_DAYS_INACTIVE], "days_inactive");
	ot_reward_terms_read(&reward->terms, fcinfo, arguments);
	read_worth(reward, fcinfo);
	ot_reward_terms_check(&reward->terms);
	reward->data_source = ot_text_arg(fcinfo, DATA_SOURCE, "data_source", OT_MAX_TEXT);
	reward->segments = ot_text_array_arg(fcinfo, SEGMENTS, "segments");
	ot_stock_arg(&reward->stock, fcinfo, STOCK);
	if (reward->stock.is_given && !reward->terms.type->is_offered)
		ot_reward_refuse_field(reward->terms.type, "stock");
	read_codes(reward, fcinfo);
	ot_require_arg(fcinfo, IS_ACTIVE, "is_active");
	reward->is_active = PG_GETARG_BOOL(IS_ACTIVE);
	reward->metadata = ot_object_arg(fcinfo, METADATA, "metadata");
	reward->workspace = ot_workspace_arg(fcinfo, WORKSPACE);
}

/* Two types have a number of their own, and need it. */
static void
read_worth(NewReward *reward, FunctionCallInfo fcinfo)
{
	OtRewardTerms *terms = &reward->terms;
	bool is_percentage = strcmp(terms->type->name, "percentage_discount_code") == 0;
	int64 ignored;

	terms->has_point_value = !PG_ARGISNULL(POINT_VALUE);
	if (terms->has_point_value)
		terms->point_value = PG_GETARG_INT64(POINT_VALUE);
	if (terms->has_point_value != (strcmp(terms->type->name, "cashback") == 0))
		ereport(
			ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
			errmsg("\"point_value\" must be given for type cashback and for no other"));
	if (is_percentage == PG_ARGISNULL(PERCENT_OFF))
		ereport(
			ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
			errmsg(
				"\"percent_off\" must be given for type percentage_discount_code and for no other"));
	if (!is_percentage)
		return;
	reward->percent_off = PG_GETARG_NUMERIC(PERCENT_OFF);
	if (!ot_percent_to_millionths(reward->percent_off, &ignored))
		ereport(
			ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
			errmsg(
				"\"percent_off\" must be above 0 and at most 100, with at most 6 decimals"));
}

static void
read_codes(NewReward *reward, FunctionCallInfo fcinfo)
{
	reward->shared_code = ot_text_arg(fcinfo, SHARED_CODE, "shared_code", OT_MAX_CODE);
	if (reward->shared_code != NULL && *reward->shared_code == '\0')
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("argument \"shared_code\" must not be empty"));
	if (reward->shared_code != NULL && !reward->terms.type->is_offered)
		ot_reward_refuse_field(reward->terms.type, "shared_code");
	reward->code_source = ot_text_arg(fcinfo, CODE_SOURCE, "code_source", OT_MAX_TEXT);
	if (reward->code_source == NULL)
		reward->code_source = default_code_source(reward);
	check_code_source(reward);
}

static const char *
default_code_source(const NewReward *reward)
{
	if (!reward->terms.type->is_offered)
		return "none";
	return reward->shared_code != NULL ? "shared" : "generated";
}

static void
check_code_source(const NewReward *reward)
{
	const char *source = reward->code_source;
	const OtRewardType *type = reward->terms.type;
	bool is_none = strcmp(source, "none") == 0;

	if (!is_none && strcmp(source, "generated") != 0 && strcmp(source, "pool") != 0 &&
		strcmp(source, "shared") != 0)
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("unknown code_source \"%s\"", source),
				errdetail("Sources of codes are generated, pool, shared and none."));
	if (!is_none && !type->is_offered)
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("a reward of type %s has no codes", type->name),
				errhint("Leave code_source out."));
	if (is_none && type->is_offered && strcmp(type->name, "gift") != 0)
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("a reward of type %s needs codes", type->name),
				errhint("code_source may be generated, pool or shared."));
	if ((strcmp(source, "shared") == 0) != (reward->shared_code != NULL))
		ereport(
			ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
			errmsg(
				"\"shared_code\" must be given for code_source shared and for no other"));
}

static int64
insert_reward(const NewReward *reward, TimestampTz now)
{
	int64 segment_count = reward->segments == NULL ? 0 : count_segments(reward);
	OtArgs args = {0};

	ot_arg_int8(&args, reward->workspace);
	ot_arg_text(&args, reward->name);
	ot_arg_text(&args, reward->terms.type->name);
	ot_reward_terms_add(&args, &reward->terms);
	if (reward->percent_off != NULL)
		ot_arg(&args, NumericGetDatum(reward->percent_off));
	else
		ot_arg_null(&args);
	ot_arg_int8_or_null(&args, reward->terms.has_point_value, reward->terms.point_value);
	ot_arg_text(&args, reward->data_source);
	ot_arg_bool(&args, reward->stock.is_given);
	ot_arg_int8(&args, segment_count);
	ot_arg_text(&args, reward->code_source);
	ot_arg_text(&args, reward->shared_code);
	ot_arg_bool(&args, reward->is_active);
	ot_arg_jsonb(&args, reward->metadata);
	ot_arg_time(&args, now);
	if (ot_run(OT_PLAN_REWARD_INSERT, &args) == 0)
		ereport(ERROR, errcode(OT_ERRCODE_EXISTS),
				errmsg("reward \"%s\" already exists", reward->name));
	return ot_get_int8(0, 1);
}

/* A segment that is not known is an error; one that comes twice is one. */
static int64
count_segments(const NewReward *reward)
{
	OtArgs args = {0};

	ot_arg_int8(&args, reward->workspace);
	ot_arg(&args, PointerGetDatum(reward->segments));
	ot_run(OT_PLAN_REWARD_FIND_SEGMENTS, &args);
	if (!ot_is_null(0, 2))
		ereport(ERROR, errcode(OT_ERRCODE_NOT_FOUND),
				errmsg("segment \"%s\" does not exist", ot_get_text(0, 2)));
	return ot_get_int8(0, 1);
}

static void
insert_segments(const NewReward *reward, int64 reward_id, TimestampTz now)
{
	OtArgs args = {0};

	ot_arg_int8(&args, reward->workspace);
	ot_arg_int8(&args, reward_id);
	ot_arg(&args, PointerGetDatum(reward->segments));
	ot_arg_time(&args, now);
	ot_run(OT_PLAN_REWARD_SEGMENTS_INSERT, &args);
}

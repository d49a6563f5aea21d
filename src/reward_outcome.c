/*
 * reward_outcome.c
 *		Tells the caller how redeeming a reward ended, also again.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "plan.h"
#include "reward_redemption.h"

/* Columns of type reward_outcome. */
enum
{
	REDEMPTION_ID,
	RESULT,
	FAILURE_CODE,
	FAILURE_MESSAGE,
	ORDER_ID,
	ISSUED_REWARD_IDS,
	CODES,
	COST_IN_POINTS,
	ACTIVE_POINTS,
	POINTS_MISSING,
	REPLAYED,
	OUTCOME_COLUMNS
};

typedef struct Outcome
{
	Datum values[OUTCOME_COLUMNS];
	bool nulls[OUTCOME_COLUMNS];
} Outcome;

static void begin(Outcome *outcome);
static void set(Outcome *outcome, int column, Datum value);
static void set_int8(Outcome *outcome, int column, int64 value);
static void set_text(Outcome *outcome, int column, const char *value);
static void set_units(Outcome *outcome, int64 count, const int64 *ids,
					  char *const *codes);
static void replay_units(Outcome *outcome, int64 workspace, int64 redemption_id);

/* Gives the outcome of an attempt; what a dry run would make has no ids. */
Datum
ot_reward_outcome_return(FunctionCallInfo fcinfo, const OtRewardAttempt *attempt)
{
	const OtRewardVerdict *verdict = &attempt->verdict;
	Outcome outcome;

	begin(&outcome);
	set_int8(&outcome, REDEMPTION_ID, attempt->facts.redemption_id);
	set_text(&outcome, RESULT, verdict->failure == OT_OK ? "success" : "failure");
	set_text(&outcome, FAILURE_CODE, ot_failure_code(verdict->failure));
	set_text(&outcome, FAILURE_MESSAGE, verdict->message);
	set_int8(&outcome, ORDER_ID, attempt->order_id);
	set_int8(&outcome, POINTS_MISSING, verdict->missing);
	if (verdict->failure == OT_OK)
	{
		set(&outcome, COST_IN_POINTS, Int64GetDatum(verdict->cost));
		set(&outcome, ACTIVE_POINTS,
			Int64GetDatum(attempt->facts.points.active - verdict->cost));
	}
	if (attempt->order_id != 0)
		set_units(&outcome, verdict->quantity, attempt->issued_reward_ids,
				  attempt->codes);
	return ot_return_row(fcinfo, outcome.values, outcome.nulls);
}

/* Gives the outcome that an idempotency key once had. */
Datum
ot_reward_outcome_replay(FunctionCallInfo fcinfo, int64 workspace, int64 redemption_id)
{
	OtArgs args = {0};
	Outcome outcome;
	bool is_success;

	ot_arg_int8(&args, workspace);
	ot_arg_int8(&args, redemption_id);
	if (ot_run(OT_PLAN_REWARD_REPLAY, &args) == 0)
		elog(ERROR, "redemption of a known idempotency key is missing");
	begin(&outcome);
	is_success = strcmp(ot_get_text(0, 1), "success") == 0;
	set_int8(&outcome, REDEMPTION_ID, redemption_id);
	set_text(&outcome, RESULT, ot_get_text(0, 1));
	set_text(&outcome, FAILURE_CODE, ot_get_text(0, 2));
	set_text(&outcome, FAILURE_MESSAGE, ot_get_text(0, 3));
	set_int8(&outcome, ORDER_ID, ot_get_int8(0, 4));
	if (is_success)
		set(&outcome, COST_IN_POINTS, Int64GetDatum(ot_get_int8(0, 5)));
	set_int8(&outcome, POINTS_MISSING, ot_get_int8(0, 6));
	set(&outcome, REPLAYED, BoolGetDatum(true));
	if (is_success)
		replay_units(&outcome, workspace, redemption_id);
	return ot_return_row(fcinfo, outcome.values, outcome.nulls);
}

static void
replay_units(Outcome *outcome, int64 workspace, int64 redemption_id)
{
	OtArgs args = {0};
	uint64 count;
	int64 *ids;
	char **codes;

	ot_arg_int8(&args, workspace);
	ot_arg_int8(&args, redemption_id);
	count = ot_run(OT_PLAN_REWARD_ISSUED, &args);
	if (count == 0)
		elog(ERROR, "units of a known idempotency key are missing");
	ids = palloc(sizeof(int64) * count);
	codes = palloc(sizeof(char *) * count);
	for (uint64 i = 0; i < count; i++)
	{
		ids[i] = ot_get_int8(i, 1);
		codes[i] = ot_get_text(i, 2);
	}
	set(outcome, ACTIVE_POINTS, Int64GetDatum(ot_get_int8(0, 3)));
	set_units(outcome, count, ids, codes);
}

static void
begin(Outcome *outcome)
{
	memset(outcome, 0, sizeof(*outcome));
	memset(outcome->nulls, true, sizeof(outcome->nulls));
	set(outcome, REPLAYED, BoolGetDatum(false));
}

static void
set(Outcome *outcome, int column, Datum value)
{
	outcome->values[column] = value;
	outcome->nulls[column] = false;
}

/* Sets an id or a number of which 0 means that there is none. */
static void
set_int8(Outcome *outcome, int column, int64 value)
{
	if (value != 0)
		set(outcome, column, Int64GetDatum(value));
}

static void
set_text(Outcome *outcome, int column, const char *value)
{
	if (value != NULL)
		set(outcome, column, CStringGetTextDatum(value));
}

/* Sets the units in their order; a reward without codes has no array of them. */
static void
set_units(Outcome *outcome, int64 count, const int64 *ids, char *const *codes)
{
	Datum *id_values = palloc(sizeof(Datum) * count);
	Datum *code_values = palloc(sizeof(Datum) * count);

	for (int64 i = 0; i < count; i++)
	{
		id_values[i] = Int64GetDatum(ids[i]);
		if (codes[0] != NULL)
			code_values[i] = CStringGetTextDatum(codes[i]);
	}
	set(outcome, ISSUED_REWARD_IDS,
		PointerGetDatum(construct_array(id_values, count, INT8OID, sizeof(int64), true,
										TYPALIGN_DOUBLE)));
	if (codes[0] != NULL)
		set(outcome, CODES,
			PointerGetDatum(
				construct_array(code_values, count, TEXTOID, -1, false, TYPALIGN_INT)));
}

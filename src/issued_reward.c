/*
 * issued_reward.c
 *		mark_used, unmark_used: whether customers used what they got, one unit or
 *		many, each decided on its own.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "errcodes.h"
#include "issued_reward.h"

PG_FUNCTION_INFO_V1(ordertrack_mark_used);
PG_FUNCTION_INFO_V1(ordertrack_mark_used_array);
PG_FUNCTION_INFO_V1(ordertrack_unmark_used);
PG_FUNCTION_INFO_V1(ordertrack_unmark_used_array);

#define OUTCOME_COLUMNS 6 /* of type issued_reward_outcome */

typedef struct Marking
{
	OtRowChange change; /* of the unit whose turn it is */
	bool is_used;		/* what the units are to be */
	int count;			/* units that there are, by id */
	OtUnit *units;
	ReturnSetInfo *result;
} Marking;

static Datum mark(FunctionCallInfo fcinfo, ArrayType *ids, bool is_used);
static ArrayType *id_arg(FunctionCallInfo fcinfo);
static ArrayType *ids_arg(FunctionCallInfo fcinfo);
static void mark_units(Marking *marking, ArrayType *ids);
static OtUnit *find_unit(const Marking *marking, int64 id);
static int compare_units(const void *key, const void *unit);
static OtUseFailure mark_unit(Marking *marking, OtUnit *unit);
static void answer(const Marking *marking, const OtUnit *unit, OtUseFailure failure);

/* Marks a unit as used. */
Datum
ordertrack_mark_used(PG_FUNCTION_ARGS)
{
	PreventCommandIfReadOnly("ordertrack.mark_used()");
	return mark(fcinfo, id_arg(fcinfo), true);
}

/* Marks an array of units as used. */
Datum
ordertrack_mark_used_array(PG_FUNCTION_ARGS)
{
	PreventCommandIfReadOnly("ordertrack.mark_used()");
	return mark(fcinfo, ids_arg(fcinfo), true);
}

/* Marks a unit as unused. */
Datum
ordertrack_unmark_used(PG_FUNCTION_ARGS)
{
	PreventCommandIfReadOnly("ordertrack.unmark_used()");
	return mark(fcinfo, id_arg(fcinfo), false);
}

/* Marks an array of units as unused. */
Datum
ordertrack_unmark_used_array(PG_FUNCTION_ARGS)
{
	PreventCommandIfReadOnly("ordertrack.unmark_used()");
	return mark(fcinfo, ids_arg(fcinfo), false);
}

static ArrayType *
id_arg(FunctionCallInfo fcinfo)
{
	Datum id = Int64GetDatum(ot_id_arg(fcinfo, 0, "issued_reward_id"));

	return construct_array(&id, 1, INT8OID, sizeof(int64), FLOAT8PASSBYVAL,
						   TYPALIGN_DOUBLE);
}

static ArrayType *
ids_arg(FunctionCallInfo fcinfo)
{
	ArrayType *ids = PG_ARGISNULL(0) ? NULL : PG_GETARG_ARRAYTYPE_P(0);
	int count;

	if (ids == NULL || array_contains_nulls(ids))
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("argument \"issued_reward_ids\" must be an array without nulls"));
	count = ArrayGetNItems(ARR_NDIM(ids), ARR_DIMS(ids));
	if (count > OT_MAX_BATCH)
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("too many issued rewards in a call"),
				errdetail("There are %d, at most %d are allowed.", count, OT_MAX_BATCH));
	return ids;
}

/* The clock is read under the locks: whoever held them may have issued units. */
static Datum
mark(FunctionCallInfo fcinfo, ArrayType *ids, bool is_used)
{
	Marking marking = {0};

	marking.is_used = is_used;
	marking.change.table = "issued_rewards";
	marking.result = (ReturnSetInfo *) fcinfo->resultinfo;
	marking.change.channel = ot_text_arg(fcinfo, 1, "channel", OT_MAX_TEXT);
	marking.change.actor = ot_text_arg(fcinfo, 2, "actor", OT_MAX_TEXT);
	marking.change.workspace = ot_workspace_arg(fcinfo, 3);
	InitMaterializedSRF(fcinfo, 0);

	ot_begin();
	marking.count = ot_units_lock(marking.change.workspace, ids, &marking.units);
	if (marking.count == 0)
		ot_require_workspace(marking.change.workspace);
	marking.change.now = GetCurrentTimestamp();
	mark_units(&marking, ids);
	ot_end();
	return (Datum) 0;
}

static void
mark_units(Marking *marking, ArrayType *ids)
{
	Datum *elements;
	int count;

	deconstruct_array(ids, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE,
					  &elements, NULL, &count);
	for (int i = 0; i < count; i++)
	{
		OtUnit *unit;

		marking->change.id = DatumGetInt64(elements[i]);
		unit = find_unit(marking, marking->change.id);
		answer(marking, unit, unit == NULL ? OT_USE_NOT_FOUND : mark_unit(marking, unit));
	}
}

static OtUnit *
find_unit(const Marking *marking, int64 id)
{
	return bsearch(&id, marking->units, marking->count, sizeof(OtUnit), compare_units);
}

static int
compare_units(const void *key, const void *unit)
{
	int64 id = *(const int64 *) key;
	int64 other = ((const OtUnit *) unit)->id;

	return (id > other) - (id < other);
}

/* Marks a unit where that is allowed, in the table and in our copy of its row. */
static OtUseFailure
mark_unit(Marking *marking, OtUnit *unit)
{
	OtUseFailure failure = ot_unit_judge_use(unit, marking->is_used, marking->change.now);
	OtArgs args = {0};

	if (failure != OT_USE_OK)
		return failure;
	unit->is_used = marking->is_used;
	unit->used_at = marking->change.now;
	unit->delivery_status = marking->is_used ? "ordered" : NULL;
	ot_arg_int8(&args, marking->change.workspace);
	ot_arg_int8(&args, unit->id);
	if (unit->is_used)
		ot_arg_time(&args, unit->used_at);
	else
		ot_arg_null(&args);
	ot_arg_text(&args, unit->delivery_status);
	ot_change_row(&marking->change, OT_PLAN_ISSUED_REWARD_USE, &args);
	return OT_USE_OK;
}

static void
answer(const Marking *marking, const OtUnit *unit, OtUseFailure failure)
{
	Datum values[OUTCOME_COLUMNS] = {0};
	bool nulls[OUTCOME_COLUMNS] = {false};

	values[0] = Int64GetDatum(marking->change.id);
	values[1] = CStringGetTextDatum(failure == OT_USE_OK ? "success" : "failure");
	nulls[2] = nulls[3] = failure == OT_USE_OK;
	if (failure != OT_USE_OK)
	{
		values[2] = CStringGetTextDatum(ot_use_failure_code(failure));
		values[3] = CStringGetTextDatum(ot_use_failure_message(failure));
	}
	nulls[4] = nulls[5] = unit == NULL || !unit->is_used;
	if (!nulls[4])
	{
		values[4] = TimestampTzGetDatum(unit->used_at);
		values[5] = CStringGetTextDatum(unit->delivery_status);
	}
	tuplestore_putvalues(marking->result->setResult, marking->result->setDesc, values,
						 nulls);
}

/*
 * order_as_of.c
 *		An order as it was, and what changed, from its history alone.
 */
#include "postgres.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "errcodes.h"
#include "order_state.h"

PG_FUNCTION_INFO_V1(ordertrack_order_as_of);
PG_FUNCTION_INFO_V1(ordertrack_order_changes);

static uint64 read_notes(int64 workspace, int64 order_id);
static void fold(OtOrderState *state, uint64 count, TimestampTz after, TimestampTz until);
static void add_change(void *context, const OtValue *old, const OtValue *new);

/* Gives the order as it was at a moment, NULL before it existed. */
Datum
ordertrack_order_as_of(PG_FUNCTION_ARGS)
{
	int64 order_id = ot_id_arg(fcinfo, 0, "order_id");
	TimestampTz at = PG_ARGISNULL(1) ? DT_NOEND : PG_GETARG_TIMESTAMPTZ(1);
	int64 workspace = ot_workspace_arg(fcinfo, 2);
	OtOrderState state = {0};

	ot_begin();
	fold(&state, read_notes(workspace, order_id), DT_NOBEGIN, at);
	ot_end();
	if (!state.has_begun)
		PG_RETURN_NULL();
	PG_RETURN_JSONB_P(ot_state_to_json(&state, order_id));
}

/* Lists the values that differ between two moments. */
Datum
ordertrack_order_changes(PG_FUNCTION_ARGS)
{
	int64 order_id = ot_id_arg(fcinfo, 0, "order_id");
	TimestampTz from = PG_ARGISNULL(1) ? DT_NOBEGIN : PG_GETARG_TIMESTAMPTZ(1);
	TimestampTz to = PG_ARGISNULL(2) ? DT_NOEND : PG_GETARG_TIMESTAMPTZ(2);
	int64 workspace = ot_workspace_arg(fcinfo, 3);
	OtOrderState before = {0};
	OtOrderState after;
	uint64 count;

	if (from > to)
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("argument \"from_at\" is after \"to_at\""));
	InitMaterializedSRF(fcinfo, 0);
	ot_begin();
	count = read_notes(workspace, order_id);
	fold(&before, count, DT_NOBEGIN, from);
	ot_state_copy(&after, &before);
	fold(&after, count, from, to);
	ot_end();
	ot_state_compare(&before, &after, add_change, fcinfo->resultinfo);
	return (Datum) 0;
}

/* Reads all notes of an order, of which the caller takes those of its time. */
static uint64
read_notes(int64 workspace, int64 order_id)
{
	OtArgs order = {0};
	OtArgs notes;

	ot_arg_int8(&order, workspace);
	ot_arg_int8(&order, order_id);
	notes = order;
	if (ot_read(OT_PLAN_ORDER_READ, &order) == 0)
		ot_order_refuse(workspace, order_id);
	return ot_read(OT_PLAN_NOTE_LIST, &notes);
}

/* Counts the notes of a time, the one that it begins with left out. */
static void
fold(OtOrderState *state, uint64 count, TimestampTz after, TimestampTz until)
{
	for (uint64 row = 0; row < count; row++)
	{
		OtNote note;
		int32 note_no = ot_note_get(row, &note);

		CHECK_FOR_INTERRUPTS();
		if (note.created_at > after && note.created_at <= until)
			ot_state_apply(state, note_no, &note);
	}
}

static void
add_change(void *context, const OtValue *old, const OtValue *new)
{
	ReturnSetInfo *result = context;
	bool has_old = old != NULL && old->is_set;
	Datum values[5] = {0};
	bool nulls[5] = {false};

	values[0] = CStringGetTextDatum(ot_value_path(new));
	nulls[1] = !has_old;
	nulls[2] = !new->is_set;
	if (has_old)
		values[1] = JsonbPGetDatum(ot_value_to_json(old));
	if (new->is_set)
		values[2] = JsonbPGetDatum(ot_value_to_json(new));
	values[3] = Int32GetDatum(new->note_no);
	values[4] = TimestampTzGetDatum(new->changed_at);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

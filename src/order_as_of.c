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

/* What to count of an order's notes. */
typedef struct Span
{
	OtOrderState *state;
	TimestampTz after; /* this moment left out */
	TimestampTz until;
} Span;

static void check_order(OtArgs *order, int64 workspace, int64 order_id);
static void fold(OtOrderState *state, const OtArgs *order, TimestampTz after,
				 TimestampTz until);
static void apply_note(void *context, uint64 row);
static void add_change(void *context, const OtValue *old, const OtValue *new);

/* Gives the order as it was at a moment, NULL before it existed. */
Datum
ordertrack_order_as_of(PG_FUNCTION_ARGS)
{
	int64 order_id = ot_id_arg(fcinfo, 0, "order_id");
	TimestampTz at = PG_ARGISNULL(1) ? DT_NOEND : PG_GETARG_TIMESTAMPTZ(1);
	int64 workspace = ot_workspace_arg(fcinfo, 2);
	OtOrderState state;
	OtArgs order = {0};

	ot_state_begin(&state);
	ot_begin();
	check_order(&order, workspace, order_id);
	fold(&state, &order, DT_NOBEGIN, at);
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
	OtOrderState before;
	OtOrderState after;
	OtArgs order = {0};

	if (from > to)
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("argument \"from_at\" is after \"to_at\""));
	InitMaterializedSRF(fcinfo, 0);
	ot_state_begin(&before);
	ot_begin();
	check_order(&order, workspace, order_id);
	fold(&before, &order, DT_NOBEGIN, from);
	ot_state_copy(&after, &before);
	fold(&after, &order, from, to);
	ot_end();
	ot_state_compare(&before, &after, add_change, fcinfo->resultinfo);
	return (Datum) 0;
}

/* Refuses an order that is not there. */
static void
check_order(OtArgs *order, int64 workspace, int64 order_id)
{
	ot_arg_int8(order, workspace);
	ot_arg_int8(order, order_id);
	if (ot_read(OT_PLAN_ORDER_READ, order) == 0)
		ot_order_refuse(workspace, order_id);
}

/* Counts the notes of a time, one after the other: a history may be long. */
static void
fold(OtOrderState *state, const OtArgs *order, TimestampTz after, TimestampTz until)
{
	Span span = {state, after, until};
	OtArgs notes = *order;

	ot_read_each(OT_PLAN_NOTE_LIST, &notes, apply_note, &span);
}

static void
apply_note(void *context, uint64 row)
{
	const Span *span = context;
	OtNote note;
	int32 note_no = ot_note_get(row, &note);

	CHECK_FOR_INTERRUPTS();
	if (note.created_at > span->after && note.created_at <= span->until)
		ot_state_apply(span->state, note_no, &note);
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

/*
 * verify.c
 *		Computes an order's history again, compares the order with what it tells,
 *		and lists all that is wrong.
 */
#include "postgres.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "order_state.h"

PG_FUNCTION_INFO_V1(ordertrack_verify_order);

typedef struct Check
{
	ReturnSetInfo *result;
	int64 workspace;
	int64 order_id;
	char *status;	   /* of the order's row */
	OtHead row_head;   /* of the order's row */
	OtHead head;	   /* computed over the notes */
	char *last_status; /* of the last note that tells one */
	OtOrderState told; /* what the notes tell of the order */
	bool is_damaged;   /* they can't be relied on */
	OtThing reported;  /* the last part of the order that was */
} Check;

static void check_notes(Check *check);
static void check_note(void *context, uint64 row);
static char *told_status(const Jsonb *data);
static void check_order(Check *check);
static void check_lines(Check *check);
static void check_state(Check *check);
static void report_difference(void *context, const OtValue *stored, const OtValue *told);
static const char *spell(const OtValue *value);
static void check_triggers(Check *check);
static void report_gap(Check *check, int64 last, const char *reason);
static void report_note(Check *check, int32 note_no, const char *problem,
						const char *detail);
static void report_order(Check *check, const char *problem, const char *detail);
static void add_finding(Check *check, bool is_note, int32 note_no, const char *problem,
						const char *detail);

/* Lists what is wrong with an order's history. */
Datum
ordertrack_verify_order(PG_FUNCTION_ARGS)
{
	Check check = {0};
	OtArgs args = {0};
	bytea *hash;

	check.order_id = ot_id_arg(fcinfo, 0, "order_id");
	check.workspace = ot_workspace_arg(fcinfo, 1);
	InitMaterializedSRF(fcinfo, 0);
	check.result = (ReturnSetInfo *) fcinfo->resultinfo;

	ot_arg_int8(&args, check.workspace);
	ot_arg_int8(&args, check.order_id);
	ot_begin();
	if (ot_read(OT_PLAN_ORDER_READ, &args) == 0)
		ot_order_refuse(check.workspace, check.order_id);
	check.status = ot_get_text(0, 1);
	hash = ot_get_bytes(0, 6);
	ot_head_set(&check.row_head, ot_get_int4(0, 5), hash);
	check_notes(&check);
	check_order(&check);
	check_lines(&check);
	check_state(&check);
	check_triggers(&check);
	ot_end();
	return (Datum) 0;
}

static void
check_notes(Check *check)
{
	OtArgs args = {0};

	ot_state_begin(&check->told);
	ot_arg_int8(&args, check->workspace);
	ot_arg_int8(&args, check->order_id);
	ot_read_each(OT_PLAN_NOTE_LIST, &args, check_note, check);
	report_gap(check, check->row_head.note_no, "the order's row counts");
}

/*
 * Computes a note's hash from the stored hash before it, so that one altered
 * note is one finding and not one for every note after it.
 */
static void
check_note(void *context, uint64 row)
{
	Check *check = context;
	OtNote note;
	int32 note_no = ot_note_get(row, &note);
	bytea *stored = ot_note_get_hash(row);
	bool is_preceded = note_no == check->head.note_no + 1;
	char *status;

	CHECK_FOR_INTERRUPTS();
	report_gap(check, (int64) note_no - 1, "a later note follows");
	if (note_no < 1 || note_no > check->row_head.note_no)
		report_note(check, note_no, "extra_note", "The order's row does not count it.");
	if (note_no < 1)
		return;

	note.workspace = check->workspace;
	note.order_id = check->order_id;
	ot_head_advance(&check->head, &note);
	if (is_preceded &&
		(VARSIZE_ANY_EXHDR(stored) != OT_HASH_LENGTH ||
		 memcmp(VARDATA_ANY(stored), check->head.hash, OT_HASH_LENGTH) != 0))
		report_note(check, note_no, "altered_note",
					"Its hash is not that of what it says.");
	ot_head_set(&check->head, note_no, stored);

	if (note_no == 1 && strcmp(note.event_type, "order_created") != 0)
		report_note(check, note_no, "no_history",
					"The history does not begin with the order's creation.");

	status = note.is_custom ? NULL : told_status(note.data);
	if (status != NULL)
		check->last_status = MemoryContextStrdup(check->told.memory, status);
	ot_state_apply(&check->told, note_no, &note);
}

/* A new order's note tells its status, a change {"old": ..., "new": ...}. */
static char *
told_status(const Jsonb *data)
{
	JsonbValue *status;
	char *text = NULL;

	if (data == NULL || !ot_json_is_object(data))
		return NULL;
	status = ot_json_find(unconstify(JsonbContainer *, &data->root), "status");
	if (status == NULL)
		return NULL;
	if (status->type == jbvString)
		return pnstrdup(status->val.string.val, status->val.string.len);
	if (status->type == jbvBinary && JsonContainerIsObject(status->val.binary.data))
		(void) ot_json_text(status->val.binary.data, "new", OT_MAX_TEXT, &text);
	return text;
}

static void
check_order(Check *check)
{
	if (check->row_head.note_no == 0 && check->head.note_no == 0)
	{
		report_order(check, "no_history", "The order was inserted without ordertrack.");
		return;
	}
	if (check->head.note_no == check->row_head.note_no &&
		memcmp(check->head.hash, check->row_head.hash, OT_HASH_LENGTH) != 0)
		add_finding(check, true, check->head.note_no, "head_mismatch",
					"The order's row has another hash than its newest note.");
	if (check->last_status == NULL || strcmp(check->last_status, check->status) != 0)
		report_order(
			check, "status_mismatch",
			psprintf("The order's status is %s, its history says %s.", check->status,
					 check->last_status == NULL ? "nothing" : check->last_status));
}

/* A line's discount is the sum of what its live redemptions gave. */
static void
check_lines(Check *check)
{
	OtArgs args = {0};
	uint64 count;

	ot_arg_int8(&args, check->workspace);
	ot_arg_int8(&args, check->order_id);
	count = ot_read(OT_PLAN_ITEMS_WRONG, &args);
	for (uint64 i = 0; i < count; i++)
		report_order(check, "line_mismatch",
					 psprintf("The discount of line %d is " INT64_FORMAT
							  ", its live redemptions gave " INT64_FORMAT ".",
							  ot_get_int4(i, 1), ot_get_int8(i, 2), ot_get_int8(i, 3)));
}

/*
 * Compares the order as it is with what its notes tell; where those are damaged,
 * or don't tell its beginning, nothing can be said.
 */
static void
check_state(Check *check)
{
	OtOrderState stored;
	OtArgs args = {0};

	if (check->is_damaged || !check->told.has_begun)
		return;
	ot_arg_int8(&args, check->workspace);
	ot_arg_int8(&args, check->order_id);
	ot_read(OT_PLAN_ORDER_STATE, &args);
	ot_state_begin(&stored);
	ot_state_read(&stored, ot_get_jsonb(0, 1));
	ot_state_compare(&stored, &check->told, report_difference, check);
}

/* Adds one finding for a value of the order itself, and one for all of a part of it. */
static void
report_difference(void *context, const OtValue *stored, const OtValue *told)
{
	static const char *const names[OT_PART_COUNT] = {NULL, "Line", "Shipment", "Payment",
													 "Return"};
	Check *check = context;
	const OtValue *value = stored != NULL ? stored : told;
	const OtThing *thing = &value->thing;

	if (thing->part == OT_PART_ORDER && value->field == OT_FIELD_STATUS)
		return; /* a finding of its own */
	if (thing->part == OT_PART_ORDER)
		report_order(check, "state_mismatch",
					 psprintf("The order's %s is %s, its history says %s.",
							  ot_field_kinds[value->field].name, spell(stored),
							  spell(told)));
	else if (thing->part != check->reported.part || thing->id != check->reported.id)
		report_order(check, "state_mismatch",
					 psprintf("%s " INT64_FORMAT " is not what the history says.",
							  names[thing->part], thing->id));
	check->reported = *thing;
}

static const char *
spell(const OtValue *value)
{
	if (value == NULL || !value->is_set)
		return "nothing";
	if (ot_field_kinds[value->field].is_number)
		return psprintf(INT64_FORMAT, value->number);
	return value->text;
}

static void
check_triggers(Check *check)
{
	OtArgs args = {0};
	uint64 count = ot_read(OT_PLAN_UNARMED_TRIGGERS, &args);

	for (uint64 i = 0; i < count; i++)
		report_order(check, "trigger_not_armed",
					 psprintf("Trigger %s of table %s is %s.", ot_get_text(i, 2),
							  ot_get_text(i, 1), ot_get_text(i, 3)));
}

/* Adds one finding for all the notes between the last one seen and another. */
static void
report_gap(Check *check, int64 last, const char *reason)
{
	int64 first = (int64) check->head.note_no + 1;

	if (last == first)
		report_note(check, (int32) first, "missing_note",
					psprintf("Note " INT64_FORMAT " is missing, %s it.", first, reason));
	else if (last > first)
		report_note(check, (int32) first, "missing_note",
					psprintf("Notes " INT64_FORMAT " to " INT64_FORMAT
							 " are missing, %s them.",
							 first, last, reason));
}

static void
report_note(Check *check, int32 note_no, const char *problem, const char *detail)
{
	check->is_damaged = true;
	add_finding(check, true, note_no, problem, detail);
}

static void
report_order(Check *check, const char *problem, const char *detail)
{
	add_finding(check, false, 0, problem, detail);
}

static void
add_finding(Check *check, bool is_note, int32 note_no, const char *problem,
			const char *detail)
{
	Datum values[4];
	bool nulls[4] = {false};

	values[0] = Int64GetDatum(check->order_id);
	values[1] = Int32GetDatum(note_no);
	nulls[1] = !is_note;
	values[2] = CStringGetTextDatum(problem);
	values[3] = CStringGetTextDatum(detail);
	tuplestore_putvalues(check->result->setResult, check->result->setDesc, values, nulls);
}

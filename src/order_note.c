/*
 * order_note.c
 *		Custom notes, which people write and may change with a trace, and
 *		reading an order's history.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "errcodes.h"
#include "ordertrack.h"

PG_FUNCTION_INFO_V1(ordertrack_add_note);
PG_FUNCTION_INFO_V1(ordertrack_edit_note);
PG_FUNCTION_INFO_V1(ordertrack_delete_note);
PG_FUNCTION_INFO_V1(ordertrack_order_history);

/* Columns of OT_PLAN_NOTE_LIST. */
enum
{
	NOTE_NO = 2,
	NOTE_TYPE,
	EVENT_TYPE,
	CHANNEL,
	AUTHOR,
	TITLE,
	DETAIL,
	DATA,
	CREATED_AT,
	HASH = 13
};

static int32 note_no_arg(FunctionCallInfo fcinfo);
static int32 touch(const OtChange *change);
static void change_custom_note(const OtChange *change, int32 note_no, const char *title,
							   const char *detail);
static void check_may_change(const OtChange *change, int32 note_no);
static Jsonb *describe(int32 note_no, const char *actor);

/* Adds a custom note. */
Datum
ordertrack_add_note(PG_FUNCTION_ARGS)
{
	OtChange change = {0};
	int32 note_no;

	PreventCommandIfReadOnly("ordertrack.add_note()");
	change.order_id = ot_id_arg(fcinfo, 0, "order_id");
	change.detail = ot_required_text_arg(fcinfo, 1, "detail", OT_MAX_DETAIL);
	change.title = ot_text_arg(fcinfo, 2, "title", OT_MAX_TEXT);
	change.channel = ot_text_arg(fcinfo, 3, "channel", OT_MAX_TEXT);
	change.actor = ot_text_arg(fcinfo, 4, "actor", OT_MAX_TEXT);
	change.workspace = ot_workspace_arg(fcinfo, 5);
	change.now = GetCurrentTimestamp();
	change.is_custom = true;
	change.event_type = "none";
	change.data = describe(0, change.actor);

	ot_begin();
	note_no = touch(&change);
	ot_end();
	PG_RETURN_INT32(note_no);
}

/* Replaces the words of a custom note. */
Datum
ordertrack_edit_note(PG_FUNCTION_ARGS)
{
	OtChange change = {0};
	int32 note_no = note_no_arg(fcinfo);
	char *detail = ot_required_text_arg(fcinfo, 2, "detail", OT_MAX_DETAIL);
	char *title = ot_text_arg(fcinfo, 3, "title", OT_MAX_TEXT);

	PreventCommandIfReadOnly("ordertrack.edit_note()");
	change.order_id = ot_id_arg(fcinfo, 0, "order_id");
	change.channel = ot_text_arg(fcinfo, 4, "channel", OT_MAX_TEXT);
	change.actor = ot_text_arg(fcinfo, 5, "actor", OT_MAX_TEXT);
	change.workspace = ot_workspace_arg(fcinfo, 6);
	change.event_type = "note_edited";
	change_custom_note(&change, note_no, title, detail);
	PG_RETURN_VOID();
}

/* Empties a custom note; its row stays. */
Datum
ordertrack_delete_note(PG_FUNCTION_ARGS)
{
	OtChange change = {0};
	int32 note_no = note_no_arg(fcinfo);

	PreventCommandIfReadOnly("ordertrack.delete_note()");
	change.order_id = ot_id_arg(fcinfo, 0, "order_id");
	change.channel = ot_text_arg(fcinfo, 2, "channel", OT_MAX_TEXT);
	change.actor = ot_text_arg(fcinfo, 3, "actor", OT_MAX_TEXT);
	change.workspace = ot_workspace_arg(fcinfo, 4);
	change.event_type = "note_deleted";
	change_custom_note(&change, note_no, NULL, NULL);
	PG_RETURN_VOID();
}

static int32
note_no_arg(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(1))
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("argument \"note_no\" must not be null"));
	return PG_GETARG_INT32(1);
}

/* Lists the notes of an order. */
Datum
ordertrack_order_history(PG_FUNCTION_ARGS)
{
	int64 order_id = ot_id_arg(fcinfo, 0, "order_id");
	int64 workspace = ot_workspace_arg(fcinfo, 1);
	OtArgs order = {0};
	OtArgs notes = {0};

	ot_arg_int8(&order, workspace);
	ot_arg_int8(&order, order_id);
	notes = order;
	ot_begin();
	if (ot_read(OT_PLAN_ORDER_READ, &order) == 0)
		ot_order_refuse(workspace, order_id);
	ot_return_rows(fcinfo, ot_read(OT_PLAN_NOTE_LIST, &notes));
	ot_end();
	return (Datum) 0;
}

/* Reads a listed note, all but whose it is, and gives its number. */
int32
ot_note_get(uint64 row, OtNote *note)
{
	memset(note, 0, sizeof(*note));
	note->is_custom = strcmp(ot_get_text(row, NOTE_TYPE), "custom") == 0;
	note->event_type = ot_get_text(row, EVENT_TYPE);
	note->channel = ot_get_text(row, CHANNEL);
	note->author = ot_get_text(row, AUTHOR);
	note->title = ot_get_text(row, TITLE);
	note->detail = ot_get_text(row, DETAIL);
	note->data = ot_get_jsonb(row, DATA);
	note->created_at = ot_get_time(row, CREATED_AT, 0);
	return ot_get_int4(row, NOTE_NO);
}

/* Gives the hash that is stored with a listed note. */
bytea *
ot_note_get_hash(uint64 row)
{
	return ot_get_bytes(row, HASH);
}

/* Lets the triggers of orders write the note of a change; gives its number. */
static int32
touch(const OtChange *change)
{
	OtArgs args = {0};

	ot_arg_int8(&args, change->workspace);
	ot_arg_int8(&args, change->order_id);
	if (ot_change_order(change, OT_PLAN_ORDER_TOUCH, &args) == 0)
		ot_order_refuse(change->workspace, change->order_id);
	return ot_get_int4(0, 1);
}

static void
change_custom_note(const OtChange *common, int32 note_no, const char *title,
				   const char *detail)
{
	OtChange change = *common;
	bool is_delete = detail == NULL;

	change.now = GetCurrentTimestamp();
	change.data = describe(note_no, change.actor);
	ot_begin();
	(void) touch(&change); /* locks the order before its note is looked at */
	check_may_change(&change, note_no);
	if (ot_note_edit(change.workspace, change.order_id, note_no, title, detail, is_delete,
					 change.now) != 1)
		elog(ERROR, "note %d has vanished", note_no);
	ot_end();
}

/* Refuses system notes, deleted notes, and other people's. */
static void
check_may_change(const OtChange *change, int32 note_no)
{
	OtArgs args = {0};
	char *author;

	ot_arg_int8(&args, change->workspace);
	ot_arg_int8(&args, change->order_id);
	ot_arg_int4(&args, note_no);
	if (ot_run(OT_PLAN_NOTE_READ, &args) == 0)
		ereport(
			ERROR, errcode(OT_ERRCODE_NO_ORDER),
			errmsg("order " INT64_FORMAT " has no note %d", change->order_id, note_no));
	if (strcmp(ot_get_text(0, 1), "custom") != 0)
		ereport(ERROR, errcode(OT_ERRCODE_IMMUTABLE),
				errmsg("system notes cannot be changed"),
				errhint("Add a note of your own with ordertrack.add_note()."));
	if (!ot_is_null(0, 3))
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("note %d is already deleted", note_no));
	author = ot_get_text(0, 2);
	if (strcmp(author, ot_outer_role()) != 0 && !ot_outer_is_admin())
		ereport(ERROR, errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				errmsg("permission denied for note %d", note_no),
				errdetail("Only its author or a role with admin access may change it."));
}

/*
 * Puts the reason of a change, where there is one, before its note, as a custom
 * note: people's words can be edited and deleted there.
 */
void
ot_change_explain(OtChange *change, const char *reason)
{
	if (reason == NULL || *reason == '\0')
		return;
	if (change->event_type != NULL)
	{
		const char **events = palloc(sizeof(char *));
		Jsonb **data = palloc(sizeof(Jsonb *));

		events[0] = change->event_type;
		data[0] = change->data;
		change->more_count = 1;
		change->more_events = events;
		change->more_data = data;
	}
	change->event_type = "none";
	change->is_custom = true;
	change->detail = reason;
	change->data = describe(0, change->actor);
}

static Jsonb *
describe(int32 note_no, const char *actor)
{
	OtJson json;
	Jsonb *data;

	ot_json_begin(&json);
	if (note_no != 0)
		ot_json_add_int8(&json, "note_no", note_no);
	ot_note_sign(&json, actor);
	data = ot_json_end(&json);
	return ot_json_is_empty(data) ? NULL : data;
}

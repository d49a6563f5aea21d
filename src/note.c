/*
 * note.c
 *		Writes order notes and hashes them; nothing else in the extension does.
 *
 * hash = SHA-256(0x00 || "ordertrack/1" || fields || note_no || hash before),
 * where a field that is not NULL is its column number (2 bytes), its length (4)
 * and its bytes; integers are big-endian, time is microseconds since 2000 UTC,
 * text is UTF-8.  Column numbers are ours and never used again for another.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "ordertrack.h"

enum
{
	COLUMN_WORKSPACE = 1,
	COLUMN_ORDER,
	COLUMN_NOTE_TYPE,
	COLUMN_EVENT_TYPE,
	COLUMN_CHANNEL,
	COLUMN_AUTHOR,
	COLUMN_TITLE,  /* of system notes: people may edit theirs */
	COLUMN_DETAIL, /* likewise */
	COLUMN_DATA,
	COLUMN_CREATED_AT
};

/* The notes whose INSERT the guard is to let through, in order. */
static const OtArgs *announced = NULL;
static int announced_count = 0;

/* The note whose edit it is to let through. */
static struct
{
	bool is_announced;
	int64 workspace;
	int64 order_id;
	int32 note_no;
} edit;

/* Parameters of OT_PLAN_NOTE_INSERT that the guard compares. */
enum
{
	ROW_WORKSPACE,
	ROW_ORDER,
	ROW_NOTE_NO,
	ROW_HASH
};

static void read_note(OtArgs *row, const OtNote *note, const OtHead *head);
static void insert_notes(const OtArgs *rows, int count);
static void append_int8(StringInfo bytes, int column, int64 value);
static void append_text(StringInfo bytes, int column, const char *value);

/*
 * Adds to a note's data who did it beside its author, which is the role in
 * effect: the actor that the caller claims, and who logged in, if another.
 */
void
ot_note_sign(OtJson *json, const char *actor)
{
	ot_json_add_text(json, "actor", actor);
	if (GetSessionUserId() != GetOuterUserId())
		ot_json_add_text(json, "session_user", ot_session_role());
}

/* Sets a head to what an order's row says; note 0 has a hash of zeros. */
void
ot_head_set(OtHead *head, int32 note_no, const bytea *hash)
{
	memset(head, 0, sizeof(*head));
	head->note_no = note_no;
	if (hash != NULL && VARSIZE_ANY_EXHDR(hash) == OT_HASH_LENGTH)
		memcpy(head->hash, VARDATA_ANY(hash), OT_HASH_LENGTH);
}

/* Moves a head on by one note. */
void
ot_head_advance(OtHead *head, const OtNote *note)
{
	StringInfoData bytes;

	initStringInfo(&bytes);
	appendStringInfoChar(&bytes, '\0');
	appendStringInfoString(&bytes, "ordertrack/1");
	append_int8(&bytes, COLUMN_WORKSPACE, note->workspace);
	append_int8(&bytes, COLUMN_ORDER, note->order_id);
	append_text(&bytes, COLUMN_NOTE_TYPE, note->is_custom ? "custom" : "system");
	append_text(&bytes, COLUMN_EVENT_TYPE, note->event_type);
	append_text(&bytes, COLUMN_CHANNEL, note->channel);
	append_text(&bytes, COLUMN_AUTHOR, note->author);
	if (!note->is_custom)
	{
		append_text(&bytes, COLUMN_TITLE, note->title);
		append_text(&bytes, COLUMN_DETAIL, note->detail);
	}
	append_text(&bytes, COLUMN_DATA,
				note->data == NULL ? NULL : ot_json_to_text(note->data));
	append_int8(&bytes, COLUMN_CREATED_AT, note->created_at);
	pq_sendint32(&bytes, ++head->note_no);
	appendBinaryStringInfo(&bytes, (const char *) head->hash, OT_HASH_LENGTH);
	ot_sha256(bytes.data, bytes.len, head->hash);
	pfree(bytes.data);
}

static void
append_int8(StringInfo bytes, int column, int64 value)
{
	pq_sendint16(bytes, column);
	pq_sendint32(bytes, sizeof(value));
	pq_sendint64(bytes, value);
}

static void
append_text(StringInfo bytes, int column, const char *value)
{
	char *utf8;

	if (value == NULL)
		return;
	utf8 = pg_server_to_any(value, strlen(value), PG_UTF8);
	pq_sendint16(bytes, column);
	pq_sendint32(bytes, strlen(utf8));
	appendStringInfoString(bytes, utf8);
}

/* Writes the notes of one change, each with the head that already counts it. */
void
ot_notes_insert(const OtNote *notes, const OtHead *heads, int count)
{
	OtArgs rows[OT_MAX_NOTES];

	Assert(count <= OT_MAX_NOTES);
	for (int i = 0; i < count; i++)
		read_note(&rows[i], &notes[i], &heads[i]);
	ot_insert_rows(OT_PLAN_NOTE_INSERT, insert_notes, rows, count);
}

static void
read_note(OtArgs *row, const OtNote *note, const OtHead *head)
{
	row->count = 0;
	ot_arg_int8(row, note->workspace);
	ot_arg_int8(row, note->order_id);
	ot_arg_int4(row, head->note_no);
	ot_arg_bytes(row, head->hash, OT_HASH_LENGTH);
	ot_arg_text(row, note->is_custom ? "custom" : "system");
	ot_arg_text(row, note->event_type);
	ot_arg_text(row, note->channel);
	ot_arg_text(row, note->author);
	ot_arg_text(row, note->title);
	ot_arg_text(row, note->detail);
	ot_arg_jsonb(row, note->data);
	ot_arg_time(row, note->created_at);
	ot_arg_int8(row, ot_transaction_number());
}

/* Writes notes, announced to the guard. */
static void
insert_notes(const OtArgs *rows, int count)
{
	const OtArgs *outer_announced = announced;
	int outer_count = announced_count;

	announced = rows;
	announced_count = count;
	PG_TRY();
	{
		ot_write_rows(OT_PLAN_NOTE_INSERT, rows, count);
	}
	PG_FINALLY();
	{
		announced = outer_announced;
		announced_count = outer_count;
	}
	PG_END_TRY();
}

/* Changes the words of a custom note, or empties them, announced to the guard. */
uint64
ot_note_edit(int64 workspace, int64 order_id, int32 note_no, const char *title,
			 const char *detail, bool is_delete, TimestampTz now)
{
	uint64 count = 0;
	OtArgs args = {0};

	ot_arg_int8(&args, workspace);
	ot_arg_int8(&args, order_id);
	ot_arg_int4(&args, note_no);
	ot_arg_text(&args, title);
	ot_arg_text(&args, detail);
	ot_arg_time(&args, now);
	ot_arg_bool(&args, is_delete);

	edit.is_announced = true;
	edit.workspace = workspace;
	edit.order_id = order_id;
	edit.note_no = note_no;
	PG_TRY();
	{
		count = ot_run(OT_PLAN_NOTE_EDIT, &args);
	}
	PG_FINALLY();
	{
		edit.is_announced = false;
	}
	PG_END_TRY();
	return count;
}

/* Tells the guard whether exactly this note was announced; once only. */
bool
ot_note_take_announced(int64 workspace, int64 order_id, int32 note_no, const bytea *hash)
{
	const Datum *next;

	if (announced_count == 0)
		return false;
	next = announced->values;
	announced++;
	announced_count--;
	return DatumGetInt64(next[ROW_WORKSPACE]) == workspace &&
		   DatumGetInt64(next[ROW_ORDER]) == order_id &&
		   DatumGetInt32(next[ROW_NOTE_NO]) == note_no &&
		   VARSIZE_ANY_EXHDR(hash) == OT_HASH_LENGTH &&
		   memcmp(VARDATA_ANY(DatumGetPointer(next[ROW_HASH])), VARDATA_ANY(hash),
				  OT_HASH_LENGTH) == 0;
}

/* Tells the guard whether an edit of this note was announced; once only. */
bool
ot_note_take_edit(int64 workspace, int64 order_id, int32 note_no)
{
	bool is_announced = edit.is_announced && edit.workspace == workspace &&
						edit.order_id == order_id && edit.note_no == note_no;

	edit.is_announced = false;
	return is_announced;
}

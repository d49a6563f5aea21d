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

/* A note as the guard can recognise it. */
typedef struct Announced
{
	int64 workspace;
	int64 order_id;
	int32 note_no;
	uint8 hash[OT_HASH_LENGTH];
} Announced;

/* The notes whose INSERT, and the one whose edit, the guard is to let through. */
static int announced_count = 0;
static Announced announced[OT_MAX_NOTES];
static bool is_edit_announced = false;
static Announced announced_edit;

static void add_note(OtArgs *args, const OtNote *note, const OtHead *head);
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

/*
 * Writes the notes of one change of one order, each with the head that already
 * counts it, and announces them to the guard.
 */
void
ot_notes_insert(const OtNote *notes, const OtHead *heads, int count)
{
	OtArgs args = {0};

	Assert(count >= 1 && count <= OT_MAX_NOTES);
	ot_arg_int8(&args, notes->workspace);
	ot_arg_int8(&args, notes->order_id);
	ot_arg_text(&args, notes->channel);
	ot_arg_text(&args, notes->author);
	ot_arg_time(&args, notes->created_at);
	for (int i = 0; i < count; i++)
	{
		add_note(&args, &notes[i], &heads[i]);
		announced[count - 1 - i].workspace = notes[i].workspace;
		announced[count - 1 - i].order_id = notes[i].order_id;
		announced[count - 1 - i].note_no = heads[i].note_no;
		memcpy(announced[count - 1 - i].hash, heads[i].hash, OT_HASH_LENGTH);
	}
	announced_count = count;
	PG_TRY();
	{
		ot_write(count == 1 ? OT_PLAN_NOTE_INSERT : OT_PLAN_NOTE_PAIR_INSERT, &args,
				 count);
	}
	PG_FINALLY();
	{
		announced_count = 0;
	}
	PG_END_TRY();
}

static void
add_note(OtArgs *args, const OtNote *note, const OtHead *head)
{
	ot_arg_int4(args, head->note_no);
	ot_arg_text(args, note->is_custom ? "custom" : "system");
	ot_arg_text(args, note->event_type);
	ot_arg_text(args, note->title);
	ot_arg_jsonb(args, note->data);
	ot_arg_text(args, note->detail);
	ot_arg_bytes(args, head->hash, OT_HASH_LENGTH);
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

	is_edit_announced = true;
	announced_edit.workspace = workspace;
	announced_edit.order_id = order_id;
	announced_edit.note_no = note_no;
	PG_TRY();
	{
		count = ot_run(OT_PLAN_NOTE_EDIT, &args);
	}
	PG_FINALLY();
	{
		is_edit_announced = false;
	}
	PG_END_TRY();
	return count;
}

/* Tells the guard whether exactly this note was announced; once only. */
bool
ot_note_take_announced(int64 workspace, int64 order_id, int32 note_no, const bytea *hash)
{
	const Announced *next;

	if (announced_count == 0)
		return false;
	next = &announced[--announced_count];
	return next->workspace == workspace && next->order_id == order_id &&
		   next->note_no == note_no && VARSIZE_ANY_EXHDR(hash) == OT_HASH_LENGTH &&
		   memcmp(next->hash, VARDATA_ANY(hash), OT_HASH_LENGTH) == 0;
}

/* Tells the guard whether an edit of this note was announced; once only. */
bool
ot_note_take_edit(int64 workspace, int64 order_id, int32 note_no)
{
	bool is_announced = is_edit_announced && announced_edit.workspace == workspace &&
						announced_edit.order_id == order_id &&
						announced_edit.note_no == note_no;

	is_edit_announced = false;
	return is_announced;
}

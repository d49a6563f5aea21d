/*
 * activity_cursor.c
 *		Cursors as text:
 *
 *		workspace.server.timeline.position.seen.check
 *		workspace.server.timeline.position.seen.before.time.order.note.check
 *
 * where seen and before are generation-xmax, and for each transaction that was
 * running, the highest first, how far it is below the one before it.  The check
 * is the beginning of the SHA-256 of all that is before it: a cursor that was cut
 * or altered on its way would otherwise lose notes silently.
 */
#include "postgres.h"

#include "errcodes.h"
#include "activity.h"
#include "ordertrack.h"

#define CHECK_LENGTH 8
#define CHECK_WIDTH (CHECK_LENGTH + 1) /* with the dot before it */
#define MOST_PER_GENERATION (UINT64CONST(1) << OT_TRANSACTION_BITS)

static bool has_right_check(const char *text);
static void make_check(const char *text, size_t length, char *check);
static void read_seen(const char **next, OtSeen *seen);
static uint64 read_unsigned(const char **next, int base, uint64 least, uint64 most);
static int64 read_signed(const char **next);
static void read_dot(const char **next);
static void refuse_malformed(void) pg_attribute_noreturn();
static void append_seen(StringInfo text, const OtSeen *seen);
static const char *append_check(OtCursorText *text);

/* Reads a cursor, whatever somebody has made of it. */
void
ot_cursor_read(OtCursor *cursor, const char *text)
{
	const char *next = text;

	memset(cursor, 0, sizeof(*cursor));
	if (!has_right_check(text))
		refuse_malformed();
	cursor->workspace = read_signed(&next);
	read_dot(&next);
	cursor->server = read_unsigned(&next, 16, 0, PG_UINT64_MAX);
	read_dot(&next);
	cursor->timeline = read_unsigned(&next, 16, 1, PG_UINT32_MAX);
	read_dot(&next);
	cursor->position = read_unsigned(&next, 16, 1, PG_UINT64_MAX);
	read_dot(&next);
	read_seen(&next, &cursor->seen);
	read_dot(&next);
	cursor->is_inside = strchr(next, '.') != NULL;
	if (cursor->is_inside)
	{
		read_seen(&next, &cursor->before);
		read_dot(&next);
		cursor->created_at = read_signed(&next);
		read_dot(&next);
		cursor->order_id = read_signed(&next);
		read_dot(&next);
		cursor->note_no = read_unsigned(&next, 10, 0, PG_INT32_MAX);
		read_dot(&next);
	}
	if (strlen(next) != CHECK_LENGTH)
		refuse_malformed();
}

static bool
has_right_check(const char *text)
{
	size_t length = strlen(text);
	char check[CHECK_WIDTH];

	if (length < CHECK_WIDTH)
		return false;
	make_check(text, length - CHECK_LENGTH, check);
	return strcmp(text + length - CHECK_LENGTH, check) == 0;
}

static void
make_check(const char *text, size_t length, char *check)
{
	uint8 hash[OT_HASH_LENGTH];

	ot_sha256(text, length, hash);
	for (int i = 0; i < CHECK_LENGTH / 2; i++)
		snprintf(check + 2 * i, 3, "%02x", hash[i]);
}

static void
read_seen(const char **next, OtSeen *seen)
{
	uint64 last;

	seen->generation = read_unsigned(next, 10, 0, OT_MAX_GENERATION);
	if (*(*next)++ != '-')
		refuse_malformed();
	seen->xmax = read_unsigned(next, 10, 0, MOST_PER_GENERATION - 1);
	seen->running = palloc((strlen(*next) / 2 + 1) * sizeof(uint64));
	for (last = seen->xmax; **next == '-'; seen->running[seen->running_count++] = last)
	{
		(*next)++;
		last -= read_unsigned(next, 10, 1, last);
	}
}

/* Reads digits; the library's functions would take spaces and signs as well. */
static uint64
read_unsigned(const char **next, int base, uint64 least, uint64 most)
{
	char *end;
	uint64 value;

	if (strspn(*next, base == 16 ? "0123456789abcdef" : "0123456789") == 0)
		refuse_malformed();
	errno = 0;
	value = strtou64(*next, &end, base);
	if (errno != 0 || value < least || value > most)
		refuse_malformed();
	*next = end;
	return value;
}

static int64
read_signed(const char **next)
{
	bool is_negative = **next == '-';
	uint64 value;

	if (is_negative)
		(*next)++;
	value = read_unsigned(next, 10, 0, (uint64) PG_INT64_MAX + is_negative);
	return (int64) (is_negative ? -value : value);
}

static void
read_dot(const char **next)
{
	if (*(*next)++ != '.')
		refuse_malformed();
}

static void
refuse_malformed(void)
{
	ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
			errmsg("argument \"cursor\" is no cursor"),
			errhint("Pass one as it came, or NULL to begin with the first note."));
}

/* Refuses a cursor that is one, but not of what is to be read. */
void
ot_cursor_refuse(const char *reason)
{
	ereport(
		ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT), errmsg("cursor does not fit"),
		errdetail("%s", reason),
		errhint(
			"NULL begins with the first note, ordertrack.activity_cursor() after the last."));
}

/* Begins the text of a cursor. */
void
ot_cursor_begin(OtCursorText *text, const OtCursor *cursor)
{
	initStringInfo(&text->text);
	appendStringInfo(&text->text, INT64_FORMAT ".%llx.%x.%llx.", cursor->workspace,
					 (unsigned long long) cursor->server, cursor->timeline,
					 (unsigned long long) cursor->position);
	append_seen(&text->text, &cursor->seen);
	if (cursor->is_inside)
	{
		appendStringInfoChar(&text->text, '.');
		append_seen(&text->text, &cursor->before);
	}
	text->head_length = text->text.len;
}

static void
append_seen(StringInfo text, const OtSeen *seen)
{
	uint64 last = seen->xmax;

	appendStringInfo(text, "%d-" UINT64_FORMAT, seen->generation, seen->xmax);
	for (int i = 0; i < seen->running_count; i++)
	{
		appendStringInfo(text, "-" UINT64_FORMAT, last - seen->running[i]);
		last = seen->running[i];
	}
}

/* Gives the cursor of a whole snapshot. */
const char *
ot_cursor_end(OtCursorText *text)
{
	return append_check(text);
}

/* Gives the cursor after a row inside a walk; good until the next is asked for. */
const char *
ot_cursor_end_inside(OtCursorText *text, TimestampTz created_at, int64 order_id,
					 int32 note_no)
{
	text->text.len = text->head_length;
	appendStringInfo(&text->text, "." INT64_FORMAT "." INT64_FORMAT ".%d", created_at,
					 order_id, note_no);
	return append_check(text);
}

static const char *
append_check(OtCursorText *text)
{
	char check[CHECK_WIDTH];

	appendStringInfoChar(&text->text, '.');
	make_check(text->text.data, text->text.len, check);
	appendStringInfoString(&text->text, check);
	return text->text.data;
}

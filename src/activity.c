/*
 * activity.c
 *		Reading the notes of all orders as they come.
 *
 * Next is what the active snapshot shows and the cursor's doesn't, in the order of
 * time, order and number.  Where that is more than a page, a walk in pages leads
 * from the old snapshot to the one of its first page, so that nothing that commits
 * meanwhile falls between two pages.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "errcodes.h"
#include "activity.h"
#include "ordertrack.h"

PG_FUNCTION_INFO_V1(ordertrack_activity_since);
PG_FUNCTION_INFO_V1(ordertrack_activity_cursor);

#define MAX_CURSOR (16 * 1024 * 1024)
#define MOST_AT_ONCE 10000

/* Columns of OT_PLAN_ACTIVITY_SOURCE. */
enum
{
	SOURCE_SERVER = 1,
	SOURCE_GENERATION,
	SOURCE_IS_FED,
	SOURCE_HAS_WORKSPACE
};

/* Columns of type activity, of which the statements give all but the cursor. */
enum
{
	COLUMN_CURSOR,
	COLUMN_ORDER,
	COLUMN_NOTE_NO = 3,
	COLUMN_CREATED_AT = 11,
	COLUMN_COUNT
};

static int32 at_most_arg(FunctionCallInfo fcinfo);
static int32 find_source(int64 workspace);
static void give_next(FunctionCallInfo fcinfo, const OtCursor *given, int32 generation,
					  int32 at_most);
static uint64 find_first_page(const OtCursor *walk, int32 limit);
static uint64 find_next_page(const OtCursor *walk, int32 limit);
static void arg_number(OtArgs *args, const OtSeen *seen);
static void arg_running(OtArgs *args, const OtSeen *seen);
static void give_rows(FunctionCallInfo fcinfo, const OtCursor *walk, uint64 count,
					  int32 at_most);
static void give_row(ReturnSetInfo *result, uint64 row, const char *cursor);

/* Gives the notes that come after a cursor. */
Datum
ordertrack_activity_since(PG_FUNCTION_ARGS)
{
	char *text = ot_text_arg(fcinfo, 0, "cursor", MAX_CURSOR);
	int32 at_most = at_most_arg(fcinfo);
	OtCursor cursor = {0};
	int32 generation;

	cursor.workspace = ot_workspace_arg(fcinfo, 2);
	if (text != NULL)
		ot_cursor_read(&cursor, text);
	if (cursor.workspace != ot_workspace_arg(fcinfo, 2))
		ot_cursor_refuse("It is of another workspace.");

	InitMaterializedSRF(fcinfo, 0);
	ot_begin();
	generation = find_source(cursor.workspace);
	if (text != NULL)
		ot_cursor_check(&cursor, generation);
	give_next(fcinfo, &cursor, generation, at_most);
	ot_end();
	return (Datum) 0;
}

/* Gives the cursor after all that the active snapshot shows. */
Datum
ordertrack_activity_cursor(PG_FUNCTION_ARGS)
{
	OtCursor cursor = {0};
	OtCursorText text;

	cursor.workspace = ot_workspace_arg(fcinfo, 0);
	ot_begin();
	ot_seen_now(&cursor.seen, find_source(cursor.workspace));
	ot_end();
	ot_cursor_place(&cursor);
	ot_cursor_begin(&text, &cursor);
	PG_RETURN_TEXT_P(cstring_to_text(ot_cursor_end(&text)));
}

static int32
at_most_arg(FunctionCallInfo fcinfo)
{
	int32 at_most;

	ot_require_arg(fcinfo, 1, "at_most");
	at_most = PG_GETARG_INT32(1);
	if (at_most < 1 || at_most > MOST_AT_ONCE)
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("argument \"at_most\" must be from 1 to %d", MOST_AT_ONCE));
	return at_most;
}

/*
 * Gives the generation of this server, which must be the one that writes: on a
 * subscriber, transactions arrive in an order that their numbers don't tell.
 */
static int32
find_source(int64 workspace)
{
	OtArgs args = {0};

	ot_arg_int8(&args, workspace);
	if (ot_read(OT_PLAN_ACTIVITY_SOURCE, &args) == 0 || ot_get_bool(0, SOURCE_IS_FED) ||
		!ot_is_this_server(ot_get_int8(0, SOURCE_SERVER)))
		ereport(
			ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			errmsg("activity can be followed only on the server that writes it"),
			errhint(
				"After a restore, or once a subscriber has taken over, run SELECT ordertrack.setup(); the first note that is written does as well."));
	if (!ot_get_bool(0, SOURCE_HAS_WORKSPACE))
		ot_workspace_refuse(workspace);
	return ot_get_int4(0, SOURCE_GENERATION);
}

/* Returns the next page, in a walk that goes on or a new one. */
static void
give_next(FunctionCallInfo fcinfo, const OtCursor *given, int32 generation, int32 at_most)
{
	OtCursor walk = *given;
	uint64 count;

	if (given->seen.generation == generation && !ot_seen_is_visible(&given->seen))
		return;
	if (given->is_inside)
	{
		count = find_next_page(&walk, at_most + 1);
		if (count > 0)
		{
			give_rows(fcinfo, &walk, count, at_most);
			return;
		}
	}

	walk.before = given->seen;
	ot_seen_now(&walk.seen, generation);
	count = find_first_page(&walk, at_most + 1);
	if (count > 0)
	{
		ot_cursor_place(&walk);
		give_rows(fcinfo, &walk, count, at_most);
	}
}

/*
 * Reads the first page of a walk by the numbers of transactions, since what came
 * late may bear any time.  From the beginning, all is new.
 */
static uint64
find_first_page(const OtCursor *walk, int32 limit)
{
	OtArgs args = {0};

	if (walk->before.xmax == 0)
	{
		OtCursor begin = *walk;

		begin.created_at = DT_NOBEGIN;
		begin.order_id = PG_INT64_MIN;
		return find_next_page(&begin, limit);
	}
	ot_arg_int8(&args, walk->workspace);
	arg_number(&args, &walk->before);
	arg_running(&args, &walk->before);
	arg_number(&args, &walk->seen);
	ot_arg_int8(&args,
				ot_number_transaction(walk->seen.generation, ot_own_transaction()));
	ot_arg_int4(&args, limit);
	return ot_read(OT_PLAN_ACTIVITY_FIRST, &args);
}

/* Reads a further page of a walk, from its last row on. */
static uint64
find_next_page(const OtCursor *walk, int32 limit)
{
	OtArgs args = {0};

	ot_arg_int8(&args, walk->workspace);
	arg_number(&args, &walk->before);
	arg_running(&args, &walk->before);
	arg_number(&args, &walk->seen);
	arg_running(&args, &walk->seen);
	ot_arg_time(&args, walk->created_at);
	ot_arg_int8(&args, walk->order_id);
	ot_arg_int4(&args, walk->note_no);
	ot_arg_int4(&args, limit);
	return ot_read(OT_PLAN_ACTIVITY_NEXT, &args);
}

/* Adds the number from which on transactions were not seen. */
static void
arg_number(OtArgs *args, const OtSeen *seen)
{
	ot_arg_int8(args, ot_number_transaction(seen->generation, seen->xmax));
}

/* Adds the numbers below that which were not seen either. */
static void
arg_running(OtArgs *args, const OtSeen *seen)
{
	Datum *numbers = palloc(sizeof(Datum) * (seen->running_count + 1));

	for (int i = 0; i < seen->running_count; i++)
		numbers[i] =
			Int64GetDatum(ot_number_transaction(seen->generation, seen->running[i]));
	ot_arg(args, PointerGetDatum(construct_array(numbers, seen->running_count, INT8OID,
												 sizeof(int64), FLOAT8PASSBYVAL,
												 TYPALIGN_DOUBLE)));
}

/*
 * Returns the rows of a page.  The one row more that was read tells that another
 * page follows; without it, the last row's cursor is the whole snapshot.
 */
static void
give_rows(FunctionCallInfo fcinfo, const OtCursor *walk, uint64 count, int32 at_most)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	bool is_last_page = count <= (uint64) at_most;
	uint64 row_count = is_last_page ? count - 1 : (uint64) at_most;
	OtCursor cursor = *walk;
	OtCursorText text;

	cursor.is_inside = true;
	ot_cursor_begin(&text, &cursor);
	for (uint64 row = 0; row < row_count; row++)
		give_row(result, row,
				 ot_cursor_end_inside(&text, ot_get_time(row, COLUMN_CREATED_AT, 0),
									  ot_get_int8(row, COLUMN_ORDER),
									  ot_get_int4(row, COLUMN_NOTE_NO)));
	if (is_last_page)
	{
		cursor.is_inside = false;
		ot_cursor_begin(&text, &cursor);
		give_row(result, row_count, ot_cursor_end(&text));
	}
}

static void
give_row(ReturnSetInfo *result, uint64 row, const char *cursor)
{
	Datum values[COLUMN_COUNT];
	bool nulls[COLUMN_COUNT] = {false};

	values[COLUMN_CURSOR] = CStringGetTextDatum(cursor);
	ot_get_row_at(row, &values[COLUMN_ORDER], &nulls[COLUMN_ORDER]);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	pfree(DatumGetPointer(values[COLUMN_CURSOR]));
}

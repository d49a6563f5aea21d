/*
 * activity.h
 *		What the files of order activity share: how far somebody has read.
 *
 * A note bears the number of the transaction that wrote it, see server.c.  What
 * has been delivered is a snapshot, not a last number: transactions commit in
 * another order than they begin in.
 */
#ifndef OT_ACTIVITY_H
#define OT_ACTIVITY_H

#include "access/xlogdefs.h"
#include "datatype/timestamp.h"
#include "lib/stringinfo.h"

/* Transactions below xmax had ended, but for those that were running. */
typedef struct OtSeen
{
	int32 generation;
	uint64 xmax;
	int running_count;
	uint64 *running; /* the highest first */
} OtSeen;

typedef struct OtCursor
{
	int64 workspace;
	uint64 server; /* that gave it, */
	TimeLineID timeline;
	XLogRecPtr position; /* and how far its WAL was durable */
	OtSeen seen;		 /* delivered; inside a walk, when that is over */
	bool is_inside;		 /* a walk in pages from "before" to "seen" */
	OtSeen before;
	TimestampTz created_at; /* of the last row delivered */
	int64 order_id;
	int32 note_no;
} OtCursor;

/* A cursor as text, of which only the end differs from row to row. */
typedef struct OtCursorText
{
	StringInfoData text;
	int head_length;
} OtCursorText;

/* activity_cursor.c */
extern void ot_cursor_read(OtCursor *cursor, const char *text);
extern void ot_cursor_begin(OtCursorText *text, const OtCursor *cursor);
extern const char *ot_cursor_end(OtCursorText *text);
extern const char *ot_cursor_end_inside(OtCursorText *text, TimestampTz created_at,
										int64 order_id, int32 note_no);
extern void ot_cursor_refuse(const char *reason) pg_attribute_noreturn();

/* activity_snapshot.c */
extern void ot_seen_now(OtSeen *seen, int32 generation);
extern uint64 ot_own_transaction(void);
extern bool ot_seen_is_visible(const OtSeen *seen);
extern void ot_cursor_place(OtCursor *cursor);
extern void ot_cursor_check(const OtCursor *cursor, int32 generation);

#endif

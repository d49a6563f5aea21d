/*
 * activity_snapshot.c
 *		What a snapshot shows of the activity, and whether a cursor fits the
 *		server's own past.
 */
#include "postgres.h"

#include "access/timeline.h"
#include "access/transam.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "access/xlog_internal.h"
#include "access/xlogrecovery.h"
#include "utils/snapmgr.h"

#include "activity.h"
#include "ordertrack.h"

static uint64 widen(TransactionId xid);
static void add_running(OtSeen *seen, const TransactionId *xids, int count);
static int compare(const void *a, const void *b);
static bool was_running(const OtSeen *seen, uint64 xid);
static bool none_had_ended(const OtSeen *seen, const TransactionId *running, int count);
static XLogRecPtr get_insert_end(void);
static void check_place(const OtCursor *cursor);

/*
 * Reads the active snapshot.  Our own transaction counts as running: its notes
 * are delivered when it has committed.
 *
 * On a standby the snapshot holds all that runs as subtransactions; elsewhere
 * those are only there because a standby could not tell them apart.  Notes bear
 * the number of the top transaction, so they do no harm.
 */
void
ot_seen_now(OtSeen *seen, int32 generation)
{
	Snapshot snapshot = GetActiveSnapshot();
	uint64 own = ot_own_transaction();
	/* A copied snapshot counts subtransactions that it no longer has. */
	int below_count = snapshot->subxip == NULL ? 0 : snapshot->subxcnt;

	memset(seen, 0, sizeof(*seen));
	seen->generation = generation;
	seen->xmax = widen(snapshot->xmax);
	seen->running = palloc(sizeof(uint64) * (snapshot->xcnt + below_count + 1));
	add_running(seen, snapshot->xip, snapshot->xcnt);
	add_running(seen, snapshot->subxip, below_count);
	if (own != 0 && own < seen->xmax)
		seen->running[seen->running_count++] = own;
	qsort(seen->running, seen->running_count, sizeof(uint64), compare);
}

/* Gives the id of our own transaction, 0 where it has none. */
uint64
ot_own_transaction(void)
{
	return U64FromFullTransactionId(GetTopFullTransactionIdIfAny());
}

/* Makes a transaction id of the snapshot one of 64 bits. */
static uint64
widen(TransactionId xid)
{
	FullTransactionId next = ReadNextFullTransactionId();
	uint32 epoch = EpochFromFullTransactionId(next);

	if (xid > XidFromFullTransactionId(next))
		epoch--;
	return U64FromFullTransactionId(FullTransactionIdFromEpochAndXid(epoch, xid));
}

static void
add_running(OtSeen *seen, const TransactionId *xids, int count)
{
	for (int i = 0; i < count; i++)
	{
		uint64 xid = widen(xids[i]);

		if (xid < seen->xmax)
			seen->running[seen->running_count++] = xid;
	}
}

/* Orders the highest first. */
static int
compare(const void *a, const void *b)
{
	uint64 left = *(const uint64 *) a;
	uint64 right = *(const uint64 *) b;

	return left < right ? 1 : left > right ? -1 : 0;
}

static bool
was_running(const OtSeen *seen, uint64 xid)
{
	return bsearch(&xid, seen->running, seen->running_count, sizeof(uint64), compare) !=
		   NULL;
}

/*
 * Tells whether the active snapshot shows all that was seen.  One of a standby
 * that lags, or of a transaction that has kept it, may be older: then nothing
 * can be said yet of what comes next.
 */
bool
ot_seen_is_visible(const OtSeen *seen)
{
	Snapshot snapshot = GetActiveSnapshot();
	uint64 own = ot_own_transaction();

	if (seen->xmax > widen(snapshot->xmax))
		return false;
	if (own != 0 && own < seen->xmax && !was_running(seen, own))
		return false;
	return snapshot->takenDuringRecovery
			   ? none_had_ended(seen, snapshot->subxip, snapshot->subxcnt)
			   : none_had_ended(seen, snapshot->xip, snapshot->xcnt);
}

/* Tells whether none of these, which are running, was seen to have ended. */
static bool
none_had_ended(const OtSeen *seen, const TransactionId *running, int count)
{
	for (int i = 0; i < count; i++)
	{
		uint64 xid = widen(running[i]);

		if (xid < seen->xmax && !was_running(seen, xid))
			return false;
	}
	return true;
}

/*
 * Notes where in the WAL the active snapshot is, and makes that durable.  After a
 * crash the server would otherwise give the ids of transactions whose end was
 * lost to new ones, which the cursor takes for delivered.
 */
void
ot_cursor_place(OtCursor *cursor)
{
	cursor->server = GetSystemIdentifier();
	if (RecoveryInProgress())
		cursor->position = GetXLogReplayRecPtr(&cursor->timeline);
	else
	{
		cursor->position = get_insert_end();
		cursor->timeline = GetWALInsertionTimeLine();
		XLogFlush(cursor->position);
	}
}

/* Gives the end of the last record, not the place behind the next page's header. */
static XLogRecPtr
get_insert_end(void)
{
	XLogRecPtr position = GetXLogInsertRecPtr();
	uint32 header = XLogSegmentOffset(position, wal_segment_size) < XLOG_BLCKSZ
						? SizeOfXLogLongPHD
						: SizeOfXLogShortPHD;

	return position % XLOG_BLCKSZ == header ? position - header : position;
}

/*
 * Refuses a cursor that this server can't have given, nor the one before it.  Of
 * one of an earlier generation nothing more can be known.
 */
void
ot_cursor_check(const OtCursor *cursor, int32 generation)
{
	if (cursor->seen.generation > generation)
		ot_cursor_refuse("It is ahead of this server.");
	if (cursor->seen.generation < generation)
		return;
	if (cursor->server != GetSystemIdentifier())
		ot_cursor_refuse("It is of another server.");
	check_place(cursor);
}

/*
 * Refuses a cursor of what this server has lost, or never had: of the time after
 * the moment that it was set back to, or that a standby took over at.
 */
static void
check_place(const OtCursor *cursor)
{
	bool is_standby = RecoveryInProgress();
	TimeLineID timeline;

	if (is_standby)
		(void) GetXLogReplayRecPtr(&timeline);
	else
		timeline = GetWALInsertionTimeLine();

	if (cursor->timeline < timeline)
	{
		/* The byte before, since a timeline begins where the one before ends. */
		List *history = readTimeLineHistory(timeline);

		if (tliOfPointInHistory(cursor->position - 1, history) != cursor->timeline)
			ot_cursor_refuse("It is of a time that this server has lost.");
	}
	/* A standby may be late. */
	else if (!is_standby &&
			 (cursor->timeline > timeline || cursor->position > GetXLogInsertRecPtr() ||
			  cursor->seen.xmax > U64FromFullTransactionId(ReadNextFullTransactionId())))
		ot_cursor_refuse("It is ahead of this server.");
}

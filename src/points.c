/*
 * points.c
 *		Reads what points a customer has: active, pending or expired by the
 *		clock, no job needed.
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "plan.h"
#include "points.h"
#include "redemption.h"

static void take_account(OtPoints *points);
static void read_lot(uint64 row, OtLot *lot);
static void count_lot(OtPoints *points, const OtLot *lot, TimestampTz now);

/* Reads the account and the lots of a customer, under the snapshot that is active. */
void
ot_points_read(int64 workspace, int64 customer_id, TimestampTz now, OtPoints *points)
{
	OtArgs args = {0};

	memset(points, 0, sizeof(*points));
	ot_arg_int8(&args, workspace);
	ot_arg_int8(&args, customer_id);
	if (ot_read(OT_PLAN_POINT_ACCOUNT, &args) == 0)
		return;
	take_account(points);
	ot_points_lots_read(workspace, customer_id, now, DT_NOEND, points);
}

/*
 * Locks the account of a customer, made where it is missing, and reads the lots
 * that expire until then.  No lot changes but under this lock.
 */
void
ot_points_lock(int64 workspace, int64 customer_id, TimestampTz now, TimestampTz until,
			   OtPoints *points)
{
	OtArgs lock = {0};
	OtArgs insert = {0};

	memset(points, 0, sizeof(*points));
	ot_arg_int8(&lock, workspace);
	ot_arg_int8(&lock, customer_id);
	insert = lock;
	ot_arg_time(&insert, now);
	for (int turn = 1; ot_run(OT_PLAN_POINT_ACCOUNT_LOCK, &lock) == 0; turn++)
	{
		ot_begin_turn(turn);
		ot_run(OT_PLAN_POINT_ACCOUNT_INSERT, &insert);
	}
	take_account(points);
	ot_take_snapshot();
	ot_points_lots_read(workspace, customer_id, now, until, points);
	ot_drop_snapshot();
}

static void
take_account(OtPoints *points)
{
	points->balance = ot_get_int8(0, 1);
	points->movement_count = ot_get_int8(0, 2);
	points->spent = ot_get_int8(0, 3);
	points->booked_expired = ot_get_int8(0, 4);
	points->moved_at = ot_get_time(0, 5, DT_NOBEGIN);
}

/*
 * Reads the lots that have points left and expire until then, and sums them up
 * as of now.
 */
void
ot_points_lots_read(int64 workspace, int64 customer_id, TimestampTz now,
					TimestampTz until, OtPoints *points)
{
	OtArgs args = {0};

	ot_arg_int8(&args, workspace);
	ot_arg_int8(&args, customer_id);
	ot_arg_time(&args, until);
	points->lot_count = ot_read(OT_PLAN_POINT_LOTS, &args);
	points->lots = palloc(sizeof(OtLot) * Max(points->lot_count, 1));
	points->active = points->pending = points->expired = 0;
	for (int i = 0; i < points->lot_count; i++)
	{
		read_lot(i, &points->lots[i]);
		count_lot(points, &points->lots[i], now);
	}
}

static void
read_lot(uint64 row, OtLot *lot)
{
	lot->id = ot_get_int8(row, 1);
	lot->left = ot_get_int8(row, 2);
	lot->expires_at = ot_get_time(row, 3, DT_NOEND);
	lot->granted_at = ot_get_time(row, 4, 0);
	lot->pending_until = ot_get_time(row, 5, DT_NOBEGIN);
}

/* The sums cannot overflow: each is a part of the account's balance. */
static void
count_lot(OtPoints *points, const OtLot *lot, TimestampTz now)
{
	if (ot_lot_is_expired(lot, now))
		points->expired += lot->left;
	else if (ot_lot_is_pending(lot, now))
		points->pending += lot->left;
	else
		points->active += lot->left;
}

/* Tells whether a lot can no longer be spent. */
bool
ot_lot_is_expired(const OtLot *lot, TimestampTz now)
{
	return lot->expires_at <= now;
}

/* Tells whether a lot cannot be spent yet. */
bool
ot_lot_is_pending(const OtLot *lot, TimestampTz now)
{
	return lot->pending_until > now;
}

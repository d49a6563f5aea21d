/*
 * points_ledger.c
 *		Moves points: each movement is a row that says what is left after it, and
 *		account, lots and movements change together or not at all.
 */
#include "postgres.h"

#include "money.h"
#include "plan.h"
#include "points.h"

#define FIRST_SIZE 8

static const char *const kind_names[] = {
	[OT_GRANTED] = "granted",
	[OT_SPENT] = "spent",
	[OT_RETURNED] = "returned",
	[OT_EXPIRED] = "expired",
	[OT_CANCELED] = "canceled",
	[OT_TRANSFERRED_OUT] = "transferred_out",
	[OT_TRANSFERRED_IN] = "transferred_in",
};

static bool change_account(const OtLedger *ledger, const OtPoints *points);
static TimestampTz moved_at(const OtLedger *ledger, const OtPoints *points);
static void check_sum(const OtPoints *points, int64 growth);
static int64 sum_of(const OtLedger *ledger, OtMovementKind kind);
static void change_lots(const OtLedger *ledger);
static void insert_movements(const OtLedger *ledger, const OtPoints *points);

/* Begins the movements of a customer; reason and redemption may be set after it. */
void
ot_ledger_begin(OtLedger *ledger, int64 workspace, int64 customer_id, TimestampTz now,
				const char *channel, const char *actor)
{
	memset(ledger, 0, sizeof(*ledger));
	ledger->workspace = workspace;
	ledger->customer_id = customer_id;
	ledger->now = now;
	ledger->channel = channel;
	ledger->actor = actor;
}

/* Inserts a lot with its points. */
void
ot_lot_insert(const OtLedger *ledger, const OtLot *lot, int64 transferred_from)
{
	OtArgs args = {0};

	ot_arg_int8(&args, ledger->workspace);
	ot_arg_int8(&args, lot->id);
	ot_arg_int8(&args, ledger->customer_id);
	ot_arg_int8(&args, lot->left);
	ot_arg_time(&args, lot->expires_at);
	if (lot->pending_until == DT_NOBEGIN)
		ot_arg_null(&args);
	else
		ot_arg_time(&args, lot->pending_until);
	ot_arg_time(&args, lot->granted_at);
	ot_arg_id(&args, transferred_from);
	ot_arg_text(&args, ledger->reason);
	ot_arg_time(&args, ledger->now);
	ot_write(OT_PLAN_POINT_LOT_INSERT, &args, 1);
}

/* Adds a movement; the points of a new lot are inserted with it. */
void
ot_ledger_add(OtLedger *ledger, OtMovementKind kind, int64 lot_id, int64 points,
			  bool is_new)
{
	OtMovement *movement;

	if (ledger->count == ledger->size)
	{
		ledger->size = Max(2 * ledger->size, FIRST_SIZE);
		ledger->movements =
			ledger->movements == NULL
				? palloc(sizeof(OtMovement) * ledger->size)
				: repalloc(ledger->movements, sizeof(OtMovement) * ledger->size);
	}
	movement = &ledger->movements[ledger->count++];
	movement->kind = kind;
	movement->lot_id = lot_id;
	movement->points = points;
	movement->is_new = is_new;
}

/* Books what has expired, so that the balance after the next movement is right. */
void
ot_ledger_expire(OtLedger *ledger, OtPoints *points)
{
	for (int i = 0; i < points->lot_count; i++)
	{
		OtLot *lot = &points->lots[i];

		if (!ot_lot_is_expired(lot, ledger->now))
			break; /* they come in the order of their expiry */
		ot_ledger_add(ledger, OT_EXPIRED, lot->id, -lot->left, false);
		lot->left = 0;
	}
}

/*
 * Takes active points, those first that expire soonest; the caller has seen that
 * there are enough.  What a lot gives is told by its movement.
 */
void
ot_ledger_take(OtLedger *ledger, OtPoints *points, OtMovementKind kind, int64 amount)
{
	for (int i = 0; i < points->lot_count && amount > 0; i++)
	{
		OtLot *lot = &points->lots[i];
		int64 part = Min(lot->left, amount);

		if (part == 0 || ot_lot_is_pending(lot, ledger->now))
			continue;
		ot_ledger_add(ledger, kind, lot->id, -part, false);
		lot->left -= part;
		amount -= part;
	}
	if (amount > 0)
		elog(ERROR, "customer has too few points");
}

/* Books movements of an account that is locked: no race can be lost. */
void
ot_ledger_book_locked(const OtLedger *ledger, const OtPoints *points)
{
	if (!ot_ledger_book(ledger, points))
		elog(ERROR, "locked account of points has changed");
}

/*
 * Writes the movements.  Returns false, with nothing written, where another
 * session has moved points of this customer since they were read.
 */
bool
ot_ledger_book(const OtLedger *ledger, const OtPoints *points)
{
	if (ledger->count == 0)
		return true;
	if (!change_account(ledger, points))
		return false;
	change_lots(ledger);
	insert_movements(ledger, points);
	return true;
}

/* The number of movements tells whether the account is as it was read. */
static bool
change_account(const OtLedger *ledger, const OtPoints *points)
{
	OtArgs args = {0};
	int64 spent = -sum_of(ledger, OT_SPENT) - sum_of(ledger, OT_RETURNED);
	int64 expired = -sum_of(ledger, OT_EXPIRED);
	int64 change = 0;

	for (int i = 0; i < ledger->count; i++)
		change += ledger->movements[i].points;
	check_sum(points, change + spent + expired);
	ot_arg_int8(&args, ledger->workspace);
	ot_arg_int8(&args, ledger->customer_id);
	ot_arg_int8(&args, points->movement_count);
	ot_arg_int8(&args, ledger->count);
	ot_arg_int8(&args, change);
	ot_arg_int8(&args, spent);
	ot_arg_int8(&args, expired);
	ot_arg_time(&args, moved_at(ledger, points));
	return ot_run(OT_PLAN_POINT_ACCOUNT_UPDATE, &args) == 1;
}

/* Time in a ledger never runs backwards, also where calls waited for each other. */
static TimestampTz
moved_at(const OtLedger *ledger, const OtPoints *points)
{
	return Max(ledger->now, points->moved_at);
}

/*
 * Refuses more points than a number can tell.  What is left, spent and expired
 * together grows only by new points, so that spending, expiry and rollbacks never
 * fail here.
 */
static void
check_sum(const OtPoints *points, int64 growth)
{
	int64 sum = points->balance + points->spent + points->booked_expired;

	if (!ot_money_add(&sum, growth))
		ereport(ERROR, errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				errmsg("points are out of range"));
}

static int64
sum_of(const OtLedger *ledger, OtMovementKind kind)
{
	int64 sum = 0;

	for (int i = 0; i < ledger->count; i++)
		if (ledger->movements[i].kind == kind)
			sum += ledger->movements[i].points;
	return sum;
}

/* Most calls touch a lot or two. */
static void
change_lots(const OtLedger *ledger)
{
	for (int i = 0; i < ledger->count; i++)
	{
		const OtMovement *movement = &ledger->movements[i];
		OtArgs args = {0};

		if (movement->is_new)
			continue;
		ot_arg_int8(&args, ledger->workspace);
		ot_arg_int8(&args, movement->lot_id);
		ot_arg_int8(&args, movement->points);
		ot_write(OT_PLAN_POINT_LOT_CHANGE, &args, 1);
	}
}

static void
insert_movements(const OtLedger *ledger, const OtPoints *points)
{
	OtArgs *rows = palloc0(sizeof(OtArgs) * ledger->count);
	int64 balance = points->balance;
	char *created_by = ot_session_role();

	for (int i = 0; i < ledger->count; i++)
	{
		const OtMovement *movement = &ledger->movements[i];
		OtArgs *row = &rows[i];

		balance += movement->points;
		ot_arg_int8(row, ledger->workspace);
		ot_arg_int8(row, ledger->customer_id);
		ot_arg_int8(row, points->movement_count + i + 1);
		ot_arg_text(row, kind_names[movement->kind]);
		ot_arg_int8(row, movement->points);
		ot_arg_int8(row, balance);
		ot_arg_int8(row, movement->lot_id);
		ot_arg_id(row, ledger->redemption_id);
		ot_arg_text(row, ledger->reason);
		ot_arg_text(row, created_by);
		ot_arg_text(row, ledger->actor);
		ot_arg_text(row, ledger->channel);
		ot_arg_time(row, moved_at(ledger, points));
	}
	ot_write_rows(OT_PLAN_POINT_MOVEMENT_INSERT, rows, ledger->count);
}

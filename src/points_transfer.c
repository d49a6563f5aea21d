/*
 * points_transfer.c
 *		Gives points of one customer to another; each lot keeps its terms.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/timestamp.h"

#include "errcodes.h"
#include "plan.h"
#include "points.h"
#include "points_request.h"

PG_FUNCTION_INFO_V1(ordertrack_transfer_points);

/* One of the two customers, with the movements of the transfer. */
typedef struct Party
{
	int64 customer_id;
	bool may_spend;
	OtPoints points;
	OtLedger ledger;
} Party;

static void transfer(const OtPointsRequest *request, Party *from, Party *to,
					 int64 points);
static void find_party(int64 workspace, const char *source_id, Party *party);
static void lock_party(const OtPointsRequest *request, Party *party);
static void give(Party *from, Party *to, int64 points);
static const OtLot *find_lot(const OtPoints *points, int64 lot_id);

/* Moves active points from one customer to another. */
Datum
ordertrack_transfer_points(PG_FUNCTION_ARGS)
{
	OtPointsRequest request = {.function = "transfer_points"};
	const char *from_customer =
		ot_required_text_arg(fcinfo, 0, "from_customer", OT_MAX_KEY);
	const char *to_customer = ot_required_text_arg(fcinfo, 1, "to_customer", OT_MAX_KEY);
	int64 points = ot_points_arg(fcinfo, 2);
	int64 no_lot = 0;
	Party from = {0};
	Party to = {0};

	PreventCommandIfReadOnly("ordertrack.transfer_points()");
	ot_points_request_read(&request, fcinfo, 3);
	request.fields[0] = from_customer;
	request.fields[1] = to_customer;
	request.fields[2] = psprintf(INT64_FORMAT, points);
	ot_points_request_hash(&request);

	ot_begin();
	ot_require_workspace(request.workspace);
	if (ot_points_key_take(&request, &no_lot))
	{
		find_party(request.workspace, from_customer, &from);
		find_party(request.workspace, to_customer, &to);
		transfer(&request, &from, &to, points);
	}
	ot_end();
	PG_RETURN_VOID();
}

static void
find_party(int64 workspace, const char *source_id, Party *party)
{
	OtArgs args = {0};

	ot_arg_int8(&args, workspace);
	ot_arg_text(&args, source_id);
	if (ot_run(OT_PLAN_POINT_CUSTOMER, &args) == 0)
		ereport(ERROR, errcode(OT_ERRCODE_NOT_FOUND),
				errmsg("customer \"%s\" does not exist", source_id));
	party->customer_id = ot_get_int8(0, 1);
	party->may_spend = ot_get_bool(0, 2);
}

/* Locks both accounts in the order of their customers' ids, as everybody does. */
static void
transfer(const OtPointsRequest *request, Party *from, Party *to, int64 points)
{
	bool is_ascending = from->customer_id < to->customer_id;

	if (from->customer_id == to->customer_id)
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("points cannot be transferred to the same customer"));
	if (!from->may_spend)
		ereport(ERROR, errcode(OT_ERRCODE_POINTS),
				errmsg("customer may not spend points"));
	lock_party(request, is_ascending ? from : to);
	lock_party(request, is_ascending ? to : from);
	if (from->points.active < points)
		ereport(
			ERROR, errcode(OT_ERRCODE_POINTS), errmsg("customer has not enough points"),
			errdetail(INT64_FORMAT " more are needed.", points - from->points.active));
	give(from, to, points);
	ot_ledger_book_locked(&from->ledger, &from->points);
	ot_ledger_book_locked(&to->ledger, &to->points);
}

static void
lock_party(const OtPointsRequest *request, Party *party)
{
	ot_points_lock(request->workspace, party->customer_id, request->now, DT_NOEND,
				   &party->points);
	ot_points_request_ledger(request, party->customer_id, &party->ledger);
	ot_ledger_expire(&party->ledger, &party->points);
}

/* What each lot gives becomes a lot of the other customer, as old and as long-lived. */
static void
give(Party *from, Party *to, int64 points)
{
	int first = from->ledger.count;

	ot_ledger_take(&from->ledger, &from->points, OT_TRANSFERRED_OUT, points);
	for (int i = first; i < from->ledger.count; i++)
	{
		const OtMovement *movement = &from->ledger.movements[i];
		OtLot lot = *find_lot(&from->points, movement->lot_id);

		lot.id = ot_next_lot_id();
		lot.left = -movement->points;
		lot.pending_until = DT_NOBEGIN;
		ot_lot_insert(&to->ledger, &lot, movement->lot_id);
		ot_ledger_add(&to->ledger, OT_TRANSFERRED_IN, lot.id, lot.left, true);
	}
}

static const OtLot *
find_lot(const OtPoints *points, int64 lot_id)
{
	for (int i = 0; i < points->lot_count; i++)
		if (points->lots[i].id == lot_id)
			return &points->lots[i];
	elog(ERROR, "lot " INT64_FORMAT " is missing", lot_id);
}

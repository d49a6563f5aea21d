/*
 * points_grant.c
 *		Grants points, and cancels what is left of a grant.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/timestamp.h"

#include "errcodes.h"
#include "plan.h"
#include "points.h"
#include "points_request.h"

PG_FUNCTION_INFO_V1(ordertrack_grant_points);
PG_FUNCTION_INFO_V1(ordertrack_cancel_points);

/* What is granted. */
typedef struct Grant
{
	OtPointsRequest request;
	const char *customer;
	int64 points;
	TimestampTz expires_at;
	TimestampTz pending_until; /* DT_NOBEGIN: none */
} Grant;

static void read_grant(FunctionCallInfo fcinfo, Grant *grant);
static void grant_points(const Grant *grant, int64 lot_id);
static void check_times(const Grant *grant);
static int64 cancel(OtPointsRequest *request, int64 lot_id);
static int64 find_owner(int64 workspace, int64 lot_id);

/* Gives points to a customer and returns the lot's id. */
Datum
ordertrack_grant_points(PG_FUNCTION_ARGS)
{
	Grant grant = {0};
	int64 lot_id;

	PreventCommandIfReadOnly("ordertrack.grant_points()");
	read_grant(fcinfo, &grant);

	ot_begin();
	ot_require_workspace(grant.request.workspace);
	lot_id = ot_next_lot_id();
	if (ot_points_key_take(&grant.request, &lot_id))
		grant_points(&grant, lot_id);
	ot_end();
	PG_RETURN_INT64(lot_id);
}

static void
read_grant(FunctionCallInfo fcinfo, Grant *grant)
{
	OtPointsRequest *request = &grant->request;

	request->function = "grant_points";
	grant->customer = ot_required_text_arg(fcinfo, 0, "customer", OT_MAX_KEY);
	grant->points = ot_points_arg(fcinfo, 1);
	grant->expires_at = PG_ARGISNULL(2) ? DT_NOEND : PG_GETARG_TIMESTAMPTZ(2);
	grant->pending_until = PG_ARGISNULL(3) ? DT_NOBEGIN : PG_GETARG_TIMESTAMPTZ(3);
	ot_points_request_read(request, fcinfo, 4);
	request->fields[0] = grant->customer;
	request->fields[1] = psprintf(INT64_FORMAT, grant->points);
	request->fields[2] = psprintf(INT64_FORMAT, grant->expires_at);
	request->fields[3] = psprintf(INT64_FORMAT, grant->pending_until);
	ot_points_request_hash(request);
}

static void
grant_points(const Grant *grant, int64 lot_id)
{
	const OtPointsRequest *request = &grant->request;
	int64 customer_id;
	OtLot lot = {lot_id, grant->points, grant->expires_at, request->now,
				 grant->pending_until};
	OtLedger ledger;
	OtPoints points;

	check_times(grant);
	customer_id = ot_customer_put(request->workspace, grant->customer, request->now);
	ot_points_lock(request->workspace, customer_id, request->now, request->now, &points);
	ot_points_request_ledger(request, customer_id, &ledger);
	ot_ledger_expire(&ledger, &points);
	ot_lot_insert(&ledger, &lot, 0);
	ot_ledger_add(&ledger, OT_GRANTED, lot_id, grant->points, true);
	ot_ledger_book_locked(&ledger, &points);
}

static void
check_times(const Grant *grant)
{
	if (grant->expires_at <= grant->request.now)
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("\"expires_at\" must be in the future"));
	if (grant->pending_until >= grant->expires_at)
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("\"pending_until\" must be before \"expires_at\""),
				errdetail("The points could never be spent."));
}

/* Cancels what is left of a grant and returns how many points that were. */
Datum
ordertrack_cancel_points(PG_FUNCTION_ARGS)
{
	OtPointsRequest request = {.function = "cancel_points"};
	int64 lot_id = ot_id_arg(fcinfo, 0, "lot_id");
	int64 canceled;

	PreventCommandIfReadOnly("ordertrack.cancel_points()");
	request.reason = ot_text_arg(fcinfo, 1, "reason", OT_MAX_TEXT);
	request.channel = ot_text_arg(fcinfo, 2, "channel", OT_MAX_TEXT);
	request.actor = ot_text_arg(fcinfo, 3, "actor", OT_MAX_TEXT);
	request.workspace = ot_workspace_arg(fcinfo, 4);

	ot_begin();
	ot_require_workspace(request.workspace);
	canceled = cancel(&request, lot_id);
	ot_end();
	PG_RETURN_INT64(canceled);
}

/* What has expired before is gone already; a second call finds nothing left. */
static int64
cancel(OtPointsRequest *request, int64 lot_id)
{
	int64 customer_id = find_owner(request->workspace, lot_id);
	int64 canceled = 0;
	OtArgs args = {0};
	OtLedger ledger;
	OtPoints points;

	request->now = GetCurrentTimestamp();
	ot_points_lock(request->workspace, customer_id, request->now, DT_NOEND, &points);
	ot_points_request_ledger(request, customer_id, &ledger);
	ot_ledger_expire(&ledger, &points);
	for (int i = 0; i < points.lot_count; i++)
		if (points.lots[i].id == lot_id)
			canceled = points.lots[i].left;
	if (canceled > 0)
		ot_ledger_add(&ledger, OT_CANCELED, lot_id, -canceled, false);
	ot_arg_int8(&args, request->workspace);
	ot_arg_int8(&args, lot_id);
	ot_arg_time(&args, request->now);
	ot_run(OT_PLAN_POINT_LOT_CANCEL, &args);
	ot_ledger_book_locked(&ledger, &points);
	return canceled;
}

static int64
find_owner(int64 workspace, int64 lot_id)
{
	OtArgs args = {0};

	ot_arg_int8(&args, workspace);
	ot_arg_int8(&args, lot_id);
	if (ot_run(OT_PLAN_POINT_LOT_FIND, &args) == 0)
		ereport(ERROR, errcode(OT_ERRCODE_NOT_FOUND),
				errmsg("grant of points " INT64_FORMAT " does not exist", lot_id));
	return ot_get_int8(0, 1);
}

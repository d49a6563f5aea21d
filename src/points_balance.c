/*
 * points_balance.c
 *		Tells what points a customer has, and whose points expire soon.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

#include "errcodes.h"
#include "plan.h"
#include "points.h"

PG_FUNCTION_INFO_V1(ordertrack_points_balance);
PG_FUNCTION_INFO_V1(ordertrack_expiring_points);

/* Columns of type points_balance. */
enum
{
	ACTIVE,
	PENDING,
	EXPIRED,
	SPENT,
	NEXT_EXPIRING,
	NEXT_EXPIRES_AT,
	BALANCE_COLUMNS
};

static void read_points(int64 workspace, const char *customer, TimestampTz now,
						OtPoints *points);
static void find_next(const OtPoints *points, TimestampTz now, Datum *values,
					  bool *nulls);

/* Tells what a customer has as of now. */
Datum
ordertrack_points_balance(PG_FUNCTION_ARGS)
{
	const char *customer = ot_required_text_arg(fcinfo, 0, "customer", OT_MAX_KEY);
	int64 workspace = ot_workspace_arg(fcinfo, 1);
	TimestampTz now = GetCurrentTimestamp();
	Datum values[BALANCE_COLUMNS];
	bool nulls[BALANCE_COLUMNS] = {false};
	OtPoints points;

	ot_begin();
	ot_require_workspace(workspace);
	ot_take_snapshot();
	read_points(workspace, customer, now, &points);
	ot_drop_snapshot();
	values[ACTIVE] = Int64GetDatum(points.active);
	values[PENDING] = Int64GetDatum(points.pending);
	values[EXPIRED] = Int64GetDatum(points.booked_expired + points.expired);
	values[SPENT] = Int64GetDatum(points.spent);
	find_next(&points, now, values, nulls);
	ot_end();
	return ot_return_row(fcinfo, values, nulls);
}

static void
read_points(int64 workspace, const char *customer, TimestampTz now, OtPoints *points)
{
	OtArgs args = {0};

	ot_arg_int8(&args, workspace);
	ot_arg_text(&args, customer);
	if (ot_read(OT_PLAN_POINT_CUSTOMER, &args) == 0)
		ereport(ERROR, errcode(OT_ERRCODE_NOT_FOUND),
				errmsg("customer \"%s\" does not exist", customer));
	ot_points_read(workspace, ot_get_int8(0, 1), now, points);
}

/* Finds the active points that expire next: those of all lots of that moment. */
static void
find_next(const OtPoints *points, TimestampTz now, Datum *values, bool *nulls)
{
	TimestampTz expires_at = DT_NOEND;
	int64 count = 0;

	for (int i = 0; i < points->lot_count; i++)
	{
		const OtLot *lot = &points->lots[i];

		if (ot_lot_is_expired(lot, now) || ot_lot_is_pending(lot, now))
			continue;
		if (count > 0 && lot->expires_at != expires_at)
			break;
		expires_at = lot->expires_at;
		count += lot->left;
	}
	nulls[NEXT_EXPIRING] = nulls[NEXT_EXPIRES_AT] = expires_at == DT_NOEND;
	values[NEXT_EXPIRING] = Int64GetDatum(count);
	values[NEXT_EXPIRES_AT] = TimestampTzGetDatum(expires_at);
}

/* Lists whose points expire within a time from now, and when. */
Datum
ordertrack_expiring_points(PG_FUNCTION_ARGS)
{
	int64 workspace = ot_workspace_arg(fcinfo, 1);
	TimestampTz now = GetCurrentTimestamp();
	TimestampTz until;
	OtArgs args = {0};

	if (PG_ARGISNULL(0))
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("argument \"within\" must not be null"));
	until = DatumGetTimestampTz(DirectFunctionCall2(
		timestamptz_pl_interval, TimestampTzGetDatum(now), PG_GETARG_DATUM(0)));
	ot_arg_int8(&args, workspace);
	ot_arg_time(&args, now);
	ot_arg_time(&args, until);
	ot_begin();
	ot_require_workspace(workspace);
	ot_return_rows(fcinfo, ot_read(OT_PLAN_POINT_EXPIRING, &args));
	ot_end();
	return (Datum) 0;
}

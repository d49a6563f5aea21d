/*
 * points_request.c
 *		What the functions that move points by themselves have in common: their
 *		arguments, their idempotency key, and booking under the account's lock.
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "errcodes.h"
#include "plan.h"
#include "points_request.h"
#include "redemption.h"

static char *key_arg(FunctionCallInfo fcinfo, int n);

/* Gives a number of points, at least 1. */
int64
ot_points_arg(FunctionCallInfo fcinfo, int n)
{
	int64 points = ot_id_arg(fcinfo, n, "points");

	if (points <= 0)
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("\"points\" must be greater than zero"));
	return points;
}

/* Reads reason, idempotency_key, channel, actor and workspace, and the clock. */
void
ot_points_request_read(OtPointsRequest *request, FunctionCallInfo fcinfo, int first)
{
	request->reason = ot_text_arg(fcinfo, first, "reason", OT_MAX_TEXT);
	request->idempotency_key = key_arg(fcinfo, first + 1);
	request->channel = ot_text_arg(fcinfo, first + 2, "channel", OT_MAX_TEXT);
	request->actor = ot_text_arg(fcinfo, first + 3, "actor", OT_MAX_TEXT);
	request->workspace = ot_workspace_arg(fcinfo, first + 4);
	request->now = GetCurrentTimestamp();
}

static char *
key_arg(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n)
			   ? NULL
			   : ot_required_text_arg(fcinfo, n, "idempotency_key", OT_MAX_KEY);
}

/* Hashes what was asked for, where there is a key; the reason is a part of it. */
void
ot_points_request_hash(OtPointsRequest *request)
{
	request->fields[OT_POINTS_FIELDS - 1] = request->reason;
	if (request->idempotency_key != NULL)
		ot_request_hash(request->function, OT_POINTS_FIELDS, request->fields,
						request->hash);
}

/*
 * Takes the idempotency key, where there is one, for what the call makes.  False
 * where the same request was answered before: then it gives what that made.
 */
bool
ot_points_key_take(const OtPointsRequest *request, int64 *lot_id)
{
	OtArgs find = {0};
	OtArgs claim = {0};

	if (request->idempotency_key == NULL)
		return true;
	ot_arg_int8(&find, request->workspace);
	ot_arg_text(&find, request->idempotency_key);
	claim = find;
	ot_arg_text(&claim, request->function);
	ot_arg_bytes(&claim, request->hash, OT_HASH_LENGTH);
	ot_arg_id(&claim, *lot_id);
	ot_arg_time(&claim, request->now);
	for (int turn = 1;; turn++)
	{
		ot_begin_turn(turn);
		if (ot_run(OT_PLAN_POINT_KEY_FIND, &find) > 0)
		{
			if (!ot_request_is_same(ot_get_bytes(0, 1), request->hash))
				ot_key_refuse();
			*lot_id = ot_get_int8(0, 2);
			return false;
		}
		if (ot_run(OT_PLAN_POINT_KEY_CLAIM, &claim) == 1)
			return true;
	}
}

/* Begins the movements of a call for one customer. */
void
ot_ledger_begin(OtLedger *ledger, const OtPointsRequest *request, int64 customer_id)
{
	memset(ledger, 0, sizeof(*ledger));
	ledger->workspace = request->workspace;
	ledger->customer_id = customer_id;
	ledger->now = request->now;
	ledger->reason = request->reason;
	ledger->channel = request->channel;
	ledger->actor = request->actor;
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

/* Books movements of an account that is locked: no race can be lost. */
void
ot_points_book_locked(const OtLedger *ledger, const OtPoints *points)
{
	if (!ot_ledger_book(ledger, points))
		elog(ERROR, "locked account of points has changed");
}

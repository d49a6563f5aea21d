/*
 * points_request.c
 *		What the functions that move points by themselves have in common: their
 *		arguments, their idempotency key, and how their movements begin.
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
ot_points_request_ledger(const OtPointsRequest *request, int64 customer_id,
						 OtLedger *ledger)
{
	ot_ledger_begin(ledger, request->workspace, customer_id, request->now,
					request->channel, request->actor);
	ledger->reason = request->reason;
}

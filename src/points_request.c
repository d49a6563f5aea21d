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
	request->idempotency_key = ot_key_arg(fcinfo, first + 1);
	request->channel = ot_text_arg(fcinfo, first + 2, "channel", OT_MAX_TEXT);
	request->actor = ot_text_arg(fcinfo, first + 3, "actor", OT_MAX_TEXT);
	request->workspace = ot_workspace_arg(fcinfo, first + 4);
	request->now = GetCurrentTimestamp();
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
	OtKeyUse use = {.workspace = request->workspace,
					.key = request->idempotency_key,
					.function = request->function,
					.hash = request->hash,
					.now = request->now,
					.find = OT_PLAN_POINT_KEY_FIND,
					.claim = OT_PLAN_POINT_KEY_CLAIM};

	return ot_key_take(&use, lot_id);
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

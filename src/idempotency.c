/*
 * idempotency.c
 *		Keys of callers: the same key and request gives the first answer again,
 *		the same key and another request is a conflict.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "utils/builtins.h"

#include "errcodes.h"
#include "plan.h"
#include "redemption.h"

/*
 * Hashes a request: the function and its fields, each with its length, NULL
 * with a length that no text has.
 */
void
ot_request_hash(const char *function, int count, const char *const *fields, uint8 *hash)
{
	StringInfoData bytes;

	initStringInfo(&bytes);
	appendBinaryStringInfo(&bytes, function, strlen(function) + 1);
	for (int i = 0; i < count; i++)
	{
		pq_sendint32(&bytes, fields[i] == NULL ? PG_UINT32_MAX : strlen(fields[i]));
		appendStringInfoString(&bytes, fields[i] == NULL ? "" : fields[i]);
	}
	ot_sha256(bytes.data, bytes.len, hash);
}

/* Looks for a key, and where its request was the same for the first answer. */
OtKeyState
ot_key_find(int64 workspace, const char *key, const uint8 *hash, OtOutcome *outcome)
{
	int64 redemption_id;
	OtKeyState state = ot_key_look(workspace, key, hash, &redemption_id);

	if (state == OT_KEY_REPLAYED)
		ot_outcome_replay(workspace, redemption_id, outcome);
	return state;
}

/* Looks for a key, and where its request was the same for its redemption. */
OtKeyState
ot_key_look(int64 workspace, const char *key, const uint8 *hash, int64 *redemption_id)
{
	OtArgs find = {0};

	ot_arg_int8(&find, workspace);
	ot_arg_text(&find, key);
	if (ot_run(OT_PLAN_KEY_FIND, &find) == 0)
		return OT_KEY_NEW;
	if (!ot_request_is_same(ot_get_bytes(0, 1), hash))
		return OT_KEY_CONFLICT;
	*redemption_id = ot_get_int8(0, 2);
	return OT_KEY_REPLAYED;
}

/* Reads the answer that a redemption once gave. */
void
ot_outcome_replay(int64 workspace, int64 redemption_id, OtOutcome *outcome)
{
	OtArgs replay = {0};

	ot_arg_int8(&replay, workspace);
	ot_arg_int8(&replay, redemption_id);
	ot_flush();
	if (ot_run(OT_PLAN_REDEMPTION_REPLAY, &replay) == 0)
		elog(ERROR, "redemption of a known idempotency key is missing");
	memset(outcome, 0, sizeof(*outcome));
	outcome->redemption_id = ot_get_int8(0, 1);
	outcome->is_success = strcmp(ot_get_text(0, 2), "success") == 0;
	outcome->failure_code = ot_get_text(0, 3);
	outcome->failure_message = ot_get_text(0, 4);
	outcome->order_id = ot_get_int8(0, 5);
	outcome->discount_amount = ot_get_int8(0, 7);
	outcome->total_amount = ot_get_int8(0, 8);
	outcome->has_gift_balance = !ot_is_null(0, 9);
	outcome->gift_balance = ot_get_int8(0, 9);
	/* For a discount the outcome's amount is the order's: total and discount. */
	outcome->amount = outcome->has_gift_balance
						  ? ot_get_int8(0, 6)
						  : outcome->discount_amount + outcome->total_amount;
	outcome->is_replayed = true;
}

/* Tells whether a key was stored with the request that has this hash. */
bool
ot_request_is_same(const bytea *stored, const uint8 *hash)
{
	return VARSIZE_ANY_EXHDR(stored) == OT_HASH_LENGTH &&
		   memcmp(VARDATA_ANY(stored), hash, OT_HASH_LENGTH) == 0;
}

/* Takes a key; false where another session has just taken it. */
bool
ot_key_claim(int64 workspace, const char *key, const char *function, const uint8 *hash,
			 int64 redemption_id, TimestampTz now)
{
	OtArgs args = {0};

	ot_arg_int8(&args, workspace);
	ot_arg_text(&args, key);
	ot_arg_text(&args, function);
	ot_arg_bytes(&args, hash, OT_HASH_LENGTH);
	ot_arg_int8(&args, redemption_id);
	ot_arg_time(&args, now);
	return ot_run(OT_PLAN_KEY_CLAIM, &args) == 1;
}

/* Gives an idempotency key, or NULL where there is none. */
char *
ot_key_arg(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n)
			   ? NULL
			   : ot_required_text_arg(fcinfo, n, "idempotency_key", OT_MAX_KEY);
}

/*
 * Takes a key, where there is one, for what a call makes.  False where the same
 * request was answered before: then it gives the id of what that made.
 */
bool
ot_key_take(const OtKeyUse *use, int64 *id)
{
	OtArgs find = {0};
	OtArgs claim = {0};

	if (use->key == NULL)
		return true;
	ot_arg_int8(&find, use->workspace);
	ot_arg_text(&find, use->key);
	claim = find;
	ot_arg_text(&claim, use->function);
	ot_arg_bytes(&claim, use->hash, OT_HASH_LENGTH);
	ot_arg_id(&claim, *id);
	ot_arg_time(&claim, use->now);
	for (int turn = 1;; turn++)
	{
		ot_begin_turn(turn);
		if (ot_run(use->find, &find) > 0)
		{
			if (!ot_request_is_same(ot_get_bytes(0, 1), use->hash))
				ot_key_refuse();
			*id = ot_get_int8(0, 2);
			return false;
		}
		if (ot_run(use->claim, &claim) == 1)
			return true;
	}
}

/* Tells a caller that its key belongs to another request. */
void
ot_key_refuse(void)
{
	ereport(
		ERROR, errcode(OT_ERRCODE_KEY_CONFLICT),
		errmsg("idempotency key was used for another request"),
		errhint(
			"Use a new key for each new request, and the same key only to repeat one."));
}

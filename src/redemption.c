/*
 * redemption.c
 *		validate and redeem: one loop that decides, and one record for every
 *		attempt.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "errcodes.h"
#include "plan.h"
#include "redemption.h"

#define MAX_TURNS 1000

PG_FUNCTION_INFO_V1(ordertrack_validate);
PG_FUNCTION_INFO_V1(ordertrack_redeem);

static void hash_request(OtRequest *request, const Jsonb *order_data,
						 const Jsonb *metadata);
static bool may_wait(const OtRequest *request, const OtFacts *facts);
static bool refuse(const OtAttempt *attempt, TimestampTz now);

/* Answers what redeem would answer, and writes nothing. */
Datum
ordertrack_validate(PG_FUNCTION_ARGS)
{
	OtRequest request = {0};
	OtAttempt attempt = {.request = &request};
	OtOutcome outcome;
	TimestampTz now = GetCurrentTimestamp();

	request.function = "validate";
	request.workspace = ot_workspace_arg(fcinfo, 8);
	request.has_amount = !PG_ARGISNULL(3);
	request.amount = request.has_amount ? PG_GETARG_INT64(3) : 0;
	request.channel = ot_text_or_null(fcinfo, 5);
	request.actor = ot_text_or_null(fcinfo, 6);
	request.reservation_key = ot_text_or_null(fcinfo, 7);
	ot_request_read(&request, ot_text_or_null(fcinfo, 0), ot_text_or_null(fcinfo, 1),
					ot_jsonb_or_null(fcinfo, 2), ot_jsonb_or_null(fcinfo, 4));

	ot_begin();
	ot_facts_read(&request, now, &attempt.facts);
	ot_judge(&request, &attempt.facts, now, &attempt.verdict);
	if (attempt.verdict.failure == OT_INVALID_INPUT)
		memset(&attempt.facts, 0, sizeof(attempt.facts));
	ot_outcome_tell(&outcome, &attempt.facts, &attempt.verdict, attempt.facts.order.id);
	ot_end();
	return ot_outcome_return(fcinfo, &outcome);
}

/* Uses a code, or records why not. */
Datum
ordertrack_redeem(PG_FUNCTION_ARGS)
{
	OtRequest request = {0};
	OtOutcome outcome;

	PreventCommandIfReadOnly("ordertrack.redeem()");
	request.function = "redeem";
	request.workspace = ot_workspace_arg(fcinfo, 9);
	request.has_amount = !PG_ARGISNULL(3);
	request.amount = request.has_amount ? PG_GETARG_INT64(3) : 0;
	request.idempotency_key = ot_text_or_null(fcinfo, 5);
	request.channel = ot_text_or_null(fcinfo, 6);
	request.actor = ot_text_or_null(fcinfo, 7);
	request.reservation_key = ot_text_or_null(fcinfo, 8);
	ot_request_read(&request, ot_text_or_null(fcinfo, 0), ot_text_or_null(fcinfo, 1),
					ot_jsonb_or_null(fcinfo, 2), ot_jsonb_or_null(fcinfo, 4));

	ot_begin();
	ot_lock_redemptions(false);
	if (!ot_redeem(&request, NULL, &outcome))
		ot_key_refuse();
	ot_end();
	return ot_outcome_return(fcinfo, &outcome);
}

/* Gives a text of any length, or NULL. */
char *
ot_text_or_null(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(n));
}

/* Gives any jsonb, or NULL. */
Jsonb *
ot_jsonb_or_null(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? NULL : PG_GETARG_JSONB_P(n);
}

/*
 * Checks what the caller gave, beside what the request holds already, and cuts
 * to its limit what is too long: such an attempt is refused, and recorded.
 */
void
ot_request_read(OtRequest *request, const char *code, const char *customer,
				const Jsonb *order_data, const Jsonb *metadata)
{
	request->code = unconstify(char *, code);
	request->customer = unconstify(char *, customer);
	if (request->idempotency_key != NULL)
		hash_request(request, order_data, metadata);
	ot_request_code(request, code);
	if (customer != NULL && *customer == '\0')
		ot_request_blame(request, "customer must not be empty");
	ot_request_blame(request, ot_fit_text(&request->customer, "customer", OT_MAX_KEY));
	ot_request_blame(
		request, ot_fit_text(&request->reservation_key, "reservation_key", OT_MAX_KEY));
	ot_request_blame(request, ot_fit_text(&request->channel, "channel", OT_MAX_TEXT));
	ot_request_blame(request, ot_fit_text(&request->actor, "actor", OT_MAX_TEXT));
	if (request->idempotency_key != NULL &&
		(*request->idempotency_key == '\0' ||
		 strlen(request->idempotency_key) > OT_MAX_KEY))
	{
		ot_request_blame(request, *request->idempotency_key == '\0'
									  ? "idempotency_key must not be empty"
									  : "idempotency_key is too long");
		request->idempotency_key = NULL;
	}
	if (metadata != NULL && !ot_json_is_object(metadata))
		ot_request_blame(request, "metadata must be a JSON object");
	else if (metadata != NULL && VARSIZE(metadata) > OT_MAX_JSON)
		ot_request_blame(request, "metadata is too long");
	else
		request->metadata = unconstify(Jsonb *, metadata);
	ot_order_data_read(&request->order, order_data);
}

/* Checks the code that is asked for. */
void
ot_request_code(OtRequest *request, const char *code)
{
	request->code = unconstify(char *, code);
	if (code == NULL)
		ot_request_blame(request, "code must not be null");
	else if (*code == '\0')
		ot_request_blame(request, "code must not be empty");
	ot_request_blame(request, ot_fit_text(&request->code, "code", OT_MAX_CODE));
}

/* Cuts a text to what may be stored; says so where it had to, else NULL. */
const char *
ot_fit_text(char **text, const char *name, int max_bytes)
{
	int length = *text == NULL ? 0 : strlen(*text);

	if (length <= max_bytes)
		return NULL;
	*text = pnstrdup(*text, pg_mbcliplen(*text, length, max_bytes));
	return psprintf("%s is too long", name);
}

/* Says what is wrong with the input; the first reason stays, NULL is none. */
void
ot_request_blame(OtRequest *request, const char *message)
{
	if (request->is_bad || message == NULL)
		return;
	request->is_bad = true;
	request->bad_message = message;
}

/*
 * Decides and writes one redemption.  Every turn of the loop reads fresh facts;
 * a turn that ends without an answer means that another session has committed
 * something that changed them.  Returns false where the idempotency key belongs
 * to another request.
 */
bool
ot_redeem(OtRequest *request, const OtLocked *locked, OtOutcome *outcome)
{
	OtAttempt attempt = {.request = request};
	OtAttempt *attempts[] = {&attempt};
	OtAcceptance acceptance = {attempts, 1, 0, locked, GetCurrentTimestamp()};
	OtFacts *facts = &attempt.facts;
	int64 redemption_id = 0;
	int64 locked_order_id = 0;

	for (int turn = 1;; turn++)
	{
		int64 order_id = 0;

		ot_begin_turn(turn);
		if (request->idempotency_key != NULL)
		{
			OtKeyState state = ot_key_find(request->workspace, request->idempotency_key,
										   request->hash, outcome);

			if (state != OT_KEY_NEW)
				return state == OT_KEY_REPLAYED;
		}
		ot_facts_read(request, acceptance.now, facts);
		if (may_wait(request, facts) && ot_flush())
			continue;
		ot_judge(request, facts, acceptance.now, &attempt.verdict);
		if (attempt.verdict.failure == OT_INVALID_INPUT)
			memset(facts, 0, sizeof(*facts)); /* a cut text may name another's row */
		if (redemption_id == 0)
			redemption_id = ot_next_redemption_id();
		facts->redemption_id = redemption_id;
		if (attempt.verdict.failure != OT_OK)
		{
			if (!refuse(&attempt, acceptance.now))
				continue;
		}
		else if (facts->order.id != locked_order_id)
		{
			ot_order_lock(request->workspace, facts->order.id);
			locked_order_id = facts->order.id;
			continue;
		}
		else if (!ot_accept(&acceptance, &order_id))
			continue;
		if (request->prefetch != NULL && attempt.verdict.failure == OT_OK)
			ot_prefetch_follow(&attempt);
		ot_outcome_tell(outcome, facts, &attempt.verdict, order_id);
		return true;
	}
}

/* Begins a turn; each but the last was lost to another session that committed. */
void
ot_begin_turn(int turn)
{
	CHECK_FOR_INTERRUPTS();
	if (turn > MAX_TURNS)
		ereport(
			ERROR, errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			errmsg("could not decide, because the facts changed %d times", MAX_TURNS),
			errhint("Try again, and look for triggers or rules that suppress a write."));
}

/* Hashes what was asked for, before it is cut; not channel, actor and time. */
static void
hash_request(OtRequest *request, const Jsonb *order_data, const Jsonb *metadata)
{
	const char *fields[8];

	fields[0] = request->code;
	fields[1] = request->customer;
	fields[2] = order_data == NULL ? NULL : ot_json_to_text(order_data);
	fields[3] = request->has_amount ? psprintf(INT64_FORMAT, request->amount) : NULL;
	fields[4] = metadata == NULL ? NULL : ot_json_to_text(metadata);
	fields[5] = request->raw;
	fields[6] = request->reservation_key;
	fields[7] = request->hold == 0 ? NULL : psprintf(INT64_FORMAT, request->hold);
	ot_request_hash(request->function, lengthof(fields), fields, request->hash);
}

/*
 * Tells whether the facts include rows that an earlier item of a batch may have
 * left waiting: lines, what rules read, and a customer's sum where it must be exact.
 */
static bool
may_wait(const OtRequest *request, const OtFacts *facts)
{
	return facts->customer_total >= OT_WAITING_SUM ||
		   request->order.amount >= OT_WAITING_SUM / OT_MAX_BATCH ||
		   facts->voucher.has_rules || facts->campaign.has_rules ||
		   (facts->order.id != 0 && facts->discount.effect != OT_APPLY_TO_ORDER);
}

/* Locks a stored order. */
void
ot_order_lock(int64 workspace, int64 order_id)
{
	OtArgs args = {0};

	ot_arg_int8(&args, workspace);
	ot_arg_int8(&args, order_id);
	ot_run(OT_PLAN_ORDER_LOCK, &args);
}

/* Records a refusal; false where another session has just taken the key. */
static bool
refuse(const OtAttempt *attempt, TimestampTz now)
{
	const OtRequest *request = attempt->request;
	OtRecord record;

	if (request->idempotency_key != NULL &&
		!ot_key_claim(request->workspace, request->idempotency_key, request->function,
					  request->hash, attempt->facts.redemption_id, now))
		return false;
	ot_record_read(&record, attempt, now);
	ot_record_insert(&record);
	return true;
}

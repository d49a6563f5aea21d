/*
 * reservation.c
 *		reserve and release_reservation: a use is held until it is redeemed,
 *		released, or its time is over.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "errcodes.h"
#include "plan.h"
#include "reservation.h"

#define MAX_HOLD (30 * USECS_PER_DAY)

/* Columns of the type reservation_outcome. */
#define OUTCOME_COLUMNS (OT_OUTCOME_COLUMNS + 1)

PG_FUNCTION_INFO_V1(ordertrack_reserve);
PG_FUNCTION_INFO_V1(ordertrack_release_reservation);

static int64 read_hold(FunctionCallInfo fcinfo, int n);
static bool reserve(const OtRequest *request, OtReservationOutcome *outcome);
static Datum return_outcome(FunctionCallInfo fcinfo, const OtReservationOutcome *outcome);
static bool release(int64 workspace, const char *key);
static bool find(int64 workspace, const char *key, TimestampTz now, OtFacts *facts);

/* Holds a use of a code for its caller, or says why not. */
Datum
ordertrack_reserve(PG_FUNCTION_ARGS)
{
	OtRequest request = {0};
	OtReservationOutcome outcome = {0};

	PreventCommandIfReadOnly("ordertrack.reserve()");
	request.function = "reserve";
	request.workspace = ot_workspace_arg(fcinfo, 9);
	request.has_amount = !PG_ARGISNULL(3);
	request.amount = request.has_amount ? PG_GETARG_INT64(3) : 0;
	request.hold = read_hold(fcinfo, 4);
	request.idempotency_key = ot_text_or_null(fcinfo, 6);
	request.channel = ot_text_or_null(fcinfo, 7);
	request.actor = ot_text_or_null(fcinfo, 8);
	ot_request_read(&request, ot_text_or_null(fcinfo, 0), ot_text_or_null(fcinfo, 1),
					ot_jsonb_or_null(fcinfo, 2), ot_jsonb_or_null(fcinfo, 5));

	ot_begin();
	ot_lock_redemptions(false);
	if (!reserve(&request, &outcome))
		ot_key_refuse();
	ot_end();
	return return_outcome(fcinfo, &outcome);
}

/* Gives the microseconds of a hold: a day has 24 hours here, and a month 30 days. */
static int64
read_hold(FunctionCallInfo fcinfo, int n)
{
	Interval *hold;
	int64 span = 0;

	if (PG_ARGISNULL(n))
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("argument \"%s\" must not be null", "hold"));
	hold = PG_GETARG_INTERVAL_P(n);
	/* Each part so small that the sum can't overflow. */
	if (abs(hold->month) <= 1000 && abs(hold->day) <= 100000 &&
		hold->time < PG_INT64_MAX / 4 && hold->time > PG_INT64_MIN / 4)
		span = (hold->month * (int64) DAYS_PER_MONTH + hold->day) * USECS_PER_DAY +
			   hold->time;
	if (span <= 0 || span > MAX_HOLD)
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("\"hold\" must be more than 0 and at most 30 days"));
	return span;
}

/*
 * Decides as a redemption does; each new turn was lost to another session.  A
 * refusal changes nothing.  Returns false where the idempotency key belongs to
 * another request.
 */
static bool
reserve(const OtRequest *request, OtReservationOutcome *outcome)
{
	TimestampTz now = GetCurrentTimestamp();
	OtFacts facts;
	OtVerdict verdict;

	for (int turn = 1;; turn++)
	{
		ot_begin_turn(turn);
		if (request->idempotency_key != NULL)
		{
			OtKeyState state = ot_reservation_replay(request, outcome);

			if (state != OT_KEY_NEW)
				return state == OT_KEY_REPLAYED;
		}
		ot_facts_read(request, now, &facts);
		ot_judge(request, &facts, now, &verdict);
		if (verdict.failure == OT_INVALID_INPUT)
			memset(&facts, 0, sizeof(facts)); /* a cut text may name another's row */
		if (verdict.failure == OT_OK &&
			!ot_reservation_write(request, &facts, &verdict, now, outcome))
			continue;
		if (verdict.failure != OT_OK)
			ot_outcome_tell(&outcome->outcome, &facts, &verdict, 0);
		return true;
	}
}

/* The columns are those of redemption_outcome, with key and time for the id. */
static Datum
return_outcome(FunctionCallInfo fcinfo, const OtReservationOutcome *outcome)
{
	bool is_success = outcome->outcome.is_success;
	Datum values[OUTCOME_COLUMNS];
	bool nulls[OUTCOME_COLUMNS];

	ot_outcome_values(&outcome->outcome, values + 1, nulls + 1);
	values[0] = is_success ? CStringGetTextDatum(outcome->reservation_key) : (Datum) 0;
	values[1] = TimestampTzGetDatum(outcome->expires_at);
	nulls[0] = nulls[1] = !is_success;
	return ot_return_row(fcinfo, values, nulls);
}

/* Gives up what a reservation holds; tells whether it was live. */
Datum
ordertrack_release_reservation(PG_FUNCTION_ARGS)
{
	const char *key = ot_required_text_arg(fcinfo, 0, "reservation_key", OT_MAX_KEY);
	int64 workspace = ot_workspace_arg(fcinfo, 1);
	bool was_live;

	PreventCommandIfReadOnly("ordertrack.release_reservation()");
	ot_begin();
	ot_lock_redemptions(false);
	was_live = release(workspace, key);
	ot_end();
	PG_RETURN_BOOL(was_live);
}

/* A turn is lost where another session ends the reservation first. */
static bool
release(int64 workspace, const char *key)
{
	TimestampTz now = GetCurrentTimestamp();
	OtRequest request = {0};
	OtFacts facts;
	OtEnding ending;
	OtUse use = {0};

	request.workspace = workspace;
	request.reservation_key = unconstify(char *, key);
	for (int turn = 1;; turn++)
	{
		ot_begin_turn(turn);
		if (!find(workspace, key, now, &facts))
			return false;
		if (ot_reservations_end(&request, &facts, now, &ending))
			break;
	}
	if (ot_terms_count_customer(&facts.voucher) ||
		ot_terms_count_customer(&facts.campaign))
		ot_ending_lock_customers(&ending, 0, 0);
	use.workspace = workspace;
	use.voucher = &facts.voucher;
	use.campaign = &facts.campaign;
	use.is_gift = facts.is_gift;
	use.ending = &ending;
	ot_ending_give_back_voucher(&use);
	ot_ending_give_back_campaign(&use);
	ot_ending_give_back_counters(&use);
	return true;
}

/* Reads a reservation and the terms of its code; false where it has ended. */
static bool
find(int64 workspace, const char *key, TimestampTz now, OtFacts *facts)
{
	OtArgs args = {0};
	bool is_live;
	int64 voucher_id;
	int64 campaign_id;

	memset(facts, 0, sizeof(*facts));
	ot_take_snapshot();
	ot_arg_int8(&args, workspace);
	ot_arg_text(&args, key);
	if (ot_read(OT_PLAN_RESERVATION_FIND, &args) == 0)
	{
		ot_require_workspace(workspace);
		ereport(ERROR, errcode(OT_ERRCODE_NOT_FOUND),
				errmsg("reservation does not exist"));
	}
	voucher_id = ot_get_int8(0, 1);
	campaign_id = ot_get_int8(0, 2);
	is_live = strcmp(ot_get_text(0, 4), "live") == 0 && now < ot_get_time(0, 5, 0);
	facts->is_gift = ot_get_bool(0, 6);
	facts->reservation = OT_RESERVATION_LIVE;
	facts->ending_count = 1;
	if (is_live)
	{
		ot_voucher_terms_read(workspace, voucher_id, &facts->voucher);
		if (campaign_id != 0)
			ot_campaign_terms_read(workspace, campaign_id, &facts->campaign);
	}
	ot_drop_snapshot();
	return is_live;
}

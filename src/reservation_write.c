/*
 * reservation_write.c
 *		Writes a reservation: key, customer, its row, and last the counters; and
 *		gives an earlier answer again.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/fmgroids.h"

#include "plan.h"
#include "reservation.h"

typedef struct Work
{
	const OtRequest *request;
	const OtFacts *facts;
	const OtVerdict *verdict;
	TimestampTz now;
	OtReservationOutcome *outcome;
	int64 customer_id;
	OtEnding ending;
	OtUse use;
} Work;

static char *make_key(void);
static bool write_all(void *context);
static bool claim_key(const Work *work);
static void lock_customers(const Work *work);
static void write_row(const Work *work);
static void mark(const Work *work);
static void mark_terms(const Work *work, OtPlan plan, const OtTerms *terms);
static bool spend(Work *work);

/*
 * Writes what the verdict allows.  Returns false, with nothing written, where
 * another session was faster.
 */
bool
ot_reservation_write(const OtRequest *request, const OtFacts *facts,
					 const OtVerdict *verdict, TimestampTz now,
					 OtReservationOutcome *outcome)
{
	Work work = {request, facts, verdict, now, outcome, 0, {0}, {0}};

	outcome->reservation_key = make_key();
	outcome->expires_at = now + request->hold;
	if (!ot_in_subtransaction(write_all, &work))
	{
		ot_limits_wait(&work.use);
		return false;
	}
	ot_outcome_tell(&outcome->outcome, facts, verdict, facts->order.id);
	return true;
}

/* Whoever knows a key can use what it holds, so none can be guessed. */
static char *
make_key(void)
{
	return DatumGetCString(
		DirectFunctionCall1(uuid_out, OidFunctionCall0(F_GEN_RANDOM_UUID)));
}

/*
 * Writes in the order of locks: reservations, customers, voucher, campaign.  The
 * customer is added also without a limit that counts customers, since one may be
 * set meanwhile.
 */
static bool
write_all(void *context)
{
	Work *work = context;

	if (!claim_key(work) ||
		!ot_reservations_end(work->request, work->facts, work->now, &work->ending) ||
		!ot_write_customer(work->request, work->facts, work->now, &work->customer_id))
		return false;
	lock_customers(work);
	write_row(work);
	mark(work);
	return spend(work);
}

static bool
claim_key(const Work *work)
{
	const OtRequest *request = work->request;
	OtArgs args = {0};

	if (request->idempotency_key == NULL)
		return true;
	ot_arg_int8(&args, request->workspace);
	ot_arg_text(&args, request->idempotency_key);
	ot_arg_text(&args, request->function);
	ot_arg_bytes(&args, request->hash, OT_HASH_LENGTH);
	ot_arg_text(&args, work->outcome->reservation_key);
	ot_arg_time(&args, work->now);
	return ot_run(OT_PLAN_RESERVATION_KEY_CLAIM, &args) == 1;
}

static void
lock_customers(const Work *work)
{
	if (!ot_terms_count_customer(&work->facts->voucher) &&
		!ot_terms_count_customer(&work->facts->campaign))
		return;
	if (work->facts->ending_count > 0)
		ot_ending_lock_customers(&work->ending, work->customer_id, 0);
	else
		ot_limits_lock_customers(work->request->workspace, work->customer_id, 0);
}

static void
write_row(const Work *work)
{
	const OtRequest *request = work->request;
	const OtFacts *facts = work->facts;
	OtArgs args = {0};

	ot_arg_int8(&args, request->workspace);
	ot_arg_text(&args, work->outcome->reservation_key);
	ot_arg_text(&args, request->code);
	ot_arg_int8(&args, facts->voucher.id);
	ot_arg_id(&args, facts->campaign.id);
	ot_arg_id(&args, work->customer_id);
	ot_arg_text(&args, request->customer);
	ot_arg_id(&args, facts->order.id);
	ot_arg_int8(&args, work->verdict->given);
	ot_arg_int8(&args, work->verdict->amount);
	ot_arg_int8(&args, work->verdict->discount_amount);
	ot_arg_int8(&args, work->verdict->total_amount);
	ot_arg_int8_or_null(&args, facts->is_gift, work->verdict->gift_balance);
	ot_arg_time(&args, work->outcome->expires_at);
	ot_arg_text(&args, ot_session_role());
	ot_arg_text(&args, request->actor);
	ot_arg_text(&args, request->channel);
	ot_arg_jsonb(&args, request->metadata);
	ot_arg_time(&args, work->now);
	ot_write(OT_PLAN_RESERVATION_INSERT, &args, 1);
}

/* Has redemptions look for reservations from now on. */
static void
mark(const Work *work)
{
	mark_terms(work, OT_PLAN_VOUCHER_MARK_RESERVED, &work->facts->voucher);
	if (work->facts->campaign.id != 0)
		mark_terms(work, OT_PLAN_CAMPAIGN_MARK_RESERVED, &work->facts->campaign);
}

static void
mark_terms(const Work *work, OtPlan plan, const OtTerms *terms)
{
	OtArgs args = {0};

	if (terms->has_reservations)
		return;
	ot_arg_int8(&args, work->request->workspace);
	ot_arg_int8(&args, terms->id);
	ot_run(plan, &args);
}

static bool
spend(Work *work)
{
	OtUse *use = &work->use;

	use->workspace = work->request->workspace;
	use->voucher = &work->facts->voucher;
	use->campaign = &work->facts->campaign;
	use->is_gift = work->facts->is_gift;
	use->gift_balance = work->facts->gift_balance;
	use->given = work->verdict->given;
	use->order_amount = work->verdict->amount;
	use->customer_id = work->customer_id;
	use->local_time = &work->facts->local_time;
	use->now = work->now;
	use->ending = work->facts->ending_count > 0 ? &work->ending : NULL;
	return ot_limits_spend(use);
}

/* Looks for the key of a request, and gives the first answer again. */
OtKeyState
ot_reservation_replay(const OtRequest *request, OtReservationOutcome *outcome)
{
	OtOutcome *told = &outcome->outcome;
	OtArgs args = {0};

	ot_arg_int8(&args, request->workspace);
	ot_arg_text(&args, request->idempotency_key);
	if (ot_run(OT_PLAN_RESERVATION_REPLAY, &args) == 0)
		return OT_KEY_NEW;
	if (!ot_request_is_same(ot_get_bytes(0, 1), request->hash))
		return OT_KEY_CONFLICT;
	if (ot_is_null(0, 2))
		elog(ERROR, "reservation of a known idempotency key is missing");
	memset(outcome, 0, sizeof(*outcome));
	outcome->reservation_key = ot_get_text(0, 2);
	outcome->expires_at = ot_get_time(0, 3, 0);
	told->is_success = true;
	told->order_id = ot_get_int8(0, 4);
	told->has_gift_balance = !ot_is_null(0, 9);
	told->amount = told->has_gift_balance ? ot_get_int8(0, 5) : ot_get_int8(0, 6);
	told->discount_amount = ot_get_int8(0, 7);
	told->total_amount = ot_get_int8(0, 8);
	told->gift_balance = ot_get_int8(0, 9);
	told->is_replayed = true;
	return OT_KEY_REPLAYED;
}

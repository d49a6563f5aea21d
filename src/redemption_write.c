/*
 * redemption_write.c
 *		Writes an accepted redemption, or those of a stack: key, customer, order,
 *		records, and last the counters, each by one conditional statement.
 */
#include "postgres.h"

#include "catalog/pg_type.h"

#include "limit.h"
#include "payment.h"
#include "plan.h"
#include "redemption.h"
#include "redemption_item.h"
#include "reservation.h"

typedef struct Work
{
	const OtAcceptance *acceptance;
	const OtRequest *request;  /* of the first; they differ in the code alone */
	const OtOrderFacts *order; /* as it was before */
	const OtVerdict *verdict;  /* of the last: what the order comes to */
	int64 customer_id;
	int64 order_id;
	OtUse use;
	OtEnding *endings;	/* of reservations, one for each code */
	ArrayType *holders; /* of several codes: the customers of these reservations */
} Work;

static bool can_lose(const Work *work);
static bool needs_lock(const OtFacts *facts, const OtLocked *locked);
static bool counts_customer(const Work *work);
static bool write_all(void *context);
static bool claim_key(const Work *work);
static bool end_reservations(Work *work);
static bool has_ending(const Work *work);
static void lock_holders(const Work *work);
static bool write_order(Work *work);
static void write_lines(const Work *work);
static bool insert_order(Work *work, Jsonb *const *data);
static void change_order(Work *work, Jsonb *const *data);
static const char *status_after(const Work *work);
static void write_records(const Work *work);
static void write_stack_record(const Work *work);
static bool spend(Work *work);
static void lock_codes(const Work *work);

/*
 * Writes what the verdicts say.  Returns false, with nothing written, where
 * another session was faster: then the facts are no longer true.
 */
bool
ot_accept(const OtAcceptance *acceptance, int64 *order_id)
{
	Work work = {0};
	bool is_done;

	work.acceptance = acceptance;
	work.request = acceptance->attempts[0]->request;
	work.order = &acceptance->attempts[0]->facts.order;
	work.verdict = &acceptance->attempts[acceptance->count - 1]->verdict;
	is_done = can_lose(&work) ? ot_in_subtransaction(write_all, &work) : write_all(&work);
	if (!is_done)
		ot_limits_wait(&work.use);
	*order_id = work.order_id;
	return is_done;
}

/*
 * Tells whether a race can be lost after something has been written; the first
 * statement may lose without that, since it leaves nothing behind.
 */
static bool
can_lose(const Work *work)
{
	const OtFacts *facts = &work->acceptance->attempts[0]->facts;
	bool has_key = work->request->idempotency_key != NULL;
	bool is_new_customer = work->request->customer != NULL && facts->customer_id == 0;
	bool is_new_source = work->order->id == 0 && work->request->order.source_id != NULL;

	if (counts_customer(work) || has_ending(work))
		return true;
	for (int i = 0; i < work->acceptance->count; i++)
		if (needs_lock(&work->acceptance->attempts[i]->facts, work->acceptance->locked))
			return true;
	return (int) has_key + (int) is_new_customer + (int) is_new_source > 1;
}

/* Tells whether a counter will be written that is not locked yet. */
static bool
needs_lock(const OtFacts *facts, const OtLocked *locked)
{
	if ((ot_terms_count(&facts->voucher) || facts->is_gift) &&
		!(locked != NULL &&
		  ot_locked_has(locked->vouchers, locked->voucher_count, facts->voucher.id)))
		return true;
	return ot_terms_count(&facts->campaign) &&
		   !(locked != NULL && ot_locked_has(locked->campaigns, locked->campaign_count,
											 facts->campaign.id));
}

static bool
counts_customer(const Work *work)
{
	for (int i = 0; i < work->acceptance->count; i++)
	{
		const OtFacts *facts = &work->acceptance->attempts[i]->facts;

		if (ot_terms_count_customer(&facts->voucher) ||
			ot_terms_count_customer(&facts->campaign))
			return true;
	}
	return false;
}

/*
 * Writes in the one order of locks: order, reservations, customer, voucher,
 * campaign.  The counters come last, so that their row locks are held shortest,
 * also those of a stack: whoever waits for a key, a customer or a source_id that
 * is being added must hold no counter for which the other may wait.
 */
static bool
write_all(void *context)
{
	Work *work = context;

	if (!claim_key(work) || !end_reservations(work) ||
		!ot_write_customer(work->request, &work->acceptance->attempts[0]->facts,
						   work->acceptance->now, &work->customer_id))
		return false;
	if (has_ending(work) && counts_customer(work))
		lock_holders(work);
	if (!write_order(work))
		return false;
	write_lines(work);
	write_records(work);
	return spend(work);
}

/*
 * Ends the reservations that the facts leave out; false where one is gone.  Those
 * of several codes are locked together, in one order.
 */
static bool
end_reservations(Work *work)
{
	const OtAcceptance *acceptance = work->acceptance;

	if (!has_ending(work))
		return true;
	if (acceptance->count > 1)
		(void) ot_reservations_lock(
			work->request->workspace, construct_empty_array(TEXTOID),
			ot_codes_of(acceptance->attempts, acceptance->count), &work->holders);
	work->endings = palloc0(sizeof(OtEnding) * acceptance->count);
	for (int i = 0; i < acceptance->count; i++)
		if (!ot_reservations_end(acceptance->attempts[i]->request,
								 &acceptance->attempts[i]->facts, acceptance->now,
								 &work->endings[i]))
			return false;
	return true;
}

static bool
has_ending(const Work *work)
{
	for (int i = 0; i < work->acceptance->count; i++)
		if (work->acceptance->attempts[i]->facts.ending_count > 0)
			return true;
	return false;
}

/* Locks the customers whose uses are given back with those whose are spent, by id. */
static void
lock_holders(const Work *work)
{
	if (work->holders == NULL)
		ot_ending_lock_customers(&work->endings[0], work->customer_id,
								 work->order->customer_id);
	else
		ot_customers_lock(work->request->workspace, work->holders, work->customer_id,
						  work->order->customer_id);
}

static bool
claim_key(const Work *work)
{
	const OtRequest *request = work->request;
	const OtAcceptance *acceptance = work->acceptance;

	return request->idempotency_key == NULL ||
		   ot_key_claim(request->workspace, request->idempotency_key, request->function,
						request->hash,
						acceptance->stack_id != 0
							? acceptance->stack_id
							: acceptance->attempts[0]->facts.redemption_id,
						acceptance->now);
}

/*
 * Gives the customer of a request, who is added where the facts know of none;
 * false where another session has just done so.
 */
bool
ot_write_customer(const OtRequest *request, const OtFacts *facts, TimestampTz now,
				  int64 *customer_id)
{
	*customer_id = facts->customer_id;
	if (request->customer != NULL && *customer_id == 0)
		*customer_id = ot_customer_add(request->workspace, request->customer, now);
	return request->customer == NULL || *customer_id != 0;
}

static bool
write_order(Work *work)
{
	bool gets_customer = work->order->id != 0 && work->order->customer_id == 0;
	Jsonb *data[OT_MAX_CODES];

	if (work->order->id == 0 && !work->request->order.is_given)
		return true;
	for (int i = 0; i < work->acceptance->count; i++)
		data[i] = ot_attempt_describe(work->acceptance->attempts[i],
									  gets_customer && i == 0 ? work->customer_id : 0);
	if (work->order->id == 0)
		return insert_order(work, data);
	if (counts_customer(work))
		ot_limits_lock_customers(work->request->workspace, work->customer_id,
								 work->order->customer_id);
	change_order(work, data);
	return true;
}

/* Writes what discounts give on lines; a discount on the order has none. */
static void
write_lines(const Work *work)
{
	for (int i = 0; i < work->acceptance->count; i++)
	{
		const OtAttempt *attempt = work->acceptance->attempts[i];

		if (attempt->verdict.has_cart)
			ot_cart_write(&attempt->verdict.cart, work->request->workspace,
						  work->order_id, attempt->facts.redemption_id,
						  work->acceptance->now);
	}
}

static bool
insert_order(Work *work, Jsonb *const *data)
{
	OtNewOrder order = {0};

	order.workspace = work->request->workspace;
	order.order_id = work->order_id = ot_next_order_id();
	order.status = "paid";
	order.customer_id = work->customer_id;
	order.discount_amount = work->verdict->discount_amount;
	order.given_amount = work->verdict->amount - work->request->order.amount;
	order.data = &work->request->order;
	order.channel = work->request->channel;
	order.actor = work->request->actor;
	order.now = work->acceptance->now;
	order.next_event = "promotion_add_coupon";
	order.next_count = work->acceptance->count;
	order.next_data = data;
	return ot_order_insert(&order);
}

static void
change_order(Work *work, Jsonb *const *data)
{
	const OtOrderFacts *order = work->order;
	OtChange change = {0};
	OtArgs args = {0};

	work->order_id = order->id;
	change.workspace = work->request->workspace;
	change.order_id = order->id;
	change.now = work->acceptance->now;
	change.channel = work->request->channel;
	change.actor = work->request->actor;
	change.event_type = "promotion_add_coupon";
	change.data = data[0];
	change.more_count = work->acceptance->count - 1;
	change.more_data = &data[1];
	ot_arg_int8(&args, change.workspace);
	ot_arg_int8(&args, change.order_id);
	ot_arg_int8(&args, work->verdict->discount_amount);
	ot_arg_text(&args, status_after(work));
	ot_arg_id(&args, work->customer_id);
	ot_arg_int8(&args, work->verdict->amount);
	if (ot_change_order(&change, OT_PLAN_ORDER_DISCOUNT, &args) != 1)
		elog(ERROR, "locked order " INT64_FORMAT " is missing", order->id);
}

/* Who redeems says that the order is paid; who adds a coupon only where it is. */
static const char *
status_after(const Work *work)
{
	const char *status = work->order->status;

	if (work->request->keeps_status)
		return ot_payments_status(work->request->workspace, work->order->id,
								  work->verdict->total_amount, status);
	return strcmp(status, "created") == 0 || strcmp(status, "fulfilled") == 0 ? "paid"
																			  : status;
}

static void
write_records(const Work *work)
{
	if (work->acceptance->stack_id != 0)
		write_stack_record(work);
	for (int i = 0; i < work->acceptance->count; i++)
	{
		OtRecord record;

		ot_record_read(&record, work->acceptance->attempts[i], work->acceptance->now);
		record.customer_id = work->customer_id;
		record.order_id = work->order_id;
		record.stack_id = work->acceptance->stack_id;
		ot_record_insert(&record);
	}
}

/* The stack itself gives nothing: its codes do, and sums must not count it twice. */
static void
write_stack_record(const Work *work)
{
	OtRecord record;

	ot_record_read(&record, work->acceptance->attempts[0], work->acceptance->now);
	ot_record_make_stack(&record, work->acceptance->stack_id);
	record.customer_id = work->customer_id;
	record.order_id = work->order_id;
	record.discount_amount = work->verdict->discount_amount;
	record.total_amount = work->verdict->total_amount;
	ot_record_insert(&record);
}

/* Spends the limits; where there is none, no counter is written. */
static bool
spend(Work *work)
{
	if (counts_customer(work) && work->order->id == 0)
		ot_limits_lock_customers(work->request->workspace, work->customer_id, 0);
	if (work->acceptance->count > 1)
		lock_codes(work);
	for (int i = 0; i < work->acceptance->count; i++)
	{
		const OtAttempt *attempt = work->acceptance->attempts[i];
		OtUse *use = &work->use;

		memset(use, 0, sizeof(*use));
		use->workspace = work->request->workspace;
		use->voucher = &attempt->facts.voucher;
		use->campaign = &attempt->facts.campaign;
		use->is_gift = attempt->facts.is_gift;
		use->gift_balance = attempt->facts.gift_balance;
		use->given = attempt->verdict.given;
		use->order_amount = attempt->verdict.amount;
		use->customer_id = work->customer_id;
		use->local_time = &attempt->facts.local_time;
		use->now = work->acceptance->now;
		use->ending = attempt->facts.ending_count > 0 ? &work->endings[i] : NULL;
		if (!ot_limits_spend(use))
			return false;
	}
	return true;
}

/* Locks what several codes count, in one order whatever the order of the codes. */
static void
lock_codes(const Work *work)
{
	const OtAcceptance *acceptance = work->acceptance;
	OtLocked locked;

	for (int i = 0; i < acceptance->count; i++)
		if (needs_lock(&acceptance->attempts[i]->facts, NULL))
		{
			ot_codes_lock(work->request->workspace,
						  ot_codes_of(acceptance->attempts, acceptance->count), &locked);
			return;
		}
}

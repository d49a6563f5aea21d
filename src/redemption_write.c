/*
 * redemption_write.c
 *		Writes an accepted redemption: key, customer, order, record, and last the
 *		counters, each by one conditional statement.
 */
#include "postgres.h"

#include "errcodes.h"
#include "limit.h"
#include "plan.h"
#include "redemption.h"
#include "redemption_item.h"
#include "reservation.h"

typedef struct Work
{
	const OtRequest *request;
	const OtFacts *facts;
	const OtVerdict *verdict;
	const OtLocked *locked;
	TimestampTz now;
	int64 customer_id;
	int64 order_id;
	OtUse use;
	OtEnding ending; /* reservations */
} Work;

static bool can_lose(const Work *work);
static bool counts_customer(const Work *work);
static bool is_locked(const int64 *ids, int count, int64 id);
static bool write_all(void *context);
static bool write_customer(Work *work);
static bool write_order(Work *work);
static void write_lines(const Work *work);
static bool insert_order(Work *work, Jsonb *data);
static void change_order(Work *work, Jsonb *data);
static Jsonb *describe(const Work *work);
static void write_record(const Work *work);
static bool spend(Work *work);

/*
 * Writes what the verdict says.  Returns false, with nothing written, where
 * another session was faster: then the facts are no longer true.
 */
bool
ot_accept(const OtRequest *request, const OtFacts *facts, const OtVerdict *verdict,
		  const OtLocked *locked, TimestampTz now, int64 *order_id)
{
	Work work = {request, facts, verdict, locked, now, 0, 0, {0}, {0}};
	bool is_done =
		can_lose(&work) ? ot_in_subtransaction(write_all, &work) : write_all(&work);

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
	const OtTerms *voucher = &work->facts->voucher;
	const OtTerms *campaign = &work->facts->campaign;
	bool has_key = work->request->idempotency_key != NULL;
	bool is_new_customer =
		work->request->customer != NULL && work->facts->customer_id == 0;
	bool is_new_source =
		work->facts->order.id == 0 && work->request->order.source_id != NULL;

	if (counts_customer(work) || work->facts->ending_count > 0)
		return true;
	if ((ot_terms_count(voucher) || work->facts->is_gift) &&
		!(work->locked != NULL &&
		  is_locked(work->locked->vouchers, work->locked->voucher_count, voucher->id)))
		return true;
	if (ot_terms_count(campaign) &&
		!(work->locked != NULL &&
		  is_locked(work->locked->campaigns, work->locked->campaign_count, campaign->id)))
		return true;
	return (int) has_key + (int) is_new_customer + (int) is_new_source > 1;
}

static bool
counts_customer(const Work *work)
{
	return ot_terms_count_customer(&work->facts->voucher) ||
		   ot_terms_count_customer(&work->facts->campaign);
}

static bool
is_locked(const int64 *ids, int count, int64 id)
{
	for (int i = 0; i < count; i++)
		if (ids[i] == id)
			return true;
	return false;
}

/*
 * Writes in the one order of locks: order, reservations, customer, voucher,
 * campaign.  The
 * counters come last, so that their row locks are held shortest.
 */
static bool
write_all(void *context)
{
	Work *work = context;
	const OtRequest *request = work->request;

	if (request->idempotency_key != NULL &&
		!ot_key_claim(request->workspace, request->idempotency_key, "redeem",
					  request->hash, work->facts->redemption_id, work->now))
		return false;
	if (!ot_reservations_end(request, work->facts, work->now, &work->ending) ||
		!write_customer(work))
		return false;
	if (work->facts->ending_count > 0 && counts_customer(work))
		ot_ending_lock_customers(&work->ending, work->customer_id,
								 work->facts->order.customer_id);
	if (!write_order(work))
		return false;
	write_lines(work);
	write_record(work);
	return spend(work);
}

static bool
write_customer(Work *work)
{
	if (work->request->customer == NULL)
		return true;
	work->customer_id = work->facts->customer_id != 0
							? work->facts->customer_id
							: ot_customer_add(work->request->workspace,
											  work->request->customer, work->now);
	return work->customer_id != 0;
}

static bool
write_order(Work *work)
{
	const OtOrderFacts *order = &work->facts->order;

	if (order->id != 0)
	{
		if (counts_customer(work))
			ot_limits_lock_customers(work->request->workspace, work->customer_id,
									 order->customer_id);
		change_order(work, describe(work));
	}
	else if (work->request->order.is_given)
		return insert_order(work, describe(work));
	return true;
}

/* Writes what the discount gives on lines; a discount on the order has none. */
static void
write_lines(const Work *work)
{
	if (work->verdict->has_cart)
		ot_cart_write(&work->verdict->cart, work->request->workspace, work->order_id,
					  work->facts->redemption_id, work->now);
}

static bool
insert_order(Work *work, Jsonb *data)
{
	OtNewOrder order = {0};

	order.workspace = work->request->workspace;
	order.order_id = work->order_id = ot_next_order_id();
	order.status = "paid";
	order.customer_id = work->customer_id;
	order.discount_amount = work->verdict->discount_amount;
	order.given_amount = work->verdict->cart.given_amount;
	order.data = &work->request->order;
	order.channel = work->request->channel;
	order.actor = work->request->actor;
	order.now = work->now;
	order.next_event = "promotion_add_coupon";
	order.next_count = 1;
	order.next_data = &data;
	return ot_order_insert(&order);
}

static void
change_order(Work *work, Jsonb *data)
{
	const OtOrderFacts *order = &work->facts->order;
	bool becomes_paid =
		strcmp(order->status, "created") == 0 || strcmp(order->status, "fulfilled") == 0;
	OtChange change = {0};
	OtArgs args = {0};

	work->order_id = order->id;
	change.workspace = work->request->workspace;
	change.order_id = order->id;
	change.now = work->now;
	change.channel = work->request->channel;
	change.actor = work->request->actor;
	change.event_type = "promotion_add_coupon";
	change.data = data;
	ot_arg_int8(&args, change.workspace);
	ot_arg_int8(&args, change.order_id);
	ot_arg_int8(&args, work->verdict->discount_amount);
	ot_arg_text(&args, becomes_paid ? "paid" : order->status);
	ot_arg_id(&args, work->customer_id);
	ot_arg_int8(&args, work->verdict->amount);
	if (ot_change_order(&change, OT_PLAN_ORDER_DISCOUNT, &args) != 1)
		elog(ERROR, "locked order " INT64_FORMAT " is missing", order->id);
}

/* Says in a note what the redemption did to its order. */
static Jsonb *
describe(const Work *work)
{
	OtJson json;

	ot_json_begin(&json);
	ot_json_add_int8(&json, "redemption_id", work->facts->redemption_id);
	ot_json_add_int8(&json, "voucher_id", work->facts->voucher.id);
	ot_json_add_int8(&json, "amount", work->verdict->given);
	ot_json_open(&json, "discount_amount");
	ot_json_add_int8(&json, "old", work->facts->order.discount_amount);
	ot_json_add_int8(&json, "new", work->verdict->discount_amount);
	ot_json_close(&json);
	ot_json_add_int8(&json, "total_amount", work->verdict->total_amount);
	if (work->verdict->has_cart)
		ot_cart_describe(&work->verdict->cart,
						 work->verdict->amount - work->verdict->cart.given_amount, &json);
	ot_note_sign(&json, work->request->actor);
	return ot_json_end(&json);
}

static void
write_record(const Work *work)
{
	OtRecord record = {0};

	record.workspace = work->request->workspace;
	record.redemption_id = work->facts->redemption_id;
	record.code = work->request->code;
	record.voucher_id = work->facts->voucher.id;
	record.campaign_id = work->facts->campaign.id;
	record.customer_id = work->customer_id;
	record.customer = work->request->customer;
	record.order_id = work->order_id;
	record.amount = work->verdict->given;
	record.discount_amount = work->verdict->discount_amount;
	record.total_amount = work->verdict->total_amount;
	record.has_gift_balance = work->facts->is_gift;
	record.gift_balance = work->verdict->gift_balance;
	record.actor = work->request->actor;
	record.channel = work->request->channel;
	record.metadata = work->request->metadata;
	record.now = work->now;
	ot_record_insert(&record);
}

/* Spends the limits; where there is none, no counter is written. */
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
	if (counts_customer(work) && work->facts->order.id == 0)
		ot_limits_lock_customers(use->workspace, use->customer_id, 0);
	return ot_limits_spend(use);
}

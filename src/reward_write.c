/*
 * reward_write.c
 *		Writes a redemption of a reward: its order, its record, what the customer
 *		got, the points taken, and last the counters.
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "plan.h"
#include "reward_redemption.h"

static bool write_all(void *context);
static bool claim_key(const OtRewardAttempt *attempt);
static bool put_customer(OtRewardAttempt *attempt);
static void write_order(OtRewardAttempt *attempt);
static void read_order_data(const OtRewardAttempt *attempt, OtOrderData *data,
							OtLine *line);
static Jsonb *describe(const OtRewardAttempt *attempt);
static void write_record(const OtRewardAttempt *attempt);
static void write_issued(OtRewardAttempt *attempt);
static void add_terms(OtArgs *row, const OtRewardAttempt *attempt);
static bool take_points(const OtRewardAttempt *attempt);

/*
 * Writes what the verdict says.  Returns false, with nothing written, where
 * another session was faster: then the facts are no longer true.
 */
bool
ot_reward_accept(OtRewardAttempt *attempt)
{
	bool is_done = ot_in_subtransaction(write_all, attempt);

	if (!is_done)
		ot_reward_codes_wait(attempt);
	return is_done;
}

/*
 * Writes in the one order of locks: the new order, the customer, the account of
 * points, the reward's counters.
 */
static bool
write_all(void *context)
{
	OtRewardAttempt *attempt = context;

	attempt->held_code_no = 0;
	if (!claim_key(attempt) || !put_customer(attempt) || !ot_reward_codes_take(attempt))
		return false;
	write_order(attempt);
	write_record(attempt);
	write_issued(attempt);
	return take_points(attempt) && ot_reward_counters_spend(attempt);
}

/* Records a refusal; the key, where there is one, is claimed for it. */
bool
ot_reward_refuse(const OtRewardAttempt *attempt)
{
	if (!claim_key(attempt))
		return false;
	write_record(attempt);
	return true;
}

static bool
claim_key(const OtRewardAttempt *attempt)
{
	const OtRewardRequest *request = attempt->request;

	return request->idempotency_key == NULL ||
		   ot_key_claim(request->workspace, request->idempotency_key, request->function,
						request->hash, attempt->facts.redemption_id, attempt->now);
}

/* Adds a customer who is not known; false where another session has just done so. */
static bool
put_customer(OtRewardAttempt *attempt)
{
	OtRewardFacts *facts = &attempt->facts;

	if (facts->customer_id == 0)
		facts->customer_id = ot_customer_add(attempt->request->workspace,
											 attempt->request->customer, attempt->now);
	return facts->customer_id != 0;
}

/* An order of a reward is paid by points: it has nothing left to pay. */
static void
write_order(OtRewardAttempt *attempt)
{
	const OtRewardRequest *request = attempt->request;
	Jsonb *data = describe(attempt);
	OtNewOrder order = {0};
	OtOrderData order_data;
	OtLine line;

	read_order_data(attempt, &order_data, &line);
	order.workspace = request->workspace;
	order.order_id = attempt->order_id = ot_next_order_id();
	order.status = "paid";
	order.customer_id = attempt->facts.customer_id;
	order.data = &order_data;
	order.channel = request->channel;
	order.actor = request->actor;
	order.now = attempt->now;
	order.next_event = "reward_redeemed";
	order.next_count = 1;
	order.next_data = &data;
	(void) ot_order_insert(&order);
}

/* The address is that of the customer as of now, unless another is given. */
static void
read_order_data(const OtRewardAttempt *attempt, OtOrderData *data, OtLine *line)
{
	const OtRewardRequest *request = attempt->request;

	memset(line, 0, sizeof(*line));
	line->product_id = request->reward;
	line->name = request->reward;
	line->color = request->color;
	line->size = request->size;
	line->quantity = attempt->verdict.quantity;

	memset(data, 0, sizeof(*data));
	data->is_given = true;
	data->has_amount = true;
	data->has_items = true;
	data->line_count = 1;
	data->lines = line;
	data->data_source = attempt->facts.reward.data_source;
	data->shipping_address = request->shipping_address != NULL ? request->shipping_address
															   : attempt->facts.address;
	data->submitted_by = request->submitted_by;
	data->on_behalf_of = request->on_behalf_of;
	data->has_points = true;
	data->value_in_points = attempt->verdict.cost;
}

/* Says in a note what was redeemed; codes are worth money and stay out of it. */
static Jsonb *
describe(const OtRewardAttempt *attempt)
{
	OtJson json;

	ot_json_begin(&json);
	ot_json_add_int8(&json, "redemption_id", attempt->facts.redemption_id);
	ot_json_add_int8(&json, "reward_id", attempt->facts.reward.id);
	ot_json_add_int8(&json, "quantity", attempt->verdict.quantity);
	ot_json_add_int8(&json, "points", attempt->verdict.cost);
	ot_note_sign(&json, attempt->request->actor);
	return ot_json_end(&json);
}

/* The record of an attempt, refused or not, is a row like that of any other. */
static void
write_record(const OtRewardAttempt *attempt)
{
	const OtRewardRequest *request = attempt->request;
	const OtRewardVerdict *verdict = &attempt->verdict;
	bool is_success = verdict->failure == OT_OK;
	OtRecord record = {0};

	record.workspace = request->workspace;
	record.redemption_id = attempt->facts.redemption_id;
	record.failure = verdict->failure;
	record.failure_message = verdict->message;
	record.customer_id = attempt->facts.customer_id;
	record.customer = request->customer;
	record.order_id = is_success ? attempt->order_id : 0;
	record.actor = request->actor;
	record.channel = request->channel;
	record.now = attempt->now;
	record.reward = request->reward != NULL ? request->reward : "";
	record.reward_id = attempt->facts.reward.id;
	record.has_quantity = request->has_quantity;
	record.quantity = is_success ? verdict->quantity : request->quantity;
	record.points = verdict->cost;
	record.points_missing = verdict->missing;
	ot_record_insert(&record);
}

/* One row a unit, since each is used and delivered by itself. */
static void
write_issued(OtRewardAttempt *attempt)
{
	const OtRewardRequest *request = attempt->request;
	const OtReward *reward = &attempt->facts.reward;
	int64 quantity = attempt->verdict.quantity;
	OtArgs *rows = palloc0(sizeof(OtArgs) * quantity);

	attempt->issued_reward_ids = palloc(sizeof(int64) * quantity);
	for (int64 i = 0; i < quantity; i++)
	{
		OtArgs *row = &rows[i];

		attempt->issued_reward_ids[i] = ot_next_issued_reward_id();
		ot_arg_int8(row, request->workspace);
		ot_arg_int8(row, attempt->issued_reward_ids[i]);
		ot_arg_int8(row, attempt->facts.redemption_id);
		ot_arg_int8(row, reward->id);
		ot_arg_int8(row, attempt->facts.customer_id);
		ot_arg_int8(row, attempt->order_id);
		ot_arg_text(row, reward->type);
		ot_arg_text(row, attempt->codes[i]);
		ot_arg_text(row, request->color);
		ot_arg_text(row, request->size);
		ot_arg_int8(row, reward->cost_in_points);
		ot_arg_int8(row, attempt->facts.points.active - attempt->verdict.cost);
		add_terms(row, attempt);
	}
	ot_write_rows(OT_PLAN_ISSUED_REWARD_INSERT, rows, quantity);
}

/* Adds what a unit is worth and when it can be used; a day is 24 hours. */
static void
add_terms(OtArgs *row, const OtRewardAttempt *attempt)
{
	const OtReward *reward = &attempt->facts.reward;
	TimestampTz active_from = attempt->now + reward->days_inactive * USECS_PER_DAY;

	ot_arg_int8_or_null(row, reward->has_tax_value, reward->tax_value);
	ot_arg_int8_or_null(row, attempt->verdict.has_value, attempt->verdict.value);
	ot_arg_time(row, active_from);
	if (reward->days_valid > 0)
		ot_arg_time(row, active_from + reward->days_valid * USECS_PER_DAY);
	else
		ot_arg_null(row);
	if (reward->is_cashback)
		ot_arg_int4(row, 0);
	else
		ot_arg_null(row);
	ot_arg_text(row, reward->is_cashback ? "INIT" : NULL);
	ot_arg_text(row, reward->is_cashback ? "INIT" : NULL);
	ot_arg_time(row, attempt->now);
}

/* Books what has expired before, too, so that the balance after it is right. */
static bool
take_points(const OtRewardAttempt *attempt)
{
	const OtRewardRequest *request = attempt->request;
	OtPoints points = attempt->facts.points;
	OtLedger ledger;

	if (attempt->verdict.cost == 0)
		return true;
	ot_ledger_begin(&ledger, request->workspace, attempt->facts.customer_id, attempt->now,
					request->channel, request->actor);
	ledger.redemption_id = attempt->facts.redemption_id;
	ot_ledger_expire(&ledger, &points);
	ot_ledger_take(&ledger, &points, OT_SPENT, attempt->verdict.cost);
	return ot_ledger_book(&ledger, &points);
}

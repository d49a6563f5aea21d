/*
 * redemption_record.c
 *		The row that every attempt leaves, what its order's note says, and the
 *		outcome that its caller gets.
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "plan.h"
#include "redemption.h"
#include "redemption_item.h"

static void add_reward(OtArgs *args, const OtRecord *record);
static void insert_records(const OtArgs *rows, int count);
static void set_text(Datum *values, bool *nulls, int column, const char *value);
static void set_int8(Datum *values, bool *nulls, int column, bool is_set, int64 value);

/* Adds one row to the redemptions. */
void
ot_record_insert(const OtRecord *record)
{
	bool is_success = record->failure == OT_OK;
	bool is_undoing = is_success && record->is_rollback;
	OtArgs args = {0};

	ot_arg_int8(&args, record->workspace);
	ot_arg_int8(&args, record->redemption_id);
	ot_arg_text(&args, record->is_rollback ? "rollback"
					   : record->is_stack  ? "stack"
										   : "redemption");
	ot_arg_text(&args, ot_failure_code(record->failure));
	ot_arg_text(&args, is_success ? NULL : record->failure_message);
	ot_arg_text(&args, record->code);
	ot_arg_id(&args, record->voucher_id);
	ot_arg_id(&args, record->campaign_id);
	ot_arg_id(&args, record->customer_id);
	ot_arg_text(&args, record->customer);
	ot_arg_id(&args, record->order_id);
	ot_arg_text(&args, is_success ? "success" : "failure");
	ot_arg_int8_or_null(&args, is_success, record->amount);
	ot_arg_int8_or_null(&args, is_success, record->discount_amount);
	ot_arg_int8_or_null(&args, is_success, record->total_amount);
	ot_arg_int8_or_null(&args, record->has_gift_balance, record->gift_balance);
	ot_arg_text(&args, record->reason);
	ot_arg_id(&args, record->rollback_of);
	if (is_undoing)
	{
		ot_arg_int4(&args, record->rollback_no);
		ot_arg_bool(&args, record->is_complete);
	}
	else
	{
		ot_arg_null(&args);
		ot_arg_null(&args);
	}
	ot_arg_text(&args, ot_session_role());
	ot_arg_text(&args, record->actor);
	ot_arg_text(&args, record->channel);
	ot_arg_jsonb(&args, record->metadata);
	ot_arg_time(&args, record->now);
	ot_arg_id(&args, record->stack_id);
	if (is_undoing || record->reward != NULL)
	{
		add_reward(&args, record);
		ot_write(is_undoing ? OT_PLAN_ROLLBACK_INSERT : OT_PLAN_REWARD_REDEMPTION_INSERT,
				 &args, 1);
	}
	else
		ot_insert_rows(OT_PLAN_REDEMPTION_INSERT, insert_records, &args, 1);
}

/* Points count on success, and what was missing where that was the reason. */
static void
add_reward(OtArgs *args, const OtRecord *record)
{
	bool is_reward = record->reward != NULL;

	ot_arg_text(args, record->reward);
	ot_arg_id(args, record->reward_id);
	ot_arg_int8_or_null(args, record->has_quantity, record->quantity);
	ot_arg_int8_or_null(args, is_reward && record->failure == OT_OK, record->points);
	ot_arg_id(args, record->points_missing);
}

static void
insert_records(const OtArgs *rows, int count)
{
	ot_write_rows(OT_PLAN_REDEMPTION_INSERT, rows, count);
}

/* Takes an attempt into a record; customer, order and stack are the caller's to add. */
void
ot_record_read(OtRecord *record, const OtAttempt *attempt, TimestampTz now)
{
	const OtRequest *request = attempt->request;
	const OtFacts *facts = &attempt->facts;
	const OtVerdict *verdict = &attempt->verdict;

	memset(record, 0, sizeof(*record));
	record->workspace = request->workspace;
	record->redemption_id = facts->redemption_id;
	record->failure = verdict->failure;
	record->failure_message = verdict->message;
	record->code = request->code;
	record->voucher_id = facts->voucher.id;
	record->campaign_id = facts->campaign.id;
	record->customer_id = facts->customer_id;
	record->customer = request->customer;
	record->order_id = facts->order.id;
	record->amount = verdict->given;
	record->discount_amount = verdict->discount_amount;
	record->total_amount = verdict->total_amount;
	record->has_gift_balance = facts->is_gift;
	record->gift_balance =
		verdict->failure == OT_OK ? verdict->gift_balance : facts->gift_balance;
	record->actor = request->actor;
	record->channel = request->channel;
	record->metadata = request->metadata;
	record->now = now;
}

/* Turns the record of a stack's first code into that of the stack itself. */
void
ot_record_make_stack(OtRecord *record, int64 stack_id)
{
	record->redemption_id = stack_id;
	record->is_stack = true;
	record->code = NULL;
	record->voucher_id = 0;
	record->campaign_id = 0;
	record->amount = 0;
	record->has_gift_balance = false;
}

/* Says in a note what a redemption did to its order, which may get a customer by it. */
Jsonb *
ot_attempt_describe(const OtAttempt *attempt, int64 new_customer_id)
{
	const OtFacts *facts = &attempt->facts;
	const OtVerdict *verdict = &attempt->verdict;
	OtJson json;

	ot_json_begin(&json);
	ot_note_sign(&json, attempt->request->actor);
	ot_json_add_int8(&json, "amount", verdict->given);
	ot_json_add_int8(&json, "voucher_id", facts->voucher.id);
	if (new_customer_id != 0)
		ot_json_add_int8(&json, "customer_id", new_customer_id);
	ot_json_add_int8(&json, "total_amount", verdict->total_amount);
	ot_json_add_int8(&json, "redemption_id", facts->redemption_id);
	ot_json_open(&json, "discount_amount");
	ot_json_add_int8(&json, "new", verdict->discount_amount);
	ot_json_add_int8(&json, "old", facts->order.discount_amount);
	ot_json_close(&json);
	if (verdict->has_cart)
		ot_cart_describe(&verdict->cart, verdict->amount - verdict->cart.given_amount,
						 &json);
	return ot_json_end(&json);
}

/* Tells the caller how an attempt ended. */
void
ot_outcome_tell(OtOutcome *outcome, const OtFacts *facts, const OtVerdict *verdict,
				int64 order_id)
{
	memset(outcome, 0, sizeof(*outcome));
	outcome->redemption_id = facts->redemption_id;
	outcome->is_success = verdict->failure == OT_OK;
	outcome->failure_code = ot_failure_code(verdict->failure);
	outcome->failure_message = verdict->message;
	outcome->order_id = outcome->is_success ? order_id : facts->order.id;
	outcome->amount = facts->is_gift ? verdict->given : verdict->amount;
	outcome->discount_amount = verdict->discount_amount;
	outcome->total_amount = verdict->total_amount;
	outcome->has_gift_balance = facts->is_gift;
	outcome->gift_balance =
		outcome->is_success ? verdict->gift_balance : facts->gift_balance;
}

/* Spreads an outcome over the columns of redemption_outcome. */
void
ot_outcome_values(const OtOutcome *outcome, Datum *values, bool *nulls)
{
	set_int8(values, nulls, 0, outcome->redemption_id != 0, outcome->redemption_id);
	set_text(values, nulls, 1, outcome->is_success ? "success" : "failure");
	set_text(values, nulls, 2, outcome->failure_code);
	set_text(values, nulls, 3, outcome->failure_message);
	set_int8(values, nulls, 4, outcome->order_id != 0, outcome->order_id);
	set_int8(values, nulls, 5, outcome->is_success, outcome->amount);
	set_int8(values, nulls, 6, outcome->is_success, outcome->discount_amount);
	set_int8(values, nulls, 7, outcome->is_success, outcome->total_amount);
	set_int8(values, nulls, 8, outcome->has_gift_balance, outcome->gift_balance);
	values[9] = BoolGetDatum(outcome->is_replayed);
	nulls[9] = false;
}

/* Adds an outcome to the result of a function that returns a set. */
void
ot_outcome_put(ReturnSetInfo *result, const OtOutcome *outcome)
{
	Datum values[OT_OUTCOME_COLUMNS];
	bool nulls[OT_OUTCOME_COLUMNS];

	ot_outcome_values(outcome, values, nulls);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* Gives an outcome as the result of a SQL function. */
Datum
ot_outcome_return(FunctionCallInfo fcinfo, const OtOutcome *outcome)
{
	Datum values[OT_OUTCOME_COLUMNS];
	bool nulls[OT_OUTCOME_COLUMNS];

	ot_outcome_values(outcome, values, nulls);
	return ot_return_row(fcinfo, values, nulls);
}

static void
set_text(Datum *values, bool *nulls, int column, const char *value)
{
	nulls[column] = value == NULL;
	values[column] = value == NULL ? (Datum) 0 : CStringGetTextDatum(value);
}

static void
set_int8(Datum *values, bool *nulls, int column, bool is_set, int64 value)
{
	nulls[column] = !is_set;
	values[column] = Int64GetDatum(value);
}

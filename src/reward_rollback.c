/*
 * reward_rollback.c
 *		Undoes the redemption of a reward: points with the expiry that they had,
 *		stock, codes and uses come back, and its order is canceled.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "issued_reward.h"
#include "plan.h"
#include "points.h"
#include "reward_redemption.h"
#include "reward_rollback.h"

/* Columns of OT_PLAN_REWARD_UNITS. */
enum
{
	UNIT_CODE = 1,
	UNIT_COLOR,
	UNIT_SIZE,
	UNIT_IS_IN_USE
};

static ArrayType *collect_codes(int64 quantity);
static void cancel_order(const OtRollbackRequest *request, const OtRollbackFacts *facts);
static Jsonb *describe(const OtRollbackRequest *request, const OtRollbackFacts *facts,
					   const char *kept_status);
static void return_points(const OtRollbackRequest *request, const OtRollbackFacts *facts);
static void add_returned(OtLedger *ledger, uint64 row);
static void return_codes(const OtRollbackRequest *request, const OtRollbackFacts *facts);
static void return_supply(const OtRollbackRequest *request, const OtRollbackFacts *facts);

/*
 * Locks the units of a redemption and reads them.  One is in use where the customer
 * has the good of it, unless its delivery was canceled, or has or may get the money
 * of a cashback; under the lock it stays as it is.
 */
void
ot_reward_units_lock(const OtRollbackRequest *request, int64 quantity, OtUnits *units)
{
	OtArgs args = {0};

	ot_arg_int8(&args, request->workspace);
	ot_arg_int8(&args, request->redemption_id);
	if (ot_run(OT_PLAN_REWARD_UNITS, &args) != quantity)
		ereport(ERROR, errcode(ERRCODE_DATA_CORRUPTED),
				errmsg("units of redemption " INT64_FORMAT " are missing",
					   request->redemption_id));
	units->is_in_use = false;
	for (int64 row = 0; row < quantity; row++)
		if (ot_get_bool(row, UNIT_IS_IN_USE))
			units->is_in_use = true;
	units->codes = collect_codes(quantity);
	units->color = ot_get_text(0, UNIT_COLOR);
	units->size = ot_get_text(0, UNIT_SIZE);
}

static ArrayType *
collect_codes(int64 quantity)
{
	Datum *codes = palloc(sizeof(Datum) * quantity);
	int code_count = 0;

	for (int64 row = 0; row < quantity; row++)
		if (!ot_is_null(row, UNIT_CODE))
			codes[code_count++] = CStringGetTextDatum(ot_get_text(row, UNIT_CODE));
	return construct_array(codes, code_count, TEXTOID, -1, false, TYPALIGN_INT);
}

/*
 * Locks the units of a redemption and their codes, for who locks customers before
 * it is rolled back; see return_codes().
 */
void
ot_reward_lock(const OtRollbackRequest *request, int64 reward_id, int64 quantity)
{
	OtUnits units;
	OtArgs args = {0};

	ot_reward_units_lock(request, quantity, &units);
	ot_arg_int8(&args, request->workspace);
	ot_arg_int8(&args, reward_id);
	ot_arg(&args, PointerGetDatum(units.codes));
	ot_run(OT_PLAN_REWARD_CODES_LOCK, &args);
}

/*
 * Writes in the one order of locks: order, units, codes, customer, account of
 * points, the reward's counters.
 */
void
ot_reward_roll_back(const OtRollbackRequest *request, const OtRollbackFacts *facts,
					OtOutcome *outcome)
{
	return_codes(request, facts);
	ot_issued_rewards_cancel(request->workspace, request->redemption_id, facts->quantity,
							 request->now);
	cancel_order(request, facts);
	if (facts->points > 0)
		return_points(request, facts);
	return_supply(request, facts);
	outcome->is_success = true;
	outcome->amount = facts->order_amount;
	outcome->discount_amount = facts->order_discount;
	outcome->total_amount = facts->order_amount - facts->order_discount;
}

static void
cancel_order(const OtRollbackRequest *request, const OtRollbackFacts *facts)
{
	OtRollbackOrder order;
	OtChange change = {0};
	OtArgs args = {0};

	ot_rollback_order_settle(request, facts, 0, true, &order);
	change.workspace = request->workspace;
	change.order_id = facts->order_id;
	change.now = request->now;
	change.channel = request->channel;
	change.actor = request->actor;
	change.event_type = "reward_rolled_back";
	change.data = describe(request, facts, order.kept_status);
	ot_arg_int8(&args, request->workspace);
	ot_arg_int8(&args, facts->order_id);
	ot_arg_text(&args, order.status);
	if (ot_change_order(&change, OT_PLAN_ORDER_STATUS, &args) != 1)
		elog(ERROR, "locked order " INT64_FORMAT " is missing", facts->order_id);
}

static Jsonb *
describe(const OtRollbackRequest *request, const OtRollbackFacts *facts,
		 const char *kept_status)
{
	OtJson json;

	ot_json_begin(&json);
	ot_json_add_int8(&json, "redemption_id", facts->rollback_id);
	ot_json_add_int8(&json, "rollback_of", request->redemption_id);
	ot_json_add_int8(&json, "reward_id", facts->reward_id);
	ot_json_add_int8(&json, "quantity", facts->quantity);
	ot_json_add_int8(&json, "points", -facts->points);
	ot_json_add_text(&json, "kept_status", kept_status);
	ot_note_sign(&json, request->actor);
	return ot_json_end(&json);
}

/*
 * Gives each lot back what it gave.  What has expired meanwhile, or was canceled,
 * comes back and goes again, so that the ledger tells it.
 */
static void
return_points(const OtRollbackRequest *request, const OtRollbackFacts *facts)
{
	OtLedger ledger;
	OtPoints points;
	OtArgs args = {0};
	uint64 count;

	ot_points_lock(request->workspace, facts->customer_id, request->now, request->now,
				   &points);
	ot_ledger_begin(&ledger, request->workspace, facts->customer_id, request->now,
					request->channel, request->actor);
	ledger.redemption_id = facts->rollback_id;
	ledger.reason = request->reason;
	ot_ledger_expire(&ledger, &points);
	ot_arg_int8(&args, request->workspace);
	ot_arg_int8(&args, request->redemption_id);
	count = ot_run(OT_PLAN_POINT_SPENT, &args);
	for (uint64 row = 0; row < count; row++)
		add_returned(&ledger, row);
	ot_ledger_book_locked(&ledger, &points);
}

static void
add_returned(OtLedger *ledger, uint64 row)
{
	int64 lot_id = ot_get_int8(row, 1);
	int64 points = ot_get_int8(row, 2);
	bool is_canceled = ot_get_bool(row, 3);

	ot_ledger_add(ledger, OT_RETURNED, lot_id, points, false);
	if (is_canceled)
		ot_ledger_add(ledger, OT_CANCELED, lot_id, -points, false);
	else if (ot_get_time(row, 4, DT_NOEND) <= ledger->now)
		ot_ledger_add(ledger, OT_EXPIRED, lot_id, -points, false);
}

/*
 * Gives the codes of locked units back to the pool.  A buyer takes codes first and
 * may hold one that was just issued, too, so here they come first as well.
 */
static void
return_codes(const OtRollbackRequest *request, const OtRollbackFacts *facts)
{
	OtArgs args = {0};

	ot_arg_int8(&args, request->workspace);
	ot_arg_int8(&args, facts->reward_id);
	ot_arg(&args, PointerGetDatum(facts->units.codes));
	ot_run(OT_PLAN_REWARD_CODES_GIVE_BACK, &args);
}

/* Gives uses and stock back; what is not counted has no row to change. */
static void
return_supply(const OtRollbackRequest *request, const OtRollbackFacts *facts)
{
	OtArgs reward = {0};
	OtArgs customer;
	OtArgs stock;

	ot_reward_hold(request->workspace, facts->reward_id);
	ot_arg_int8(&reward, request->workspace);
	ot_arg_int8(&reward, facts->reward_id);
	customer = stock = reward;
	ot_arg_int8(&reward, facts->quantity);
	ot_run(OT_PLAN_REWARD_GIVE_BACK, &reward);
	ot_arg_int8(&customer, facts->customer_id);
	ot_arg_int8(&customer, facts->quantity);
	ot_run(OT_PLAN_REWARD_CUSTOMER_GIVE_BACK, &customer);
	ot_arg_text(&stock, facts->units.color);
	ot_arg_text(&stock, facts->units.size);
	ot_arg_int8(&stock, facts->quantity);
	ot_arg_time(&stock, request->now);
	ot_run(OT_PLAN_REWARD_STOCK_GIVE_BACK, &stock);
}

/*
 * rollback_write.c
 *		Writes what a rollback gives back: the order's discount, credits, uses.
 */
#include "postgres.h"

#include "plan.h"
#include "redemption_item.h"
#include "rollback.h"

static void change_order(const OtRollbackRequest *request, const OtRollbackFacts *facts,
						 const OtRollbackVerdict *verdict, OtOutcome *outcome);
static Jsonb *describe(const OtRollbackRequest *request, const OtRollbackFacts *facts,
					   const OtRollbackVerdict *verdict, const OtCart *cart,
					   int64 discount, const char *kept_status);
static int64 give_back(const OtRollbackRequest *request, const OtRollbackFacts *facts,
					   const OtRollbackVerdict *verdict);
static void give_back_use(const OtRollbackRequest *request, OtPlan plan, int64 id,
						  int64 customer_id);

/* Writes in the one order of locks: order, customer, voucher, campaign. */
void
ot_rollback_write(const OtRollbackRequest *request, const OtRollbackFacts *facts,
				  const OtRollbackVerdict *verdict, OtOutcome *outcome)
{
	outcome->is_success = true;
	if (facts->order_status != NULL)
		change_order(request, facts, verdict, outcome);
	outcome->gift_balance = give_back(request, facts, verdict);
	outcome->amount = facts->is_gift ? -verdict->amount
									 : outcome->discount_amount + outcome->total_amount;
}

/*
 * The order's discount is the sum of its live redemptions, computed again; its
 * lines lose what the redemption gave them.
 * With none left the order is canceled, where that move is allowed.
 */
static void
change_order(const OtRollbackRequest *request, const OtRollbackFacts *facts,
			 const OtRollbackVerdict *verdict, OtOutcome *outcome)
{
	const char *status = facts->order_status;
	const char *kept_status = NULL;
	OtChange change = {0};
	OtArgs rest = {0};
	OtArgs args = {0};
	OtCart cart = {0};
	int64 discount;

	ot_arg_int8(&rest, request->workspace);
	ot_arg_int8(&rest, facts->order_id);
	ot_run(OT_PLAN_ROLLBACK_REST, &rest);
	discount = ot_get_int8(0, 1) - verdict->amount;
	if (verdict->is_complete && ot_get_int8(0, 2) <= 1 && strcmp(status, "canceled") != 0)
	{
		if (ot_transition_find(request->workspace, "order", status, "canceled", NULL) !=
			NULL)
			status = "canceled";
		else
			kept_status = status;
	}

	if (facts->has_items)
	{
		ot_cart_read_given(&cart, request->workspace, facts->order_id,
						   request->redemption_id);
		ot_cart_take_back(&cart, request->workspace, facts->order_id, facts->rollback_id,
						  request->now);
	}
	change.workspace = request->workspace;
	change.order_id = facts->order_id;
	change.now = request->now;
	change.channel = request->channel;
	change.actor = request->actor;
	change.event_type = "promotion_remove_coupon";
	change.data = describe(request, facts, verdict, &cart, discount, kept_status);
	ot_arg_int8(&args, request->workspace);
	ot_arg_int8(&args, facts->order_id);
	ot_arg_int8(&args, discount);
	ot_arg_text(&args, status);
	ot_arg_null(&args);
	ot_arg_int8(&args, facts->order_amount + cart.given_amount);
	ot_change_order(&change, OT_PLAN_ORDER_DISCOUNT, &args);
	outcome->discount_amount = discount;
	outcome->total_amount = facts->order_amount + cart.given_amount - discount;
}

static Jsonb *
describe(const OtRollbackRequest *request, const OtRollbackFacts *facts,
		 const OtRollbackVerdict *verdict, const OtCart *cart, int64 discount,
		 const char *kept_status)
{
	OtJson json;

	ot_json_begin(&json);
	ot_json_add_int8(&json, "redemption_id", facts->rollback_id);
	ot_json_add_int8(&json, "rollback_of", request->redemption_id);
	ot_json_add_int8(&json, "voucher_id", facts->voucher_id);
	ot_json_add_int8(&json, "amount", -verdict->amount);
	ot_json_open(&json, "discount_amount");
	ot_json_add_int8(&json, "old", facts->order_discount);
	ot_json_add_int8(&json, "new", discount);
	ot_json_close(&json);
	ot_json_add_int8(&json, "total_amount",
					 facts->order_amount + cart->given_amount - discount);
	if (facts->has_items)
		ot_cart_describe(cart, facts->order_amount, &json);
	ot_json_add_text(&json, "kept_status", kept_status);
	ot_note_sign(&json, request->actor);
	return ot_json_end(&json);
}

/*
 * Gives credits back, and with the last part the use and the customer's; gives
 * the gift card's balance.  Only counters that are counted are written.
 */
static int64
give_back(const OtRollbackRequest *request, const OtRollbackFacts *facts,
		  const OtRollbackVerdict *verdict)
{
	int64 balance = 0;

	if (facts->is_gift || (verdict->is_complete && facts->has_voucher_limit))
	{
		OtArgs args = {0};

		ot_arg_int8(&args, request->workspace);
		ot_arg_int8(&args, facts->voucher_id);
		ot_arg_int8(&args, verdict->is_complete ? 1 : 0);
		ot_arg_int8(&args, verdict->amount);
		ot_run(OT_PLAN_VOUCHER_GIVE_BACK, &args);
		balance = ot_get_int8(0, 1);
	}
	if (!verdict->is_complete)
		return balance;
	if (facts->has_campaign_limit)
	{
		OtArgs args = {0};

		ot_arg_int8(&args, request->workspace);
		ot_arg_int8(&args, facts->campaign_id);
		ot_run(OT_PLAN_CAMPAIGN_GIVE_BACK, &args);
	}
	if (facts->has_voucher_customer_limit)
		give_back_use(request, OT_PLAN_VOUCHER_CUSTOMER_GIVE_BACK, facts->voucher_id,
					  facts->customer_id);
	if (facts->has_campaign_customer_limit)
		give_back_use(request, OT_PLAN_CAMPAIGN_CUSTOMER_GIVE_BACK, facts->campaign_id,
					  facts->customer_id);
	return balance;
}

static void
give_back_use(const OtRollbackRequest *request, OtPlan plan, int64 id, int64 customer_id)
{
	OtArgs args = {0};

	ot_arg_int8(&args, request->workspace);
	ot_arg_int8(&args, id);
	ot_arg_id(&args, customer_id);
	ot_run(plan, &args);
}

/*
 * rollback_write.c
 *		Writes what a rollback gives back: the order's discount, credits, uses.
 */
#include "postgres.h"

#include "limit.h"
#include "payment.h"
#include "plan.h"
#include "redemption_item.h"
#include "rollback.h"
#include "shipment.h"

/* What the code's limits are now. */
typedef struct Terms
{
	OtTerms voucher;
	OtTerms campaign;
	OtLocalTime local_time; /* of the redemption */
} Terms;

static void change_order(const OtRollbackRequest *request, const OtRollbackFacts *facts,
						 const OtRollbackVerdict *verdict, OtOutcome *outcome);
static const char *status_after(const OtRollbackRequest *request,
								const OtRollbackFacts *facts,
								const OtRollbackOrder *order);
static bool goes_on(const OtRollbackRequest *request, const OtRollbackFacts *facts);
static Jsonb *describe(const OtRollbackRequest *request, const OtRollbackFacts *facts,
					   const OtRollbackVerdict *verdict, const OtCart *cart,
					   const OtRollbackOrder *order);
static void read_terms(const OtRollbackRequest *request, const OtRollbackFacts *facts,
					   Terms *terms);
static int64 give_back(const OtRollbackRequest *request, const OtRollbackFacts *facts,
					   const OtRollbackVerdict *verdict, const Terms *terms);

/* Writes in the one order of locks: order, customer, voucher, campaign. */
void
ot_rollback_write(const OtRollbackRequest *request, const OtRollbackFacts *facts,
				  const OtRollbackVerdict *verdict, OtOutcome *outcome)
{
	Terms terms = {0};

	outcome->is_success = true;
	read_terms(request, facts, &terms);
	if (ot_terms_count_customer(&terms.voucher) ||
		ot_terms_count_customer(&terms.campaign))
		ot_limits_lock_customers(request->workspace, facts->customer_id,
								 facts->order_customer_id);
	if (facts->order_status != NULL)
		change_order(request, facts, verdict, outcome);
	outcome->gift_balance = give_back(request, facts, verdict, &terms);
	outcome->amount = facts->is_gift ? -verdict->amount
									 : outcome->discount_amount + outcome->total_amount;
}

/*
 * Writes the order as it is without the redemption; its lines lose what that gave
 * them.
 */
static void
change_order(const OtRollbackRequest *request, const OtRollbackFacts *facts,
			 const OtRollbackVerdict *verdict, OtOutcome *outcome)
{
	OtRollbackOrder order;
	OtChange change = {0};
	OtArgs args = {0};
	OtCart cart = {0};

	ot_rollback_order_settle(request, facts, verdict->amount, verdict->is_complete,
							 &order);
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
	change.data = describe(request, facts, verdict, &cart, &order);
	ot_arg_int8(&args, request->workspace);
	ot_arg_int8(&args, facts->order_id);
	ot_arg_int8(&args, order.discount);
	ot_arg_text(&args, status_after(request, facts, &order));
	ot_arg_null(&args);
	ot_arg_int8(&args, facts->order_amount + cart.given_amount);
	ot_change_order(&change, OT_PLAN_ORDER_DISCOUNT, &args);
	outcome->discount_amount = order.discount;
	outcome->total_amount = facts->order_amount + cart.given_amount - order.discount;
}

/*
 * Where units go that were still to be sent, the rest may be all that was.  Of a
 * stack the last part decides what the order becomes.
 */
static const char *
status_after(const OtRollbackRequest *request, const OtRollbackFacts *facts,
			 const OtRollbackOrder *order)
{
	const char *status = NULL;

	if (facts->has_items && facts->stack_id == 0)
		status =
			ot_shipments_order_status(request->workspace, facts->order_id, order->status);
	return status != NULL ? status : order->status;
}

/*
 * Tells what an order is without an amount of its redemptions.  Its discount is the
 * sum of its live redemptions and its manual discount, computed again; without the
 * last redemption it is canceled, where that move is allowed and nothing else keeps it.
 */
void
ot_rollback_order_settle(const OtRollbackRequest *request, const OtRollbackFacts *facts,
						 int64 amount, bool is_complete, OtRollbackOrder *order)
{
	OtArgs args = {0};

	ot_arg_int8(&args, request->workspace);
	ot_arg_int8(&args, facts->order_id);
	ot_run(OT_PLAN_ROLLBACK_REST, &args);
	order->discount = ot_get_int8(0, 1) - amount;
	order->status = facts->order_status;
	order->kept_status = NULL;
	if (request->keeps_order || !is_complete || ot_get_int8(0, 2) > 1 ||
		strcmp(order->status, "canceled") == 0)
		return;
	if (!goes_on(request, facts) &&
		ot_transition_find(request->workspace, "order", order->status, "canceled",
						   NULL) != NULL)
		order->status = "canceled";
	else
		order->kept_status = order->status;
}

/* Tells whether an order stands without codes: money came for it, or it was sent. */
static bool
goes_on(const OtRollbackRequest *request, const OtRollbackFacts *facts)
{
	OtPaid sums;

	ot_payments_sum(request->workspace, facts->order_id, 0, &sums);
	return sums.paid > sums.refunded ||
		   ot_shipments_are_sent(request->workspace, facts->order_id);
}

static Jsonb *
describe(const OtRollbackRequest *request, const OtRollbackFacts *facts,
		 const OtRollbackVerdict *verdict, const OtCart *cart,
		 const OtRollbackOrder *order)
{
	OtJson json;

	ot_json_begin(&json);
	ot_json_add_int8(&json, "redemption_id", facts->rollback_id);
	ot_json_add_int8(&json, "rollback_of", request->redemption_id);
	ot_json_add_int8(&json, "voucher_id", facts->voucher_id);
	ot_json_add_int8(&json, "amount", -verdict->amount);
	ot_json_open(&json, "discount_amount");
	ot_json_add_int8(&json, "old", facts->order_discount);
	ot_json_add_int8(&json, "new", order->discount);
	ot_json_close(&json);
	ot_json_add_int8(&json, "total_amount",
					 facts->order_amount + cart->given_amount - order->discount);
	if (facts->has_items)
		ot_cart_describe(cart, facts->order_amount, &json);
	ot_json_add_text(&json, "kept_status", order->kept_status);
	ot_note_sign(&json, request->actor);
	return ot_json_end(&json);
}

/* Reads the limits that are set; only what is counted is given back. */
static void
read_terms(const OtRollbackRequest *request, const OtRollbackFacts *facts, Terms *terms)
{
	ot_take_snapshot();
	ot_voucher_terms_read(request->workspace, facts->voucher_id, &terms->voucher);
	if (facts->campaign_id != 0)
		ot_campaign_terms_read(request->workspace, facts->campaign_id, &terms->campaign);
	if (ot_terms_count_period(&terms->voucher) || ot_terms_count_period(&terms->campaign))
		ot_local_time_read(request->workspace, facts->redeemed_at, &terms->local_time);
	ot_drop_snapshot();
}

/*
 * Gives credits back, and with the last part the use, in the periods in which it
 * was made; gives the gift card's balance.
 */
static int64
give_back(const OtRollbackRequest *request, const OtRollbackFacts *facts,
		  const OtRollbackVerdict *verdict, const Terms *terms)
{
	OtUse use = {0};

	use.workspace = request->workspace;
	use.voucher = &terms->voucher;
	use.campaign = &terms->campaign;
	use.is_gift = facts->is_gift;
	use.given = verdict->amount;
	use.order_amount = facts->redeemed_amount;
	use.customer_id = facts->customer_id;
	use.local_time = &terms->local_time;
	use.now = request->now;
	return ot_limits_give_back(&use, verdict->is_complete);
}

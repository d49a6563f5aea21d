/*
 * failure.c
 *		The reasons of a refusal: their codes, and their general words.
 */
#include "postgres.h"

#include "verdict.h"

static const struct
{
	const char *code;
	const char *message;
} failures[] = {
	[OT_OK] = {NULL, NULL},
	[OT_INVALID_INPUT] = {"invalid_input", "the request is not valid"},
	[OT_VOUCHER_NOT_FOUND] = {"voucher_not_found", "the voucher does not exist"},
	[OT_VOUCHER_DISABLED] = {"voucher_disabled", "the voucher is disabled"},
	[OT_VOUCHER_NOT_ACTIVE] = {"voucher_not_active", "the voucher is not active yet"},
	[OT_VOUCHER_EXPIRED] = {"voucher_expired", "the voucher has expired"},
	[OT_VOUCHER_NOT_ACTIVE_NOW] = {"voucher_not_active_now",
								   "the voucher is not active at this time"},
	[OT_QUANTITY_EXCEEDED] = {"quantity_exceeded", "the voucher has been used up"},
	[OT_INVALID_ORDER] = {"invalid_order", "the order is not valid"},
	[OT_INVALID_AMOUNT] = {"invalid_amount", "an amount of the order is not valid"},
	[OT_MISSING_CUSTOMER] = {"missing_customer", "the voucher needs a customer"},
	[OT_MISSING_ORDER_ITEMS] = {"missing_order_items", "the voucher needs order items"},
	[OT_MISSING_AMOUNT] = {"missing_amount", "the voucher needs an amount"},
	[OT_GIFT_AMOUNT_EXCEEDED] = {"gift_amount_exceeded",
								 "the gift card's balance is not enough"},
	[OT_CUSTOMER_RULES_VIOLATED] = {"customer_rules_violated",
									"the customer does not match the rules"},
	[OT_ORDER_RULES_VIOLATED] = {"order_rules_violated",
								 "the order does not match the rules"},
	[OT_REDEMPTION_RULES_VIOLATED] = {"redemption_rules_violated",
									  "the customer has used the voucher up"},
	[OT_RESERVATION_NOT_FOUND] =
		{"reservation_not_found",
		 "there is no such reservation of this code and customer"},
	[OT_REDEMPTION_NOT_FOUND] = {"redemption_not_found", "the redemption does not exist"},
	[OT_NOT_REDEEMED] = {"not_redeemed",
						 "nothing was redeemed that could be rolled back"},
	[OT_ALREADY_ROLLED_BACK] = {"already_rolled_back",
								"the redemption is already rolled back"},
	[OT_IDEMPOTENCY_CONFLICT] = {"idempotency_conflict",
								 "the idempotency key was used for another request"},
	[OT_DUPLICATED_CODES] = {"duplicated_codes", "a code is in the stack twice"},
	[OT_STACK_REFUSED] = {"stack_refused", "another code of the stack was refused"},
	[OT_PART_OF_STACK] =
		{"part_of_stack",
		 "the redemption is part of a stack, which is rolled back as a whole"},
	[OT_REWARD_NOT_FOUND] = {"reward_not_found", "the reward does not exist"},
	[OT_REWARD_NOT_ACTIVE] = {"reward_not_active", "the reward is not active"},
	[OT_REWARD_EXPIRED] = {"reward_expired", "the reward has expired"},
	[OT_CUSTOMER_NOT_ALLOWED] = {"customer_not_allowed",
								 "the customer may not spend points"},
	[OT_CUSTOMER_LIMIT_EXCEEDED] =
		{"customer_limit_exceeded",
		 "the customer has had the reward as often as allowed"},
	[OT_OUT_OF_STOCK] = {"out_of_stock", "the reward is out of stock"},
	[OT_NO_CODES_LEFT] = {"no_codes_left", "the reward has no codes left"},
	[OT_NOT_ENOUGH_POINTS] = {"not_enough_points", "the customer has not enough points"},
	[OT_REWARD_USED] =
		{"reward_used",
		 "the reward has been used or paid out; unmark it, or cancel its delivery, first"},
	[OT_ITEMS_SHIPPED] = {"items_shipped", "units that it added are in a shipment"},
};

/* Gives the failure_code of a refusal, NULL for OT_OK. */
const char *
ot_failure_code(OtFailure failure)
{
	return failures[failure].code;
}

/* Gives the general message of a refusal, NULL for OT_OK. */
const char *
ot_failure_message(OtFailure failure)
{
	return failures[failure].message;
}

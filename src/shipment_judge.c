/*
 * shipment_judge.c
 *		Decides whether a shipment may move, and what its order becomes by it: facts
 *		in, verdict out, no SQL and no clock.  Functions and triggers share it.
 */
#include "postgres.h"

#include "shipment.h"

static bool is_one_of(const char *status, const char *const *statuses, int count);

static const struct
{
	const char *code;
	const char *message;
} failures[] = {
	[OT_SHIPMENT_OK] = {NULL, NULL},
	[OT_SHIPMENT_NOT_FOUND] = {"shipment_not_found", "the shipment does not exist"},
	[OT_SHIPMENT_REFUSED] = {"transition_refused", "this move is not allowed"},
	[OT_SHIPMENT_ORDER_ON_HOLD] = {"order_on_hold", "the order is on hold"},
	[OT_SHIPMENT_ORDER_NOT_READY] =
		{"order_not_ready", "the order is not in a status in which it is shipped"},
};

/*
 * Judges a shipment that is to get a status, which is a move of status_transitions
 * or not.  What an order that is on hold has must not go on, and an order that is
 * not paid or in progress has nothing to ship.
 */
OtShipmentFailure
ot_shipment_judge(const char *to_status, const char *order_status, bool is_move)
{
	static const char *const not_ready[] = {"created", "awaiting_exchange", "canceled"};

	if (!is_move)
		return OT_SHIPMENT_REFUSED;
	if (strcmp(order_status, "on_hold") == 0 && strcmp(to_status, "on_hold") != 0 &&
		strcmp(to_status, "canceled") != 0 && strcmp(to_status, "delivered") != 0)
		return OT_SHIPMENT_ORDER_ON_HOLD;
	if (strcmp(to_status, "shipped") == 0 &&
		is_one_of(order_status, not_ready, lengthof(not_ready)))
		return OT_SHIPMENT_ORDER_NOT_READY;
	return OT_SHIPMENT_OK;
}

/* Gives the failure_code of a refusal, NULL for OT_SHIPMENT_OK. */
const char *
ot_shipment_failure_code(OtShipmentFailure failure)
{
	return failures[failure].code;
}

/* Gives the words of a refusal, NULL for OT_SHIPMENT_OK. */
const char *
ot_shipment_failure_message(OtShipmentFailure failure)
{
	return failures[failure].message;
}

/* Tells whether a shipment may be made for an order of this status. */
bool
ot_order_takes_shipments(const char *order_status)
{
	static const char *const taking[] = {"created", "paid", "in_progress",
										 "partially_shipped"};

	return is_one_of(order_status, taking, lengthof(taking));
}

/* Tells whether a move of a shipment may make its order another. */
bool
ot_shipment_may_move_order(const char *from_status, const char *to_status)
{
	return strcmp(to_status, "shipped") == 0 || strcmp(to_status, "canceled") == 0 ||
		   (strcmp(to_status, "delivered") == 0 && strcmp(from_status, "shipped") != 0);
}

/* Tells whether an order of this status moves on with its shipments. */
bool
ot_order_follows_shipments(const char *order_status)
{
	static const char *const moving[] = {"paid", "in_progress", "partially_shipped"};

	return is_one_of(order_status, moving, lengthof(moving));
}

/*
 * Tells what an order that follows its shipments becomes by them; NULL is nothing
 * else.  A canceled shipment stands in nobody's way: what was in it is not going to be
 * sent, unless another holds it.
 */
const char *
ot_shipments_judge_order(const OtShipmentSums *sums)
{
	if (!sums->is_shipped)
		return NULL;
	return sums->is_active || sums->has_rest ? "partially_shipped" : "completed";
}

static bool
is_one_of(const char *status, const char *const *statuses, int count)
{
	for (int i = 0; i < count; i++)
		if (strcmp(statuses[i], status) == 0)
			return true;
	return false;
}

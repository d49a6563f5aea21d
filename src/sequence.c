/*
 * sequence.c
 *		Draws the ids of rows that notes must name before they are inserted.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "commands/sequence.h"
#include "utils/lsyscache.h"

#include "ordertrack.h"

static int64 next_id(const char *sequence);

/* Draws the id of a new order. */
int64
ot_next_order_id(void)
{
	return next_id("orders_order_id_seq");
}

/* Draws the id of a new row of redemptions. */
int64
ot_next_redemption_id(void)
{
	return next_id("redemptions_redemption_id_seq");
}

/* Draws the id of a new lot of points. */
int64
ot_next_lot_id(void)
{
	return next_id("point_lots_lot_id_seq");
}

/* Draws the id of a new unit of a reward. */
int64
ot_next_issued_reward_id(void)
{
	return next_id("issued_rewards_issued_reward_id_seq");
}

/* Draws the id of a new shipment. */
int64
ot_next_shipment_id(void)
{
	return next_id("shipments_shipment_id_seq");
}

/* Draws the id of a new payment. */
int64
ot_next_payment_id(void)
{
	return next_id("payments_payment_id_seq");
}

/* Draws the id of a new return. */
int64
ot_next_return_id(void)
{
	return next_id("returns_return_id_seq");
}

/* nextval() by name; a statement of its own would cost five times as much. */
static int64
next_id(const char *sequence)
{
	Oid id = get_relname_relid(sequence, get_namespace_oid("ordertrack", false));

	if (!OidIsValid(id))
		elog(ERROR, "sequence \"%s\" is missing", sequence);
	return nextval_internal(id, true);
}

/*
 * statement_shipment.c
 *		The statements of shipments.  The rules of statement.c hold here too.
 */
#include "postgres.h"

#include "plan.h"

/* clang-format off */
/*
 * The lines of an order with the units of each that are in live shipments, and those
 * that were in shipments that were canceled and are in no other since.
 */
#define LINES \
	"SELECT i.line_no, i.quantity," \
	"  coalesce(sum(u.quantity) FILTER (WHERE s.status <> 'canceled'), 0)::bigint AS live," \
	"  greatest(coalesce(sum(u.quantity) FILTER (WHERE s.status = 'canceled'), 0)" \
	"   - coalesce(sum(u.replaced_quantity), 0), 0)::bigint AS canceled" \
	"  FROM ordertrack.order_items AS i" \
	"  LEFT JOIN ordertrack.shipment_items AS u" \
	"    ON u.workspace_id = $1 AND u.order_id = $2 AND u.line_no = i.line_no" \
	"  LEFT JOIN ordertrack.shipments AS s" \
	"    ON s.workspace_id = $1 AND s.shipment_id = u.shipment_id" \
	" WHERE i.workspace_id = $1 AND i.order_id = $2" \
	" GROUP BY i.line_no, i.quantity"

const OtStatement ot_shipment_statements[OT_PLAN_COUNT] = {
	[OT_PLAN_SHIPMENT_LINES] = {"ii", LINES " ORDER BY i.line_no"},
	[OT_PLAN_SHIPMENT_INSERT] = {"iiitttz",
		"INSERT INTO ordertrack.shipments"
		"  (workspace_id, shipment_id, order_id, status, carrier, tracking_number, created_at,"
		"   updated_at)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $7)"},
	[OT_PLAN_SHIPMENT_ITEMS_INSERT] = {"iiizIII",
		"INSERT INTO ordertrack.shipment_items"
		"  (workspace_id, shipment_id, order_id, line_no, quantity, replaced_quantity, created_at)"
		" SELECT $1, $2, $3, g.line_no, g.quantity, g.replaced_quantity, $4"
		"  FROM unnest($5, $6, $7) AS g (line_no, quantity, replaced_quantity)"},
	/* The first of the lines $3 to $4 of which live shipments hold more than there is. */
	[OT_PLAN_SHIPMENT_EXCESS] = {"iinn",
		"SELECT u.line_no, least(sum(u.quantity), 9223372036854775807)::bigint,"
		"  coalesce(i.quantity, 0)::bigint"
		"  FROM ordertrack.shipment_items AS u"
		"  JOIN ordertrack.shipments AS s"
		"    ON s.workspace_id = $1 AND s.shipment_id = u.shipment_id AND s.status <> 'canceled'"
		"  LEFT JOIN ordertrack.order_items AS i"
		"    ON i.workspace_id = $1 AND i.order_id = $2 AND i.line_no = u.line_no"
		" WHERE u.workspace_id = $1 AND u.order_id = $2 AND u.line_no BETWEEN $3 AND $4"
		" GROUP BY u.line_no, i.quantity HAVING sum(u.quantity) > coalesce(i.quantity, 0)"
		" ORDER BY u.line_no LIMIT 1"},

	/*
	 * One at a time: for "shipment_id = ANY ($2)" a table that was never analyzed is
	 * read whole.
	 */
	[OT_PLAN_SHIPMENT_LOCK] = {"ii",
		"SELECT FROM ordertrack.shipments"
		" WHERE workspace_id = $1 AND shipment_id = $2 FOR NO KEY UPDATE"},
	[OT_PLAN_SHIPMENT_READ] = {"ii",
		"SELECT order_id, status, status_before_hold, carrier, tracking_number"
		"  FROM ordertrack.shipments WHERE workspace_id = $1 AND shipment_id = $2"},
	[OT_PLAN_SHIPMENT_UPDATE] = {"iittt",
		"UPDATE ordertrack.shipments SET status = $3, carrier = $4, tracking_number = $5"
		" WHERE workspace_id = $1 AND shipment_id = $2"},

	/* Shipments that follow their order. */
	[OT_PLAN_SHIPMENTS_HOLD] = {"ii",
		"UPDATE ordertrack.shipments SET status = 'on_hold'"
		" WHERE workspace_id = $1 AND order_id = $2"
		"   AND status NOT IN ('shipped', 'delivered', 'canceled', 'on_hold')"},
	[OT_PLAN_SHIPMENTS_RELEASE] = {"ii",
		"UPDATE ordertrack.shipments SET status = status_before_hold"
		" WHERE workspace_id = $1 AND order_id = $2 AND is_held_with_order"},
	[OT_PLAN_SHIPMENTS_CANCEL] = {"ii",
		"UPDATE ordertrack.shipments SET status = 'canceled'"
		" WHERE workspace_id = $1 AND order_id = $2"
		"   AND status NOT IN ('shipped', 'delivered', 'canceled')"},
	/* What the shipments of an order come to: OtShipmentSums. */
	[OT_PLAN_SHIPMENT_SUMS] = {"ii",
		"SELECT coalesce(bool_or(status IN ('shipped', 'delivered')), false),"
		"  coalesce(bool_or(status NOT IN ('shipped', 'delivered', 'canceled')), false),"
		"  EXISTS (SELECT FROM (" LINES ") AS l WHERE l.quantity > l.live + l.canceled)"
		"  FROM ordertrack.shipments WHERE workspace_id = $1 AND order_id = $2"},
	[OT_PLAN_SHIPMENT_SENT] = {"ii",
		"SELECT FROM ordertrack.shipments WHERE workspace_id = $1 AND order_id = $2"
		"   AND status IN ('shipped', 'delivered') LIMIT 1"},
	[OT_PLAN_SHIPMENT_LIVE] = {"ii",
		"SELECT FROM ordertrack.shipments WHERE workspace_id = $1 AND order_id = $2"
		"   AND status <> 'canceled' LIMIT 1"},
	[OT_PLAN_SHIPMENT_KEY_FIND] = {"it",
		"SELECT request_hash, shipment_id FROM ordertrack.idempotency_keys"
		" WHERE workspace_id = $1 AND idempotency_key = $2"},
	[OT_PLAN_SHIPMENT_KEY_CLAIM] = {"ittyiz",
		"INSERT INTO ordertrack.idempotency_keys"
		"  (workspace_id, idempotency_key, function, request_hash, shipment_id, created_at)"
		" VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (workspace_id, idempotency_key) DO NOTHING"},
};
/* clang-format on */

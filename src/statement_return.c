/*
 * statement_return.c
 *		The statements of returns.  The rules of statement.c hold here too.
 */
#include "postgres.h"

#include "plan.h"

/* Units of a line that are in other returns than $2: what a complete one received. */
#define RETURNED                                                                               \
	"coalesce(sum(CASE t.status WHEN 'complete' THEN"                                          \
	"    (SELECT coalesce(sum(c.quantity), 0) FROM ordertrack.return_receipts AS c"            \
	"      WHERE c.workspace_id = $1 AND c.return_id = t.return_id AND c.line_no = i.line_no)" \
	"   WHEN 'canceled' THEN 0 ELSE i.quantity END), 0)::bigint"

/* clang-format off */
const OtStatement ot_return_statements[OT_PLAN_COUNT] = {
	[OT_PLAN_RETURN_INSERT] = {"iiiitz",
		"INSERT INTO ordertrack.returns"
		"  (workspace_id, return_id, order_id, exchange_order_id, status, reason, created_at, updated_at)"
		" VALUES ($1, $2, $3, $4, 'awaiting_stock_return', $5, $6, $6)"},
	[OT_PLAN_RETURN_ITEMS_INSERT] = {"iiiIIz",
		"INSERT INTO ordertrack.return_items"
		"  (workspace_id, return_id, order_id, line_no, quantity, created_at)"
		" SELECT $1, $2, $3, u.line_no::integer, u.quantity, $6 FROM unnest($4, $5) AS u (line_no, quantity)"},
	[OT_PLAN_RETURN_RECEIPT_NO] = {"ii",
		"SELECT coalesce(max(receipt_no), 0) + 1 FROM ordertrack.return_receipts"
		" WHERE workspace_id = $1 AND return_id = $2"},
	[OT_PLAN_RETURN_RECEIPTS_INSERT] = {"iinIIz",
		"INSERT INTO ordertrack.return_receipts"
		"  (workspace_id, return_id, receipt_no, line_no, quantity, created_at)"
		" SELECT $1, $2, $3, u.line_no::integer, u.quantity, $6 FROM unnest($4, $5) AS u (line_no, quantity)"},

	/* Locks in the one order: the order and the one that waits, by id, then the return. */
	[OT_PLAN_RETURN_LOCK_ORDERS] = {"ii",
		"SELECT FROM ordertrack.orders WHERE workspace_id = $1 AND order_id = ANY (ARRAY("
		"   SELECT unnest(ARRAY[r.order_id, r.exchange_order_id]) FROM ordertrack.returns AS r"
		"    WHERE r.workspace_id = $1 AND r.return_id = $2))"
		" ORDER BY order_id FOR NO KEY UPDATE"},
	[OT_PLAN_RETURN_LOCK] = {"ii",
		"SELECT order_id, exchange_order_id, status FROM ordertrack.returns"
		" WHERE workspace_id = $1 AND return_id = $2 FOR NO KEY UPDATE"},
	[OT_PLAN_RETURN_STATUS] = {"iit",
		"UPDATE ordertrack.returns SET status = $3 WHERE workspace_id = $1 AND return_id = $2"},
	[OT_PLAN_RETURN_OF_EXCHANGE] = {"ii",
		"SELECT return_id FROM ordertrack.returns WHERE workspace_id = $1 AND exchange_order_id = $2"
		"   AND status NOT IN ('complete', 'canceled') LIMIT 1"},

	/* ---- units ---- */
	/* What of each line of an order was shipped and is in no return. */
	[OT_PLAN_RETURN_SHIPPED] = {"ii",
		"SELECT s.line_no, s.quantity - coalesce(r.quantity, 0)"
		"  FROM (SELECT i.line_no, sum(i.quantity)::bigint AS quantity"
		"          FROM ordertrack.shipment_items AS i JOIN ordertrack.shipments AS h"
		"            ON h.workspace_id = $1 AND h.shipment_id = i.shipment_id"
		"         WHERE i.workspace_id = $1 AND i.order_id = $2 AND h.status IN ('shipped', 'delivered')"
		"         GROUP BY i.line_no) AS s"
		"  LEFT JOIN (SELECT i.line_no, " RETURNED " AS quantity"
		"          FROM ordertrack.return_items AS i JOIN ordertrack.returns AS t"
		"            ON t.workspace_id = $1 AND t.return_id = i.return_id"
		"         WHERE i.workspace_id = $1 AND i.order_id = $2"
		"         GROUP BY i.line_no) AS r ON r.line_no = s.line_no"
		" WHERE s.quantity > coalesce(r.quantity, 0) ORDER BY s.line_no"},
	/* The first line of a return, or line $3 of it, that has more than there is. */
	[OT_PLAN_RETURN_EXCESS] = {"iin",
		"SELECT n.line_no, n.quantity, s.quantity, r.quantity,"
		"  EXISTS (SELECT FROM ordertrack.order_items AS l WHERE l.workspace_id = $1"
		"    AND l.order_id = n.order_id AND l.line_no = n.line_no), n.order_id"
		" FROM ordertrack.return_items AS n"
		" CROSS JOIN LATERAL (SELECT coalesce(sum(i.quantity), 0)::bigint AS quantity"
		"    FROM ordertrack.shipment_items AS i JOIN ordertrack.shipments AS h"
		"      ON h.workspace_id = $1 AND h.shipment_id = i.shipment_id"
		"   WHERE i.workspace_id = $1 AND i.order_id = n.order_id AND i.line_no = n.line_no"
		"     AND h.status IN ('shipped', 'delivered')) AS s"
		" CROSS JOIN LATERAL (SELECT " RETURNED " AS quantity"
		"    FROM ordertrack.return_items AS i JOIN ordertrack.returns AS t"
		"      ON t.workspace_id = $1 AND t.return_id = i.return_id"
		"   WHERE i.workspace_id = $1 AND i.order_id = n.order_id AND i.line_no = n.line_no"
		"     AND i.return_id <> $2) AS r"
		" WHERE n.workspace_id = $1 AND n.return_id = $2 AND ($3 = 0 OR n.line_no = $3)"
		"   AND n.quantity > s.quantity - r.quantity"
		" ORDER BY n.line_no LIMIT 1"},
	/* What of each line of a return has not arrived. */
	[OT_PLAN_RETURN_EXPECTED] = {"ii",
		"SELECT i.line_no, i.quantity - coalesce(c.quantity, 0)"
		"  FROM ordertrack.return_items AS i"
		"  LEFT JOIN (SELECT line_no, sum(quantity)::bigint AS quantity FROM ordertrack.return_receipts"
		"         WHERE workspace_id = $1 AND return_id = $2 GROUP BY line_no) AS c ON c.line_no = i.line_no"
		" WHERE i.workspace_id = $1 AND i.return_id = $2 AND i.quantity > coalesce(c.quantity, 0)"
		" ORDER BY i.line_no"},
	/* What of line $3 is to come, and has come by other receipts than $4. */
	[OT_PLAN_RETURN_RECEIVED] = {"iinn",
		"SELECT i.quantity, (SELECT coalesce(sum(c.quantity), 0)::bigint FROM ordertrack.return_receipts AS c"
		"    WHERE c.workspace_id = $1 AND c.return_id = $2 AND c.line_no = $3 AND c.receipt_no <> $4)"
		"  FROM ordertrack.return_items AS i"
		" WHERE i.workspace_id = $1 AND i.return_id = $2 AND i.line_no = $3"},

	/* ---- refund ---- */
	/* What came back by complete returns and by return $3. */
	[OT_PLAN_RETURN_LINES] = {"iii",
		"SELECT i.line_no, i.amount, i.discount_amount, i.quantity,"
		"  (SELECT coalesce(sum(c.quantity), 0)::bigint FROM ordertrack.returns AS t"
		"     JOIN ordertrack.return_receipts AS c"
		"       ON c.workspace_id = $1 AND c.return_id = t.return_id AND c.line_no = i.line_no"
		"    WHERE t.workspace_id = $1 AND t.order_id = $2"
		"      AND (t.status = 'complete' OR t.return_id = $3))"
		"  FROM ordertrack.order_items AS i WHERE i.workspace_id = $1 AND i.order_id = $2"
		" ORDER BY i.line_no"},
	[OT_PLAN_RETURN_REFUNDED] = {"iii",
		"SELECT coalesce(sum(amount), 0)::bigint FROM ordertrack.payments"
		" WHERE workspace_id = $1 AND order_id = $2 AND return_id = $3"
		"   AND transaction_type = 'credit' AND status <> 'failed'"},
	[OT_PLAN_RETURN_KEY_FIND] = {"it",
		"SELECT request_hash, return_id FROM ordertrack.idempotency_keys"
		" WHERE workspace_id = $1 AND idempotency_key = $2"},
	[OT_PLAN_RETURN_KEY_CLAIM] = {"ittyiz",
		"INSERT INTO ordertrack.idempotency_keys"
		"  (workspace_id, idempotency_key, function, request_hash, return_id, created_at)"
		" VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (workspace_id, idempotency_key) DO NOTHING"},
};
/* clang-format on */

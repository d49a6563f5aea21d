/*
 * statement_coupon.c
 *		The statements of coupons and manual discounts on stored orders, and of
 *		orders that are canceled.  The rules of statement.c hold here too.
 */
#include "postgres.h"

#include "plan.h"

/* clang-format off */
/* Until the rollback that completes it; OFFSET 0 has that found by its key. */
#define IS_LIVE \
	"r.workspace_id = $1 AND r.order_id = $2 AND r.result = 'success' AND r.kind <> 'rollback'" \
	"   AND NOT EXISTS (SELECT FROM ordertrack.redemptions AS b WHERE b.workspace_id = $1" \
	"    AND b.rollback_of = r.redemption_id AND b.rollback_no IS NOT NULL AND b.is_complete OFFSET 0)"

const OtStatement ot_coupon_statements[OT_PLAN_COUNT] = {
	[OT_PLAN_COUPON_CUSTOMER] = {"ii",
		"SELECT source_id FROM ordertrack.customers WHERE workspace_id = $1 AND customer_id = $2"},
	[OT_PLAN_COUPON_LIVE] = {"iit",
		"SELECT r.redemption_id FROM ordertrack.redemptions AS r WHERE " IS_LIVE
		"   AND r.code = $3 ORDER BY r.redemption_id DESC LIMIT 1"},
	/* The codes of stacks, too. */
	[OT_PLAN_ORDER_LIVE] = {"ii",
		"SELECT r.redemption_id, r.code, r.stack_id, r.customer_id, r.reward_id, r.quantity"
		"  FROM ordertrack.redemptions AS r WHERE " IS_LIVE " ORDER BY r.redemption_id DESC"},
	/* A line without all units that a redemption, or a stack of them, added to it. */
	[OT_PLAN_ROLLBACK_SHIPPED] = {"iii",
		"SELECT FROM (SELECT g.line_no, sum(g.quantity) AS given"
		"    FROM ordertrack.redemption_items AS g"
		"   WHERE g.workspace_id = $1 AND g.order_id = $2 AND g.redemption_id = ANY (ARRAY("
		"     SELECT p.redemption_id FROM ordertrack.redemptions AS p"
		"      WHERE p.workspace_id = $1 AND p.stack_id = $3 AND p.kind = 'redemption') || $3)"
		"   GROUP BY g.line_no HAVING sum(g.quantity) > 0) AS a"
		"  JOIN ordertrack.order_items AS i"
		"    ON i.workspace_id = $1 AND i.order_id = $2 AND i.line_no = a.line_no"
		" WHERE i.quantity - a.given < (SELECT sum(s.quantity) FROM ordertrack.shipment_items AS s"
		"   JOIN ordertrack.shipments AS h"
		"     ON h.workspace_id = $1 AND h.shipment_id = s.shipment_id AND h.status <> 'canceled'"
		"  WHERE s.workspace_id = $1 AND s.order_id = $2 AND s.line_no = a.line_no) LIMIT 1"},
	/* A line of which more was shipped than has come back by complete returns. */
	[OT_PLAN_REWARD_SHIPPED] = {"ii",
		"SELECT FROM ordertrack.shipment_items AS s JOIN ordertrack.shipments AS h"
		"    ON h.workspace_id = $1 AND h.shipment_id = s.shipment_id AND h.status IN ('shipped', 'delivered')"
		" WHERE s.workspace_id = $1 AND s.order_id = $2"
		" GROUP BY s.line_no HAVING sum(s.quantity) > (SELECT coalesce(sum(c.quantity), 0)"
		"   FROM ordertrack.returns AS t JOIN ordertrack.return_receipts AS c"
		"     ON c.workspace_id = $1 AND c.return_id = t.return_id"
		"  WHERE t.workspace_id = $1 AND t.order_id = $2 AND t.status = 'complete'"
		"    AND c.line_no = s.line_no) LIMIT 1"},
	[OT_PLAN_REWARD_CODES_LOCK] = {"iiT",
		"SELECT FROM ordertrack.reward_codes"
		" WHERE workspace_id = $1 AND reward_id = $2 AND code = ANY ($3)"
		" ORDER BY code_no FOR NO KEY UPDATE"},

	/* ---- manual discounts ---- */
	[OT_PLAN_MANUAL_DISCOUNT_READ] = {"ii",
		"SELECT amount FROM ordertrack.manual_discounts WHERE workspace_id = $1 AND order_id = $2"},
	[OT_PLAN_MANUAL_DISCOUNT_INSERT] = {"iimtz",
		"INSERT INTO ordertrack.manual_discounts"
		"  (workspace_id, order_id, amount, reason, created_at, updated_at)"
		" VALUES ($1, $2, $3, $4, $5, $5)"},
	[OT_PLAN_MANUAL_DISCOUNT_UPDATE] = {"iimtz",
		"UPDATE ordertrack.manual_discounts SET amount = $3, reason = $4, updated_at = $5"
		" WHERE workspace_id = $1 AND order_id = $2"},
};
/* clang-format on */

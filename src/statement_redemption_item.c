/*
 * statement_redemption_item.c
 *		The statements of what redemptions gave on lines.  The rules of
 *		statement.c hold here too.
 */
#include "postgres.h"

#include "plan.h"

/* clang-format off */
/* What was given, one array a column. */
#define GIVEN(parameters) \
	" FROM unnest(" parameters ") AS g (line_no, quantity, amount, discount_amount)"

const OtStatement ot_redemption_item_statements[OT_PLAN_COUNT] = {
	[OT_PLAN_ITEM_FACTS] = {"ii",
		"SELECT line_no, product_id, sku, quantity, price, amount, discount_amount"
		"  FROM ordertrack.order_items WHERE workspace_id = $1 AND order_id = $2 ORDER BY line_no"},
	[OT_PLAN_REDEMPTION_ITEMS_INSERT] = {"iiIIIIiz",
		"INSERT INTO ordertrack.redemption_items"
		"  (workspace_id, order_id, redemption_id, line_no, quantity, amount, discount_amount,"
		"   created_at)"
		" SELECT $1, $2, $7, g.line_no, g.quantity, g.amount, g.discount_amount, $8"
		GIVEN("$3, $4, $5, $6")},
	[OT_PLAN_REDEMPTION_ITEMS_READ] = {"iii",
		"SELECT line_no, quantity, amount, discount_amount FROM ordertrack.redemption_items"
		" WHERE workspace_id = $1 AND order_id = $2 AND redemption_id = $3 ORDER BY line_no"},
	/* A line of given units alone. */
	[OT_PLAN_ITEM_ADD] = {"iinttiiiiz",
		"INSERT INTO ordertrack.order_items"
		"  (workspace_id, order_id, line_no, product_id, sku, quantity, price, amount,"
		"   discount_amount, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"},
	[OT_PLAN_ITEMS_REMOVE] = {"iiIIII",
		"DELETE FROM ordertrack.order_items AS i USING"
		"  unnest($3, $4, $5, $6) AS g (line_no, quantity, amount, discount_amount)"
		" WHERE i.workspace_id = $1 AND i.order_id = $2 AND i.line_no = g.line_no"
		"   AND i.quantity + g.quantity = 0"},
	/* The discount of a line is the sum of what is live, computed again. */
	[OT_PLAN_ITEMS_GIVE] = {"iiIIII",
		"UPDATE ordertrack.order_items AS i SET quantity = i.quantity + g.quantity,"
		"  amount = i.amount + g.amount, discount_amount ="
		"   (SELECT sum(r.discount_amount) FROM ordertrack.redemption_items AS r"
		"     WHERE r.workspace_id = $1 AND r.order_id = $2 AND r.line_no = i.line_no)"
		GIVEN("$3, $4, $5, $6")
		" WHERE i.workspace_id = $1 AND i.order_id = $2 AND i.line_no = g.line_no"},
	[OT_PLAN_ITEMS_LIVE] = {"ii",
		"SELECT FROM ordertrack.redemption_items WHERE workspace_id = $1 AND order_id = $2"
		" GROUP BY line_no HAVING sum(discount_amount) <> 0 OR sum(quantity) <> 0 LIMIT 1"},
	/* Lines whose discount is not what their live redemptions gave. */
	[OT_PLAN_ITEMS_WRONG] = {"ii",
		"SELECT line_no, coalesce(i.discount_amount, 0)::bigint, coalesce(r.given, 0)::bigint"
		"  FROM (SELECT line_no, discount_amount FROM ordertrack.order_items"
		"         WHERE workspace_id = $1 AND order_id = $2) AS i"
		"  FULL JOIN (SELECT line_no, sum(discount_amount) AS given"
		"               FROM ordertrack.redemption_items"
		"              WHERE workspace_id = $1 AND order_id = $2 GROUP BY line_no) AS r"
		"  USING (line_no)"
		" WHERE coalesce(i.discount_amount, 0) <> coalesce(r.given, 0) ORDER BY line_no"},
};
/* clang-format on */

/*
 * statement.c
 *		The statements of orders, notes and redemptions, as readable text; those
 *		of administration are in statement_admin.c.
 *
 * $1 is the workspace.  Names are qualified, and values are only ever
 * parameters.  plan.h explains the letters of the parameter types.
 */
#include "postgres.h"

#include "plan.h"

/* clang-format off */
#define INSERT_ORDER \
	"INSERT INTO ordertrack.orders" \
	"  (workspace_id, order_id, source_id, data_source, status, customer_id, amount," \
	"   discount_amount, total_amount, value_in_points, metadata, shipping_address," \
	"   submitted_by, submitted_by_id, on_behalf_of, channel, created_at, updated_at," \
	"   noted_at, note_count, note_hash, paid_at, initial_amount)" \
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16," \
	"  $17, $17, $17, $18, $19, $20, $21)"

/* Most have nothing in the columns of rewards, so these are left out where they can be. */
#define REWARD_COLUMNS ", reward, reward_id, quantity, points, points_missing"
#define REWARD_VALUES ", $27, $28, $29, $30, $31"
#define INSERT_REDEMPTION(more_columns, more_values) \
	"INSERT INTO ordertrack.redemptions" \
	"  (workspace_id, redemption_id, kind, failure_code, failure_message, code, voucher_id," \
	"   campaign_id, customer_id, customer, order_id, result, amount, discount_amount," \
	"   total_amount, gift_balance, reason, rollback_of, rollback_no, is_complete," \
	"   redeemed_by, actor, channel, metadata, created_at, stack_id" more_columns ")" \
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17," \
	"  $18, $19, $20, $21, $22, $23, $24, $25, $26" more_values ")"

/* Columns of the terms that vouchers and campaigns have alike, after the id. */
#define TERMS \
	"is_active, starts_at, expires_at, redemption_limit, redeemed_count, customer_limit," \
	"  is_striped, rule_count, has_reservations, per_day, per_week, per_month, customer_per_day," \
	"  customer_per_week, customer_per_month, validity_hours"

const OtStatement ot_work_statements[OT_PLAN_COUNT] = {
	/* ---- orders ---- */
	[OT_PLAN_ORDER_INSERT] = {"iittsimmmcoottttznyzm", INSERT_ORDER},
	[OT_PLAN_ORDER_INSERT_ONCE] = {"iittsimmmcoottttznyzm",
		INSERT_ORDER " ON CONFLICT (workspace_id, source_id) DO NOTHING"},
	[OT_PLAN_ORDER_LOCK] = {"ii",
		"SELECT status, amount, discount_amount, customer_id FROM ordertrack.orders"
		" WHERE workspace_id = $1 AND order_id = $2 FOR NO KEY UPDATE"},
	[OT_PLAN_ORDER_READ] = {"ii",
		"SELECT status, status_before_hold, amount, discount_amount, note_count, note_hash"
		"  FROM ordertrack.orders WHERE workspace_id = $1 AND order_id = $2"},
	/* $3 ... name the fields that are passed; the others keep their values. */
	[OT_PLAN_ORDER_UPDATE] = {"iiTijjttttis",
		"UPDATE ordertrack.orders SET"
		"  amount = CASE WHEN 'amount' = ANY ($3) THEN $4 ELSE amount END,"
		"  total_amount = CASE WHEN 'amount' = ANY ($3) THEN $4 ELSE amount END - discount_amount,"
		"  initial_amount = CASE WHEN 'amount' = ANY ($3) THEN $4 ELSE initial_amount END,"
		"  metadata = CASE WHEN 'metadata' = ANY ($3) THEN $5 ELSE metadata END,"
		"  shipping_address ="
		"   CASE WHEN 'shipping_address' = ANY ($3) THEN $6 ELSE shipping_address END,"
		"  data_source = CASE WHEN 'data_source' = ANY ($3) THEN $7 ELSE data_source END,"
		"  submitted_by = CASE WHEN 'submitted_by' = ANY ($3) THEN $8 ELSE submitted_by END,"
		"  submitted_by_id ="
		"   CASE WHEN 'submitted_by_id' = ANY ($3) THEN $9 ELSE submitted_by_id END,"
		"  on_behalf_of = CASE WHEN 'on_behalf_of' = ANY ($3) THEN $10 ELSE on_behalf_of END,"
		"  value_in_points ="
		"   CASE WHEN 'value_in_points' = ANY ($3) THEN $11 ELSE value_in_points END,"
		"  status = $12"
		" WHERE workspace_id = $1 AND order_id = $2"},
	[OT_PLAN_ORDER_STATUS] = {"iit",
		"UPDATE ordertrack.orders SET status = $3 WHERE workspace_id = $1 AND order_id = $2"},
	[OT_PLAN_ORDER_DISCOUNT] = {"iiitii",
		"UPDATE ordertrack.orders SET amount = $6, discount_amount = $3, total_amount = $6 - $3,"
		"  status = $4, customer_id = coalesce(customer_id, $5)"
		" WHERE workspace_id = $1 AND order_id = $2"},
	/* The trigger of orders advances the head; this names the row. */
	[OT_PLAN_ORDER_TOUCH] = {"ii",
		"UPDATE ordertrack.orders SET note_count = note_count"
		" WHERE workspace_id = $1 AND order_id = $2 RETURNING note_count"},
	[OT_PLAN_ITEM_INSERT] = {"iizntttttqmmo",
		"INSERT INTO ordertrack.order_items"
		"  (workspace_id, order_id, created_at, line_no, product_id, sku, name, color, size,"
		"   quantity, price, amount, metadata)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"},
	[OT_PLAN_ITEMS_DELETE] = {"ii",
		"DELETE FROM ordertrack.order_items WHERE workspace_id = $1 AND order_id = $2"},

	/* ---- transitions ---- */
	[OT_PLAN_TRANSITION_FIND] = {"itttb",
		"SELECT event_type FROM ordertrack.status_transitions"
		" WHERE workspace_id = $1 AND entity = $2 AND from_status = $3"
		"   AND (to_status = $4 OR ($5 AND to_status = 'previous'))"
		" ORDER BY to_status = $4 DESC LIMIT 1"},
	[OT_PLAN_TRANSITION_FIRST] = {"itt",
		"SELECT FROM ordertrack.status_transitions"
		" WHERE workspace_id = $1 AND entity = $2 AND from_status IS NULL AND to_status = $3"},
	[OT_PLAN_TRANSITION_LIST] = {"ittt",
		"SELECT string_agg(DISTINCT CASE to_status WHEN 'previous' THEN $4 ELSE to_status END, ', ')"
		"  FROM ordertrack.status_transitions"
		" WHERE workspace_id = $1 AND entity = $2 AND from_status IS NOT DISTINCT FROM $3"},

	/* ---- notes ---- */
	[OT_PLAN_NOTE_INSERT] = {"iinyetttttjzi",
		"INSERT INTO ordertrack.order_notes"
		"  (workspace_id, order_id, note_no, hash, note_type, event_type, channel, author,"
		"   title, detail, data, created_at, txid)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"},
	[OT_PLAN_NOTE_READ] = {"iin",
		"SELECT note_type, author, deleted_at FROM ordertrack.order_notes"
		" WHERE workspace_id = $1 AND order_id = $2 AND note_no = $3"},
	[OT_PLAN_NOTE_EDIT] = {"iinttzb",
		"UPDATE ordertrack.order_notes SET title = $4, detail = $5,"
		"  edited_at = CASE WHEN $7 THEN edited_at ELSE $6 END,"
		"  deleted_at = CASE WHEN $7 THEN $6 END"
		" WHERE workspace_id = $1 AND order_id = $2 AND note_no = $3"},
	[OT_PLAN_NOTE_LIST] = {"ii",
		"SELECT order_id, note_no, note_type, event_type, channel, author, title, detail, data,"
		"  created_at, edited_at, deleted_at, hash"
		"  FROM ordertrack.order_notes WHERE workspace_id = $1 AND order_id = $2"
		" ORDER BY note_no"},
	[OT_PLAN_PERSONAL_INSERT] = {"iintyj",
		"INSERT INTO ordertrack.personal_values"
		"  (workspace_id, order_id, note_no, field, salt, value)"
		" VALUES ($1, $2, $3, $4, $5, $6)"},
	[OT_PLAN_UNARMED_TRIGGERS] = {"",
		"SELECT table_name, trigger_name, state FROM ordertrack.unarmed_triggers()"
		" ORDER BY table_name, trigger_name"},

	/* ---- redemptions ---- */

	/*
	 * All that decides a redemption, each by a statement on one table, under one
	 * snapshot, and only where the request names it: measured, a join that always
	 * looks for all of it costs twice as much.
	 */
	[OT_PLAN_VOUCHER_FACTS] = {"it",
		"SELECT voucher_id, " TERMS ", campaign_id, discount, gift_balance"
		"  FROM ordertrack.vouchers WHERE workspace_id = $1 AND code = $2"},
	[OT_PLAN_VOUCHER_TERMS] = {"ii",
		"SELECT voucher_id, " TERMS
		"  FROM ordertrack.vouchers WHERE workspace_id = $1 AND voucher_id = $2"},
	[OT_PLAN_CAMPAIGN_FACTS] = {"ii",
		"SELECT campaign_id, " TERMS ", discount_budget, discount_spent, order_budget, order_spent"
		"  FROM ordertrack.campaigns WHERE workspace_id = $1 AND campaign_id = $2"},
	[OT_PLAN_CUSTOMER_FACTS] = {"it",
		"SELECT customer_id, order_total FROM ordertrack.customers"
		" WHERE workspace_id = $1 AND source_id = $2"},
	[OT_PLAN_ORDER_FACTS] = {"ii",
		"SELECT order_id, status, amount, discount_amount, customer_id, source_id"
		"  FROM ordertrack.orders WHERE workspace_id = $1 AND order_id = $2"},
	[OT_PLAN_SOURCE_FACTS] = {"it",
		"SELECT order_id, status, amount, discount_amount, customer_id, source_id"
		"  FROM ordertrack.orders WHERE workspace_id = $1 AND source_id = $2"},
	[OT_PLAN_CUSTOMER_USES] = {"iiii",
		"SELECT coalesce((SELECT used FROM ordertrack.voucher_customers"
		"   WHERE workspace_id = $1 AND voucher_id = $2 AND customer_id = $4), 0),"
		"  coalesce((SELECT used FROM ordertrack.campaign_customers"
		"   WHERE workspace_id = $1 AND campaign_id = $3 AND customer_id = $4), 0)"},
	[OT_PLAN_VOUCHER_HOLD] = {"ii",
		"SELECT FROM ordertrack.vouchers"
		" WHERE workspace_id = $1 AND voucher_id = $2 FOR NO KEY UPDATE"},
	[OT_PLAN_CAMPAIGN_HOLD] = {"ii",
		"SELECT FROM ordertrack.campaigns"
		" WHERE workspace_id = $1 AND campaign_id = $2 FOR NO KEY UPDATE"},
	[OT_PLAN_VOUCHER_SHARE] = {"ii",
		"SELECT FROM ordertrack.vouchers WHERE workspace_id = $1 AND voucher_id = $2 FOR SHARE"},
	[OT_PLAN_CAMPAIGN_SHARE] = {"ii",
		"SELECT FROM ordertrack.campaigns WHERE workspace_id = $1 AND campaign_id = $2 FOR SHARE"},
	[OT_PLAN_KEY_FIND] = {"it",
		"SELECT request_hash, redemption_id FROM ordertrack.idempotency_keys"
		" WHERE workspace_id = $1 AND idempotency_key = $2"},
	[OT_PLAN_KEY_CLAIM] = {"ittyiz",
		"INSERT INTO ordertrack.idempotency_keys"
		"  (workspace_id, idempotency_key, function, request_hash, redemption_id, created_at)"
		" VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (workspace_id, idempotency_key) DO NOTHING"},
	[OT_PLAN_REDEMPTION_INSERT] = {"iiktttiiitirimmmtinbtttozi", INSERT_REDEMPTION("", "")},
	[OT_PLAN_REWARD_REDEMPTION_INSERT] = {"iiktttiiitirimmmtinbtttozitiiii",
		INSERT_REDEMPTION(REWARD_COLUMNS, REWARD_VALUES)},
	/* The row lock excludes a conflict, but under REPEATABLE READ: then 40001. */
	[OT_PLAN_ROLLBACK_INSERT] = {"iiktttiiitirimmmtinbtttozitiiii",
		INSERT_REDEMPTION(REWARD_COLUMNS, REWARD_VALUES) " ON CONFLICT (workspace_id, rollback_of, rollback_no)"
		"  WHERE rollback_no IS NOT NULL DO NOTHING"},
	[OT_PLAN_REDEMPTION_REPLAY] = {"ii",
		"SELECT redemption_id, result, failure_code, failure_message, order_id, amount,"
		"  discount_amount, total_amount, gift_balance FROM ordertrack.redemptions"
		" WHERE workspace_id = $1 AND redemption_id = $2"},

	[OT_PLAN_STACK_PARTS] = {"ii",
		"SELECT redemption_id, code FROM ordertrack.redemptions"
		" WHERE workspace_id = $1 AND stack_id = $2 AND kind = 'redemption'"
		" ORDER BY redemption_id"},

	/* Counters: one conditional UPDATE each; no row means that a race was lost. */
	[OT_PLAN_VOUCHER_SPEND] = {"iiii",
		"UPDATE ordertrack.vouchers SET redeemed_count = redeemed_count + 1,"
		"  gift_balance = gift_balance - $3"
		" WHERE workspace_id = $1 AND voucher_id = $2"
		"   AND (redemption_limit IS NULL OR redeemed_count < redemption_limit)"
		"   AND (gift_balance = $4 OR gift_balance IS NULL)"
		" RETURNING redeemed_count, redemption_limit, is_striped"},
	/* Budgets are compared so that no sum can overflow. */
	[OT_PLAN_CAMPAIGN_SPEND] = {"iiiii",
		"UPDATE ordertrack.campaigns SET redeemed_count = redeemed_count + $3,"
		"  discount_spent = discount_spent + $4, order_spent = order_spent + $5"
		" WHERE workspace_id = $1 AND campaign_id = $2"
		"   AND ($3 = 0 OR redemption_limit IS NULL OR redeemed_count < redemption_limit)"
		"   AND (discount_budget IS NULL OR discount_spent <= discount_budget - $4)"
		"   AND (order_budget IS NULL OR order_spent <= order_budget - $5)"
		" RETURNING redeemed_count, redemption_limit, is_striped"},
	[OT_PLAN_VOUCHER_CUSTOMER_SPEND] = {"iiiiz",
		"INSERT INTO ordertrack.voucher_customers AS u"
		"  (workspace_id, voucher_id, customer_id, used, created_at) VALUES ($1, $2, $3, 1, $5)"
		" ON CONFLICT (workspace_id, voucher_id, customer_id)"
		"  DO UPDATE SET used = u.used + 1 WHERE u.used < $4"},
	[OT_PLAN_CAMPAIGN_CUSTOMER_SPEND] = {"iiiiz",
		"INSERT INTO ordertrack.campaign_customers AS u"
		"  (workspace_id, campaign_id, customer_id, used, created_at) VALUES ($1, $2, $3, 1, $5)"
		" ON CONFLICT (workspace_id, campaign_id, customer_id)"
		"  DO UPDATE SET used = u.used + 1 WHERE u.used < $4"},

	/* ---- rollbacks ---- */
	[OT_PLAN_ROLLBACK_FIND] = {"ii",
		"SELECT r.redemption_id, r.order_id FROM ordertrack.workspaces AS w"
		"  LEFT JOIN ordertrack.redemptions AS r ON r.workspace_id = $1 AND r.redemption_id = $2"
		" WHERE w.workspace_id = $1"},
	[OT_PLAN_ROLLBACK_LOCK] = {"ii",
		"SELECT FROM ordertrack.redemptions"
		" WHERE workspace_id = $1 AND redemption_id = $2 FOR NO KEY UPDATE"},
	[OT_PLAN_ROLLBACK_FACTS] = {"ii",
		"SELECT r.kind, r.result, r.code, r.voucher_id, r.campaign_id, r.customer_id,"
		"  r.customer, r.order_id, r.amount, r.gift_balance, r.discount_amount + r.total_amount,"
		"  r.created_at, b.parts, b.given_back, b.is_complete, v.gift_balance,"
		"  EXISTS (SELECT FROM ordertrack.redemption_items AS i WHERE i.workspace_id = $1"
		"    AND i.order_id = r.order_id AND i.redemption_id = r.redemption_id), r.stack_id,"
		"  r.reward, r.reward_id, r.quantity, r.points"
		" FROM ordertrack.redemptions AS r"
		" LEFT JOIN ordertrack.vouchers AS v"
		"   ON v.workspace_id = $1 AND v.voucher_id = r.voucher_id"
		" CROSS JOIN LATERAL (SELECT count(*)::integer AS parts,"
		"    coalesce(-sum(p.amount), 0)::bigint AS given_back, bool_or(p.is_complete) AS is_complete"
		"   FROM ordertrack.redemptions AS p WHERE p.workspace_id = $1"
		"    AND p.rollback_of = r.redemption_id AND p.rollback_no IS NOT NULL) AS b"
		" WHERE r.workspace_id = $1 AND r.redemption_id = $2"},
	/*
	 * What the live redemptions of an order add up to, and how many they are, with
	 * that of the reward that it is of.  The rows of a stack itself don't count: those
	 * of its codes do.  What was set by hand adds to the sum alone.
	 */
	[OT_PLAN_ROLLBACK_REST] = {"ii",
		"SELECT coalesce(sum(amount), 0)::bigint + coalesce("
		"  (SELECT m.amount FROM ordertrack.manual_discounts AS m"
		"    WHERE m.workspace_id = $1 AND m.order_id = $2), 0),"
		"  coalesce(sum(CASE WHEN kind = 'redemption' THEN 1 WHEN is_complete THEN -1 ELSE 0 END), 0)"
		"  ::bigint FROM ordertrack.redemptions"
		" WHERE workspace_id = $1 AND order_id = $2 AND result = 'success'"
		"   AND (code IS NOT NULL OR reward IS NOT NULL)"},
	[OT_PLAN_VOUCHER_GIVE_BACK] = {"iiii",
		"UPDATE ordertrack.vouchers SET redeemed_count = redeemed_count - $3,"
		"  gift_balance = gift_balance + $4"
		" WHERE workspace_id = $1 AND voucher_id = $2 RETURNING gift_balance"},
	[OT_PLAN_CAMPAIGN_GIVE_BACK] = {"iiiii",
		"UPDATE ordertrack.campaigns SET redeemed_count = redeemed_count - $3,"
		"  discount_spent = discount_spent - $4, order_spent = order_spent - $5"
		" WHERE workspace_id = $1 AND campaign_id = $2"},
	[OT_PLAN_VOUCHER_CUSTOMER_GIVE_BACK] = {"iii",
		"UPDATE ordertrack.voucher_customers SET used = used - 1"
		" WHERE workspace_id = $1 AND voucher_id = $2 AND customer_id = $3"},
	[OT_PLAN_CAMPAIGN_CUSTOMER_GIVE_BACK] = {"iii",
		"UPDATE ordertrack.campaign_customers SET used = used - 1"
		" WHERE workspace_id = $1 AND campaign_id = $2 AND customer_id = $3"},

	/* ---- batches: locks in the one order: orders, reservations, customers, vouchers, campaigns ---- */
	/* Codes that have nothing but a discount; see redemption_prefetch.c. */
	[OT_PLAN_BATCH_PLAIN_VOUCHERS] = {"iT",
		"SELECT voucher_id, " TERMS ", code, discount FROM ordertrack.vouchers"
		" WHERE workspace_id = $1 AND code = ANY ($2) AND kind = 'discount'"
		"   AND campaign_id IS NULL AND rule_count = 0 AND NOT has_reservations"
		"   AND num_nonnulls(redemption_limit, customer_limit, per_day, per_week, per_month,"
		"    customer_per_day, customer_per_week, customer_per_month, validity_hours) = 0"
		" ORDER BY code"},
	[OT_PLAN_BATCH_CUSTOMERS] = {"iT",
		"SELECT source_id, customer_id, order_total FROM ordertrack.customers"
		" WHERE workspace_id = $1 AND source_id = ANY ($2) ORDER BY source_id"},
	[OT_PLAN_BATCH_LOCK_ORDERS] = {"iTI",
		"SELECT FROM ordertrack.orders WHERE workspace_id = $1 AND order_id = ANY ($3 || ARRAY("
		"   SELECT order_id FROM ordertrack.orders"
		"    WHERE workspace_id = $1 AND source_id = ANY ($2)))"
		" ORDER BY order_id FOR NO KEY UPDATE"},
	[OT_PLAN_BATCH_LOCK_CUSTOMERS] = {"iTTII",
		"SELECT FROM ordertrack.customers WHERE workspace_id = $1 AND customer_id = ANY (ARRAY("
		"   SELECT customer_id FROM ordertrack.customers"
		"    WHERE workspace_id = $1 AND source_id = ANY ($2)"
		"   UNION ALL SELECT customer_id FROM ordertrack.orders"
		"    WHERE workspace_id = $1 AND source_id = ANY ($3)"
		"   UNION ALL SELECT customer_id FROM ordertrack.orders"
		"    WHERE workspace_id = $1 AND order_id = ANY ($4)) || $5)"
		" ORDER BY customer_id FOR NO KEY UPDATE"},
	[OT_PLAN_BATCH_LOCK_VOUCHERS] = {"iT",
		"SELECT voucher_id, is_striped FROM ordertrack.vouchers"
		" WHERE workspace_id = $1 AND code = ANY ($2) AND (kind = 'gift'"
		"   OR coalesce(redemption_limit, per_day, per_week, per_month) IS NOT NULL)"
		" ORDER BY voucher_id FOR NO KEY UPDATE"},
	[OT_PLAN_BATCH_LOCK_CAMPAIGNS] = {"iT",
		"SELECT campaign_id, is_striped FROM ordertrack.campaigns WHERE workspace_id = $1"
		"   AND coalesce(redemption_limit, per_day, per_week, per_month, discount_budget,"
		"    order_budget) IS NOT NULL AND campaign_id = ANY (ARRAY("
		"   SELECT campaign_id FROM ordertrack.vouchers"
		"    WHERE workspace_id = $1 AND code = ANY ($2)))"
		" ORDER BY campaign_id FOR NO KEY UPDATE"},
};
/* clang-format on */

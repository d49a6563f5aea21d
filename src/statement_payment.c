/*
 * statement_payment.c
 *		The statements of payments.  The rules of statement.c hold here too.
 */
#include "postgres.h"

#include "plan.h"

/* clang-format off */
const OtStatement ot_payment_statements[OT_PLAN_COUNT] = {
	[OT_PLAN_PAYMENT_INSERT] = {"iiiittittttttz",
		"INSERT INTO ordertrack.payments"
		"  (workspace_id, payment_id, order_id, return_id, transaction_type, method, amount, status,"
		"   transaction_id, reason, created_by, actor, channel, created_at, updated_at)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14)"},
	[OT_PLAN_PAYMENT_RETURN] = {"ii",
		"SELECT order_id FROM ordertrack.returns WHERE workspace_id = $1 AND return_id = $2"},

	/* Locks in the one order: the order, then its payment. */
	[OT_PLAN_PAYMENT_LOCK_ORDER] = {"ii",
		"SELECT FROM ordertrack.orders WHERE workspace_id = $1 AND order_id ="
		"  (SELECT p.order_id FROM ordertrack.payments AS p WHERE p.workspace_id = $1 AND p.payment_id = $2)"
		" FOR NO KEY UPDATE"},
	[OT_PLAN_PAYMENT_LOCK] = {"ii",
		"SELECT status FROM ordertrack.payments"
		" WHERE workspace_id = $1 AND payment_id = $2 FOR NO KEY UPDATE"},
	[OT_PLAN_PAYMENT_STATUS] = {"iit",
		"UPDATE ordertrack.payments SET status = $3 WHERE workspace_id = $1 AND payment_id = $2"},

	/* A sum that is beyond 64 bits is NULL. */
	[OT_PLAN_PAYMENTS_SUM] = {"iii",
		"SELECT CASE WHEN s.paid <= 9223372036854775807 THEN s.paid::bigint END,"
		"  CASE WHEN s.refunded <= 9223372036854775807 THEN s.refunded::bigint END"
		" FROM (SELECT coalesce(sum(amount) FILTER (WHERE transaction_type IN ('sale', 'capture')"
		"     AND status = 'processed'), 0) AS paid,"
		"    coalesce(sum(amount) FILTER (WHERE transaction_type = 'credit'"
		"     AND status <> 'failed'), 0) AS refunded"
		"   FROM ordertrack.payments"
		"  WHERE workspace_id = $1 AND order_id = $2 AND payment_id <> $3) AS s"},

	/* ---- idempotency ---- */
	[OT_PLAN_PAYMENT_KEY_FIND] = {"it",
		"SELECT request_hash, payment_id FROM ordertrack.idempotency_keys"
		" WHERE workspace_id = $1 AND idempotency_key = $2"},
	[OT_PLAN_PAYMENT_KEY_CLAIM] = {"ittyiz",
		"INSERT INTO ordertrack.idempotency_keys"
		"  (workspace_id, idempotency_key, function, request_hash, payment_id, created_at)"
		" VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (workspace_id, idempotency_key) DO NOTHING"},
};
/* clang-format on */

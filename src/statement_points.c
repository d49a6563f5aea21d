/*
 * statement_points.c
 *		The statements of points.  The rules of statement.c hold here too.
 */
#include "postgres.h"

#include "plan.h"

/* clang-format off */
#define ACCOUNT \
	"SELECT balance, movement_count, spent, expired, moved_at FROM ordertrack.point_accounts" \
	" WHERE workspace_id = $1 AND customer_id = $2"

const OtStatement ot_point_statements[OT_PLAN_COUNT] = {
	[OT_PLAN_POINT_CUSTOMER] = {"it",
		"SELECT customer_id, may_spend_points FROM ordertrack.customers"
		" WHERE workspace_id = $1 AND source_id = $2"},

	/* ---- accounts ---- */
	[OT_PLAN_POINT_ACCOUNT] = {"ii", ACCOUNT},
	[OT_PLAN_POINT_ACCOUNT_LOCK] = {"ii", ACCOUNT " FOR NO KEY UPDATE"},
	[OT_PLAN_POINT_ACCOUNT_INSERT] = {"iiz",
		"INSERT INTO ordertrack.point_accounts"
		"  (workspace_id, customer_id, balance, movement_count, created_at)"
		" VALUES ($1, $2, 0, 0, $3) ON CONFLICT (workspace_id, customer_id) DO NOTHING"},
	/* No row means that a race was lost: somebody has moved points since they were read. */
	[OT_PLAN_POINT_ACCOUNT_UPDATE] = {"iiiiiiiz",
		"UPDATE ordertrack.point_accounts SET balance = balance + $5,"
		"  movement_count = movement_count + $4, spent = spent + $6, expired = expired + $7,"
		"  moved_at = $8"
		" WHERE workspace_id = $1 AND customer_id = $2 AND movement_count = $3"},

	/* ---- lots ---- */
	[OT_PLAN_POINT_LOTS] = {"iiz",
		"SELECT lot_id, points_left, expires_at, granted_at, pending_until"
		"  FROM ordertrack.point_lots"
		" WHERE workspace_id = $1 AND customer_id = $2 AND is_open AND expires_at <= $3"
		" ORDER BY expires_at, granted_at, lot_id"},
	[OT_PLAN_POINT_LOT_INSERT] = {"iiiizzzitz",
		"INSERT INTO ordertrack.point_lots"
		"  (workspace_id, lot_id, customer_id, points, points_left, expires_at, pending_until,"
		"   granted_at, transferred_from, reason, created_at)"
		" VALUES ($1, $2, $3, $4, $4, $5, $6, $7, $8, $9, $10)"},
	[OT_PLAN_POINT_LOT_CHANGE] = {"iii",
		"UPDATE ordertrack.point_lots SET points_left = points_left + $3"
		" WHERE workspace_id = $1 AND lot_id = $2"},
	[OT_PLAN_POINT_LOT_FIND] = {"ii",
		"SELECT customer_id FROM ordertrack.point_lots WHERE workspace_id = $1 AND lot_id = $2"},
	[OT_PLAN_POINT_LOT_CANCEL] = {"iiz",
		"UPDATE ordertrack.point_lots SET canceled_at = $3"
		" WHERE workspace_id = $1 AND lot_id = $2 AND canceled_at IS NULL AND expires_at > $3"},
	/*
	 * The lots that a redemption took from, what each gave, and whether it could be
	 * spent again; OFFSET 0 has each found by its key, as in statement_rule.c.
	 */
	[OT_PLAN_POINT_SPENT] = {"ii",
		"SELECT m.lot_id, -m.points, l.canceled_at IS NOT NULL, l.expires_at"
		"  FROM ordertrack.point_movements AS m"
		" CROSS JOIN LATERAL (SELECT canceled_at, expires_at FROM ordertrack.point_lots"
		"   WHERE workspace_id = $1 AND lot_id = m.lot_id OFFSET 0) AS l"
		" WHERE m.workspace_id = $1 AND m.redemption_id = $2 AND m.kind = 'spent'"
		" ORDER BY m.movement_no"},
	[OT_PLAN_POINT_EXPIRING] = {"izz",
		"SELECT c.source_id, sum(l.points_left)::bigint, l.expires_at"
		"  FROM ordertrack.point_lots AS l JOIN ordertrack.customers AS c"
		"    ON c.workspace_id = $1 AND c.customer_id = l.customer_id"
		" WHERE l.workspace_id = $1 AND l.is_open AND l.expires_at < 'infinity'"
		"   AND l.expires_at > $2 AND l.expires_at <= $3"
		" GROUP BY l.expires_at, c.source_id ORDER BY l.expires_at, c.source_id"},

	/* ---- movements ---- */
	[OT_PLAN_POINT_MOVEMENT_INSERT] = {"iiiviciittttz",
		"INSERT INTO ordertrack.point_movements"
		"  (workspace_id, customer_id, movement_no, kind, points, balance, lot_id, redemption_id,"
		"   reason, created_by, actor, channel, created_at)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"},

	/* ---- idempotency ---- */
	[OT_PLAN_POINT_KEY_FIND] = {"it",
		"SELECT request_hash, lot_id FROM ordertrack.idempotency_keys"
		" WHERE workspace_id = $1 AND idempotency_key = $2"},
	[OT_PLAN_POINT_KEY_CLAIM] = {"ittyiz",
		"INSERT INTO ordertrack.idempotency_keys"
		"  (workspace_id, idempotency_key, function, request_hash, lot_id, created_at)"
		" VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (workspace_id, idempotency_key) DO NOTHING"},
};
/* clang-format on */

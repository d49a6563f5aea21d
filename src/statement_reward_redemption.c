/*
 * statement_reward_redemption.c
 *		The statements of redeeming rewards.  The rules of statement.c hold here
 *		too.
 */
#include "postgres.h"

#include "plan.h"

/* clang-format off */
#define FREE_CODES \
	"FROM ordertrack.reward_codes" \
	" WHERE workspace_id = $1 AND reward_id = $2 AND issued_at IS NULL"

#define VARIANT \
	"WHERE workspace_id = $1 AND reward_id = $2 AND color = coalesce($3, '')" \
	"   AND size = coalesce($4, '')"

const OtStatement ot_reward_redemption_statements[OT_PLAN_COUNT] = {
	/* ---- facts ---- */
	[OT_PLAN_REWARD_FACTS] = {"it",
		"SELECT reward_id, type, cost_in_points, tax_value, point_value, data_source, is_active,"
		"  starts_at, expires_at, visible_from, visible_until, redemption_limit, redeemed_count,"
		"  customer_limit, is_stocked, segment_count, days_inactive, days_valid, code_source,"
		"  shared_code"
		"  FROM ordertrack.rewards WHERE workspace_id = $1 AND name = $2"},
	[OT_PLAN_REWARD_CUSTOMER] = {"it",
		"SELECT c.customer_id, c.may_spend_points, c.address, a.balance, a.movement_count,"
		"  a.moved_at"
		"  FROM ordertrack.customers AS c LEFT JOIN ordertrack.point_accounts AS a"
		"    ON a.workspace_id = $1 AND a.customer_id = c.customer_id"
		" WHERE c.workspace_id = $1 AND c.source_id = $2"},
	/* Each segment's condition, and whether it is a list that holds the customer. */
	[OT_PLAN_REWARD_SEGMENTS] = {"iii",
		"SELECT s.condition, EXISTS (SELECT FROM ordertrack.segment_members AS m"
		"   WHERE m.workspace_id = $1 AND m.segment_id = s.segment_id AND m.customer_id = $3)"
		"  FROM ordertrack.reward_segments AS a JOIN ordertrack.segments AS s"
		"    ON s.workspace_id = $1 AND s.segment_id = a.segment_id"
		" WHERE a.workspace_id = $1 AND a.reward_id = $2"},
	[OT_PLAN_REWARD_CUSTOMER_USED] = {"iii",
		"SELECT used FROM ordertrack.reward_customers"
		" WHERE workspace_id = $1 AND reward_id = $2 AND customer_id = $3"},
	[OT_PLAN_REWARD_STOCK] = {"iitt",
		"SELECT stock FROM ordertrack.reward_variants " VARIANT},
	[OT_PLAN_REWARD_FREE_CODES] = {"iii",
		"SELECT count(*) FROM (SELECT " FREE_CODES " LIMIT $3) AS f"},
	[OT_PLAN_REWARD_ORDER] = {"iii",
		"SELECT o.customer_id, o.status, o.status_before_hold,"
		"  round(o.total_amount * r.percent_off / 100)::bigint"
		"  FROM ordertrack.orders AS o JOIN ordertrack.rewards AS r"
		"    ON r.workspace_id = $1 AND r.reward_id = $3"
		" WHERE o.workspace_id = $1 AND o.order_id = $2"},
	[OT_PLAN_REWARD_REPLAY] = {"ii",
		"SELECT result, failure_code, failure_message, order_id, points, points_missing"
		"  FROM ordertrack.redemptions WHERE workspace_id = $1 AND redemption_id = $2"},
	[OT_PLAN_REWARD_ISSUED] = {"ii",
		"SELECT issued_reward_id, code, active_points FROM ordertrack.issued_rewards"
		" WHERE workspace_id = $1 AND redemption_id = $2 ORDER BY issued_reward_id"},

	/* ---- what is written ---- */
	[OT_PLAN_ISSUED_REWARD_INSERT] = {"iiiiiiwtttccmmzznttz",
		"INSERT INTO ordertrack.issued_rewards"
		"  (workspace_id, issued_reward_id, redemption_id, reward_id, customer_id, order_id,"
		"   reward_type, code, color, size, cost_in_points, active_points, tax_value, value,"
		"   active_from, expires_at, cashback_code, cashback_detail_code, cashback_message, created_at)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,"
		"  $19, $20)"},
	/* Counters: no row, or too few, means that a race was lost. */
	[OT_PLAN_REWARD_CODES_TAKE] = {"iiiz",
		"UPDATE ordertrack.reward_codes SET issued_at = $4"
		" WHERE workspace_id = $1 AND reward_id = $2 AND issued_at IS NULL AND code_no = ANY (ARRAY("
		"  SELECT code_no " FREE_CODES " ORDER BY code_no LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED))"
		" RETURNING code"},
	[OT_PLAN_REWARD_CODE_HELD] = {"ii",
		"SELECT code_no " FREE_CODES " ORDER BY code_no LIMIT 1"},
	[OT_PLAN_REWARD_CODE_WAIT] = {"iii",
		"SELECT " FREE_CODES " AND code_no = $3 FOR NO KEY UPDATE"},
	[OT_PLAN_REWARD_SHARE] = {"ii",
		"SELECT FROM ordertrack.rewards WHERE workspace_id = $1 AND reward_id = $2 FOR SHARE"},
	[OT_PLAN_REWARD_SPEND] = {"iii",
		"UPDATE ordertrack.rewards SET redeemed_count = redeemed_count + $3"
		" WHERE workspace_id = $1 AND reward_id = $2 AND redeemed_count <= redemption_limit - $3"},
	[OT_PLAN_REWARD_CUSTOMER_SPEND] = {"iiiiiz",
		"INSERT INTO ordertrack.reward_customers AS u"
		"  (workspace_id, reward_id, customer_id, used, created_at) VALUES ($1, $2, $3, $4, $6)"
		" ON CONFLICT (workspace_id, reward_id, customer_id)"
		"  DO UPDATE SET used = u.used + $4 WHERE u.used <= $5 - $4"},
	[OT_PLAN_REWARD_STOCK_TAKE] = {"iittiz",
		"UPDATE ordertrack.reward_variants SET stock = stock - $5, updated_at = $6 " VARIANT
		"   AND stock >= $5"},

	/* ---- rollbacks ---- */
	[OT_PLAN_REWARD_UNITS] = {"ii",
		"SELECT code, color, size, used_at IS NOT NULL AND delivery_status <> 'canceled'"
		"   OR coalesce(cashback_code IN (1, 3), false)"
		"  FROM ordertrack.issued_rewards WHERE workspace_id = $1 AND redemption_id = $2"
		" ORDER BY issued_reward_id FOR NO KEY UPDATE"},
	[OT_PLAN_REWARD_GIVE_BACK] = {"iii",
		"UPDATE ordertrack.rewards SET redeemed_count = redeemed_count - $3"
		" WHERE workspace_id = $1 AND reward_id = $2 AND redemption_limit IS NOT NULL"},
	/* A limit that was cleared leaves its counters, which nobody counts with. */
	[OT_PLAN_REWARD_CUSTOMER_GIVE_BACK] = {"iiii",
		"UPDATE ordertrack.reward_customers SET used = used - $4"
		" WHERE workspace_id = $1 AND reward_id = $2 AND customer_id = $3"
		"   AND EXISTS (SELECT FROM ordertrack.rewards"
		"    WHERE workspace_id = $1 AND reward_id = $2 AND customer_limit IS NOT NULL)"},
	[OT_PLAN_REWARD_STOCK_GIVE_BACK] = {"iittiz",
		"UPDATE ordertrack.reward_variants SET stock = stock + $5, updated_at = $6 " VARIANT},
	[OT_PLAN_REWARD_CODES_GIVE_BACK] = {"iiT",
		"UPDATE ordertrack.reward_codes SET issued_at = NULL"
		" WHERE workspace_id = $1 AND reward_id = $2 AND code = ANY ($3)"},
};
/* clang-format on */

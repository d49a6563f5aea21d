/*
 * statement_reward.c
 *		The statements of the catalog of rewards.  The rules of statement.c hold here too.
 */
#include "postgres.h"

#include "plan.h"

/* clang-format off */
/* In the order of OtRewardField. */
#define VALUES \
	"cost_in_points, tax_value, starts_at, expires_at, visible_from, visible_until," \
	"  redemption_limit, customer_limit, days_inactive, days_valid"

#define STORED_REWARD \
	"SELECT reward_id, type::text, code_source::text, is_stocked, point_value, redeemed_count," \
	"  cost_in_points, tax_value, starts_at, expires_at, visible_from, visible_until," \
	"  redemption_limit, customer_limit, days_inactive::bigint, days_valid::bigint" \
	"  FROM ordertrack.rewards"

const OtStatement ot_reward_statements[OT_PLAN_COUNT] = {
	[OT_PLAN_REWARD_INSERT] = {"ittiizzzziiiiNitbittbjz",
		"INSERT INTO ordertrack.rewards (workspace_id, name, type, " VALUES ","
		"  percent_off, point_value, data_source, is_stocked, segment_count, code_source,"
		"  shared_code, is_active, metadata, redeemed_count, created_at, updated_at)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12::integer, $13::integer,"
		"  $14, $15, $16, $17, $18::integer, $19, $20, $21, $22, $10 - $10, $23, $23)"
		" ON CONFLICT (workspace_id, name) DO NOTHING RETURNING reward_id"},
	/* How many there are, and one that there is not. */
	[OT_PLAN_REWARD_FIND_SEGMENTS] = {"iT",
		"SELECT count(DISTINCT s.segment_id),"
		"  min(g.name) FILTER (WHERE s.segment_id IS NULL)"
		"  FROM unnest($2) AS g (name) LEFT JOIN ordertrack.segments AS s"
		"    ON s.workspace_id = $1 AND s.name = g.name"},
	[OT_PLAN_REWARD_SEGMENTS_INSERT] = {"iiTz",
		"INSERT INTO ordertrack.reward_segments (workspace_id, reward_id, segment_id, created_at)"
		" SELECT $1, $2, segment_id, $4 FROM ordertrack.segments"
		"  WHERE workspace_id = $1 AND name = ANY ($3)"},

	[OT_PLAN_REWARD_FIND] = {"it",
		STORED_REWARD " WHERE workspace_id = $1 AND name = $2"},
	[OT_PLAN_REWARD_LOCK] = {"ii",
		STORED_REWARD " WHERE workspace_id = $1 AND reward_id = $2 FOR NO KEY UPDATE"},
	[OT_PLAN_REWARD_UPDATE] = {"iiiizzzziiiijbiz",
		"UPDATE ordertrack.rewards SET cost_in_points = $3, tax_value = $4, starts_at = $5,"
		"  expires_at = $6, visible_from = $7, visible_until = $8, redemption_limit = $9,"
		"  customer_limit = $10, days_inactive = $11::integer, days_valid = $12::integer,"
		"  metadata = nullif(coalesce($13, metadata), 'null'),"
		"  is_active = coalesce($14, is_active), redeemed_count = $15, updated_at = $16"
		" WHERE workspace_id = $1 AND reward_id = $2"},
	/* A unit counts from when it is issued until its redemption is rolled back. */
	[OT_PLAN_REWARD_COUNT] = {"ii",
		"SELECT count(*) FROM ordertrack.issued_rewards"
		" WHERE workspace_id = $1 AND reward_id = $2 AND canceled_at IS NULL"},
	[OT_PLAN_REWARD_FORGET_CUSTOMERS] = {"ii",
		"DELETE FROM ordertrack.reward_customers WHERE workspace_id = $1 AND reward_id = $2"},
	[OT_PLAN_REWARD_COUNT_CUSTOMERS] = {"ii",
		"INSERT INTO ordertrack.reward_customers (workspace_id, reward_id, customer_id, used)"
		" SELECT $1, $2, customer_id, count(*) FROM ordertrack.issued_rewards"
		"  WHERE workspace_id = $1 AND reward_id = $2 AND canceled_at IS NULL"
		"  GROUP BY customer_id"},

	/* ---- stock ---- */
	[OT_PLAN_REWARD_VARIANT_INSERT] = {"iittiz",
		"INSERT INTO ordertrack.reward_variants"
		"  (workspace_id, reward_id, color, size, stock, created_at, updated_at)"
		" VALUES ($1, $2, $3, $4, $5, $6, $6)"},
	[OT_PLAN_REWARD_VARIANT_LOCK] = {"iitt",
		"SELECT stock FROM ordertrack.reward_variants"
		" WHERE workspace_id = $1 AND reward_id = $2 AND color = $3 AND size = $4"
		" FOR NO KEY UPDATE"},
	[OT_PLAN_REWARD_VARIANT_UPDATE] = {"iittiz",
		"UPDATE ordertrack.reward_variants SET stock = $5, updated_at = $6"
		" WHERE workspace_id = $1 AND reward_id = $2 AND color = $3 AND size = $4"},
	[OT_PLAN_REWARD_VARIANT_COUNT] = {"ii",
		"SELECT count(*) FROM ordertrack.reward_variants WHERE workspace_id = $1 AND reward_id = $2"},
	[OT_PLAN_REWARD_VARIANT_ADD] = {"iittiz",
		"INSERT INTO ordertrack.reward_variants"
		"  (workspace_id, reward_id, color, size, stock, created_at, updated_at)"
		" VALUES ($1, $2, $3, $4, $5, $6, $6)"
		" ON CONFLICT (workspace_id, reward_id, color, size) DO NOTHING"},

	/* ---- codes ---- */
	/*
	 * Numbered in the order in which they were given, which is that in which they
	 * are issued, but inserted by code: two calls with the same codes then wait for
	 * each other and never deadlock. Codes that are there are left out beforehand,
	 * because ON CONFLICT would wait for who is just buying one; each is looked up by
	 * its key, which NOT EXISTS would not be by a plan that was made while the pool was
	 * empty.
	 */
	[OT_PLAN_REWARD_CODES_INSERT] = {"iiTz",
		"INSERT INTO ordertrack.reward_codes (workspace_id, reward_id, code, code_no, created_at)"
		" SELECT $1, $2, n.code, n.code_no, $4 FROM ("
		"   SELECT g.code, nextval('ordertrack.reward_codes_code_no_seq') AS code_no FROM ("
		"     SELECT u.code, min(u.no) AS no FROM unnest($3) WITH ORDINALITY AS u (code, no)"
		"      WHERE (SELECT c.code_no FROM ordertrack.reward_codes AS c"
		"        WHERE c.workspace_id = $1 AND c.reward_id = $2 AND c.code = u.code) IS NULL"
		"      GROUP BY u.code ORDER BY no) AS g) AS n"
		"  ORDER BY n.code COLLATE \"C\""
		" ON CONFLICT (workspace_id, reward_id, code) DO NOTHING"},
};
/* clang-format on */

/*
 * statement_rule.c
 *		The statements of rules and segments.  The rules of statement.c hold here
 *		too.
 */
#include "postgres.h"

#include "plan.h"

/* clang-format off */

/* Columns that rule_customer.c takes. */
#define CUSTOMER "customer_id, order_total, order_count, last_order_at, metadata"

/* Calendar days of the workspace's time zone. */
#define DAYS(time_zone, since, until) \
	"((" until " AT TIME ZONE " time_zone ")::date - (" since " AT TIME ZONE " time_zone ")::date)::bigint"

/*
 * OFFSET 0 has each rule, and each list, found by its key: a plan that was made
 * while there were few could merge, and read all that came since.
 */
#define RULE_BY_KEY \
	"SELECT rule_id, name, applies_to, condition, message FROM ordertrack.rules" \
	"   WHERE workspace_id = $1 AND rule_id = a.rule_id OFFSET 0"

#define LIST_BY_KEY \
	"SELECT name FROM ordertrack.segments" \
	"   WHERE workspace_id = $1 AND segment_id = m.segment_id OFFSET 0"

const OtStatement ot_rule_statements[OT_PLAN_COUNT] = {
	/* ---- rules ---- */
	[OT_PLAN_RULE_INSERT] = {"ittptz",
		"INSERT INTO ordertrack.rules"
		"  (workspace_id, name, applies_to, condition, message, created_at)"
		" VALUES ($1, $2, $3, $4, $5, $6)"
		" ON CONFLICT (workspace_id, name) DO NOTHING RETURNING rule_id"},
	[OT_PLAN_RULE_FIND] = {"it",
		"SELECT rule_id FROM ordertrack.rules WHERE workspace_id = $1 AND name = $2"},
	[OT_PLAN_VOUCHER_RULE_INSERT] = {"iiiz",
		"INSERT INTO ordertrack.voucher_rules (workspace_id, voucher_id, rule_id, created_at)"
		" VALUES ($1, $2, $3, $4) ON CONFLICT (workspace_id, voucher_id, rule_id) DO NOTHING"},
	[OT_PLAN_VOUCHER_RULE_DELETE] = {"iii",
		"DELETE FROM ordertrack.voucher_rules"
		" WHERE workspace_id = $1 AND voucher_id = $2 AND rule_id = $3"},
	[OT_PLAN_VOUCHER_RULE_COUNT] = {"iiiz",
		"UPDATE ordertrack.vouchers SET rule_count = rule_count + $3, updated_at = $4"
		" WHERE workspace_id = $1 AND voucher_id = $2"},
	[OT_PLAN_CAMPAIGN_RULE_INSERT] = {"iiiz",
		"INSERT INTO ordertrack.campaign_rules (workspace_id, campaign_id, rule_id, created_at)"
		" VALUES ($1, $2, $3, $4) ON CONFLICT (workspace_id, campaign_id, rule_id) DO NOTHING"},
	[OT_PLAN_CAMPAIGN_RULE_DELETE] = {"iii",
		"DELETE FROM ordertrack.campaign_rules"
		" WHERE workspace_id = $1 AND campaign_id = $2 AND rule_id = $3"},
	[OT_PLAN_CAMPAIGN_RULE_COUNT] = {"iiiz",
		"UPDATE ordertrack.campaigns SET rule_count = rule_count + $3, updated_at = $4"
		" WHERE workspace_id = $1 AND campaign_id = $2"},
	[OT_PLAN_VOUCHER_RULES] = {"ii",
		"SELECT r.rule_id, r.name, r.applies_to, r.condition, r.message"
		"  FROM ordertrack.voucher_rules AS a CROSS JOIN LATERAL (" RULE_BY_KEY ") AS r"
		" WHERE a.workspace_id = $1 AND a.voucher_id = $2"},
	[OT_PLAN_CAMPAIGN_RULES] = {"ii",
		"SELECT r.rule_id, r.name, r.applies_to, r.condition, r.message"
		"  FROM ordertrack.campaign_rules AS a CROSS JOIN LATERAL (" RULE_BY_KEY ") AS r"
		" WHERE a.workspace_id = $1 AND a.campaign_id = $2"},

	/* ---- the document, where it is not in the request ---- */
	[OT_PLAN_RULE_CUSTOMER] = {"it",
		"SELECT " CUSTOMER " FROM ordertrack.customers WHERE workspace_id = $1 AND source_id = $2"},
	[OT_PLAN_RULE_DAYS] = {"izz",
		"SELECT " DAYS("time_zone", "$2", "$3") " FROM ordertrack.workspaces WHERE workspace_id = $1"},
	/* Most customers are in no list: to join the lists costs twice as much. */
	[OT_PLAN_RULE_MEMBERS] = {"ii",
		"SELECT segment_id FROM ordertrack.segment_members"
		" WHERE workspace_id = $1 AND customer_id = $2"},
	[OT_PLAN_RULE_LISTS] = {"iI",
		"SELECT s.name FROM unnest($2) AS m (segment_id) CROSS JOIN LATERAL (" LIST_BY_KEY ") AS s"},
	[OT_PLAN_RULE_CONDITIONS] = {"i",
		"SELECT name, condition FROM ordertrack.segments"
		" WHERE workspace_id = $1 AND condition IS NOT NULL"},
	[OT_PLAN_RULE_ORDER] = {"ii",
		"SELECT source_id, initial_amount, metadata"
		"  FROM ordertrack.orders WHERE workspace_id = $1 AND order_id = $2"},
	[OT_PLAN_RULE_LINES] = {"ii",
		"SELECT sku, product_id, quantity, price, amount, metadata"
		"  FROM ordertrack.order_items WHERE workspace_id = $1 AND order_id = $2 ORDER BY line_no"},
	[OT_PLAN_RULE_CAMPAIGN] = {"ii",
		"SELECT name, metadata"
		"  FROM ordertrack.campaigns WHERE workspace_id = $1 AND campaign_id = $2"},

	/* ---- segments ---- */
	[OT_PLAN_SEGMENT_LOCK_WORKSPACE] = {"i",
		"SELECT FROM ordertrack.workspaces WHERE workspace_id = $1 FOR NO KEY UPDATE"},
	[OT_PLAN_SEGMENT_COUNT] = {"i",
		"SELECT count(*) FROM ordertrack.segments"
		" WHERE workspace_id = $1 AND condition IS NOT NULL"},
	[OT_PLAN_SEGMENT_INSERT] = {"itpz",
		"INSERT INTO ordertrack.segments (workspace_id, name, condition, created_at)"
		" VALUES ($1, $2, $3, $4)"
		" ON CONFLICT (workspace_id, name) DO NOTHING RETURNING segment_id"},
	[OT_PLAN_SEGMENT_FIND] = {"it",
		"SELECT segment_id, condition FROM ordertrack.segments"
		" WHERE workspace_id = $1 AND name = $2"},
	[OT_PLAN_SEGMENT_UNKNOWN_MEMBERS] = {"iT",
		"SELECT g.source_id FROM unnest($2) AS g (source_id) WHERE NOT EXISTS ("
		"   SELECT FROM ordertrack.customers AS c"
		"    WHERE c.workspace_id = $1 AND c.source_id = g.source_id) LIMIT 1"},
	[OT_PLAN_SEGMENT_MEMBERS_INSERT] = {"iiTz",
		"INSERT INTO ordertrack.segment_members (workspace_id, customer_id, segment_id, created_at)"
		" SELECT $1, customer_id, $2, $4 FROM ordertrack.customers"
		"  WHERE workspace_id = $1 AND source_id = ANY ($3)"},
	[OT_PLAN_SEGMENT_MEMBERS] = {"ii",
		"SELECT c.source_id FROM ordertrack.segment_members AS m JOIN ordertrack.customers AS c"
		"   ON c.workspace_id = $1 AND c.customer_id = m.customer_id"
		" WHERE m.workspace_id = $1 AND m.segment_id = $2 ORDER BY c.source_id"},
	[OT_PLAN_SEGMENT_CUSTOMERS] = {"izb",
		"SELECT " CUSTOMER ", source_id, CASE WHEN $3 AND isfinite(last_order_at)"
		"   THEN " DAYS("w.time_zone", "last_order_at", "$2") " END"
		"  FROM ordertrack.customers CROSS JOIN (SELECT time_zone FROM ordertrack.workspaces"
		"   WHERE workspace_id = $1) AS w WHERE workspace_id = $1 ORDER BY source_id"},
};
/* clang-format on */

/*
 * statement_admin.c
 *		The statements of administration: workspaces, customers, campaigns,
 *		vouchers, access and export.  The rules of statement.c hold here too.
 */
#include "postgres.h"

#include "plan.h"

/* clang-format off */
/* Dates and limits that vouchers and campaigns have alike. */
#define LIMITS \
	"starts_at, expires_at, redemption_limit, customer_limit, per_day, per_week, per_month," \
	"  customer_per_day, customer_per_week, customer_per_month"

#define SET_LIMITS \
	"starts_at = $3, expires_at = $4, redemption_limit = $5, customer_limit = $6," \
	"  per_day = $7, per_week = $8, per_month = $9, customer_per_day = $10," \
	"  customer_per_week = $11, customer_per_month = $12"

#define STORED_CAMPAIGN \
	"SELECT campaign_id, " LIMITS ", discount_budget, order_budget, redeemed_count," \
	"  is_striped, discount_spent, order_spent FROM ordertrack.campaigns"

#define STORED_VOUCHER \
	"SELECT voucher_id, " LIMITS ", redeemed_count, is_striped FROM ordertrack.vouchers"

const OtStatement ot_admin_statements[OT_PLAN_COUNT] = {
	/* ---- workspaces ---- */
	[OT_PLAN_WORKSPACE_INSERT] = {"tt",
		"INSERT INTO ordertrack.workspaces (name, time_zone) VALUES ($1, $2)"
		" ON CONFLICT (name) DO NOTHING RETURNING workspace_id"},
	[OT_PLAN_WORKSPACE_TRANSITIONS] = {"i",
		"INSERT INTO ordertrack.status_transitions"
		"  (workspace_id, entity, from_status, to_status, event_type)"
		" SELECT $1, t.entity, t.from_status, t.to_status, t.event_type"
		"  FROM ordertrack.default_transitions() AS t"},
	[OT_PLAN_WORKSPACE_EXISTS] = {"i",
		"SELECT FROM ordertrack.workspaces WHERE workspace_id = $1"},

	/* ---- customers ---- */
	[OT_PLAN_CUSTOMER_PUT] = {"itttttjjbz",
		"INSERT INTO ordertrack.customers AS c"
		"  (workspace_id, source_id, email, phone, first_name, last_name, address, metadata,"
		"   may_spend_points, created_at, updated_at)"
		" VALUES ($1, $2, nullif($3, ''), nullif($4, ''), nullif($5, ''), nullif($6, ''),"
		"  nullif($7, '{}'), nullif($8, '{}'), coalesce($9, true), $10, $10)"
		" ON CONFLICT (workspace_id, source_id) DO UPDATE SET"
		"  email = nullif(coalesce($3, c.email), ''), phone = nullif(coalesce($4, c.phone), ''),"
		"  first_name = nullif(coalesce($5, c.first_name), ''),"
		"  last_name = nullif(coalesce($6, c.last_name), ''),"
		"  address = nullif(coalesce($7, c.address), '{}'),"
		"  metadata = nullif(coalesce($8, c.metadata), '{}'),"
		"  may_spend_points = coalesce($9, c.may_spend_points), updated_at = EXCLUDED.updated_at"
		" RETURNING customer_id"},
	[OT_PLAN_CUSTOMER_ADD] = {"itz",
		"INSERT INTO ordertrack.customers (workspace_id, source_id, created_at, updated_at)"
		" VALUES ($1, $2, $3, $3)"
		" ON CONFLICT (workspace_id, source_id) DO NOTHING RETURNING customer_id"},
	[OT_PLAN_CUSTOMER_LOCK] = {"ii",
		"SELECT FROM ordertrack.customers"
		" WHERE workspace_id = $1 AND customer_id = $2 FOR NO KEY UPDATE"},
	[OT_PLAN_CUSTOMERS_LOCK] = {"iii",
		"SELECT FROM ordertrack.customers"
		" WHERE workspace_id = $1 AND customer_id IN ($2, $3)"
		" ORDER BY customer_id FOR NO KEY UPDATE"},
	[OT_PLAN_CUSTOMER_SUMS] = {"iiiiz",
		"UPDATE ordertrack.customers SET order_count = order_count + $3,"
		"  order_total = order_total + $4, last_order_at = greatest(last_order_at, $5)"
		" WHERE workspace_id = $1 AND customer_id = $2"},
	/* When the newest order stops counting, the one before has to be found. */
	[OT_PLAN_CUSTOMERS_SUMS] = {"iIIIZ",
		"UPDATE ordertrack.customers AS c SET order_count = c.order_count + s.count,"
		"  order_total = c.order_total + s.total,"
		"  last_order_at = greatest(c.last_order_at, s.last_order_at)"
		"  FROM unnest($2, $3, $4, $5) AS s (customer_id, count, total, last_order_at)"
		" WHERE c.workspace_id = $1 AND c.customer_id = s.customer_id"},
	[OT_PLAN_CUSTOMER_RECOUNT] = {"iiii",
		"UPDATE ordertrack.customers SET order_count = order_count + $3,"
		"  order_total = order_total + $4, last_order_at ="
		"   (SELECT max(o.created_at) FROM ordertrack.orders AS o"
		"     WHERE o.workspace_id = $1 AND o.customer_id = $2"
		"       AND coalesce(o.status_before_hold, o.status) IN"
		"        ('paid', 'fulfilled', 'in_progress', 'partially_shipped', 'completed'))"
		" WHERE workspace_id = $1 AND customer_id = $2"},

	/* ---- campaigns ---- */
	[OT_PLAN_CAMPAIGN_INSERT] = {"itzziiiiiiiiiijbjz",
		"INSERT INTO ordertrack.campaigns (workspace_id, name, " LIMITS ","
		"  discount_budget, order_budget, validity_hours, is_active, metadata,"
		"  redeemed_count, discount_spent, order_spent, created_at, updated_at)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,"
		"  $5 - $5, $13 - $13, $14 - $14, $18, $18)"
		" ON CONFLICT (workspace_id, name) DO NOTHING RETURNING campaign_id"},
	[OT_PLAN_CAMPAIGN_FIND] = {"it",
		STORED_CAMPAIGN " WHERE workspace_id = $1 AND name = $2"},
	[OT_PLAN_CAMPAIGN_LOCK] = {"ii",
		STORED_CAMPAIGN " WHERE workspace_id = $1 AND campaign_id = $2 FOR NO KEY UPDATE"},
	[OT_PLAN_CAMPAIGN_UPDATE] = {"iizziiiiiiiiiijbjibzii",
		"UPDATE ordertrack.campaigns SET " SET_LIMITS ","
		"  discount_budget = $13, order_budget = $14,"
		"  validity_hours = nullif(coalesce($15, validity_hours), 'null'),"
		"  is_active = coalesce($16, is_active),"
		"  metadata = nullif(coalesce($17, metadata), 'null'), redeemed_count = $18,"
		"  is_striped = $19, updated_at = $20, discount_spent = $21, order_spent = $22"
		" WHERE workspace_id = $1 AND campaign_id = $2"},
	/*
	 * A use counts from its redemption until the rollback that completes it, and
	 * a reservation while it holds one.
	 */
	[OT_PLAN_CAMPAIGN_COUNT] = {"ii",
		"SELECT coalesce(sum(CASE WHEN kind = 'redemption' THEN 1 WHEN is_complete THEN -1"
		"  ELSE 0 END), 0)::bigint + (SELECT count(*) FROM ordertrack.reservations AS h"
		"   WHERE h.workspace_id = $1 AND h.campaign_id = $2 AND h.holds_campaign)"
		"  FROM ordertrack.redemptions"
		" WHERE workspace_id = $1 AND campaign_id = $2 AND result = 'success'"},
	[OT_PLAN_CAMPAIGN_FORGET_CUSTOMERS] = {"ii",
		"DELETE FROM ordertrack.campaign_customers WHERE workspace_id = $1 AND campaign_id = $2"},
	[OT_PLAN_CAMPAIGN_COUNT_CUSTOMERS] = {"ii",
		"INSERT INTO ordertrack.campaign_customers (workspace_id, campaign_id, customer_id, used)"
		" SELECT $1, $2, u.customer_id, sum(u.used) FROM ("
		"   SELECT customer_id, CASE WHEN kind = 'redemption' THEN 1 WHEN is_complete THEN -1"
		"      ELSE 0 END AS used FROM ordertrack.redemptions"
		"    WHERE workspace_id = $1 AND campaign_id = $2 AND result = 'success'"
		"   UNION ALL SELECT customer_id, 1 FROM ordertrack.reservations"
		"    WHERE workspace_id = $1 AND campaign_id = $2 AND holds_campaign) AS u"
		" WHERE u.customer_id IS NOT NULL GROUP BY u.customer_id"},

	/* ---- vouchers ---- */
	[OT_PLAN_VOUCHER_INSERT] = {"ittjiizziiiiiiiijbjz",
		"INSERT INTO ordertrack.vouchers"
		"  (workspace_id, code, kind, discount, gift_amount, gift_balance, campaign_id, " LIMITS ","
		"   validity_hours, is_active, metadata, redeemed_count, created_at, updated_at)"
		" VALUES ($1, $2, $3, $4, $5, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,"
		"  $18, $19, $9 - $9, $20, $20)"
		" ON CONFLICT (workspace_id, code) DO NOTHING RETURNING voucher_id"},
	[OT_PLAN_VOUCHER_FIND] = {"it",
		STORED_VOUCHER " WHERE workspace_id = $1 AND code = $2"},
	[OT_PLAN_VOUCHER_LOCK] = {"ii",
		STORED_VOUCHER " WHERE workspace_id = $1 AND voucher_id = $2 FOR NO KEY UPDATE"},
	[OT_PLAN_VOUCHER_UPDATE] = {"iizziiiiiiiijbjibz",
		"UPDATE ordertrack.vouchers SET " SET_LIMITS ","
		"  validity_hours = nullif(coalesce($13, validity_hours), 'null'),"
		"  is_active = coalesce($14, is_active),"
		"  metadata = nullif(coalesce($15, metadata), 'null'), redeemed_count = $16,"
		"  is_striped = $17, updated_at = $18"
		" WHERE workspace_id = $1 AND voucher_id = $2"},
	[OT_PLAN_VOUCHER_COUNT] = {"ii",
		"SELECT coalesce(sum(CASE WHEN kind = 'redemption' THEN 1 WHEN is_complete THEN -1"
		"  ELSE 0 END), 0)::bigint + (SELECT count(*) FROM ordertrack.reservations AS h"
		"   WHERE h.workspace_id = $1 AND h.voucher_id = $2 AND h.holds_voucher)"
		"  FROM ordertrack.redemptions"
		" WHERE workspace_id = $1 AND voucher_id = $2 AND result = 'success' AND code ="
		"  (SELECT code FROM ordertrack.vouchers WHERE workspace_id = $1 AND voucher_id = $2)"},
	[OT_PLAN_VOUCHER_FORGET_CUSTOMERS] = {"ii",
		"DELETE FROM ordertrack.voucher_customers WHERE workspace_id = $1 AND voucher_id = $2"},
	[OT_PLAN_VOUCHER_COUNT_CUSTOMERS] = {"ii",
		"INSERT INTO ordertrack.voucher_customers (workspace_id, voucher_id, customer_id, used)"
		" SELECT $1, $2, u.customer_id, sum(u.used) FROM ("
		"   SELECT customer_id, CASE WHEN kind = 'redemption' THEN 1 WHEN is_complete THEN -1"
		"      ELSE 0 END AS used FROM ordertrack.redemptions"
		"    WHERE workspace_id = $1 AND voucher_id = $2 AND result = 'success' AND code ="
		"     (SELECT code FROM ordertrack.vouchers WHERE workspace_id = $1 AND voucher_id = $2)"
		"   UNION ALL SELECT customer_id, 1 FROM ordertrack.reservations"
		"    WHERE workspace_id = $1 AND voucher_id = $2 AND holds_voucher) AS u"
		" WHERE u.customer_id IS NOT NULL GROUP BY u.customer_id"},

	/* ---- access and export ---- */
	[OT_PLAN_ACCESS_INSERT] = {"ttt",
		"INSERT INTO ordertrack.access_grants (kind, role_name, granted_by)"
		" VALUES ($1, $2, $3) ON CONFLICT (kind, role_name) DO NOTHING"},
	[OT_PLAN_ACCESS_DELETE] = {"tt",
		"DELETE FROM ordertrack.access_grants WHERE kind = $1 AND role_name = $2"},
	[OT_PLAN_ACCESS_APPLY] = {"t",
		"SELECT ordertrack.apply_access($1)"},
	[OT_PLAN_IS_ADMIN] = {"t",
		"SELECT FROM ordertrack.access_grants AS g JOIN pg_catalog.pg_roles AS r"
		"   ON r.rolname = g.role_name"
		" WHERE g.kind = 'admin' AND pg_has_role($1, r.oid, 'USAGE')"},
	[OT_PLAN_EXPORT_COLUMNS] = {"t",
		"SELECT a.attname::text, coalesce(nullif(t.typbasetype, 0), t.oid) = 'jsonb'::regtype,"
		"  coalesce(nullif(t.typbasetype, 0), t.oid) = 'text'::regtype"
		"  FROM pg_catalog.pg_attribute AS a JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid"
		" WHERE a.attrelid = to_regclass('ordertrack.' || quote_ident('export_' || $1))"
		"   AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"},
	[OT_PLAN_EXPORT_VIEWS] = {"",
		"SELECT string_agg(substr(c.relname, 8), ', ' ORDER BY c.relname)"
		"  FROM pg_catalog.pg_class AS c"
		" WHERE c.relnamespace = 'ordertrack'::regnamespace AND c.relkind = 'v'"
		"   AND c.relname ^@ 'export_'"},
};
/* clang-format on */

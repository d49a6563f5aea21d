/*
 * statement_limit.c
 *		The statements of the counters behind limits: uses in calendar periods,
 *		and stripes.  The rules of statement.c hold here too.
 */
#include "postgres.h"

#include "plan.h"

/* clang-format off */
/*
 * The first stripe from $4 on that nobody else is using.  To pass over those
 * that are locked is what stripes are for.
 */
#define FREE_STRIPE(condition) \
	"(SELECT s.stripe_no FROM ordertrack.limit_stripes AS s" \
	"   WHERE s.workspace_id = $1 AND s.entity = $2 AND s.entity_id = $3 AND s.stripe_no >= $4" \
	condition " ORDER BY s.stripe_no LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED)"

#define ONE_STRIPE \
	" WHERE workspace_id = $1 AND entity = $2 AND entity_id = $3 AND stripe_no = "

/*
 * A redemption counts in the period in which it was made, unless it was rolled
 * back, and a reservation while it holds its use.  $7 only lets an index find the rows; the local date decides.
 */
#define COUNT_PERIOD(entity, is_of_it) \
	"INSERT INTO ordertrack.period_counts" \
	"  (workspace_id, entity, entity_id, period, starts_on, customer_id, used, created_at)" \
	" SELECT $1, '" entity "', $2, $3, $4, CASE WHEN $5 THEN u.customer_id ELSE 0 END, count(*), $6" \
	"  FROM (SELECT r.customer_id, r.created_at FROM ordertrack.redemptions AS r" \
	"     WHERE r.workspace_id = $1 AND " is_of_it " AND r.kind = 'redemption'" \
	"       AND r.result = 'success' AND r.created_at >= $7" \
	"       AND NOT EXISTS (SELECT FROM ordertrack.redemptions AS b WHERE b.workspace_id = $1" \
	"        AND b.rollback_of = r.redemption_id AND b.rollback_no IS NOT NULL AND b.is_complete)" \
	"    UNION ALL SELECT h.customer_id, h.created_at FROM ordertrack.reservations AS h" \
	"     WHERE h.workspace_id = $1 AND h." entity "_id = $2 AND h.holds_" entity ") AS u" \
	"  JOIN ordertrack.workspaces AS w ON w.workspace_id = $1" \
	" WHERE date_trunc($3, u.created_at AT TIME ZONE w.time_zone)::date = $4" \
	"   AND (NOT $5 OR u.customer_id IS NOT NULL)" \
	" GROUP BY 6"

const OtStatement ot_limit_statements[OT_PLAN_COUNT] = {
	/* ---- calendar periods: days, weeks from Monday, months of the workspace's time zone ---- */
	[OT_PLAN_LOCAL_TIME] = {"iz",
		"SELECT l.now, date_trunc('day', l.now)::date, date_trunc('week', l.now)::date,"
		"  date_trunc('month', l.now)::date"
		"  FROM (SELECT $2 AT TIME ZONE w.time_zone AS now FROM ordertrack.workspaces AS w"
		"   WHERE w.workspace_id = $1) AS l"},
	[OT_PLAN_PERIOD_USES] = {"itiiddd",
		"SELECT period, customer_id, used FROM ordertrack.period_counts"
		" WHERE workspace_id = $1 AND entity = $2 AND entity_id = $3"
		"   AND period IN ('day', 'week', 'month') AND starts_on IN ($5, $6, $7)"
		"   AND starts_on = CASE period WHEN 'day' THEN $5 WHEN 'week' THEN $6 ELSE $7 END"
		"   AND customer_id IN (0, $4)"},
	[OT_PLAN_PERIOD_SPEND] = {"ititdiiz",
		"INSERT INTO ordertrack.period_counts AS p"
		"  (workspace_id, entity, entity_id, period, starts_on, customer_id, used, created_at)"
		" VALUES ($1, $2, $3, $4, $5, $6, 1, $8)"
		" ON CONFLICT (workspace_id, entity, entity_id, period, starts_on, customer_id)"
		"  DO UPDATE SET used = p.used + 1 WHERE p.used < $7"},
	/* Where the time zone has changed since, the day may be one that counts nothing. */
	[OT_PLAN_PERIOD_GIVE_BACK] = {"ititdi",
		"UPDATE ordertrack.period_counts SET used = used - 1"
		" WHERE workspace_id = $1 AND entity = $2 AND entity_id = $3 AND period = $4"
		"   AND starts_on = $5 AND customer_id = $6 AND used > 0"},
	[OT_PLAN_PERIOD_FORGET] = {"ititb",
		"DELETE FROM ordertrack.period_counts"
		" WHERE workspace_id = $1 AND entity = $2 AND entity_id = $3 AND period = $4"
		"   AND (customer_id <> 0) = $5"},
	[OT_PLAN_VOUCHER_COUNT_PERIOD] = {"iitdbzz",
		COUNT_PERIOD("voucher", "r.voucher_id = $2 AND r.code ="
			" (SELECT code FROM ordertrack.vouchers WHERE workspace_id = $1 AND voucher_id = $2)")},
	[OT_PLAN_CAMPAIGN_COUNT_PERIOD] = {"iitdbzz",
		COUNT_PERIOD("campaign", "r.campaign_id = $2")},

	/* ---- budgets ---- */
	[OT_PLAN_CAMPAIGN_COUNT_SPENT] = {"ii",
		"SELECT least(coalesce(sum(r.amount), 0) + h.amount, 9223372036854775807)::bigint,"
		"  least(coalesce(sum(r.discount_amount + r.total_amount) FILTER (WHERE r.kind = 'redemption'"
		"   AND NOT EXISTS (SELECT FROM ordertrack.redemptions AS b WHERE b.workspace_id = $1"
		"    AND b.rollback_of = r.redemption_id AND b.rollback_no IS NOT NULL AND b.is_complete)),"
		"   0) + h.order_amount, 9223372036854775807)::bigint"
		"  FROM (SELECT coalesce(sum(amount), 0) AS amount, coalesce(sum(order_amount), 0) AS order_amount"
		"    FROM ordertrack.reservations"
		"   WHERE workspace_id = $1 AND campaign_id = $2 AND holds_campaign) AS h"
		"  LEFT JOIN ordertrack.redemptions AS r"
		"    ON r.workspace_id = $1 AND r.campaign_id = $2 AND r.result = 'success'"
		" GROUP BY h.amount, h.order_amount"},

	/* ---- stripes ---- */
	[OT_PLAN_STRIPE_USES] = {"itin",
		"SELECT uses_left FROM ordertrack.limit_stripes"
		" WHERE workspace_id = $1 AND entity = $2 AND entity_id = $3 AND stripe_no >= $4"
		"   AND uses_left > 0 ORDER BY stripe_no LIMIT 1"},
	[OT_PLAN_STRIPE_SUM] = {"iti",
		"SELECT coalesce(sum(uses_left), 0)::bigint FROM ordertrack.limit_stripes"
		" WHERE workspace_id = $1 AND entity = $2 AND entity_id = $3"},
	[OT_PLAN_STRIPE_SPEND] = {"itin",
		"UPDATE ordertrack.limit_stripes SET uses_left = uses_left - 1"
		ONE_STRIPE FREE_STRIPE(" AND s.uses_left > 0") " AND uses_left > 0"},
	[OT_PLAN_STRIPE_WAIT] = {"iti",
		"SELECT FROM ordertrack.limit_stripes"
		ONE_STRIPE "(SELECT s.stripe_no FROM ordertrack.limit_stripes AS s"
		"   WHERE s.workspace_id = $1 AND s.entity = $2 AND s.entity_id = $3 AND s.uses_left > 0"
		"   ORDER BY s.stripe_no LIMIT 1) FOR NO KEY UPDATE"},
	[OT_PLAN_STRIPE_GIVE_BACK] = {"itin",
		"UPDATE ordertrack.limit_stripes SET uses_left = uses_left + 1"
		ONE_STRIPE FREE_STRIPE("")},
	[OT_PLAN_STRIPES_INSERT] = {"itini",
		"INSERT INTO ordertrack.limit_stripes (workspace_id, entity, entity_id, stripe_no, uses_left)"
		" SELECT $1, $2, $3, n, $5 / $4 + CASE WHEN n < $5 % $4 THEN 1 ELSE 0 END"
		"  FROM generate_series(0, $4 - 1) AS n"},
	[OT_PLAN_STRIPES_DELETE] = {"iti",
		"DELETE FROM ordertrack.limit_stripes"
		" WHERE workspace_id = $1 AND entity = $2 AND entity_id = $3 RETURNING uses_left"},
	[OT_PLAN_VOUCHER_SPLIT] = {"ii",
		"UPDATE ordertrack.vouchers SET redeemed_count = redemption_limit, is_striped = true"
		" WHERE workspace_id = $1 AND voucher_id = $2"},
	[OT_PLAN_CAMPAIGN_SPLIT] = {"ii",
		"UPDATE ordertrack.campaigns SET redeemed_count = redemption_limit, is_striped = true"
		" WHERE workspace_id = $1 AND campaign_id = $2"},
	[OT_PLAN_BATCH_LOCK_STRIPES] = {"itI",
		"SELECT FROM ordertrack.limit_stripes"
		" WHERE workspace_id = $1 AND entity = $2 AND entity_id = ANY ($3)"
		" ORDER BY entity_id, stripe_no FOR NO KEY UPDATE"},
};
/* clang-format on */

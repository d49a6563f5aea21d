/*
 * statement_reservation.c
 *		The statements of reservations.  The rules of statement.c hold here too.
 */
#include "postgres.h"

#include "plan.h"

/* clang-format off */
/*
 * Keys of those whose time is over, while the voucher or campaign counts them; a
 * batch ends only those that it has locked beforehand.
 */
#define OVER(entity, id, now, locked) \
	"ARRAY(SELECT e.reservation_key FROM ordertrack.reservations AS e" \
	"   WHERE e.workspace_id = $1 AND e." entity "_id = " id " AND e.holds_" entity \
	"     AND e.expires_at <= " now \
	"     AND (" locked " IS NULL OR e.reservation_key = ANY (" locked ")))"

/*
 * The sums of what ends: of those that are over at $3, and of the caller's own
 * $4, which is live.  Rows are found by their keys alone: a condition that fits
 * another index would have a plan made for empty tables read all that are live.
 */
#define ENDING(entity) \
	"SELECT count(*), least(coalesce(sum(r.amount), 0), 9223372036854775807)::bigint," \
	"  least(coalesce(sum(r.order_amount), 0), 9223372036854775807)::bigint," \
	"  count(*) FILTER (WHERE r.customer_id = $5)," \
	"  count(*) FILTER (WHERE l.day = $6), count(*) FILTER (WHERE l.week = $7)," \
	"  count(*) FILTER (WHERE l.month = $8)," \
	"  count(*) FILTER (WHERE l.day = $6 AND r.customer_id = $5)," \
	"  count(*) FILTER (WHERE l.week = $7 AND r.customer_id = $5)," \
	"  count(*) FILTER (WHERE l.month = $8 AND r.customer_id = $5)" \
	"  FROM ordertrack.reservations AS r" \
	"  JOIN ordertrack.workspaces AS w ON w.workspace_id = $1" \
	" CROSS JOIN LATERAL (SELECT date_trunc('day', r.created_at AT TIME ZONE w.time_zone)::date AS day," \
	"    date_trunc('week', r.created_at AT TIME ZONE w.time_zone)::date AS week," \
	"    date_trunc('month', r.created_at AT TIME ZONE w.time_zone)::date AS month) AS l" \
	" WHERE r.workspace_id = $1 AND r.reservation_key = ANY (" OVER(entity, "$2", "$3", "$9") " || $4)"

#define RETURN_CUSTOMERS(entity) \
	"UPDATE ordertrack." entity "_customers AS u SET used = u.used - s.uses" \
	"  FROM (SELECT r.customer_id, count(*) AS uses FROM ordertrack.reservations AS r" \
	"   WHERE r.workspace_id = $1 AND r.reservation_key = ANY ($3) GROUP BY r.customer_id) AS s" \
	" WHERE u.workspace_id = $1 AND u." entity "_id = $2 AND u.customer_id = s.customer_id"

/* Each use goes back to the period in which it was made, customer 0 is all. */
#define RETURN_PERIODS(entity) \
	"UPDATE ordertrack.period_counts AS u SET used = u.used - s.uses" \
	"  FROM (SELECT p.period, c.customer_id," \
	"     date_trunc(p.period, r.created_at AT TIME ZONE w.time_zone)::date AS starts_on," \
	"     count(*) AS uses" \
	"    FROM ordertrack.reservations AS r" \
	"    JOIN ordertrack.workspaces AS w ON w.workspace_id = $1" \
	"   CROSS JOIN (VALUES ('day'), ('week'), ('month')) AS p (period)" \
	"   CROSS JOIN LATERAL (VALUES (0), (r.customer_id)) AS c (customer_id)" \
	"   WHERE r.workspace_id = $1 AND r.reservation_key = ANY ($3)" \
	"   GROUP BY p.period, c.customer_id, starts_on) AS s" \
	" WHERE u.workspace_id = $1 AND u.entity = '" entity "' AND u.entity_id = $2" \
	"   AND u.period = s.period AND u.starts_on = s.starts_on AND u.customer_id = s.customer_id"

const OtStatement ot_reservation_statements[OT_PLAN_COUNT] = {
	/* ---- one reservation ---- */
	[OT_PLAN_RESERVATION_FIND] = {"it",
		"SELECT voucher_id, campaign_id, customer, status, expires_at, gift_balance IS NOT NULL"
		"  FROM ordertrack.reservations WHERE workspace_id = $1 AND reservation_key = $2"},
	[OT_PLAN_RESERVATION_REPLAY] = {"it",
		"SELECT k.request_hash, r.reservation_key, r.expires_at, r.order_id, r.amount,"
		"  r.order_amount, r.discount_amount, r.total_amount, r.gift_balance"
		"  FROM ordertrack.idempotency_keys AS k LEFT JOIN ordertrack.reservations AS r"
		"    ON r.workspace_id = $1 AND r.reservation_key = k.reservation_key"
		" WHERE k.workspace_id = $1 AND k.idempotency_key = $2"},
	[OT_PLAN_RESERVATION_KEY_CLAIM] = {"ittytz",
		"INSERT INTO ordertrack.idempotency_keys"
		"  (workspace_id, idempotency_key, function, request_hash, reservation_key, created_at)"
		" VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (workspace_id, idempotency_key) DO NOTHING"},
	[OT_PLAN_RESERVATION_INSERT] = {"ittiiitiiiiiiztttjz",
		"INSERT INTO ordertrack.reservations"
		"  (workspace_id, reservation_key, code, voucher_id, campaign_id, customer_id, customer,"
		"   order_id, amount, order_amount, discount_amount, total_amount, gift_balance,"
		"   expires_at, reserved_by, actor, channel, metadata, created_at, status, holds_voucher,"
		"   holds_campaign)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,"
		"  $19, 'live', true, $5 IS NOT NULL)"},

	/* ---- those of a voucher or a campaign ---- */
	[OT_PLAN_VOUCHER_MARK_RESERVED] = {"ii",
		"UPDATE ordertrack.vouchers SET has_reservations = true"
		" WHERE workspace_id = $1 AND voucher_id = $2 AND NOT has_reservations"},
	[OT_PLAN_CAMPAIGN_MARK_RESERVED] = {"ii",
		"UPDATE ordertrack.campaigns SET has_reservations = true"
		" WHERE workspace_id = $1 AND campaign_id = $2 AND NOT has_reservations"},
	[OT_PLAN_VOUCHER_ENDING] = {"iiztidddT", ENDING("voucher")},
	[OT_PLAN_CAMPAIGN_ENDING] = {"iiztidddT", ENDING("campaign")},

	/* ---- their end ---- */
	/* What is over at $4 of voucher $2 and campaign $3, and the caller's own $5. */
	[OT_PLAN_RESERVATIONS_LOCK] = {"iiiztT",
		"SELECT r.reservation_key, r.customer_id, r.amount, r.order_amount,"
		"  r.holds_voucher AND r.voucher_id = $2, r.holds_campaign AND r.campaign_id = $3"
		"  FROM ordertrack.reservations AS r"
		" WHERE r.workspace_id = $1 AND r.reservation_key = ANY ("
		OVER("voucher", "$2", "$4", "$6") " || " OVER("campaign", "$3", "$4", "$6") " || $5)"
		"   AND CASE WHEN r.voucher_id = $2 AND r.holds_voucher THEN true"
		"     ELSE r.campaign_id = $3 AND r.holds_campaign END"
		" ORDER BY r.reservation_key FOR NO KEY UPDATE"},
	[OT_PLAN_RESERVATIONS_END] = {"iTiittiz",
		"UPDATE ordertrack.reservations SET"
		"  holds_voucher = holds_voucher AND voucher_id <> $3,"
		"  holds_campaign = holds_campaign AND campaign_id IS DISTINCT FROM $4,"
		"  status = CASE WHEN reservation_key = $5 THEN $6 ELSE status END,"
		"  redemption_id = CASE WHEN reservation_key = $5 THEN $7 END,"
		"  ended_at = CASE WHEN reservation_key = $5 THEN $8 ELSE expires_at END"
		" WHERE workspace_id = $1 AND reservation_key = ANY ($2)"},
	[OT_PLAN_ENDING_CUSTOMERS_LOCK] = {"iI",
		"SELECT FROM ordertrack.customers WHERE workspace_id = $1 AND customer_id = ANY ($2)"
		" ORDER BY customer_id FOR NO KEY UPDATE"},
	[OT_PLAN_VOUCHER_CUSTOMERS_RETURN] = {"iiT", RETURN_CUSTOMERS("voucher")},
	[OT_PLAN_CAMPAIGN_CUSTOMERS_RETURN] = {"iiT", RETURN_CUSTOMERS("campaign")},
	[OT_PLAN_VOUCHER_PERIODS_RETURN] = {"iiT", RETURN_PERIODS("voucher")},
	[OT_PLAN_CAMPAIGN_PERIODS_RETURN] = {"iiT", RETURN_PERIODS("campaign")},
	/* Own keys $2, and what is over at $4 of the codes $3 and of their campaigns. */
	[OT_PLAN_BATCH_LOCK_RESERVATIONS] = {"iTTz",
		"SELECT r.reservation_key, r.customer_id FROM ordertrack.reservations AS r"
		" WHERE r.workspace_id = $1 AND r.reservation_key = ANY ($2 || ARRAY("
		"   SELECT e.reservation_key FROM ordertrack.vouchers AS v"
		"     JOIN ordertrack.reservations AS e ON e.workspace_id = $1"
		"      AND e.voucher_id = v.voucher_id AND e.holds_voucher AND e.expires_at <= $4"
		"    WHERE v.workspace_id = $1 AND v.code = ANY ($3) AND v.has_reservations) || ARRAY("
		"   SELECT e.reservation_key FROM ordertrack.vouchers AS v"
		"     JOIN ordertrack.campaigns AS c ON c.workspace_id = $1"
		"      AND c.campaign_id = v.campaign_id AND c.has_reservations"
		"     JOIN ordertrack.reservations AS e ON e.workspace_id = $1"
		"      AND e.campaign_id = c.campaign_id AND e.holds_campaign AND e.expires_at <= $4"
		"    WHERE v.workspace_id = $1 AND v.code = ANY ($3)))"
		" ORDER BY r.reservation_key FOR NO KEY UPDATE"},
};
/* clang-format on */

/*
 * statement_issued_reward.c
 *		The statements of rewards that customers got.  The rules of statement.c
 *		hold here too.
 */
#include "postgres.h"

#include "plan.h"

/* clang-format off */
const OtStatement ot_issued_reward_statements[OT_PLAN_COUNT] = {
	/* Locks in the one order: orders by id, then their units by id. */
	[OT_PLAN_ISSUED_REWARDS_LOCK_ORDERS] = {"iI",
		"SELECT FROM ordertrack.orders WHERE workspace_id = $1 AND order_id = ANY (ARRAY("
		"   SELECT u.order_id FROM ordertrack.issued_rewards AS u"
		"    WHERE u.workspace_id = $1 AND u.issued_reward_id = ANY ($2)))"
		" ORDER BY order_id FOR NO KEY UPDATE"},
	[OT_PLAN_ISSUED_REWARDS_LOCK] = {"iI",
		"SELECT issued_reward_id, order_id, redemption_id, reward_type, active_from, expires_at,"
		"  canceled_at, used_at, delivery_status, cashback_code, cashback_detail_code,"
		"  cashback_message FROM ordertrack.issued_rewards"
		" WHERE workspace_id = $1 AND issued_reward_id = ANY ($2)"
		" ORDER BY issued_reward_id FOR NO KEY UPDATE"},

	/* One unit at a time: the triggers look at each and write its note. */
	[OT_PLAN_ISSUED_REWARD_USE] = {"iizt",
		"UPDATE ordertrack.issued_rewards SET used_at = $3, delivery_status = $4"
		" WHERE workspace_id = $1 AND issued_reward_id = $2"},
	[OT_PLAN_ISSUED_REWARD_DELIVERY] = {"iit",
		"UPDATE ordertrack.issued_rewards SET delivery_status = $3"
		" WHERE workspace_id = $1 AND issued_reward_id = $2"},
	[OT_PLAN_ISSUED_REWARD_CASHBACK] = {"iintt",
		"UPDATE ordertrack.issued_rewards SET cashback_code = $3, cashback_detail_code = $4,"
		"  cashback_message = $5 WHERE workspace_id = $1 AND issued_reward_id = $2"},

	[OT_PLAN_ISSUED_REWARDS_CANCEL] = {"iiz",
		"UPDATE ordertrack.issued_rewards SET canceled_at = $3"
		" WHERE workspace_id = $1 AND redemption_id = $2 AND canceled_at IS NULL"},
};
/* clang-format on */

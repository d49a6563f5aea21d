/*
 * statement_reward_redemption.c
 *		The statements of redeeming rewards.  The rules of statement.c hold here too.
 */
#include "postgres.h"

#include "plan.h"

/* clang-format off */
const OtStatement ot_reward_redemption_statements[OT_PLAN_COUNT] = {
	[0] = {NULL, NULL},
};
/* clang-format on */

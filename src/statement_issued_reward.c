/*
 * statement_issued_reward.c
 *		The statements of rewards that customers got.  The rules of statement.c hold here too.
 */
#include "postgres.h"

#include "plan.h"

/* clang-format off */
const OtStatement ot_issued_reward_statements[OT_PLAN_COUNT] = {
	[0] = {NULL, NULL},
};
/* clang-format on */

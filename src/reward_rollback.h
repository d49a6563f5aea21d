/*
 * reward_rollback.h
 *		What the rollback of a reward gives back.
 */
#ifndef OT_REWARD_ROLLBACK_H
#define OT_REWARD_ROLLBACK_H

#include "rollback.h"

extern bool ot_reward_is_in_use(const OtRollbackRequest *request);
extern void ot_reward_roll_back(const OtRollbackRequest *request,
								const OtRollbackFacts *facts, OtOutcome *outcome);

#endif

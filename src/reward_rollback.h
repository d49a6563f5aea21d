/*
 * reward_rollback.h
 *		What the rollback of a reward gives back.
 */
#ifndef OT_REWARD_ROLLBACK_H
#define OT_REWARD_ROLLBACK_H

#include "rollback.h"

extern void ot_reward_units_lock(const OtRollbackRequest *request, int64 quantity,
								 OtUnits *units);
extern void ot_reward_lock(const OtRollbackRequest *request, int64 reward_id,
						   int64 quantity);
extern void ot_reward_roll_back(const OtRollbackRequest *request,
								const OtRollbackFacts *facts, OtOutcome *outcome);

#endif

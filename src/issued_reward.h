/*
 * issued_reward.h
 *		What the files of issued rewards share: rewards that customers got, one
 *		row a unit, their use, their delivery and their cashback.
 */
#ifndef OT_ISSUED_REWARD_H
#define OT_ISSUED_REWARD_H

#include "utils/array.h"

#include "ordertrack.h"

/* One unit, as its row says. */
typedef struct OtUnit
{
	int64 id;
	int64 order_id;
	int64 redemption_id;
	char *reward_type;
	TimestampTz active_from;
	TimestampTz expires_at; /* DT_NOEND where it never does */
	bool is_canceled;
	bool is_used;
	TimestampTz used_at;
	const char *delivery_status; /* NULL while it is not used */
	bool has_cashback;
	int32 cashback_code;
	char *cashback_detail_code; /* may be NULL, as the message */
	char *cashback_message;
} OtUnit;

/* ---- issued_reward_judge.c: facts in, verdict out ---- */

/* Why a unit is not marked or unmarked. */
typedef enum OtUseFailure
{
	OT_USE_OK,
	OT_USE_NOT_FOUND,
	OT_USE_CANCELED,
	OT_USE_ALREADY_USED,
	OT_USE_NOT_USED,
	OT_USE_NOT_ACTIVE,
	OT_USE_EXPIRED,
	OT_USE_DELIVERY_STARTED
} OtUseFailure;

extern OtUseFailure ot_unit_judge_use(const OtUnit *unit, bool is_used, TimestampTz now);
extern const char *ot_use_failure_code(OtUseFailure failure);
extern const char *ot_use_failure_message(OtUseFailure failure);
extern bool ot_unit_may_move_to(const OtUnit *unit, const char *delivery_status);
extern bool ot_unit_is_cashback(const OtUnit *unit);

/* ---- issued_reward_cancel.c ---- */

/* Cancels all units of a redemption, which are that many. */
extern void ot_issued_rewards_cancel(int64 workspace, int64 redemption_id, uint64 count,
									 TimestampTz now);
extern bool ot_unit_cancel_is_announced(int64 workspace, int64 redemption_id,
										TimestampTz canceled_at);

/* ---- issued_reward_lock.c: units and their orders, under our locks ---- */

extern int ot_units_lock(int64 workspace, ArrayType *ids, OtUnit **units);
extern void ot_unit_lock(int64 workspace, int64 id, OtUnit *unit);

#endif

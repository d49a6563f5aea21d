/*
 * issued_reward_judge.c
 *		Decides whether a unit may be marked as used, or no longer: facts in,
 *		verdict out, no SQL and no clock.  The functions and the trigger share it.
 */
#include "postgres.h"

#include "issued_reward.h"

static const struct
{
	const char *code;
	const char *message;
} failures[] = {
	[OT_USE_OK] = {NULL, NULL},
	[OT_USE_NOT_FOUND] = {"issued_reward_not_found", "the reward does not exist"},
	[OT_USE_CANCELED] = {"reward_canceled", "the reward has been canceled"},
	[OT_USE_ALREADY_USED] = {"already_used", "the reward is already used"},
	[OT_USE_NOT_USED] = {"not_used", "the reward is not used"},
	[OT_USE_NOT_ACTIVE] = {"reward_not_active", "the reward is not active yet"},
	[OT_USE_EXPIRED] = {"reward_expired", "the reward has expired"},
	[OT_USE_DELIVERY_STARTED] = {"delivery_started",
								 "the delivery of the reward has begun"},
};

/*
 * Judges whether a unit may become used, or unused, now.  What was used in time
 * does not expire; unmarked after its end, it has.
 */
OtUseFailure
ot_unit_judge_use(const OtUnit *unit, bool is_used, TimestampTz now)
{
	if (unit->is_canceled)
		return OT_USE_CANCELED;
	if (unit->is_used && is_used)
		return OT_USE_ALREADY_USED;
	if (!unit->is_used && !is_used)
		return OT_USE_NOT_USED;
	if (now < unit->active_from)
		return OT_USE_NOT_ACTIVE;
	if (is_used)
		return now < unit->expires_at ? OT_USE_OK : OT_USE_EXPIRED;
	if (unit->delivery_status == NULL || strcmp(unit->delivery_status, "ordered") != 0)
		return OT_USE_DELIVERY_STARTED;
	return OT_USE_OK;
}

/* Gives the failure_code of a refusal, NULL for OT_USE_OK. */
const char *
ot_use_failure_code(OtUseFailure failure)
{
	return failures[failure].code;
}

/* Gives the words of a refusal, NULL for OT_USE_OK. */
const char *
ot_use_failure_message(OtUseFailure failure)
{
	return failures[failure].message;
}

/* Only a gift is sent to somebody: whatever else is used stays ordered. */
bool
ot_unit_may_move_to(const OtUnit *unit, const char *delivery_status)
{
	return strcmp(unit->reward_type, "gift") == 0 ||
		   strcmp(delivery_status, "ordered") == 0;
}

/* Tells whether a unit is money that is paid out. */
bool
ot_unit_is_cashback(const OtUnit *unit)
{
	return strcmp(unit->reward_type, "cashback") == 0;
}

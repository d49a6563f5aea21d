/*
 * issued_reward_cancel.c
 *		Tells the triggers of issued rewards which units a rollback cancels.
 */
#include "postgres.h"

#include "issued_reward.h"

/* The redemption whose units are being canceled. */
typedef struct Cancellation
{
	bool is_announced;
	int64 workspace;
	int64 redemption_id;
	TimestampTz now;
} Cancellation;

static Cancellation cancellation;

/* Cancels all units of a redemption, which are that many, announced to the trigger. */
void
ot_issued_rewards_cancel(int64 workspace, int64 redemption_id, uint64 count,
						 TimestampTz now)
{
	Cancellation outer_cancellation = cancellation;
	OtArgs args = {0};

	ot_arg_int8(&args, workspace);
	ot_arg_int8(&args, redemption_id);
	ot_arg_time(&args, now);

	cancellation.is_announced = true;
	cancellation.workspace = workspace;
	cancellation.redemption_id = redemption_id;
	cancellation.now = now;
	PG_TRY();
	{
		ot_write(OT_PLAN_ISSUED_REWARDS_CANCEL, &args, count);
	}
	PG_FINALLY();
	{
		cancellation = outer_cancellation;
	}
	PG_END_TRY();
}

/* Tells the trigger whether a unit of this redemption is being canceled. */
bool
ot_unit_cancel_is_announced(int64 workspace, int64 redemption_id, TimestampTz canceled_at)
{
	return cancellation.is_announced && cancellation.workspace == workspace &&
		   cancellation.redemption_id == redemption_id && cancellation.now == canceled_at;
}

/*
 * issued_reward_change.c
 *		Tells the triggers of issued rewards what a function is doing while its
 *		UPDATE runs: who marks a unit, when, and which units a rollback cancels.
 */
#include "postgres.h"

#include "issued_reward.h"

/*
 * Valid only while ot_change_unit() runs, and for one version of the row: an
 * UPDATE by somebody's trigger meanwhile is a change of its own.
 */
static const OtUnitChange *current_change = NULL;
static ItemPointerData taken_version; /* invalid: not taken yet */

/* The redemption whose units are being canceled. */
typedef struct Cancellation
{
	bool is_announced;
	int64 workspace;
	int64 redemption_id;
	TimestampTz now;
} Cancellation;

static Cancellation cancellation;

/* Runs an UPDATE of one unit; its triggers write the note of the change. */
void
ot_change_unit(const OtUnitChange *change, OtPlan plan, OtArgs *args)
{
	const OtUnitChange *outer_change = current_change;
	ItemPointerData outer_version = taken_version;

	current_change = change;
	ItemPointerSetInvalid(&taken_version);
	PG_TRY();
	{
		ot_write(plan, args, 1);
	}
	PG_FINALLY();
	{
		current_change = outer_change;
		taken_version = outer_version;
	}
	PG_END_TRY();
}

/*
 * Gives what a function is doing to this version of a unit, or NULL: to the
 * BEFORE trigger once, and to the AFTER trigger of the same version again.
 */
const OtUnitChange *
ot_current_unit_change(int64 workspace, int64 id, const ItemPointerData *version,
					   bool is_before)
{
	bool is_taken = ItemPointerIsValid(&taken_version);

	if (current_change == NULL || current_change->workspace != workspace ||
		current_change->id != id)
		return NULL;
	if (is_before && !is_taken)
		taken_version = *version;
	else if (is_before || !is_taken ||
			 !ItemPointerEquals(&taken_version, unconstify(ItemPointerData *, version)))
		return NULL;
	return current_change;
}

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

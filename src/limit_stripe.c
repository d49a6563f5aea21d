/*
 * limit_stripe.c
 *		Stripes: a counter that many sessions want at once, split into rows of
 *		which each session takes one that nobody else holds.
 *
 * A counter begins as redeemed_count of its voucher or campaign.  Once sessions
 * are seen to queue for that row, the uses that are left are dealt out to
 * stripes: redeemed_count then includes them, and live uses are redeemed_count
 * less what the stripes have left.  Both remain places from which a use can be
 * taken and to which it can be given back, so nobody has to know which of them
 * another session has just used.  Splitting and folding hold the lock on the
 * voucher or campaign.
 */
#include "postgres.h"

#include "storage/backendid.h"

#include "limit.h"
#include "plan.h"

/* More than the sessions that work at the same instant on most machines. */
#define STRIPE_COUNT 64

/* A stripe needs some uses to be worth its row. */
#define MIN_USES_LEFT (4 * STRIPE_COUNT)

/* Uses by others between our look at the counter and our turn. */
#define MIN_OVERTAKERS 2

/* ot_read or ot_run */
typedef uint64 (*Run)(OtPlan plan, OtArgs *args);

static void add_entity(OtArgs *args, int64 workspace, const char *entity,
					   int64 entity_id);
static bool wait_for_stripe(void *context);
static bool run_from(Run run, OtPlan plan, int64 workspace, const char *entity,
					 int64 entity_id);

/*
 * Tells what the first stripe that is not empty has left, 0 where all are: that
 * there is something is all that a verdict needs.
 */
int64
ot_stripes_read(int64 workspace, const char *entity, int64 entity_id)
{
	return run_from(ot_read, OT_PLAN_STRIPE_USES, workspace, entity, entity_id)
			   ? ot_get_int8(0, 1)
			   : 0;
}

/* Tells what all stripes have left, for a verdict on several uses at once. */
int64
ot_stripes_sum(int64 workspace, const char *entity, int64 entity_id)
{
	OtArgs args = {0};

	add_entity(&args, workspace, entity, entity_id);
	ot_read(OT_PLAN_STRIPE_SUM, &args);
	return ot_get_int8(0, 1);
}

/* Takes a use from a stripe that nobody holds; false where there is none. */
bool
ot_stripes_spend(int64 workspace, const char *entity, int64 entity_id)
{
	return run_from(ot_run, OT_PLAN_STRIPE_SPEND, workspace, entity, entity_id);
}

/*
 * Waits until a stripe that has uses left is no longer held.  The lock is given
 * up again, since the stripe may turn out to be empty then.
 */
void
ot_stripes_wait(int64 workspace, const char *entity, int64 entity_id)
{
	OtArgs args = {0};

	add_entity(&args, workspace, entity, entity_id);
	(void) ot_in_subtransaction(wait_for_stripe, &args);
}

static bool
wait_for_stripe(void *context)
{
	ot_run(OT_PLAN_STRIPE_WAIT, context);
	return false;
}

/* Gives a use back to a stripe that nobody holds; false where there is none. */
bool
ot_stripes_give_back(int64 workspace, const char *entity, int64 entity_id)
{
	return run_from(ot_run, OT_PLAN_STRIPE_GIVE_BACK, workspace, entity, entity_id);
}

/*
 * Tells whether the counter that has just been spent should be split.  Terms are
 * as they were read before; row 0 of the last result has redeemed_count,
 * redemption_limit and is_striped as they are now, under our lock.
 */
bool
ot_stripes_are_due(const OtTerms *terms)
{
	int64 overtakers = ot_get_int8(0, 1) - terms->redeemed_count - 1;

	return terms->redemption_limit != 0 && !ot_get_bool(0, 3) &&
		   overtakers >= MIN_OVERTAKERS &&
		   ot_get_int8(0, 2) - ot_get_int8(0, 1) >= MIN_USES_LEFT;
}

/* Deals out the uses that are left; mark is the statement that says so. */
void
ot_stripes_split(int64 workspace, const char *entity, int64 entity_id, OtPlan mark,
				 int64 left)
{
	OtArgs args = {0};
	OtArgs row = {0};

	add_entity(&args, workspace, entity, entity_id);
	ot_arg_int4(&args, STRIPE_COUNT);
	ot_arg_int8(&args, left);
	ot_write(OT_PLAN_STRIPES_INSERT, &args, STRIPE_COUNT);

	ot_arg_int8(&row, workspace);
	ot_arg_int8(&row, entity_id);
	ot_write(mark, &row, 1);
}

/*
 * Takes all stripes away, once those who hold them are done; returns the uses
 * that they had left, by which redeemed_count is to be reduced.
 */
int64
ot_stripes_fold(int64 workspace, const char *entity, int64 entity_id)
{
	OtArgs args = {0};
	uint64 count;
	int64 left = 0;

	add_entity(&args, workspace, entity, entity_id);
	count = ot_run(OT_PLAN_STRIPES_DELETE, &args);
	for (uint64 i = 0; i < count; i++)
		left += ot_get_int8(i, 1);
	return left;
}

static void
add_entity(OtArgs *args, int64 workspace, const char *entity, int64 entity_id)
{
	ot_arg_int8(args, workspace);
	ot_arg_text(args, entity);
	ot_arg_int8(args, entity_id);
}

/*
 * Runs a statement on the first free stripe from one of the session's own on,
 * and then from the beginning: sessions meet only when stripes run out.
 */
static bool
run_from(Run run, OtPlan plan, int64 workspace, const char *entity, int64 entity_id)
{
	int32 starts[] = {MyBackendId % STRIPE_COUNT, 0};

	for (int i = 0; i < lengthof(starts); i++)
	{
		OtArgs args = {0};

		add_entity(&args, workspace, entity, entity_id);
		ot_arg_int4(&args, starts[i]);
		if (run(plan, &args) == 1)
			return true;
	}
	return false;
}

/*
 * limit_change.c
 *		Changes a row that has limits, one of which may be its first.
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"

#include "errcodes.h"
#include "ordertrack.h"

typedef struct Attempt
{
	const OtLimitSteps *steps;
	void *context;
	bool is_found;
} Attempt;

static bool try_change(void *context);
static void lock_uses(void);

/*
 * Changes the row; false where there is none.  Each new turn means that somebody
 * else has committed a change of the same row.
 */
bool
ot_change_limits(const OtLimitSteps *steps, void *context)
{
	Attempt attempt = {steps, context, false};

	while (!ot_in_subtransaction(try_change, &attempt))
		CHECK_FOR_INTERRUPTS();
	return attempt.is_found;
}

/*
 * Changes the row; false where it must be done again.
 *
 * Uses can only be counted under the lock on redemptions, which is to be taken
 * before the row.  So the first look, without a lock, tells whether to take it;
 * if the row turns out to have lost its limit since, all is undone, because a
 * row lock ends no other way.
 */
static bool
try_change(void *context)
{
	Attempt *attempt = context;
	const OtLimitSteps *steps = attempt->steps;
	bool has_locked_uses;

	attempt->is_found = steps->find(attempt->context);
	if (!attempt->is_found)
		return true;

	has_locked_uses = steps->sets_first(attempt->context);
	if (has_locked_uses)
		lock_uses();
	if (!steps->lock(attempt->context))
		return false;
	if (!has_locked_uses && steps->sets_first(attempt->context))
		return false;
	steps->write(attempt->context);
	return true;
}

/* Waits until all uses are committed, and keeps new ones out. */
static void
lock_uses(void)
{
	if (IsolationUsesXactSnapshot())
		ereport(
			ERROR, errcode(ERRCODE_INVALID_TRANSACTION_STATE),
			errmsg("cannot set a first limit in a transaction of this isolation level"),
			errdetail("Uses that were committed after its snapshot would not count."),
			errhint("Use a transaction of isolation level READ COMMITTED."));
	ot_lock_redemptions(true);
}

/* Refuses a redemption_limit that is below the uses that count against it. */
void
ot_limit_check(bool is_set, int64 limit, int64 used)
{
	if (!is_set || used <= limit)
		return;
	ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
			errmsg("\"redemption_limit\" is below the number of uses"),
			errdetail("There are " INT64_FORMAT
					  " uses that were neither rolled back nor released.",
					  used),
			errhint("To stop further uses, set is_active to false."));
}

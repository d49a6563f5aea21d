/*
 * redemption_lock.c
 *		Keeps redemptions apart from a limit that is being set.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "nodes/makefuncs.h"
#include "storage/lockdefs.h"

#include "ordertrack.h"

/*
 * Locks the table of redemptions until the transaction ends.
 *
 * A redemption of a code without a limit writes no counter, so nothing on the
 * voucher tells that it is under way, and a limit that is set meanwhile would
 * miss it.  Every redeeming transaction therefore holds ROW EXCLUSIVE, taken
 * before it reads its facts; these locks don't conflict with each other.  Who
 * sets a first limit takes SHARE ROW EXCLUSIVE, which waits for all of them and
 * keeps new ones and other setters out; after that the committed rows are all
 * uses that there are.  The table comes before any row: redeemers wait for a
 * row while they hold the table.
 *
 * A missing table is left to the next statement, which says what to do.
 */
void
ot_lock_redemptions(bool exclusively)
{
	(void) RangeVarGetRelid(makeRangeVar("ordertrack", "redemptions", -1),
							exclusively ? ShareRowExclusiveLock : RowExclusiveLock, true);
}

/*
 * subtransaction.c
 *		Runs work that may turn out to have been in vain, and undoes it then.
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/resowner.h"

#include "ordertrack.h"

/*
 * Runs work in a subtransaction that is kept where work returns true and
 * undone where it returns false.  An error is never kept back: the
 * subtransaction is closed, because a handler further out would close only
 * its own, and the error goes on as it is.
 */
bool
ot_in_subtransaction(OtWork work, void *context)
{
	MemoryContext old_context = CurrentMemoryContext;
	ResourceOwner old_owner = CurrentResourceOwner;
	bool is_done = false;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(old_context);
	PG_TRY();
	{
		is_done = work(context);
	}
	PG_CATCH();
	{
		ErrorData *error;

		MemoryContextSwitchTo(old_context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(old_context);
		CurrentResourceOwner = old_owner;
		ReThrowError(error);
	}
	PG_END_TRY();

	if (is_done)
		ReleaseCurrentSubTransaction();
	else
		RollbackAndReleaseCurrentSubTransaction();
	MemoryContextSwitchTo(old_context);
	CurrentResourceOwner = old_owner;
	return is_done;
}

/*
 * rule_match.c
 *		Evaluates conditions by PostgreSQL's own jsonpath, in bounded time.
 */
#include "postgres.h"

#include "catalog/pg_collation.h"
#include "miscadmin.h"
#include "storage/latch.h"
#include "utils/fmgrprotos.h"
#include "utils/timeout.h"

#include "rule.h"

static void cancel(void);

/*
 * Runs work and cancels it, as statement_timeout would (57014), when it takes
 * too long: a condition that nests filters over 500 lines may need hours.
 */
void
ot_in_rule_time(OtTimedWork work, void *context)
{
	static bool is_registered = false;
	static TimeoutId timeout;

	if (!is_registered)
	{
		timeout = RegisterTimeout(USER_TIMEOUT, cancel);
		is_registered = true;
	}
	enable_timeout_after(timeout, OT_RULE_TIME);
	PG_TRY();
	{
		work(context);
	}
	PG_FINALLY();
	{
		disable_timeout(timeout, false);
	}
	PG_END_TRY();
	/* If it fired at the last moment, that is this work's, not the next's. */
	CHECK_FOR_INTERRUPTS();
}

/* Runs in a signal handler. */
static void
cancel(void)
{
	InterruptPending = true;
	QueryCancelPending = true;
	SetLatch(MyLatch);
}

/*
 * Tells whether a condition is true, by operator @@.  Errors of the path are unknown, and
 * so is what compares values of different types.  Without _tz, no setting of the session
 * has a part in it.
 */
bool
ot_condition_match(JsonPath *condition, const Jsonb *document, bool *is_unknown)
{
	LOCAL_FCINFO(call, 2);
	Datum result;

	InitFunctionCallInfoData(*call, NULL, 2, DEFAULT_COLLATION_OID, NULL, NULL);
	call->args[0].value = PointerGetDatum(document);
	call->args[1].value = PointerGetDatum(condition);
	for (int i = 0; i < 2; i++)
		call->args[i].isnull = false;
	result = jsonb_path_match_opr(call);
	if (is_unknown != NULL)
		*is_unknown = call->isnull;
	return !call->isnull && DatumGetBool(result);
}

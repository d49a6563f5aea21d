/*
 * cashback.c
 *		set_cashback_status: what the payment provider says of a cashback, in the
 *		words of PayTM.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "errcodes.h"
#include "issued_reward.h"

PG_FUNCTION_INFO_V1(ordertrack_set_cashback_status);

enum
{
	CASHBACK_STARTED,
	CASHBACK_PAID,
	CASHBACK_FAILED,
	CASHBACK_PENDING
};

typedef struct Cashback
{
	int32 code;
	const char *detail_code; /* may be NULL, as the message */
	const char *message;
} Cashback;

static void read_cashback(FunctionCallInfo fcinfo, Cashback *cashback);
static const char *words_arg(FunctionCallInfo fcinfo, int n, const char *name,
							 int32 code);
static void check_type(const OtUnit *unit);
static bool is_same(const OtUnit *unit, const Cashback *cashback);
static text *show(const OtUnit *unit);

/* Sets the status of a cashback and gives the one before, as lists show it. */
Datum
ordertrack_set_cashback_status(PG_FUNCTION_ARGS)
{
	OtRowChange change = {.table = "issued_rewards"};
	Cashback cashback;
	OtUnit unit;

	PreventCommandIfReadOnly("ordertrack.set_cashback_status()");
	change.id = ot_id_arg(fcinfo, 0, "issued_reward_id");
	read_cashback(fcinfo, &cashback);
	change.channel = ot_text_arg(fcinfo, 4, "channel", OT_MAX_TEXT);
	change.actor = ot_text_arg(fcinfo, 5, "actor", OT_MAX_TEXT);
	change.workspace = ot_workspace_arg(fcinfo, 6);

	ot_begin();
	ot_unit_lock(change.workspace, change.id, &unit);
	change.now = GetCurrentTimestamp();
	check_type(&unit);
	if (!is_same(&unit, &cashback))
	{
		OtArgs args = {0};

		ot_arg_int8(&args, change.workspace);
		ot_arg_int8(&args, change.id);
		ot_arg_int4(&args, cashback.code);
		ot_arg_text(&args, cashback.detail_code);
		ot_arg_text(&args, cashback.message);
		ot_change_row(&change, OT_PLAN_ISSUED_REWARD_CASHBACK, &args);
	}
	ot_end();
	PG_RETURN_TEXT_P(show(&unit));
}

static void
read_cashback(FunctionCallInfo fcinfo, Cashback *cashback)
{
	if (PG_ARGISNULL(1))
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("argument \"code\" must not be null"));
	cashback->code = PG_GETARG_INT32(1);
	if (cashback->code < CASHBACK_STARTED || cashback->code > CASHBACK_PENDING)
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("unknown cashback status %d", cashback->code),
				errhint("Codes are 0 (started), 1 (paid), 2 (failed) and 3 (pending)."));
	cashback->detail_code = words_arg(fcinfo, 2, "detail_code", cashback->code);
	cashback->message = words_arg(fcinfo, 3, "message", cashback->code);
}

/* Whoever failed or waits says why; what has started has nothing to say yet. */
static const char *
words_arg(FunctionCallInfo fcinfo, int n, const char *name, int32 code)
{
	if (PG_ARGISNULL(n) && code == CASHBACK_STARTED)
		return "INIT";
	if (PG_ARGISNULL(n) && code == CASHBACK_PAID)
		return NULL;
	return ot_required_text_arg(fcinfo, n, name, OT_MAX_TEXT);
}

static void
check_type(const OtUnit *unit)
{
	if (!ot_unit_is_cashback(unit))
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("issued reward " INT64_FORMAT " has no cashback status", unit->id),
				errdetail("It is a reward of type \"%s\".", unit->reward_type));
}

static bool
is_same(const OtUnit *unit, const Cashback *cashback)
{
	return unit->cashback_code == cashback->code &&
		   ot_same_text(unit->cashback_detail_code, cashback->detail_code) &&
		   ot_same_text(unit->cashback_message, cashback->message);
}

/* Spells a status as the views do. */
static text *
show(const OtUnit *unit)
{
	StringInfoData status;

	initStringInfo(&status);
	appendStringInfo(&status, "%d", unit->cashback_code);
	if (unit->cashback_detail_code != NULL)
		appendStringInfo(&status, ": %s", unit->cashback_detail_code);
	if (unit->cashback_message != NULL)
		appendStringInfo(&status, ": %s", unit->cashback_message);
	return cstring_to_text_with_len(status.data, status.len);
}

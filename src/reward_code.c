/*
 * reward_code.c
 *		Codes for rewards that have a pool of them.
 *
 * Messages don't name codes: who knows one may be able to spend it.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/timestamp.h"

#include "errcodes.h"
#include "ordertrack.h"
#include "reward_catalog.h"

#define MAX_CODES 100000 /* of a call */

static void check_codes(ArrayType *codes);

PG_FUNCTION_INFO_V1(ordertrack_add_reward_codes);

/* Adds codes to a pool, and returns how many of them are new. */
Datum
ordertrack_add_reward_codes(PG_FUNCTION_ARGS)
{
	const char *reward = ot_required_text_arg(fcinfo, 0, "reward", OT_MAX_TEXT);
	ArrayType *codes;
	int64 workspace = ot_workspace_arg(fcinfo, 2);
	OtArgs args = {0};
	uint64 count;

	PreventCommandIfReadOnly("ordertrack.add_reward_codes()");
	ot_require_arg(fcinfo, 1, "codes");
	codes = ot_text_array_arg(fcinfo, 1, "codes");
	check_codes(codes);

	ot_begin();
	ot_require_workspace(workspace);
	ot_arg_int8(&args, workspace);
	ot_arg_int8(&args, ot_reward_find(workspace, reward));
	if (strcmp(ot_get_text(0, OT_REWARD_CODE_SOURCE), "pool") != 0)
		ereport(
			ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
			errmsg("reward \"%s\" has no pool of codes", reward),
			errdetail("Its code_source is %s.", ot_get_text(0, OT_REWARD_CODE_SOURCE)));
	ot_arg(&args, PointerGetDatum(codes));
	ot_arg_time(&args, GetCurrentTimestamp());
	count = ot_run(OT_PLAN_REWARD_CODES_INSERT, &args);
	ot_end();
	PG_RETURN_INT64((int64) count);
}

static void
check_codes(ArrayType *codes)
{
	Datum *values;
	int count;

	deconstruct_array(codes, TEXTOID, -1, false, TYPALIGN_INT, &values, NULL, &count);
	if (count > MAX_CODES)
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT), errmsg("too many codes"),
				errdetail("A call may add %d.", MAX_CODES));
	for (int i = 0; i < count; i++)
	{
		Size length = VARSIZE_ANY_EXHDR(DatumGetPointer(values[i]));

		if (length == 0)
			ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
					errmsg("a code must not be empty"));
		if (length > OT_MAX_CODE)
			ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
					errmsg("code %d is too long", i + 1),
					errdetail("It has %zu bytes, at most %d are allowed.", length,
							  OT_MAX_CODE));
	}
}

/*
 * arguments.c
 *		Reads the arguments of SQL functions and says plainly what is wrong with
 *		one; builds what a function returns.
 */
#include "postgres.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "errcodes.h"
#include "ordertrack.h"
#include "plan.h"

PG_MODULE_MAGIC;

static void refuse_null(const char *name) pg_attribute_noreturn();

/* Gives the workspace, which may not be NULL. */
int64
ot_workspace_arg(FunctionCallInfo fcinfo, int n)
{
	return ot_id_arg(fcinfo, n, "workspace");
}

/* Gives an id, which may not be NULL. */
int64
ot_id_arg(FunctionCallInfo fcinfo, int n, const char *name)
{
	ot_require_arg(fcinfo, n, name);
	return PG_GETARG_INT64(n);
}

/* Refuses NULL. */
void
ot_require_arg(FunctionCallInfo fcinfo, int n, const char *name)
{
	if (PG_ARGISNULL(n))
		refuse_null(name);
}

/* Gives a text of at most max_bytes bytes, or NULL. */
char *
ot_text_arg(FunctionCallInfo fcinfo, int n, const char *name, int max_bytes)
{
	text *value;

	if (PG_ARGISNULL(n))
		return NULL;
	value = PG_GETARG_TEXT_PP(n);
	if (VARSIZE_ANY_EXHDR(value) > (Size) max_bytes)
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("argument \"%s\" is too long", name),
				errdetail("It has %zu bytes, at most %d are allowed.",
						  (Size) VARSIZE_ANY_EXHDR(value), max_bytes));
	return text_to_cstring(value);
}

/* Gives a text that may be neither NULL nor empty. */
char *
ot_required_text_arg(FunctionCallInfo fcinfo, int n, const char *name, int max_bytes)
{
	char *value = ot_text_arg(fcinfo, n, name, max_bytes);

	if (value == NULL)
		refuse_null(name);
	if (*value == '\0')
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("argument \"%s\" must not be empty", name));
	return value;
}

/* Gives an array in which no text is NULL, or NULL. */
ArrayType *
ot_text_array_arg(FunctionCallInfo fcinfo, int n, const char *name)
{
	ArrayType *array;

	if (PG_ARGISNULL(n))
		return NULL;
	array = PG_GETARG_ARRAYTYPE_P(n);
	if (array_contains_nulls(array))
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("argument \"%s\" must not contain null", name));
	return array;
}

/* Gives a jsonb object of at most 1 MiB, or NULL. */
Jsonb *
ot_object_arg(FunctionCallInfo fcinfo, int n, const char *name)
{
	Jsonb *value;

	if (PG_ARGISNULL(n))
		return NULL;
	value = PG_GETARG_JSONB_P(n);
	if (!ot_json_is_object(value))
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("argument \"%s\" must be a JSON object", name));
	if (VARSIZE(value) > OT_MAX_JSON)
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("argument \"%s\" is too long", name),
				errdetail("At most %d bytes of JSON are allowed.", OT_MAX_JSON));
	return value;
}

static void
refuse_null(const char *name)
{
	ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
			errmsg("argument \"%s\" must not be null", name));
}

/* Names the role that logged in, whatever SET ROLE says. */
char *
ot_session_role(void)
{
	return GetUserNameFromId(GetSessionUserId(), false);
}

/* Names the role that calls, outside of our SECURITY DEFINER functions. */
char *
ot_outer_role(void)
{
	return GetUserNameFromId(GetOuterUserId(), false);
}

/* Refuses a workspace that does not exist. */
void
ot_require_workspace(int64 workspace)
{
	OtArgs args = {0};

	ot_arg_int8(&args, workspace);
	if (ot_run(OT_PLAN_WORKSPACE_EXISTS, &args) == 0)
		ot_workspace_refuse(workspace);
}

void
ot_workspace_refuse(int64 workspace)
{
	ereport(ERROR, errcode(OT_ERRCODE_NOT_FOUND),
			errmsg("workspace " INT64_FORMAT " does not exist", workspace));
}

/* Builds the composite value that the function is declared to return. */
Datum
ot_return_row(FunctionCallInfo fcinfo, Datum *values, bool *nulls)
{
	TupleDesc descriptor;

	if (get_call_result_type(fcinfo, NULL, &descriptor) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), values, nulls));
}

/* Returns all rows of the last result, whose columns are those of the function's set. */
void
ot_return_rows(FunctionCallInfo fcinfo, uint64 count)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Datum *values;
	bool *nulls;

	InitMaterializedSRF(fcinfo, 0);
	values = palloc(sizeof(Datum) * result->setDesc->natts);
	nulls = palloc(sizeof(bool) * result->setDesc->natts);
	for (uint64 row = 0; row < count; row++)
	{
		ot_get_row_at(row, values, nulls);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
}

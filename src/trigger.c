/*
 * trigger.c
 *		What every trigger function begins with, and reading columns by name.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "nodes/value.h"
#include "parser/parse_func.h"
#include "replication/logicalworker.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/rel.h"
#include "utils/typcache.h"

#include "ordertrack.h"

#define LAST_NUMBERS 61

/* Gives the trigger's data; a call as a plain function is refused. */
TriggerData *
ot_trigger_data(FunctionCallInfo fcinfo, const char *name)
{
	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR, errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				errmsg("function \"%s\" can only be called as a trigger", name));
	return (TriggerData *) fcinfo->context;
}

/*
 * Tells whether a subscription applies changes: they are another server's
 * finished history and come with their notes, so nothing is to be added.
 */
bool
ot_in_replication(void)
{
	return IsLogicalWorker();
}

/* Has another trigger function of ours do its work, with its rights and settings. */
void
ot_trigger_call(const char *name, const TriggerData *trigger)
{
	List *names = list_make2(makeString("ordertrack"), makeString(pstrdup(name)));
	FmgrInfo function;

	LOCAL_FCINFO(call, 0);

	fmgr_info(LookupFuncName(names, 0, NULL, false), &function);
	InitFunctionCallInfoData(*call, &function, 0, InvalidOid, (fmNodePtr) trigger, NULL);
	(void) FunctionCallInvoke(call);
}

/*
 * Finds a column's number.  The number that a name had the last time is looked at
 * first; it is nearly always right, and SPI_fnumber() would compare all names.
 */
int
ot_column(const TriggerData *trigger, const char *column)
{
	static int last_numbers[LAST_NUMBERS];
	TupleDesc descriptor = RelationGetDescr(trigger->tg_relation);
	int *number = &last_numbers[(uintptr_t) column / 8 % LAST_NUMBERS];

	if (*number > 0 && *number <= descriptor->natts &&
		namestrcmp(&TupleDescAttr(descriptor, *number - 1)->attname, column) == 0)
		return *number;
	*number = SPI_fnumber(descriptor, column);
	if (*number <= 0)
		elog(ERROR, "table \"%s\" has no column \"%s\"",
			 RelationGetRelationName(trigger->tg_relation), column);
	return *number;
}

/* Reads a column by name. */
Datum
ot_tuple_datum(const TriggerData *trigger, HeapTuple tuple, const char *column,
			   bool *is_null)
{
	return heap_getattr(tuple, ot_column(trigger, column),
						RelationGetDescr(trigger->tg_relation), is_null);
}

/* Reads a bigint or timestamptz; NULL is 0. */
int64
ot_tuple_int8(const TriggerData *trigger, HeapTuple tuple, const char *column)
{
	bool is_null;
	Datum value = ot_tuple_datum(trigger, tuple, column, &is_null);

	return is_null ? 0 : DatumGetInt64(value);
}

/* Reads an integer; NULL is 0. */
int32
ot_tuple_int4(const TriggerData *trigger, HeapTuple tuple, const char *column)
{
	bool is_null;
	Datum value = ot_tuple_datum(trigger, tuple, column, &is_null);

	return is_null ? 0 : DatumGetInt32(value);
}

/* Reads a text; NULL is NULL. */
char *
ot_tuple_text(const TriggerData *trigger, HeapTuple tuple, const char *column)
{
	bool is_null;
	Datum value = ot_tuple_datum(trigger, tuple, column, &is_null);

	return is_null ? NULL : TextDatumGetCString(value);
}

/* Tells whether an UPDATE changes the bytes of a column. */
bool
ot_tuple_differs(const TriggerData *trigger, int attribute)
{
	TupleDesc descriptor = RelationGetDescr(trigger->tg_relation);
	Form_pg_attribute column = TupleDescAttr(descriptor, attribute - 1);
	bool was_null;
	bool is_null;
	Datum before = heap_getattr(trigger->tg_trigtuple, attribute, descriptor, &was_null);
	Datum after = heap_getattr(trigger->tg_newtuple, attribute, descriptor, &is_null);

	if (was_null || is_null)
		return was_null != is_null;
	return !datum_image_eq(before, after, column->attbyval, column->attlen);
}

/*
 * clear.c
 *		Reads the argument clear of functions that change what is passed: the
 *		names of the fields to empty.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "errcodes.h"
#include "ordertrack.h"

static int find_field(const char *name, const char *const *names, int count);
static char *list_fields(const char *const *names, int count);

/*
 * Marks the fields that the argument names; NULL names none.  A name that is
 * NULL is of a field that can't be emptied.
 */
void
ot_clear_arg(FunctionCallInfo fcinfo, int n, const char *const *names, int count,
			 const bool *is_set, bool *is_cleared)
{
	Datum *fields;
	bool *nulls;
	int field_count;

	if (PG_ARGISNULL(n))
		return;
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(n), TEXTOID, -1, false, TYPALIGN_INT, &fields,
					  &nulls, &field_count);
	for (int i = 0; i < field_count; i++)
	{
		int field;

		if (nulls[i])
			ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
					errmsg("argument \"clear\" must not contain null"));
		field = find_field(TextDatumGetCString(fields[i]), names, count);
		if (is_set[field])
			ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
					errmsg("field \"%s\" is both set and cleared", names[field]));
		is_cleared[field] = true;
	}
}

static int
find_field(const char *name, const char *const *names, int count)
{
	for (int i = 0; i < count; i++)
		if (names[i] != NULL && strcmp(name, names[i]) == 0)
			return i;
	ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
			errmsg("field \"%s\" cannot be cleared", name),
			errdetail("Fields that can be cleared are %s.", list_fields(names, count)));
	return -1;
}

static char *
list_fields(const char *const *names, int count)
{
	StringInfoData list;
	const char *last = NULL;

	initStringInfo(&list);
	for (int i = 0; i < count; i++)
	{
		if (names[i] == NULL)
			continue;
		if (last != NULL)
			appendStringInfo(&list, "%s%s", list.len > 0 ? ", " : "", last);
		last = names[i];
	}
	appendStringInfo(&list, " and %s", last);
	return list.data;
}

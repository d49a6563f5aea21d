/*
 * export.c
 *		Builds the SELECT of an export.
 *
 * What a caller names is compared with the columns of the view, and what a
 * caller compares with is a quoted literal, so that the text is safe to run
 * whatever the arguments hold.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

#include "errcodes.h"
#include "ordertrack.h"
#include "plan.h"

typedef struct Column
{
	char *name;
	bool is_jsonb;
	bool is_text;
} Column;

typedef struct Export
{
	const char *what;
	int count;
	Column *columns;
} Export;

static void read_columns(Export *export, const char *what);
static const Column *find_column(const Export *export, const char *name);
static char *list_columns(const Export *export);
static void add_columns(StringInfo query, const Export *export, ArrayType *names);
static void add_filter(StringInfo query, const Export *export, Jsonb *filter);
static void add_condition(StringInfo query, const Column *column, JsonbValue *value);
static void add_one_of(StringInfo query, const Column *column, JsonbContainer *array);
static const char *scalar_literal(const Column *column, const JsonbValue *value);
static const char *text_literal(const Column *column, const char *text);
static void refuse_filter(const Column *column) pg_attribute_noreturn();
static void add_sort(StringInfo query, const Export *export, const char *sort);

PG_FUNCTION_INFO_V1(ordertrack_export_query);

/* Builds a SELECT over an export view, for COPY, \gexec or \copy. */
Datum
ordertrack_export_query(PG_FUNCTION_ARGS)
{
	const char *what = ot_required_text_arg(fcinfo, 0, "what", OT_MAX_TEXT);
	ArrayType *columns = PG_ARGISNULL(1) ? NULL : PG_GETARG_ARRAYTYPE_P(1);
	Jsonb *filter = ot_object_arg(fcinfo, 2, "filter");
	const char *sort = ot_text_arg(fcinfo, 3, "sort", OT_MAX_TEXT);
	int64 workspace = ot_workspace_arg(fcinfo, 4);
	StringInfoData query;
	Export export;

	initStringInfo(&query);
	ot_begin();
	read_columns(&export, what);
	ot_require_workspace(workspace);
	appendStringInfoString(&query, "SELECT ");
	add_columns(&query, &export, columns);
	appendStringInfo(&query, " FROM ordertrack.%s WHERE workspace_id = " INT64_FORMAT,
					 quote_identifier(psprintf("export_%s", what)), workspace);
	if (filter != NULL)
		add_filter(&query, &export, filter);
	if (sort != NULL)
		add_sort(&query, &export, sort);
	ot_end();
	PG_RETURN_TEXT_P(cstring_to_text_with_len(query.data, query.len));
}

/* Reads the columns of an export view, or says which exports there are. */
static void
read_columns(Export *export, const char *what)
{
	OtArgs args = {0};
	OtArgs no_args = {0};

	export->what = what;
	ot_arg_text(&args, what);
	export->count = (int) ot_read(OT_PLAN_EXPORT_COLUMNS, &args);
	if (export->count == 0)
	{
		ot_read(OT_PLAN_EXPORT_VIEWS, &no_args);
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("export \"%s\" does not exist", what),
				errdetail("Exports are: %s.", ot_get_text(0, 1)));
	}
	export->columns = palloc(export->count * sizeof(Column));
	for (int i = 0; i < export->count; i++)
	{
		export->columns[i].name = ot_get_text(i, 1);
		export->columns[i].is_jsonb = ot_get_bool(i, 2);
		export->columns[i].is_text = ot_get_bool(i, 3);
	}
}

/* Finds a column, or says which ones there are. */
static const Column *
find_column(const Export *export, const char *name)
{
	for (int i = 0; i < export->count; i++)
		if (strcmp(export->columns[i].name, name) == 0)
			return &export->columns[i];
	ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
			errmsg("unknown column \"%s\" of export \"%s\"", name, export->what),
			errdetail("Columns are: %s.", list_columns(export)));
	return NULL;
}

static char *
list_columns(const Export *export)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < export->count; i++)
		appendStringInfo(&list, "%s%s", i > 0 ? ", " : "", export->columns[i].name);
	return list.data;
}

/* Adds the chosen columns, all where none are chosen. */
static void
add_columns(StringInfo query, const Export *export, ArrayType *names)
{
	Datum *elements;
	bool *nulls;
	int count;

	if (names == NULL)
	{
		for (int i = 0; i < export->count; i++)
			appendStringInfo(query, "%s%s", i > 0 ? ", " : "",
							 quote_identifier(export->columns[i].name));
		return;
	}
	deconstruct_array(names, TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &count);
	if (count == 0)
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("argument \"columns\" must not be empty"));
	for (int i = 0; i < count; i++)
	{
		const Column *column;

		if (nulls[i])
			ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
					errmsg("argument \"columns\" must not contain null"));
		column = find_column(export, TextDatumGetCString(elements[i]));
		appendStringInfo(query, "%s%s", i > 0 ? ", " : "",
						 quote_identifier(column->name));
	}
}

/* Adds a condition for each field of the filter. */
static void
add_filter(StringInfo query, const Export *export, Jsonb *filter)
{
	JsonbIterator *iterator = JsonbIteratorInit(&filter->root);
	JsonbIteratorToken token;
	JsonbValue key;
	JsonbValue value;

	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		char *name;

		if (token != WJB_KEY)
			continue;
		name = pnstrdup(key.val.string.val, key.val.string.len);
		(void) JsonbIteratorNext(&iterator, &value, true);
		appendStringInfoString(query, " AND ");
		add_condition(query, find_column(export, name), &value);
	}
}

static void
add_condition(StringInfo query, const Column *column, JsonbValue *value)
{
	const char *name = quote_identifier(column->name);

	if (value->type == jbvNull)
		appendStringInfo(query, "%s IS NULL", name);
	else if (column->is_jsonb)
	{
		if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
			refuse_filter(column);
		appendStringInfo(query, "%s @> %s", name,
						 quote_literal_cstr(ot_json_to_text(JsonbValueToJsonb(value))));
	}
	else if (value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data))
		add_one_of(query, column, value->val.binary.data);
	else if (value->type == jbvBinary)
		refuse_filter(column);
	else
		appendStringInfo(query, "%s = %s", name, scalar_literal(column, value));
}

/* Adds that a column is one of the scalars in an array, which may be null. */
static void
add_one_of(StringInfo query, const Column *column, JsonbContainer *array)
{
	const char *name = quote_identifier(column->name);
	JsonbIterator *iterator = JsonbIteratorInit(array);
	JsonbIteratorToken token;
	JsonbValue value;
	StringInfoData literals;
	bool has_null = false;

	initStringInfo(&literals);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token != WJB_ELEM)
			continue;
		if (value.type == jbvBinary)
			refuse_filter(column);
		if (value.type == jbvNull)
			has_null = true;
		else
			appendStringInfo(&literals, "%s%s", literals.len > 0 ? ", " : "",
							 scalar_literal(column, &value));
	}
	if (literals.len > 0 && has_null)
		appendStringInfo(query, "(%s IN (%s) OR %s IS NULL)", name, literals.data, name);
	else if (literals.len > 0)
		appendStringInfo(query, "%s IN (%s)", name, literals.data);
	else if (has_null)
		appendStringInfo(query, "%s IS NULL", name);
	else
		appendStringInfoString(query, "false");
}

/* Spells a string, number or boolean as an SQL literal. */
static const char *
scalar_literal(const Column *column, const JsonbValue *value)
{
	switch (value->type)
	{
		case jbvString:
			return text_literal(column,
								pnstrdup(value->val.string.val, value->val.string.len));
		case jbvNumeric:
			return text_literal(column, numeric_normalize(value->val.numeric));
		case jbvBool:
			return value->val.boolean ? "'true'" : "'false'";
		default:
			elog(ERROR, "unexpected type %d of a JSON scalar", (int) value->type);
	}
	return NULL;
}

/* Export views hold a text that would run as a formula behind an apostrophe. */
static const char *
text_literal(const Column *column, const char *text)
{
	if (column->is_text && *text != '\0' && strchr("=+-@\t\r", *text) != NULL)
		text = psprintf("'%s", text);
	return quote_literal_cstr(text);
}

static void
refuse_filter(const Column *column)
{
	if (column->is_jsonb)
		ereport(
			ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
			errmsg("filter of column \"%s\" must be an object or null", column->name));
	ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
			errmsg("filter of column \"%s\" must be a string, number, boolean, null, "
				   "or an array of those",
				   column->name));
}

/* Adds the order: a column, "-" before it for descending. */
static void
add_sort(StringInfo query, const Export *export, const char *sort)
{
	bool is_descending = *sort == '-';
	const Column *column = find_column(export, is_descending ? sort + 1 : sort);

	appendStringInfo(query, " ORDER BY %s%s", quote_identifier(column->name),
					 is_descending ? " DESC" : "");
}

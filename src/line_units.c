/*
 * line_units.c
 *		Units of an order's lines, as callers name them in shipments and returns:
 *		[{"line_no": 1, "quantity": 2}].
 */
#include "postgres.h"

#include "catalog/pg_type.h"

#include "errcodes.h"
#include "line_units.h"

static void read_element(const JsonbValue *element, const char *name, OtLineUnits *units);
static void refuse(const char *name, const char *problem) pg_attribute_noreturn();

/* Reads the argument; NULL, which means all that there is, gives NULL. */
OtLineUnits *
ot_line_units_arg(FunctionCallInfo fcinfo, int n, const char *name)
{
	OtLineUnits *units;
	JsonbContainer *array;
	Jsonb *value;

	if (PG_ARGISNULL(n))
		return NULL;
	value = PG_GETARG_JSONB_P(n);
	array = &value->root;
	if (!JB_ROOT_IS_ARRAY(value) || JB_ROOT_IS_SCALAR(value))
		refuse(name, "It must be an array of objects.");
	if (JsonContainerSize(array) == 0)
		refuse(name, "It must name a line.");
	if (JsonContainerSize(array) > OT_MAX_LINES)
		refuse(name, psprintf("An order has at most %d lines.", OT_MAX_LINES));
	units = ot_line_units_make((int) JsonContainerSize(array));
	for (int i = 0; i < (int) JsonContainerSize(array); i++)
		read_element(getIthJsonbValueFromContainer(array, i), name, units);
	return units;
}

/* Makes room for units of so many lines. */
OtLineUnits *
ot_line_units_make(int most)
{
	OtLineUnits *units = palloc0(sizeof(OtLineUnits));

	units->lines = palloc0(sizeof(OtLineQuantity) * Max(most, 1));
	return units;
}

static void
read_element(const JsonbValue *element, const char *name, OtLineUnits *units)
{
	OtLineQuantity *line = &units->lines[units->count];
	JsonbContainer *object;
	int64 line_no;

	if (element->type != jbvBinary || !JsonContainerIsObject(element->val.binary.data))
		refuse(name, "It must be an array of objects.");
	object = element->val.binary.data;
	if (JsonContainerSize(object) != 2 ||
		ot_json_int8(object, "line_no", &line_no) != OT_NUMBER_OK ||
		ot_json_int8(object, "quantity", &line->quantity) != OT_NUMBER_OK)
		refuse(name, "Each element has a line_no and a quantity, whole numbers.");
	if (line->quantity < 1)
		refuse(name, "A quantity is at least 1.");
	if (line_no < 1 || line_no > PG_INT32_MAX)
		refuse(name, "Lines are numbered from 1.");
	line->line_no = (int32) line_no;
	for (int i = 0; i < units->count; i++)
		if (units->lines[i].line_no == line->line_no)
			refuse(name, "A line is named twice.");
	units->count++;
}

static void
refuse(const char *name, const char *problem)
{
	ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
			errmsg("argument \"%s\" is not valid", name), errdetail("%s", problem));
}

/* Adds line numbers and quantities to a statement's parameters, as two arrays. */
void
ot_arg_line_units(OtArgs *args, const OtLineUnits *units)
{
	Datum *line_nos = palloc(sizeof(Datum) * Max(units->count, 1));
	Datum *quantities = palloc(sizeof(Datum) * Max(units->count, 1));

	for (int i = 0; i < units->count; i++)
	{
		line_nos[i] = Int64GetDatum(units->lines[i].line_no);
		quantities[i] = Int64GetDatum(units->lines[i].quantity);
	}
	ot_arg(args,
		   PointerGetDatum(construct_array(line_nos, units->count, INT8OID, sizeof(int64),
										   FLOAT8PASSBYVAL, TYPALIGN_DOUBLE)));
	ot_arg(args, PointerGetDatum(construct_array(quantities, units->count, INT8OID,
												 sizeof(int64), FLOAT8PASSBYVAL,
												 TYPALIGN_DOUBLE)));
}

/* Adds the units to a note's data, as "items". */
void
ot_line_units_describe(const OtLineUnits *units, OtJson *json)
{
	ot_json_open_array(json, "items");
	for (int i = 0; i < units->count; i++)
	{
		ot_json_open_element(json);
		ot_json_add_int8(json, "line_no", units->lines[i].line_no);
		ot_json_add_int8(json, "quantity", units->lines[i].quantity);
		ot_json_close(json);
	}
	ot_json_close_array(json);
}

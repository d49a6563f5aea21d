/*
 * order_state_json.c
 *		An order's state as the document that people see, and back.
 */
#include "postgres.h"

#include "utils/numeric.h"

#include "order_state.h"

static void read_elements(OtOrderState *state, OtPart part, JsonbContainer *array);
static void read_lines(OtOrderState *state, OtThing element, JsonbContainer *array);
static void keep_what_is_set(const OtOrderState *state, OtOrderState *present);
static int write_fields(OtJson *json, const OtOrderState *state, OtThing thing,
						int place);
static int write_element(OtJson *json, const OtOrderState *state, int place);
static int write_lines(OtJson *json, const OtOrderState *state, OtThing element,
					   int place);
static bool is_of(const OtValue *value, OtThing element);

/* Takes a value as jsonb holds it; what is no such value takes it away. */
void
ot_state_take(OtOrderState *state, OtThing thing, OtField field, const JsonbValue *value)
{
	int64 number;

	if (value != NULL && ot_field_kinds[field].is_number &&
		ot_json_value_int8(value, &number) == OT_NUMBER_OK)
		ot_state_set_number(state, thing, field, number);
	else if (value != NULL && !ot_field_kinds[field].is_number &&
			 value->type == jbvString)
		ot_state_set_text(state, thing, field,
						  pnstrdup(value->val.string.val, value->val.string.len));
	else
		ot_state_unset(state, thing, field);
}

/* Takes fields from an object that has them under their names. */
void
ot_state_take_fields(OtOrderState *state, OtThing thing, OtFields fields,
					 JsonbContainer *object)
{
	for (OtField field = 0; field < OT_FIELD_COUNT; field++)
		if (fields & OT_FIELD_BIT(field))
			ot_state_take(state, thing, field,
						  ot_json_find(object, ot_field_kinds[field].name));
}

/* Takes a whole document, as ot_state_to_json() gives it, into an empty state. */
void
ot_state_read(OtOrderState *state, const Jsonb *document)
{
	JsonbContainer *object = unconstify(JsonbContainer *, &document->root);
	OtThing order = {OT_PART_ORDER, 0, 0};

	ot_state_take_fields(state, order, ot_part_kinds[OT_PART_ORDER].fields, object);
	for (OtPart part = OT_PART_ITEM; part < OT_PART_COUNT; part++)
	{
		JsonbContainer *array = ot_json_find_array(object, ot_part_kinds[part].name);

		if (array != NULL)
			read_elements(state, part, array);
	}
}

static void
read_elements(OtOrderState *state, OtPart part, JsonbContainer *array)
{
	const OtPartKind *kind = &ot_part_kinds[part];
	OtThing element = {part, 0, 0};

	for (int i = 0; i < (int) JsonContainerSize(array); i++)
	{
		JsonbContainer *object = ot_json_element(array, i);
		JsonbContainer *lines;

		if (object == NULL ||
			ot_json_int8(object, kind->id_name, &element.id) != OT_NUMBER_OK)
			continue;
		ot_state_take_fields(state, element, kind->fields, object);
		lines = kind->line_fields != 0 ? ot_json_find_array(object, "items") : NULL;
		if (lines != NULL)
			read_lines(state, element, lines);
	}
}

static void
read_lines(OtOrderState *state, OtThing element, JsonbContainer *array)
{
	OtThing line = element;

	for (int i = 0; i < (int) JsonContainerSize(array); i++)
	{
		JsonbContainer *object = ot_json_element(array, i);

		if (object != NULL &&
			ot_json_int8(object, "line_no", &line.line_no) == OT_NUMBER_OK)
			ot_state_take_fields(state, line, ot_part_kinds[element.part].line_fields,
								 object);
	}
}

/* Writes the document; each array is there, also without elements. */
Jsonb *
ot_state_to_json(const OtOrderState *state, int64 order_id)
{
	OtThing order = {OT_PART_ORDER, 0, 0};
	OtOrderState present;
	OtJson json;
	int place;

	keep_what_is_set(state, &present);
	ot_json_begin(&json);
	ot_json_add_int8(&json, "order_id", order_id);
	ot_json_add_int8(&json, "note_no", state->note_no);
	place = write_fields(&json, &present, order, 0);
	for (OtPart part = OT_PART_ITEM; part < OT_PART_COUNT; part++)
	{
		ot_json_open_array(&json, ot_part_kinds[part].name);
		while (place < present.count && present.values[place].thing.part == part)
			place = write_element(&json, &present, place);
		ot_json_close_array(&json);
	}
	return ot_json_end(&json);
}

static void
keep_what_is_set(const OtOrderState *state, OtOrderState *present)
{
	*present = *state;
	present->values =
		palloc_extended(sizeof(OtValue) * Max(state->count, 1), MCXT_ALLOC_HUGE);
	present->count = 0;
	for (int i = 0; i < state->count; i++)
		if (state->values[i].is_set)
			present->values[present->count++] = state->values[i];
}

/* Writes the fields of one thing; gives the place behind them, as the next one does. */
static int
write_fields(OtJson *json, const OtOrderState *state, OtThing thing, int place)
{
	for (; place < state->count; place++)
	{
		const OtValue *value = &state->values[place];
		const OtFieldKind *kind = &ot_field_kinds[value->field];

		if (!is_of(value, thing) || value->thing.line_no != thing.line_no)
			break;
		if (kind->is_number)
			ot_json_add_int8(json, kind->name, value->number);
		else
			ot_json_add_text(json, kind->name, value->text);
	}
	return place;
}

/* Writes a line, shipment, payment or return. */
static int
write_element(OtJson *json, const OtOrderState *state, int place)
{
	OtThing thing = state->values[place].thing;
	const OtPartKind *kind = &ot_part_kinds[thing.part];

	ot_json_open_element(json);
	ot_json_add_int8(json, kind->id_name, thing.id);
	thing.line_no = 0;
	place = write_fields(json, state, thing, place);
	if (kind->line_fields != 0)
		place = write_lines(json, state, thing, place);
	ot_json_close(json);
	return place;
}

/* Writes the lines that an element has of its own. */
static int
write_lines(OtJson *json, const OtOrderState *state, OtThing element, int place)
{
	ot_json_open_array(json, "items");
	while (place < state->count && is_of(&state->values[place], element))
	{
		OtThing line = state->values[place].thing;

		ot_json_open_element(json);
		ot_json_add_int8(json, "line_no", line.line_no);
		place = write_fields(json, state, line, place);
		ot_json_close(json);
	}
	ot_json_close_array(json);
	return place;
}

/* Tells whether a value is of an element, or of one of its lines. */
static bool
is_of(const OtValue *value, OtThing element)
{
	return value->thing.part == element.part && value->thing.id == element.id;
}

/* Names the place of a value in the document, by ids: shipments[17].items[2].quantity. */
char *
ot_value_path(const OtValue *value)
{
	const OtThing *thing = &value->thing;
	const char *part = ot_part_kinds[thing->part].name;
	const char *field = ot_field_kinds[value->field].name;

	if (thing->part == OT_PART_ORDER)
		return pstrdup(field);
	if (thing->line_no == 0)
		return psprintf("%s[" INT64_FORMAT "].%s", part, thing->id, field);
	return psprintf("%s[" INT64_FORMAT "].items[" INT64_FORMAT "].%s", part, thing->id,
					thing->line_no, field);
}

/* Gives a value that is set as jsonb. */
Jsonb *
ot_value_to_json(const OtValue *value)
{
	JsonbValue scalar;

	if (ot_field_kinds[value->field].is_number)
	{
		scalar.type = jbvNumeric;
		scalar.val.numeric = int64_to_numeric(value->number);
	}
	else
	{
		scalar.type = jbvString;
		scalar.val.string.val = unconstify(char *, value->text);
		scalar.val.string.len = strlen(value->text);
	}
	return JsonbValueToJsonb(&scalar);
}

/*
 * order_state_note.c
 *		What a note does to an order's state: no SQL, no clock.
 *
 * Notes may have been tampered with, so nothing is taken for granted: what can't
 * be read is left out, and no note is an error.
 */
#include "postgres.h"

#include "common/int.h"

#include "order_state.h"

#define BIT(name) OT_FIELD_BIT(OT_FIELD_##name)

/* What the note of the order's creation tells of it, and of each line. */
#define CREATED_FIELDS                                                                   \
	(BIT(STATUS) | BIT(AMOUNT) | BIT(DISCOUNT_AMOUNT) | BIT(VALUE_IN_POINTS) |           \
	 BIT(DATA_SOURCE) | BIT(CUSTOMER_ID))
#define LINE_FIELDS                                                                      \
	(BIT(PRODUCT_ID) | BIT(SKU) | BIT(NAME) | BIT(COLOR) | BIT(SIZE) | BIT(QUANTITY) |   \
	 BIT(PRICE) | BIT(AMOUNT))

/* What the first note of a payment or return tells of it under a name of its own. */
static const OtFields begun_fields[OT_PART_COUNT] = {
	[OT_PART_PAYMENT] =
		BIT(TRANSACTION_TYPE) | BIT(METHOD) | BIT(AMOUNT) | BIT(RETURN_ID),
	[OT_PART_RETURN] = BIT(EXCHANGE_ORDER_ID)};

/* A note is about the first of these whose id it has, else about the order. */
static const OtPart told_parts[] = {OT_PART_PAYMENT, OT_PART_RETURN, OT_PART_SHIPMENT};

static const char *const status_keys[OT_PART_COUNT] = {
	[OT_PART_PAYMENT] = "payment_status",
	[OT_PART_RETURN] = "return_status",
	[OT_PART_SHIPMENT] = "shipment_status"};

static const OtThing the_order = {OT_PART_ORDER, 0, 0};

static void begin_order(OtOrderState *state, JsonbContainer *data);
static void change(OtOrderState *state, JsonbContainer *data);
static void change_order(OtOrderState *state, JsonbContainer *data);
static void add_up(OtOrderState *state);
static void replace_lines(OtOrderState *state, JsonbContainer *array);
static void give_on_lines(OtOrderState *state, JsonbContainer *array);
static void begin_line(OtOrderState *state, OtThing line, JsonbContainer *object);
static void give_on_line(OtOrderState *state, OtThing line, JsonbContainer *object);
static void change_element(OtOrderState *state, OtThing element, JsonbContainer *data);
static void begin_units(OtOrderState *state, OtThing element, JsonbContainer *data);
static void receive_units(OtOrderState *state, OtThing element, JsonbContainer *data);
static void move(OtOrderState *state, OtThing thing, JsonbContainer *data,
				 const char *key);
static void take_new(OtOrderState *state, OtThing thing, OtField field,
					 JsonbContainer *data, const char *key);
static void add_to(OtOrderState *state, OtThing thing, OtField field,
				   JsonbContainer *object, const char *key);
static bool read_id(JsonbContainer *object, const char *key, int64 *id);

/* Counts a note; before that of the order's creation there is nothing to change. */
void
ot_state_apply(OtOrderState *state, int32 note_no, const OtNote *note)
{
	JsonbContainer *data;

	state->note_no = note_no;
	state->noted_at = note->created_at;
	if (note->is_custom || note->data == NULL || !ot_json_is_object(note->data))
		return;
	data = &note->data->root;
	/* An operator may have given that name to a move as well. */
	if (!state->has_begun && strcmp(note->event_type, "order_created") == 0)
		begin_order(state, data);
	else if (state->has_begun && strcmp(note->event_type, "transition_refused") != 0)
		change(state, data);
}

static void
begin_order(OtOrderState *state, JsonbContainer *data)
{
	state->has_begun = true;
	ot_state_take_fields(state, the_order, CREATED_FIELDS, data);
	add_up(state);
	replace_lines(state, ot_json_find_array(data, "items"));
}

static void
change(OtOrderState *state, JsonbContainer *data)
{
	move(state, the_order, data, "status");
	for (int i = 0; i < lengthof(told_parts); i++)
	{
		OtThing element = {told_parts[i], 0, 0};

		if (read_id(data, ot_part_kinds[element.part].id_name, &element.id))
		{
			change_element(state, element, data);
			return;
		}
	}
	change_order(state, data);
}

/* Items are what a redemption gives on lines, or old and new lines as a whole. */
static void
change_order(OtOrderState *state, JsonbContainer *data)
{
	JsonbContainer *given = ot_json_find_array(data, "items");
	JsonbContainer *replaced = ot_json_find_object(data, "items");
	JsonbValue *customer_id = ot_json_find(data, "customer_id");

	take_new(state, the_order, OT_FIELD_AMOUNT, data, "amount");
	take_new(state, the_order, OT_FIELD_AMOUNT, data, "order_amount");
	take_new(state, the_order, OT_FIELD_DISCOUNT_AMOUNT, data, "discount_amount");
	take_new(state, the_order, OT_FIELD_DATA_SOURCE, data, "data_source");
	take_new(state, the_order, OT_FIELD_VALUE_IN_POINTS, data, "value_in_points");
	if (customer_id != NULL)
		ot_state_take(state, the_order, OT_FIELD_CUSTOMER_ID, customer_id);
	add_up(state);
	if (given != NULL)
		give_on_lines(state, given);
	else if (replaced != NULL)
		replace_lines(state, ot_json_find_array(replaced, "new"));
}

static void
add_up(OtOrderState *state)
{
	const OtValue *amount = ot_state_find(state, the_order, OT_FIELD_AMOUNT);
	const OtValue *discount = ot_state_find(state, the_order, OT_FIELD_DISCOUNT_AMOUNT);
	int64 total;

	if (amount == NULL || discount == NULL ||
		pg_sub_s64_overflow(amount->number, discount->number, &total))
		ot_state_unset(state, the_order, OT_FIELD_TOTAL_AMOUNT);
	else
		ot_state_set_number(state, the_order, OT_FIELD_TOTAL_AMOUNT, total);
}

/* Takes all lines, numbered from 1; NULL is no line. */
static void
replace_lines(OtOrderState *state, JsonbContainer *array)
{
	int64 count = array == NULL ? 0 : JsonContainerSize(array);

	for (int i = 0; i < count; i++)
	{
		JsonbContainer *object = ot_json_element(array, i);
		OtThing line = {OT_PART_ITEM, i + 1, 0};

		if (object == NULL)
		{
			ot_state_remove(state, OT_PART_ITEM, line.id);
			continue;
		}
		ot_state_take_fields(state, line, LINE_FIELDS, object);
		ot_state_set_number(state, line, OT_FIELD_DISCOUNT_AMOUNT, 0);
	}
	for (int i = 0; i < state->count; i++)
		if (state->values[i].thing.part == OT_PART_ITEM &&
			state->values[i].thing.id > count)
			ot_state_unset(state, state->values[i].thing, state->values[i].field);
}

static void
give_on_lines(OtOrderState *state, JsonbContainer *array)
{
	for (int i = 0; i < (int) JsonContainerSize(array); i++)
	{
		JsonbContainer *object = ot_json_element(array, i);
		OtThing line = {OT_PART_ITEM, 0, 0};

		if (object == NULL || !read_id(object, "line_no", &line.id))
			continue;
		if (ot_state_has(state, OT_PART_ITEM, line.id))
			give_on_line(state, line, object);
		else
			begin_line(state, line, object);
	}
}

/* Begins a line that is made of given units alone. */
static void
begin_line(OtOrderState *state, OtThing line, JsonbContainer *object)
{
	int64 quantity;

	if (ot_json_int8(object, "quantity", &quantity) == OT_NUMBER_OK && quantity > 0)
		ot_state_take_fields(state, line, LINE_FIELDS | BIT(DISCOUNT_AMOUNT), object);
}

/* Adds to a line, or takes from it; without any unit it goes. */
static void
give_on_line(OtOrderState *state, OtThing line, JsonbContainer *object)
{
	const OtValue *quantity;

	add_to(state, line, OT_FIELD_QUANTITY, object, "quantity");
	add_to(state, line, OT_FIELD_AMOUNT, object, "amount");
	add_to(state, line, OT_FIELD_DISCOUNT_AMOUNT, object, "discount_amount");
	quantity = ot_state_find(state, line, OT_FIELD_QUANTITY);
	if (quantity != NULL && quantity->number <= 0)
		ot_state_remove(state, line.part, line.id);
}

/* Changes a shipment, payment or return; one comes to be by a note of its status. */
static void
change_element(OtOrderState *state, OtThing element, JsonbContainer *data)
{
	const char *status_key = status_keys[element.part];
	bool is_new = !ot_state_has(state, element.part, element.id);

	if (is_new && ot_json_find_object(data, status_key) == NULL)
		return;
	move(state, element, data, status_key);
	if (is_new)
	{
		ot_state_take_fields(state, element, begun_fields[element.part], data);
		begin_units(state, element, data);
	}
	else if (element.part == OT_PART_RETURN)
		receive_units(state, element, data);
	if (element.part == OT_PART_SHIPMENT)
	{
		take_new(state, element, OT_FIELD_CARRIER, data, "carrier");
		take_new(state, element, OT_FIELD_TRACKING_NUMBER, data, "tracking_number");
	}
	else if (element.part == OT_PART_RETURN &&
			 ot_json_find(data, "refund_amount") != NULL)
		ot_state_take_fields(state, element, BIT(REFUND_AMOUNT), data);
}

/* Takes the units of lines that a shipment or return has from its first note. */
static void
begin_units(OtOrderState *state, OtThing element, JsonbContainer *data)
{
	JsonbContainer *array = ot_json_find_array(data, "items");
	OtThing line = element;

	if (array == NULL || ot_part_kinds[element.part].line_fields == 0)
		return;
	for (int i = 0; i < (int) JsonContainerSize(array); i++)
	{
		JsonbContainer *object = ot_json_element(array, i);

		if (object == NULL || !read_id(object, "line_no", &line.line_no))
			continue;
		ot_state_take_fields(state, line, BIT(QUANTITY), object);
		if (element.part == OT_PART_RETURN)
			ot_state_set_number(state, line, OT_FIELD_RECEIVED_QUANTITY, 0);
	}
}

static void
receive_units(OtOrderState *state, OtThing element, JsonbContainer *data)
{
	JsonbContainer *array = ot_json_find_array(data, "items");
	OtThing line = element;

	if (array == NULL)
		return;
	for (int i = 0; i < (int) JsonContainerSize(array); i++)
	{
		JsonbContainer *object = ot_json_element(array, i);

		if (object != NULL && read_id(object, "line_no", &line.line_no))
			add_to(state, line, OT_FIELD_RECEIVED_QUANTITY, object, "quantity");
	}
}

/* Follows a change of status; what is on hold remembers what it was. */
static void
move(OtOrderState *state, OtThing thing, JsonbContainer *data, const char *key)
{
	JsonbContainer *change = ot_json_find_object(data, key);
	JsonbValue *status = change == NULL ? NULL : ot_json_find(change, "new");
	const OtValue *now;
	bool is_held;

	if (status == NULL)
		return;
	ot_state_take(state, thing, OT_FIELD_STATUS, status);
	if ((ot_part_kinds[thing.part].fields & BIT(STATUS_BEFORE_HOLD)) == 0)
		return;
	now = ot_state_find(state, thing, OT_FIELD_STATUS);
	is_held = now != NULL && strcmp(now->text, "on_hold") == 0;
	ot_state_take(state, thing, OT_FIELD_STATUS_BEFORE_HOLD,
				  is_held ? ot_json_find(change, "old") : NULL);
}

/* Takes the new value of a change {"old": ..., "new": ...}; without one there is none. */
static void
take_new(OtOrderState *state, OtThing thing, OtField field, JsonbContainer *data,
		 const char *key)
{
	JsonbContainer *change = ot_json_find_object(data, key);

	if (change != NULL)
		ot_state_take(state, thing, field, ot_json_find(change, "new"));
}

/* Adds a number to one that is there. */
static void
add_to(OtOrderState *state, OtThing thing, OtField field, JsonbContainer *object,
	   const char *key)
{
	const OtValue *value = ot_state_find(state, thing, field);
	int64 number;
	int64 sum;

	if (value != NULL && ot_json_int8(object, key, &number) == OT_NUMBER_OK &&
		!pg_add_s64_overflow(value->number, number, &sum))
		ot_state_set_number(state, thing, field, sum);
}

/* Reads an id, which is never below 1. */
static bool
read_id(JsonbContainer *object, const char *key, int64 *id)
{
	return ot_json_int8(object, key, id) == OT_NUMBER_OK && *id >= 1;
}

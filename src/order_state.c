/*
 * order_state.c
 *		The values of which an order's state consists: no SQL, no clock.
 *
 * A value that is taken away stays in the list as one that is not set, so that it
 * is known which note did it.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "order_state.h"

#define FIRST_SIZE 32

#define BIT(name) OT_FIELD_BIT(OT_FIELD_##name)

const OtFieldKind ot_field_kinds[OT_FIELD_COUNT] = {
	[OT_FIELD_AMOUNT] = {"amount", true},
	[OT_FIELD_CARRIER] = {"carrier", false},
	[OT_FIELD_COLOR] = {"color", false},
	[OT_FIELD_CUSTOMER_ID] = {"customer_id", true},
	[OT_FIELD_DATA_SOURCE] = {"data_source", false},
	[OT_FIELD_DISCOUNT_AMOUNT] = {"discount_amount", true},
	[OT_FIELD_EXCHANGE_ORDER_ID] = {"exchange_order_id", true},
	[OT_FIELD_METHOD] = {"method", false},
	[OT_FIELD_NAME] = {"name", false},
	[OT_FIELD_PRICE] = {"price", true},
	[OT_FIELD_PRODUCT_ID] = {"product_id", false},
	[OT_FIELD_QUANTITY] = {"quantity", true},
	[OT_FIELD_RECEIVED_QUANTITY] = {"received_quantity", true},
	[OT_FIELD_REFUND_AMOUNT] = {"refund_amount", true},
	[OT_FIELD_RETURN_ID] = {"return_id", true},
	[OT_FIELD_SIZE] = {"size", false},
	[OT_FIELD_SKU] = {"sku", false},
	[OT_FIELD_STATUS] = {"status", false},
	[OT_FIELD_STATUS_BEFORE_HOLD] = {"status_before_hold", false},
	[OT_FIELD_TOTAL_AMOUNT] = {"total_amount", true},
	[OT_FIELD_TRACKING_NUMBER] = {"tracking_number", false},
	[OT_FIELD_TRANSACTION_TYPE] = {"transaction_type", false},
	[OT_FIELD_VALUE_IN_POINTS] = {"value_in_points", true}};

const OtPartKind ot_part_kinds[OT_PART_COUNT] = {
	[OT_PART_ORDER] = {NULL, NULL,
					   BIT(STATUS) | BIT(STATUS_BEFORE_HOLD) | BIT(AMOUNT) |
						   BIT(DISCOUNT_AMOUNT) | BIT(TOTAL_AMOUNT) |
						   BIT(VALUE_IN_POINTS) | BIT(DATA_SOURCE) | BIT(CUSTOMER_ID),
					   0},
	[OT_PART_ITEM] = {"items", "line_no",
					  BIT(PRODUCT_ID) | BIT(SKU) | BIT(NAME) | BIT(COLOR) | BIT(SIZE) |
						  BIT(QUANTITY) | BIT(PRICE) | BIT(AMOUNT) | BIT(DISCOUNT_AMOUNT),
					  0},
	[OT_PART_SHIPMENT] = {"shipments", "shipment_id",
						  BIT(STATUS) | BIT(STATUS_BEFORE_HOLD) | BIT(CARRIER) |
							  BIT(TRACKING_NUMBER),
						  BIT(QUANTITY)},
	[OT_PART_PAYMENT] = {"payments", "payment_id",
						 BIT(TRANSACTION_TYPE) | BIT(METHOD) | BIT(AMOUNT) | BIT(STATUS) |
							 BIT(RETURN_ID),
						 0},
	[OT_PART_RETURN] = {"returns", "return_id",
						BIT(STATUS) | BIT(EXCHANGE_ORDER_ID) | BIT(REFUND_AMOUNT),
						BIT(QUANTITY) | BIT(RECEIVED_QUANTITY)}};

static void put(OtOrderState *state, OtValue *value);
static void keep_text(const OtOrderState *state, OtValue *value);
static int find_place(const OtOrderState *state, OtThing thing, OtField field);
static int compare_keys(const OtValue *value, OtThing thing, OtField field);
static int compare_numbers(int64 a, int64 b);
static void make_room(OtOrderState *state, int place);
static bool is_same(const OtValue *a, const OtValue *b);

/*
 * Begins an empty state.  What it keeps is allocated where the caller is now, so
 * that notes can be read in a memory that is freed after each.
 */
void
ot_state_begin(OtOrderState *state)
{
	memset(state, 0, sizeof(*state));
	state->memory = CurrentMemoryContext;
}

/* Finds a value that is set, or NULL. */
const OtValue *
ot_state_find(const OtOrderState *state, OtThing thing, OtField field)
{
	int place = find_place(state, thing, field);

	if (place == state->count || compare_keys(&state->values[place], thing, field) != 0 ||
		!state->values[place].is_set)
		return NULL;
	return &state->values[place];
}

/* Tells whether an element of the order is there. */
bool
ot_state_has(const OtOrderState *state, OtPart part, int64 id)
{
	OtThing thing = {part, id, 0};

	for (int i = find_place(state, thing, 0); i < state->count; i++)
	{
		if (state->values[i].thing.part != part || state->values[i].thing.id != id)
			return false;
		if (state->values[i].is_set)
			return true;
	}
	return false;
}

/* Sets a number. */
void
ot_state_set_number(OtOrderState *state, OtThing thing, OtField field, int64 number)
{
	OtValue value = {.thing = thing, .field = field, .is_set = true, .number = number};

	put(state, &value);
}

/* Sets a text. */
void
ot_state_set_text(OtOrderState *state, OtThing thing, OtField field, const char *text)
{
	OtValue value = {.thing = thing, .field = field, .is_set = true, .text = text};

	put(state, &value);
}

/* Takes a value away. */
void
ot_state_unset(OtOrderState *state, OtThing thing, OtField field)
{
	OtValue value = {.thing = thing, .field = field};

	if (ot_state_find(state, thing, field) != NULL)
		put(state, &value);
}

/* Takes an element away, with its lines. */
void
ot_state_remove(OtOrderState *state, OtPart part, int64 id)
{
	OtThing first = {part, id, 0};

	for (int i = find_place(state, first, 0); i < state->count; i++)
	{
		const OtValue *value = &state->values[i];

		if (value->thing.part != part || value->thing.id != id)
			return;
		ot_state_unset(state, value->thing, value->field);
	}
}

/* Copies a state, which then may go on. */
void
ot_state_copy(OtOrderState *copy, const OtOrderState *state)
{
	*copy = *state;
	copy->size = Max(state->count, FIRST_SIZE);
	copy->values = MemoryContextAllocHuge(copy->memory, sizeof(OtValue) * copy->size);
	for (int i = 0; i < state->count; i++)
	{
		copy->values[i] = state->values[i];
		keep_text(copy, &copy->values[i]);
	}
}

/* Does work on every value that is not the same in both states, in their order. */
void
ot_state_compare(const OtOrderState *old, const OtOrderState *new, OtValueWork work,
				 void *context)
{
	int i = 0;
	int j = 0;

	while (i < old->count || j < new->count)
	{
		const OtValue *a = i < old->count ? &old->values[i] : NULL;
		const OtValue *b = j < new->count ? &new->values[j] : NULL;
		int order = a == NULL ? 1 : b == NULL ? -1 : compare_keys(a, b->thing, b->field);

		i += order <= 0 ? 1 : 0;
		j += order >= 0 ? 1 : 0;
		a = order <= 0 ? a : NULL;
		b = order >= 0 ? b : NULL;
		if (!is_same(a, b))
			work(context, a, b);
	}
}

/* Stores a value under the note of the state, unless it is as it was. */
static void
put(OtOrderState *state, OtValue *value)
{
	int place = find_place(state, value->thing, value->field);

	value->note_no = state->note_no;
	value->changed_at = state->noted_at;
	if (place == state->count ||
		compare_keys(&state->values[place], value->thing, value->field) != 0)
		make_room(state, place);
	else if (is_same(&state->values[place], value))
		return;
	else if (state->values[place].text != NULL)
		pfree(unconstify(char *, state->values[place].text));
	state->values[place] = *value;
	keep_text(state, &state->values[place]);
}

/* Makes the text of a value, where it has one, the state's own. */
static void
keep_text(const OtOrderState *state, OtValue *value)
{
	if (value->text != NULL)
		value->text = MemoryContextStrdup(state->memory, value->text);
}

/* Gives the place of the first value that is not before a key. */
static int
find_place(const OtOrderState *state, OtThing thing, OtField field)
{
	int first = 0;
	int behind = state->count;

	while (first < behind)
	{
		int middle = first + (behind - first) / 2;

		if (compare_keys(&state->values[middle], thing, field) < 0)
			first = middle + 1;
		else
			behind = middle;
	}
	return first;
}

static int
compare_keys(const OtValue *value, OtThing thing, OtField field)
{
	if (value->thing.part != thing.part)
		return compare_numbers(value->thing.part, thing.part);
	if (value->thing.id != thing.id)
		return compare_numbers(value->thing.id, thing.id);
	if (value->thing.line_no != thing.line_no)
		return compare_numbers(value->thing.line_no, thing.line_no);
	return compare_numbers(value->field, field);
}

static int
compare_numbers(int64 a, int64 b)
{
	return a < b ? -1 : a > b ? 1 : 0;
}

static void
make_room(OtOrderState *state, int place)
{
	CHECK_FOR_INTERRUPTS();
	if (state->count == state->size)
	{
		Size size = Max(state->size * 2, FIRST_SIZE);

		state->values = state->values == NULL
							? MemoryContextAlloc(state->memory, sizeof(OtValue) * size)
							: repalloc_huge(state->values, sizeof(OtValue) * size);
		state->size = size;
	}
	memmove(&state->values[place + 1], &state->values[place],
			sizeof(OtValue) * (state->count - place));
	state->count++;
}

/* What is not set is the same as what is not there. */
static bool
is_same(const OtValue *a, const OtValue *b)
{
	bool is_a_set = a != NULL && a->is_set;
	bool is_b_set = b != NULL && b->is_set;

	if (!is_a_set || !is_b_set)
		return is_a_set == is_b_set;
	if (ot_field_kinds[a->field].is_number)
		return a->number == b->number;
	return strcmp(a->text, b->text) == 0;
}

/*
 * order_data.c
 *		Reads the caller's order_data without raising an error: what is wrong
 *		becomes the failure that comes first in the order of OtFailure.
 */
#include "postgres.h"

#include "verdict.h"

static void blame(OtOrderData *data, OtFailure failure, const char *message);
static char *read_text(OtOrderData *data, JsonbContainer *object, const char *key,
					   int max_bytes, OtFailure failure_if_bad, const char *message);
static Jsonb *read_object(OtOrderData *data, JsonbContainer *object, const char *key,
						  OtFailure failure, const char *message);
static bool read_amount(OtOrderData *data, JsonbContainer *object, const char *key,
						int64 *amount, const char *message);
static void read_lines(OtOrderData *data, JsonbContainer *order);
static void read_line(OtOrderData *data, JsonbContainer *object, OtLine *line);
static void derive_amount(OtOrderData *data);

/* Reads order_data; NULL is no order at all. */
void
ot_order_data_read(OtOrderData *data, const Jsonb *order_data)
{
	JsonbContainer *object;

	memset(data, 0, sizeof(*data));
	data->source = order_data;
	if (order_data == NULL)
		return;
	if (!ot_json_is_object(order_data))
	{
		blame(data, OT_INVALID_INPUT, "order_data must be a JSON object");
		return;
	}
	if (VARSIZE(order_data) > OT_MAX_JSON)
	{
		blame(data, OT_INVALID_INPUT, "order_data is too long");
		return;
	}

	data->is_given = true;
	object = unconstify(JsonbContainer *, &order_data->root);
	switch (ot_json_int8(object, "id", &data->id))
	{
		case OT_NUMBER_OK:
			data->has_id = true;
			break;
		case OT_NUMBER_BAD:
			blame(data, OT_INVALID_ORDER, "the order's id must be a whole number");
			break;
		case OT_NUMBER_ABSENT:
			break;
	}
	data->source_id = read_text(data, object, "source_id", OT_MAX_KEY, OT_INVALID_ORDER,
								"the order's source_id must be a text");
	if (data->source_id != NULL && *data->source_id == '\0')
		blame(data, OT_INVALID_ORDER, "the order's source_id must not be empty");
	data->status = read_text(data, object, "status", OT_MAX_TEXT, OT_INVALID_ORDER,
							 "the order's status must be a text");
	data->data_source = read_text(data, object, "data_source", OT_MAX_TEXT,
								  OT_INVALID_ORDER, "data_source must be a text");
	data->submitted_by = read_text(data, object, "submitted_by", OT_MAX_TEXT,
								   OT_INVALID_ORDER, "submitted_by must be a text");
	data->submitted_by_id = read_text(data, object, "submitted_by_id", OT_MAX_TEXT,
									  OT_INVALID_ORDER, "submitted_by_id must be a text");
	data->on_behalf_of = read_text(data, object, "on_behalf_of", OT_MAX_TEXT,
								   OT_INVALID_ORDER, "on_behalf_of must be a text");
	data->metadata = read_object(data, object, "metadata", OT_INVALID_INPUT,
								 "the order's metadata must be a JSON object");
	data->shipping_address =
		read_object(data, object, "shipping_address", OT_INVALID_ORDER,
					"shipping_address must be a JSON object");
	data->has_points =
		read_amount(data, object, "value_in_points", &data->value_in_points,
					"value_in_points must be a whole number of at least 0");
	data->has_amount =
		read_amount(data, object, "amount", &data->amount,
					"the order's amount must be a whole number of at least 0");
	read_lines(data, object);
	if (!data->has_amount)
		derive_amount(data);
}

/* Keeps the failure that comes first. */
static void
blame(OtOrderData *data, OtFailure failure, const char *message)
{
	if (data->failure != OT_OK && data->failure <= (int) failure)
		return;
	data->failure = failure;
	data->failure_message = message;
}

static char *
read_text(OtOrderData *data, JsonbContainer *object, const char *key, int max_bytes,
		  OtFailure failure_if_bad, const char *message)
{
	char *text;

	switch (ot_json_text(object, key, max_bytes, &text))
	{
		case OT_TEXT_BAD:
			blame(data, failure_if_bad, message);
			return NULL;
		case OT_TEXT_LONG:
			blame(data, OT_INVALID_INPUT, psprintf("%s is too long", key));
			return NULL;
		default:
			return text;
	}
}

static Jsonb *
read_object(OtOrderData *data, JsonbContainer *object, const char *key, OtFailure failure,
			const char *message)
{
	bool is_bad;
	Jsonb *value = ot_json_object(object, key, &is_bad);

	if (is_bad)
		blame(data, failure, message);
	return value;
}

static bool
read_amount(OtOrderData *data, JsonbContainer *object, const char *key, int64 *amount,
			const char *message)
{
	switch (ot_json_int8(object, key, amount))
	{
		case OT_NUMBER_ABSENT:
			return false;
		case OT_NUMBER_OK:
			if (*amount >= 0)
				return true;
			break;
		case OT_NUMBER_BAD:
			break;
	}
	*amount = 0;
	blame(data, OT_INVALID_AMOUNT, message);
	return false;
}

static void
read_lines(OtOrderData *data, JsonbContainer *order)
{
	JsonbValue *items = ot_json_find(order, "items");
	JsonbContainer *array;

	if (items == NULL)
		return;
	if (items->type != jbvBinary || !JsonContainerIsArray(items->val.binary.data))
	{
		blame(data, OT_INVALID_ORDER, "items must be an array of objects");
		return;
	}
	array = items->val.binary.data;
	if (JsonContainerSize(array) > OT_MAX_LINES)
	{
		blame(data, OT_INVALID_ORDER,
			  psprintf("an order may have at most %d lines", OT_MAX_LINES));
		return;
	}
	data->has_items = true;
	data->line_count = JsonContainerSize(array);
	data->lines = palloc0(sizeof(OtLine) * Max(data->line_count, 1));
	for (int i = 0; i < data->line_count; i++)
	{
		JsonbValue *item = getIthJsonbValueFromContainer(array, i);

		if (item->type == jbvBinary && JsonContainerIsObject(item->val.binary.data))
			read_line(data, item->val.binary.data, &data->lines[i]);
		else
			blame(data, OT_INVALID_ORDER, "items must be an array of objects");
	}
}

static void
read_line(OtOrderData *data, JsonbContainer *object, OtLine *line)
{
	const char *no_text = "product_id, sku, name, color and size of a line must be texts";

	line->product_id =
		read_text(data, object, "product_id", OT_MAX_TEXT, OT_INVALID_ORDER, no_text);
	line->sku = read_text(data, object, "sku", OT_MAX_TEXT, OT_INVALID_ORDER, no_text);
	line->name = read_text(data, object, "name", OT_MAX_TEXT, OT_INVALID_ORDER, no_text);
	line->color =
		read_text(data, object, "color", OT_MAX_TEXT, OT_INVALID_ORDER, no_text);
	line->size = read_text(data, object, "size", OT_MAX_TEXT, OT_INVALID_ORDER, no_text);
	line->metadata = read_object(data, object, "metadata", OT_INVALID_INPUT,
								 "a line's metadata must be a JSON object");
	if (ot_json_int8(object, "quantity", &line->quantity) != OT_NUMBER_OK ||
		line->quantity < 1)
	{
		line->quantity = 0;
		blame(data, OT_INVALID_ORDER,
			  "quantity of a line must be a whole number of at least 1");
	}
	line->has_price = read_amount(data, object, "price", &line->price,
								  "price of a line must be a whole number of at least 0");
	line->has_amount =
		read_amount(data, object, "amount", &line->amount,
					"amount of a line must be a whole number of at least 0");
	if (!line->has_amount && line->has_price)
	{
		line->has_amount = ot_money_multiply(line->price, line->quantity, &line->amount);
		if (!line->has_amount)
			blame(data, OT_INVALID_AMOUNT, "amount of a line is out of range");
	}
}

/* The amount is the sum of the lines, where each line has one. */
static void
derive_amount(OtOrderData *data)
{
	int64 sum = 0;

	if (data->line_count == 0)
		return;
	for (int i = 0; i < data->line_count; i++)
	{
		if (!data->lines[i].has_amount)
			return;
		if (!ot_money_add(&sum, data->lines[i].amount))
		{
			blame(data, OT_INVALID_AMOUNT, "the order's amount is out of range");
			return;
		}
	}
	data->has_amount = true;
	data->amount = sum;
}

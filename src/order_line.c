/*
 * order_line.c
 *		The lines of an order: storing them, and telling them in a note.
 */
#include "postgres.h"

#include "ordertrack.h"

static void read_line(OtArgs *row, const OtLine *line, int line_no);
static void insert_lines(const OtArgs *rows, int count);

/* Inserts the lines of an order, numbered from 1. */
void
ot_lines_insert(int64 workspace, int64 order_id, const OtOrderData *data, TimestampTz now)
{
	OtArgs rows[OT_ROWS_AT_ONCE];

	for (int i = 0; i < data->line_count; i += OT_ROWS_AT_ONCE)
	{
		int count = Min(data->line_count - i, OT_ROWS_AT_ONCE);

		for (int j = 0; j < count; j++)
		{
			rows[j].count = 0;
			ot_arg_int8(&rows[j], workspace);
			ot_arg_int8(&rows[j], order_id);
			ot_arg_time(&rows[j], now);
			read_line(&rows[j], &data->lines[i + j], i + j + 1);
		}
		ot_insert_rows(OT_PLAN_ITEM_INSERT, insert_lines, rows, count);
	}
}

static void
read_line(OtArgs *row, const OtLine *line, int line_no)
{
	ot_arg_int4(row, line_no);
	ot_arg_text(row, line->product_id);
	ot_arg_text(row, line->sku);
	ot_arg_text(row, line->name);
	ot_arg_text(row, line->color);
	ot_arg_text(row, line->size);
	ot_arg_int8(row, line->quantity);
	ot_arg_int8_or_null(row, line->has_price, line->price);
	ot_arg_int8_or_null(row, line->has_amount, line->amount);
	ot_arg_jsonb(row, line->metadata);
}

static void
insert_lines(const OtArgs *rows, int count)
{
	ot_write_rows(OT_PLAN_ITEM_INSERT, rows, count);
}

/* Reads the lines of a stored order, as what it consists of. */
void
ot_lines_read(int64 workspace, int64 order_id, OtOrderData *data)
{
	OtArgs args = {0};

	ot_arg_int8(&args, workspace);
	ot_arg_int8(&args, order_id);
	data->line_count = (int) ot_run(OT_PLAN_ITEMS_READ, &args);
	data->lines = palloc0(sizeof(OtLine) * Max(data->line_count, 1));
	for (int i = 0; i < data->line_count; i++)
	{
		OtLine *line = &data->lines[i];

		line->product_id = ot_get_text(i, 1);
		line->sku = ot_get_text(i, 2);
		line->name = ot_get_text(i, 3);
		line->color = ot_get_text(i, 4);
		line->size = ot_get_text(i, 5);
		line->quantity = ot_get_int8(i, 6);
		line->has_price = !ot_is_null(i, 7);
		line->price = ot_get_int8(i, 7);
		line->has_amount = !ot_is_null(i, 8);
		line->amount = ot_get_int8(i, 8);
	}
}

/*
 * Adds the lines to a note's data: what was ordered, at what price.  Keys come in
 * the order of ot_json_begin().
 */
void
ot_lines_describe(const OtOrderData *data, const char *key, OtJson *json)
{
	ot_json_open_array(json, key);
	for (int i = 0; i < data->line_count; i++)
	{
		const OtLine *line = &data->lines[i];

		ot_json_open_element(json);
		ot_json_add_text(json, "sku", line->sku);
		ot_json_add_text(json, "name", line->name);
		ot_json_add_text(json, "size", line->size);
		ot_json_add_text(json, "color", line->color);
		if (line->has_price)
			ot_json_add_int8(json, "price", line->price);
		if (line->has_amount)
			ot_json_add_int8(json, "amount", line->amount);
		ot_json_add_int8(json, "quantity", line->quantity);
		ot_json_add_text(json, "product_id", line->product_id);
		ot_json_close(json);
	}
	ot_json_close_array(json);
}

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

/* Adds the lines to a note's data: what was ordered, at what price. */
void
ot_lines_describe(const OtOrderData *data, OtJson *json)
{
	if (data->line_count == 0)
		return;
	ot_json_open_array(json, "items");
	for (int i = 0; i < data->line_count; i++)
	{
		const OtLine *line = &data->lines[i];

		ot_json_open_element(json);
		ot_json_add_text(json, "sku", line->sku);
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

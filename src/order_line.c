/*
 * order_line.c
 *		The lines of an order: storing them, and telling them in a note.
 */
#include "postgres.h"

#include "ordertrack.h"

static void add_line(OtArgs *args, const OtLine *line, int line_no);

/* Inserts the lines of an order, numbered from 1, two by one statement. */
void
ot_lines_insert(int64 workspace, int64 order_id, const OtOrderData *data, TimestampTz now)
{
	for (int i = 0; i < data->line_count; i += 2)
	{
		bool is_pair = i + 1 < data->line_count;
		OtArgs args = {0};

		ot_arg_int8(&args, workspace);
		ot_arg_int8(&args, order_id);
		ot_arg_time(&args, now);
		add_line(&args, &data->lines[i], i + 1);
		if (is_pair)
			add_line(&args, &data->lines[i + 1], i + 2);
		ot_write(is_pair ? OT_PLAN_ITEM_PAIR_INSERT : OT_PLAN_ITEM_INSERT, &args,
				 is_pair ? 2 : 1);
	}
}

static void
add_line(OtArgs *args, const OtLine *line, int line_no)
{
	ot_arg_int4(args, line_no);
	ot_arg_text(args, line->product_id);
	ot_arg_text(args, line->sku);
	ot_arg_text(args, line->name);
	ot_arg_text(args, line->color);
	ot_arg_text(args, line->size);
	ot_arg_int8(args, line->quantity);
	ot_arg_int8_or_null(args, line->has_price, line->price);
	ot_arg_int8_or_null(args, line->has_amount, line->amount);
	ot_arg_jsonb(args, line->metadata);
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
		ot_json_add_text(json, "product_id", line->product_id);
		ot_json_add_text(json, "sku", line->sku);
		ot_json_add_int8(json, "quantity", line->quantity);
		if (line->has_price)
			ot_json_add_int8(json, "price", line->price);
		if (line->has_amount)
			ot_json_add_int8(json, "amount", line->amount);
		ot_json_close(json);
	}
	ot_json_close_array(json);
}

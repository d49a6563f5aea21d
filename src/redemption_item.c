/*
 * redemption_item.c
 *		The lines of an order on the way into a discount's arithmetic and out of
 *		it: what is there, what a redemption gives, and what a rollback takes
 *		back.
 *
 * The rows of redemption_items are never changed: a rollback adds rows of its
 * own, so that the sum of a line's rows is what is live.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "plan.h"
#include "redemption_item.h"

/* Columns of OT_PLAN_ITEM_FACTS. */
enum
{
	LINE_NO,
	PRODUCT_ID,
	SKU,
	QUANTITY,
	PRICE,
	AMOUNT,
	DISCOUNT_AMOUNT,
	ITEM_COLUMNS
};

static void make_lines(OtCart *cart, int count);
static void read_line(OtCartLine *line, uint64 row);
static void describe_units(const OtCartLine *line, OtJson *json);
static bool is_given(const OtCartLine *line);
static void add_line(const OtCartLine *line, OtArgs *args, TimestampTz now);
static int add_given(OtArgs *args, const OtCart *cart, int line_count);
static ArrayType *make_array(const Datum *values, int count);

/* Reads the lines of a stored order; its amounts are the caller's to add. */
void
ot_cart_read(OtCart *cart, int64 workspace, int64 order_id)
{
	OtArgs args = {0};

	ot_arg_int8(&args, workspace);
	ot_arg_int8(&args, order_id);
	make_lines(cart, (int) ot_read(OT_PLAN_ITEM_FACTS, &args));
	for (int i = 0; i < cart->line_count; i++)
		read_line(&cart->lines[i], i);
}

/* Takes the lines of a new order. */
void
ot_cart_fill(OtCart *cart, const OtOrderData *data)
{
	make_lines(cart, data->line_count);
	for (int i = 0; i < data->line_count; i++)
	{
		const OtLine *from = &data->lines[i];
		OtCartLine *line = &cart->lines[i];

		line->line_no = i + 1;
		line->product_id = from->product_id;
		line->sku = from->sku;
		line->quantity = from->quantity;
		line->has_price = from->has_price;
		line->price = from->price;
		line->has_amount = from->has_amount;
		line->amount = from->amount;
	}
	cart->amount = data->amount;
}

/* Copies a cart, so that a discount leaves the facts as they are. */
void
ot_cart_copy(OtCart *copy, const OtCart *cart)
{
	make_lines(copy, cart->line_count);
	copy->amount = cart->amount;
	copy->discount_amount = cart->discount_amount;
	if (cart->line_count > 0)
		memcpy(copy->lines, cart->lines, sizeof(OtCartLine) * cart->line_count);
}

/* Gives the line that a discount has added the name of its article. */
void
ot_cart_name_new_line(OtCart *cart, const OtDiscount *discount)
{
	const OtArticle *article = &discount->article;
	OtCartLine *line;
	char *name;

	if (!cart->has_new_line)
		return;
	line = &cart->lines[cart->line_count - 1];
	name = pnstrdup(article->text, article->length);
	line->product_id = article->is_product_id ? name : NULL;
	line->sku = article->is_sku ? name : NULL;
}

/* Leaves room for the line that a discount may add. */
static void
make_lines(OtCart *cart, int count)
{
	memset(cart, 0, sizeof(*cart));
	cart->line_count = count;
	cart->lines = palloc0(sizeof(OtCartLine) * (count + 1));
}

static void
read_line(OtCartLine *line, uint64 row)
{
	Datum values[ITEM_COLUMNS];
	bool nulls[ITEM_COLUMNS];

	ot_get_row_at(row, values, nulls);
	line->line_no = DatumGetInt32(values[LINE_NO]);
	line->product_id = nulls[PRODUCT_ID] ? NULL : TextDatumGetCString(values[PRODUCT_ID]);
	line->sku = nulls[SKU] ? NULL : TextDatumGetCString(values[SKU]);
	line->quantity = DatumGetInt64(values[QUANTITY]);
	line->has_price = !nulls[PRICE];
	line->price = nulls[PRICE] ? 0 : DatumGetInt64(values[PRICE]);
	line->has_amount = !nulls[AMOUNT];
	line->amount = nulls[AMOUNT] ? 0 : DatumGetInt64(values[AMOUNT]);
	line->discount_amount = DatumGetInt64(values[DISCOUNT_AMOUNT]);
}

/*
 * Adds to a note's data what was given, or taken back, on which lines, and what
 * given units made of the order's amount.
 */
void
ot_cart_describe(const OtCart *cart, int64 old_amount, OtJson *json)
{
	if (cart->given_amount != 0)
	{
		ot_json_open(json, "order_amount");
		ot_json_add_int8(json, "old", old_amount);
		ot_json_add_int8(json, "new", old_amount + cart->given_amount);
		ot_json_close(json);
	}
	ot_json_open_array(json, "items");
	for (int i = 0; i < cart->line_count; i++)
	{
		const OtCartLine *line = &cart->lines[i];

		if (!is_given(line))
			continue;
		ot_json_open_element(json);
		if (line->given_quantity != 0)
			describe_units(line, json);
		ot_json_add_int8(json, "line_no", line->line_no);
		ot_json_add_int8(json, "discount_amount", line->given_discount);
		ot_json_close(json);
	}
	ot_json_close_array(json);
}

/* Tells of given units all that a line begins with which is made of them alone. */
static void
describe_units(const OtCartLine *line, OtJson *json)
{
	ot_json_add_text(json, "sku", line->sku);
	if (line->has_price)
		ot_json_add_int8(json, "price", line->price);
	ot_json_add_int8(json, "amount", line->given_amount);
	ot_json_add_int8(json, "quantity", line->given_quantity);
	ot_json_add_text(json, "product_id", line->product_id);
}

static bool
is_given(const OtCartLine *line)
{
	return line->given_quantity != 0 || line->given_discount != 0;
}

/* Writes what a redemption gives: its rows, then the lines of the order. */
void
ot_cart_write(const OtCart *cart, int64 workspace, int64 order_id, int64 redemption_id,
			  TimestampTz now)
{
	int old_count = cart->line_count - (cart->has_new_line ? 1 : 0);
	OtArgs key = {0};
	OtArgs rows;
	OtArgs lines;
	OtArgs line;
	int count;

	ot_flush(); /* the lines of a batch's new order */
	ot_arg_int8(&key, workspace);
	ot_arg_int8(&key, order_id);
	rows = lines = line = key;
	count = add_given(&rows, cart, cart->line_count);
	ot_arg_int8(&rows, redemption_id);
	ot_arg_time(&rows, now);
	ot_write(OT_PLAN_REDEMPTION_ITEMS_INSERT, &rows, count);
	if (cart->has_new_line)
		add_line(&cart->lines[old_count], &line, now);
	count = add_given(&lines, cart, old_count);
	ot_write(OT_PLAN_ITEMS_GIVE, &lines, count);
}

/* Inserts the line that is made of given units alone. */
static void
add_line(const OtCartLine *line, OtArgs *args, TimestampTz now)
{
	ot_arg_int4(args, line->line_no);
	ot_arg_text(args, line->product_id);
	ot_arg_text(args, line->sku);
	ot_arg_int8(args, line->quantity);
	ot_arg_int8(args, line->price);
	ot_arg_int8(args, line->amount);
	ot_arg_int8(args, line->discount_amount);
	ot_arg_time(args, now);
	ot_write(OT_PLAN_ITEM_ADD, args, 1);
}

/* Reads what a redemption gave, as what its rollback takes: less than nothing. */
void
ot_cart_read_given(OtCart *cart, int64 workspace, int64 order_id, int64 redemption_id)
{
	OtArgs args = {0};

	ot_arg_int8(&args, workspace);
	ot_arg_int8(&args, order_id);
	ot_arg_int8(&args, redemption_id);
	make_lines(cart, (int) ot_run(OT_PLAN_REDEMPTION_ITEMS_READ, &args));
	for (int i = 0; i < cart->line_count; i++)
	{
		OtCartLine *line = &cart->lines[i];

		line->line_no = ot_get_int4(i, 1);
		line->given_quantity = -ot_get_int8(i, 2);
		line->given_amount = -ot_get_int8(i, 3);
		line->given_discount = -ot_get_int8(i, 4);
		cart->given_amount += line->given_amount;
		cart->given_discount += line->given_discount;
	}
}

/*
 * Takes back what a redemption gave.  Lines without any unit left go first,
 * because a line has at least one.
 */
void
ot_cart_take_back(const OtCart *cart, int64 workspace, int64 order_id, int64 rollback_id,
				  TimestampTz now)
{
	OtArgs rows = {0};
	OtArgs removed;
	OtArgs lines;
	int count;

	ot_arg_int8(&rows, workspace);
	ot_arg_int8(&rows, order_id);
	count = add_given(&rows, cart, cart->line_count);
	removed = lines = rows;
	ot_arg_int8(&rows, rollback_id);
	ot_arg_time(&rows, now);
	ot_write(OT_PLAN_REDEMPTION_ITEMS_INSERT, &rows, count);
	/* A line that somebody has deleted must not stand in the way of a rollback. */
	ot_run(OT_PLAN_ITEMS_REMOVE, &removed);
	ot_run(OT_PLAN_ITEMS_GIVE, &lines);
}

/*
 * Adds line numbers, units, amounts and discounts of what is given, as arrays;
 * tells of how many lines.
 */
static int
add_given(OtArgs *args, const OtCart *cart, int line_count)
{
	Datum *values[4];
	int count = 0;

	for (int column = 0; column < lengthof(values); column++)
		values[column] = palloc(sizeof(Datum) * Max(line_count, 1));
	for (int i = 0; i < line_count; i++)
	{
		const OtCartLine *line = &cart->lines[i];

		if (!is_given(line))
			continue;
		values[0][count] = Int64GetDatum(line->line_no);
		values[1][count] = Int64GetDatum(line->given_quantity);
		values[2][count] = Int64GetDatum(line->given_amount);
		values[3][count++] = Int64GetDatum(line->given_discount);
	}
	for (int column = 0; column < lengthof(values); column++)
		ot_arg(args, PointerGetDatum(make_array(values[column], count)));
	return count;
}

static ArrayType *
make_array(const Datum *values, int count)
{
	return construct_array(unconstify(Datum *, values), count, INT8OID, 8,
						   FLOAT8PASSBYVAL, TYPALIGN_DOUBLE);
}

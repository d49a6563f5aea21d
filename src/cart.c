/*
 * cart.c
 *		What a discount gives on each line of an order: no SQL, no PostgreSQL,
 *		no clock.
 *
 * A line is never discounted below 0, and all lines together never by more than
 * the order still has to pay.  Products are taken in 128 bits.
 */
#include <string.h>

#include "cart.h"

static OtCartResult select_lines(OtCart *cart, const OtDiscount *discount);
static bool is_selected(const OtCartLine *line, const OtDiscount *discount);
static bool is_listed(const OtCartLine *line, const OtArticle *articles, int count);
static bool is_text(const char *text, const OtArticle *article);
static void discount_each(OtCart *cart, const OtDiscount *discount);
static int64_t discount_line(const OtCartLine *line, const OtDiscount *discount);
static void split(OtCart *cart, const OtDiscount *discount);
static int64_t share_within(int64_t share, int64_t left, int64_t rest,
							__int128 rest_behind);
static bool give_units(OtCart *cart, const OtDiscount *discount);
static int64_t discount_units(OtCart *cart, int64_t units);
static OtCartLine *find_target(OtCart *cart, const OtDiscount *discount);
static bool add_units(OtCart *cart, OtCartLine *line, int64_t units);
static int64_t unit_price(const OtCartLine *line);
static int64_t most_over_all(const OtCart *cart, const OtDiscount *discount);
static int64_t rest_of(const OtCartLine *line);
static int64_t cut(__int128 amount, int64_t most);
static void take_over(OtCart *cart);

/*
 * Gives a discount on the lines of an order.  The cart is as it is after it,
 * ready for the next discount, and unchanged where the result is not OK.
 */
OtCartResult
ot_cart_discount(OtCart *cart, const OtDiscount *discount)
{
	OtCartResult result = select_lines(cart, discount);

	if (result != OT_CART_OK)
		return result;
	switch (discount->effect)
	{
		case OT_APPLY_TO_ORDER:
			break;
		case OT_APPLY_TO_ITEMS:
		case OT_APPLY_TO_ITEMS_BY_QUANTITY:
			discount_each(cart, discount);
			break;
		case OT_APPLY_TO_ITEMS_PROPORTIONALLY:
		case OT_APPLY_TO_ITEMS_PROPORTIONALLY_BY_QUANTITY:
			split(cart, discount);
			break;
		case OT_ADD_MISSING_ITEMS:
		case OT_ADD_NEW_ITEMS:
			if (!give_units(cart, discount))
				return OT_CART_OUT_OF_RANGE;
			break;
	}
	take_over(cart);
	return OT_CART_OK;
}

/* Finds the lines that the discount works on, with nothing given yet. */
static OtCartResult
select_lines(OtCart *cart, const OtDiscount *discount)
{
	int count = 0;
	bool has_amounts = true;

	cart->has_new_line = false;
	cart->given_amount = 0;
	cart->given_discount = 0;
	for (int i = 0; i < cart->line_count; i++)
	{
		OtCartLine *line = &cart->lines[i];

		line->is_included = is_selected(line, discount);
		line->given_quantity = 0;
		line->given_amount = 0;
		line->given_discount = 0;
		if (!line->is_included)
			continue;
		count++;
		has_amounts &= line->has_amount;
	}
	if (cart->line_count == 0)
		return OT_CART_NO_LINES;
	if (!has_amounts)
		return OT_CART_NO_AMOUNT;
	return count == 0 && discount->type != OT_DISCOUNT_UNIT ? OT_CART_NO_MATCH
															: OT_CART_OK;
}

static bool
is_selected(const OtCartLine *line, const OtDiscount *discount)
{
	if (discount->type == OT_DISCOUNT_UNIT)
		return is_listed(line, &discount->article, 1);
	return !is_listed(line, discount->excluded, discount->excluded_count) &&
		   (discount->included_count == 0 ||
			is_listed(line, discount->included, discount->included_count));
}

static bool
is_listed(const OtCartLine *line, const OtArticle *articles, int count)
{
	for (int i = 0; i < count; i++)
		if ((articles[i].is_product_id && is_text(line->product_id, &articles[i])) ||
			(articles[i].is_sku && is_text(line->sku, &articles[i])))
			return true;
	return false;
}

static bool
is_text(const char *text, const OtArticle *article)
{
	return text != NULL && strncmp(text, article->text, (size_t) article->length) == 0 &&
		   text[article->length] == '\0';
}

/* Discounts each line by itself; what may be given at most is used up in order. */
static void
discount_each(OtCart *cart, const OtDiscount *discount)
{
	int64_t left = most_over_all(cart, discount);

	for (int i = 0; i < cart->line_count; i++)
	{
		OtCartLine *line = &cart->lines[i];

		if (!line->is_included)
			continue;
		line->given_discount = ot_money_smaller(discount_line(line, discount), left);
		left -= line->given_discount;
	}
}

/* Tells what a line alone would get. */
static int64_t
discount_line(const OtCartLine *line, const OtDiscount *discount)
{
	int64_t rest = rest_of(line);
	__int128 off = 0;

	switch (discount->type)
	{
		case OT_DISCOUNT_AMOUNT:
			off = discount->value;
			if (discount->effect == OT_APPLY_TO_ITEMS_BY_QUANTITY)
				off *= line->quantity;
			break;
		case OT_DISCOUNT_PERCENT:
			off = ot_money_percent(rest, discount->value);
			if (discount->has_limit)
				off = cut(off, discount->limit);
			break;
		case OT_DISCOUNT_FIXED:
			off = (__int128) rest - (__int128) discount->value * line->quantity;
			break;
		case OT_DISCOUNT_UNIT:
			break;
	}
	return cut(off, rest);
}

/*
 * Splits an amount over the lines by what is left of them or by their units.
 * Each share is rounded half up, and the last takes the difference; no line
 * gets more than is left of it, and none so little that those behind it could
 * not carry the others' part.
 */
static void
split(OtCart *cart, const OtDiscount *discount)
{
	bool is_by_units = discount->effect == OT_APPLY_TO_ITEMS_PROPORTIONALLY_BY_QUANTITY;
	__int128 weights = 0;
	__int128 rest_behind = 0;
	int64_t total;
	int64_t left;

	for (int i = 0; i < cart->line_count; i++)
	{
		const OtCartLine *line = &cart->lines[i];

		if (!line->is_included)
			continue;
		weights += is_by_units ? line->quantity : rest_of(line);
		rest_behind += rest_of(line);
	}
	total = ot_money_smaller(discount->value, most_over_all(cart, discount));
	total = left = cut(rest_behind, total);
	for (int i = 0; i < cart->line_count; i++)
	{
		OtCartLine *line = &cart->lines[i];
		int64_t rest = rest_of(line);

		if (!line->is_included)
			continue;
		rest_behind -= rest;
		line->given_discount = share_within(
			ot_money_share(total, is_by_units ? line->quantity : rest, weights), left,
			rest, rest_behind);
		left -= line->given_discount;
	}
}

static int64_t
share_within(int64_t share, int64_t left, int64_t rest, __int128 rest_behind)
{
	__int128 least = left - rest_behind;

	if (share < least)
		share = (int64_t) least;
	return ot_money_smaller(ot_money_smaller(share, rest), left);
}

/*
 * Gives free units: those that are there are discounted, where the effect is to
 * add what is missing, and the others are added, as amount and as discount.
 * Returns false where that does not fit into 64 bits.
 */
static bool
give_units(OtCart *cart, const OtDiscount *discount)
{
	int64_t missing = discount->value;

	if (discount->effect == OT_ADD_MISSING_ITEMS)
		missing = discount_units(cart, missing);
	return missing == 0 || add_units(cart, find_target(cart, discount), missing);
}

/* Discounts up to so many units that are there; tells how many are missing. */
static int64_t
discount_units(OtCart *cart, int64_t units)
{
	int64_t left = cart->amount - cart->discount_amount;

	for (int i = 0; i < cart->line_count; i++)
	{
		OtCartLine *line = &cart->lines[i];
		int64_t there = ot_money_smaller(units, line->quantity);

		if (!line->is_included)
			continue;
		line->given_discount = ot_money_smaller(
			cut((__int128) unit_price(line) * there, rest_of(line)), left);
		left -= line->given_discount;
		units -= there;
	}
	return units;
}

/* Finds the line that units are added to, or begins a new one. */
static OtCartLine *
find_target(OtCart *cart, const OtDiscount *discount)
{
	OtCartLine *line = cart->lines;
	int32_t line_no = 0;

	for (; line < cart->lines + cart->line_count; line++)
	{
		if (line->is_included)
			return line;
		line_no = line->line_no > line_no ? line->line_no : line_no;
	}
	memset(line, 0, sizeof(*line));
	line->line_no = line_no + 1;
	line->is_included = true;
	line->has_price = true;
	line->price = discount->price;
	line->has_amount = true;
	cart->has_new_line = true;
	return line;
}

static bool
add_units(OtCart *cart, OtCartLine *line, int64_t units)
{
	int64_t quantity = line->quantity;
	int64_t line_amount = line->amount;
	int64_t line_discount = line->discount_amount;
	int64_t order_amount = cart->amount;

	line->given_quantity = units;
	return ot_money_multiply(unit_price(line), units, &line->given_amount) &&
		   ot_money_add(&quantity, units) &&
		   ot_money_add(&line_amount, line->given_amount) &&
		   ot_money_add(&order_amount, line->given_amount) &&
		   ot_money_add(&line->given_discount, line->given_amount) &&
		   ot_money_add(&line_discount, line->given_discount);
}

/* Gives the price of one unit; where none is told, what the amount makes it. */
static int64_t
unit_price(const OtCartLine *line)
{
	return line->has_price ? line->price
						   : ot_money_share(line->amount, 1, line->quantity);
}

/* Tells what all lines together may get: no more than the order has to pay. */
static int64_t
most_over_all(const OtCart *cart, const OtDiscount *discount)
{
	int64_t payable = cart->amount - cart->discount_amount;

	return discount->has_aggregated_limit
			   ? ot_money_smaller(payable, discount->aggregated_limit)
			   : payable;
}

static int64_t
rest_of(const OtCartLine *line)
{
	return line->amount > line->discount_amount ? line->amount - line->discount_amount
												: 0;
}

/* Cuts what may be below 0 or beyond 64 bits to what there is. */
static int64_t
cut(__int128 amount, int64_t most)
{
	if (amount <= 0)
		return 0;
	return amount < most ? (int64_t) amount : most;
}

/* Takes what was given into the amounts of the lines and of the order. */
static void
take_over(OtCart *cart)
{
	cart->line_count += cart->has_new_line ? 1 : 0;
	for (int i = 0; i < cart->line_count; i++)
	{
		OtCartLine *line = &cart->lines[i];

		line->quantity += line->given_quantity;
		line->amount += line->given_amount;
		line->discount_amount += line->given_discount;
		cart->given_amount += line->given_amount;
		cart->given_discount += line->given_discount;
	}
	cart->amount += cart->given_amount;
	cart->discount_amount += cart->given_discount;
}

/*
 * money.c
 *		Fuzzes the arithmetic of src/money.c and src/cart.c, which know no
 *		PostgreSQL: totals are never negative, shares sum exactly, refunds are
 *		what schoolbook fractions give, nothing overflows.
 *
 * An input is read as a cart and as discounts that are given one after the
 * other.  It needs libFuzzer, because the bounds of 64 bits are where a table of
 * cases has gaps.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cart.h"

#define MAX_LINES 12
#define MAX_DISCOUNTS 6

/* Ends the run with the condition that does not hold. */
#define CHECK(condition)                                                                 \
	do                                                                                   \
	{                                                                                    \
		if (!(condition))                                                                \
		{                                                                                \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);              \
			abort();                                                                     \
		}                                                                                \
	} while (0)

typedef struct Input
{
	const uint8_t *bytes;
	size_t left;
} Input;

static void read_cart(Input *input, OtCart *cart);
static void read_line(Input *input, OtCartLine *line, int line_no);
static void read_discount(Input *input, OtDiscount *discount, OtArticle *articles);
static void read_article(Input *input, OtArticle *article);
static uint8_t read_byte(Input *input);
static int64_t read_number(Input *input, int64_t least);
static void check_order_discount(const OtDiscount *discount, const OtCart *cart);
static void check_result(const OtDiscount *discount, const OtCart *old,
						 const OtCart *new);
static void check_line(const OtDiscount *discount, const OtCartLine *old,
					   const OtCartLine *new);
static void check_split(const OtDiscount *discount, const OtCart *old, const OtCart *new);
static void check_refund(Input *input, const OtCart *cart);
static bool add_naively(const OtReturnedLine *lines, int count, int64_t discount,
						int64_t *refund);

static const char *const names[] = {"a", "b", "mug"};

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	Input input = {bytes, size};
	OtCartLine lines[MAX_LINES + MAX_DISCOUNTS + 1];
	OtCartLine old_lines[MAX_LINES + MAX_DISCOUNTS + 1];
	OtCart cart = {0};

	cart.lines = lines;
	read_cart(&input, &cart);
	for (int i = 0; i < MAX_DISCOUNTS && input.left > 0; i++)
	{
		OtArticle articles[2];
		OtDiscount discount = {0};
		OtCart old = cart;
		OtCartResult result;

		memcpy(old_lines, lines, sizeof(lines));
		old.lines = old_lines;
		read_discount(&input, &discount, articles);
		check_order_discount(&discount, &cart);
		result = ot_cart_discount(&cart, &discount);
		if (result == OT_CART_OK)
			check_result(&discount, &old, &cart);
		else
		{
			CHECK(cart.amount == old.amount && cart.line_count == old.line_count);
			CHECK(cart.discount_amount == old.discount_amount);
		}
	}
	check_refund(&input, &cart);
	return 0;
}

/* Reads an order whose amount is that of its lines, or another. */
static void
read_cart(Input *input, OtCart *cart)
{
	bool is_sum = (read_byte(input) & 1) != 0;
	int64_t sum = 0;

	cart->line_count = read_byte(input) % (MAX_LINES + 1);
	for (int i = 0; i < cart->line_count; i++)
	{
		read_line(input, &cart->lines[i], i + 1);
		is_sum &= ot_money_add(&sum, cart->lines[i].amount);
	}
	cart->amount = is_sum ? sum : read_number(input, 0);
	cart->discount_amount = 0;
}

static void
read_line(Input *input, OtCartLine *line, int line_no)
{
	uint8_t kind = read_byte(input);

	memset(line, 0, sizeof(*line));
	line->line_no = line_no;
	line->product_id = names[kind % 3];
	line->sku = (kind & 8) != 0 ? names[kind % 2] : NULL;
	line->quantity = read_number(input, 1);
	line->has_price = (kind & 16) == 0;
	line->price = line->has_price ? read_number(input, 0) : 0;
	line->has_amount =
		line->has_price && ot_money_multiply(line->price, line->quantity, &line->amount);
	if (!line->has_amount)
		line->amount = 0;
	if (!line->has_amount && (kind & 224) != 0)
	{
		line->has_amount = true;
		line->amount = read_number(input, 0);
	}
}

static void
read_discount(Input *input, OtDiscount *discount, OtArticle *articles)
{
	uint8_t kind = read_byte(input);

	discount->type = (OtDiscountType) (kind % 4);
	discount->has_limit = discount->type == OT_DISCOUNT_PERCENT && (kind & 16) != 0;
	discount->has_aggregated_limit = (kind & 32) != 0;
	discount->included_count = (kind & 64) != 0 ? 1 : 0;
	discount->excluded_count = (kind & 128) != 0 ? 1 : 0;
	discount->included = &articles[0];
	discount->excluded = &articles[1];
	read_article(input, &articles[0]);
	read_article(input, &articles[1]);
	discount->article = articles[0];
	discount->effect = OT_APPLY_TO_ITEMS;
	if (discount->type == OT_DISCOUNT_AMOUNT)
		discount->effect = (OtEffect) (OT_APPLY_TO_ITEMS + (kind >> 2) % 4);
	if (discount->type == OT_DISCOUNT_UNIT)
		discount->effect = (kind & 4) != 0 ? OT_ADD_NEW_ITEMS : OT_ADD_MISSING_ITEMS;
	discount->value = read_number(input, discount->type == OT_DISCOUNT_FIXED ? 0 : 1);
	if (discount->type == OT_DISCOUNT_PERCENT)
		discount->value = discount->value % 100000000 + 1;
	discount->limit = read_number(input, 1);
	discount->aggregated_limit = read_number(input, 1);
	discount->price = read_number(input, 0);
}

static void
read_article(Input *input, OtArticle *article)
{
	uint8_t kind = read_byte(input);

	article->text = names[kind % 3];
	article->length = (int) strlen(article->text);
	article->is_product_id = (kind & 4) != 0;
	article->is_sku = (kind & 8) != 0;
}

static uint8_t
read_byte(Input *input)
{
	if (input->left == 0)
		return 0;
	input->left--;
	return *input->bytes++;
}

/* Reads a number of one to eight bytes, so that small and greatest ones come. */
static int64_t
read_number(Input *input, int64_t least)
{
	uint64_t number = 0;
	int length = read_byte(input) % 9;

	for (int i = 0; i < length; i++)
		number = number << 8 | read_byte(input);
	number &= INT64_MAX;
	return (int64_t) number < least ? least : (int64_t) number;
}

static void
check_order_discount(const OtDiscount *discount, const OtCart *cart)
{
	int64_t payable = cart->amount - cart->discount_amount;
	int64_t off = ot_money_discount(discount, payable);

	CHECK(off >= 0 && off <= payable);
	CHECK(!discount->has_limit || off <= discount->limit);
}

static void
check_result(const OtDiscount *discount, const OtCart *old, const OtCart *new)
{
	__int128 given = 0;
	__int128 added = 0;
	int64_t total = new->amount - new->discount_amount;

	CHECK(new->line_count == old->line_count + (new->has_new_line ? 1 : 0));
	for (int i = 0; i < new->line_count; i++)
	{
		static const OtCartLine none;

		check_line(discount, i < old->line_count ? &old->lines[i] : &none,
				   &new->lines[i]);
		given += new->lines[i].given_discount;
		added += new->lines[i].given_amount;
	}
	CHECK(given == new->given_discount &&added == new->given_amount);
	CHECK(new->amount == old->amount + new->given_amount);
	CHECK(new->discount_amount == old->discount_amount + new->given_discount);
	CHECK(new->amount >= 0 && new->discount_amount >= 0 && total >= 0);
	CHECK(total <= old->amount - old->discount_amount);
	if (discount->has_aggregated_limit && discount->type != OT_DISCOUNT_UNIT)
		CHECK(given <= discount->aggregated_limit);
	if (discount->effect >= OT_APPLY_TO_ITEMS_PROPORTIONALLY &&
		discount->effect <= OT_APPLY_TO_ITEMS_PROPORTIONALLY_BY_QUANTITY)
		check_split(discount, old, new);
}

static void
check_line(const OtDiscount *discount, const OtCartLine *old, const OtCartLine *new)
{
	CHECK(new->given_quantity >= 0 && new->given_amount >= 0 && new->given_discount >= 0);
	CHECK(new->quantity >= 1 && new->amount >= 0 && new->discount_amount >= 0);
	CHECK(new->discount_amount <= new->amount);
	CHECK(new->quantity == old->quantity + new->given_quantity);
	CHECK(new->amount == old->amount + new->given_amount);
	CHECK(new->discount_amount == old->discount_amount + new->given_discount);
	CHECK(new->is_included || new->given_discount == 0);
	if (discount->type != OT_DISCOUNT_UNIT)
	{
		CHECK(new->given_quantity == 0 && new->given_amount == 0);
		CHECK(!discount->has_limit || new->given_discount <= discount->limit);
	}
}

/* What is split is given to the last cent, where lines and order can carry it. */
static void
check_split(const OtDiscount *discount, const OtCart *old, const OtCart *new)
{
	__int128 rest = 0;
	__int128 wanted = discount->value;

	for (int i = 0; i < old->line_count; i++)
		if (new->lines[i].is_included)
			rest += old->lines[i].amount - old->lines[i].discount_amount;
	if (wanted > rest)
		wanted = rest;
	if (wanted > old->amount - old->discount_amount)
		wanted = old->amount - old->discount_amount;
	if (discount->has_aggregated_limit && wanted > discount->aggregated_limit)
		wanted = discount->aggregated_limit;
	CHECK(new->given_discount == wanted);
}

/* Units of a cart come back: what they cost, and that all of them cost all of it. */
static void
check_refund(Input *input, const OtCart *cart)
{
	OtReturnedLine lines[MAX_LINES + MAX_DISCOUNTS + 1];
	int64_t discount = read_number(input, 0);
	uint8_t kind = read_byte(input);
	bool is_all = (kind & 1) != 0;
	__int128 sum = 0;
	int64_t expected;
	int64_t refund;

	for (int i = 0; i < cart->line_count; i++)
	{
		lines[i].amount = cart->lines[i].amount - cart->lines[i].discount_amount;
		lines[i].quantity = cart->lines[i].quantity;
		lines[i].received = read_number(input, 0);
		if ((kind & 6) != 0) /* mostly small, so that rests meet in one cent */
		{
			lines[i].amount %= 50;
			lines[i].quantity = lines[i].quantity % 12 + 1;
			lines[i].received %= 12;
		}
		if (is_all)
			lines[i].received = lines[i].quantity;
		sum += lines[i].amount;
	}
	if (add_naively(lines, cart->line_count, discount, &expected))
	{
		CHECK(ot_money_refund(lines, cart->line_count, discount, &refund));
		CHECK(refund == expected);
	}
	if (ot_money_refund(lines, cart->line_count, discount, &refund))
	{
		__int128 left = sum - (discount < sum ? discount : sum);

		CHECK(sum <= INT64_MAX && refund >= 0 && refund <= left);
		CHECK(!is_all || refund == left);
	}
	else
		CHECK(sum > INT64_MAX);
}

/* Adds up fractions with their common denominator; false where that grows too big. */
static bool
add_naively(const OtReturnedLine *lines, int count, int64_t discount, int64_t *refund)
{
	const __int128 bound = (__int128) 1 << 30;
	__int128 denominator = 1;
	__int128 numerator = 0;
	__int128 sum = 0;
	__int128 left;

	for (int i = 0; i < count; i++)
	{
		__int128 units = lines[i].received;

		if (units > lines[i].quantity)
			units = lines[i].quantity;
		sum += lines[i].amount;
		if (denominator * lines[i].quantity > bound || sum > bound)
			return false;
		numerator = numerator * lines[i].quantity + lines[i].amount * units * denominator;
		denominator *= lines[i].quantity;
	}
	left = sum - (discount < sum ? discount : sum);
	*refund = sum == 0 ? 0
					   : (int64_t) ((numerator * left * 2 + denominator * sum) /
									(denominator * sum * 2));
	return true;
}

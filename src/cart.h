/*
 * cart.h
 *		The lines of an order, and what a discount gives on each: no SQL, no
 *		PostgreSQL, no clock.
 */
#ifndef OT_CART_H
#define OT_CART_H

#include "money.h"

typedef struct OtCartLine
{
	int32_t line_no;
	const char *product_id; /* may be NULL */
	const char *sku;		/* may be NULL */
	int64_t quantity;
	bool has_price;
	int64_t price;
	bool has_amount;
	int64_t amount;
	int64_t discount_amount;
	/* what the last discount gave, which the above then have in them */
	bool is_included;
	int64_t given_quantity;
	int64_t given_amount; /* of the given units */
	int64_t given_discount;
} OtCartLine;

typedef struct OtCart
{
	int64_t amount; /* of the order, its discounts so far, all in it */
	int64_t discount_amount;
	int line_count;
	OtCartLine *lines; /* with room for one more than line_count */
	/* what the last discount gave */
	bool has_new_line; /* the last line is made of given units alone */
	int64_t given_amount;
	int64_t given_discount;
} OtCart;

typedef enum OtCartResult
{
	OT_CART_OK,
	OT_CART_NO_LINES,
	OT_CART_NO_AMOUNT, /* a line that the discount works on has no amount */
	OT_CART_NO_MATCH,  /* the discount works on none of the lines */
	OT_CART_OUT_OF_RANGE
} OtCartResult;

extern OtCartResult ot_cart_discount(OtCart *cart, const OtDiscount *discount);

#endif

/*
 * money.h
 *		Arithmetic on amounts in minor units: no SQL, no PostgreSQL, no clock.
 */
#ifndef OT_MONEY_H
#define OT_MONEY_H

#include <stdbool.h>
#include <stdint.h>

typedef enum OtDiscountType
{
	OT_DISCOUNT_AMOUNT,
	OT_DISCOUNT_PERCENT,
	OT_DISCOUNT_FIXED,
	OT_DISCOUNT_UNIT
} OtDiscountType;

/* What a discount works on; all but the first need the lines of the order. */
typedef enum OtEffect
{
	OT_APPLY_TO_ORDER,
	OT_APPLY_TO_ITEMS,
	OT_APPLY_TO_ITEMS_BY_QUANTITY,
	OT_APPLY_TO_ITEMS_PROPORTIONALLY,
	OT_APPLY_TO_ITEMS_PROPORTIONALLY_BY_QUANTITY,
	OT_ADD_MISSING_ITEMS,
	OT_ADD_NEW_ITEMS
} OtEffect;

/* Names an article by its product_id, its sku, or whichever of them it is. */
typedef struct OtArticle
{
	const char *text; /* not ended by a null byte */
	int length;
	bool is_product_id;
	bool is_sku;
} OtArticle;

typedef struct OtDiscount
{
	OtDiscountType type;
	OtEffect effect;
	int64_t
		value; /* minor units, units, or millionths of a percent: 25.98 % is 25980000 */
	bool has_limit;
	int64_t limit; /* most that a percentage takes off the order, or off each line */
	bool has_aggregated_limit;
	int64_t aggregated_limit; /* most over all lines */
	int included_count;		  /* 0: all lines that are not excluded */
	OtArticle *included;
	int excluded_count;
	OtArticle *excluded;
	OtArticle article; /* of free units */
	int64_t price;	   /* of a free unit where the order has no line of it */
} OtDiscount;

/* A line of an order of which units came back. */
typedef struct OtReturnedLine
{
	int64_t amount; /* what all its units cost, after its discount */
	int64_t quantity;
	int64_t received;
	int64_t rest; /* ot_money_refund()'s own */
} OtReturnedLine;

extern bool ot_money_add(int64_t *sum, int64_t amount);
extern bool ot_money_multiply(int64_t price, int64_t quantity, int64_t *amount);
extern int64_t ot_money_percent(int64_t amount, int64_t millionths);
extern int64_t ot_money_share(int64_t total, int64_t weight, __int128 weights);
extern int64_t ot_money_smaller(int64_t a, int64_t b);
extern int64_t ot_money_discount(const OtDiscount *discount, int64_t payable);
extern bool ot_money_refund(OtReturnedLine *lines, int count, int64_t discount,
							int64_t *refund);

#endif

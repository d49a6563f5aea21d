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
	OT_DISCOUNT_FIXED
} OtDiscountType;

typedef struct OtDiscount
{
	OtDiscountType type;
	int64_t value; /* minor units, or millionths of a percent: 25.98 % is 25980000 */
	bool has_limit;
	int64_t limit; /* most that a percentage takes off, in minor units */
} OtDiscount;

extern bool ot_money_add(int64_t *sum, int64_t amount);
extern bool ot_money_multiply(int64_t price, int64_t quantity, int64_t *amount);
extern int64_t ot_money_percent(int64_t amount, int64_t millionths);
extern int64_t ot_money_discount(const OtDiscount *discount, int64_t payable);

#endif

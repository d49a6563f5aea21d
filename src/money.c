/*
 * money.c
 *		Arithmetic on amounts in minor units: no SQL, no PostgreSQL, no clock.
 */
#include "money.h"

/* Adds to a sum; false where it would not fit into 64 bits. */
bool
ot_money_add(int64_t *sum, int64_t amount)
{
	return !__builtin_add_overflow(*sum, amount, sum);
}

/* Multiplies price and quantity; false where it would not fit into 64 bits. */
bool
ot_money_multiply(int64_t price, int64_t quantity, int64_t *amount)
{
	return !__builtin_mul_overflow(price, quantity, amount);
}

/*
 * Takes a percentage of an amount >= 0, rounded half up to the minor unit.
 * A percent is a hundredth and given in millionths, hence 10^8.
 */
int64_t
ot_money_percent(int64_t amount, int64_t millionths)
{
	return (int64_t) (((__int128) amount * millionths + 50000000) / 100000000);
}

/* Takes the share of a total >= 0 that a weight is of all weights, half up. */
int64_t
ot_money_share(int64_t total, int64_t weight, __int128 weights)
{
	return weights == 0 ? 0
						: (int64_t) (((__int128) total * weight + weights / 2) / weights);
}

/* Gives the smaller of two amounts. */
int64_t
ot_money_smaller(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Tells what a discount on an order takes off what is payable: from 0 to all of it. */
int64_t
ot_money_discount(const OtDiscount *discount, int64_t payable)
{
	int64_t off = 0;

	switch (discount->type)
	{
		case OT_DISCOUNT_AMOUNT:
			off = discount->value;
			break;
		case OT_DISCOUNT_PERCENT:
			off = ot_money_percent(payable, discount->value);
			break;
		case OT_DISCOUNT_FIXED:
			off = payable > discount->value ? payable - discount->value : 0;
			break;
		case OT_DISCOUNT_UNIT:
			break;
	}
	if (discount->has_limit)
		off = ot_money_smaller(off, discount->limit);
	return ot_money_smaller(off, payable);
}

/*
 * money.c
 *		Arithmetic on amounts in minor units: no SQL, no PostgreSQL, no clock.
 */
#include "money.h"

static int64_t sum_rests(OtReturnedLine *lines, int count);
static __int128 sum_digits(OtReturnedLine *lines, int count);

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

/*
 * Tells what the units that came back cost: their part of each line, less their
 * part of a discount on all lines together, rounded half up once.  False where the
 * lines add up to more than 64 bits hold.
 *
 * With S for the sum of the lines, P for what is left of it after the discount,
 * and u for the units, it is u * P / S.  Of u and of what it is multiplied to, the
 * whole parts are summed up as they are, which 128 bits hold, and the rests of
 * each line's division stay with the line.
 */
bool
ot_money_refund(OtReturnedLine *lines, int count, int64_t discount, int64_t *refund)
{
	int64_t sum = 0;
	int64_t left;
	__int128 whole = 0;
	__int128 twice; /* of what the whole units leave, in parts of S */

	for (int i = 0; i < count; i++)
		if (!ot_money_add(&sum, lines[i].amount))
			return false;
	*refund = 0;
	left = sum - ot_money_smaller(discount, sum);
	if (left == 0)
		return true;
	for (int i = 0; i < count; i++)
	{
		OtReturnedLine *line = &lines[i];
		__int128 units = ot_money_smaller(line->received, line->quantity);

		whole += line->amount * units / line->quantity;
		line->rest = (int64_t) (line->amount * units % line->quantity);
	}
	whole *= left;
	twice = whole % sum * 2 + sum;
	for (int i = 0; i < count; i++)
	{
		OtReturnedLine *line = &lines[i];
		__int128 part = (__int128) left * 2 * line->rest;

		twice += part / line->quantity;
		line->rest = (int64_t) (part % line->quantity);
	}
	twice += sum_rests(lines, count);
	*refund = (int64_t) (whole / sum + twice / ((__int128) sum * 2));
	return true;
}

/*
 * Gives the whole part of a sum of fractions rest / quantity, each below 1.  They
 * have no common denominator that would fit, so it goes through their digits to the
 * base of 2^64 until what is missing to the next whole number is more than the
 * digits to come, or nothing.  Denominators of 63 bits can't keep it waiting for
 * longer than there are lines.
 */
static int64_t
sum_rests(OtReturnedLine *lines, int count)
{
	__int128 digits = sum_digits(lines, count);
	int64_t whole = (int64_t) (digits >> 64);
	__int128 missing = ((__int128) (whole + 1) << 64) - digits;

	for (int i = 0; i <= count && missing > 0; i++)
	{
		if (missing >= count)
			return whole;
		missing = (missing << 64) - sum_digits(lines, count);
	}
	return whole + 1;
}

/* Sums up the next digit of each fraction. */
static __int128
sum_digits(OtReturnedLine *lines, int count)
{
	__int128 digits = 0;

	for (int i = 0; i < count; i++)
	{
		OtReturnedLine *line = &lines[i];
		unsigned __int128 shifted = (unsigned __int128) line->rest << 64;

		digits += (__int128) (shifted / line->quantity);
		line->rest = (int64_t) (shifted % line->quantity);
	}
	return digits;
}

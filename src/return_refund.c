/*
 * return_refund.c
 *		What the units that came back cost the customer.
 */
#include "postgres.h"

#include "errcodes.h"
#include "money.h"
#include "payment.h"
#include "return.h"

/* Columns of OT_PLAN_RETURN_LINES, in their order. */
enum
{
	LINE_NO = 1,
	AMOUNT,
	DISCOUNT_AMOUNT,
	QUANTITY,
	RECEIVED
};

static int64 cost(int64 workspace, int64 order_id, int64 return_id, int64 discount);
static OtReturnedLine *read_lines(int64 workspace, int64 order_id, int64 return_id,
								  uint64 *count, int64 *discount);
static int64 find_refunded(int64 workspace, int64 order_id, int64 return_id);
static void refuse_range(int64 order_id) pg_attribute_noreturn();

/*
 * Gives what is refunded where the caller does not say: what the units that came
 * back cost, less what was refunded for this return before, and at most what is
 * left of what the order has paid.  It is what they add to the cost of those that
 * came before, so that the parts of an order sum to it exactly.
 */
int64
ot_return_default_refund(int64 workspace, int64 order_id, int64 return_id)
{
	OtOrderRow order;
	OtPaid sums;
	int64 amount;

	ot_order_take(workspace, order_id, &order);
	amount = cost(workspace, order_id, return_id, order.discount_amount) -
			 cost(workspace, order_id, 0, order.discount_amount);
	amount = Max(amount - find_refunded(workspace, order_id, return_id), 0);
	ot_payments_sum(workspace, order_id, 0, &sums);
	return Min(amount, sums.paid - sums.refunded);
}

/* Tells what the units of complete returns and of one more cost; 0 is no more. */
static int64
cost(int64 workspace, int64 order_id, int64 return_id, int64 discount)
{
	int64 of_lines;
	uint64 count;
	OtReturnedLine *lines = read_lines(workspace, order_id, return_id, &count, &of_lines);
	int64 amount;

	if (!ot_money_refund(lines, (int) count, Max(discount - of_lines, 0), &amount))
		refuse_range(order_id);
	return amount;
}

/* Reads the lines of an order, what they cost, and what came back of them. */
static OtReturnedLine *
read_lines(int64 workspace, int64 order_id, int64 return_id, uint64 *count,
		   int64 *discount)
{
	OtReturnedLine *lines;
	OtArgs args = {0};

	ot_arg_int8(&args, workspace);
	ot_arg_int8(&args, order_id);
	ot_arg_int8(&args, return_id);
	*count = ot_run(OT_PLAN_RETURN_LINES, &args);
	*discount = 0;
	lines = palloc(sizeof(OtReturnedLine) * Max(*count, 1));
	for (uint64 row = 0; row < *count; row++)
	{
		int64 line_discount = ot_get_int8(row, DISCOUNT_AMOUNT);

		if (ot_is_null(row, AMOUNT))
			ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
					errmsg("argument \"refund_amount\" must be given"),
					errdetail("Line %d of order " INT64_FORMAT " has no amount.",
							  ot_get_int4(row, LINE_NO), order_id));
		if (!ot_money_add(discount, line_discount))
			refuse_range(order_id);
		lines[row].amount = Max(ot_get_int8(row, AMOUNT) - line_discount, 0);
		lines[row].quantity = ot_get_int8(row, QUANTITY);
		lines[row].received = ot_get_int8(row, RECEIVED);
	}
	return lines;
}

static int64
find_refunded(int64 workspace, int64 order_id, int64 return_id)
{
	OtArgs args = {0};

	ot_arg_int8(&args, workspace);
	ot_arg_int8(&args, order_id);
	ot_arg_int8(&args, return_id);
	ot_run(OT_PLAN_RETURN_REFUNDED, &args);
	return ot_get_int8(0, 1);
}

static void
refuse_range(int64 order_id)
{
	ereport(ERROR, errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			errmsg("lines of order " INT64_FORMAT " are out of range", order_id),
			errdetail("The sum of their amounts does not fit into 64 bits."),
			errhint("Give \"refund_amount\"."));
}

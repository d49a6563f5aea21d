/*
 * return_units.c
 *		How many units of an order's lines there are to return, and to receive.
 *
 * The triggers judge it, in rows as they are stored and under the order's lock,
 * so that nothing that writes such rows has to be trusted.
 */
#include "postgres.h"

#include "errcodes.h"
#include "return.h"

PG_FUNCTION_INFO_V1(ordertrack_return_items_guard_units);
PG_FUNCTION_INFO_V1(ordertrack_return_receipts_guard_units);

static OtLineUnits *read_units(uint64 count);
static void check_receipt(const TriggerData *trigger);

/* Gives all units of an order that were shipped and are in no return. */
OtLineUnits *
ot_return_shipped(int64 workspace, int64 order_id)
{
	OtArgs args = {0};
	uint64 count;

	ot_arg_int8(&args, workspace);
	ot_arg_int8(&args, order_id);
	count = ot_run(OT_PLAN_RETURN_SHIPPED, &args);
	if (count == 0)
		ereport(ERROR, errcode(OT_ERRCODE_EXCEEDED),
				errmsg("order " INT64_FORMAT " has nothing to return", order_id),
				errdetail("Only what was shipped and is in no other return can be."));
	return read_units(count);
}

/* Gives all units of a return that did not arrive yet. */
OtLineUnits *
ot_return_expected(int64 workspace, int64 return_id)
{
	OtArgs args = {0};
	uint64 count;

	ot_arg_int8(&args, workspace);
	ot_arg_int8(&args, return_id);
	count = ot_run(OT_PLAN_RETURN_EXPECTED, &args);
	if (count == 0)
		ereport(ERROR, errcode(OT_ERRCODE_EXCEEDED),
				errmsg("return " INT64_FORMAT " has nothing to receive", return_id),
				errdetail("All of it has arrived."));
	return read_units(count);
}

/* Reads lines and quantities from the last result. */
static OtLineUnits *
read_units(uint64 count)
{
	OtLineUnits *units = ot_line_units_make((int) count);

	units->count = (int) count;
	for (int i = 0; i < units->count; i++)
	{
		units->lines[i].line_no = ot_get_int4(i, 1);
		units->lines[i].quantity = ot_get_int8(i, 2);
	}
	return units;
}

/* Refuses a new line of a return that has more units than can come back. */
Datum
ordertrack_return_items_guard_units(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = ot_trigger_data(fcinfo, "return_items_guard_units");
	HeapTuple tuple = trigger->tg_trigtuple;
	int64 workspace = ot_tuple_int8(trigger, tuple, "workspace_id");
	OtOrderRow order;

	if (ot_in_replication())
		return PointerGetDatum(NULL);
	ot_begin();
	ot_order_take(workspace, ot_tuple_int8(trigger, tuple, "order_id"), &order);
	ot_return_check_units(workspace, ot_tuple_int8(trigger, tuple, "return_id"),
						  ot_tuple_int4(trigger, tuple, "line_no"));
	ot_end();
	return PointerGetDatum(NULL);
}

/*
 * Refuses a return that has more of a line than was shipped and is in no other
 * return; line_no 0 stands for all its lines.
 */
void
ot_return_check_units(int64 workspace, int64 return_id, int32 line_no)
{
	OtArgs args = {0};
	int64 shipped;
	int64 returned;

	ot_arg_int8(&args, workspace);
	ot_arg_int8(&args, return_id);
	ot_arg_int4(&args, line_no);
	if (ot_run(OT_PLAN_RETURN_EXCESS, &args) == 0)
		return;
	line_no = ot_get_int4(0, 1);
	shipped = ot_get_int8(0, 3);
	returned = ot_get_int8(0, 4);
	if (!ot_get_bool(0, 5) && shipped == 0)
		ereport(
			ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
			errmsg("order " INT64_FORMAT " has no line %d", ot_get_int8(0, 6), line_no));
	ereport(ERROR, errcode(OT_ERRCODE_EXCEEDED),
			errmsg_plural("cannot return " INT64_FORMAT " unit of line %d",
						  "cannot return " INT64_FORMAT " units of line %d",
						  ot_get_int8(0, 2), ot_get_int8(0, 2), line_no),
			errdetail("Shipped are " INT64_FORMAT ", in other returns " INT64_FORMAT
					  ", left are " INT64_FORMAT ".",
					  shipped, returned, Max(shipped - returned, 0)));
}

/* Refuses a receipt of more units than are to come. */
Datum
ordertrack_return_receipts_guard_units(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = ot_trigger_data(fcinfo, "return_receipts_guard_units");

	if (!ot_in_replication())
	{
		ot_begin();
		check_receipt(trigger);
		ot_end();
	}
	return PointerGetDatum(NULL);
}

static void
check_receipt(const TriggerData *trigger)
{
	HeapTuple tuple = trigger->tg_trigtuple;
	int64 return_id = ot_tuple_int8(trigger, tuple, "return_id");
	int32 line_no = ot_tuple_int4(trigger, tuple, "line_no");
	int64 quantity = ot_tuple_int8(trigger, tuple, "quantity");
	int64 announced;
	int64 received;
	OtArgs args = {0};

	ot_arg_int8(&args, ot_tuple_int8(trigger, tuple, "workspace_id"));
	ot_arg_int8(&args, return_id);
	ot_arg_int4(&args, line_no);
	ot_arg_int4(&args, ot_tuple_int4(trigger, tuple, "receipt_no"));
	if (ot_run(OT_PLAN_RETURN_RECEIVED, &args) == 0)
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("return " INT64_FORMAT " has no line %d", return_id, line_no));
	announced = ot_get_int8(0, 1);
	received = ot_get_int8(0, 2);
	if (quantity > announced - received)
		ereport(ERROR, errcode(OT_ERRCODE_EXCEEDED),
				errmsg_plural("cannot receive " INT64_FORMAT " unit of line %d",
							  "cannot receive " INT64_FORMAT " units of line %d",
							  quantity, quantity, line_no),
				errdetail("Announced are " INT64_FORMAT ", received " INT64_FORMAT
						  ", left are " INT64_FORMAT ".",
						  announced, received, announced - received));
}

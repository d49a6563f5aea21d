/*
 * issued_reward_lock.c
 *		Locks units and the orders whose history tells of them.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/timestamp.h"

#include "errcodes.h"
#include "issued_reward.h"

/* Columns of OT_PLAN_ISSUED_REWARDS_LOCK, in their order. */
enum
{
	ID = 1,
	ORDER_ID,
	REDEMPTION_ID,
	REWARD_TYPE,
	ACTIVE_FROM,
	EXPIRES_AT,
	CANCELED_AT,
	USED_AT,
	DELIVERY_STATUS,
	CASHBACK_CODE,
	CASHBACK_DETAIL_CODE,
	CASHBACK_MESSAGE
};

static void read_unit(uint64 row, OtUnit *unit);

/*
 * Locks units, their orders first, and gives how many there are, by id.  Two
 * callers with the same units in another order never wait in a circle.
 */
int
ot_units_lock(int64 workspace, ArrayType *ids, OtUnit **units)
{
	OtArgs args = {0};
	OtArgs order_args;
	uint64 count;

	ot_arg_int8(&args, workspace);
	ot_arg(&args, PointerGetDatum(ids));
	order_args = args;
	ot_run(OT_PLAN_ISSUED_REWARDS_LOCK_ORDERS, &order_args);
	count = ot_run(OT_PLAN_ISSUED_REWARDS_LOCK, &args);
	*units = palloc0(sizeof(OtUnit) * Max(count, 1));
	for (uint64 row = 0; row < count; row++)
		read_unit(row, &(*units)[row]);
	return (int) count;
}

/* Locks one unit, its order first, or says that there is none. */
void
ot_unit_lock(int64 workspace, int64 id, OtUnit *unit)
{
	Datum ids = Int64GetDatum(id);
	OtUnit *units;

	if (ot_units_lock(workspace,
					  construct_array(&ids, 1, INT8OID, sizeof(int64), FLOAT8PASSBYVAL,
									  TYPALIGN_DOUBLE),
					  &units) == 0)
	{
		ot_require_workspace(workspace);
		ereport(ERROR, errcode(OT_ERRCODE_NOT_FOUND),
				errmsg("issued reward " INT64_FORMAT " does not exist", id));
	}
	*unit = units[0];
}

static void
read_unit(uint64 row, OtUnit *unit)
{
	unit->id = ot_get_int8(row, ID);
	unit->order_id = ot_get_int8(row, ORDER_ID);
	unit->redemption_id = ot_get_int8(row, REDEMPTION_ID);
	unit->reward_type = ot_get_text(row, REWARD_TYPE);
	unit->active_from = ot_get_time(row, ACTIVE_FROM, 0);
	unit->expires_at = ot_get_time(row, EXPIRES_AT, DT_NOEND);
	unit->is_canceled = !ot_is_null(row, CANCELED_AT);
	unit->is_used = !ot_is_null(row, USED_AT);
	unit->used_at = ot_get_time(row, USED_AT, 0);
	unit->delivery_status = ot_get_text(row, DELIVERY_STATUS);
	unit->has_cashback = !ot_is_null(row, CASHBACK_CODE);
	unit->cashback_code = ot_get_int4(row, CASHBACK_CODE);
	unit->cashback_detail_code = ot_get_text(row, CASHBACK_DETAIL_CODE);
	unit->cashback_message = ot_get_text(row, CASHBACK_MESSAGE);
}

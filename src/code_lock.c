/*
 * code_lock.c
 *		Locks what several codes of one call will count: each table's rows by id
 *		and the tables in the one order, so that two calls never wait for each
 *		other in a circle.  A batch does so before it reads, so that nothing
 *		counted can be lost; a stack before it spends.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "plan.h"
#include "redemption.h"

static int64 *lock_codes(int64 workspace, OtPlan plan, ArrayType *codes,
						 const char *entity, int *count);
static void lock_stripes(int64 workspace, const char *entity, Datum *ids, int count);

/*
 * Locks the reservations of keys, and of codes those whose time is over, before
 * customers are; returns their keys, and whose they are.  A call that holds codes
 * already must end no others.
 */
ArrayType *
ot_reservations_lock(int64 workspace, ArrayType *keys, ArrayType *codes,
					 ArrayType **holders)
{
	OtArgs args = {0};
	Datum *values;
	Datum *ids;
	int count;

	ot_arg_int8(&args, workspace);
	ot_arg(&args, PointerGetDatum(keys));
	ot_arg(&args, PointerGetDatum(codes));
	ot_arg_time(&args, GetCurrentTimestamp());
	count = (int) ot_run(OT_PLAN_BATCH_LOCK_RESERVATIONS, &args);
	values = palloc(sizeof(Datum) * Max(count, 1));
	ids = palloc(sizeof(Datum) * Max(count, 1));
	for (int i = 0; i < count; i++)
	{
		values[i] = CStringGetTextDatum(ot_get_text(i, 1));
		ids[i] = Int64GetDatum(ot_get_int8(i, 2));
	}
	*holders = construct_array(ids, count, INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE);
	return construct_array(values, count, TEXTOID, -1, false, TYPALIGN_INT);
}

/* Locks customers, those of reservations and two more, by id; 0 is none. */
void
ot_customers_lock(int64 workspace, ArrayType *holders, int64 customer_id,
				  int64 order_customer_id)
{
	Datum *ids;
	int count;
	OtArgs args = {0};

	deconstruct_array(holders, INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &ids, NULL,
					  &count);
	ids = count == 0 ? palloc(sizeof(Datum) * 2)
					 : repalloc(ids, sizeof(Datum) * (count + 2));
	ids[count++] = Int64GetDatum(customer_id);
	ids[count++] = Int64GetDatum(order_customer_id);
	ot_arg_int8(&args, workspace);
	ot_arg(&args, PointerGetDatum(construct_array(ids, count, INT8OID, 8, FLOAT8PASSBYVAL,
												  TYPALIGN_DOUBLE)));
	ot_run(OT_PLAN_ENDING_CUSTOMERS_LOCK, &args);
}

/* Locks the vouchers of codes, and their campaigns, that are limited or gifts. */
void
ot_codes_lock(int64 workspace, ArrayType *codes, OtLocked *locked)
{
	locked->vouchers = lock_codes(workspace, OT_PLAN_BATCH_LOCK_VOUCHERS, codes,
								  "voucher", &locked->voucher_count);
	locked->campaigns = lock_codes(workspace, OT_PLAN_BATCH_LOCK_CAMPAIGNS, codes,
								   "campaign", &locked->campaign_count);
}

/* Gives the codes of attempts as an array. */
ArrayType *
ot_codes_of(OtAttempt *const *attempts, int count)
{
	Datum codes[OT_MAX_CODES];

	for (int i = 0; i < count; i++)
		codes[i] = CStringGetTextDatum(attempts[i]->request->code);
	return construct_array(codes, count, TEXTOID, -1, false, TYPALIGN_INT);
}

/* Tells whether an id is among those that were locked. */
bool
ot_locked_has(const int64 *ids, int count, int64 id)
{
	for (int i = 0; i < count; i++)
		if (ids[i] == id)
			return true;
	return false;
}

/* Locks the counters of the codes, with their stripes; returns whose they are. */
static int64 *
lock_codes(int64 workspace, OtPlan plan, ArrayType *codes, const char *entity, int *count)
{
	OtArgs args = {0};
	int64 *ids;
	Datum *striped;
	int striped_count = 0;

	ot_arg_int8(&args, workspace);
	ot_arg(&args, PointerGetDatum(codes));
	*count = (int) ot_run(plan, &args);
	ids = palloc(sizeof(int64) * Max(*count, 1));
	striped = palloc(sizeof(Datum) * Max(*count, 1));
	for (int i = 0; i < *count; i++)
	{
		ids[i] = ot_get_int8(i, 1);
		if (ot_get_bool(i, 2))
			striped[striped_count++] = Int64GetDatum(ids[i]);
	}
	if (striped_count > 0)
		lock_stripes(workspace, entity, striped, striped_count);
	return ids;
}

static void
lock_stripes(int64 workspace, const char *entity, Datum *ids, int count)
{
	OtArgs args = {0};

	ot_arg_int8(&args, workspace);
	ot_arg_text(&args, entity);
	ot_arg(&args, PointerGetDatum(construct_array(ids, count, INT8OID, 8, FLOAT8PASSBYVAL,
												  TYPALIGN_DOUBLE)));
	ot_run(OT_PLAN_BATCH_LOCK_STRIPES, &args);
}

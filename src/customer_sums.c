/*
 * customer_sums.c
 *		Keeps order_count, order_total and last_order_at of customers in step
 *		with their orders, in the transaction that changes the order.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/timestamp.h"

#include "ordertrack.h"

/* What one version of an order's row adds to its customer. */
typedef struct Share
{
	int64 customer_id; /* 0: it adds nothing */
	int64 total;
	TimestampTz created_at;
} Share;

/* What the new orders of one INSERT add, a customer once: see ot_customers_gather(). */
static struct
{
	bool is_open;
	int64 workspace;
	int count;
	Share shares[OT_ROWS_AT_ONCE];
	int64 counts[OT_ROWS_AT_ONCE];
} gathered;

static Share read_share(const TriggerData *trigger, HeapTuple tuple);
static void lock_both(int64 workspace, int64 customer_id, int64 other_id);
static bool gather(int64 workspace, const Share *share);
static void add(int64 workspace, const Share *share, int64 count, int64 total);
static void recount(int64 workspace, int64 customer_id, int64 count, int64 total);

/* Called AFTER INSERT OR UPDATE of an order. */
void
ot_customer_follow(const TriggerData *trigger)
{
	bool is_update = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event);
	HeapTuple after = is_update ? trigger->tg_newtuple : trigger->tg_trigtuple;
	Share is = read_share(trigger, after);
	Share was = {0};
	int64 workspace;

	if (is_update)
		was = read_share(trigger, trigger->tg_trigtuple);
	if (was.customer_id == is.customer_id && was.total == is.total &&
		was.created_at == is.created_at)
		return;

	workspace = ot_tuple_int8(trigger, after, "workspace_id");
	if (!is_update && gather(workspace, &is))
		return;
	ot_begin();
	ot_customers_add();
	if (was.customer_id != is.customer_id)
	{
		lock_both(workspace, was.customer_id, is.customer_id);
		if (was.customer_id != 0)
			recount(workspace, was.customer_id, -1, -was.total);
		if (is.customer_id != 0)
			add(workspace, &is, 1, is.total);
	}
	else if (was.created_at != is.created_at)
		recount(workspace, is.customer_id, 0, is.total - was.total);
	else
		add(workspace, &is, 0, is.total - was.total);
	ot_end();
}

/*
 * Keeps what new orders add until ot_customers_add(), which spares a batch an
 * UPDATE for each.  False where an INSERT further out does so already, in whose
 * triggers this one runs.
 */
bool
ot_customers_gather(void)
{
	if (gathered.is_open)
		return false;
	gathered.is_open = true;
	gathered.count = 0;
	return true;
}

/* Ends that, also after an error. */
void
ot_customers_gather_end(void)
{
	gathered.is_open = false;
	gathered.count = 0;
}

/* Somebody's trigger could add orders of its own, which may not fit in. */
static bool
gather(int64 workspace, const Share *share)
{
	int i = 0;

	if (!gathered.is_open)
		return false;
	while (i < gathered.count && gathered.shares[i].customer_id != share->customer_id)
		i++;
	if (i == OT_ROWS_AT_ONCE || (gathered.count > 0 && gathered.workspace != workspace))
		return false;
	if (i == gathered.count)
	{
		gathered.workspace = workspace;
		gathered.shares[i].customer_id = share->customer_id;
		gathered.shares[i].total = 0;
		gathered.shares[i].created_at = share->created_at;
		gathered.counts[i] = 0;
		gathered.count++;
	}
	gathered.shares[i].total += share->total;
	gathered.shares[i].created_at = Max(gathered.shares[i].created_at, share->created_at);
	gathered.counts[i]++;
	return true;
}

/* Adds what was gathered, at the end or before an order of it changes. */
void
ot_customers_add(void)
{
	Datum columns[4][OT_ROWS_AT_ONCE];
	OtArgs args = {0};

	if (gathered.count == 0)
		return;
	for (int i = 0; i < gathered.count; i++)
	{
		columns[0][i] = Int64GetDatum(gathered.shares[i].customer_id);
		columns[1][i] = Int64GetDatum(gathered.counts[i]);
		columns[2][i] = Int64GetDatum(gathered.shares[i].total);
		columns[3][i] = TimestampTzGetDatum(gathered.shares[i].created_at);
	}
	ot_arg_int8(&args, gathered.workspace);
	for (int column = 0; column < 3; column++)
		ot_arg(&args,
			   PointerGetDatum(construct_array(columns[column], gathered.count, INT8OID,
											   8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE)));
	ot_arg(&args,
		   PointerGetDatum(construct_array(columns[3], gathered.count, TIMESTAMPTZOID, 8,
										   FLOAT8PASSBYVAL, TYPALIGN_DOUBLE)));
	gathered.count = 0;
	ot_run(OT_PLAN_CUSTOMERS_SUMS, &args);
}

static Share
read_share(const TriggerData *trigger, HeapTuple tuple)
{
	Share share = {0};
	int64 customer_id = ot_tuple_int8(trigger, tuple, "customer_id");

	if (customer_id == 0 ||
		!ot_order_status_counts(ot_tuple_text(trigger, tuple, "status"),
								ot_tuple_text(trigger, tuple, "status_before_hold")))
		return share;
	share.customer_id = customer_id;
	share.total = ot_tuple_int8(trigger, tuple, "total_amount");
	share.created_at = ot_tuple_int8(trigger, tuple, "created_at");
	return share;
}

/* Locks two customers in the order of their ids; the one alone locks itself. */
static void
lock_both(int64 workspace, int64 customer_id, int64 other_id)
{
	OtArgs args = {0};

	if (customer_id == 0 || other_id == 0)
		return;
	ot_arg_int8(&args, workspace);
	ot_arg_int8(&args, customer_id);
	ot_arg_int8(&args, other_id);
	ot_run(OT_PLAN_CUSTOMERS_LOCK, &args);
}

static void
add(int64 workspace, const Share *share, int64 count, int64 total)
{
	OtArgs args = {0};

	ot_arg_int8(&args, workspace);
	ot_arg_int8(&args, share->customer_id);
	ot_arg_int8(&args, count);
	ot_arg_int8(&args, total);
	ot_arg_time(&args, share->created_at);
	ot_run(OT_PLAN_CUSTOMER_SUMS, &args);
}

/*
 * Adds, and looks for the newest order again.  The customer is locked by a
 * statement of its own, so that the next sees every order counted before.
 */
static void
recount(int64 workspace, int64 customer_id, int64 count, int64 total)
{
	OtArgs lock = {0};
	OtArgs sums = {0};

	ot_arg_int8(&lock, workspace);
	ot_arg_int8(&lock, customer_id);
	ot_run(OT_PLAN_CUSTOMER_LOCK, &lock);

	ot_arg_int8(&sums, workspace);
	ot_arg_int8(&sums, customer_id);
	ot_arg_int8(&sums, count);
	ot_arg_int8(&sums, total);
	ot_run(OT_PLAN_CUSTOMER_RECOUNT, &sums);
}

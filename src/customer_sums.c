/*
 * customer_sums.c
 *		Keeps order_count, order_total and last_order_at of customers in step
 *		with their orders, in the transaction that changes the order.
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "ordertrack.h"

/* What one version of an order's row adds to its customer. */
typedef struct Share
{
	int64 customer_id; /* 0: it adds nothing */
	int64 total;
} Share;

static Share read_share(const TriggerData *trigger, HeapTuple tuple);
static void add(int64 workspace, int64 customer_id, int64 count, int64 total,
				TimestampTz created_at);
static void take(int64 workspace, int64 customer_id, int64 count, int64 total);

/* Called AFTER INSERT OR UPDATE of an order. */
void
ot_customer_follow(const TriggerData *trigger)
{
	bool is_update = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event);
	HeapTuple after = is_update ? trigger->tg_newtuple : trigger->tg_trigtuple;
	Share old_share = {0, 0};
	Share new_share = read_share(trigger, after);
	int64 workspace;
	TimestampTz created_at;

	if (is_update)
		old_share = read_share(trigger, trigger->tg_trigtuple);
	if (old_share.customer_id == new_share.customer_id &&
		(new_share.customer_id == 0 || old_share.total == new_share.total))
		return;

	workspace = ot_tuple_int8(trigger, after, "workspace_id");
	created_at = ot_tuple_int8(trigger, after, "created_at");
	ot_begin();
	if (old_share.customer_id == new_share.customer_id)
		add(workspace, new_share.customer_id, 0, new_share.total - old_share.total,
			created_at);
	else
	{
		if (old_share.customer_id != 0)
			take(workspace, old_share.customer_id, 1, old_share.total);
		if (new_share.customer_id != 0)
			add(workspace, new_share.customer_id, 1, new_share.total, created_at);
	}
	ot_end();
}

static Share
read_share(const TriggerData *trigger, HeapTuple tuple)
{
	Share share = {0, 0};
	int64 customer_id = ot_tuple_int8(trigger, tuple, "customer_id");

	if (customer_id == 0 ||
		!ot_order_status_counts(ot_tuple_text(trigger, tuple, "status"),
								ot_tuple_text(trigger, tuple, "status_before_hold")))
		return share;
	share.customer_id = customer_id;
	share.total = ot_tuple_int8(trigger, tuple, "total_amount");
	return share;
}

static void
add(int64 workspace, int64 customer_id, int64 count, int64 total, TimestampTz created_at)
{
	OtArgs args = {0};

	ot_arg_int8(&args, workspace);
	ot_arg_int8(&args, customer_id);
	ot_arg_int8(&args, count);
	ot_arg_int8(&args, total);
	ot_arg_time(&args, created_at);
	ot_run(OT_PLAN_CUSTOMER_SUMS, &args);
}

/*
 * The customer is locked by a statement of its own, so that the recount sees
 * every order that was counted before.
 */
static void
take(int64 workspace, int64 customer_id, int64 count, int64 total)
{
	OtArgs lock = {0};
	OtArgs recount = {0};

	ot_arg_int8(&lock, workspace);
	ot_arg_int8(&lock, customer_id);
	ot_run(OT_PLAN_CUSTOMER_LOCK, &lock);

	ot_arg_int8(&recount, workspace);
	ot_arg_int8(&recount, customer_id);
	ot_arg_int8(&recount, -count);
	ot_arg_int8(&recount, -total);
	ot_run(OT_PLAN_CUSTOMER_RECOUNT, &recount);
}

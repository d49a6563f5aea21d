/*
 * cancel.c
 *		cancel_order: an order ends, and all that was redeemed on it comes back.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "errcodes.h"
#include "plan.h"
#include "reward_rollback.h"

PG_FUNCTION_INFO_V1(ordertrack_cancel_order);

/* Columns of OT_PLAN_ORDER_LIVE. */
enum
{
	REDEMPTION_ID = 1,
	CODE,
	STACK_ID,
	CUSTOMER_ID,
	REWARD_ID,
	QUANTITY
};

/* A live redemption of the order. */
typedef struct Live
{
	int64 redemption_id;
	char *code;		/* NULL: of a stack itself, or a reward */
	int64 stack_id; /* of which it is a part, or 0 */
	int64 customer_id;
	int64 reward_id; /* 0: none */
	int64 quantity;
} Live;

typedef struct Cancellation
{
	OtRollbackRequest request; /* of one redemption after the other */
	int64 order_id;
	OtOrderRow order;
	bool rolls_back;
	int count;
	Live *live; /* the newest first */
} Cancellation;

static void read_arguments(FunctionCallInfo fcinfo, Cancellation *cancellation);
static void read_live(Cancellation *cancellation);
static void lock_all(const Cancellation *cancellation);
static void lock_customers(const Cancellation *cancellation);
static void lock_codes(const Cancellation *cancellation);
static void cancel(const Cancellation *cancellation);
static void roll_back(Cancellation *cancellation, ReturnSetInfo *result);

/*
 * Cancels an order and rolls back what is live on it.  The order comes before the
 * rollbacks: what it lets go of its shipments no longer stands in their way.
 */
Datum
ordertrack_cancel_order(PG_FUNCTION_ARGS)
{
	Cancellation cancellation = {.request.function = "cancel_order"};

	PreventCommandIfReadOnly("ordertrack.cancel_order()");
	read_arguments(fcinfo, &cancellation);
	InitMaterializedSRF(fcinfo, 0);

	ot_begin();
	ot_lock_redemptions(false);
	ot_order_take(cancellation.request.workspace, cancellation.order_id,
				  &cancellation.order);
	if (cancellation.rolls_back)
	{
		read_live(&cancellation);
		lock_all(&cancellation);
	}
	cancellation.request.now = GetCurrentTimestamp();
	if (strcmp(cancellation.order.status, "canceled") != 0)
		cancel(&cancellation);
	roll_back(&cancellation, (ReturnSetInfo *) fcinfo->resultinfo);
	ot_end();
	return (Datum) 0;
}

static void
read_arguments(FunctionCallInfo fcinfo, Cancellation *cancellation)
{
	OtRollbackRequest *request = &cancellation->request;

	cancellation->order_id = ot_id_arg(fcinfo, 0, "order_id");
	request->reason = ot_text_arg(fcinfo, 1, "reason", OT_MAX_TEXT);
	ot_require_arg(fcinfo, 2, "rollback");
	cancellation->rolls_back = PG_GETARG_BOOL(2);
	request->channel = ot_text_arg(fcinfo, 3, "channel", OT_MAX_TEXT);
	request->actor = ot_text_arg(fcinfo, 4, "actor", OT_MAX_TEXT);
	request->workspace = ot_workspace_arg(fcinfo, 5);
}

static void
read_live(Cancellation *cancellation)
{
	OtArgs args = {0};

	ot_arg_int8(&args, cancellation->request.workspace);
	ot_arg_int8(&args, cancellation->order_id);
	cancellation->count = (int) ot_run(OT_PLAN_ORDER_LIVE, &args);
	cancellation->live = palloc0(sizeof(Live) * Max(cancellation->count, 1));
	for (int i = 0; i < cancellation->count; i++)
	{
		Live *live = &cancellation->live[i];

		live->redemption_id = ot_get_int8(i, REDEMPTION_ID);
		live->code = ot_get_text(i, CODE);
		live->stack_id = ot_get_int8(i, STACK_ID);
		live->customer_id = ot_get_int8(i, CUSTOMER_ID);
		live->reward_id = ot_get_int8(i, REWARD_ID);
		live->quantity = ot_get_int8(i, QUANTITY);
	}
}

/*
 * Locks what the rollbacks will write, in the one order: units of rewards and their
 * codes, customers, vouchers, campaigns.  An order has at most one reward, so the
 * account of its points and its counters are locked as it is rolled back, last.
 */
static void
lock_all(const Cancellation *cancellation)
{
	for (int i = 0; i < cancellation->count; i++)
	{
		OtRollbackRequest request = cancellation->request;
		const Live *live = &cancellation->live[i];

		request.redemption_id = live->redemption_id;
		if (live->reward_id != 0)
			ot_reward_lock(&request, live->reward_id, live->quantity);
	}
	lock_customers(cancellation);
	lock_codes(cancellation);
}

static void
lock_customers(const Cancellation *cancellation)
{
	Datum *ids = palloc(sizeof(Datum) * Max(cancellation->count, 1));

	for (int i = 0; i < cancellation->count; i++)
		ids[i] = Int64GetDatum(cancellation->live[i].customer_id);
	ot_customers_lock(cancellation->request.workspace,
					  construct_array(ids, cancellation->count, INT8OID, sizeof(int64),
									  FLOAT8PASSBYVAL, TYPALIGN_DOUBLE),
					  0, cancellation->order.customer_id);
}

static void
lock_codes(const Cancellation *cancellation)
{
	Datum *codes = palloc(sizeof(Datum) * Max(cancellation->count, 1));
	int count = 0;
	OtLocked locked;

	for (int i = 0; i < cancellation->count; i++)
		if (cancellation->live[i].code != NULL)
			codes[count++] = CStringGetTextDatum(cancellation->live[i].code);
	if (count > 0)
		ot_codes_lock(cancellation->request.workspace,
					  construct_array(codes, count, TEXTOID, -1, false, TYPALIGN_INT),
					  &locked);
}

/* Moves the order; the trigger judges. */
static void
cancel(const Cancellation *cancellation)
{
	const OtRollbackRequest *request = &cancellation->request;
	OtChange change = {0};

	change.workspace = request->workspace;
	change.order_id = cancellation->order_id;
	change.now = request->now;
	change.channel = request->channel;
	change.actor = request->actor;
	ot_change_explain(&change, request->reason);
	ot_order_move(&change, "canceled");
}

/* Rolls back what is live, and stacks as wholes, with an answer for each. */
static void
roll_back(Cancellation *cancellation, ReturnSetInfo *result)
{
	for (int i = 0; i < cancellation->count; i++)
	{
		OtOutcome outcome = {0};

		if (cancellation->live[i].stack_id != 0)
			continue;
		cancellation->request.redemption_id = cancellation->live[i].redemption_id;
		ot_rollback(&cancellation->request, &outcome);
		ot_outcome_put(result, &outcome);
	}
}

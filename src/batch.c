/*
 * batch.c
 *		redeem_batch: many redemptions in one transaction, each decided on its
 *		own and in order.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "errcodes.h"
#include "plan.h"
#include "redemption.h"

PG_FUNCTION_INFO_V1(ordertrack_redeem_batch);

typedef struct Batch
{
	int64 workspace;
	int count;
	OtRequest *requests;
	OtLocked locked;
} Batch;

static void read_batch(Batch *batch, const Jsonb *requests);
static void redeem_items(const Batch *batch, ReturnSetInfo *result);
static void read_item(OtRequest *request, const JsonbValue *item);
static bool check_names(OtRequest *request, JsonbContainer *object);
static char *read_text(OtRequest *request, JsonbContainer *object, const char *name);
static Jsonb *read_jsonb(JsonbContainer *object, const char *name);
static void lock_batch(Batch *batch);
static ArrayType *collect(const Batch *batch, const char *(*get)(const OtRequest *) );
static const char *get_code(const OtRequest *request);
static const char *get_customer(const OtRequest *request);
static const char *get_source_id(const OtRequest *request);
static const char *get_reservation_key(const OtRequest *request);
static ArrayType *collect_order_ids(const Batch *batch);
static void lock_orders_and_customers(const Batch *batch, ArrayType *codes);
static void record_conflict(const OtRequest *request, OtOutcome *outcome);

static const char *const names[] = {"code",	   "customer", "order_data",
									"amount",  "metadata", "idempotency_key",
									"channel", "actor",	   "reservation_key"};

/* Redeems an array of requests and gives one outcome for each, in order. */
Datum
ordertrack_redeem_batch(PG_FUNCTION_ARGS)
{
	Batch batch = {0};
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	PreventCommandIfReadOnly("ordertrack.redeem_batch()");
	batch.workspace = ot_workspace_arg(fcinfo, 1);
	read_batch(&batch, PG_ARGISNULL(0) ? NULL : PG_GETARG_JSONB_P(0));
	InitMaterializedSRF(fcinfo, 0);

	ot_begin();
	ot_lock_redemptions(false);
	ot_require_workspace(batch.workspace);
	lock_batch(&batch);
	ot_defer_begin();
	PG_TRY();
	{
		redeem_items(&batch, result);
		ot_flush();
	}
	PG_FINALLY();
	{
		ot_defer_end();
	}
	PG_END_TRY();
	ot_end();
	return (Datum) 0;
}

/* Redeems in order; what an item allocates goes with it. */
static void
redeem_items(const Batch *batch, ReturnSetInfo *result)
{
	MemoryContext item = AllocSetContextCreate(
		CurrentMemoryContext, "ordertrack batch item", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(item);

	for (int i = 0; i < batch->count; i++)
	{
		OtOutcome outcome;

		if (!ot_redeem(&batch->requests[i], &batch->locked, &outcome))
			record_conflict(&batch->requests[i], &outcome);
		ot_outcome_put(result, &outcome);
		MemoryContextReset(item);
	}
	MemoryContextSwitchTo(caller);
}

static void
read_batch(Batch *batch, const Jsonb *requests)
{
	JsonbContainer *array;

	if (requests == NULL || !JB_ROOT_IS_ARRAY(requests) || JB_ROOT_IS_SCALAR(requests))
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("argument \"requests\" must be a JSON array of objects"));
	batch->count = JB_ROOT_COUNT(requests);
	if (batch->count > OT_MAX_BATCH)
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("too many requests in a batch"),
				errdetail("There are %d, at most %d are allowed.", batch->count,
						  OT_MAX_BATCH));
	array = unconstify(JsonbContainer *, &requests->root);
	batch->requests = palloc0(sizeof(OtRequest) * Max(batch->count, 1));
	for (int i = 0; i < batch->count; i++)
	{
		batch->requests[i].workspace = batch->workspace;
		batch->requests[i].function = "redeem";
		read_item(&batch->requests[i], getIthJsonbValueFromContainer(array, i));
	}
}

/* What is wrong with an item is that item's answer, not an error of the batch. */
static void
read_item(OtRequest *request, const JsonbValue *item)
{
	JsonbContainer *object;
	char *code;
	char *customer;

	if (item->type != jbvBinary || !JsonContainerIsObject(item->val.binary.data))
	{
		ot_request_blame(request, "a request must be a JSON object");
		ot_request_read(request, NULL, NULL, NULL, NULL);
		return;
	}
	object = item->val.binary.data;
	if (!check_names(request, object))
		ot_request_blame(request, "a request has an unknown parameter");
	code = read_text(request, object, "code");
	customer = read_text(request, object, "customer");
	request->idempotency_key = read_text(request, object, "idempotency_key");
	request->channel = read_text(request, object, "channel");
	request->actor = read_text(request, object, "actor");
	request->reservation_key = read_text(request, object, "reservation_key");
	switch (ot_json_int8(object, "amount", &request->amount))
	{
		case OT_NUMBER_OK:
			request->has_amount = true;
			break;
		case OT_NUMBER_BAD:
			ot_request_blame(request, "amount must be a whole number");
			break;
		case OT_NUMBER_ABSENT:
			break;
	}
	/* What could not be read is part of the request all the same. */
	if (request->is_bad)
		request->raw = JsonbToCString(NULL, object, item->val.binary.len);
	ot_request_read(request, code, customer, read_jsonb(object, "order_data"),
					read_jsonb(object, "metadata"));
}

static bool
check_names(OtRequest *request, JsonbContainer *object)
{
	int known = 0;
	JsonbValue value;

	for (int i = 0; i < lengthof(names); i++)
		if (getKeyJsonValueFromContainer(object, names[i], strlen(names[i]), &value) !=
			NULL)
			known++;
	return known == (int) JsonContainerSize(object);
}

static char *
read_text(OtRequest *request, JsonbContainer *object, const char *name)
{
	char *text;

	if (ot_json_text(object, name, PG_INT32_MAX, &text) == OT_TEXT_BAD)
		ot_request_blame(request, psprintf("%s must be a text", name));
	return text;
}

static Jsonb *
read_jsonb(JsonbContainer *object, const char *name)
{
	JsonbValue *value = ot_json_find(object, name);

	return value == NULL ? NULL : JsonbValueToJsonb(value);
}

/*
 * Locks what the batch will write, each table's rows by id and the tables in
 * the one order, so that two batches never wait for each other in a circle.
 * It also spares the items their subtransactions: locked counters can't be
 * lost.
 */
static void
lock_batch(Batch *batch)
{
	ArrayType *codes = collect(batch, get_code);
	OtPrefetch *prefetch;

	lock_orders_and_customers(batch, codes);
	ot_codes_lock(batch->workspace, codes, &batch->locked);
	prefetch = ot_prefetch(batch->workspace, codes, collect(batch, get_customer));
	for (int i = 0; i < batch->count; i++)
		batch->requests[i].prefetch = prefetch;
}

static ArrayType *
collect(const Batch *batch, const char *(*get)(const OtRequest *) )
{
	Datum *keys = palloc(sizeof(Datum) * Max(batch->count, 1));
	int count = 0;

	for (int i = 0; i < batch->count; i++)
		if (!batch->requests[i].is_bad && get(&batch->requests[i]) != NULL)
			keys[count++] = CStringGetTextDatum(get(&batch->requests[i]));
	return construct_array(keys, count, TEXTOID, -1, false, TYPALIGN_INT);
}

static const char *
get_code(const OtRequest *request)
{
	return request->code;
}

static const char *
get_customer(const OtRequest *request)
{
	return request->customer;
}

static const char *
get_source_id(const OtRequest *request)
{
	return request->order.source_id;
}

static const char *
get_reservation_key(const OtRequest *request)
{
	return request->reservation_key;
}

static ArrayType *
collect_order_ids(const Batch *batch)
{
	Datum *ids = palloc(sizeof(Datum) * Max(batch->count, 1));
	int count = 0;

	for (int i = 0; i < batch->count; i++)
		if (batch->requests[i].order.has_id)
			ids[count++] = Int64GetDatum(batch->requests[i].order.id);
	return construct_array(ids, count, INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE);
}

/* The sums of an order's customer will change, also of one that is not named. */
static void
lock_orders_and_customers(const Batch *batch, ArrayType *codes)
{
	Datum source_ids = PointerGetDatum(collect(batch, get_source_id));
	Datum order_ids = PointerGetDatum(collect_order_ids(batch));
	OtArgs orders = {0};
	OtArgs customers = {0};
	ArrayType *holders;
	ArrayType *ended;

	ot_arg_int8(&orders, batch->workspace);
	ot_arg(&orders, source_ids);
	ot_arg(&orders, order_ids);
	ot_run(OT_PLAN_BATCH_LOCK_ORDERS, &orders);
	ended = ot_reservations_lock(batch->workspace, collect(batch, get_reservation_key),
								 codes, &holders);
	for (int i = 0; i < batch->count; i++)
		batch->requests[i].locked_keys = ended;

	ot_arg_int8(&customers, batch->workspace);
	ot_arg(&customers, PointerGetDatum(collect(batch, get_customer)));
	ot_arg(&customers, source_ids);
	ot_arg(&customers, order_ids);
	ot_arg(&customers, PointerGetDatum(holders));
	ot_run(OT_PLAN_BATCH_LOCK_CUSTOMERS, &customers);
}

/* Records that a key belongs to another request; the row has no key. */
static void
record_conflict(const OtRequest *request, OtOutcome *outcome)
{
	OtRecord record = {0};

	record.workspace = request->workspace;
	record.redemption_id = ot_next_redemption_id();
	record.failure = OT_IDEMPOTENCY_CONFLICT;
	record.failure_message = ot_failure_message(OT_IDEMPOTENCY_CONFLICT);
	record.code = request->code;
	record.customer = request->customer;
	record.actor = request->actor;
	record.channel = request->channel;
	record.metadata = request->metadata;
	record.now = GetCurrentTimestamp();
	ot_record_insert(&record);

	memset(outcome, 0, sizeof(*outcome));
	outcome->redemption_id = record.redemption_id;
	outcome->failure_code = ot_failure_code(record.failure);
	outcome->failure_message = record.failure_message;
}

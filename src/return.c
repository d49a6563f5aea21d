/*
 * return.c
 *		create_return, cancel_return: what customers are to send back.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "errcodes.h"
#include "redemption.h"
#include "return.h"

PG_FUNCTION_INFO_V1(ordertrack_create_return);
PG_FUNCTION_INFO_V1(ordertrack_cancel_return);

/* What is asked for. */
typedef struct Request
{
	OtReturnChange change;
	int64 order_id;
	OtLineUnits *units; /* NULL: all that there is */
	char *reason;
	bool has_exchange;
	int64 exchange_order_id;
	char *exchange_status;
	char *key; /* idempotency key, or NULL */
	uint8 hash[OT_HASH_LENGTH];
} Request;

static void hash_request(FunctionCallInfo fcinfo, Request *request);
static bool take_key(const Request *request, int64 *id);
static void make(Request *request);
static void lock_orders(Request *request);
static void check_exchange(const Request *request);
static void insert_return(const Request *request);
static void insert_items(const Request *request);
static void touch_exchange(const Request *request);
static void tell_created(const Request *request);

/* Begins a return of what was shipped and gives its id. */
Datum
ordertrack_create_return(PG_FUNCTION_ARGS)
{
	Request request = {0};
	OtRowChange *row = &request.change.row;

	PreventCommandIfReadOnly("ordertrack.create_return()");
	request.order_id = ot_id_arg(fcinfo, 0, "order_id");
	request.units = ot_line_units_arg(fcinfo, 1, "items");
	request.reason = ot_text_arg(fcinfo, 2, "reason", OT_MAX_TEXT);
	request.has_exchange = !PG_ARGISNULL(3);
	request.exchange_order_id = request.has_exchange ? PG_GETARG_INT64(3) : 0;
	request.key = ot_key_arg(fcinfo, 4);
	ot_return_read(fcinfo, 5, &request.change);
	if (request.key != NULL)
		hash_request(fcinfo, &request);
	if (request.has_exchange && request.exchange_order_id == request.order_id)
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("an order cannot be exchanged for itself"));

	ot_begin();
	lock_orders(&request);
	row->now = GetCurrentTimestamp();
	row->id = ot_next_return_id();
	if (take_key(&request, &row->id))
		make(&request);
	ot_end();
	PG_RETURN_INT64(row->id);
}

static void
hash_request(FunctionCallInfo fcinfo, Request *request)
{
	const char *fields[4];

	fields[0] = psprintf(INT64_FORMAT, request->order_id);
	fields[1] = PG_ARGISNULL(1) ? NULL : ot_json_to_text(PG_GETARG_JSONB_P(1));
	fields[2] = request->reason;
	fields[3] =
		request->has_exchange ? psprintf(INT64_FORMAT, request->exchange_order_id) : NULL;
	ot_request_hash("create_return", lengthof(fields), fields, request->hash);
}

/* Takes the key; false where it has the id of a return already. */
static bool
take_key(const Request *request, int64 *id)
{
	OtKeyUse use = {.workspace = request->change.row.workspace,
					.key = request->key,
					.function = "create_return",
					.hash = request->hash,
					.now = request->change.row.now,
					.find = OT_PLAN_RETURN_KEY_FIND,
					.claim = OT_PLAN_RETURN_KEY_CLAIM};

	return ot_key_take(&use, id);
}

static void
make(Request *request)
{
	if (request->has_exchange)
		check_exchange(request);
	if (request->units == NULL)
		request->units =
			ot_return_shipped(request->change.row.workspace, request->order_id);
	insert_return(request);
	insert_items(request);
	touch_exchange(request);
	tell_created(request);
}

/* Reads channel, actor and workspace of a call that changes a return. */
void
ot_return_read(FunctionCallInfo fcinfo, int n, OtReturnChange *change)
{
	change->row.table = "returns";
	change->row.channel = ot_text_arg(fcinfo, n, "channel", OT_MAX_TEXT);
	change->row.actor = ot_text_arg(fcinfo, n + 1, "actor", OT_MAX_TEXT);
	change->row.workspace = ot_workspace_arg(fcinfo, n + 2);
}

/* Locks the order and the one that it is exchanged for, by their ids. */
static void
lock_orders(Request *request)
{
	int64 first = request->order_id;
	int64 second = request->exchange_order_id;
	OtOrderRow order;
	OtOrderRow exchange;

	if (!request->has_exchange)
	{
		ot_order_take(request->change.row.workspace, first, &order);
		return;
	}
	if (first < second)
	{
		ot_order_take(request->change.row.workspace, first, &order);
		ot_order_take(request->change.row.workspace, second, &exchange);
	}
	else
	{
		ot_order_take(request->change.row.workspace, second, &exchange);
		ot_order_take(request->change.row.workspace, first, &order);
	}
	request->exchange_status = exchange.status;
}

/* An order waits for one return at a time. */
static void
check_exchange(const Request *request)
{
	const char *status = request->exchange_status;
	int64 other;

	if (strcmp(status, "awaiting_exchange") != 0)
		ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				errmsg("order " INT64_FORMAT " does not wait for an exchange",
					   request->exchange_order_id),
				errdetail("Its status is \"%s\".", status),
				errhint("Create it with status \"awaiting_exchange\"."));
	other =
		ot_return_of_exchange(request->change.row.workspace, request->exchange_order_id);
	if (other != 0)
		ereport(ERROR, errcode(OT_ERRCODE_EXISTS),
				errmsg("order " INT64_FORMAT " waits for another return already",
					   request->exchange_order_id),
				errdetail("It is return " INT64_FORMAT ".", other));
}

static void
insert_return(const Request *request)
{
	OtArgs args = {0};

	ot_arg_int8(&args, request->change.row.workspace);
	ot_arg_int8(&args, request->change.row.id);
	ot_arg_int8(&args, request->order_id);
	ot_arg_int8_or_null(&args, request->has_exchange, request->exchange_order_id);
	ot_arg_text(&args, request->reason);
	ot_arg_time(&args, request->change.row.now);
	ot_insert_announced(&request->change.row, OT_PLAN_RETURN_INSERT, &args, 1);
}

/* The trigger of the items judges whether there are so many. */
static void
insert_items(const Request *request)
{
	OtRowChange items = request->change.row;
	OtArgs args = {0};

	items.table = "return_items";
	ot_arg_int8(&args, items.workspace);
	ot_arg_int8(&args, items.id);
	ot_arg_int8(&args, request->order_id);
	ot_arg_line_units(&args, request->units);
	ot_arg_time(&args, items.now);
	ot_insert_announced(&items, OT_PLAN_RETURN_ITEMS_INSERT, &args,
						request->units->count);
}

/*
 * Makes a new version of the order that waits, without a note: whoever works on an
 * older snapshot doesn't see the return, and must not release the order either.
 */
static void
touch_exchange(const Request *request)
{
	OtArgs args = {0};

	if (!request->has_exchange)
		return;
	ot_arg_int8(&args, request->change.row.workspace);
	ot_arg_int8(&args, request->exchange_order_id);
	ot_write(OT_PLAN_ORDER_TOUCH, &args, 1);
}

static void
tell_created(const Request *request)
{
	OtJson json;

	ot_json_begin(&json);
	ot_json_add_int8(&json, "return_id", request->change.row.id);
	ot_json_open(&json, "return_status");
	ot_json_add_text(&json, "new", "awaiting_stock_return");
	ot_json_close(&json);
	ot_line_units_describe(request->units, &json);
	if (request->has_exchange)
		ot_json_add_int8(&json, "exchange_order_id", request->exchange_order_id);
	ot_return_tell(&request->change, request->order_id, "return_created", &json);
}

/* Adds a note about a return to its order's history. */
void
ot_return_tell(const OtReturnChange *change, int64 order_id, const char *event_type,
			   OtJson *json)
{
	OtChange note = {0};

	note.workspace = change->row.workspace;
	note.order_id = order_id;
	note.now = change->row.now;
	note.channel = change->row.channel;
	note.actor = change->row.actor;
	note.event_type = event_type;
	ot_note_sign(json, note.actor);
	note.data = ot_json_end(json);
	ot_order_tell(&note, NULL);
}

/* Ends a return of which nothing more is to come; gives the status before. */
Datum
ordertrack_cancel_return(PG_FUNCTION_ARGS)
{
	OtReturnChange change = {0};
	OtReturnRow row;

	PreventCommandIfReadOnly("ordertrack.cancel_return()");
	change.row.id = ot_id_arg(fcinfo, 0, "return_id");
	ot_return_read(fcinfo, 1, &change);

	ot_begin();
	ot_return_lock(&change, &row);
	if (strcmp(row.status, "canceled") != 0)
		ot_return_set_status(&change, "canceled");
	ot_end();
	PG_RETURN_TEXT_P(cstring_to_text(row.status));
}

/*
 * Locks a return, its orders first, and reads it and the clock, or says that there
 * is none.
 */
void
ot_return_lock(OtReturnChange *change, OtReturnRow *row)
{
	OtArgs args = {0};
	OtArgs order_args;

	ot_arg_int8(&args, change->row.workspace);
	ot_arg_int8(&args, change->row.id);
	order_args = args;
	ot_run(OT_PLAN_RETURN_LOCK_ORDERS, &order_args);
	if (ot_run(OT_PLAN_RETURN_LOCK, &args) == 0)
	{
		ot_require_workspace(change->row.workspace);
		ereport(ERROR, errcode(OT_ERRCODE_NOT_FOUND),
				errmsg("return " INT64_FORMAT " does not exist", change->row.id));
	}
	row->order_id = ot_get_int8(0, 1);
	row->exchange_order_id = ot_get_int8(0, 2);
	row->status = ot_get_text(0, 3);
	change->row.now = GetCurrentTimestamp();
}

/* Moves a return to a status; the triggers judge it and write the note. */
void
ot_return_set_status(const OtReturnChange *change, const char *status)
{
	OtArgs args = {0};

	ot_arg_int8(&args, change->row.workspace);
	ot_arg_int8(&args, change->row.id);
	ot_arg_text(&args, status);
	ot_change_row(&change->row, OT_PLAN_RETURN_STATUS, &args);
}

/*
 * order.c
 *		Creates orders, with their lines and the first notes of their history.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "errcodes.h"
#include "verdict.h"

PG_FUNCTION_INFO_V1(ordertrack_create_order);

static int64 customer_for(int64 workspace, const char *source_id, TimestampTz now);
static void check_new_order(const OtNewOrder *order);
static void make_note(OtNote *note, const OtNewOrder *order, const char *event_type,
					  Jsonb *data);
static Jsonb *describe_order(const OtNewOrder *order, const OtPersonal *personal);
static bool insert_order(const OtNewOrder *order, const OtHead *head);
static bool can_wait(const OtNewOrder *order);
static void insert_orders(const OtArgs *rows, int count);
static bool insert_once(OtArgs *row);

static const char *const statuses[] = {
	"created",	 "paid",	"fulfilled",		 "in_progress", "partially_shipped",
	"completed", "on_hold", "awaiting_exchange", "canceled"};

/* The orders whose INSERT the trigger of orders need not look at, in order. */
static const OtArgs *announced = NULL;
static int announced_count = 0;

/* Parameters of the statement that the trigger compares. */
enum
{
	ROW_WORKSPACE,
	ROW_ORDER
};

/* Stores a new order. */
Datum
ordertrack_create_order(PG_FUNCTION_ARGS)
{
	int64 workspace = ot_workspace_arg(fcinfo, 4);
	Jsonb *order_data = ot_object_arg(fcinfo, 0, "order_data");
	char *customer = ot_text_arg(fcinfo, 1, "customer", OT_MAX_KEY);
	OtOrderData data;
	OtNewOrder order = {0};

	PreventCommandIfReadOnly("ordertrack.create_order()");
	if (order_data == NULL)
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("argument \"order_data\" must not be null"));
	ot_order_data_read(&data, order_data);
	order.workspace = workspace;
	order.data = &data;
	order.status = data.status != NULL ? data.status : "created";
	order.channel = ot_text_arg(fcinfo, 2, "channel", OT_MAX_TEXT);
	order.actor = ot_text_arg(fcinfo, 3, "actor", OT_MAX_TEXT);
	order.now = GetCurrentTimestamp();

	ot_begin();
	ot_require_workspace(workspace);
	check_new_order(&order);
	order.customer_id = customer_for(workspace, customer, order.now);
	order.order_id = ot_next_order_id();
	if (!ot_order_insert(&order))
		ereport(ERROR, errcode(OT_ERRCODE_EXISTS),
				errmsg("an order with this source_id already exists"),
				errhint("Use ordertrack.update_order() to change it."));
	ot_end();
	PG_RETURN_INT64(order.order_id);
}

static int64
customer_for(int64 workspace, const char *source_id, TimestampTz now)
{
	if (source_id == NULL)
		return 0;
	if (*source_id == '\0')
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("argument \"customer\" must not be empty"));
	return ot_customer_put(workspace, source_id, now);
}

static void
check_new_order(const OtNewOrder *order)
{
	const OtOrderData *data = order->data;

	ot_order_data_check(data);
	if (data->has_id)
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("a new order cannot be given an id"),
				errhint("Use source_id for an id of your own."));
	if (!ot_order_status_is_known(order->status))
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("unknown order status \"%s\"", order->status));
	if (!ot_transition_is_first(order->workspace, "order", order->status))
		ot_transition_refuse(order->workspace, "order", NULL, order->status, NULL);
}

/* Refuses order_data that cannot be stored. */
void
ot_order_data_check(const OtOrderData *data)
{
	if (data->failure != OT_OK)
		ereport(
			ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
			errmsg("order_data is not valid"),
			errdetail("%s: %s.", ot_failure_code(data->failure), data->failure_message));
}

/*
 * Inserts an order, its lines and its first notes; the row is born with the
 * head of its history.  Returns false, with nothing written, where another
 * session has just taken its source_id.
 */
bool
ot_order_insert(const OtNewOrder *order)
{
	OtPersonal *personal = ot_personal_begin();
	OtHead heads[OT_MAX_NOTES];
	OtNote notes[OT_MAX_NOTES];
	int note_count = 1 + order->next_count;

	ot_personal_add(personal, "shipping_address", order->data->shipping_address);
	ot_personal_add_text(personal, "submitted_by", order->data->submitted_by);
	ot_personal_add_text(personal, "on_behalf_of", order->data->on_behalf_of);
	make_note(&notes[0], order, "order_created", describe_order(order, personal));
	for (int i = 1; i < note_count; i++)
		make_note(&notes[i], order, order->next_event, order->next_data[i - 1]);
	for (int i = 0; i < note_count; i++)
	{
		if (i == 0)
			ot_head_set(&heads[0], 0, NULL);
		else
			heads[i] = heads[i - 1];
		ot_head_advance(&heads[i], &notes[i]);
	}

	if (!insert_order(order, &heads[note_count - 1]))
		return false;
	ot_lines_insert(order->workspace, order->order_id, order->data, order->now);
	ot_notes_insert(notes, heads, note_count);
	ot_personal_store(personal, order->workspace, order->order_id, 1);
	return true;
}

static void
make_note(OtNote *note, const OtNewOrder *order, const char *event_type, Jsonb *data)
{
	memset(note, 0, sizeof(*note));
	note->workspace = order->workspace;
	note->order_id = order->order_id;
	note->event_type = event_type;
	note->channel = order->channel;
	note->author = ot_outer_role();
	note->data = data;
	note->created_at = order->now;
}

/*
 * The first note holds what was ordered, so that the history alone tells it.
 * Here and in the notes after it, keys come in the order of ot_json_begin().
 */
static Jsonb *
describe_order(const OtNewOrder *order, const OtPersonal *personal)
{
	OtJson json;

	ot_json_begin(&json);
	ot_note_sign(&json, order->actor);
	if (order->data->line_count > 0)
		ot_lines_describe(order->data, "items", &json);
	ot_json_add_int8(&json, "amount", order->data->amount + order->given_amount);
	ot_json_add_text(&json, "status", order->status);
	ot_personal_describe(personal, &json);
	if (order->customer_id != 0)
		ot_json_add_int8(&json, "customer_id", order->customer_id);
	ot_json_add_text(&json, "data_source", order->data->data_source);
	ot_json_add_int8(&json, "discount_amount", order->discount_amount);
	if (order->data->has_points)
		ot_json_add_int8(&json, "value_in_points", order->data->value_in_points);
	return ot_json_end(&json);
}

static bool
insert_order(const OtNewOrder *order, const OtHead *head)
{
	const OtOrderData *data = order->data;
	OtArgs args = {0};

	ot_arg_int8(&args, order->workspace);
	ot_arg_int8(&args, order->order_id);
	ot_arg_text(&args, data->source_id);
	ot_arg_text(&args, data->data_source);
	ot_arg_text(&args, order->status);
	ot_arg_id(&args, order->customer_id);
	ot_arg_int8(&args, data->amount + order->given_amount);
	ot_arg_int8(&args, order->discount_amount);
	ot_arg_int8(&args, data->amount + order->given_amount - order->discount_amount);
	ot_arg_int8_or_null(&args, data->has_points, data->value_in_points);
	ot_arg_jsonb(&args, data->metadata);
	ot_arg_jsonb(&args, data->shipping_address);
	ot_arg_text(&args, data->submitted_by);
	ot_arg_text(&args, data->submitted_by_id);
	ot_arg_text(&args, data->on_behalf_of);
	ot_arg_text(&args, order->channel);
	ot_arg_time(&args, order->now);
	ot_arg_int4(&args, head->note_no);
	ot_arg_bytes(&args, head->hash, OT_HASH_LENGTH);
	if (strcmp(order->status, "paid") == 0)
		ot_arg_time(&args, order->now);
	else
		ot_arg_null(&args);
	ot_arg_int8(&args, data->amount);

	if (data->source_id != NULL)
		return insert_once(&args);
	if (can_wait(order))
		ot_insert_rows(OT_PLAN_ORDER_INSERT, insert_orders, &args, 1);
	else
		insert_orders(&args, 1);
	return true;
}

/*
 * Tells whether the row of a batch's order may be written later: nobody can name
 * it, and it can't bring its customer's sum out of range.
 */
static bool
can_wait(const OtNewOrder *order)
{
	return order->data->amount < OT_WAITING_SUM / OT_MAX_BATCH;
}

/* Inserts orders, announced to the trigger of orders, and then their sums. */
static void
insert_orders(const OtArgs *rows, int count)
{
	const OtArgs *outer_announced = announced;
	int outer_count = announced_count;
	bool gathers = count > 1 && ot_customers_gather();

	announced = rows;
	announced_count = count;
	PG_TRY();
	{
		ot_write_rows(OT_PLAN_ORDER_INSERT, rows, count);
		if (gathers)
			ot_customers_add();
	}
	PG_FINALLY();
	{
		announced = outer_announced;
		announced_count = outer_count;
		if (gathers)
			ot_customers_gather_end();
	}
	PG_END_TRY();
}

/*
 * Inserts an order where its source_id is new.  Where that is not so, nobody may
 * have taken our announcement: somebody's trigger would have inserted our order.
 */
static bool
insert_once(OtArgs *row)
{
	const OtArgs *outer_announced = announced;
	int outer_count = announced_count;
	volatile bool is_new = true;

	announced = row;
	announced_count = 1;
	PG_TRY();
	{
		is_new = ot_run(OT_PLAN_ORDER_INSERT_ONCE, row) == 1;
		if (!is_new && announced_count == 0)
			ot_refuse_suppressed();
	}
	PG_FINALLY();
	{
		announced = outer_announced;
		announced_count = outer_count;
	}
	PG_END_TRY();
	return is_new;
}

/*
 * Tells the trigger of orders whether an INSERT is ours; once only.  Somebody's
 * trigger may insert orders in between, which are not.
 */
bool
ot_order_take_announced(int64 workspace, int64 order_id)
{
	if (announced_count == 0 ||
		DatumGetInt64(announced->values[ROW_WORKSPACE]) != workspace ||
		DatumGetInt64(announced->values[ROW_ORDER]) != order_id)
		return false;
	announced++;
	announced_count--;
	return true;
}

/* Tells whether a status is one of an order's. */
bool
ot_order_status_is_known(const char *status)
{
	for (int i = 0; i < lengthof(statuses); i++)
		if (strcmp(statuses[i], status) == 0)
			return true;
	return false;
}

/* Tells whether an order of this status counts as bought; a hold counts as what it was.
 */
bool
ot_order_status_counts(const char *status, const char *status_before_hold)
{
	const char *effective = status_before_hold != NULL ? status_before_hold : status;

	return strcmp(effective, "paid") == 0 || strcmp(effective, "fulfilled") == 0 ||
		   strcmp(effective, "in_progress") == 0 ||
		   strcmp(effective, "partially_shipped") == 0 ||
		   strcmp(effective, "completed") == 0;
}

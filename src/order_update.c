/*
 * order_update.c
 *		Changes stored orders: their status and what else is passed.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "errcodes.h"
#include "payment.h"
#include "shipment.h"
#include "verdict.h"

PG_FUNCTION_INFO_V1(ordertrack_set_order_status);
PG_FUNCTION_INFO_V1(ordertrack_update_order);

/* Fields that update_order takes, beside items. */
static const char *const fields[] = {"amount",		 "metadata",	   "shipping_address",
									 "data_source",	 "submitted_by",   "submitted_by_id",
									 "on_behalf_of", "value_in_points"};

/* One for the address, one for the lines, one for the rest. */
#define MOST_NOTES 3

/* What an update changes, and the notes that say so. */
typedef struct Story
{
	const OtOrderData *data;
	OtOrderRow before;
	char *data_source_before;
	bool had_points;
	int64 points_before;
	OtOrderData lines_before;
	const char *actor;
	int32 first_no; /* number of the first note */
	int count;
	const char *events[MOST_NOTES];
	Jsonb *notes[MOST_NOTES];
	OtPersonal *personal[MOST_NOTES]; /* whose hashes the note has, or NULL */
} Story;

static ArrayType *read_fields(const OtOrderData *data);
static bool is_passed(const OtOrderData *data, const char *field);
static void check_lines(const OtChange *change, const OtOrderData *data);
static void check_amounts(const OtOrderData *data, const OtOrderRow *locked);
static void read_before(const OtChange *change, Story *story);
static void tell_address(Story *story);
static void tell_lines(Story *story);
static void tell_rest(Story *story);
static bool is_of_rest(const OtOrderData *data, const char *field);
static void describe_amount(const Story *story, OtJson *json);
static void add_note(Story *story, const char *event_type, OtJson *json,
					 OtPersonal *personal);
static void update(const OtChange *change, const Story *story);
static const char *status_after(const OtChange *change, const Story *story);

/* Moves an order to a status and gives the one before. */
Datum
ordertrack_set_order_status(PG_FUNCTION_ARGS)
{
	int64 order_id = ot_id_arg(fcinfo, 0, "order_id");
	char *status = ot_required_text_arg(fcinfo, 1, "status", OT_MAX_TEXT);
	OtChange change = {0};
	OtArgs args = {0};
	OtOrderRow locked;

	PreventCommandIfReadOnly("ordertrack.set_order_status()");
	change.workspace = ot_workspace_arg(fcinfo, 4);
	change.order_id = order_id;
	change.channel = ot_text_arg(fcinfo, 2, "channel", OT_MAX_TEXT);
	change.actor = ot_text_arg(fcinfo, 3, "actor", OT_MAX_TEXT);
	if (!ot_order_status_is_known(status))
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("unknown order status \"%s\"", status));

	ot_begin();
	ot_order_take(change.workspace, order_id, &locked);
	change.now = GetCurrentTimestamp();
	if (strcmp(locked.status, status) != 0)
	{
		ot_arg_int8(&args, change.workspace);
		ot_arg_int8(&args, order_id);
		ot_arg_text(&args, status);
		ot_change_order(&change, OT_PLAN_ORDER_STATUS, &args);
	}
	ot_end();
	PG_RETURN_TEXT_P(cstring_to_text(locked.status));
}

/* Changes what order_data names. */
Datum
ordertrack_update_order(PG_FUNCTION_ARGS)
{
	Jsonb *order_data = ot_object_arg(fcinfo, 1, "order_data");
	OtChange change = {0};
	OtOrderData data;
	Story story = {0};

	PreventCommandIfReadOnly("ordertrack.update_order()");
	change.order_id = ot_id_arg(fcinfo, 0, "order_id");
	change.workspace = ot_workspace_arg(fcinfo, 4);
	change.channel = ot_text_arg(fcinfo, 2, "channel", OT_MAX_TEXT);
	change.actor = ot_text_arg(fcinfo, 3, "actor", OT_MAX_TEXT);
	if (order_data == NULL)
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("argument \"order_data\" must not be null"));
	ot_order_data_read(&data, order_data);
	ot_order_data_check(&data);
	if (data.has_id || data.source_id != NULL || data.status != NULL)
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("id, source_id and status of an order cannot be updated"),
				errhint("Use ordertrack.set_order_status() for the status."));

	ot_begin();
	ot_order_take(change.workspace, change.order_id, &story.before);
	change.now = GetCurrentTimestamp();
	check_amounts(&data, &story.before);
	check_lines(&change, &data);
	story.data = &data;
	story.actor = change.actor;
	read_before(&change, &story);
	tell_address(&story);
	tell_lines(&story);
	tell_rest(&story);
	if (story.count > 0)
	{
		change.event_type = story.events[0];
		change.data = story.notes[0];
		change.more_count = story.count - 1;
		change.more_events = &story.events[1];
		change.more_data = &story.notes[1];
		update(&change, &story);
	}
	for (int i = 0; i < story.count; i++)
		if (story.personal[i] != NULL)
			ot_personal_store(story.personal[i], change.workspace, change.order_id,
							  story.first_no + i);
	ot_end();
	PG_RETURN_VOID();
}

/* Locks an order and reads its row, or says that there is none. */
void
ot_order_take(int64 workspace, int64 order_id, OtOrderRow *row)
{
	OtArgs args = {0};

	ot_arg_int8(&args, workspace);
	ot_arg_int8(&args, order_id);
	if (ot_run(OT_PLAN_ORDER_LOCK, &args) == 0)
		ot_order_refuse(workspace, order_id);
	row->status = ot_get_text(0, 1);
	row->amount = ot_get_int8(0, 2);
	row->discount_amount = ot_get_int8(0, 3);
	row->customer_id = ot_get_int8(0, 4);
}

/* Says that there is no such order, or no such workspace. */
void
ot_order_refuse(int64 workspace, int64 order_id)
{
	ot_require_workspace(workspace);
	ereport(ERROR, errcode(OT_ERRCODE_NO_ORDER),
			errmsg("order " INT64_FORMAT " does not exist", order_id));
}

static ArrayType *
read_fields(const OtOrderData *data)
{
	Datum passed[lengthof(fields)];
	int count = 0;

	for (int i = 0; i < lengthof(fields); i++)
		if (is_passed(data, fields[i]) || (i == 0 && data->has_amount))
			passed[count++] = CStringGetTextDatum(fields[i]);
	return construct_array(passed, count, TEXTOID, -1, false, TYPALIGN_INT);
}

/* A field is passed where its key is there, also with a JSON null. */
static bool
is_passed(const OtOrderData *data, const char *field)
{
	JsonbValue value;

	return getKeyJsonValueFromContainer(unconstify(JsonbContainer *, &data->source->root),
										field, strlen(field), &value) != NULL;
}

/* What has been paid for stays as it was paid for. */
static void
check_amounts(const OtOrderData *data, const OtOrderRow *locked)
{
	bool has_amounts = is_passed(data, "amount") || is_passed(data, "items");
	bool has_price = has_amounts || is_passed(data, "value_in_points");

	if (has_price && strcmp(locked->status, "created") != 0)
		ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				errmsg("amounts of an order with status \"%s\" cannot be changed",
					   locked->status),
				errdetail(
					"Amount and items may change only while the status is \"created\"."));
	if (is_passed(data, "items") && !data->has_items)
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("items of an order cannot be null"));
	if (has_amounts && !data->has_amount)
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("order_data has no amount"),
				errdetail("It is neither given nor the sum of lines that have one."));
	if (has_amounts && data->amount < locked->discount_amount)
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("amount is less than the order's discount"));
}

/* What was given on lines would hang in the air without them. */
static void
check_lines(const OtChange *change, const OtOrderData *data)
{
	OtArgs args = {0};

	if (!is_passed(data, "amount") && !is_passed(data, "items"))
		return;
	if (data->has_items && ot_shipments_are_live(change->workspace, change->order_id))
		ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				errmsg("items of an order cannot be changed while shipments hold some"),
				errhint("Cancel its shipments first."));
	ot_arg_int8(&args, change->workspace);
	ot_arg_int8(&args, change->order_id);
	if (ot_run(OT_PLAN_ITEMS_LIVE, &args) > 0)
		ereport(
			ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
			errmsg("amount and items cannot be changed while lines have a discount"),
			errhint("Roll the redemptions back that gave something on lines, or make a "
					"new order."));
}

static void
read_before(const OtChange *change, Story *story)
{
	OtArgs args = {0};

	ot_arg_int8(&args, change->workspace);
	ot_arg_int8(&args, change->order_id);
	ot_run(OT_PLAN_ORDER_BEFORE, &args);
	story->data_source_before = ot_get_text(0, 1);
	story->had_points = !ot_is_null(0, 2);
	story->points_before = ot_get_int8(0, 2);
	story->first_no = ot_get_int4(0, 3) + 1;
	if (story->data->has_items)
		ot_lines_read(change->workspace, change->order_id, &story->lines_before);
}

static void
tell_address(Story *story)
{
	OtPersonal *personal = ot_personal_begin();
	OtJson json;

	if (!is_passed(story->data, "shipping_address"))
		return;
	ot_personal_add(personal, "shipping_address", story->data->shipping_address);
	ot_json_begin(&json);
	ot_json_open_array(&json, "fields");
	ot_json_add_element(&json, "shipping_address");
	ot_json_close_array(&json);
	add_note(story, "address_changed", &json, personal);
}

static void
tell_lines(Story *story)
{
	OtJson json;

	if (!story->data->has_items)
		return;
	ot_json_begin(&json);
	ot_json_open(&json, "items");
	ot_lines_describe(story->data, "new", &json);
	ot_lines_describe(&story->lines_before, "old", &json);
	ot_json_close(&json);
	describe_amount(story, &json);
	add_note(story, "lines_changed", &json, NULL);
}

/* Names what is a number or the catalog in plain, of everything else the field. */
static void
tell_rest(Story *story)
{
	const OtOrderData *data = story->data;
	OtPersonal *personal = ot_personal_begin();
	int count = 0;
	OtJson json;

	ot_json_begin(&json);
	ot_json_open_array(&json, "fields");
	for (int i = 0; i < lengthof(fields); i++)
		if (is_of_rest(data, fields[i]))
		{
			ot_json_add_element(&json, fields[i]);
			count++;
		}
	ot_json_close_array(&json);
	if (count == 0)
		return;
	if (is_of_rest(data, "amount"))
		describe_amount(story, &json);
	if (is_passed(data, "data_source"))
	{
		ot_json_open(&json, "data_source");
		ot_json_add_text(&json, "new", data->data_source);
		ot_json_add_text(&json, "old", story->data_source_before);
		ot_json_close(&json);
	}
	if (is_passed(data, "value_in_points"))
	{
		ot_json_open(&json, "value_in_points");
		if (data->has_points)
			ot_json_add_int8(&json, "new", data->value_in_points);
		if (story->had_points)
			ot_json_add_int8(&json, "old", story->points_before);
		ot_json_close(&json);
	}
	ot_personal_add_text(personal, "submitted_by", data->submitted_by);
	ot_personal_add_text(personal, "on_behalf_of", data->on_behalf_of);
	add_note(story, "order_updated", &json, personal);
}

/* The amount that comes with lines is told with them. */
static bool
is_of_rest(const OtOrderData *data, const char *field)
{
	return is_passed(data, field) && strcmp(field, "shipping_address") != 0 &&
		   !(data->has_items && strcmp(field, "amount") == 0);
}

static void
describe_amount(const Story *story, OtJson *json)
{
	ot_json_open(json, "amount");
	ot_json_add_int8(json, "new", story->data->amount);
	ot_json_add_int8(json, "old", story->before.amount);
	ot_json_close(json);
}

static void
add_note(Story *story, const char *event_type, OtJson *json, OtPersonal *personal)
{
	if (personal != NULL)
		ot_personal_describe(personal, json);
	ot_note_sign(json, story->actor);
	story->events[story->count] = event_type;
	story->notes[story->count] = ot_json_end(json);
	story->personal[story->count++] = personal;
}

static void
update(const OtChange *change, const Story *story)
{
	const OtOrderData *data = story->data;
	OtArgs args = {0};

	ot_arg_int8(&args, change->workspace);
	ot_arg_int8(&args, change->order_id);
	if (data->has_items)
	{
		OtArgs key = args;

		ot_run(OT_PLAN_ITEMS_DELETE, &key);
		ot_lines_insert(change->workspace, change->order_id, data, change->now);
	}
	ot_arg(&args, PointerGetDatum(read_fields(data)));
	ot_arg_int8(&args, data->amount);
	ot_arg_jsonb(&args, data->metadata);
	ot_arg_jsonb(&args, data->shipping_address);
	ot_arg_text(&args, data->data_source);
	ot_arg_text(&args, data->submitted_by);
	ot_arg_text(&args, data->submitted_by_id);
	ot_arg_text(&args, data->on_behalf_of);
	ot_arg_int8_or_null(&args, data->has_points, data->value_in_points);
	ot_arg_text(&args, status_after(change, story));
	ot_change_order(change, OT_PLAN_ORDER_UPDATE, &args);
}

/* What was paid for an order may reach a smaller amount. */
static const char *
status_after(const OtChange *change, const Story *story)
{
	const OtOrderData *data = story->data;
	const OtOrderRow *before = &story->before;

	if (!data->has_amount)
		return before->status;
	return ot_payments_settle(change->workspace, change->order_id,
							  data->amount - before->discount_amount, before->status);
}

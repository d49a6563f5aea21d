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
#include "verdict.h"

PG_FUNCTION_INFO_V1(ordertrack_set_order_status);
PG_FUNCTION_INFO_V1(ordertrack_update_order);

/* Fields that update_order takes, beside items. */
static const char *const fields[] = {"amount",		 "metadata",	   "shipping_address",
									 "data_source",	 "submitted_by",   "submitted_by_id",
									 "on_behalf_of", "value_in_points"};

static ArrayType *read_fields(const OtOrderData *data);
static bool is_passed(const OtOrderData *data, const char *field);
static void check_lines(const OtChange *change, const OtOrderData *data);
static void check_amounts(const OtOrderData *data, const OtOrderRow *locked);
static Jsonb *describe_update(const OtOrderData *data, const OtOrderRow *locked,
							  const OtPersonal *personal, const char *actor);
static uint64 update(const OtChange *change, const OtOrderData *data, ArrayType *passed);
static int32 count_notes(int64 workspace, int64 order_id);

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
	change.now = GetCurrentTimestamp();
	if (!ot_order_status_is_known(status))
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("unknown order status \"%s\"", status));

	ot_begin();
	ot_order_take(change.workspace, order_id, &locked);
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
	OtPersonal *personal = ot_personal_begin();
	OtChange change = {0};
	OtOrderData data;
	ArrayType *passed;
	OtOrderRow locked;

	PreventCommandIfReadOnly("ordertrack.update_order()");
	change.order_id = ot_id_arg(fcinfo, 0, "order_id");
	change.workspace = ot_workspace_arg(fcinfo, 4);
	change.channel = ot_text_arg(fcinfo, 2, "channel", OT_MAX_TEXT);
	change.actor = ot_text_arg(fcinfo, 3, "actor", OT_MAX_TEXT);
	change.now = GetCurrentTimestamp();
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
	ot_order_take(change.workspace, change.order_id, &locked);
	check_amounts(&data, &locked);
	check_lines(&change, &data);
	passed = read_fields(&data);
	if (ARR_NDIM(passed) > 0 || data.has_items)
	{
		ot_personal_add(personal, "shipping_address", data.shipping_address);
		ot_personal_add_text(personal, "submitted_by", data.submitted_by);
		ot_personal_add_text(personal, "on_behalf_of", data.on_behalf_of);
		change.event_type =
			is_passed(&data, "shipping_address") ? "address_changed" : "order_updated";
		change.data = describe_update(&data, &locked, personal, change.actor);
		update(&change, &data, passed);
		ot_personal_store(personal, change.workspace, change.order_id,
						  count_notes(change.workspace, change.order_id));
	}
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
	ot_arg_int8(&args, change->workspace);
	ot_arg_int8(&args, change->order_id);
	if (ot_run(OT_PLAN_ITEMS_LIVE, &args) > 0)
		ereport(
			ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
			errmsg("amount and items cannot be changed while lines have a discount"),
			errhint("Roll the redemptions back that gave something on lines, or make a "
					"new order."));
}

/* Names amounts in plain, of everything else the fields. */
static Jsonb *
describe_update(const OtOrderData *data, const OtOrderRow *locked,
				const OtPersonal *personal, const char *actor)
{
	OtJson json;

	ot_json_begin(&json);
	ot_json_open_array(&json, "fields");
	for (int i = 0; i < lengthof(fields); i++)
		if (is_passed(data, fields[i]))
			ot_json_add_element(&json, fields[i]);
	if (data->has_items)
		ot_json_add_element(&json, "items");
	ot_json_close_array(&json);
	if (data->has_amount)
	{
		ot_json_open(&json, "amount");
		ot_json_add_int8(&json, "old", locked->amount);
		ot_json_add_int8(&json, "new", data->amount);
		ot_json_close(&json);
	}
	ot_lines_describe(data, &json);
	ot_personal_describe(personal, &json);
	ot_note_sign(&json, actor);
	return ot_json_end(&json);
}

static uint64
update(const OtChange *change, const OtOrderData *data, ArrayType *passed)
{
	OtArgs args = {0};

	ot_arg_int8(&args, change->workspace);
	ot_arg_int8(&args, change->order_id);
	if (data->has_items)
	{
		OtArgs key = args;

		ot_run(OT_PLAN_ITEMS_DELETE, &key);
		ot_lines_insert(change->workspace, change->order_id, data, change->now);
	}
	ot_arg(&args, PointerGetDatum(passed));
	ot_arg_int8(&args, data->amount);
	ot_arg_jsonb(&args, data->metadata);
	ot_arg_jsonb(&args, data->shipping_address);
	ot_arg_text(&args, data->data_source);
	ot_arg_text(&args, data->submitted_by);
	ot_arg_text(&args, data->submitted_by_id);
	ot_arg_text(&args, data->on_behalf_of);
	ot_arg_int8_or_null(&args, data->has_points, data->value_in_points);
	return ot_change_order(change, OT_PLAN_ORDER_UPDATE, &args);
}

/* Gives the number of an order's newest note. */
static int32
count_notes(int64 workspace, int64 order_id)
{
	OtArgs args = {0};

	ot_arg_int8(&args, workspace);
	ot_arg_int8(&args, order_id);
	ot_run(OT_PLAN_ORDER_READ, &args);
	return ot_get_int4(0, 5);
}

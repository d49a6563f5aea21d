/*
 * shipment_status.c
 *		set_shipment_status: one shipment, where a refusal is an error, or many, each
 *		decided on its own, where it is an answer and a note of the order.
 */
#include "postgres.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "errcodes.h"
#include "redemption.h"
#include "shipment.h"

PG_FUNCTION_INFO_V1(ordertrack_set_shipment_status);
PG_FUNCTION_INFO_V1(ordertrack_set_shipment_status_array);

#define OUTCOME_COLUMNS 6 /* of type shipment_outcome */

static const char *const statuses[] = {"awaiting_inventory",
									   "inventory_assigned",
									   "on_hold",
									   "released",
									   "packing",
									   "shipped",
									   "delivered",
									   "canceled"};

/* What the shipments are to become. */
typedef struct Move
{
	OtRowChange change; /* of the shipment whose turn it is */
	const char *status;
	const char *tracking_number; /* NULL: it keeps its own, as the carrier */
	const char *carrier;
	ReturnSetInfo *result;
} Move;

static void read_move(FunctionCallInfo fcinfo, Move *move);
static void lock(Move *move, const int64 *ids, int count);
static int compare_ids(const void *a, const void *b);
static void lock_shipment(const Move *move, int64 id);
static bool read_shipment(const Move *move, OtShipment *shipment);
static bool changes(const Move *move, const OtShipment *shipment);
static void change_shipment(const Move *move, const OtShipment *shipment);
static int64 *ids_arg(FunctionCallInfo fcinfo, int *count);
static OtShipmentFailure try_move(const Move *move, OtShipment *shipment);
static void tell_refusal(const Move *move, const OtShipment *shipment);
static void answer(const Move *move, const OtShipment *shipment,
				   OtShipmentFailure failure);

/* Moves a shipment to a status and gives the one before; the trigger judges. */
Datum
ordertrack_set_shipment_status(PG_FUNCTION_ARGS)
{
	int64 id = ot_id_arg(fcinfo, 0, "shipment_id");
	OtShipment shipment;
	Move move = {0};

	PreventCommandIfReadOnly("ordertrack.set_shipment_status()");
	read_move(fcinfo, &move);

	ot_begin();
	lock(&move, &id, 1);
	move.change.id = id;
	move.change.now = GetCurrentTimestamp();
	if (!read_shipment(&move, &shipment))
	{
		ot_require_workspace(move.change.workspace);
		ereport(ERROR, errcode(OT_ERRCODE_NOT_FOUND),
				errmsg("shipment " INT64_FORMAT " does not exist", move.change.id));
	}
	if (changes(&move, &shipment))
		change_shipment(&move, &shipment);
	ot_end();
	PG_RETURN_TEXT_P(cstring_to_text(shipment.status));
}

static void
read_move(FunctionCallInfo fcinfo, Move *move)
{
	move->status = ot_required_text_arg(fcinfo, 1, "status", OT_MAX_TEXT);
	move->tracking_number = ot_text_arg(fcinfo, 2, "tracking_number", OT_MAX_TEXT);
	move->carrier = ot_text_arg(fcinfo, 3, "carrier", OT_MAX_TEXT);
	move->change.table = "shipments";
	move->change.channel = ot_text_arg(fcinfo, 4, "channel", OT_MAX_TEXT);
	move->change.actor = ot_text_arg(fcinfo, 5, "actor", OT_MAX_TEXT);
	move->change.workspace = ot_workspace_arg(fcinfo, 6);
	if (!ot_shipment_status_is_known(move->status))
		ot_shipment_status_refuse(move->status);
}

/* Tells whether a status is one of a shipment's. */
bool
ot_shipment_status_is_known(const char *status)
{
	for (int i = 0; i < lengthof(statuses); i++)
		if (strcmp(statuses[i], status) == 0)
			return true;
	return false;
}

/* Refuses a status that is none of a shipment's. */
void
ot_shipment_status_refuse(const char *status)
{
	ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
			errmsg("unknown shipment status \"%s\"", status),
			errhint("Statuses are awaiting_inventory, inventory_assigned, released, "
					"packing, shipped, delivered, on_hold and canceled."));
}

/*
 * Locks orders, then shipments, each by id: two callers with the same shipments in
 * another order never wait in a circle.
 */
static void
lock(Move *move, const int64 *ids, int count)
{
	int64 *order_ids = palloc(sizeof(int64) * Max(count, 1));
	int64 *shipment_ids = palloc(sizeof(int64) * Max(count, 1));
	OtShipment shipment;
	int found = 0;

	for (int i = 0; i < count; i++)
	{
		move->change.id = ids[i];
		if (!read_shipment(move, &shipment))
			continue;
		order_ids[found] = shipment.order_id;
		shipment_ids[found++] = shipment.id;
	}
	qsort(order_ids, found, sizeof(int64), compare_ids);
	qsort(shipment_ids, found, sizeof(int64), compare_ids);
	for (int i = 0; i < found; i++)
		if (i == 0 || order_ids[i] != order_ids[i - 1])
			ot_order_lock(move->change.workspace, order_ids[i]);
	for (int i = 0; i < found; i++)
		lock_shipment(move, shipment_ids[i]);
}

static int
compare_ids(const void *a, const void *b)
{
	int64 id = *(const int64 *) a;
	int64 other = *(const int64 *) b;

	return (id > other) - (id < other);
}

static void
lock_shipment(const Move *move, int64 id)
{
	OtArgs args = {0};

	ot_arg_int8(&args, move->change.workspace);
	ot_arg_int8(&args, id);
	ot_run(OT_PLAN_SHIPMENT_LOCK, &args);
}

static bool
read_shipment(const Move *move, OtShipment *shipment)
{
	OtArgs args = {0};

	ot_arg_int8(&args, move->change.workspace);
	ot_arg_int8(&args, move->change.id);
	if (ot_run(OT_PLAN_SHIPMENT_READ, &args) == 0)
		return false;
	shipment->id = move->change.id;
	shipment->order_id = ot_get_int8(0, 1);
	shipment->status = ot_get_text(0, 2);
	shipment->held_status = ot_get_text(0, 3);
	shipment->carrier = ot_get_text(0, 4);
	shipment->tracking_number = ot_get_text(0, 5);
	return true;
}

static bool
changes(const Move *move, const OtShipment *shipment)
{
	return strcmp(shipment->status, move->status) != 0 ||
		   (move->carrier != NULL && !ot_same_text(move->carrier, shipment->carrier)) ||
		   (move->tracking_number != NULL &&
			!ot_same_text(move->tracking_number, shipment->tracking_number));
}

static void
change_shipment(const Move *move, const OtShipment *shipment)
{
	OtArgs args = {0};

	ot_arg_int8(&args, move->change.workspace);
	ot_arg_int8(&args, shipment->id);
	ot_arg_text(&args, move->status);
	ot_arg_text(&args, move->carrier != NULL ? move->carrier : shipment->carrier);
	ot_arg_text(&args, move->tracking_number != NULL ? move->tracking_number
													 : shipment->tracking_number);
	ot_change_row(&move->change, OT_PLAN_SHIPMENT_UPDATE, &args);
}

/* Moves shipments to a status, each decided on its own. */
Datum
ordertrack_set_shipment_status_array(PG_FUNCTION_ARGS)
{
	Move move = {0};
	int count;
	int64 *ids = ids_arg(fcinfo, &count);

	PreventCommandIfReadOnly("ordertrack.set_shipment_status()");
	read_move(fcinfo, &move);
	move.result = (ReturnSetInfo *) fcinfo->resultinfo;
	InitMaterializedSRF(fcinfo, 0);

	ot_begin();
	ot_require_workspace(move.change.workspace);
	lock(&move, ids, count);
	move.change.now = GetCurrentTimestamp();
	for (int i = 0; i < count; i++)
	{
		OtShipment shipment = {0};

		move.change.id = ids[i];
		answer(&move, &shipment, try_move(&move, &shipment));
	}
	ot_end();
	return (Datum) 0;
}

static int64 *
ids_arg(FunctionCallInfo fcinfo, int *count)
{
	ArrayType *array = PG_ARGISNULL(0) ? NULL : PG_GETARG_ARRAYTYPE_P(0);

	if (array == NULL || array_contains_nulls(array))
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("argument \"shipment_ids\" must be an array without nulls"));
	*count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	if (*count > OT_MAX_BATCH)
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("too many shipments in a call"),
				errdetail("There are %d, at most %d are allowed.", *count, OT_MAX_BATCH));
	return (int64 *) ARR_DATA_PTR(array); /* without nulls they lie one after another */
}

/* Moves one of many, or records why not: an earlier one may have moved the order. */
static OtShipmentFailure
try_move(const Move *move, OtShipment *shipment)
{
	OtShipmentFailure failure = OT_SHIPMENT_OK;
	OtOrderRow order;

	if (!read_shipment(move, shipment))
		return OT_SHIPMENT_NOT_FOUND;
	if (!changes(move, shipment))
		return OT_SHIPMENT_OK;
	ot_order_take(move->change.workspace, shipment->order_id, &order);
	if (strcmp(shipment->status, move->status) != 0)
		failure = ot_shipment_judge(move->status, order.status,
									ot_transition_find(move->change.workspace, "shipment",
													   shipment->status, move->status,
													   shipment->held_status) != NULL);
	if (failure == OT_SHIPMENT_OK)
		change_shipment(move, shipment);
	else
		tell_refusal(move, shipment);
	return failure;
}

static void
tell_refusal(const Move *move, const OtShipment *shipment)
{
	OtChange change = {0};
	OtJson json;

	change.workspace = move->change.workspace;
	change.order_id = shipment->order_id;
	change.now = move->change.now;
	change.channel = move->change.channel;
	change.actor = move->change.actor;
	change.event_type = "transition_refused";
	ot_json_begin(&json);
	ot_json_add_int8(&json, "shipment_id", shipment->id);
	ot_json_open(&json, "refused");
	ot_json_add_text(&json, "entity", "shipment");
	ot_json_add_text(&json, "from", shipment->status);
	ot_json_add_text(&json, "to", move->status);
	ot_json_close(&json);
	ot_note_sign(&json, change.actor);
	change.data = ot_json_end(&json);
	ot_order_tell(&change, NULL);
}

/* Answers with the status that the shipment had and the one that it has. */
static void
answer(const Move *move, const OtShipment *shipment, OtShipmentFailure failure)
{
	bool is_success = failure == OT_SHIPMENT_OK;
	Datum values[OUTCOME_COLUMNS] = {0};
	bool nulls[OUTCOME_COLUMNS] = {false};

	values[0] = Int64GetDatum(move->change.id);
	values[1] = CStringGetTextDatum(is_success ? "success" : "failure");
	nulls[2] = nulls[3] = is_success;
	if (!is_success)
	{
		values[2] = CStringGetTextDatum(ot_shipment_failure_code(failure));
		values[3] = CStringGetTextDatum(
			failure == OT_SHIPMENT_REFUSED
				? psprintf("shipment status cannot change from \"%s\" to \"%s\"",
						   shipment->status, move->status)
				: ot_shipment_failure_message(failure));
	}
	nulls[4] = nulls[5] = failure == OT_SHIPMENT_NOT_FOUND;
	if (!nulls[4])
	{
		values[4] = CStringGetTextDatum(shipment->status);
		values[5] = CStringGetTextDatum(is_success ? move->status : shipment->status);
	}
	tuplestore_putvalues(move->result->setResult, move->result->setDesc, values, nulls);
}

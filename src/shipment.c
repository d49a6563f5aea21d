/*
 * shipment.c
 *		create_shipment: units of an order's lines that are sent together.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "errcodes.h"
#include "line_units.h"
#include "redemption.h"
#include "shipment.h"

PG_FUNCTION_INFO_V1(ordertrack_create_shipment);

/* Columns of OT_PLAN_SHIPMENT_LINES. */
enum
{
	LINE_NO = 1,
	QUANTITY,
	LIVE,
	CANCELED
};

/* A line that a shipment is made of. */
typedef struct Line
{
	int32 line_no;
	int64 quantity;
	int64 live;		/* units in live shipments */
	int64 canceled; /* units that were in canceled ones, and in none since */
} Line;

typedef struct NewShipment
{
	OtRowChange change;
	int64 order_id;
	OtOrderRow order;
	const char *status;
	const char *carrier;
	const char *tracking_number;
	int line_count; /* of the order */
	Line *lines;
	OtLineUnits *units; /* that are to be sent */
	char *key;			/* idempotency key, or NULL */
	uint8 hash[OT_HASH_LENGTH];
} NewShipment;

static void hash_request(FunctionCallInfo fcinfo, NewShipment *shipment);
static bool take_key(const NewShipment *shipment, int64 *id);
static void make(NewShipment *shipment);
static void check(const NewShipment *shipment);
static void read_lines(NewShipment *shipment);
static OtLineUnits *take_rest(const NewShipment *shipment);
static const Line *find_line(const NewShipment *shipment, int32 line_no);
static void insert(const NewShipment *shipment);
static void insert_items(const NewShipment *shipment);
static void tell_order(const NewShipment *shipment);

/* Makes a shipment and returns its id; the trigger of its items counts them. */
Datum
ordertrack_create_shipment(PG_FUNCTION_ARGS)
{
	NewShipment shipment = {.change.table = "shipments"};
	OtRowChange *change = &shipment.change;

	PreventCommandIfReadOnly("ordertrack.create_shipment()");
	shipment.order_id = ot_id_arg(fcinfo, 0, "order_id");
	shipment.units = ot_line_units_arg(fcinfo, 1, "items");
	shipment.status = ot_required_text_arg(fcinfo, 2, "status", OT_MAX_TEXT);
	shipment.carrier = ot_text_arg(fcinfo, 3, "carrier", OT_MAX_TEXT);
	shipment.tracking_number = ot_text_arg(fcinfo, 4, "tracking_number", OT_MAX_TEXT);
	shipment.key = ot_key_arg(fcinfo, 5);
	change->channel = ot_text_arg(fcinfo, 6, "channel", OT_MAX_TEXT);
	change->actor = ot_text_arg(fcinfo, 7, "actor", OT_MAX_TEXT);
	change->workspace = ot_workspace_arg(fcinfo, 8);
	if (shipment.key != NULL)
		hash_request(fcinfo, &shipment);

	ot_begin();
	ot_order_take(change->workspace, shipment.order_id, &shipment.order);
	change->now = GetCurrentTimestamp();
	change->id = ot_next_shipment_id();
	if (take_key(&shipment, &change->id))
		make(&shipment);
	ot_end();
	PG_RETURN_INT64(change->id);
}

static void
hash_request(FunctionCallInfo fcinfo, NewShipment *shipment)
{
	const char *fields[5];

	fields[0] = psprintf(INT64_FORMAT, shipment->order_id);
	fields[1] = PG_ARGISNULL(1) ? NULL : ot_json_to_text(PG_GETARG_JSONB_P(1));
	fields[2] = shipment->status;
	fields[3] = shipment->carrier;
	fields[4] = shipment->tracking_number;
	ot_request_hash("create_shipment", lengthof(fields), fields, shipment->hash);
}

/* Takes the key; false where it has the id of a shipment already. */
static bool
take_key(const NewShipment *shipment, int64 *id)
{
	OtKeyUse use = {.workspace = shipment->change.workspace,
					.key = shipment->key,
					.function = "create_shipment",
					.hash = shipment->hash,
					.now = shipment->change.now,
					.find = OT_PLAN_SHIPMENT_KEY_FIND,
					.claim = OT_PLAN_SHIPMENT_KEY_CLAIM};

	return ot_key_take(&use, id);
}

/* The order's lock keeps other shipments of it away. */
static void
make(NewShipment *shipment)
{
	check(shipment);
	read_lines(shipment);
	if (shipment->units == NULL)
		shipment->units = take_rest(shipment);
	insert(shipment);
	insert_items(shipment);
	tell_order(shipment);
}

static void
check(const NewShipment *shipment)
{
	const char *order_status = shipment->order.status;

	if (!ot_shipment_status_is_known(shipment->status))
		ot_shipment_status_refuse(shipment->status);
	if (!ot_transition_is_first(shipment->change.workspace, "shipment", shipment->status))
		ot_transition_refuse(shipment->change.workspace, "shipment", NULL,
							 shipment->status, NULL);
	if (!ot_order_takes_shipments(order_status))
		ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				errmsg("order with status \"%s\" takes no shipment", order_status),
				errdetail("Shipments are made for orders that are created, paid, "
						  "in_progress or partially_shipped."));
}

static void
read_lines(NewShipment *shipment)
{
	OtArgs args = {0};

	ot_arg_int8(&args, shipment->change.workspace);
	ot_arg_int8(&args, shipment->order_id);
	shipment->line_count = (int) ot_run(OT_PLAN_SHIPMENT_LINES, &args);
	shipment->lines = palloc(sizeof(Line) * Max(shipment->line_count, 1));
	for (int i = 0; i < shipment->line_count; i++)
	{
		Line *line = &shipment->lines[i];

		line->line_no = ot_get_int4(i, LINE_NO);
		line->quantity = ot_get_int8(i, QUANTITY);
		line->live = ot_get_int8(i, LIVE);
		line->canceled = ot_get_int8(i, CANCELED);
	}
}

/* Takes all that is left of all lines. */
static OtLineUnits *
take_rest(const NewShipment *shipment)
{
	OtLineUnits *units = ot_line_units_make(shipment->line_count);

	for (int i = 0; i < shipment->line_count; i++)
	{
		const Line *line = &shipment->lines[i];

		if (line->quantity <= line->live)
			continue;
		units->lines[units->count].line_no = line->line_no;
		units->lines[units->count++].quantity = line->quantity - line->live;
	}
	if (units->count == 0)
		ereport(
			ERROR, errcode(OT_ERRCODE_EXCEEDED),
			errmsg("order " INT64_FORMAT " has nothing left to ship", shipment->order_id),
			errdetail("All units of its lines are in shipments."));
	return units;
}

static void
insert(const NewShipment *shipment)
{
	OtArgs args = {0};

	ot_arg_int8(&args, shipment->change.workspace);
	ot_arg_int8(&args, shipment->change.id);
	ot_arg_int8(&args, shipment->order_id);
	ot_arg_text(&args, shipment->status);
	ot_arg_text(&args, shipment->carrier);
	ot_arg_text(&args, shipment->tracking_number);
	ot_arg_time(&args, shipment->change.now);
	ot_insert_announced(&shipment->change, OT_PLAN_SHIPMENT_INSERT, &args, 1);
}

/* Units that a canceled shipment had are sent again first. */
static void
insert_items(const NewShipment *shipment)
{
	const OtLineUnits *units = shipment->units;
	Datum *replaced = palloc(sizeof(Datum) * units->count);
	OtRowChange change = shipment->change;
	OtArgs args = {0};

	for (int i = 0; i < units->count; i++)
	{
		const Line *line = find_line(shipment, units->lines[i].line_no);

		replaced[i] = Int64GetDatum(Min(line->canceled, units->lines[i].quantity));
	}
	change.table = "shipment_items";
	ot_arg_int8(&args, change.workspace);
	ot_arg_int8(&args, change.id);
	ot_arg_int8(&args, shipment->order_id);
	ot_arg_time(&args, change.now);
	ot_arg_line_units(&args, units);
	ot_arg(&args,
		   PointerGetDatum(construct_array(replaced, units->count, INT8OID, sizeof(int64),
										   FLOAT8PASSBYVAL, TYPALIGN_DOUBLE)));
	ot_insert_announced(&change, OT_PLAN_SHIPMENT_ITEMS_INSERT, &args, units->count);
}

static const Line *
find_line(const NewShipment *shipment, int32 line_no)
{
	for (int i = 0; i < shipment->line_count; i++)
		if (shipment->lines[i].line_no == line_no)
			return &shipment->lines[i];
	ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
			errmsg("order " INT64_FORMAT " has no line %d", shipment->order_id, line_no));
}

static void
tell_order(const NewShipment *shipment)
{
	OtChange change = {0};
	OtJson json;

	change.workspace = shipment->change.workspace;
	change.order_id = shipment->order_id;
	change.now = shipment->change.now;
	change.channel = shipment->change.channel;
	change.actor = shipment->change.actor;
	change.event_type = psprintf("shipment_%s", shipment->status);
	ot_json_begin(&json);
	ot_json_add_int8(&json, "shipment_id", shipment->change.id);
	ot_json_open(&json, "shipment_status");
	ot_json_add_text(&json, "new", shipment->status);
	ot_json_close(&json);
	ot_shipment_describe_text(&json, "carrier", NULL, shipment->carrier);
	ot_shipment_describe_text(&json, "tracking_number", NULL, shipment->tracking_number);
	ot_line_units_describe(shipment->units, &json);
	ot_note_sign(&json, change.actor);
	change.data = ot_json_end(&json);
	ot_order_tell(&change, NULL);
}

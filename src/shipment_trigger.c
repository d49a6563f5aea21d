/*
 * shipment_trigger.c
 *		The triggers of shipments and of their items.  BEFORE: only allowed moves, and
 *		the columns that follow the status.  AFTER: the same is looked at again in the
 *		row as it is stored, and the order gets the note of the change and the status
 *		that it has by it.  Items: no more of a line than was ordered.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "errcodes.h"
#include "shipment.h"

PG_FUNCTION_INFO_V1(ordertrack_shipments_guard_status);
PG_FUNCTION_INFO_V1(ordertrack_shipments_write_history);
PG_FUNCTION_INFO_V1(ordertrack_shipment_items_guard_quantity);
PG_FUNCTION_INFO_V1(ordertrack_order_items_guard_quantity);

#define SET_COLUMNS 5

/* What an UPDATE of one shipment's row means. */
typedef struct Story
{
	int64 workspace;
	OtShipment before;
	OtShipment after;
	bool is_moved;
	bool is_touched; /* moved, or carrier or tracking number changed */
	TimestampTz now;
	const char *channel;
	const char *actor;
	OtOrderRow order; /* where it is moved */
	const char *event_type;
} Story;

static void guard_insert(const TriggerData *trigger);
static void read_story(const TriggerData *trigger, bool is_before, Story *story);
static void read_shipment(const TriggerData *trigger, HeapTuple tuple,
						  OtShipment *shipment);
static void sign_story(const OtRowChange *change, Story *story);
static void check_columns(const TriggerData *trigger, const Story *story);
static void refuse_column(const char *column) pg_attribute_noreturn();
static void check_move(Story *story);
static void refuse_order(const Story *story) pg_attribute_noreturn();
static HeapTuple set_columns(const TriggerData *trigger, const Story *story);
static void tell_order(const Story *story);
static bool keeps_units(const TriggerData *trigger);
static void check_line(const TriggerData *trigger, HeapTuple tuple);
static void check_lines(int64 workspace, int64 order_id, int32 first_no, int32 last_no);

/* Refuses moves of a shipment that are not allowed, also to its owner. */
Datum
ordertrack_shipments_guard_status(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = ot_trigger_data(fcinfo, "shipments_guard_status");
	bool is_update = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event);
	Story story;

	if (ot_in_replication())
		return PointerGetDatum(is_update ? trigger->tg_newtuple : trigger->tg_trigtuple);
	if (!is_update)
	{
		guard_insert(trigger);
		return PointerGetDatum(trigger->tg_trigtuple);
	}
	read_story(trigger, true, &story);
	if (!story.is_moved)
		check_columns(trigger, &story);
	if (!story.is_moved || story.after.status == NULL) /* which its column refuses */
		return PointerGetDatum(trigger->tg_newtuple);
	check_move(&story);
	return PointerGetDatum(set_columns(trigger, &story));
}

/* Writes the note of a change into the history of the shipment's order. */
Datum
ordertrack_shipments_write_history(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = ot_trigger_data(fcinfo, "shipments_write_history");
	Story story;

	if (ot_in_replication())
		return PointerGetDatum(NULL);
	if (!TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
	{
		guard_insert(trigger);
		return PointerGetDatum(NULL);
	}
	ot_guard_stored(trigger);
	read_story(trigger, false, &story);
	check_columns(trigger, &story);
	if (story.is_moved)
		check_move(&story);
	if (story.is_touched)
		tell_order(&story);
	return PointerGetDatum(NULL);
}

/* What follows the status, the CHECKs of the table keep empty in a first one. */
static void
guard_insert(const TriggerData *trigger)
{
	HeapTuple tuple = trigger->tg_trigtuple;
	int64 workspace = ot_tuple_int8(trigger, tuple, "workspace_id");
	char *status = ot_tuple_text(trigger, tuple, "status");

	ot_begin();
	if (status != NULL && !ot_transition_is_first(workspace, "shipment", status))
		ot_transition_refuse(workspace, "shipment", NULL, status, NULL);
	ot_end();
}

static void
read_story(const TriggerData *trigger, bool is_before, Story *story)
{
	memset(story, 0, sizeof(*story));
	story->workspace = ot_tuple_int8(trigger, trigger->tg_trigtuple, "workspace_id");
	read_shipment(trigger, trigger->tg_trigtuple, &story->before);
	read_shipment(trigger, trigger->tg_newtuple, &story->after);
	story->is_moved = !ot_same_text(story->before.status, story->after.status);
	story->is_touched =
		story->is_moved || !ot_same_text(story->before.carrier, story->after.carrier) ||
		!ot_same_text(story->before.tracking_number, story->after.tracking_number);
	sign_story(
		ot_current_row_change(trigger, story->workspace, story->before.id, is_before),
		story);
}

static void
read_shipment(const TriggerData *trigger, HeapTuple tuple, OtShipment *shipment)
{
	shipment->id = ot_tuple_int8(trigger, tuple, "shipment_id");
	shipment->order_id = ot_tuple_int8(trigger, tuple, "order_id");
	shipment->status = ot_tuple_text(trigger, tuple, "status");
	shipment->held_status = ot_tuple_text(trigger, tuple, "status_before_hold");
	shipment->carrier = ot_tuple_text(trigger, tuple, "carrier");
	shipment->tracking_number = ot_tuple_text(trigger, tuple, "tracking_number");
}

/* Takes who and when from the function that runs, or from what the order does. */
static void
sign_story(const OtRowChange *change, Story *story)
{
	const OtChange *followed =
		ot_shipments_followed(story->workspace, story->before.order_id);

	story->now = change != NULL		? change->now
				 : followed != NULL ? followed->now
									: GetCurrentTimestamp();
	if (change != NULL)
	{
		story->channel = change->channel;
		story->actor = change->actor;
	}
	else if (followed != NULL)
	{
		story->channel = followed->channel;
		story->actor = followed->actor;
	}
}

/* What a hold remembers, and when something was shipped, follows the status. */
static void
check_columns(const TriggerData *trigger, const Story *story)
{
	static const char *const following[] = {"status_before_hold", "is_held_with_order",
											"shipped_at", "delivered_at"};

	if (story->is_moved)
	{
		const char *held_status = story->after.held_status;

		if (held_status != NULL && !ot_same_text(held_status, story->before.status))
			refuse_column(following[0]);
		return;
	}
	for (int i = 0; i < lengthof(following); i++)
		if (ot_tuple_differs(trigger, ot_column(trigger, following[i])))
			refuse_column(following[i]);
}

static void
refuse_column(const char *column)
{
	ereport(ERROR, errcode(OT_ERRCODE_TRANSITION),
			errmsg("column \"%s\" of a shipment cannot be set", column),
			errdetail("It follows the status."));
}

static void
check_move(Story *story)
{
	const char *from_status = story->before.status;
	const char *to_status = story->after.status;

	ot_begin();
	ot_order_take(story->workspace, story->before.order_id, &story->order);
	story->event_type = ot_transition_find(story->workspace, "shipment", from_status,
										   to_status, story->before.held_status);
	if (story->event_type == NULL)
		ot_transition_refuse(story->workspace, "shipment", from_status, to_status,
							 story->before.held_status);
	if (ot_shipment_judge(to_status, story->order.status, true) != OT_SHIPMENT_OK)
		refuse_order(story);
	ot_end();
}

static void
refuse_order(const Story *story)
{
	OtShipmentFailure failure =
		ot_shipment_judge(story->after.status, story->order.status, true);

	ereport(ERROR, errcode(OT_ERRCODE_TRANSITION),
			errmsg("shipment status cannot change from \"%s\" to \"%s\"",
				   story->before.status, story->after.status),
			errdetail("Status of its order is \"%s\": %s.", story->order.status,
					  ot_shipment_failure_message(failure)));
}

/* Sets what follows the status, whatever the statement says of it. */
static HeapTuple
set_columns(const TriggerData *trigger, const Story *story)
{
	const char *status = story->after.status;
	bool is_held = strcmp(status, "on_hold") == 0;
	bool is_delivered = strcmp(status, "delivered") == 0;
	int columns[SET_COLUMNS];
	Datum values[SET_COLUMNS] = {0};
	bool nulls[SET_COLUMNS] = {false};
	bool was_not; /* shipped */

	columns[0] = ot_column(trigger, "status_before_hold");
	nulls[0] = !is_held;
	if (is_held)
		values[0] = CStringGetTextDatum(story->before.status);
	columns[1] = ot_column(trigger, "is_held_with_order");
	values[1] = BoolGetDatum(is_held && strcmp(story->order.status, "on_hold") == 0);
	columns[2] = ot_column(trigger, "shipped_at");
	values[2] = ot_tuple_datum(trigger, trigger->tg_trigtuple, "shipped_at", &was_not);
	if (was_not || !is_delivered)
		values[2] = TimestampTzGetDatum(story->now);
	nulls[2] = !is_delivered && strcmp(status, "shipped") != 0;
	columns[3] = ot_column(trigger, "delivered_at");
	values[3] = TimestampTzGetDatum(story->now);
	nulls[3] = !is_delivered;
	columns[4] = ot_column(trigger, "updated_at");
	values[4] = TimestampTzGetDatum(story->now);
	return heap_modify_tuple_by_cols(trigger->tg_newtuple,
									 RelationGetDescr(trigger->tg_relation), SET_COLUMNS,
									 columns, values, nulls);
}

/* The order becomes partially shipped, or completed, together with the note. */
static void
tell_order(const Story *story)
{
	OtChange change = {0};
	const char *status = NULL;
	OtJson json;

	change.workspace = story->workspace;
	change.order_id = story->before.order_id;
	change.now = story->now;
	change.channel = story->channel;
	change.actor = story->actor;
	change.event_type = story->is_moved ? story->event_type : "shipment_updated";
	ot_json_begin(&json);
	ot_json_add_int8(&json, "shipment_id", story->before.id);
	if (story->is_moved)
		ot_shipment_describe_text(&json, "shipment_status", story->before.status,
								  story->after.status);
	ot_shipment_describe_text(&json, "carrier", story->before.carrier,
							  story->after.carrier);
	ot_shipment_describe_text(&json, "tracking_number", story->before.tracking_number,
							  story->after.tracking_number);
	ot_note_sign(&json, change.actor);
	change.data = ot_json_end(&json);
	ot_begin();
	/* An operator may have let shipments live again; others may have their units. */
	if (story->is_moved && strcmp(story->before.status, "canceled") == 0)
		check_lines(change.workspace, change.order_id, 1, PG_INT32_MAX);
	if (story->is_moved &&
		ot_shipment_may_move_order(story->before.status, story->after.status))
		status = ot_shipments_order_status(change.workspace, change.order_id,
										   story->order.status);
	ot_order_tell(&change, status);
	ot_end();
}

/* Adds a text that changed to a note's data, old and new. */
void
ot_shipment_describe_text(OtJson *json, const char *key, const char *old_value,
						  const char *new_value)
{
	if (ot_same_text(old_value, new_value))
		return;
	ot_json_open(json, key);
	ot_json_add_text(json, "new", new_value);
	ot_json_add_text(json, "old", old_value);
	ot_json_close(json);
}

/* Refuses more units of a line in shipments than the line has. */
Datum
ordertrack_shipment_items_guard_quantity(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = ot_trigger_data(fcinfo, "shipment_items_guard_quantity");

	if (!ot_in_replication())
		check_line(trigger, trigger->tg_trigtuple);
	return PointerGetDatum(NULL);
}

/*
 * Refuses to take units from a line that are in shipments already, or the line from
 * under them.  The order's lock keeps new shipments away meanwhile.
 */
Datum
ordertrack_order_items_guard_quantity(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = ot_trigger_data(fcinfo, "order_items_guard_quantity");
	HeapTuple before = trigger->tg_trigtuple;
	OtArgs args = {0};

	if (ot_in_replication() || keeps_units(trigger))
		return PointerGetDatum(NULL);
	ot_arg_int8(&args, ot_tuple_int8(trigger, before, "workspace_id"));
	ot_arg_int8(&args, ot_tuple_int8(trigger, before, "order_id"));
	ot_begin();
	ot_run(OT_PLAN_ORDER_LOCK, &args);
	ot_end();
	check_line(trigger, before);
	return PointerGetDatum(NULL);
}

static bool
keeps_units(const TriggerData *trigger)
{
	static const char *const key[] = {"workspace_id", "order_id", "line_no"};

	if (!TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
		return false;
	for (int i = 0; i < lengthof(key); i++)
		if (ot_tuple_differs(trigger, ot_column(trigger, key[i])))
			return false;
	return ot_tuple_int8(trigger, trigger->tg_newtuple, "quantity") >=
		   ot_tuple_int8(trigger, trigger->tg_trigtuple, "quantity");
}

/* Checks the line that a row of an order or of a shipment names. */
static void
check_line(const TriggerData *trigger, HeapTuple tuple)
{
	int32 line_no = ot_tuple_int4(trigger, tuple, "line_no");

	ot_begin();
	check_lines(ot_tuple_int8(trigger, tuple, "workspace_id"),
				ot_tuple_int8(trigger, tuple, "order_id"), line_no, line_no);
	ot_end();
}

/* Checks the lines of an order from one number to another. */
static void
check_lines(int64 workspace, int64 order_id, int32 first_no, int32 last_no)
{
	OtArgs args = {0};

	ot_arg_int8(&args, workspace);
	ot_arg_int8(&args, order_id);
	ot_arg_int4(&args, first_no);
	ot_arg_int4(&args, last_no);
	if (ot_run(OT_PLAN_SHIPMENT_EXCESS, &args) > 0)
		ereport(ERROR, errcode(OT_ERRCODE_EXCEEDED),
				errmsg("shipments cannot hold more of a line than was ordered"),
				errdetail("Of line %d of order " INT64_FORMAT ", " INT64_FORMAT
						  " would be in shipments, and " INT64_FORMAT " ordered.",
						  ot_get_int4(0, 1), order_id, ot_get_int8(0, 2),
						  ot_get_int8(0, 3)));
}

/*
 * order_trigger.c
 *		The triggers of orders.  BEFORE UPDATE: only allowed moves, and the head
 *		of the history advances.  AFTER UPDATE: the notes that the head counts are
 *		written, and the customer's sums follow, as they do AFTER INSERT.  They
 *		work from the old and the new row alone, so they are right for many orders
 *		in one statement and for a raw UPDATE.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "errcodes.h"
#include "ordertrack.h"
#include "payment.h"
#include "return.h"
#include "shipment.h"

PG_FUNCTION_INFO_V1(ordertrack_orders_guard_status);
PG_FUNCTION_INFO_V1(ordertrack_orders_guard_insert);
PG_FUNCTION_INFO_V1(ordertrack_orders_write_history);

/* What an UPDATE of one order's row means for its history. */
typedef struct Story
{
	int64 workspace;
	int64 order_id;
	char *old_status;
	char *new_status;
	char *held_status; /* status before the hold, in the old row */
	const OtChange *change;
	OtHead head; /* of the old row; advanced by each note */
	int note_count;
	OtNote notes[OT_MAX_NOTES];
} Story;

static void guard_insert(const TriggerData *trigger);
static HeapTuple guard_update(const TriggerData *trigger);
static void refuse_head(void) pg_attribute_noreturn();
static void refuse_held(void) pg_attribute_noreturn();
static void read_story(const TriggerData *trigger, bool is_before, Story *story);
static void tell_story(Story *story, TimestampTz now);
static void add_note(Story *story, const char *event_type, Jsonb *data, TimestampTz now);
static Jsonb *describe_status(const Story *story);
static HeapTuple set_columns(const TriggerData *trigger, const Story *story,
							 TimestampTz now);
static void write_notes(const TriggerData *trigger);
static void follow(const Story *story, TimestampTz now);
static void settle(const OtChange *change);
static bool is_stored(const TriggerData *trigger, const OtHead *head);

/* Refuses moves that are not allowed and heads that no note explains. */
Datum
ordertrack_orders_guard_status(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = ot_trigger_data(fcinfo, "orders_guard_status");

	if (!TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
		return PointerGetDatum(trigger->tg_trigtuple);
	if (ot_in_replication())
		return PointerGetDatum(trigger->tg_newtuple);
	return PointerGetDatum(guard_update(trigger));
}

/*
 * Lets through what our functions insert, and keeps the customer's sums.  They
 * have rights and a search_path already; a raw INSERT is looked at with those of
 * orders_write_history.  To set them up for each order would cost a redemption 14
 * of 1,200 thousand instructions, and one more trigger before the INSERT as many.
 */
Datum
ordertrack_orders_guard_insert(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = ot_trigger_data(fcinfo, "orders_guard_insert");
	HeapTuple tuple = trigger->tg_trigtuple;

	if (ot_in_replication())
		return PointerGetDatum(NULL);
	if (ot_order_take_announced(ot_tuple_int8(trigger, tuple, "workspace_id"),
								ot_tuple_int8(trigger, tuple, "order_id")))
		ot_customer_follow(trigger);
	else
		ot_trigger_call("orders_write_history", trigger);
	return PointerGetDatum(NULL);
}

/* Writes the notes of a change and keeps the customer's sums. */
Datum
ordertrack_orders_write_history(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = ot_trigger_data(fcinfo, "orders_write_history");

	if (ot_in_replication())
		return PointerGetDatum(NULL);
	if (TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
		write_notes(trigger);
	else
		guard_insert(trigger);
	ot_customer_follow(trigger);
	return PointerGetDatum(NULL);
}

/* Looks at an order that is not inserted by us. */
static void
guard_insert(const TriggerData *trigger)
{
	HeapTuple tuple = trigger->tg_trigtuple;
	int64 workspace = ot_tuple_int8(trigger, tuple, "workspace_id");
	char *status = ot_tuple_text(trigger, tuple, "status");
	bool is_first;
	bool has_no_hash;
	bool has_no_time;

	(void) ot_tuple_datum(trigger, tuple, "note_hash", &has_no_hash);
	(void) ot_tuple_datum(trigger, tuple, "noted_at", &has_no_time);
	if (ot_tuple_int4(trigger, tuple, "note_count") != 0 || !has_no_hash || !has_no_time)
		refuse_head();
	if (ot_tuple_text(trigger, tuple, "status_before_hold") != NULL)
		refuse_held();
	ot_begin();
	is_first = ot_transition_is_first(workspace, "order", status);
	if (!is_first)
		ot_transition_refuse(workspace, "order", NULL, status, NULL);
	ot_end();
}

static HeapTuple
guard_update(const TriggerData *trigger)
{
	bool is_held_changed =
		ot_tuple_differs(trigger, ot_column(trigger, "status_before_hold"));
	TimestampTz now;
	Story story;

	if (ot_tuple_differs(trigger, ot_column(trigger, "note_count")) ||
		ot_tuple_differs(trigger, ot_column(trigger, "note_hash")) ||
		ot_tuple_differs(trigger, ot_column(trigger, "noted_at")))
		refuse_head();
	read_story(trigger, true, &story);
	if (is_held_changed && ot_same_text(story.old_status, story.new_status))
		refuse_held();
	if (story.new_status == NULL ||
		(story.change == NULL && ot_same_text(story.old_status, story.new_status)))
		return trigger->tg_newtuple;

	/* Time in a history never runs backwards. */
	now = story.change != NULL ? story.change->now : GetCurrentTimestamp();
	now = Max(now, ot_tuple_int8(trigger, trigger->tg_trigtuple, "noted_at"));
	ot_begin();
	tell_story(&story, now);
	ot_end();
	if (story.note_count == 0)
		return trigger->tg_newtuple;
	return set_columns(trigger, &story, now);
}

static void
refuse_head(void)
{
	ereport(
		ERROR, errcode(OT_ERRCODE_IMMUTABLE),
		errmsg("head of an order's history is written by ordertrack only"),
		errdetail("Columns note_count, note_hash and noted_at follow the notes."),
		errhint(
			"If the statement sets none of them, look for a trigger on orders that changes rows after they were checked."));
}

static void
refuse_held(void)
{
	ereport(ERROR, errcode(OT_ERRCODE_TRANSITION),
			errmsg("status before a hold cannot be set"),
			errdetail("It follows the status."));
}

static void
read_story(const TriggerData *trigger, bool is_before, Story *story)
{
	HeapTuple before = trigger->tg_trigtuple;
	bool is_null;
	Datum hash;

	memset(story, 0, sizeof(*story));
	story->workspace = ot_tuple_int8(trigger, before, "workspace_id");
	story->order_id = ot_tuple_int8(trigger, before, "order_id");
	story->old_status = ot_tuple_text(trigger, before, "status");
	story->new_status = ot_tuple_text(trigger, trigger->tg_newtuple, "status");
	story->held_status = ot_tuple_text(trigger, before, "status_before_hold");
	story->change =
		ot_current_change(story->workspace, story->order_id,
						  ot_tuple_int4(trigger, before, "note_count"), is_before);
	hash = ot_tuple_datum(trigger, before, "note_hash", &is_null);
	ot_head_set(&story->head, ot_tuple_int4(trigger, before, "note_count"),
				is_null ? NULL : DatumGetByteaPP(hash));
}

/*
 * Works out the notes of a change, first what was done, then the status, and
 * advances the head over them.  BEFORE and AFTER come to the same result.
 */
static void
tell_story(Story *story, TimestampTz now)
{
	const OtChange *change = story->change;

	if (change != NULL && change->event_type != NULL)
	{
		add_note(story, change->event_type, change->data, now);
		story->notes[0].is_custom = change->is_custom;
		story->notes[0].title = change->title;
		story->notes[0].detail = change->detail;
		for (int i = 0; i < change->more_count; i++)
			add_note(story,
					 change->more_events != NULL ? change->more_events[i]
												 : change->event_type,
					 change->more_data[i], now);
	}
	if (!ot_same_text(story->old_status, story->new_status))
	{
		char *event_type =
			ot_transition_find(story->workspace, "order", story->old_status,
							   story->new_status, story->held_status);

		if (event_type == NULL)
			ot_transition_refuse(story->workspace, "order", story->old_status,
								 story->new_status, story->held_status);
		if (strcmp(story->old_status, "awaiting_exchange") == 0 &&
			strcmp(story->new_status, "on_hold") != 0 &&
			strcmp(story->new_status, "canceled") != 0)
			ot_returns_hold_exchange(story->workspace, story->order_id);
		add_note(story, event_type, describe_status(story), now);
	}
}

static void
add_note(Story *story, const char *event_type, Jsonb *data, TimestampTz now)
{
	OtNote *note = &story->notes[story->note_count++];

	note->workspace = story->workspace;
	note->order_id = story->order_id;
	note->event_type = event_type;
	note->channel = story->change != NULL ? story->change->channel : NULL;
	note->author = ot_outer_role();
	note->data = data;
	note->created_at = now;
}

static Jsonb *
describe_status(const Story *story)
{
	OtJson json;

	ot_json_begin(&json);
	ot_json_open(&json, "status");
	ot_json_add_text(&json, "old", story->old_status);
	ot_json_add_text(&json, "new", story->new_status);
	ot_json_close(&json);
	ot_note_sign(&json, story->change != NULL ? story->change->actor : NULL);
	return ot_json_end(&json);
}

/* Sets head, time, paid_at and status_before_hold of the new row. */
static HeapTuple
set_columns(const TriggerData *trigger, const Story *story, TimestampTz now)
{
	OtHead head = story->head;
	int columns[6];
	Datum values[6];
	bool nulls[6] = {false};
	int count = 4;
	bool is_null;

	columns[0] = ot_column(trigger, "note_count");
	columns[1] = ot_column(trigger, "note_hash");
	columns[2] = ot_column(trigger, "noted_at");
	columns[3] = ot_column(trigger, "updated_at");
	for (int i = 0; i < story->note_count; i++)
		ot_head_advance(&head, &story->notes[i]);
	values[0] = Int32GetDatum(head.note_no);
	values[1] = PointerGetDatum(ot_bytes(head.hash, OT_HASH_LENGTH));
	values[2] = TimestampTzGetDatum(now);
	values[3] = TimestampTzGetDatum(now);

	if (!ot_same_text(story->old_status, story->new_status))
	{
		bool is_held = strcmp(story->new_status, "on_hold") == 0;

		columns[count] = ot_column(trigger, "status_before_hold");
		values[count] = is_held ? CStringGetTextDatum(story->old_status) : (Datum) 0;
		nulls[count++] = !is_held;
		(void) ot_tuple_datum(trigger, trigger->tg_newtuple, "paid_at", &is_null);
		if (is_null && strcmp(story->new_status, "paid") == 0)
		{
			columns[count] = ot_column(trigger, "paid_at");
			values[count++] = TimestampTzGetDatum(now);
		}
	}
	return heap_modify_tuple_by_cols(trigger->tg_newtuple,
									 RelationGetDescr(trigger->tg_relation), count,
									 columns, values, nulls);
}

/*
 * Writes the notes of a change, and checks that the row as it is stored is what
 * the BEFORE trigger made: somebody's trigger after it could have changed it.
 */
static void
write_notes(const TriggerData *trigger)
{
	HeapTuple after = trigger->tg_newtuple;
	OtHead heads[OT_MAX_NOTES];
	Story story;

	read_story(trigger, false, &story);
	if (ot_tuple_differs(trigger, ot_column(trigger, "workspace_id")) ||
		ot_tuple_differs(trigger, ot_column(trigger, "order_id")))
		refuse_head();
	if (ot_tuple_differs(trigger, ot_column(trigger, "note_count")))
	{
		ot_begin();
		tell_story(&story, ot_tuple_int8(trigger, after, "noted_at"));
		for (int i = 0; i < story.note_count; i++)
		{
			ot_head_advance(&story.head, &story.notes[i]);
			heads[i] = story.head;
		}
		if (story.note_count > 0)
			ot_notes_insert(story.notes, heads, story.note_count);
		if (!ot_same_text(story.old_status, story.new_status))
			follow(&story, ot_tuple_int8(trigger, after, "noted_at"));
		ot_end();
	}
	else if (!ot_same_text(story.old_status, story.new_status))
		refuse_head();
	if (!is_stored(trigger, &story.head))
		refuse_head();
}

/* Has what belongs to an order follow its status, in the name of who changed that. */
static void
follow(const Story *story, TimestampTz now)
{
	OtChange change = {0};

	change.workspace = story->workspace;
	change.order_id = story->order_id;
	change.now = now;
	if (story->change != NULL)
	{
		change.channel = story->change->channel;
		change.actor = story->change->actor;
	}
	ot_shipments_follow(&change, story->old_status, story->new_status);
	if (strcmp(story->old_status, "on_hold") == 0)
		settle(&change);
}

/* An order on hold is not paid by what comes, so it may be when it goes on. */
static void
settle(const OtChange *change)
{
	OtOrderRow order;
	const char *status;

	ot_order_take(change->workspace, change->order_id, &order);
	status = ot_payments_settle(change->workspace, change->order_id,
								order.amount - order.discount_amount, order.status);
	if (strcmp(status, order.status) != 0)
		ot_order_tell(change, status);
}

static bool
is_stored(const TriggerData *trigger, const OtHead *head)
{
	HeapTuple after = trigger->tg_newtuple;
	bool is_null;
	Datum value = ot_tuple_datum(trigger, after, "note_hash", &is_null);
	OtHead stored;

	ot_head_set(&stored, ot_tuple_int4(trigger, after, "note_count"),
				is_null ? NULL : DatumGetByteaPP(value));
	return stored.note_no == head->note_no &&
		   memcmp(stored.hash, head->hash, OT_HASH_LENGTH) == 0;
}

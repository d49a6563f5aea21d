/*
 * return_trigger.c
 *		The triggers of returns.  BEFORE: only statuses that may be first, or may
 *		follow, and refund_amount and completed_at follow them.  AFTER: the same is
 *		looked at again in the row as it is stored, since somebody's trigger may
 *		have changed it; the order gets the note, and what waits for the return
 *		moves on.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "errcodes.h"
#include "return.h"

PG_FUNCTION_INFO_V1(ordertrack_returns_guard_status);
PG_FUNCTION_INFO_V1(ordertrack_returns_write_history);

/* What an INSERT or UPDATE of one return's row means. */
typedef struct Story
{
	int64 workspace;
	int64 return_id;
	int64 order_id;
	int64 exchange_order_id; /* 0: none */
	char *old_status;		 /* NULL: a new return */
	char *new_status;
	char *event_type;
	const OtReturnChange *change; /* NULL for a raw UPDATE */
	TimestampTz now;
} Story;

static void read_story(const TriggerData *trigger, bool is_before, Story *story);
static bool is_move(const Story *story);
static bool becomes_complete(const Story *story);
static bool was_over(const Story *story);
static void check_move(Story *story);
static void check_refund(const TriggerData *trigger);
static void check_stored_refund(const TriggerData *trigger, const Story *story);
static void refuse_refund(void) pg_attribute_noreturn();
static int64 refund_amount(const Story *story);
static HeapTuple set_columns(const TriggerData *trigger, const Story *story);
static void write_note(const Story *story);

/* Refuses a status that may not be, also to the owner of the table. */
Datum
ordertrack_returns_guard_status(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = ot_trigger_data(fcinfo, "returns_guard_status");
	bool is_update = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event);
	HeapTuple tuple = is_update ? trigger->tg_newtuple : trigger->tg_trigtuple;
	Story story;

	if (ot_in_replication())
		return PointerGetDatum(tuple);
	read_story(trigger, true, &story);
	if (story.new_status == NULL)
		return PointerGetDatum(tuple); /* its column refuses that */
	check_refund(trigger);
	if (is_move(&story))
	{
		ot_begin();
		check_move(&story);
		ot_end();
	}
	return PointerGetDatum(is_update ? set_columns(trigger, &story) : tuple);
}

/* Writes the note of a change into the history of the order. */
Datum
ordertrack_returns_write_history(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = ot_trigger_data(fcinfo, "returns_write_history");
	Story story;

	if (ot_in_replication())
		return PointerGetDatum(NULL);
	read_story(trigger, false, &story);
	if (story.old_status != NULL)
	{
		ot_guard_stored(trigger);
		check_stored_refund(trigger, &story);
	}
	else
		check_refund(trigger);
	if (is_move(&story))
	{
		ot_begin();
		check_move(&story);
		if (story.old_status !=
			NULL) /* create_return tells of a new one, with its items */
			write_note(&story);
		ot_end();
	}
	return PointerGetDatum(NULL);
}

static void
read_story(const TriggerData *trigger, bool is_before, Story *story)
{
	bool is_update = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event);
	HeapTuple tuple = is_update ? trigger->tg_newtuple : trigger->tg_trigtuple;

	memset(story, 0, sizeof(*story));
	story->workspace = ot_tuple_int8(trigger, tuple, "workspace_id");
	story->return_id = ot_tuple_int8(trigger, tuple, "return_id");
	story->order_id = ot_tuple_int8(trigger, tuple, "order_id");
	story->exchange_order_id = ot_tuple_int8(trigger, tuple, "exchange_order_id");
	story->new_status = ot_tuple_text(trigger, tuple, "status");
	if (!is_update)
		return;
	story->old_status = ot_tuple_text(trigger, trigger->tg_trigtuple, "status");
	story->change = (const OtReturnChange *) ot_current_row_change(
		trigger, story->workspace, story->return_id, is_before);
	story->now = story->change != NULL ? story->change->row.now : GetCurrentTimestamp();
}

static bool
is_move(const Story *story)
{
	return story->old_status == NULL || strcmp(story->old_status, story->new_status) != 0;
}

static bool
becomes_complete(const Story *story)
{
	return story->old_status != NULL && is_move(story) &&
		   strcmp(story->new_status, "complete") == 0;
}

static bool
was_over(const Story *story)
{
	return strcmp(story->old_status, "complete") == 0 ||
		   strcmp(story->old_status, "canceled") == 0;
}

static void
check_move(Story *story)
{
	if (story->old_status == NULL)
	{
		if (!ot_transition_is_first(story->workspace, "return", story->new_status))
			ot_transition_refuse(story->workspace, "return", NULL, story->new_status,
								 NULL);
		return;
	}
	story->event_type = ot_transition_find(story->workspace, "return", story->old_status,
										   story->new_status, NULL);
	if (story->event_type == NULL)
		ot_transition_refuse(story->workspace, "return", story->old_status,
							 story->new_status, NULL);
}

/* Refuses a statement that sets what follows the status. */
static void
check_refund(const TriggerData *trigger)
{
	bool has_no_refund;
	bool has_no_time;

	if (TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
	{
		if (ot_tuple_differs(trigger, ot_column(trigger, "refund_amount")) ||
			ot_tuple_differs(trigger, ot_column(trigger, "completed_at")))
			refuse_refund();
		return;
	}
	(void) ot_tuple_datum(trigger, trigger->tg_trigtuple, "refund_amount",
						  &has_no_refund);
	(void) ot_tuple_datum(trigger, trigger->tg_trigtuple, "completed_at", &has_no_time);
	if (!has_no_refund || !has_no_time)
		refuse_refund();
}

/* Refuses a row in which somebody's trigger has set what follows the status. */
static void
check_stored_refund(const TriggerData *trigger, const Story *story)
{
	bool has_no_refund;
	bool has_no_time;

	if (!becomes_complete(story))
	{
		check_refund(trigger);
		return;
	}
	(void) ot_tuple_datum(trigger, trigger->tg_newtuple, "refund_amount", &has_no_refund);
	(void) ot_tuple_datum(trigger, trigger->tg_newtuple, "completed_at", &has_no_time);
	if (has_no_refund || has_no_time ||
		ot_tuple_int8(trigger, trigger->tg_newtuple, "refund_amount") !=
			refund_amount(story))
		refuse_refund();
}

static void
refuse_refund(void)
{
	ereport(ERROR, errcode(OT_ERRCODE_IMMUTABLE),
			errmsg("refund of a return is written by ordertrack only"),
			errdetail("Columns refund_amount and completed_at follow the status."),
			errhint("Use ordertrack.complete_return()."));
}

/* A raw UPDATE refunds nothing. */
static int64
refund_amount(const Story *story)
{
	return story->change != NULL ? story->change->refund_amount : 0;
}

static HeapTuple
set_columns(const TriggerData *trigger, const Story *story)
{
	TimestampTz now =
		Max(story->now, ot_tuple_int8(trigger, trigger->tg_trigtuple, "updated_at"));
	int columns[3];
	Datum values[3];
	bool nulls[3] = {false};
	int count = 1;

	columns[0] = ot_column(trigger, "updated_at");
	values[0] = TimestampTzGetDatum(now);
	if (becomes_complete(story))
	{
		columns[1] = ot_column(trigger, "refund_amount");
		values[1] = Int64GetDatum(refund_amount(story));
		columns[2] = ot_column(trigger, "completed_at");
		values[2] = TimestampTzGetDatum(now);
		count = 3;
	}
	return heap_modify_tuple_by_cols(trigger->tg_newtuple,
									 RelationGetDescr(trigger->tg_relation), count,
									 columns, values, nulls);
}

/* Tells of a change under the locks of the orders, and does what follows from it. */
static void
write_note(const Story *story)
{
	OtReturnChange raw = {{.workspace = story->workspace, .now = story->now}, NULL, 0};
	const OtReturnChange *change = story->change != NULL ? story->change : &raw;
	OtArgs args = {0};
	OtJson json;

	ot_arg_int8(&args, story->workspace);
	ot_arg_int8(&args, story->return_id);
	ot_run(OT_PLAN_RETURN_LOCK_ORDERS, &args);
	if (was_over(story))
		ot_return_check_units(story->workspace, story->return_id, 0);
	ot_json_begin(&json);
	ot_json_add_int8(&json, "return_id", story->return_id);
	ot_json_open(&json, "return_status");
	ot_json_add_text(&json, "old", story->old_status);
	ot_json_add_text(&json, "new", story->new_status);
	ot_json_close(&json);
	if (change->received != NULL)
		ot_line_units_describe(change->received, &json);
	if (becomes_complete(story))
		ot_json_add_int8(&json, "refund_amount", refund_amount(story));
	ot_return_tell(change, story->order_id, story->event_type, &json);
	if (becomes_complete(story) && story->exchange_order_id != 0)
		ot_return_release_exchange(story->exchange_order_id, change);
}

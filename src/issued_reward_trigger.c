/*
 * issued_reward_trigger.c
 *		The triggers of issued rewards.  BEFORE: only allowed changes of use,
 *		delivery, cashback and cancellation.  AFTER: the same is looked at again
 *		in the row as it is stored, since somebody's trigger may have changed it,
 *		and the order gets the notes of the change.
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "errcodes.h"
#include "issued_reward.h"

PG_FUNCTION_INFO_V1(ordertrack_issued_rewards_guard_status);
PG_FUNCTION_INFO_V1(ordertrack_issued_rewards_write_history);

/* What an UPDATE of one unit's row means. */
typedef struct Story
{
	int64 workspace;
	OtUnit before;
	OtUnit after;
	TimestampTz canceled_at;
	TimestampTz now;
	const OtRowChange *change; /* NULL for a raw UPDATE */
	bool is_cancel_changed;
	bool is_use_changed;
	bool is_delivery_changed;
	bool is_cashback_changed;
	const char *delivery_event; /* of a delivery that moved on */
} Story;

static void guard_insert(const TriggerData *trigger);
static bool is_set(const TriggerData *trigger, const char *column);
static void read_story(const TriggerData *trigger, bool is_before, Story *story);
static void read_unit(const TriggerData *trigger, HeapTuple tuple, OtUnit *unit);
static bool differs(const TriggerData *trigger, const char *column);
static void check_story(Story *story);
static void check_cancel(const Story *story);
static void check_use(const Story *story);
static void check_first_status(const Story *story);
static void check_move(Story *story);
static void refuse_status_alone(const Story *story) pg_attribute_noreturn();
static void refuse_type(const Story *story) pg_attribute_noreturn();
static void check_cashback(const Story *story);
static void write_notes(const Story *story);
static void write_note(const Story *story, const char *event_type, OtJson *json);
static void add_status(OtJson *json, const OtUnit *before, const OtUnit *after);
static void add_cashback(OtJson *json, const char *key, const OtUnit *unit);

/* Refuses changes of a unit that are not allowed, also to its owner. */
Datum
ordertrack_issued_rewards_guard_status(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = ot_trigger_data(fcinfo, "issued_rewards_guard_status");
	Story story;

	if (!TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
	{
		if (!ot_in_replication())
			guard_insert(trigger);
		return PointerGetDatum(trigger->tg_trigtuple);
	}
	if (!ot_in_replication())
	{
		read_story(trigger, true, &story);
		check_story(&story);
	}
	return PointerGetDatum(trigger->tg_newtuple);
}

/* Writes the notes of a change into the history of the unit's order. */
Datum
ordertrack_issued_rewards_write_history(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = ot_trigger_data(fcinfo, "issued_rewards_write_history");
	Story story;

	if (ot_in_replication())
		return PointerGetDatum(NULL);
	read_story(trigger, false, &story);
	check_story(&story);
	write_notes(&story);
	return PointerGetDatum(NULL);
}

/* What nobody has used yet is neither delivered nor canceled. */
static void
guard_insert(const TriggerData *trigger)
{
	if (is_set(trigger, "used_at") || is_set(trigger, "delivery_status") ||
		is_set(trigger, "canceled_at"))
		ereport(
			ERROR, errcode(OT_ERRCODE_TRANSITION),
			errmsg("a reward cannot be issued as used or canceled"),
			errdetail(
				"Columns used_at, delivery_status and canceled_at are empty at first."));
}

static bool
is_set(const TriggerData *trigger, const char *column)
{
	bool is_null;

	(void) ot_tuple_datum(trigger, trigger->tg_trigtuple, column, &is_null);
	return !is_null;
}

static void
read_story(const TriggerData *trigger, bool is_before, Story *story)
{
	memset(story, 0, sizeof(*story));
	story->workspace = ot_tuple_int8(trigger, trigger->tg_trigtuple, "workspace_id");
	read_unit(trigger, trigger->tg_trigtuple, &story->before);
	read_unit(trigger, trigger->tg_newtuple, &story->after);
	story->canceled_at = ot_tuple_int8(trigger, trigger->tg_newtuple, "canceled_at");
	story->is_cancel_changed = differs(trigger, "canceled_at");
	story->is_use_changed = differs(trigger, "used_at");
	story->is_delivery_changed = differs(trigger, "delivery_status");
	story->is_cashback_changed = differs(trigger, "cashback_code") ||
								 differs(trigger, "cashback_detail_code") ||
								 differs(trigger, "cashback_message");
	story->change =
		ot_current_row_change(trigger, story->workspace, story->before.id, is_before);
	story->now = story->change != NULL ? story->change->now : GetCurrentTimestamp();
}

static void
read_unit(const TriggerData *trigger, HeapTuple tuple, OtUnit *unit)
{
	bool is_null;
	Datum value;

	unit->id = ot_tuple_int8(trigger, tuple, "issued_reward_id");
	unit->order_id = ot_tuple_int8(trigger, tuple, "order_id");
	unit->redemption_id = ot_tuple_int8(trigger, tuple, "redemption_id");
	unit->reward_type = ot_tuple_text(trigger, tuple, "reward_type");
	unit->active_from = ot_tuple_int8(trigger, tuple, "active_from");
	value = ot_tuple_datum(trigger, tuple, "expires_at", &is_null);
	unit->expires_at = is_null ? DT_NOEND : DatumGetTimestampTz(value);
	(void) ot_tuple_datum(trigger, tuple, "canceled_at", &is_null);
	unit->is_canceled = !is_null;
	unit->used_at =
		DatumGetTimestampTz(ot_tuple_datum(trigger, tuple, "used_at", &is_null));
	unit->is_used = !is_null;
	unit->delivery_status = ot_tuple_text(trigger, tuple, "delivery_status");
	value = ot_tuple_datum(trigger, tuple, "cashback_code", &is_null);
	unit->has_cashback = !is_null;
	unit->cashback_code = is_null ? 0 : DatumGetInt32(value);
	unit->cashback_detail_code = ot_tuple_text(trigger, tuple, "cashback_detail_code");
	unit->cashback_message = ot_tuple_text(trigger, tuple, "cashback_message");
}

static bool
differs(const TriggerData *trigger, const char *column)
{
	return ot_tuple_differs(trigger, ot_column(trigger, column));
}

/* Refuses what is not allowed; runs SQL only for a status that moves. */
static void
check_story(Story *story)
{
	if (story->is_cancel_changed)
		check_cancel(story);
	if (!story->is_use_changed && !story->is_delivery_changed &&
		!story->is_cashback_changed)
		return;
	if (story->after.is_canceled)
		ereport(
			ERROR, errcode(OT_ERRCODE_TRANSITION),
			errmsg("issued reward " INT64_FORMAT " cannot be changed", story->before.id),
			errdetail("It has been canceled."));
	if (story->is_use_changed)
		check_use(story);
	else if (story->is_delivery_changed)
		check_move(story);
	if (story->is_cashback_changed)
		check_cashback(story);
}

/* Only a rollback cancels what its redemption gave, and only once. */
static void
check_cancel(const Story *story)
{
	if (story->before.is_canceled || !story->after.is_canceled ||
		!ot_unit_cancel_is_announced(story->workspace, story->before.redemption_id,
									 story->canceled_at))
		ereport(
			ERROR, errcode(OT_ERRCODE_IMMUTABLE),
			errmsg("cancellation of an issued reward is written by ordertrack only"),
			errhint("ordertrack.rollback_redemption() cancels what a redemption gave."));
}

static void
check_use(const Story *story)
{
	const OtUnit *after = &story->after;
	OtUseFailure failure;

	if (story->before.is_used && after->is_used)
		ereport(ERROR, errcode(OT_ERRCODE_TRANSITION),
				errmsg("time of use of issued reward " INT64_FORMAT " cannot be changed",
					   after->id));
	failure = ot_unit_judge_use(&story->before, after->is_used, story->now);
	if (failure != OT_USE_OK)
		ereport(ERROR, errcode(OT_ERRCODE_TRANSITION),
				after->is_used
					? errmsg("issued reward " INT64_FORMAT " cannot be marked as used",
							 after->id)
					: errmsg("issued reward " INT64_FORMAT " cannot be marked as unused",
							 after->id),
				errdetail("Reason is %s: %s.", ot_use_failure_code(failure),
						  ot_use_failure_message(failure)));
	if (after->is_used &&
		(after->used_at < after->active_from || after->used_at > story->now))
		ereport(ERROR, errcode(OT_ERRCODE_TRANSITION),
				errmsg("issued reward " INT64_FORMAT " cannot be used at that time",
					   after->id),
				errdetail("It is active since it was issued or later, and not used in "
						  "the future."));
	if (after->is_used != (after->delivery_status != NULL))
		refuse_status_alone(story);
	if (after->is_used)
		check_first_status(story);
}

/* A delivery begins with the use, as status_transitions allows. */
static void
check_first_status(const Story *story)
{
	const char *status = story->after.delivery_status;

	if (!ot_unit_may_move_to(&story->before, status))
		refuse_type(story);
	ot_begin();
	if (!ot_transition_is_first(story->workspace, "delivery", status))
		ot_transition_refuse(story->workspace, "delivery", NULL, status, NULL);
	ot_end();
}

static void
check_move(Story *story)
{
	const char *from_status = story->before.delivery_status;
	const char *to_status = story->after.delivery_status;

	if (from_status == NULL || to_status == NULL)
		refuse_status_alone(story);
	if (!ot_unit_may_move_to(&story->before, to_status))
		refuse_type(story);
	ot_begin();
	story->delivery_event =
		ot_transition_find(story->workspace, "delivery", from_status, to_status, NULL);
	if (story->delivery_event == NULL)
		ot_transition_refuse(story->workspace, "delivery", from_status, to_status, NULL);
	ot_end();
}

/* A delivery status is there exactly while the unit is used. */
static void
refuse_status_alone(const Story *story)
{
	if (story->before.is_used)
		ereport(ERROR, errcode(OT_ERRCODE_TRANSITION),
				errmsg("delivery status of issued reward " INT64_FORMAT
					   " follows its use",
					   story->before.id),
				errdetail("Only what is not used has none."),
				errhint("Use ordertrack.unmark_used()."));
	ereport(ERROR, errcode(OT_ERRCODE_TRANSITION),
			errmsg("issued reward " INT64_FORMAT " is not used yet", story->before.id),
			errdetail("Its delivery begins when it is used."),
			errhint("Use ordertrack.mark_used()."));
}

static void
refuse_type(const Story *story)
{
	const char *to_status = story->after.delivery_status;

	if (story->before.delivery_status == NULL)
		ereport(ERROR, errcode(OT_ERRCODE_TRANSITION),
				errmsg("delivery cannot begin with status \"%s\"", to_status),
				errdetail("Allowed first for a reward of type \"%s\": ordered.",
						  story->before.reward_type));
	ereport(ERROR, errcode(OT_ERRCODE_TRANSITION),
			errmsg("delivery status cannot change from \"%s\" to \"%s\"",
				   story->before.delivery_status, to_status),
			errdetail("Only a gift is delivered, this is a reward of type \"%s\".",
					  story->before.reward_type));
}

static void
check_cashback(const Story *story)
{
	if (!ot_unit_is_cashback(&story->before))
		ereport(ERROR, errcode(OT_ERRCODE_TRANSITION),
				errmsg("issued reward " INT64_FORMAT " has no cashback status",
					   story->before.id),
				errdetail("It is a reward of type \"%s\".", story->before.reward_type));
}

/* Each change is a note of its own; a cancellation is told by its rollback. */
static void
write_notes(const Story *story)
{
	OtJson json;

	if (!story->is_use_changed && !story->is_delivery_changed &&
		!story->is_cashback_changed)
		return;
	ot_begin();
	if (story->is_use_changed || story->is_delivery_changed)
	{
		ot_json_begin(&json);
		ot_json_add_int8(&json, "issued_reward_id", story->before.id);
		add_status(&json, &story->before, &story->after);
		write_note(story,
				   !story->is_use_changed ? story->delivery_event
				   : story->after.is_used ? "reward_used"
										  : "reward_unused",
				   &json);
	}
	if (story->is_cashback_changed)
	{
		ot_json_begin(&json);
		ot_json_add_int8(&json, "issued_reward_id", story->before.id);
		ot_json_open(&json, "cashback");
		add_cashback(&json, "old", &story->before);
		add_cashback(&json, "new", &story->after);
		ot_json_close(&json);
		write_note(story, "cashback_changed", &json);
	}
	ot_end();
}

static void
write_note(const Story *story, const char *event_type, OtJson *json)
{
	OtChange change = {0};

	change.workspace = story->workspace;
	change.order_id = story->before.order_id;
	change.now = story->now;
	change.channel = story->change != NULL ? story->change->channel : NULL;
	change.actor = story->change != NULL ? story->change->actor : NULL;
	change.event_type = event_type;
	ot_note_sign(json, change.actor);
	change.data = ot_json_end(json);
	ot_order_tell(&change, NULL);
}

/* Adds what changed of use and delivery; no delivery status is left out. */
static void
add_status(OtJson *json, const OtUnit *before, const OtUnit *after)
{
	if (before->is_used != after->is_used)
	{
		ot_json_open(json, "used");
		ot_json_add_bool(json, "old", before->is_used);
		ot_json_add_bool(json, "new", after->is_used);
		ot_json_close(json);
	}
	ot_json_open(json, "delivery_status");
	ot_json_add_text(json, "old", before->delivery_status);
	ot_json_add_text(json, "new", after->delivery_status);
	ot_json_close(json);
}

/* The message is left out: its words are somebody else's, and may be personal. */
static void
add_cashback(OtJson *json, const char *key, const OtUnit *unit)
{
	ot_json_open(json, key);
	if (unit->has_cashback)
		ot_json_add_int8(json, "code", unit->cashback_code);
	ot_json_add_text(json, "detail_code", unit->cashback_detail_code);
	ot_json_close(json);
}

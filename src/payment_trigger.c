/*
 * payment_trigger.c
 *		The triggers of payments.  BEFORE: only statuses that may be first, or may
 *		follow.  AFTER: the same is looked at again in the row as it is stored,
 *		since somebody's trigger may have changed it; then, under the order's lock,
 *		that no more is refunded than was paid; and the order gets the note, and
 *		becomes paid where its payments reach its total.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "errcodes.h"
#include "payment.h"

PG_FUNCTION_INFO_V1(ordertrack_payments_guard_status);
PG_FUNCTION_INFO_V1(ordertrack_payments_write_history);

/* What an INSERT or UPDATE of one payment's row means. */
typedef struct Story
{
	int64 workspace;
	int64 payment_id;
	int64 order_id;
	int64 return_id; /* 0: none */
	char *transaction_type;
	char *method;
	int64 amount;
	char *old_status; /* NULL: a new payment */
	char *new_status;
	char *event_type;
	const char *channel;
	const char *actor;
	TimestampTz now;
} Story;

static void read_story(const TriggerData *trigger, bool is_before, Story *story);
static void read_change(const TriggerData *trigger, bool is_before, Story *story);
static bool is_move(const Story *story);
static void check_move(Story *story);
static HeapTuple set_updated_at(const TriggerData *trigger, const Story *story);
static void check_amounts(const Story *story);
static void refuse_refund(const Story *story, const OtPaid *others)
	pg_attribute_noreturn();
static bool has_more_paid(const Story *story);
static void write_note(const Story *story);
static Jsonb *describe(const Story *story);

/* Refuses a status that may not be, also to the owner of the table. */
Datum
ordertrack_payments_guard_status(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = ot_trigger_data(fcinfo, "payments_guard_status");
	bool is_update = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event);
	HeapTuple tuple = is_update ? trigger->tg_newtuple : trigger->tg_trigtuple;
	Story story;

	if (ot_in_replication())
		return PointerGetDatum(tuple);
	read_story(trigger, true, &story);
	if (story.new_status == NULL)
		return PointerGetDatum(tuple); /* its column refuses that */
	if (is_move(&story))
	{
		ot_begin();
		check_move(&story);
		ot_end();
	}
	return PointerGetDatum(is_update ? set_updated_at(trigger, &story) : tuple);
}

/* Judges the amounts of an order, and writes the note of a payment. */
Datum
ordertrack_payments_write_history(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = ot_trigger_data(fcinfo, "payments_write_history");
	Story story;

	if (ot_in_replication())
		return PointerGetDatum(NULL);
	if (TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
		ot_guard_stored(trigger);
	read_story(trigger, false, &story);
	if (is_move(&story))
	{
		ot_begin();
		check_move(&story);
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
	story->payment_id = ot_tuple_int8(trigger, tuple, "payment_id");
	story->order_id = ot_tuple_int8(trigger, tuple, "order_id");
	story->return_id = ot_tuple_int8(trigger, tuple, "return_id");
	story->transaction_type = ot_tuple_text(trigger, tuple, "transaction_type");
	story->method = ot_tuple_text(trigger, tuple, "method");
	story->amount = ot_tuple_int8(trigger, tuple, "amount");
	story->new_status = ot_tuple_text(trigger, tuple, "status");
	if (is_update)
		read_change(trigger, is_before, story);
	else
	{
		story->channel = ot_tuple_text(trigger, tuple, "channel");
		story->actor = ot_tuple_text(trigger, tuple, "actor");
		story->now = ot_tuple_int8(trigger, tuple, "created_at");
	}
}

/* Reads who changes a payment, and what it was. */
static void
read_change(const TriggerData *trigger, bool is_before, Story *story)
{
	const OtRowChange *change =
		ot_current_row_change(trigger, story->workspace, story->payment_id, is_before);

	story->old_status = ot_tuple_text(trigger, trigger->tg_trigtuple, "status");
	story->now = GetCurrentTimestamp();
	if (change != NULL)
	{
		story->now = change->now;
		story->channel = change->channel;
		story->actor = change->actor;
	}
}

static bool
is_move(const Story *story)
{
	return story->old_status == NULL || strcmp(story->old_status, story->new_status) != 0;
}

static void
check_move(Story *story)
{
	if (story->old_status == NULL)
	{
		if (!ot_transition_is_first(story->workspace, "payment", story->new_status))
			ot_transition_refuse(story->workspace, "payment", NULL, story->new_status,
								 NULL);
		story->event_type = strcmp(story->transaction_type, "credit") == 0
								? "creating_refund"
								: "adding_payment";
		return;
	}
	story->event_type = ot_transition_find(story->workspace, "payment", story->old_status,
										   story->new_status, NULL);
	if (story->event_type == NULL)
		ot_transition_refuse(story->workspace, "payment", story->old_status,
							 story->new_status, NULL);
}

static HeapTuple
set_updated_at(const TriggerData *trigger, const Story *story)
{
	int column = ot_column(trigger, "updated_at");
	TimestampTz before = ot_tuple_int8(trigger, trigger->tg_trigtuple, "updated_at");
	Datum value = TimestampTzGetDatum(Max(story->now, before));
	bool is_null = false;

	return heap_modify_tuple_by_cols(trigger->tg_newtuple,
									 RelationGetDescr(trigger->tg_relation), 1, &column,
									 &value, &is_null);
}

/*
 * Writes the note of a payment, and in the same UPDATE moves an order that it pays.
 * The order's lock comes first: what its payments add up to is then what it is.
 */
static void
write_note(const Story *story)
{
	const char *status = NULL;
	OtChange change = {0};
	OtOrderRow order;

	ot_order_take(story->workspace, story->order_id, &order);
	check_amounts(story);
	if (has_more_paid(story))
		status = ot_payments_status(story->workspace, story->order_id,
									order.amount - order.discount_amount, order.status);
	change.workspace = story->workspace;
	change.order_id = story->order_id;
	change.now = story->now;
	change.channel = story->channel;
	change.actor = story->actor;
	change.event_type = story->event_type;
	change.data = describe(story);
	ot_order_tell(&change, status);
}

/* Refuses to refund more than was paid, whichever of the two has changed. */
static void
check_amounts(const Story *story)
{
	bool refunds = ot_payment_refunds(story->transaction_type, story->new_status);
	OtPaid others;

	if (!refunds && !ot_payment_pays(story->transaction_type, story->new_status) &&
		(story->old_status == NULL ||
		 !ot_payment_pays(story->transaction_type, story->old_status)))
		return;
	ot_payments_sum(story->workspace, story->order_id, refunds ? story->payment_id : 0,
					&others);
	if (refunds ? story->amount > others.paid - others.refunded
				: others.refunded > others.paid)
		refuse_refund(story, &others);
}

static void
refuse_refund(const Story *story, const OtPaid *others)
{
	if (ot_payment_refunds(story->transaction_type, story->new_status))
		ereport(ERROR, errcode(OT_ERRCODE_EXCEEDED),
				errmsg("refund of " INT64_FORMAT
					   " is more than is left of what order " INT64_FORMAT " has paid",
					   story->amount, story->order_id),
				errdetail("Paid is " INT64_FORMAT
						  ", refunded or to be refunded " INT64_FORMAT ".",
						  others->paid, others->refunded));
	ereport(ERROR, errcode(OT_ERRCODE_EXCEEDED),
			errmsg("payment " INT64_FORMAT
				   " is needed for the refunds of order " INT64_FORMAT,
				   story->payment_id, story->order_id),
			errdetail("Without it, paid is " INT64_FORMAT
					  ", refunded or to be refunded " INT64_FORMAT ".",
					  others->paid, others->refunded));
}

/* Tells whether the order has more money than before: paid, or not given back. */
static bool
has_more_paid(const Story *story)
{
	const char *type = story->transaction_type;

	if (story->old_status == NULL)
		return ot_payment_pays(type, story->new_status);
	return (ot_payment_pays(type, story->new_status) &&
			!ot_payment_pays(type, story->old_status)) ||
		   (ot_payment_refunds(type, story->old_status) &&
			!ot_payment_refunds(type, story->new_status));
}

static Jsonb *
describe(const Story *story)
{
	OtJson json;

	ot_json_begin(&json);
	ot_json_add_int8(&json, "payment_id", story->payment_id);
	if (story->old_status == NULL)
	{
		ot_json_add_text(&json, "transaction_type", story->transaction_type);
		ot_json_add_text(&json, "method", story->method);
		ot_json_add_int8(&json, "amount", story->amount);
		if (story->return_id != 0)
			ot_json_add_int8(&json, "return_id", story->return_id);
	}
	ot_json_open(&json, "payment_status");
	ot_json_add_text(&json, "old", story->old_status);
	ot_json_add_text(&json, "new", story->new_status);
	ot_json_close(&json);
	ot_note_sign(&json, story->actor);
	return ot_json_end(&json);
}

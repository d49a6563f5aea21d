/*
 * row_change.c
 *		Tells the triggers of a table what a function is doing while its statement
 *		runs: which row it changes, who does it and when, and which rows it inserts.
 */
#include "postgres.h"

#include "utils/rel.h"

#include "errcodes.h"
#include "ordertrack.h"

PG_FUNCTION_INFO_V1(ordertrack_guard_insert);
PG_FUNCTION_INFO_V1(ordertrack_guard_change);

/*
 * Valid only while ot_change_row() runs, and for one version of the row: an
 * UPDATE by somebody's trigger meanwhile is a change of its own.
 */
static const OtRowChange *current_change = NULL;
static ItemPointerData taken_version; /* invalid: not taken yet */

/* The rows whose INSERT guard_insert is to let through; all have this id. */
static const OtRowChange *announced = NULL;
static uint64 announced_count = 0;

static void end_insert(const OtRowChange *outer, uint64 outer_count);
static int64 row_id(const TriggerData *trigger);
static void refuse(const char *table) pg_attribute_noreturn();
static const char *hint_for(const char *table);

/* Runs an UPDATE of one row; its triggers write the note of the change. */
void
ot_change_row(const OtRowChange *change, OtPlan plan, OtArgs *args)
{
	const OtRowChange *outer_change = current_change;
	ItemPointerData outer_version = taken_version;

	current_change = change;
	ItemPointerSetInvalid(&taken_version);
	PG_TRY();
	{
		ot_write(plan, args, 1);
	}
	PG_FINALLY();
	{
		current_change = outer_change;
		taken_version = outer_version;
	}
	PG_END_TRY();
}

/*
 * Gives what a function is doing to this version of a row, or NULL: to the
 * BEFORE trigger once, and to the AFTER trigger of the same version again.
 */
const OtRowChange *
ot_current_row_change(const TriggerData *trigger, int64 workspace, int64 id,
					  bool is_before)
{
	ItemPointer version = &trigger->tg_trigtuple->t_self;
	bool is_taken = ItemPointerIsValid(&taken_version);

	if (current_change == NULL || current_change->workspace != workspace ||
		current_change->id != id ||
		strcmp(current_change->table, RelationGetRelationName(trigger->tg_relation)) != 0)
		return NULL;
	if (is_before && !is_taken)
		taken_version = *version;
	else if (is_before || !is_taken || !ItemPointerEquals(&taken_version, version))
		return NULL;
	return current_change;
}

/* Inserts that many rows of one id, announced to guard_insert. */
void
ot_insert_announced(const OtRowChange *change, OtPlan plan, OtArgs *args, uint64 count)
{
	const OtRowChange *outer = announced;
	uint64 outer_count = announced_count;

	announced = change;
	announced_count = count;
	PG_TRY();
	{
		ot_write(plan, args, count);
	}
	PG_FINALLY();
	{
		end_insert(outer, outer_count);
	}
	PG_END_TRY();
}

static void
end_insert(const OtRowChange *outer, uint64 outer_count)
{
	announced = outer;
	announced_count = outer_count;
}

/*
 * Refuses rows that no function of ours announced: whoever makes one checks it
 * against its order and tells the order's history.  The second column of such a
 * table is the id.
 */
Datum
ordertrack_guard_insert(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = ot_trigger_data(fcinfo, "guard_insert");
	const char *table = RelationGetRelationName(trigger->tg_relation);
	HeapTuple tuple = trigger->tg_trigtuple;

	if (ot_in_replication())
		return PointerGetDatum(tuple);
	if (announced_count == 0 || strcmp(announced->table, table) != 0 ||
		announced->workspace != ot_tuple_int8(trigger, tuple, "workspace_id") ||
		announced->id != row_id(trigger))
		refuse(table);
	announced_count--;
	return PointerGetDatum(tuple);
}

/* Likewise for changes of a table that only changes together with its order. */
Datum
ordertrack_guard_change(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = ot_trigger_data(fcinfo, "guard_change");
	HeapTuple tuple = trigger->tg_trigtuple;

	if (!ot_in_replication() &&
		ot_current_row_change(trigger, ot_tuple_int8(trigger, tuple, "workspace_id"),
							  row_id(trigger), true) == NULL)
		refuse(RelationGetRelationName(trigger->tg_relation));
	return PointerGetDatum(trigger->tg_newtuple);
}

static int64
row_id(const TriggerData *trigger)
{
	const char *id = NameStr(TupleDescAttr(trigger->tg_relation->rd_att, 1)->attname);

	return ot_tuple_int8(trigger, trigger->tg_trigtuple, id);
}

static void
refuse(const char *table)
{
	ereport(ERROR, errcode(OT_ERRCODE_IMMUTABLE),
			errmsg("rows of table \"%s\" are written by ordertrack only", table),
			errhint("%s", hint_for(table)));
}

static const char *
hint_for(const char *table)
{
	if (strncmp(table, "shipment", strlen("shipment")) == 0)
		return "Use ordertrack.create_shipment().";
	if (strncmp(table, "payment", strlen("payment")) == 0)
		return "Use ordertrack.add_payment() and ordertrack.create_refund().";
	if (strcmp(table, "manual_discounts") == 0)
		return "Use ordertrack.set_manual_discount().";
	return "Use ordertrack.create_return() and ordertrack.receive_return().";
}

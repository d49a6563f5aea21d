/*
 * guard.c
 *		The triggers that keep history as it is.  They run no SQL, and hold for
 *		the owner, a superuser and the replica role alike.
 */
#include "postgres.h"

#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "errcodes.h"
#include "ordertrack.h"

PG_FUNCTION_INFO_V1(ordertrack_guard_history);
PG_FUNCTION_INFO_V1(ordertrack_guard_parent);

static void check_columns(const TriggerData *trigger, const Trigger *definition);
static bool is_notes(const TriggerData *trigger);
static bool is_announced_insert(const TriggerData *trigger);
static bool is_traced_edit(const TriggerData *trigger);
static void refuse(const TriggerData *trigger) pg_attribute_noreturn();

/* Refuses every change of a table of history but what the extension announced. */
Datum
ordertrack_guard_history(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = ot_trigger_data(fcinfo, "guard_history");

	if (TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
	{
		if (!ot_in_replication() && !is_announced_insert(trigger))
			ereport(ERROR, errcode(OT_ERRCODE_IMMUTABLE),
					errmsg("order notes are written by ordertrack only"),
					errhint("Use ordertrack.add_note() for a note of your own."));
		return PointerGetDatum(trigger->tg_trigtuple);
	}
	if (TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) && is_notes(trigger) &&
		is_traced_edit(trigger))
		return PointerGetDatum(trigger->tg_newtuple);
	refuse(trigger);
}

/* Refuses to delete a row that history may refer to, and to change what it refers to. */
Datum
ordertrack_guard_parent(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = ot_trigger_data(fcinfo, "guard_parent");

	if (!TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
		ereport(ERROR, errcode(OT_ERRCODE_IMMUTABLE),
				errmsg("rows of table \"%s\" cannot be deleted",
					   RelationGetRelationName(trigger->tg_relation)),
				errdetail("History refers to them."));
	check_columns(trigger, trigger->tg_trigger);
	return PointerGetDatum(trigger->tg_newtuple);
}

/*
 * Refuses, in a row as it is stored, what guard_parent refuses before: it sees
 * neither the columns that a statement doesn't name nor what a later trigger does.
 */
void
ot_guard_stored(const TriggerData *trigger)
{
	const TriggerDesc *triggers = trigger->tg_relation->trigdesc;
	char *name =
		psprintf("%s_guard_parent", RelationGetRelationName(trigger->tg_relation));

	for (int i = 0; i < triggers->numtriggers; i++)
		if (strcmp(triggers->triggers[i].tgname, name) == 0)
			check_columns(trigger, &triggers->triggers[i]);
}

static void
check_columns(const TriggerData *trigger, const Trigger *definition)
{
	for (int i = 0; i < definition->tgnattr; i++)
		if (ot_tuple_differs(trigger, definition->tgattr[i]))
			ereport(ERROR, errcode(OT_ERRCODE_IMMUTABLE),
					errmsg("column \"%s\" of table \"%s\" cannot be changed",
						   get_attname(RelationGetRelid(trigger->tg_relation),
									   definition->tgattr[i], false),
						   RelationGetRelationName(trigger->tg_relation)),
					errdetail("History refers to it."));
}

static bool
is_notes(const TriggerData *trigger)
{
	return strcmp(RelationGetRelationName(trigger->tg_relation), "order_notes") == 0;
}

static bool
is_announced_insert(const TriggerData *trigger)
{
	HeapTuple tuple = trigger->tg_trigtuple;
	bool is_null;
	Datum hash = ot_tuple_datum(trigger, tuple, "hash", &is_null);

	return !is_null &&
		   ot_note_take_announced(ot_tuple_int8(trigger, tuple, "workspace_id"),
								  ot_tuple_int8(trigger, tuple, "order_id"),
								  ot_tuple_int4(trigger, tuple, "note_no"),
								  DatumGetByteaPP(hash));
}

/*
 * Tells whether an UPDATE only changes the words of a custom note, by edit_note
 * or delete_note, which leave a system note about it.
 */
static bool
is_traced_edit(const TriggerData *trigger)
{
	static const char *const editable[] = {"title", "detail", "edited_at", "deleted_at"};
	HeapTuple tuple = trigger->tg_trigtuple;
	char *note_type = ot_tuple_text(trigger, tuple, "note_type");

	if (!ot_in_replication() &&
		!ot_note_take_edit(ot_tuple_int8(trigger, tuple, "workspace_id"),
						   ot_tuple_int8(trigger, tuple, "order_id"),
						   ot_tuple_int4(trigger, tuple, "note_no")))
		return false;
	if (note_type == NULL || strcmp(note_type, "custom") != 0)
		return false;
	for (int i = 1; i <= RelationGetNumberOfAttributes(trigger->tg_relation); i++)
	{
		bool is_editable = false;

		for (int j = 0; j < lengthof(editable); j++)
			is_editable |= i == ot_column(trigger, editable[j]);
		if (!is_editable && ot_tuple_differs(trigger, i))
			return false;
	}
	return true;
}

static void
refuse(const TriggerData *trigger)
{
	static const struct
	{
		const char *table;
		const char *hint;
	} hints[] = {
		{"order_notes",
		 "Custom notes change by ordertrack.edit_note() and ordertrack.delete_note()."},
		{"return_items",
		 "ordertrack.cancel_return() ends a return, ordertrack.create_return() begins another."},
		{"return_receipts", "ordertrack.receive_return() adds what arrived."},
		{"point_movements",
		 "Points move by ordertrack.grant_points(), ordertrack.transfer_points() and ordertrack.cancel_points()."},
		{"shipment_items",
		 "What is not to be sent is canceled by ordertrack.set_shipment_status()."},
	};
	const char *table = RelationGetRelationName(trigger->tg_relation);
	const char *hint =
		"ordertrack.rollback_redemption() undoes a redemption by a row of its own.";

	for (int i = 0; i < lengthof(hints); i++)
		if (strcmp(hints[i].table, table) == 0)
			hint = hints[i].hint;
	ereport(ERROR, errcode(OT_ERRCODE_IMMUTABLE),
			errmsg("history in table \"%s\" cannot be changed", table),
			errhint("%s", hint));
}

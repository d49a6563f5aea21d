/*
 * delivery.c
 *		set_delivery_status: a gift on its way to the customer.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "errcodes.h"
#include "issued_reward.h"

PG_FUNCTION_INFO_V1(ordertrack_set_delivery_status);

static void check_status(const char *status);

/* Moves a delivery to a status and gives the one before; the trigger judges. */
Datum
ordertrack_set_delivery_status(PG_FUNCTION_ARGS)
{
	char *status = ot_required_text_arg(fcinfo, 1, "status", OT_MAX_TEXT);
	OtRowChange change = {.table = "issued_rewards"};
	OtUnit unit;

	PreventCommandIfReadOnly("ordertrack.set_delivery_status()");
	change.id = ot_id_arg(fcinfo, 0, "issued_reward_id");
	change.channel = ot_text_arg(fcinfo, 2, "channel", OT_MAX_TEXT);
	change.actor = ot_text_arg(fcinfo, 3, "actor", OT_MAX_TEXT);
	change.workspace = ot_workspace_arg(fcinfo, 4);
	check_status(status);

	ot_begin();
	ot_unit_lock(change.workspace, change.id, &unit);
	change.now = GetCurrentTimestamp();
	if (unit.delivery_status == NULL || strcmp(unit.delivery_status, status) != 0)
	{
		OtArgs args = {0};

		ot_arg_int8(&args, change.workspace);
		ot_arg_int8(&args, change.id);
		ot_arg_text(&args, status);
		ot_change_row(&change, OT_PLAN_ISSUED_REWARD_DELIVERY, &args);
	}
	ot_end();
	if (unit.delivery_status == NULL)
		PG_RETURN_NULL(); /* only where the trigger has been taken away */
	PG_RETURN_TEXT_P(cstring_to_text(unit.delivery_status));
}

static void
check_status(const char *status)
{
	static const char *const statuses[] = {"ordered", "shipped", "delivered", "canceled"};

	for (int i = 0; i < lengthof(statuses); i++)
		if (strcmp(statuses[i], status) == 0)
			return;
	ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
			errmsg("unknown delivery status \"%s\"", status),
			errhint("Statuses are ordered, shipped, delivered and canceled."));
}

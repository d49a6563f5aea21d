/*
 * customer.c
 *		Customers: known by the caller's own source_id.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/timestamp.h"

#include "ordertrack.h"
#include "plan.h"

PG_FUNCTION_INFO_V1(ordertrack_put_customer);

static int64 find(int64 workspace, const char *source_id);

/* Creates or changes a customer and returns its id. */
Datum
ordertrack_put_customer(PG_FUNCTION_ARGS)
{
	OtArgs args = {0};
	const char *source_id = ot_required_text_arg(fcinfo, 0, "source_id", OT_MAX_KEY);
	const char *email = ot_text_arg(fcinfo, 1, "email", OT_MAX_TEXT);
	const char *phone = ot_text_arg(fcinfo, 2, "phone", OT_MAX_TEXT);
	const char *first_name = ot_text_arg(fcinfo, 3, "first_name", OT_MAX_TEXT);
	const char *last_name = ot_text_arg(fcinfo, 4, "last_name", OT_MAX_TEXT);
	const Jsonb *address = ot_object_arg(fcinfo, 5, "address");
	const Jsonb *metadata = ot_object_arg(fcinfo, 6, "metadata");
	int64 workspace = ot_workspace_arg(fcinfo, 8);
	int64 customer_id;

	PreventCommandIfReadOnly("ordertrack.put_customer()");
	ot_begin();
	ot_require_workspace(workspace);
	ot_arg_int8(&args, workspace);
	ot_arg_text(&args, source_id);
	ot_arg_text(&args, email);
	ot_arg_text(&args, phone);
	ot_arg_text(&args, first_name);
	ot_arg_text(&args, last_name);
	ot_arg_jsonb(&args, address);
	ot_arg_jsonb(&args, metadata);
	if (PG_ARGISNULL(7))
		ot_arg_null(&args);
	else
		ot_arg_bool(&args, PG_GETARG_BOOL(7));
	ot_arg_time(&args, GetCurrentTimestamp());
	ot_run(OT_PLAN_CUSTOMER_PUT, &args);
	customer_id = ot_get_int8(0, 1);
	ot_end();
	PG_RETURN_INT64(customer_id);
}

/* Finds a customer or creates it; another session may do so at this instant. */
int64
ot_customer_put(int64 workspace, const char *source_id, TimestampTz now)
{
	int64 customer_id = 0;

	while (customer_id == 0)
	{
		CHECK_FOR_INTERRUPTS();
		customer_id = find(workspace, source_id);
		if (customer_id == 0)
			customer_id = ot_customer_add(workspace, source_id, now);
	}
	return customer_id;
}

/* Finds a customer by source_id; 0 where there is none. */
static int64
find(int64 workspace, const char *source_id)
{
	OtArgs args = {0};

	ot_arg_int8(&args, workspace);
	ot_arg_text(&args, source_id);
	return ot_run(OT_PLAN_CUSTOMER_FACTS, &args) > 0 ? ot_get_int8(0, 1) : 0;
}

/* Adds a customer of whom only the source_id is known; 0 where it is taken. */
int64
ot_customer_add(int64 workspace, const char *source_id, TimestampTz now)
{
	OtArgs args = {0};

	ot_arg_int8(&args, workspace);
	ot_arg_text(&args, source_id);
	ot_arg_time(&args, now);
	return ot_run(OT_PLAN_CUSTOMER_ADD, &args) > 0 ? ot_get_int8(0, 1) : 0;
}

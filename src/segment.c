/*
 * segment.c
 *		Segments: customers whom a condition finds, or a fixed list of them.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "errcodes.h"
#include "ordertrack.h"
#include "plan.h"
#include "rule.h"

/* Each of them is tried on a customer of whom a rule asks for the segments. */
#define MAX_CONDITIONS 100

/* Columns of OT_PLAN_SEGMENT_CUSTOMERS after those of every customer. */
enum
{
	SOURCE_ID = OT_RULE_CUSTOMER_COLUMNS,
	DAYS,
	CUSTOMER_COLUMNS
};

typedef struct Listing
{
	ReturnSetInfo *result;
	JsonPath *condition; /* of the segment, or NULL */
} Listing;

static void make_room(int64 workspace);
static int64 insert_segment(int64 workspace, const char *name, JsonPath *condition,
							TimestampTz now);
static void insert_members(int64 workspace, int64 segment_id, ArrayType *customers,
						   TimestampTz now);
static void list_customers(Listing *listing, int64 workspace, const char *name);
static void put_member(void *context, uint64 row);
static void put_match(void *context, uint64 row);
static void put_source_id(Listing *listing, Datum source_id);

PG_FUNCTION_INFO_V1(ordertrack_create_segment);
PG_FUNCTION_INFO_V1(ordertrack_segment_customers);

/* Makes a segment and returns its id. */
Datum
ordertrack_create_segment(PG_FUNCTION_ARGS)
{
	const char *name = ot_required_text_arg(fcinfo, 0, "name", OT_MAX_TEXT);
	JsonPath *condition = ot_condition_arg(fcinfo, 1);
	ArrayType *customers = ot_text_array_arg(fcinfo, 2, "customers");
	int64 workspace = ot_workspace_arg(fcinfo, 3);
	TimestampTz now = GetCurrentTimestamp();
	int64 segment_id;

	PreventCommandIfReadOnly("ordertrack.create_segment()");
	if ((condition == NULL) == (customers == NULL))
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("exactly one of \"condition\" and \"customers\" must be given"));
	if (condition != NULL)
		ot_condition_check(condition, OT_NAMES_SEGMENTS | OT_NAMES_OTHERS);

	ot_begin();
	ot_require_workspace(workspace);
	if (condition != NULL)
		make_room(workspace);
	segment_id = insert_segment(workspace, name, condition, now);
	if (customers != NULL)
		insert_members(workspace, segment_id, customers, now);
	ot_end();
	PG_RETURN_INT64(segment_id);
}

/* Lists the source_ids of the customers that are in a segment now. */
Datum
ordertrack_segment_customers(PG_FUNCTION_ARGS)
{
	const char *name = ot_required_text_arg(fcinfo, 0, "name", OT_MAX_TEXT);
	int64 workspace = ot_workspace_arg(fcinfo, 1);
	Listing listing = {.result = (ReturnSetInfo *) fcinfo->resultinfo};

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	ot_begin();
	ot_require_workspace(workspace);
	list_customers(&listing, workspace, name);
	ot_end();
	return (Datum) 0;
}

/* Two who make the last one at once wait for each other here. */
static void
make_room(int64 workspace)
{
	OtArgs lock = {0};
	OtArgs args = {0};

	ot_arg_int8(&lock, workspace);
	ot_run(OT_PLAN_SEGMENT_LOCK_WORKSPACE, &lock);
	ot_arg_int8(&args, workspace);
	ot_run(OT_PLAN_SEGMENT_COUNT, &args);
	if (ot_get_int8(0, 1) >= MAX_CONDITIONS)
		ereport(
			ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
			errmsg("too many segments with a condition"),
			errdetail("A workspace may have %d.", MAX_CONDITIONS),
			errhint("A condition over $.customer can also stand in a rule by itself."));
}

static int64
insert_segment(int64 workspace, const char *name, JsonPath *condition, TimestampTz now)
{
	OtArgs args = {0};

	ot_arg_int8(&args, workspace);
	ot_arg_text(&args, name);
	if (condition != NULL)
		ot_arg(&args, PointerGetDatum(condition));
	else
		ot_arg_null(&args);
	ot_arg_time(&args, now);
	if (ot_run(OT_PLAN_SEGMENT_INSERT, &args) == 0)
		ereport(ERROR, errcode(OT_ERRCODE_EXISTS),
				errmsg("segment \"%s\" already exists", name));
	return ot_get_int8(0, 1);
}

/* All or none: a customer that is not known is an error. */
static void
insert_members(int64 workspace, int64 segment_id, ArrayType *customers, TimestampTz now)
{
	OtArgs unknown = {0};
	OtArgs args = {0};

	ot_arg_int8(&unknown, workspace);
	ot_arg(&unknown, PointerGetDatum(customers));
	if (ot_run(OT_PLAN_SEGMENT_UNKNOWN_MEMBERS, &unknown) > 0)
		ereport(ERROR, errcode(OT_ERRCODE_NOT_FOUND),
				errmsg("customer \"%s\" does not exist", ot_get_text(0, 1)));
	ot_arg_int8(&args, workspace);
	ot_arg_int8(&args, segment_id);
	ot_arg(&args, PointerGetDatum(customers));
	ot_arg_time(&args, now);
	ot_run(OT_PLAN_SEGMENT_MEMBERS_INSERT, &args);
}

static void
list_customers(Listing *listing, int64 workspace, const char *name)
{
	OtArgs segment = {0};
	OtArgs args = {0};
	Datum values[2];
	bool nulls[2];

	ot_arg_int8(&segment, workspace);
	ot_arg_text(&segment, name);
	if (ot_read(OT_PLAN_SEGMENT_FIND, &segment) == 0)
		ereport(ERROR, errcode(OT_ERRCODE_NOT_FOUND),
				errmsg("segment \"%s\" does not exist", name));
	ot_get_row(values, nulls);
	ot_arg_int8(&args, workspace);
	if (nulls[1])
	{
		ot_arg(&args, values[0]);
		ot_read_each(OT_PLAN_SEGMENT_MEMBERS, &args, put_member, listing);
		return;
	}
	listing->condition = DatumGetJsonPathPCopy(values[1]);
	ot_arg_time(&args, GetCurrentTimestamp());
	ot_arg_bool(&args,
				(ot_condition_uses(listing->condition, NULL) & OT_READS_DAYS) != 0);
	ot_read_each(OT_PLAN_SEGMENT_CUSTOMERS, &args, put_match, listing);
}

static void
put_member(void *context, uint64 row)
{
	Datum source_id;
	bool is_null;

	ot_get_row_at(row, &source_id, &is_null);
	put_source_id(context, source_id);
}

static void
put_match(void *context, uint64 row)
{
	Listing *listing = context;
	OtRuleCustomer customer = {0};
	Datum values[CUSTOMER_COLUMNS];
	bool nulls[CUSTOMER_COLUMNS];

	ot_get_row_at(row, values, nulls);
	ot_rule_customer_take(&customer, values, nulls);
	customer.source_id = TextDatumGetCString(values[SOURCE_ID]);
	customer.has_days = !nulls[DAYS];
	if (customer.has_days)
		customer.days_since_last_order = DatumGetInt64(values[DAYS]);
	if (ot_condition_match(listing->condition, ot_rule_customer_document(&customer),
						   NULL))
		put_source_id(listing, values[SOURCE_ID]);
}

static void
put_source_id(Listing *listing, Datum source_id)
{
	bool is_null = false;

	tuplestore_putvalues(listing->result->setResult, listing->result->setDesc, &source_id,
						 &is_null);
}

/*
 * plan.c
 *		Prepares, keeps and runs the statements of statement.c by SPI; nothing
 *		else in the extension prepares one.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/plancache.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "errcodes.h"
#include "ordertrack.h"
#include "plan.h"

static SPIPlanPtr kept_plans[OT_PLAN_COUNT];
static bool is_planned[OT_PLAN_COUNT];

static SPIPlanPtr get_plan(OtPlan plan);
static SPIPlanPtr prepare(OtPlan plan);
static void plan_by_keys(OtPlan plan);
static void check_tables(void);
static int run_unprepared(const char *sql);
static Oid type_of_letter(char letter);
static uint64 execute(OtPlan plan, OtArgs *args, bool read_only);

/*
 * Opens SPI.  Result rows live until ot_end(); what is allocated in between
 * lives as long as the function's call, since it often ends up in its result.
 */
void
ot_begin(void)
{
	MemoryContext caller = CurrentMemoryContext;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to SPI");
	MemoryContextSwitchTo(caller);
}

/* Closes SPI. */
void
ot_end(void)
{
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "could not finish SPI");
}

/* Runs a statement that writes, or that must see what has just been written. */
uint64
ot_run(OtPlan plan, OtArgs *args)
{
	return execute(plan, args, false);
}

/* Runs a statement that only reads, under the snapshot that is active. */
uint64
ot_read(OtPlan plan, OtArgs *args)
{
	return execute(plan, args, true);
}

/*
 * Makes a fresh snapshot active, so that several ot_read() see one committed
 * state; statement snapshots could each see another.
 */
void
ot_take_snapshot(void)
{
	PushActiveSnapshot(GetTransactionSnapshot());
}

/* Ends what ot_take_snapshot() began. */
void
ot_drop_snapshot(void)
{
	PopActiveSnapshot();
}

static uint64
execute(OtPlan plan, OtArgs *args, bool read_only)
{
	int result;

	Assert(args->count == (int) strlen(ot_statements[plan].types));
	result = SPI_execute_plan(get_plan(plan), args->values, args->nulls, read_only, 0);
	if (result < 0)
		elog(ERROR, "statement %d failed: %s", plan, SPI_result_code_string(result));
	return SPI_processed;
}

/*
 * Gives the kept plan of a statement, prepared at its first use and planned
 * again when a table has changed.
 */
static SPIPlanPtr
get_plan(OtPlan plan)
{
	if (unlikely(kept_plans[plan] == NULL))
		kept_plans[plan] = prepare(plan);
	if (unlikely(!is_planned[plan] || !SPI_plan_is_valid(kept_plans[plan])))
		plan_by_keys(plan);
	return kept_plans[plan];
}

/*
 * A generic plan from the start: every statement finds its rows by a key, and
 * planning five times per session would cost more than it could gain.
 */
static SPIPlanPtr
prepare(OtPlan plan)
{
	const OtStatement *statement = &ot_statements[plan];
	Oid types[OT_MAX_ARGS];
	SPIPlanPtr prepared;

	check_tables();
	for (int i = 0; statement->types[i] != '\0'; i++)
		types[i] = type_of_letter(statement->types[i]);
	prepared = SPI_prepare_cursor(statement->sql, strlen(statement->types), types,
								  CURSOR_OPT_GENERIC_PLAN);
	if (prepared == NULL)
		elog(ERROR, "could not prepare statement %d: %s", plan,
			 SPI_result_code_string(SPI_result));
	if (SPI_keepplan(prepared) != 0)
		elog(ERROR, "could not keep statement %d", plan);
	return prepared;
}

/*
 * Plans without sequential scans.  A session that begins while the tables are
 * small would otherwise read them whole for as long as its plans last, however
 * much they grow in the meantime.
 */
static void
plan_by_keys(OtPlan plan)
{
	int nest_level = NewGUCNestLevel();
	CachedPlan *planned;

	(void) set_config_option("enable_seqscan", "off", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	planned = SPI_plan_get_cached_plan(kept_plans[plan]);
	if (planned != NULL)
		ReleaseCachedPlan(planned, CurrentResourceOwner);
	AtEOXact_GUC(true, nest_level);
	is_planned[plan] = true;
}

/* Refuses to prepare anything on tables that are not this library's. */
static void
check_tables(void)
{
	static bool is_checked = false;
	int32 found = 0;

	if (is_checked)
		return;
	run_unprepared("SELECT to_regclass('ordertrack.installation') IS NOT NULL");
	if (ot_get_bool(0, 1) &&
		run_unprepared("SELECT tables_version FROM ordertrack.installation") > 0)
		found = ot_get_int4(0, 1);
	if (found != OT_TABLES_VERSION)
		ereport(
			ERROR, errcode(OT_ERRCODE_TABLES),
			found == 0
				? errmsg("tables of ordertrack are missing")
				: errmsg("tables of ordertrack are of version %d, this library needs %d",
						 found, OT_TABLES_VERSION),
			errhint("Run SELECT ordertrack.setup()."));
	is_checked = true;
}

static int
run_unprepared(const char *sql)
{
	if (SPI_execute(sql, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not look for the tables of ordertrack");
	return (int) SPI_processed;
}

static Oid
type_of_letter(char letter)
{
	switch (letter)
	{
		case 'i':
			return INT8OID;
		case 'n':
			return INT4OID;
		case 't':
			return TEXTOID;
		case 'T':
			return TEXTARRAYOID;
		case 'I':
			return INT8ARRAYOID;
		case 'z':
			return TIMESTAMPTZOID;
		case 'b':
			return BOOLOID;
		case 'j':
			return JSONBOID;
		case 'y':
			return BYTEAOID;
		default:
			elog(ERROR, "unknown parameter type \"%c\"", letter);
	}
	return InvalidOid;
}

/* Adds a parameter that is not NULL. */
void
ot_arg(OtArgs *args, Datum value)
{
	Assert(args->count < OT_MAX_ARGS);
	args->values[args->count] = value;
	args->nulls[args->count++] = ' ';
}

/* Adds NULL. */
void
ot_arg_null(OtArgs *args)
{
	Assert(args->count < OT_MAX_ARGS);
	args->values[args->count] = (Datum) 0;
	args->nulls[args->count++] = 'n';
}

/* Adds a bigint. */
void
ot_arg_int8(OtArgs *args, int64 value)
{
	ot_arg(args, Int64GetDatum(value));
}

/* Adds a bigint, or NULL where none is set. */
void
ot_arg_int8_or_null(OtArgs *args, bool is_set, int64 value)
{
	if (is_set)
		ot_arg_int8(args, value);
	else
		ot_arg_null(args);
}

/* Adds an id; 0, which no identity column gives, stands for NULL. */
void
ot_arg_id(OtArgs *args, int64 id)
{
	ot_arg_int8_or_null(args, id != 0, id);
}

/* Adds an integer. */
void
ot_arg_int4(OtArgs *args, int32 value)
{
	ot_arg(args, Int32GetDatum(value));
}

/* Adds a boolean. */
void
ot_arg_bool(OtArgs *args, bool value)
{
	ot_arg(args, BoolGetDatum(value));
}

/* Adds a text, or NULL. */
void
ot_arg_text(OtArgs *args, const char *value)
{
	if (value != NULL)
		ot_arg(args, CStringGetTextDatum(value));
	else
		ot_arg_null(args);
}

/* Adds a timestamptz. */
void
ot_arg_time(OtArgs *args, TimestampTz value)
{
	ot_arg(args, TimestampTzGetDatum(value));
}

/* Adds a jsonb, or NULL. */
void
ot_arg_jsonb(OtArgs *args, const Jsonb *value)
{
	if (value != NULL)
		ot_arg(args, PointerGetDatum(value));
	else
		ot_arg_null(args);
}

/* Adds a bytea. */
void
ot_arg_bytes(OtArgs *args, const uint8 *bytes, int length)
{
	ot_arg(args, PointerGetDatum(ot_bytes(bytes, length)));
}

/* Makes a bytea. */
bytea *
ot_bytes(const uint8 *bytes, int length)
{
	bytea *value = palloc(VARHDRSZ + length);

	SET_VARSIZE(value, VARHDRSZ + length);
	memcpy(VARDATA(value), bytes, length);
	return value;
}

static Datum
get_column(uint64 row, int column, bool *is_null)
{
	Assert(row < SPI_tuptable->numvals);
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, is_null);
}

bool
ot_is_null(uint64 row, int column)
{
	bool is_null;

	(void) get_column(row, column, &is_null);
	return is_null;
}

int64
ot_get_int8(uint64 row, int column)
{
	bool is_null;
	Datum value = get_column(row, column, &is_null);

	return is_null ? 0 : DatumGetInt64(value);
}

int32
ot_get_int4(uint64 row, int column)
{
	bool is_null;
	Datum value = get_column(row, column, &is_null);

	return is_null ? 0 : DatumGetInt32(value);
}

bool
ot_get_bool(uint64 row, int column)
{
	bool is_null;
	Datum value = get_column(row, column, &is_null);

	return is_null ? false : DatumGetBool(value);
}

char *
ot_get_text(uint64 row, int column)
{
	bool is_null;
	Datum value = get_column(row, column, &is_null);

	return is_null ? NULL : TextDatumGetCString(value);
}

TimestampTz
ot_get_time(uint64 row, int column, TimestampTz if_null)
{
	bool is_null;
	Datum value = get_column(row, column, &is_null);

	return is_null ? if_null : DatumGetTimestampTz(value);
}

Jsonb *
ot_get_jsonb(uint64 row, int column)
{
	bool is_null;
	Datum value = get_column(row, column, &is_null);

	return is_null ? NULL : DatumGetJsonbPCopy(value);
}

bytea *
ot_get_bytes(uint64 row, int column)
{
	bool is_null;
	Datum value = get_column(row, column, &is_null);

	return is_null ? NULL : DatumGetByteaPCopy(value);
}

void
ot_get_row(Datum *values, bool *nulls)
{
	ot_get_row_at(0, values, nulls);
}

void
ot_get_row_at(uint64 row, Datum *values, bool *nulls)
{
	heap_deform_tuple(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, values, nulls);
}

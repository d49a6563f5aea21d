/*
 * plan.c
 *		Prepares, keeps and runs the statements of statement*.c by SPI; nothing
 *		else in the extension prepares one.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "errcodes.h"
#include "ordertrack.h"
#include "plan.h"

/* Runs of a statement after which the tables are no longer those of a beginner. */
#define FIRST_REPLAN 1000
#define SECOND_REPLAN 30000

/* Rows of a long result that are in memory at once. */
#define ROWS_AT_A_TIME 1000

/* One table a file, statement*.c. */
static const OtStatement *const statement_tables[] = {
	ot_work_statements,	 ot_admin_statements, ot_redemption_item_statements,
	ot_limit_statements, ot_rule_statements,  ot_reservation_statements};

typedef struct KeptPlan
{
	SPIPlanPtr plan;
	uint64 run_count;
} KeptPlan;

/* How many rows an INSERT may write at once: a plan is kept for each number. */
static const int row_counts[] = {OT_ROWS_AT_ONCE, 2, 1};
#define ONE_ROW (lengthof(row_counts) - 1)

static KeptPlan kept_plans[OT_PLAN_COUNT][lengthof(row_counts)];

static const OtStatement *get_statement(OtPlan plan);
static void write_rows(OtPlan plan, int size, const OtArgs *rows);
static SPIPlanPtr get_plan(OtPlan plan, int size);
static SPIPlanPtr prepare(OtPlan plan, int row_count);
static char *repeat_row(const OtStatement *statement, int row_count);
static void forget_plan(SPIPlanPtr plan);
static void plan_by_keys(SPIPlanPtr plan);
static void check_tables(void);
static int run_unprepared(const char *sql);
static Oid type_of_letter(char letter);
static uint64 execute(OtPlan plan, OtArgs *args, bool read_only);
static uint64 execute_rows(OtPlan plan, int size, Datum *values, const char *nulls,
						   bool read_only);
static void refuse_suppressed(void) pg_attribute_noreturn();

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
	ot_defer_nest(1);
}

/* Closes SPI. */
void
ot_end(void)
{
	ot_defer_nest(-1);
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "could not finish SPI");
}

/* Runs a statement that writes, or that must see what has just been written. */
uint64
ot_run(OtPlan plan, OtArgs *args)
{
	return execute(plan, args, false);
}

/* Runs a statement that writes a known number of rows, whatever happens. */
void
ot_write(OtPlan plan, OtArgs *args, uint64 count)
{
	if (ot_run(plan, args) != count)
		refuse_suppressed();
}

/* Writes rows by an INSERT of one row, of many at once where there are many. */
void
ot_write_rows(OtPlan plan, const OtArgs *rows, int count)
{
	for (int size = 0; size < lengthof(row_counts); size++)
		for (; count >= row_counts[size]; count -= row_counts[size])
		{
			write_rows(plan, size, rows);
			rows += row_counts[size];
		}
}

static void
write_rows(OtPlan plan, int size, const OtArgs *rows)
{
	int row_count = row_counts[size];
	int width = rows->count;
	Datum values[OT_ROWS_AT_ONCE * OT_MAX_ARGS];
	char nulls[OT_ROWS_AT_ONCE * OT_MAX_ARGS];

	for (int i = 0; i < row_count; i++)
	{
		memcpy(&values[i * width], rows[i].values, width * sizeof(Datum));
		memcpy(&nulls[i * width], rows[i].nulls, width);
	}
	if (execute_rows(plan, size, values, nulls, false) != row_count)
		refuse_suppressed();
}

static void
refuse_suppressed(void)
{
	ereport(ERROR, errcode(ERRCODE_TRIGGERED_ACTION_EXCEPTION),
			errmsg("a write of ordertrack was suppressed"),
			errhint("Look for a trigger or a rule on the tables of ordertrack."));
}

/* Runs a statement that only reads, under the snapshot that is active. */
uint64
ot_read(OtPlan plan, OtArgs *args)
{
	return execute(plan, args, true);
}

/* Runs a statement that may read a million rows, and does work on each. */
void
ot_read_each(OtPlan plan, OtArgs *args, OtRowWork work, void *context)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext row_memory =
		AllocSetContextCreate(caller, "ordertrack row", ALLOCSET_DEFAULT_SIZES);
	Portal portal =
		SPI_cursor_open(NULL, get_plan(plan, ONE_ROW), args->values, args->nulls, true);

	SPI_cursor_fetch(portal, true, ROWS_AT_A_TIME);
	while (SPI_processed > 0)
	{
		MemoryContextSwitchTo(row_memory);
		for (uint64 row = 0; row < SPI_processed; row++)
		{
			work(context, row);
			MemoryContextReset(row_memory);
		}
		SPI_freetuptable(SPI_tuptable);
		SPI_cursor_fetch(portal, true, ROWS_AT_A_TIME);
	}
	SPI_cursor_close(portal);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(row_memory);
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
	Assert(args->count == (int) strlen(get_statement(plan)->types));
	return execute_rows(plan, ONE_ROW, args->values, args->nulls, read_only);
}

static uint64
execute_rows(OtPlan plan, int size, Datum *values, const char *nulls, bool read_only)
{
	MemoryContext caller = CurrentMemoryContext;
	int result = SPI_execute_plan(get_plan(plan, size), values, nulls, read_only, 0);

	if (result < 0)
		elog(ERROR, "statement %d failed: %s", plan, SPI_result_code_string(result));
	/* Preparing and running leave SPI's own context behind, which ot_end() frees. */
	MemoryContextSwitchTo(caller);
	return SPI_processed;
}

/* Finds a statement in the one table that has it. */
static const OtStatement *
get_statement(OtPlan plan)
{
	for (int i = 0; i < lengthof(statement_tables); i++)
		if (statement_tables[i][plan].sql != NULL)
			return &statement_tables[i][plan];
	elog(ERROR, "there is no statement %d", plan);
}

/* Gives the letters of a statement's parameters. */
const char *
ot_plan_types(OtPlan plan)
{
	return get_statement(plan)->types;
}

/* Gives the kept plan of a statement, prepared and planned where that is due. */
static SPIPlanPtr
get_plan(OtPlan plan, int size)
{
	KeptPlan *kept = &kept_plans[plan][size];

	if (unlikely(kept->plan == NULL))
		kept->plan = prepare(plan, row_counts[size]);
	kept->run_count++;
	if (unlikely(kept->run_count == FIRST_REPLAN || kept->run_count == SECOND_REPLAN))
		forget_plan(kept->plan);
	if (unlikely(kept->run_count == 1 || !SPI_plan_is_valid(kept->plan)))
		plan_by_keys(kept->plan);
	return kept->plan;
}

/*
 * A generic plan from the start: every statement finds its rows by a key, and
 * planning five times per session would cost more than it could gain.
 */
static SPIPlanPtr
prepare(OtPlan plan, int row_count)
{
	const OtStatement *statement = get_statement(plan);
	int width = strlen(statement->types);
	Oid types[OT_ROWS_AT_ONCE * OT_MAX_ARGS];
	SPIPlanPtr prepared;

	check_tables();
	for (int i = 0; i < row_count * width; i++)
		types[i] = type_of_letter(statement->types[i % width]);
	prepared = SPI_prepare_cursor(row_count == 1 ? statement->sql
												 : repeat_row(statement, row_count),
								  row_count * width, types, CURSOR_OPT_GENERIC_PLAN);
	if (prepared == NULL)
		elog(ERROR, "could not prepare statement %d: %s", plan,
			 SPI_result_code_string(SPI_result));
	if (SPI_keepplan(prepared) != 0)
		elog(ERROR, "could not keep statement %d", plan);
	return prepared;
}

/* Repeats the row of INSERT ... VALUES (...), each with parameters of its own. */
static char *
repeat_row(const OtStatement *statement, int row_count)
{
	const char *row = strstr(statement->sql, "VALUES ") + strlen("VALUES ");
	int width = strlen(statement->types);
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfoString(&sql, statement->sql);
	for (int i = 1; i < row_count; i++)
	{
		appendStringInfoString(&sql, ", ");
		for (char *c = unconstify(char *, row); *c != '\0';)
		{
			if (*c == '$')
				appendStringInfo(&sql, "$%d", i * width + (int) strtol(c + 1, &c, 10));
			else
				appendStringInfoChar(&sql, *c++);
		}
	}
	return sql.data;
}

/*
 * Has a statement planned again.  On tables that were empty when it was planned
 * all indexes look alike, and only an ANALYZE would tell the session that they
 * no longer are.
 */
static void
forget_plan(SPIPlanPtr plan)
{
	ListCell *cell;

	foreach (cell, SPI_plan_get_plan_sources(plan))
	{
		CachedPlanSource *source = lfirst(cell);

		source->is_valid = false;
		if (source->gplan != NULL)
			source->gplan->is_valid = false;
	}
}

/*
 * Plans without sequential scans: a session that begins while the tables are
 * small would otherwise go on reading them whole.
 */
static void
plan_by_keys(SPIPlanPtr plan)
{
	int nest_level = NewGUCNestLevel();
	CachedPlan *planned;

	(void) set_config_option("enable_seqscan", "off", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	planned = SPI_plan_get_cached_plan(plan);
	if (planned != NULL)
		ReleaseCachedPlan(planned, CurrentResourceOwner);
	AtEOXact_GUC(true, nest_level);
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
				? errmsg("tables of ordertrack are not set up")
				: errmsg("tables of ordertrack are of version %d, this library needs %d",
						 found, OT_TABLES_VERSION),
			errhint("Run SELECT ordertrack.setup()."));
	/* A setup() of this very transaction may still be rolled back. */
	is_checked = !TransactionIdIsValid(GetTopTransactionIdIfAny());
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
		case 'Z':
			return TIMESTAMPTZARRAYOID;
		case 'b':
			return BOOLOID;
		case 'j':
			return JSONBOID;
		case 'p':
			return JSONPATHOID;
		case 'y':
			return BYTEAOID;
		case 'd':
			return DATEOID;
		default:
			elog(ERROR, "unknown parameter type \"%c\"", letter);
	}
	return InvalidOid;
}

/*
 * plan.c
 *		Runs the statements of statement*.c by SPI.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "errcodes.h"
#include "plan.h"
#include "plan_prepare.h"

/* Rows of a long result that are in memory at once. */
#define ROWS_AT_A_TIME 1000

static void write_rows(OtPlan plan, int size, const OtArgs *rows);
static uint64 execute(OtPlan plan, OtArgs *args, bool read_only);
static uint64 execute_rows(OtPlan plan, int size, Datum *values, const char *nulls,
						   bool read_only);

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
		ot_refuse_suppressed();
}

/* Writes rows by an INSERT of one row, of many at once where there are many. */
void
ot_write_rows(OtPlan plan, const OtArgs *rows, int count)
{
	for (int size = 0; size < OT_ROW_COUNTS; size++)
		for (; count >= ot_row_counts[size]; count -= ot_row_counts[size])
		{
			write_rows(plan, size, rows);
			rows += ot_row_counts[size];
		}
}

static void
write_rows(OtPlan plan, int size, const OtArgs *rows)
{
	int row_count = ot_row_counts[size];
	int width = rows->count;
	Datum values[OT_ROWS_AT_ONCE * OT_MAX_ARGS];
	char nulls[OT_ROWS_AT_ONCE * OT_MAX_ARGS];

	for (int i = 0; i < row_count; i++)
	{
		memcpy(&values[i * width], rows[i].values, width * sizeof(Datum));
		memcpy(&nulls[i * width], rows[i].nulls, width);
	}
	if (execute_rows(plan, size, values, nulls, false) != row_count)
		ot_refuse_suppressed();
}

/* Refuses what somebody's trigger or rule has made of a write. */
void
ot_refuse_suppressed(void)
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
	Portal portal = SPI_cursor_open(NULL, ot_plan_get(plan, OT_ONE_ROW), args->values,
									args->nulls, true);

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
	Assert(args->count == (int) strlen(ot_plan_types(plan)));
	return execute_rows(plan, OT_ONE_ROW, args->values, args->nulls, read_only);
}

static uint64
execute_rows(OtPlan plan, int size, Datum *values, const char *nulls, bool read_only)
{
	MemoryContext caller = CurrentMemoryContext;
	SPIPlanPtr kept = ot_plan_get(plan, size);
	int result;

	ot_domains_check(ot_plan_types(plan), ot_row_counts[size], values, nulls);
	result = SPI_execute_plan(kept, values, nulls, read_only, 0);
	if (result < 0)
		elog(ERROR, "statement %d failed: %s", plan, SPI_result_code_string(result));
	/* Preparing and running leave SPI's own context behind, which ot_end() frees. */
	MemoryContextSwitchTo(caller);
	return SPI_processed;
}

/*
 * deferred.c
 *		Rows that a batch holds back, and writes by statements of many rows.
 *
 * Only what no later item of the batch reads may wait; who reads such a table
 * all the same calls ot_flush() first.  Nothing waits in a subtransaction, since
 * it may be undone, nor in what triggers do meanwhile.
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/datum.h"
#include "utils/memutils.h"

#include "ordertrack.h"

#define MAX_KINDS 8

/* Rows of one statement, in the order in which they came. */
typedef struct Waiting
{
	OtPlan plan;
	OtRowsWriter writer;
	int count;
	int capacity;
	OtArgs *rows;
} Waiting;

static struct
{
	int batch_count; /* that are running: a trigger may call another */
	bool is_open;
	int nest_level; /* of the transaction whose rows wait */
	int depth;		/* of calls by triggers inside the batch */
	MemoryContext context;
	int kind_count;
	Waiting kinds[MAX_KINDS];
} deferred;

static bool is_deferring(void);
static Waiting *get_waiting(OtPlan plan, OtRowsWriter writer);
static void add_row(Waiting *waiting, const OtArgs *row);

/*
 * Lets rows wait from now on, until ot_defer_end().  Those of a batch inside
 * another are written at once.
 */
void
ot_defer_begin(void)
{
	if (deferred.batch_count++ > 0)
		return;
	memset(&deferred, 0, sizeof(deferred));
	deferred.batch_count = 1;
	deferred.is_open = true;
	deferred.nest_level = GetCurrentTransactionNestLevel();
	deferred.context = AllocSetContextCreate(
		CurrentMemoryContext, "ordertrack deferred rows", ALLOCSET_DEFAULT_SIZES);
}

/* Ends the waiting, also after an error; what was not written is gone. */
void
ot_defer_end(void)
{
	if (--deferred.batch_count == 0)
		deferred.is_open = false;
}

/* Called where SPI is opened (1) and closed (-1), by plan.c. */
void
ot_defer_nest(int step)
{
	deferred.depth += step;
}

/* Inserts rows, now or together with others. */
void
ot_insert_rows(OtPlan plan, OtRowsWriter writer, const OtArgs *rows, int count)
{
	if (is_deferring())
	{
		Waiting *waiting = get_waiting(plan, writer);

		for (int i = 0; i < count; i++)
			add_row(waiting, &rows[i]);
		return;
	}
	for (int i = 0; i < count; i += OT_ROWS_AT_ONCE)
		writer(&rows[i], Min(count - i, OT_ROWS_AT_ONCE));
}

static bool
is_deferring(void)
{
	return deferred.is_open && deferred.depth == 0 &&
		   deferred.nest_level == GetCurrentTransactionNestLevel();
}

static Waiting *
get_waiting(OtPlan plan, OtRowsWriter writer)
{
	Waiting *waiting = deferred.kinds;

	while (waiting < &deferred.kinds[deferred.kind_count] && waiting->plan != plan)
		waiting++;
	if (waiting == &deferred.kinds[deferred.kind_count])
	{
		Assert(deferred.kind_count < MAX_KINDS);
		deferred.kind_count++;
		waiting->plan = plan;
		waiting->writer = writer;
	}
	return waiting;
}

/* Copies a row, whose values may not live as long as it waits. */
static void
add_row(Waiting *waiting, const OtArgs *row)
{
	const char *types = ot_plan_types(waiting->plan);
	MemoryContext caller = MemoryContextSwitchTo(deferred.context);
	OtArgs *copy;

	if (waiting->count == waiting->capacity)
	{
		waiting->capacity = Max(waiting->capacity * 2, 4 * OT_ROWS_AT_ONCE);
		waiting->rows =
			waiting->rows == NULL
				? palloc(waiting->capacity * sizeof(OtArgs))
				: repalloc_huge(waiting->rows, waiting->capacity * sizeof(OtArgs));
	}
	copy = &waiting->rows[waiting->count++];
	*copy = *row;
	for (int i = 0; i < row->count; i++)
		if (row->nulls[i] != 'n' && strchr("tTIZjpyosekr", types[i]) != NULL)
			copy->values[i] = datumCopy(row->values[i], false, -1);
	MemoryContextSwitchTo(caller);
}

/*
 * Writes what waits, in the order in which the statements first came; tells
 * whether there was something.  Not in a subtransaction, whose end could undo
 * what the batch has already answered; what waits is not the subtransaction's.
 */
bool
ot_flush(void)
{
	if (!deferred.is_open || deferred.kind_count == 0 ||
		deferred.nest_level != GetCurrentTransactionNestLevel())
		return false;
	deferred.is_open = false;
	for (int kind = 0; kind < deferred.kind_count; kind++)
	{
		Waiting *waiting = &deferred.kinds[kind];

		for (int i = 0; i < waiting->count; i += OT_ROWS_AT_ONCE)
			waiting->writer(&waiting->rows[i], Min(waiting->count - i, OT_ROWS_AT_ONCE));
		waiting->count = 0;
	}
	MemoryContextReset(deferred.context);
	deferred.kind_count = 0;
	memset(deferred.kinds, 0, sizeof(deferred.kinds));
	deferred.is_open = true;
	return true;
}

/*
 * plan_prepare.c
 *		Prepares and keeps the statements of statement*.c by SPI; nothing else in
 *		the extension prepares one.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "utils/guc.h"
#include "utils/plancache.h"
#include "utils/resowner.h"

#include "errcodes.h"
#include "ordertrack.h"
#include "plan.h"
#include "plan_prepare.h"

/*
 * Runs of a statement after which it is planned again, at each power of two: by then
 * the tables may no longer be those of a beginner.
 */
#define FIRST_REPLAN (1 << 8)
#define LAST_REPLAN (1 << 18)

/* One table a file, statement*.c. */
static const OtStatement *const statement_tables[] = {
	ot_work_statements,			 ot_admin_statements,	 ot_redemption_item_statements,
	ot_limit_statements,		 ot_rule_statements,	 ot_reservation_statements,
	ot_point_statements,		 ot_reward_statements,	 ot_reward_redemption_statements,
	ot_issued_reward_statements, ot_shipment_statements, ot_coupon_statements,
	ot_payment_statements,		 ot_return_statements,	 ot_order_state_statements,
	ot_activity_statements};

typedef struct KeptPlan
{
	SPIPlanPtr plan;
	uint64 run_count;
} KeptPlan;

/* A plan is kept for each number of rows that an INSERT may write at once. */
static KeptPlan kept_plans[OT_PLAN_COUNT][OT_ROW_COUNTS];
const int ot_row_counts[OT_ROW_COUNTS] = {OT_ROWS_AT_ONCE, 2, 1};

static const OtStatement *get_statement(OtPlan plan);
static SPIPlanPtr prepare(OtPlan plan, int row_count);
static char *repeat_row(const OtStatement *statement, int row_count);
static bool has_its_types(SPIPlanPtr prepared, OtPlan plan);
static void forget_plan(SPIPlanPtr plan);
static void plan_by_keys(SPIPlanPtr plan);
static void check_tables(void);
static int run_unprepared(const char *sql);
static Oid type_of_letter(char letter);

/* Gives the kept plan of a statement, prepared and planned where that is due. */
SPIPlanPtr
ot_plan_get(OtPlan plan, int size)
{
	KeptPlan *kept = &kept_plans[plan][size];

	if (unlikely(kept->plan == NULL))
		kept->plan = prepare(plan, ot_row_counts[size]);
	kept->run_count++;
	if (unlikely((kept->run_count & (kept->run_count - 1)) == 0 &&
				 kept->run_count >= FIRST_REPLAN && kept->run_count <= LAST_REPLAN))
		forget_plan(kept->plan);
	if (unlikely(kept->run_count == 1 || !SPI_plan_is_valid(kept->plan)))
	{
		if (!has_its_types(kept->plan, plan))
			kept->plan = prepare(plan, ot_row_counts[size]);
		plan_by_keys(kept->plan);
	}
	return kept->plan;
}

/*
 * Tells whether the domains of a plan's parameters are still those that there
 * are: tables may have been made anew.  Then the plan is left where it is, since
 * it may be running.
 */
static bool
has_its_types(SPIPlanPtr prepared, OtPlan plan)
{
	const char *types = ot_plan_types(plan);

	for (int i = 0; types[i] != '\0'; i++)
		if (SPI_getargtypeid(prepared, i) != type_of_letter(types[i]))
			return false;
	return true;
}

/* Gives the letters of a statement's parameters. */
const char *
ot_plan_types(OtPlan plan)
{
	return get_statement(plan)->types;
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
 * small would otherwise go on reading them whole.  And without compiling, which
 * takes longer than any of our statements, but which the planner, who knows no
 * parameter, would choose for some on large tables.
 */
static void
plan_by_keys(SPIPlanPtr plan)
{
	int nest_level = NewGUCNestLevel();
	CachedPlan *planned;

	(void) set_config_option("enable_seqscan", "off", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	(void) set_config_option("jit", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
							 true, 0, false);
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
		case 'N':
			return NUMERICOID;
		default:
			return ot_domain_type(letter);
	}
}

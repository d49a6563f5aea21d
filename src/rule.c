/*
 * rule.c
 *		Rules, which never change once made, and the vouchers and campaigns that
 *		they are assigned to.
 *
 * rule_count of a voucher or campaign tells redeem whether to look for rules. It
 * changes with each assignment, so that who holds an older snapshot of the row
 * (REPEATABLE READ) gets 40001 instead of missing a rule.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/timestamp.h"

#include "errcodes.h"
#include "ordertrack.h"
#include "plan.h"
#include "rule.h"

/* One rule and what it is to be assigned to. */
typedef struct Assignment
{
	int64 workspace;
	const char *rule;
	const char *voucher; /* or else campaign */
	const char *campaign;
	int64 rule_id;
	int64 owner_id; /* of the voucher or campaign */
} Assignment;

static const char *target_arg(FunctionCallInfo fcinfo, int n);
static void read_assignment(Assignment *assignment, FunctionCallInfo fcinfo);
static void find_both(Assignment *assignment);
static bool find(OtPlan plan, int64 workspace, const char *name, int64 *id);
static void count(const Assignment *assignment, int64 change, TimestampTz now);
static void start(OtArgs *args, const Assignment *assignment);

PG_FUNCTION_INFO_V1(ordertrack_create_rule);
PG_FUNCTION_INFO_V1(ordertrack_assign_rule);
PG_FUNCTION_INFO_V1(ordertrack_unassign_rule);

/* Makes a rule and returns its id. */
Datum
ordertrack_create_rule(PG_FUNCTION_ARGS)
{
	const char *name = ot_required_text_arg(fcinfo, 0, "name", OT_MAX_TEXT);
	const char *applies_to = target_arg(fcinfo, 1);
	JsonPath *condition = ot_condition_arg(fcinfo, 2);
	const char *message = ot_text_arg(fcinfo, 3, "message", OT_MAX_TEXT);
	int64 workspace = ot_workspace_arg(fcinfo, 4);
	OtArgs args = {0};
	int64 rule_id;

	PreventCommandIfReadOnly("ordertrack.create_rule()");
	if (condition == NULL)
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("argument \"condition\" must not be null"));
	if (message != NULL && *message == '\0')
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("argument \"message\" must not be empty"));
	ot_condition_check(condition, 0);

	ot_begin();
	ot_require_workspace(workspace);
	ot_arg_int8(&args, workspace);
	ot_arg_text(&args, name);
	ot_arg_text(&args, applies_to);
	ot_arg(&args, PointerGetDatum(condition));
	ot_arg_text(&args, message);
	ot_arg_time(&args, GetCurrentTimestamp());
	if (ot_run(OT_PLAN_RULE_INSERT, &args) == 0)
		ereport(ERROR, errcode(OT_ERRCODE_EXISTS),
				errmsg("rule \"%s\" already exists", name),
				errhint("A rule never changes: make another, under a name of its own."));
	rule_id = ot_get_int8(0, 1);
	ot_end();
	PG_RETURN_INT64(rule_id);
}

/* Has a rule decide the redemptions of a voucher or a campaign. */
Datum
ordertrack_assign_rule(PG_FUNCTION_ARGS)
{
	Assignment assignment = {0};
	TimestampTz now = GetCurrentTimestamp();
	OtArgs args = {0};

	PreventCommandIfReadOnly("ordertrack.assign_rule()");
	read_assignment(&assignment, fcinfo);
	ot_begin();
	find_both(&assignment);
	start(&args, &assignment);
	ot_arg_time(&args, now);
	if (ot_run(assignment.voucher != NULL ? OT_PLAN_VOUCHER_RULE_INSERT
										  : OT_PLAN_CAMPAIGN_RULE_INSERT,
			   &args) > 0)
		count(&assignment, 1, now);
	ot_end();
	PG_RETURN_VOID();
}

/* Has a rule no longer decide them. */
Datum
ordertrack_unassign_rule(PG_FUNCTION_ARGS)
{
	Assignment assignment = {0};
	OtArgs args = {0};

	PreventCommandIfReadOnly("ordertrack.unassign_rule()");
	read_assignment(&assignment, fcinfo);
	ot_begin();
	find_both(&assignment);
	start(&args, &assignment);
	if (ot_run(assignment.voucher != NULL ? OT_PLAN_VOUCHER_RULE_DELETE
										  : OT_PLAN_CAMPAIGN_RULE_DELETE,
			   &args) > 0)
		count(&assignment, -1, GetCurrentTimestamp());
	ot_end();
	PG_RETURN_VOID();
}

static const char *
target_arg(FunctionCallInfo fcinfo, int n)
{
	const char *name = ot_required_text_arg(fcinfo, n, "applies_to", OT_MAX_TEXT);

	if (ot_rule_target(name) == OT_RULE_TARGET_COUNT)
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("a rule can't apply to \"%s\"", name),
				errhint("A rule applies to customer, order or redemption."));
	return name;
}

/* Gives a condition, or NULL. */
JsonPath *
ot_condition_arg(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? NULL : PG_GETARG_JSONPATH_P(n);
}

static void
read_assignment(Assignment *assignment, FunctionCallInfo fcinfo)
{
	assignment->rule = ot_required_text_arg(fcinfo, 0, "rule", OT_MAX_TEXT);
	assignment->voucher = ot_text_arg(fcinfo, 1, "voucher", OT_MAX_CODE);
	assignment->campaign = ot_text_arg(fcinfo, 2, "campaign", OT_MAX_TEXT);
	assignment->workspace = ot_workspace_arg(fcinfo, 3);
	if ((assignment->voucher == NULL) == (assignment->campaign == NULL))
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("exactly one of \"voucher\" and \"campaign\" must be given"));
}

/* Finds the rule and its new owner; the message doesn't name a code. */
static void
find_both(Assignment *assignment)
{
	ot_require_workspace(assignment->workspace);
	if (!find(OT_PLAN_RULE_FIND, assignment->workspace, assignment->rule,
			  &assignment->rule_id))
		ereport(ERROR, errcode(OT_ERRCODE_NOT_FOUND),
				errmsg("rule \"%s\" does not exist", assignment->rule));
	if (assignment->voucher != NULL)
	{
		if (!find(OT_PLAN_VOUCHER_FIND, assignment->workspace, assignment->voucher,
				  &assignment->owner_id))
			ereport(ERROR, errcode(OT_ERRCODE_NOT_FOUND),
					errmsg("voucher does not exist"));
	}
	else if (!find(OT_PLAN_CAMPAIGN_FIND, assignment->workspace, assignment->campaign,
				   &assignment->owner_id))
		ereport(ERROR, errcode(OT_ERRCODE_NOT_FOUND),
				errmsg("campaign \"%s\" does not exist", assignment->campaign));
}

static bool
find(OtPlan plan, int64 workspace, const char *name, int64 *id)
{
	OtArgs args = {0};

	ot_arg_int8(&args, workspace);
	ot_arg_text(&args, name);
	if (ot_run(plan, &args) == 0)
		return false;
	*id = ot_get_int8(0, 1);
	return true;
}

static void
count(const Assignment *assignment, int64 change, TimestampTz now)
{
	OtArgs args = {0};

	ot_arg_int8(&args, assignment->workspace);
	ot_arg_int8(&args, assignment->owner_id);
	ot_arg_int8(&args, change);
	ot_arg_time(&args, now);
	ot_write(assignment->voucher != NULL ? OT_PLAN_VOUCHER_RULE_COUNT
										 : OT_PLAN_CAMPAIGN_RULE_COUNT,
			 &args, 1);
}

static void
start(OtArgs *args, const Assignment *assignment)
{
	ot_arg_int8(args, assignment->workspace);
	ot_arg_int8(args, assignment->owner_id);
	ot_arg_int8(args, assignment->rule_id);
}

/*
 * campaign.c
 *		Campaigns: vouchers that share a name, dates and limits.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/timestamp.h"

#include "errcodes.h"
#include "ordertrack.h"
#include "plan.h"
#include "terms.h"

static const OtTermsPlans campaign_plans = {
	.entity = "campaign",
	.find = OT_PLAN_CAMPAIGN_FIND,
	.lock = OT_PLAN_CAMPAIGN_LOCK,
	.update = OT_PLAN_CAMPAIGN_UPDATE,
	.count = OT_PLAN_CAMPAIGN_COUNT,
	.forget_customers = OT_PLAN_CAMPAIGN_FORGET_CUSTOMERS,
	.count_customers = OT_PLAN_CAMPAIGN_COUNT_CUSTOMERS,
	.count_period = OT_PLAN_CAMPAIGN_COUNT_PERIOD,
};

PG_FUNCTION_INFO_V1(ordertrack_create_campaign);
PG_FUNCTION_INFO_V1(ordertrack_update_campaign);

/* Makes a campaign and returns its id. */
Datum
ordertrack_create_campaign(PG_FUNCTION_ARGS)
{
	const char *name = ot_required_text_arg(fcinfo, 0, "name", OT_MAX_TEXT);
	int64 workspace = ot_workspace_arg(fcinfo, 16);
	OtTermsArgs terms;
	OtArgs args = {0};
	int64 campaign_id;

	PreventCommandIfReadOnly("ordertrack.create_campaign()");
	ot_terms_read_new(&terms, fcinfo, 1, OT_CAMPAIGN_VALUES);

	ot_begin();
	ot_require_workspace(workspace);
	ot_arg_int8(&args, workspace);
	ot_arg_text(&args, name);
	ot_terms_add(&args, &terms);
	ot_arg_time(&args, GetCurrentTimestamp());
	if (ot_run(OT_PLAN_CAMPAIGN_INSERT, &args) == 0)
		ereport(ERROR, errcode(OT_ERRCODE_EXISTS),
				errmsg("campaign \"%s\" already exists", name));
	campaign_id = ot_get_int8(0, 1);
	ot_end();
	PG_RETURN_INT64(campaign_id);
}

/* Changes what is passed of a campaign. */
Datum
ordertrack_update_campaign(PG_FUNCTION_ARGS)
{
	const char *name = ot_required_text_arg(fcinfo, 0, "name", OT_MAX_TEXT);
	int64 workspace = ot_workspace_arg(fcinfo, 17);
	OtTermsArgs terms;

	PreventCommandIfReadOnly("ordertrack.update_campaign()");
	ot_terms_read_change(&terms, fcinfo, 1, OT_CAMPAIGN_VALUES);

	ot_begin();
	ot_require_workspace(workspace);
	if (!ot_terms_update(&campaign_plans, workspace, name, &terms))
		ereport(ERROR, errcode(OT_ERRCODE_NOT_FOUND),
				errmsg("campaign \"%s\" does not exist", name));
	ot_end();
	PG_RETURN_VOID();
}

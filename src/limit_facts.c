/*
 * limit_facts.c
 *		Reads what limits need to know, only where they are set: what stripes
 *		have left, the time of day, and uses in calendar periods.
 */
#include "postgres.h"

#include "limit.h"
#include "plan.h"

static void read_periods(int64 workspace, const char *entity, int64 customer_id,
						 const OtLocalTime *local_time, OtTerms *terms);
static OtPeriod find_period(const char *name);

/* Completes the terms of a voucher and its campaign, under the active snapshot. */
void
ot_limits_read(int64 workspace, int64 customer_id, TimestampTz now, OtTerms *voucher,
			   OtTerms *campaign, OtLocalTime *local_time)
{
	bool counts_voucher = ot_terms_count_period(voucher);
	bool counts_campaign = ot_terms_count_period(campaign);

	if (voucher->is_striped)
		voucher->stripe_uses = ot_stripes_read(workspace, "voucher", voucher->id);
	if (campaign->is_striped)
		campaign->stripe_uses = ot_stripes_read(workspace, "campaign", campaign->id);
	if (counts_voucher || counts_campaign || voucher->validity != NULL ||
		campaign->validity != NULL)
		ot_local_time_read(workspace, now, local_time);
	if (counts_voucher)
		read_periods(workspace, "voucher", customer_id, local_time, voucher);
	if (counts_campaign)
		read_periods(workspace, "campaign", customer_id, local_time, campaign);
}

/* Tells a moment, and the periods that it is in, in the workspace's time zone. */
void
ot_local_time_read(int64 workspace, TimestampTz now, OtLocalTime *local_time)
{
	OtArgs args = {0};

	ot_arg_int8(&args, workspace);
	ot_arg_time(&args, now);
	if (ot_read(OT_PLAN_LOCAL_TIME, &args) == 0)
		ot_require_workspace(workspace);
	local_time->now = ot_get_int8(0, 1);
	for (int i = 0; i < OT_PERIOD_COUNT; i++)
		local_time->starts_on[i] = ot_get_int4(0, 2 + i);
}

/* Customer 0, which no id is, stands for all customers. */
static void
read_periods(int64 workspace, const char *entity, int64 customer_id,
			 const OtLocalTime *local_time, OtTerms *terms)
{
	OtArgs args = {0};
	uint64 count;

	ot_arg_int8(&args, workspace);
	ot_arg_text(&args, entity);
	ot_arg_int8(&args, terms->id);
	ot_arg_int8(&args, customer_id);
	for (int i = 0; i < OT_PERIOD_COUNT; i++)
		ot_arg(&args, DateADTGetDatum(local_time->starts_on[i]));
	count = ot_read(OT_PLAN_PERIOD_USES, &args);
	for (uint64 i = 0; i < count; i++)
	{
		OtLimit *limits = ot_get_int8(i, 2) == 0 ? terms->period : terms->customer_period;

		limits[find_period(ot_get_text(i, 1))].used = ot_get_int8(i, 3);
	}
}

static OtPeriod
find_period(const char *name)
{
	return *name == 'd' ? OT_DAY : *name == 'w' ? OT_WEEK : OT_MONTH;
}

/*
 * voucher.c
 *		Vouchers: one code each, a discount or a gift card with a balance.
 *
 * Messages don't name the code: who holds one may be able to spend it.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/timestamp.h"

#include "discount.h"
#include "errcodes.h"
#include "ordertrack.h"
#include "plan.h"
#include "terms.h"

static const OtTermsPlans voucher_plans = {
	.entity = "voucher",
	.find = OT_PLAN_VOUCHER_FIND,
	.lock = OT_PLAN_VOUCHER_LOCK,
	.update = OT_PLAN_VOUCHER_UPDATE,
	.count = OT_PLAN_VOUCHER_COUNT,
	.forget_customers = OT_PLAN_VOUCHER_FORGET_CUSTOMERS,
	.count_customers = OT_PLAN_VOUCHER_COUNT_CUSTOMERS,
	.count_period = OT_PLAN_VOUCHER_COUNT_PERIOD,
};

/* What a voucher is worth: a discount, or else a gift amount. */
typedef struct Worth
{
	Jsonb *discount;
	int64 gift_amount;
} Worth;

static void read_worth(Worth *worth, FunctionCallInfo fcinfo);
static void check_discount(const Jsonb *discount);
static int64 find_campaign(int64 workspace, const char *name);

PG_FUNCTION_INFO_V1(ordertrack_create_voucher);
PG_FUNCTION_INFO_V1(ordertrack_update_voucher);

/* Makes a code and returns its voucher_id. */
Datum
ordertrack_create_voucher(PG_FUNCTION_ARGS)
{
	const char *code = ot_required_text_arg(fcinfo, 0, "code", OT_MAX_CODE);
	const char *campaign = ot_text_arg(fcinfo, 3, "campaign", OT_MAX_TEXT);
	int64 workspace = ot_workspace_arg(fcinfo, 17);
	Worth worth;
	OtTermsArgs terms;
	OtArgs args = {0};
	int64 voucher_id;

	PreventCommandIfReadOnly("ordertrack.create_voucher()");
	read_worth(&worth, fcinfo);
	ot_terms_read_new(&terms, fcinfo, 4, OT_VOUCHER_VALUES);

	ot_begin();
	ot_require_workspace(workspace);
	ot_arg_int8(&args, workspace);
	ot_arg_text(&args, code);
	ot_arg_text(&args, worth.discount != NULL ? "discount" : "gift");
	ot_arg_jsonb(&args, worth.discount);
	ot_arg_int8_or_null(&args, worth.discount == NULL, worth.gift_amount);
	ot_arg_id(&args, campaign != NULL ? find_campaign(workspace, campaign) : 0);
	ot_terms_add(&args, &terms);
	ot_arg_time(&args, GetCurrentTimestamp());
	if (ot_run(OT_PLAN_VOUCHER_INSERT, &args) == 0)
		ereport(ERROR, errcode(OT_ERRCODE_EXISTS), errmsg("voucher code already exists"));
	voucher_id = ot_get_int8(0, 1);
	ot_end();
	PG_RETURN_INT64(voucher_id);
}

/* Changes what is passed of a voucher. */
Datum
ordertrack_update_voucher(PG_FUNCTION_ARGS)
{
	const char *code = ot_required_text_arg(fcinfo, 0, "code", OT_MAX_CODE);
	int64 workspace = ot_workspace_arg(fcinfo, 15);
	OtTermsArgs terms;

	PreventCommandIfReadOnly("ordertrack.update_voucher()");
	ot_terms_read_change(&terms, fcinfo, 1, OT_VOUCHER_VALUES);

	ot_begin();
	ot_require_workspace(workspace);
	if (!ot_terms_update(&voucher_plans, workspace, code, &terms))
		ereport(ERROR, errcode(OT_ERRCODE_NOT_FOUND), errmsg("voucher does not exist"));
	ot_end();
	PG_RETURN_VOID();
}

/* Reads the arguments discount and gift_amount, of which one must be given. */
static void
read_worth(Worth *worth, FunctionCallInfo fcinfo)
{
	worth->discount = ot_object_arg(fcinfo, 1, "discount");
	worth->gift_amount = PG_ARGISNULL(2) ? 0 : PG_GETARG_INT64(2);
	if ((worth->discount == NULL) == PG_ARGISNULL(2))
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("exactly one of \"discount\" and \"gift_amount\" must be given"));
	if (worth->discount != NULL)
		check_discount(worth->discount);
	else if (worth->gift_amount <= 0)
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("\"gift_amount\" must be greater than zero"));
}

static void
check_discount(const Jsonb *discount)
{
	OtDiscount ignored;
	const char *problem = ot_discount_read(&ignored, discount);

	if (problem != NULL)
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("invalid discount: %s", problem),
				errhint("A discount is %s.", OT_DISCOUNT_FORMS));
}

static int64
find_campaign(int64 workspace, const char *name)
{
	OtArgs args = {0};

	ot_arg_int8(&args, workspace);
	ot_arg_text(&args, name);
	if (ot_run(OT_PLAN_CAMPAIGN_FIND, &args) == 0)
		ereport(ERROR, errcode(OT_ERRCODE_NOT_FOUND),
				errmsg("campaign \"%s\" does not exist", name));
	return ot_get_int8(0, 1);
}

/*
 * reservation_end.c
 *		Ends reservations and gives back what they hold: the caller's own, and
 *		those whose time is over, so that no job has to.
 *
 * The rows are locked by their keys, after an order and before customers,
 * vouchers and campaigns.  Of those whose time is over, a voucher takes its
 * share back and a campaign its own, so that a call never needs the vouchers of
 * others.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "plan.h"
#include "reservation.h"

static const char *own_key(const OtRequest *request, const OtFacts *facts);
static int lock(const OtRequest *request, const OtFacts *facts, TimestampTz now);
static bool take_rows(OtEnding *ending, int count, const char *own, ArrayType **keys);
static void add_to_part(OtEndingPart *part, uint64 row);
static ArrayType *make_keys(Datum *keys, int count);
static void mark(const OtRequest *request, const OtFacts *facts, TimestampTz now,
				 ArrayType *keys);
static const OtTerms *read_again(const OtUse *use, const OtTerms *terms,
								 bool is_campaign);
static void give_back_counters(const OtUse *use, const OtEndingPart *part,
							   const OtTerms *terms, OtPlan customers, OtPlan periods);
static void hold(const OtUse *use, const OtTerms *terms, OtPlan plan);
static void lock_row(int64 workspace, int64 id, OtPlan plan);

/*
 * Ends the reservations that the facts leave out: locks and marks their rows.
 * False where the caller's own has ended otherwise meanwhile.
 */
bool
ot_reservations_end(const OtRequest *request, const OtFacts *facts, TimestampTz now,
					OtEnding *ending)
{
	ArrayType *keys;
	int count;

	memset(ending, 0, sizeof(*ending));
	ending->workspace = request->workspace;
	if (facts->ending_count == 0)
		return true;
	count = lock(request, facts, now);
	if (!take_rows(ending, count, own_key(request, facts), &keys))
		return false;
	if (count > 0)
		mark(request, facts, now, keys);
	return true;
}

static const char *
own_key(const OtRequest *request, const OtFacts *facts)
{
	return facts->reservation == OT_RESERVATION_LIVE ? request->reservation_key : NULL;
}

static int
lock(const OtRequest *request, const OtFacts *facts, TimestampTz now)
{
	OtArgs args = {0};

	ot_arg_int8(&args, request->workspace);
	ot_arg_int8(&args, facts->voucher.id);
	ot_arg_id(&args, facts->campaign.id);
	ot_arg_time(&args, now);
	ot_arg_text(&args, own_key(request, facts));
	ot_arg_keys(&args, request->locked_keys);
	return (int) ot_run(OT_PLAN_RESERVATIONS_LOCK, &args);
}

/* Adds up the locked rows; false where the caller's own is not among them. */
static bool
take_rows(OtEnding *ending, int count, const char *own, ArrayType **keys)
{
	Datum *all = palloc(sizeof(Datum) * Max(count, 1));
	Datum *of_voucher = palloc(sizeof(Datum) * Max(count, 1));
	Datum *of_campaign = palloc(sizeof(Datum) * Max(count, 1));
	bool has_own = own == NULL;

	ending->customers = palloc(sizeof(Datum) * (count + 2));
	for (int i = 0; i < count; i++)
	{
		char *key = ot_get_text(i, 1);

		all[i] = CStringGetTextDatum(key);
		has_own |= own != NULL && strcmp(key, own) == 0;
		if (!ot_is_null(i, 2))
			ending->customers[ending->customer_count++] =
				Int64GetDatum(ot_get_int8(i, 2));
		if (ot_get_bool(i, 5))
		{
			of_voucher[ending->voucher.uses] = all[i];
			add_to_part(&ending->voucher, i);
		}
		if (ot_get_bool(i, 6))
		{
			of_campaign[ending->campaign.uses] = all[i];
			add_to_part(&ending->campaign, i);
		}
	}
	*keys = make_keys(all, count);
	ending->voucher.keys = make_keys(of_voucher, ending->voucher.uses);
	ending->campaign.keys = make_keys(of_campaign, ending->campaign.uses);
	return has_own;
}

/* The sums fit where they are used: budgets and balances have counted them. */
static void
add_to_part(OtEndingPart *part, uint64 row)
{
	part->uses++;
	part->amount += ot_get_int8(row, 3);
	part->order_amount += ot_get_int8(row, 4);
}

static ArrayType *
make_keys(Datum *keys, int count)
{
	return construct_array(keys, count, TEXTOID, -1, false, TYPALIGN_INT);
}

/* A redemption ends the caller's own as redeemed, and else it is released. */
static void
mark(const OtRequest *request, const OtFacts *facts, TimestampTz now, ArrayType *keys)
{
	OtArgs args = {0};

	ot_arg_int8(&args, request->workspace);
	ot_arg(&args, PointerGetDatum(keys));
	ot_arg_int8(&args, facts->voucher.id);
	ot_arg_id(&args, facts->campaign.id);
	ot_arg_text(&args, own_key(request, facts));
	ot_arg_text(&args, facts->redemption_id != 0 ? "redeemed" : "released");
	ot_arg_id(&args, facts->redemption_id);
	ot_arg_time(&args, now);
	ot_write(OT_PLAN_RESERVATIONS_END, &args,
			 ArrayGetNItems(ARR_NDIM(keys), ARR_DIMS(keys)));
}

/*
 * Locks the customers whose uses are given back together with those whose are
 * spent, in the order of their ids.
 */
void
ot_ending_lock_customers(const OtEnding *ending, int64 customer_id,
						 int64 order_customer_id)
{
	int count = ending->customer_count;
	OtArgs args = {0};

	ending->customers[count++] = Int64GetDatum(customer_id);
	ending->customers[count++] = Int64GetDatum(order_customer_id);
	ot_arg_int8(&args, ending->workspace);
	ot_arg(&args, PointerGetDatum(construct_array(ending->customers, count, INT8OID, 8,
												  FLOAT8PASSBYVAL, TYPALIGN_DOUBLE)));
	ot_run(OT_PLAN_ENDING_CUSTOMERS_LOCK, &args);
}

/*
 * Gives uses and credits back to the voucher, whose terms are then as they are now.
 * A use that the call spends at once stays counted where it is: that spares two
 * writes, and no stripe is held while the row is waited for.
 */
void
ot_ending_give_back_voucher(OtUse *use)
{
	const OtTerms *terms = use->voucher;
	OtEndingPart *part;
	int64 uses;
	OtArgs args = {0};

	if (use->ending == NULL)
		return;
	part = &use->ending->voucher;
	hold(use, terms, OT_PLAN_VOUCHER_HOLD);
	uses = part->uses - (use->keeps_voucher ? 1 : 0);
	if (uses > 0 && (use->is_gift || terms->redemption_limit != 0) &&
		!(terms->is_striped && uses == 1 &&
		  ot_stripes_give_back(use->workspace, "voucher", terms->id)))
	{
		ot_arg_int8(&args, use->workspace);
		ot_arg_int8(&args, terms->id);
		ot_arg_int8(&args, uses);
		ot_arg_int8(&args, part->amount);
		ot_run(OT_PLAN_VOUCHER_GIVE_BACK, &args);
	}
	use->voucher = read_again(use, terms, false);
}

/*
 * Gives uses and budgets back to the campaign, as to the voucher.  A budget is on
 * the row, and the use goes with it: the row would come after the stripe.
 */
void
ot_ending_give_back_campaign(OtUse *use)
{
	const OtTerms *terms = use->campaign;
	bool has_budget = ot_terms_have_budget(terms);
	OtEndingPart *part;
	int64 uses;
	OtArgs args = {0};

	if (use->ending == NULL || terms->id == 0)
		return;
	part = &use->ending->campaign;
	hold(use, terms, OT_PLAN_CAMPAIGN_HOLD);
	uses = part->uses - (use->keeps_campaign ? 1 : 0);
	if (terms->redemption_limit == 0)
		uses = 0;
	if (terms->is_striped && !has_budget && uses == 1 &&
		ot_stripes_give_back(use->workspace, "campaign", terms->id))
		uses = 0;
	if (uses > 0 || (has_budget && part->uses > 0))
	{
		ot_arg_int8(&args, use->workspace);
		ot_arg_int8(&args, terms->id);
		ot_arg_int8(&args, uses);
		ot_arg_int8(&args, part->amount);
		ot_arg_int8(&args, part->order_amount);
		ot_run(OT_PLAN_CAMPAIGN_GIVE_BACK, &args);
	}
	use->campaign = read_again(use, terms, true);
}

/*
 * Where a use is spent next, the row or its stripes, is decided by what they
 * have now: the facts count what is only now given back.
 */
static const OtTerms *
read_again(const OtUse *use, const OtTerms *terms, bool is_campaign)
{
	OtTerms *again = palloc0(sizeof(OtTerms));

	ot_take_snapshot();
	if (is_campaign)
		ot_campaign_terms_read(use->workspace, terms->id, again);
	else
		ot_voucher_terms_read(use->workspace, terms->id, again);
	ot_drop_snapshot();
	return again;
}

/* Gives the uses of customers and periods back; both rows are behind us. */
void
ot_ending_give_back_counters(const OtUse *use)
{
	if (use->ending == NULL)
		return;
	give_back_counters(use, &use->ending->voucher, use->voucher,
					   OT_PLAN_VOUCHER_CUSTOMERS_RETURN, OT_PLAN_VOUCHER_PERIODS_RETURN);
	give_back_counters(use, &use->ending->campaign, use->campaign,
					   OT_PLAN_CAMPAIGN_CUSTOMERS_RETURN,
					   OT_PLAN_CAMPAIGN_PERIODS_RETURN);
}

static void
give_back_counters(const OtUse *use, const OtEndingPart *part, const OtTerms *terms,
				   OtPlan customers, OtPlan periods)
{
	OtArgs args = {0};

	if (part->uses == 0)
		return;
	ot_arg_int8(&args, use->workspace);
	ot_arg_int8(&args, terms->id);
	ot_arg(&args, PointerGetDatum(part->keys));
	if (terms->customer_limit != 0)
		ot_run(customers, &args);
	if (ot_terms_count_period(terms))
		ot_run(periods, &args);
}

/*
 * Locks a voucher or campaign for the counters of its periods, and against a
 * limit that an old snapshot could miss.
 */
static void
hold(const OtUse *use, const OtTerms *terms, OtPlan plan)
{
	if (ot_terms_count_period(terms) || IsolationUsesXactSnapshot())
		lock_row(use->workspace, terms->id, plan);
}

static void
lock_row(int64 workspace, int64 id, OtPlan plan)
{
	OtArgs args = {0};

	ot_arg_int8(&args, workspace);
	ot_arg_int8(&args, id);
	ot_run(plan, &args);
}

/*
 * Ends what is over of one voucher or campaign, before its limits change, so
 * that they are compared with what counts now.  Its row, which the caller will
 * write, is locked before a stripe gets something back.
 */
void
ot_reservations_clear(int64 workspace, const char *entity, int64 entity_id,
					  TimestampTz now)
{
	bool is_voucher = strcmp(entity, "voucher") == 0;
	OtRequest request = {0};
	OtFacts facts = {0};
	OtEnding ending;
	OtUse use = {0};

	ot_lock_redemptions(false);
	request.workspace = workspace;
	ot_take_snapshot();
	if (is_voucher)
		ot_voucher_terms_read(workspace, entity_id, &facts.voucher);
	else
		ot_campaign_terms_read(workspace, entity_id, &facts.campaign);
	ot_drop_snapshot();
	if (!facts.voucher.has_reservations && !facts.campaign.has_reservations)
		return;

	facts.ending_count = 1; /* perhaps */
	(void) ot_reservations_end(&request, &facts, now, &ending);
	ot_ending_lock_customers(&ending, 0, 0);
	lock_row(workspace, entity_id,
			 is_voucher ? OT_PLAN_VOUCHER_HOLD : OT_PLAN_CAMPAIGN_HOLD);
	use.workspace = workspace;
	use.voucher = &facts.voucher;
	use.campaign = &facts.campaign;
	use.is_gift = is_voucher; /* or none of it: then its balance stays NULL */
	use.ending = &ending;
	if (is_voucher)
		ot_ending_give_back_voucher(&use);
	ot_ending_give_back_campaign(&use);
	ot_ending_give_back_counters(&use);
}

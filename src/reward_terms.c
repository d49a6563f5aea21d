/*
 * reward_terms.c
 *		The types of rewards, and what may be set of a reward of each type.
 */
#include "postgres.h"

#include "common/int.h"
#include "lib/stringinfo.h"

#include "errcodes.h"
#include "ordertrack.h"
#include "reward_catalog.h"

#define MAX_DAYS 36500

static const OtRewardType types[] = {{"percentage_discount_code", false, true},
									 {"cashback", false, false},
									 {"discount_code", true, true},
									 {"free_delivery", true, true},
									 {"gift", true, true},
									 {"event_invitation", true, true},
									 {"value_code", true, true},
									 {"custom_campaign", false, true}};

const char *const ot_reward_field_names[OT_REWARD_FIELD_COUNT] = {
	"cost_in_points", "tax_value",	   "starts_at",		   "expires_at",
	"visible_from",	  "visible_until", "redemption_limit", "customer_limit",
	"days_inactive",  "days_valid",	   "metadata"};

static char *list_types(void);
static int64 value_arg(FunctionCallInfo fcinfo, int n, OtRewardField field);
static void check_range(const OtRewardTerms *terms, OtRewardField field, int64 least,
						int64 most);
static void check_window(const OtRewardTerms *terms, OtRewardField from,
						 OtRewardField until);
static void check_type(const OtRewardTerms *terms);
static void check_worth(const OtRewardTerms *terms);

/* Finds a type by its name, which the caller gave. */
const OtRewardType *
ot_reward_type(const char *name)
{
	for (int i = 0; i < lengthof(types); i++)
		if (strcmp(name, types[i].name) == 0)
			return &types[i];
	ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
			errmsg("unknown type of reward \"%s\"", name),
			errdetail("Types are %s.", list_types()));
	return NULL;
}

static char *
list_types(void)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < lengthof(types); i++)
		appendStringInfo(&list, "%s%s",
						 i == 0						? ""
						 : i + 1 == lengthof(types) ? " and "
													: ", ",
						 types[i].name);
	return list.data;
}

/* Reads the numbers and times from the arguments that are given for each field. */
void
ot_reward_terms_read(OtRewardTerms *terms, FunctionCallInfo fcinfo, const int *arguments)
{
	for (int i = 0; i < OT_REWARD_VALUES; i++)
	{
		terms->is_set[i] = !PG_ARGISNULL(arguments[i]);
		if (terms->is_set[i])
			terms->value[i] = value_arg(fcinfo, arguments[i], i);
	}
}

/* Days are integer, all others have 64 bits. */
static int64
value_arg(FunctionCallInfo fcinfo, int n, OtRewardField field)
{
	if (field == OT_REWARD_DAYS_INACTIVE || field == OT_REWARD_DAYS_VALID)
		return PG_GETARG_INT32(n);
	return PG_GETARG_INT64(n);
}

/* Refuses what is out of range, and what the type doesn't have. */
void
ot_reward_terms_check(const OtRewardTerms *terms)
{
	check_range(terms, OT_REWARD_COST_IN_POINTS, 0, PG_INT64_MAX);
	check_range(terms, OT_REWARD_TAX_VALUE, 0, PG_INT64_MAX);
	check_range(terms, OT_REWARD_REDEMPTION_LIMIT, 1, PG_INT64_MAX);
	check_range(terms, OT_REWARD_CUSTOMER_LIMIT, 1, PG_INT64_MAX);
	check_range(terms, OT_REWARD_DAYS_INACTIVE, 0, MAX_DAYS);
	check_range(terms, OT_REWARD_DAYS_VALID, 1, MAX_DAYS);
	check_window(terms, OT_REWARD_STARTS_AT, OT_REWARD_EXPIRES_AT);
	check_window(terms, OT_REWARD_VISIBLE_FROM, OT_REWARD_VISIBLE_UNTIL);
	check_type(terms);
	check_worth(terms);
}

static void
check_range(const OtRewardTerms *terms, OtRewardField field, int64 least, int64 most)
{
	const char *name = ot_reward_field_names[field];

	if (!terms->is_set[field])
		return;
	if (terms->value[field] < least)
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				least > 0 ? errmsg("\"%s\" must be greater than zero", name)
						  : errmsg("\"%s\" must not be negative", name));
	if (terms->value[field] > most)
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("\"%s\" must be at most " INT64_FORMAT, name, most));
}

static void
check_window(const OtRewardTerms *terms, OtRewardField from, OtRewardField until)
{
	if (terms->is_set[from] && terms->is_set[until] &&
		terms->value[from] >= terms->value[until])
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("\"%s\" must be before \"%s\"", ot_reward_field_names[from],
					   ot_reward_field_names[until]));
}

/* Where nothing is inactive, days_inactive is 0. */
static void
check_type(const OtRewardTerms *terms)
{
	for (int i = OT_REWARD_VISIBLE_FROM; i <= OT_REWARD_CUSTOMER_LIMIT; i++)
		if (terms->is_set[i] && !terms->type->is_offered)
			ot_reward_refuse_field(terms->type, ot_reward_field_names[i]);
	if (terms->type->has_validity)
		return;
	if (terms->is_set[OT_REWARD_DAYS_INACTIVE] &&
		terms->value[OT_REWARD_DAYS_INACTIVE] != 0)
		ot_reward_refuse_field(terms->type, "days_inactive");
	if (terms->is_set[OT_REWARD_DAYS_VALID])
		ot_reward_refuse_field(terms->type, "days_valid");
}

/* Says that rewards of this type don't have a field. */
void
ot_reward_refuse_field(const OtRewardType *type, const char *field)
{
	ereport(
		ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
		errmsg("a reward of type %s has no \"%s\"", type->name, field),
		!type->is_offered && !type->has_validity
			? errdetail(
				  "It has no limits, codes, stock or days of validity, and is never visible to customers.")
		: !type->is_offered
			? errdetail(
				  "It has no limits, codes or stock, and is never visible to customers.")
			: 0);
}

/* What a unit of cashback pays has to fit as well. */
static void
check_worth(const OtRewardTerms *terms)
{
	int64 worth;

	if (!terms->has_point_value)
		return;
	if (terms->point_value <= 0)
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("\"point_value\" must be greater than zero"));
	if (pg_mul_s64_overflow(terms->value[OT_REWARD_COST_IN_POINTS], terms->point_value,
							&worth))
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("\"cost_in_points\" times \"point_value\" is too large"));
}

/* Adds the numbers and times. */
void
ot_reward_terms_add(OtArgs *args, const OtRewardTerms *terms)
{
	for (int i = 0; i < OT_REWARD_VALUES; i++)
		ot_arg_int8_or_null(args, terms->is_set[i], terms->value[i]);
}

/* Reads a reward by its name, and gives its id; the row can be read from then on. */
int64
ot_reward_find(int64 workspace, const char *name)
{
	OtArgs args = {0};

	ot_arg_int8(&args, workspace);
	ot_arg_text(&args, name);
	if (ot_run(OT_PLAN_REWARD_FIND, &args) == 0)
		ereport(ERROR, errcode(OT_ERRCODE_NOT_FOUND),
				errmsg("reward \"%s\" does not exist", name));
	return ot_get_int8(0, OT_REWARD_ID);
}

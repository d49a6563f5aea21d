/*
 * reward_catalog.h
 *		Rewards: what an administrator defines, changes and supplies.
 */
#ifndef OT_REWARD_CATALOG_H
#define OT_REWARD_CATALOG_H

#include "fmgr.h"
#include "utils/jsonb.h"

#include "plan.h"

/* Fields that can be changed, in the order of the arguments of update_reward. */
typedef enum OtRewardField
{
	OT_REWARD_COST_IN_POINTS,
	OT_REWARD_TAX_VALUE,
	OT_REWARD_STARTS_AT,
	OT_REWARD_EXPIRES_AT,
	OT_REWARD_VISIBLE_FROM,
	OT_REWARD_VISIBLE_UNTIL,
	OT_REWARD_REDEMPTION_LIMIT,
	OT_REWARD_CUSTOMER_LIMIT,
	OT_REWARD_DAYS_INACTIVE,
	OT_REWARD_DAYS_VALID,
	OT_REWARD_METADATA,
	OT_REWARD_FIELD_COUNT
} OtRewardField;

#define OT_REWARD_VALUES OT_REWARD_METADATA /* fields that are a number or a time */

/* Columns of OT_PLAN_REWARD_FIND and OT_PLAN_REWARD_LOCK, counted from 1. */
enum
{
	OT_REWARD_ID = 1,
	OT_REWARD_TYPE,
	OT_REWARD_CODE_SOURCE,
	OT_REWARD_IS_STOCKED,
	OT_REWARD_POINT_VALUE,
	OT_REWARD_REDEEMED_COUNT,
	OT_REWARD_FIRST_VALUE /* then the others, in their order */
};

typedef struct OtRewardType
{
	const char *name;
	bool is_offered; /* customers see it; it may have limits, codes and stock */
	bool has_validity;
} OtRewardType;

typedef struct OtRewardTerms
{
	const OtRewardType *type;
	bool is_set[OT_REWARD_FIELD_COUNT];
	int64 value[OT_REWARD_VALUES];
	bool has_point_value;
	int64 point_value;
} OtRewardTerms;

/* What is in stock at first; no stock is kept where it is not given. */
typedef struct OtStock
{
	bool is_given;
	int count;
	struct OtVariant *variants;
} OtStock;

/* reward_terms.c */
extern const OtRewardType *ot_reward_type(const char *name);
extern const char *const ot_reward_field_names[OT_REWARD_FIELD_COUNT];
extern void ot_reward_terms_read(OtRewardTerms *terms, FunctionCallInfo fcinfo,
								 const int *arguments);
extern void ot_reward_terms_check(const OtRewardTerms *terms);
extern void ot_reward_terms_add(OtArgs *args, const OtRewardTerms *terms);
extern void ot_reward_refuse_field(const OtRewardType *type, const char *field)
	pg_attribute_noreturn();
extern int64 ot_reward_find(int64 workspace, const char *name);

/* reward_stock.c */
extern void ot_stock_arg(OtStock *stock, FunctionCallInfo fcinfo, int n);
extern void ot_stock_insert(const OtStock *stock, int64 workspace, int64 reward_id,
							TimestampTz now);

#endif

/*
 * terms.h
 *		Dates, hours and limits, which vouchers and campaigns have alike.
 */
#ifndef OT_TERMS_H
#define OT_TERMS_H

#include "fmgr.h"
#include "utils/jsonb.h"

#include "plan.h"

/* Fields that can be set and emptied, in the order of the SQL arguments. */
typedef enum OtTermsField
{
	OT_STARTS_AT,
	OT_EXPIRES_AT,
	OT_REDEMPTION_LIMIT,
	OT_CUSTOMER_LIMIT,
	OT_PER_DAY,
	OT_PER_WEEK,
	OT_PER_MONTH,
	OT_CUSTOMER_PER_DAY,
	OT_CUSTOMER_PER_WEEK,
	OT_CUSTOMER_PER_MONTH,
	OT_DISCOUNT_BUDGET,
	OT_ORDER_BUDGET,
	OT_VALIDITY_HOURS,
	OT_METADATA,
	OT_TERMS_FIELD_COUNT
} OtTermsField;

/* How many of them are 64 bits wide; a voucher has no budgets. */
#define OT_VOUCHER_VALUES OT_DISCOUNT_BUDGET
#define OT_CAMPAIGN_VALUES OT_VALIDITY_HOURS

/* What a call passes: the values, validity_hours, is_active and metadata. */
typedef struct OtTermsArgs
{
	int value_count;
	bool is_set[OT_TERMS_FIELD_COUNT];
	bool is_cleared[OT_TERMS_FIELD_COUNT];
	int64 value[OT_CAMPAIGN_VALUES]; /* times and limits */
	Jsonb *validity_hours;
	Jsonb *metadata;
	bool has_is_active;
	bool is_active;
} OtTermsArgs;

/* What the table holds: columns of the statements find and lock. */
typedef struct OtTermsStored
{
	int64 id;
	bool is_set[OT_CAMPAIGN_VALUES];
	int64 value[OT_CAMPAIGN_VALUES];
	int64 redeemed_count;
	bool is_striped;
	int64 discount_spent;
	int64 order_spent;
} OtTermsStored;

/* The table that has the terms, and the statements on it. */
typedef struct OtTermsPlans
{
	const char *entity;
	OtPlan find;
	OtPlan lock;
	OtPlan update;
	OtPlan count;
	OtPlan forget_customers;
	OtPlan count_customers;
	OtPlan count_period;
} OtTermsPlans;

/* terms_args.c */
extern void ot_terms_read_new(OtTermsArgs *terms, FunctionCallInfo fcinfo, int first,
							  int value_count);
extern void ot_terms_read_change(OtTermsArgs *terms, FunctionCallInfo fcinfo, int first,
								 int value_count);
extern void ot_terms_check(const OtTermsArgs *terms);
extern void ot_terms_add(OtArgs *args, const OtTermsArgs *terms);

/* terms.c */
extern bool ot_terms_update(const OtTermsPlans *plans, int64 workspace, const char *key,
							const OtTermsArgs *terms);

/* terms_uses.c */
extern bool ot_terms_set_first(const OtTermsArgs *terms, const OtTermsStored *stored);
extern void ot_terms_count_uses(const OtTermsPlans *plans, int64 workspace,
								const OtTermsArgs *terms, OtTermsStored *stored,
								TimestampTz now);

#endif

/*
 * terms.h
 *		Dates and limits, which vouchers and campaigns have alike.
 */
#ifndef OT_TERMS_H
#define OT_TERMS_H

#include "fmgr.h"
#include "utils/jsonb.h"

#include "plan.h"

/* Fields that can be set and emptied; all but metadata are 64 bits wide. */
typedef enum OtTermsField
{
	OT_STARTS_AT,
	OT_EXPIRES_AT,
	OT_REDEMPTION_LIMIT,
	OT_CUSTOMER_LIMIT,
	OT_METADATA,
	OT_TERMS_FIELD_COUNT
} OtTermsField;

/* What a call passes; number of the SQL arguments from starts_at to metadata. */
#define OT_TERMS_ARGS 6

typedef struct OtTermsArgs
{
	bool is_set[OT_TERMS_FIELD_COUNT];
	bool is_cleared[OT_TERMS_FIELD_COUNT];
	int64 value[OT_METADATA]; /* times and limits */
	Jsonb *metadata;
	bool has_is_active;
	bool is_active;
} OtTermsArgs;

/* The statements on the table that has the terms. */
typedef struct OtTermsPlans
{
	OtPlan find;
	OtPlan lock;
	OtPlan update;
	OtPlan count;
	OtPlan forget_customers;
	OtPlan count_customers;
} OtTermsPlans;

extern void ot_terms_read_new(OtTermsArgs *terms, FunctionCallInfo fcinfo, int first);
extern void ot_terms_read_change(OtTermsArgs *terms, FunctionCallInfo fcinfo, int first);
extern void ot_terms_add(OtArgs *args, const OtTermsArgs *terms);
extern bool ot_terms_update(const OtTermsPlans *plans, int64 workspace, const char *key,
							const OtTermsArgs *terms);

#endif

/*
 * rule.h
 *		Rules: conditions over one document that tells of the order, its customer,
 *		the redemption and the campaign.
 */
#ifndef OT_RULE_H
#define OT_RULE_H

#include "utils/jsonpath.h"

#include "ordertrack.h"

#define OT_MAX_CONDITION 10000 /* bytes of its text */
#define OT_RULE_TIME 1000	   /* milliseconds, for all rules of one attempt */

/*
 * What a condition reads of the document, so that no more is built; and what it
 * names, so that an attempt without it is refused.
 */
typedef enum OtConditionUse
{
	OT_READS_CUSTOMER = 1 << 0,
	OT_READS_SEGMENTS = 1 << 1,
	OT_READS_ORDER = 1 << 2,
	OT_READS_ITEMS = 1 << 3,
	OT_READS_REDEMPTION = 1 << 4,
	OT_READS_CAMPAIGN = 1 << 5,
	OT_READS_STORED = 1 << 6, /* what a stored order has besides its amounts */
	OT_NEEDS_CUSTOMER = 1 << 7,
	OT_NEEDS_ITEMS = 1 << 8,
	OT_NEEDS_AMOUNT = 1 << 9,
	OT_NAMES_SEGMENTS = 1 << 10,
	OT_NAMES_OTHERS = 1 << 11, /* a part that is not the customer's */
	OT_READS_DAYS = 1 << 12	   /* days_since_last_order */
} OtConditionUse;

/* What a rule is about, in the order in which rules are judged. */
typedef enum OtRuleTarget
{
	OT_RULE_CUSTOMER,
	OT_RULE_ORDER,
	OT_RULE_REDEMPTION,
	OT_RULE_TARGET_COUNT
} OtRuleTarget;

/* Columns of the statements that read customers for conditions. */
enum
{
	OT_RULE_CUSTOMER_ID,
	OT_RULE_CUSTOMER_ORDER_TOTAL,
	OT_RULE_CUSTOMER_ORDER_COUNT,
	OT_RULE_CUSTOMER_LAST_ORDER_AT,
	OT_RULE_CUSTOMER_METADATA,
	OT_RULE_CUSTOMER_COLUMNS
};

/* What the document says of a customer, beside the segments. */
typedef struct OtRuleCustomer
{
	const char *source_id;
	Jsonb *metadata; /* NULL: none */
	int64 order_count;
	int64 order_total;
	bool has_last_order;
	TimestampTz last_order_at;
	bool has_days; /* read only where a condition does */
	int64 days_since_last_order;
} OtRuleCustomer;

/* A segment of the customer, or one whose condition is to be tried. */
typedef struct OtSegment
{
	char *name;
	JsonPath *condition; /* NULL: a list that holds the customer */
} OtSegment;

typedef struct OtRule
{
	int64 id;
	char *name;
	OtRuleTarget target;
	JsonPath *condition;
	char *message; /* NULL: the general one */
} OtRule;

/* The rules of a voucher and its campaign, and what the database says for them. */
typedef struct OtRuleFacts
{
	int count;
	OtRule *rules; /* by rule_id */
	int uses;	   /* OtConditionUse of all of them, and of the segments */
	OtRuleCustomer customer;
	int segment_count;
	OtSegment *segments;
	char *campaign_name; /* NULL: there is none */
	Jsonb *campaign_metadata;
	OtOrderData order; /* a stored or carried one, as if it had been given */
} OtRuleFacts;

/* rule_condition.c, rule_sample.c */
extern int ot_condition_uses(JsonPath *condition, List **metadata_keys);
extern void ot_condition_check(JsonPath *condition, int refused_uses);
extern void ot_condition_try(JsonPath *condition, const List *metadata_keys);

/* rule_match.c */
typedef void (*OtTimedWork)(void *context);

extern void ot_in_rule_time(OtTimedWork work, void *context);
extern bool ot_condition_match(JsonPath *condition, const Jsonb *document,
							   bool *is_unknown);

/* rule_customer.c */
extern void ot_rule_customer_take(OtRuleCustomer *customer, const Datum *values,
								  const bool *nulls);
extern void ot_rule_customer_add(OtJson *json, const OtRuleCustomer *customer);
extern Jsonb *ot_rule_customer_document(const OtRuleCustomer *customer);

/* rule.c, rule_facts.c */
extern JsonPath *ot_condition_arg(FunctionCallInfo fcinfo, int n);
extern OtRuleTarget ot_rule_target(const char *name);
extern void ot_rule_days_read(int64 workspace, TimestampTz now, OtRuleCustomer *customer);

#endif

/*
 * limit.h
 *		Limits of vouchers and campaigns: what one use of a code counts.
 */
#ifndef OT_LIMIT_H
#define OT_LIMIT_H

#include "utils/date.h"

#include "verdict.h"

/*
 * One use of a code, for the counters of its voucher and its campaign.  Terms
 * are what was read of both in this transaction.
 */
typedef struct OtUse
{
	int64 workspace;
	const OtTerms *voucher;
	const OtTerms *campaign; /* its id is 0 for none */
	bool is_gift;
	int64 gift_balance;			   /* as the verdict has seen it */
	int64 given;				   /* credits taken or discount granted */
	int64 order_amount;			   /* of the order, before discounts */
	int64 customer_id;			   /* 0: none */
	const OtLocalTime *local_time; /* of the use; read where a limit needs it */
	TimestampTz now;
	struct OtEnding *ending; /* reservations to give back first, or NULL */
	/* set by ot_limits_spend(): a use of a reservation that ends is the one spent */
	bool keeps_voucher;
	bool keeps_campaign;
	/* and whose stripes are all taken, or NULL */
	const char *busy_entity;
	int64 busy_id;
} OtUse;

/* limit.c */
extern void ot_limits_lock_customers(int64 workspace, int64 customer_id,
									 int64 order_customer_id);
extern bool ot_limits_spend(OtUse *use);
extern void ot_limits_wait(const OtUse *use);
extern int64 ot_limits_give_back(const OtUse *use, bool is_complete);

/* limit_stripe.c */
extern int64 ot_stripes_read(int64 workspace, const char *entity, int64 entity_id);
extern int64 ot_stripes_sum(int64 workspace, const char *entity, int64 entity_id);
extern bool ot_stripes_spend(int64 workspace, const char *entity, int64 entity_id);
extern void ot_stripes_wait(int64 workspace, const char *entity, int64 entity_id);
extern bool ot_stripes_give_back(int64 workspace, const char *entity, int64 entity_id);
extern bool ot_stripes_are_due(const OtTerms *terms);
extern void ot_stripes_split(int64 workspace, const char *entity, int64 entity_id,
							 OtPlan mark, int64 left);
extern int64 ot_stripes_fold(int64 workspace, const char *entity, int64 entity_id);

/* limit_facts.c */
extern void ot_limits_read(int64 workspace, int64 customer_id, TimestampTz now,
						   OtTerms *voucher, OtTerms *campaign, OtLocalTime *local_time);
extern void ot_local_time_read(int64 workspace, TimestampTz now, OtLocalTime *local_time);

/* limit_judge.c */
extern const char *ot_limits_judge(const OtTerms *voucher, const OtTerms *campaign,
								   int64 given, int64 order_amount);
extern bool ot_terms_count(const OtTerms *terms);
extern bool ot_terms_count_customer(const OtTerms *terms);
extern bool ot_terms_count_period(const OtTerms *terms);
extern bool ot_terms_have_budget(const OtTerms *campaign);

#endif

/*
 * reward_redemption.h
 *		Redeeming a reward: what is asked for, what is known, and the decision.
 */
#ifndef OT_REWARD_REDEMPTION_H
#define OT_REWARD_REDEMPTION_H

#include "points.h"
#include "redemption.h"

#define OT_MAX_QUANTITY 500

/* What the caller asks for; texts are cut to what may be stored. */
typedef struct OtRewardRequest
{
	const char *function;
	int64 workspace;
	char *reward;
	char *customer;
	bool has_quantity;
	int64 quantity;
	char *color; /* NULL: none */
	char *size;
	Jsonb *shipping_address;
	char *on_behalf_of;
	char *submitted_by;
	int64 base_order_id; /* that a percentage is computed from; 0: none */
	char *idempotency_key;
	uint8 hash[OT_HASH_LENGTH];
	char *channel;
	char *actor;
	const char *bad_message; /* what is wrong with the input, or NULL */
} OtRewardRequest;

/* Where the codes of a reward come from. */
typedef enum OtCodeSource
{
	OT_CODES_NONE,
	OT_CODES_GENERATED,
	OT_CODES_SHARED,
	OT_CODES_POOL
} OtCodeSource;

/* A reward as it is in the catalog; limits of 0 are none. */
typedef struct OtReward
{
	int64 id; /* 0: there is none */
	char *type;
	bool is_cashback;
	bool is_percentage;
	int64 cost_in_points; /* of a unit */
	bool has_tax_value;
	int64 tax_value;
	int64 point_value;
	char *data_source;
	bool is_active;
	TimestampTz starts_at;
	TimestampTz expires_at;
	TimestampTz visible_from;
	TimestampTz visible_until;
	int64 redemption_limit;
	int64 redeemed_count;
	int64 customer_limit;
	bool is_stocked;
	int32 segment_count;
	int32 days_inactive;
	int32 days_valid; /* 0: for ever */
	OtCodeSource code_source;
	char *shared_code;
} OtReward;

/* The order that a percentage is computed from. */
typedef struct OtRewardOrder
{
	bool is_found;
	bool is_bought; /* paid or beyond, and not canceled */
	int64 customer_id;
	int64 value; /* the percentage of what it came to */
} OtRewardOrder;

/* All that decides, as of one snapshot. */
typedef struct OtRewardFacts
{
	OtReward reward;
	int64 customer_id; /* 0: not known yet */
	bool may_spend;
	Jsonb *address;
	bool is_in_segment;
	OtPoints points;
	int64 customer_used;
	int64 stock;
	int64 free_codes; /* at most as many as are asked for */
	OtRewardOrder order;
	int64 redemption_id; /* of the row to come */
} OtRewardFacts;

typedef struct OtRewardVerdict
{
	OtFailure failure;
	const char *message;
	int64 quantity; /* 1 where the reward can only be had once a call */
	int64 cost;		/* of all units, in points */
	int64 missing;	/* points, where they are not enough */
	bool has_value;
	int64 value; /* of a unit, in minor units */
} OtRewardVerdict;

/* A redemption: what it is decided from and what it writes. */
typedef struct OtRewardAttempt
{
	const OtRewardRequest *request;
	OtRewardFacts facts;
	OtRewardVerdict verdict;
	TimestampTz now;
	int64 order_id;			  /* that is made */
	int64 *issued_reward_ids; /* one for each unit */
	char **codes;			  /* likewise; NULL: none */
	int64 held_code_no;		  /* of the last codes, which another may give back; or 0 */
} OtRewardAttempt;

/* reward_request.c */
extern void ot_reward_request_read(OtRewardRequest *request, FunctionCallInfo fcinfo);
extern void ot_reward_request_check(OtRewardRequest *request);

/* reward_facts.c */
extern void ot_reward_facts_read(const OtRewardRequest *request, TimestampTz now,
								 OtRewardFacts *facts);

/* reward_segment.c */
extern bool ot_reward_segment_match(int64 workspace, int64 reward_id,
									const char *customer, int64 customer_id,
									TimestampTz now);

/* reward_judge.c */
extern void ot_reward_judge(const OtRewardRequest *request, const OtRewardFacts *facts,
							TimestampTz now, OtRewardVerdict *verdict);

/* reward_write.c */
extern bool ot_reward_accept(OtRewardAttempt *attempt);
extern bool ot_reward_refuse(const OtRewardAttempt *attempt);

/* reward_take.c */
extern bool ot_reward_codes_take(OtRewardAttempt *attempt);
extern void ot_reward_codes_wait(OtRewardAttempt *attempt);
extern bool ot_reward_counters_spend(const OtRewardAttempt *attempt);
extern void ot_reward_hold(int64 workspace, int64 reward_id);

/* reward_outcome.c */
extern Datum ot_reward_outcome_return(FunctionCallInfo fcinfo,
									  const OtRewardAttempt *attempt);
extern Datum ot_reward_outcome_replay(FunctionCallInfo fcinfo, int64 workspace,
									  int64 redemption_id);

#endif

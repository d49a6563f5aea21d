/*
 * redemption.h
 *		What redemption, rollback and batch share: one attempt, its record and
 *		its outcome.
 */
#ifndef OT_REDEMPTION_H
#define OT_REDEMPTION_H

#include "nodes/execnodes.h"
#include "utils/array.h"

#include "verdict.h"

/* Columns of the type redemption_outcome. */
#define OT_OUTCOME_COLUMNS 10

typedef struct OtOutcome
{
	int64 redemption_id;
	bool is_success;
	const char *failure_code;
	const char *failure_message;
	int64 order_id;
	int64 amount;
	int64 discount_amount;
	int64 total_amount;
	bool has_gift_balance;
	int64 gift_balance;
	bool is_replayed;
} OtOutcome;

/* One row of redemptions; 0 and NULL are NULL, amounts count on success. */
typedef struct OtRecord
{
	int64 workspace;
	int64 redemption_id;
	bool is_rollback;
	bool is_stack; /* the stack itself, not one of its codes */
	int64 stack_id;
	OtFailure failure;
	const char *failure_message;
	const char *code;
	int64 voucher_id;
	int64 campaign_id;
	int64 customer_id;
	const char *customer;
	int64 order_id;
	int64 amount;
	int64 discount_amount;
	int64 total_amount;
	bool has_gift_balance;
	int64 gift_balance;
	const char *reason;
	int64 rollback_of;
	int32 rollback_no;
	bool is_complete;
	const char *actor;
	const char *channel;
	const Jsonb *metadata;
	TimestampTz now;
	const char *reward; /* NULL: a code */
	int64 reward_id;
	bool has_quantity;
	int64 quantity;
	int64 points;
	int64 points_missing;
} OtRecord;

/* The vouchers and campaigns that a call has locked beforehand, by id. */
typedef struct OtLocked
{
	int voucher_count;
	int64 *vouchers;
	int campaign_count;
	int64 *campaigns;
} OtLocked;

/* What an accepted redemption, or a stack of them, is written from. */
typedef struct OtAcceptance
{
	OtAttempt **attempts; /* each on what the one before left */
	int count;
	int64 stack_id; /* 0: a single redemption */
	const OtLocked *locked;
	TimestampTz now;
} OtAcceptance;

/* redemption.c */
extern bool ot_redeem(OtRequest *request, const OtLocked *locked, OtOutcome *outcome);
extern void ot_order_lock(int64 workspace, int64 order_id);
extern void ot_request_read(OtRequest *request, const char *code, const char *customer,
							const Jsonb *order_data, const Jsonb *metadata);
extern void ot_request_code(OtRequest *request, const char *code);
extern void ot_request_blame(OtRequest *request, const char *message);
extern const char *ot_fit_text(char **text, const char *name, int max_bytes);
extern char *ot_text_or_null(FunctionCallInfo fcinfo, int n);
extern Jsonb *ot_jsonb_or_null(FunctionCallInfo fcinfo, int n);
extern void ot_begin_turn(int turn);

/* redemption_record.c */
extern void ot_record_insert(const OtRecord *record);
extern void ot_record_read(OtRecord *record, const OtAttempt *attempt, TimestampTz now);
extern void ot_record_make_stack(OtRecord *record, int64 stack_id);
extern Jsonb *ot_attempt_describe(const OtAttempt *attempt, int64 new_customer_id);
extern void ot_outcome_tell(OtOutcome *outcome, const OtFacts *facts,
							const OtVerdict *verdict, int64 order_id);
extern void ot_outcome_values(const OtOutcome *outcome, Datum *values, bool *nulls);
extern void ot_outcome_put(ReturnSetInfo *result, const OtOutcome *outcome);
extern Datum ot_outcome_return(FunctionCallInfo fcinfo, const OtOutcome *outcome);

/* redemption_facts.c */
extern void ot_facts_read(const OtRequest *request, TimestampTz now, OtFacts *facts);
extern void ot_stack_facts_read(OtAttempt *attempts, int count, TimestampTz now);

extern void ot_discount_take(OtDiscount *discount, const Jsonb *object, int64 voucher_id);

/* redemption_prefetch.c */
typedef struct OtPrefetch OtPrefetch;

extern OtPrefetch *ot_prefetch(int64 workspace, ArrayType *codes, ArrayType *customers);
extern bool ot_prefetch_take(const OtRequest *request, OtFacts *facts);
extern void ot_prefetch_follow(const OtAttempt *attempt);

/* code_lock.c */
extern ArrayType *ot_reservations_lock(int64 workspace, ArrayType *keys, ArrayType *codes,
									   ArrayType **holders);
extern void ot_customers_lock(int64 workspace, ArrayType *holders, int64 customer_id,
							  int64 order_customer_id);
extern void ot_codes_lock(int64 workspace, ArrayType *codes, OtLocked *locked);
extern ArrayType *ot_codes_of(OtAttempt *const *attempts, int count);
extern bool ot_locked_has(const int64 *ids, int count, int64 id);

/* terms_facts.c: columns that the statements on a voucher's terms begin with */
enum
{
	OT_TERMS_ID,
	OT_TERMS_IS_ACTIVE,
	OT_TERMS_STARTS_AT,
	OT_TERMS_EXPIRES_AT,
	OT_TERMS_REDEMPTION_LIMIT,
	OT_TERMS_REDEEMED_COUNT,
	OT_TERMS_CUSTOMER_LIMIT,
	OT_TERMS_IS_STRIPED,
	OT_TERMS_RULE_COUNT,
	OT_TERMS_HAS_RESERVATIONS,
	OT_TERMS_PER_DAY,
	OT_TERMS_CUSTOMER_PER_DAY = OT_TERMS_PER_DAY + OT_PERIOD_COUNT,
	OT_TERMS_VALIDITY_HOURS = OT_TERMS_CUSTOMER_PER_DAY + OT_PERIOD_COUNT,
	OT_TERMS_COLUMNS,
	/* of a campaign, after those */
	OT_CAMPAIGN_DISCOUNT_BUDGET = OT_TERMS_COLUMNS,
	OT_CAMPAIGN_DISCOUNT_SPENT,
	OT_CAMPAIGN_ORDER_BUDGET,
	OT_CAMPAIGN_ORDER_SPENT,
	OT_CAMPAIGN_COLUMNS
};

extern void ot_terms_take(OtTerms *terms, const Datum *values, const bool *nulls);
extern void ot_voucher_terms_read(int64 workspace, int64 voucher_id, OtTerms *terms);
extern void ot_campaign_terms_read(int64 workspace, int64 campaign_id, OtTerms *terms);

/* rule_facts.c */
extern void ot_rules_read(const OtRequest *request, OtFacts *facts);
extern void ot_rule_facts_read(const OtRequest *request, TimestampTz now, OtFacts *facts);

/* redemption_write.c */
extern bool ot_accept(const OtAcceptance *acceptance, int64 *order_id);
extern bool ot_write_customer(const OtRequest *request, const OtFacts *facts,
							  TimestampTz now, int64 *customer_id);

/* idempotency.c */
typedef enum OtKeyState
{
	OT_KEY_NEW,
	OT_KEY_REPLAYED,
	OT_KEY_CONFLICT
} OtKeyState;

extern void ot_request_hash(const char *function, int count, const char *const *fields,
							uint8 *hash);
extern bool ot_request_is_same(const bytea *stored, const uint8 *hash);
extern OtKeyState ot_key_find(int64 workspace, const char *key, const uint8 *hash,
							  OtOutcome *outcome);
extern OtKeyState ot_key_look(int64 workspace, const char *key, const uint8 *hash,
							  int64 *redemption_id);
extern void ot_outcome_replay(int64 workspace, int64 redemption_id, OtOutcome *outcome);
extern bool ot_key_claim(int64 workspace, const char *key, const char *function,
						 const uint8 *hash, int64 redemption_id, TimestampTz now);
extern void ot_key_refuse(void) pg_attribute_noreturn();

/* A key of a call that makes something else than a redemption, with an id. */
typedef struct OtKeyUse
{
	int64 workspace;
	const char *key; /* NULL: none */
	const char *function;
	const uint8 *hash;
	TimestampTz now;
	OtPlan find; /* the statements that know the column of the id */
	OtPlan claim;
} OtKeyUse;

extern char *ot_key_arg(FunctionCallInfo fcinfo, int n);
extern bool ot_key_take(const OtKeyUse *use, int64 *id);

#endif

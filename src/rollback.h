/*
 * rollback.h
 *		What deciding and writing a rollback share.
 */
#ifndef OT_ROLLBACK_H
#define OT_ROLLBACK_H

#include "utils/array.h"

#include "redemption.h"

typedef struct OtRollbackRequest
{
	const char *function; /* that is called; the hash begins with it */
	int64 workspace;
	int64 redemption_id; /* 0: none was found */
	/* of who names a code on an order */
	int64 order_id;
	char *code;
	bool keeps_order; /* it is not canceled, whatever is left of it */
	bool has_amount;
	int64 amount;
	char *reason;
	char *idempotency_key;
	char *channel;
	char *actor;
	const char *bad_message; /* what is wrong with the input, or NULL */
	TimestampTz now;
	uint8 hash[OT_HASH_LENGTH];
} OtRollbackRequest;

/* The units of a reward, under our lock. */
typedef struct OtUnits
{
	bool is_in_use; /* one of them is */
	ArrayType *codes;
	char *color; /* of all of them; NULL: none */
	char *size;
} OtUnits;

/* The redemption to undo, under our lock. */
typedef struct OtRollbackFacts
{
	int64 rollback_id; /* of the row to come */
	bool is_found;
	bool is_redeemed; /* a successful redemption, or a stack of them */
	bool is_stack;
	int64 stack_id; /* of which it is a part, or 0 */
	char *code;
	int64 voucher_id;
	int64 campaign_id;
	int64 customer_id;
	char *customer;
	int64 order_id;
	int64 amount;
	bool is_gift;
	int64 redeemed_amount; /* of its order, before discounts */
	TimestampTz redeemed_at;
	int32 parts; /* rollbacks so far */
	int64 given_back;
	bool is_complete;
	int64 gift_balance;
	bool has_items; /* it gave something on lines */
	char *reward;	/* NULL: a code */
	int64 reward_id;
	int64 quantity;
	int64 points; /* that it took */
	OtUnits units;
	bool is_shipped; /* units that it added, or of the reward, are */
	/* of the order, where there is one */
	char *order_status;
	int64 order_amount;
	int64 order_discount;
	int64 order_customer_id;
} OtRollbackFacts;

/* An order without what is undone. */
typedef struct OtRollbackOrder
{
	int64 discount;
	const char *status;
	const char *kept_status; /* in which it stays, since it can't be canceled; or NULL */
} OtRollbackOrder;

typedef struct OtRollbackVerdict
{
	OtFailure failure;
	const char *message;
	int64 amount; /* to give back */
	bool is_complete;
} OtRollbackVerdict;

/* rollback.c */
extern void ot_rollback(const OtRollbackRequest *request, OtOutcome *outcome);
extern void ot_rollback_request_check(OtRollbackRequest *request);
extern void ot_rollback_request_blame(OtRollbackRequest *request, const char *message);
extern void ot_rollback_facts_read(const OtRollbackRequest *request,
								   OtRollbackFacts *facts);
extern void ot_rollback_order_read(const OtRollbackRequest *request, int64 order_id,
								   OtRollbackFacts *facts);
extern void ot_rollback_record(const OtRollbackRequest *request,
							   const OtRollbackFacts *facts,
							   const OtRollbackVerdict *verdict, int64 stack_id,
							   const OtOutcome *outcome);

/* rollback_stack.c */
extern void ot_rollback_stack(const OtRollbackRequest *request,
							  const OtRollbackFacts *facts, OtOutcome *outcome);

/* rollback_write.c */
extern void ot_rollback_order_settle(const OtRollbackRequest *request,
									 const OtRollbackFacts *facts, int64 amount,
									 bool is_complete, OtRollbackOrder *order);
extern void ot_rollback_write(const OtRollbackRequest *request,
							  const OtRollbackFacts *facts,
							  const OtRollbackVerdict *verdict, OtOutcome *outcome);

#endif

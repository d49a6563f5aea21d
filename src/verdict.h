/*
 * verdict.h
 *		What a redemption is decided from, and the decision.
 */
#ifndef OT_VERDICT_H
#define OT_VERDICT_H

#include "utils/array.h"
#include "utils/date.h"

#include "cart.h"
#include "ordertrack.h"
#include "rule.h"
#include "validity.h"

/*
 * Reasons of a refusal.  1 to 16 are in the order in which they are looked
 * for: the first that holds is the answer.
 */
typedef enum OtFailure
{
	OT_OK = 0,
	OT_INVALID_INPUT,
	OT_VOUCHER_NOT_FOUND,
	OT_VOUCHER_DISABLED,
	OT_VOUCHER_NOT_ACTIVE,
	OT_VOUCHER_EXPIRED,
	OT_VOUCHER_NOT_ACTIVE_NOW,
	OT_QUANTITY_EXCEEDED,
	OT_INVALID_ORDER,
	OT_INVALID_AMOUNT,
	OT_MISSING_CUSTOMER,
	OT_MISSING_ORDER_ITEMS,
	OT_MISSING_AMOUNT,
	OT_GIFT_AMOUNT_EXCEEDED,
	OT_CUSTOMER_RULES_VIOLATED,
	OT_ORDER_RULES_VIOLATED,
	OT_REDEMPTION_RULES_VIOLATED,
	/* looked for after OT_VOUCHER_NOT_FOUND, where a reservation is named */
	OT_RESERVATION_NOT_FOUND,
	/* of rollbacks and batches only */
	OT_REDEMPTION_NOT_FOUND,
	OT_NOT_REDEEMED,
	OT_ALREADY_ROLLED_BACK,
	OT_IDEMPOTENCY_CONFLICT,
	/* of stacks only */
	OT_DUPLICATED_CODES,
	OT_STACK_REFUSED,
	OT_PART_OF_STACK,
	/* of rewards only; reward_judge.c has their order */
	OT_REWARD_NOT_FOUND,
	OT_REWARD_NOT_ACTIVE,
	OT_REWARD_EXPIRED,
	OT_CUSTOMER_NOT_ALLOWED,
	OT_CUSTOMER_LIMIT_EXCEEDED,
	OT_OUT_OF_STOCK,
	OT_NO_CODES_LEFT,
	OT_NOT_ENOUGH_POINTS,
	OT_REWARD_USED,
	/* of rollbacks only */
	OT_ITEMS_SHIPPED
} OtFailure;

/* What the caller asks for; texts are cut to what may be stored. */
typedef struct OtRequest
{
	int64 workspace;
	char *code;
	char *customer;
	OtOrderData order;
	bool has_amount;
	int64 amount; /* gift credits to spend */
	Jsonb *metadata;
	char *reservation_key; /* of the caller's own, or NULL */
	int64 hold;			   /* of a reservation to be made, in microseconds */
	const char *function;  /* that is called; the hash begins with it */
	char *idempotency_key;
	uint8 hash[OT_HASH_LENGTH]; /* of the request, where it has a key */
	char *channel;
	char *actor;
	bool keeps_status;			 /* the order is not said to be paid */
	struct OtPrefetch *prefetch; /* of a batch: facts that are read already, or NULL */
	ArrayType *locked_keys;		 /* of a batch: reservations that it may end, or NULL */
	const char *raw;			 /* of a batch's item that could not be read, or NULL */
	bool is_bad;				 /* the input itself is wrong */
	const char *bad_message;	 /* in what way */
} OtRequest;

/* Calendar periods in which uses are counted, in the workspace's time zone. */
typedef enum OtPeriod
{
	OT_DAY,
	OT_WEEK,
	OT_MONTH,
	OT_PERIOD_COUNT
} OtPeriod;

/* A limit of any kind, and what is used of it; 0: no limit. */
typedef struct OtLimit
{
	int64 limit;
	int64 used;
} OtLimit;

/* A moment in the workspace's time zone. */
typedef struct OtLocalTime
{
	Timestamp now;
	DateADT starts_on[OT_PERIOD_COUNT]; /* first days of the periods */
} OtLocalTime;

/* Dates, activity and limits of a voucher or a campaign. */
typedef struct OtTerms
{
	int64 id; /* 0: none */
	bool is_active;
	TimestampTz starts_at;	/* DT_NOBEGIN: since ever */
	TimestampTz expires_at; /* DT_NOEND: never */
	int64 redemption_limit; /* 0: none */
	int64 redeemed_count;	/* with what stripes have left */
	int64 customer_limit;	/* 0: none */
	int64 customer_used;
	bool is_striped;   /* the counter has stripes, see limit_stripe.c */
	int64 stripe_uses; /* what they have left, at least; 0: nothing */
	OtLimit period[OT_PERIOD_COUNT];
	OtLimit customer_period[OT_PERIOD_COUNT];
	OtLimit discount_budget;
	OtLimit order_budget;
	const OtValidity *validity; /* NULL: at all hours */
	bool has_rules;
	bool has_reservations; /* there are some, or have been */
} OtTerms;

/* A stored order that the request names. */
typedef struct OtOrderFacts
{
	int64 id; /* 0: there is none */
	char *status;
	int64 amount;
	int64 discount_amount;
	int64 customer_id;	  /* 0: none */
	bool is_contradicted; /* id and source_id name different orders */
} OtOrderFacts;

/* The reservation that a request names. */
typedef enum OtReservation
{
	OT_RESERVATION_NONE,
	OT_RESERVATION_LIVE,
	OT_RESERVATION_OVER, /* its time is */
	OT_RESERVATION_RELEASED,
	OT_RESERVATION_REDEEMED,
	OT_RESERVATION_UNKNOWN /* or of another code or customer */
} OtReservation;

/*
 * All that decides, as of one snapshot.  Counters, balance and budgets are
 * without what the reservations hold that this call would end.
 */
typedef struct OtFacts
{
	OtTerms voucher;
	OtTerms campaign;
	bool is_gift;
	OtDiscount discount;
	int64 gift_balance;
	int64 customer_id;	  /* 0: not known yet */
	int64 customer_total; /* sum of the customer's orders so far */
	OtOrderFacts order;
	bool is_carried; /* order and cart are what another code leaves of a new order */
	bool has_cart;
	OtCart
		cart; /* lines of the order, where the discount needs them and they are known */
	OtRuleFacts rules;
	OtLocalTime local_time; /* read where limits or hours need it */
	OtReservation reservation;
	int64 ending_count;	 /* of reservations: the caller's own, and those that are over */
	int64 redemption_id; /* of the row to come */
} OtFacts;

typedef struct OtVerdict
{
	OtFailure failure;
	const char *message;
	int64 given;		   /* value of this redemption: credits or discount */
	int64 amount;		   /* the order's, before discounts */
	int64 discount_amount; /* the order's, after this redemption */
	int64 total_amount;
	int64 gift_balance; /* after this redemption */
	bool has_cart;		/* the discount works on lines */
	OtCartResult cart_result;
	OtCart cart; /* the lines after this redemption, and what it gives on each */
} OtVerdict;

/* One code: what is asked for, what is known, and the decision. */
typedef struct OtAttempt
{
	OtRequest *request;
	OtFacts facts;
	OtVerdict verdict;
} OtAttempt;

extern void ot_judge(const OtRequest *request, const OtFacts *facts, TimestampTz now,
					 OtVerdict *verdict);
extern OtFailure ot_rules_judge(const OtRequest *request, const OtFacts *facts,
								OtVerdict *verdict);
extern const OtOrderData *ot_rules_order(const OtRequest *request, const OtFacts *facts);
extern bool ot_order_takes_redemptions(const char *status);
extern const char *ot_failure_code(OtFailure failure);
extern const char *ot_failure_message(OtFailure failure);

#endif

/*
 * plan.h
 *		The statements that the extension runs, and how to run one.
 */
#ifndef OT_PLAN_H
#define OT_PLAN_H

#include "datatype/timestamp.h"
#include "utils/jsonb.h"

/* One name for each row of the tables in statement*.c. */
typedef enum OtPlan
{
	OT_PLAN_WORKSPACE_INSERT,
	OT_PLAN_WORKSPACE_TRANSITIONS,
	OT_PLAN_WORKSPACE_EXISTS,

	OT_PLAN_CUSTOMER_PUT,
	OT_PLAN_CUSTOMER_ADD,
	OT_PLAN_CUSTOMER_LOCK,
	OT_PLAN_CUSTOMERS_LOCK,
	OT_PLAN_CUSTOMER_SUMS,
	OT_PLAN_CUSTOMERS_SUMS,
	OT_PLAN_CUSTOMER_RECOUNT,

	OT_PLAN_CAMPAIGN_INSERT,
	OT_PLAN_CAMPAIGN_FIND,
	OT_PLAN_CAMPAIGN_LOCK,
	OT_PLAN_CAMPAIGN_UPDATE,
	OT_PLAN_CAMPAIGN_COUNT,
	OT_PLAN_CAMPAIGN_FORGET_CUSTOMERS,
	OT_PLAN_CAMPAIGN_COUNT_CUSTOMERS,
	OT_PLAN_CAMPAIGN_COUNT_PERIOD,
	OT_PLAN_CAMPAIGN_COUNT_SPENT,

	OT_PLAN_VOUCHER_INSERT,
	OT_PLAN_VOUCHER_FIND,
	OT_PLAN_VOUCHER_LOCK,
	OT_PLAN_VOUCHER_UPDATE,
	OT_PLAN_VOUCHER_COUNT,
	OT_PLAN_VOUCHER_FORGET_CUSTOMERS,
	OT_PLAN_VOUCHER_COUNT_CUSTOMERS,
	OT_PLAN_VOUCHER_COUNT_PERIOD,

	OT_PLAN_ORDER_INSERT,
	OT_PLAN_ORDER_INSERT_ONCE,
	OT_PLAN_ORDER_LOCK,
	OT_PLAN_ORDER_READ,
	OT_PLAN_ORDER_UPDATE,
	OT_PLAN_ORDER_STATUS,
	OT_PLAN_ORDER_DISCOUNT,
	OT_PLAN_ORDER_TOUCH,
	OT_PLAN_ITEM_INSERT,
	OT_PLAN_ITEMS_DELETE,
	OT_PLAN_ITEM_FACTS,
	OT_PLAN_ITEM_ADD,
	OT_PLAN_ITEMS_GIVE,
	OT_PLAN_ITEMS_REMOVE,
	OT_PLAN_ITEMS_LIVE,
	OT_PLAN_ITEMS_WRONG,
	OT_PLAN_REDEMPTION_ITEMS_INSERT,
	OT_PLAN_REDEMPTION_ITEMS_READ,
	OT_PLAN_TRANSITION_FIND,
	OT_PLAN_TRANSITION_FIRST,
	OT_PLAN_TRANSITION_LIST,

	OT_PLAN_NOTE_INSERT,
	OT_PLAN_NOTE_READ,
	OT_PLAN_NOTE_EDIT,
	OT_PLAN_NOTE_LIST,
	OT_PLAN_PERSONAL_INSERT,
	OT_PLAN_UNARMED_TRIGGERS,

	OT_PLAN_VOUCHER_FACTS,
	OT_PLAN_VOUCHER_TERMS,
	OT_PLAN_CAMPAIGN_FACTS,
	OT_PLAN_CUSTOMER_FACTS,
	OT_PLAN_ORDER_FACTS,
	OT_PLAN_SOURCE_FACTS,
	OT_PLAN_CUSTOMER_USES,
	OT_PLAN_VOUCHER_HOLD,
	OT_PLAN_CAMPAIGN_HOLD,
	OT_PLAN_VOUCHER_SHARE,
	OT_PLAN_CAMPAIGN_SHARE,
	OT_PLAN_KEY_FIND,
	OT_PLAN_KEY_CLAIM,
	OT_PLAN_REDEMPTION_INSERT,
	OT_PLAN_ROLLBACK_INSERT,
	OT_PLAN_REWARD_REDEMPTION_INSERT,
	OT_PLAN_REDEMPTION_REPLAY,
	OT_PLAN_STACK_PARTS,
	OT_PLAN_STRIPE_SUM,
	OT_PLAN_VOUCHER_SPEND,
	OT_PLAN_CAMPAIGN_SPEND,
	OT_PLAN_VOUCHER_CUSTOMER_SPEND,
	OT_PLAN_CAMPAIGN_CUSTOMER_SPEND,

	OT_PLAN_ROLLBACK_FIND,
	OT_PLAN_ROLLBACK_LOCK,
	OT_PLAN_ROLLBACK_FACTS,
	OT_PLAN_ROLLBACK_REST,
	OT_PLAN_VOUCHER_GIVE_BACK,
	OT_PLAN_CAMPAIGN_GIVE_BACK,
	OT_PLAN_VOUCHER_CUSTOMER_GIVE_BACK,
	OT_PLAN_CAMPAIGN_CUSTOMER_GIVE_BACK,

	OT_PLAN_LOCAL_TIME,
	OT_PLAN_PERIOD_USES,
	OT_PLAN_PERIOD_SPEND,
	OT_PLAN_PERIOD_GIVE_BACK,
	OT_PLAN_PERIOD_FORGET,
	OT_PLAN_STRIPE_USES,
	OT_PLAN_STRIPE_SPEND,
	OT_PLAN_STRIPE_WAIT,
	OT_PLAN_STRIPE_GIVE_BACK,
	OT_PLAN_STRIPES_INSERT,
	OT_PLAN_STRIPES_DELETE,
	OT_PLAN_VOUCHER_SPLIT,
	OT_PLAN_CAMPAIGN_SPLIT,

	OT_PLAN_RESERVATION_FIND,
	OT_PLAN_RESERVATION_REPLAY,
	OT_PLAN_RESERVATION_KEY_CLAIM,
	OT_PLAN_RESERVATION_INSERT,
	OT_PLAN_VOUCHER_MARK_RESERVED,
	OT_PLAN_CAMPAIGN_MARK_RESERVED,
	OT_PLAN_VOUCHER_ENDING,
	OT_PLAN_CAMPAIGN_ENDING,
	OT_PLAN_RESERVATIONS_LOCK,
	OT_PLAN_RESERVATIONS_END,
	OT_PLAN_ENDING_CUSTOMERS_LOCK,
	OT_PLAN_VOUCHER_CUSTOMERS_RETURN,
	OT_PLAN_CAMPAIGN_CUSTOMERS_RETURN,
	OT_PLAN_VOUCHER_PERIODS_RETURN,
	OT_PLAN_CAMPAIGN_PERIODS_RETURN,

	OT_PLAN_RULE_INSERT,
	OT_PLAN_RULE_FIND,
	OT_PLAN_VOUCHER_RULE_INSERT,
	OT_PLAN_VOUCHER_RULE_DELETE,
	OT_PLAN_VOUCHER_RULE_COUNT,
	OT_PLAN_CAMPAIGN_RULE_INSERT,
	OT_PLAN_CAMPAIGN_RULE_DELETE,
	OT_PLAN_CAMPAIGN_RULE_COUNT,
	OT_PLAN_VOUCHER_RULES,
	OT_PLAN_CAMPAIGN_RULES,
	OT_PLAN_RULE_CUSTOMER,
	OT_PLAN_RULE_DAYS,
	OT_PLAN_RULE_MEMBERS,
	OT_PLAN_RULE_LISTS,
	OT_PLAN_RULE_CONDITIONS,
	OT_PLAN_RULE_ORDER,
	OT_PLAN_RULE_LINES,
	OT_PLAN_RULE_CAMPAIGN,

	OT_PLAN_SEGMENT_LOCK_WORKSPACE,
	OT_PLAN_SEGMENT_COUNT,
	OT_PLAN_SEGMENT_INSERT,
	OT_PLAN_SEGMENT_FIND,
	OT_PLAN_SEGMENT_UNKNOWN_MEMBERS,
	OT_PLAN_SEGMENT_MEMBERS_INSERT,
	OT_PLAN_SEGMENT_MEMBERS,
	OT_PLAN_SEGMENT_CUSTOMERS,

	OT_PLAN_REWARD_INSERT,
	OT_PLAN_REWARD_FIND_SEGMENTS,
	OT_PLAN_REWARD_SEGMENTS_INSERT,
	OT_PLAN_REWARD_FIND,
	OT_PLAN_REWARD_LOCK,
	OT_PLAN_REWARD_UPDATE,
	OT_PLAN_REWARD_COUNT,
	OT_PLAN_REWARD_FORGET_CUSTOMERS,
	OT_PLAN_REWARD_COUNT_CUSTOMERS,
	OT_PLAN_REWARD_VARIANT_INSERT,
	OT_PLAN_REWARD_VARIANT_LOCK,
	OT_PLAN_REWARD_VARIANT_UPDATE,
	OT_PLAN_REWARD_VARIANT_COUNT,
	OT_PLAN_REWARD_VARIANT_ADD,
	OT_PLAN_REWARD_CODES_INSERT,

	OT_PLAN_BATCH_PLAIN_VOUCHERS,
	OT_PLAN_BATCH_CUSTOMERS,
	OT_PLAN_BATCH_LOCK_ORDERS,
	OT_PLAN_BATCH_LOCK_RESERVATIONS,
	OT_PLAN_BATCH_LOCK_CUSTOMERS,
	OT_PLAN_BATCH_LOCK_VOUCHERS,
	OT_PLAN_BATCH_LOCK_CAMPAIGNS,
	OT_PLAN_BATCH_LOCK_STRIPES,

	OT_PLAN_ISSUED_REWARDS_LOCK_ORDERS,
	OT_PLAN_ISSUED_REWARDS_LOCK,
	OT_PLAN_ISSUED_REWARD_USE,
	OT_PLAN_ISSUED_REWARD_DELIVERY,
	OT_PLAN_ISSUED_REWARD_CASHBACK,
	OT_PLAN_ISSUED_REWARDS_CANCEL,

	OT_PLAN_ACCESS_INSERT,
	OT_PLAN_ACCESS_DELETE,
	OT_PLAN_ACCESS_APPLY,
	OT_PLAN_IS_ADMIN,
	OT_PLAN_EXPORT_COLUMNS,
	OT_PLAN_EXPORT_VIEWS,

	OT_PLAN_POINT_CUSTOMER,
	OT_PLAN_POINT_ACCOUNT,
	OT_PLAN_POINT_ACCOUNT_LOCK,
	OT_PLAN_POINT_ACCOUNT_INSERT,
	OT_PLAN_POINT_ACCOUNT_UPDATE,
	OT_PLAN_POINT_LOTS,
	OT_PLAN_POINT_LOT_INSERT,
	OT_PLAN_POINT_LOT_CHANGE,
	OT_PLAN_POINT_LOT_FIND,
	OT_PLAN_POINT_LOT_CANCEL,
	OT_PLAN_POINT_SPENT,
	OT_PLAN_POINT_EXPIRING,
	OT_PLAN_POINT_MOVEMENT_INSERT,
	OT_PLAN_POINT_KEY_FIND,
	OT_PLAN_POINT_KEY_CLAIM,

	OT_PLAN_REWARD_FACTS,
	OT_PLAN_REWARD_CUSTOMER,
	OT_PLAN_REWARD_SEGMENTS,
	OT_PLAN_REWARD_CUSTOMER_USED,
	OT_PLAN_REWARD_STOCK,
	OT_PLAN_REWARD_FREE_CODES,
	OT_PLAN_REWARD_ORDER,
	OT_PLAN_REWARD_REPLAY,
	OT_PLAN_REWARD_ISSUED,
	OT_PLAN_ISSUED_REWARD_INSERT,
	OT_PLAN_REWARD_CODES_TAKE,
	OT_PLAN_REWARD_CODE_HELD,
	OT_PLAN_REWARD_CODE_WAIT,
	OT_PLAN_REWARD_SHARE,
	OT_PLAN_REWARD_SPEND,
	OT_PLAN_REWARD_CUSTOMER_SPEND,
	OT_PLAN_REWARD_STOCK_TAKE,
	OT_PLAN_REWARD_UNITS,
	OT_PLAN_REWARD_GIVE_BACK,
	OT_PLAN_REWARD_CUSTOMER_GIVE_BACK,
	OT_PLAN_REWARD_STOCK_GIVE_BACK,
	OT_PLAN_REWARD_CODES_GIVE_BACK,

	OT_PLAN_SHIPMENT_LINES,
	OT_PLAN_SHIPMENT_INSERT,
	OT_PLAN_SHIPMENT_ITEMS_INSERT,
	OT_PLAN_SHIPMENT_EXCESS,
	OT_PLAN_SHIPMENT_LOCK,
	OT_PLAN_SHIPMENT_READ,
	OT_PLAN_SHIPMENT_UPDATE,
	OT_PLAN_SHIPMENTS_HOLD,
	OT_PLAN_SHIPMENTS_RELEASE,
	OT_PLAN_SHIPMENTS_CANCEL,
	OT_PLAN_SHIPMENT_SUMS,
	OT_PLAN_SHIPMENT_SENT,
	OT_PLAN_SHIPMENT_LIVE,
	OT_PLAN_SHIPMENT_KEY_FIND,
	OT_PLAN_SHIPMENT_KEY_CLAIM,

	OT_PLAN_COUPON_CUSTOMER,
	OT_PLAN_COUPON_LIVE,
	OT_PLAN_ORDER_LIVE,
	OT_PLAN_ROLLBACK_SHIPPED,
	OT_PLAN_REWARD_SHIPPED,
	OT_PLAN_REWARD_CODES_LOCK,
	OT_PLAN_MANUAL_DISCOUNT_READ,
	OT_PLAN_MANUAL_DISCOUNT_INSERT,
	OT_PLAN_MANUAL_DISCOUNT_UPDATE,

	OT_PLAN_PAYMENT_INSERT,
	OT_PLAN_PAYMENT_RETURN,
	OT_PLAN_PAYMENT_LOCK_ORDER,
	OT_PLAN_PAYMENT_LOCK,
	OT_PLAN_PAYMENT_STATUS,
	OT_PLAN_PAYMENTS_SUM,
	OT_PLAN_PAYMENT_KEY_FIND,
	OT_PLAN_PAYMENT_KEY_CLAIM,

	OT_PLAN_RETURN_INSERT,
	OT_PLAN_RETURN_ITEMS_INSERT,
	OT_PLAN_RETURN_RECEIPT_NO,
	OT_PLAN_RETURN_RECEIPTS_INSERT,
	OT_PLAN_RETURN_LOCK_ORDERS,
	OT_PLAN_RETURN_LOCK,
	OT_PLAN_RETURN_STATUS,
	OT_PLAN_RETURN_OF_EXCHANGE,
	OT_PLAN_RETURN_SHIPPED,
	OT_PLAN_RETURN_EXCESS,
	OT_PLAN_RETURN_EXPECTED,
	OT_PLAN_RETURN_RECEIVED,
	OT_PLAN_RETURN_LINES,
	OT_PLAN_RETURN_REFUNDED,
	OT_PLAN_RETURN_KEY_FIND,
	OT_PLAN_RETURN_KEY_CLAIM,

	OT_PLAN_ORDER_STATE,
	OT_PLAN_ORDER_BEFORE,
	OT_PLAN_ITEMS_READ,

	OT_PLAN_SERVER_READ,
	OT_PLAN_SERVER_REGISTER,
	OT_PLAN_ACTIVITY_SOURCE,
	OT_PLAN_ACTIVITY_FIRST,
	OT_PLAN_ACTIVITY_NEXT,

	OT_PLAN_COUNT
} OtPlan;

/*
 * A statement and the types of its parameters, one letter each:
 * i bigint, n integer, t text, T text[], I bigint[], z timestamptz,
 * Z timestamptz[], b boolean, j jsonb, p jsonpath, y bytea, d date, N numeric; and
 * domains: m minor_units, c counter, q positive, o json_object, s order_status,
 * e note_type, k redemption_kind, r redemption_result, v movement_kind, w reward_type.
 */
typedef struct OtStatement
{
	const char *types;
	const char *sql;
} OtStatement;

/* Each statement is in one of these; plan.c lists them. */
extern const OtStatement ot_work_statements[OT_PLAN_COUNT];
extern const OtStatement ot_admin_statements[OT_PLAN_COUNT];
extern const OtStatement ot_redemption_item_statements[OT_PLAN_COUNT];
extern const OtStatement ot_limit_statements[OT_PLAN_COUNT];
extern const OtStatement ot_rule_statements[OT_PLAN_COUNT];
extern const OtStatement ot_reservation_statements[OT_PLAN_COUNT];
extern const OtStatement ot_point_statements[OT_PLAN_COUNT];
extern const OtStatement ot_reward_statements[OT_PLAN_COUNT];
extern const OtStatement ot_reward_redemption_statements[OT_PLAN_COUNT];
extern const OtStatement ot_issued_reward_statements[OT_PLAN_COUNT];
extern const OtStatement ot_shipment_statements[OT_PLAN_COUNT];
extern const OtStatement ot_coupon_statements[OT_PLAN_COUNT];
extern const OtStatement ot_payment_statements[OT_PLAN_COUNT];
extern const OtStatement ot_return_statements[OT_PLAN_COUNT];
extern const OtStatement ot_order_state_statements[OT_PLAN_COUNT];
extern const OtStatement ot_activity_statements[OT_PLAN_COUNT];

#define OT_MAX_ARGS 31
#define OT_ROWS_AT_ONCE 25 /* most that one INSERT writes */

/* Parameters of one run, added in the order of the statement's $n. */
typedef struct OtArgs
{
	int count;
	Datum values[OT_MAX_ARGS];
	char nulls[OT_MAX_ARGS];
} OtArgs;

extern void ot_arg(OtArgs *args, Datum value);
extern void ot_arg_null(OtArgs *args);
extern void ot_arg_int8(OtArgs *args, int64 value);
extern void ot_arg_int8_or_null(OtArgs *args, bool is_set, int64 value);
extern void ot_arg_id(OtArgs *args, int64 id); /* 0 is NULL */
extern void ot_arg_int4(OtArgs *args, int32 value);
extern void ot_arg_bool(OtArgs *args, bool value);
extern void ot_arg_text(OtArgs *args, const char *value); /* NULL is NULL */
extern void ot_arg_time(OtArgs *args, TimestampTz value);
extern void ot_arg_jsonb(OtArgs *args, const Jsonb *value); /* NULL is NULL */
extern void ot_arg_bytes(OtArgs *args, const uint8 *bytes, int length);

extern bytea *ot_bytes(const uint8 *bytes, int length);

/* What is done with a row of the last result; its memory lasts as long. */
typedef void (*OtRowWork)(void *context, uint64 row);

extern void ot_begin(void);
extern void ot_end(void);
extern uint64 ot_run(OtPlan plan, OtArgs *args);
extern void ot_write(OtPlan plan, OtArgs *args, uint64 count);
extern void ot_write_rows(OtPlan plan, const OtArgs *rows, int count);
extern void ot_refuse_suppressed(void) pg_attribute_noreturn();
extern const char *ot_plan_types(OtPlan plan);
extern uint64 ot_read(OtPlan plan, OtArgs *args);
extern void ot_read_each(OtPlan plan, OtArgs *args, OtRowWork work, void *context);
extern void ot_take_snapshot(void);
extern void ot_drop_snapshot(void);

/*
 * deferred.c: rows that wait for the end of a batch.  A writer inserts at most
 * OT_ROWS_AT_ONCE rows, each given as the parameters of its plan.
 */
typedef void (*OtRowsWriter)(const OtArgs *rows, int count);

extern void ot_defer_begin(void);
extern void ot_defer_end(void);
extern void ot_defer_nest(int step);
extern void ot_insert_rows(OtPlan plan, OtRowsWriter writer, const OtArgs *rows,
						   int count);
extern bool ot_flush(void);

/* Columns of a row of the last result, counted from 1. */
extern bool ot_is_null(uint64 row, int column);
extern int64 ot_get_int8(uint64 row, int column); /* NULL is 0 */
extern int32 ot_get_int4(uint64 row, int column);
extern bool ot_get_bool(uint64 row, int column);
extern char *ot_get_text(uint64 row, int column); /* NULL is NULL */
extern TimestampTz ot_get_time(uint64 row, int column, TimestampTz if_null);
extern Jsonb *ot_get_jsonb(uint64 row, int column);
extern bytea *ot_get_bytes(uint64 row, int column);

/* All columns of row 0 at once, for wide rows on the hot path. */
extern void ot_get_row(Datum *values, bool *nulls);
extern void ot_get_row_at(uint64 row, Datum *values, bool *nulls);

#endif

/*
 * ordertrack.h
 *		What the files of ordertrack share.
 *
 * Money is int64 in minor units everywhere, time is TimestampTz, an id of 0 is
 * none.  Layers: features (order, redemption, rollback, batch, voucher, ...) call
 * services (plan, note, trigger, json, money, verdict), services call
 * PostgreSQL.
 */
#ifndef ORDERTRACK_H
#define ORDERTRACK_H

#include "access/htup.h"
#include "commands/trigger.h"
#include "datatype/timestamp.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/jsonb.h"

#include "plan.h"

/* Number of steps in setup(); the library refuses tables of another version. */
#define OT_TABLES_VERSION 21

#define OT_MAX_CODE 200
#define OT_MAX_KEY 255 /* source_id and idempotency key */
#define OT_MAX_TEXT 1000
#define OT_MAX_DETAIL 10000
#define OT_MAX_JSON (1024 * 1024)
#define OT_MAX_LINES 500
#define OT_MAX_BATCH 1000
#define OT_WAITING_SUM (PG_INT64_MAX / 2) /* what a batch's waiting orders stay below */
#define OT_MAX_CODES 30					  /* of a stack */
#define OT_MAX_NOTES (OT_MAX_CODES + 1)	  /* of one change: each code, and the status */

#define OT_HASH_LENGTH 32

/* ---- arguments.c: the caller's arguments ---- */

extern int64 ot_workspace_arg(FunctionCallInfo fcinfo, int n);
extern int64 ot_id_arg(FunctionCallInfo fcinfo, int n, const char *name);
extern char *ot_text_arg(FunctionCallInfo fcinfo, int n, const char *name, int max_bytes);
extern char *ot_required_text_arg(FunctionCallInfo fcinfo, int n, const char *name,
								  int max_bytes);
extern void ot_require_arg(FunctionCallInfo fcinfo, int n, const char *name);
extern ArrayType *ot_text_array_arg(FunctionCallInfo fcinfo, int n, const char *name);
extern Jsonb *ot_object_arg(FunctionCallInfo fcinfo, int n, const char *name);
extern char *ot_session_role(void);
extern char *ot_outer_role(void);
extern void ot_require_workspace(int64 workspace);
extern void ot_workspace_refuse(int64 workspace) pg_attribute_noreturn();
extern Datum ot_return_row(FunctionCallInfo fcinfo, Datum *values, bool *nulls);
extern void ot_return_rows(FunctionCallInfo fcinfo, uint64 count);

/* ---- text.c ---- */

extern bool ot_same_text(const char *a, const char *b);

/* ---- json.c: reading and writing jsonb ---- */

typedef enum OtNumber
{
	OT_NUMBER_OK,
	OT_NUMBER_ABSENT, /* no such key, or null */
	OT_NUMBER_BAD	  /* no number, fractional, or beyond bigint */
} OtNumber;

typedef enum OtText
{
	OT_TEXT_OK,
	OT_TEXT_ABSENT,
	OT_TEXT_BAD, /* neither text nor number nor boolean */
	OT_TEXT_LONG
} OtText;

typedef struct OtJson
{
	JsonbParseState *state;
	JsonbValue *result;
} OtJson;

extern bool ot_json_is_object(const Jsonb *value);
extern bool ot_json_is_empty(const Jsonb *value);
extern JsonbValue *ot_json_find(JsonbContainer *object, const char *key);
extern OtNumber ot_json_int8(JsonbContainer *object, const char *key, int64 *number);
extern OtNumber ot_json_value_int8(const JsonbValue *value, int64 *number);
extern OtText ot_json_text(JsonbContainer *object, const char *key, int max_bytes,
						   char **text);
extern Jsonb *ot_json_object(JsonbContainer *object, const char *key, bool *is_bad);
extern JsonbContainer *ot_json_find_object(JsonbContainer *object, const char *key);
extern JsonbContainer *ot_json_find_array(JsonbContainer *object, const char *key);
extern JsonbContainer *ot_json_element(JsonbContainer *array, int n);
extern char *ot_json_to_text(const Jsonb *value);
extern Jsonb *ot_json_null(void);

extern void ot_json_begin(OtJson *json);
extern void ot_json_open(OtJson *json, const char *key);
extern void ot_json_close(OtJson *json);
extern void ot_json_open_array(OtJson *json, const char *key);
extern void ot_json_open_element(OtJson *json);
extern void ot_json_add_element(OtJson *json, const char *value);
extern void ot_json_close_array(OtJson *json);
extern void ot_json_add_text(OtJson *json, const char *key, const char *value);
extern void ot_json_add_int8(OtJson *json, const char *key, int64 value);
extern void ot_json_add_bool(OtJson *json, const char *key, bool value);
extern void ot_json_add_object(OtJson *json, const char *key, const Jsonb *object);
extern Jsonb *ot_json_end(OtJson *json);

/* ---- sequence.c ---- */

extern int64 ot_next_order_id(void);
extern int64 ot_next_redemption_id(void);
extern int64 ot_next_lot_id(void);
extern int64 ot_next_issued_reward_id(void);
extern int64 ot_next_shipment_id(void);
extern int64 ot_next_payment_id(void);
extern int64 ot_next_return_id(void);

/* ---- server.c: transactions as numbers that compare across servers ---- */

#define OT_TRANSACTION_BITS 44
#define OT_MAX_GENERATION 500000

extern int64 ot_transaction_number(void);
extern int64 ot_number_transaction(int32 generation, uint64 xid);
extern bool ot_is_this_server(int64 server_id);

/* ---- hash.c ---- */

extern void ot_sha256(const void *bytes, size_t length, uint8 *hash);

/* ---- note.c: system and custom notes ---- */

typedef struct OtNote
{
	int64 workspace;
	int64 order_id;
	bool is_custom;
	const char *event_type;
	const char *channel; /* may be NULL */
	const char *author;
	const char *title;	/* may be NULL */
	const char *detail; /* may be NULL */
	Jsonb *data;		/* may be NULL */
	TimestampTz created_at;
} OtNote;

/* The newest note of an order: its number and its hash. */
typedef struct OtHead
{
	int32 note_no;
	uint8 hash[OT_HASH_LENGTH];
} OtHead;

/*
 * What a function is doing to an order while its UPDATE runs, for the triggers
 * of orders: who, when, and the note that explains it (event_type NULL: none).
 */
typedef struct OtChange
{
	int64 workspace;
	int64 order_id;
	TimestampTz now;
	const char *channel;
	const char *actor;
	const char *event_type;
	bool is_custom;
	const char *title;
	const char *detail;
	Jsonb *data;
	int more_count;					/* further notes, and their data */
	const char *const *more_events; /* NULL: of the same event */
	Jsonb *const *more_data;
} OtChange;

extern void ot_note_sign(OtJson *json, const char *actor);
extern void ot_head_set(OtHead *head, int32 note_no, const bytea *hash);
extern void ot_head_advance(OtHead *head, const OtNote *note);
extern void ot_notes_insert(const OtNote *notes, const OtHead *heads, int count);
extern uint64 ot_note_edit(int64 workspace, int64 order_id, int32 note_no,
						   const char *title, const char *detail, bool is_delete,
						   TimestampTz now);
extern bool ot_note_take_announced(int64 workspace, int64 order_id, int32 note_no,
								   const bytea *hash);
extern bool ot_note_take_edit(int64 workspace, int64 order_id, int32 note_no);

/* ---- order_note.c ---- */

extern void ot_change_explain(OtChange *change, const char *reason);
/* order_note.c: a row of OT_PLAN_NOTE_LIST; gives its number */
extern int32 ot_note_get(uint64 row, OtNote *note);
extern bytea *ot_note_get_hash(uint64 row);

/* ---- order_change.c: one change of one order, seen by the triggers of orders ---- */

extern uint64 ot_change_order(const OtChange *change, OtPlan plan, OtArgs *args);
extern void ot_order_tell(const OtChange *change, const char *status);
extern void ot_order_move(const OtChange *change, const char *status);
extern const OtChange *ot_current_change(int64 workspace, int64 order_id, int32 note_no,
										 bool is_before);

/* ---- row_change.c: one change of one row of another table, seen by its triggers ---- */

/* What a function is doing to a row while its INSERT or UPDATE runs. */
typedef struct OtRowChange
{
	const char *table;
	int64 workspace;
	int64 id;
	TimestampTz now;
	const char *channel; /* may be NULL, as the actor */
	const char *actor;
} OtRowChange;

extern void ot_change_row(const OtRowChange *change, OtPlan plan, OtArgs *args);
extern const OtRowChange *ot_current_row_change(const TriggerData *trigger,
												int64 workspace, int64 id,
												bool is_before);
extern void ot_insert_announced(const OtRowChange *change, OtPlan plan, OtArgs *args,
								uint64 count);

/* ---- personal.c: personal values, of which a note holds salted hashes ---- */

typedef struct OtPersonal OtPersonal;

extern OtPersonal *ot_personal_begin(void);
extern void ot_personal_add(OtPersonal *personal, const char *field, const Jsonb *value);
extern void ot_personal_add_text(OtPersonal *personal, const char *field,
								 const char *value);
extern void ot_personal_describe(const OtPersonal *personal, OtJson *json);
extern void ot_personal_store(const OtPersonal *personal, int64 workspace, int64 order_id,
							  int32 note_no);

/* ---- order_data.c: the caller's order_data ---- */

typedef struct OtLine
{
	char *product_id;
	char *sku;
	char *name;
	char *color;
	char *size;
	int64 quantity;
	bool has_price;
	int64 price;
	bool has_amount;
	int64 amount;
	Jsonb *metadata;
} OtLine;

typedef struct OtOrderData
{
	const Jsonb *source; /* as the caller gave it */
	bool is_given;
	int failure;				 /* OtFailure: the first that holds, or OT_OK */
	const char *failure_message; /* what exactly is wrong, or NULL */
	bool has_id;
	int64 id;
	char *source_id;
	char *status;
	bool has_amount; /* given, or derived from the lines */
	int64 amount;
	bool has_items;
	int line_count;
	OtLine *lines;
	Jsonb *metadata;
	Jsonb *shipping_address;
	char *data_source;
	char *submitted_by;
	char *submitted_by_id;
	char *on_behalf_of;
	bool has_points;
	int64 value_in_points;
} OtOrderData;

extern void ot_order_data_read(OtOrderData *data, const Jsonb *order_data);
extern void ot_order_data_check(const OtOrderData *data);

/* ---- order.c, order_line.c, order_update.c: orders and their lines ---- */

typedef struct OtNewOrder
{
	int64 workspace;
	int64 order_id;
	const char *status;
	int64 customer_id;
	int64 discount_amount;
	int64 given_amount; /* of units that a discount adds */
	const OtOrderData *data;
	const char *channel;
	const char *actor;
	TimestampTz now;
	const char *next_event; /* event_type of the notes after the first */
	int next_count;
	Jsonb *const *next_data;
} OtNewOrder;

extern bool ot_order_insert(const OtNewOrder *order);
extern bool ot_order_take_announced(int64 workspace, int64 order_id);
extern void ot_order_refuse(int64 workspace, int64 order_id) pg_attribute_noreturn();

/* An order's row under our lock. */
typedef struct OtOrderRow
{
	char *status;
	int64 amount;
	int64 discount_amount;
	int64 customer_id; /* 0: none */
} OtOrderRow;

extern void ot_order_take(int64 workspace, int64 order_id, OtOrderRow *row);
extern void ot_lines_insert(int64 workspace, int64 order_id, const OtOrderData *data,
							TimestampTz now);
extern void ot_lines_read(int64 workspace, int64 order_id, OtOrderData *data);
extern void ot_lines_describe(const OtOrderData *data, const char *key, OtJson *json);
extern bool ot_order_status_is_known(const char *status);
extern bool ot_order_status_counts(const char *status, const char *status_before_hold);

/* ---- transition.c: the moves of a status ---- */

/* event_type of an allowed move, or NULL where it is not allowed. */
extern char *ot_transition_find(int64 workspace, const char *entity,
								const char *from_status, const char *to_status,
								const char *status_before_hold);
extern bool ot_transition_is_first(int64 workspace, const char *entity,
								   const char *status);
extern void ot_transition_refuse(int64 workspace, const char *entity,
								 const char *from_status, const char *to_status,
								 const char *status_before_hold) pg_attribute_noreturn();

/* ---- trigger.c: what every trigger begins with ---- */

extern TriggerData *ot_trigger_data(FunctionCallInfo fcinfo, const char *name);
extern bool ot_in_replication(void);
extern void ot_trigger_call(const char *name, const TriggerData *trigger);
extern int ot_column(const TriggerData *trigger, const char *column);
extern Datum ot_tuple_datum(const TriggerData *trigger, HeapTuple tuple,
							const char *column, bool *is_null);
extern int64 ot_tuple_int8(const TriggerData *trigger, HeapTuple tuple,
						   const char *column);
extern int32 ot_tuple_int4(const TriggerData *trigger, HeapTuple tuple,
						   const char *column);
extern char *ot_tuple_text(const TriggerData *trigger, HeapTuple tuple,
						   const char *column);
extern bool ot_tuple_differs(const TriggerData *trigger, int attribute);

/* ---- guard.c ---- */

extern void ot_guard_stored(const TriggerData *trigger);

/* ---- access.c ---- */

extern bool ot_outer_is_admin(void);

/* ---- customer.c: what several features need ---- */

extern int64 ot_customer_put(int64 workspace, const char *source_id, TimestampTz now);
extern int64 ot_customer_add(int64 workspace, const char *source_id, TimestampTz now);
extern void ot_customer_follow(const TriggerData *trigger);
extern bool ot_customers_gather(void);
extern void ot_customers_gather_end(void);
extern void ot_customers_add(void);

/* ---- redemption_lock.c: redemptions against a limit that is being set ---- */

extern void ot_lock_redemptions(bool exclusively);

/* ---- limit_change.c: a limit that is set, against the uses that are under way ---- */

/* What a change consists of; context is the caller's. */
typedef struct OtLimitSteps
{
	bool (*find)(void *context);			 /* reads the row; false: there is none */
	bool (*sets_first)(const void *context); /* a limit, where the row had none */
	bool (*lock)(void *context);			 /* locks and reads it; false: it has gone */
	void (*write)(void *context);
} OtLimitSteps;

extern bool ot_change_limits(const OtLimitSteps *steps, void *context);
extern void ot_limit_check(bool is_set, int64 limit, int64 used);

/* ---- clear.c: the argument that names fields to empty ---- */

extern void ot_clear_arg(FunctionCallInfo fcinfo, int n, const char *const *names,
						 int count, const bool *is_set, bool *is_cleared);

/* ---- subtransaction.c ---- */

typedef bool (*OtWork)(void *context);

extern bool ot_in_subtransaction(OtWork work, void *context);

#endif

/*
 * order_state.h
 *		An order as its history tells it: no SQL, no clock.
 *
 * A state is a sorted list of values, so that two are compared, and one is
 * written as jsonb, by walking along them.
 */
#ifndef OT_ORDER_STATE_H
#define OT_ORDER_STATE_H

#include "ordertrack.h"

typedef enum OtPart
{
	OT_PART_ORDER,
	OT_PART_ITEM,
	OT_PART_SHIPMENT,
	OT_PART_PAYMENT,
	OT_PART_RETURN,
	OT_PART_COUNT
} OtPart;

/* In the order of their names. */
typedef enum OtField
{
	OT_FIELD_AMOUNT,
	OT_FIELD_CARRIER,
	OT_FIELD_COLOR,
	OT_FIELD_CUSTOMER_ID,
	OT_FIELD_DATA_SOURCE,
	OT_FIELD_DISCOUNT_AMOUNT,
	OT_FIELD_EXCHANGE_ORDER_ID,
	OT_FIELD_METHOD,
	OT_FIELD_NAME,
	OT_FIELD_PRICE,
	OT_FIELD_PRODUCT_ID,
	OT_FIELD_QUANTITY,
	OT_FIELD_RECEIVED_QUANTITY,
	OT_FIELD_REFUND_AMOUNT,
	OT_FIELD_RETURN_ID,
	OT_FIELD_SIZE,
	OT_FIELD_SKU,
	OT_FIELD_STATUS,
	OT_FIELD_STATUS_BEFORE_HOLD,
	OT_FIELD_TOTAL_AMOUNT,
	OT_FIELD_TRACKING_NUMBER,
	OT_FIELD_TRANSACTION_TYPE,
	OT_FIELD_VALUE_IN_POINTS,
	OT_FIELD_COUNT
} OtField;

/* A set of fields. */
typedef uint32 OtFields;
#define OT_FIELD_BIT(field) ((OtFields) 1 << (field))

typedef struct OtFieldKind
{
	const char *name;
	bool is_number;
} OtFieldKind;

typedef struct OtPartKind
{
	const char *name;	  /* of the array in the document */
	const char *id_name;  /* of an element's id */
	OtFields fields;	  /* of an element, or of the order itself */
	OtFields line_fields; /* of its own lines; 0: it has none */
} OtPartKind;

extern const OtFieldKind ot_field_kinds[OT_FIELD_COUNT];
extern const OtPartKind ot_part_kinds[OT_PART_COUNT];

/* What has fields: the order, an element of it, or a line of an element. */
typedef struct OtThing
{
	OtPart part;
	int64 id;	   /* 0: the order */
	int64 line_no; /* 0: no line of a shipment or return */
} OtThing;

/* One value, and the note that made it so. */
typedef struct OtValue
{
	OtThing thing;
	OtField field;
	bool is_set; /* false: the note took it away */
	int64 number;
	const char *text; /* where the field is no number */
	int32 note_no;
	TimestampTz changed_at;
} OtValue;

typedef struct OtOrderState
{
	MemoryContext memory; /* of the values and their texts */
	bool has_begun;		  /* the note of the order's creation was there */
	int32 note_no;		  /* of the last note that was counted */
	TimestampTz noted_at; /* and its time */
	int count;
	int size;
	OtValue *values; /* sorted by part, id, line_no, field */
} OtOrderState;

/* order_state.c */
extern void ot_state_begin(OtOrderState *state);
extern const OtValue *ot_state_find(const OtOrderState *state, OtThing thing,
									OtField field);
extern bool ot_state_has(const OtOrderState *state, OtPart part, int64 id);
extern void ot_state_set_number(OtOrderState *state, OtThing thing, OtField field,
								int64 number);
extern void ot_state_set_text(OtOrderState *state, OtThing thing, OtField field,
							  const char *text);
extern void ot_state_unset(OtOrderState *state, OtThing thing, OtField field);
extern void ot_state_remove(OtOrderState *state, OtPart part, int64 id);
extern void ot_state_copy(OtOrderState *copy, const OtOrderState *state);

/* Either may be NULL, or not set. */
typedef void (*OtValueWork)(void *context, const OtValue *old, const OtValue *new);

extern void ot_state_compare(const OtOrderState *old, const OtOrderState *new,
							 OtValueWork work, void *context);

/* order_state_note.c */
extern void ot_state_apply(OtOrderState *state, int32 note_no, const OtNote *note);

/* order_state_json.c */
extern void ot_state_take(OtOrderState *state, OtThing thing, OtField field,
						  const JsonbValue *value);
extern void ot_state_take_fields(OtOrderState *state, OtThing thing, OtFields fields,
								 JsonbContainer *object);
extern void ot_state_read(OtOrderState *state, const Jsonb *document);
extern Jsonb *ot_state_to_json(const OtOrderState *state, int64 order_id);
extern char *ot_value_path(const OtValue *value);
extern Jsonb *ot_value_to_json(const OtValue *value);

#endif

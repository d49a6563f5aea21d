/*
 * return.h
 *		What the files of returns share: what customers send back, its receipt and
 *		its refund.
 */
#ifndef OT_RETURN_H
#define OT_RETURN_H

#include "line_units.h"
#include "ordertrack.h"

/*
 * What a function is doing to a return, for the triggers of returns: of table
 * "returns", all changes are these.
 */
typedef struct OtReturnChange
{
	OtRowChange row;
	const OtLineUnits *received; /* that came with it, or NULL */
	int64 refund_amount;		 /* of a return that becomes complete */
} OtReturnChange;

/* A return's row under our lock. */
typedef struct OtReturnRow
{
	int64 order_id;
	int64 exchange_order_id; /* 0: none */
	char *status;
} OtReturnRow;

/* ---- return.c ---- */

extern void ot_return_read(FunctionCallInfo fcinfo, int n, OtReturnChange *change);
extern void ot_return_lock(OtReturnChange *change, OtReturnRow *row);
extern void ot_return_set_status(const OtReturnChange *change, const char *status);
extern void ot_return_tell(const OtReturnChange *change, int64 order_id,
						   const char *event_type, OtJson *json);

/* ---- return_units.c: how many units there are ---- */

extern OtLineUnits *ot_return_shipped(int64 workspace, int64 order_id);
extern OtLineUnits *ot_return_expected(int64 workspace, int64 return_id);
extern void ot_return_check_units(int64 workspace, int64 return_id, int32 line_no);

/* ---- return_refund.c: what a return costs the shop ---- */

extern int64 ot_return_default_refund(int64 workspace, int64 order_id, int64 return_id);

/* ---- return_exchange.c: the order that waits for a return ---- */

extern int64 ot_return_of_exchange(int64 workspace, int64 order_id);

extern void ot_returns_hold_exchange(int64 workspace, int64 order_id);
extern void ot_return_release_exchange(int64 order_id, const OtReturnChange *change);

#endif

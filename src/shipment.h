/*
 * shipment.h
 *		What the files of shipments share: the lines of an order on their way.
 */
#ifndef OT_SHIPMENT_H
#define OT_SHIPMENT_H

#include "ordertrack.h"

/* One shipment, as its row says. */
typedef struct OtShipment
{
	int64 id;
	int64 order_id;
	const char *status;
	const char *held_status; /* before its hold, or NULL */
	const char *carrier;	 /* may be NULL, as the tracking number */
	const char *tracking_number;
} OtShipment;

/* ---- shipment_judge.c: facts in, verdict out ---- */

/* Why a shipment is not moved. */
typedef enum OtShipmentFailure
{
	OT_SHIPMENT_OK,
	OT_SHIPMENT_NOT_FOUND,
	OT_SHIPMENT_REFUSED, /* status_transitions does not allow the move */
	OT_SHIPMENT_ORDER_ON_HOLD,
	OT_SHIPMENT_ORDER_NOT_READY
} OtShipmentFailure;

/* What the shipments of an order come to. */
typedef struct OtShipmentSums
{
	bool is_shipped; /* one of them, or more */
	bool is_active;	 /* one is neither shipped nor canceled */
	bool has_rest;	 /* units that have not been in any shipment */
} OtShipmentSums;

extern OtShipmentFailure ot_shipment_judge(const char *to_status,
										   const char *order_status, bool is_move);
extern const char *ot_shipment_failure_code(OtShipmentFailure failure);
extern const char *ot_shipment_failure_message(OtShipmentFailure failure);
extern bool ot_order_takes_shipments(const char *order_status);
extern bool ot_shipment_may_move_order(const char *from_status, const char *to_status);
extern bool ot_order_follows_shipments(const char *order_status);
extern const char *ot_shipments_judge_order(const OtShipmentSums *sums);

/* ---- shipment_status.c, shipment_trigger.c ---- */

extern bool ot_shipment_status_is_known(const char *status);
extern void ot_shipment_status_refuse(const char *status) pg_attribute_noreturn();
extern void ot_shipment_describe_text(OtJson *json, const char *key,
									  const char *old_value, const char *new_value);

/* ---- shipment_order.c: shipments and the status of their order ---- */

extern const char *ot_shipments_order_status(int64 workspace, int64 order_id,
											 const char *order_status);
extern bool ot_shipments_are_sent(int64 workspace, int64 order_id);
extern bool ot_shipments_are_live(int64 workspace, int64 order_id);
extern void ot_shipments_follow(const OtChange *order_change, const char *old_status,
								const char *new_status);
extern const OtChange *ot_shipments_followed(int64 workspace, int64 order_id);

#endif

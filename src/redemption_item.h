/*
 * redemption_item.h
 *		What redemptions give on the lines of an order.
 */
#ifndef OT_REDEMPTION_ITEM_H
#define OT_REDEMPTION_ITEM_H

#include "cart.h"
#include "ordertrack.h"

extern void ot_cart_read(OtCart *cart, int64 workspace, int64 order_id);
extern void ot_cart_fill(OtCart *cart, const OtOrderData *data);
extern void ot_cart_copy(OtCart *copy, const OtCart *cart);
extern void ot_cart_describe(const OtCart *cart, int64 old_amount, OtJson *json);
extern void ot_cart_name_new_line(OtCart *cart, const OtDiscount *discount);
extern void ot_cart_write(const OtCart *cart, int64 workspace, int64 order_id,
						  int64 redemption_id, TimestampTz now);
extern void ot_cart_read_given(OtCart *cart, int64 workspace, int64 order_id,
							   int64 redemption_id);
extern void ot_cart_take_back(const OtCart *cart, int64 workspace, int64 order_id,
							  int64 rollback_id, TimestampTz now);

#endif

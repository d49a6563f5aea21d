/*
 * discount.h
 *		Reads the discount object of a voucher.
 */
#ifndef OT_DISCOUNT_H
#define OT_DISCOUNT_H

#include "utils/jsonb.h"

#include "money.h"

/* For the hint of an error: the discounts that there are, with all their keys. */
#define OT_DISCOUNT_FORMS                                                                \
	"{\"type\":\"amount\",\"amount_off\":1000}, "                                        \
	"{\"type\":\"percent\",\"percent_off\":25.98,\"amount_limit\":600} or "              \
	"{\"type\":\"fixed\",\"fixed_amount\":5000}, "                                       \
	"each also with \"effect\":\"apply_to_order\""

extern const char *ot_discount_read(OtDiscount *discount, const Jsonb *object);

#endif

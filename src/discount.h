/*
 * discount.h
 *		Reads the discount object of a voucher.
 */
#ifndef OT_DISCOUNT_H
#define OT_DISCOUNT_H

#include "utils/jsonb.h"
#include "utils/numeric.h"

#include "money.h"

#define OT_MAX_ARTICLES 500 /* of a list in applies_to */

/* For the hint of an error: the discounts that there are. */
#define OT_DISCOUNT_FORMS                                                                \
	"{\"type\":\"amount\",\"amount_off\":1000}, "                                        \
	"{\"type\":\"percent\",\"percent_off\":25.98,\"amount_limit\":600}, "                \
	"{\"type\":\"fixed\",\"fixed_amount\":5000} or "                                     \
	"{\"type\":\"unit\",\"product_id\":\"mug\",\"unit_off\":1}, "                        \
	"each also with \"effect\", all but the last with "                                  \
	"\"applies_to\":{\"included\":[\"mug\"],\"excluded\":[\"pot\"]}"

/* discount.c */
extern const char *ot_discount_read(OtDiscount *discount, const Jsonb *object);
extern bool ot_percent_to_millionths(Numeric percent, int64 *millionths);

/* applies_to.c */
extern const char *ot_applies_to_read(OtDiscount *discount, JsonbContainer *object);
extern bool ot_article_read(OtArticle *article, JsonbContainer *object);

#endif

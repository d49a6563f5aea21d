/*
 * rule_customer.c
 *		The customer's part of the document that conditions read.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/datetime.h"
#include "utils/json.h"
#include "utils/timestamp.h"

#include "rule.h"

static char *spell_time(TimestampTz time);

/* Takes what a row of OT_RULE_CUSTOMER_COLUMNS says of a customer. */
void
ot_rule_customer_take(OtRuleCustomer *customer, const Datum *values, const bool *nulls)
{
	customer->order_count = DatumGetInt64(values[OT_RULE_CUSTOMER_ORDER_COUNT]);
	customer->order_total = DatumGetInt64(values[OT_RULE_CUSTOMER_ORDER_TOTAL]);
	if (!nulls[OT_RULE_CUSTOMER_LAST_ORDER_AT])
	{
		customer->last_order_at =
			DatumGetTimestampTz(values[OT_RULE_CUSTOMER_LAST_ORDER_AT]);
		customer->has_last_order = !TIMESTAMP_NOT_FINITE(customer->last_order_at);
	}
	if (!nulls[OT_RULE_CUSTOMER_METADATA])
		customer->metadata = DatumGetJsonbPCopy(values[OT_RULE_CUSTOMER_METADATA]);
}

/* Adds all but the segments; what is not known is left out. */
void
ot_rule_customer_add(OtJson *json, const OtRuleCustomer *customer)
{
	ot_json_add_text(json, "source_id", customer->source_id);
	ot_json_add_object(json, "metadata", customer->metadata);
	ot_json_add_int8(json, "order_count", customer->order_count);
	ot_json_add_int8(json, "order_total", customer->order_total);
	if (customer->has_last_order)
		ot_json_add_text(json, "last_order_at", spell_time(customer->last_order_at));
	if (customer->has_days)
		ot_json_add_int8(json, "days_since_last_order", customer->days_since_last_order);
}

/* Makes the document of a segment's condition, of which this part is all. */
Jsonb *
ot_rule_customer_document(const OtRuleCustomer *customer)
{
	OtJson json;

	ot_json_begin(&json);
	ot_json_open(&json, "customer");
	ot_rule_customer_add(&json, customer);
	ot_json_close(&json);
	return ot_json_end(&json);
}

/* Spells a time in UTC and whole seconds, which is what .datetime() can read. */
static char *
spell_time(TimestampTz time)
{
	char *text = palloc(MAXDATELEN + 1);
	const int utc = 0;
	TimestampTz fraction = time % USECS_PER_SEC;

	time -= fraction < 0 ? fraction + USECS_PER_SEC : fraction;
	return JsonEncodeDateTime(text, TimestampTzGetDatum(time), TIMESTAMPTZOID, &utc);
}

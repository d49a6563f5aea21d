/*
 * rule_sample.c
 *		Tries a condition on a full document before it is taken: one that comes
 *		to neither true nor false there would refuse every redemption.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"

#include "errcodes.h"
#include "rule.h"

/* %1$s is the metadata. */
#define SAMPLE                                                                           \
	"{\"order\": {\"source_id\": \"order\", \"amount\": 10000, "                         \
	"\"initial_amount\": 10000, \"total_amount\": 9000, \"discount_amount\": 1000, "     \
	"\"items\": [{\"sku\": \"sku-1\", \"product_id\": \"product-1\", \"quantity\": 2, "  \
	"\"price\": 3000, \"amount\": 6000, \"metadata\": %1$s}, {\"sku\": \"sku-2\", "      \
	"\"product_id\": \"product-2\", \"quantity\": 1, \"price\": 4000, "                  \
	"\"amount\": 4000, \"metadata\": %1$s}], \"items_count\": 2, \"quantity\": 3, "      \
	"\"metadata\": %1$s}, \"customer\": {\"source_id\": \"customer\", "                  \
	"\"order_count\": 3, \"order_total\": 30000, "                                       \
	"\"last_order_at\": \"2026-01-31T12:30:00+00:00\", \"days_since_last_order\": 30, "  \
	"\"segments\": [\"segment\"], \"metadata\": %1$s}, \"redemption\": "                 \
	"{\"channel\": \"channel\", \"actor\": \"actor\", \"amount\": 1000, "                \
	"\"metadata\": %1$s}, \"campaign\": {\"name\": \"campaign\", \"metadata\": %1$s}}"

/* What the keys of metadata may hold; the first leaves them out. */
static const char *const metadata_values[] = {NULL, "1", "\"text\"", "true"};

typedef struct Trial
{
	JsonPath *condition;
	const List *metadata_keys;
	bool is_decided;
} Trial;

static void try_all(void *context);
static void tell_trial(void *context);
static Jsonb *make_sample(const List *metadata_keys, const char *value);
static char *make_metadata(const List *metadata_keys, const char *value);

/*
 * Refuses a condition that can't be decided on any of the samples.  Nobody knows
 * what metadata will hold, so each kind of value is tried.
 */
void
ot_condition_try(JsonPath *condition, const List *metadata_keys)
{
	Trial trial = {condition, metadata_keys, false};
	ErrorContextCallback where;

	where.callback = tell_trial;
	where.arg = NULL;
	where.previous = error_context_stack;
	error_context_stack = &where;
	ot_in_rule_time(try_all, &trial);
	error_context_stack = where.previous;
	if (!trial.is_decided)
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("the condition can't be decided"),
				errdetail("On a document in which every key is present it is "
						  "neither true nor false."),
				errhint("Look for a comparison of a number with a text, an operator "
						"on several values at once, or a division by zero."));
}

static void
try_all(void *context)
{
	Trial *trial = context;
	int count = trial->metadata_keys == NIL ? 1 : lengthof(metadata_values);

	for (int i = 0; i < count && !trial->is_decided; i++)
	{
		bool is_unknown;

		(void) ot_condition_match(trial->condition,
								  make_sample(trial->metadata_keys, metadata_values[i]),
								  &is_unknown);
		trial->is_decided = !is_unknown;
	}
}

static void
tell_trial(void *context)
{
	errcontext("trial of the condition on two order lines, which has %d ms",
			   OT_RULE_TIME);
}

static Jsonb *
make_sample(const List *metadata_keys, const char *value)
{
	char *sample = psprintf(SAMPLE, make_metadata(metadata_keys, value));

	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(sample)));
}

static char *
make_metadata(const List *metadata_keys, const char *value)
{
	StringInfoData object;
	ListCell *cell;

	initStringInfo(&object);
	appendStringInfoChar(&object, '{');
	if (value != NULL)
		foreach (cell, metadata_keys)
		{
			if (object.len > 1)
				appendStringInfoChar(&object, ',');
			escape_json(&object, lfirst(cell));
			appendStringInfo(&object, ": %s", value);
		}
	appendStringInfoChar(&object, '}');
	return object.data;
}

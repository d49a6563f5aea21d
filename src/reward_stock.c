/*
 * reward_stock.c
 *		What is in stock of a reward, by color and size.
 */
#include "postgres.h"

#include "common/int.h"
#include "miscadmin.h"
#include "utils/timestamp.h"

#include "errcodes.h"
#include "ordertrack.h"
#include "reward_catalog.h"

#define MAX_VARIANTS 500 /* of a reward */

/* A color or size of '' is none. */
typedef struct OtVariant
{
	const char *color;
	const char *size;
	int64 stock;
} OtVariant;

/* Stock that is to be added. */
typedef struct Addition
{
	int64 workspace;
	int64 reward_id;
	OtVariant variant; /* its stock may be negative; in the end, what there is */
} Addition;

static void refuse_stock(const char *problem) pg_attribute_noreturn();
static void read_number(OtStock *stock, const JsonbValue *number);
static void read_array(OtStock *stock, const Jsonb *array);
static void read_variant(OtVariant *variant, const JsonbValue *element);
static bool has_unknown_key(JsonbContainer *object);
static const char *read_text(JsonbContainer *object, const char *key);
static bool is_known(const OtVariant *variant, const OtVariant *others, int count);
static void variant_args(OtArgs *args, const Addition *addition);
static bool try_add(void *context);
static bool change_variant(Addition *addition, TimestampTz now);
static void refuse_change(const Addition *addition, int64 stock) pg_attribute_noreturn();
static void make_room(const Addition *addition);

PG_FUNCTION_INFO_V1(ordertrack_add_reward_stock);

/* Reads a number, an array of variants, or nothing. */
void
ot_stock_arg(OtStock *stock, FunctionCallInfo fcinfo, int n)
{
	Jsonb *given = PG_ARGISNULL(n) ? NULL : PG_GETARG_JSONB_P(n);

	if (given == NULL)
		return;
	if (JB_ROOT_IS_SCALAR(given))
		read_number(stock, getIthJsonbValueFromContainer(&given->root, 0));
	else if (JB_ROOT_IS_ARRAY(given))
		read_array(stock, given);
	else
		refuse_stock("it must be a whole number or an array of objects");
}

static void
refuse_stock(const char *problem)
{
	ereport(
		ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT), errmsg("invalid stock: %s", problem),
		errhint(
			"Stock is a whole number, or [{\"color\":\"red\",\"size\":\"M\",\"stock\":5}]."));
}

/* A reward without variants; a JSON null is none, as NULL. */
static void
read_number(OtStock *stock, const JsonbValue *number)
{
	OtVariant *variant = palloc0(sizeof(OtVariant));

	if (number->type == jbvNull)
		return;
	variant->color = variant->size = "";
	if (ot_json_value_int8(number, &variant->stock) != OT_NUMBER_OK || variant->stock < 0)
		refuse_stock("it must be a whole number of at least 0");
	stock->is_given = true;
	stock->count = 1;
	stock->variants = variant;
}

static void
read_array(OtStock *stock, const Jsonb *array)
{
	stock->is_given = true;
	stock->count = JB_ROOT_COUNT(array);
	if (stock->count > MAX_VARIANTS)
		refuse_stock(psprintf("at most %d variants are allowed", MAX_VARIANTS));
	stock->variants = palloc0(sizeof(OtVariant) * Max(stock->count, 1));
	for (int i = 0; i < stock->count; i++)
	{
		OtVariant *variant = &stock->variants[i];

		read_variant(variant, getIthJsonbValueFromContainer(
								  unconstify(JsonbContainer *, &array->root), i));
		if (is_known(variant, stock->variants, i))
			refuse_stock("each variant must be there once");
	}
}

static void
read_variant(OtVariant *variant, const JsonbValue *element)
{
	JsonbContainer *object;

	if (element->type != jbvBinary || !JsonContainerIsObject(element->val.binary.data))
		refuse_stock("each variant must be an object");
	object = element->val.binary.data;
	if (has_unknown_key(object))
		refuse_stock("a variant has a key other than color, size and stock");
	variant->color = read_text(object, "color");
	variant->size = read_text(object, "size");
	if (ot_json_int8(object, "stock", &variant->stock) != OT_NUMBER_OK ||
		variant->stock < 0)
		refuse_stock("\"stock\" must be a whole number of at least 0");
}

static bool
has_unknown_key(JsonbContainer *object)
{
	static const char *const keys[] = {"color", "size", "stock"};
	int known = 0;
	JsonbValue value;

	for (int i = 0; i < lengthof(keys); i++)
		if (getKeyJsonValueFromContainer(object, keys[i], strlen(keys[i]), &value) !=
			NULL)
			known++;
	return known < (int) JsonContainerSize(object);
}

static const char *
read_text(JsonbContainer *object, const char *key)
{
	char *text;

	switch (ot_json_text(object, key, OT_MAX_TEXT, &text))
	{
		case OT_TEXT_OK:
			return text;
		case OT_TEXT_ABSENT:
			return "";
		case OT_TEXT_LONG:
			refuse_stock(psprintf("\"%s\" has more than %d bytes", key, OT_MAX_TEXT));
		case OT_TEXT_BAD:
			break;
	}
	refuse_stock(psprintf("\"%s\" must be a text", key));
	return NULL;
}

static bool
is_known(const OtVariant *variant, const OtVariant *others, int count)
{
	for (int i = 0; i < count; i++)
		if (strcmp(variant->color, others[i].color) == 0 &&
			strcmp(variant->size, others[i].size) == 0)
			return true;
	return false;
}

/* Puts in what a new reward has at first. */
void
ot_stock_insert(const OtStock *stock, int64 workspace, int64 reward_id, TimestampTz now)
{
	OtArgs *rows = palloc0(sizeof(OtArgs) * Max(stock->count, 1));

	for (int i = 0; i < stock->count; i++)
	{
		Addition addition = {workspace, reward_id, stock->variants[i]};

		variant_args(&rows[i], &addition);
		ot_arg_int8(&rows[i], addition.variant.stock);
		ot_arg_time(&rows[i], now);
	}
	ot_write_rows(OT_PLAN_REWARD_VARIANT_INSERT, rows, stock->count);
}

/* The key of a variant, which all statements on one begin with. */
static void
variant_args(OtArgs *args, const Addition *addition)
{
	ot_arg_int8(args, addition->workspace);
	ot_arg_int8(args, addition->reward_id);
	ot_arg_text(args, addition->variant.color);
	ot_arg_text(args, addition->variant.size);
}

/* Adds to what is in stock of a variant, and returns what there is then. */
Datum
ordertrack_add_reward_stock(PG_FUNCTION_ARGS)
{
	const char *reward = ot_required_text_arg(fcinfo, 0, "reward", OT_MAX_TEXT);
	const char *color = ot_text_arg(fcinfo, 2, "color", OT_MAX_TEXT);
	const char *size = ot_text_arg(fcinfo, 3, "size", OT_MAX_TEXT);
	Addition addition = {0};

	PreventCommandIfReadOnly("ordertrack.add_reward_stock()");
	addition.workspace = ot_workspace_arg(fcinfo, 4);
	addition.variant.color = color != NULL ? color : "";
	addition.variant.size = size != NULL ? size : "";
	ot_require_arg(fcinfo, 1, "quantity");

	ot_begin();
	ot_require_workspace(addition.workspace);
	addition.reward_id = ot_reward_find(addition.workspace, reward);
	if (!ot_get_bool(0, OT_REWARD_IS_STOCKED))
		ereport(
			ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
			errmsg("no stock is kept of reward \"%s\"", reward),
			errhint(
				"Stock is kept of a reward that was created with \"stock\", which may be []."));
	do
	{
		CHECK_FOR_INTERRUPTS();
		addition.variant.stock = PG_GETARG_INT64(1);
	} while (!ot_in_subtransaction(try_add, &addition));
	ot_end();
	PG_RETURN_INT64(addition.variant.stock);
}

/*
 * Adds; false where it must be done again, because somebody else has made the
 * variant meanwhile.  The lock on the reward, under which variants are counted,
 * goes with the subtransaction then: who buys the variant has locked that first
 * and may be waiting for the reward.
 */
static bool
try_add(void *context)
{
	Addition *addition = context;
	TimestampTz now = GetCurrentTimestamp();
	OtArgs args = {0};

	if (change_variant(addition, now))
		return true;
	if (addition->variant.stock < 0)
		refuse_change(addition, 0);
	make_room(addition);
	variant_args(&args, addition);
	ot_arg_int8(&args, addition->variant.stock);
	ot_arg_time(&args, now);
	return ot_run(OT_PLAN_REWARD_VARIANT_ADD, &args) > 0;
}

/* Changes a variant that there is. */
static bool
change_variant(Addition *addition, TimestampTz now)
{
	OtArgs lock = {0};
	OtArgs args = {0};
	int64 stock;
	int64 changed;

	variant_args(&lock, addition);
	if (ot_run(OT_PLAN_REWARD_VARIANT_LOCK, &lock) == 0)
		return false;
	stock = ot_get_int8(0, 1);
	if (pg_add_s64_overflow(stock, addition->variant.stock, &changed) || changed < 0)
		refuse_change(addition, stock);
	addition->variant.stock = changed;
	variant_args(&args, addition);
	ot_arg_int8(&args, changed);
	ot_arg_time(&args, now);
	ot_write(OT_PLAN_REWARD_VARIANT_UPDATE, &args, 1);
	return true;
}

static void
refuse_change(const Addition *addition, int64 stock)
{
	ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
			addition->variant.stock < 0 ? errmsg("not enough is in stock")
										: errmsg("too much would be in stock"),
			errdetail("There are " INT64_FORMAT " units of this variant.", stock));
}

/* Two who make the last one at once wait for each other here. */
static void
make_room(const Addition *addition)
{
	OtArgs lock = {0};
	OtArgs args = {0};

	ot_arg_int8(&lock, addition->workspace);
	ot_arg_int8(&lock, addition->reward_id);
	ot_run(OT_PLAN_REWARD_LOCK, &lock);
	ot_arg_int8(&args, addition->workspace);
	ot_arg_int8(&args, addition->reward_id);
	ot_run(OT_PLAN_REWARD_VARIANT_COUNT, &args);
	if (ot_get_int8(0, 1) >= MAX_VARIANTS)
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT), errmsg("too many variants"),
				errdetail("A reward may have %d.", MAX_VARIANTS));
}

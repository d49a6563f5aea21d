/*
 * discount.c
 *		Reads the discount object of a voucher and says what is wrong with one.
 *
 * No key is passed over: a misspelt amount_limit would give money away.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/numeric.h"

#include "discount.h"
#include "ordertrack.h"

typedef struct DiscountForm
{
	const char *name;
	OtDiscountType type;
	const char *value_key;
	int64 least;		   /* of the value */
	const char *limit_key; /* may be NULL */
} DiscountForm;

static const DiscountForm forms[] = {
	{"amount", OT_DISCOUNT_AMOUNT, "amount_off", 1, NULL},
	{"percent", OT_DISCOUNT_PERCENT, "percent_off", 1, "amount_limit"},
	{"fixed", OT_DISCOUNT_FIXED, "fixed_amount", 0, NULL},
};

static const char *whole_number_needed(const char *key, int64 least);
static const DiscountForm *find_form(JsonbContainer *object);
static bool read_value(const DiscountForm *form, JsonbContainer *object, int64 *value);
static bool is_text(const JsonbValue *value, const char *text);
static bool percent_to_millionths(const JsonbValue *value, int64 *millionths);
static bool is_less(Numeric a, Numeric b);
static const char *find_unknown_key(const DiscountForm *form, JsonbContainer *object);
static bool is_key_of(const DiscountForm *form, const JsonbValue *key);

/*
 * Reads a discount; gives NULL where it is right, else words that say what is
 * wrong.  Redeeming reads every stored discount again, so a right one must be
 * quick.
 */
const char *
ot_discount_read(OtDiscount *discount, const Jsonb *object)
{
	JsonbContainer *container = unconstify(JsonbContainer *, &object->root);
	const DiscountForm *form;
	const char *unknown_key;
	JsonbValue *effect;
	int64 value;
	int64 limit = 0;

	form = ot_json_is_object(object) ? find_form(container) : NULL;
	if (form == NULL)
		return "\"type\" must be \"amount\", \"percent\" or \"fixed\"";

	if (!read_value(form, container, &value))
		return form->type == OT_DISCOUNT_PERCENT
				   ? "\"percent_off\" must be a number above 0, at most 100, "
					 "with at most 6 decimals"
				   : whole_number_needed(form->value_key, form->least);

	discount->has_limit =
		form->limit_key != NULL && ot_json_find(container, form->limit_key) != NULL;
	if (discount->has_limit &&
		(ot_json_int8(container, form->limit_key, &limit) != OT_NUMBER_OK || limit < 1))
		return whole_number_needed(form->limit_key, 1);

	effect = ot_json_find(container, "effect");
	if (effect != NULL && !is_text(effect, "apply_to_order"))
		return "\"effect\" must be \"apply_to_order\"";

	unknown_key = find_unknown_key(form, container);
	if (unknown_key != NULL)
		return psprintf(
			"type \"%s\" has no key \"%s\", its keys are type, %s%s%s, effect",
			form->name, unknown_key, form->value_key, form->limit_key != NULL ? ", " : "",
			form->limit_key != NULL ? form->limit_key : "");

	discount->type = form->type;
	discount->value = value;
	discount->limit = limit;
	return NULL;
}

static const char *
whole_number_needed(const char *key, int64 least)
{
	return psprintf("\"%s\" must be a whole number from " INT64_FORMAT
					" to " INT64_FORMAT,
					key, least, PG_INT64_MAX);
}

static const DiscountForm *
find_form(JsonbContainer *object)
{
	JsonbValue *type = ot_json_find(object, "type");

	for (int i = 0; type != NULL && i < lengthof(forms); i++)
		if (is_text(type, forms[i].name))
			return &forms[i];
	return NULL;
}

static bool
read_value(const DiscountForm *form, JsonbContainer *object, int64 *value)
{
	JsonbValue *given = ot_json_find(object, form->value_key);

	if (given == NULL)
		return false;
	if (form->type == OT_DISCOUNT_PERCENT)
		return percent_to_millionths(given, value);
	return ot_json_value_int8(given, value) == OT_NUMBER_OK && *value >= form->least;
}

static bool
is_text(const JsonbValue *value, const char *text)
{
	return value->type == jbvString && value->val.string.len == (int) strlen(text) &&
		   memcmp(value->val.string.val, text, value->val.string.len) == 0;
}

/*
 * Turns a percentage into millionths.  The bounds come first, so that 1e400
 * costs nothing.
 */
static bool
percent_to_millionths(const JsonbValue *value, int64 *millionths)
{
	JsonbValue product;
	Datum million = NumericGetDatum(int64_to_numeric(1000000));

	if (value->type != jbvNumeric || !is_less(int64_to_numeric(0), value->val.numeric) ||
		is_less(int64_to_numeric(100), value->val.numeric))
		return false;
	product.type = jbvNumeric;
	product.val.numeric = DatumGetNumeric(
		DirectFunctionCall2(numeric_mul, NumericGetDatum(value->val.numeric), million));
	return ot_json_value_int8(&product, millionths) == OT_NUMBER_OK;
}

static bool
is_less(Numeric a, Numeric b)
{
	return DatumGetBool(
		DirectFunctionCall2(numeric_lt, NumericGetDatum(a), NumericGetDatum(b)));
}

static const char *
find_unknown_key(const DiscountForm *form, JsonbContainer *object)
{
	JsonbIterator *iterator = JsonbIteratorInit(object);
	JsonbIteratorToken token;
	JsonbValue item;

	while ((token = JsonbIteratorNext(&iterator, &item, true)) != WJB_DONE)
		if (token == WJB_KEY && !is_key_of(form, &item))
			return pnstrdup(item.val.string.val, item.val.string.len);
	return NULL;
}

static bool
is_key_of(const DiscountForm *form, const JsonbValue *key)
{
	return is_text(key, "type") || is_text(key, "effect") ||
		   is_text(key, form->value_key) ||
		   (form->limit_key != NULL && is_text(key, form->limit_key));
}

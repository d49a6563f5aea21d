/*
 * discount.c
 *		Reads the discount object of a voucher and says what is wrong with one.
 *
 * No key is passed over: a misspelt amount_limit would give money away.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

#include "discount.h"
#include "ordertrack.h"

#define MAX_KEYS 6

/* What a discount of a type may be. */
typedef struct DiscountForm
{
	const char *name;
	OtDiscountType type;
	const char *value_key;
	int64 least;				/* of the value */
	OtEffect last_effect;		/* from apply_to_order on, or a unit's two */
	const char *keys[MAX_KEYS]; /* beside type and effect */
} DiscountForm;

static const DiscountForm forms[] = {
	{"amount",
	 OT_DISCOUNT_AMOUNT,
	 "amount_off",
	 1,
	 OT_APPLY_TO_ITEMS_PROPORTIONALLY_BY_QUANTITY,
	 {"amount_off", "aggregated_amount_limit", "applies_to"}},
	{"percent",
	 OT_DISCOUNT_PERCENT,
	 "percent_off",
	 1,
	 OT_APPLY_TO_ITEMS,
	 {"percent_off", "amount_limit", "aggregated_amount_limit", "applies_to"}},
	{"fixed",
	 OT_DISCOUNT_FIXED,
	 "fixed_amount",
	 0,
	 OT_APPLY_TO_ITEMS,
	 {"fixed_amount", "applies_to"}},
	{"unit",
	 OT_DISCOUNT_UNIT,
	 "unit_off",
	 1,
	 OT_ADD_NEW_ITEMS,
	 {"unit_off", "product_id", "sku", "price"}},
};

static const char *const effects[] = {
	[OT_APPLY_TO_ORDER] = "apply_to_order",
	[OT_APPLY_TO_ITEMS] = "apply_to_items",
	[OT_APPLY_TO_ITEMS_BY_QUANTITY] = "apply_to_items_by_quantity",
	[OT_APPLY_TO_ITEMS_PROPORTIONALLY] = "apply_to_items_proportionally",
	[OT_APPLY_TO_ITEMS_PROPORTIONALLY_BY_QUANTITY] =
		"apply_to_items_proportionally_by_quantity",
	[OT_ADD_MISSING_ITEMS] = "add_missing_items",
	[OT_ADD_NEW_ITEMS] = "add_new_items",
};

static const char *read_value(const DiscountForm *form, JsonbContainer *object,
							  int64 *value);
static const char *read_limits(OtDiscount *discount, const DiscountForm *form,
							   JsonbContainer *object);
static const char *read_limit(const DiscountForm *form, JsonbContainer *object,
							  const char *key, bool *has_limit, int64 *limit);
static const char *read_effect(OtDiscount *discount, const DiscountForm *form,
							   JsonbContainer *object);
static const char *effect_needed(const DiscountForm *form);
static int first_effect(const DiscountForm *form);
static const char *read_unit(OtDiscount *discount, JsonbContainer *object);
static const char *check_effect(const OtDiscount *discount);
static const char *whole_number_needed(const char *key, int64 least);
static const DiscountForm *find_form(JsonbContainer *object);
static bool has_key(const DiscountForm *form, const char *key);
static bool is_text(const JsonbValue *value, const char *text);
static bool is_less(Numeric a, Numeric b);
static const char *find_unknown_key(const DiscountForm *form, JsonbContainer *object);
static bool is_key_of(const DiscountForm *form, const JsonbValue *key);
static const char *list_keys(const DiscountForm *form);

/*
 * Reads a discount; gives NULL where it is right, else words that say what is
 * wrong.  Redeeming reads every stored discount again, so a right one must be
 * quick.  The names of articles stay in the object.
 */
const char *
ot_discount_read(OtDiscount *discount, const Jsonb *object)
{
	JsonbContainer *container = unconstify(JsonbContainer *, &object->root);
	const DiscountForm *form;
	const char *problem;
	const char *unknown_key;

	memset(discount, 0, sizeof(*discount));
	form = ot_json_is_object(object) ? find_form(container) : NULL;
	if (form == NULL)
		return "\"type\" must be \"amount\", \"percent\", \"fixed\" or \"unit\"";

	discount->type = form->type;
	if ((problem = read_value(form, container, &discount->value)) != NULL ||
		(problem = read_limits(discount, form, container)) != NULL ||
		(has_key(form, "applies_to") &&
		 (problem = ot_applies_to_read(discount, container)) != NULL) ||
		(problem = read_effect(discount, form, container)) != NULL ||
		(form->type == OT_DISCOUNT_UNIT &&
		 (problem = read_unit(discount, container)) != NULL))
		return problem;

	unknown_key = find_unknown_key(form, container);
	if (unknown_key != NULL)
		return psprintf("type \"%s\" has no key \"%s\", its keys are %s", form->name,
						unknown_key, list_keys(form));
	return check_effect(discount);
}

static const char *
read_value(const DiscountForm *form, JsonbContainer *object, int64 *value)
{
	JsonbValue *given = ot_json_find(object, form->value_key);

	if (form->type == OT_DISCOUNT_PERCENT)
		return given != NULL && given->type == jbvNumeric &&
					   ot_percent_to_millionths(given->val.numeric, value)
				   ? NULL
				   : "\"percent_off\" must be a number above 0, at most 100, "
					 "with at most 6 decimals";
	if (given == NULL || ot_json_value_int8(given, value) != OT_NUMBER_OK ||
		*value < form->least)
		return whole_number_needed(form->value_key, form->least);
	return NULL;
}

static const char *
read_limits(OtDiscount *discount, const DiscountForm *form, JsonbContainer *object)
{
	const char *problem =
		read_limit(form, object, "amount_limit", &discount->has_limit, &discount->limit);

	if (problem != NULL)
		return problem;
	return read_limit(form, object, "aggregated_amount_limit",
					  &discount->has_aggregated_limit, &discount->aggregated_limit);
}

static const char *
read_limit(const DiscountForm *form, JsonbContainer *object, const char *key,
		   bool *has_limit, int64 *limit)
{
	OtNumber number;

	if (!has_key(form, key))
		return NULL;
	number = ot_json_int8(object, key, limit);
	*has_limit = number != OT_NUMBER_ABSENT;
	if (*has_limit && (number == OT_NUMBER_BAD || *limit < 1))
		return whole_number_needed(key, 1);
	return NULL;
}

/* Where none is given, a discount that names articles works on the lines. */
static const char *
read_effect(OtDiscount *discount, const DiscountForm *form, JsonbContainer *object)
{
	JsonbValue *effect = ot_json_find(object, "effect");

	discount->effect = (OtEffect) first_effect(form);
	if (effect == NULL)
	{
		if (discount->included_count > 0 || discount->excluded_count > 0)
			discount->effect = OT_APPLY_TO_ITEMS;
		return NULL;
	}
	for (int i = first_effect(form); i <= (int) form->last_effect; i++)
		if (is_text(effect, effects[i]))
		{
			discount->effect = (OtEffect) i;
			return NULL;
		}
	return effect_needed(form);
}

static const char *
effect_needed(const DiscountForm *form)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "\"effect\" of type \"%s\" must be", form->name);
	for (int i = first_effect(form); i <= (int) form->last_effect; i++)
		appendStringInfo(&text, "%s \"%s\"",
						 i == first_effect(form)		? ""
						 : i == (int) form->last_effect ? " or"
														: ",",
						 effects[i]);
	return text.data;
}

static int
first_effect(const DiscountForm *form)
{
	return form->type == OT_DISCOUNT_UNIT ? OT_ADD_MISSING_ITEMS : OT_APPLY_TO_ORDER;
}

static const char *
read_unit(OtDiscount *discount, JsonbContainer *object)
{
	OtNumber number = ot_json_int8(object, "price", &discount->price);

	if (number == OT_NUMBER_BAD || discount->price < 0)
		return whole_number_needed("price", 0);
	if (!ot_article_read(&discount->article, object))
		return psprintf("type \"unit\" needs one of \"product_id\" and \"sku\", a text "
						"of 1 to %d bytes",
						OT_MAX_TEXT);
	return NULL;
}

/* An effect on the order knows no lines. */
static const char *
check_effect(const OtDiscount *discount)
{
	if (discount->effect != OT_APPLY_TO_ORDER)
		return NULL;
	if (discount->included_count > 0 || discount->excluded_count > 0)
		return "\"applies_to\" needs an \"effect\" on items";
	if (discount->has_aggregated_limit)
		return "\"aggregated_amount_limit\" needs an \"effect\" on items";
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
has_key(const DiscountForm *form, const char *key)
{
	for (int i = 0; i < MAX_KEYS && form->keys[i] != NULL; i++)
		if (strcmp(form->keys[i], key) == 0)
			return true;
	return false;
}

static bool
is_text(const JsonbValue *value, const char *text)
{
	return value->type == jbvString && value->val.string.len == (int) strlen(text) &&
		   memcmp(value->val.string.val, text, value->val.string.len) == 0;
}

/*
 * Turns a percentage into millionths; false where it is not above 0 and at most
 * 100 or has more decimals.  The bounds come first, so that 1e400 costs nothing.
 */
bool
ot_percent_to_millionths(Numeric percent, int64 *millionths)
{
	JsonbValue product;
	Datum million = NumericGetDatum(int64_to_numeric(1000000));

	if (!is_less(int64_to_numeric(0), percent) || is_less(int64_to_numeric(100), percent))
		return false;
	product.type = jbvNumeric;
	product.val.numeric = DatumGetNumeric(
		DirectFunctionCall2(numeric_mul, NumericGetDatum(percent), million));
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
	for (int i = 0; i < MAX_KEYS && form->keys[i] != NULL; i++)
		if (is_text(key, form->keys[i]))
			return true;
	return is_text(key, "type") || is_text(key, "effect");
}

static const char *
list_keys(const DiscountForm *form)
{
	StringInfoData list;

	initStringInfo(&list);
	appendStringInfoString(&list, "type");
	for (int i = 0; i < MAX_KEYS && form->keys[i] != NULL; i++)
		appendStringInfo(&list, ", %s", form->keys[i]);
	appendStringInfoString(&list, ", effect");
	return list.data;
}

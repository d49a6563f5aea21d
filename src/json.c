/*
 * json.c
 *		Reads the caller's jsonb without ever raising an error for what is in
 *		it, and builds the jsonb of notes.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

#include "ordertrack.h"

static bool large_to_int8(Numeric numeric, int64 *number);
static bool compare(PGFunction operator, Numeric numeric, int64 number);
static void push_key(OtJson *json, const char *key);
static void push_value(OtJson *json, const char *key, JsonbValue *value);

/* Tells whether a value is an object. */
bool
ot_json_is_object(const Jsonb *value)
{
	return JB_ROOT_IS_OBJECT(value);
}

/* Tells whether an object has no keys. */
bool
ot_json_is_empty(const Jsonb *value)
{
	return JB_ROOT_COUNT(value) == 0;
}

/* Finds a key of an object; a JSON null counts as absent. */
JsonbValue *
ot_json_find(JsonbContainer *object, const char *key)
{
	JsonbValue *value = getKeyJsonValueFromContainer(object, key, strlen(key), NULL);

	if (value == NULL || value->type == jbvNull)
		return NULL;
	return value;
}

/* Reads a whole number under a key. */
OtNumber
ot_json_int8(JsonbContainer *object, const char *key, int64 *number)
{
	JsonbValue *value = ot_json_find(object, key);

	if (value == NULL)
		return OT_NUMBER_ABSENT;
	return ot_json_value_int8(value, number);
}

/* Reads a whole number; most are small, and for those it takes half the time. */
OtNumber
ot_json_value_int8(const JsonbValue *value, int64 *number)
{
	bool is_large = false;
	Numeric numeric;

	if (value->type != jbvNumeric)
		return OT_NUMBER_BAD;
	numeric = value->val.numeric;
	*number = numeric_int4_opt_error(numeric, &is_large);
	if (is_large && !large_to_int8(numeric, number))
		return OT_NUMBER_BAD;
	return compare(numeric_eq, numeric, *number) ? OT_NUMBER_OK : OT_NUMBER_BAD;
}

/* The bounds are compared first, so that 1e400 is no error of numeric_int8(). */
static bool
large_to_int8(Numeric numeric, int64 *number)
{
	if (compare(numeric_gt, numeric, PG_INT64_MAX) ||
		compare(numeric_lt, numeric, PG_INT64_MIN))
		return false;
	*number = DatumGetInt64(DirectFunctionCall1(numeric_int8, NumericGetDatum(numeric)));
	return true;
}

static bool
compare(PGFunction operator, Numeric numeric, int64 number)
{
	return DatumGetBool(DirectFunctionCall2(operator, NumericGetDatum(numeric),
											NumericGetDatum(int64_to_numeric(number))));
}

/* Reads a text under a key; a number or boolean is taken by its spelling. */
OtText
ot_json_text(JsonbContainer *object, const char *key, int max_bytes, char **text)
{
	JsonbValue *value = ot_json_find(object, key);

	*text = NULL;
	if (value == NULL)
		return OT_TEXT_ABSENT;
	switch (value->type)
	{
		case jbvString:
			if (value->val.string.len > max_bytes)
				return OT_TEXT_LONG;
			*text = pnstrdup(value->val.string.val, value->val.string.len);
			return OT_TEXT_OK;
		case jbvNumeric:
			*text = numeric_normalize(value->val.numeric);
			return (int) strlen(*text) > max_bytes ? OT_TEXT_LONG : OT_TEXT_OK;
		case jbvBool:
			*text = pstrdup(value->val.boolean ? "true" : "false");
			return OT_TEXT_OK;
		default:
			return OT_TEXT_BAD;
	}
}

/* Reads an object under a key, NULL where absent or no object. */
Jsonb *
ot_json_object(JsonbContainer *object, const char *key, bool *is_bad)
{
	JsonbValue *value = ot_json_find(object, key);

	*is_bad = value != NULL && !(value->type == jbvBinary &&
								 JsonContainerIsObject(value->val.binary.data));
	return value == NULL || *is_bad ? NULL : JsonbValueToJsonb(value);
}

/* Finds an object under a key, or NULL. */
JsonbContainer *
ot_json_find_object(JsonbContainer *object, const char *key)
{
	JsonbValue *value = ot_json_find(object, key);

	return value != NULL && value->type == jbvBinary &&
				   JsonContainerIsObject(value->val.binary.data)
			   ? value->val.binary.data
			   : NULL;
}

/* Finds an array under a key, or NULL. */
JsonbContainer *
ot_json_find_array(JsonbContainer *object, const char *key)
{
	JsonbValue *value = ot_json_find(object, key);

	return value != NULL && value->type == jbvBinary &&
				   JsonContainerIsArray(value->val.binary.data)
			   ? value->val.binary.data
			   : NULL;
}

/* Gives an element of an array, counted from 0, or NULL where it is no object. */
JsonbContainer *
ot_json_element(JsonbContainer *array, int n)
{
	JsonbValue *value = getIthJsonbValueFromContainer(array, n);

	return value->type == jbvBinary && JsonContainerIsObject(value->val.binary.data)
			   ? value->val.binary.data
			   : NULL;
}

/* Spells a jsonb as text. */
char *
ot_json_to_text(const Jsonb *value)
{
	return JsonbToCString(NULL, unconstify(JsonbContainer *, &value->root),
						  VARSIZE(value));
}

/* Gives a JSON null: statements take NULL for no change and this for none. */
Jsonb *
ot_json_null(void)
{
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum("null")));
}

/*
 * Begins an object.  Keys that are added in the order in which jsonb keeps them,
 * by length and then by bytes, need not be sorted: for the notes of a redemption
 * that saves 13 of 1,180 thousand instructions.
 */
void
ot_json_begin(OtJson *json)
{
	json->state = NULL;
	json->result = NULL;
	(void) pushJsonbValue(&json->state, WJB_BEGIN_OBJECT, NULL);
}

/* Begins an object under a key; ot_json_close() ends it. */
void
ot_json_open(OtJson *json, const char *key)
{
	push_key(json, key);
	(void) pushJsonbValue(&json->state, WJB_BEGIN_OBJECT, NULL);
}

/* Ends an object that ot_json_open() or ot_json_open_element() began. */
void
ot_json_close(OtJson *json)
{
	(void) pushJsonbValue(&json->state, WJB_END_OBJECT, NULL);
}

/* Begins an array under a key; ot_json_close_array() ends it. */
void
ot_json_open_array(OtJson *json, const char *key)
{
	push_key(json, key);
	(void) pushJsonbValue(&json->state, WJB_BEGIN_ARRAY, NULL);
}

/* Begins an object as the next element of an array. */
void
ot_json_open_element(OtJson *json)
{
	(void) pushJsonbValue(&json->state, WJB_BEGIN_OBJECT, NULL);
}

/* Adds a text as the next element of an array. */
void
ot_json_add_element(OtJson *json, const char *value)
{
	JsonbValue string;

	string.type = jbvString;
	string.val.string.val = unconstify(char *, value);
	string.val.string.len = strlen(value);
	(void) pushJsonbValue(&json->state, WJB_ELEM, &string);
}

/* Ends an array. */
void
ot_json_close_array(OtJson *json)
{
	(void) pushJsonbValue(&json->state, WJB_END_ARRAY, NULL);
}

/* Adds a text; NULL adds nothing. */
void
ot_json_add_text(OtJson *json, const char *key, const char *value)
{
	JsonbValue string;

	if (value == NULL)
		return;
	string.type = jbvString;
	string.val.string.val = unconstify(char *, value);
	string.val.string.len = strlen(value);
	push_value(json, key, &string);
}

/* Adds a whole number. */
void
ot_json_add_int8(OtJson *json, const char *key, int64 value)
{
	JsonbValue number;

	number.type = jbvNumeric;
	number.val.numeric = int64_to_numeric(value);
	push_value(json, key, &number);
}

/* Adds a boolean. */
void
ot_json_add_bool(OtJson *json, const char *key, bool value)
{
	JsonbValue boolean;

	boolean.type = jbvBool;
	boolean.val.boolean = value;
	push_value(json, key, &boolean);
}

/* Adds a copy of an object; NULL is one without keys. */
void
ot_json_add_object(OtJson *json, const char *key, const Jsonb *object)
{
	JsonbValue copy;

	if (object != NULL)
	{
		JsonbToJsonbValue(unconstify(Jsonb *, object), &copy);
		push_value(json, key, &copy);
		return;
	}
	ot_json_open(json, key);
	ot_json_close(json);
}

/* Ends the object and gives it. */
Jsonb *
ot_json_end(OtJson *json)
{
	json->result = pushJsonbValue(&json->state, WJB_END_OBJECT, NULL);
	return JsonbValueToJsonb(json->result);
}

static void
push_key(OtJson *json, const char *key)
{
	JsonbValue name;

	name.type = jbvString;
	name.val.string.val = unconstify(char *, key);
	name.val.string.len = strlen(key);
	(void) pushJsonbValue(&json->state, WJB_KEY, &name);
}

static void
push_value(OtJson *json, const char *key, JsonbValue *value)
{
	push_key(json, key);
	(void) pushJsonbValue(&json->state, WJB_VALUE, value);
}

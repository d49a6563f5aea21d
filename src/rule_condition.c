/*
 * rule_condition.c
 *		Looks at a condition before it runs: what it reads of the document, and
 *		whether it may be the condition of a rule or a segment.
 */
#include "postgres.h"

#include "catalog/pg_collation.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "regex/regex.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "errcodes.h"
#include "rule.h"

/* The parts of the document, of which a path is at one; FREE has any keys. */
typedef enum Place
{
	FREE,
	ROOT,
	ORDER,
	ITEMS,
	CUSTOMER,
	REDEMPTION,
	CAMPAIGN,
	METADATA
} Place;

typedef struct Walk
{
	int uses;
	List *metadata_keys;
	bool is_check; /* refuse what is wrong */
} Walk;

#define READS_CUSTOMER (OT_READS_CUSTOMER | OT_READS_DAYS | OT_READS_SEGMENTS)
#define USES_ITEMS (OT_READS_ITEMS | OT_NEEDS_ITEMS)
#define READS_ALL                                                                        \
	(READS_CUSTOMER | OT_READS_ORDER | OT_READS_STORED | OT_READS_ITEMS |                \
	 OT_READS_REDEMPTION | OT_READS_CAMPAIGN)

static const struct
{
	Place from;
	const char *key;
	Place to;
	int uses;
} keys[] = {
	{ROOT, "order", ORDER, OT_READS_ORDER | OT_NAMES_OTHERS},
	{ROOT, "customer", CUSTOMER, OT_NEEDS_CUSTOMER},
	{ROOT, "redemption", REDEMPTION, OT_READS_REDEMPTION | OT_NAMES_OTHERS},
	{ROOT, "campaign", CAMPAIGN, OT_READS_CAMPAIGN | OT_NAMES_OTHERS},
	{ORDER, "source_id", FREE, OT_READS_STORED},
	{ORDER, "amount", FREE, OT_NEEDS_AMOUNT},
	{ORDER, "initial_amount", FREE, OT_NEEDS_AMOUNT | OT_READS_STORED},
	{ORDER, "total_amount", FREE, OT_NEEDS_AMOUNT},
	{ORDER, "discount_amount", FREE, OT_NEEDS_AMOUNT},
	{ORDER, "items", ITEMS, USES_ITEMS},
	{ORDER, "items_count", FREE, USES_ITEMS},
	{ORDER, "quantity", FREE, USES_ITEMS},
	{ORDER, "metadata", METADATA, OT_READS_STORED},
	{ITEMS, "sku", FREE, 0},
	{ITEMS, "product_id", FREE, 0},
	{ITEMS, "quantity", FREE, 0},
	{ITEMS, "price", FREE, 0},
	{ITEMS, "amount", FREE, 0},
	{ITEMS, "metadata", METADATA, 0},
	{CUSTOMER, "source_id", FREE, OT_READS_CUSTOMER},
	{CUSTOMER, "metadata", METADATA, OT_READS_CUSTOMER},
	{CUSTOMER, "order_count", FREE, OT_READS_CUSTOMER},
	{CUSTOMER, "order_total", FREE, OT_READS_CUSTOMER},
	{CUSTOMER, "last_order_at", FREE, OT_READS_CUSTOMER},
	{CUSTOMER, "days_since_last_order", FREE, OT_READS_CUSTOMER | OT_READS_DAYS},
	{CUSTOMER, "segments", FREE, OT_READS_SEGMENTS | OT_NAMES_SEGMENTS},
	{REDEMPTION, "metadata", METADATA, 0},
	{REDEMPTION, "channel", FREE, 0},
	{REDEMPTION, "actor", FREE, 0},
	{REDEMPTION, "amount", FREE, 0},
	{CAMPAIGN, "name", FREE, 0},
	{CAMPAIGN, "metadata", METADATA, 0},
};

static bool is_predicate(const JsonPathItem *item);
static void refuse_parts(int uses) pg_attribute_noreturn();
static void walk_path(Walk *walk, JsonPathItem *item, Place place, Place current);
static Place walk_item(Walk *walk, JsonPathItem *item, Place place, Place current);
static void walk_args(Walk *walk, JsonPathItem *item, Place current);
static void walk_arg(Walk *walk, JsonPathItem *item, Place current);
static void walk_subscripts(Walk *walk, JsonPathItem *item, Place current);
static Place step(Walk *walk, Place place, const char *key, int length);
static void refuse_key(Place place, const char *key) pg_attribute_noreturn();
static void read_whole(Walk *walk, Place place);
static void check_pattern(Walk *walk, JsonPathItem *item);

/*
 * Gives what a condition uses of the document, and the keys of metadata that it
 * names.
 */
int
ot_condition_uses(JsonPath *condition, List **metadata_keys)
{
	Walk walk = {0};
	JsonPathItem root;

	jspInit(&root, condition);
	walk_path(&walk, &root, FREE, FREE);
	if (metadata_keys != NULL)
		*metadata_keys = walk.metadata_keys;
	return walk.uses;
}

/*
 * Refuses a condition that is none, that uses what it may not use, or that can
 * come to no answer.
 */
void
ot_condition_check(JsonPath *condition, int refused_uses)
{
	Walk walk = {.is_check = true};
	JsonPathItem root;
	Size length = strlen(
		DatumGetCString(DirectFunctionCall1(jsonpath_out, PointerGetDatum(condition))));

	if (length > OT_MAX_CONDITION)
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("argument \"condition\" is too long"),
				errdetail("It has %zu bytes, at most %d are allowed.", length,
						  OT_MAX_CONDITION));
	jspInit(&root, condition);
	if (!is_predicate(&root))
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("a condition must be true or false"),
				errhint("Write a comparison such as $.order.amount >= 5000, or "
						"exists($.order.items[*] ? (@.sku == \"pot\")) around a path."));
	walk_path(&walk, &root, FREE, FREE);
	if ((walk.uses & refused_uses) != 0)
		refuse_parts(walk.uses);
	ot_condition_try(condition, walk.metadata_keys);
}

static bool
is_predicate(const JsonPathItem *item)
{
	switch (item->type)
	{
		case jpiAnd:
		case jpiOr:
		case jpiNot:
		case jpiIsUnknown:
		case jpiEqual:
		case jpiNotEqual:
		case jpiLess:
		case jpiGreater:
		case jpiLessOrEqual:
		case jpiGreaterOrEqual:
		case jpiExists:
		case jpiStartsWith:
		case jpiLikeRegex:
			return !jspHasNext(item);
		default:
			return false;
	}
}

static void
refuse_parts(int uses)
{
	ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
			(uses & OT_NAMES_SEGMENTS) != 0
				? errmsg("the condition of a segment must not mention segments")
				: errmsg("the condition of a segment must be about the customer"),
			errhint("It may use $.customer.order_count and the other keys of "
					"$.customer but segments."));
}

/* Walks a path from an item to its end; current is the place of "@". */
static void
walk_path(Walk *walk, JsonPathItem *item, Place place, Place current)
{
	JsonPathItem next;

	check_stack_depth();
	place = walk_item(walk, item, place, current);
	if (jspGetNext(item, &next))
		walk_path(walk, &next, place, current);
	else
		read_whole(walk, place);
}

static Place
walk_item(Walk *walk, JsonPathItem *item, Place place, Place current)
{
	switch (item->type)
	{
		case jpiRoot:
			return ROOT;
		case jpiCurrent:
			return current;
		case jpiVariable:
			if (walk->is_check)
				ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
						errmsg("a condition must not have variables"),
						errhint("A key is written with a dot: $.order, not $order."));
			return FREE;
		case jpiKey:
			return step(walk, place, item->content.value.data,
						item->content.value.datalen);
		case jpiFilter:
			walk_arg(walk, item, place);
			return place;
		case jpiIndexArray:
			walk_subscripts(walk, item, current);
			return place;
		case jpiAnyArray:
			return place;
		case jpiLikeRegex:
			check_pattern(walk, item);
			walk_args(walk, item, current);
			return FREE;
		default:
			read_whole(walk, place);
			walk_args(walk, item, current);
			return FREE;
	}
}

/* Walks the operands of an operator; what is none has no operands. */
static void
walk_args(Walk *walk, JsonPathItem *item, Place current)
{
	JsonPathItem arg;

	switch (item->type)
	{
		case jpiAnd:
		case jpiOr:
		case jpiEqual:
		case jpiNotEqual:
		case jpiLess:
		case jpiGreater:
		case jpiLessOrEqual:
		case jpiGreaterOrEqual:
		case jpiAdd:
		case jpiSub:
		case jpiMul:
		case jpiDiv:
		case jpiMod:
		case jpiStartsWith:
			jspGetLeftArg(item, &arg);
			walk_path(walk, &arg, FREE, current);
			jspGetRightArg(item, &arg);
			walk_path(walk, &arg, FREE, current);
			break;
		case jpiNot:
		case jpiIsUnknown:
		case jpiExists:
		case jpiPlus:
		case jpiMinus:
			walk_arg(walk, item, current);
			break;
		case jpiLikeRegex:
			jspInitByBuffer(&arg, item->base, item->content.like_regex.expr);
			walk_path(walk, &arg, FREE, current);
			break;
		default:
			break;
	}
}

static void
walk_arg(Walk *walk, JsonPathItem *item, Place current)
{
	JsonPathItem arg;

	jspGetArg(item, &arg);
	walk_path(walk, &arg, FREE, current);
}

static void
walk_subscripts(Walk *walk, JsonPathItem *item, Place current)
{
	for (int i = 0; i < item->content.array.nelems; i++)
	{
		JsonPathItem from;
		JsonPathItem to;

		if (jspGetArraySubscript(item, &from, &to, i))
			walk_path(walk, &to, FREE, current);
		walk_path(walk, &from, FREE, current);
	}
}

/* Goes from a place to the one under a key. */
static Place
step(Walk *walk, Place place, const char *key, int length)
{
	char *name = pnstrdup(key, length);

	if (place == METADATA)
		walk->metadata_keys = lappend(walk->metadata_keys, name);
	if (place == METADATA || place == FREE)
		return FREE;
	for (int i = 0; i < lengthof(keys); i++)
		if (keys[i].from == place && strcmp(keys[i].key, name) == 0)
		{
			walk->uses |= keys[i].uses;
			return keys[i].to;
		}
	if (walk->is_check)
		refuse_key(place, name);
	return FREE;
}

static void
refuse_key(Place place, const char *key)
{
	StringInfoData known;

	initStringInfo(&known);
	for (int i = 0; i < lengthof(keys); i++)
		if (keys[i].from == place)
			appendStringInfo(&known, "%s%s", known.len == 0 ? "" : ", ", keys[i].key);
	ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
			errmsg("the document of a condition has no key \"%s\" at this place", key),
			errhint("The keys there are %s.", known.data));
}

/* What takes a part as a whole reads it, but can do without. */
static void
read_whole(Walk *walk, Place place)
{
	if (place == ROOT)
		walk->uses |= READS_ALL;
	else if (place == ORDER)
		walk->uses |= OT_READS_STORED | OT_READS_ITEMS;
	else if (place == CUSTOMER)
		walk->uses |= READS_CUSTOMER;
}

/* A pattern with back references can take longer than anybody would wait. */
static void
check_pattern(Walk *walk, JsonPathItem *item)
{
	text *pattern;
	regex_t *regex;

	if (!walk->is_check)
		return;
	pattern = cstring_to_text_with_len(item->content.like_regex.pattern,
									   item->content.like_regex.patternlen);
	regex = RE_compile_and_cache(pattern,
								 jspConvertRegexFlags(item->content.like_regex.flags),
								 DEFAULT_COLLATION_OID);
	if ((regex->re_info & REG_UBACKREF) != 0)
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("a regular expression of a condition must not have back "
					   "references"),
				errhint("Write out what \\1 and the like stand for."));
}

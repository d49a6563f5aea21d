/*
 * applies_to.c
 *		Reads which articles a discount applies to.
 *
 * An article's name points into the discount object and is not copied.
 */
#include "postgres.h"

#include "discount.h"
#include "ordertrack.h"

static const char *read_list(JsonbContainer *object, const char *key, int *count,
							 OtArticle **articles);
static bool read_entry(OtArticle *article, const JsonbValue *entry);
static bool read_name(OtArticle *article, const JsonbValue *value);
static int count_keys(JsonbContainer *object, const char *key);

/*
 * Reads {"included": [...], "excluded": [...]}, of which one may be missing;
 * gives NULL where it is right, else words that say what is wrong.
 */
const char *
ot_applies_to_read(OtDiscount *discount, JsonbContainer *object)
{
	JsonbValue *value = ot_json_find(object, "applies_to");
	const char *problem;
	JsonbContainer *lists;

	if (value == NULL)
		return NULL;
	if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
		return "\"applies_to\" must be an object";
	lists = value->val.binary.data;
	problem =
		read_list(lists, "included", &discount->included_count, &discount->included);
	if (problem == NULL)
		problem =
			read_list(lists, "excluded", &discount->excluded_count, &discount->excluded);
	if (problem != NULL)
		return problem;
	if (discount->included_count + discount->excluded_count == 0 ||
		count_keys(lists, "included") + count_keys(lists, "excluded") !=
			(int) JsonContainerSize(lists))
		return "\"applies_to\" must have \"included\" or \"excluded\", and no other key";
	return NULL;
}

/* Reads the article that an object names by one of product_id and sku. */
bool
ot_article_read(OtArticle *article, JsonbContainer *object)
{
	JsonbValue *product_id = ot_json_find(object, "product_id");
	JsonbValue *sku = ot_json_find(object, "sku");

	if ((product_id == NULL) == (sku == NULL))
		return false;
	article->is_product_id = product_id != NULL;
	article->is_sku = sku != NULL;
	return read_name(article, product_id != NULL ? product_id : sku);
}

static const char *
read_list(JsonbContainer *object, const char *key, int *count, OtArticle **articles)
{
	JsonbValue *value = ot_json_find(object, key);
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue entry;
	int size;

	if (value == NULL)
		return NULL;
	if (value->type != jbvBinary || !JsonContainerIsArray(value->val.binary.data))
		return psprintf("\"%s\" must be an array", key);
	size = JsonContainerSize(value->val.binary.data);
	if (size < 1 || size > OT_MAX_ARTICLES)
		return psprintf("\"%s\" must have 1 to %d entries", key, OT_MAX_ARTICLES);
	*articles = palloc0(sizeof(OtArticle) * size);
	iterator = JsonbIteratorInit(value->val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &entry, true)) != WJB_DONE)
		if (token == WJB_ELEM && !read_entry(&(*articles)[(*count)++], &entry))
			return psprintf(
				"an entry of \"%s\" must be a text, {\"product_id\": text} or "
				"{\"sku\": text}, of 1 to %d bytes",
				key, OT_MAX_TEXT);
	return NULL;
}

/* A text alone may be either. */
static bool
read_entry(OtArticle *article, const JsonbValue *entry)
{
	if (entry->type == jbvBinary)
		return JsonContainerIsObject(entry->val.binary.data) &&
			   JsonContainerSize(entry->val.binary.data) == 1 &&
			   ot_article_read(article, entry->val.binary.data);
	article->is_product_id = true;
	article->is_sku = true;
	return read_name(article, entry);
}

static bool
read_name(OtArticle *article, const JsonbValue *value)
{
	if (value->type != jbvString || value->val.string.len < 1 ||
		value->val.string.len > OT_MAX_TEXT)
		return false;
	article->text = value->val.string.val;
	article->length = value->val.string.len;
	return true;
}

/* Counts a key, also one whose value is null. */
static int
count_keys(JsonbContainer *object, const char *key)
{
	JsonbValue value;

	return getKeyJsonValueFromContainer(object, key, strlen(key), &value) != NULL ? 1 : 0;
}

/*
 * redemption_prefetch.c
 *		Reads beforehand, by two statements, what decides the plain items of a
 *		batch: a new order without an id, and a code that has nothing but a
 *		discount.
 *
 * Nothing that the batch writes changes such a code, and its customers are locked.
 * Their sums only grow, and are added up here; where an amount could bring one to
 * its bound, and once a stored order has changed, they are read again.
 */
#include "postgres.h"

#include "utils/array.h"
#include "utils/builtins.h"

#include "plan.h"
#include "redemption.h"

/* Columns of OT_PLAN_BATCH_PLAIN_VOUCHERS after its terms. */
enum
{
	CODE = OT_TERMS_COLUMNS,
	DISCOUNT,
	VOUCHER_COLUMNS
};

/* Both begin with their key, by which they are sorted. */
typedef struct Voucher
{
	const char *code;
	OtTerms terms;
	OtDiscount discount;
} Voucher;

typedef struct Customer
{
	const char *source_id;
	int64 id;
	int64 total;
} Customer;

struct OtPrefetch
{
	int voucher_count;
	Voucher *vouchers;
	int customer_count;
	Customer *customers;
};

static void read_vouchers(OtPrefetch *prefetch, int64 workspace, ArrayType *codes);
static void read_customers(OtPrefetch *prefetch, int64 workspace, ArrayType *customers);
static Customer *find_customer(const OtRequest *request);
static int compare_keys(const void *key, const void *row);

/* Reads the plain codes and the known customers, as of one committed state. */
OtPrefetch *
ot_prefetch(int64 workspace, ArrayType *codes, ArrayType *customers)
{
	OtPrefetch *prefetch = palloc0(sizeof(OtPrefetch));

	ot_take_snapshot();
	read_vouchers(prefetch, workspace, codes);
	read_customers(prefetch, workspace, customers);
	ot_drop_snapshot();
	return prefetch;
}

static void
read_vouchers(OtPrefetch *prefetch, int64 workspace, ArrayType *codes)
{
	OtArgs args = {0};
	Datum values[VOUCHER_COLUMNS];
	bool nulls[VOUCHER_COLUMNS];

	ot_arg_int8(&args, workspace);
	ot_arg(&args, PointerGetDatum(codes));
	prefetch->voucher_count = (int) ot_read(OT_PLAN_BATCH_PLAIN_VOUCHERS, &args);
	prefetch->vouchers = palloc0(sizeof(Voucher) * Max(prefetch->voucher_count, 1));
	for (int i = 0; i < prefetch->voucher_count; i++)
	{
		Voucher *voucher = &prefetch->vouchers[i];

		ot_get_row_at(i, values, nulls);
		ot_terms_take(&voucher->terms, values, nulls);
		voucher->code = TextDatumGetCString(values[CODE]);
		ot_discount_take(&voucher->discount, DatumGetJsonbP(values[DISCOUNT]),
						 voucher->terms.id);
	}
}

static void
read_customers(OtPrefetch *prefetch, int64 workspace, ArrayType *customers)
{
	OtArgs args = {0};

	ot_arg_int8(&args, workspace);
	ot_arg(&args, PointerGetDatum(customers));
	prefetch->customer_count = (int) ot_read(OT_PLAN_BATCH_CUSTOMERS, &args);
	prefetch->customers = palloc(sizeof(Customer) * Max(prefetch->customer_count, 1));
	for (int i = 0; i < prefetch->customer_count; i++)
	{
		prefetch->customers[i].source_id = ot_get_text(i, 1);
		prefetch->customers[i].id = ot_get_int8(i, 2);
		prefetch->customers[i].total = ot_get_int8(i, 3);
	}
}

/* Gives the facts on a plain item; false where they have to be read. */
bool
ot_prefetch_take(const OtRequest *request, OtFacts *facts)
{
	const OtPrefetch *prefetch = request->prefetch;
	const Customer *customer = find_customer(request);
	const Voucher *voucher;

	if (request->is_bad || request->order.has_id || request->order.source_id != NULL ||
		request->reservation_key != NULL ||
		request->order.amount >= OT_WAITING_SUM / OT_MAX_BATCH ||
		(request->customer != NULL &&
		 (customer == NULL || customer->total >= OT_WAITING_SUM)))
		return false;
	voucher = bsearch(request->code, prefetch->vouchers, prefetch->voucher_count,
					  sizeof(Voucher), compare_keys);
	if (voucher == NULL)
		return false;
	facts->voucher = voucher->terms;
	facts->discount = voucher->discount;
	if (customer != NULL)
	{
		facts->customer_id = customer->id;
		facts->customer_total = customer->total;
	}
	return true;
}

/*
 * Follows what an accepted item does to its customer's sum, at most; whose sum a
 * stored order changes is not known here.
 */
void
ot_prefetch_follow(const OtAttempt *attempt)
{
	OtPrefetch *prefetch = attempt->request->prefetch;
	Customer *customer = find_customer(attempt->request);

	if (attempt->facts.order.id != 0)
		prefetch->customer_count = 0;
	else if (customer != NULL && !ot_money_add(&customer->total, attempt->verdict.amount))
		customer->total = PG_INT64_MAX;
}

static Customer *
find_customer(const OtRequest *request)
{
	return request->customer == NULL
			   ? NULL
			   : bsearch(request->customer, request->prefetch->customers,
						 request->prefetch->customer_count, sizeof(Customer),
						 compare_keys);
}

static int
compare_keys(const void *key, const void *row)
{
	return strcmp(key, *(const char *const *) row);
}

/*
 * plan_domain.c
 *		Parameters that are of our domains already when a statement gets them.
 *
 * A statement that is given a bigint for a column of a domain checks it, and for
 * that prepares the domain's constraints anew each time it runs: measured, 50 of
 * 1,250 thousand instructions of a redemption.  So such a parameter is declared
 * to be of the domain, and domain_check() sees to it that it is.  That is how
 * PostgreSQL checks what a client sends for a domain: by all constraints that it
 * has at that moment, which are kept ready in the session.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#include "plan_prepare.h"

/* A domain of schema ordertrack. */
typedef struct Domain
{
	const char *name;
	Oid type;
	void *check; /* what domain_check() keeps */
} Domain;

/* By their letters in plan.h. */
static Domain domains[UCHAR_MAX + 1] = {
	['c'] = {"counter"},		   ['e'] = {"note_type"},	 ['k'] = {"redemption_kind"},
	['m'] = {"minor_units"},	   ['o'] = {"json_object"},	 ['q'] = {"positive"},
	['r'] = {"redemption_result"}, ['s'] = {"order_status"}, ['v'] = {"movement_kind"},
	['w'] = {"reward_type"}};

/* Looks up the type of a letter that stands for a domain. */
Oid
ot_domain_type(char letter)
{
	Domain *domain = &domains[(unsigned char) letter];

	if (domain->name == NULL)
		elog(ERROR, "unknown parameter type \"%c\"", letter);
	domain->type =
		GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid, CStringGetDatum(domain->name),
						ObjectIdGetDatum(get_namespace_oid("ordertrack", false)));
	if (!OidIsValid(domain->type))
		elog(ERROR, "domain \"%s\" is missing", domain->name);
	return domain->type;
}

/* Checks those values of some rows that are of a domain. */
void
ot_domains_check(const char *types, int row_count, const Datum *values, const char *nulls)
{
	for (int row = 0; row < row_count; row++)
		for (const char *letter = types; *letter != '\0'; letter++, values++, nulls++)
		{
			Domain *domain = &domains[(unsigned char) *letter];

			if (domain->name != NULL)
				domain_check(*values, *nulls == 'n', domain->type, &domain->check,
							 TopMemoryContext);
		}
}

/*
 * server.c
 *		Numbers transactions so that they compare across servers.
 *
 * Transaction ids are a server's own.  What a dump brings to another server has
 * foreign ones, so table installation says which server writes, and counts these
 * as generations: a number is generation * 2^44 + transaction id, and all that a
 * server writes has higher numbers than what it was restored with.  A server that
 * finds another's name there registers itself by its first note.
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/namespace.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"

#include "errcodes.h"
#include "ordertrack.h"

/* Columns of OT_PLAN_SERVER_READ. */
enum
{
	SERVER_ID = 1,
	GENERATION,
	WRITER /* transaction that wrote the row */
};

/* What this session knows; only what is committed. */
static struct
{
	bool is_known;
	bool is_watched;
	Oid table;
	int32 generation;
} server;

static int32 find_generation(void);
static void read_installation(void);
static bool is_registered(void);
static void remember_generation(int32 generation);
static void forget_generation(Datum argument, Oid table);

/* Gives the number of the transaction that is writing. */
int64
ot_transaction_number(void)
{
	uint64 xid = U64FromFullTransactionId(GetTopFullTransactionId());

	return ot_number_transaction(server.is_known ? server.generation : find_generation(),
								 xid);
}

/* Numbers a transaction of a generation. */
int64
ot_number_transaction(int32 generation, uint64 xid)
{
	if (xid >> OT_TRANSACTION_BITS != 0)
		elog(ERROR, "transaction id " UINT64_FORMAT " is too high", xid);
	return ((int64) generation << OT_TRANSACTION_BITS) + (int64) xid;
}

/* Reads the generation, and begins a new one where another server wrote before. */
static int32
find_generation(void)
{
	OtArgs none = {0};
	int32 generation;

	ot_begin();
	read_installation();
	if (!is_registered())
	{
		/* Whoever is doing the same has the row, and is waited for. */
		(void) ot_run(OT_PLAN_SERVER_REGISTER, &none);
		read_installation();
	}
	generation = ot_get_int4(0, GENERATION);
	/* What this very transaction has registered may still be rolled back. */
	if (is_registered() && !TransactionIdIsCurrentTransactionId(ot_get_int4(0, WRITER)))
		remember_generation(generation);
	ot_end();
	return generation;
}

static void
read_installation(void)
{
	OtArgs none = {0};

	if (ot_run(OT_PLAN_SERVER_READ, &none) == 0)
		ereport(ERROR, errcode(OT_ERRCODE_TABLES),
				errmsg("tables of ordertrack are not set up"),
				errhint("Run SELECT ordertrack.setup()."));
}

static bool
is_registered(void)
{
	return ot_is_this_server(ot_get_int8(0, SERVER_ID));
}

/* Tells whether an id is that of this server, which its standbys share. */
bool
ot_is_this_server(int64 server_id)
{
	return (uint64) server_id == GetSystemIdentifier();
}

/* Remembers the generation for as long as the table is the same. */
static void
remember_generation(int32 generation)
{
	if (!server.is_watched)
		CacheRegisterRelcacheCallback(forget_generation, (Datum) 0);
	server.is_watched = true;
	server.table =
		get_relname_relid("installation", get_namespace_oid("ordertrack", false));
	server.generation = generation;
	server.is_known = true;
}

static void
forget_generation(Datum argument, Oid table)
{
	if (table == server.table || table == InvalidOid)
		server.is_known = false;
}

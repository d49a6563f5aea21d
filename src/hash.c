/*
 * hash.c
 *		SHA-256.
 */
#include "postgres.h"

#include "common/cryptohash.h"

#include "ordertrack.h"

/* Computes the SHA-256 of some bytes. */
void
ot_sha256(const void *bytes, size_t length, uint8 *hash)
{
	pg_cryptohash_ctx *context = pg_cryptohash_create(PG_SHA256);

	if (context == NULL || pg_cryptohash_init(context) < 0 ||
		pg_cryptohash_update(context, bytes, length) < 0 ||
		pg_cryptohash_final(context, hash, OT_HASH_LENGTH) < 0)
		elog(ERROR, "could not compute SHA-256");
	pg_cryptohash_free(context);
}

/*
 * personal.c
 *		Personal values of an order: a note holds a salted SHA-256 of each, the
 *		salt and the value lie in personal_values and can be erased.  Without the
 *		salt the hash tells nothing, and the history still verifies.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/builtins.h"

#include "ordertrack.h"

#define SALT_LENGTH 16
#define MAX_FIELDS 4

struct OtPersonal
{
	int count;
	struct
	{
		const char *field;
		const Jsonb *value;
		uint8 salt[SALT_LENGTH];
		char hash[2 * OT_HASH_LENGTH + 1];
	} fields[MAX_FIELDS];
};

/* Begins a collection of the personal values of one note. */
OtPersonal *
ot_personal_begin(void)
{
	return palloc0(sizeof(OtPersonal));
}

/* Adds a value under a fresh salt; NULL adds nothing. */
void
ot_personal_add(OtPersonal *personal, const char *field, const Jsonb *value)
{
	StringInfoData bytes;
	uint8 hash[OT_HASH_LENGTH];
	int n = personal->count;

	if (value == NULL)
		return;
	Assert(n < MAX_FIELDS);
	personal->fields[n].field = field;
	personal->fields[n].value = value;
	if (!pg_strong_random(personal->fields[n].salt, SALT_LENGTH))
		ereport(ERROR, errcode(ERRCODE_INTERNAL_ERROR),
				errmsg("could not generate random salt"));

	initStringInfo(&bytes);
	appendBinaryStringInfo(&bytes, (char *) personal->fields[n].salt, SALT_LENGTH);
	appendStringInfoString(&bytes, ot_json_to_text(value));
	ot_sha256(bytes.data, bytes.len, hash);
	hex_encode((char *) hash, OT_HASH_LENGTH, personal->fields[n].hash);
	personal->count++;
}

/* Adds a text as a JSON string; NULL adds nothing. */
void
ot_personal_add_text(OtPersonal *personal, const char *field, const char *value)
{
	JsonbValue string;

	if (value == NULL)
		return;
	string.type = jbvString;
	string.val.string.val = unconstify(char *, value);
	string.val.string.len = strlen(value);
	ot_personal_add(personal, field, JsonbValueToJsonb(&string));
}

/* Adds the hashes to a note's data, under "personal". */
void
ot_personal_describe(const OtPersonal *personal, OtJson *json)
{
	if (personal->count == 0)
		return;
	ot_json_open(json, "personal");
	for (int i = 0; i < personal->count; i++)
		ot_json_add_text(json, personal->fields[i].field, personal->fields[i].hash);
	ot_json_close(json);
}

/* Stores salts and values for the note that holds the hashes. */
void
ot_personal_store(const OtPersonal *personal, int64 workspace, int64 order_id,
				  int32 note_no)
{
	for (int i = 0; i < personal->count; i++)
	{
		OtArgs args = {0};

		ot_arg_int8(&args, workspace);
		ot_arg_int8(&args, order_id);
		ot_arg_int4(&args, note_no);
		ot_arg_text(&args, personal->fields[i].field);
		ot_arg_bytes(&args, personal->fields[i].salt, SALT_LENGTH);
		ot_arg_jsonb(&args, personal->fields[i].value);
		ot_run(OT_PLAN_PERSONAL_INSERT, &args);
	}
}

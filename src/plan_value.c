/*
 * plan_value.c
 *		Parameters that go into a statement, and columns that come out of one.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "plan.h"

static Datum get_column(uint64 row, int column, bool *is_null);

/* Adds a parameter that is not NULL. */
void
ot_arg(OtArgs *args, Datum value)
{
	Assert(args->count < OT_MAX_ARGS);
	args->values[args->count] = value;
	args->nulls[args->count++] = ' ';
}

/* Adds NULL. */
void
ot_arg_null(OtArgs *args)
{
	Assert(args->count < OT_MAX_ARGS);
	args->values[args->count] = (Datum) 0;
	args->nulls[args->count++] = 'n';
}

/* Adds a bigint. */
void
ot_arg_int8(OtArgs *args, int64 value)
{
	ot_arg(args, Int64GetDatum(value));
}

/* Adds a bigint, or NULL where none is set. */
void
ot_arg_int8_or_null(OtArgs *args, bool is_set, int64 value)
{
	if (is_set)
		ot_arg_int8(args, value);
	else
		ot_arg_null(args);
}

/* Adds an id; 0, which no identity column gives, stands for NULL. */
void
ot_arg_id(OtArgs *args, int64 id)
{
	ot_arg_int8_or_null(args, id != 0, id);
}

/* Adds an integer. */
void
ot_arg_int4(OtArgs *args, int32 value)
{
	ot_arg(args, Int32GetDatum(value));
}

/* Adds a boolean. */
void
ot_arg_bool(OtArgs *args, bool value)
{
	ot_arg(args, BoolGetDatum(value));
}

/* Adds a text, or NULL. */
void
ot_arg_text(OtArgs *args, const char *value)
{
	if (value != NULL)
		ot_arg(args, CStringGetTextDatum(value));
	else
		ot_arg_null(args);
}

/* Adds a timestamptz. */
void
ot_arg_time(OtArgs *args, TimestampTz value)
{
	ot_arg(args, TimestampTzGetDatum(value));
}

/* Adds a jsonb, or NULL. */
void
ot_arg_jsonb(OtArgs *args, const Jsonb *value)
{
	if (value != NULL)
		ot_arg(args, PointerGetDatum(value));
	else
		ot_arg_null(args);
}

/* Adds a bytea. */
void
ot_arg_bytes(OtArgs *args, const uint8 *bytes, int length)
{
	ot_arg(args, PointerGetDatum(ot_bytes(bytes, length)));
}

/* Makes a bytea. */
bytea *
ot_bytes(const uint8 *bytes, int length)
{
	bytea *value = palloc(VARHDRSZ + length);

	SET_VARSIZE(value, VARHDRSZ + length);
	memcpy(VARDATA(value), bytes, length);
	return value;
}

static Datum
get_column(uint64 row, int column, bool *is_null)
{
	Assert(row < SPI_tuptable->numvals);
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, is_null);
}

bool
ot_is_null(uint64 row, int column)
{
	bool is_null;

	(void) get_column(row, column, &is_null);
	return is_null;
}

int64
ot_get_int8(uint64 row, int column)
{
	bool is_null;
	Datum value = get_column(row, column, &is_null);

	return is_null ? 0 : DatumGetInt64(value);
}

int32
ot_get_int4(uint64 row, int column)
{
	bool is_null;
	Datum value = get_column(row, column, &is_null);

	return is_null ? 0 : DatumGetInt32(value);
}

bool
ot_get_bool(uint64 row, int column)
{
	bool is_null;
	Datum value = get_column(row, column, &is_null);

	return is_null ? false : DatumGetBool(value);
}

char *
ot_get_text(uint64 row, int column)
{
	bool is_null;
	Datum value = get_column(row, column, &is_null);

	return is_null ? NULL : TextDatumGetCString(value);
}

TimestampTz
ot_get_time(uint64 row, int column, TimestampTz if_null)
{
	bool is_null;
	Datum value = get_column(row, column, &is_null);

	return is_null ? if_null : DatumGetTimestampTz(value);
}

Jsonb *
ot_get_jsonb(uint64 row, int column)
{
	bool is_null;
	Datum value = get_column(row, column, &is_null);

	return is_null ? NULL : DatumGetJsonbPCopy(value);
}

bytea *
ot_get_bytes(uint64 row, int column)
{
	bool is_null;
	Datum value = get_column(row, column, &is_null);

	return is_null ? NULL : DatumGetByteaPCopy(value);
}

void
ot_get_row(Datum *values, bool *nulls)
{
	ot_get_row_at(0, values, nulls);
}

void
ot_get_row_at(uint64 row, Datum *values, bool *nulls)
{
	heap_deform_tuple(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, values, nulls);
}

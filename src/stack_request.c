/*
 * stack_request.c
 *		Reads what is asked of a stack: what its codes share, and the codes.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"

#include "errcodes.h"
#include "stack.h"

/* Arguments that both functions begin with. */
enum
{
	CODES,
	CUSTOMER,
	ORDER_DATA,
	MODE,
	METADATA
};

static void read_codes(OtStack *stack, ArrayType *codes);
static void read_mode(OtStack *stack, FunctionCallInfo fcinfo);
static void hash_stack(OtStack *stack, FunctionCallInfo fcinfo);

/*
 * Reads what both functions have alike.  A request of its own checks what the
 * codes share, under a code that is right; then each code has a copy.
 */
void
ot_stack_read(OtStack *stack, FunctionCallInfo fcinfo)
{
	read_mode(stack, fcinfo);
	stack->request.function = "redeem_stack";
	ot_request_read(&stack->request, "stack", ot_text_or_null(fcinfo, CUSTOMER),
					ot_jsonb_or_null(fcinfo, ORDER_DATA),
					ot_jsonb_or_null(fcinfo, METADATA));
	if (stack->request.idempotency_key != NULL)
		hash_stack(stack, fcinfo);
	read_codes(stack, PG_ARGISNULL(CODES) ? NULL : PG_GETARG_ARRAYTYPE_P(CODES));
	stack->attempts = palloc0(sizeof(OtAttempt) * Max(stack->count, 1));
	stack->accepted = palloc0(sizeof(OtAttempt *) * Max(stack->count, 1));
	for (int i = 0; i < stack->count; i++)
		stack->attempts[i].request = &stack->requests[i];
}

static void
read_codes(OtStack *stack, ArrayType *codes)
{
	Datum *values;
	bool *nulls;
	int count;

	if (codes == NULL || ARR_NDIM(codes) != 1)
	{
		ot_request_blame(&stack->request, codes != NULL && ARR_NDIM(codes) > 1
											  ? "codes must be a list"
											  : "codes must not be empty");
		return;
	}
	deconstruct_array(codes, TEXTOID, -1, false, TYPALIGN_INT, &values, &nulls, &count);
	if (count > OT_MAX_CODES)
	{
		ot_request_blame(&stack->request, "a stack may have at most 30 codes");
		return;
	}
	stack->count = count;
	stack->requests = palloc(sizeof(OtRequest) * count);
	for (int i = 0; i < count; i++)
	{
		stack->requests[i] = stack->request;
		ot_request_code(&stack->requests[i],
						nulls[i] ? NULL : TextDatumGetCString(values[i]));
	}
}

static void
read_mode(OtStack *stack, FunctionCallInfo fcinfo)
{
	char *mode = ot_required_text_arg(fcinfo, MODE, "mode", OT_MAX_TEXT);

	stack->is_partial = strcmp(mode, "partial") == 0;
	if (!stack->is_partial && strcmp(mode, "all") != 0)
		ereport(ERROR, errcode(OT_ERRCODE_INVALID_ARGUMENT),
				errmsg("unknown mode \"%s\"", mode),
				errdetail("Modes are all and partial."));
}

/* The codes are hashed as an array is spelled, which tells NULL from a text. */
static void
hash_stack(OtStack *stack, FunctionCallInfo fcinfo)
{
	const char *fields[5];

	fields[0] = PG_ARGISNULL(CODES)
					? NULL
					: OidOutputFunctionCall(F_ARRAY_OUT, PG_GETARG_DATUM(CODES));
	fields[1] = ot_text_or_null(fcinfo, CUSTOMER);
	fields[2] =
		PG_ARGISNULL(ORDER_DATA) ? NULL : ot_json_to_text(PG_GETARG_JSONB_P(ORDER_DATA));
	fields[3] = stack->is_partial ? "partial" : "all";
	fields[4] =
		PG_ARGISNULL(METADATA) ? NULL : ot_json_to_text(PG_GETARG_JSONB_P(METADATA));
	ot_request_hash("redeem_stack", lengthof(fields), fields, stack->request.hash);
}

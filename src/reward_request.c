/*
 * reward_request.c
 *		Reads what is asked for when a reward is redeemed.  What is wrong with it
 *		is no error but the reason of a refusal, which is recorded.
 */
#include "postgres.h"

#include "plan.h"
#include "reward_redemption.h"

static void hash_request(OtRewardRequest *request, const Jsonb *shipping_address);
static char *spell(int64 number);
static void read_address(OtRewardRequest *request, Jsonb *shipping_address);
static void check_key(OtRewardRequest *request);
static void check_name(OtRewardRequest *request, char **text, const char *name,
					   int max_bytes);
static void blame(OtRewardRequest *request, const char *message);

/* Reads the arguments of redeem_reward. */
void
ot_reward_request_read(OtRewardRequest *request, FunctionCallInfo fcinfo)
{
	Jsonb *shipping_address = ot_jsonb_or_null(fcinfo, 5);

	request->reward = ot_text_or_null(fcinfo, 0);
	request->customer = ot_text_or_null(fcinfo, 1);
	request->has_quantity = !PG_ARGISNULL(2);
	request->quantity = request->has_quantity ? PG_GETARG_INT64(2) : 0;
	request->color = ot_text_or_null(fcinfo, 3);
	request->size = ot_text_or_null(fcinfo, 4);
	request->on_behalf_of = ot_text_or_null(fcinfo, 6);
	request->submitted_by = ot_text_or_null(fcinfo, 7);
	request->idempotency_key = ot_text_or_null(fcinfo, 8);
	request->channel = ot_text_or_null(fcinfo, 9);
	request->actor = ot_text_or_null(fcinfo, 10);
	request->base_order_id = PG_ARGISNULL(11) ? 0 : PG_GETARG_INT64(11);
	request->workspace = ot_workspace_arg(fcinfo, 12);
	if (request->idempotency_key != NULL)
		hash_request(request, shipping_address);
	ot_reward_request_check(request);
	read_address(request, shipping_address);
	check_key(request);
}

/* Hashes what was asked for, before it is cut; not channel, actor and time. */
static void
hash_request(OtRewardRequest *request, const Jsonb *shipping_address)
{
	const char *fields[9];

	fields[0] = request->reward;
	fields[1] = request->customer;
	fields[2] = request->has_quantity ? spell(request->quantity) : NULL;
	fields[3] = request->color;
	fields[4] = request->size;
	fields[5] = shipping_address == NULL ? NULL : ot_json_to_text(shipping_address);
	fields[6] = request->on_behalf_of;
	fields[7] = request->submitted_by;
	fields[8] = request->base_order_id == 0 ? NULL : spell(request->base_order_id);
	ot_request_hash(request->function, lengthof(fields), fields, request->hash);
}

static char *
spell(int64 number)
{
	return psprintf(INT64_FORMAT, number);
}

/* Checks what redeem_reward and can_redeem_reward have in common. */
void
ot_reward_request_check(OtRewardRequest *request)
{
	check_name(request, &request->reward, "reward", OT_MAX_TEXT);
	check_name(request, &request->customer, "customer", OT_MAX_KEY);
	if (!request->has_quantity)
		blame(request, "quantity must not be null");
	else if (request->quantity < 1 || request->quantity > OT_MAX_QUANTITY)
		blame(request, psprintf("quantity must be from 1 to %d", OT_MAX_QUANTITY));
	blame(request, ot_fit_text(&request->color, "color", OT_MAX_TEXT));
	blame(request, ot_fit_text(&request->size, "size", OT_MAX_TEXT));
	blame(request, ot_fit_text(&request->on_behalf_of, "on_behalf_of", OT_MAX_TEXT));
	blame(request, ot_fit_text(&request->submitted_by, "submitted_by", OT_MAX_TEXT));
	blame(request, ot_fit_text(&request->channel, "channel", OT_MAX_TEXT));
	blame(request, ot_fit_text(&request->actor, "actor", OT_MAX_TEXT));
}

static void
read_address(OtRewardRequest *request, Jsonb *shipping_address)
{
	if (shipping_address != NULL && !ot_json_is_object(shipping_address))
		blame(request, "shipping_address must be a JSON object");
	else if (shipping_address != NULL && VARSIZE(shipping_address) > OT_MAX_JSON)
		blame(request, "shipping_address is too long");
	else
		request->shipping_address = shipping_address;
}

/* A key that cannot be stored is none. */
static void
check_key(OtRewardRequest *request)
{
	const char *key = request->idempotency_key;

	if (key == NULL || (*key != '\0' && strlen(key) <= OT_MAX_KEY))
		return;
	blame(request, *key == '\0' ? "idempotency_key must not be empty"
								: "idempotency_key is too long");
	request->idempotency_key = NULL;
}

static void
check_name(OtRewardRequest *request, char **text, const char *name, int max_bytes)
{
	if (*text == NULL)
		blame(request, psprintf("%s must not be null", name));
	else if (**text == '\0')
		blame(request, psprintf("%s must not be empty", name));
	blame(request, ot_fit_text(text, name, max_bytes));
}

/* Says what is wrong with the input; the first reason stays, NULL is none. */
static void
blame(OtRewardRequest *request, const char *message)
{
	if (request->bad_message == NULL)
		request->bad_message = message;
}

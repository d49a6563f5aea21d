-- Stacks: several codes on one order, each on what the one before left.

CREATE FUNCTION ordertrack.validate_stack(
	codes text[],
	customer text DEFAULT NULL,
	order_data jsonb DEFAULT NULL,
	mode text DEFAULT 'all',
	metadata jsonb DEFAULT NULL,
	channel text DEFAULT NULL,
	actor text DEFAULT NULL,
	workspace bigint DEFAULT 1
) RETURNS SETOF ordertrack.redemption_outcome
LANGUAGE c STABLE PARALLEL SAFE SECURITY DEFINER ROWS 4
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'ordertrack_validate_stack';
COMMENT ON FUNCTION ordertrack.validate_stack(text[], text, jsonb, text, jsonb, text, text, bigint) IS
'what redeem_stack would answer now, without writing anything; arguments and errors as redeem_stack';

CREATE FUNCTION ordertrack.redeem_stack(
	codes text[],
	customer text DEFAULT NULL,
	order_data jsonb DEFAULT NULL,
	mode text DEFAULT 'all',
	metadata jsonb DEFAULT NULL,
	idempotency_key text DEFAULT NULL,
	channel text DEFAULT NULL,
	actor text DEFAULT NULL,
	workspace bigint DEFAULT 1
) RETURNS SETOF ordertrack.redemption_outcome
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER ROWS 4
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'ordertrack_redeem_stack';
COMMENT ON FUNCTION ordertrack.redeem_stack(text[], text, jsonb, text, jsonb, text, text, text, bigint) IS
'uses 1 to 30 codes on one order, in the given order, each on what the one before left; the first outcome is that of the stack, whose redemption_id rolls all of it back, then one for each code; mode all: one refused and nothing is applied (the others are stack_refused), partial: the good ones are applied; duplicated_codes where a code is given twice; other arguments and errors as redeem, OT005 unknown mode';

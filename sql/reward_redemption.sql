-- Redeeming rewards: points taken, a code given, an order made.

CREATE TYPE ordertrack.reward_outcome AS (
	redemption_id bigint,
	result text,
	failure_code text,
	failure_message text,
	order_id bigint,
	issued_reward_ids bigint[],
	codes text[],
	cost_in_points bigint,
	active_points bigint,
	points_missing bigint,
	replayed boolean
);
COMMENT ON TYPE ordertrack.reward_outcome IS 'the answer to one attempt to redeem a reward';
COMMENT ON COLUMN ordertrack.reward_outcome.redemption_id IS 'the attempt, NULL of a dry run';
COMMENT ON COLUMN ordertrack.reward_outcome.issued_reward_ids IS 'what the customer got, one for each unit';
COMMENT ON COLUMN ordertrack.reward_outcome.codes IS 'the code of each unit, NULL where the reward has none';
COMMENT ON COLUMN ordertrack.reward_outcome.cost_in_points IS 'points taken for all units, NULL on a refusal';
COMMENT ON COLUMN ordertrack.reward_outcome.active_points IS 'active points of the customer after it, NULL on a refusal';
COMMENT ON COLUMN ordertrack.reward_outcome.points_missing IS 'points that the customer has too few, where that is the reason';
COMMENT ON COLUMN ordertrack.reward_outcome.replayed IS 'true: the first answer to this idempotency key, given again';

CREATE FUNCTION ordertrack.redeem_reward(
	reward text,
	customer text,
	quantity bigint DEFAULT 1,
	color text DEFAULT NULL,
	size text DEFAULT NULL,
	shipping_address jsonb DEFAULT NULL,
	on_behalf_of text DEFAULT NULL,
	submitted_by text DEFAULT NULL,
	idempotency_key text DEFAULT NULL,
	channel text DEFAULT NULL,
	actor text DEFAULT NULL,
	base_order_id bigint DEFAULT NULL,
	workspace bigint DEFAULT 1
) RETURNS ordertrack.reward_outcome
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'ordertrack_redeem_reward';
COMMENT ON FUNCTION ordertrack.redeem_reward(text, text, bigint, text, text, jsonb, text, text, text, text, text, bigint, bigint) IS
'buys a reward (its name) with the points of a customer (source_id) and records the attempt, refused or not: takes points, stock, uses and codes, makes a paid order with value_in_points, and issues one row a unit; base_order_id is the order that a percentage_discount_code is computed from; the address is the customer''s unless one is given; refusals are answers with a failure_code; OT002 unknown workspace, OT003 key used for another request';

CREATE FUNCTION ordertrack.can_redeem_reward(
	reward text,
	customer text,
	quantity bigint DEFAULT 1,
	color text DEFAULT NULL,
	size text DEFAULT NULL,
	base_order_id bigint DEFAULT NULL,
	workspace bigint DEFAULT 1
) RETURNS ordertrack.reward_outcome
LANGUAGE c STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'ordertrack_can_redeem_reward';
COMMENT ON FUNCTION ordertrack.can_redeem_reward(text, text, bigint, text, text, bigint, bigint) IS
'what redeem_reward would answer now, without writing anything: for a button that is greyed out; arguments and errors as there';

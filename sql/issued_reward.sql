-- Issued rewards: what customers got, whether they used it, and its delivery.

CREATE TYPE ordertrack.issued_reward_outcome AS (
	issued_reward_id bigint,
	result text,
	failure_code text,
	failure_message text,
	used_at timestamptz,
	delivery_status text
);
COMMENT ON TYPE ordertrack.issued_reward_outcome IS 'the answer for one unit that was to be marked as used or unused; used_at and delivery_status as they are now';

CREATE FUNCTION ordertrack.mark_used(
	issued_reward_id bigint,
	channel text DEFAULT NULL,
	actor text DEFAULT NULL,
	workspace bigint DEFAULT 1
) RETURNS SETOF ordertrack.issued_reward_outcome
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER ROWS 1
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'ordertrack_mark_used';
COMMENT ON FUNCTION ordertrack.mark_used(bigint, text, text, bigint) IS
'marks a unit as used, which begins its delivery; a refusal is an answer: issued_reward_not_found, reward_canceled, already_used, reward_not_active, reward_expired; OT002 unknown workspace, OT005 NULL';

CREATE FUNCTION ordertrack.mark_used(
	issued_reward_ids bigint[],
	channel text DEFAULT NULL,
	actor text DEFAULT NULL,
	workspace bigint DEFAULT 1
) RETURNS SETOF ordertrack.issued_reward_outcome
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER ROWS 100
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'ordertrack_mark_used_array';
COMMENT ON FUNCTION ordertrack.mark_used(bigint[], text, text, bigint) IS
'marks units as used, each decided on its own, one answer for each in the order given; OT002 unknown workspace, OT005 NULL or more than 1,000';

CREATE FUNCTION ordertrack.unmark_used(
	issued_reward_id bigint,
	channel text DEFAULT NULL,
	actor text DEFAULT NULL,
	workspace bigint DEFAULT 1
) RETURNS SETOF ordertrack.issued_reward_outcome
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER ROWS 1
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'ordertrack_unmark_used';
COMMENT ON FUNCTION ordertrack.unmark_used(bigint, text, text, bigint) IS
'marks a unit as unused, while its delivery is still ordered; a refusal is an answer: issued_reward_not_found, reward_canceled, not_used, reward_not_active, delivery_started; OT002 unknown workspace, OT005 NULL';

CREATE FUNCTION ordertrack.unmark_used(
	issued_reward_ids bigint[],
	channel text DEFAULT NULL,
	actor text DEFAULT NULL,
	workspace bigint DEFAULT 1
) RETURNS SETOF ordertrack.issued_reward_outcome
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER ROWS 100
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'ordertrack_unmark_used_array';
COMMENT ON FUNCTION ordertrack.unmark_used(bigint[], text, text, bigint) IS
'marks units as unused, each decided on its own, one answer for each in the order given; OT002 unknown workspace, OT005 NULL or more than 1,000';

CREATE FUNCTION ordertrack.set_delivery_status(
	issued_reward_id bigint,
	status text,
	channel text DEFAULT NULL,
	actor text DEFAULT NULL,
	workspace bigint DEFAULT 1
) RETURNS text
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'ordertrack_set_delivery_status';
COMMENT ON FUNCTION ordertrack.set_delivery_status(bigint, text, text, text, bigint) IS
'moves the delivery of a used gift to a status and returns the previous one; the same status again does nothing; OT002 no such issued reward, OT005 unknown status, OT010 not used yet, no gift, or transition refused';

CREATE FUNCTION ordertrack.set_cashback_status(
	issued_reward_id bigint,
	code integer,
	detail_code text DEFAULT NULL,
	message text DEFAULT NULL,
	channel text DEFAULT NULL,
	actor text DEFAULT NULL,
	workspace bigint DEFAULT 1
) RETURNS text
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'ordertrack_set_cashback_status';
COMMENT ON FUNCTION ordertrack.set_cashback_status(bigint, integer, text, text, text, text, bigint) IS
'sets what the payment provider says of a cashback and returns what it said before, "code: detail_code: message"; code is 0 (started, both default to INIT), 1 (paid), 2 (failed) or 3 (pending), 2 and 3 need both; the same again does nothing; OT002 no such issued reward, OT005 invalid argument or no cashback, OT010 canceled';

-- BEFORE trigger of issued_rewards.
CREATE FUNCTION ordertrack.issued_rewards_guard_status() RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'ordertrack_issued_rewards_guard_status';
COMMENT ON FUNCTION ordertrack.issued_rewards_guard_status() IS
'trigger: refuses a use, a delivery or a cashback that may not change so (OT010) and a cancellation that no rollback makes (OT020)';

-- AFTER trigger of issued_rewards.
CREATE FUNCTION ordertrack.issued_rewards_write_history() RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'ordertrack_issued_rewards_write_history';
COMMENT ON FUNCTION ordertrack.issued_rewards_write_history() IS
'trigger: writes the system notes of a change into the history of the unit''s order';

CREATE FUNCTION ordertrack.setup_issued_rewards() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $setup$
BEGIN
	CREATE DOMAIN ordertrack.delivery_status AS text
		CONSTRAINT delivery_status_check CHECK (VALUE IN ('ordered', 'shipped', 'delivered', 'canceled'));
	COMMENT ON DOMAIN ordertrack.delivery_status IS 'the statuses of a delivery; status_transitions says which may follow which';

	-- No foreign keys, as redemptions have none. One row is one unit.
	CREATE TABLE ordertrack.issued_rewards (
		workspace_id bigint NOT NULL,
		issued_reward_id bigint GENERATED BY DEFAULT AS IDENTITY,
		redemption_id bigint NOT NULL,
		reward_id bigint NOT NULL,
		customer_id bigint NOT NULL,
		order_id bigint NOT NULL,
		reward_type ordertrack.reward_type NOT NULL,
		code text COLLATE "C",
		color text COLLATE "C",
		size text COLLATE "C",
		cost_in_points ordertrack.counter NOT NULL,
		active_points ordertrack.counter NOT NULL,
		tax_value ordertrack.minor_units,
		value ordertrack.minor_units,
		active_from timestamptz NOT NULL,
		expires_at timestamptz,
		canceled_at timestamptz,
		used_at timestamptz,
		delivery_status ordertrack.delivery_status,
		cashback_code integer,
		cashback_detail_code text,
		cashback_message text,
		created_at timestamptz NOT NULL,
		CONSTRAINT issued_rewards_pkey PRIMARY KEY (workspace_id, issued_reward_id),
		CONSTRAINT issued_rewards_used_at_check CHECK ((used_at IS NULL) = (delivery_status IS NULL)),
		CONSTRAINT issued_rewards_cashback_check CHECK ((reward_type = 'cashback') = (cashback_code IS NOT NULL))
	) WITH (fillfactor = 85);
	CREATE INDEX issued_rewards_created_at_idx ON ordertrack.issued_rewards
		(workspace_id, created_at, issued_reward_id);
	CREATE INDEX issued_rewards_used_at_idx ON ordertrack.issued_rewards
		(workspace_id, used_at, issued_reward_id) WHERE used_at IS NOT NULL;
	CREATE INDEX issued_rewards_delivery_status_idx ON ordertrack.issued_rewards
		(workspace_id, delivery_status, created_at, issued_reward_id) WHERE delivery_status IS NOT NULL;
	CREATE INDEX issued_rewards_customer_id_idx ON ordertrack.issued_rewards
		(workspace_id, customer_id, created_at, issued_reward_id);
	CREATE INDEX issued_rewards_reward_id_idx ON ordertrack.issued_rewards
		(workspace_id, reward_id, created_at, issued_reward_id);
	CREATE INDEX issued_rewards_redemption_id_idx ON ordertrack.issued_rewards
		(workspace_id, redemption_id, issued_reward_id);
	COMMENT ON TABLE ordertrack.issued_rewards IS 'rewards that customers got, one row a unit';
	COMMENT ON COLUMN ordertrack.issued_rewards.redemption_id IS 'the redemption that issued it';
	COMMENT ON COLUMN ordertrack.issued_rewards.code IS 'the code that the customer got, NULL where the reward has none';
	COMMENT ON COLUMN ordertrack.issued_rewards.cost_in_points IS 'points that the customer paid for this unit';
	COMMENT ON COLUMN ordertrack.issued_rewards.value IS 'of a percentage_discount_code or cashback: what it is worth, in minor units';
	COMMENT ON COLUMN ordertrack.issued_rewards.expires_at IS 'first moment at which it can no longer be used, unless it was used before; NULL is never';
	COMMENT ON COLUMN ordertrack.issued_rewards.canceled_at IS 'when its redemption was rolled back';
END
$setup$;
COMMENT ON FUNCTION ordertrack.setup_issued_rewards() IS 'step 17 of setup(): table issued_rewards';

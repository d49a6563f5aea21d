-- Rewards: a catalog of what points can buy, with its codes and its stock.

CREATE FUNCTION ordertrack.create_reward(
	name text,
	type text,
	cost_in_points bigint,
	tax_value bigint DEFAULT NULL,
	percent_off numeric DEFAULT NULL,
	point_value bigint DEFAULT NULL,
	data_source text DEFAULT NULL,
	starts_at timestamptz DEFAULT NULL,
	expires_at timestamptz DEFAULT NULL,
	visible_from timestamptz DEFAULT NULL,
	visible_until timestamptz DEFAULT NULL,
	segments text[] DEFAULT NULL,
	redemption_limit bigint DEFAULT NULL,
	customer_limit bigint DEFAULT NULL,
	stock jsonb DEFAULT NULL,
	days_inactive integer DEFAULT 0,
	days_valid integer DEFAULT NULL,
	code_source text DEFAULT NULL,
	shared_code text DEFAULT NULL,
	is_active boolean DEFAULT true,
	metadata jsonb DEFAULT NULL,
	workspace bigint DEFAULT 1
) RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'ordertrack_create_reward';
COMMENT ON FUNCTION ordertrack.create_reward(text, text, bigint, bigint, numeric, bigint, text, timestamptz, timestamptz, timestamptz, timestamptz, text[], bigint, bigint, jsonb, integer, integer, text, text, boolean, jsonb, bigint) IS
'makes a reward that points can buy and returns its reward_id: type is percentage_discount_code (with percent_off), cashback (with point_value, what a point is worth in minor units), discount_code, free_delivery, gift, event_invitation, value_code or custom_campaign; cost_in_points and tax_value (minor units) are of one unit; limits count units, NULL is no limit; stock is a number or [{"color":"red","size":"M","stock":5}], NULL keeps none; code_source is generated, pool (filled by add_reward_codes), shared (with shared_code) or none; OT002 unknown workspace or segment, OT004 name taken, OT005 invalid argument or one that the type doesn''t have';

CREATE FUNCTION ordertrack.update_reward(
	name text,
	cost_in_points bigint DEFAULT NULL,
	tax_value bigint DEFAULT NULL,
	starts_at timestamptz DEFAULT NULL,
	expires_at timestamptz DEFAULT NULL,
	visible_from timestamptz DEFAULT NULL,
	visible_until timestamptz DEFAULT NULL,
	redemption_limit bigint DEFAULT NULL,
	customer_limit bigint DEFAULT NULL,
	days_inactive integer DEFAULT NULL,
	days_valid integer DEFAULT NULL,
	is_active boolean DEFAULT NULL,
	metadata jsonb DEFAULT NULL,
	clear text[] DEFAULT '{}',
	workspace bigint DEFAULT 1
) RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'ordertrack_update_reward';
COMMENT ON FUNCTION ordertrack.update_reward(text, bigint, bigint, timestamptz, timestamptz, timestamptz, timestamptz, bigint, bigint, integer, integer, boolean, jsonb, text[], bigint) IS
'changes what is passed and empties the fields that clear names (tax_value, dates, limits, days_valid, metadata); units that were issued keep what they cost and how long they are valid; a limit counts what was issued before it was set; OT002 no such reward, OT005 invalid argument or a limit below the uses, 25000 a first limit in REPEATABLE READ or SERIALIZABLE';

CREATE FUNCTION ordertrack.add_reward_codes(
	reward text,
	codes text[],
	workspace bigint DEFAULT 1
) RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'ordertrack_add_reward_codes';
COMMENT ON FUNCTION ordertrack.add_reward_codes(text, text[], bigint) IS
'adds codes, at most 100000, to a reward whose code_source is pool, to be issued in this order, and returns how many of them are new; those that are there stay as they are; OT002 no such reward, OT005 invalid argument or no pool';

CREATE FUNCTION ordertrack.add_reward_stock(
	reward text,
	quantity bigint,
	color text DEFAULT NULL,
	size text DEFAULT NULL,
	workspace bigint DEFAULT 1
) RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'ordertrack_add_reward_stock';
COMMENT ON FUNCTION ordertrack.add_reward_stock(text, bigint, text, text, bigint) IS
'adds units to what is in stock of a variant, or takes some away where quantity is negative, and returns what there is then; makes a variant that is new; OT002 no such reward, OT005 invalid argument, no stock is kept, or less than 0 would be left';

CREATE FUNCTION ordertrack.setup_rewards() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $setup$
BEGIN
	CREATE DOMAIN ordertrack.reward_type AS text
		CONSTRAINT reward_type_check CHECK (VALUE IN ('percentage_discount_code', 'cashback',
			'discount_code', 'free_delivery', 'gift', 'event_invitation', 'value_code',
			'custom_campaign'));
	COMMENT ON DOMAIN ordertrack.reward_type IS 'what a reward is';
	CREATE DOMAIN ordertrack.code_source AS text
		CONSTRAINT code_source_check CHECK (VALUE IN ('generated', 'pool', 'shared', 'none'));
	COMMENT ON DOMAIN ordertrack.code_source IS 'where the codes of a reward come from: generated for each, a pool of added ones, one shared by all, or none';

	CREATE TABLE ordertrack.rewards (
		workspace_id bigint NOT NULL REFERENCES ordertrack.workspaces,
		reward_id bigint GENERATED BY DEFAULT AS IDENTITY,
		name text COLLATE "C" NOT NULL,
		type ordertrack.reward_type NOT NULL,
		cost_in_points ordertrack.counter NOT NULL,
		tax_value ordertrack.minor_units,
		percent_off numeric
			CONSTRAINT rewards_percent_off_check CHECK (percent_off > 0 AND percent_off <= 100),
		point_value ordertrack.positive,
		data_source text,
		is_active boolean NOT NULL DEFAULT true,
		starts_at timestamptz,
		expires_at timestamptz,
		visible_from timestamptz,
		visible_until timestamptz,
		redemption_limit ordertrack.positive,
		redeemed_count ordertrack.counter
			CONSTRAINT rewards_redeemed_count_check CHECK (redeemed_count <= redemption_limit),
		customer_limit ordertrack.positive,
		is_stocked boolean NOT NULL DEFAULT false,
		segment_count integer NOT NULL DEFAULT 0,
		days_inactive integer NOT NULL DEFAULT 0
			CONSTRAINT rewards_days_inactive_check CHECK (days_inactive >= 0),
		days_valid integer
			CONSTRAINT rewards_days_valid_check CHECK (days_valid > 0),
		code_source ordertrack.code_source NOT NULL,
		shared_code text COLLATE "C",
		metadata ordertrack.json_object,
		created_at timestamptz NOT NULL DEFAULT now(),
		updated_at timestamptz NOT NULL DEFAULT now(),
		CONSTRAINT rewards_pkey PRIMARY KEY (workspace_id, reward_id),
		CONSTRAINT rewards_workspace_id_name_key UNIQUE (workspace_id, name),
		CONSTRAINT rewards_counted_check CHECK ((redemption_limit IS NULL) = (redeemed_count IS NULL)),
		CONSTRAINT rewards_percentage_check
			CHECK ((type = 'percentage_discount_code') = (percent_off IS NOT NULL)),
		CONSTRAINT rewards_cashback_check CHECK ((type = 'cashback') = (point_value IS NOT NULL)),
		CONSTRAINT rewards_shared_code_check CHECK ((code_source = 'shared') = (shared_code IS NOT NULL)),
		CONSTRAINT rewards_dates_check CHECK (starts_at < expires_at),
		CONSTRAINT rewards_visible_check CHECK (visible_from < visible_until)
	) WITH (fillfactor = 85);
	COMMENT ON TABLE ordertrack.rewards IS 'what points can buy';
	COMMENT ON COLUMN ordertrack.rewards.type IS 'percentage_discount_code, cashback, discount_code, free_delivery, gift, event_invitation, value_code or custom_campaign';
	COMMENT ON COLUMN ordertrack.rewards.percent_off IS 'of a percentage_discount_code: percent of an order that its code is worth';
	COMMENT ON COLUMN ordertrack.rewards.point_value IS 'of a cashback: what a point is worth, in minor units';
	COMMENT ON COLUMN ordertrack.rewards.data_source IS 'the catalog that it is in';
	COMMENT ON COLUMN ordertrack.rewards.is_active IS 'false: refused as reward_not_active';
	COMMENT ON COLUMN ordertrack.rewards.redemption_limit IS 'most units that are issued and not rolled back, NULL is no limit';
	COMMENT ON COLUMN ordertrack.rewards.redeemed_count IS 'units issued and not rolled back, NULL where no limit counts them';
	COMMENT ON COLUMN ordertrack.rewards.customer_limit IS 'most units of one customer, NULL is no limit';
	COMMENT ON COLUMN ordertrack.rewards.segment_count IS 'number of segments of which a customer must be in one, 0 is for everybody';

	CREATE TABLE ordertrack.reward_segments (
		workspace_id bigint NOT NULL,
		reward_id bigint NOT NULL,
		segment_id bigint NOT NULL,
		created_at timestamptz NOT NULL DEFAULT now(),
		CONSTRAINT reward_segments_pkey PRIMARY KEY (workspace_id, reward_id, segment_id)
	);
	COMMENT ON TABLE ordertrack.reward_segments IS 'the segments that a reward is for: a customer in one of them may redeem it';

	CREATE TABLE ordertrack.reward_customers (
		workspace_id bigint NOT NULL,
		reward_id bigint NOT NULL,
		customer_id bigint NOT NULL,
		used ordertrack.counter NOT NULL,
		created_at timestamptz NOT NULL DEFAULT now(),
		CONSTRAINT reward_customers_pkey PRIMARY KEY (workspace_id, reward_id, customer_id)
	) WITH (fillfactor = 85);
	COMMENT ON TABLE ordertrack.reward_customers IS 'units of a reward by customer, only where there is a limit per customer';
	COMMENT ON COLUMN ordertrack.reward_customers.used IS 'units issued and not rolled back';

	CREATE TABLE ordertrack.reward_variants (
		workspace_id bigint NOT NULL,
		reward_id bigint NOT NULL,
		color text COLLATE "C" NOT NULL DEFAULT '',
		size text COLLATE "C" NOT NULL DEFAULT '',
		stock ordertrack.counter NOT NULL,
		created_at timestamptz NOT NULL DEFAULT now(),
		updated_at timestamptz NOT NULL DEFAULT now(),
		CONSTRAINT reward_variants_pkey PRIMARY KEY (workspace_id, reward_id, color, size)
	) WITH (fillfactor = 85);
	COMMENT ON TABLE ordertrack.reward_variants IS 'what is in stock of a reward, by color and size';
	COMMENT ON COLUMN ordertrack.reward_variants.color IS 'color, empty for none';
	COMMENT ON COLUMN ordertrack.reward_variants.size IS 'size, empty for none';

	CREATE TABLE ordertrack.reward_codes (
		workspace_id bigint NOT NULL,
		reward_id bigint NOT NULL,
		code text COLLATE "C" NOT NULL,
		code_no bigint GENERATED BY DEFAULT AS IDENTITY,
		issued_at timestamptz,
		created_at timestamptz NOT NULL DEFAULT now(),
		CONSTRAINT reward_codes_pkey PRIMARY KEY (workspace_id, reward_id, code)
	) WITH (fillfactor = 85);
	CREATE INDEX reward_codes_free_idx ON ordertrack.reward_codes
		(workspace_id, reward_id, code_no) WHERE issued_at IS NULL;
	COMMENT ON TABLE ordertrack.reward_codes IS 'the codes of rewards with a pool, each issued once';
	COMMENT ON COLUMN ordertrack.reward_codes.code_no IS 'the order in which they are issued';
	COMMENT ON COLUMN ordertrack.reward_codes.issued_at IS 'when it was issued, NULL while it is free';
END
$setup$;
COMMENT ON FUNCTION ordertrack.setup_rewards() IS 'step 16 of setup(): tables rewards, reward_segments, reward_customers, reward_variants, reward_codes';

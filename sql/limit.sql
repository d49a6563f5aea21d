-- Limits: counters of vouchers and campaigns that are not columns of theirs.

CREATE FUNCTION ordertrack.setup_limits() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $setup$
BEGIN
	CREATE DOMAIN ordertrack.limited_entity AS text
		CONSTRAINT limited_entity_check CHECK (VALUE IN ('voucher', 'campaign'));
	COMMENT ON DOMAIN ordertrack.limited_entity IS 'voucher or campaign';
	CREATE DOMAIN ordertrack.limit_period AS text
		CONSTRAINT limit_period_check CHECK (VALUE IN ('day', 'week', 'month'));
	COMMENT ON DOMAIN ordertrack.limit_period IS 'day, week (from Monday) or month';

	CREATE TABLE ordertrack.period_counts (
		workspace_id bigint NOT NULL,
		entity ordertrack.limited_entity NOT NULL,
		entity_id bigint NOT NULL,
		period ordertrack.limit_period NOT NULL,
		starts_on date NOT NULL,
		customer_id bigint NOT NULL,
		used ordertrack.counter NOT NULL,
		created_at timestamptz NOT NULL DEFAULT now(),
		CONSTRAINT period_counts_pkey
			PRIMARY KEY (workspace_id, entity, entity_id, period, starts_on, customer_id)
	) WITH (fillfactor = 85);
	COMMENT ON TABLE ordertrack.period_counts IS 'live redemptions and reservations made in a calendar period, counted only while a limit per day, week or month is set; rows of periods that are over may be deleted';
	COMMENT ON COLUMN ordertrack.period_counts.customer_id IS 'the customer, 0 for all customers together';

	-- Mostly free pages: each stripe is updated often, by a session of its own.
	CREATE TABLE ordertrack.limit_stripes (
		workspace_id bigint NOT NULL,
		entity ordertrack.limited_entity NOT NULL,
		entity_id bigint NOT NULL,
		stripe_no integer NOT NULL,
		uses_left ordertrack.counter NOT NULL,
		created_at timestamptz NOT NULL DEFAULT now(),
		CONSTRAINT limit_stripes_pkey PRIMARY KEY (workspace_id, entity, entity_id, stripe_no)
	) WITH (fillfactor = 10);
	COMMENT ON TABLE ordertrack.limit_stripes IS 'uses dealt out of a redemption_limit for which sessions queued; what is used is redeemed_count less what is left here';
END
$setup$;
COMMENT ON FUNCTION ordertrack.setup_limits() IS 'step 11 of setup(): tables period_counts, limit_stripes';

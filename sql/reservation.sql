-- Reservations: a use that is held for its caller, until it is redeemed,
-- released, or its time is over.

CREATE TYPE ordertrack.reservation_outcome AS (
	reservation_key text,
	expires_at timestamptz,
	result text,
	failure_code text,
	failure_message text,
	order_id bigint,
	amount bigint,
	discount_amount bigint,
	total_amount bigint,
	gift_balance bigint,
	replayed boolean
);
COMMENT ON TYPE ordertrack.reservation_outcome IS 'the answer to a reservation; amounts in minor units, as redeem would answer now';
COMMENT ON COLUMN ordertrack.reservation_outcome.expires_at IS 'first moment at which it no longer holds anything';
COMMENT ON COLUMN ordertrack.reservation_outcome.amount IS 'credits held of a gift card, the order''s amount for a discount';
COMMENT ON COLUMN ordertrack.reservation_outcome.total_amount IS 'what the order would still have to pay';
COMMENT ON COLUMN ordertrack.reservation_outcome.replayed IS 'true: the first answer to this idempotency key, given again';

CREATE FUNCTION ordertrack.reserve(
	code text,
	customer text DEFAULT NULL,
	order_data jsonb DEFAULT NULL,
	amount bigint DEFAULT NULL,
	hold interval DEFAULT '15 minutes',
	metadata jsonb DEFAULT NULL,
	idempotency_key text DEFAULT NULL,
	channel text DEFAULT NULL,
	actor text DEFAULT NULL,
	workspace bigint DEFAULT 1
) RETURNS ordertrack.reservation_outcome
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'ordertrack_reserve';
COMMENT ON FUNCTION ordertrack.reserve(text, text, jsonb, bigint, interval, jsonb, text, text, text, bigint) IS
'holds a use of a code, with its gift credits and its part of budgets, against everybody but who passes the reservation_key to redeem; it ends by itself after hold, at most 30 days; decided as by redeem, a refusal changes nothing, and the order is neither made nor changed; OT002 unknown workspace, OT003 key used for another request, OT005 hold out of range';

CREATE FUNCTION ordertrack.release_reservation(
	reservation_key text,
	workspace bigint DEFAULT 1
) RETURNS boolean
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'ordertrack_release_reservation';
COMMENT ON FUNCTION ordertrack.release_reservation(text, bigint) IS
'gives up what a reservation holds: true where it was live, false where it had ended before; OT002 no such workspace or reservation';

CREATE FUNCTION ordertrack.setup_reservations() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $setup$
BEGIN
	CREATE DOMAIN ordertrack.reservation_status AS text
		CONSTRAINT reservation_status_check CHECK (VALUE IN ('live', 'redeemed', 'released'));
	COMMENT ON DOMAIN ordertrack.reservation_status IS 'how a reservation ended, live also where only its time is over';

	-- No foreign keys, as redemptions have none.
	CREATE TABLE ordertrack.reservations (
		workspace_id bigint NOT NULL,
		reservation_key text COLLATE "C" NOT NULL,
		status ordertrack.reservation_status NOT NULL,
		code text COLLATE "C" NOT NULL,
		voucher_id bigint NOT NULL,
		campaign_id bigint,
		customer_id bigint,
		customer text COLLATE "C",
		order_id bigint,
		amount ordertrack.minor_units NOT NULL,
		order_amount ordertrack.minor_units NOT NULL,
		discount_amount ordertrack.minor_units NOT NULL,
		total_amount ordertrack.minor_units NOT NULL,
		gift_balance ordertrack.minor_units,
		holds_voucher boolean NOT NULL,
		holds_campaign boolean NOT NULL,
		expires_at timestamptz NOT NULL,
		ended_at timestamptz,
		redemption_id bigint,
		reserved_by text NOT NULL,
		actor text,
		channel text,
		metadata ordertrack.json_object,
		created_at timestamptz NOT NULL,
		CONSTRAINT reservations_pkey PRIMARY KEY (workspace_id, reservation_key),
		CONSTRAINT reservations_redemption_id_check
			CHECK ((status = 'redeemed') = (redemption_id IS NOT NULL))
	) WITH (fillfactor = 85);
	CREATE INDEX reservations_voucher_id_idx ON ordertrack.reservations
		(workspace_id, voucher_id, expires_at) WHERE holds_voucher;
	CREATE INDEX reservations_campaign_id_idx ON ordertrack.reservations
		(workspace_id, campaign_id, expires_at) WHERE holds_campaign;
	CREATE INDEX reservations_created_at_idx ON ordertrack.reservations
		(workspace_id, created_at, reservation_key);
	COMMENT ON TABLE ordertrack.reservations IS 'uses that were held; rows that hold nothing any more may be deleted, with the idempotency keys that name them';
	COMMENT ON COLUMN ordertrack.reservations.status IS 'live, redeemed or released; one that is live is over at expires_at';
	COMMENT ON COLUMN ordertrack.reservations.amount IS 'value held in minor units: credits or discount';
	COMMENT ON COLUMN ordertrack.reservations.discount_amount IS 'what the order''s discount would have been, in minor units';
	COMMENT ON COLUMN ordertrack.reservations.total_amount IS 'what the order would still have had to pay, in minor units';
	COMMENT ON COLUMN ordertrack.reservations.gift_balance IS 'what was left on the gift card, in minor units';
	COMMENT ON COLUMN ordertrack.reservations.expires_at IS 'first moment at which it counts for nobody';
	COMMENT ON COLUMN ordertrack.reservations.redemption_id IS 'the redemption that used it';
END
$setup$;
COMMENT ON FUNCTION ordertrack.setup_reservations() IS 'step 14 of setup(): table reservations';

-- Domains: what one column may hold. Not CHECKs of the tables, because those are
-- parsed again by every statement that writes a row (measured: 120 of 450 us of a
-- redemption), while a domain's are kept ready in the session.

CREATE FUNCTION ordertrack.setup_domains() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $setup$
BEGIN
	CREATE DOMAIN ordertrack.minor_units AS bigint
		CONSTRAINT minor_units_check CHECK (VALUE >= 0);
	COMMENT ON DOMAIN ordertrack.minor_units IS 'an amount of money in minor units (cents), never negative';
	CREATE DOMAIN ordertrack.counter AS bigint
		CONSTRAINT counter_check CHECK (VALUE >= 0);
	COMMENT ON DOMAIN ordertrack.counter IS 'a number of uses, orders or points, never negative';
	CREATE DOMAIN ordertrack.positive AS bigint
		CONSTRAINT positive_check CHECK (VALUE > 0);
	COMMENT ON DOMAIN ordertrack.positive IS 'a limit or a quantity, at least 1';
	CREATE DOMAIN ordertrack.json_object AS jsonb
		CONSTRAINT json_object_check CHECK (jsonb_typeof(VALUE) = 'object');
	COMMENT ON DOMAIN ordertrack.json_object IS 'a JSON object';
	CREATE DOMAIN ordertrack.json_array AS jsonb
		CONSTRAINT json_array_check CHECK (jsonb_typeof(VALUE) = 'array');
	COMMENT ON DOMAIN ordertrack.json_array IS 'a JSON array';

	CREATE DOMAIN ordertrack.voucher_kind AS text
		CONSTRAINT voucher_kind_check CHECK (VALUE IN ('discount', 'gift'));
	COMMENT ON DOMAIN ordertrack.voucher_kind IS 'discount or gift';
	CREATE DOMAIN ordertrack.order_status AS text
		CONSTRAINT order_status_check CHECK (VALUE IN ('created', 'paid', 'fulfilled', 'in_progress',
			'partially_shipped', 'completed', 'on_hold', 'awaiting_exchange', 'canceled'));
	COMMENT ON DOMAIN ordertrack.order_status IS 'the statuses of an order; status_transitions says which may follow which';
	CREATE DOMAIN ordertrack.note_type AS text
		CONSTRAINT note_type_check CHECK (VALUE IN ('system', 'custom'));
	COMMENT ON DOMAIN ordertrack.note_type IS 'system (by ordertrack, for ever unchanged) or custom (by people)';
	CREATE DOMAIN ordertrack.redemption_kind AS text
		CONSTRAINT redemption_kind_check CHECK (VALUE IN ('redemption', 'rollback', 'stack'));
	COMMENT ON DOMAIN ordertrack.redemption_kind IS 'redemption, rollback, or stack: several codes on one order';
	CREATE DOMAIN ordertrack.redemption_result AS text
		CONSTRAINT redemption_result_check CHECK (VALUE IN ('success', 'failure'));
	COMMENT ON DOMAIN ordertrack.redemption_result IS 'success or failure';
END
$setup$;
COMMENT ON FUNCTION ordertrack.setup_domains() IS 'step 1 of setup(): domains';

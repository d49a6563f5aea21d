-- What redemptions gave on the lines of orders, for discounts that work on lines.

CREATE FUNCTION ordertrack.setup_redemption_items() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $setup$
BEGIN
	-- The key is for the sum of a line; a redemption has one order, so it finds
	-- its rows by it as well.
	CREATE TABLE ordertrack.redemption_items (
		workspace_id bigint NOT NULL,
		order_id bigint NOT NULL,
		line_no integer NOT NULL,
		redemption_id bigint NOT NULL,
		quantity bigint NOT NULL,
		amount bigint NOT NULL,
		discount_amount bigint NOT NULL,
		created_at timestamptz NOT NULL DEFAULT now(),
		CONSTRAINT redemption_items_pkey PRIMARY KEY (workspace_id, order_id, line_no, redemption_id)
	);
	COMMENT ON TABLE ordertrack.redemption_items IS 'what a redemption gave on each line of its order, append-only; a rollback has rows of its own, below 0, so that the sum is what is live';
	COMMENT ON COLUMN ordertrack.redemption_items.redemption_id IS 'the redemption or the rollback';
	COMMENT ON COLUMN ordertrack.redemption_items.quantity IS 'free units that it added, taken away below 0';
	COMMENT ON COLUMN ordertrack.redemption_items.amount IS 'amount of those units in minor units, which discount_amount has in it as well';
	COMMENT ON COLUMN ordertrack.redemption_items.discount_amount IS 'discount that it gave on the line in minor units, taken back below 0';
END
$setup$;
COMMENT ON FUNCTION ordertrack.setup_redemption_items() IS 'step 10 of setup(): table redemption_items';

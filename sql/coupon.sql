-- Coupons and manual discounts of stored orders.

CREATE FUNCTION ordertrack.add_coupon(
	order_id bigint,
	code text,
	amount bigint DEFAULT NULL,
	metadata jsonb DEFAULT NULL,
	idempotency_key text DEFAULT NULL,
	channel text DEFAULT NULL,
	actor text DEFAULT NULL,
	workspace bigint DEFAULT 1
) RETURNS ordertrack.redemption_outcome
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'ordertrack_add_coupon';
COMMENT ON FUNCTION ordertrack.add_coupon(bigint, text, bigint, jsonb, text, text, text, bigint) IS
'uses a code on a stored order for the order''s own customer, as redeem does, but leaves its status as it is, but makes an order paid whose payments reach what is left to pay; amount is the gift credits to spend in minor units; refusals are answers with a failure_code; OT001 no such order, OT002 unknown workspace, OT003 key used for another request, OT005 order_id is null';

CREATE FUNCTION ordertrack.remove_coupon(
	order_id bigint,
	code text,
	reason text DEFAULT NULL,
	idempotency_key text DEFAULT NULL,
	channel text DEFAULT NULL,
	actor text DEFAULT NULL,
	workspace bigint DEFAULT 1
) RETURNS ordertrack.redemption_outcome
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'ordertrack_remove_coupon';
COMMENT ON FUNCTION ordertrack.remove_coupon(bigint, text, text, text, text, text, bigint) IS
'rolls back the newest live redemption of a code on an order, all of it, and leaves the order''s status as it is, but completes one of which all that is left was shipped; refusals are answers: redemption_not_found, part_of_stack, items_shipped, invalid_input; OT001 no such order, OT002, OT003, OT005 as add_coupon';

CREATE FUNCTION ordertrack.set_manual_discount(
	order_id bigint,
	amount bigint,
	reason text DEFAULT NULL,
	channel text DEFAULT NULL,
	actor text DEFAULT NULL,
	workspace bigint DEFAULT 1
) RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'ordertrack_set_manual_discount';
COMMENT ON FUNCTION ordertrack.set_manual_discount(bigint, bigint, text, text, text, bigint) IS
'replaces the manual discount of an order, in minor units, and returns the previous one; 0 takes it away, the same again does nothing; a reason becomes a custom note; OT001 no such order, OT002 unknown workspace, OT005 invalid argument or more than is left to pay, 55000 an order whose status takes none';

CREATE FUNCTION ordertrack.guard_change() RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ordertrack_guard_change';
COMMENT ON FUNCTION ordertrack.guard_change() IS
'trigger: refuses a change of a row that no function of the extension announced (OT020)';

CREATE FUNCTION ordertrack.setup_coupons() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $setup$
BEGIN
	-- A table of its own: most orders have none, and the row of an order is hot.
	CREATE TABLE ordertrack.manual_discounts (
		workspace_id bigint NOT NULL,
		order_id bigint NOT NULL,
		amount ordertrack.minor_units NOT NULL,
		reason text,
		created_at timestamptz NOT NULL,
		updated_at timestamptz NOT NULL,
		CONSTRAINT manual_discounts_pkey PRIMARY KEY (workspace_id, order_id)
	);
	COMMENT ON TABLE ordertrack.manual_discounts IS 'what was taken off orders by hand, which their discount_amount has in it as well';
	COMMENT ON COLUMN ordertrack.manual_discounts.amount IS 'in minor units; 0 where it was taken away again';
END
$setup$;
COMMENT ON FUNCTION ordertrack.setup_coupons() IS 'step 21 of setup(): table manual_discounts';

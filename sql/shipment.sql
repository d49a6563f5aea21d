-- Shipments: the lines of an order on their way, in one piece or in many.

CREATE TYPE ordertrack.shipment_outcome AS (
	shipment_id bigint,
	result text,
	failure_code text,
	failure_message text,
	previous_status text,
	status text
);
COMMENT ON TYPE ordertrack.shipment_outcome IS 'the answer for one shipment that was to be moved: the status that it had and the one that it has';

CREATE FUNCTION ordertrack.create_shipment(
	order_id bigint,
	items jsonb DEFAULT NULL,
	status text DEFAULT 'inventory_assigned',
	carrier text DEFAULT NULL,
	tracking_number text DEFAULT NULL,
	idempotency_key text DEFAULT NULL,
	channel text DEFAULT NULL,
	actor text DEFAULT NULL,
	workspace bigint DEFAULT 1
) RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'ordertrack_create_shipment';
COMMENT ON FUNCTION ordertrack.create_shipment(bigint, jsonb, text, text, text, text, text, text, bigint) IS
'makes a shipment of units of an order''s lines and returns its shipment_id; items is [{"line_no", "quantity"}], NULL all that is in no live shipment yet; status awaiting_inventory or inventory_assigned; OT001 no such order, OT003 key used for another request, OT005 invalid items, line or status, OT007 more than is left, OT010 not a first status, 55000 the order takes no shipment';

CREATE FUNCTION ordertrack.set_shipment_status(
	shipment_id bigint,
	status text,
	tracking_number text DEFAULT NULL,
	carrier text DEFAULT NULL,
	channel text DEFAULT NULL,
	actor text DEFAULT NULL,
	workspace bigint DEFAULT 1
) RETURNS text
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'ordertrack_set_shipment_status';
COMMENT ON FUNCTION ordertrack.set_shipment_status(bigint, text, text, text, text, text, bigint) IS
'moves a shipment to a status and returns the previous one; tracking_number and carrier stay where they are NULL; the same again does nothing; the order becomes partially_shipped or completed by it; OT002 no such shipment, OT005 unknown status, OT010 transition refused, also by the status of the order';

CREATE FUNCTION ordertrack.set_shipment_status(
	shipment_ids bigint[],
	status text,
	tracking_number text DEFAULT NULL,
	carrier text DEFAULT NULL,
	channel text DEFAULT NULL,
	actor text DEFAULT NULL,
	workspace bigint DEFAULT 1
) RETURNS SETOF ordertrack.shipment_outcome
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER ROWS 100
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'ordertrack_set_shipment_status_array';
COMMENT ON FUNCTION ordertrack.set_shipment_status(bigint[], text, text, text, text, text, bigint) IS
'moves shipments to a status, each decided on its own, one answer for each in the order given; a refusal is an answer and a note of the order: shipment_not_found, transition_refused, order_on_hold, order_not_ready; OT002 unknown workspace, OT005 unknown status, NULL or more than 1,000';

-- BEFORE trigger of shipments.
CREATE FUNCTION ordertrack.shipments_guard_status() RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'ordertrack_shipments_guard_status';
COMMENT ON FUNCTION ordertrack.shipments_guard_status() IS
'trigger: refuses a move that status_transitions or the order''s status does not allow (OT010), and sets what follows the status';

-- AFTER trigger of shipments.
CREATE FUNCTION ordertrack.shipments_write_history() RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'ordertrack_shipments_write_history';
COMMENT ON FUNCTION ordertrack.shipments_write_history() IS
'trigger: writes the system note of a change into the history of the order, which becomes partially_shipped or completed by it';

CREATE FUNCTION ordertrack.shipment_items_guard_quantity() RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'ordertrack_shipment_items_guard_quantity';
COMMENT ON FUNCTION ordertrack.shipment_items_guard_quantity() IS
'trigger: refuses more units of a line in shipments than the line has (OT007)';

-- Looks only where units are taken away, which redemptions never do.
CREATE FUNCTION ordertrack.order_items_guard_quantity() RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'ordertrack_order_items_guard_quantity';
COMMENT ON FUNCTION ordertrack.order_items_guard_quantity() IS
'trigger: refuses to take units from a line that are in shipments (OT007)';

CREATE FUNCTION ordertrack.setup_shipments() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $setup$
BEGIN
	CREATE DOMAIN ordertrack.shipment_status AS text
		CONSTRAINT shipment_status_check CHECK (VALUE IN ('awaiting_inventory', 'inventory_assigned', 'on_hold',
			'released', 'packing', 'shipped', 'delivered', 'canceled'));
	COMMENT ON DOMAIN ordertrack.shipment_status IS 'the statuses of a shipment; status_transitions says which may follow which';

	CREATE TABLE ordertrack.shipments (
		workspace_id bigint NOT NULL,
		shipment_id bigint GENERATED BY DEFAULT AS IDENTITY,
		order_id bigint NOT NULL,
		status ordertrack.shipment_status NOT NULL,
		status_before_hold ordertrack.shipment_status,
		is_held_with_order boolean NOT NULL DEFAULT false,
		carrier text,
		tracking_number text,
		shipped_at timestamptz,
		delivered_at timestamptz,
		created_at timestamptz NOT NULL,
		updated_at timestamptz NOT NULL,
		CONSTRAINT shipments_pkey PRIMARY KEY (workspace_id, shipment_id),
		CONSTRAINT shipments_status_before_hold_check CHECK ((status = 'on_hold') = (status_before_hold IS NOT NULL)),
		CONSTRAINT shipments_is_held_with_order_check CHECK (status = 'on_hold' OR NOT is_held_with_order),
		CONSTRAINT shipments_shipped_at_check CHECK ((status IN ('shipped', 'delivered')) = (shipped_at IS NOT NULL)),
		CONSTRAINT shipments_delivered_at_check CHECK ((status = 'delivered') = (delivered_at IS NOT NULL))
	) WITH (fillfactor = 85);
	CREATE INDEX shipments_order_id_idx ON ordertrack.shipments (workspace_id, order_id, shipment_id);
	CREATE INDEX shipments_created_at_idx ON ordertrack.shipments (workspace_id, created_at, shipment_id);
	CREATE INDEX shipments_status_idx ON ordertrack.shipments (workspace_id, status, created_at, shipment_id);
	CREATE INDEX shipments_tracking_number_idx ON ordertrack.shipments (workspace_id, tracking_number)
		WHERE tracking_number IS NOT NULL;
	COMMENT ON TABLE ordertrack.shipments IS 'shipments of orders; the lines that they hold are in shipment_items';
	COMMENT ON COLUMN ordertrack.shipments.is_held_with_order IS 'it is on hold because its order is, and goes on with it';

	CREATE TABLE ordertrack.shipment_items (
		workspace_id bigint NOT NULL,
		shipment_id bigint NOT NULL,
		order_id bigint NOT NULL,
		line_no integer NOT NULL,
		quantity ordertrack.positive NOT NULL,
		replaced_quantity ordertrack.counter NOT NULL DEFAULT 0,
		created_at timestamptz NOT NULL,
		CONSTRAINT shipment_items_pkey PRIMARY KEY (workspace_id, shipment_id, line_no)
	);
	CREATE INDEX shipment_items_order_id_idx ON ordertrack.shipment_items (workspace_id, order_id, line_no);
	COMMENT ON TABLE ordertrack.shipment_items IS 'units of order lines in shipments';
	COMMENT ON COLUMN ordertrack.shipment_items.quantity IS 'units of the line in this shipment';
	COMMENT ON COLUMN ordertrack.shipment_items.replaced_quantity IS 'of these, units that had been in a shipment that was canceled';
END
$setup$;
COMMENT ON FUNCTION ordertrack.setup_shipments() IS 'step 18 of setup(): tables shipments, shipment_items';

-- Orders, their lines, and the moves that their status may make.

CREATE FUNCTION ordertrack.create_order(
	order_data jsonb,
	customer text DEFAULT NULL,
	channel text DEFAULT NULL,
	actor text DEFAULT NULL,
	workspace bigint DEFAULT 1
) RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'ordertrack_create_order';
COMMENT ON FUNCTION ordertrack.create_order(jsonb, text, text, text, bigint) IS
'stores an order and returns its order_id; order_data is {"source_id","status","amount","items":[{"product_id","sku","name","color","size","quantity","price","amount","metadata"}],"metadata","data_source","shipping_address","submitted_by","submitted_by_id","on_behalf_of"}, amounts in minor units; an unknown customer (source_id) is created; OT002 unknown workspace, OT004 source_id taken, OT005 invalid argument, OT010 not a first status';

CREATE FUNCTION ordertrack.update_order(
	order_id bigint,
	order_data jsonb,
	channel text DEFAULT NULL,
	actor text DEFAULT NULL,
	workspace bigint DEFAULT 1
) RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'ordertrack_update_order';
COMMENT ON FUNCTION ordertrack.update_order(bigint, jsonb, text, text, bigint) IS
'changes what order_data names (as in create_order, without source_id and status; null empties a field); amount, items and value_in_points only while the status is created; OT001 no such order, OT005 invalid argument or lines that have a discount, 55000 amounts are fixed, or shipments hold some of the lines';

CREATE FUNCTION ordertrack.set_order_status(
	order_id bigint,
	status text,
	channel text DEFAULT NULL,
	actor text DEFAULT NULL,
	workspace bigint DEFAULT 1
) RETURNS text
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'ordertrack_set_order_status';
COMMENT ON FUNCTION ordertrack.set_order_status(bigint, text, text, text, bigint) IS
'moves an order to a status and returns the previous one; the same status again does nothing; OT001 no such order, OT005 unknown status, OT010 transition refused';

-- BEFORE trigger of orders: allows only the moves of status_transitions and
-- advances the head of the history.
CREATE FUNCTION ordertrack.orders_guard_status() RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'ordertrack_orders_guard_status';
COMMENT ON FUNCTION ordertrack.orders_guard_status() IS
'trigger: refuses a move that status_transitions does not allow (OT010) and a head of the history that no note explains (OT020)';

-- AFTER INSERT trigger of orders. What the extension inserts is right, and comes
-- with the rights and the search_path of the function that inserts it; so this has
-- none of its own, which every redemption would pay for.
CREATE FUNCTION ordertrack.orders_guard_insert() RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ordertrack_orders_guard_insert';
COMMENT ON FUNCTION ordertrack.orders_guard_insert() IS
'trigger: has orders_write_history look at a new order that the extension did not insert, and keeps order_count, order_total and last_order_at of its customer';

-- AFTER UPDATE trigger of orders: writes the notes that the head announced and
-- keeps the customer's sums.
CREATE FUNCTION ordertrack.orders_write_history() RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'ordertrack_orders_write_history';
COMMENT ON FUNCTION ordertrack.orders_write_history() IS
'trigger: writes the system notes of a change and keeps order_count, order_total and last_order_at of its customer; called by orders_guard_insert, refuses a new order with a status that is no first one (OT010) or a head that no note explains (OT020)';

-- The default moves; "since" is the tables_version that brought one, so that
-- setup() adds new ones and leaves alone what an operator removed.
CREATE FUNCTION ordertrack.default_transitions()
RETURNS TABLE (since integer, entity text, from_status text, to_status text, event_type text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT 6, 'order', t.from_status, t.to_status, e.event_type
	  FROM (VALUES
		(NULL, 'created'), (NULL, 'paid'), (NULL, 'awaiting_exchange'),
		('created', 'paid'), ('created', 'fulfilled'), ('created', 'in_progress'),
		('created', 'on_hold'), ('created', 'canceled'),
		('paid', 'in_progress'), ('paid', 'partially_shipped'), ('paid', 'fulfilled'),
		('paid', 'completed'), ('paid', 'on_hold'), ('paid', 'canceled'),
		('fulfilled', 'paid'), ('fulfilled', 'completed'), ('fulfilled', 'canceled'),
		('in_progress', 'partially_shipped'), ('in_progress', 'completed'),
		('in_progress', 'on_hold'), ('in_progress', 'canceled'),
		('partially_shipped', 'completed'), ('partially_shipped', 'on_hold'),
		('partially_shipped', 'canceled'),
		('on_hold', 'previous'), ('on_hold', 'canceled'),
		('awaiting_exchange', 'in_progress'), ('awaiting_exchange', 'canceled')
	  ) AS t (from_status, to_status)
	  LEFT JOIN (VALUES
		('paid', 'order_paid'), ('fulfilled', 'order_fulfilled'),
		('in_progress', 'order_in_progress'), ('partially_shipped', 'order_partially_shipped'),
		('completed', 'order_completed'), ('on_hold', 'order_on_hold'),
		('awaiting_exchange', 'order_awaiting_exchange'), ('canceled', 'order_cancelled')
	  ) AS e (to_status, event_type)
	    ON e.to_status = t.to_status AND t.from_status IS NOT NULL
	UNION ALL
	SELECT 17, 'delivery', t.from_status, t.to_status,
		CASE WHEN t.from_status IS NOT NULL THEN 'delivery_changed' END
	  FROM (VALUES
		(NULL, 'ordered'), ('ordered', 'shipped'), ('ordered', 'canceled'),
		('shipped', 'delivered'), ('shipped', 'canceled')
	  ) AS t (from_status, to_status)
	UNION ALL
	SELECT 18, 'shipment', t.from_status, t.to_status,
		CASE WHEN t.from_status IS NOT NULL AND t.to_status <> 'previous'
			THEN 'shipment_' || replace(t.to_status, 'canceled', 'cancelled') END
	  FROM (VALUES
		(NULL, 'awaiting_inventory'), (NULL, 'inventory_assigned'),
		('awaiting_inventory', 'inventory_assigned'), ('awaiting_inventory', 'released'),
		('awaiting_inventory', 'on_hold'), ('awaiting_inventory', 'canceled'),
		('inventory_assigned', 'released'), ('inventory_assigned', 'on_hold'), ('inventory_assigned', 'canceled'),
		('released', 'packing'), ('released', 'on_hold'), ('released', 'canceled'),
		('packing', 'released'), ('packing', 'shipped'), ('packing', 'on_hold'), ('packing', 'canceled'),
		('shipped', 'delivered'),
		('on_hold', 'previous'), ('on_hold', 'canceled')
	  ) AS t (from_status, to_status)
	UNION ALL
	SELECT 19, 'payment', t.from_status, t.to_status,
		CASE WHEN t.from_status IS NOT NULL THEN 'payment_' || t.to_status END
	  FROM (VALUES
		(NULL, 'pending'), (NULL, 'processed'), (NULL, 'failed'),
		('pending', 'processed'), ('pending', 'failed')
	  ) AS t (from_status, to_status)
	UNION ALL
	SELECT 20, 'return', t.from_status, t.to_status, t.event_type
	  FROM (VALUES
		(NULL, 'awaiting_stock_return', NULL),
		('awaiting_stock_return', 'awaiting_completion', 'return_receipt_items'),
		('awaiting_stock_return', 'canceled', 'return_canceled'),
		('awaiting_completion', 'complete', 'return_completed'),
		('awaiting_completion', 'canceled', 'return_canceled')
	  ) AS t (from_status, to_status, event_type)
$$;
COMMENT ON FUNCTION ordertrack.default_transitions() IS
'the moves that a new workspace starts with; from_status NULL is an allowed first status, to_status previous is the status before the hold';

CREATE FUNCTION ordertrack.setup_orders() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $setup$
BEGIN
	CREATE TABLE ordertrack.status_transitions (
		workspace_id bigint NOT NULL REFERENCES ordertrack.workspaces,
		entity text NOT NULL,
		from_status text,
		to_status text NOT NULL,
		event_type text,
		created_at timestamptz NOT NULL DEFAULT now(),
		CONSTRAINT status_transitions_key
			UNIQUE NULLS NOT DISTINCT (workspace_id, entity, from_status, to_status)
	);
	-- Its key can be NULL, so a subscriber finds a row by all its columns.
	ALTER TABLE ordertrack.status_transitions REPLICA IDENTITY FULL;
	COMMENT ON TABLE ordertrack.status_transitions IS 'the moves that a status may make, as data: an operator may add rows';
	COMMENT ON COLUMN ordertrack.status_transitions.from_status IS 'NULL: to_status is an allowed first status';
	COMMENT ON COLUMN ordertrack.status_transitions.to_status IS 'previous: the status that the entity had before the hold';
	COMMENT ON COLUMN ordertrack.status_transitions.event_type IS 'event_type of the note; NULL: <entity>_<status>, order_released for an order that goes back to created';

	CREATE TABLE ordertrack.orders (
		workspace_id bigint NOT NULL,
		order_id bigint GENERATED BY DEFAULT AS IDENTITY,
		source_id text COLLATE "C",
		data_source text,
		status ordertrack.order_status NOT NULL,
		status_before_hold ordertrack.order_status,
		customer_id bigint,
		amount ordertrack.minor_units NOT NULL DEFAULT 0,
		discount_amount ordertrack.minor_units NOT NULL DEFAULT 0,
		total_amount ordertrack.minor_units NOT NULL DEFAULT 0
			CONSTRAINT orders_total_amount_check CHECK (total_amount = amount - discount_amount),
		value_in_points ordertrack.counter,
		metadata ordertrack.json_object,
		shipping_address ordertrack.json_object,
		submitted_by text,
		submitted_by_id text,
		on_behalf_of text,
		channel text,
		created_at timestamptz NOT NULL DEFAULT now(),
		updated_at timestamptz NOT NULL DEFAULT now(),
		paid_at timestamptz,
		initial_amount ordertrack.minor_units NOT NULL DEFAULT 0,
		note_count integer NOT NULL DEFAULT 0,
		note_hash bytea,
		noted_at timestamptz,
		CONSTRAINT orders_pkey PRIMARY KEY (workspace_id, order_id),
		CONSTRAINT orders_workspace_id_source_id_key UNIQUE (workspace_id, source_id)
	) WITH (fillfactor = 85);
	CREATE INDEX orders_created_at_idx ON ordertrack.orders (workspace_id, created_at, order_id);
	CREATE INDEX orders_status_idx ON ordertrack.orders (workspace_id, status, created_at, order_id);
	CREATE INDEX orders_customer_id_idx ON ordertrack.orders (workspace_id, customer_id, created_at, order_id)
		WHERE customer_id IS NOT NULL;
	CREATE INDEX orders_metadata_idx ON ordertrack.orders USING gin (metadata jsonb_path_ops)
		WHERE metadata IS NOT NULL;
	COMMENT ON TABLE ordertrack.orders IS 'orders as they are now; how they became so is in order_notes';
	COMMENT ON COLUMN ordertrack.orders.source_id IS 'the caller''s own id, unique in a workspace';
	COMMENT ON COLUMN ordertrack.orders.data_source IS 'the catalog that the order comes from';
	COMMENT ON COLUMN ordertrack.orders.amount IS 'before discounts, with the units that discounts added, in minor units';
	COMMENT ON COLUMN ordertrack.orders.initial_amount IS 'before discounts, as sent, in minor units';
	COMMENT ON COLUMN ordertrack.orders.discount_amount IS 'discounts, those of lines too, and gift credits together, in minor units';
	COMMENT ON COLUMN ordertrack.orders.total_amount IS 'what is left to pay: amount - discount_amount';
	COMMENT ON COLUMN ordertrack.orders.value_in_points IS 'price in points of an order of rewards';
	COMMENT ON COLUMN ordertrack.orders.note_count IS 'number of the newest note';
	COMMENT ON COLUMN ordertrack.orders.note_hash IS 'hash of the newest note: the head of the history';
	COMMENT ON COLUMN ordertrack.orders.noted_at IS 'time of the newest note; the next is not earlier';

	CREATE TABLE ordertrack.order_items (
		workspace_id bigint NOT NULL,
		order_id bigint NOT NULL,
		line_no integer NOT NULL,
		product_id text,
		sku text,
		name text,
		color text,
		size text,
		quantity ordertrack.positive NOT NULL,
		price ordertrack.minor_units,
		amount ordertrack.minor_units,
		discount_amount ordertrack.minor_units NOT NULL DEFAULT 0,
		metadata ordertrack.json_object,
		created_at timestamptz NOT NULL DEFAULT now(),
		CONSTRAINT order_items_pkey PRIMARY KEY (workspace_id, order_id, line_no)
	);
	COMMENT ON TABLE ordertrack.order_items IS 'lines of orders, numbered from 1';
	COMMENT ON COLUMN ordertrack.order_items.price IS 'of one unit, in minor units';
	COMMENT ON COLUMN ordertrack.order_items.quantity IS 'units, with those that discounts added';
	COMMENT ON COLUMN ordertrack.order_items.amount IS 'price times quantity unless given, with the units that discounts added, in minor units';
	COMMENT ON COLUMN ordertrack.order_items.discount_amount IS 'what discounts gave on this line, in minor units';
END
$setup$;
COMMENT ON FUNCTION ordertrack.setup_orders() IS 'step 6 of setup(): tables status_transitions, orders, order_items';

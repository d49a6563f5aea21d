-- Returns: what customers send back, its receipt and its refund.

CREATE FUNCTION ordertrack.create_return(
	order_id bigint,
	items jsonb DEFAULT NULL,
	reason text DEFAULT NULL,
	exchange_order_id bigint DEFAULT NULL,
	idempotency_key text DEFAULT NULL,
	channel text DEFAULT NULL,
	actor text DEFAULT NULL,
	workspace bigint DEFAULT 1
) RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'ordertrack_create_return';
COMMENT ON FUNCTION ordertrack.create_return(bigint, jsonb, text, bigint, text, text, text, bigint) IS
'begins a return and returns its return_id; items is [{"line_no","quantity"}], NULL all that was shipped and is in no other return; exchange_order_id is an order in awaiting_exchange that waits until the return is complete; OT001 no such order, OT003 key used for another request, OT004 the exchange order waits for another return, OT005 invalid argument, OT007 more than was shipped and not yet returned, 55000 the exchange order does not wait';

CREATE FUNCTION ordertrack.receive_return(
	return_id bigint,
	items jsonb DEFAULT NULL,
	channel text DEFAULT NULL,
	actor text DEFAULT NULL,
	workspace bigint DEFAULT 1
) RETURNS text
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'ordertrack_receive_return';
COMMENT ON FUNCTION ordertrack.receive_return(bigint, jsonb, text, text, bigint) IS
'records units of a return that arrived, as often as some do, and returns its status then; items as in create_return, NULL all that has not arrived; OT002 no such return, OT005 invalid argument, OT007 more than is to come, OT010 it is complete or canceled';

CREATE FUNCTION ordertrack.complete_return(
	return_id bigint,
	refund_amount bigint DEFAULT NULL,
	method text DEFAULT NULL,
	channel text DEFAULT NULL,
	actor text DEFAULT NULL,
	workspace bigint DEFAULT 1
) RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'ordertrack_complete_return';
COMMENT ON FUNCTION ordertrack.complete_return(bigint, bigint, text, text, text, bigint) IS
'completes a return of which units arrived, refunds and returns the amount of the refund in minor units; NULL refunds what the units cost the customer, at most what is left of what was paid, 0 nothing; its exchange order goes in progress; OT002 no such return, OT005 invalid argument or a line without an amount, OT007 more than is left of what was paid, OT010 nothing arrived yet, or it is complete or canceled, 22003 the lines are beyond 64 bits';

CREATE FUNCTION ordertrack.cancel_return(
	return_id bigint,
	channel text DEFAULT NULL,
	actor text DEFAULT NULL,
	workspace bigint DEFAULT 1
) RETURNS text
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'ordertrack_cancel_return';
COMMENT ON FUNCTION ordertrack.cancel_return(bigint, text, text, bigint) IS
'cancels a return that is not complete and returns the previous status; a canceled one stays as it is; OT002 no such return, OT010 it is complete';

-- BEFORE trigger of returns.
CREATE FUNCTION ordertrack.returns_guard_status() RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'ordertrack_returns_guard_status';
COMMENT ON FUNCTION ordertrack.returns_guard_status() IS
'trigger: refuses a status that status_transitions does not allow (OT010) and a refund that complete_return does not make (OT020), and sets updated_at, refund_amount and completed_at';

-- AFTER trigger of returns.
CREATE FUNCTION ordertrack.returns_write_history() RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'ordertrack_returns_write_history';
COMMENT ON FUNCTION ordertrack.returns_write_history() IS
'trigger: writes the system note of a change into the history of the order, and moves on the order that waits for a return that is complete';

-- AFTER INSERT trigger of return_items.
CREATE FUNCTION ordertrack.return_items_guard_units() RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'ordertrack_return_items_guard_units';
COMMENT ON FUNCTION ordertrack.return_items_guard_units() IS
'trigger: refuses more units than were shipped and are in no other return (OT007)';

-- AFTER INSERT trigger of return_receipts.
CREATE FUNCTION ordertrack.return_receipts_guard_units() RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'ordertrack_return_receipts_guard_units';
COMMENT ON FUNCTION ordertrack.return_receipts_guard_units() IS
'trigger: refuses more units than are to come (OT007)';

CREATE FUNCTION ordertrack.setup_returns() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $setup$
BEGIN
	CREATE DOMAIN ordertrack.return_status AS text
		CONSTRAINT return_status_check CHECK (VALUE IN ('awaiting_stock_return', 'awaiting_completion', 'complete', 'canceled'));
	COMMENT ON DOMAIN ordertrack.return_status IS 'the statuses of a return; status_transitions says which may follow which';

	CREATE TABLE ordertrack.returns (
		workspace_id bigint NOT NULL,
		return_id bigint GENERATED BY DEFAULT AS IDENTITY,
		order_id bigint NOT NULL,
		exchange_order_id bigint,
		status ordertrack.return_status NOT NULL,
		reason text,
		refund_amount ordertrack.minor_units,
		completed_at timestamptz,
		created_at timestamptz NOT NULL,
		updated_at timestamptz NOT NULL,
		CONSTRAINT returns_pkey PRIMARY KEY (workspace_id, return_id)
	) WITH (fillfactor = 85);
	CREATE INDEX returns_order_id_idx ON ordertrack.returns (workspace_id, order_id, return_id);
	CREATE INDEX returns_exchange_order_id_idx ON ordertrack.returns (workspace_id, exchange_order_id)
		WHERE exchange_order_id IS NOT NULL;
	CREATE INDEX returns_created_at_idx ON ordertrack.returns (workspace_id, created_at, return_id);
	CREATE INDEX returns_status_idx ON ordertrack.returns (workspace_id, status, created_at, return_id);
	COMMENT ON TABLE ordertrack.returns IS 'returns of what was shipped; the units are in return_items, those that arrived in return_receipts';
	COMMENT ON COLUMN ordertrack.returns.status IS 'awaiting_stock_return, awaiting_completion, complete or canceled';
	COMMENT ON COLUMN ordertrack.returns.exchange_order_id IS 'the order that waits for this return, NULL for none';
	COMMENT ON COLUMN ordertrack.returns.refund_amount IS 'what was refunded when it was completed, in minor units; NULL before';

	CREATE TABLE ordertrack.return_items (
		workspace_id bigint NOT NULL,
		return_id bigint NOT NULL,
		order_id bigint NOT NULL,
		line_no integer NOT NULL,
		quantity ordertrack.positive NOT NULL,
		created_at timestamptz NOT NULL,
		CONSTRAINT return_items_pkey PRIMARY KEY (workspace_id, return_id, line_no)
	);
	CREATE INDEX return_items_order_id_idx ON ordertrack.return_items (workspace_id, order_id, line_no);
	COMMENT ON TABLE ordertrack.return_items IS 'units of order lines that are to come back';
	COMMENT ON COLUMN ordertrack.return_items.quantity IS 'units of the line that are to come back';

	CREATE TABLE ordertrack.return_receipts (
		workspace_id bigint NOT NULL,
		return_id bigint NOT NULL,
		receipt_no integer NOT NULL,
		line_no integer NOT NULL,
		quantity ordertrack.positive NOT NULL,
		created_at timestamptz NOT NULL,
		CONSTRAINT return_receipts_pkey PRIMARY KEY (workspace_id, return_id, receipt_no, line_no)
	);
	COMMENT ON TABLE ordertrack.return_receipts IS 'units that came back, one set of rows a receipt';
	COMMENT ON COLUMN ordertrack.return_receipts.receipt_no IS '1, 2, 3 ... in a return';
	COMMENT ON COLUMN ordertrack.return_receipts.quantity IS 'units of the line that arrived';
END
$setup$;
COMMENT ON FUNCTION ordertrack.setup_returns() IS 'step 20 of setup(): tables returns, return_items, return_receipts';

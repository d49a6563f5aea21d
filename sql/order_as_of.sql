-- An order as it was at a moment, and what changed between two, from the history.

CREATE TYPE ordertrack.order_change AS (
	field text,
	old_value jsonb,
	new_value jsonb,
	note_no integer,
	changed_at timestamptz
);
COMMENT ON TYPE ordertrack.order_change IS 'one value of an order that differs between two moments; NULL is none';
COMMENT ON COLUMN ordertrack.order_change.field IS 'its place in the document of order_as_of, by line numbers and ids: status, items[2].quantity, shipments[17].status, shipments[17].items[2].quantity';
COMMENT ON COLUMN ordertrack.order_change.note_no IS 'the newest note until the later moment that changed it';
COMMENT ON COLUMN ordertrack.order_change.changed_at IS 'the time of that note';

CREATE FUNCTION ordertrack.order_as_of(
	order_id bigint,
	at timestamptz DEFAULT NULL,
	workspace bigint DEFAULT 1
) RETURNS jsonb
LANGUAGE c STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'ordertrack_order_as_of';
COMMENT ON FUNCTION ordertrack.order_as_of(bigint, timestamptz, bigint) IS
'an order as it was at a moment (NULL: as it is now), from its history alone: status, amounts, items, shipments, payments, returns; NULL before it existed; OT001 no such order, OT005 NULL';

CREATE FUNCTION ordertrack.order_changes(
	order_id bigint,
	from_at timestamptz DEFAULT NULL,
	to_at timestamptz DEFAULT NULL,
	workspace bigint DEFAULT 1
) RETURNS SETOF ordertrack.order_change
LANGUAGE c STABLE PARALLEL SAFE SECURITY DEFINER ROWS 20
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'ordertrack_order_changes';
COMMENT ON FUNCTION ordertrack.order_changes(bigint, timestamptz, timestamptz, bigint) IS
'the values of an order that differ between two moments (from_at NULL: before it existed, to_at NULL: now), those of the order itself first, then of items, shipments, payments and returns by id; OT001 no such order, OT005 NULL or from_at after to_at';

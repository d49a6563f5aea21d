-- Watching: the notes of all orders as they come.

CREATE TYPE ordertrack.activity AS (
	cursor text,
	order_id bigint,
	source_id text,
	note_no integer,
	note_type text,
	event_type text,
	channel text,
	author text,
	title text,
	detail text,
	data jsonb,
	created_at timestamptz
);
COMMENT ON TYPE ordertrack.activity IS 'one note of any order, with the cursor after it';

CREATE FUNCTION ordertrack.activity_since(
	cursor text DEFAULT NULL,
	at_most integer DEFAULT 100,
	workspace bigint DEFAULT 1
) RETURNS SETOF ordertrack.activity
LANGUAGE c STABLE PARALLEL SAFE SECURITY DEFINER ROWS 100
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'ordertrack_activity_since';
COMMENT ON FUNCTION ordertrack.activity_since(text, integer, bigint) IS
'the next notes after a cursor, at most 1 to 10,000, those of an order in their order; each once, also what commits late; NULL begins with the first, no row is nothing new: keep the cursor; OT002 unknown workspace, OT005 bad argument or a cursor that does not fit, 55000 not the server that writes';

CREATE FUNCTION ordertrack.activity_cursor(
	workspace bigint DEFAULT 1
) RETURNS text
LANGUAGE c STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'ordertrack_activity_cursor';
COMMENT ON FUNCTION ordertrack.activity_cursor(bigint) IS
'the cursor from which activity_since gives what comes from now on; OT002 unknown workspace, 55000 not the server that writes';

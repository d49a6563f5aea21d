-- Order notes: the history that nobody can change.

CREATE TYPE ordertrack.order_note AS (
	order_id bigint,
	note_no integer,
	note_type text,
	event_type text,
	channel text,
	author text,
	title text,
	detail text,
	data jsonb,
	created_at timestamptz,
	edited_at timestamptz,
	deleted_at timestamptz,
	hash bytea
);
COMMENT ON TYPE ordertrack.order_note IS 'one line of an order''s history';

CREATE TYPE ordertrack.finding AS (
	order_id bigint,
	note_no integer,
	problem text,
	detail text
);
COMMENT ON TYPE ordertrack.finding IS 'one thing that verify_order found wrong: problem is altered_note, missing_note, extra_note, head_mismatch, status_mismatch, line_mismatch, state_mismatch, no_history or trigger_not_armed';

CREATE FUNCTION ordertrack.add_note(
	order_id bigint,
	detail text,
	title text DEFAULT NULL,
	channel text DEFAULT NULL,
	actor text DEFAULT NULL,
	workspace bigint DEFAULT 1
) RETURNS integer
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'ordertrack_add_note';
COMMENT ON FUNCTION ordertrack.add_note(bigint, text, text, text, text, bigint) IS
'adds a custom note to an order and returns its number; OT001 no such order, OT005 empty or over-long text';

CREATE FUNCTION ordertrack.edit_note(
	order_id bigint,
	note_no integer,
	detail text,
	title text DEFAULT NULL,
	channel text DEFAULT NULL,
	actor text DEFAULT NULL,
	workspace bigint DEFAULT 1
) RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'ordertrack_edit_note';
COMMENT ON FUNCTION ordertrack.edit_note(bigint, integer, text, text, text, text, bigint) IS
'replaces detail and title of a custom note and leaves a system note about it; for its author or an admin; OT001 no such order or note, OT005 deleted note or bad text, OT020 system note, 42501 somebody else''s note';

CREATE FUNCTION ordertrack.delete_note(
	order_id bigint,
	note_no integer,
	channel text DEFAULT NULL,
	actor text DEFAULT NULL,
	workspace bigint DEFAULT 1
) RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'ordertrack_delete_note';
COMMENT ON FUNCTION ordertrack.delete_note(bigint, integer, text, text, bigint) IS
'empties a custom note, whose row stays, and leaves a system note about it; for its author or an admin; errors as edit_note';

CREATE FUNCTION ordertrack.order_history(
	order_id bigint,
	workspace bigint DEFAULT 1
) RETURNS SETOF ordertrack.order_note
LANGUAGE c STABLE PARALLEL SAFE SECURITY DEFINER ROWS 10
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'ordertrack_order_history';
COMMENT ON FUNCTION ordertrack.order_history(bigint, bigint) IS
'the notes of an order in their order; OT001 no such order';

CREATE FUNCTION ordertrack.verify_order(
	order_id bigint,
	workspace bigint DEFAULT 1
) RETURNS SETOF ordertrack.finding
LANGUAGE c STABLE PARALLEL SAFE SECURITY DEFINER ROWS 1
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'ordertrack_verify_order';
COMMENT ON FUNCTION ordertrack.verify_order(bigint, bigint) IS
'computes the history of an order again, compares the order with what it tells, and lists what is wrong, nothing where all is right; OT001 no such order';

CREATE FUNCTION ordertrack.guard_history() RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ordertrack_guard_history';
COMMENT ON FUNCTION ordertrack.guard_history() IS
'trigger: refuses every change of a table of history and every note that the extension did not write (OT020)';

CREATE FUNCTION ordertrack.guard_insert() RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ordertrack_guard_insert';
COMMENT ON FUNCTION ordertrack.guard_insert() IS
'trigger: refuses a row that no function of the extension announced (OT020)';

CREATE FUNCTION ordertrack.guard_parent() RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ordertrack_guard_parent';
COMMENT ON FUNCTION ordertrack.guard_parent() IS
'trigger: refuses to delete a row that history may refer to, and to change its key (OT020)';

CREATE FUNCTION ordertrack.setup_notes() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $setup$
BEGIN
	-- No foreign key to orders: the one statement that numbers a note has
	-- proved the order, and guard_parent keeps it.
	CREATE TABLE ordertrack.order_notes (
		workspace_id bigint NOT NULL,
		order_id bigint NOT NULL,
		note_no integer NOT NULL,
		note_type ordertrack.note_type NOT NULL,
		event_type text NOT NULL,
		channel text,
		author text NOT NULL,
		title text,
		detail text,
		data jsonb,
		created_at timestamptz NOT NULL,
		edited_at timestamptz,
		deleted_at timestamptz,
		hash bytea NOT NULL,
		txid bigint NOT NULL,
		CONSTRAINT order_notes_pkey PRIMARY KEY (workspace_id, order_id, note_no)
	);
	CREATE INDEX order_notes_created_at_idx ON ordertrack.order_notes (workspace_id, created_at, order_id, note_no);
	CREATE INDEX order_notes_txid_idx ON ordertrack.order_notes (workspace_id, txid);
	COMMENT ON TABLE ordertrack.order_notes IS 'the history of orders: system notes for ever unchanged, custom notes traced';
	COMMENT ON COLUMN ordertrack.order_notes.note_no IS '1, 2, 3 ... without gaps in an order';
	COMMENT ON COLUMN ordertrack.order_notes.author IS 'the role that did it';
	COMMENT ON COLUMN ordertrack.order_notes.data IS 'old and new values of what is no personal data; of personal data a salted SHA-256';
	COMMENT ON COLUMN ordertrack.order_notes.hash IS 'SHA-256 over the note and the hash of the one before; doc/ordertrack.md gives the bytes';
	COMMENT ON COLUMN ordertrack.order_notes.txid IS 'the transaction that wrote it: generation of the server * 2^44 + transaction id; of no meaning elsewhere, so it is not in the hash';

	CREATE TABLE ordertrack.personal_values (
		workspace_id bigint NOT NULL,
		order_id bigint NOT NULL,
		note_no integer NOT NULL,
		field text NOT NULL,
		salt bytea NOT NULL,
		value jsonb NOT NULL,
		created_at timestamptz NOT NULL DEFAULT now(),
		CONSTRAINT personal_values_pkey PRIMARY KEY (workspace_id, order_id, note_no, field)
	);
	COMMENT ON TABLE ordertrack.personal_values IS 'the personal values that notes only hold salted hashes of; rows may be deleted (erasure) and the history still verifies';
	COMMENT ON COLUMN ordertrack.personal_values.value IS 'the note holds SHA-256(salt || value as text)';
END
$setup$;
COMMENT ON FUNCTION ordertrack.setup_notes() IS 'step 7 of setup(): tables order_notes, personal_values';

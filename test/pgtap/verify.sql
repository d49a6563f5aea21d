-- verify_order: every kind of finding. To tamper, guards are taken away as only
-- a superuser or the owner can, and armed again.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT * FROM no_plan();

SELECT ordertrack.create_voucher('OFF', '{"type":"amount","amount_off":5}')
\g /dev/null
-- An order with 6 notes, of which note 4 is custom.
CREATE FUNCTION pg_temp.make() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	id bigint := ordertrack.create_order('{"amount":100}', 'anna', 'web', 'anna');
BEGIN
	PERFORM ordertrack.redeem('OFF', NULL, jsonb_build_object('id', id), channel => 'web');
	PERFORM ordertrack.add_note(id, 'custom', 'title');
	PERFORM ordertrack.set_order_status(id, 'on_hold', 'web');
	PERFORM ordertrack.set_order_status(id, 'paid');
	RETURN id;
END
$$;
-- Tampers with an order and gives what verify_order finds then.
CREATE FUNCTION pg_temp.tamper(id bigint, command text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	ALTER TABLE ordertrack.order_notes DISABLE TRIGGER USER;
	ALTER TABLE ordertrack.orders DISABLE TRIGGER USER;
	EXECUTE format(command, 'workspace_id = 1 AND order_id = ' || id);
	PERFORM ordertrack.arm_triggers();
	RETURN (SELECT string_agg(concat_ws(' ', problem, note_no), ', ' ORDER BY note_no, problem)
		FROM ordertrack.verify_order(id));
END
$$;

SELECT is_empty(format('SELECT * FROM ordertrack.verify_order(%s)', pg_temp.make()),
	'nothing where all is right');
SELECT is((SELECT count(*) FROM ordertrack.order_notes), 6::bigint, 'an order of six notes');
SELECT is(pg_temp.tamper(pg_temp.make(), command), wanted, label) FROM (VALUES
	('a setup and no more', 'SELECT %L', NULL),
	-- altered_note: each column of a system note
	('workspace_id is part of the key',
		'UPDATE ordertrack.order_notes SET workspace_id = 2 WHERE %s AND note_no = 2', 'missing_note 2'),
	('note_type', 'UPDATE ordertrack.order_notes SET note_type = ''custom'' WHERE %s AND note_no = 2',
		'altered_note 2'),
	('event_type', 'UPDATE ordertrack.order_notes SET event_type = ''none'' WHERE %s AND note_no = 2',
		'altered_note 2'),
	('channel', 'UPDATE ordertrack.order_notes SET channel = ''shop'' WHERE %s AND note_no = 2',
		'altered_note 2'),
	('channel emptied', 'UPDATE ordertrack.order_notes SET channel = NULL WHERE %s AND note_no = 2',
		'altered_note 2'),
	('channel NULL or empty', 'UPDATE ordertrack.order_notes SET channel = '''' WHERE %s AND note_no = 6',
		'altered_note 6'),
	('author', 'UPDATE ordertrack.order_notes SET author = ''me'' WHERE %s AND note_no = 2', 'altered_note 2'),
	('title', 'UPDATE ordertrack.order_notes SET title = ''x'' WHERE %s AND note_no = 2', 'altered_note 2'),
	('detail', 'UPDATE ordertrack.order_notes SET detail = ''x'' WHERE %s AND note_no = 2', 'altered_note 2'),
	('detail for title',
		'UPDATE ordertrack.order_notes SET detail = title, title = detail WHERE %s AND note_no = 4', NULL),
	('data', 'UPDATE ordertrack.order_notes SET data = data || ''{"amount":1}'' WHERE %s AND note_no = 2',
		'altered_note 2'),
	('data gone', 'UPDATE ordertrack.order_notes SET data = NULL WHERE %s AND note_no = 2', 'altered_note 2'),
	('created_at by a microsecond',
		'UPDATE ordertrack.order_notes SET created_at = created_at + interval ''1 us'' WHERE %s AND note_no = 2', 'altered_note 2'),
	('hash', 'UPDATE ordertrack.order_notes SET hash = sha256(''x'') WHERE %s AND note_no = 2',
		'altered_note 2, altered_note 3'),
	('a hash of another length', 'UPDATE ordertrack.order_notes SET hash = ''\x00'' WHERE %s AND note_no = 3',
		'altered_note 3, altered_note 4'),
	('the first note',
		'UPDATE ordertrack.order_notes SET data = data || ''{"amount":1}'' WHERE %s AND note_no = 1',
		'altered_note 1'),
	('the last note', 'UPDATE ordertrack.order_notes SET author = ''me'' WHERE %s AND note_no = 6',
		'altered_note 6'),
	('all of them', 'UPDATE ordertrack.order_notes SET author = ''me'' WHERE %s',
		'altered_note 1, altered_note 2, altered_note 3, altered_note 4, altered_note 5, altered_note 6'),
	-- a custom note: its words are outside, all else is in
	('words of a custom note',
		'UPDATE ordertrack.order_notes SET detail = ''x'', title = ''y'' WHERE %s AND note_no = 4', NULL),
	('author of a custom note', 'UPDATE ordertrack.order_notes SET author = ''me'' WHERE %s AND note_no = 4',
		'altered_note 4'),
	('a custom note made system',
		'UPDATE ordertrack.order_notes SET note_type = ''system'' WHERE %s AND note_no = 4', 'altered_note 4'),
	-- missing_note: one finding for each gap, with its first number
	('a note in between', 'DELETE FROM ordertrack.order_notes WHERE %s AND note_no = 3', 'missing_note 3'),
	('a custom note', 'DELETE FROM ordertrack.order_notes WHERE %s AND note_no = 4', 'missing_note 4'),
	('two in between', 'DELETE FROM ordertrack.order_notes WHERE %s AND note_no IN (2, 4)',
		'missing_note 2, missing_note 4'),
	('the first', 'DELETE FROM ordertrack.order_notes WHERE %s AND note_no = 1', 'missing_note 1'),
	('the last', 'DELETE FROM ordertrack.order_notes WHERE %s AND note_no = 6',
		'missing_note 6, status_mismatch'),
	('a renumbered one', 'UPDATE ordertrack.order_notes SET note_no = 9 WHERE %s AND note_no = 4',
		'missing_note 4, missing_note 7, extra_note 9'),
	('all', 'DELETE FROM ordertrack.order_notes WHERE %s', 'missing_note 1, status_mismatch'),
	('the end, with a head to fit',
		'WITH d AS (DELETE FROM ordertrack.order_notes WHERE %1$s AND note_no > 4) UPDATE ordertrack.orders SET note_count = 4,
		note_hash = (SELECT hash FROM ordertrack.order_notes WHERE %1$s AND note_no = 4) WHERE %1$s', NULL),
	('the end, with a head to fit, after a move',
		'WITH d AS (DELETE FROM ordertrack.order_notes WHERE %1$s AND note_no > 2) UPDATE ordertrack.orders SET note_count = 2,
		note_hash = (SELECT hash FROM ordertrack.order_notes WHERE %1$s AND note_no = 2) WHERE %1$s',
		'status_mismatch'),
	-- extra_note
	('one more',
		'INSERT INTO ordertrack.order_notes SELECT workspace_id, order_id, 7, note_type, event_type, channel, author, title, detail, data, created_at,
		edited_at, deleted_at, hash, txid FROM ordertrack.order_notes WHERE %s AND note_no = 4',
		'altered_note 7, extra_note 7'),
	('one before the first',
		'INSERT INTO ordertrack.order_notes SELECT workspace_id, order_id, 0, note_type, event_type, channel, author, title, detail, data, created_at,
		edited_at, deleted_at, hash, txid FROM ordertrack.order_notes WHERE %s AND note_no = 4', 'extra_note 0'),
	('one of a negative number',
		'INSERT INTO ordertrack.order_notes SELECT workspace_id, order_id, -5, note_type, event_type, channel, author, title, detail, data, created_at,
		edited_at, deleted_at, hash, txid FROM ordertrack.order_notes WHERE %s AND note_no = 4', 'extra_note -5'),
	('a head that forgets the last',
		'UPDATE ordertrack.orders SET note_count = 5, note_hash = (SELECT hash FROM ordertrack.order_notes WHERE %1$s AND note_no = 5) WHERE %1$s', 'extra_note 6'),
	-- head_mismatch
	('hash of the head', 'UPDATE ordertrack.orders SET note_hash = sha256(''x'') WHERE %s', 'head_mismatch 6'),
	('no hash', 'UPDATE ordertrack.orders SET note_hash = NULL WHERE %s', 'head_mismatch 6'),
	('a hash of another length', 'UPDATE ordertrack.orders SET note_hash = note_hash || ''\x00'' WHERE %s',
		'head_mismatch 6'),
	('a head that counts too many', 'UPDATE ordertrack.orders SET note_count = 8 WHERE %s', 'missing_note 7'),
	('a head of nothing', 'UPDATE ordertrack.orders SET note_count = 0, note_hash = NULL WHERE %s',
		'extra_note 1, extra_note 2, extra_note 3, extra_note 4, extra_note 5, extra_note 6'),
	-- status_mismatch
	('status', 'UPDATE ordertrack.orders SET status = ''completed'' WHERE %s', 'status_mismatch'),
	('status back to the first', 'UPDATE ordertrack.orders SET status = ''created'' WHERE %s',
		'status_mismatch')
  ) AS c (label, command, wanted);

-- no_history: an order that was inserted raw.
INSERT INTO ordertrack.orders (workspace_id, source_id, status)
	VALUES (1, 'raw', 'paid') RETURNING order_id AS raw
\gset
SELECT is((SELECT string_agg(problem, ' ') FROM ordertrack.verify_order(:raw)), 'no_history',
	'an order inserted raw');
SELECT ordertrack.set_order_status(:raw, 'completed')
\g /dev/null
SELECT is((SELECT string_agg(event_type, ' ') FROM ordertrack.order_history(:raw)), 'order_completed',
	'its next move has a note');
SELECT is((SELECT string_agg(problem, ' ') FROM ordertrack.verify_order(:raw)), 'no_history',
	'which does not make up for its beginning');

-- trigger_not_armed: each of our triggers, disabled, of another state, gone, or another one of its name.
CREATE TEMP TABLE armed AS SELECT t.tgname, t.tgrelid::regclass AS on_table, p.proname FROM pg_trigger AS t
  JOIN pg_proc AS p ON p.oid = t.tgfoid
 WHERE p.pronamespace = 'ordertrack'::regnamespace AND NOT t.tgisinternal;
CREATE FUNCTION pg_temp.harm(id bigint, command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	found text;
BEGIN
	EXECUTE command;
	SELECT string_agg(problem || ' ' || detail, ', ') INTO found FROM ordertrack.verify_order(id);
	PERFORM ordertrack.arm_triggers();
	RETURN concat_ws(' then ', found, (SELECT string_agg(problem, ' ') FROM ordertrack.verify_order(id)));
END
$$;
SELECT pg_temp.make() AS o
\gset
SELECT matches(pg_temp.harm(:o, format(command, tgname, on_table)),
	'^trigger_not_armed [^,]*' || tgname || '[^,]*$', format(command, tgname, on_table))
  FROM armed, unnest(ARRAY['ALTER TABLE %2$s DISABLE TRIGGER %1$I', 'ALTER TABLE %2$s ENABLE TRIGGER %1$I',
	'ALTER TABLE %2$s ENABLE REPLICA TRIGGER %1$I',
	'DROP TRIGGER %1$I ON %2$s']) AS command;
CREATE FUNCTION pg_temp.idle() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
SELECT matches(pg_temp.harm(:o,
	format('DO $do$ BEGIN DROP TRIGGER %1$I ON %2$s; CREATE TRIGGER %1$I BEFORE DELETE ON %2$s FOR EACH STATEMENT EXECUTE FUNCTION pg_temp.idle();
		ALTER TABLE %2$s ENABLE ALWAYS TRIGGER %1$I; END $do$', tgname, on_table)),
			'^trigger_not_armed [^,]*' || tgname || '[^,]*$', 'another trigger as ' || tgname) FROM armed;
SELECT ok((SELECT count(*) >= 16 FROM armed), 'there are triggers');

-- Somebody else's trigger that changes a note while it is written shows, too.
CREATE FUNCTION pg_temp.lie() RETURNS trigger LANGUAGE plpgsql AS
	'BEGIN NEW.author := ''somebody else''; RETURN NEW; END';
CREATE TRIGGER zzz BEFORE INSERT ON ordertrack.order_notes FOR EACH ROW EXECUTE FUNCTION pg_temp.lie();
SELECT ordertrack.set_order_status(:o, 'completed')
\g /dev/null
SELECT is((SELECT string_agg(problem || ' ' || note_no, ' ') FROM ordertrack.verify_order(:o)),
	'altered_note 7', 'a trigger that lies');
DROP TRIGGER zzz ON ordertrack.order_notes;

-- Findings say where and why.
SELECT ok(order_id = :o AND length(detail) > 10, 'a finding has order_id and detail')
  FROM ordertrack.verify_order(:o);
-- The session's settings change neither notes nor what is found.
SET LOCAL timezone = 'Asia/Kolkata';
SET LOCAL datestyle = 'German';
SET LOCAL intervalstyle = 'iso_8601';
SET LOCAL bytea_output = 'escape';
SET LOCAL extra_float_digits = -15;
SET LOCAL standard_conforming_strings = off;
SET LOCAL backslash_quote = on;
SET LOCAL quote_all_identifiers = on;
SET LOCAL row_security = off;
SELECT pg_temp.make() AS odd, coalesce(pg_temp.tamper(pg_temp.make(), 'SELECT %L'), 'nothing') AS found
\gset
SELECT is(:'found'::text, 'nothing', 'armed under odd settings');
SELECT is_empty(format('SELECT * FROM ordertrack.verify_order(%s)', :odd),
	'written and read under odd settings');
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL bytea_output = 'hex';
SET LOCAL extra_float_digits = 1;
SET LOCAL standard_conforming_strings = on;
SET LOCAL quote_all_identifiers = off;
SELECT is_empty(format('SELECT * FROM ordertrack.verify_order(%s)', :odd),
	'written under odd settings, read under others');

-- Numbers beyond all reason are found, too, and soon.
CREATE FUNCTION pg_temp.count_findings(id bigint, command text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	ALTER TABLE ordertrack.order_notes DISABLE TRIGGER USER;
	ALTER TABLE ordertrack.orders DISABLE TRIGGER USER;
	EXECUTE format(command, 'workspace_id = 1 AND order_id = ' || id);
	PERFORM ordertrack.arm_triggers();
	RETURN (SELECT CASE WHEN count(*) BETWEEN 1 AND 2000 THEN 'some' ELSE count(*)::text END
		FROM ordertrack.verify_order(id));
EXCEPTION WHEN query_canceled THEN
	PERFORM ordertrack.arm_triggers();
	RETURN 'not in time';
END
$$;
SET LOCAL statement_timeout = '2s';
SELECT pg_temp.count_findings(pg_temp.make(),
	'UPDATE ordertrack.orders SET note_count = 1000000 WHERE %s') AS many
\gset
SELECT is(:'many'::text, 'some', 'a note_count of a million');
SELECT :'many' = 'some' AS is_bounded
\gset
\if :is_bounded
SELECT is(pg_temp.count_findings(pg_temp.make(), command), 'some', command) FROM unnest(ARRAY[
	'UPDATE ordertrack.orders SET note_count = 2147483647 WHERE %s',
	'UPDATE ordertrack.orders SET note_count = -2147483648 WHERE %s',
	'UPDATE ordertrack.order_notes SET note_no = 2147483647 WHERE %s AND note_no = 4',
	'UPDATE ordertrack.order_notes SET note_no = -2147483648 WHERE %s AND note_no = 4']) AS command;
\endif
SET LOCAL statement_timeout = 0;

SELECT throws_ok('SELECT ordertrack.verify_order(' || args || ')', code, NULL, 'verify_order(' || args || ')')
  FROM (VALUES
	('NULL', 'OT005'), ('-1', 'OT001'), (:o || ', -1', 'OT002'), (:o || ', NULL', 'OT005')) AS c (args, code);

SELECT * FROM finish();
ROLLBACK;

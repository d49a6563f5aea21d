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

-- state_mismatch: the tables against the history, where that is whole. The order's history
-- tells of a shipment, payments and a return, too; its last notes are written by hand.
CREATE FUNCTION pg_temp.field(number integer, value bytea) RETURNS bytea LANGUAGE sql AS
	$$ SELECT coalesce(int2send(number::smallint) || int4send(length(value)) || value, '') $$;
CREATE FUNCTION pg_temp.add_by_hand(id bigint, event text, told jsonb) RETURNS void LANGUAGE sql AS $$
	UPDATE ordertrack.orders AS o SET note_count = note_count + 1, noted_at = clock_timestamp() WHERE o.order_id = id;
	UPDATE ordertrack.orders AS o SET note_hash = sha256('\x00'::bytea || convert_to('ordertrack/1', 'UTF8')
		|| pg_temp.field(1, int8send(o.workspace_id)) || pg_temp.field(2, int8send(o.order_id)) || pg_temp.field(3, 'system')
		|| pg_temp.field(4, convert_to(event, 'UTF8')) || pg_temp.field(6, 'me') || pg_temp.field(9, convert_to(told::text, 'UTF8'))
		|| pg_temp.field(10, int8send((extract(epoch FROM o.noted_at - '2000-01-01 00:00+00') * 1000000)::bigint))
		|| int4send(o.note_count) || o.note_hash) WHERE o.order_id = id;
	INSERT INTO ordertrack.order_notes (workspace_id, order_id, note_no, note_type, event_type, author, data, created_at, hash, txid)
		SELECT 1, id, o.note_count, 'system', event, 'me', told, o.noted_at, o.note_hash, 1 FROM ordertrack.orders AS o WHERE o.order_id = id;
$$;
CREATE FUNCTION pg_temp.disarm() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	guarded text;
BEGIN
	FOREACH guarded IN ARRAY '{order_notes,orders,order_items,shipments,shipment_items,payments,returns,return_items,return_receipts}'::text[] LOOP
		EXECUTE format('ALTER TABLE ordertrack.%I DISABLE TRIGGER USER', guarded);
	END LOOP;
END
$$;
CREATE FUNCTION pg_temp.make_whole() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	id bigint := ordertrack.create_order('{"data_source":"shop","items":[{"product_id":"a","name":"Mug","color":"red","size":"L","quantity":3,"price":10},
		{"sku":"s","quantity":1,"amount":5}]}', 'anna');
BEGIN
	PERFORM ordertrack.redeem('OFF', NULL, jsonb_build_object('id', id)), ordertrack.set_order_status(id, 'on_hold');
	PERFORM pg_temp.disarm();
	PERFORM pg_temp.add_by_hand(id, event, told::jsonb) FROM (VALUES
		('shipment_inventory_assigned', '{"items":[{"line_no":1,"quantity":2},{"line_no":2,"quantity":1}],"carrier":{"new":"Post"},"shipment_id":71,"shipment_status":{"new":"inventory_assigned"}}'),
		('shipment_on_hold', '{"shipment_id":71,"shipment_status":{"new":"on_hold","old":"inventory_assigned"}}'),
		('adding_payment', '{"amount":30,"method":"card","payment_id":72,"payment_status":{"new":"pending"},"transaction_type":"sale"}'),
		('payment_processed', '{"payment_id":72,"payment_status":{"new":"processed","old":"pending"}}'),
		('return_created', '{"items":[{"line_no":1,"quantity":2}],"return_id":73,"return_status":{"new":"awaiting_stock_return"}}'),
		('return_receipt_items', '{"items":[{"line_no":1,"quantity":1}],"return_id":73}'),
		('return_receipt_items', '{"items":[{"line_no":1,"quantity":1}],"return_id":73,"return_status":{"new":"awaiting_completion","old":"awaiting_stock_return"}}'),
		('creating_refund', '{"amount":9,"return_id":73,"payment_id":74,"payment_status":{"new":"processed"},"transaction_type":"credit"}'),
		('return_completed', '{"return_id":73,"refund_amount":9,"return_status":{"new":"complete","old":"awaiting_completion"}}')) AS n (event, told);
	INSERT INTO ordertrack.shipments (workspace_id, shipment_id, order_id, status, status_before_hold, carrier, created_at, updated_at)
		VALUES (1, 71, id, 'on_hold', 'inventory_assigned', 'Post', now(), now());
	INSERT INTO ordertrack.shipment_items (workspace_id, shipment_id, order_id, line_no, quantity, created_at)
		VALUES (1, 71, id, 2, 1, now()), (1, 71, id, 1, 2, now());
	INSERT INTO ordertrack.payments (workspace_id, payment_id, order_id, return_id, transaction_type, method, amount, status, reason, created_by, created_at, updated_at)
		VALUES (1, 74, id, 73, 'credit', NULL, 9, 'processed', 'why', 'me', now(), now()), (1, 72, id, NULL, 'sale', 'card', 30, 'processed', NULL, 'me', now(), now());
	INSERT INTO ordertrack.returns (workspace_id, return_id, order_id, status, reason, refund_amount, created_at, updated_at)
		VALUES (1, 73, id, 'complete', 'why', 9, now(), now());
	INSERT INTO ordertrack.return_items (workspace_id, return_id, order_id, line_no, quantity, created_at) VALUES (1, 73, id, 1, 2, now());
	INSERT INTO ordertrack.return_receipts (workspace_id, return_id, receipt_no, line_no, quantity, created_at)
		VALUES (1, 73, 1, 1, 1, now()), (1, 73, 2, 1, 1, now());
	PERFORM ordertrack.arm_triggers();
	RETURN id;
END
$$;
-- What verify_order finds after a command, of which %1$s are its rows and %2$s its number; then all is as it was.
CREATE FUNCTION pg_temp.found_after(id bigint, command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	found text;
BEGIN
	PERFORM pg_temp.disarm();
	EXECUTE format(command, 'workspace_id = 1 AND order_id = ' || id, id);
	PERFORM ordertrack.arm_triggers();
	SELECT string_agg(concat_ws(' ', replace(problem, 'state_mismatch', '!'), note_no, CASE WHEN problem = 'state_mismatch' THEN
			replace(replace(detail, 'is not what the history says.', '...'), 'its history says ', '') END), ' ' ORDER BY ordinality)
		INTO found FROM ordertrack.verify_order(id) WITH ORDINALITY;
	RAISE SQLSTATE 'UNDO0';
EXCEPTION WHEN SQLSTATE 'UNDO0' THEN
	RETURN found;
END
$$;
SELECT pg_temp.make_whole() AS whole
\gset
SELECT customer_id AS anna FROM ordertrack.orders WHERE order_id = :whole
\gset
SELECT is_empty(format('SELECT * FROM ordertrack.verify_order(%s)', :whole), 'an order with all that there is');
SELECT is(pg_temp.found_after(:whole, command), wanted, command) FROM (VALUES
	('UPDATE ordertrack.orders SET amount = 36, total_amount = 31 WHERE %s',
		'! The order''s amount is 36, 35. ! The order''s total_amount is 31, 30.'),
	('UPDATE ordertrack.orders SET discount_amount = 0, total_amount = 35 WHERE %s',
		'! The order''s discount_amount is 0, 5. ! The order''s total_amount is 35, 30.'),
	('UPDATE ordertrack.orders SET value_in_points = 7 WHERE %s', '! The order''s value_in_points is 7, nothing.'),
	('UPDATE ordertrack.orders SET data_source = NULL WHERE %s', '! The order''s data_source is nothing, shop.'),
	('UPDATE ordertrack.orders SET customer_id = NULL WHERE %s',
		'! The order''s customer_id is nothing, ' || :anna || '.'),
	('UPDATE ordertrack.orders SET status_before_hold = ''created'' WHERE %s', '! The order''s status_before_hold is created, paid.'),
	('UPDATE ordertrack.orders SET status = ''canceled'' WHERE %s', 'status_mismatch'),
	('UPDATE ordertrack.orders SET metadata = ''{}'', channel = ''x'', initial_amount = 0, paid_at = NULL, submitted_by = ''x'' WHERE %s', NULL),
	('UPDATE ordertrack.order_items SET color = ''blue'', name = NULL WHERE %s AND line_no = 1', '! Line 1 ...'),
	('UPDATE ordertrack.order_items SET quantity = quantity + 1 WHERE %s', '! Line 1 ... ! Line 2 ...'),
	('UPDATE ordertrack.order_items SET price = 5 WHERE %s AND line_no = 2', '! Line 2 ...'),
	('UPDATE ordertrack.order_items SET metadata = ''{}'' WHERE %s', NULL),
	('DELETE FROM ordertrack.order_items WHERE %s AND line_no = 1', '! Line 1 ...'),
	('UPDATE ordertrack.order_items SET line_no = 3 WHERE %s AND line_no = 1', '! Line 1 ... ! Line 3 ...'),
	('UPDATE ordertrack.shipments SET status = ''shipped'', status_before_hold = NULL, shipped_at = now() WHERE %s', '! Shipment 71 ...'),
	('UPDATE ordertrack.shipments SET status_before_hold = ''packing'' WHERE %s', '! Shipment 71 ...'),
	('UPDATE ordertrack.shipments SET carrier = NULL WHERE %s', '! Shipment 71 ...'),
	('UPDATE ordertrack.shipments SET tracking_number = ''x'' WHERE %s', '! Shipment 71 ...'),
	('UPDATE ordertrack.shipments SET is_held_with_order = true, updated_at = now() WHERE %s', NULL),
	('UPDATE ordertrack.shipment_items SET quantity = 1 WHERE %s AND line_no = 1', '! Shipment 71 ...'),
	('DELETE FROM ordertrack.shipment_items WHERE %s', '! Shipment 71 ...'),
	('UPDATE ordertrack.shipments SET order_id = 0 WHERE %s', '! Shipment 71 ...'),
	('UPDATE ordertrack.payments SET amount = 31 WHERE %s AND payment_id = 72', '! Payment 72 ...'),
	('UPDATE ordertrack.payments SET status = ''failed'' WHERE %s', '! Payment 72 ... ! Payment 74 ...'),
	('UPDATE ordertrack.payments SET method = NULL, return_id = 73 WHERE %s AND payment_id = 72', '! Payment 72 ...'),
	('UPDATE ordertrack.payments SET transaction_type = ''capture'' WHERE %s AND payment_id = 72', '! Payment 72 ...'),
	('UPDATE ordertrack.payments SET reason = NULL, transaction_id = ''x'' WHERE %s', NULL),
	('DELETE FROM ordertrack.payments WHERE %s AND payment_id = 74', '! Payment 74 ...'),
	('INSERT INTO ordertrack.payments (workspace_id, payment_id, order_id, transaction_type, amount, status, created_by, created_at, updated_at)
		SELECT 1, 75, %2$s, ''sale'', 5, ''pending'', ''me'', now(), now()', '! Payment 75 ...'),
	('UPDATE ordertrack.returns SET refund_amount = 10 WHERE %s', '! Return 73 ...'),
	('UPDATE ordertrack.returns SET status = ''canceled'' WHERE %s', '! Return 73 ...'),
	('UPDATE ordertrack.returns SET exchange_order_id = 5 WHERE %s', '! Return 73 ...'),
	('UPDATE ordertrack.returns SET reason = NULL, completed_at = now() WHERE %s', NULL),
	('UPDATE ordertrack.return_items SET quantity = 3 WHERE %s', '! Return 73 ...'),
	('DELETE FROM ordertrack.return_receipts WHERE return_id = 73 AND receipt_no = 2', '! Return 73 ...'),
	-- a history that is damaged itself proves nothing of the tables
	('WITH n AS (UPDATE ordertrack.order_notes SET author = ''x'' WHERE %1$s AND note_no = 1)
		UPDATE ordertrack.orders SET amount = 36, total_amount = 31 WHERE %1$s', 'altered_note 1'),
	('WITH n AS (UPDATE ordertrack.order_notes SET data = data || ''{"amount":36}'' WHERE %1$s AND note_no = 1)
		UPDATE ordertrack.orders SET amount = 36, total_amount = 31 WHERE %1$s', 'altered_note 1'),
	('WITH n AS (DELETE FROM ordertrack.order_notes WHERE %1$s AND note_no = 2) UPDATE ordertrack.order_items SET quantity = 9 WHERE %1$s', 'missing_note 2'),
	-- a head that does not fit leaves the notes as they are
	('UPDATE ordertrack.orders SET note_hash = ''x'', data_source = NULL WHERE %s', 'head_mismatch 13 ! The order''s data_source is nothing, shop.')
  ) AS c (command, wanted);
SELECT is_empty(format('SELECT * FROM ordertrack.verify_order(%s)', :whole), 'and all is as it was');

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

-- Watching: every note once and in order, by pages of every size; what a cursor
-- may be; the views. A note can be followed when it has been committed, so this
-- works in a database of its own, which it drops again.
\set QUIET on
SET client_min_messages = warning;
SELECT current_database() AS home
\gset
DROP DATABASE IF EXISTS tap_activity;
CREATE DATABASE tap_activity;
\c tap_activity
SET client_min_messages = warning;
CREATE EXTENSION pgtap;
CREATE EXTENSION ordertrack;
SELECT ordertrack.setup()
\g /dev/null
SELECT * FROM no_plan();

-- All notes after a cursor as order/number, by pages of this size.
CREATE FUNCTION pg_temp.walk(cursor text, at_most integer, workspace bigint DEFAULT 1) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	walked text := '';
	page text;
	count integer;
BEGIN
	LOOP
		SELECT string_agg(' ' || a.order_id || '/' || a.note_no, '' ORDER BY n), count(*), (array_agg(a.cursor ORDER BY n DESC))[1]
		  INTO page, count, cursor
		  FROM ordertrack.activity_since(walk.cursor, at_most, workspace) WITH ORDINALITY AS a (cursor, order_id, source_id,
			note_no, note_type, event_type, channel, author, title, detail, data, created_at, n);
		EXIT WHEN count = 0;
		IF count > at_most THEN
			RETURN 'a page of ' || count;
		END IF;
		walked := walked || page;
	END LOOP;
	RETURN walked;
END
$$;
-- The same, of all notes that there are, in the order that is promised.
CREATE FUNCTION pg_temp.notes(workspace bigint DEFAULT 1, after_order bigint DEFAULT 0) RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(string_agg(' ' || order_id || '/' || note_no, '' ORDER BY created_at, order_id, note_no), '')
	  FROM ordertrack.order_notes WHERE workspace_id = workspace AND order_id > after_order
$$;
-- The SQLSTATE of reading on from a cursor, '' where that works.
CREATE FUNCTION pg_temp.state_of(cursor text, workspace bigint DEFAULT 1) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM ordertrack.activity_since(state_of.cursor, 100, workspace);
	RETURN '';
EXCEPTION WHEN OTHERS THEN
	RETURN sqlstate;
END
$$;
-- A cursor whose check is right, whatever else is wrong with it.
CREATE FUNCTION pg_temp.sealed(body text) RETURNS text LANGUAGE sql AS $$
	SELECT body || '.' || encode(substr(sha256(convert_to(body || '.', 'UTF8')), 1, 4), 'hex')
$$;

SELECT is(pg_temp.walk(NULL, 10), '', 'nothing has happened');
SELECT ordertrack.activity_cursor() AS beginning
\gset
SELECT is(pg_temp.walk(:'beginning', 10), '', 'nor from now on');

SELECT ordertrack.create_workspace('second') AS second, ordertrack.create_voucher('OFF', '{"type": "amount", "amount_off": 5}')
\gset
SELECT ordertrack.activity_cursor(:second) AS second_beginning
\gset
SELECT count(ordertrack.create_order(jsonb_build_object('source_id', 'A-' || i, 'amount', 100))) FROM generate_series(1, 9) AS i
\g /dev/null
SELECT count(ordertrack.create_order(jsonb_build_object('source_id', 'B-' || i), workspace => :second)) FROM generate_series(1, 4) AS i
\g /dev/null
SELECT count(r.*) FROM ordertrack.redeem_batch((SELECT jsonb_agg('{"code": "OFF", "order_data": {"amount": 10}}'::jsonb) FROM generate_series(1, 7))) AS r
\g /dev/null
-- Notes of one moment are rare.
ALTER TABLE ordertrack.order_notes DISABLE TRIGGER USER;
UPDATE ordertrack.order_notes SET created_at = '2026-01-01' WHERE workspace_id = :second;
SELECT ordertrack.arm_triggers()
\g /dev/null
SELECT ordertrack.set_order_status(order_id, 'on_hold', 'web', 'eve'), ordertrack.add_note(order_id, 'words', 'title', 'phone')
  FROM ordertrack.orders WHERE workspace_id = 1 AND source_id LIKE 'A-%' ORDER BY order_id DESC
\g /dev/null

SELECT isnt(pg_temp.notes(), '', 'there are notes');
SELECT is(pg_temp.walk(NULL, size), pg_temp.notes(), 'all notes from NULL by ' || size)
  FROM generate_series(1, 45) AS size;
SELECT is(pg_temp.walk(:'beginning', size), pg_temp.notes(), 'all notes from the beginning by ' || size)
  FROM generate_series(1, 45) AS size;
SELECT is(pg_temp.walk(:'beginning', 10000), pg_temp.notes(), 'all at once');
SELECT is(pg_temp.walk(start, size, :second), pg_temp.notes(:second), 'another workspace by ' || size)
  FROM unnest(ARRAY[NULL, :'second_beginning']) AS start, generate_series(1, 5) AS size;
SELECT is(pg_temp.walk(a.cursor, 3), right(pg_temp.notes(), -length(left(pg_temp.notes(), strpos(pg_temp.notes() || ' ',
	' ' || a.order_id || '/' || a.note_no || ' ') + length(a.order_id || '/' || a.note_no)))),
	format('going on after %s/%s', a.order_id, a.note_no)) FROM ordertrack.activity_since(:'beginning', 20) AS a;

-- The rows are those of the table.
SELECT bag_eq('SELECT order_id, source_id, note_no, note_type, event_type, channel, author, title, detail, data, created_at FROM ordertrack.activity_since(NULL, 1000)',
	'SELECT n.order_id, o.source_id, n.note_no, n.note_type::text, n.event_type, n.channel, n.author, n.title, n.detail, n.data, n.created_at
	  FROM ordertrack.order_notes AS n JOIN ordertrack.orders AS o USING (workspace_id, order_id) WHERE workspace_id = 1', 'what the rows say');

-- A delta: what is new, by pages of every size, also when more comes meanwhile.
SELECT ordertrack.activity_cursor() AS here, max(order_id) AS last_order FROM ordertrack.orders
\gset
SELECT count(ordertrack.create_order('{"amount": 1}')) FROM generate_series(1, 5)
\g /dev/null
SELECT is(pg_temp.walk(:'here', size), pg_temp.notes(1, :last_order), 'what is new by ' || size) FROM generate_series(1, 6) AS size;
SELECT max(a.order_id) AS page_end, (array_agg(a.cursor))[2] AS inside
  FROM ordertrack.activity_since(:'here', 2) AS a
\gset
SELECT count(ordertrack.create_order('{"amount": 2}')) FROM generate_series(1, 2)
\g /dev/null
SELECT is(pg_temp.walk(:'inside', size), pg_temp.notes(1, :page_end), 'pages and then what came meanwhile, by ' || size)
  FROM generate_series(1, 6) AS size;
SELECT is(string_agg(order_id::text, ' '), (SELECT string_agg(order_id::text, ' ' ORDER BY order_id) FROM (SELECT order_id
	FROM ordertrack.orders WHERE order_id > :page_end ORDER BY order_id LIMIT 3) AS o), 'the walk ends where it was to end')
  FROM ordertrack.activity_since(:'inside', 100);

-- Our own transaction: its notes come when it has committed.
SELECT ordertrack.activity_cursor() AS here
\gset
BEGIN;
SELECT ordertrack.add_note(1, 'kept') AS kept
\gset
SAVEPOINT s;
SELECT ordertrack.add_note(1, 'undone')
\g /dev/null
ROLLBACK TO s;
SELECT ordertrack.add_note(1, 'kept, too') AS too
\gset
RELEASE s;
SELECT is(pg_temp.walk(:'here', 10), '', 'not before');
SELECT is(pg_temp.walk(NULL, 10), replace(pg_temp.notes(), format(' 1/%s 1/%s', :kept, :too), ''), 'nor from NULL');
SELECT ordertrack.activity_cursor() AS within
\gset
COMMIT;
SELECT is(pg_temp.walk(c, 10), format(' 1/%s 1/%s', :kept, :too), 'then') FROM unnest(ARRAY[:'here', :'within']) AS c;
BEGIN;
SELECT ordertrack.add_note(1, 'undone')
\g /dev/null
SELECT ordertrack.activity_cursor() AS within
\gset
ROLLBACK;
SELECT is(pg_temp.walk(:'within', 10), '', 'never, if it is rolled back');
SELECT ordertrack.add_note(1, 'later') AS later
\gset
SELECT is(pg_temp.walk(:'within', 10), ' 1/' || :later, 'and what comes later is not lost');

-- An edited note doesn't come again, but the note about it does.
SELECT ordertrack.activity_cursor() AS here, (SELECT txid FROM ordertrack.order_notes WHERE order_id = 1 AND note_no = :later) AS txid
\gset
SELECT ordertrack.edit_note(1, :later, 'edited')
\g /dev/null
SELECT is(string_agg(event_type || ' ' || (data ->> 'note_no'), ','), 'note_edited ' || :later, 'the trace of an edit')
  FROM ordertrack.activity_since(:'here');
SELECT is(txid, :txid::bigint, 'an edited note stays with its transaction') FROM ordertrack.order_notes WHERE order_id = 1 AND note_no = :later;
SELECT throws_ok('UPDATE ordertrack.order_notes SET txid = txid - 1', 'OT020', NULL, 'which nobody can change');
SELECT is_empty('SELECT f.* FROM ordertrack.orders AS o, ordertrack.verify_order(o.order_id) AS f WHERE o.workspace_id = 1', 'all histories verify');

-- In a parallel worker
SET force_parallel_mode = on;
SELECT is(pg_temp.walk(:'beginning', 10000), pg_temp.notes(), 'activity_since in a parallel worker');
SELECT is(pg_temp.walk(ordertrack.activity_cursor(), 10), '', 'activity_cursor in a parallel worker');
RESET force_parallel_mode;

-- Arguments
SELECT throws_ok(format('SELECT ordertrack.%s', call), state, NULL, call) FROM (VALUES
	('activity_since(NULL, NULL)', 'OT005'), ('activity_since(NULL, 0)', 'OT005'), ('activity_since(NULL, -1)', 'OT005'),
	('activity_since(NULL, 10001)', 'OT005'), ('activity_since(NULL, -2147483648)', 'OT005'),
	('activity_since(workspace => NULL)', 'OT005'), ('activity_since(workspace => 99)', 'OT002'),
	('activity_cursor(NULL)', 'OT005'), ('activity_cursor(99)', 'OT002'), ('activity_cursor(-9223372036854775808)', 'OT002')) AS c (call, state);
SELECT lives_ok('SELECT ordertrack.activity_since(NULL, 10000)', 'as many as there may be');

-- Cursors that are none, or do not fit. :inside has all parts.
SELECT is(pg_temp.state_of(:'inside'), '', 'a cursor');
SELECT is(pg_temp.sealed(regexp_replace(:'inside', '\.[^.]*$', '')), :'inside', 'whose check is as said');
SELECT is(pg_temp.state_of(c), 'OT005', format('%L is no cursor', left(c, 50))) FROM unnest(ARRAY['', ' ', '.', 'x', '1', '-', :'inside' || ' ',
	' ' || :'inside', upper(:'inside'), :'inside' || :'inside', repeat('1', 10000000), repeat('.', 10000000), repeat('9', 17000000),
	(:'inside')::bytea::text]) AS c;
SELECT is(pg_temp.state_of(left(:'inside', n)), 'OT005', 'cut to ' || n) FROM generate_series(0, length(:'inside') - 1) AS n;
SELECT is(pg_temp.state_of(:'inside', :second), 'OT005', 'of another workspace');
SELECT throws_ok(format('SELECT ordertrack.activity_since(%L, workspace => %s)', :'inside', :second), 'OT005', 'cursor does not fit', 'it says so');
SELECT matches(:'inside'::text, '^1(\.[0-9a-f]+){3}(\.\d+(-\d+)+){2}(\.\d+){3}\.[0-9a-f]{8}$', 'the parts of a cursor');
SELECT regexp_replace(:'inside', '\.[^.]*$', '') AS body
\gset
SELECT is(pg_temp.state_of(pg_temp.sealed(regexp_replace(:'body', pattern, replacement))), state, label) FROM (VALUES
	('$', '', '', 'unchanged'), ('$', '.', 'OT005', 'a dot more'), ('$', '.1', 'OT005', 'a part more'), ('$', 'x', 'OT005', 'a letter more'),
	('^1', '2', 'OT005', 'another workspace'),
	('^1', '+1', 'OT005', 'a sign'), ('^1', '', 'OT005', 'no workspace'), ('^1', '--1', 'OT005', 'two signs'),
	('^1', '99999999999999999999', 'OT005', 'a workspace beyond bigint'), ('^1', '-9223372036854775809', 'OT005', 'below bigint'),
	('^1\.[^.]*', '1.0', 'OT005', 'another server'), ('^1\.[^.]*', '1.fffffffffffffffff', 'OT005', 'a server beyond 64 bits'),
	('^1\.[^.]*', '1.0x1', 'OT005', 'a server with 0x'),
	('^(1\.[^.]*)\.1', '\1.0', 'OT005', 'timeline 0'), ('^(1\.[^.]*)\.1', '\1.2', 'OT005', 'a timeline to come'),
	('^(1\.[^.]*)\.1', '\1.fffffffff', 'OT005', 'a timeline beyond 32 bits'),
	('^(1\.[^.]*\.1)\.[^.]*', '\1.ffffffffffffffff', 'OT005', 'a position to come'), ('^(1\.[^.]*\.1)\.[^.]*', '\1.0', 'OT005', 'position 0'),
	('^(1\.[^.]*\.1)\.[^.]*', '\1.-1', 'OT005', 'a negative position'),
	('^((?:[^.]*\.){4})1-\d+', '\11-17592186044415', 'OT005', 'transactions to come'),
	('^((?:[^.]*\.){4})1-\d+', '\11-17592186044416', 'OT005', 'a transaction that is too high'),
	('^((?:[^.]*\.){4})1-\d+', '\12-5', 'OT005', 'a generation to come'),
	('^((?:[^.]*\.){4})1-\d+', '\10-5', '', 'a generation of the past'),
	('^((?:[^.]*\.){4})1-\d+', '\1500001-5', 'OT005', 'a generation that is too high'),
	('^((?:[^.]*\.){4})1-\d+', '\11-', 'OT005', 'no transaction'),
	('^((?:[^.]*\.){4})1-\d+', '\11', 'OT005', 'only a generation'),
	('^((?:[^.]*\.){4})(1-\d+)', '\1\2-0', 'OT005', 'twice the same'),
	('^((?:[^.]*\.){4})(1-\d+)', '\11-5-6', 'OT005', 'running below 0'),
	('^((?:[^.]*\.){4})(1-\d+)', '\11-5-3-2', '', 'running down to 0'),
	('^((?:[^.]*\.){4})(1-\d+)', '\1\2-', 'OT005', 'running nothing'),
	('^((?:[^.]*\.){4}[^.]*\.[^.]*).*', '\1', 'OT005', 'a walk without a row'),
	('^((?:[^.]*\.){6})\d+', '\1-5', '', 'a time before 2000'), ('^((?:[^.]*\.){6})\d+', '\11e9', 'OT005', 'no whole time'),
	('^((?:[^.]*\.){6})\d+', '\1-9223372036854775808', '', 'the first time'), ('^((?:[^.]*\.){6})\d+', '\19223372036854775807', '', 'the last time'),
	('^((?:[^.]*\.){8})\d+', '\12147483648', 'OT005', 'a number of a note beyond integer'),
	('^((?:[^.]*\.){8})\d+', '\1-1', 'OT005', 'a negative number of a note')) AS m (pattern, replacement, state, label);
-- A walk that finds nothing more goes on with what is new.
SELECT is(pg_temp.walk(pg_temp.sealed(regexp_replace(:'body', '^((?:[^.]*\.){6})\d+.*', '\19223372036854775807.1.1')), 2),
	pg_temp.walk(pg_temp.sealed(regexp_replace(:'body', '^((?:[^.]*\.){4}[^.]*).*', '\1')), 2), 'a walk without an end');

-- Random changes, with the old check and with one that is right again: refused, or
-- read as far as it means something, but never another error.
CREATE FUNCTION pg_temp.mutated(cursor text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	mutated text := cursor;
	at integer;
BEGIN
	FOR i IN 1 .. 1 + floor(random() * 3) LOOP
		at := floor(random() * (length(mutated) + 1));
		mutated := CASE floor(random() * 5)
			WHEN 0 THEN overlay(mutated placing substr('0123456789abcdef.-, xZ', 1 + floor(random() * 22)::integer, 1) from at + 1 for 1)
			WHEN 1 THEN left(mutated, at) || substr('0123456789abcdef.-', 1 + floor(random() * 18)::integer, 1) || substr(mutated, at + 1)
			WHEN 2 THEN left(mutated, at) || substr(mutated, at + 2)
			WHEN 3 THEN left(mutated, at)
			ELSE left(mutated, at) || substr(mutated, floor(random() * (length(mutated) + 1))::integer + 1)
		END;
	END LOOP;
	RETURN mutated;
END
$$;
SELECT setseed(0.5)
\g /dev/null
SELECT is(string_agg(DISTINCT pg_temp.state_of(m), ' '), 'OT005', 'altered cursors are refused') FROM (SELECT pg_temp.mutated(c) AS m, c
	FROM generate_series(1, 2000) AS i, LATERAL (SELECT CASE i % 2 WHEN 0 THEN :'inside' ELSE :'here' END AS c) AS cursors) AS mutants WHERE m <> c;
CREATE TEMP TABLE sealed AS SELECT pg_temp.state_of(pg_temp.sealed(pg_temp.mutated(body))) AS state FROM generate_series(1, 3000) AS i,
	LATERAL (SELECT regexp_replace(CASE i % 2 WHEN 0 THEN :'inside' ELSE :'here' END, '\.[^.]*$', '') AS body) AS bodies;
SELECT bag_eq('SELECT DISTINCT state FROM sealed', $$VALUES (''), ('OT005')$$, 'nor do those with a right check do anything else');
SELECT is(pg_temp.walk(NULL, 100), pg_temp.notes(), 'after which all is as before');

-- Another server has written: nobody follows until this one has registered.
SELECT ordertrack.activity_cursor() AS here, max(order_id) AS last_order FROM ordertrack.orders
\gset
SELECT (array_agg(a.cursor))[3] AS inside, string_agg(' ' || a.order_id || '/' || a.note_no, '') AS first FROM ordertrack.activity_since(NULL, 3) AS a
\gset
CREATE TEMP TABLE before AS SELECT * FROM ordertrack.installation;
CREATE FUNCTION pg_temp.generation() RETURNS text LANGUAGE sql AS $$
	SELECT i.generation || ' ' || (i.server_id = c.system_identifier) FROM ordertrack.installation AS i, pg_control_system() AS c
$$;
SELECT is(pg_temp.generation(), '1 true', 'a new installation has the server''s name');
UPDATE ordertrack.installation SET server_id = server_id - 1;
SELECT throws_ok(call, '55000', 'activity can be followed only on the server that writes it', call) FROM unnest(ARRAY['SELECT ordertrack.activity_since()',
	format('SELECT ordertrack.activity_since(%L)', :'here'), 'SELECT ordertrack.activity_cursor()']) AS call;
-- This session knows its generation until the table changes, as it would by a restore.
ALTER TABLE ordertrack.installation SET (fillfactor = 100);
BEGIN;
SELECT ordertrack.create_order('{"amount": 3}')
\g /dev/null
SELECT is(pg_temp.generation(), '2 true', 'the first note registers');
SELECT ordertrack.activity_cursor() AS undone
\gset
ROLLBACK;
SELECT is(pg_temp.generation(), '1 false', 'unless it is rolled back');
SELECT ordertrack.create_order('{"amount": 4}')
\g /dev/null
SELECT is(pg_temp.generation(), '2 true', 'then the next note does');
SELECT ordertrack.create_order('{"amount": 5}')
\g /dev/null
SELECT is(pg_temp.generation(), '2 true', 'and no other');
SELECT is(array_agg(DISTINCT txid >> 44), '{2}', 'new numbers are of the new generation') FROM ordertrack.order_notes WHERE order_id > :last_order;
SELECT is(array_agg(DISTINCT txid >> 44), '{1}', 'old ones are what they were') FROM ordertrack.order_notes WHERE order_id <= :last_order;
SELECT is(pg_temp.walk(c, size), pg_temp.notes(1, :last_order), 'a cursor of before the restore goes on, by ' || size)
  FROM unnest(ARRAY[:'here', :'undone']) AS c, generate_series(1, 3) AS size;
SELECT is(:'first' || pg_temp.walk(:'inside', size), pg_temp.notes(), 'so does one inside a walk, by ' || size) FROM unnest('{1,7,100}'::int[]) AS size;
SELECT is(pg_temp.walk(NULL, size), pg_temp.notes(), 'NULL begins with the first, by ' || size) FROM unnest('{1,7,100}'::int[]) AS size;

-- What was restored may bear higher transaction ids than this server has.
SELECT ordertrack.activity_cursor() AS here
\gset
ALTER TABLE ordertrack.order_notes DISABLE TRIGGER USER;
UPDATE ordertrack.order_notes SET txid = (1::bigint << 44) + (1::bigint << 43) + note_no WHERE order_id = 1;
SELECT ordertrack.arm_triggers()
\g /dev/null
SELECT is(pg_temp.walk(:'here', 10), '', 'that is not new');
SELECT is(pg_temp.walk(NULL, 3), pg_temp.notes(), 'and not lost');
SELECT ordertrack.add_note(1, 'new') AS newest
\gset
SELECT is(pg_temp.walk(:'here', 10), ' 1/' || :newest, 'a new note is');

UPDATE ordertrack.installation SET server_id = server_id + 1;
SELECT ordertrack.setup()
\g /dev/null
SELECT is(pg_temp.generation(), '3 true', 'setup() registers, too');
SELECT ordertrack.setup()
\g /dev/null
SELECT is(pg_temp.generation(), '3 true', 'once');
SELECT ordertrack.activity_cursor() AS ahead
\gset
UPDATE ordertrack.installation SET generation = 2;
SELECT throws_ok(format('SELECT ordertrack.activity_since(%L)', :'ahead'), 'OT005', 'cursor does not fit', 'a cursor of a later generation');
UPDATE ordertrack.installation SET generation = 3;
SELECT is(pg_temp.state_of(:'ahead'), '', 'fits again');

-- A subscriber of the same server has its name.
BEGIN;
INSERT INTO pg_subscription_rel (srsubid, srrelid, srsubstate) VALUES (1, 'ordertrack.order_notes'::regclass, 'r');
SELECT throws_ok('SELECT ordertrack.activity_since()', '55000', NULL, 'a table that is fed cannot be followed');
UPDATE ordertrack.installation SET server_id = server_id + 1;
SELECT ordertrack.setup()
\g /dev/null
SELECT is(pg_temp.generation(), '3 false', 'nor does its server register');
ROLLBACK;
BEGIN;
DELETE FROM ordertrack.installation;
SELECT throws_ok('SELECT ordertrack.activity_since()', '55000', NULL, 'no installation');
ALTER TABLE ordertrack.installation RESET (fillfactor);
SELECT throws_ok('SELECT ordertrack.add_note(1, ''x'')', 'OT030', NULL, 'no note without one');
ROLLBACK;

-- The newest notes of all orders, by the index.
SELECT count(ordertrack.create_order('{"amount": 6}', workspace => 1 + i % 2 * (:second - 1))) FROM generate_series(1, 500) AS i
\g /dev/null
ANALYZE;
SELECT results_eq('SELECT order_id, note_no FROM ordertrack.order_activity WHERE workspace_id = 1 LIMIT 50',
	'SELECT order_id, note_no FROM ordertrack.order_notes WHERE workspace_id = 1 ORDER BY created_at DESC, order_id DESC, note_no DESC LIMIT 50',
	'order_activity shows the newest first');
SELECT results_eq('SELECT workspace_id, order_id, note_no FROM ordertrack.order_activity',
	'SELECT workspace_id, order_id, note_no FROM ordertrack.order_notes ORDER BY created_at DESC, order_id DESC, note_no DESC', 'of all workspaces, too');
SELECT bag_eq('SELECT workspace_id, created_at, order_id, source_id, order_status::text, note_no, note_type::text, event_type, channel, author, title, detail, data FROM ordertrack.order_activity',
	'SELECT n.workspace_id, n.created_at, n.order_id, o.source_id, o.status::text, n.note_no, n.note_type::text, n.event_type, n.channel, n.author, n.title, n.detail, n.data
	  FROM ordertrack.order_notes AS n JOIN ordertrack.orders AS o USING (workspace_id, order_id)', 'with what they say');
CREATE FUNCTION pg_temp.plan_of(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE 'EXPLAIN ' || query;
END
$$;
SELECT ok(bool_or(l ~ 'Index Scan Backward using order_notes_created_at_idx') AND NOT bool_or(l ~ 'Sort|Seq Scan'), 'order_activity by the index')
  FROM pg_temp.plan_of('SELECT * FROM ordertrack.order_activity WHERE workspace_id = 1 LIMIT 50') AS l;
SELECT ok(NOT bool_or(l ~ 'Seq Scan on order_notes'), 'order_activity_events of an order by the index')
  FROM pg_temp.plan_of('SELECT * FROM ordertrack.order_activity_events WHERE workspace_id = 1 AND order_id = 5') AS l;

-- Every event type has the reference system's name, or None.
SELECT columns_are('ordertrack', 'order_activity_events', ARRAY['workspace_id', 'order_id', 'source_id', 'note_no', 'created_at', 'event',
	'event_type', 'channel', 'author', 'data'], 'order_activity_events has no words of people');
ALTER TABLE ordertrack.order_notes DISABLE TRIGGER USER;
CREATE TEMP TABLE names (event_type text, event text);
INSERT INTO names VALUES ('order_created', 'OrderGroupCreated'), ('order_on_hold', 'OrderGroupOnHold'), ('order_completed', 'OrderGroupCompleted'),
	('order_in_progress', 'OrderGroupInProgress'), ('order_cancelled', 'OrderGroupCancelled'),
	('shipment_awaiting_inventory', 'ShipmentAwaitingInventory'), ('shipment_cancelled', 'ShipmentCancelled'), ('shipment_packing', 'ShipmentPacking'),
	('shipment_released', 'ShipmentReleased'), ('shipment_shipped', 'ShipmentShipped'), ('return_created', 'ReturnCreated'),
	('adding_payment', 'AddingPayment'), ('creating_refund', 'CreatingRefund'), ('return_receipt_items', 'ReturnReceiptItems'),
	('promotion_add_coupon', 'PromotionAddCoupon'), ('promotion_manual_discount', 'PromotionManualDiscount'),
	('promotion_remove_coupon', 'PromotionRemoveCoupon'), ('none', 'None'), ('order_paid', 'None'), ('shipment_delivered', 'None'), ('note_edited', 'None');
INSERT INTO names SELECT DISTINCT event_type, 'None' FROM ordertrack.default_transitions()
 WHERE event_type IS NOT NULL AND event_type NOT IN (SELECT event_type FROM names);
INSERT INTO ordertrack.order_notes (workspace_id, order_id, note_no, note_type, event_type, author, created_at, hash, txid)
SELECT 1, 1, 1000 + row_number() OVER (), 'system', event_type, 'x', now(), '', 1 FROM names;
SELECT bag_eq('SELECT event_type, event FROM ordertrack.order_activity_events WHERE order_id = 1 AND note_no > 1000', 'SELECT * FROM names', 'names of events');
SELECT is(count(*), 18::bigint, 'of which the reference system has 18') FROM (SELECT DISTINCT event FROM names) AS n;
SELECT is(array_agg(DISTINCT event), '{None}', 'custom notes have none') FROM ordertrack.order_activity_events JOIN ordertrack.order_notes USING (workspace_id, order_id, note_no)
 WHERE note_type = 'custom';

SELECT * FROM finish();
\c :home
SET client_min_messages = warning;
DROP DATABASE tap_activity;

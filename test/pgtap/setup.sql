-- setup(): again and again, after damage, over surviving tables; missing tables.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT * FROM no_plan();

-- Judged when a plan is first prepared, so before anything else in this session.
SAVEPOINT before;
UPDATE ordertrack.installation SET tables_version = tables_version + 1;
SELECT throws_ok(call, 'OT030', NULL, 'tables of another version: ' || call)
  FROM unnest(ARRAY['SELECT ordertrack.redeem(''X'')', 'SELECT ordertrack.setup()',
	'SELECT ordertrack.create_order(''{}'')']) AS call;
UPDATE ordertrack.installation SET tables_version = tables_version - 2;
SELECT throws_ok('SELECT ordertrack.redeem(''X'')', 'OT030', NULL, 'tables of an older version');
UPDATE ordertrack.installation SET tables_version = tables_version + 1;
DELETE FROM ordertrack.installation;
SELECT throws_ok('SELECT ordertrack.redeem(''X'')', 'OT030', NULL, 'tables without a version');
ROLLBACK TO before;
SAVEPOINT before;
DO $$
DECLARE
	t name;
BEGIN
	FOR t IN SELECT relname FROM pg_class WHERE relnamespace = 'ordertrack'::regnamespace AND relkind = 'r' LOOP
		EXECUTE format('DROP TABLE ordertrack.%I CASCADE', t);
	END LOOP;
END
$$;
SELECT throws_ok(call, 'OT030', NULL, 'no tables: ' || call)
  FROM unnest(ARRAY['SELECT ordertrack.redeem(''X'')', 'SELECT ordertrack.validate(''X'')',
	'SELECT ordertrack.redeem_batch(''[]'')',
	'SELECT ordertrack.rollback_redemption(1)', 'SELECT ordertrack.create_order(''{}'')',
	'SELECT ordertrack.update_order(1, ''{"metadata":{}}'')', 'SELECT ordertrack.set_order_status(1, ''paid'')',
	'SELECT ordertrack.add_note(1, ''x'')', 'SELECT ordertrack.edit_note(1, 1, ''x'')',
	'SELECT ordertrack.delete_note(1, 1)', 'SELECT ordertrack.order_history(1)',
	'SELECT ordertrack.verify_order(1)',
	'SELECT ordertrack.create_workspace(''x'')', 'SELECT ordertrack.put_customer(''x'')',
	'SELECT ordertrack.create_campaign(''x'')', 'SELECT ordertrack.update_campaign(''x'')',
	'SELECT ordertrack.create_voucher(''x'', gift_amount => 1)', 'SELECT ordertrack.update_voucher(''x'')',
	'SELECT ordertrack.create_reward(''x'', ''gift'', 1)', 'SELECT ordertrack.update_reward(''x'')',
	'SELECT ordertrack.add_reward_codes(''x'', ''{x}'')', 'SELECT ordertrack.add_reward_stock(''x'', 1)',
	'SELECT ordertrack.grant_points(''x'', 1)', 'SELECT ordertrack.cancel_points(1)',
	'SELECT ordertrack.transfer_points(''x'', ''y'', 1)', 'SELECT ordertrack.points_balance(''x'')',
	'SELECT ordertrack.expiring_points(''1 day'')',
	'SELECT ordertrack.export_query(''orders'')',
	'SELECT ordertrack.grant_access(''app'', session_user)',
	'SELECT ordertrack.revoke_access(''app'', session_user)']) AS call;
ROLLBACK TO before;

-- A story, to see that nothing of it changes.
CREATE FUNCTION pg_temp.state() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	t name;
	result text := '';
	part text;
BEGIN
	FOR t IN SELECT relname FROM pg_class WHERE relnamespace = 'ordertrack'::regnamespace AND relkind = 'r'
		ORDER BY 1 LOOP
		EXECUTE format('SELECT md5(string_agg(t::text, ''|'' ORDER BY t::text)) FROM ordertrack.%I AS t',
			t) INTO part;
		result := concat(result, t, part);
	END LOOP;
	RETURN md5(result);
END
$$;
CREATE FUNCTION pg_temp.catalog() RETURNS text LANGUAGE sql AS $$
	SELECT md5(concat((SELECT string_agg(concat(pg_get_triggerdef(t.oid), t.tgenabled), '|' ORDER BY t.tgname)
		FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
			WHERE c.relnamespace = 'ordertrack'::regnamespace AND NOT t.tgisinternal),
		(SELECT string_agg(concat(a.attrelid::regclass, a.attname, a.atttypid::regtype), '|'
			ORDER BY a.attrelid::regclass::text, a.attnum) FROM pg_attribute AS a
				JOIN pg_class AS c ON c.oid = a.attrelid
			WHERE c.relnamespace = 'ordertrack'::regnamespace AND a.attnum > 0),
		(SELECT string_agg(concat(p.oid::regprocedure, p.proacl), '|' ORDER BY p.oid::regprocedure::text)
			FROM pg_proc AS p WHERE p.pronamespace = 'ordertrack'::regnamespace)))
$$;
CREATE ROLE tap_app;
SELECT ordertrack.grant_access('app', 'tap_app'),
	ordertrack.create_voucher('OFF', '{"type":"percent","percent_off":10}', redemption_limit => 9),
	ordertrack.create_workspace('two'), ordertrack.grant_points('anna', 5, '2100-01-01')
\g /dev/null
SELECT order_id AS o, redemption_id AS r FROM ordertrack.redeem('OFF', 'anna',
	'{"source_id":"o","amount":1000}', idempotency_key => 'k')
\gset
DELETE FROM ordertrack.status_transitions WHERE workspace_id = 1 AND from_status = 'fulfilled'
   AND to_status = 'paid';
SELECT pg_temp.state() AS state, pg_temp.catalog() AS catalog
\gset
SELECT is(ordertrack.setup() ~ '^ordertrack: tables version [0-9]+, was [0-9]+$', true, 'setup() again');
SELECT is(pg_temp.state() || pg_temp.catalog(), :'state' || :'catalog',
	'changes nothing, and leaves alone what an operator removed');
SELECT is(ordertrack.setup(false) ~ '^ordertrack', true, 'setup(seed => false) over tables');
SELECT is(pg_temp.state() || pg_temp.catalog(), :'state' || :'catalog', 'changes nothing');
SELECT lives_ok('SELECT ordertrack.setup(NULL)', 'setup(NULL)');

-- Repair.
ALTER TABLE ordertrack.orders DISABLE TRIGGER ALL;
ALTER TABLE ordertrack.order_notes ENABLE TRIGGER order_notes_guard_history;
DROP TRIGGER redemptions_guard_history ON ordertrack.redemptions;
DROP VIEW ordertrack.export_orders;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA ordertrack FROM tap_app;
SELECT ordertrack.setup()
\g /dev/null
SELECT is_empty('SELECT * FROM ordertrack.unarmed_triggers()', 'triggers are armed again');
SELECT has_view('ordertrack', 'export_orders', 'a lost view is made again');
SELECT ok(has_function_privilege('tap_app', oid, 'EXECUTE'), 'what was granted is granted again') FROM pg_proc
 WHERE proname = 'redeem' AND pronamespace = 'ordertrack'::regnamespace;
SELECT is(pg_temp.state(), :'state', 'rows stay as they are');

-- Drop and create again over surviving tables.
SELECT throws_ok('DROP EXTENSION ordertrack', '2BP01', NULL, 'DROP EXTENSION refuses');
DROP EXTENSION ordertrack CASCADE;
SELECT is(pg_temp.state(), :'state', 'with CASCADE, every row of every table survives');
SELECT isnt_empty('SELECT * FROM ordertrack.order_list', 'and so do the views');
CREATE EXTENSION ordertrack;
SELECT ordertrack.setup()
\g /dev/null
SELECT is(pg_temp.state() || pg_temp.catalog(), :'state' || :'catalog',
	'created again, all is as it was: rows, triggers, grants');
SELECT is_empty(format('SELECT * FROM ordertrack.verify_order(%s)', :o), 'the history verifies');
SELECT is(r.replayed, true, 'keys are known')
  FROM ordertrack.redeem('OFF', 'anna', '{"source_id":"o","amount":1000}', idempotency_key => 'k') AS r;
SELECT is(r.result, 'success', 'and it goes on') FROM ordertrack.rollback_redemption(:r) AS r;
SELECT throws_ok('DELETE FROM ordertrack.' || t, 'OT020', NULL, t || ' under guard') FROM unnest('{order_notes,point_movements}'::text[]) AS t;
SELECT is(b.active, 5::bigint, 'points are as they were') FROM ordertrack.points_balance('anna') AS b;
DROP EXTENSION ordertrack CASCADE;
SELECT lives_ok('CREATE EXTENSION ordertrack', 'once more');
SELECT is_empty('SELECT * FROM ordertrack.unarmed_triggers() WHERE state <> ''missing''',
	'without setup() there are no triggers');
SELECT lives_ok('SELECT ordertrack.setup()', 'setup() arms them');

-- A schema of somebody else is refused.
CREATE ROLE tap_other;
ALTER SCHEMA ordertrack OWNER TO tap_other;
SELECT throws_ok('SELECT ordertrack.setup()', '42501', NULL, 'setup() in a schema of somebody else');
DROP EXTENSION ordertrack CASCADE;
SELECT throws_ok('CREATE EXTENSION ordertrack', '42501', NULL, 'CREATE EXTENSION in a schema of somebody else');

SELECT * FROM finish();
ROLLBACK;

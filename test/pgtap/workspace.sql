-- create_workspace, and that workspaces have nothing in common.
BEGIN;
SELECT * FROM no_plan();

SELECT is((SELECT array_agg(workspace_id || ' ' || name || ' ' || time_zone) FROM ordertrack.workspaces),
	'{"1 default UTC"}', 'after setup there is workspace 1');
SELECT ordertrack.create_workspace('two') AS two, ordertrack.create_workspace('three', 'Europe/Berlin') AS three
\gset
SELECT is((SELECT array_agg(name || ' ' || time_zone ORDER BY workspace_id) FROM ordertrack.workspaces
	WHERE workspace_id IN (:two, :three)),
	'{"two UTC","three Europe/Berlin"}', 'two more');
SELECT
	bag_eq(format('SELECT entity, from_status, to_status, event_type FROM ordertrack.status_transitions WHERE workspace_id = %s', :two),
	'SELECT entity, from_status, to_status, event_type FROM ordertrack.status_transitions WHERE workspace_id = 1', 'with the same transitions');
SELECT bag_eq('SELECT entity, from_status, to_status, event_type FROM ordertrack.default_transitions()',
	'SELECT entity, from_status, to_status, event_type FROM ordertrack.status_transitions WHERE workspace_id = 1', 'which are the default ones');

SELECT throws_ok('SELECT ordertrack.create_workspace(' || args || ')', code, NULL, label) FROM (VALUES
	('NULL', 'OT005', 'no name'), ('''''', 'OT005', 'an empty name'),
	('repeat(''x'', 1001)', 'OT005', 'a name that is too long'),
	('''two''', 'OT004', 'a name that is taken'), ('''default''', 'OT004', 'the name of workspace 1'),
	('''n'', NULL', 'OT005', 'no time zone'),
	('''n'', ''''', 'OT005', 'an empty time zone'),
	('''n'', ''Mars/Olympus''', 'OT005', 'a time zone of another planet'),
	('''n'', repeat(''x'', 1000000)', 'OT005', 'a time zone of a megabyte'),
	('''n'', ''Europe/Berlin1''', 'OT005', 'a slip of the pen'),
	('''n'', ''../../etc/passwd''', 'OT005', 'a path'),
	('''n'', ''<+03>-3''', 'OT005', 'a POSIX rule')) AS c (args, code, label);
SELECT is((SELECT count(*) FROM ordertrack.workspaces), 3::bigint, 'what is refused leaves nothing');
SELECT lives_ok(format('SELECT ordertrack.create_workspace(%L, %L)', 'zone ' || zone, zone),
	'time zone ' || zone)
  FROM unnest('{UTC,America/New_York,Asia/Kolkata,Etc/GMT+5}'::text[]) AS zone;

-- The same names everywhere, and each workspace has its own.
SELECT ordertrack.create_campaign('c', redemption_limit => 5, workspace => w) FROM unnest(ARRAY[1, :two]) AS w
\g /dev/null
SELECT ordertrack.create_voucher('V', '{"type":"amount","amount_off":1}', campaign => 'c',
	redemption_limit => 2, customer_limit => 1, workspace => w)
  FROM unnest(ARRAY[1, :two]) AS w
\g /dev/null
CREATE TEMP TABLE made AS SELECT w, r.* FROM unnest(ARRAY[1, :two]) AS w
 CROSS JOIN LATERAL ordertrack.redeem('V', 'cust', '{"source_id":"o","amount":10}', idempotency_key => 'k',
	workspace => w) AS r;
SELECT is(array_agg(result || ' ' || replayed ORDER BY w), '{"success false","success false"}',
	'one use in each') FROM made;
SELECT is(array_agg(concat_ws(' ', v.redeemed_count, c.redeemed_count) ORDER BY workspace_id), '{1 1,1 1}',
	'counted in each')
  FROM ordertrack.vouchers AS v JOIN ordertrack.campaigns AS c USING (workspace_id, campaign_id);
SELECT is((SELECT count(*) FROM ordertrack.customers) || ' ' || (SELECT count(*) FROM ordertrack.orders), '2 2',
	'a customer and an order in each');
SELECT throws_ok(format(call, order_id, :three), 'OT001', NULL, call) FROM made, unnest(ARRAY[
	'SELECT ordertrack.set_order_status(%s, ''canceled'', workspace => %s)',
	'SELECT ordertrack.add_note(%s, ''x'', workspace => %s)',
	'SELECT ordertrack.update_order(%s, ''{"metadata":{}}'', workspace => %s)',
	'SELECT * FROM ordertrack.order_history(%s, %s)',
	'SELECT * FROM ordertrack.verify_order(%s, %s)',
	'SELECT ordertrack.edit_note(%s, 1, ''x'', workspace => %s)',
	'SELECT ordertrack.delete_note(%s, 1, workspace => %s)']) AS call WHERE w = 1;
SELECT is(r.failure_code, 'redemption_not_found', 'a redemption of another workspace')
  FROM made CROSS JOIN LATERAL ordertrack.rollback_redemption(made.redemption_id, workspace => :three) AS r
 WHERE w = 1;
DELETE FROM ordertrack.status_transitions WHERE workspace_id = :two AND from_status = 'paid';
SELECT is((SELECT string_agg(s, ' ') FROM made
	CROSS JOIN LATERAL ordertrack.set_order_status(order_id, 'completed') AS s WHERE w = 1), 'paid',
		'moves of one workspace');
SELECT throws_ok(format('SELECT ordertrack.set_order_status(%s, ''completed'', workspace => %s)', order_id, w),
	'OT010', NULL, 'are not those of another')
  FROM made WHERE w = :two;

SELECT * FROM finish();
ROLLBACK;

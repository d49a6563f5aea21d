-- create_campaign and update_campaign.
BEGIN;
SELECT * FROM no_plan();

SELECT ordertrack.create_workspace('other') AS other, ordertrack.create_campaign('plain') AS plain
\gset
SELECT is(to_jsonb(c) - '{created_at,updated_at}'::text[], jsonb_build_object('campaign_id', :plain) ||
	'{"workspace_id":1,"name":"plain","is_active":true,"starts_at":null,"expires_at":null,"redemption_limit":null,
		"customer_limit":null,"redeemed_count":null,"rule_count":0,"has_reservations":false,"is_striped":false,"per_day":null,"per_week":null,"per_month":null,
		"customer_per_day":null,"customer_per_week":null,"customer_per_month":null,"discount_budget":null,
		"discount_spent":null,"order_budget":null,"order_spent":null,"validity_hours":null,"metadata":null}', 'defaults')
  FROM ordertrack.campaigns AS c WHERE c.name = 'plain';
SELECT ordertrack.create_campaign('full', '2001-01-01 00:00+00', '2999-01-01 00:00+00', 9, 3, is_active => false,
	metadata => '{"a":1}')
\g /dev/null

SELECT count(*) AS campaigns FROM ordertrack.campaigns
\gset
SELECT throws_ok('SELECT ordertrack.create_campaign(' || args || ')', code, NULL, label) FROM (VALUES
	('NULL', 'OT005', 'no name'), ('''''', 'OT005', 'an empty name'),
	('repeat(''x'', 1001)', 'OT005', 'a name of 1001 bytes'),
	('repeat(''x'', 1000000)', 'OT005', 'a name of a megabyte'), ('''plain''', 'OT004', 'a name that is taken'),
	('''n'', redemption_limit => 0', 'OT005', 'a limit of 0'),
	('''n'', redemption_limit => -1', 'OT005', 'a limit of -1'),
	('''n'', customer_limit => 0', 'OT005', 'a customer limit of 0'),
	('''n'', starts_at => ''2002-01-01'', expires_at => ''2001-01-01''', 'OT005', 'an end before its start'),
	('''n'', starts_at => ''2001-01-01'', expires_at => ''2001-01-01''', 'OT005', 'an end at its start'),
	('''n'', is_active => NULL', 'OT005', 'neither active nor not'),
	('''n'', metadata => ''[]''', 'OT005', 'metadata as an array'),
	('''n'', metadata => jsonb_build_object(''x'', repeat(''x'', 1100000))', 'OT005',
		'metadata of more than a MiB'),
	('''n'', workspace => -1', 'OT002', 'no such workspace'),
	('''n'', workspace => NULL', 'OT005', 'no workspace')) AS c (args, code, label);
SELECT is((SELECT count(*) FROM ordertrack.campaigns), :campaigns::bigint, 'what is refused leaves nothing');
SELECT lives_ok(format('SELECT ordertrack.create_campaign(''plain'', workspace => %s)', :other),
	'the same name in another workspace');
SELECT lives_ok(format('SELECT ordertrack.create_campaign(%L)', name), 'name: ' || left(name, 10))
  FROM unnest(ARRAY['Plain', 'plain ', U&'caf\00e9', U&'cafe\0301', repeat('x', 1000)]) AS name;

CREATE FUNCTION pg_temp.change(wanted text, args text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('SELECT ordertrack.update_campaign(%L%s)', wanted, args);
	RETURN (SELECT concat_ws(' ', extract(year FROM starts_at AT TIME ZONE 'UTC'),
		extract(year FROM expires_at AT TIME ZONE 'UTC'),
		redemption_limit, redeemed_count, customer_limit, is_active::text, metadata::text)
	  FROM ordertrack.campaigns WHERE workspace_id = 1 AND name = wanted);
END
$$;
SELECT is(pg_temp.change('full', args), wanted, 'update' || args) FROM (VALUES
	('', '2001 2999 9 0 3 false {"a": 1}'), (', is_active => true', '2001 2999 9 0 3 true {"a": 1}'),
	(', starts_at => ''2002-05-01''', '2002 2999 9 0 3 true {"a": 1}'),
	(', expires_at => ''2998-05-01''', '2002 2998 9 0 3 true {"a": 1}'),
	(', redemption_limit => 8', '2002 2998 8 0 3 true {"a": 1}'),
	(', customer_limit => 4', '2002 2998 8 0 4 true {"a": 1}'),
	(', metadata => ''{}''', '2002 2998 8 0 4 true {}'),
	(', clear => ''{metadata,starts_at}''', '2998 8 0 4 true'),
	(', clear => ''{expires_at,redemption_limit,customer_limit}''', 'true')) AS c (args, wanted);
SELECT throws_ok('SELECT ordertrack.update_campaign(' || args || ')', code, NULL, 'update: ' || label)
  FROM (VALUES
	('NULL', 'OT005', 'no name'), ('''''', 'OT005', 'an empty name'),
	('repeat(''x'', 1001)', 'OT005', 'a name that is too long'),
	('''none''', 'OT002', 'no such campaign'), ('''full'', workspace => -1', 'OT002', 'no such workspace'),
	('''full'', workspace => NULL', 'OT005', 'no workspace'),
	('''full'', redemption_limit => 0', 'OT005', 'a limit of 0'),
	('''full'', metadata => ''7''', 'OT005', 'metadata as a number'),
	('''full'', clear => ''{name}''', 'OT005', 'clear name'),
	('''full'', clear => ''{NULL}''', 'OT005', 'clear NULL'),
	('''full'', redemption_limit => 1, clear => ''{redemption_limit}''', 'OT005', 'set and clear'),
	('''full'', starts_at => ''2002-01-01'', expires_at => ''2001-01-01''', 'OT005',
		'an end before its start')) AS c (args, code, label);

-- Limits are of all codes of the campaign, and count uses from before.
SELECT ordertrack.create_voucher(code, '{"type":"amount","amount_off":1}', campaign => 'plain')
  FROM unnest('{A,B}'::text[]) AS code
\g /dev/null
SELECT ordertrack.create_voucher('CARD', gift_amount => 100, campaign => 'plain'),
	ordertrack.create_voucher('NOT', gift_amount => 100)
\g /dev/null
CREATE TEMP TABLE uses AS SELECT u.code, n, r.*
  FROM (VALUES (1, 'A', 'ann'), (2, 'B', 'ann'), (3, 'B', 'bea'), (4, 'CARD', 'bea'), (5, 'NOT', 'ann'),
	(6, 'A', 'cora')) AS u (n, code, customer)
		CROSS JOIN LATERAL ordertrack.redeem(u.code, customer, '{"amount":50}') AS r;
SELECT ordertrack.rollback_redemption(redemption_id, amount => CASE n WHEN 4 THEN 10 END) FROM uses
 WHERE n IN (4, 6)
\g /dev/null
CREATE FUNCTION pg_temp.counted() RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', m.redemption_limit, m.redeemed_count, m.customer_limit,
		(SELECT string_agg(c.source_id || u.used, ',' ORDER BY c.source_id)
			FROM ordertrack.campaign_customers AS u
		   JOIN ordertrack.customers AS c USING (workspace_id, customer_id)
		  WHERE u.workspace_id = 1 AND u.campaign_id = m.campaign_id AND u.used > 0))
	  FROM ordertrack.campaigns AS m WHERE m.workspace_id = 1 AND m.name = 'plain'
$$;
SELECT throws_ok($$SELECT ordertrack.update_campaign('plain', redemption_limit => 3)$$, 'OT005', NULL,
	'a first limit below the four uses');
SELECT ordertrack.update_campaign('plain', redemption_limit => 5, customer_limit => 2)
\g /dev/null
SELECT is(pg_temp.counted(), '5 4 2 ann2,bea2',
	'past uses count; a part of a card that came back leaves its use');
SELECT is(r.failure_code, wanted, label) FROM (VALUES ('ann', 'A', 'redemption_rules_violated',
	'ann has had two'),
	('dora', 'B', NULL, 'dora may'), ('dora', 'A', 'quantity_exceeded', 'that was the fifth'),
	('dora', 'NOT', NULL, 'a code of no campaign')) AS c (customer, code, wanted, label)
 CROSS JOIN LATERAL ordertrack.redeem(c.code, c.customer, '{"amount":1}') AS r;
SELECT throws_ok($$SELECT ordertrack.update_campaign('plain', redemption_limit => 4)$$, 'OT005', NULL,
	'a lower limit below the uses');
SELECT ordertrack.rollback_redemption(redemption_id) FROM uses WHERE n IN (2, 4)
\g /dev/null
SELECT is(pg_temp.counted(), '5 3 2 ann1,bea1,dora1', 'rollbacks bring uses back');
SELECT ordertrack.update_campaign('plain', clear => '{redemption_limit,customer_limit}')
\g /dev/null
SELECT ordertrack.redeem('A', 'ann')
\g /dev/null
SELECT ordertrack.update_campaign('plain', redemption_limit => 100, customer_limit => 100)
\g /dev/null
SELECT is(pg_temp.counted(), '100 4 100 ann2,bea1,dora1', 'limits that come back count all uses');

-- Voucher and campaign limits hold together.
SELECT ordertrack.update_voucher('A', redemption_limit => 2),
	ordertrack.update_campaign('plain', redemption_limit => 4)
\g /dev/null
SELECT is(r.failure_code, 'quantity_exceeded', 'code ' || code) FROM unnest('{A,B,CARD}'::text[]) AS code
 CROSS JOIN LATERAL ordertrack.redeem(code, 'x', '{"amount":1}') AS r;
SELECT ordertrack.update_voucher('B', expires_at => '2998-01-01'),
	ordertrack.update_campaign('plain', expires_at => '2001-06-01', is_active => false)
\g /dev/null
SELECT is(v.is_active::text || ' ' || extract(year FROM v.expires_at AT TIME ZONE 'UTC'), 'false 2001',
	'voucher_list tells what holds together')
  FROM ordertrack.voucher_list AS v WHERE v.workspace_id = 1 AND v.code = 'B';

SELECT * FROM finish();
ROLLBACK;

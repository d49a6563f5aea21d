-- create_voucher and update_voucher.
BEGIN;
SELECT * FROM no_plan();

SELECT ordertrack.create_campaign('camp'), ordertrack.create_workspace('other') AS other
\gset
SELECT ordertrack.create_campaign('theirs', workspace => :other)
\g /dev/null

-- What a code begins with.
SELECT ordertrack.create_voucher('PLAIN', '{"type":"amount","amount_off":100}') AS plain
\gset
SELECT is(to_jsonb(v) - '{created_at,updated_at}'::text[], jsonb_build_object('voucher_id', :plain) ||
	'{"workspace_id":1,"code":"PLAIN","campaign_id":null,"kind":"discount","discount":{"type":"amount","amount_off":100},
		"gift_amount":null,"gift_balance":null,"is_active":true,"starts_at":null,"expires_at":null,"redemption_limit":null,
		"redeemed_count":null,"customer_limit":null,"rule_count":0,"has_reservations":false,"is_striped":false,"per_day":null,"per_week":null,"per_month":null,
		"customer_per_day":null,"customer_per_week":null,"customer_per_month":null,"validity_hours":null,
		"metadata":null}', 'defaults')
  FROM ordertrack.vouchers AS v WHERE v.code = 'PLAIN';
SELECT ordertrack.create_voucher('FULL', gift_amount => 700, campaign => 'camp',
	starts_at => '2001-01-01 00:00+00',
	expires_at => '2999-01-01 00:00+00', redemption_limit => 9, customer_limit => 3, per_day => 8, per_week => 7,
	per_month => 6, customer_per_day => 5, customer_per_week => 4, customer_per_month => 2,
	validity_hours => '[{"days_of_week":[1]}]', is_active => false,
	metadata => '{"a":1}')
\g /dev/null
SELECT is(to_jsonb(v) - '{voucher_id,campaign_id,starts_at,expires_at,created_at,updated_at}'::text[],
	'{"workspace_id":1,"code":"FULL","kind":"gift","discount":null,"gift_amount":700,"gift_balance":700,"is_active":false,
		"redemption_limit":9,"redeemed_count":0,"customer_limit":3,"rule_count":0,"has_reservations":false,"is_striped":false,"per_day":8,"per_week":7,
		"per_month":6,"customer_per_day":5,"customer_per_week":4,"customer_per_month":2,
		"validity_hours":[{"days_of_week":[1]}],"metadata":{"a":1}}', 'everything given')
  FROM ordertrack.vouchers AS v WHERE v.code = 'FULL';
SELECT is(c.name || ' ' || (v.starts_at = '2001-01-01 00:00+00') || (v.expires_at = '2999-01-01 00:00+00'),
	'camp truetrue', 'campaign and dates')
  FROM ordertrack.vouchers AS v JOIN ordertrack.campaigns AS c USING (workspace_id, campaign_id)
 WHERE v.code = 'FULL';

-- Codes compare byte for byte.
SELECT lives_ok(format('SELECT ordertrack.create_voucher(%L, gift_amount => 1)', code), 'code ' || label)
  FROM (VALUES ('lower case', 'plain'), ('blank behind', 'PLAIN '), ('blank before', ' PLAIN'),
	('composed', U&'caf\00e9'),
	('decomposed', U&'cafe\0301'), ('fullwidth', U&'\ff30LAIN'), ('with a zero-width joiner', U&'PLA\200DIN'),
	('right to left', U&'\202ePLAIN'), ('of an astral character', U&'\+01F381'), ('a tab', E'\t'),
	('of a quote', ''''),
	('200 bytes', repeat('x', 200)), ('200 bytes of 100 characters', repeat(U&'\00e9', 100))) AS c (label,
	code);
SELECT is((SELECT count(*) FROM ordertrack.vouchers WHERE workspace_id = 1), 15::bigint,
	'each is a code of its own');
SELECT lives_ok(format('SELECT ordertrack.create_voucher(''PLAIN'', gift_amount => 1, workspace => %s)',
	:other), 'the same code in another workspace');

-- Discounts that are right.
SELECT lives_ok(format('SELECT ordertrack.create_voucher(%L, %L)', 'D-' || d, d), d) FROM unnest(ARRAY[
	'{"type":"amount","amount_off":1}', '{"type":"amount","amount_off":9223372036854775807}',
	'{"type":"amount","amount_off":1e3}',
	'{"type":"percent","percent_off":100}', '{"type":"percent","percent_off":0.000001}',
	'{"type":"percent","percent_off":25.98,"amount_limit":600}',
	'{"type":"fixed","fixed_amount":0}', '{"type":"fixed","fixed_amount":5000,"effect":"apply_to_order"}']) AS
		d;

-- What is refused, by its SQLSTATE.
SELECT count(*) AS vouchers FROM ordertrack.vouchers
\gset
SELECT throws_ok('SELECT ordertrack.create_voucher(' || args || ')', code, NULL, left(label, 70)) FROM (VALUES
	('NULL, gift_amount => 1', 'OT005', 'no code'),
	(''''', gift_amount => 1', 'OT005', 'an empty code'),
	('repeat(''x'', 201), gift_amount => 1', 'OT005', 'a code of 201 bytes'),
	('repeat(U&''\00e9'', 101), gift_amount => 1', 'OT005', 'a code of 202 bytes'),
	('repeat(''x'', 1000000), gift_amount => 1', 'OT005', 'a code of a megabyte'),
	('''PLAIN'', gift_amount => 1', 'OT004', 'a code that is taken'),
	('''N''', 'OT005', 'neither discount nor gift'),
	('''N'', NULL, NULL', 'OT005', 'both NULL'),
	('''N'', ''{"type":"amount","amount_off":1}'', 5', 'OT005', 'both discount and gift'),
	('''N'', gift_amount => 0', 'OT005', 'a gift of 0'),
	('''N'', gift_amount => -1', 'OT005', 'a gift of -1'),
	('''N'', gift_amount => 1, campaign => ''none''', 'OT002', 'no such campaign'),
	('''N'', gift_amount => 1, campaign => ''Camp''', 'OT002', 'a campaign in another spelling'),
	('''N'', gift_amount => 1, campaign => ''theirs''', 'OT002', 'a campaign of another workspace'),
	('''N'', gift_amount => 1, campaign => repeat(''x'', 1001)', 'OT005', 'a campaign that is too long'),
	('''N'', gift_amount => 1, starts_at => ''2002-01-01'', expires_at => ''2001-01-01''', 'OT005',
		'an end before its start'),
	('''N'', gift_amount => 1, starts_at => ''2001-01-01'', expires_at => ''2001-01-01''', 'OT005',
		'an end at its start'),
	('''N'', gift_amount => 1, redemption_limit => 0', 'OT005', 'a limit of 0'),
	('''N'', gift_amount => 1, redemption_limit => -1', 'OT005', 'a limit of -1'),
	('''N'', gift_amount => 1, customer_limit => 0', 'OT005', 'a customer limit of 0'),
	('''N'', gift_amount => 1, customer_limit => -1', 'OT005', 'a customer limit of -1'),
	('''N'', gift_amount => 1, is_active => NULL', 'OT005', 'neither active nor not'),
	('''N'', gift_amount => 1, metadata => ''[]''', 'OT005', 'metadata as an array'),
	('''N'', gift_amount => 1, metadata => ''null''', 'OT005', 'metadata as a JSON null'),
	('''N'', gift_amount => 1, metadata => jsonb_build_object(''x'', repeat(''x'', 1100000))', 'OT005',
		'metadata of more than a MiB'),
	('''N'', gift_amount => 1, workspace => -1', 'OT002', 'no such workspace'),
	('''N'', gift_amount => 1, workspace => NULL', 'OT005', 'no workspace')
  ) AS c (args, code, label);
SELECT throws_ok(format('SELECT ordertrack.create_voucher(''N'', %L)', d), 'OT005', NULL,
	'discount ' || left(d, 70)) FROM unnest(ARRAY[
	'{}', '[]', '"amount"', 'null', '7', '[{"type":"amount","amount_off":1}]',
	'{"type":"Amount","amount_off":1}', '{"type":null,"amount_off":1}', '{"type":["amount"],"amount_off":1}',
	'{"amount_off":1}',
	'{"type":"amount"}', '{"type":"amount","amount_off":0}', '{"type":"amount","amount_off":-5}',
	'{"type":"amount","amount_off":1.5}',
	'{"type":"amount","amount_off":"10"}', '{"type":"amount","amount_off":9223372036854775808}',
	'{"type":"amount","amount_off":1e400}',
	'{"type":"amount","amount_off":null}', '{"type":"amount","amount_off":[1]}',
	'{"type":"amount","percent_off":10}',
	'{"type":"percent"}', '{"type":"percent","percent_off":0}', '{"type":"percent","percent_off":-1}',
	'{"type":"percent","percent_off":100.000001}',
	'{"type":"percent","percent_off":"10"}', '{"type":"percent","percent_off":1e400}',
	'{"type":"percent","percent_off":1e-400}',
	'{"type":"percent","percent_off":10,"amount_limit":0}',
	'{"type":"percent","percent_off":10,"amount_limit":-1}',
	'{"type":"percent","percent_off":10,"amount_limit":1.5}',
	'{"type":"percent","percent_off":10,"amount_limit":"6"}',
	'{"type":"percent","percent_off":10,"amount_limi":600}',
	'{"type":"percent","percent_off":10,"amount_limit":1e400}',
	'{"type":"fixed"}', '{"type":"fixed","fixed_amount":-1}', '{"type":"fixed","fixed_amount":0.5}',
	'{"type":"fixed","fixed_amount":1e19}',
	'{"type":"fixed","amount_off":1}', '{"type":"amount","amount_off":1,"effect":"apply_to_moon"}',
	'{"type":"amount","amount_off":1,"effect":7}']) AS d;
SELECT is((SELECT count(*) FROM ordertrack.vouchers), :vouchers::bigint, 'what is refused leaves nothing');

-- update_voucher changes what is passed.
CREATE FUNCTION pg_temp.terms(wanted text) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', extract(year FROM starts_at AT TIME ZONE 'UTC'),
		extract(year FROM expires_at AT TIME ZONE 'UTC'),
		redemption_limit, customer_limit, is_active::text, metadata::text)
	  FROM ordertrack.vouchers WHERE workspace_id = 1 AND code = wanted
$$;
CREATE FUNCTION pg_temp.change(args text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('SELECT ordertrack.update_voucher(''PLAIN''%s)', args);
	RETURN pg_temp.terms('PLAIN');
END
$$;
SELECT is(pg_temp.change(args), wanted, 'update' || args) FROM (VALUES
	('', 'true'), (', starts_at => ''2001-05-01 00:00+00''', '2001 true'),
	(', expires_at => ''2999-05-01 00:00+00''', '2001 2999 true'),
	(', redemption_limit => 5', '2001 2999 5 true'), (', customer_limit => 2', '2001 2999 5 2 true'),
	(', is_active => false', '2001 2999 5 2 false'),
	(', metadata => ''{"a": 1}''', '2001 2999 5 2 false {"a": 1}'),
	(', metadata => ''{"b": 1}''', '2001 2999 5 2 false {"b": 1}'),
	(', is_active => true', '2001 2999 5 2 true {"b": 1}'),
	(', redemption_limit => 6, customer_limit => 3', '2001 2999 6 3 true {"b": 1}'),
	(', clear => ''{starts_at}''', '2999 6 3 true {"b": 1}'),
	(', clear => ''{customer_limit,metadata}''', '2999 6 true'),
	(', clear => NULL', '2999 6 true'), (', clear => ''{}''', '2999 6 true'),
	(', customer_limit => 1, clear => ''{redemption_limit,expires_at}''', '1 true'),
	(', clear => ''{redemption_limit,expires_at,starts_at,customer_limit,metadata}''', 'true')) AS c (args,
	wanted);
SELECT is(v.discount::text, '{"type": "amount", "amount_off": 100}', 'the discount stays')
  FROM ordertrack.vouchers AS v WHERE workspace_id = 1 AND code = 'PLAIN';
SELECT ordertrack.update_voucher('FULL', starts_at => '2500-01-01 00:00+00')
\g /dev/null
SELECT throws_ok('SELECT ordertrack.update_voucher(' || args || ')', code, NULL, 'update: ' || label)
  FROM (VALUES
	('NULL', 'OT005', 'no code'), ('''''', 'OT005', 'an empty code'),
	('repeat(''x'', 201)', 'OT005', 'a code that is too long'),
	('''NONE''', 'OT002', 'no such code'), ('''Plain''', 'OT002', 'another spelling'),
	('''PLAIN'', workspace => -1', 'OT002', 'no such workspace'),
	('''PLAIN'', workspace => NULL', 'OT005', 'no workspace'),
	('''PLAIN'', redemption_limit => 0', 'OT005', 'a limit of 0'),
	('''PLAIN'', customer_limit => -1', 'OT005', 'a customer limit of -1'),
	('''PLAIN'', starts_at => ''2002-01-01'', expires_at => ''2001-01-01''', 'OT005',
		'an end before its start'),
	('''FULL'', expires_at => ''2400-01-01''', 'OT005', 'an end before the stored start'),
	('''FULL'', starts_at => ''2999-01-01 00:00+00''', 'OT005', 'a start at the stored end'),
	('''PLAIN'', metadata => ''[]''', 'OT005', 'metadata as an array'),
	('''PLAIN'', clear => ''{is_active}''', 'OT005', 'clear is_active'),
	('''PLAIN'', clear => ''{code}''', 'OT005', 'clear code'),
	('''PLAIN'', clear => ''{""}''', 'OT005', 'clear nothing'),
	('''PLAIN'', clear => ''{NULL}''', 'OT005', 'clear NULL'),
	('''PLAIN'', customer_limit => 1, clear => ''{customer_limit}''', 'OT005', 'set and clear')) AS c (args,
	code, label);
SELECT is(pg_temp.terms('PLAIN') || ' ' || pg_temp.terms('FULL'), 'true 2500 2999 9 3 false {"a": 1}',
	'what is refused changes nothing');

-- A limit counts the uses from before it was set.
SELECT ordertrack.create_voucher('USED', '{"type":"amount","amount_off":1}')
\g /dev/null
CREATE TEMP TABLE uses AS SELECT n, r.* FROM (VALUES (1, 'ann'), (2, 'ann'), (3, 'ann'), (4, 'bea'), (5, NULL),
	(6, 'cora')) AS u (n, customer)
 CROSS JOIN LATERAL ordertrack.redeem('USED', customer) AS r;
SELECT ordertrack.rollback_redemption(redemption_id) FROM uses WHERE n IN (3, 6)
\g /dev/null
SELECT ordertrack.rollback_redemption(redemption_id) FROM uses WHERE n = 3
\g /dev/null
SELECT ordertrack.redeem('USED', order_data => '{"amount":-1}')
\g /dev/null
CREATE FUNCTION pg_temp.counted() RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', v.redemption_limit, v.redeemed_count, v.customer_limit,
		(SELECT string_agg(c.source_id || u.used, ',' ORDER BY c.source_id)
			FROM ordertrack.voucher_customers AS u
		   JOIN ordertrack.customers AS c USING (workspace_id, customer_id)
		  WHERE u.workspace_id = 1 AND u.voucher_id = v.voucher_id AND u.used > 0))
	  FROM ordertrack.vouchers AS v WHERE v.workspace_id = 1 AND v.code = 'USED'
$$;
SELECT throws_ok($$SELECT ordertrack.update_voucher('USED', redemption_limit => 3)$$, 'OT005', NULL,
	'a first limit below the four uses');
SELECT is(pg_temp.counted(), '', 'is not set');
SELECT ordertrack.update_voucher('USED', redemption_limit => 5, customer_limit => 2)
\g /dev/null
SELECT is(pg_temp.counted(), '5 4 2 ann2,bea1', 'past uses count, of which two came back');
SELECT is(r.failure_code, wanted, label) FROM (VALUES ('ann', 'redemption_rules_violated', 'ann has had two'),
	('bea', NULL, 'bea may once more'), ('bea', 'quantity_exceeded', 'that was the fifth')) AS c (customer,
	wanted, label)
 CROSS JOIN LATERAL ordertrack.redeem('USED', c.customer) AS r;
SELECT is(pg_temp.counted(), '5 5 2 ann2,bea2', 'counted on');
SELECT throws_ok($$SELECT ordertrack.update_voucher('USED', redemption_limit => 4)$$, 'OT005', NULL,
	'a lower limit below the uses');
SELECT ordertrack.update_voucher('USED', clear => '{redemption_limit,customer_limit}')
\g /dev/null
SELECT is(r.result, 'success', 'without limits ann may again') FROM ordertrack.redeem('USED', 'ann') AS r;
SELECT is(v.redeemed_count::bigint, NULL, 'nothing is counted where there is no limit')
  FROM ordertrack.vouchers AS v WHERE workspace_id = 1 AND code = 'USED';
SELECT ordertrack.update_voucher('USED', redemption_limit => 6, customer_limit => 9)
\g /dev/null
SELECT is(pg_temp.counted(), '6 6 9 ann3,bea2', 'limits that come back count all uses');
SELECT is(r.failure_code, 'quantity_exceeded', 'at its limit') FROM ordertrack.redeem('USED', 'dora') AS r;
SELECT ordertrack.update_voucher('USED', redemption_limit => 7)
\g /dev/null
SELECT is(r.result, 'success', 'a higher limit') FROM ordertrack.redeem('USED', 'dora') AS r;

-- The same code of another workspace has its own uses.
SELECT ordertrack.create_voucher('USED', '{"type":"amount","amount_off":1}', redemption_limit => 1,
	workspace => :other)
\g /dev/null
SELECT is(r.result, 'success', 'of another workspace') FROM ordertrack.redeem('USED', workspace => :other) AS r;
SELECT is(pg_temp.counted(), '7 7 9 ann3,bea2,dora1', 'counts there');

SELECT * FROM finish();
ROLLBACK;

-- create_reward, update_reward, add_reward_codes, add_reward_stock, reward_list.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT * FROM no_plan();

SELECT ordertrack.create_workspace('other') AS other
\gset
SELECT ordertrack.put_customer(c) FROM unnest('{ann,bea,cora}'::text[]) AS c
\g /dev/null
SELECT ordertrack.grant_points(c, 1000000) FROM unnest('{ann,bea,cora}'::text[]) AS c
\g /dev/null
SELECT ordertrack.create_segment('list', customers => '{ann}'), ordertrack.create_segment('all', '1 == 1'),
	ordertrack.create_segment('theirs', '1 == 1', workspace => :other)
\g /dev/null

-- What a reward begins with.
SELECT ordertrack.create_reward('plain', 'gift', 100) AS plain
\gset
SELECT is(to_jsonb(r) - '{created_at,updated_at}'::text[], jsonb_build_object('reward_id', :plain) ||
	'{"workspace_id":1,"name":"plain","type":"gift","cost_in_points":100,"tax_value":null,"percent_off":null,"point_value":null,
		"data_source":null,"is_active":true,"starts_at":null,"expires_at":null,"visible_from":null,"visible_until":null,
		"redemption_limit":null,"redeemed_count":null,"customer_limit":null,"is_stocked":false,"segment_count":0,
		"days_inactive":0,"days_valid":null,"code_source":"generated","shared_code":null,"metadata":null}', 'defaults')
  FROM ordertrack.rewards AS r WHERE name = 'plain';
SELECT ordertrack.create_reward('full', 'value_code', 7, 19, data_source => 'loyalty', starts_at => '2001-01-01 00:00+00',
	expires_at => '2999-01-01 00:00+00', visible_from => '2002-01-01 00:00+00', visible_until => '2998-01-01 00:00+00',
	segments => '{list,all,list}', redemption_limit => 9, customer_limit => 3,
	stock => '[{"color":"red","size":"M","stock":5},{"size":"XL","stock":0},{"color":"red","size":42,"stock":9223372036854775807}]',
	days_inactive => 36500, days_valid => 36500, code_source => 'shared', shared_code => 'SECRET', is_active => false,
	metadata => '{"a":1}')
\g /dev/null
SELECT is(to_jsonb(r) - '{reward_id,created_at,updated_at}'::text[],
	'{"workspace_id":1,"name":"full","type":"value_code","cost_in_points":7,"tax_value":19,"percent_off":null,"point_value":null,
		"data_source":"loyalty","is_active":false,"starts_at":"2001-01-01T00:00:00+00:00","expires_at":"2999-01-01T00:00:00+00:00",
		"visible_from":"2002-01-01T00:00:00+00:00","visible_until":"2998-01-01T00:00:00+00:00","segments":["all","list"],
		"is_visible":false,"redemption_limit":9,"redeemed_count":0,"customer_limit":3,"is_stocked":true,
		"stock":[{"color":null,"size":"XL","stock":0},{"color":"red","size":"42","stock":9223372036854775807},{"color":"red","size":"M","stock":5}],
		"days_inactive":36500,"days_valid":36500,"code_source":"shared","free_code_count":null,"metadata":{"a":1}}',
	'everything given, in reward_list')
  FROM (SELECT set_config('timezone', 'UTC', true)) AS s, ordertrack.reward_list AS r WHERE name = 'full';
SELECT is(segment_count, 2, 'segments count once') FROM ordertrack.rewards WHERE name = 'full';

-- Each type, with the least that it needs.
CREATE TEMP TABLE types AS SELECT * FROM (VALUES
	('percentage_discount_code', 'percent_off => 12.5', false), ('cashback', 'point_value => 2', false),
	('custom_campaign', NULL, false), ('discount_code', NULL, true), ('free_delivery', NULL, true), ('gift', NULL, true),
	('event_invitation', NULL, true), ('value_code', NULL, true)) AS t (type, needed, is_offered);
SELECT lives_ok(format('SELECT ordertrack.create_reward(%L, %1$L, 5%s)', type, ', ' || needed), type) FROM types;
SELECT is(code_source::text, CASE WHEN is_offered THEN 'generated' ELSE 'none' END, type || ': source of its codes')
  FROM types JOIN ordertrack.reward_list AS r USING (type) WHERE r.name = type;
SELECT is(is_visible, is_offered, type || ': whether customers see it')
  FROM types JOIN ordertrack.reward_list AS r USING (type) WHERE r.name = type;
-- What three of the types don't have, and the others do.
SELECT CASE WHEN is_offered THEN lives_ok(call, format('%s: %s', type, arg))
	ELSE throws_ok(call, 'OT005', NULL, format('%s: no %s', type, arg)) END
  FROM types, unnest(ARRAY['redemption_limit => 1', 'customer_limit => 1', 'stock => ''0''', 'stock => ''[]''', 'visible_from => ''2001-01-01''',
	'visible_until => ''2999-01-01''', 'shared_code => ''x''', 'code_source => ''generated''', 'code_source => ''pool''',
	'code_source => ''shared'', shared_code => ''x''']) AS arg
 CROSS JOIN LATERAL format('SELECT ordertrack.create_reward(%L, %L, 5, %s%s)', type || ' ' || arg, type, arg, ', ' || needed) AS call;
SELECT CASE WHEN is_offered THEN lives_ok(call, format('%s: update %s', type, arg))
	ELSE throws_ok(call, 'OT005', NULL, format('%s: update to no %s', type, arg)) END
  FROM types, unnest(ARRAY['redemption_limit => 1', 'customer_limit => 1', 'visible_from => ''2001-01-01''',
	'visible_until => ''2999-01-01''']) AS arg
 CROSS JOIN LATERAL format('SELECT ordertrack.update_reward(%L, %s)', type, arg) AS call;
SELECT throws_ok(format('SELECT ordertrack.%s', format(call, type)), 'OT005', NULL, format('%s: %s', type, call))
  FROM types, unnest(ARRAY['add_reward_codes(%L, ''{x}'')', 'add_reward_stock(%L, 1)']) AS call;
-- No codes: for these three, and for a gift that asks for it.
SELECT CASE WHEN type = 'gift' OR NOT is_offered THEN lives_ok(call, type || ': no codes')
	ELSE throws_ok(call, 'OT005', NULL, type || ': codes are needed') END
  FROM types CROSS JOIN LATERAL format('SELECT ordertrack.create_reward(%L, %L, 5, code_source => ''none''%s)',
	type || ' none', type, ', ' || needed) AS call;
-- Cashback has no days.
SELECT CASE type WHEN 'cashback' THEN throws_ok(call, 'OT005', NULL, format('%s: no %s', type, arg))
	ELSE lives_ok(call, format('%s: %s', type, arg)) END
  FROM types, unnest('{days_inactive,days_valid}'::text[]) AS arg
 CROSS JOIN LATERAL unnest(ARRAY[format('SELECT ordertrack.create_reward(%L, %L, 5, %s => 1%s)', type || ' ' || arg, type, arg,
	', ' || needed), format('SELECT ordertrack.update_reward(%L, %s => 1)', type, arg)]) AS call;
-- A worth of its own, for exactly the type that has it.
SELECT CASE WHEN needed LIKE split_part(arg, ' ', 1) || '%' THEN lives_ok(call, format('%s: %s', type, arg))
	ELSE throws_ok(call, 'OT005', NULL, format('%s: no %s', type, arg)) END
  FROM types, unnest('{percent_off => 1,point_value => 1}'::text[]) AS arg
 CROSS JOIN LATERAL format('SELECT ordertrack.create_reward(%L, %L, 5, %s)', type || ' ' || arg, type, arg) AS call;

-- Names are compared byte for byte.
SELECT lives_ok(format('SELECT ordertrack.create_reward(%L, ''gift'', 0)', name), 'name: ' || left(name, 10))
  FROM unnest(ARRAY['Plain', 'plain ', U&'caf\00e9', U&'cafe\0301', repeat('x', 1000), E'\t', '''']) AS name;
SELECT lives_ok(format('SELECT ordertrack.create_reward(''plain'', ''gift'', 0, workspace => %s)', :other),
	'the same name in another workspace');

-- Refused
SELECT count(*) AS rewards FROM ordertrack.rewards
\gset
SELECT throws_ok('SELECT ordertrack.create_reward(' || args || ')', code, NULL, label) FROM (VALUES
	('NULL, ''gift'', 1', 'OT005', 'no name'), (''''', ''gift'', 1', 'OT005', 'an empty name'),
	('repeat(''x'', 1001), ''gift'', 1', 'OT005', 'a name of 1001 bytes'),
	('''plain'', ''gift'', 1', 'OT004', 'a name that is taken'),
	('''n'', NULL, 1', 'OT005', 'no type'), ('''n'', '''', 1', 'OT005', 'an empty type'), ('''n'', ''Gift'', 1', 'OT005', 'no such type'),
	('''n'', ''gift_code'', 1', 'OT005', 'a type of another system'), ('''n'', repeat(''x'', 1000000), 1', 'OT005', 'a type of a megabyte'),
	('''n'', ''gift'', NULL', 'OT005', 'no cost'), ('''n'', ''gift'', -1', 'OT005', 'a cost of -1'),
	('''n'', ''gift'', 1, -1', 'OT005', 'a tax of -1'),
	('''n'', ''percentage_discount_code'', 1', 'OT005', 'no percentage'),
	('''n'', ''percentage_discount_code'', 1, percent_off => 0', 'OT005', '0 percent'),
	('''n'', ''percentage_discount_code'', 1, percent_off => -1', 'OT005', '-1 percent'),
	('''n'', ''percentage_discount_code'', 1, percent_off => 100.000001', 'OT005', 'more than 100 percent'),
	('''n'', ''percentage_discount_code'', 1, percent_off => 1e400', 'OT005', 'a huge percentage'),
	('''n'', ''percentage_discount_code'', 1, percent_off => ''NaN''', 'OT005', 'a percentage that is no number'),
	('''n'', ''percentage_discount_code'', 1, percent_off => ''Infinity''', 'OT005', 'an infinite percentage'),
	('''n'', ''percentage_discount_code'', 1, percent_off => 0.0000001', 'OT005', 'a percentage of 7 decimals'),
	('''n'', ''cashback'', 1', 'OT005', 'no value of a point'),
	('''n'', ''cashback'', 1, point_value => 0', 'OT005', 'a point worth 0'),
	('''n'', ''cashback'', 1, point_value => -1', 'OT005', 'a point worth -1'),
	('''n'', ''cashback'', 4611686018427387904, point_value => 2', 'OT005', 'cashback beyond bigint'),
	('''n'', ''gift'', 1, data_source => repeat(''x'', 1001)', 'OT005', 'a data source of 1001 bytes'),
	('''n'', ''gift'', 1, starts_at => ''2002-01-01'', expires_at => ''2001-01-01''', 'OT005', 'an end before its start'),
	('''n'', ''gift'', 1, starts_at => ''2001-01-01'', expires_at => ''2001-01-01''', 'OT005', 'an end at its start'),
	('''n'', ''gift'', 1, visible_from => ''2002-01-01'', visible_until => ''2001-01-01''', 'OT005', 'hidden before it is visible'),
	('''n'', ''gift'', 1, visible_from => ''2001-01-01'', visible_until => ''2001-01-01''', 'OT005', 'hidden when it is visible'),
	('''n'', ''gift'', 1, segments => ''{none}''', 'OT002', 'no such segment'),
	('''n'', ''gift'', 1, segments => ''{list,LIST}''', 'OT002', 'a segment in other letters'),
	('''n'', ''gift'', 1, segments => ''{theirs}''', 'OT002', 'a segment of another workspace'),
	('''n'', ''gift'', 1, segments => ''{list,NULL}''', 'OT005', 'a segment that is NULL'),
	('''n'', ''gift'', 1, redemption_limit => 0', 'OT005', 'a limit of 0'),
	('''n'', ''gift'', 1, redemption_limit => -1', 'OT005', 'a limit of -1'),
	('''n'', ''gift'', 1, customer_limit => 0', 'OT005', 'a customer limit of 0'),
	('''n'', ''gift'', 1, days_inactive => -1', 'OT005', 'inactive for -1 days'),
	('''n'', ''gift'', 1, days_inactive => 36501', 'OT005', 'inactive for 36501 days'),
	('''n'', ''gift'', 1, days_inactive => NULL', 'OT005', 'inactive for NULL'),
	('''n'', ''gift'', 1, days_valid => 0', 'OT005', 'valid for 0 days'),
	('''n'', ''gift'', 1, days_valid => 36501', 'OT005', 'valid for 36501 days'),
	('''n'', ''gift'', 1, days_valid => 2147483647', 'OT005', 'valid for the most days there are'),
	('''n'', ''gift'', 1, code_source => ''made''', 'OT005', 'no such source of codes'),
	('''n'', ''gift'', 1, code_source => ''''', 'OT005', 'an empty source of codes'),
	('''n'', ''gift'', 1, code_source => ''shared''', 'OT005', 'no code to share'),
	('''n'', ''gift'', 1, code_source => ''pool'', shared_code => ''x''', 'OT005', 'a shared code beside a pool'),
	('''n'', ''gift'', 1, code_source => ''none'', shared_code => ''x''', 'OT005', 'a shared code of none'),
	('''n'', ''gift'', 1, code_source => ''generated'', shared_code => ''x''', 'OT005', 'a shared code beside generated ones'),
	('''n'', ''gift'', 1, shared_code => ''''', 'OT005', 'an empty shared code'),
	('''n'', ''gift'', 1, shared_code => repeat(''x'', 201)', 'OT005', 'a shared code of 201 bytes'),
	('''n'', ''gift'', 1, is_active => NULL', 'OT005', 'neither active nor not'),
	('''n'', ''gift'', 1, metadata => ''[]''', 'OT005', 'metadata as an array'),
	('''n'', ''gift'', 1, metadata => jsonb_build_object(''x'', repeat(''x'', 1100000))', 'OT005', 'metadata of more than a MiB'),
	('''n'', ''gift'', 1, workspace => -1', 'OT002', 'no such workspace'),
	('''n'', ''gift'', 1, workspace => NULL', 'OT005', 'no workspace')) AS c (args, code, label);
SELECT throws_ok(format('SELECT ordertrack.create_reward(''n'', ''gift'', 1, stock => %L)', stock), 'OT005', NULL,
	'stock: ' || left(stock, 60))
  FROM unnest(ARRAY['-1', '1.5', '1e400', '"5"', 'true', '{}', '{"stock":5}', '[5]', '[[]]', '[null]', '[{}]', '[{"color":"red"}]', '[{"stock":-1}]',
	'[{"stock":1.5}]', '[{"stock":"5"}]', '[{"stock":9223372036854775808}]', '[{"stock":null}]', '[{"stock":1,"colour":"red"}]',
	'[{"stock":1,"color":{}}]', '[{"stock":1,"size":[1]}]', '[{"stock":1},{"stock":2}]', '[{"color":"","stock":1},{"color":null,"size":"","stock":2}]',
	'[{"size":42,"stock":1},{"size":"42","stock":1}]', format('[{"stock":1,"color":"%s"}]', repeat('x', 1001)),
	(SELECT jsonb_agg(jsonb_build_object('size', n, 'stock', 1)) FROM generate_series(1, 501) AS n)::text,
	(SELECT jsonb_agg(1) FROM generate_series(1, 100000) AS n)::text, format('[{"stock":1,"x":"%s"}]', repeat('x', 1100000))]) AS stock;
SELECT is((SELECT count(*) FROM ordertrack.rewards), :rewards::bigint, 'what is refused leaves nothing');
SELECT is((SELECT count(*) FROM ordertrack.reward_variants AS v LEFT JOIN ordertrack.rewards AS r USING (workspace_id, reward_id)
	WHERE r.name IS NULL), 0::bigint, 'nor a variant');
SELECT ordertrack.create_reward('stock ' || stock, 'gift', 1, stock => stock::jsonb) FROM unnest(ARRAY['0', '7', '1e2', '[]', 'null',
	'[{"stock":3}]', '[{"size":"M","stock":3.0}]', '[{"color":true,"size":null,"stock":0}]']) AS stock
\g /dev/null
SELECT is(stock, wanted::jsonb, name) FROM (VALUES ('0', '[{"color":null,"size":null,"stock":0}]'), ('7', '[{"color":null,"size":null,"stock":7}]'),
	('1e2', '[{"color":null,"size":null,"stock":100}]'), ('[]', '[]'), ('null', NULL), ('[{"stock":3}]', '[{"color":null,"size":null,"stock":3}]'),
	('[{"size":"M","stock":3.0}]', '[{"color":null,"size":"M","stock":3}]'),
	('[{"color":true,"size":null,"stock":0}]', '[{"color":"true","size":null,"stock":0}]')) AS c (given, wanted)
  JOIN ordertrack.reward_list ON name = 'stock ' || given;
SELECT lives_ok(format('SELECT ordertrack.create_reward(''many'', ''gift'', 1, stock => %L)',
	(SELECT jsonb_agg(jsonb_build_object('size', n, 'stock', n)) FROM generate_series(1, 500) AS n)), '500 variants');
SELECT is(sum((v ->> 'stock')::bigint), 125250::numeric, 'all of them are there')
  FROM ordertrack.reward_list, jsonb_array_elements(stock) AS v WHERE name = 'many';
SELECT lives_ok($$SELECT ordertrack.create_reward('percent', 'percentage_discount_code', 0, percent_off => 33.3333330000)$$,
	'zeros behind six decimals');
SELECT lives_ok($$SELECT ordertrack.create_reward('rich', 'cashback', 4611686018427387903, point_value => 2)$$,
	'the most cashback that there is');
SELECT lives_ok($$SELECT ordertrack.create_reward('for all', 'gift', 0, segments => '{}')$$, 'no segments');

-- What is visible, as of now; start inclusive, end exclusive.
SELECT ordertrack.create_reward(name, 'gift', 1, starts_at => s, expires_at => e, visible_from => f, visible_until => u, is_active => a)
  FROM (SELECT statement_timestamp() AS now) AS n CROSS JOIN LATERAL (VALUES
	('v1', now - '1 s'::interval, now + '1 h'::interval, now - '1 s'::interval, now + '1 h'::interval, true),
	('h1', now + '1 h'::interval, NULL, NULL, NULL, true), ('h2', NULL, now - '1 s'::interval, NULL, NULL, true),
	('h3', NULL, NULL, now + '1 h'::interval, NULL, true), ('h4', NULL, NULL, NULL, now - '1 s'::interval, true),
	('h5', NULL, NULL, NULL, NULL, false), ('v2', '-infinity', 'infinity', NULL, NULL, true)) AS v (name, s, e, f, u, a)
\g /dev/null
SELECT is(is_visible, name ~ '^v', 'visible: ' || name) FROM ordertrack.reward_list WHERE name ~ '^[vh][0-9]$';

-- update_reward
CREATE FUNCTION pg_temp.change(wanted text, args text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('SELECT ordertrack.update_reward(%L%s)', wanted, args);
	RETURN (SELECT concat_ws(' ', cost_in_points, tax_value, extract(year FROM starts_at AT TIME ZONE 'UTC'),
		extract(year FROM expires_at AT TIME ZONE 'UTC'), extract(year FROM visible_from AT TIME ZONE 'UTC'),
		extract(year FROM visible_until AT TIME ZONE 'UTC'), redemption_limit, redeemed_count, customer_limit, days_inactive,
		days_valid, is_active::text, metadata::text)
	  FROM ordertrack.rewards WHERE workspace_id = 1 AND name = wanted);
END
$$;
SELECT is(pg_temp.change('full', args), wanted, 'update' || args) FROM (VALUES
	('', '7 19 2001 2999 2002 2998 9 0 3 36500 36500 false {"a": 1}'),
	(', 8', '8 19 2001 2999 2002 2998 9 0 3 36500 36500 false {"a": 1}'),
	(', tax_value => 0', '8 0 2001 2999 2002 2998 9 0 3 36500 36500 false {"a": 1}'),
	(', starts_at => ''2003-01-01''', '8 0 2003 2999 2002 2998 9 0 3 36500 36500 false {"a": 1}'),
	(', expires_at => ''2990-05-01''', '8 0 2003 2990 2002 2998 9 0 3 36500 36500 false {"a": 1}'),
	(', visible_from => ''2004-05-01''', '8 0 2003 2990 2004 2998 9 0 3 36500 36500 false {"a": 1}'),
	(', visible_until => ''2991-05-01''', '8 0 2003 2990 2004 2991 9 0 3 36500 36500 false {"a": 1}'),
	(', redemption_limit => 5', '8 0 2003 2990 2004 2991 5 0 3 36500 36500 false {"a": 1}'),
	(', customer_limit => 4', '8 0 2003 2990 2004 2991 5 0 4 36500 36500 false {"a": 1}'),
	(', days_inactive => 0, days_valid => 1', '8 0 2003 2990 2004 2991 5 0 4 0 1 false {"a": 1}'),
	(', is_active => true, metadata => ''{}''', '8 0 2003 2990 2004 2991 5 0 4 0 1 true {}'),
	(', clear => NULL', '8 0 2003 2990 2004 2991 5 0 4 0 1 true {}'),
	(', clear => ''{metadata,starts_at,tax_value}''', '8 2990 2004 2991 5 0 4 0 1 true'),
	(', cost_in_points => 0, clear => ''{expires_at,visible_from,visible_until,redemption_limit,customer_limit,days_valid}''', '0 0 true'))
	AS c (args, wanted);
SELECT throws_ok('SELECT ordertrack.update_reward(' || args || ')', code, NULL, 'update: ' || label) FROM (VALUES
	('NULL', 'OT005', 'no name'), ('''''', 'OT005', 'an empty name'), ('repeat(''x'', 1001)', 'OT005', 'a name that is too long'),
	('''none''', 'OT002', 'no such reward'), ('''full'', workspace => -1', 'OT002', 'no such workspace'),
	('''full'', workspace => (SELECT max(workspace_id) FROM ordertrack.workspaces)', 'OT002', 'a reward of another workspace'),
	('''full'', workspace => NULL', 'OT005', 'no workspace'), ('''full'', -1', 'OT005', 'a cost of -1'),
	('''full'', tax_value => -1', 'OT005', 'a tax of -1'), ('''full'', redemption_limit => 0', 'OT005', 'a limit of 0'),
	('''full'', customer_limit => -1', 'OT005', 'a customer limit of -1'), ('''full'', days_inactive => 36501', 'OT005', 'inactive too long'),
	('''full'', days_valid => 0', 'OT005', 'valid for 0 days'), ('''full'', metadata => ''7''', 'OT005', 'metadata as a number'),
	('''full'', clear => ''{name}''', 'OT005', 'clear name'), ('''full'', clear => ''{cost_in_points}''', 'OT005', 'clear cost_in_points'),
	('''full'', clear => ''{days_inactive}''', 'OT005', 'clear days_inactive'), ('''full'', clear => ''{is_active}''', 'OT005', 'clear is_active'),
	('''full'', clear => ''{NULL}''', 'OT005', 'clear NULL'),
	('''full'', redemption_limit => 1, clear => ''{redemption_limit}''', 'OT005', 'set and clear'),
	('''full'', metadata => ''{}'', clear => ''{metadata}''', 'OT005', 'set and clear metadata'),
	('''full'', starts_at => ''2002-01-01'', expires_at => ''2001-01-01''', 'OT005', 'an end before its start'),
	('''v1'', expires_at => ''2001-01-01''', 'OT005', 'an end before the start that it has'),
	('''v1'', visible_from => ''2999-01-01''', 'OT005', 'a start after the end that it has'),
	('''rich'', 4611686018427387904', 'OT005', 'cashback beyond bigint')) AS c (args, code, label);

-- Limits count units that were issued and not canceled.
CREATE TEMP TABLE bought AS SELECT b.n, r.* FROM (VALUES (1, 'ann', 3), (2, 'bea', 1), (3, 'ann', 1), (4, 'cora', 2)) AS b (n, customer, quantity)
 CROSS JOIN LATERAL ordertrack.redeem_reward('plain', b.customer, b.quantity) AS r;
SELECT ordertrack.redeem_reward('v1', 'ann')
\g /dev/null
SELECT is(array_agg(DISTINCT result), '{success}', 'bought') FROM bought;
SELECT ordertrack.rollback_redemption(redemption_id) FROM bought WHERE n = 4
\g /dev/null
CREATE FUNCTION pg_temp.counted() RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', r.redemption_limit, coalesce(r.redeemed_count::text, '-'), r.customer_limit,
		(SELECT string_agg(c.source_id || u.used, ',' ORDER BY c.source_id) FROM ordertrack.reward_customers AS u
		   JOIN ordertrack.customers AS c USING (workspace_id, customer_id)
		  WHERE u.workspace_id = 1 AND u.reward_id = r.reward_id))
	  FROM ordertrack.rewards AS r WHERE r.workspace_id = 1 AND r.name = 'plain'
$$;
SELECT is(pg_temp.counted(), '-', 'nothing is counted without a limit');
SELECT throws_ok($$SELECT ordertrack.update_reward('plain', redemption_limit => 4)$$, 'OT005', NULL, 'a first limit below the five units');
SELECT ordertrack.update_reward('plain', redemption_limit => 6)
\g /dev/null
SELECT is(pg_temp.counted(), '6 5', 'units from before count, what was rolled back does not');
SELECT is(failure_code, 'quantity_exceeded', 'two more are too many') FROM ordertrack.redeem_reward('plain', 'bea', 2);
SELECT ordertrack.update_reward('plain', customer_limit => 2)
\g /dev/null
SELECT is(pg_temp.counted(), '6 5 2 ann4,bea1', 'and those of each customer');
SELECT is(failure_code, 'customer_limit_exceeded', 'ann has had more than two') FROM ordertrack.redeem_reward('plain', 'ann');
SELECT is(result, 'success', 'bea may have another') FROM ordertrack.redeem_reward('plain', 'bea');
SELECT is(pg_temp.counted(), '6 6 2 ann4,bea2', 'it counts on');
SELECT throws_ok($$SELECT ordertrack.update_reward('plain', redemption_limit => 5)$$, 'OT005', NULL, 'a lower limit below the units');
SELECT is(pg_temp.counted(), '6 6 2 ann4,bea2', 'nothing has changed');
SELECT ordertrack.update_reward('plain', clear => '{redemption_limit,customer_limit}'), ordertrack.redeem_reward('plain', 'cora', 3)
\g /dev/null
SELECT is(left(pg_temp.counted(), 1), '-', 'a limit that is cleared has no count');
SELECT ordertrack.update_reward('plain', redemption_limit => 100, customer_limit => 100)
\g /dev/null
SELECT is(pg_temp.counted(), '100 9 100 ann4,bea2,cora3', 'limits that come back count all units');

-- add_reward_codes
SELECT ordertrack.create_reward('pool', 'discount_code', 0, code_source => 'pool'), ordertrack.create_reward('pool 2', 'gift', 0, code_source => 'pool'),
	ordertrack.create_reward('pool', 'discount_code', 0, code_source => 'pool', workspace => :other)
\g /dev/null
SELECT is(ordertrack.add_reward_codes(reward, codes::text[]), wanted, format('codes %s for %s', codes, reward)) FROM (VALUES
	('pool', '{}', 0::bigint), ('pool', '{c,a,c,B,b}', 4), ('pool', '{c,a,c,B,b}', 0), ('pool', '{{d,a},{e,f}}', 3), ('pool 2', '{a}', 1)) AS c (reward, codes, wanted);
SELECT is(ordertrack.add_reward_codes('pool', '{a,z}', :other), 2::bigint, 'the same code in another workspace');
SELECT is(ordertrack.add_reward_codes('pool', ARRAY[repeat('x', 200), repeat(U&'\00e9', 100), ' ', E'\t']), 4::bigint, 'codes of 200 bytes, and blanks');
SELECT is(array_agg(code ORDER BY code_no), ARRAY['c', 'a', 'B', 'b', 'd', 'e', 'f', repeat('x', 200), repeat(U&'\00e9', 100), ' ', E'\t'],
	'in the order in which they were given') FROM ordertrack.reward_codes JOIN ordertrack.rewards USING (workspace_id, reward_id)
 WHERE workspace_id = 1 AND name = 'pool';
SELECT is(codes, '{c,a}', 'and so issued') FROM ordertrack.redeem_reward('pool', 'ann', 2);
SELECT is(ordertrack.add_reward_codes('pool', '{a,c,g}'), 1::bigint, 'a code that was issued is not new');
SELECT is(free_code_count, wanted, 'free codes: ' || name) FROM (VALUES ('pool', 10::bigint), ('pool 2', 1), ('plain', NULL)) AS c (name, wanted)
  JOIN ordertrack.reward_list USING (name) WHERE workspace_id = 1;
SELECT throws_ok('SELECT ordertrack.add_reward_codes(' || args || ')', code, NULL, 'codes: ' || label) FROM (VALUES
	('NULL, ''{x}''', 'OT005', 'no reward'), ('''pool'', NULL', 'OT005', 'none'), ('''pool'', ''{x,NULL}''', 'OT005', 'NULL'),
	('''pool'', ''{x,""}''', 'OT005', 'an empty one'), ('''pool'', ARRAY[''x'', repeat(''x'', 201)]', 'OT005', 'one of 201 bytes'),
	('''pool'', ARRAY(SELECT n::text FROM generate_series(1, 100001) AS n)', 'OT005', '100001 of them'),
	('''none'', ''{x}''', 'OT002', 'no such reward'), ('''pool 2'', ''{x}'', (SELECT max(workspace_id) FROM ordertrack.workspaces)', 'OT002', 'a reward of another workspace'),
	('''pool'', ''{x}'', -1', 'OT002', 'no such workspace'), ('''pool'', ''{x}'', NULL', 'OT005', 'no workspace'),
	('''plain'', ''{x}''', 'OT005', 'generated ones'), ('''full'', ''{x}''', 'OT005', 'a shared one')) AS c (args, code, label);
SELECT is(ordertrack.add_reward_codes('pool 2', ARRAY(SELECT 'n' || n FROM generate_series(1, 100000) AS n)), 100000::bigint, '100000 codes in one call');
-- each is looked up by its key, though the plan was made while there were no codes
SET LOCAL statement_timeout = '60s';
SELECT is(ordertrack.add_reward_codes('pool 2', ARRAY(SELECT 'n' || n FROM generate_series(1, 100000) AS n)), 0::bigint, 'and once more');
SET LOCAL statement_timeout = 0;

-- add_reward_stock
SELECT ordertrack.create_reward('stock', 'gift', 0, stock => '[]')
\g /dev/null
SELECT is(ordertrack.add_reward_stock('stock', quantity, color, size), wanted, format('%s of %s %s', quantity, color, size)) FROM (VALUES
	(5::bigint, NULL, NULL, 5::bigint), (2, '', NULL, 7), (-3, NULL, '', 4), (1, 'red', NULL, 1), (2, NULL, 'red', 2), (3, 'red', 'M', 3),
	(0, 'Red', 'M', 0), (-3, 'red', 'M', 0), (9223372036854775807, 'red', 'M', 9223372036854775807), (-9223372036854775807, 'red', 'M', 0),
	(1, repeat('x', 1000), repeat('y', 1000), 1)) AS c (quantity, color, size, wanted);
SELECT is(jsonb_array_length(stock), 6, 'six variants') FROM ordertrack.reward_list WHERE name = 'stock';
SELECT throws_ok('SELECT ordertrack.add_reward_stock(' || args || ')', code, message, 'stock: ' || label) FROM (VALUES
	('NULL, 1', 'OT005', NULL, 'no reward'), ('''stock'', NULL', 'OT005', 'argument "quantity" must not be null', 'no quantity'),
	('''stock'', -5', 'OT005', 'not enough is in stock', 'less than 0'), ('''stock'', -1, ''new''', 'OT005', 'not enough is in stock', 'less than 0 of a new one'),
	('''stock'', -9223372036854775808', 'OT005', 'not enough is in stock', 'the least there is'),
	('''stock'', 9223372036854775804', 'OT005', 'too much would be in stock', 'beyond bigint'),
	('''stock'', 1, repeat(''x'', 1001)', 'OT005', NULL, 'a color of 1001 bytes'), ('''stock'', 1, NULL, repeat(''x'', 1001)', 'OT005', NULL, 'a size of 1001 bytes'),
	('''none'', 1', 'OT002', NULL, 'no such reward'), ('''stock'', 1, workspace => -1', 'OT002', NULL, 'no such workspace'),
	('''stock'', 1, workspace => (SELECT max(workspace_id) FROM ordertrack.workspaces)', 'OT002', NULL, 'a reward of another workspace'),
	('''stock'', 1, workspace => NULL', 'OT005', NULL, 'no workspace'), ('''plain'', 1', 'OT005', 'no stock is kept of reward "plain"', 'a reward without stock'),
	('''many'', 1', 'OT005', 'too many variants', 'a variant too many')) AS c (args, code, message, label);
SELECT is(ordertrack.add_reward_stock('many', 1, NULL, '500'), 501::bigint, 'one of the 500');

-- Nobody reads a code, whatever he may read.
SELECT is_empty($$SELECT * FROM ordertrack.reward_list AS r WHERE r::text LIKE '%SECRET%'$$, 'no shared code');
SELECT hasnt_column('ordertrack', 'reward_list', c, 'no column ' || c) FROM unnest('{code,codes,shared_code}'::name[]) AS c;

SELECT * FROM finish();
ROLLBACK;

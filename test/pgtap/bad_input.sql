-- Bad input: each is a recorded refusal or an error of class OT, never an
-- internal error, and nothing is lost or changed.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT * FROM no_plan();

SELECT ordertrack.create_campaign('camp', redemption_limit => 100),
	ordertrack.create_voucher('OFF', '{"type":"percent","percent_off":10}', campaign => 'camp',
		redemption_limit => 50, customer_limit => 50),
	ordertrack.create_voucher('CARD', gift_amount => 5000),
	ordertrack.create_order('{"source_id":"stored","amount":1000}', 'anna') AS o
\gset
SELECT redemption_id AS r FROM ordertrack.redeem('CARD', 'anna', '{"source_id":"spent","amount":1000}')
\gset

CREATE FUNCTION pg_temp.state() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	t name;
	result text := '';
	part text;
BEGIN
	FOR t IN SELECT relname FROM pg_class WHERE relnamespace = 'ordertrack'::regnamespace AND relkind = 'r'
		AND relname <> 'redemptions' ORDER BY 1 LOOP
		EXECUTE format('SELECT md5(string_agg(t::text, ''|'' ORDER BY t::text)) FROM ordertrack.%I AS t',
			t) INTO part;
		result := concat(result, t, part);
	END LOOP;
	RETURN md5(result);
END
$$;
-- What a call comes to: its failure_code or its SQLSTATE, and how many records it left.
CREATE FUNCTION pg_temp.answer(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	before bigint := (SELECT count(*) FROM ordertrack.redemptions);
	result text;
BEGIN
	BEGIN
		EXECUTE call INTO result;
	EXCEPTION WHEN OTHERS THEN
		result := SQLSTATE;
	END;
	RETURN concat(coalesce(result, 'success'), ' ', (SELECT count(*) FROM ordertrack.redemptions) - before);
END
$$;
SELECT pg_temp.state() AS state
\gset

-- Values that a caller may put where a text, a jsonb or a number belongs.
CREATE TEMP TABLE texts AS SELECT * FROM (VALUES
	('NULL', NULL), ('empty', ''), ('a megabyte', repeat('x', 1048576)),
	('a megabyte of emoji', repeat(U&'\+01F381', 262144)), ('1001 bytes', repeat('x', 1001)),
	('quotes', '''"\$$;--'), ('control characters', E'\u0001\u0007\b\x1b[31m\u007f'),
	('zero width', U&'\200b\200d\feff'), ('right to left', U&'\202e\2066'), ('combining', U&'e\0301\0301\0301'),
	('noncharacters', U&'\fffe\ffff\+10FFFF'), ('formats', '%s%n%d{0}'),
	('NUL as an escape', '\x00\u0000\0')) AS t (label, value);
CREATE TEMP TABLE jsons AS SELECT * FROM (VALUES
	('a JSON null', 'null'::jsonb), ('an array', '[]'), ('an array of objects', '[{"amount":1}]'),
	('a string', '"x"'), ('a number', '7'), ('a huge number', '1e400'), ('true', 'true'),
	('more than a MiB', jsonb_build_object('metadata', jsonb_build_object('x', repeat('x', 1100000)))),
	('many keys', (SELECT jsonb_object_agg('k' || n, n) FROM generate_series(1, 20000) AS n)),
	('deep', (repeat('{"a":', 500) || '1' || repeat('}', 500))::jsonb),
	('deep array', (repeat('[', 500) || repeat(']', 500))::jsonb)) AS t (label, value);

-- redeem and validate: order_data.
CREATE TEMP TABLE orders AS SELECT * FROM (VALUES
	('{"items":{}}', 'invalid_order'), ('{"items":"x"}', 'invalid_order'), ('{"items":7}', 'invalid_order'),
	('{"items":[7]}', 'invalid_order'), ('{"items":[null]}', 'invalid_order'),
	('{"items":[[]]}', 'invalid_order'), ('{"items":[{}]}', 'invalid_order'),
	('{"items":[{"quantity":0,"price":1}]}', 'invalid_order'),
	('{"items":[{"quantity":-1,"price":1}]}', 'invalid_order'),
	('{"items":[{"quantity":1.5,"price":1}]}', 'invalid_order'),
	('{"items":[{"quantity":"1","price":1}]}', 'invalid_order'),
	('{"items":[{"quantity":null,"price":1}]}', 'invalid_order'),
	('{"items":[{"quantity":1e400,"price":1}]}', 'invalid_order'),
	('{"items":[{"quantity":1e-400,"price":1}]}', 'invalid_order'),
	('{"items":[{"quantity":9223372036854775808,"price":1}]}', 'invalid_order'),
	('{"items":[{"quantity":true,"price":1}]}', 'invalid_order'),
	('{"items":[{"quantity":{},"price":1}]}', 'invalid_order'),
	('{"items":[{"quantity":1,"price":"abc"}]}', 'invalid_amount'),
	('{"items":[{"quantity":1,"price":1.5}]}', 'invalid_amount'),
	('{"items":[{"quantity":1,"price":-5}]}', 'invalid_amount'),
	('{"items":[{"quantity":1,"price":1e400}]}', 'invalid_amount'),
	('{"items":[{"quantity":1,"price":-1e400}]}', 'invalid_amount'),
	('{"items":[{"quantity":1,"price":1e-400}]}', 'invalid_amount'),
	('{"items":[{"quantity":1,"price":[]}]}', 'invalid_amount'),
	('{"items":[{"quantity":1,"price":1,"amount":-1}]}', 'invalid_amount'),
	('{"items":[{"quantity":1,"amount":"x"}]}', 'invalid_amount'),
	('{"items":[{"quantity":2,"price":9223372036854775807}]}', 'invalid_amount'),
	('{"items":[{"quantity":9223372036854775807,"price":9223372036854775807}]}', 'invalid_amount'),
	('{"items":[{"quantity":1,"price":9223372036854775807},{"quantity":1,"price":1}]}', 'invalid_amount'),
	('{"items":[{"quantity":1,"amount":9223372036854775807},{"quantity":1,"amount":9223372036854775807}]}',
		'invalid_amount'),
	('{"amount":"abc"}', 'invalid_amount'), ('{"amount":1.5}', 'invalid_amount'),
	('{"amount":-5}', 'invalid_amount'), ('{"amount":1e400}', 'invalid_amount'),
	('{"amount":-1e400}', 'invalid_amount'), ('{"amount":1e131000}', 'invalid_amount'),
	('{"amount":0.00000000000000000001}', 'invalid_amount'),
	('{"amount":9223372036854775808}', 'invalid_amount'), ('{"amount":-9223372036854775809}', 'invalid_amount'),
	('{"amount":true}', 'invalid_amount'), ('{"amount":{}}', 'invalid_amount'),
	('{"id":"x"}', 'invalid_order'), ('{"id":1.5}', 'invalid_order'), ('{"id":1e400}', 'invalid_order'),
	('{"id":-1}', 'invalid_order'), ('{"id":0}', 'invalid_order'),
	('{"id":9223372036854775807}', 'invalid_order'), ('{"id":[]}', 'invalid_order'),
	('{"source_id":"","amount":5}', 'invalid_order'), ('{"source_id":{},"amount":5}', 'invalid_order'),
	('{"metadata":[],"amount":5}', NULL), ('{"shipping_address":"x","amount":5}', NULL),
	('{"data_source":{},"amount":5}', NULL)
  ) AS t (order_data, wanted);
INSERT INTO orders SELECT jsonb_build_object('items',
	(SELECT jsonb_agg('{"quantity":1,"price":1}'::jsonb) FROM generate_series(1, 501))), 'invalid_order';
INSERT INTO orders SELECT jsonb_build_object('items',
	(SELECT jsonb_agg('{}'::jsonb) FROM generate_series(1, 10000))), 'invalid_order';
INSERT INTO orders SELECT jsonb_build_object('amount', 5, key, repeat('x', 1048000)), 'invalid_input'
  FROM unnest('{source_id,data_source,submitted_by,submitted_by_id,on_behalf_of,status}'::text[]) AS key;
INSERT INTO orders SELECT jsonb_build_object('items',
	jsonb_build_array(jsonb_build_object('quantity', 1, 'price', 5, key, repeat('x', 1001)))), 'invalid_input'
		FROM unnest('{product_id,sku,name,color,size}'::text[]) AS key;
SELECT matches(pg_temp.answer(format('SELECT failure_code FROM ordertrack.redeem(%L, ''new'', %L)', code,
	order_data)), '^' || coalesce(wanted, '(invalid_order|invalid_input)') || ' 1$',
		left(format('redeem %s: %s', code, order_data), 90)) FROM orders, unnest('{OFF,CARD}'::text[]) AS code;
SELECT matches(pg_temp.answer(format('SELECT failure_code FROM ordertrack.validate(''OFF'', ''new'', %L)',
	order_data)), '^' || coalesce(wanted, '(invalid_order|invalid_input)') || ' 0$',
		left(format('validate: %s', order_data), 90)) FROM orders;
SELECT is(pg_temp.answer(format('SELECT ordertrack.create_order(%L)', order_data)), 'OT005 0',
	left(format('create_order: %s', order_data), 90)) FROM orders WHERE wanted IS NOT NULL;
SELECT is(pg_temp.answer(format('SELECT ordertrack.update_order(%s, %L)', :o, order_data)), 'OT005 0',
	left(format('update_order: %s', order_data), 90)) FROM orders WHERE wanted IS NOT NULL;
SELECT
	is(pg_temp.answer(format('SELECT failure_code FROM ordertrack.redeem_batch(jsonb_build_array(jsonb_build_object(''code'', ''OFF'', ''customer'', ''new'', ''order_data'', %L::jsonb)))', order_data)), wanted || ' 1',
		left(format('redeem_batch: %s', order_data), 90)) FROM orders WHERE wanted IS NOT NULL;

-- jsonb that is no object, or too much of it, wherever one goes.
SELECT is(pg_temp.answer(format('SELECT failure_code FROM ordertrack.redeem(%s)', format(args, value))),
	'invalid_input 1', format('redeem with %s: %s', label, args))
  FROM jsons, unnest(ARRAY['''OFF'', ''new'', %L', '''OFF'', ''new'', NULL, NULL, %L']) AS args
 WHERE label NOT IN ('many keys', 'deep');
SELECT is(pg_temp.answer(format('SELECT ordertrack.' || call, value)), 'OT005 0',
	format('%s with %s', call, label))
  FROM jsons, unnest(ARRAY['create_order(%L)', 'update_order(' || :o || ', %L)',
	'put_customer(''n'', metadata => %L)', 'put_customer(''n'', address => %L)',
	'create_campaign(''n'', metadata => %L)', 'create_reward(''n'', ''gift'', 1, metadata => %L)',
	'create_voucher(''n'', %L)', 'create_voucher(''n'', gift_amount => 5, metadata => %L)',
	'update_voucher(''OFF'', metadata => %L)', 'export_query(''orders'', NULL, %L)']) AS call
		WHERE label NOT IN ('many keys', 'deep');
SELECT matches(pg_temp.answer(format('SELECT failure_code FROM ordertrack.redeem_batch(%L)', value)),
	'^(OT005 0|invalid_input 1|success 0)$', 'redeem_batch with ' || label) FROM jsons;
SELECT is(pg_temp.state(), :'state', 'nothing has changed');

-- Texts, wherever one goes.
SELECT matches(pg_temp.answer(format('SELECT failure_code FROM ordertrack.redeem(%s)', format(args, value))),
	CASE WHEN coalesce(octet_length(value) NOT BETWEEN 1 AND 200, true) THEN '^invalid_input 1$'
		ELSE '^voucher_not_found 1$' END,
		format('redeem %s: %s', args, label)) FROM texts,
			unnest(ARRAY['%L', '%L, ''new'', ''{"amount":5}''']) AS args;
SELECT is(pg_temp.answer(format('SELECT failure_code FROM ordertrack.redeem(%s)', format(args, value))),
	'invalid_input 1', format('redeem %s: %s', args, label))
  FROM texts, unnest(ARRAY['''OFF'', %L, ''{"amount":5}''', '''OFF'', ''new'', idempotency_key => %L']) AS args
 WHERE octet_length(value) > 255 OR value = '';
SELECT matches(pg_temp.answer(format('SELECT failure_code FROM ordertrack.redeem(%s)', format(args, value))),
	'^(invalid_input 1|OT005 0)$', format('redeem %s: %s', args, label))
  FROM texts, unnest(ARRAY['''OFF'', ''new'', channel => %L', '''OFF'', ''new'', actor => %L']) AS args
 WHERE octet_length(value) > 1000;
SELECT matches(pg_temp.answer(format('SELECT failure_code FROM ordertrack.rollback_redemption(%s, %s)', :r,
	format(args, value))), '^(invalid_input 1|OT005 0)$', format('rollback_redemption %s: %s', args, label))
  FROM texts, unnest(ARRAY['%L', 'channel => %L', 'actor => %L', 'idempotency_key => %L']) AS args
 WHERE octet_length(value) > 1000;
SELECT is(pg_temp.answer(format('SELECT ordertrack.' || call, value)), 'OT005 0', format('%s: %s', call, label))
  FROM texts, unnest(ARRAY['create_voucher(%L, gift_amount => 5)', 'update_voucher(%L, is_active => true)',
	'create_campaign(%L)', 'update_campaign(%L, is_active => true)', 'create_workspace(%L)',
	'create_workspace(''n'', %L)', 'create_reward(%L, ''gift'', 1)', 'create_reward(''n'', %L, 1)', 'update_reward(%L)',
	'add_reward_codes(%L, ''{x}'')', 'add_reward_codes(''n'', ARRAY[%L])', 'add_reward_stock(%L, 1)',
	'put_customer(%L)', 'set_order_status(' || :o || ', %L)', 'grant_access(%L, ''postgres'')',
	'grant_access(''app'', %L)', 'export_query(%L)']) AS call WHERE value IS NULL OR value = ''
		OR octet_length(value) > 1000;
SELECT is(pg_temp.answer(format('SELECT ordertrack.' || call, value)), 'OT005 0', format('%s: %s', call, label))
  FROM texts, unnest(ARRAY['create_voucher(''n'', gift_amount => 5, campaign => %L)', 'put_customer(''n'', %L)',
	'put_customer(''n'', last_name => %L)', 'create_order(''{}'', channel => %L)',
	'create_reward(''n'', ''gift'', 1, data_source => %L)', 'create_reward(''n'', ''gift'', 1, code_source => %L)',
	'create_reward(''n'', ''gift'', 1, shared_code => %L)', 'add_reward_stock(''n'', 1, %L)', 'add_reward_stock(''n'', 1, size => %L)',
	'create_order(''{}'', actor => %L)',
	'create_order(''{}'', %L)', 'update_order(' || :o || ', ''{}'', %L)',
	'set_order_status(' || :o || ', ''paid'', %L)', 'add_note(' || :o || ', ''x'', %L)',
	'add_note(' || :o || ', ''x'', NULL, %L)',
	'export_query(''orders'', NULL, NULL, %L)']) AS call WHERE octet_length(value) > 1000;
SELECT is(pg_temp.answer(format('SELECT ordertrack.' || call, value)), 'OT005 0', format('%s: %s', call, label))
  FROM texts, unnest(ARRAY['add_note(' || :o || ', %L)', 'edit_note(' || :o || ', 1, %L)']) AS call
 WHERE value IS NULL OR value = '' OR octet_length(value) > 10000;
SELECT is(pg_temp.state(), :'state', 'nothing has changed');

-- Numbers at their ends, and workspaces that are none.
SELECT
	matches(pg_temp.answer(format('SELECT failure_code FROM ordertrack.redeem(''CARD'', ''new'', ''{"amount":5}'', %s)', n)), CASE WHEN n <= 0 THEN '^invalid_amount 1$' ELSE '^gift_amount_exceeded 1$' END, 'credits ' || n)
  FROM unnest('{0,-1,-9223372036854775808,9223372036854775807}'::bigint[]) AS n;
SELECT is(pg_temp.answer(format('SELECT failure_code FROM ordertrack.rollback_redemption(%s)', n)),
	'redemption_not_found 1', 'rollback of ' || n)
		FROM unnest('{0,-1,-9223372036854775808,9223372036854775807}'::bigint[]) AS n;
SELECT is(pg_temp.answer(format('SELECT ordertrack.' || call, n)), 'OT001 0', format('%s of %s', call, n))
  FROM unnest('{0,-1,-9223372036854775808,9223372036854775807}'::bigint[]) AS n,
	unnest(ARRAY['set_order_status(%s, ''paid'')', 'update_order(%s, ''{}'')', 'add_note(%s, ''x'')',
		'edit_note(%s, 1, ''x'')', 'delete_note(%s, 1)', 'order_history(%s)', 'verify_order(%s)']) AS call;
SELECT is(pg_temp.answer(format('SELECT ordertrack.' || call, n)), 'OT002 0',
	format('%s in workspace %s', call, n)) FROM
		unnest('{0,-1,-9223372036854775808,9223372036854775807}'::bigint[]) AS n,
	unnest(ARRAY['redeem(NULL, workspace => %s)', 'redeem(''OFF'', order_data => ''[]'', workspace => %s)',
		'validate(''OFF'', workspace => %s)', 'redeem_batch(''[{"code":"OFF"}]'', %s)',
		'redeem(''OFF'', idempotency_key => ''k'', workspace => %s)',
	'rollback_redemption(1, workspace => %s)', 'rollback_redemption(NULL, workspace => %s)',
	'reserve(''OFF'', workspace => %s)', 'release_reservation(''x'', %s)',
	'create_order(''{}'', workspace => %s)', 'put_customer(''x'', workspace => %s)',
	'create_campaign(''x'', workspace => %s)',
	'update_campaign(''camp'', workspace => %s)', 'create_voucher(''x'', gift_amount => 1, workspace => %s)',
	'update_voucher(''OFF'', workspace => %s)', 'export_query(''orders'', workspace => %s)',
	'order_history(1, %s)']) AS call;
SELECT is(pg_temp.answer('SELECT ordertrack.' || call), 'OT005 0', call)
  FROM unnest(ARRAY['redeem(''OFF'', workspace => NULL)', 'validate(''OFF'', workspace => NULL)',
	'redeem_batch(''[]'', NULL)', 'rollback_redemption(1, workspace => NULL)',
	'reserve(''OFF'', workspace => NULL)', 'release_reservation(''x'', NULL)']) AS call;
SELECT is(pg_temp.state(), :'state', 'nothing has changed');

-- Codes compare byte for byte; each of these is a code of its own.
CREATE TEMP TABLE codes AS SELECT row_number() OVER () AS n, code
  FROM unnest(ARRAY[U&'caf\00e9', U&'cafe\0301', U&'CAF\00c9', U&'\212b', U&'\00c5', U&'A\030a', U&'\fb01x',
	'fix', 'FIX', 'Fix', 'fix ', ' fix', E'fix\n', E'\tfix', U&'f\200bix', U&'\202efix',
	U&'\0131', 'i', 'I', U&'\0130', 'ss', U&'\00df', U&'\+01F381', U&'\+01F381\fe0f', '0', '00', '''', '"', '\',
	'\\', '%', '_', '%%', '*', U&'\0660', U&'\ff10', E'\u0001', E'\x7f', U&'\e000', U&'\ffff']) AS code;
SELECT ordertrack.create_voucher(code, '{"type":"amount","amount_off":1}',
	metadata => jsonb_build_object('n', n)) FROM codes
\g /dev/null
CREATE TEMP TABLE redeemed AS SELECT c.n, c.code, a.redemption_id, a.result FROM codes AS c
 CROSS JOIN LATERAL ordertrack.redeem(c.code) AS a;
SELECT is(concat_ws(' ', c.result, v.metadata ->> 'n', r.code = c.code), concat_ws(' ', 'success', c.n, true),
	format('code %s: %s', c.n, to_json(c.code)))
  FROM redeemed AS c JOIN ordertrack.redemptions AS r USING (redemption_id)
  JOIN ordertrack.vouchers AS v USING (workspace_id, voucher_id) ORDER BY n;
SELECT is(octet_length(r.code), octet_length(c.code), format('its bytes are recorded: code %s', c.n))
  FROM redeemed AS c JOIN ordertrack.redemptions AS r USING (redemption_id) ORDER BY n;

-- Large and deep, but right: objects that are nobody's fault.
SELECT matches(pg_temp.answer(format('SELECT failure_code FROM ordertrack.redeem(''OFF'', ''new'', %L)',
	value)), '^missing_amount 1$', 'order_data with ' || label) FROM jsons WHERE label IN ('many keys', 'deep');
SELECT
	is(pg_temp.answer(format('SELECT failure_code FROM ordertrack.redeem(''OFF'', ''new'', %L, metadata => %L)',
		jsonb_build_object('amount', 5, 'metadata', jsonb_build_object('x', value)),
		jsonb_build_object('x', value))), 'success 1',
	'metadata with ' || label) FROM jsons WHERE label IN ('deep', 'deep array', 'a huge number');
SELECT is(pg_temp.answer(format('SELECT ordertrack.update_order(%s, %L)', :o,
	jsonb_build_object('shipping_address', jsonb_build_object('x', value)))), ' 0',
		'shipping_address with ' || label) FROM jsons
 WHERE label IN ('deep', 'deep array', 'a huge number', 'many keys');

-- A good request is as good as ever.
SELECT is(r.result, 'success', 'a good request')
  FROM ordertrack.redeem('OFF', 'anna', '{"source_id":"stored"}') AS r;
SELECT is_empty('SELECT v.* FROM ordertrack.orders AS o, ordertrack.verify_order(o.order_id) AS v',
	'all histories verify');

-- A text can't hold NUL: PostgreSQL refuses it before a function of ours is called.
SELECT count(*) AS attempts FROM ordertrack.redemptions \gset
SELECT throws_ok(command, state, NULL, 'NUL: ' || command) FROM (VALUES
	($$SELECT ordertrack.redeem(convert_from('\x4f00', 'UTF8'))$$, '22021'),
	($$SELECT ordertrack.redeem('O' || chr(0))$$, '54000'),
	($$SELECT ordertrack.redeem('OFF', order_data => '{"source_id": "a\u0000"}')$$, '22P05'),
	($$SELECT ordertrack.redeem_batch('[{"code": "a\u0000"}]')$$, '22P05')) AS nul (command, state);
SELECT is(count(*), :attempts::bigint, 'NUL: nothing is recorded') FROM ordertrack.redemptions;

-- An owner's UPDATE can store a discount that is none: an error of its own, no wrong amount.
UPDATE ordertrack.vouchers SET discount = '{}' WHERE code = 'OFF';
SELECT throws_ok($$SELECT ordertrack.redeem('OFF', 'anna', '{"amount": 5}')$$, 'XX001', NULL, 'a damaged discount');

SELECT * FROM finish();
ROLLBACK;

-- The list and export views, and export_query.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT * FROM no_plan();

-- Hostile text wherever a caller can put one, by its first character.
CREATE TEMP TABLE firsts AS SELECT n, first, first || 'cmd|'' /C calc''!A' || n AS text
  FROM unnest(ARRAY['=', '+', '-', '@', E'\t', E'\r']) WITH ORDINALITY AS f (first, n);
SELECT ordertrack.create_campaign(text), ordertrack.create_voucher(text, '{"type":"amount","amount_off":1}',
	campaign => text),
	ordertrack.create_order(jsonb_build_object('source_id', text, 'data_source', text, 'submitted_by_id', text,
		'submitted_by', text, 'on_behalf_of', text,
		'metadata', jsonb_build_object('m', text), 'items',
		jsonb_build_array(jsonb_build_object('product_id', text, 'sku', text, 'name', text, 'color', text,
		'size', text, 'quantity', 1, 'price', 10))), text, text, text),
	ordertrack.redeem(text, text, jsonb_build_object('source_id', text), NULL, jsonb_build_object('m', text),
		text, text, text),
	ordertrack.create_rule(text, 'order', '$.order.amount >= 0', text), ordertrack.assign_rule(text, campaign => text),
	ordertrack.create_segment(text, '$.customer.order_count > 0'),
	ordertrack.create_reward(text, 'gift', 0, data_source => text)
  FROM firsts
\g /dev/null
SELECT ordertrack.rollback_redemption(r.redemption_id, r.code, NULL, NULL, r.code, r.code)
  FROM ordertrack.redemptions AS r WHERE kind = 'redemption' AND result = 'success'
\g /dev/null
SELECT ordertrack.reserve(text, text, '{"amount":1}', channel => text, actor => text),
	ordertrack.redeem(text || '?', text, '{"amount":1}', NULL, NULL, NULL, text, text),
	ordertrack.add_note(o.order_id, text, text, text, text)
  FROM firsts JOIN ordertrack.orders AS o ON o.source_id = text
\g /dev/null
INSERT INTO ordertrack.status_transitions (workspace_id, entity, from_status, to_status, event_type) SELECT 1,
	'order', 'canceled', 'created', text FROM firsts WHERE n = 1;
SELECT ordertrack.set_order_status(order_id, 'created') FROM ordertrack.orders
\g /dev/null
CREATE ROLE "=tap()";
DO $$
BEGIN
	PERFORM ordertrack.grant_access('app', '=tap()');
	SET LOCAL ROLE "=tap()";
	PERFORM ordertrack.add_note((SELECT max(h)
		FROM (SELECT ordertrack.create_order('{"source_id":"by role"}') AS h) AS o), 'x');
	RESET ROLE;
END
$$;

SELECT ordertrack.put_customer(text, text, text, text, text), ordertrack.grant_points(text, 5, reason => text, channel => text, actor => text),
	ordertrack.redeem_reward(text, text, 0, channel => text, actor => text) FROM firsts
\g /dev/null
INSERT INTO ordertrack.issued_rewards (workspace_id, redemption_id, reward_id, customer_id, order_id, reward_type, code, color, size,
	cost_in_points, active_points, active_from, created_at)
SELECT 1, 1, r.reward_id, c.customer_id, o.order_id, r.type, f.text, f.text, f.text, 5, 0, now(), now() FROM firsts AS f
  JOIN ordertrack.rewards AS r ON r.name = f.text JOIN ordertrack.customers AS c ON c.source_id = f.text
  JOIN ordertrack.orders AS o ON o.source_id = f.text;

SELECT ordertrack.create_refund(order_id, 5, text, text, transaction_id => text, channel => text, actor => text)
  FROM (SELECT order_id, text, ordertrack.add_payment(order_id, 5, text, transaction_id => text, channel => text, actor => text)
		  FROM firsts JOIN ordertrack.orders ON source_id = text) AS p
\g /dev/null
SELECT ordertrack.set_order_status(order_id, 'paid') FROM ordertrack.orders JOIN firsts ON source_id = text WHERE status = 'created'
\g /dev/null
SELECT ordertrack.set_shipment_status(shipment_id, status), ordertrack.create_return(order_id, reason => text)
  FROM (SELECT order_id, text, ordertrack.create_shipment(order_id, carrier => text, tracking_number => text) AS shipment_id
		  FROM firsts JOIN ordertrack.orders ON source_id = text) AS s,
	LATERAL (SELECT ordertrack.set_shipment_status(shipment_id, 'released'), ordertrack.set_shipment_status(shipment_id, 'packing'), 'shipped' AS status OFFSET 0) AS m
\g /dev/null

-- What a view shows: each text field by its column.
CREATE FUNCTION pg_temp.cells(view_name text) RETURNS TABLE (column_name text, cell text) LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE
		format('SELECT c.key, c.value #>> ''{}'' FROM ordertrack.%I AS v CROSS JOIN LATERAL jsonb_each(to_jsonb(v)) AS c
		WHERE jsonb_typeof(c.value) = ''string''', view_name);
END
$$;
CREATE TEMP TABLE views AS SELECT relname::text AS name, relname LIKE 'export%' AS is_export FROM pg_class
 WHERE relnamespace = 'ordertrack'::regnamespace AND relkind = 'v';
-- A dash alone, where there is no cashback, is no formula.
SELECT
	is_empty(format('SELECT DISTINCT column_name, left(cell, 1) FROM pg_temp.cells(%L) WHERE ascii(cell) IN (9, 13, 43, 45, 61, 64)
		AND (column_name, cell) <> (''cashback_status'', ''-'')', name), name || ' has no formula in any column') FROM views WHERE is_export;
CREATE TEMP TABLE hostile (name text, columns text[]);
INSERT INTO hostile VALUES
	('export_orders', '{channel,customer,data_source,source_id,submitted_by_id}'),
	('export_order_items', '{color,name,product_id,size,sku,source_id}'),
	('export_redemptions', '{actor,campaign,channel,code,customer,order_source_id,reason,reward}'),
	('export_point_movements', '{actor,channel,customer,reason}'),
	('export_order_notes', '{channel,event_type}'),
	('export_issued_rewards', '{code,color,customer,reward,size}'),
	('export_redeemed_rewards', '{code,color,customer,email,first_name,last_name,phone,reward_name,size}'),
	('export_payments', '{actor,channel,method,order_source_id,reason,transaction_id}'),
	('export_returns', '{order_source_id,reason}'),
	('export_shipments', '{carrier,order_source_id,product_id,sku,tracking_number}');
SELECT is((SELECT array_agg(DISTINCT column_name ORDER BY column_name) FROM pg_temp.cells(name)
	JOIN firsts ON cell = '''' || text), columns, name || ': text behind an apostrophe') FROM hostile;
SELECT is((SELECT array_agg(DISTINCT f.n ORDER BY f.n) FROM pg_temp.cells(h.name)
	JOIN firsts AS f ON cell = '''' || text WHERE column_name = c), '{1,2,3,4,5,6}'::bigint[],
		format('%s.%s: each first character', h.name, c)) FROM hostile AS h, unnest(h.columns) AS c
			WHERE h.name <> 'export_order_notes';
SELECT is((SELECT array_agg(DISTINCT column_name ORDER BY column_name) FROM pg_temp.cells(name)
	JOIN firsts ON cell = text), columns, name || ': exact text') FROM (VALUES
	('order_list', '{channel,customer,data_source,source_id}'::text[]),
	('order_details', '{channel,customer,data_source,email,first_name,last_name,on_behalf_of,phone,source_id,submitted_by,submitted_by_id}'),
	('redemption_list', '{actor,campaign,channel,code,customer,order_source_id,reason,reward}'),
	('point_movement_list', '{actor,channel,customer,reason}'), ('point_lot_list', '{customer,reason}'),
	('order_history_list', '{channel,detail,event_type,source_id,title}'), ('order_activity', '{channel,detail,event_type,source_id,title}'),
	('order_activity_events', '{channel,event_type,source_id}'),
	('voucher_list', '{campaign,code}'), ('campaign_list', '{name}'), ('rule_list', '{message,name}'),
	('segment_list', '{name}'), ('reward_list', '{data_source,name}'), ('reservation_list', '{actor,campaign,channel,code,customer}'),
	('issued_reward_list', '{code,color,customer,reward,size}'),
	('redeemed_rewards', '{code,color,customer,email,first_name,last_name,phone,reward_name,size}'),
	('redeemed_reward_address', '{customer}'), ('payment_list', '{actor,channel,method,order_source_id,reason,transaction_id}'),
	('return_list', '{order_source_id,reason}'), ('shipment_list', '{carrier,order_source_id,tracking_number}')) AS v (name, columns);
SELECT is((SELECT count(*) FROM views WHERE NOT is_export
	AND name NOT IN ('order_list', 'order_details', 'redemption_list', 'order_history_list', 'voucher_list', 'campaign_list',
		'rule_list', 'segment_list', 'reservation_list', 'reward_list', 'issued_reward_list', 'redeemed_rewards', 'redeemed_reward_address',
		'point_lot_list', 'point_movement_list', 'shipment_list', 'payment_list', 'return_list', 'order_activity', 'order_activity_events')),
		0::bigint, 'each list was looked at');

-- Harmless text stays as it is, also with such a character behind the first.
SELECT ordertrack.create_order(jsonb_build_object('source_id', text, 'data_source', text))
  FROM unnest(ARRAY['a=b', ' =1', '''=1', U&'\ff1d1', E'\n=1', '"x"', ';', '5', 'ä@b']) AS text
\g /dev/null
SELECT is(e.source_id, o.source_id, 'harmless: ' || to_json(o.source_id)) FROM ordertrack.orders AS o
  JOIN ordertrack.export_orders AS e USING (order_id) WHERE o.source_id = o.data_source
   AND o.source_id NOT IN (SELECT text FROM firsts);

-- As many rows as the tables.
SELECT is((SELECT count(*) FROM ordertrack.export_orders) || ' ' || (SELECT count(*)
	FROM ordertrack.order_list) || ' ' || (SELECT count(*) FROM ordertrack.order_details),
		n || ' ' || n || ' ' || n, 'orders') FROM (SELECT count(*) AS n FROM ordertrack.orders) AS o;
SELECT is((SELECT count(*) FROM ordertrack.export_redemptions) || ' ' || (SELECT count(*)
	FROM ordertrack.redemption_list), n || ' ' || n, 'redemptions')
		FROM (SELECT count(*) AS n FROM ordertrack.redemptions) AS o;
SELECT is((SELECT count(*) FROM ordertrack.export_order_notes) || ' ' || (SELECT count(*)
	FROM ordertrack.order_history_list), n || ' ' || n, 'notes')
		FROM (SELECT count(*) AS n FROM ordertrack.order_notes) AS o;
SELECT is((SELECT count(*) FROM ordertrack.export_order_items), (SELECT count(*) FROM ordertrack.order_items),
	'lines');

SELECT is((SELECT count(*) FROM ordertrack.export_issued_rewards) || ' ' || (SELECT count(*) FROM ordertrack.export_redeemed_rewards)
	|| ' ' || (SELECT count(*) FROM ordertrack.issued_reward_list) || ' ' || (SELECT count(*) FROM ordertrack.redeemed_rewards)
	|| ' ' || (SELECT count(*) FROM ordertrack.redeemed_reward_address), concat_ws(' ', n, n, n, n, n), 'issued rewards')
  FROM (SELECT count(*) AS n FROM ordertrack.issued_rewards) AS u;
SELECT is((SELECT array_agg(reward ORDER BY f.n) FROM ordertrack.export_redeemed_rewards JOIN firsts AS f ON reward = '''' || format('%s (%s)', text, text)),
	(SELECT array_agg('''' || format('%s (%s)', text, text) ORDER BY n) FROM firsts), 'name and code in one column');

-- State of redemptions.
SELECT ordertrack.create_voucher('CARD', gift_amount => 100)
\g /dev/null
SELECT redemption_id AS live FROM ordertrack.redeem('CARD', amount => 10)
\gset
SELECT redemption_id AS partly FROM ordertrack.redeem('CARD', amount => 10)
\gset
SELECT redemption_id AS back FROM ordertrack.redeem('CARD', amount => 10)
\gset
SELECT redemption_id AS failed FROM ordertrack.redeem('CARD', amount => 1000)
\gset
SELECT ordertrack.rollback_redemption(:partly, amount => 5), ordertrack.rollback_redemption(:back),
	ordertrack.rollback_redemption(:live, amount => 500)
\g /dev/null
SELECT is((SELECT l.state || ' ' || e.state FROM ordertrack.redemption_list AS l
	JOIN ordertrack.export_redemptions AS e USING (workspace_id, redemption_id) WHERE redemption_id = id),
		state || ' ' || state, 'state ' || state)
  FROM (VALUES (:live, 'succeeded'), (:partly, 'partially_rolled_back'), (:back, 'rolled_back'),
	(:failed, 'failed')) AS c (id, state);
SELECT is((SELECT array_agg(DISTINCT state) FROM ordertrack.redemption_list WHERE kind = 'rollback'
	AND result = 'failure'), '{failed}', 'a refused rollback failed');

-- export_query gives a SELECT that runs.
CREATE FUNCTION pg_temp.run(what text, columns text[], filter jsonb,
	sort text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE format('SELECT string_agg(e::text, '' '') FROM (%s) AS e',
		ordertrack.export_query(what, columns, filter, sort)) INTO result;
	RETURN result;
EXCEPTION WHEN SQLSTATE 'OT005' THEN
	RETURN 'OT005';
END
$$;
SELECT ordertrack.create_workspace('export') AS w
\gset
SELECT is(ordertrack.export_query('orders', '{order_id}', '{"status":"paid"}', '-created_at', :w),
	format('SELECT order_id FROM ordertrack.export_orders WHERE workspace_id = %s AND status = ''paid'' ORDER BY created_at DESC', :w), 'its text');
SELECT lives_ok(ordertrack.export_query(substr(name, 8)), 'all columns of ' || name) FROM views WHERE is_export;
SELECT ok(ordertrack.export_query(substr(name, 8)) LIKE '%workspace_id = 1%', 'of one workspace: ' || name)
  FROM views WHERE is_export;
SELECT is_empty(ordertrack.export_query(substr(name, 8), workspace => :w),
	'nothing of other workspaces: ' || name) FROM views WHERE is_export;
SELECT ordertrack.create_order(d)
  FROM unnest(ARRAY['{"source_id":"q-1","amount":5,"data_source":"x","metadata":{"a":1,"b":{"c":2}}}',
	'{"source_id":"q-2","amount":7,"data_source":"y","metadata":{"a":1}}',
	'{"source_id":"q-3","amount":9,"data_source":"y"}',
	'{"source_id":"q-4","status":"paid","amount":11,"data_source":"O''Reilly \"q\" \\ ; DROP"}']::jsonb[]) AS d
\g /dev/null
SELECT is(pg_temp.run('orders', '{source_id}', filter::jsonb || '{"source_id":["q-1","q-2","q-3","q-4"]}',
	'source_id'), wanted, 'filter ' || filter) FROM (VALUES
	('{}', '(q-1) (q-2) (q-3) (q-4)'), ('{"amount":7}', '(q-2)'), ('{"amount":"7"}', '(q-2)'),
	('{"amount":[5,9]}', '(q-1) (q-3)'), ('{"amount":[]}', NULL), ('{"amount":7.0}', '(q-2)'),
	('{"data_source":"y"}', '(q-2) (q-3)'), ('{"data_source":["x",null]}', '(q-1)'),
	('{"metadata":null}', '(q-3) (q-4)'), ('{"metadata":{"a":1}}', '(q-1) (q-2)'),
	('{"metadata":{"b":{"c":2}}}', '(q-1)'), ('{"metadata":{}}', '(q-1) (q-2)'),
	('{"paid_at":null}', '(q-1) (q-2) (q-3)'), ('{"customer":null}', '(q-1) (q-2) (q-3) (q-4)'),
	('{"customer":[null,"x"]}', '(q-1) (q-2) (q-3) (q-4)'), ('{"customer":[null]}', '(q-1) (q-2) (q-3) (q-4)'),
	('{"status":"paid","amount":11}', '(q-4)'), ('{"status":"paid","amount":5}', NULL),
	('{"data_source":"O''Reilly \"q\" \\ ; DROP"}', '(q-4)'),
	('{"status":"x'' OR true --"}', NULL)) AS c (filter, wanted);
SELECT is(pg_temp.run('orders', '{order_id}', jsonb_build_object('source_id', text), NULL) IS NULL, true,
	'a hostile value finds nothing: ' || to_json(text))
  FROM unnest(ARRAY['''; DROP TABLE ordertrack.orders; --', '\''; SELECT 1; --', E'a\nb', '$$', '%',
	U&'\2019 OR 1=1', '''', '\']) AS text;
SELECT is(pg_temp.run('orders', '{source_id,amount}', '{"source_id":["q-1","q-2"]}', sort), wanted,
	'sort ' || sort) FROM (VALUES ('amount', '(q-1,5) (q-2,7)'), ('-amount', '(q-2,7) (q-1,5)')) AS c (sort,
	wanted);
SELECT is(pg_temp.run('orders', '{amount,source_id,amount}', '{"source_id":"q-1"}', NULL), '(5,q-1,5)',
	'columns in the given order, also twice');
SET LOCAL standard_conforming_strings = off;
SELECT is(pg_temp.run('orders', ARRAY['source_id'],
	jsonb_build_object('data_source', 'O''Reilly "q" ' || chr(92) || ' ; DROP'), NULL), '(q-4)',
		'without standard_conforming_strings');
SET LOCAL standard_conforming_strings = on;

-- What is refused.
SELECT throws_ok('SELECT ordertrack.export_query(' || args || ')', code, NULL,
	left('export_query(' || args, 90)) FROM (VALUES
	('NULL', 'OT005'), ('''''', 'OT005'), ('''customers''', 'OT005'), ('''orders; DROP TABLE x''', 'OT005'),
	('''Orders''', 'OT005'), ('repeat(''x'', 1000000)', 'OT005'),
	('''orders"''', 'OT005'), ('''order_notes WHERE true''', 'OT005'),
	('''orders'', ''{none}''', 'OT005'), ('''orders'', ''{Order_id}''', 'OT005'),
	('''orders'', ''{NULL}''', 'OT005'), ('''orders'', ''{}''', 'OT005'),
	('''orders'', ''{order_id,""}''', 'OT005'),
	('''orders'', ARRAY[''order_id, (SELECT 1)'']', 'OT005'), ('''orders'', ARRAY[''ctid'']', 'OT005'),
	('''orders'', ARRAY[''*'']', 'OT005'),
	('''orders'', NULL, ''[]''', 'OT005'), ('''orders'', NULL, ''"x"''', 'OT005'),
	('''orders'', NULL, ''{"none":1}''', 'OT005'), ('''orders'', NULL, ''{"amount":{}}''', 'OT005'),
	('''orders'', NULL, ''{"amount":[[1]]}''', 'OT005'),
	('''orders'', NULL, ''{"amount":[{"a":1}]}''', 'OT005'),
	('''orders'', NULL, ''{"metadata":"x"}''', 'OT005'), ('''orders'', NULL, ''{"metadata":[1]}''', 'OT005'),
	('''orders'', NULL, ''{"1=1 OR status":"x"}''', 'OT005'), ('''orders'', NULL, NULL, ''none''', 'OT005'),
	('''orders'', NULL, NULL, ''''', 'OT005'), ('''orders'', NULL, NULL, ''-''', 'OT005'),
	('''orders'', NULL, NULL, ''amount DESC''', 'OT005'), ('''orders'', NULL, NULL, ''--amount''', 'OT005'),
	('''orders'', NULL, NULL, ''amount; DROP TABLE x''', 'OT005'),
	('''orders'', NULL, NULL, repeat(''x'', 1000000)', 'OT005'), ('''orders'', workspace => -1', 'OT002'),
	('''orders'', workspace => NULL', 'OT005')) AS c (args, code);
CREATE FUNCTION pg_temp.error_detail(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
BEGIN
	EXECUTE command;
	RETURN 'no error';
EXCEPTION WHEN SQLSTATE 'OT005' THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN detail;
END
$$;
SELECT ok(bool_and(pg_temp.error_detail(call) ~ ('\m' || a.attname || '\M')), call || ' lists the known ones')
  FROM pg_attribute AS a,
	unnest(ARRAY['SELECT ordertrack.export_query(''orders'', ''{none}'')',
		'SELECT ordertrack.export_query(''orders'', NULL, ''{"none":1}'')',
		'SELECT ordertrack.export_query(''orders'', NULL, NULL, ''none'')']) AS call
 WHERE attrelid = 'ordertrack.export_orders'::regclass AND attnum > 0 GROUP BY call;
SELECT matches(pg_temp.error_detail('SELECT ordertrack.export_query(''none'')'),
	'order_items.*order_notes.*orders.*redemptions', 'an unknown export lists the known ones');

-- In COPY, as it is meant.
DO $$
BEGIN
	EXECUTE format('COPY (%s) TO PROGRAM %L WITH (FORMAT csv, HEADER)',
		ordertrack.export_query('orders', '{source_id,amount}', '{"amount":[5,7]}', 'amount'),
		'cat > /dev/null');
END
$$;
SELECT pass('COPY takes it');

SELECT * FROM finish();
ROLLBACK;

-- create_order, update_order, set_order_status.
BEGIN;
SELECT * FROM no_plan();

SELECT ordertrack.create_workspace('other') AS other
\gset
CREATE FUNCTION pg_temp.shown(wanted bigint) RETURNS jsonb LANGUAGE sql AS $$
	SELECT
		jsonb_strip_nulls(to_jsonb(o) -
			'{workspace_id,order_id,customer_id,created_at,updated_at,noted_at,paid_at,note_hash}'::text[]
		|| jsonb_build_object('customer', c.source_id, 'items',
			(SELECT jsonb_agg(concat_ws('/', i.line_no, i.product_id, i.sku, i.name,
			i.color, i.size, i.quantity, i.price, i.amount, i.metadata) ORDER BY i.line_no)
				FROM ordertrack.order_items AS i
			WHERE i.workspace_id = o.workspace_id AND i.order_id = o.order_id), 'is_paid', CASE
				WHEN o.paid_at IS NOT NULL THEN true END))
	  FROM ordertrack.orders AS o LEFT JOIN ordertrack.customers AS c USING (workspace_id, customer_id)
		WHERE o.order_id = wanted
$$;
CREATE FUNCTION pg_temp.events(wanted bigint) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(event_type, ' ' ORDER BY note_no) FROM ordertrack.order_notes WHERE order_id = wanted
$$;

-- What an order begins with.
SELECT is(pg_temp.shown(ordertrack.create_order(order_data::jsonb, customer)), wanted::jsonb,
	left(order_data, 60)) FROM (VALUES
	('{}', NULL, '{"status":"created","amount":0,"initial_amount":0,"discount_amount":0,"total_amount":0,"note_count":1}'),
	('{"source_id":null,"status":null,"amount":null,"items":null,"metadata":null}', NULL,
		'{"status":"created","amount":0,"initial_amount":0,"discount_amount":0,"total_amount":0,"note_count":1}'),
	('{"amount":700}', 'ann',
		'{"status":"created","amount":700,"initial_amount":700,"discount_amount":0,"total_amount":700,"note_count":1,"customer":"ann"}'),
	('{"status":"paid","amount":700}', 'ann',
		'{"status":"paid","amount":700,"initial_amount":700,"discount_amount":0,"total_amount":700,"note_count":1,"customer":"ann","is_paid":true}'),
	('{"status":"awaiting_exchange"}', NULL,
		'{"status":"awaiting_exchange","amount":0,"initial_amount":0,"discount_amount":0,"total_amount":0,"note_count":1}'),
	('{"source_id":"o-1","items":[{"product_id":"p","sku":"s","name":"n","color":"c","size":"z","quantity":2,"price":5,"metadata":{"a":1}},
		{"quantity":1,"amount":3}],"metadata":{"m":1},"data_source":"cat","shipping_address":{"city":"X"},"submitted_by":"Sue",
		"submitted_by_id":"7","on_behalf_of":"Bob","value_in_points":9,"something":"else"}', 'bea',
		'{"source_id":"o-1","status":"created","amount":13,"initial_amount":13,"discount_amount":0,"total_amount":13,"note_count":1,"customer":"bea",
		"items":["1/p/s/n/c/z/2/5/10/{\"a\": 1}","2/1/3"],"metadata":{"m":1},"data_source":"cat","shipping_address":{"city":"X"},
		"submitted_by":"Sue","submitted_by_id":"7","on_behalf_of":"Bob","value_in_points":9}'),
	('{"items":[{"quantity":1}]}', NULL,
		'{"status":"created","amount":0,"initial_amount":0,"discount_amount":0,"total_amount":0,"note_count":1,"items":["1/1"]}')
  ) AS c (order_data, customer, wanted);
SELECT is((SELECT count(*) FROM ordertrack.customers WHERE workspace_id = 1), 2::bigint, 'each customer once');
SELECT ordertrack.create_order('{}', NULL, 'web', 'anna')
\g /dev/null
SELECT is((SELECT array_agg(o.channel || ' ' || n.channel || ' ' || (n.data ->> 'actor'))
	FROM ordertrack.orders AS o
	JOIN ordertrack.order_notes AS n USING (workspace_id, order_id) WHERE o.channel = 'web'),
		'{"web web anna"}',
	'channel and actor are in the note');

-- Bad orders.
SELECT concat_ws(' ', (SELECT count(*) FROM ordertrack.orders), (SELECT count(*) FROM ordertrack.order_items),
	(SELECT count(*) FROM ordertrack.order_notes), (SELECT count(*) FROM ordertrack.customers)) AS counts
\gset
SELECT throws_ok('SELECT ordertrack.create_order(' || args || ')', code, NULL, left(args, 90)) FROM (VALUES
	('NULL', 'OT005'), ('''[]''', 'OT005'), ('''"x"''', 'OT005'), ('''7''', 'OT005'), ('''null''', 'OT005'),
	('jsonb_build_object(''metadata'', jsonb_build_object(''x'', repeat(''x'', 1100000)))', 'OT005'),
	('''{"source_id":"o-1"}''', 'OT004'), ('''{"source_id":"o-1"}'', ''new''', 'OT004'),
	('''{"source_id":""}''', 'OT005'),
	('''{"source_id":["x"]}''', 'OT005'), ('jsonb_build_object(''source_id'', repeat(''x'', 256))', 'OT005'),
	('jsonb_build_object(''data_source'', repeat(''x'', 1001))', 'OT005'), ('''{"id":1}''', 'OT005'),
	('''{"status":"lost"}''', 'OT005'),
	('''{"status":""}''', 'OT005'), ('''{"status":7}''', 'OT005'), ('''{"status":"previous"}''', 'OT005'),
	('''{"amount":-1}''', 'OT005'),
	('''{"amount":1.5}''', 'OT005'), ('''{"amount":"5"}''', 'OT005'), ('''{"amount":1e400}''', 'OT005'),
	('''{"value_in_points":-1}''', 'OT005'),
	('''{"items":{}}''', 'OT005'), ('''{"items":[7]}''', 'OT005'), ('''{"items":[{}]}''', 'OT005'),
	('''{"items":[{"quantity":0}]}''', 'OT005'),
	('''{"items":[{"quantity":1.5}]}''', 'OT005'), ('''{"items":[{"quantity":1,"price":-1}]}''', 'OT005'),
	('''{"items":[{"quantity":1,"sku":{}}]}''', 'OT005'),
	('''{"items":[{"quantity":1,"metadata":[]}]}''', 'OT005'),
	('''{"items":[{"quantity":9223372036854775807,"price":2}]}''', 'OT005'),
	('jsonb_build_object(''items'', (SELECT jsonb_agg(''{"quantity":1}''::jsonb) FROM generate_series(1, 501)))', 'OT005'),
	('''{"metadata":[]}''', 'OT005'), ('''{"shipping_address":"x"}''', 'OT005'),
	('''{"submitted_by":{}}''', 'OT005'),
	('''{}'', ''''', 'OT005'), ('''{}'', repeat(''x'', 256)', 'OT005'),
	('''{}'', channel => repeat(''x'', 1001)', 'OT005'),
	('''{}'', actor => repeat(''x'', 1000000)', 'OT005'), ('''{}'', workspace => -1', 'OT002'),
	('''{}'', workspace => NULL', 'OT005')
  ) AS c (args, code);
SELECT is(concat_ws(' ', (SELECT count(*) FROM ordertrack.orders),
	(SELECT count(*) FROM ordertrack.order_items),
	(SELECT count(*) FROM ordertrack.order_notes), (SELECT count(*) FROM ordertrack.customers)), :'counts',
		'leave nothing');
SELECT lives_ok(format('SELECT ordertrack.create_order(''{"source_id":"o-1"}'', workspace => %s)', :other),
	'the same source_id in another workspace');

-- update_order changes what is passed.
SELECT
	ordertrack.create_order('{"source_id":"u","amount":100,"metadata":{"m":1},"data_source":"cat","shipping_address":{"city":"X"},
	"submitted_by":"Sue","submitted_by_id":"7","on_behalf_of":"Bob","value_in_points":9,"items":[{"quantity":1,"price":100}]}') AS u
\gset
CREATE FUNCTION pg_temp.update(wanted bigint, order_data jsonb) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM ordertrack.update_order(wanted, order_data);
	RETURN (SELECT concat_ws('|', o.amount, o.total_amount, o.metadata, o.data_source, o.shipping_address,
		o.submitted_by,
			o.submitted_by_id, o.on_behalf_of, o.value_in_points,
			(SELECT string_agg(concat_ws('/', i.line_no, i.quantity, i.amount), ',' ORDER BY line_no)
				FROM ordertrack.order_items AS i WHERE i.order_id = wanted),
			(SELECT event_type FROM ordertrack.order_notes AS n WHERE n.order_id = wanted
				ORDER BY note_no DESC LIMIT 1), o.note_count)
		  FROM ordertrack.orders AS o WHERE o.order_id = wanted);
END
$$;
SELECT is(pg_temp.update(:u, order_data::jsonb), wanted, order_data) FROM (VALUES
	('{}', '100|100|{"m": 1}|cat|{"city": "X"}|Sue|7|Bob|9|1/1/100|order_created|1'),
	('{"something":"else"}', '100|100|{"m": 1}|cat|{"city": "X"}|Sue|7|Bob|9|1/1/100|order_created|1'),
	('{"metadata":{"n":2}}', '100|100|{"n": 2}|cat|{"city": "X"}|Sue|7|Bob|9|1/1/100|order_updated|2'),
	('{"data_source":"dog"}', '100|100|{"n": 2}|dog|{"city": "X"}|Sue|7|Bob|9|1/1/100|order_updated|3'),
	('{"shipping_address":{"city":"Y"}}',
		'100|100|{"n": 2}|dog|{"city": "Y"}|Sue|7|Bob|9|1/1/100|address_changed|4'),
	('{"submitted_by":"Tom","submitted_by_id":"8","on_behalf_of":"Cem"}',
		'100|100|{"n": 2}|dog|{"city": "Y"}|Tom|8|Cem|9|1/1/100|order_updated|5'),
	('{"value_in_points":10}', '100|100|{"n": 2}|dog|{"city": "Y"}|Tom|8|Cem|10|1/1/100|order_updated|6'),
	('{"amount":250}', '250|250|{"n": 2}|dog|{"city": "Y"}|Tom|8|Cem|10|1/1/100|order_updated|7'),
	('{"items":[{"quantity":2,"price":30},{"quantity":1,"price":1}]}',
		'61|61|{"n": 2}|dog|{"city": "Y"}|Tom|8|Cem|10|1/2/60,2/1/1|lines_changed|8'),
	('{"items":[{"quantity":3}],"amount":500}',
		'500|500|{"n": 2}|dog|{"city": "Y"}|Tom|8|Cem|10|1/3|lines_changed|9'),
	('{"items":[],"amount":40}', '40|40|{"n": 2}|dog|{"city": "Y"}|Tom|8|Cem|10|lines_changed|10'),
	('{"metadata":null,"data_source":null,"value_in_points":null}',
		'40|40|{"city": "Y"}|Tom|8|Cem|order_updated|11'),
	('{"shipping_address":null,"submitted_by":null,"submitted_by_id":null,"on_behalf_of":null}',
		'40|40|order_updated|13')
  ) AS c (order_data, wanted);
SELECT is((SELECT jsonb_object_agg(note_no, data -> 'amount') FROM ordertrack.order_notes WHERE order_id = :u
	AND note_no IN (7, 8)),
	'{"7":{"old":100,"new":250},"8":{"old":250,"new":61}}', 'the note has old and new amount');
SELECT is((SELECT jsonb_object_agg(note_no, data -> 'fields') FROM ordertrack.order_notes WHERE order_id = :u
	AND note_no IN (3, 7, 12, 13)), '{"3":["data_source"],"7":["amount"],"12":["shipping_address"],
	"13":["submitted_by","submitted_by_id","on_behalf_of"]}', 'and the names of the fields');
SELECT is((SELECT jsonb_object_agg(note_no, data - '{fields,amount}'::text[]) FROM ordertrack.order_notes WHERE order_id = :u
	AND note_no IN (2, 3, 6, 8, 10, 11)), '{"2":{},"3":{"data_source":{"old":"cat","new":"dog"}},
	"6":{"value_in_points":{"old":9,"new":10}},
	"8":{"items":{"old":[{"quantity":1,"price":100,"amount":100}],
		"new":[{"quantity":2,"price":30,"amount":60},{"quantity":1,"price":1,"amount":1}]}},
	"10":{"items":{"old":[{"quantity":3}],"new":[]}},
	"11":{"data_source":{"old":"dog"},"value_in_points":{"old":10}}}', 'old and new values of what is not personal');

-- All at once: a note for each kind of change, personal values with the one that has their hashes.
SELECT ordertrack.create_order('{"items":[{"product_id":"p","sku":"s","name":"n","color":"c","size":"z","quantity":2,"price":5}]}') AS a
\gset
SELECT ordertrack.add_note(:a, 'before'), ordertrack.update_order(:a, '{"metadata":{"m":1},"data_source":"cat","submitted_by":"Sue",
	"on_behalf_of":"Bob","value_in_points":9,"shipping_address":{"city":"X"},"amount":7,"items":[]}', 'web', 'anna')
\g /dev/null
SELECT is(array_agg(concat_ws(' ', note_no, event_type, channel, data - 'personal') ORDER BY note_no), ARRAY[
	'3 address_changed web {"actor": "anna", "fields": ["shipping_address"]}',
	'4 lines_changed web {"actor": "anna", "items": {"new": [], "old": [{"sku": "s", "name": "n", "size": "z", "color": "c", "price": 5, "amount": 10, "quantity": 2, "product_id": "p"}]}, "amount": {"new": 7, "old": 10}}',
	'5 order_updated web {"actor": "anna", "fields": ["metadata", "data_source", "submitted_by", "on_behalf_of", "value_in_points"], "data_source": {"new": "cat"}, "value_in_points": {"new": 9}}'],
	'all at once') FROM ordertrack.order_notes WHERE order_id = :a AND note_no > 2;
SELECT is(array_agg(concat_ws(' ', p.note_no, p.field, p.value,
	n.data -> 'personal' ->> p.field = encode(sha256(p.salt || convert_to(p.value::text, 'UTF8')), 'hex')) ORDER BY p.note_no, p.field),
	'{"3 shipping_address {\"city\": \"X\"} t","5 on_behalf_of \"Bob\" t","5 submitted_by \"Sue\" t"}', 'and the personal values')
  FROM ordertrack.personal_values AS p JOIN ordertrack.order_notes AS n USING (workspace_id, order_id, note_no) WHERE p.order_id = :a;

-- What has been paid for stays as it was paid for.
SELECT throws_ok('SELECT ordertrack.update_order(' || args || ')', code, NULL, left('update: ' || args, 90))
  FROM (SELECT :u AS u) AS o,
	LATERAL (VALUES (u || ', NULL', 'OT005'), (u || ', ''[]''', 'OT005'), ('NULL, ''{}''', 'OT005'),
		('-1, ''{}''', 'OT001'), (u || ', ''{}'', workspace => -1', 'OT002'),
	(u || ', ''{}'', workspace => NULL', 'OT005'),
	(u || format(', ''{}'', workspace => %s', (SELECT max(workspace_id) FROM ordertrack.workspaces)), 'OT001'),
	(u || ', ''{"status":"paid"}''', 'OT005'), (u || ', ''{"source_id":"v"}''', 'OT005'),
	(u || ', ''{"id":1}''', 'OT005'),
	(u || ', ''{"amount":-1}''', 'OT005'), (u || ', ''{"amount":null}''', 'OT005'),
	(u || ', ''{"items":null}''', 'OT005'),
	(u || ', ''{"items":[]}''', 'OT005'), (u || ', ''{"items":[{"quantity":1}]}''', 'OT005'),
	(u || ', ''{"items":[{"quantity":0}]}''', 'OT005'),
	(u || ', ''{"metadata":7}''', 'OT005'), (u || ', ''{"shipping_address":[]}''', 'OT005'),
	(u || ', ''{"value_in_points":1.5}''', 'OT005'),
	(u || ', ''{}'', channel => repeat(''x'', 1001)', 'OT005'),
	(u || ', ''{}'', actor => repeat(''x'', 1001)', 'OT005')) AS c (args, code);
SELECT is(o.note_count, 13, 'what is refused leaves no note') FROM ordertrack.orders AS o WHERE o.order_id = :u;
SELECT ordertrack.set_order_status(:u, 'paid')
\g /dev/null
SELECT throws_ok(format('SELECT ordertrack.update_order(%s, %L)', :u, d), '55000', NULL, 'paid, update ' || d)
  FROM
	unnest('{"{\"amount\":41}","{\"amount\":40}","{\"items\":[]}","{\"items\":[{\"quantity\":1,\"price\":5}]}","{\"amount\":41,\"metadata\":{}}"}'::text[]) AS d;
SELECT is(pg_temp.update(:u, '{"metadata":{"z":1}}'), '40|40|{"z": 1}|order_updated|15',
	'paid, metadata may change');

-- set_order_status gives the previous status; the same again is nothing.
SELECT is(ordertrack.set_order_status(:u, status), wanted, status || ' after ' || wanted) FROM (VALUES
	('paid', 'paid'), ('on_hold', 'paid'), ('on_hold', 'on_hold'), ('paid', 'on_hold'), ('completed', 'paid'),
	('completed', 'completed')) AS c (status, wanted);
SELECT is(o.note_count, 18, 'three moves, three notes') FROM ordertrack.orders AS o WHERE o.order_id = :u;
SELECT is(split_part(pg_temp.events(:u), 'address_changed ', 3),
	'order_updated order_paid order_updated order_on_hold order_paid order_completed', 'their events');
SELECT throws_ok('SELECT ordertrack.set_order_status(' || args || ')', code, NULL, left('status: ' || args, 90))
  FROM (VALUES
	(:u || ', ''lost''', 'OT005'), (:u || ', ''''', 'OT005'), (:u || ', NULL', 'OT005'),
	(:u || ', ''Paid''', 'OT005'), (:u || ', ''previous''', 'OT005'),
	(:u || ', ''cancelled''', 'OT005'), (:u || ', repeat(''x'', 1000000)', 'OT005'),
	('NULL, ''paid''', 'OT005'), ('-1, ''paid''', 'OT001'),
	(:u || ', ''paid''', 'OT010'), (:u || ', ''paid'', workspace => -1', 'OT002'),
	(:u || ', ''paid'', workspace => NULL', 'OT005'),
	(:u || ', ''paid'', repeat(''x'', 1001)', 'OT005'),
	(:u || ', ''paid'', NULL, repeat(''x'', 1001)', 'OT005')) AS c (args, code);

-- paid_at is the first time.
SELECT ordertrack.create_order('{"amount":5}') AS p
\gset
SELECT is(o.paid_at, NULL, 'not paid yet') FROM ordertrack.orders AS o WHERE o.order_id = :p;
SELECT ordertrack.set_order_status(:p, 'paid')
\g /dev/null
SELECT paid_at AS paid_at FROM ordertrack.orders WHERE order_id = :p
\gset
SELECT isnt(:'paid_at'::text, '', 'paid');
SELECT ordertrack.set_order_status(:p, status) FROM unnest('{fulfilled,paid}'::text[]) AS status
\g /dev/null
SELECT is(o.paid_at, :'paid_at', 'paid again') FROM ordertrack.orders AS o WHERE o.order_id = :p;

SELECT
	is_empty('SELECT v.* FROM ordertrack.orders AS o, ordertrack.verify_order(o.order_id, o.workspace_id) AS v',
		'all histories verify');

-- The extension's own writes meet the domains as they are, also those of today.
SELECT lives_ok($$SELECT ordertrack.create_order('{"amount": 700000, "metadata": {"a": 1}}')$$, 'as the domains are');
ALTER DOMAIN ordertrack.minor_units ADD CONSTRAINT tap_check CHECK (VALUE < 600000) NOT VALID;
ALTER DOMAIN ordertrack.json_object ADD CONSTRAINT tap_check CHECK (VALUE <> '{"a": 1}') NOT VALID;
SELECT throws_ok(command, '23514', NULL, command) FROM (VALUES
	($$SELECT ordertrack.create_order('{"amount": 700000}')$$),
	($$SELECT ordertrack.create_order('{"source_id": "tap-domain", "amount": 700000}')$$),
	($$SELECT ordertrack.create_order('{"items": [{"quantity": 1, "price": 700000}], "amount": 1}')$$),
	($$SELECT ordertrack.create_order('{"metadata": {"a": 1}}')$$),
	($$SELECT ordertrack.redeem('none', metadata => '{"a": 1}')$$)) AS c (command);
SELECT lives_ok($$SELECT ordertrack.create_order('{"amount": 500000, "metadata": {"a": 2}}')$$, 'what they allow');
ALTER DOMAIN ordertrack.minor_units DROP CONSTRAINT tap_check;
SELECT lives_ok($$SELECT ordertrack.create_order('{"amount": 700000}')$$, 'and without it again');
SELECT * FROM finish();
ROLLBACK;

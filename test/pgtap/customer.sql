-- put_customer.
BEGIN;
SELECT * FROM no_plan();

SELECT ordertrack.create_workspace('other') AS other
\gset
CREATE FUNCTION pg_temp.put(args text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	id bigint;
BEGIN
	EXECUTE format('SELECT ordertrack.put_customer(''c-1''%s)', args) INTO id;
	RETURN (SELECT concat_ws('|', email, phone, first_name, last_name, address, metadata)
		FROM ordertrack.customers
		WHERE workspace_id = 1 AND customer_id = id AND source_id = 'c-1');
END
$$;
SELECT is(pg_temp.put(args), wanted, 'put' || args) FROM (VALUES
	('', ''), (', email => ''a@b''', 'a@b'), (', phone => ''1''', 'a@b|1'),
	(', first_name => ''Ann'', last_name => ''Bee''', 'a@b|1|Ann|Bee'),
	(', address => ''{"city": "X"}''', 'a@b|1|Ann|Bee|{"city": "X"}'),
	(', metadata => ''{"m": 1}''', 'a@b|1|Ann|Bee|{"city": "X"}|{"m": 1}'),
	('', 'a@b|1|Ann|Bee|{"city": "X"}|{"m": 1}'),
	(', address => ''{"city": "Y"}''', 'a@b|1|Ann|Bee|{"city": "Y"}|{"m": 1}'),
	(', email => ''''', '1|Ann|Bee|{"city": "Y"}|{"m": 1}'),
	(', phone => '''', address => ''{}'', metadata => ''{}''', 'Ann|Bee'),
	(', first_name => '''', last_name => ''''', '')) AS c (args, wanted);
SELECT is((SELECT count(*) FROM ordertrack.customers), 1::bigint, 'one customer');
SELECT isnt(ordertrack.put_customer('c-1', 'x@y', workspace => :other), ordertrack.put_customer('c-1'),
	'another one in another workspace');
SELECT is((SELECT email FROM ordertrack.customers WHERE workspace_id = 1), NULL,
	'which leaves the first alone');
SELECT is(c.order_count || ' ' || c.order_total || ' ' || coalesce(c.last_order_at::text, '-'), '0 0 -',
	'no orders yet') FROM ordertrack.customers AS c WHERE workspace_id = 1;

SELECT throws_ok('SELECT ordertrack.put_customer(' || args || ')', code, NULL, label) FROM (VALUES
	('NULL', 'OT005', 'no source_id'), ('''''', 'OT005', 'an empty source_id'),
	('repeat(''x'', 256)', 'OT005', 'a source_id of 256 bytes'),
	('repeat(''x'', 1000000)', 'OT005', 'a source_id of a megabyte'),
	('''n'', email => repeat(''x'', 1001)', 'OT005', 'email'),
	('''n'', phone => repeat(''x'', 1001)', 'OT005', 'phone'),
	('''n'', first_name => repeat(''x'', 1001)', 'OT005', 'first_name'),
	('''n'', last_name => repeat(''x'', 1000000)', 'OT005', 'last_name'),
	('''n'', address => ''[]''', 'OT005', 'address as an array'),
	('''n'', address => ''"x"''', 'OT005', 'address as a text'),
	('''n'', metadata => ''null''', 'OT005', 'metadata as a JSON null'),
	('''n'', metadata => jsonb_build_object(''x'', repeat(''x'', 1100000))', 'OT005',
		'metadata of more than a MiB'),
	('''n'', workspace => -1', 'OT002', 'no such workspace'),
	('''n'', workspace => NULL', 'OT005', 'no workspace')) AS c (args, code, label);
SELECT is((SELECT count(*) FROM ordertrack.customers), 2::bigint, 'what is refused leaves nothing');
SELECT lives_ok(format('SELECT ordertrack.put_customer(%L)', source_id), 'source_id ' || left(source_id, 10))
  FROM unnest(ARRAY['C-1', 'c-1 ', U&'caf\00e9', U&'cafe\0301', repeat('x', 255)]) AS source_id;
SELECT is((SELECT count(*) FROM ordertrack.customers), 7::bigint, 'each is a customer of its own');

SELECT * FROM finish();
ROLLBACK;

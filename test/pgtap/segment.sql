-- Segments: whom a condition finds, fixed lists, and that one customer is judged
-- without a look at the others.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT * FROM no_plan();

SELECT ordertrack.create_workspace('other') AS other
\gset
SELECT ordertrack.put_customer(source_id, metadata => metadata::jsonb) FROM (VALUES ('anna', '{"level": "gold", "age": 40}'),
	('ben', '{"level": "silver", "age": "forty"}'), ('cem', NULL), ('Dora', '{"level": ["gold", "silver"]}')) AS c (source_id, metadata)
\g /dev/null
INSERT INTO ordertrack.orders (workspace_id, status, customer_id, amount, total_amount, created_at)
SELECT 1, 'created', customer_id, amount, amount, now() - days * interval '1 day' FROM (VALUES
	('anna', 1000, 100), ('anna', 2000, 10), ('anna', 5000, 1), ('ben', 9000, 3), ('Dora', 700, 400)) AS o (source_id, amount, days)
  JOIN ordertrack.customers USING (source_id);
UPDATE ordertrack.orders SET status = CASE amount WHEN 700 THEN 'fulfilled' WHEN 5000 THEN 'canceled' ELSE 'paid' END
 WHERE amount <> 9000;
UPDATE ordertrack.orders SET status = 'completed' WHERE amount = 2000;

-- segment_customers() and a rule on the segment say the same.
CREATE FUNCTION pg_temp.in_segment(segment text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	id text := gen_random_uuid();
BEGIN
	PERFORM ordertrack.create_voucher(id, '{"type": "amount", "amount_off": 1}'),
		ordertrack.create_rule(id, 'customer', format('$.customer.segments[*] == %s', to_jsonb(segment))::jsonpath),
		ordertrack.assign_rule(id, id);
	RETURN (SELECT string_agg(c.source_id, ' ' ORDER BY c.source_id COLLATE "C") FROM ordertrack.customers AS c,
		ordertrack.validate(id, c.source_id) AS v WHERE c.workspace_id = 1 AND v.result = 'success');
END
$$;
CREATE TEMP TABLE cases (name text, condition text, customers text[], wanted text);
INSERT INTO cases VALUES
	('everyone', '1 == 1', NULL, 'Dora anna ben cem'), ('nobody', '1 == 2', NULL, ''),
	('buyers', '$.customer.order_count > 0', NULL, 'Dora anna'),
	('three orders', '$.customer.order_count >= 3', NULL, ''),
	('spent 30', '$.customer.order_total >= 3000', NULL, 'anna'),
	('lately', '$.customer.days_since_last_order <= 30', NULL, 'anna'),
	('sleeping', '$.customer.days_since_last_order > 365', NULL, 'Dora'),
	('never', '!exists($.customer.last_order_at)', NULL, 'ben cem'),
	('gold', '$.customer.metadata.level == "gold"', NULL, 'Dora anna'),
	('forty', '$.customer.metadata.age >= 40', NULL, 'anna'),
	('not forty', '!($.customer.metadata.age >= 40)', NULL, 'Dora cem'),
	('a to b', '$.customer.source_id like_regex "^[ab]"', NULL, 'anna ben'),
	('both', '$.customer.order_count > 0 && $.customer.metadata.level == "gold"', NULL, 'Dora anna'),
	('filter', 'exists($.customer ? (@.order_count == 2))', NULL, 'anna'),
	('list', NULL, '{cem,anna,cem}', 'anna cem'), ('empty', NULL, '{}', ''),
	('"quoted" \ name', NULL, '{ben}', 'ben');
SELECT ordertrack.create_segment(name, condition::jsonpath, customers) FROM cases
\g /dev/null
SELECT is((SELECT coalesce(string_agg(s, ' '), '') FROM ordertrack.segment_customers(name) AS s), wanted,
	'customers of ' || name) FROM cases;
SELECT is(coalesce(pg_temp.in_segment(name), ''), wanted, 'a rule on ' || name) FROM cases;
SELECT is(member_count, wanted, name || ': members') FROM (VALUES ('list', 2::bigint), ('empty', 0), ('gold', NULL)) AS c (name, wanted)
  JOIN ordertrack.segment_list USING (name);
SELECT is(pg_temp.in_segment('no such segment'), NULL, 'nobody is in a segment that does not exist');

-- Membership is that of the moment.
SELECT ordertrack.create_order('{"status": "paid", "amount": 5}', 'cem'), ordertrack.put_customer('ben', metadata => '{"level": "gold"}'),
	ordertrack.set_order_status(order_id, 'canceled') FROM ordertrack.orders WHERE total_amount = 700
\g /dev/null
SELECT is((SELECT string_agg(s, ' ') FROM ordertrack.segment_customers(name) AS s), wanted, 'now in ' || name)
  FROM (VALUES ('buyers', 'anna cem'), ('gold', 'Dora anna ben'), ('sleeping', NULL)) AS c (name, wanted);
SELECT is(pg_temp.in_segment('buyers'), 'anna cem', 'and so judged');

-- Workspaces know nothing of each other.
SELECT ordertrack.put_customer('anna', workspace => :other), ordertrack.create_segment('list', customers => '{anna}', workspace => :other),
	ordertrack.create_segment('gold', '$.customer.order_count == 0', workspace => :other)
\g /dev/null
SELECT is((SELECT string_agg(s, ' ') FROM unnest('{list,gold}'::text[]) AS n, ordertrack.segment_customers(n, :other) AS s),
	'anna anna', 'segments of another workspace');
SELECT is((SELECT string_agg(s, ' ') FROM ordertrack.segment_customers('list') AS s), 'anna cem', 'and ours');

-- Refused
SELECT throws_ok(format('SELECT ordertrack.%s', command), sqlstate, message, command) FROM (VALUES
	('create_segment(''x'')', 'OT005', 'exactly one of "condition" and "customers" must be given'),
	('create_segment(''x'', ''1 == 1'', ''{anna}'')', 'OT005', 'exactly one of "condition" and "customers" must be given'),
	('create_segment(NULL, ''1 == 1'')', 'OT005', 'argument "name" must not be null'),
	('create_segment('''', ''1 == 1'')', 'OT005', 'argument "name" must not be empty'),
	('create_segment(repeat(''x'', 1001), ''1 == 1'')', 'OT005', 'argument "name" is too long'),
	('create_segment(''gold'', ''1 == 1'')', 'OT004', 'segment "gold" already exists'),
	('create_segment(''list'', customers => ''{}'')', 'OT004', 'segment "list" already exists'),
	('create_segment(''x'', ''1 == 1'', workspace => -1)', 'OT002', 'workspace -1 does not exist'),
	('create_segment(''x'', ''1 == 1'', workspace => NULL)', 'OT005', 'argument "workspace" must not be null'),
	('create_segment(''x'', customers => ''{anna,nobody,ben}'')', 'OT002', 'customer "nobody" does not exist'),
	('create_segment(''x'', customers => ''{anna,NULL}'')', 'OT005', 'argument "customers" must not contain null'),
	('create_segment(''x'', customers => (SELECT array[''ben''] FROM ordertrack.workspaces WHERE workspace_id <> 1), workspace => (SELECT max(workspace_id) FROM ordertrack.workspaces))',
		'OT002', 'customer "ben" does not exist'),
	('create_segment(''x'', ''$.customer.segments[*] == "gold"'')', 'OT005', 'the condition of a segment must not mention segments'),
	('create_segment(''x'', ''$.order.amount > 5'')', 'OT005', 'the condition of a segment must be about the customer'),
	('create_segment(''x'', ''exists($ ? (@.redemption.amount > 5))'')', 'OT005', 'the condition of a segment must be about the customer'),
	('create_segment(''x'', ''$.campaign.name == "x"'')', 'OT005', 'the condition of a segment must be about the customer'),
	('create_segment(''x'', ''$.customer.order_count'')', 'OT005', 'a condition must be true or false'),
	('create_segment(''x'', ''$.customer.order_count == "many"'')', 'OT005', 'the condition can''t be decided'),
	('create_segment(''x'', ''$.customer.orders > 1'')', 'OT005', 'the document of a condition has no key "orders" at this place'),
	('segment_customers(''x'')', 'OT002', 'segment "x" does not exist'),
	('segment_customers(NULL)', 'OT005', 'argument "name" must not be null'),
	('segment_customers(''gold'', -1)', 'OT002', 'workspace -1 does not exist')) AS c (command, sqlstate, message);
SELECT is_empty($$SELECT FROM ordertrack.segments WHERE name = 'x'$$, 'nothing is left of them');
SELECT is((SELECT count(*) FROM generate_series((SELECT count(*) + 1 FROM ordertrack.segments
	WHERE workspace_id = 1 AND condition IS NOT NULL), 100) AS n, ordertrack.create_segment('n ' || n, '$.customer.order_count > 7')) > 50,
	true, 'a hundred conditions');
SELECT throws_ok('SELECT ordertrack.create_segment(''x'', ''1 == 1'')', 'OT005', 'too many segments with a condition', 'not one more');
SELECT lives_ok('SELECT ordertrack.create_segment(''x'', customers => ''{anna}'')', 'lists have no such limit');
SELECT lives_ok(format('SELECT ordertrack.create_segment(''x'', ''1 == 1'', workspace => %s)', :other), 'nor has another workspace');

-- One customer of many is judged by reading a handful of rows, whatever the
-- sizes of the lists and the number of lists.
INSERT INTO ordertrack.customers (workspace_id, source_id) SELECT 1, 'many-' || n FROM generate_series(1, 3000) AS n;
SELECT ordertrack.create_segment('many', customers => (SELECT array_agg(source_id) FROM ordertrack.customers
	WHERE source_id LIKE 'many-%'))
\g /dev/null
INSERT INTO ordertrack.segments (workspace_id, name) SELECT 1, 'other list ' || n FROM generate_series(1, 2000) AS n;
-- as autovacuum does before long
ANALYZE ordertrack.customers, ordertrack.segments, ordertrack.segment_members;
CREATE FUNCTION pg_temp.rows_read() RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_object_agg(relname, seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_xact_user_tables
	 WHERE relname IN ('customers', 'segments', 'segment_members')
$$;
SELECT ordertrack.create_voucher('MANY', '{"type": "amount", "amount_off": 1}'),
	ordertrack.create_rule('many', 'customer', '$.customer.segments[*] == "many" && $.customer.segments[*] == "everyone"')
\g /dev/null
SELECT ordertrack.assign_rule('many', 'MANY')
\g /dev/null
SELECT pg_temp.rows_read() AS before
\gset
SELECT is(result, 'success', 'in the long list') FROM ordertrack.validate('MANY', 'many-1234');
SELECT cmp_ok((pg_temp.rows_read() ->> t)::bigint - (:'before'::jsonb ->> t)::bigint, '<=', most,
	'rows read of ' || t) FROM (VALUES ('customers', 2::bigint), ('segment_members', 1), ('segments', 300)) AS c (t, most);
SELECT is(count(*), 3000::bigint, 'all of them are in it') FROM ordertrack.segment_customers('many');

SELECT * FROM finish();
ROLLBACK;

-- redeem_batch: one answer for each request, in order.
BEGIN;
SELECT * FROM no_plan();

SELECT ordertrack.create_campaign('few', redemption_limit => 3)
\g /dev/null
SELECT ordertrack.create_voucher('OFF', '{"type":"percent","percent_off":10}'),
	ordertrack.create_voucher('TWO', '{"type":"amount","amount_off":5}', redemption_limit => 2),
	ordertrack.create_voucher('F-1', '{"type":"amount","amount_off":5}', campaign => 'few'),
	ordertrack.create_voucher('F-2', '{"type":"amount","amount_off":5}', campaign => 'few'),
	ordertrack.create_voucher('ONCE', '{"type":"amount","amount_off":5}', customer_limit => 1),
	ordertrack.create_voucher('CARD', gift_amount => 1000)
\g /dev/null

-- One batch with everything in it: what each request comes to. Limits, balances,
-- customers, orders and keys of one request are seen by the next.
CREATE TEMP TABLE items AS SELECT row_number() OVER () AS n, c.* FROM (VALUES
	('{"code":"OFF","order_data":{"source_id":"b-1","amount":1000}}'::jsonb, 'success 1000 100 900 false'),
	('{"code":"OFF","order_data":{"source_id":"b-1"}}', 'success 1000 190 810 false'),
	('{"code":"TWO"}', 'success 0 0 0 false'),
	('{"code":"NONE"}', 'voucher_not_found false'),
	('{"code":"TWO"}', 'success 0 0 0 false'),
	('{"code":"TWO"}', 'quantity_exceeded false'),
	('{"code":"F-1"}', 'success 0 0 0 false'),
	('{"code":"F-2"}', 'success 0 0 0 false'),
	('{"code":"F-1"}', 'success 0 0 0 false'),
	('{"code":"F-2"}', 'quantity_exceeded false'),
	('{"code":"ONCE","customer":"zoe"}', 'success 0 0 0 false'),
	('{"code":"ONCE","customer":"zoe"}', 'redemption_rules_violated false'),
	('{"code":"ONCE","customer":"yan"}', 'success 0 0 0 false'),
	('{"code":"ONCE"}', 'missing_customer false'),
	('{"code":"CARD","order_data":{"amount":600}}', 'success 600 600 0 400 false'),
	('{"code":"CARD","order_data":{"amount":600}}', 'success 400 400 200 0 false'),
	('{"code":"CARD","order_data":{"amount":600}}', 'gift_amount_exceeded 0 false'),
	('{"code":"CARD","amount":1}', 'gift_amount_exceeded 0 false'),
	('{"code":"OFF","idempotency_key":"b"}', 'success 0 0 0 false'),
	('{"code":"OFF","idempotency_key":"b"}', 'success 0 0 0 true'),
	('{"code":"TWO","idempotency_key":"b"}', 'idempotency_conflict false'),
	('{"code":"OFF","amount":"x","idempotency_key":"bad-1"}', 'invalid_input false'),
	('{"code":"OFF","amount":"x","idempotency_key":"bad-1"}', 'invalid_input true'),
	('{"code":"OFF","amount":"y","idempotency_key":"bad-1"}', 'idempotency_conflict false'),
	('{"code":"OFF","idempotency_key":"bad-1"}', 'idempotency_conflict false'),
	('{"code":"OFF","customer":["x"],"idempotency_key":"bad-2"}', 'invalid_input false'),
	('{"code":"OFF","idempotency_key":"bad-2"}', 'idempotency_conflict false'),
	('{"code":"NONE","idempotency_key":"c"}', 'voucher_not_found false'),
	('{"code":"NONE","idempotency_key":"c"}', 'voucher_not_found true'),
	('{"code":"OFF","order_data":{"amount":-1}}', 'invalid_amount false'),
	('{"code":"OFF","order_data":{"id":-1}}', 'invalid_order false'),
	('{"code":"OFF","order_data":[]}', 'invalid_input false'),
	('{"code":"OFF","order_data":7}', 'invalid_input false'),
	('{"code":"OFF","metadata":"x"}', 'invalid_input false'),
	('{"code":"OFF","amount":"x"}', 'invalid_input false'),
	('{"code":"OFF","amount":1.5}', 'invalid_input false'),
	('{"code":"OFF","amount":1e400}', 'invalid_input false'),
	('{"code":"OFF","customer":["x"]}', 'invalid_input false'),
	('{"code":["OFF"]}', 'invalid_input false'),
	('{"code":""}', 'invalid_input false'),
	('{"code":null}', 'invalid_input false'),
	('{}', 'invalid_input false'),
	('{"code":"OFF","cusTomer":"x"}', 'invalid_input false'),
	('{"code":"OFF","workspace":1}', 'invalid_input false'),
	('{"code":"OFF","idempotency_key":""}', 'invalid_input false'),
	('7', 'invalid_input false'),
	('null', 'invalid_input false'),
	('"OFF"', 'invalid_input false'),
	('[{"code":"OFF"}]', 'invalid_input false'),
	('{"code":"OFF","customer":null,"order_data":null,"amount":null,"metadata":null,"idempotency_key":null,
		"channel":null,"actor":null}', 'success 0 0 0 false'),
	('{"code":"OFF","customer":"zoe","order_data":{"source_id":"b-2","amount":50},"metadata":{"m":1},
		"idempotency_key":"d","channel":"web","actor":"anna"}', 'success 50 5 45 false')
  ) AS c (request, wanted);
CREATE TEMP TABLE answers AS
SELECT b.n, (b.r).* FROM (SELECT jsonb_agg(request ORDER BY n) AS requests FROM items) AS i
 CROSS JOIN LATERAL (SELECT row_number() OVER () AS n, r FROM ordertrack.redeem_batch(i.requests) AS r) AS b;
SELECT is((SELECT count(*) FROM answers), (SELECT count(*) FROM items), 'one answer for each');
SELECT is(concat_ws(' ', coalesce(a.failure_code, a.result), a.amount, a.discount_amount, a.total_amount,
	a.gift_balance, a.replayed::text),
		i.wanted, left(format('%s: %s', n, i.request), 80))
  FROM items AS i LEFT JOIN answers AS a USING (n) ORDER BY n;
SELECT is(a.failure_code IS NOT NULL, length(a.failure_message) > 10 AND a.failure_message IS NOT NULL,
	format('message of answer %s', n))
  FROM answers AS a ORDER BY n;
SELECT is((SELECT count(*) FROM answers JOIN ordertrack.redemptions USING (redemption_id)),
	(SELECT count(*) FROM items),
	'each answer names its record');
SELECT is((SELECT count(*) FROM answers WHERE NOT replayed),
	(SELECT count(DISTINCT redemption_id) FROM answers), 'each but a replayed one a record of its own');
SELECT ok((SELECT bool_and(n_before < redemption_id)
	FROM (SELECT redemption_id, lag(redemption_id) OVER (ORDER BY n) AS n_before
	FROM answers WHERE NOT replayed) AS a), 'records are in order');
SELECT is((SELECT jsonb_build_object('code', code, 'customer', customer, 'channel', channel, 'actor', actor,
	'metadata', metadata)
	FROM ordertrack.redemptions JOIN answers USING (redemption_id) ORDER BY n DESC LIMIT 1),
	'{"code":"OFF","customer":"zoe","channel":"web","actor":"anna","metadata":{"m":1}}',
	'a record has what the request says');
SELECT is((SELECT concat_ws(' ', v.redeemed_count, c.redeemed_count) FROM ordertrack.vouchers AS v,
	ordertrack.campaigns AS c
	WHERE v.workspace_id = 1 AND v.code = 'TWO' AND c.workspace_id = 1 AND c.name = 'few'), '2 3', 'counters');
SELECT
	is_empty('SELECT v.* FROM ordertrack.orders AS o, ordertrack.verify_order(o.order_id) AS v WHERE o.workspace_id = 1',
	'all histories verify');

-- Given as single calls, the same requests get the same answers.
SELECT is(s.failure_code, wanted, 'as a single call: ' || code)
  FROM (VALUES ('TWO', 'quantity_exceeded'), ('F-1', 'quantity_exceeded'),
	('NONE', 'voucher_not_found')) AS c (code, wanted)
 CROSS JOIN LATERAL ordertrack.redeem(code) AS s;
SELECT is(r.replayed, true, 'a key of a batch is known to a single call')
  FROM ordertrack.redeem('OFF', idempotency_key => 'b') AS r;
SELECT is(b.replayed, true, 'and the other way round')
  FROM ordertrack.redeem('OFF', idempotency_key => 'e') AS r,
	ordertrack.redeem_batch(CASE WHEN r.result = 'success' THEN '[{"code":"OFF","idempotency_key":"e"}]'::jsonb
		END) AS b;

-- What is wrong with the batch as a whole is an error, and nothing stays.
SELECT count(*) AS records FROM ordertrack.redemptions
\gset
SELECT throws_ok(call, code, NULL, left(call, 80)) FROM (VALUES
	('SELECT ordertrack.redeem_batch(NULL)', 'OT005'),
	('SELECT ordertrack.redeem_batch(''{}'')', 'OT005'),
	('SELECT ordertrack.redeem_batch(''7'')', 'OT005'),
	('SELECT ordertrack.redeem_batch(''null'')', 'OT005'),
	('SELECT ordertrack.redeem_batch(''"x"'')', 'OT005'),
	('SELECT ordertrack.redeem_batch((SELECT jsonb_agg(''{"code":"OFF"}''::jsonb) FROM generate_series(1, 1001)))', 'OT005'),
	('SELECT ordertrack.redeem_batch((SELECT jsonb_agg(7) FROM generate_series(1, 1001)))', 'OT005'),
	('SELECT ordertrack.redeem_batch(''[{"code":"OFF"}]'', -1)', 'OT002'),
	('SELECT ordertrack.redeem_batch(''[]'', -1)', 'OT002'),
	('SELECT ordertrack.redeem_batch(''[]'', NULL)', 'OT005')) AS c (call, code);
SELECT is((SELECT count(*) FROM ordertrack.redemptions), :records::bigint, 'nothing stays of them');
SELECT is_empty($$SELECT * FROM ordertrack.redeem_batch('[]')$$, 'an empty batch has no answers');

-- A thousand, of which a hundred may.
SELECT ordertrack.create_voucher('HUNDRED', '{"type":"amount","amount_off":1}', redemption_limit => 100)
\g /dev/null
SELECT is((SELECT string_agg(concat_ws(' ', result, failure_code, n), ', ' ORDER BY result DESC)
	FROM (SELECT result, failure_code, count(*) AS n
	FROM ordertrack.redeem_batch((SELECT jsonb_agg('{"code":"HUNDRED","order_data":{"amount":10}}'::jsonb)
		FROM generate_series(1, 1000)))
	GROUP BY result, failure_code) AS r), 'success 100, failure quantity_exceeded 900',
		'a thousand for a hundred uses');
SELECT is(v.redeemed_count::bigint, 100::bigint, 'the counter is right') FROM ordertrack.vouchers AS v
 WHERE v.workspace_id = 1 AND v.code = 'HUNDRED';
-- What a batch writes by statements of many rows is what single calls write:
-- 130 orders of 7 customers, with and without ids, lines, keys, and refusals.
CREATE TEMP TABLE mixed AS SELECT n,
	jsonb_strip_nulls(jsonb_build_object('code', CASE WHEN n % 10 = 0 THEN 'NONE' ELSE 'OFF' END,
		'customer', 'mix-' || n % 7,
		'idempotency_key', CASE WHEN n % 9 = 0 THEN 'mix-' || n / 2 END,
		'order_data', jsonb_build_object('source_id', CASE WHEN n % 4 = 0 THEN 'mix-' || n / 3 END,
			'submitted_by', CASE WHEN n % 5 = 0 THEN 'Jo' END,
			'items', (SELECT jsonb_agg(jsonb_build_object('sku', 's' || l, 'quantity', l, 'price', n))
				FROM generate_series(1, n % 4) AS l), 'amount', 1000 + n))) AS request
  FROM generate_series(1, 130) AS n;
CREATE TEMP TABLE told AS SELECT o.* FROM ordertrack.redeem_batch(
	(SELECT jsonb_agg(request ORDER BY n) FROM mixed)) WITH ORDINALITY AS o;
SELECT is((SELECT count(*) FROM ordertrack.redemptions AS r JOIN told AS t USING (redemption_id)
	WHERE (r.result, r.order_id, r.total_amount) IS NOT DISTINCT FROM (t.result, t.order_id, t.total_amount)),
	130 - (SELECT count(*) FROM told WHERE failure_code = 'idempotency_conflict' AND redemption_id IS NULL),
	'every answer has its record');
SELECT is((SELECT array_agg(t.redemption_id ORDER BY ordinality) FROM told AS t WHERE NOT t.replayed),
	(SELECT array_agg(t.redemption_id ORDER BY redemption_id) FROM told AS t WHERE NOT t.replayed), 'in order');
SELECT is_empty($$SELECT t.ordinality, v.* FROM told AS t, ordertrack.verify_order(t.order_id) AS v
	WHERE t.result = 'success'$$, 'every order''s history verifies');
SELECT is_empty($$SELECT t.order_id FROM told AS t JOIN mixed AS m ON m.n = t.ordinality
	WHERE t.result = 'success' AND NOT EXISTS (SELECT FROM ordertrack.order_items AS i WHERE i.order_id = t.order_id)
		AND jsonb_typeof(m.request #> '{order_data,items}') = 'array'$$, 'lines are there');
SELECT is_empty($$SELECT c.source_id FROM ordertrack.customers AS c LEFT JOIN LATERAL (
		SELECT count(*) AS n, coalesce(sum(o.total_amount), 0) AS total, max(o.created_at) AS last
		  FROM ordertrack.orders AS o WHERE o.customer_id = c.customer_id) AS o ON true
	WHERE c.source_id LIKE 'mix-%' AND (c.order_count, c.order_total, c.last_order_at)
		IS DISTINCT FROM (o.n, o.total::bigint, o.last)$$, 'the customers'' sums equal a recount');
SELECT is((SELECT count(*) FROM ordertrack.customers WHERE source_id LIKE 'mix-%'), 7::bigint, 'of seven');
-- A discount on lines finds those that an earlier request, or its own, has left.
SELECT ordertrack.create_voucher('LINES', '{"type":"amount","amount_off":10,"effect":"apply_to_items"}'),
	ordertrack.create_voucher('UNIT', '{"type":"unit","unit_off":1,"sku":"s9","price":5}')
\g /dev/null
SELECT is((SELECT string_agg(concat_ws(' ', result, failure_code, amount, discount_amount, total_amount), ', ' ORDER BY n)
	FROM ordertrack.redeem_batch($$[
	{"code":"LINES","order_data":{"items":[{"sku":"s1","quantity":1,"price":100},{"sku":"s2","quantity":2,"price":50}]}},
	{"code":"OFF","order_data":{"source_id":"lines","items":[{"sku":"s1","quantity":1,"price":100}]}},
	{"code":"LINES","order_data":{"source_id":"lines"}},
	{"code":"UNIT","order_data":{"source_id":"lines"}},
	{"code":"LINES","order_data":{"source_id":"lines"}}]$$) WITH ORDINALITY AS o (
		redemption_id, result, failure_code, failure_message, order_id, amount, discount_amount, total_amount, gift_balance, replayed, n)),
	'success 200 20 180, success 100 10 90, success 100 20 80, success 105 25 80, success 105 35 70', 'lines of a batch');
SELECT is((SELECT string_agg(concat_ws(' ', line_no, sku, quantity, amount, discount_amount), ', ' ORDER BY order_id, line_no)
	FROM ordertrack.order_items WHERE sku IN ('s1', 's2', 's9')
		AND order_id > (SELECT max(order_id) - 2 FROM ordertrack.orders)),
	'1 s1 1 100 10, 2 s2 2 100 10, 1 s1 1 100 20, 2 s9 1 5 5', 'have what they were given');
-- Waiting orders can't bring a customer's sum out of range.
SELECT is((SELECT string_agg(concat_ws(' ', result, failure_code), ', ') FROM ordertrack.redeem_batch($$[
	{"code":"OFF","customer":"big","order_data":{"amount":6000000000000000000}},
	{"code":"OFF","customer":"big","order_data":{"amount":4500000000000000}},
	{"code":"OFF","customer":"big","order_data":{"amount":4500000000000000}},
	{"code":"OFF","customer":"big","order_data":{"amount":3819000000000000000}},
	{"code":"OFF","customer":"big","order_data":{"amount":3810000000000000000}}]$$)),
	'success, success, success, failure invalid_amount, success', 'the sum is exact near its bound');
SELECT is((SELECT order_total::bigint FROM ordertrack.customers WHERE source_id = 'big'),
	5400000000000000000 + 2 * 4050000000000000 + 3429000000000000000, 'and what it has to be');
SELECT is((SELECT string_agg(concat_ws(' ', result, failure_code), ', ') FROM ordertrack.redeem_batch($$[
	{"code":"OFF","customer":"wee","order_data":{"amount":1000}},
	{"code":"OFF","customer":"wee","order_data":{"amount":9223372036854775800}},
	{"code":"OFF","customer":"wee","order_data":{"source_id":"wee","amount":9223372036854775800}}]$$)),
	'success, failure invalid_amount, failure invalid_amount', 'nor does one on top of them');
SELECT is((SELECT count(*) FROM ordertrack.redemptions), :records::bigint + 1000 + 5 + 5 + 3
	+ (SELECT count(DISTINCT redemption_id) FROM told), 'no row is lost and none is there twice');
SELECT count(*) AS records FROM ordertrack.redemptions
\gset
-- Somebody's trigger calls a batch inside a batch, and cancels what is waiting for
-- its sum: nothing of the outer one is lost.
CREATE FUNCTION public.call_again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.channel = 'outer' THEN
		PERFORM ordertrack.redeem_batch('[{"code":"OFF","customer":"nest-0","order_data":{"amount":10}},
			{"code":"OFF","channel":"inner","order_data":{"amount":10}}]');
		IF TG_TABLE_NAME = 'orders' AND NEW.order_id % 2 = 0 THEN
			PERFORM ordertrack.set_order_status(NEW.order_id, 'canceled');
		END IF;
	END IF;
	RETURN NULL;
END
$$;
SELECT max(redemption_id) AS last FROM ordertrack.redemptions
\gset
CREATE TRIGGER zz_again AFTER INSERT ON ordertrack.orders FOR EACH ROW EXECUTE FUNCTION public.call_again();
CREATE TRIGGER zz_again AFTER INSERT ON ordertrack.redemptions FOR EACH ROW EXECUTE FUNCTION public.call_again();
SELECT is((SELECT count(*) FROM ordertrack.redeem_batch((SELECT jsonb_agg(jsonb_build_object('code', 'OFF',
	'channel', 'outer', 'customer', 'nest-' || n % 7, 'order_data', '{"amount":100}'::jsonb))
	FROM generate_series(1, 60) AS n)) WHERE result = 'success'), 60::bigint, 'a batch whose rows call batches');
DROP TRIGGER zz_again ON ordertrack.orders;
DROP TRIGGER zz_again ON ordertrack.redemptions;
SELECT is((SELECT count(*) FILTER (WHERE channel = 'outer') || ' ' || count(*) FILTER (WHERE channel = 'inner')
	|| ' ' || count(*) || ' ' || count(DISTINCT order_id) FROM ordertrack.redemptions WHERE redemption_id > :last),
	'60 120 300 300', 'all of them are recorded');
SELECT is_empty(format($$SELECT v.* FROM ordertrack.redemptions AS r CROSS JOIN ordertrack.verify_order(r.order_id) AS v
	WHERE r.redemption_id > %s$$, :last), 'with their orders'' history');
SELECT is_empty($$SELECT c.source_id FROM ordertrack.customers AS c
	CROSS JOIN LATERAL (SELECT count(*) AS n, coalesce(sum(o.total_amount), 0) AS total FROM ordertrack.orders AS o
		WHERE o.customer_id = c.customer_id AND o.status <> 'canceled') AS o
	WHERE c.source_id LIKE 'nest-%' AND (c.order_count, c.order_total) IS DISTINCT FROM (o.n, o.total)$$,
	'and customers'' sums');
SELECT count(*) AS records FROM ordertrack.redemptions
\gset
-- A failed statement takes its batch with it.
SELECT throws_ok($$SELECT 1 / (count(*) - 1) FROM ordertrack.redeem_batch('[{"code":"OFF"}]')$$, '22012', NULL,
	'an error of the statement');
SELECT is((SELECT count(*) FROM ordertrack.redemptions), :records::bigint, 'takes the batch with it');

SELECT * FROM finish();
ROLLBACK;

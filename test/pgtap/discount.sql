-- Discounts on lines: what each effect gives on each line, on new and stored
-- orders, one after the other, and exactly back again.
BEGIN;
SELECT * FROM no_plan();

-- A line as line_no:quantity/amount/discount_amount.
CREATE FUNCTION pg_temp.lines(wanted bigint) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(format('%s:%s/%s/%s', line_no, quantity, coalesce(amount::text, '-'), discount_amount),
		' ' ORDER BY line_no) FROM ordertrack.order_items WHERE workspace_id = 1 AND order_id = wanted
$$;
CREATE FUNCTION pg_temp.sums(wanted bigint) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', amount, initial_amount, discount_amount, total_amount)
	  FROM ordertrack.orders WHERE workspace_id = 1 AND order_id = wanted
$$;

-- Carts of the cases: ab is 3 x 1100 and 1 x 3400.
CREATE TEMP TABLE carts (name text, order_data jsonb);
INSERT INTO carts VALUES
	('ab', '{"items":[{"product_id":"a","sku":"s1","quantity":3,"price":1100},
		{"product_id":"b","sku":"s2","quantity":1,"price":3400}]}'),
	('100', '{"items":[{"quantity":1,"price":100},{"quantity":1,"price":100},{"quantity":1,"price":100}]}'),
	('small first', '{"items":[{"quantity":1,"price":10},{"quantity":1,"price":1000},{"quantity":1,"price":1000}]}'),
	('small last', '{"items":[{"quantity":1,"price":1000},{"quantity":1,"price":1000},{"quantity":1,"price":10}]}'),
	('cents', '{"items":[{"quantity":1,"price":1},{"quantity":1,"price":1},{"quantity":1,"price":1}]}'),
	('reference', '{"items":[{"quantity":1,"price":10099},{"quantity":1,"price":50350}]}'),
	('free', '{"items":[{"product_id":"a","quantity":2,"price":0},{"product_id":"b","quantity":2,"price":0}]}'),
	('cheap order', '{"amount":100,"items":[{"product_id":"a","quantity":3,"price":1100},{"product_id":"b","quantity":1,"price":3400}]}'),
	('dear order', '{"amount":9000,"items":[{"product_id":"a","quantity":3,"price":1100}]}'),
	('half priced', '{"amount":500,"items":[{"product_id":"a","quantity":3,"price":100},{"product_id":"b","quantity":1}]}'),
	('unpriced', '{"items":[{"product_id":"a","quantity":3,"price":100},{"product_id":"b","quantity":1}]}'),
	('mug', '{"items":[{"product_id":"pot","quantity":1,"price":5000},{"product_id":"mug","sku":"mug-red","quantity":1,"price":700}]}'),
	('mugs', '{"items":[{"product_id":"mug","quantity":3,"price":700}]}'),
	('two mugs', '{"items":[{"product_id":"mug","quantity":1,"price":700},{"product_id":"mug","quantity":1,"price":800}]}'),
	('mugs by amount', '{"items":[{"product_id":"mug","quantity":3,"amount":1000}]}'),
	('mugs of no price', '{"amount":5,"items":[{"product_id":"mug","quantity":3}]}'),
	('huge', '{"items":[{"product_id":"mug","quantity":1,"price":9223372036854775807}]}'),
	('huge number', '{"items":[{"product_id":"mug","quantity":9223372036854775807,"price":1}]}'),
	('two huge', '{"items":[{"quantity":1,"price":4611686018427387903},{"quantity":1,"price":4611686018427387904}]}'),
	('no lines', '{"amount":700}'),
	('empty lines', '{"amount":700,"items":[]}'),
	('no amount', '{}');

CREATE TEMP TABLE cases AS
SELECT c.*, format('%s: %s', c.cart, c.discount) AS label, 'LINES-' || n AS code, t.order_data
  FROM (SELECT row_number() OVER () AS n, v.* FROM (VALUES
	-- cart, discount, failure_code, value given, total_amount, lines
	('ab', '{"type":"amount","amount_off":300,"effect":"apply_to_items_proportionally"}', NULL, 300::bigint, 6400::bigint,
		'1:3/3300/148 2:1/3400/152'),
	('ab', '{"type":"amount","amount_off":300,"effect":"apply_to_items"}', NULL, 600, 6100, '1:3/3300/300 2:1/3400/300'),
	('ab', '{"type":"amount","amount_off":300,"effect":"apply_to_items_by_quantity"}', NULL, 1200, 5500,
		'1:3/3300/900 2:1/3400/300'),
	('ab', '{"type":"amount","amount_off":300,"effect":"apply_to_items_proportionally_by_quantity"}', NULL, 300, 6400,
		'1:3/3300/225 2:1/3400/75'),
	('ab', '{"type":"amount","amount_off":300}', NULL, 300, 6400, '1:3/3300/0 2:1/3400/0'),
	('ab', '{"type":"amount","amount_off":5000,"effect":"apply_to_items"}', NULL, 6700, 0, '1:3/3300/3300 2:1/3400/3400'),
	('ab', '{"type":"amount","amount_off":2000,"effect":"apply_to_items_by_quantity"}', NULL, 5300, 1400,
		'1:3/3300/3300 2:1/3400/2000'),
	('ab', '{"type":"amount","amount_off":99999,"effect":"apply_to_items_proportionally"}', NULL, 6700, 0,
		'1:3/3300/3300 2:1/3400/3400'),
	('ab', '{"type":"amount","amount_off":99999,"effect":"apply_to_items_proportionally_by_quantity"}', NULL, 6700, 0,
		'1:3/3300/3300 2:1/3400/3400'),
	('ab', '{"type":"amount","amount_off":1,"effect":"apply_to_items_proportionally"}', NULL, 1, 6699,
		'1:3/3300/0 2:1/3400/1'),
	('100', '{"type":"amount","amount_off":100,"effect":"apply_to_items_proportionally"}', NULL, 100, 200,
		'1:1/100/33 2:1/100/33 3:1/100/34'),
	('100', '{"type":"amount","amount_off":200,"effect":"apply_to_items_proportionally"}', NULL, 200, 100,
		'1:1/100/67 2:1/100/67 3:1/100/66'),
	('100', '{"type":"amount","amount_off":2,"effect":"apply_to_items_proportionally_by_quantity"}', NULL, 2, 298,
		'1:1/100/1 2:1/100/1 3:1/100/0'),
	('small first', '{"type":"amount","amount_off":100,"effect":"apply_to_items_proportionally_by_quantity"}', NULL, 100, 1910,
		'1:1/10/10 2:1/1000/33 3:1/1000/57'),
	('small last', '{"type":"amount","amount_off":100,"effect":"apply_to_items_proportionally_by_quantity"}', NULL, 100, 1910,
		'1:1/1000/33 2:1/1000/57 3:1/10/10'),

	('ab', '{"type":"percent","percent_off":10,"effect":"apply_to_items"}', NULL, 670, 6030, '1:3/3300/330 2:1/3400/340'),
	('reference', '{"type":"percent","percent_off":25.98,"effect":"apply_to_items"}', NULL, 15705, 44744,
		'1:1/10099/2624 2:1/50350/13081'),
	('reference', '{"type":"percent","percent_off":3,"effect":"apply_to_items"}', NULL, 1814, 58635,
		'1:1/10099/303 2:1/50350/1511'),
	('cents', '{"type":"percent","percent_off":50,"effect":"apply_to_items"}', NULL, 3, 0, '1:1/1/1 2:1/1/1 3:1/1/1'),
	('ab', '{"type":"percent","percent_off":50,"effect":"apply_to_items","amount_limit":1000}', NULL, 2000, 4700,
		'1:3/3300/1000 2:1/3400/1000'),
	('ab', '{"type":"percent","percent_off":50,"effect":"apply_to_items","aggregated_amount_limit":1700}', NULL, 1700, 5000,
		'1:3/3300/1650 2:1/3400/50'),
	('ab', '{"type":"percent","percent_off":50,"effect":"apply_to_items","amount_limit":1000,"aggregated_amount_limit":1500}',
		NULL, 1500, 5200, '1:3/3300/1000 2:1/3400/500'),
	('ab', '{"type":"percent","percent_off":100,"effect":"apply_to_items"}', NULL, 6700, 0, '1:3/3300/3300 2:1/3400/3400'),
	('ab', '{"type":"amount","amount_off":300,"effect":"apply_to_items","aggregated_amount_limit":400}', NULL, 400, 6300,
		'1:3/3300/300 2:1/3400/100'),
	('ab', '{"type":"amount","amount_off":300,"effect":"apply_to_items_by_quantity","aggregated_amount_limit":800}', NULL, 800,
		5900, '1:3/3300/800 2:1/3400/0'),
	('ab', '{"type":"amount","amount_off":300,"effect":"apply_to_items_proportionally","aggregated_amount_limit":100}', NULL,
		100, 6600, '1:3/3300/49 2:1/3400/51'),

	('ab', '{"type":"fixed","fixed_amount":1000,"effect":"apply_to_items"}', NULL, 2700, 4000, '1:3/3300/300 2:1/3400/2400'),
	('ab', '{"type":"fixed","fixed_amount":2000,"effect":"apply_to_items"}', NULL, 1400, 5300, '1:3/3300/0 2:1/3400/1400'),
	('ab', '{"type":"fixed","fixed_amount":0,"effect":"apply_to_items"}', NULL, 6700, 0, '1:3/3300/3300 2:1/3400/3400'),
	('ab', '{"type":"fixed","fixed_amount":9223372036854775807,"effect":"apply_to_items"}', NULL, 0, 6700,
		'1:3/3300/0 2:1/3400/0'),

	('ab', '{"type":"percent","percent_off":10,"applies_to":{"included":["a"]}}', NULL, 330, 6370, '1:3/3300/330 2:1/3400/0'),
	('ab', '{"type":"percent","percent_off":10,"applies_to":{"included":["s2"]}}', NULL, 340, 6360, '1:3/3300/0 2:1/3400/340'),
	('ab', '{"type":"percent","percent_off":10,"applies_to":{"excluded":["a"]}}', NULL, 340, 6360, '1:3/3300/0 2:1/3400/340'),
	('ab', '{"type":"percent","percent_off":10,"applies_to":{"included":["a","b"],"excluded":[{"product_id":"b"}]}}', NULL, 330,
		6370, '1:3/3300/330 2:1/3400/0'),
	('ab', '{"type":"percent","percent_off":10,"applies_to":{"included":[{"sku":"s1"},{"product_id":"none"}]}}', NULL, 330, 6370,
		'1:3/3300/330 2:1/3400/0'),
	('ab', '{"type":"fixed","fixed_amount":1000,"applies_to":{"included":["b"]}}', NULL, 2400, 4300, '1:3/3300/0 2:1/3400/2400'),
	('ab', '{"type":"amount","amount_off":300,"applies_to":{"included":["b"]},"effect":"apply_to_items_proportionally"}', NULL,
		300, 6400, '1:3/3300/0 2:1/3400/300'),
	('ab', '{"type":"amount","amount_off":5,"applies_to":{"included":["A"]}}', 'order_rules_violated', NULL, NULL, NULL),
	('ab', '{"type":"amount","amount_off":5,"applies_to":{"included":[{"sku":"a"},{"product_id":"s2"}]}}',
		'order_rules_violated', NULL, NULL, NULL),
	('ab', '{"type":"amount","amount_off":5,"applies_to":{"excluded":["s1","b"]}}', 'order_rules_violated', NULL, NULL, NULL),
	('100', '{"type":"amount","amount_off":5,"applies_to":{"included":["a"]}}', 'order_rules_violated', NULL, NULL, NULL),
	('100', '{"type":"amount","amount_off":5,"applies_to":{"excluded":["a"]}}', NULL, 15, 285, '1:1/100/5 2:1/100/5 3:1/100/5'),

	('free', '{"type":"amount","amount_off":5,"effect":"apply_to_items_proportionally"}', NULL, 0, 0, '1:2/0/0 2:2/0/0'),
	('free', '{"type":"amount","amount_off":5,"effect":"apply_to_items_proportionally_by_quantity"}', NULL, 0, 0,
		'1:2/0/0 2:2/0/0'),
	('cheap order', '{"type":"amount","amount_off":60,"effect":"apply_to_items"}', NULL, 100, 0, '1:3/3300/60 2:1/3400/40'),
	('cheap order', '{"type":"amount","amount_off":300,"effect":"apply_to_items_proportionally"}', NULL, 100, 0,
		'1:3/3300/49 2:1/3400/51'),
	('dear order', '{"type":"percent","percent_off":100,"effect":"apply_to_items"}', NULL, 3300, 5700, '1:3/3300/3300'),
	('half priced', '{"type":"percent","percent_off":10,"applies_to":{"included":["a"]}}', NULL, 30, 470, '1:3/300/30 2:1/-/0'),
	('half priced', '{"type":"percent","percent_off":10,"applies_to":{"included":["b"]}}', 'missing_amount', NULL, NULL, NULL),
	('half priced', '{"type":"percent","percent_off":10,"effect":"apply_to_items"}', 'missing_amount', NULL, NULL, NULL),

	('mug', '{"type":"unit","unit_off":1,"product_id":"mug"}', NULL, 700, 5000, '1:1/5000/0 2:1/700/700'),
	('mug', '{"type":"unit","unit_off":3,"product_id":"mug"}', NULL, 2100, 5000, '1:1/5000/0 2:3/2100/2100'),
	('mug', '{"type":"unit","unit_off":2,"product_id":"mug","effect":"add_new_items"}', NULL, 1400, 5700,
		'1:1/5000/0 2:3/2100/1400'),
	('mug', '{"type":"unit","unit_off":2,"sku":"mug-red","effect":"add_missing_items"}', NULL, 1400, 5000,
		'1:1/5000/0 2:2/1400/1400'),
	('mug', '{"type":"unit","unit_off":2,"sku":"mug","price":10}', NULL, 20, 5700, '1:1/5000/0 2:1/700/0 3:2/20/20'),
	('mug', '{"type":"unit","unit_off":1,"product_id":"delivery","price":499}', NULL, 499, 5700,
		'1:1/5000/0 2:1/700/0 3:1/499/499'),
	('mug', '{"type":"unit","unit_off":1,"product_id":"delivery"}', NULL, 0, 5700, '1:1/5000/0 2:1/700/0 3:1/0/0'),
	('mug', '{"type":"unit","unit_off":1,"product_id":"mug","price":1}', NULL, 700, 5000, '1:1/5000/0 2:1/700/700'),
	('mugs', '{"type":"unit","unit_off":2,"product_id":"mug"}', NULL, 1400, 700, '1:3/2100/1400'),
	('mugs', '{"type":"unit","unit_off":5,"product_id":"mug"}', NULL, 3500, 0, '1:5/3500/3500'),
	('two mugs', '{"type":"unit","unit_off":2,"product_id":"mug"}', NULL, 1500, 0, '1:1/700/700 2:1/800/800'),
	('two mugs', '{"type":"unit","unit_off":3,"product_id":"mug"}', NULL, 2200, 0, '1:2/1400/1400 2:1/800/800'),
	('two mugs', '{"type":"unit","unit_off":1,"product_id":"mug"}', NULL, 700, 800, '1:1/700/700 2:1/800/0'),
	('mugs by amount', '{"type":"unit","unit_off":1,"product_id":"mug","effect":"add_new_items"}', NULL, 333, 1000,
		'1:4/1333/333'),
	('mugs by amount', '{"type":"unit","unit_off":3,"product_id":"mug"}', NULL, 999, 1, '1:3/1000/999'),
	('mugs of no price', '{"type":"unit","unit_off":1,"product_id":"mug"}', 'missing_amount', NULL, NULL, NULL),
	('mugs of no price', '{"type":"unit","unit_off":1,"product_id":"pot","price":3}', NULL, 3, 5, '1:3/-/0 2:1/3/3'),

	('huge', '{"type":"percent","percent_off":100,"effect":"apply_to_items"}', NULL, 9223372036854775807, 0,
		'1:1/9223372036854775807/9223372036854775807'),
	('huge', '{"type":"unit","unit_off":1,"product_id":"mug"}', NULL, 9223372036854775807, 0,
		'1:1/9223372036854775807/9223372036854775807'),
	('huge', '{"type":"unit","unit_off":2,"product_id":"mug"}', 'invalid_amount', NULL, NULL, NULL),
	('huge', '{"type":"unit","unit_off":1,"product_id":"pot","price":1}', 'invalid_amount', NULL, NULL, NULL),
	('huge', '{"type":"unit","unit_off":1,"product_id":"pot"}', NULL, 0, 9223372036854775807,
		'1:1/9223372036854775807/0 2:1/0/0'),
	('huge number', '{"type":"unit","unit_off":1,"product_id":"mug","effect":"add_new_items"}', 'invalid_amount', NULL, NULL,
		NULL),
	('huge number', '{"type":"amount","amount_off":9223372036854775807,"effect":"apply_to_items_by_quantity"}', NULL,
		9223372036854775807, 0, '1:9223372036854775807/9223372036854775807/9223372036854775807'),
	('mug', '{"type":"unit","unit_off":9223372036854775807,"product_id":"mug"}', 'invalid_amount', NULL, NULL, NULL),
	('two huge', '{"type":"amount","amount_off":9223372036854775807,"effect":"apply_to_items_proportionally"}', NULL,
		9223372036854775807, 0,
		'1:1/4611686018427387903/4611686018427387903 2:1/4611686018427387904/4611686018427387904'),
	('two huge', '{"type":"amount","amount_off":9223372036854775806,"effect":"apply_to_items_proportionally_by_quantity"}', NULL,
		9223372036854775806, 1,
		'1:1/4611686018427387903/4611686018427387903 2:1/4611686018427387904/4611686018427387903'),

	('no lines', '{"type":"amount","amount_off":5,"effect":"apply_to_items"}', 'missing_order_items', NULL, NULL, NULL),
	('empty lines', '{"type":"amount","amount_off":5,"effect":"apply_to_items"}', 'missing_order_items', NULL, NULL, NULL),
	('no amount', '{"type":"amount","amount_off":5,"effect":"apply_to_items"}', 'missing_order_items', NULL, NULL, NULL),
	('no lines', '{"type":"unit","unit_off":1,"product_id":"mug"}', 'missing_order_items', NULL, NULL, NULL),
	(NULL, '{"type":"percent","percent_off":5,"effect":"apply_to_items"}', 'missing_order_items', NULL, NULL, NULL),
	('unpriced', '{"type":"percent","percent_off":5,"applies_to":{"included":["a"]}}', 'missing_amount', NULL, NULL, NULL)
  ) AS v (cart, discount, failure, given, total, lines)) AS c LEFT JOIN carts AS t ON t.name = c.cart;

SELECT ordertrack.create_voucher(code, discount::jsonb, redemption_limit => 9) FROM cases
\g /dev/null
CREATE TEMP TABLE dry AS
SELECT c.n, r.* FROM cases AS c CROSS JOIN LATERAL ordertrack.validate(c.code, NULL, c.order_data) AS r;
CREATE TEMP TABLE real AS
SELECT c.n, r.* FROM cases AS c
 CROSS JOIN LATERAL ordertrack.redeem(c.code, NULL, c.order_data, idempotency_key => c.code) AS r;
SELECT is(concat_ws(' ', coalesce(a.failure_code, 'ok'), r.amount, a.total_amount),
		concat_ws(' ', coalesce(c.failure, 'ok'), c.given, c.total), c.label)
  FROM cases AS c JOIN real AS a USING (n)
  JOIN ordertrack.redemptions AS r ON r.workspace_id = 1 AND r.redemption_id = a.redemption_id ORDER BY n;
SELECT is(pg_temp.lines(a.order_id), c.lines, 'lines of ' || c.label) FROM cases AS c JOIN real AS a USING (n) ORDER BY n;
SELECT is(to_jsonb(d) - '{redemption_id,order_id}'::text[], to_jsonb(a) - '{redemption_id,order_id}'::text[],
	'validate says the same: ' || c.label) FROM cases AS c JOIN real AS a USING (n) JOIN dry AS d USING (n) ORDER BY n;
SELECT is(to_jsonb(again), to_jsonb(a) - 'n' || '{"replayed":true}', 'the same key, the same answer: ' || c.label)
  FROM cases AS c JOIN real AS a USING (n)
 CROSS JOIN LATERAL ordertrack.redeem(c.code, NULL, c.order_data, idempotency_key => c.code) AS again ORDER BY n;
SELECT is_empty($$SELECT o.order_id FROM ordertrack.order_list AS o
	WHERE o.amount <> o.discount_amount + o.total_amount OR o.items_discount_amount > o.discount_amount
		OR o.amount - o.initial_amount <> (SELECT coalesce(sum(i.amount), 0) FROM ordertrack.redemption_items AS i
			WHERE i.workspace_id = o.workspace_id AND i.order_id = o.order_id)$$, 'sums of orders');
SELECT is_empty('SELECT i.order_id, i.line_no FROM ordertrack.order_items AS i WHERE i.discount_amount > i.amount',
	'no line below 0');
SELECT is_empty('SELECT v.* FROM ordertrack.orders AS o, ordertrack.verify_order(o.order_id) AS v', 'all verify');

-- The same on stored orders, and exactly back.
CREATE TEMP TABLE stored AS
SELECT c.n, ordertrack.create_order(c.order_data) AS order_id FROM cases AS c
 WHERE c.order_data IS NOT NULL AND c.cart <> 'no amount' AND c.cart <> 'unpriced';
CREATE TEMP TABLE before AS
SELECT n, order_id, pg_temp.lines(order_id) AS lines, pg_temp.sums(order_id) AS sums FROM stored;
CREATE TEMP TABLE used AS
SELECT s.n, r.* FROM stored AS s JOIN cases AS c USING (n)
 CROSS JOIN LATERAL ordertrack.redeem(c.code, NULL, jsonb_build_object('id', s.order_id)) AS r;
SELECT is(concat_ws(' ', coalesce(a.failure_code, 'ok'), a.total_amount), concat_ws(' ', coalesce(c.failure, 'ok'), c.total),
	'stored, ' || c.label) FROM cases AS c JOIN used AS a USING (n) ORDER BY n;
SELECT is(pg_temp.lines(a.order_id), coalesce(c.lines, b.lines), 'stored, lines of ' || c.label)
  FROM cases AS c JOIN used AS a USING (n) JOIN before AS b USING (n) ORDER BY n;
SELECT is(r.result || ' ' || r.discount_amount, 'success 0', 'rolled back: ' || c.label)
  FROM cases AS c JOIN used AS u USING (n) CROSS JOIN LATERAL ordertrack.rollback_redemption(u.redemption_id) AS r
 WHERE u.result = 'success' ORDER BY n;
SELECT is(pg_temp.lines(b.order_id) || ' ' || pg_temp.sums(b.order_id), b.lines || ' ' || b.sums, 'as it was: ' || c.label)
  FROM cases AS c JOIN before AS b USING (n) WHERE b.lines IS NOT NULL ORDER BY n;
SELECT is_empty('SELECT v.* FROM ordertrack.orders AS o, ordertrack.verify_order(o.order_id) AS v', 'all verify');

-- One code after the other, each on what is left, and back in every order.
CREATE TEMP TABLE steps (n integer, label text, discount jsonb, gift_amount bigint, lines text, sums text);
INSERT INTO steps VALUES
	(1, '300 over both', '{"type":"amount","amount_off":300,"effect":"apply_to_items_proportionally"}', NULL,
		'1:3/3300/148 2:1/3400/152', '6700 6700 300 6400'),
	(2, '10 % of what is left of each', '{"type":"percent","percent_off":10,"effect":"apply_to_items"}', NULL,
		'1:3/3300/463 2:1/3400/477', '6700 6700 940 5760'),
	(3, 'two mugs', '{"type":"unit","unit_off":2,"product_id":"mug","price":500}', NULL,
		'1:3/3300/463 2:1/3400/477 3:2/1000/1000', '7700 6700 1940 5760'),
	(4, 'three mugs, of which two are there', '{"type":"unit","unit_off":3,"product_id":"mug","price":1}', NULL,
		'1:3/3300/463 2:1/3400/477 3:3/1500/1500', '8200 6700 2440 5760'),
	(5, '760 off the order', '{"type":"amount","amount_off":760}', NULL,
		'1:3/3300/463 2:1/3400/477 3:3/1500/1500', '8200 6700 3200 5000'),
	(6, '900 a unit for the first', '{"type":"fixed","fixed_amount":900,"applies_to":{"included":["a"]}}', NULL,
		'1:3/3300/600 2:1/3400/477 3:3/1500/1500', '8200 6700 3337 4863'),
	(7, '4000 of a gift card', NULL, 90000, '1:3/3300/600 2:1/3400/477 3:3/1500/1500', '8200 6700 7337 863'),
	(8, 'all that is left, at most what is to pay', '{"type":"percent","percent_off":100,"effect":"apply_to_items"}', NULL,
		'1:3/3300/1463 2:1/3400/477 3:3/1500/1500', '8200 6700 8200 0');
SELECT ordertrack.create_voucher('STEP-' || n, discount, gift_amount) FROM steps
\g /dev/null
CREATE FUNCTION pg_temp.climb(source text) RETURNS TABLE (n integer, redemption_id bigint, order_id bigint, lines text, sums text)
LANGUAGE plpgsql AS $$
DECLARE
	step record;
BEGIN
	FOR step IN SELECT * FROM steps AS s ORDER BY s.n LOOP
		SELECT step.n, r.redemption_id, r.order_id INTO n, redemption_id, order_id
		  FROM ordertrack.redeem('STEP-' || step.n, 'ann', (CASE step.n WHEN 1
			THEN (SELECT c.order_data FROM carts AS c WHERE c.name = 'ab') ELSE '{}' END)
			|| jsonb_build_object('source_id', source), amount => 4000) AS r;
		lines := pg_temp.lines(order_id);
		sums := pg_temp.sums(order_id);
		RETURN NEXT;
	END LOOP;
END
$$;
CREATE TEMP TABLE climbed AS SELECT * FROM pg_temp.climb('steps');
SELECT is(c.lines, s.lines, s.label) FROM steps AS s JOIN climbed AS c USING (n) ORDER BY n;
SELECT is(c.sums, s.sums, 'sums: ' || s.label) FROM steps AS s JOIN climbed AS c USING (n) ORDER BY n;
CREATE FUNCTION pg_temp.descend() RETURNS TABLE (n integer, lines text, sums text) LANGUAGE plpgsql AS $$
DECLARE
	step record;
BEGIN
	FOR step IN SELECT * FROM climbed AS c ORDER BY c.n DESC LOOP
		n := step.n;
		lines := pg_temp.lines(step.order_id);
		sums := pg_temp.sums(step.order_id);
		RETURN NEXT;
		PERFORM ordertrack.rollback_redemption(step.redemption_id);
	END LOOP;
END
$$;
SELECT is(d.lines || ' ' || d.sums, s.lines || ' ' || s.sums, 'on the way back: ' || s.label)
  FROM pg_temp.descend() AS d JOIN steps AS s USING (n);
SELECT is(pg_temp.lines(order_id) || ' ' || pg_temp.sums(order_id), '1:3/3300/0 2:1/3400/0 6700 6700 0 6700', 'all back')
  FROM climbed WHERE n = 1;

-- In the order in which they came, and in others: always the sums of what is live.
CREATE FUNCTION pg_temp.fall(source text, numbers integer[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	step integer;
	wrong text := '';
	id bigint;
BEGIN
	CREATE TEMP TABLE fallen AS SELECT * FROM pg_temp.climb(source);
	FOREACH step IN ARRAY numbers LOOP
		PERFORM ordertrack.rollback_redemption(f.redemption_id) FROM fallen AS f WHERE f.n = step;
		SELECT f.order_id INTO id FROM fallen AS f LIMIT 1;
		SELECT wrong || coalesce(string_agg(v.problem, ' '), '') INTO wrong FROM ordertrack.verify_order(id) AS v;
		IF EXISTS (SELECT FROM ordertrack.order_list AS o WHERE o.order_id = id
			AND (o.items_discount_amount > o.discount_amount OR o.amount - o.initial_amount <>
				(SELECT sum(i.amount) - 6700 FROM ordertrack.order_items AS i WHERE i.order_id = id)))
			OR EXISTS (SELECT FROM ordertrack.order_items AS i WHERE i.order_id = id AND i.discount_amount > i.amount)
		THEN
			wrong := wrong || ' sums after ' || step;
		END IF;
	END LOOP;
	DROP TABLE fallen;
	RETURN wrong || pg_temp.lines(id) || ' ' || pg_temp.sums(id);
END
$$;
SELECT is(pg_temp.fall('fall-' || array_to_string(numbers, ''), numbers), '1:3/3300/0 2:1/3400/0 6700 6700 0 6700',
	'back as ' || numbers::text)
  FROM (VALUES ('{1,2,3,4,5,6,7,8}'::integer[]), ('{3,1,8,4,2,7,5,6}'), ('{4,3,2,1,8,7,6,5}'), ('{6,8,3,5,1,7,4,2}')) AS f (numbers);

-- The rows tell what was given, and are history.
SELECT is(r.items, '[{"line_no": 1, "quantity": 0, "amount": 0, "discount_amount": 148},
	{"line_no": 2, "quantity": 0, "amount": 0, "discount_amount": 152}]'::jsonb, 'items of a redemption')
  FROM ordertrack.redemption_list AS r JOIN climbed USING (redemption_id) WHERE n = 1;
SELECT is(r.items, '[{"line_no": 3, "quantity": -1, "amount": -500, "discount_amount": -500}]'::jsonb, 'items of a rollback')
  FROM ordertrack.redemption_list AS r JOIN climbed AS c ON r.rollback_of = c.redemption_id WHERE n = 4;
SELECT is(r.items_discount_amount || ' ' || coalesce(r.items::text, 'none'), '0 none', 'a discount on the order has none')
  FROM ordertrack.redemption_list AS r JOIN climbed USING (redemption_id) WHERE n = 5;
SELECT is(h.data - '{redemption_id,voucher_id}'::text[], '{"amount":500,"discount_amount":{"old":1940,"new":2440},
	"total_amount":5760,"order_amount":{"old":7700,"new":8200},
	"items":[{"line_no":3,"product_id":"mug","quantity":1,"price":500,"amount":500,"discount_amount":500}]}'::jsonb, 'the note of free units')
  FROM climbed AS c, ordertrack.order_history(c.order_id) AS h
 WHERE c.n = 4 AND h.event_type = 'promotion_add_coupon' AND h.data -> 'redemption_id' = to_jsonb(c.redemption_id);
SELECT throws_ok(command, 'OT020', NULL, command) FROM unnest(ARRAY['DELETE FROM ordertrack.redemption_items',
	'UPDATE ordertrack.redemption_items SET discount_amount = 0', 'TRUNCATE ordertrack.redemption_items']) AS command;

-- A line's discount that nobody gave shows.
SELECT a.order_id AS o FROM real AS a WHERE n = 1
\gset
UPDATE ordertrack.order_items SET discount_amount = 149 WHERE workspace_id = 1 AND order_id = :o AND line_no = 1;
SELECT is(array_agg(v.problem || ' ' || v.detail), ARRAY['line_mismatch The discount of line 1 is 149, its live redemptions gave 148.',
	'state_mismatch Line 1 is not what the history says.'], 'a raw change shows') FROM ordertrack.verify_order(:o) AS v;
DELETE FROM ordertrack.order_items WHERE workspace_id = 1 AND order_id = :o AND line_no = 2;
SELECT is(string_agg(v.problem, ' '), 'line_mismatch line_mismatch state_mismatch state_mismatch', 'a line that is gone shows') FROM ordertrack.verify_order(:o) AS v;
SELECT is(r.result, 'success', 'and does not keep a redemption from being rolled back')
  FROM ordertrack.rollback_redemption((SELECT redemption_id FROM real WHERE n = 1)) AS r;
SELECT is(pg_temp.lines(:o), '1:3/3300/0', 'which puts the discount right');

-- Lines that have a discount stay: moves back to created are an operator's.
INSERT INTO ordertrack.status_transitions (workspace_id, entity, from_status, to_status) VALUES (1, 'order', 'paid', 'created');
SELECT a.order_id AS o, a.redemption_id AS r FROM real AS a WHERE n = 2
\gset
SELECT ordertrack.set_order_status(:o, 'created')
\g /dev/null
SELECT throws_ok(format('SELECT ordertrack.update_order(%s, %L)', :o, d), 'OT005',
	'amount and items cannot be changed while lines have a discount', d)
  FROM unnest(ARRAY['{"amount":7000}', '{"items":[{"quantity":1,"price":9000}]}']) AS d;
SELECT lives_ok(format('SELECT ordertrack.update_order(%s, %L)', :o, '{"metadata":{"a":1}}'), 'other fields may change');
DELETE FROM ordertrack.status_transitions WHERE from_status = 'created' AND to_status = 'canceled';
SELECT ordertrack.rollback_redemption(:r)
\g /dev/null
SELECT lives_ok(format('SELECT ordertrack.update_order(%s, %L)', :o, '{"items":[{"quantity":1,"price":9}]}'),
	'once it is rolled back, they may');
SELECT is(pg_temp.lines(:o) || ' ' || pg_temp.sums(:o), '1:1/9/0 9 9 0 9', 'and initial_amount follows');

-- 500 lines at once, and a batch.
SELECT ordertrack.create_voucher('MANY', '{"type":"amount","amount_off":49999,"effect":"apply_to_items_proportionally"}')
\g /dev/null
SELECT r.order_id AS o, r.redemption_id AS r FROM ordertrack.redeem('MANY', NULL, jsonb_build_object('items',
	(SELECT jsonb_agg(jsonb_build_object('quantity', n, 'price', 100 + n)) FROM generate_series(1, 500) AS n))) AS r
\gset
SELECT is(concat_ws(' ', count(*), sum(i.discount_amount), sum(i.amount)), '500 49999 54316750', '500 lines')
  FROM ordertrack.order_items AS i WHERE i.order_id = :o;
SELECT ordertrack.rollback_redemption(:r)
\g /dev/null
SELECT is(concat_ws(' ', count(*), sum(i.discount_amount)), '500 0', 'and back')
  FROM ordertrack.order_items AS i WHERE i.order_id = :o;
SELECT is((SELECT array_agg(r.total_amount) FROM ordertrack.redeem_batch(jsonb_build_array(
	jsonb_build_object('code', 'STEP-1', 'order_data', c.order_data || '{"source_id":"batch"}'),
	'{"code":"STEP-2","order_data":{"source_id":"batch"}}'::jsonb, '{"code":"STEP-3","order_data":{"source_id":"batch"}}'::jsonb))
	AS r),
	'{6400,5760,5760}', 'in a batch') FROM carts AS c WHERE c.name = 'ab';

-- Objects that are right.
SELECT lives_ok(format('SELECT ordertrack.create_voucher(%L, %L)', 'D-' || md5(d), d), left(d, 100)) FROM unnest(ARRAY[
	'{"type":"amount","amount_off":1,"effect":null,"applies_to":null,"aggregated_amount_limit":null}',
	'{"type":"amount","amount_off":1,"applies_to":{"included":null,"excluded":["x"]}}',
	'{"type":"amount","amount_off":1,"effect":"apply_to_items","aggregated_amount_limit":1}',
	'{"type":"unit","unit_off":1,"sku":"x","product_id":null,"price":0}',
	jsonb_build_object('type', 'fixed', 'fixed_amount', 0, 'applies_to', jsonb_build_object('included',
		(SELECT jsonb_agg('p' || n) FROM generate_series(1, 500) AS n)))::text,
	jsonb_build_object('type', 'unit', 'unit_off', 1, 'sku', repeat('x', 1000))::text]) AS d;

-- And what is refused, in which words.
SELECT throws_ok(format('SELECT ordertrack.create_voucher(''N'', %L)', d), 'OT005', 'invalid discount: ' || message, left(d, 100))
  FROM (VALUES
	('{"type":"percent","percent_off":5,"effect":"apply_to_items_by_quantity"}',
		'"effect" of type "percent" must be "apply_to_order" or "apply_to_items"'),
	('{"type":"fixed","fixed_amount":5,"effect":"add_new_items"}',
		'"effect" of type "fixed" must be "apply_to_order" or "apply_to_items"'),
	('{"type":"unit","unit_off":1,"product_id":"p","effect":"apply_to_order"}',
		'"effect" of type "unit" must be "add_missing_items" or "add_new_items"'),
	('{"type":"unit","unit_off":1,"product_id":"p","effect":["add_new_items"]}',
		'"effect" of type "unit" must be "add_missing_items" or "add_new_items"'),
	('{"type":"unit","unit_off":0,"product_id":"p"}', '"unit_off" must be a whole number from 1 to 9223372036854775807'),
	('{"type":"unit","unit_off":1.5,"product_id":"p"}', '"unit_off" must be a whole number from 1 to 9223372036854775807'),
	('{"type":"unit","unit_off":1,"product_id":"p","price":-1}', '"price" must be a whole number from 0 to 9223372036854775807'),
	('{"type":"unit","unit_off":1,"product_id":"p","price":"1"}', '"price" must be a whole number from 0 to 9223372036854775807'),
	('{"type":"unit","unit_off":1}', 'type "unit" needs one of "product_id" and "sku", a text of 1 to 1000 bytes'),
	('{"type":"unit","unit_off":1,"product_id":"p","sku":"s"}',
		'type "unit" needs one of "product_id" and "sku", a text of 1 to 1000 bytes'),
	('{"type":"unit","unit_off":1,"product_id":""}', 'type "unit" needs one of "product_id" and "sku", a text of 1 to 1000 bytes'),
	('{"type":"unit","unit_off":1,"product_id":7}', 'type "unit" needs one of "product_id" and "sku", a text of 1 to 1000 bytes'),
	(jsonb_build_object('type', 'unit', 'unit_off', 1, 'sku', repeat('x', 1001))::text,
		'type "unit" needs one of "product_id" and "sku", a text of 1 to 1000 bytes'),
	('{"type":"unit","unit_off":1,"product_id":"p","applies_to":{"included":["a"]}}',
		'type "unit" has no key "applies_to", its keys are type, unit_off, product_id, sku, price, effect'),
	('{"type":"amount","amount_off":1,"amount_limit":5}',
		'type "amount" has no key "amount_limit", its keys are type, amount_off, aggregated_amount_limit, applies_to, effect'),
	('{"type":"fixed","fixed_amount":1,"aggregated_amount_limit":5}',
		'type "fixed" has no key "aggregated_amount_limit", its keys are type, fixed_amount, applies_to, effect'),
	('{"type":"amount","amount_off":1,"effect":"apply_to_items","aggregated_amount_limit":0}',
		'"aggregated_amount_limit" must be a whole number from 1 to 9223372036854775807'),
	('{"type":"amount","amount_off":1,"aggregated_amount_limit":5}', '"aggregated_amount_limit" needs an "effect" on items'),
	('{"type":"amount","amount_off":1,"effect":"apply_to_order","applies_to":{"included":["a"]}}',
		'"applies_to" needs an "effect" on items'),
	('{"type":"amount","amount_off":1,"applies_to":["a"]}', '"applies_to" must be an object'),
	('{"type":"amount","amount_off":1,"applies_to":"a"}', '"applies_to" must be an object'),
	('{"type":"amount","amount_off":1,"applies_to":{}}', '"applies_to" must have "included" or "excluded", and no other key'),
	('{"type":"amount","amount_off":1,"applies_to":{"include":["a"]}}',
		'"applies_to" must have "included" or "excluded", and no other key'),
	('{"type":"amount","amount_off":1,"applies_to":{"included":["a"],"exclude":["b"]}}',
		'"applies_to" must have "included" or "excluded", and no other key'),
	('{"type":"amount","amount_off":1,"applies_to":{"included":[]}}', '"included" must have 1 to 500 entries'),
	('{"type":"amount","amount_off":1,"applies_to":{"excluded":{"a":1}}}', '"excluded" must be an array'),
	('{"type":"amount","amount_off":1,"applies_to":{"excluded":"a"}}', '"excluded" must be an array'),
	(jsonb_build_object('type', 'amount', 'amount_off', 1, 'applies_to', jsonb_build_object('excluded',
		(SELECT jsonb_agg('p' || n) FROM generate_series(1, 501) AS n)))::text, '"excluded" must have 1 to 500 entries')
	) AS c (d, message);
SELECT throws_ok(format('SELECT ordertrack.create_voucher(''N'', %L)', d), 'OT005',
	'invalid discount: an entry of "included" must be a text, {"product_id": text} or {"sku": text}, of 1 to 1000 bytes', left(d, 100))
  FROM (SELECT jsonb_build_object('type', 'amount', 'amount_off', 1, 'applies_to', jsonb_build_object('included',
		jsonb_build_array('fine', entry)))::text AS d
	FROM unnest(ARRAY['""', '7', 'null', 'true', '[]', '["a"]', '{}', '{"name":"a"}', '{"product_id":"a","sku":"b"}',
		'{"product_id":7}', '{"product_id":null}', '{"sku":""}', '{"sku":{"sku":"a"}}', to_json(repeat('x', 1001))::text]::jsonb[])
		AS entry) AS e;

SELECT * FROM finish();
ROLLBACK;

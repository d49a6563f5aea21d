-- What an amount comes to: discounts, gift credits, lines, overflow.
BEGIN;
SELECT * FROM no_plan();

CREATE TEMP TABLE cases AS
SELECT row_number() OVER () AS n, c.*, 'AMOUNT-' || row_number() OVER () AS code
  FROM (VALUES
	-- label, discount, gift_amount, order_data, credits,
	--   failure_code, given, discount_amount, total_amount
	('10 % of 20050 is 2005', '{"type":"percent","percent_off":10}'::jsonb, NULL::bigint,
		'{"amount":20050}'::jsonb, NULL::bigint,
		NULL::text, 2005::bigint, 2005::bigint, 18045::bigint),
	('25.98 % of 10099 is 2624', '{"type":"percent","percent_off":25.98}', NULL,
		'{"amount":10099}', NULL, NULL, 2624, 2624, 7475),
	('3 % of 50350 is 1511: half a cent goes up', '{"type":"percent","percent_off":3}', NULL,
		'{"amount":50350}', NULL, NULL, 1511, 1511, 48839),
	('100 % takes all', '{"type":"percent","percent_off":100}', NULL,
		'{"amount":12345}', NULL, NULL, 12345, 12345, 0),
	('10 % of 5 is 1', '{"type":"percent","percent_off":10}', NULL,
		'{"amount":5}', NULL, NULL, 1, 1, 4),
	('10 % of 4 is 0', '{"type":"percent","percent_off":10}', NULL,
		'{"amount":4}', NULL, NULL, 0, 0, 4),
	('50 % of nothing is 0', '{"type":"percent","percent_off":50}', NULL,
		'{"amount":0}', NULL, NULL, 0, 0, 0),
	('0.01 % of 4999 is 0', '{"type":"percent","percent_off":0.01}', NULL,
		'{"amount":4999}', NULL, NULL, 0, 0, 4999),
	('0.01 % of 5000 is 1', '{"type":"percent","percent_off":0.01}', NULL,
		'{"amount":5000}', NULL, NULL, 1, 1, 4999),
	('33.333333 % of 300 is 100', '{"type":"percent","percent_off":33.333333}', NULL,
		'{"amount":300}', NULL, NULL, 100, 100, 200),
	('12.5 % of 7.96 is 1.00 (99.5)', '{"type":"percent","percent_off":12.5}', NULL,
		'{"amount":796}', NULL, NULL, 100, 100, 696),
	('12.5 % of 7.95 is 0.99 (99.375)', '{"type":"percent","percent_off":12.5}', NULL,
		'{"amount":795}', NULL, NULL, 99, 99, 696),
	('amount_limit cuts a percentage', '{"type":"percent","percent_off":25.98,"amount_limit":600}', NULL,
		'{"amount":10099}', NULL, NULL, 600, 600, 9499),
	('amount_limit leaves less alone', '{"type":"percent","percent_off":25.98,"amount_limit":600}', NULL,
		'{"amount":2000}', NULL, NULL, 520, 520, 1480),
	('amount_limit that is just met', '{"type":"percent","percent_off":10,"amount_limit":600}', NULL,
		'{"amount":6000}', NULL, NULL, 600, 600, 5400),
	('amount_limit as a JSON null is none', '{"type":"percent","percent_off":10,"amount_limit":null}', NULL,
		'{"amount":60000}', NULL, NULL, 6000, 6000, 54000),
	('100 % of the greatest bigint', '{"type":"percent","percent_off":100}', NULL,
		'{"amount":9223372036854775807}', NULL, NULL, 9223372036854775807, 9223372036854775807, 0),
	('10 % of the greatest bigint', '{"type":"percent","percent_off":10}', NULL,
		'{"amount":9223372036854775807}', NULL, NULL, 922337203685477581, 922337203685477581,
		8301034833169298226),
	('99.999999 % of the greatest bigint', '{"type":"percent","percent_off":99.999999}', NULL,
		'{"amount":9223372036854775807}', NULL, NULL, 9223371944621055438, 9223371944621055438,
		92233720369),

	('20000 off 1000 is 1000 off', '{"type":"amount","amount_off":20000}', NULL,
		'{"amount":1000}', NULL, NULL, 1000, 1000, 0),
	('1000 off 20000', '{"type":"amount","amount_off":1000}', NULL,
		'{"amount":20000}', NULL, NULL, 1000, 1000, 19000),
	('1000 off 1000', '{"type":"amount","amount_off":1000}', NULL,
		'{"amount":1000}', NULL, NULL, 1000, 1000, 0),
	('1000 off nothing', '{"type":"amount","amount_off":1000}', NULL,
		'{"amount":0}', NULL, NULL, 0, 0, 0),
	('the greatest bigint off 100', '{"type":"amount","amount_off":9223372036854775807}', NULL,
		'{"amount":100}', NULL, NULL, 100, 100, 0),
	('1 off the greatest bigint', '{"type":"amount","amount_off":1}', NULL,
		'{"amount":9223372036854775807}', NULL, NULL, 1, 1, 9223372036854775806),

	('fixed 5000 on 4000 is 0 off', '{"type":"fixed","fixed_amount":5000}', NULL,
		'{"amount":4000}', NULL, NULL, 0, 0, 4000),
	('fixed 5000 on 12000 is 7000 off', '{"type":"fixed","fixed_amount":5000}', NULL,
		'{"amount":12000}', NULL, NULL, 7000, 7000, 5000),
	('fixed 5000 on 5000 is 0 off', '{"type":"fixed","fixed_amount":5000}', NULL,
		'{"amount":5000}', NULL, NULL, 0, 0, 5000),
	('fixed 0 takes all', '{"type":"fixed","fixed_amount":0}', NULL,
		'{"amount":700}', NULL, NULL, 700, 700, 0),

	('a discount without an order has nothing to discount', '{"type":"amount","amount_off":1000}', NULL,
		NULL, NULL, NULL, 0, 0, 0),
	('amount is ignored by a discount code', '{"type":"amount","amount_off":1000}', NULL,
		'{"amount":5000}', -7, NULL, 1000, 1000, 4000),
	('a discount of effect apply_to_order', '{"type":"amount","amount_off":10,"effect":"apply_to_order"}', NULL,
		'{"amount":5000}', NULL, NULL, 10, 10, 4990),

	('amount of a line is price times quantity', '{"type":"percent","percent_off":10}', NULL,
		'{"items":[{"quantity":3,"price":1000},{"quantity":2,"price":250}]}', NULL, NULL, 350, 350, 3150),
	('a given amount of a line is trusted', '{"type":"percent","percent_off":10}', NULL,
		'{"items":[{"quantity":2,"price":100,"amount":150}]}', NULL, NULL, 15, 15, 135),
	('a given amount of an order is trusted', '{"type":"percent","percent_off":10}', NULL,
		'{"amount":1000,"items":[{"quantity":3,"price":100}]}', NULL, NULL, 100, 100, 900),
	('a given amount serves for lines without a price', '{"type":"percent","percent_off":10}', NULL,
		'{"amount":1000,"items":[{"quantity":3}]}', NULL, NULL, 100, 100, 900),
	('whole numbers may be written as 1e3 and 2.0', '{"type":"percent","percent_off":10}', NULL,
		'{"items":[{"quantity":2.0,"price":1e3}]}', NULL, NULL, 200, 200, 1800),
	('a price of 0 is a price', '{"type":"percent","percent_off":10}', NULL,
		'{"items":[{"quantity":2,"price":0}]}', NULL, NULL, 0, 0, 0),
	('lines that sum up to the greatest bigint', '{"type":"amount","amount_off":7}', NULL,
		'{"items":[{"quantity":1,"price":9223372036854775800},{"quantity":7,"price":1}]}', NULL,
		NULL, 7, 7, 9223372036854775800),
	('a line that would overflow, but has an amount', '{"type":"amount","amount_off":1}', NULL,
		'{"items":[{"quantity":2,"price":9223372036854775807,"amount":100}]}', NULL, NULL, 1, 1, 99),
	('lines whose sum would overflow, but the order has an amount', '{"type":"amount","amount_off":1}', NULL,
		'{"amount":100,"items":[{"quantity":1,"amount":9223372036854775807},{"quantity":1,"amount":9}]}', NULL,
		NULL, 1, 1, 99),

	('a line beyond bigint', '{"type":"amount","amount_off":1}', NULL,
		'{"items":[{"quantity":2,"price":9223372036854775807}]}', NULL, 'invalid_amount', NULL, NULL, NULL),
	('a sum beyond bigint', '{"type":"amount","amount_off":1}', NULL,
		'{"items":[{"quantity":1,"price":9223372036854775807},{"quantity":1,"price":1}]}', NULL,
		'invalid_amount', NULL, NULL, NULL),
	('an amount beyond bigint', '{"type":"amount","amount_off":1}', NULL,
		'{"amount":9223372036854775808}', NULL, 'invalid_amount', NULL, NULL, NULL),
	('an amount of 1e400', '{"type":"amount","amount_off":1}', NULL,
		'{"amount":1e400}', NULL, 'invalid_amount', NULL, NULL, NULL),
	('no amount, and none can be derived', '{"type":"percent","percent_off":10}', NULL,
		'{"items":[{"quantity":1,"price":5},{"quantity":1}]}', NULL, 'missing_amount', NULL, NULL, NULL),
	('no amount and no lines', '{"type":"percent","percent_off":10}', NULL,
		'{"items":[]}', NULL, 'missing_amount', NULL, NULL, NULL),

	('a gift card pays what is payable', NULL, 5000,
		'{"amount":3000}', NULL, NULL, 3000, 3000, 0),
	('a gift card pays at most its balance', NULL, 2000,
		'{"amount":3000}', NULL, NULL, 2000, 2000, 1000),
	('a gift card pays what is asked for', NULL, 5000,
		'{"amount":3000}', 1000, NULL, 1000, 1000, 2000),
	('more than payable takes only what is payable', NULL, 5000,
		'{"amount":3000}', 4000, NULL, 3000, 3000, 0),
	('the whole balance', NULL, 5000,
		'{"amount":9000}', 5000, NULL, 5000, 5000, 4000),
	('more than the balance', NULL, 5000,
		'{"amount":9000}', 5001, 'gift_amount_exceeded', NULL, NULL, NULL),
	('more than the balance of little payable', NULL, 5000,
		'{"amount":3000}', 5001, 'gift_amount_exceeded', NULL, NULL, NULL),
	('0 credits', NULL, 5000,
		'{"amount":3000}', 0, 'invalid_amount', NULL, NULL, NULL),
	('-5 credits', NULL, 5000,
		'{"amount":3000}', -5, 'invalid_amount', NULL, NULL, NULL),
	('credits without an order', NULL, 5000,
		NULL, 700, NULL, 700, 0, 0),
	('nothing payable takes nothing', NULL, 5000,
		'{"amount":0}', NULL, NULL, 0, 0, 0),
	('neither order nor credits', NULL, 5000,
		NULL, NULL, 'missing_amount', NULL, NULL, NULL),
	('the greatest card on the greatest order', NULL, 9223372036854775807,
		'{"amount":9223372036854775807}', NULL, NULL, 9223372036854775807, 9223372036854775807, 0)
  ) AS c (label, discount, gift_amount, order_data, credits,
	failure, given, off, total);

SELECT ordertrack.create_voucher(code, discount, gift_amount) FROM cases
\g /dev/null
CREATE TEMP TABLE dry AS
SELECT c.n, r.* FROM cases AS c
 CROSS JOIN LATERAL ordertrack.validate(c.code, NULL, c.order_data, c.credits) AS r;
CREATE TEMP TABLE real AS
SELECT c.n, r.* FROM cases AS c
 CROSS JOIN LATERAL ordertrack.redeem(c.code, NULL, c.order_data, c.credits) AS r;

SELECT is(concat_ws(' ', coalesce(a.failure_code, 'ok'), a.discount_amount, a.total_amount),
		concat_ws(' ', coalesce(c.failure, 'ok'), c.off, c.total), c.label)
  FROM cases AS c JOIN real AS a USING (n) ORDER BY n;
SELECT is(r.amount, c.given, 'value given: ' || c.label)
  FROM cases AS c JOIN real AS a USING (n)
  JOIN ordertrack.redemptions AS r ON r.workspace_id = 1 AND r.redemption_id = a.redemption_id
 ORDER BY n;
SELECT is(a.amount,
		CASE WHEN c.failure IS NOT NULL THEN NULL WHEN c.gift_amount IS NOT NULL THEN c.given
			ELSE c.off + c.total END,
		'amount of the outcome: ' || c.label)
  FROM cases AS c JOIN real AS a USING (n) ORDER BY n;
SELECT is(a.gift_balance, c.gift_amount - coalesce(c.given, 0), 'gift_balance: ' || c.label)
  FROM cases AS c JOIN real AS a USING (n) ORDER BY n;
SELECT is(v.gift_balance::bigint, c.gift_amount - coalesce(c.given, 0), 'balance of the card: ' || c.label)
  FROM cases AS c JOIN ordertrack.vouchers AS v ON v.workspace_id = 1 AND v.code = c.code
 WHERE c.gift_amount IS NOT NULL ORDER BY n;
SELECT is(to_jsonb(d) - '{redemption_id,order_id}'::text[], to_jsonb(a) - '{redemption_id,order_id}'::text[],
		'validate says the same: ' || c.label)
  FROM cases AS c JOIN real AS a USING (n) JOIN dry AS d USING (n) ORDER BY n;
SELECT is(concat_ws(' ', o.amount, o.discount_amount, o.total_amount),
	concat_ws(' ', c.off + c.total, c.off, c.total),
		'the order''s row: ' || c.label)
  FROM cases AS c JOIN real AS a USING (n)
  JOIN ordertrack.orders AS o ON o.workspace_id = 1 AND o.order_id = a.order_id ORDER BY n;

-- One order, one code after the other: each works on what is left.
CREATE TEMP TABLE steps (n integer, label text, discount jsonb, gift_amount bigint, given bigint, total bigint);
INSERT INTO steps VALUES
	(1, '5000 off 20000', '{"type":"amount","amount_off":5000}', NULL, 5000, 15000),
	(2, '10 % of the 15000 that are left', '{"type":"percent","percent_off":10}', NULL, 1500, 13500),
	(3, 'a gift card of 2000', NULL, 2000, 2000, 11500),
	(4, '20 % of the 11500, at most 500', '{"type":"percent","percent_off":20,"amount_limit":500}', NULL, 500,
		11000),
	(5, 'fixed 5000', '{"type":"fixed","fixed_amount":5000}', NULL, 6000, 5000),
	(6, '25.98 % of 5000', '{"type":"percent","percent_off":25.98}', NULL, 1299, 3701),
	(7, '20000 off the 3701 that are left', '{"type":"amount","amount_off":20000}', NULL, 3701, 0),
	(8, 'a percentage of nothing', '{"type":"percent","percent_off":50}', NULL, 0, 0),
	(9, 'a gift card with nothing to pay', NULL, 900, 0, 0);
SELECT ordertrack.create_voucher('STEP-' || n, discount, gift_amount) FROM steps
\g /dev/null
CREATE TEMP TABLE taken AS
SELECT s.n, r.* FROM (SELECT * FROM steps ORDER BY n) AS s
 CROSS JOIN LATERAL ordertrack.redeem('STEP-' || s.n, NULL,
	CASE s.n WHEN 1 THEN '{"source_id":"steps","amount":20000}' ELSE '{"source_id":"steps"}' END::jsonb) AS r;
SELECT is(concat_ws(' ', r.result, r.amount, t.discount_amount, t.total_amount),
		concat_ws(' ', 'success', s.given, 20000 - s.total, s.total), s.label)
  FROM steps AS s JOIN taken AS t USING (n)
  JOIN ordertrack.redemptions AS r ON r.workspace_id = 1 AND r.redemption_id = t.redemption_id ORDER BY n;
SELECT is((SELECT count(DISTINCT order_id) FROM taken), 1::bigint, 'all on one order');
SELECT is(r.discount_amount || ' ' || r.total_amount, t.discount_amount || ' ' || t.total_amount,
		'the record of step ' || n || ' has the order''s amounts after the call')
  FROM taken AS t JOIN ordertrack.redemptions AS r ON r.workspace_id = 1 AND r.redemption_id = t.redemption_id
 ORDER BY n;

-- A stored order's amounts count, not those that come with the call.
SELECT ordertrack.create_order('{"source_id":"stored","amount":1000}')
\g /dev/null
SELECT ordertrack.create_voucher('STORED', '{"type":"percent","percent_off":10}')
\g /dev/null
SELECT is(r.amount || ' ' || r.discount_amount || ' ' || r.total_amount, '1000 100 900',
	'a stored order''s amount counts')
  FROM ordertrack.redeem('STORED', NULL, '{"source_id":"stored","amount":77777}') AS r;
CREATE TEMP TABLE lined AS
SELECT
	ordertrack.create_order('{"amount":1,"items":[{"quantity":3,"price":1000},{"quantity":2,"price":250},{"quantity":1},{"quantity":2,"price":9,"amount":17}]}') AS order_id;
SELECT is((SELECT array_agg(i.amount::bigint ORDER BY i.line_no) FROM ordertrack.order_items AS i
	JOIN lined USING (order_id)),
	'{3000,500,NULL,17}', 'amounts of stored lines');

SELECT * FROM finish();
ROLLBACK;

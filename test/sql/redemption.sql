-- Redemptions: what a caller sees of validate, redeem and redeem_batch.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION ordertrack;
SELECT ordertrack.setup() \g /dev/null
\pset null '-'

SELECT ordertrack.create_campaign('summer', redemption_limit => 100);
SELECT ordertrack.create_voucher('SUMMER10', '{"type": "percent", "percent_off": 10}', campaign => 'summer');
SELECT ordertrack.create_voucher('TENOFF', '{"type": "amount", "amount_off": 1000}', redemption_limit => 1);
SELECT ordertrack.create_voucher('FIXED', '{"type": "fixed", "fixed_amount": 5000}');
SELECT ordertrack.create_voucher('WELCOME', '{"type": "amount", "amount_off": 500}', customer_limit => 1);
SELECT ordertrack.create_voucher('PAUSED', '{"type": "amount", "amount_off": 500}', is_active => false);
SELECT ordertrack.create_voucher('LATER', '{"type": "amount", "amount_off": 500}', starts_at => '2999-01-01');
SELECT ordertrack.create_voucher('BEFORE', '{"type": "amount", "amount_off": 500}', expires_at => '2020-01-01');
SELECT ordertrack.create_voucher('GIFT', gift_amount => 5000);

-- The outcome, whole: a new order of two lines, 10 % off.
SELECT * FROM ordertrack.validate('SUMMER10', 'anna', '{"source_id": "A-1", "items": [
	{"product_id": "mug", "quantity": 2, "price": 1250}, {"product_id": "tea", "quantity": 1, "amount": 2000}]}') \gx
SELECT count(*) FROM ordertrack.redemption_list;
SELECT * FROM ordertrack.redeem('SUMMER10', 'anna', '{"source_id": "A-1", "items": [
	{"product_id": "mug", "quantity": 2, "price": 1250}, {"product_id": "tea", "quantity": 1, "amount": 2000}]}',
	idempotency_key => 'cart-1') \gx
-- The reply got lost: the same request and key get the same answer, whatever channel and actor say.
SELECT * FROM ordertrack.redeem('SUMMER10', 'anna', '{"items": [
	{"product_id": "mug", "price": 1250, "quantity": 2}, {"product_id": "tea", "quantity": 1, "amount": 2000}], "source_id": "A-1"}',
	idempotency_key => 'cart-1', channel => 'app', actor => 'robot') \gx
SELECT count(*) FROM ordertrack.redemption_list;
-- Another request with that key
SELECT * FROM ordertrack.redeem('SUMMER10', 'ben', '{"amount": 100}', idempotency_key => 'cart-1');
\echo :SQLSTATE
SELECT * FROM ordertrack.rollback_redemption(1, idempotency_key => 'cart-1');
\echo :SQLSTATE

-- A stored order, named by source_id or id: its own amounts count, and discounts add up.
SELECT result, order_id, amount, discount_amount, total_amount FROM ordertrack.redeem('TENOFF', order_data => '{"source_id": "A-1", "amount": 1}');
SELECT result, order_id, amount, discount_amount, total_amount FROM ordertrack.redeem('SUMMER10', order_data => '{"id": 1}');
-- A percentage works on what is left, and a discount never takes a total below 0.
SELECT result, amount, discount_amount, total_amount FROM ordertrack.redeem('FIXED', order_data => '{"amount": 4000}');
SELECT result, amount, discount_amount, total_amount FROM ordertrack.redeem('WELCOME', 'anna', '{"amount": 300}');

-- Discounts on lines: 300 split over two, a free mug, what each line has, and the way back.
SELECT ordertrack.create_voucher('SPLIT', '{"type": "amount", "amount_off": 300, "effect": "apply_to_items_proportionally"}');
SELECT ordertrack.create_voucher('FREEMUG', '{"type": "unit", "product_id": "mug", "unit_off": 1, "price": 450}');
SELECT ordertrack.create_voucher('TEA20', '{"type": "percent", "percent_off": 20, "applies_to": {"included": ["tea"]}}');
SELECT result, amount, discount_amount, total_amount FROM ordertrack.redeem('SPLIT', 'anna', '{"source_id": "A-2", "items": [
	{"product_id": "pot", "quantity": 3, "price": 1100}, {"product_id": "pan", "quantity": 1, "price": 3400}]}');
SELECT result, amount, discount_amount, total_amount, redemption_id FROM ordertrack.redeem('FREEMUG', 'anna', '{"source_id": "A-2"}') \gset mug_
SELECT :'mug_result' AS result, :mug_amount AS amount, :mug_discount_amount AS discount_amount, :mug_total_amount AS total_amount;
SELECT result, failure_code, failure_message FROM ordertrack.redeem('TEA20', 'anna', '{"source_id": "A-2"}');
SELECT result, failure_code, failure_message FROM ordertrack.redeem('TEA20', 'anna', '{"amount": 500}');
SELECT line_no, product_id, quantity, price, amount, discount_amount FROM ordertrack.export_order_items WHERE source_id = 'A-2' ORDER BY line_no;
SELECT amount, initial_amount, discount_amount, items_discount_amount, total_amount FROM ordertrack.order_list WHERE source_id = 'A-2';
SELECT code, amount, items_discount_amount, items FROM ordertrack.redemption_list WHERE order_source_id = 'A-2' AND result = 'success' ORDER BY redemption_id;
SELECT result, amount, discount_amount, total_amount FROM ordertrack.rollback_redemption(:mug_redemption_id);
SELECT line_no, product_id, quantity, price, amount, discount_amount FROM ordertrack.export_order_items WHERE source_id = 'A-2' ORDER BY line_no;

-- Order and customer are optional.
SELECT * FROM ordertrack.redeem('SUMMER10') \gx

-- A gift card: amount is what was taken, total_amount what is still to pay.
SELECT result, amount, discount_amount, total_amount, gift_balance FROM ordertrack.redeem('GIFT', order_data => '{"amount": 3000}');
SELECT result, amount, discount_amount, total_amount, gift_balance FROM ordertrack.redeem('GIFT', order_data => '{"amount": 3000}', amount => 500);
SELECT result, amount, discount_amount, total_amount, gift_balance FROM ordertrack.redeem('GIFT', order_data => '{"amount": 100}', amount => 200);
SELECT result, failure_code, amount, gift_balance FROM ordertrack.redeem('GIFT', order_data => '{"amount": 3000}', amount => 2000);
SELECT result, amount, total_amount, gift_balance FROM ordertrack.redeem('GIFT', order_data => '{"amount": 3000}');
SELECT result, failure_code, amount, gift_balance FROM ordertrack.redeem('GIFT', order_data => '{"amount": 3000}');

-- Refusals in words. Each is an answer; the transaction stays usable and the attempt is recorded.
CREATE TEMP TABLE attempts (no serial, code text, customer text, order_data jsonb, amount bigint);
INSERT INTO attempts (code, customer, order_data, amount) VALUES
	(NULL, NULL, NULL, NULL),
	('', NULL, NULL, NULL),
	(repeat('x', 201), NULL, NULL, NULL),
	('SUMMER10', '', NULL, NULL),
	('SUMMER10', NULL, '[]', NULL),
	('SUMMER10', NULL, '{"metadata": []}', NULL),
	('NOSUCH', NULL, NULL, NULL),
	('summer10', NULL, NULL, NULL),
	('PAUSED', NULL, NULL, NULL),
	('LATER', NULL, NULL, NULL),
	('BEFORE', NULL, NULL, NULL),
	('TENOFF', NULL, NULL, NULL),
	('SUMMER10', NULL, '{"id": 4711}', NULL),
	('SUMMER10', NULL, '{"id": 1, "source_id": "A-2"}', NULL),
	('SUMMER10', NULL, '{"items": {}}', NULL),
	('SUMMER10', NULL, '{"items": [1]}', NULL),
	('SUMMER10', NULL, '{"items": [{"price": 100}]}', NULL),
	('SUMMER10', NULL, '{"items": [{"quantity": 0, "price": 100}]}', NULL),
	('SUMMER10', NULL, '{"items": [{"quantity": 1.5, "price": 100}]}', NULL),
	('SUMMER10', NULL, '{"items": [{"quantity": 1, "price": "abc"}]}', NULL),
	('SUMMER10', NULL, '{"items": [{"quantity": 1, "price": 1e400}]}', NULL),
	('SUMMER10', NULL, '{"items": [{"quantity": 2, "price": 9223372036854775807}]}', NULL),
	('SUMMER10', NULL, '{"amount": -1}', NULL),
	('GIFT', NULL, '{"amount": 100}', 0),
	('WELCOME', NULL, '{"amount": 100}', NULL),
	('SUMMER10', NULL, '{"items": [{"quantity": 1}]}', NULL),
	('GIFT', NULL, NULL, NULL),
	('GIFT', NULL, '{"amount": 100}', 1),
	('WELCOME', 'anna', '{"amount": 100}', NULL);
SELECT a.no, left(a.code, 10) AS code, o.failure_code, o.failure_message
  FROM attempts AS a, LATERAL ordertrack.redeem(a.code, a.customer, a.order_data, a.amount) AS o ORDER BY a.no;
-- validate says the same and records nothing.
SELECT count(*) AS validated, count(*) FILTER (WHERE o.failure_code IS DISTINCT FROM r.failure_code
	OR o.failure_message IS DISTINCT FROM r.failure_message) AS differing
  FROM attempts AS a
 CROSS JOIN LATERAL ordertrack.validate(a.code, a.customer, a.order_data, a.amount) AS o
  JOIN (SELECT row_number() OVER (ORDER BY redemption_id DESC) AS n, failure_code, failure_message
		  FROM ordertrack.redemptions WHERE result = 'failure') AS r ON r.n = 30 - a.no;
SELECT failure_code, count(*) FROM ordertrack.redemption_list WHERE result = 'failure' GROUP BY 1 ORDER BY 1;
-- Kept as given, cut to its limit: 200 bytes of a code.
SELECT length(code) FROM ordertrack.redemption_list WHERE code LIKE 'xxx%';
-- Other parameters of the wrong kind
SELECT result, failure_code, failure_message FROM ordertrack.redeem('SUMMER10', metadata => '"web"');
SELECT result, failure_code, failure_message FROM ordertrack.redeem('SUMMER10', idempotency_key => '');
SELECT result, failure_code, failure_message FROM ordertrack.redeem('SUMMER10', channel => repeat('x', 1001));
-- An order that takes none
SELECT ordertrack.set_order_status(1, 'completed');
SELECT result, failure_code, failure_message FROM ordertrack.redeem('SUMMER10', order_data => '{"id": 1}');

-- A batch: one answer for each, in order, each on its own.
SELECT ordertrack.create_voucher('THREE', '{"type": "amount", "amount_off": 100}', redemption_limit => 3);
SELECT result, failure_code, failure_message, total_amount, replayed FROM ordertrack.redeem_batch('[
	{"code": "THREE", "customer": "anna", "order_data": {"source_id": "B-1", "amount": 500}, "idempotency_key": "b1"},
	{"code": "THREE", "customer": "anna", "order_data": {"source_id": "B-1", "amount": 500}, "idempotency_key": "b1"},
	{"code": "THREE", "idempotency_key": "b1"},
	{"code": "THREE", "order_data": {"source_id": "B-1"}},
	{"code": "NOSUCH"},
	{"code": "THREE", "amount": "ten"},
	{"code": "THREE", "costumer": "anna"},
	{"code": 7},
	"THREE",
	{},
	{"code": "THREE", "channel": "web", "actor": "robot", "metadata": {"a": 1}},
	{"code": "THREE"}]');
SELECT * FROM ordertrack.redeem_batch('[]');
SELECT * FROM ordertrack.redeem_batch('{}');
\echo :SQLSTATE
SELECT * FROM ordertrack.redeem_batch(NULL);
\echo :SQLSTATE
SELECT * FROM ordertrack.redeem_batch((SELECT jsonb_agg('{"code": "THREE"}'::jsonb) FROM generate_series(1, 1001)));
\echo :SQLSTATE

-- A standby or a read-only transaction can validate and not redeem.
BEGIN READ ONLY;
SELECT result FROM ordertrack.validate('SUMMER10');
SELECT ordertrack.redeem('SUMMER10');
\echo :SQLSTATE
ROLLBACK;

-- Every order verifies.
SELECT o.order_id, v.* FROM ordertrack.order_list AS o, ordertrack.verify_order(o.order_id) AS v;

DROP SCHEMA ordertrack CASCADE;

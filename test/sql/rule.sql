-- Rules and segments: seed limits on what is in the cart and on its volume, who
-- the customer is, and what is said of a bad condition.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION ordertrack;
SELECT ordertrack.setup() \g /dev/null
\pset null '-'

SELECT ordertrack.create_voucher('TEAPOT', '{"type": "percent", "percent_off": 10}');
-- Cart structure: a pot of at least 20.00, and no gift wrap.
SELECT ordertrack.create_rule('a pot', 'order',
	'exists($.order.items[*] ? (@.product_id == "pot" && @.price >= 2000)) && !($.order.items[*].sku starts with "WRAP")',
	'the code is for teapots');
-- Cart volume
SELECT ordertrack.create_rule('50.00', 'order', '$.order.amount >= 5000 && $.order.quantity <= 10', 'orders of 50.00, up to ten pieces');
SELECT ordertrack.assign_rule('a pot', 'TEAPOT');
SELECT ordertrack.assign_rule('50.00', 'TEAPOT');
SELECT result, failure_code, failure_message, amount, total_amount FROM (VALUES
	('{"amount": 6000}'),
	('{"items": [{"product_id": "cup", "quantity": 9, "price": 900}]}'),
	('{"items": [{"product_id": "pot", "quantity": 1, "price": 4500}]}'),
	('{"items": [{"product_id": "pot", "quantity": 11, "price": 4500}]}'),
	('{"items": [{"product_id": "pot", "quantity": 2, "price": 4500}, {"sku": "WRAP-1", "quantity": 1, "price": 100}]}'),
	('{"items": [{"product_id": "pot", "quantity": 2, "price": 4500}, {"product_id": "cup", "quantity": 2, "price": 900}]}'))
	AS c (order_data), LATERAL ordertrack.redeem('TEAPOT', 'mia', order_data::jsonb);

-- 15.00 off for clients who made at least three orders.
SELECT ordertrack.create_segment('regulars', '$.customer.order_count >= 3');
SELECT ordertrack.create_rule('regulars only', 'customer', '$.customer.segments[*] == "regulars"', 'for our regulars');
SELECT ordertrack.create_campaign('thanks');
SELECT ordertrack.create_voucher('THANKS15', '{"type": "amount", "amount_off": 1500}', campaign => 'thanks');
SELECT ordertrack.assign_rule('regulars only', campaign => 'thanks');
SELECT result, failure_code, failure_message FROM ordertrack.redeem('THANKS15', NULL, '{"amount": 4000}');
SELECT result, failure_code, failure_message FROM ordertrack.redeem('THANKS15', 'mia', '{"amount": 4000}');
SELECT ordertrack.create_order('{"amount": 4000, "status": "paid"}', 'mia') IS NOT NULL AS is_made FROM generate_series(1, 2);
SELECT * FROM ordertrack.segment_customers('regulars');
SELECT result, failure_code, discount_amount, total_amount FROM ordertrack.redeem('THANKS15', 'mia', '{"amount": 4000}');
SELECT failure_code, failure_message, count(*) FROM ordertrack.redemption_list GROUP BY 1, 2 ORDER BY 1, 2;

-- A fixed list
SELECT ordertrack.create_segment('staff', customers => '{mia}');
SELECT ordertrack.create_segment('friends', customers => '{mia,nobody}');
\echo :SQLSTATE
SELECT name, condition, member_count FROM ordertrack.segment_list ORDER BY 1;
SELECT name, applies_to, condition, message, campaigns, voucher_count FROM ordertrack.rule_list ORDER BY 1;

-- Conditions that are refused, and why
SELECT ordertrack.create_rule('bad', 'order', '$.order.amount >=');
\echo :SQLSTATE
SELECT ordertrack.create_rule('bad', 'order', '$.order.amount');
\echo :SQLSTATE
SELECT ordertrack.create_rule('bad', 'order', '$.ordr.amount > 5');
\echo :SQLSTATE
SELECT ordertrack.create_rule('bad', 'order', '$.order.items[*].prize > 5');
\echo :SQLSTATE
SELECT ordertrack.create_rule('bad', 'order', '$.order.amount == "abc"');
\echo :SQLSTATE
SELECT ordertrack.create_rule('bad', 'order', '$order.amount > 5');
\echo :SQLSTATE
SELECT ordertrack.create_rule('bad', 'order', '$.order.source_id like_regex "(a*)\\1"');
\echo :SQLSTATE
SELECT ordertrack.create_rule('bad', 'order', ('1 == 1' || repeat(' && $.order.amount > 5', 600))::jsonpath);
\echo :SQLSTATE
SELECT ordertrack.create_rule('bad', 'cart', '1 == 1');
\echo :SQLSTATE
SELECT ordertrack.create_rule('a pot', 'order', '1 == 1');
\echo :SQLSTATE
SELECT ordertrack.assign_rule('bad', 'TEAPOT');
\echo :SQLSTATE
SELECT ordertrack.assign_rule('a pot', 'NONE');
\echo :SQLSTATE
SELECT ordertrack.assign_rule('a pot');
\echo :SQLSTATE
SELECT ordertrack.create_segment('bad', '$.order.amount > 5');
\echo :SQLSTATE
SELECT ordertrack.create_segment('bad', '$.customer.segments[*] == "staff"');
\echo :SQLSTATE
SELECT ordertrack.create_segment('bad');
\echo :SQLSTATE
SELECT ordertrack.segment_customers('bad');
\echo :SQLSTATE
-- A rule never changes, whoever tries, so that a refusal stays explained.
UPDATE ordertrack.rules SET condition = '1 == 1';
\echo :SQLSTATE
DELETE FROM ordertrack.rules;
\echo :SQLSTATE

-- A rule that takes too long is canceled, and says so.
SELECT ordertrack.create_rule('slow', 'order', (repeat('exists($.order.items[*] ? (', 6) || '@.sku == "none"' || repeat('))', 6))::jsonpath);
SELECT ordertrack.create_voucher('SLOW', '{"type": "amount", "amount_off": 1}');
SELECT ordertrack.assign_rule('slow', 'SLOW');
\set SHOW_CONTEXT errors
SELECT ordertrack.create_rule('slower', 'order', (repeat('exists($.order.items[*] ? (', 60) || '@.sku == "none"' || repeat('))', 60))::jsonpath);
\echo :SQLSTATE
SELECT ordertrack.redeem('SLOW', NULL, (SELECT jsonb_build_object('items', jsonb_agg('{"quantity": 1, "price": 1}'::jsonb)) FROM generate_series(1, 500)));
\echo :SQLSTATE
SELECT result, failure_code FROM ordertrack.redeem('SLOW', NULL, '{"items": [{"quantity": 1, "price": 1}]}');

DROP SCHEMA ordertrack CASCADE;

-- Export: the bytes of the CSV, and the SELECT that export_query() makes.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION ordertrack;
SELECT ordertrack.setup() \g /dev/null

-- Columns are only ever appended.
\d ordertrack.export_orders
\d ordertrack.export_order_items
\d ordertrack.export_redemptions
\d ordertrack.export_order_notes

-- Text that a spreadsheet would run, quotes, commas, lines, and NULL beside empty text
SELECT ordertrack.create_campaign('@summer');
SELECT ordertrack.create_voucher('=1+1', '{"type": "amount", "amount_off": 100}', campaign => '@summer');
SELECT ordertrack.create_voucher('plain', '{"type": "amount", "amount_off": 100}');
SELECT ordertrack.create_voucher('GIFT', gift_amount => 1000);
SELECT result FROM ordertrack.redeem('=1+1', '+anna', '{"source_id": "-A-1", "items": [
	{"product_id": "=cmd|''/C calc''!A0", "sku": "\tMUG", "name": "a \"big\" mug, red", "color": "@red", "size": "\rL", "quantity": 1, "price": 500},
	{"product_id": "tea", "name": "two\nlines", "color": "", "quantity": 1, "price": 700}]}', channel => '=web', actor => '@robot');
SELECT result FROM ordertrack.redeem('plain', 'ben', '{"source_id": "A=2", "amount": 900, "metadata": {"a": "=1"}}');
SELECT result FROM ordertrack.redeem('-1', 'a "quoted", name', channel => E'a\nb');
SELECT result FROM ordertrack.redeem('GIFT', E'\u00e4nna', '{"source_id": "A-3", "amount": 600}');
SELECT result FROM ordertrack.rollback_redemption(4, '=broken', 150);
SELECT ordertrack.add_note(1, '=note', '=title', channel => '+desk');

COPY (SELECT source_id, status, customer, amount, discount_amount, total_amount, value_in_points, channel, metadata
	  FROM ordertrack.export_orders ORDER BY order_id) TO STDOUT WITH (FORMAT csv, HEADER);
COPY (SELECT source_id, line_no, product_id, sku, name, color, size, quantity, price, amount
	  FROM ordertrack.export_order_items ORDER BY order_id, line_no) TO STDOUT WITH (FORMAT csv, HEADER);
COPY (SELECT redemption_id, kind, result, state, failure_code, code, campaign, customer, order_source_id, amount, gift_balance, reason, rollback_of, rollback_no, actor, channel
	  FROM ordertrack.export_redemptions ORDER BY redemption_id) TO STDOUT WITH (FORMAT csv, HEADER);
COPY (SELECT order_id, note_no, note_type, event_type, channel, data - '{redemption_id,voucher_id,items}'::text[] AS data, length(hash) AS hash_length
	  FROM ordertrack.export_order_notes ORDER BY order_id, note_no) TO STDOUT WITH (FORMAT csv, HEADER);
-- The other views have it as it is.
COPY (SELECT code, customer, order_source_id, reason, actor, channel
	  FROM ordertrack.redemption_list WHERE redemption_id IN (1, 5) ORDER BY redemption_id) TO STDOUT WITH (FORMAT csv, HEADER);

-- export_query(): a SELECT to look at, to run, to copy
SELECT ordertrack.export_query('order_items');
SELECT ordertrack.export_query('redemptions', '{code,result,amount}', '{"result": "success"}', 'redemption_id');
SELECT ordertrack.export_query('redemptions', '{code,result,amount}', '{"result": "success"}', 'redemption_id') \gexec
SELECT ordertrack.export_query('redemptions', '{redemption_id,code}', '{"failure_code": ["voucher_not_found", null], "kind": "redemption"}', '-redemption_id') \gexec
SELECT ordertrack.export_query('redemptions', '{redemption_id}', '{"rollback_of": 4}') \gexec
SELECT ordertrack.export_query('orders', '{source_id}', '{"metadata": {"a": "=1"}}') \gexec
SELECT ordertrack.export_query('orders', '{source_id}', '{"metadata": null, "amount": [1200, 600]}', 'source_id') \gexec
SELECT ordertrack.export_query('orders', '{source_id}', '{"status": []}') \gexec
SELECT format('COPY (%s) TO STDOUT WITH (FORMAT csv, HEADER)',
	ordertrack.export_query('redemptions', '{code,customer}', '{"result": "failure"}')) \gexec

-- Names and values are quoted, whatever they hold.
SELECT ordertrack.export_query('redemptions', '{code}', '{"code": "''; DROP TABLE ordertrack.orders; --"}');
SELECT ordertrack.export_query('redemptions', '{code}', '{"code": "''; DROP TABLE ordertrack.orders; --"}') \gexec
SELECT ordertrack.export_query('redemptions', '{code}', '{"code": "back\\slash"}') \gexec

-- Refused
SELECT ordertrack.export_query('invoices');
\echo :SQLSTATE
SELECT ordertrack.export_query('orders; DROP TABLE orders');
\echo :SQLSTATE
SELECT ordertrack.export_query(NULL);
\echo :SQLSTATE
SELECT ordertrack.export_query('order_items', '{product_id,colour}');
\echo :SQLSTATE
SELECT ordertrack.export_query('order_items', '{}');
\echo :SQLSTATE
SELECT ordertrack.export_query('order_items', '{NULL}');
\echo :SQLSTATE
SELECT ordertrack.export_query('order_items', NULL, '{"1=1 OR sku": "x"}');
\echo :SQLSTATE
SELECT ordertrack.export_query('order_items', NULL, '[]');
\echo :SQLSTATE
SELECT ordertrack.export_query('order_items', NULL, '{"sku": {"a": 1}}');
\echo :SQLSTATE
SELECT ordertrack.export_query('order_items', NULL, '{"metadata": "x"}');
\echo :SQLSTATE
SELECT ordertrack.export_query('order_items', NULL, NULL, 'sku; DROP TABLE orders');
\echo :SQLSTATE

DROP SCHEMA ordertrack CASCADE;

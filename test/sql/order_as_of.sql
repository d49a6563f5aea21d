-- An order as it was, and what changed, from its history alone.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION ordertrack;
SELECT ordertrack.setup() \g /dev/null
\pset null '-'

SELECT ordertrack.create_voucher('MUG', '{"type": "unit", "unit_off": 1, "product_id": "mug", "price": 900, "effect": "add_new_items"}') \g /dev/null
SELECT ordertrack.create_order('{"source_id": "A-1", "data_source": "shop", "shipping_address": {"city": "Oslo"}, "items": [
	{"product_id": "tea", "sku": "TEA-1", "name": "Tea", "size": "500 g", "quantity": 2, "price": 450}]}') AS order_id;
SELECT clock_timestamp() AS ordered \gset
SELECT ordertrack.update_order(1, '{"items": [{"product_id": "tea", "name": "Tea", "color": "green", "quantity": 3, "price": 450}],
	"shipping_address": {"city": "Bergen"}, "data_source": "web"}');
SELECT clock_timestamp() AS updated \gset
SELECT redemption_id, discount_amount, total_amount FROM ordertrack.redeem('MUG', 'anna', '{"id": 1}') \gset
SELECT ordertrack.set_order_status(1, 'on_hold');
SELECT clock_timestamp() AS held \gset
SELECT result, total_amount FROM ordertrack.rollback_redemption(:redemption_id, 'no mugs');

SELECT note_no, event_type, data - 'personal' AS data FROM ordertrack.order_history(1);
SELECT ordertrack.order_as_of(1, '2000-01-01') AS before_it_existed;
SELECT jsonb_pretty(ordertrack.order_as_of(1, :'ordered')) AS as_ordered;
SELECT jsonb_pretty(ordertrack.order_as_of(1, :'held')) AS as_held;
SELECT jsonb_pretty(ordertrack.order_as_of(1)) AS as_it_is;

-- What changed, and by which note; NULL is before it existed, and now.
SELECT field, old_value, new_value, note_no, changed_at > :'ordered' AS is_later FROM ordertrack.order_changes(1, :'ordered', :'updated');
SELECT field, old_value, new_value, note_no FROM ordertrack.order_changes(1, :'updated', :'held');
SELECT field, old_value, new_value, note_no FROM ordertrack.order_changes(1, :'held');
SELECT field, old_value, new_value, note_no FROM ordertrack.order_changes(1, to_at => :'ordered');
SELECT field, old_value, new_value, note_no FROM ordertrack.order_changes(1, :'held', :'held');
SELECT * FROM ordertrack.verify_order(1);

-- Refused
SELECT ordertrack.order_as_of(4711);
\echo :SQLSTATE
SELECT ordertrack.order_as_of(NULL);
\echo :SQLSTATE
SELECT ordertrack.order_as_of(1, workspace => 7);
\echo :SQLSTATE
SELECT ordertrack.order_changes(4711);
\echo :SQLSTATE
SELECT ordertrack.order_changes(1, :'held', :'ordered');
\echo :SQLSTATE

-- An owner who changes the tables behind the history's back is found out.
UPDATE ordertrack.orders SET amount = 5, total_amount = 5, data_source = NULL WHERE order_id = 1;
UPDATE ordertrack.order_items SET color = 'black' WHERE order_id = 1;
INSERT INTO ordertrack.order_items (workspace_id, order_id, line_no, quantity) VALUES (1, 1, 2, 1);
SELECT problem, detail FROM ordertrack.verify_order(1);
SELECT ordertrack.order_as_of(1) -> 'amount' AS amount, ordertrack.order_as_of(1) -> 'items' -> 0 ->> 'color' AS color;

-- An order that was inserted without ordertrack has no history to tell.
INSERT INTO ordertrack.orders (workspace_id, status) VALUES (1, 'paid');
SELECT ordertrack.order_as_of(2);

DROP SCHEMA ordertrack CASCADE;

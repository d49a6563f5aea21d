-- Orders: made, changed, moved, and what is refused.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION ordertrack;
SELECT ordertrack.setup() \g /dev/null
\pset null '-'

SELECT ordertrack.create_order('{"source_id": "A-1", "data_source": "shop", "items": [
	{"product_id": "mug", "sku": "MUG-R", "name": "Mug", "color": "red", "size": "L", "quantity": 2, "price": 1250},
	{"product_id": "tea", "quantity": 1, "amount": 2000, "metadata": {"gift": true}}],
	"metadata": {"campaign": "web"}, "shipping_address": {"city": "Oslo"},
	"submitted_by": "Eve", "submitted_by_id": "e-1", "on_behalf_of": "Anna", "value_in_points": 45}',
	'anna', channel => 'web', actor => 'robot') AS order_id;
SELECT source_id, status, customer, item_count, amount, discount_amount, total_amount, value_in_points, data_source, channel, metadata, note_count
  FROM ordertrack.order_list;
SELECT line_no, product_id, sku, name, color, size, quantity, price, amount, metadata FROM ordertrack.order_items ORDER BY 1;
-- Nothing personal is in the history; what was personal is a salted hash there.
SELECT note_no, event_type, channel, data - 'personal' AS data FROM ordertrack.order_history(1);
SELECT k AS field, v ~ '^[0-9a-f]{64}$' AS is_hash FROM ordertrack.order_history(1), jsonb_each_text(data -> 'personal') AS p (k, v) ORDER BY 1;
SELECT count(*) FROM ordertrack.order_history(1) AS h WHERE h::text ~ 'Oslo|Eve|Anna';
SELECT field, value FROM ordertrack.personal_values ORDER BY 1;

-- An amount that is given is trusted, also beside lines.
SELECT ordertrack.create_order('{"source_id": "A-2", "amount": 900, "items": [{"quantity": 1, "price": 1000}]}') AS order_id;
SELECT amount, total_amount FROM ordertrack.order_list WHERE order_id = 2;
SELECT ordertrack.create_order('{}') AS order_id;
SELECT source_id, status, amount, total_amount FROM ordertrack.order_list WHERE order_id = 3;
SELECT ordertrack.create_order('{"status": "awaiting_exchange"}') AS order_id;

-- Refused
SELECT ordertrack.create_order('{"source_id": "A-1"}');
\echo :SQLSTATE
SELECT ordertrack.create_order(NULL);
\echo :SQLSTATE
SELECT ordertrack.create_order('[]');
\echo :SQLSTATE
SELECT ordertrack.create_order('{"id": 7}');
\echo :SQLSTATE
SELECT ordertrack.create_order('{"items": [{"quantity": 0}]}');
\echo :SQLSTATE
SELECT ordertrack.create_order('{"amount": 1.5}');
\echo :SQLSTATE
SELECT ordertrack.create_order('{"status": "completed"}');
\echo :SQLSTATE
SELECT ordertrack.create_order('{"status": "lost"}');
\echo :SQLSTATE
SELECT ordertrack.create_order('{}', '');
\echo :SQLSTATE

-- Only what is passed changes; null empties a field.
SELECT ordertrack.update_order(1, '{"metadata": {"campaign": "mail"}, "data_source": null}', channel => 'desk');
SELECT ordertrack.update_order(1, '{"shipping_address": {"city": "Bergen"}}');
SELECT ordertrack.update_order(1, '{"items": [{"product_id": "mug", "quantity": 3, "price": 1250}]}');
SELECT ordertrack.update_order(1, '{}');
SELECT source_id, item_count, amount, data_source, metadata, note_count FROM ordertrack.order_list WHERE order_id = 1;
SELECT note_no, event_type, channel, data - 'personal' AS data FROM ordertrack.order_history(1) WHERE note_no > 1;

-- Refused
SELECT ordertrack.update_order(4711, '{"amount": 1}');
\echo :SQLSTATE
SELECT ordertrack.update_order(NULL, '{"amount": 1}');
\echo :SQLSTATE
SELECT ordertrack.update_order(1, NULL);
\echo :SQLSTATE
SELECT ordertrack.update_order(1, '{"status": "paid"}');
\echo :SQLSTATE
SELECT ordertrack.update_order(1, '{"amount": -1}');
\echo :SQLSTATE

-- The way of an order, each move with a note; the same status again does nothing.
SELECT ordertrack.set_order_status(1, 'paid', channel => 'web', actor => 'robot');
SELECT ordertrack.set_order_status(1, 'paid');
SELECT paid_at IS NOT NULL AS is_paid FROM ordertrack.order_list WHERE order_id = 1;
SELECT ordertrack.update_order(1, '{"amount": 1}');
\echo :SQLSTATE
SELECT ordertrack.set_order_status(1, 'on_hold');
SELECT status, status_before_hold FROM ordertrack.orders WHERE order_id = 1;
SELECT ordertrack.set_order_status(1, 'completed');
\echo :SQLSTATE
SELECT ordertrack.set_order_status(1, 'paid');
SELECT status, status_before_hold FROM ordertrack.orders WHERE order_id = 1;
SELECT ordertrack.set_order_status(1, 'completed');
SELECT note_no, event_type, channel, data FROM ordertrack.order_history(1) WHERE note_no > 4;

-- Moves that are not allowed, by function and by a raw UPDATE
SELECT ordertrack.set_order_status(1, 'paid');
\echo :SQLSTATE
SELECT ordertrack.set_order_status(2, 'completed');
\echo :SQLSTATE
UPDATE ordertrack.orders SET status = 'completed' WHERE order_id = 2;
\echo :SQLSTATE
SELECT ordertrack.set_order_status(4, 'paid');
\echo :SQLSTATE
INSERT INTO ordertrack.orders (workspace_id, status) VALUES (1, 'completed');
\echo :SQLSTATE
UPDATE ordertrack.orders SET status = 'on_hold', status_before_hold = 'completed' WHERE order_id = 2;
SELECT status, status_before_hold FROM ordertrack.orders WHERE order_id = 2;
UPDATE ordertrack.orders SET status_before_hold = 'completed' WHERE order_id = 2;
\echo :SQLSTATE
SELECT ordertrack.set_order_status(1, 'lost');
\echo :SQLSTATE
SELECT ordertrack.set_order_status(4711, 'paid');
\echo :SQLSTATE
SELECT ordertrack.set_order_status(1, NULL);
\echo :SQLSTATE

-- Moves are data: an operator may add one.
INSERT INTO ordertrack.status_transitions (workspace_id, entity, from_status, to_status)
	VALUES (1, 'order', 'completed', 'in_progress');
SELECT ordertrack.set_order_status(1, 'in_progress');
SELECT note_no, event_type, data -> 'status' AS status FROM ordertrack.order_history(1) ORDER BY note_no DESC LIMIT 1;

-- One raw UPDATE of many orders: a note for each.
SELECT ordertrack.set_order_status(2, 'created');
UPDATE ordertrack.orders SET status = 'canceled' WHERE order_id IN (2, 3, 4);
SELECT o.order_id, h.note_no, h.event_type, h.data -> 'status' AS status
  FROM ordertrack.order_list AS o, ordertrack.order_history(o.order_id) AS h
 WHERE o.order_id IN (2, 3, 4) AND h.note_no = o.note_count ORDER BY 1;
SELECT o.order_id, v.* FROM ordertrack.order_list AS o, ordertrack.verify_order(o.order_id) AS v;

DROP SCHEMA ordertrack CASCADE;

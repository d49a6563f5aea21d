-- Shipments: what a person sees.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION ordertrack;
SELECT ordertrack.setup() \g /dev/null
SELECT ordertrack.create_order('{"source_id": "S-1", "status": "paid", "items": [
	{"product_id": "mug", "quantity": 3, "price": 1250}, {"product_id": "pot", "quantity": 1, "price": 3900}]}', 'anna') AS o \gset

-- Two mugs now, and the rest when it is there; no more than that.
SELECT ordertrack.create_shipment(:o, '[{"line_no": 1, "quantity": 2}]', carrier => 'dhl') AS mugs \gset
SELECT ordertrack.create_shipment(:o, status => 'awaiting_inventory') AS rest \gset
SELECT ordertrack.create_shipment(:o);
\echo :SQLSTATE
SELECT ordertrack.create_shipment(:o, '[{"line_no": 2, "quantity": 1}]');
\echo :SQLSTATE
SELECT ordertrack.create_shipment(:o, '[{"line_no": 3, "quantity": 1}]');
\echo :SQLSTATE
SELECT ordertrack.create_shipment(:o, '[{"sku": "mug"}]');
\echo :SQLSTATE
SELECT ordertrack.create_shipment(:o, '{"line_no": 1, "quantity": 2}');
SELECT ordertrack.create_shipment(:o, status => 'shipped');
\echo :SQLSTATE
SELECT ordertrack.create_shipment(:o, status => 'gone');
\echo :SQLSTATE
SELECT shipment_id = :mugs AS are_mugs, status, carrier, items FROM ordertrack.shipment_list ORDER BY shipment_id;

-- On their way: one by one, or together, where a refusal is an answer.
SELECT ordertrack.set_shipment_status(:mugs, 'shipped');
\echo :SQLSTATE
SELECT result, failure_code, failure_message, previous_status, status
  FROM ordertrack.set_shipment_status(ARRAY[:mugs, :rest, 0], 'released');
SELECT result, failure_code, failure_message, previous_status, status
  FROM ordertrack.set_shipment_status(ARRAY[:rest, :mugs], 'delivered');
SELECT ordertrack.set_shipment_status(:mugs, 'packing') AS was;
SELECT ordertrack.set_shipment_status(:mugs, 'shipped', 'JD014', channel => 'warehouse') AS was;
SELECT status FROM ordertrack.order_list;

-- The order stops, and with it what is not shipped yet.
SELECT ordertrack.set_order_status(:o, 'on_hold') AS was;
SELECT ordertrack.set_shipment_status(:rest, 'released');
\echo :SQLSTATE
SELECT ordertrack.create_shipment(:o);
\echo :SQLSTATE
SELECT status, status_before_hold, tracking_number FROM ordertrack.shipment_list ORDER BY shipment_id;
SELECT ordertrack.set_order_status(:o, 'partially_shipped') AS was;
SELECT ordertrack.set_shipment_status(:rest, 'packing') AS was;
SELECT ordertrack.set_shipment_status(:rest, 'shipped') AS was;
SELECT result, previous_status, status FROM ordertrack.set_shipment_status(ARRAY[:mugs, :rest], 'delivered');
SELECT status FROM ordertrack.order_list;
SELECT note_no, event_type, channel, data - 'shipment_id' AS data FROM ordertrack.order_history(:o) WHERE note_no > 1;
SELECT * FROM ordertrack.verify_order(:o);

-- Nobody makes or takes a shipment away but the functions.
INSERT INTO ordertrack.shipments (workspace_id, order_id, status, created_at, updated_at) VALUES (1, 1, 'released', now(), now());
\echo :SQLSTATE
UPDATE ordertrack.shipments SET status = 'packing' WHERE shipment_id = :mugs;
\echo :SQLSTATE
UPDATE ordertrack.shipments SET delivered_at = now() WHERE shipment_id = :mugs;
\echo :SQLSTATE
UPDATE ordertrack.order_items SET quantity = 1 WHERE line_no = 1;
\echo :SQLSTATE
UPDATE ordertrack.shipment_items SET quantity = 1;
\echo :SQLSTATE
DELETE FROM ordertrack.shipments;
\echo :SQLSTATE
COPY (SELECT order_source_id, line_no, product_id, quantity, status, carrier, tracking_number FROM ordertrack.export_shipments
	ORDER BY shipment_id, line_no) TO STDOUT WITH (FORMAT csv, HEADER);
DROP SCHEMA ordertrack CASCADE;

-- Returns as people meet them: answers, errors, the histories and the lists.
SET client_min_messages = warning;
SET timezone = 'UTC';
CREATE EXTENSION ordertrack;
DO $$ BEGIN PERFORM ordertrack.setup(); END $$;
-- Two mugs and a bag, paid and shipped, and an order that is to be sent in exchange.
DO $$ BEGIN
	PERFORM ordertrack.create_order('{"source_id":"R-1","items":[{"sku":"mug","quantity":2,"price":1500},{"sku":"bag","quantity":1,"price":4999}]}');
	PERFORM ordertrack.create_order('{"source_id":"R-2","status":"awaiting_exchange","items":[{"sku":"mug","quantity":1,"price":1500}]}');
	PERFORM ordertrack.add_payment(1, 7999, 'card');
	PERFORM ordertrack.set_shipment_status(s, status) FROM ordertrack.create_shipment(1) AS s, unnest('{released,packing,shipped}'::text[]) AS status;
END $$;
\set VERBOSITY default

-- A mug in exchange for another
SELECT ordertrack.create_return(1, '[{"line_no":1,"quantity":1}]', 'chipped', exchange_order_id => 2, channel => 'desk', actor => 'ann');
SELECT ordertrack.set_order_status(2, 'in_progress');
\echo :SQLSTATE
SELECT ordertrack.complete_return(1);
\echo :SQLSTATE
SELECT ordertrack.receive_return(1, channel => 'dock');
SELECT ordertrack.complete_return(1, 0, channel => 'desk', actor => 'ann');
SELECT order_id, status FROM ordertrack.order_list ORDER BY 1;

-- The rest, in parts, refunded by what it cost
SELECT ordertrack.create_return(1, reason => 'unwanted gift') AS return_id \gset
SELECT ordertrack.receive_return(:return_id, '[{"line_no":2,"quantity":1}]');
SELECT ordertrack.receive_return(:return_id, '[{"line_no":1,"quantity":2}]');
\echo :SQLSTATE
SELECT ordertrack.complete_return(:return_id, method => 'card') AS refunded;
SELECT status, paid_amount, refunded_amount FROM ordertrack.order_list WHERE order_id = 1;

-- The mug that did not arrive may still come
SELECT ordertrack.create_return(1) AS return_id \gset
SELECT ordertrack.cancel_return(:return_id, 'desk') AS was;
SELECT ordertrack.cancel_return(:return_id) AS was;

-- What is refused
SELECT ordertrack.create_return(1, '[{"line_no":1,"quantity":2}]');
\echo :SQLSTATE
SELECT ordertrack.create_return(1, '[{"line_no":3,"quantity":1}]');
\echo :SQLSTATE
SELECT ordertrack.create_return(1, '[{"line_no":1,"amount":1}]');
\echo :SQLSTATE
SELECT ordertrack.create_return(1, exchange_order_id => 1);
SELECT ordertrack.create_return(1, exchange_order_id => 2);
\echo :SQLSTATE
SELECT ordertrack.create_return(2);
\echo :SQLSTATE
SELECT ordertrack.create_return(9);
\echo :SQLSTATE
SELECT ordertrack.receive_return(:return_id);
\echo :SQLSTATE
SELECT ordertrack.complete_return(:return_id);
SELECT ordertrack.cancel_return(1);
SELECT ordertrack.cancel_return(9);
\echo :SQLSTATE
SELECT ordertrack.create_return(1) AS return_id \gset
SELECT ordertrack.receive_return(:return_id);
SELECT ordertrack.receive_return(:return_id);
SELECT ordertrack.complete_return(:return_id, 3001);
\echo :SQLSTATE
SELECT ordertrack.complete_return(:return_id, -1);
BEGIN READ ONLY;
SELECT ordertrack.create_return(1);
ROLLBACK;
BEGIN READ ONLY;
SELECT ordertrack.receive_return(1);
ROLLBACK;
BEGIN READ ONLY;
SELECT ordertrack.complete_return(1);
ROLLBACK;
BEGIN READ ONLY;
SELECT ordertrack.cancel_return(1);
ROLLBACK;

-- Not by hand
INSERT INTO ordertrack.returns (workspace_id, order_id, status, created_at, updated_at) VALUES (1, 1, 'complete', now(), now());
UPDATE ordertrack.returns SET status = 'awaiting_stock_return' WHERE return_id = 1;
UPDATE ordertrack.returns SET refund_amount = 5 WHERE return_id = 1;
UPDATE ordertrack.returns SET order_id = 2;
UPDATE ordertrack.return_items SET quantity = 9;
UPDATE ordertrack.return_receipts SET quantity = 9;
DELETE FROM ordertrack.returns;

-- The histories tell all of it
SELECT order_id, note_no, event_type, channel, data FROM ordertrack.order_history_list WHERE note_no > 1 ORDER BY order_id, note_no;
SELECT * FROM ordertrack.verify_order(1);
SELECT * FROM ordertrack.verify_order(2);

-- The lists
\d ordertrack.return_list
SELECT return_id, order_source_id, status, reason, announced_units, received_units, refund_amount, exchange_order_id, items
  FROM ordertrack.return_list ORDER BY return_id;
COPY (SELECT return_id, order_source_id, status, reason, announced_units, received_units, refund_amount FROM ordertrack.export_returns ORDER BY return_id)
	TO STDOUT WITH (FORMAT csv, HEADER);
DROP SCHEMA ordertrack CASCADE;

-- Payments and refunds as people meet them: answers, errors, the history and the lists.
SET client_min_messages = warning;
SET timezone = 'UTC';
CREATE EXTENSION ordertrack;
DO $$ BEGIN PERFORM ordertrack.setup(); END $$;
DO $$ BEGIN
	PERFORM ordertrack.create_order('{"source_id":"P-1","amount":10000}');
	PERFORM ordertrack.create_order('{"source_id":"P-2","amount":500}');
	PERFORM ordertrack.set_order_status(2, 'canceled');
END $$;
\set VERBOSITY default

-- Authorized, captured in two parts, and paid with the second
SELECT ordertrack.add_payment(1, 10000, 'card', 'authorization', transaction_id => 'au-17', channel => 'shop', actor => 'mia');
SELECT ordertrack.add_payment(1, 6000, 'card', 'capture', idempotency_key => 'capture-1');
SELECT ordertrack.add_payment(1, 6000, 'card', 'capture', idempotency_key => 'capture-1');
SELECT status, paid_amount FROM ordertrack.order_list WHERE order_id = 1;
SELECT ordertrack.add_payment(1, 4000, 'gift card', status => 'pending') AS payment_id \gset
SELECT ordertrack.set_payment_status(:payment_id, 'processed', 'till', 'bob') AS was;
SELECT ordertrack.set_payment_status(:payment_id, 'processed') AS was;
SELECT status, paid_amount FROM ordertrack.order_list WHERE order_id = 1;

-- Refunded, never more than was paid
SELECT ordertrack.create_refund(1, 6000, 'arrived broken', 'card', channel => 'desk', actor => 'ann') AS refund_id \gset
SELECT ordertrack.create_refund(1, 6000);
\echo :SQLSTATE
SELECT ordertrack.create_refund(1, 4000, status => 'pending') AS refund_id \gset
SELECT ordertrack.create_refund(1, 1);
SELECT ordertrack.set_payment_status(:refund_id, 'failed') AS was;
SELECT status, paid_amount, refunded_amount FROM ordertrack.order_list WHERE order_id = 1;

-- What is refused
SELECT ordertrack.add_payment(1, 6000, 'cash', 'capture', idempotency_key => 'capture-1');
\echo :SQLSTATE
SELECT ordertrack.add_payment(1, 100, transaction_type => 'credit');
\echo :SQLSTATE
SELECT ordertrack.add_payment(1, 100, transaction_type => 'gift');
SELECT ordertrack.add_payment(1, 100, status => 'paid');
SELECT ordertrack.add_payment(1, 0);
SELECT ordertrack.add_payment(1, NULL);
SELECT ordertrack.add_payment(9, 100);
\echo :SQLSTATE
SELECT ordertrack.add_payment(2, 500);
\echo :SQLSTATE
SELECT ordertrack.add_payment(1, 9223372036854775807);
\echo :SQLSTATE
SELECT ordertrack.create_refund(1, 100, return_id => 9);
\echo :SQLSTATE
SELECT ordertrack.set_payment_status(:payment_id, 'failed');
\echo :SQLSTATE
SELECT ordertrack.set_payment_status(:payment_id, 'lost');
SELECT ordertrack.set_payment_status(99, 'failed');
\echo :SQLSTATE
BEGIN READ ONLY;
SELECT ordertrack.add_payment(1, 100);
ROLLBACK;
BEGIN READ ONLY;
SELECT ordertrack.create_refund(1, 100);
ROLLBACK;
BEGIN READ ONLY;
SELECT ordertrack.set_payment_status(1, 'failed');
ROLLBACK;

-- Not by hand
INSERT INTO ordertrack.payments (workspace_id, order_id, transaction_type, amount, status, created_by, created_at, updated_at)
VALUES (1, 1, 'sale', 100, 'processed', 'me', now(), now());
UPDATE ordertrack.payments SET status = 'processed' WHERE payment_id = :refund_id;
UPDATE ordertrack.payments SET amount = 1;
DELETE FROM ordertrack.payments;
TRUNCATE ordertrack.payments;

-- The order's history tells all of it
SELECT note_no, event_type, channel, data FROM ordertrack.order_history(1) WHERE note_no > 1;
SELECT * FROM ordertrack.verify_order(1);

-- The lists
\d ordertrack.payment_list
SELECT payment_id, order_id, order_source_id, transaction_type, method, amount, status, transaction_id, reason, actor, channel
  FROM ordertrack.payment_list ORDER BY payment_id;
SELECT ordertrack.export_query('payments', '{payment_id,method,amount,status}', '{"transaction_type":"credit"}', '-amount') AS query \gset
COPY (SELECT * FROM ordertrack.export_payments WHERE false) TO STDOUT WITH (FORMAT csv, HEADER);
:query;

DROP SCHEMA ordertrack CASCADE;

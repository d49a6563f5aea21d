-- Customers: put, changed, emptied, and what they have bought.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION ordertrack;
SELECT ordertrack.setup() \g /dev/null
\pset null '-'

SELECT ordertrack.put_customer('anna', email => 'anna@example.com', first_name => 'Anna',
	address => '{"city": "Oslo"}', metadata => '{"segment": "gold"}');
-- NULL leaves a field as it is, an empty text or {} empties it.
SELECT ordertrack.put_customer('anna', phone => '+47 1', first_name => '', metadata => '{}');
SELECT source_id, email, phone, first_name, address, metadata FROM ordertrack.customers;

SELECT ordertrack.put_customer(NULL);
\echo :SQLSTATE
SELECT ordertrack.put_customer('');
\echo :SQLSTATE
SELECT ordertrack.put_customer(repeat('x', 256));
\echo :SQLSTATE
SELECT ordertrack.put_customer('anna', address => '[]');
\echo :SQLSTATE
SELECT ordertrack.put_customer('anna', metadata => '"gold"');
\echo :SQLSTATE

-- order_count, order_total and last_order_at follow the orders, raw UPDATEs too.
SELECT ordertrack.create_order('{"source_id": "A-1", "amount": 500}', 'anna') AS order_id;
SELECT ordertrack.create_order('{"source_id": "A-2", "amount": 700, "status": "paid"}', 'anna') AS order_id;
SELECT order_count, order_total, last_order_at = (SELECT created_at FROM ordertrack.orders WHERE source_id = 'A-2') AS is_last
  FROM ordertrack.customers;
UPDATE ordertrack.orders SET status = 'paid' WHERE source_id = 'A-1';
SELECT order_count, order_total FROM ordertrack.customers;
SELECT ordertrack.set_order_status(2, 'on_hold');
SELECT order_count, order_total FROM ordertrack.customers;
SELECT ordertrack.set_order_status(2, 'canceled');
SELECT order_count, order_total, last_order_at = (SELECT created_at FROM ordertrack.orders WHERE source_id = 'A-1') AS is_last
  FROM ordertrack.customers;
UPDATE ordertrack.orders SET status = 'canceled';
SELECT order_count, order_total, last_order_at FROM ordertrack.customers;

-- A customer that history may refer to can't be deleted.
DELETE FROM ordertrack.customers;
\echo :SQLSTATE

DROP SCHEMA ordertrack CASCADE;

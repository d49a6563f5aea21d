-- Workspaces: tenants that see nothing of each other.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION ordertrack;
SELECT ordertrack.setup() \g /dev/null

SELECT ordertrack.create_workspace('shop', 'europe/berlin');
SELECT workspace_id, name, time_zone FROM ordertrack.workspaces ORDER BY 1;
SELECT workspace_id, count(*) > 0 AS has_transitions FROM ordertrack.status_transitions GROUP BY 1 ORDER BY 1;

SELECT ordertrack.create_workspace('shop');
\echo :SQLSTATE
SELECT ordertrack.create_workspace('other', 'Mars/Olympus');
\echo :SQLSTATE
SELECT ordertrack.create_workspace('');
\echo :SQLSTATE
SELECT ordertrack.create_workspace(NULL);
\echo :SQLSTATE
SELECT ordertrack.create_workspace(repeat('x', 1001));
\echo :SQLSTATE

-- The same code, customer and order in two workspaces are different ones.
SELECT ordertrack.create_voucher('SUMMER', '{"type": "amount", "amount_off": 100}', redemption_limit => 1) IS NOT NULL AS created;
SELECT ordertrack.create_voucher('SUMMER', '{"type": "amount", "amount_off": 200}', redemption_limit => 1, workspace => 2) IS NOT NULL AS created;
SELECT result, discount_amount FROM ordertrack.redeem('SUMMER', 'anna', '{"source_id": "A-1", "amount": 500}');
SELECT result, discount_amount FROM ordertrack.redeem('SUMMER', 'anna', '{"source_id": "A-1", "amount": 500}', workspace => 2);
SELECT result, failure_code FROM ordertrack.redeem('SUMMER', 'anna', workspace => 2);
SELECT workspace_id, source_id, customer, total_amount FROM ordertrack.order_list ORDER BY 1;

-- One id in another workspace is no order, no redemption, no note.
SELECT ordertrack.set_order_status(1, 'canceled', workspace => 2);
\echo :SQLSTATE
SELECT ordertrack.add_note(1, 'hello', workspace => 2);
\echo :SQLSTATE
SELECT * FROM ordertrack.order_history(1, 2);
\echo :SQLSTATE
SELECT * FROM ordertrack.verify_order(1, 2);
\echo :SQLSTATE
SELECT result, failure_code FROM ordertrack.rollback_redemption(1, workspace => 2);
SELECT ordertrack.create_voucher('FREE', '{"type": "amount", "amount_off": 100}', workspace => 2) IS NOT NULL AS created;
SELECT result, failure_code, failure_message FROM ordertrack.redeem('FREE', order_data => '{"id": 1}', workspace => 2);

-- An unknown workspace is an error everywhere.
SELECT ordertrack.redeem('SUMMER', workspace => 99);
\echo :SQLSTATE
SELECT ordertrack.validate('SUMMER', workspace => 99);
\echo :SQLSTATE
SELECT * FROM ordertrack.redeem_batch('[]', 99);
\echo :SQLSTATE
SELECT ordertrack.rollback_redemption(1, workspace => 99);
\echo :SQLSTATE
SELECT ordertrack.create_voucher('SUMMER', gift_amount => 100, workspace => 99);
\echo :SQLSTATE
SELECT ordertrack.create_campaign('summer', workspace => 99);
\echo :SQLSTATE
SELECT ordertrack.put_customer('anna', workspace => 99);
\echo :SQLSTATE
SELECT ordertrack.create_order('{"amount": 500}', workspace => 99);
\echo :SQLSTATE
SELECT ordertrack.set_order_status(1, 'canceled', workspace => 99);
\echo :SQLSTATE
SELECT * FROM ordertrack.verify_order(1, 99);
\echo :SQLSTATE
SELECT ordertrack.export_query('orders', workspace => 99);
\echo :SQLSTATE
SELECT ordertrack.redeem('SUMMER', workspace => NULL);
\echo :SQLSTATE

DROP SCHEMA ordertrack CASCADE;

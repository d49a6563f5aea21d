-- Access: what each kind of role may do and what it is told otherwise.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION ordertrack;
SELECT ordertrack.setup() \g /dev/null
\pset null '-'

CREATE ROLE regress_ordertrack_app;
CREATE ROLE regress_ordertrack_support;
CREATE ROLE regress_ordertrack_admin;
CREATE ROLE regress_ordertrack_auditor;
CREATE ROLE regress_ordertrack_nobody;
SELECT ordertrack.grant_access('app', 'regress_ordertrack_app');
SELECT ordertrack.grant_access('support', 'regress_ordertrack_support');
SELECT ordertrack.grant_access('admin', 'regress_ordertrack_admin');
SELECT ordertrack.grant_access('auditor', 'regress_ordertrack_auditor');
SELECT ordertrack.grant_access('auditor', 'regress_ordertrack_auditor');
SELECT kind, role_name, granted_by = session_user AS by_me FROM ordertrack.access_grants ORDER BY 1;

-- Refused
SELECT ordertrack.grant_access('root', 'regress_ordertrack_nobody');
\echo :SQLSTATE
SELECT ordertrack.grant_access('app', 'regress_ordertrack_missing');
\echo :SQLSTATE
SELECT ordertrack.grant_access(NULL, 'regress_ordertrack_nobody');
\echo :SQLSTATE
SELECT ordertrack.grant_access('app', NULL);
\echo :SQLSTATE
SELECT ordertrack.revoke_access('app', 'regress_ordertrack_missing');
\echo :SQLSTATE

-- What each kind may call and read
SELECT kind, object_type, string_agg(object_name, ', ' ORDER BY object_name) AS objects
  FROM ordertrack.access_rights() GROUP BY 1, 2 ORDER BY 1, 2;

-- A role without access is not even in the schema.
SET ROLE regress_ordertrack_nobody;
SELECT result FROM ordertrack.redeem('FREE');
\echo :SQLSTATE
SELECT * FROM ordertrack.order_list;
\echo :SQLSTATE

-- admin: catalog and all views; not the tables, not access
SET ROLE regress_ordertrack_admin;
SELECT ordertrack.create_voucher('FREE', '{"type": "amount", "amount_off": 100}');
SELECT ordertrack.create_voucher('GIFT', gift_amount => 100);
SELECT code, kind FROM ordertrack.voucher_list ORDER BY 1;
UPDATE ordertrack.vouchers SET is_active = false;
\echo :SQLSTATE
DELETE FROM ordertrack.redemptions;
\echo :SQLSTATE
SELECT ordertrack.grant_access('admin', 'regress_ordertrack_nobody');
\echo :SQLSTATE
SELECT ordertrack.setup();
\echo :SQLSTATE

-- app: redeems and keeps orders; no views, no catalog
SET ROLE regress_ordertrack_app;
SELECT result FROM ordertrack.redeem('FREE', 'anna', '{"source_id": "A-1", "amount": 500}');
SELECT result FROM ordertrack.validate('FREE', 'anna', '{"source_id": "A-1", "amount": 500}');
SELECT ordertrack.set_order_status(1, 'completed');
SELECT ordertrack.add_note(1, 'packed');
SELECT count(*) FROM ordertrack.order_history(1);
SELECT ordertrack.create_voucher('MORE', gift_amount => 100);
\echo :SQLSTATE
SELECT ordertrack.edit_note(1, 4, 'changed');
\echo :SQLSTATE
SELECT * FROM ordertrack.redemption_list;
\echo :SQLSTATE
SELECT * FROM ordertrack.vouchers;
\echo :SQLSTATE
INSERT INTO ordertrack.order_notes (workspace_id) VALUES (1);
\echo :SQLSTATE

-- support: reads orders, writes custom notes; redeems nothing
SET ROLE regress_ordertrack_support;
SELECT source_id, status, customer FROM ordertrack.order_list;
SELECT source_id, customer, items, redemptions IS NOT NULL AS has_redemptions FROM ordertrack.order_details;
SELECT ordertrack.add_note(1, 'called anna');
SELECT result FROM ordertrack.redeem('FREE');
\echo :SQLSTATE
SELECT ordertrack.set_order_status(1, 'canceled');
\echo :SQLSTATE
SELECT count(*) FROM ordertrack.export_orders;
\echo :SQLSTATE

-- auditor: views without personal data, verification; nothing that writes
SET ROLE regress_ordertrack_auditor;
SELECT source_id, status FROM ordertrack.order_list;
SELECT code, redeemed_by = session_user AS by_session_user, state FROM ordertrack.redemption_list;
SELECT code, state FROM ordertrack.export_redemptions;
SELECT * FROM ordertrack.verify_order(1);
SELECT ordertrack.export_query('redemptions', '{code,state}');
SELECT email FROM ordertrack.order_details;
\echo :SQLSTATE
SELECT detail FROM ordertrack.order_history_list;
\echo :SQLSTATE
SELECT * FROM ordertrack.order_history(1);
\echo :SQLSTATE
SELECT email FROM ordertrack.customers;
\echo :SQLSTATE
SELECT ordertrack.add_note(1, 'audited');
\echo :SQLSTATE
RESET ROLE;

-- The author of a note is the role that acted; beside it stands who logged in.
SELECT note_no, event_type, author, data ->> 'session_user' = session_user AS has_session_user FROM ordertrack.order_history(1);

-- setup() grants again what a REVOKE took.
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA ordertrack FROM regress_ordertrack_auditor;
SELECT has_function_privilege('regress_ordertrack_auditor', 'ordertrack.verify_order(bigint, bigint)', 'EXECUTE');
SELECT ordertrack.setup() \g /dev/null
SELECT has_function_privilege('regress_ordertrack_auditor', 'ordertrack.verify_order(bigint, bigint)', 'EXECUTE');

-- revoke_access() takes back what no other kind of the role needs.
SELECT ordertrack.grant_access('app', 'regress_ordertrack_support');
SELECT ordertrack.revoke_access('support', 'regress_ordertrack_support');
SELECT has_function_privilege('regress_ordertrack_support', 'ordertrack.add_note(bigint, text, text, text, text, bigint)', 'EXECUTE') AS add_note,
	has_function_privilege('regress_ordertrack_support', 'ordertrack.edit_note(bigint, integer, text, text, text, text, bigint)', 'EXECUTE') AS edit_note,
	has_table_privilege('regress_ordertrack_support', 'ordertrack.order_list', 'SELECT') AS order_list;
SELECT ordertrack.revoke_access('app', 'regress_ordertrack_support');
SELECT has_schema_privilege('regress_ordertrack_support', 'ordertrack', 'USAGE');
-- A role that was dropped is forgotten.
SELECT ordertrack.grant_access('app', 'regress_ordertrack_nobody');
DROP OWNED BY regress_ordertrack_nobody;
DROP ROLE regress_ordertrack_nobody;
SELECT ordertrack.setup() \g /dev/null
SELECT ordertrack.revoke_access('app', 'regress_ordertrack_nobody');
SELECT kind, role_name FROM ordertrack.access_grants ORDER BY 1;

DROP SCHEMA ordertrack CASCADE;
DROP ROLE regress_ordertrack_app, regress_ordertrack_support, regress_ordertrack_admin, regress_ordertrack_auditor;

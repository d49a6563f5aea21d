-- Guards: what a superuser is told who edits the history, and what
-- verify_order() says of one who took the guards away first.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION ordertrack;
SELECT ordertrack.setup() \g /dev/null
\pset null '-'

SELECT ordertrack.create_voucher('FREE', '{"type": "amount", "amount_off": 100}');
SELECT result FROM ordertrack.redeem('FREE', 'anna', '{"source_id": "A-1", "amount": 500}');
SELECT ordertrack.add_note(1, 'please ring twice');
SELECT ordertrack.set_order_status(1, 'completed');

-- Redemptions
UPDATE ordertrack.redemptions SET amount = 1;
\echo :SQLSTATE
DELETE FROM ordertrack.redemptions;
\echo :SQLSTATE
TRUNCATE ordertrack.redemptions;
\echo :SQLSTATE
MERGE INTO ordertrack.redemptions AS r USING (VALUES (1)) AS v ON true WHEN MATCHED THEN DELETE;
\echo :SQLSTATE
INSERT INTO ordertrack.redemptions SELECT * FROM ordertrack.redemptions
	ON CONFLICT (workspace_id, redemption_id) DO UPDATE SET reason = 'changed';
\echo :SQLSTATE

-- Notes, system and custom
UPDATE ordertrack.order_notes SET data = '{}' WHERE note_no = 1;
\echo :SQLSTATE
UPDATE ordertrack.order_notes SET detail = 'changed' WHERE note_type = 'custom';
\echo :SQLSTATE
DELETE FROM ordertrack.order_notes WHERE note_type = 'custom';
\echo :SQLSTATE
TRUNCATE ordertrack.order_notes;
\echo :SQLSTATE
INSERT INTO ordertrack.order_notes (workspace_id, order_id, note_no, note_type, event_type, author, created_at, hash)
	VALUES (1, 1, 5, 'system', 'order_paid', current_user, now(), sha256('forged'));
\echo :SQLSTATE
INSERT INTO ordertrack.order_notes (workspace_id, order_id, note_no, note_type, event_type, author, detail, created_at, hash)
	VALUES (1, 1, 5, 'custom', 'none', current_user, 'forged', now(), sha256('forged'));
\echo :SQLSTATE

-- The head of a history
UPDATE ordertrack.orders SET note_count = 0, note_hash = NULL;
\echo :SQLSTATE
INSERT INTO ordertrack.orders (workspace_id, status, note_count, note_hash) VALUES (1, 'created', 1, sha256('forged'));
\echo :SQLSTATE

-- Rows that history refers to, and their keys
DELETE FROM ordertrack.orders;
\echo :SQLSTATE
UPDATE ordertrack.orders SET order_id = 2;
\echo :SQLSTATE
TRUNCATE ordertrack.vouchers CASCADE;
\echo :SQLSTATE
UPDATE ordertrack.workspaces SET workspace_id = 2;
\echo :SQLSTATE

-- The replica role meets the guards as well.
SET session_replication_role = replica;
UPDATE ordertrack.order_notes SET data = '{}' WHERE note_no = 1;
\echo :SQLSTATE
DELETE FROM ordertrack.redemptions;
\echo :SQLSTATE
UPDATE ordertrack.orders SET status = 'created';
\echo :SQLSTATE
RESET session_replication_role;

-- Nothing has changed.
SELECT * FROM ordertrack.verify_order(1);

-- An order that was inserted raw has no history; a note doesn't mend that.
INSERT INTO ordertrack.orders (workspace_id, order_id, source_id, status) VALUES (1, 100, 'raw', 'created');
SELECT * FROM ordertrack.verify_order(100);
SELECT ordertrack.add_note(100, 'found it');
SELECT * FROM ordertrack.verify_order(100);

-- A superuser who takes the guards away can edit, but not unnoticed.
BEGIN;
ALTER TABLE ordertrack.order_notes DISABLE TRIGGER order_notes_guard_history;
UPDATE ordertrack.order_notes SET author = 'nobody' WHERE order_id = 1 AND note_no = 2;
SELECT * FROM ordertrack.verify_order(1);
ROLLBACK;
BEGIN;
ALTER TABLE ordertrack.order_notes DISABLE TRIGGER order_notes_guard_history;
DELETE FROM ordertrack.order_notes WHERE order_id = 1 AND note_no = 3;
ALTER TABLE ordertrack.order_notes ENABLE ALWAYS TRIGGER order_notes_guard_history;
SELECT * FROM ordertrack.verify_order(1);
ROLLBACK;
BEGIN;
ALTER TABLE ordertrack.order_notes DISABLE TRIGGER order_notes_guard_history;
DELETE FROM ordertrack.order_notes WHERE order_id = 1 AND note_no IN (2, 3);
ALTER TABLE ordertrack.order_notes ENABLE ALWAYS TRIGGER order_notes_guard_history;
SELECT * FROM ordertrack.verify_order(1);
ROLLBACK;
BEGIN;
ALTER TABLE ordertrack.order_notes DISABLE TRIGGER order_notes_guard_history;
DELETE FROM ordertrack.order_notes WHERE order_id = 1 AND note_no = 4;
ALTER TABLE ordertrack.order_notes ENABLE ALWAYS TRIGGER order_notes_guard_history;
SELECT * FROM ordertrack.verify_order(1);
ROLLBACK;
BEGIN;
ALTER TABLE ordertrack.order_notes DISABLE TRIGGER order_notes_guard_history;
INSERT INTO ordertrack.order_notes (workspace_id, order_id, note_no, note_type, event_type, author, created_at, hash, txid)
	VALUES (1, 1, 5, 'custom', 'none', current_user, now(), sha256('forged'), 1);
ALTER TABLE ordertrack.order_notes ENABLE ALWAYS TRIGGER order_notes_guard_history;
SELECT * FROM ordertrack.verify_order(1);
ROLLBACK;
BEGIN;
ALTER TABLE ordertrack.orders DISABLE TRIGGER orders_guard_status, DISABLE TRIGGER orders_write_history;
UPDATE ordertrack.orders SET status = 'created' WHERE order_id = 1;
ALTER TABLE ordertrack.orders ENABLE ALWAYS TRIGGER orders_guard_status, ENABLE ALWAYS TRIGGER orders_write_history;
SELECT * FROM ordertrack.verify_order(1);
ROLLBACK;
BEGIN;
ALTER TABLE ordertrack.orders DISABLE TRIGGER orders_guard_status, DISABLE TRIGGER orders_write_history;
UPDATE ordertrack.orders SET note_hash = sha256('forged') WHERE order_id = 1;
ALTER TABLE ordertrack.orders ENABLE ALWAYS TRIGGER orders_write_history, ENABLE TRIGGER orders_guard_status;
SELECT * FROM ordertrack.verify_order(1);
ROLLBACK;
BEGIN;
DROP TRIGGER redemptions_guard_history ON ordertrack.redemptions;
SELECT * FROM ordertrack.verify_order(1);
ROLLBACK;
-- Where the guarantee ends: the words of a custom note are outside the hash, so
-- that they can be edited and erased.
BEGIN;
ALTER TABLE ordertrack.order_notes DISABLE TRIGGER order_notes_guard_history;
UPDATE ordertrack.order_notes SET detail = 'please ring once' WHERE order_id = 1 AND note_no = 3;
ALTER TABLE ordertrack.order_notes ENABLE ALWAYS TRIGGER order_notes_guard_history;
SELECT * FROM ordertrack.verify_order(1);
ROLLBACK;

DROP SCHEMA ordertrack CASCADE;

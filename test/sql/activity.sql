-- What a person sees of the activity of orders.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION ordertrack;
SELECT ordertrack.setup() \g /dev/null
\pset null '-'

-- Columns are only ever appended.
\d ordertrack.activity
\d ordertrack.order_activity
\d ordertrack.order_activity_events

-- A dashboard begins with now, and goes on where it was.
SELECT set_config('dashboard.cursor', ordertrack.activity_cursor(), false) <> '' AS began;
PREPARE dashboard AS
WITH page AS MATERIALIZED (SELECT * FROM ordertrack.activity_since(current_setting('dashboard.cursor'), 3))
SELECT source_id, note_no, note_type, event_type, channel, title, detail, data -> 'status' AS status FROM page
 WHERE set_config('dashboard.cursor', cursor, false) IS NOT NULL;
EXECUTE dashboard;
SELECT ordertrack.create_order('{"source_id": "A-1", "amount": 500}', channel => 'web') AS order_id \gset
SELECT ordertrack.create_order('{"source_id": "A-2"}');
EXECUTE dashboard;
SELECT ordertrack.set_order_status(:order_id, 'on_hold', 'phone');
SELECT ordertrack.add_note(:order_id, 'ring twice', 'call');
SELECT ordertrack.set_order_status(:order_id, 'created');
SELECT ordertrack.set_order_status(:order_id, 'canceled');
EXECUTE dashboard;
EXECUTE dashboard;
EXECUTE dashboard;

-- Inside the transaction that writes it, a note is no news.
BEGIN;
SELECT ordertrack.add_note(:order_id, 'not yet');
EXECUTE dashboard;
COMMIT;
EXECUTE dashboard;

-- The newest notes, and what the reference system calls them.
SELECT source_id, order_status, note_no, note_type, event_type, channel, title, detail, data -> 'status' AS status
  FROM ordertrack.order_activity WHERE workspace_id = 1 LIMIT 3;
SELECT source_id, note_no, event, event_type, channel, data FROM ordertrack.order_activity_events WHERE workspace_id = 1 ORDER BY source_id, note_no;

-- What does not fit
SELECT ordertrack.activity_since(current_setting('dashboard.cursor'), 0);
SELECT ordertrack.activity_since('yesterday');
SELECT ordertrack.activity_since(left(current_setting('dashboard.cursor'), -1));
SELECT ordertrack.activity_since(workspace => 7);
SELECT ordertrack.activity_cursor(7);
SELECT ordertrack.create_workspace('second') AS second \gset
SELECT ordertrack.activity_since(current_setting('dashboard.cursor'), workspace => :second);

-- Tables of another server, as after a restore: the first note makes them this one's.
UPDATE ordertrack.installation SET server_id = server_id + 1;
SELECT ordertrack.activity_since(current_setting('dashboard.cursor'));
SELECT ordertrack.setup() \g /dev/null
SELECT generation FROM ordertrack.installation;
EXECUTE dashboard;
UPDATE ordertrack.installation SET generation = 9;
SELECT set_config('dashboard.cursor', ordertrack.activity_cursor(), false) <> '' AS began;
UPDATE ordertrack.installation SET generation = 2;
EXECUTE dashboard;

-- Support follows and an auditor doesn't: people's words are in it.
CREATE ROLE regress_ordertrack_support;
CREATE ROLE regress_ordertrack_auditor;
SELECT ordertrack.grant_access('support', 'regress_ordertrack_support'), ordertrack.grant_access('auditor', 'regress_ordertrack_auditor');
SET ROLE regress_ordertrack_support;
SELECT count(*) FROM ordertrack.activity_since();
SELECT count(*) FROM ordertrack.activity_since(ordertrack.activity_cursor());
SELECT count(*) FROM ordertrack.order_activity;
SET ROLE regress_ordertrack_auditor;
SELECT ordertrack.activity_since();
SELECT ordertrack.activity_cursor();
SELECT count(*) FROM ordertrack.order_activity;
SELECT count(*) FROM ordertrack.order_activity_events;
RESET ROLE;

DROP SCHEMA ordertrack CASCADE;
DROP ROLE regress_ordertrack_support, regress_ordertrack_auditor;

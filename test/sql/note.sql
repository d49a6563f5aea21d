-- Notes: the history of an order, and the notes that people write into it.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION ordertrack;
SELECT ordertrack.setup() \g /dev/null
\pset null '-'

SELECT ordertrack.create_order('{"source_id": "A-1", "amount": 500}') AS order_id;
SELECT ordertrack.add_note(1, 'please ring twice', 'door', channel => 'desk', actor => 'eve');
SELECT ordertrack.add_note(1, 'left with the neighbour');
SELECT ordertrack.set_order_status(1, 'paid');
SELECT note_no, note_type, event_type, channel, author = current_user AS is_mine, title, detail, data, length(hash) AS hash
  FROM ordertrack.order_history(1);

-- edit_note replaces title and detail, delete_note empties them; each leaves a system note.
SELECT ordertrack.edit_note(1, 2, 'please ring once', channel => 'desk', actor => 'eve');
SELECT ordertrack.delete_note(1, 3);
SELECT note_no, note_type, event_type, channel, title, detail, data, edited_at IS NOT NULL AS is_edited, deleted_at IS NOT NULL AS is_deleted
  FROM ordertrack.order_history(1);
SELECT * FROM ordertrack.verify_order(1);
SELECT note_no, source_id, note_type, detail FROM ordertrack.order_history_list ORDER BY 1;

-- Refused
SELECT ordertrack.edit_note(1, 1, 'changed');
\echo :SQLSTATE
SELECT ordertrack.delete_note(1, 4);
\echo :SQLSTATE
SELECT ordertrack.edit_note(1, 3, 'changed');
\echo :SQLSTATE
SELECT ordertrack.delete_note(1, 3);
\echo :SQLSTATE
SELECT ordertrack.edit_note(1, 99, 'changed');
\echo :SQLSTATE
SELECT ordertrack.edit_note(1, 2, '');
\echo :SQLSTATE
SELECT ordertrack.edit_note(1, 2, NULL);
\echo :SQLSTATE
SELECT ordertrack.edit_note(4711, 2, 'changed');
\echo :SQLSTATE
SELECT ordertrack.delete_note(1, NULL);
\echo :SQLSTATE
SELECT ordertrack.add_note(4711, 'hello');
\echo :SQLSTATE
SELECT ordertrack.add_note(1, NULL);
\echo :SQLSTATE
SELECT ordertrack.add_note(1, '');
\echo :SQLSTATE
SELECT ordertrack.add_note(1, repeat('x', 10001));
\echo :SQLSTATE
SELECT ordertrack.add_note(1, 'hello', repeat('x', 1001));
\echo :SQLSTATE
SELECT ordertrack.order_history(4711);
\echo :SQLSTATE
SELECT ordertrack.verify_order(4711);
\echo :SQLSTATE
SELECT ordertrack.verify_order(NULL);
\echo :SQLSTATE

-- What was refused has left no note, and no gap.
SELECT count(*), max(note_no) FROM ordertrack.order_history(1);
SELECT * FROM ordertrack.verify_order(1);

-- Another role's note is for its author or an admin.
CREATE ROLE regress_ordertrack_eve;
CREATE ROLE regress_ordertrack_max;
CREATE ROLE regress_ordertrack_boss;
SELECT ordertrack.grant_access('support', 'regress_ordertrack_eve'),
	ordertrack.grant_access('support', 'regress_ordertrack_max'),
	ordertrack.grant_access('admin', 'regress_ordertrack_boss');
SET ROLE regress_ordertrack_eve;
SELECT ordertrack.add_note(1, 'from eve') AS note_no \gset
SELECT ordertrack.edit_note(1, :note_no, 'from eve again');
SET ROLE regress_ordertrack_max;
SELECT ordertrack.edit_note(1, :note_no, 'from max');
\echo :SQLSTATE
SELECT ordertrack.delete_note(1, :note_no);
\echo :SQLSTATE
SET ROLE regress_ordertrack_boss;
SELECT ordertrack.edit_note(1, :note_no, 'from the boss');
RESET ROLE;
SELECT note_no, note_type, event_type, author, detail, data -> 'note_no' AS about FROM ordertrack.order_history(1) WHERE note_no >= :note_no;
SELECT * FROM ordertrack.verify_order(1);

DROP SCHEMA ordertrack CASCADE;
DROP ROLE regress_ordertrack_eve, regress_ordertrack_max, regress_ordertrack_boss;

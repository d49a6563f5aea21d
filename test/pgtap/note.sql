-- Notes: numbers, hashes, custom notes and whose they are, personal data.
BEGIN;
SELECT * FROM no_plan();

CREATE ROLE tap_support;
CREATE ROLE tap_colleague;
CREATE ROLE tap_app;
CREATE ROLE tap_auditor;
CREATE ROLE tap_admin;
CREATE ROLE tap_member IN ROLE tap_admin;
CREATE ROLE tap_noinherit NOINHERIT IN ROLE tap_admin;
SELECT ordertrack.grant_access(kind, role) FROM (VALUES ('support', 'tap_support'),
	('support', 'tap_colleague'), ('app', 'tap_app'),
	('auditor', 'tap_auditor'), ('admin', 'tap_admin'), ('support', 'tap_noinherit')) AS g (kind, role)
\g /dev/null

-- Runs a command as a role and gives its result or its SQLSTATE.
CREATE FUNCTION pg_temp.as_role(role name, command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE format('SET LOCAL ROLE %I', role);
	EXECUTE command INTO result;
	RESET ROLE;
	RETURN result;
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END
$$;

-- A history with everything in it.
SELECT ordertrack.create_voucher('CARD', gift_amount => 1000),
	ordertrack.create_voucher('OFF', '{"type":"percent","percent_off":10}'),
	ordertrack.create_order(format('{"source_id":"o","amount":900,"shipping_address":{"city":"%s"},"submitted_by":"Sue Secret",
		"submitted_by_id":"7","on_behalf_of":"Bob Secret","items":[{"sku":"s","quantity":2,"price":450,"name":"Mug"}]}',
		U&'Secrets\00e4cker')::jsonb, 'secret-customer', U&'\+01F6D2 web', 'anna') AS o
\gset
SELECT ordertrack.add_note(:o, U&'Gr\00fc\00dfe, "quoted" \\ and ' || E'a\nline', U&'\+01F381', 'phone', 'bert')
\g /dev/null
SELECT ordertrack.update_order(:o, '{"metadata":{"a":1}}', 'web', 'anna'),
	ordertrack.set_order_status(:o, 'on_hold'), ordertrack.set_order_status(:o, 'created', 'desk', 'carl')
\g /dev/null
SELECT redemption_id AS r FROM ordertrack.redeem('CARD', 'secret-customer', '{"source_id":"o"}', 500,
	channel => 'shop', actor => 'dora')
\gset
SELECT ordertrack.rollback_redemption(:r, 'why', 200), ordertrack.redeem('OFF', NULL, '{"source_id":"o"}')
\g /dev/null
UPDATE ordertrack.orders SET status = 'in_progress' WHERE order_id = :o;
SELECT ordertrack.update_order(:o,
	'{"shipping_address":{"city":"Secret City","zip":12345},"on_behalf_of":"Carl Secret"}')
\g /dev/null
SELECT ordertrack.add_note(:o, 'second'), ordertrack.add_note(:o, 'third', 'title')
\g /dev/null
SELECT note_no AS second, note_no + 1 AS third FROM ordertrack.order_notes WHERE order_id = :o
   AND detail = 'second'
\gset
SELECT encode(hash, 'hex') AS second_hash FROM ordertrack.order_notes WHERE order_id = :o AND note_no = :second
\gset
SELECT ordertrack.edit_note(:o, :second, 'second, edited', 'with a title', 'web', 'anna'),
	ordertrack.delete_note(:o, :third, 'web', 'anna')
\g /dev/null
SELECT ordertrack.create_order('{}') AS empty
\gset

SELECT is((SELECT array_agg(note_type || ' ' || event_type ORDER BY note_no) FROM ordertrack.order_history(:o)),
	'{"system order_created","custom none","system order_updated","system order_on_hold","system order_released","system promotion_add_coupon",
	"system order_paid","system promotion_remove_coupon","system promotion_add_coupon","system order_in_progress","system address_changed",
	"system order_updated","custom none","custom none","system note_edited","system note_deleted"}', 'the notes of a history');

-- Numbers have no gaps, and time never runs backwards.
SELECT
	is_empty('SELECT * FROM (SELECT order_id, note_no, row_number() OVER (PARTITION BY order_id ORDER BY note_no) AS n FROM ordertrack.order_notes) AS a
	WHERE note_no <> n', 'numbers have no gaps');
SELECT
	is_empty('SELECT * FROM ordertrack.orders AS o WHERE note_count <> (SELECT max(note_no) FROM ordertrack.order_notes AS n WHERE n.order_id = o.order_id)',
	'the order counts its notes');
SELECT
	is_empty('SELECT * FROM (SELECT created_at, lag(created_at) OVER (PARTITION BY order_id ORDER BY note_no) AS before FROM ordertrack.order_notes) AS a
	WHERE created_at < before', 'time never runs backwards');
UPDATE ordertrack.orders SET updated_at = '2999-01-01' WHERE order_id = :empty;
SELECT ordertrack.add_note(:empty, 'x'), ordertrack.set_order_status(:empty, 'paid')
\g /dev/null
SELECT ok(bool_and(created_at < '2999-01-01'), 'and follows the server, not a raw updated_at') FROM ordertrack.order_notes
 WHERE order_id = :empty AND note_no > 1;

-- The hash, computed again from the documented bytes.
CREATE FUNCTION pg_temp.field(number integer, value bytea) RETURNS bytea LANGUAGE sql AS $$
	SELECT coalesce(int2send(number::smallint) || int4send(length(value)) || value, '')
$$;
CREATE FUNCTION pg_temp.utf8(value text) RETURNS bytea LANGUAGE sql AS $$ SELECT convert_to(value, 'UTF8') $$;
CREATE FUNCTION pg_temp.hash(n ordertrack.order_notes, before bytea) RETURNS bytea LANGUAGE sql AS $$
	SELECT sha256('\x00'::bytea || pg_temp.utf8('ordertrack/1') || pg_temp.field(1,
		int8send(n.workspace_id)) || pg_temp.field(2, int8send(n.order_id))
		|| pg_temp.field(3, pg_temp.utf8(n.note_type)) || pg_temp.field(4,
			pg_temp.utf8(n.event_type)) || pg_temp.field(5, pg_temp.utf8(n.channel))
		|| pg_temp.field(6, pg_temp.utf8(n.author))
		|| CASE n.note_type WHEN 'system' THEN pg_temp.field(7, pg_temp.utf8(n.title)) || pg_temp.field(8,
			pg_temp.utf8(n.detail)) ELSE '' END
		|| pg_temp.field(9, pg_temp.utf8(n.data::text))
		|| pg_temp.field(10, int8send((extract(epoch FROM n.created_at - '2000-01-01 00:00+00') *
			1000000)::bigint))
		|| int4send(n.note_no) || coalesce(before, decode(repeat('00', 32), 'hex')))
$$;
SELECT is(encode(n.hash, 'hex'), encode(pg_temp.hash(n,
	lag(n.hash) OVER (PARTITION BY order_id ORDER BY note_no)), 'hex'),
		format('hash of note %s, %s', n.note_no, n.event_type))
  FROM ordertrack.order_notes AS n WHERE n.order_id IN (:o, :empty) ORDER BY n.order_id, n.note_no;
SELECT
	is_empty('SELECT o.order_id FROM ordertrack.orders AS o JOIN ordertrack.order_notes AS n ON n.workspace_id = o.workspace_id AND n.order_id = o.order_id
	AND n.note_no = o.note_count WHERE n.hash <> o.note_hash', 'the order''s head is its newest note''s hash');
SELECT is_empty('SELECT v.* FROM ordertrack.orders AS o, ordertrack.verify_order(o.order_id) AS v',
	'all histories verify');

-- Custom notes: words outside the hash, edits and deletions traced.
SELECT is(concat_ws('|', title, detail, (edited_at >= created_at)::text, deleted_at, encode(hash, 'hex')),
	'with a title|second, edited|true|' || :'second_hash',
	'an edited note') FROM ordertrack.order_notes WHERE order_id = :o AND note_no = :second;
SELECT is(concat_ws('|', title, detail, edited_at, (deleted_at >= created_at)::text), 'true',
	'a deleted note is an empty row') FROM ordertrack.order_notes
 WHERE order_id = :o AND note_no = :third;
SELECT is(array_agg(concat_ws(' ', event_type, data ->> 'note_no', data ->> 'actor', channel) ORDER BY note_no),
	ARRAY['note_edited ' || :second || ' anna web', 'note_deleted ' || :third || ' anna web'], 'their traces')
  FROM ordertrack.order_notes WHERE order_id = :o AND event_type LIKE 'note_%';
SELECT is((SELECT to_jsonb(h) - '{order_id,created_at,edited_at,hash}'::text[]
	FROM ordertrack.order_history(:o) AS h WHERE note_no = 2),
	jsonb_build_object('note_no', 2, 'note_type', 'custom', 'event_type', 'none', 'channel', 'phone', 'author',
		current_user, 'title', U&'\+01F381',
		'detail', U&'Gr\00fc\00dfe, "quoted" \\ and ' || E'a\nline', 'data', '{"actor":"bert"}'::jsonb,
		'deleted_at', NULL), 'order_history gives a note as it is');
SELECT ordertrack.edit_note(:o, :second, 'no title')
\g /dev/null
SELECT is(title, NULL, 'an edit replaces the title, too') FROM ordertrack.order_notes WHERE order_id = :o
   AND note_no = :second;

SELECT note_count AS notes FROM ordertrack.orders WHERE order_id = :o
\gset
SELECT throws_ok(format('SELECT ordertrack.' || call, :o), code, NULL, left(call, 90)) FROM (VALUES
	('add_note(NULL, ''x'')', 'OT005'), ('add_note(-1, ''x'')', 'OT001'), ('add_note(%s, NULL)', 'OT005'),
	('add_note(%s, '''')', 'OT005'),
	('add_note(%s, repeat(''x'', 10001))', 'OT005'), ('add_note(%s, repeat(''x'', 1000000))', 'OT005'),
	('add_note(%s, ''x'', repeat(''x'', 1001))', 'OT005'),
	('add_note(%s, ''x'', NULL, repeat(''x'', 1001))', 'OT005'),
	('add_note(%s, ''x'', NULL, NULL, repeat(''x'', 1001))', 'OT005'),
	('add_note(%s, ''x'', workspace => -1)', 'OT002'), ('add_note(%s, ''x'', workspace => NULL)', 'OT005'),
	('edit_note(%s, 2, NULL)', 'OT005'), ('edit_note(%s, 2, '''')', 'OT005'),
	('edit_note(%s, 2, repeat(''x'', 10001))', 'OT005'),
	('edit_note(%s, 2, ''x'', repeat(''x'', 1001))', 'OT005'), ('edit_note(%s, 99, ''x'')', 'OT001'),
	('edit_note(%s, 0, ''x'')', 'OT001'),
	('edit_note(%s, -1, ''x'')', 'OT001'), ('edit_note(-1, 2, ''x'')', 'OT001'),
	('edit_note(NULL, 2, ''x'')', 'OT005'), ('edit_note(%s, 1, ''x'')', 'OT020'),
	('edit_note(%s, 2, ''x'', workspace => -1)', 'OT002'), ('edit_note(%s, ' || :third || ', ''x'')', 'OT005'),
	('delete_note(%s, ' || :third || ')', 'OT005'), ('delete_note(%s, 1)', 'OT020'),
	('delete_note(%s, 99)', 'OT001'), ('delete_note(-1, 2)', 'OT001'),
	('delete_note(NULL, 2)', 'OT005'), ('delete_note(%s, 2, workspace => -1)', 'OT002'),
	('delete_note(%s, 2, repeat(''x'', 1001))', 'OT005'),
	('order_history(-1)', 'OT001'), ('order_history(NULL)', 'OT005'), ('order_history(%s, -1)', 'OT002'),
	('order_history(%s, NULL)', 'OT005')) AS c (call, code);
SELECT throws_ok(format('SELECT ordertrack.%s(%s, NULL%s)', f, :o, rest), 'OT005', NULL, f || ' of no note')
  FROM (VALUES ('edit_note', ', ''x'''), ('delete_note', '')) AS c (f, rest);
SELECT is(o.note_count, :notes, 'what is refused leaves no trace') FROM ordertrack.orders AS o
 WHERE order_id = :o;
SELECT is(ordertrack.add_note(:empty, repeat('x', 10000), repeat('y', 1000)), 4, 'a note of 10000 bytes');

-- Whose note is it? The outer user's, SET ROLE counts.
SELECT is(pg_temp.as_role('tap_support', format('SELECT ordertrack.add_note(%s, %L)', :empty, n)),
	(n + 4)::text, 'support adds note ' || n + 4) FROM generate_series(1, 5) AS n;
SELECT is(pg_temp.as_role('tap_app', format('SELECT ordertrack.add_note(%s, ''of the app'')', :empty)), '10',
	'app adds note 10');
SELECT is(string_agg(DISTINCT author, ' ' ORDER BY author), 'tap_app tap_support', 'they are the authors')
  FROM ordertrack.order_notes WHERE order_id = :empty AND note_no > 4;
SELECT is(pg_temp.as_role(role, format('SELECT ordertrack.%s', format(call, :empty))), wanted,
	role || ': ' || call) FROM (VALUES
	('tap_support', 'edit_note(%s, 5, ''mine'')', ''),
	('tap_colleague', 'edit_note(%s, 6, ''not mine'')', '42501'),
	('tap_colleague', 'delete_note(%s, 6)', '42501'),
	('tap_support', 'edit_note(%s, 10, ''the app''''s'')', '42501'),
	('tap_support', 'delete_note(%s, 1)', 'OT020'),
	('tap_app', 'edit_note(%s, 10, ''mine'')', '42501'), ('tap_auditor', 'add_note(%s, ''x'')', '42501'),
	('tap_auditor', 'delete_note(%s, 5)', '42501'),
	('tap_noinherit', 'edit_note(%s, 6, ''x'')', '42501'),
	('tap_admin', 'edit_note(%s, 6, ''by an admin'')', ''),
	('tap_member', 'edit_note(%s, 7, ''by a member'')', ''),
	('tap_admin', 'delete_note(%s, 10)', ''), ('tap_support', 'delete_note(%s, 5)', ''),
	('tap_admin', 'edit_note(%s, 1, ''x'')', 'OT020'),
	('tap_admin', 'delete_note(%s, 3)', 'OT020')) AS c (role, call, wanted);
SELECT is(string_agg(concat_ws(' ', note_no, author, detail), ', ' ORDER BY note_no),
	'5 tap_support, 6 tap_support by an admin, 7 tap_support by a member, 8 tap_support 4, 9 tap_support 5, 10 tap_app',
	'authors stay') FROM ordertrack.order_notes WHERE order_id = :empty AND note_no BETWEEN 5 AND 10;
SELECT is(string_agg(concat_ws(' ', author, event_type), ', ' ORDER BY note_no),
	'tap_support note_edited, tap_admin note_edited, tap_member note_edited, tap_admin note_deleted, tap_support note_deleted',
	'the traces name who did it') FROM ordertrack.order_notes WHERE order_id = :empty AND note_no > 10;
SELECT is(ordertrack.edit_note(:empty, 9, 'by a superuser')::text, '', 'a superuser may, too');
SELECT is(pg_temp.as_role('tap_app', format('SELECT ordertrack.set_order_status(%s, ''completed'')', :empty)),
	'paid', 'app sets a status');
SELECT is(author || ' ' || (data ->> 'session_user'), 'tap_app ' || session_user,
	'its note names the role, and who logged in') FROM ordertrack.order_notes
 WHERE order_id = :empty AND event_type = 'order_completed';
SELECT is_empty(format('SELECT * FROM ordertrack.verify_order(%s)', :empty), 'the history verifies');

-- No personal data in notes: salted hashes, whose values may be erased.
SELECT is_empty($$SELECT * FROM ordertrack.order_notes AS n WHERE n.note_type = 'system'
	AND n::text ~* 'secret|12345'$$, 'no personal data in system notes');
SELECT is((SELECT array_agg(field || ' ' || note_no ORDER BY note_no, field) FROM ordertrack.personal_values
	WHERE order_id = :o),
	'{"on_behalf_of 1","shipping_address 1","submitted_by 1","shipping_address 11","on_behalf_of 12"}',
	'they lie in a table of their own');
SELECT is(n.data -> 'personal' ->> p.field, encode(sha256(p.salt || convert_to(p.value::text, 'UTF8')), 'hex'),
	format('hash of %s in note %s', p.field, p.note_no))
  FROM ordertrack.personal_values AS p JOIN ordertrack.order_notes AS n USING (workspace_id, order_id, note_no)
 WHERE p.order_id = :o;
SELECT is((SELECT count(DISTINCT salt) FROM ordertrack.personal_values),
	(SELECT count(*) FROM ordertrack.personal_values), 'each with its own salt');
SELECT ok(bool_and(length(salt) >= 16), 'of 16 bytes at least') FROM ordertrack.personal_values;
DELETE FROM ordertrack.personal_values;
SELECT is_empty(format('SELECT * FROM ordertrack.verify_order(%s)', :o),
	'the history verifies when they are erased');

SELECT * FROM finish();
ROLLBACK;

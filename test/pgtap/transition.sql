-- Every pair of statuses, by set_order_status and by a raw UPDATE.
BEGIN;
SELECT * FROM no_plan();

CREATE TEMP TABLE statuses AS
	SELECT unnest('{created,paid,fulfilled,in_progress,partially_shipped,completed,on_hold,
	awaiting_exchange,canceled}'::text[]) AS status;
CREATE TEMP TABLE moves (from_status text, to_status text[]);
INSERT INTO moves VALUES
	('created', '{paid,fulfilled,in_progress,on_hold,canceled}'),
	('paid', '{in_progress,partially_shipped,fulfilled,completed,on_hold,canceled}'),
	('fulfilled', '{paid,completed,canceled}'),
	('in_progress', '{partially_shipped,completed,on_hold,canceled}'),
	('partially_shipped', '{completed,on_hold,canceled}'),
	('on_hold', '{previous,canceled}'),
	('awaiting_exchange', '{in_progress,canceled}');
SELECT bag_eq($$SELECT from_status, to_status FROM ordertrack.status_transitions WHERE workspace_id = 1
	AND entity = 'order'$$,
	$$SELECT from_status, unnest(to_status) FROM moves UNION ALL SELECT NULL,
	unnest('{created,paid,awaiting_exchange}'::text[])$$,
	'status_transitions holds what is documented');

-- Events of notes: those of OrderActivityEvent where it has one.
CREATE TEMP TABLE events (status text, event_type text);
INSERT INTO events SELECT status, CASE status WHEN 'canceled' THEN 'order_cancelled' WHEN 'created' THEN 'order_released' ELSE 'order_' || status END
  FROM statuses;

CREATE FUNCTION pg_temp.order_in(wanted text, held text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	id bigint;
BEGIN
	IF wanted = 'on_hold' THEN
		id := pg_temp.order_in(held, NULL);
	ELSE
		id := ordertrack.create_order(jsonb_build_object('amount', 100, 'status',
			CASE WHEN wanted IN ('paid', 'awaiting_exchange') THEN wanted ELSE 'created' END));
	END IF;
	IF wanted IN ('partially_shipped', 'completed') THEN
		PERFORM ordertrack.set_order_status(id, 'paid');
	END IF;
	PERFORM ordertrack.set_order_status(id, wanted);
	RETURN id;
END
$$;

-- Moves an order and tells what became of it, or of the error.
CREATE FUNCTION pg_temp.move(id bigint, to_status text, is_raw boolean) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	message text;
	detail text;
	n integer;
	before text;
BEGIN
	SELECT note_count, concat(status, ' (', status_before_hold, ')') INTO n, before FROM ordertrack.orders
		WHERE order_id = id;
	BEGIN
		IF is_raw THEN
			UPDATE ordertrack.orders SET status = to_status WHERE workspace_id = 1 AND order_id = id;
		ELSE
			PERFORM ordertrack.set_order_status(id, to_status, 'web', 'anna');
		END IF;
	EXCEPTION WHEN SQLSTATE 'OT010' THEN
		GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
		IF before <> (SELECT concat(status, ' (', status_before_hold, ')') FROM ordertrack.orders
			WHERE order_id = id AND note_count = n) THEN
			RETURN 'OT010, but changed';
		END IF;
		RETURN 'OT010 ' || message || ' ' || detail;
	END;
	RETURN (SELECT concat_ws(' ', o.status, o.status_before_hold,
		(SELECT string_agg(concat_ws(' ', h.note_type, h.event_type, h.data ->> 'status'), ', ')
			FROM ordertrack.order_notes AS h WHERE h.order_id = id AND h.note_no > n),
			(SELECT string_agg(problem, ' ') FROM ordertrack.verify_order(id)))
		  FROM ordertrack.orders AS o WHERE o.order_id = id);
END
$$;

-- A hold can begin in four statuses, and remembers each.
CREATE TEMP TABLE states AS
SELECT status, NULL::text AS held FROM statuses WHERE status <> 'on_hold'
UNION ALL SELECT 'on_hold', from_status FROM moves WHERE 'on_hold' = ANY (to_status);
CREATE TEMP TABLE cases AS
SELECT s.status, s.held, t.status AS to_status, is_raw,
	EXISTS (SELECT FROM moves AS m WHERE m.from_status = s.status
		AND (t.status = ANY (m.to_status) OR (t.status = s.held
			AND 'previous' = ANY (m.to_status)))) AS is_allowed,
	pg_temp.order_in(s.status, s.held) AS order_id
  FROM states AS s CROSS JOIN statuses AS t CROSS JOIN unnest('{false,true}'::boolean[]) AS is_raw;
CREATE TEMP TABLE results AS SELECT *, pg_temp.move(order_id, to_status, is_raw) AS result FROM cases;

SELECT is(result, concat_ws(' ', to_status, CASE WHEN to_status = 'on_hold' THEN r.status END, 'system',
	e.event_type,
		jsonb_build_object('new', to_status, 'old', r.status)::text),
		format('%s%s to %s is allowed%s', r.status, ' (' || held || ')', to_status, CASE WHEN is_raw
			THEN ', raw' END))
  FROM results AS r JOIN events AS e ON e.status = to_status WHERE is_allowed AND r.status <> to_status;
SELECT is(result, concat_ws(' ', status, held),
		format('%s%s to itself is nothing%s', status, ' (' || held || ')', CASE WHEN is_raw THEN ', raw' END))
  FROM results WHERE status = to_status;
SELECT ok(result LIKE 'OT010 %' || status || '%' || to_status || '%',
		format('%s%s to %s is refused%s: %s', status, ' (' || held || ')', to_status, CASE WHEN is_raw
			THEN ', raw' END, result))
  FROM results WHERE NOT is_allowed AND status <> to_status;
SELECT ok(NOT EXISTS (SELECT FROM moves AS m, unnest(m.to_status) AS t WHERE m.from_status = r.status
		AND split_part(result, '"' || r.to_status || '"', 2) NOT LIKE '%' || replace(t, 'previous',
			held) || '%'),
		format('%s%s to %s names what is allowed: %s', status, ' (' || held || ')', to_status, result))
  FROM results AS r WHERE NOT is_allowed AND status <> to_status AND NOT is_raw
   AND status NOT IN ('completed', 'canceled');
SELECT is((SELECT count(*) FROM results), 2 * 12 * 9::bigint, 'every pair was tried');
SELECT is_empty('SELECT v.* FROM cases, ordertrack.verify_order(order_id) AS v', 'all histories verify');

-- First statuses.
CREATE FUNCTION pg_temp.begin_raw(first text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO ordertrack.orders (workspace_id, status) VALUES (1, first);
	RETURN first;
EXCEPTION WHEN SQLSTATE 'OT010' THEN
	RETURN 'OT010 ' || SQLERRM;
END
$$;
CREATE FUNCTION pg_temp.begin(first text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN (SELECT o.status FROM ordertrack.orders AS o
		WHERE o.order_id = ordertrack.create_order(jsonb_build_object('status', first)));
EXCEPTION WHEN SQLSTATE 'OT010' THEN
	RETURN 'OT010 ' || SQLERRM;
END
$$;
CREATE TEMP TABLE firsts AS SELECT status, pg_temp.begin_raw(status) AS raw,
	ordertrack.create_workspace('w-' || status) AS w FROM statuses;
SELECT CASE WHEN status IN ('created', 'paid', 'awaiting_exchange')
	THEN is(raw, status, 'raw INSERT may begin ' || status)
		ELSE matches(raw, '^OT010 .*' || status, 'raw INSERT may not begin ' || status) END FROM firsts;
SELECT CASE WHEN status IN ('created', 'paid', 'awaiting_exchange')
		THEN lives_ok(format('SELECT ordertrack.create_order(''{"status":"%s"}'')', status),
			'create_order may begin ' || status)
		ELSE throws_ok(format('SELECT ordertrack.create_order(''{"status":"%s"}'')', status), 'OT010', NULL,
			'create_order may not begin ' || status) END
  FROM statuses;

-- The status before a hold follows the status only.
SELECT pg_temp.order_in('on_hold', 'paid') AS held, pg_temp.order_in('paid', NULL) AS paid
\gset
SELECT throws_ok(command, 'OT010', NULL, command) FROM unnest(ARRAY[
	format('UPDATE ordertrack.orders SET status_before_hold = ''in_progress'' WHERE order_id = %s', :held),
	format('UPDATE ordertrack.orders SET status_before_hold = NULL WHERE order_id = %s', :held),
	format('UPDATE ordertrack.orders SET status_before_hold = ''created'' WHERE order_id = %s', :paid),
	'INSERT INTO ordertrack.orders (workspace_id, status, status_before_hold) VALUES (1, ''created'', ''paid'')',
	'INSERT INTO ordertrack.orders (workspace_id, status, status_before_hold) VALUES (1, ''on_hold'', ''paid'')']) AS command;
UPDATE ordertrack.orders SET status = 'on_hold', status_before_hold = 'in_progress' WHERE order_id = :paid;
SELECT is(o.status_before_hold::text, 'paid', 'a raw UPDATE cannot choose what the hold remembers')
  FROM ordertrack.orders AS o WHERE order_id = :paid;
SELECT throws_ok(format('UPDATE ordertrack.orders SET status = %L WHERE order_id = %s', status, :held), NULL,
	NULL, 'status ' || coalesce(status, 'NULL'))
  FROM unnest('{lost,previous,"",Paid,NULL}'::text[]) AS status;

-- Many orders in one statement, and other columns with the status.
CREATE TEMP TABLE many AS SELECT pg_temp.order_in('paid', NULL) AS order_id FROM generate_series(1, 50);
UPDATE ordertrack.orders SET status = 'in_progress', metadata = '{"bulk":true}'
 WHERE order_id IN (SELECT order_id FROM many);
SELECT is((SELECT count(*) FROM ordertrack.order_notes JOIN many USING (order_id) WHERE note_no = 2
	AND event_type = 'order_in_progress'),
	50::bigint, 'fifty moves in one statement, fifty notes');
SELECT is_empty('SELECT v.* FROM many, ordertrack.verify_order(order_id) AS v', 'and their histories verify');
SELECT
	throws_ok(format('UPDATE ordertrack.orders SET status = ''partially_shipped'' WHERE order_id IN (SELECT order_id FROM many) OR order_id = %s',
	pg_temp.order_in('completed', NULL)), 'OT010', NULL, 'one forbidden move refuses the statement');
SELECT is((SELECT array_agg(DISTINCT status::text) FROM ordertrack.orders JOIN many USING (order_id)),
	'{in_progress}', 'as a whole');

-- An operator may add moves, of this workspace and entity only.
SELECT throws_ok(format('SELECT ordertrack.set_order_status(%s, ''created'')', :held), 'OT010', NULL,
	'no such move');
INSERT INTO ordertrack.status_transitions (workspace_id, entity, from_status, to_status, event_type) VALUES
	(1, 'shipment', 'canceled', 'created', NULL),
	((SELECT max(w) FROM firsts), 'order', 'canceled', 'created', NULL);
SELECT pg_temp.order_in('canceled', NULL) AS revived
\gset
SELECT throws_ok(format('SELECT ordertrack.set_order_status(%s, ''created'')', :revived), 'OT010', NULL,
	'a move of another entity or workspace');
INSERT INTO ordertrack.status_transitions (workspace_id, entity, from_status, to_status, event_type) VALUES
	(1, 'order', 'canceled', 'created', 'order_revived'), (1, 'order', 'created', 'completed', NULL),
	(1, 'order', NULL, 'fulfilled', NULL);
SELECT is(pg_temp.move(:revived, 'created', false),
	'created system order_revived {"new": "created", "old": "canceled"}', 'an added move, with its event');
SELECT is(pg_temp.move(:revived, 'completed', true),
	'completed system order_completed {"new": "completed", "old": "created"}', 'an added move without one');
SELECT lives_ok('SELECT ordertrack.create_order(''{"status":"fulfilled"}'')', 'an added first status');
DELETE FROM ordertrack.status_transitions WHERE workspace_id = 1 AND from_status = 'on_hold';
SELECT throws_ok(format('SELECT ordertrack.set_order_status(%s, %L)', :held, status), 'OT010', NULL,
	'without its moves on_hold is final: ' || status)
  FROM unnest('{paid,canceled}'::text[]) AS status;

SELECT * FROM finish();
ROLLBACK;

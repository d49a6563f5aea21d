-- What customers got: use, delivery, cashback and cancellation, by the functions
-- and by raw UPDATEs, with the notes that they leave.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT * FROM no_plan();

SELECT ordertrack.create_workspace('loose') AS w, ordertrack.put_customer('anna')
\gset
SELECT ordertrack.put_customer('anna', workspace => :w)
\g /dev/null
INSERT INTO ordertrack.rewards (workspace_id, name, type, cost_in_points, percent_off, point_value, code_source)
SELECT w, type, type, 10, CASE type WHEN 'percentage_discount_code' THEN 5 END,
	CASE type WHEN 'cashback' THEN 2 END, 'generated'
  FROM unnest('{percentage_discount_code,cashback,discount_code,free_delivery,gift,event_invitation,value_code,
	custom_campaign}'::text[]) AS type, unnest(ARRAY[1, :w]) AS w;
SELECT bag_eq('SELECT from_status, to_status, event_type FROM ordertrack.status_transitions WHERE workspace_id = 1
	AND entity = ''delivery''', $$VALUES (NULL, 'ordered', NULL), ('ordered', 'shipped', 'delivery_changed'),
	('ordered', 'canceled', 'delivery_changed'), ('shipped', 'delivered', 'delivery_changed'),
	('shipped', 'canceled', 'delivery_changed')$$, 'status_transitions holds what is documented');

-- A unit with an order of its own, as a redemption would make them.
CREATE FUNCTION pg_temp.issue(type text, active_from interval DEFAULT '-3 hours', expires_at interval DEFAULT NULL,
	w bigint DEFAULT 1, redemption_id bigint DEFAULT 0, code text DEFAULT NULL) RETURNS bigint LANGUAGE sql AS $$
	INSERT INTO ordertrack.issued_rewards (workspace_id, redemption_id, reward_id, customer_id, order_id, reward_type,
		code, cost_in_points, active_points, active_from, expires_at, cashback_code, cashback_detail_code,
		cashback_message, created_at)
	SELECT w, issue.redemption_id, r.reward_id, c.customer_id, o.order_id, issue.type, issue.code, 10, 90,
		clock_timestamp() + issue.active_from, clock_timestamp() + issue.expires_at, p.code, p.words, p.words, clock_timestamp()
	  FROM ordertrack.create_order('{"status":"paid","amount":100}', 'anna', workspace => w) AS o (order_id)
	  JOIN ordertrack.customers AS c ON c.workspace_id = w AND c.source_id = 'anna'
	  JOIN ordertrack.rewards AS r ON r.workspace_id = w AND r.type = issue.type
	  LEFT JOIN (VALUES (0, 'INIT')) AS p (code, words) ON issue.type = 'cashback'
	RETURNING issued_reward_id
$$;
CREATE FUNCTION pg_temp.row_of(id bigint) RETURNS text LANGUAGE sql AS
	'SELECT u::text FROM ordertrack.issued_rewards AS u WHERE issued_reward_id = id';
CREATE FUNCTION pg_temp.notes_of(id bigint) RETURNS bigint LANGUAGE sql AS
	'SELECT count(*) FROM ordertrack.order_notes JOIN ordertrack.issued_rewards USING (workspace_id, order_id)
	  WHERE issued_reward_id = id';
-- The newest note of a unit's order.
CREATE FUNCTION pg_temp.note_of(id bigint) RETURNS text LANGUAGE sql AS
	'SELECT concat_ws('' '', n.note_type, n.event_type, n.channel, n.data) FROM ordertrack.order_notes AS n
	   JOIN ordertrack.issued_rewards AS u USING (workspace_id, order_id)
	  WHERE u.issued_reward_id = id ORDER BY n.note_no DESC LIMIT 1';
-- Runs a change and tells what became of it: success, nothing, or the refusal.
CREATE FUNCTION pg_temp.try(id bigint, command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	before CONSTANT text := pg_temp.row_of(id);
	notes CONSTANT bigint := pg_temp.notes_of(id);
	answer text := '';
	message text;
	detail text;
	hint text;
BEGIN
	BEGIN
		EXECUTE command INTO answer;
	EXCEPTION WHEN SQLSTATE 'OT002' OR SQLSTATE 'OT005' OR SQLSTATE 'OT010' OR SQLSTATE 'OT020' THEN
		GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
		answer := concat_ws(' ', SQLSTATE, message || '.', nullif(detail, ''), nullif(hint, ''));
	END;
	IF pg_temp.row_of(id) = before AND pg_temp.notes_of(id) = notes THEN
		RETURN coalesce(nullif(answer, ''), 'nothing');
	END IF;
	RETURN concat_ws(' ', CASE WHEN answer ~ '^OT|_' THEN 'changed, but ' || answer ELSE 'changed' END,
		CASE WHEN pg_temp.notes_of(id) <> notes + 1 THEN pg_temp.notes_of(id) - notes || ' notes' END);
END
$$;

-- Every state of a unit, and what becomes of it when it is marked and unmarked.
CREATE TEMP TABLE states (state text, active_from interval, expires_at interval, is_canceled boolean, delivery text,
	status text, mark text, unmark text);
INSERT INTO states VALUES
	('new', '-3 hours', NULL, false, NULL, 'active', 'changed', 'not_used'),
	('new, with an end', '-3 hours', '3 hours', false, NULL, 'active', 'changed', 'not_used'),
	('not active yet', '1 hour', NULL, false, NULL, 'inactive', 'reward_not_active', 'not_used'),
	('not active yet, with an end', '1 hour', '3 hours', false, NULL, 'inactive', 'reward_not_active', 'not_used'),
	('over', '-3 hours', '-1 hour', false, NULL, 'expired', 'reward_expired', 'not_used'),
	('used', '-3 hours', NULL, false, 'ordered', 'active', 'already_used', 'changed'),
	('used in time', '-3 hours', '-1 hour', false, 'ordered', 'active', 'already_used', 'changed'),
	('used too early', '1 hour', NULL, false, 'ordered', 'inactive', 'already_used', 'reward_not_active'),
	('shipped', '-3 hours', NULL, false, 'shipped', 'active', 'already_used', 'delivery_started'),
	('delivered', '-3 hours', '-1 hour', false, 'delivered', 'active', 'already_used', 'delivery_started'),
	('not delivered', '-3 hours', NULL, false, 'canceled', 'active', 'already_used', 'delivery_started'),
	('canceled', '-3 hours', NULL, true, NULL, 'canceled', 'reward_canceled', 'reward_canceled'),
	('canceled early', '1 hour', NULL, true, NULL, 'canceled', 'reward_canceled', 'reward_canceled'),
	('canceled late', '-3 hours', '-1 hour', true, NULL, 'canceled', 'reward_canceled', 'reward_canceled'),
	('canceled and used', '-3 hours', NULL, true, 'ordered', 'canceled', 'reward_canceled', 'reward_canceled'),
	('canceled and shipped', '-3 hours', NULL, true, 'shipped', 'canceled', 'reward_canceled', 'reward_canceled');
CREATE TEMP TABLE uses AS
SELECT s.*, type, is_mark, is_raw, pg_temp.issue(type, s.active_from, s.expires_at) AS id
  FROM states AS s CROSS JOIN unnest('{gift,value_code,cashback}'::text[]) AS type
 CROSS JOIN unnest('{true,false}'::boolean[]) AS is_mark CROSS JOIN unnest('{true,false}'::boolean[]) AS is_raw;

-- Every pair of delivery statuses, of each type; '' is none.
CREATE TEMP TABLE moves AS
SELECT type, f.status AS from_status, t.status AS to_status, is_raw, pg_temp.issue(type) AS id
  FROM (SELECT type FROM ordertrack.rewards WHERE workspace_id = 1) AS r CROSS JOIN unnest('{ordered,shipped,delivered,canceled,""}'::text[]) AS f (status)
 CROSS JOIN unnest('{ordered,shipped,delivered,canceled}'::text[]) AS t (status)
 CROSS JOIN unnest('{true,false}'::boolean[]) AS is_raw;

-- States that no call leads to now: without the guards.
ALTER TABLE ordertrack.issued_rewards DISABLE TRIGGER USER;
UPDATE ordertrack.issued_rewards AS u SET used_at = CASE WHEN s.delivery IS NOT NULL THEN now() - '2 hours'::interval END,
	delivery_status = s.delivery, canceled_at = CASE WHEN s.is_canceled THEN now() END
  FROM uses AS s WHERE u.issued_reward_id = s.id;
UPDATE ordertrack.issued_rewards AS u SET used_at = now(), delivery_status = m.from_status
  FROM moves AS m WHERE u.issued_reward_id = m.id AND m.from_status <> '';
SELECT ordertrack.arm_triggers()
\g /dev/null
SELECT is_empty('SELECT * FROM ordertrack.unarmed_triggers()', 'the guards are armed again');

SELECT is(l.status || ' ' || l.is_used || ' ' || (g.status = l.status AND g.is_used = l.is_used),
	s.status || ' ' || (s.delivery IS NOT NULL) || ' true', format('status of a %s, %s', s.type, s.state))
  FROM uses AS s JOIN ordertrack.issued_reward_list AS l ON l.issued_reward_id = s.id
  JOIN ordertrack.redeemed_rewards AS g ON g.issued_reward_id = s.id WHERE is_mark AND is_raw;
CREATE TEMP TABLE use_results AS
SELECT *, pg_temp.try(id, CASE WHEN is_raw THEN format(
		'UPDATE ordertrack.issued_rewards SET used_at = %s, delivery_status = %s WHERE issued_reward_id = %s RETURNING ''''',
		CASE WHEN is_mark THEN 'clock_timestamp()' ELSE 'NULL' END, CASE WHEN is_mark THEN '''ordered''' ELSE 'NULL' END, id)
	ELSE format('SELECT failure_code FROM ordertrack.%s(%s, ''web'', ''bob'')',
		CASE WHEN is_mark THEN 'mark_used' ELSE 'unmark_used' END, id) END) AS result
  FROM uses;
SELECT is(result, CASE WHEN is_mark THEN mark ELSE unmark END,
	format('%s a %s, %s', CASE WHEN is_mark THEN 'mark' ELSE 'unmark' END, type, state))
  FROM use_results WHERE NOT is_raw;
-- A raw UPDATE meets the same verdict; of what is unused it changes nothing.
SELECT ok(CASE WHEN NOT is_mark AND delivery IS NULL THEN result = 'nothing'
		WHEN wanted = 'changed' THEN result = 'changed'
		WHEN wanted = 'reward_canceled' THEN result ~ '^OT010 .*It has been canceled'
		WHEN wanted = 'already_used' THEN result ~ '^OT010 time of use'
		ELSE result LIKE 'OT010 %Reason is ' || wanted || ':%' END,
	format('raw: %s a %s, %s: %s', CASE WHEN is_mark THEN 'mark' ELSE 'unmark' END, type, state, result))
  FROM (SELECT *, CASE WHEN is_mark THEN mark ELSE unmark END AS wanted FROM use_results WHERE is_raw) AS r;
SELECT is(pg_temp.note_of(id), concat_ws(' ', 'system', CASE WHEN is_mark THEN 'reward_used' ELSE 'reward_unused' END,
		CASE WHEN NOT is_raw THEN 'web' END, jsonb_build_object('issued_reward_id', id,
		'used', jsonb_build_object('old', NOT is_mark, 'new', is_mark),
		'delivery_status', jsonb_build_object(CASE WHEN is_mark THEN 'new' ELSE 'old' END, 'ordered'))
		|| CASE WHEN is_raw THEN '{}' ELSE '{"actor":"bob"}'::jsonb END),
	format('%snote: %s, %s', CASE WHEN is_raw THEN 'raw: ' END, type, state))
  FROM use_results WHERE result = 'changed';
SELECT is(u.used_at IS NOT NULL AND u.delivery_status = 'ordered', is_mark, 'as it is stored: ' || state)
  FROM use_results JOIN ordertrack.issued_rewards AS u ON issued_reward_id = id WHERE result = 'changed';

-- Deliveries: the rows of status_transitions decide, and only gifts move.
CREATE TEMP TABLE move_results AS
SELECT m.*, pg_temp.try(id, CASE WHEN is_raw
		THEN format('UPDATE ordertrack.issued_rewards SET delivery_status = %L WHERE issued_reward_id = %s RETURNING ''''', to_status, id)
		ELSE format('SELECT '''' FROM ordertrack.set_delivery_status(%s, %L, ''web'', ''bob'')', id, to_status) END) AS result,
	EXISTS (SELECT FROM ordertrack.status_transitions AS t WHERE t.workspace_id = 1 AND t.entity = 'delivery'
		AND t.from_status = m.from_status AND t.to_status = m.to_status) AS is_known
  FROM moves AS m;
SELECT is((SELECT count(*) FROM move_results), (8 * 5 * 4 * 2)::bigint, 'every pair was tried');
SELECT is((SELECT array_agg(DISTINCT type) FROM move_results WHERE result = 'changed'), '{gift}', 'only gifts moved');
SELECT ok(CASE
		WHEN from_status = to_status THEN result = 'nothing'
		WHEN from_status = '' THEN result ~ '^OT010 issued reward \d+ is not used yet.*mark_used'
		WHEN type <> 'gift' AND to_status <> 'ordered' THEN
			result = format('OT010 delivery status cannot change from "%s" to "%s". Only a gift is delivered, this is a reward of type "%s".', from_status, to_status, type)
		WHEN is_known THEN result = 'changed'
		ELSE result LIKE format('OT010 delivery status cannot change from "%s" to "%s".%%', from_status, to_status)
			AND (SELECT bool_and(result LIKE '%' || t.to_status || '%') IS NOT FALSE FROM ordertrack.status_transitions AS t
				WHERE t.workspace_id = 1 AND t.entity = 'delivery' AND t.from_status = r.from_status) END,
	format('%s%s: %s to %s: %s', CASE WHEN is_raw THEN 'raw: ' END, type, from_status, to_status, result))
  FROM move_results AS r;
SELECT is(pg_temp.note_of(id), concat_ws(' ', 'system delivery_changed', CASE WHEN NOT is_raw THEN 'web' END,
		jsonb_build_object('issued_reward_id', id,
		'delivery_status', jsonb_build_object('old', from_status, 'new', to_status))
		|| CASE WHEN is_raw THEN '{}' ELSE '{"actor":"bob"}'::jsonb END),
	format('%snote: %s to %s', CASE WHEN is_raw THEN 'raw: ' END, from_status, to_status))
  FROM move_results WHERE result = 'changed';
SELECT pg_temp.issue('gift') AS gift, pg_temp.issue('value_code') AS plain, pg_temp.issue('gift') AS other
\gset
SELECT ordertrack.mark_used(:gift), ordertrack.mark_used(:plain)
\g /dev/null
SELECT is(ordertrack.set_delivery_status(:gift, status), previous, 'previous status: ' || previous)
  FROM (VALUES ('ordered', 'ordered'), ('shipped', 'ordered'), ('shipped', 'shipped'), ('delivered', 'shipped'),
	('delivered', 'delivered')) AS m (status, previous);
SELECT is(pg_temp.try(:gift, command), wanted, command) FROM (VALUES
	('SELECT '''' FROM ordertrack.set_delivery_status(-1, ''shipped'')', 'OT002 issued reward -1 does not exist.'),
	('SELECT '''' FROM ordertrack.set_delivery_status(1, ''shipped'', workspace => -1)', 'OT002 workspace -1 does not exist.'),
	('SELECT '''' FROM ordertrack.set_delivery_status(NULL, ''shipped'')', 'OT005 argument "issued_reward_id" must not be null.'),
	('SELECT '''' FROM ordertrack.set_delivery_status(1, NULL)', 'OT005 argument "status" must not be null.'),
	('SELECT '''' FROM ordertrack.set_delivery_status(1, ''Shipped'')', 'OT005 unknown delivery status "Shipped". Statuses are ordered, shipped, delivered and canceled.'),
	('SELECT '''' FROM ordertrack.set_delivery_status(1, ''lost'')', 'OT005 unknown delivery status "lost". Statuses are ordered, shipped, delivered and canceled.')) AS c (command, wanted);

-- A workspace may loosen the moves, for gifts and for itself only.
SELECT bag_eq(format('SELECT entity, from_status, to_status FROM ordertrack.status_transitions WHERE workspace_id = %s', :w),
	'SELECT entity, from_status, to_status FROM ordertrack.status_transitions WHERE workspace_id = 1',
	'a new workspace has the same moves');
SELECT pg_temp.issue('gift', w => :w) AS loose_gift, pg_temp.issue('event_invitation', w => :w) AS loose_plain,
	pg_temp.issue('gift', w => :w) AS loose_first, pg_temp.issue('gift', w => :w) AS tight,
	pg_temp.issue('free_delivery', w => :w) AS loose_plain_first
\gset
SELECT ordertrack.mark_used(ARRAY[:loose_gift, :loose_plain, :tight], workspace => :w)
\g /dev/null
SELECT throws_ok(format('SELECT ordertrack.set_delivery_status(%s, ''delivered'', workspace => %s)', :loose_gift, :w), 'OT010',
	NULL, 'not yet');
INSERT INTO ordertrack.status_transitions (workspace_id, entity, from_status, to_status, event_type) VALUES
	(:w, 'delivery', 'ordered', 'delivered', 'delivery_changed'), (:w, 'delivery', 'delivered', 'shipped', 'gift_came_back'),
	(:w, 'delivery', 'canceled', 'ordered', NULL), (:w, 'delivery', NULL, 'shipped', NULL),
	(:w, 'order', 'delivered', 'canceled', NULL);
SELECT is(ordertrack.set_delivery_status(:loose_gift, to_status, workspace => :w)
		|| ' ' || (pg_temp.note_of(:loose_gift) LIKE 'system ' || event_type || ' %'), from_status || ' true',
	'loosened: ' || to_status) FROM (VALUES ('ordered', 'delivered', 'delivery_changed'), ('delivered', 'shipped', 'gift_came_back'),
	('shipped', 'canceled', 'delivery_changed'), ('canceled', 'ordered', 'delivery_ordered')) AS m (from_status, to_status, event_type);
SELECT throws_ok(format('SELECT ordertrack.set_delivery_status(%s, ''delivered'', workspace => %s)', :loose_plain, :w), 'OT010',
	NULL, 'whatever the rows say: only gifts');
SELECT throws_ok(format('SELECT ordertrack.set_delivery_status(%s, %L)', :gift, status), 'OT010', NULL,
	'no other workspace is loosened: ' || status) FROM unnest('{shipped,canceled}'::text[]) AS status;
SELECT is(pg_temp.try(:loose_first, format('UPDATE ordertrack.issued_rewards SET used_at = now() - ''1 hour''::interval, delivery_status = ''shipped'' WHERE issued_reward_id = %s RETURNING ''''', :loose_first)),
	'changed', 'a first status of its own');
SELECT matches(pg_temp.try(:loose_plain_first, format('UPDATE ordertrack.issued_rewards SET used_at = now(), delivery_status = ''shipped'' WHERE issued_reward_id = %s RETURNING ''''', :loose_plain_first)),
	'^OT010 delivery cannot begin with status "shipped"', 'but for gifts only');
SELECT matches(pg_temp.try(:other, format('UPDATE ordertrack.issued_rewards SET used_at = now(), delivery_status = ''shipped'' WHERE issued_reward_id = %s RETURNING ''''', :other)),
	'^OT010 delivery cannot begin with status "shipped".* Allowed first: ordered', 'nor in another workspace');
DELETE FROM ordertrack.status_transitions WHERE workspace_id = :w AND entity = 'delivery' AND from_status IS NOT NULL;
SELECT throws_ok(format('SELECT ordertrack.set_delivery_status(%s, ''shipped'', workspace => %s)', :tight, :w), 'OT010',
	'delivery status cannot change from "ordered" to "shipped"', 'moves may be taken away, too');

-- Marked again, a delivery is not reset; unmarked and marked, it begins anew.
SELECT is((SELECT string_agg(coalesce(failure_code, result) || coalesce(' ' || delivery_status, ''), ', ') FROM (
	SELECT * FROM ordertrack.mark_used(:gift) UNION ALL SELECT * FROM ordertrack.mark_used(:plain)
	UNION ALL SELECT * FROM ordertrack.unmark_used(:gift) UNION ALL SELECT * FROM ordertrack.unmark_used(:plain)
	UNION ALL SELECT * FROM ordertrack.mark_used(:plain)) AS a),
	'already_used delivered, already_used ordered, delivery_started delivered, success, success ordered', 'used again');

-- Batches: one answer each, in the order given, and each on its own.
CREATE TEMP TABLE batch AS SELECT array_agg(pg_temp.issue('gift', CASE WHEN n % 5 = 0 THEN '1 hour' ELSE '-1 hour' END::interval)) AS ids
  FROM generate_series(1, 20) AS n;
SELECT is((SELECT string_agg(format('%s %s', a.issued_reward_id = g.id, coalesce(a.failure_code, a.result)), ',' ORDER BY n)
	  FROM batch, ordertrack.mark_used(ids[20:20] || ids[3:4] || -5 || ids[1:6] || ids[1] || 0) WITH ORDINALITY AS a (issued_reward_id, result, failure_code, failure_message, used_at, delivery_status, n)
	  JOIN unnest(ids[20:20] || ids[3:4] || -5 || ids[1:6] || ids[1] || 0) WITH ORDINALITY AS g (id, n) USING (n)),
	't reward_not_active,t success,t success,t issued_reward_not_found,t success,t success,t already_used,t already_used,t reward_not_active,t success,t already_used,t issued_reward_not_found',
	'answers of a batch');
SELECT is((SELECT string_agg(coalesce(a.failure_code, a.result), ',' ORDER BY n) FROM batch,
	ordertrack.unmark_used(ids[1:2] || ids[1:1] || ids[8:8]) WITH ORDINALITY AS a (issued_reward_id, result, failure_code, failure_message, used_at, delivery_status, n)),
	'success,success,not_used,not_used', 'unmarked, one of them twice');
CREATE TEMP TABLE answers AS SELECT a.* FROM batch, ordertrack.mark_used(ids || -1::bigint) AS a;
SELECT ok(bool_and((a.failure_code IS NULL) = (a.result = 'success') AND (a.failure_code IS NULL) = (a.failure_message IS NULL)
		AND (a.used_at, a.delivery_status) IS NOT DISTINCT FROM (u.used_at, u.delivery_status::text)),
	'the answers tell the row as it is') FROM answers AS a LEFT JOIN ordertrack.issued_rewards AS u USING (issued_reward_id);
SELECT is((SELECT count(*) FROM ordertrack.mark_used('{}'::bigint[])), 0::bigint, 'none');
SELECT is((SELECT count(*) FROM ordertrack.mark_used('{{1,2},{3,4}}'::bigint[])), 4::bigint, 'an array of arrays');
SELECT is((SELECT count(*) FROM ordertrack.mark_used(array_fill(-1::bigint, '{1000}'))), 1000::bigint, 'a thousand');
SELECT throws_ok('SELECT ordertrack.' || f || args, code, NULL, f || left(args, 60))
  FROM (VALUES ('(NULL::bigint)', 'OT005'), ('(NULL::bigint[])', 'OT005'), ('(''{1,NULL}''::bigint[])', 'OT005'),
	('(array_fill(-1::bigint, ''{1001}''))', 'OT005'), ('(1, repeat(''x'', 1001))', 'OT005'),
	('(1, NULL, repeat(''x'', 1001))', 'OT005'), ('(1, workspace => NULL)', 'OT005'), ('(1, workspace => -1)', 'OT002'),
	('(''{1,2}''::bigint[], workspace => -1)', 'OT002'), ('(''{}''::bigint[], workspace => -1)', 'OT002')) AS c (args, code),
	unnest('{mark_used,unmark_used}'::text[]) AS f;
SELECT is((SELECT failure_code FROM ordertrack.mark_used(:tight)), 'issued_reward_not_found', 'of another workspace');

-- Cashback, in PayTM's words.
SELECT pg_temp.issue('cashback') AS cash
\gset
CREATE FUNCTION pg_temp.pay(id bigint, code integer, detail_code text, message text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	previous text := ordertrack.set_cashback_status(id, code, detail_code, message, 'web', 'bob');
BEGIN
	RETURN concat_ws(' | ', previous, (SELECT cashback_status FROM ordertrack.issued_reward_list WHERE issued_reward_id = id),
		pg_temp.note_of(id));
END
$$;
SELECT is(pg_temp.pay(:cash, code, detail_code, message), format('%s | %s | system cashback_changed web {"actor": "bob", "cashback": %s, "issued_reward_id": %s}',
	previous, shown, data, :cash), 'shown as ' || shown)
  FROM (VALUES
	(2, '501', 'no account', '0: INIT: INIT', '2: 501: no account', '{"new": {"code": 2, "detail_code": "501"}, "old": {"code": 0, "detail_code": "INIT"}}'),
	(2, '501', 'another word', '2: 501: no account', '2: 501: another word', '{"new": {"code": 2, "detail_code": "501"}, "old": {"code": 2, "detail_code": "501"}}'),
	(3, 'W', 'waits', '2: 501: another word', '3: W: waits', '{"new": {"code": 3, "detail_code": "W"}, "old": {"code": 2, "detail_code": "501"}}'),
	(1, NULL, NULL, '3: W: waits', '1', '{"new": {"code": 1}, "old": {"code": 3, "detail_code": "W"}}'),
	(1, NULL, NULL, '1', '1', '{"new": {"code": 1}, "old": {"code": 3, "detail_code": "W"}}'),
	(1, NULL, 'paid', '1', '1: paid', '{"new": {"code": 1}, "old": {"code": 1}}'),
	(1, 'TXN', 'paid', '1: paid', '1: TXN: paid', '{"new": {"code": 1, "detail_code": "TXN"}, "old": {"code": 1}}'),
	(0, NULL, NULL, '1: TXN: paid', '0: INIT: INIT', '{"new": {"code": 0, "detail_code": "INIT"}, "old": {"code": 1, "detail_code": "TXN"}}'),
	(0, NULL, 'again', '0: INIT: INIT', '0: INIT: again', '{"new": {"code": 0, "detail_code": "INIT"}, "old": {"code": 0, "detail_code": "INIT"}}'))
	AS c (code, detail_code, message, previous, shown, data);
SELECT is(ordertrack.set_cashback_status(:cash, 0, NULL, 'again') || ' ' || pg_temp.notes_of(:cash), '0: INIT: again 9', 'the same again is nothing');
SELECT matches(pg_temp.try(:cash, 'SELECT '''' FROM ordertrack.set_cashback_status' || args), '^' || code, 'set_cashback_status' || left(args, 60))
  FROM (VALUES ('(-1, 0)', 'OT002'), ('(NULL, 0)', 'OT005'), (format('(%s, NULL)', :cash), 'OT005'), (format('(%s, 4, ''x'', ''x'')', :cash), 'OT005'),
	(format('(%s, -1, ''x'', ''x'')', :cash), 'OT005'), (format('(%s, 2)', :cash), 'OT005'), (format('(%s, 2, ''x'')', :cash), 'OT005'),
	(format('(%s, 3, NULL, ''x'')', :cash), 'OT005'), (format('(%s, 3, '''', ''x'')', :cash), 'OT005'), (format('(%s, 2, ''x'', '''')', :cash), 'OT005'),
	(format('(%s, 1, '''')', :cash), 'OT005'), (format('(%s, 2, ''x'', repeat(''x'', 1001))', :cash), 'OT005'),
	(format('(%s, 0)', :gift), 'OT005 .*It is a reward of type "gift"'), (format('(%s, 0, workspace => -1)', :cash), 'OT002')) AS c (args, code);
SELECT is(cashback_status, '-', 'a dash for ' || type) FROM ordertrack.issued_reward_list JOIN moves ON issued_reward_id = id
 WHERE type <> 'cashback' AND from_status = '' AND is_raw AND to_status = 'shipped';

-- Cancellation is a rollback's; a canceled unit stays as it is.
SELECT id AS canceled FROM uses WHERE state = 'canceled' AND type = 'gift' AND is_mark AND is_raw
\gset
SELECT id AS canceled_cash FROM uses WHERE state = 'canceled' AND type = 'cashback' AND is_mark AND is_raw
\gset
SELECT id AS canceled_gift FROM uses WHERE state = 'canceled and used' AND type = 'gift' AND is_mark AND is_raw
\gset
SELECT matches(pg_temp.try(id, format(command, id)), wanted, format(command, id)) FROM (VALUES
	(:gift, 'UPDATE ordertrack.issued_rewards SET canceled_at = now() WHERE issued_reward_id = %s RETURNING ''''', '^OT020'),
	(:canceled, 'UPDATE ordertrack.issued_rewards SET canceled_at = NULL WHERE issued_reward_id = %s RETURNING ''''', '^OT020'),
	(:canceled, 'UPDATE ordertrack.issued_rewards SET canceled_at = canceled_at + ''1 s''::interval WHERE issued_reward_id = %s RETURNING ''''', '^OT020'),
	(:canceled, 'UPDATE ordertrack.issued_rewards SET canceled_at = canceled_at WHERE issued_reward_id = %s RETURNING ''''', '^nothing'),
	(:canceled_cash, 'UPDATE ordertrack.issued_rewards SET cashback_code = 1 WHERE issued_reward_id = %s RETURNING ''''', '^OT010 .*canceled'),
	(:canceled_cash, 'SELECT '''' FROM ordertrack.set_cashback_status(%s, 1)', '^OT010 .*canceled'),
	(:canceled_cash, 'SELECT '''' FROM ordertrack.set_cashback_status(%s, 0)', '^nothing'),
	(:canceled_gift, 'SELECT '''' FROM ordertrack.set_delivery_status(%s, ''shipped'')', '^OT010 .*canceled'),
	(:canceled_gift, 'SELECT '''' FROM ordertrack.set_delivery_status(%s, ''ordered'')', '^nothing'),
	(:canceled, 'SELECT '''' FROM ordertrack.set_delivery_status(%s, ''ordered'')', '^OT010 .*canceled'),
	(:gift, 'UPDATE ordertrack.issued_rewards SET cashback_message = ''x'' WHERE issued_reward_id = %s RETURNING ''''', '^OT010 .*has no cashback status'),
	(:gift, 'UPDATE ordertrack.issued_rewards SET cashback_code = 1 WHERE issued_reward_id = %s RETURNING ''''', '^OT010 .*has no cashback status'),
	(:gift, 'UPDATE ordertrack.issued_rewards SET used_at = used_at + ''1 s''::interval WHERE issued_reward_id = %s RETURNING ''''', '^OT010 time of use'),
	(:plain, 'UPDATE ordertrack.issued_rewards SET used_at = NULL WHERE issued_reward_id = %s RETURNING ''''', '^OT010 .*unmark_used'),
	(:plain, 'UPDATE ordertrack.issued_rewards SET delivery_status = NULL WHERE issued_reward_id = %s RETURNING ''''', '^OT010 .*unmark_used'),
	(:other, 'UPDATE ordertrack.issued_rewards SET used_at = now() WHERE issued_reward_id = %s RETURNING ''''', '^OT010 .*mark_used'),
	(:other, 'UPDATE ordertrack.issued_rewards SET used_at = ''infinity'', delivery_status = ''ordered'' WHERE issued_reward_id = %s RETURNING ''''', '^OT010 .*at that time'),
	(:other, 'UPDATE ordertrack.issued_rewards SET used_at = ''-infinity'', delivery_status = ''ordered'' WHERE issued_reward_id = %s RETURNING ''''', '^OT010 .*at that time'),
	(:other, 'UPDATE ordertrack.issued_rewards SET used_at = clock_timestamp() + ''1 min''::interval, delivery_status = ''ordered'' WHERE issued_reward_id = %s RETURNING ''''', '^OT010 .*at that time')) AS c (id, command, wanted);
SELECT throws_ok(format('INSERT INTO ordertrack.issued_rewards (workspace_id, redemption_id, reward_id, customer_id, order_id, reward_type,
	cost_in_points, active_points, active_from, created_at, %s', rest), 'OT010', NULL, 'issued as ' || rest) FROM unnest(ARRAY[
	'used_at, delivery_status) VALUES (1, 1, 1, 1, 1, ''gift'', 1, 1, now(), now(), now(), ''ordered'')',
	'used_at) VALUES (1, 1, 1, 1, 1, ''gift'', 1, 1, now(), now(), now())',
	'delivery_status) VALUES (1, 1, 1, 1, 1, ''gift'', 1, 1, now(), now(), ''shipped'')',
	'canceled_at) VALUES (1, 1, 1, 1, 1, ''gift'', 1, 1, now(), now(), now())']) AS rest;

-- Many units in one raw statement: a note for each, or none at all.
CREATE TEMP TABLE many AS SELECT pg_temp.issue('gift') AS id FROM generate_series(1, 30);
UPDATE ordertrack.issued_rewards SET used_at = now(), delivery_status = 'ordered' WHERE issued_reward_id IN (SELECT id FROM many);
SELECT is((SELECT count(*) FROM many WHERE pg_temp.note_of(id) LIKE 'system reward_used {%'), 30::bigint, 'thirty uses, thirty notes');
SELECT throws_ok(format('UPDATE ordertrack.issued_rewards SET delivery_status = ''shipped'' WHERE issued_reward_id IN (SELECT id FROM many) OR issued_reward_id = %s', :plain),
	'OT010', NULL, 'one forbidden move refuses the statement');
SELECT is((SELECT count(*) FROM many JOIN ordertrack.issued_rewards ON issued_reward_id = id WHERE delivery_status = 'ordered'), 30::bigint, 'as a whole');
SELECT pg_temp.issue('cashback') AS both
\gset
UPDATE ordertrack.issued_rewards SET used_at = now(), delivery_status = 'ordered', cashback_code = 1 WHERE issued_reward_id = :both;
SELECT is((SELECT string_agg(event_type, ' ' ORDER BY note_no) FROM ordertrack.order_notes JOIN ordertrack.issued_rewards
	USING (workspace_id, order_id) WHERE issued_reward_id = :both), 'order_created reward_used cashback_changed', 'two changes at once are two notes');

-- Somebody's triggers: a change after the check is found, a change of its own has no actor of ours.
CREATE FUNCTION pg_temp.meddle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW.delivery_status := 'delivered';
	RETURN NEW;
END
$$;
CREATE TRIGGER zz_meddle BEFORE UPDATE ON ordertrack.issued_rewards FOR EACH ROW EXECUTE FUNCTION pg_temp.meddle();
SELECT throws_ok(format('SELECT ordertrack.mark_used(%s)', :other), 'OT010', 'delivery cannot begin with status "delivered"',
	'changed behind the guard');
DROP TRIGGER zz_meddle ON ordertrack.issued_rewards;
CREATE FUNCTION pg_temp.follow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF pg_trigger_depth() = 1 THEN
		UPDATE ordertrack.issued_rewards SET delivery_status = 'shipped' WHERE issued_reward_id = NEW.issued_reward_id;
	END IF;
	RETURN NULL;
END
$$;
CREATE TRIGGER aa_follow AFTER UPDATE ON ordertrack.issued_rewards FOR EACH ROW EXECUTE FUNCTION pg_temp.follow();
SELECT ordertrack.mark_used(:other, 'web', 'bob')
\g /dev/null
DROP TRIGGER aa_follow ON ordertrack.issued_rewards;
SELECT is((SELECT string_agg(concat_ws(' ', event_type, channel, data ->> 'actor'), ', ' ORDER BY event_type) FROM ordertrack.order_notes JOIN ordertrack.issued_rewards
	USING (workspace_id, order_id) WHERE issued_reward_id = :other AND note_no > 1), 'delivery_changed, reward_used web bob', 'each note has its own actor');
SELECT pg_temp.issue('gift') AS stopped
\gset
CREATE FUNCTION pg_temp.suppress() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER suppress BEFORE UPDATE ON ordertrack.issued_rewards FOR EACH ROW EXECUTE FUNCTION pg_temp.suppress();
SELECT throws_ok(format('SELECT ordertrack.mark_used(%s)', :stopped), '09000', NULL, 'a suppressed write is an error');
DROP TRIGGER suppress ON ordertrack.issued_rewards;
SELECT is(pg_temp.try(:stopped, format('UPDATE ordertrack.issued_rewards SET used_at = now(), delivery_status = ''ordered'' WHERE issued_reward_id = %s RETURNING ''''', :stopped)),
	'changed', 'what an error left announced is forgotten');
SELECT is(pg_temp.note_of(:stopped), format('system reward_used {"used": {"new": true, "old": false}, "delivery_status": {"new": "ordered"}, "issued_reward_id": %s}', :stopped),
	'and nobody else''s actor is in it');
INSERT INTO ordertrack.issued_rewards (workspace_id, issued_reward_id, redemption_id, reward_id, customer_id, order_id, reward_type,
	cost_in_points, active_points, active_from, created_at) VALUES (1, -7, 1, 1, 1, -7, 'gift', 1, 1, now(), now());
SELECT throws_ok('SELECT ordertrack.mark_used(-7)', 'OT001', 'order -7 does not exist', 'a unit without an order can''t have a history');

-- A rollback cancels all that its redemption gave, and only that.
SELECT ordertrack.create_reward('pair', 'gift', 10), ordertrack.grant_points('anna', 40), ordertrack.put_customer('anna', address => '{"city":"home"}')
\g /dev/null
SELECT pg_temp.issue('gift', redemption_id => -1) AS uncanceled
\gset
SELECT redemption_id AS kept FROM ordertrack.redeem_reward('pair', 'anna', 2)
\gset
SELECT redemption_id AS bought FROM ordertrack.redeem_reward('pair', 'anna', 2)
\gset
CREATE TEMP TABLE pair AS SELECT issued_reward_id AS id FROM ordertrack.issued_rewards WHERE redemption_id = :bought AND workspace_id = 1;
SELECT is((SELECT string_agg(concat_ws(' ', status, is_used, reward), ', ') FROM ordertrack.issued_reward_list JOIN pair ON id = issued_reward_id),
	'active f pair, active f pair', 'what redeem_reward issues');
SELECT is((SELECT string_agg(address::text, ', ') FROM ordertrack.redeemed_reward_address JOIN pair ON id = issued_reward_id),
	'{"city": "home"}, {"city": "home"}', 'and where it goes');
SELECT is((SELECT string_agg(result, ' ') FROM ordertrack.mark_used((SELECT array_agg(id) FROM pair))), 'success success', 'both used');
SELECT is((SELECT result FROM ordertrack.rollback_redemption(:bought)), 'failure', 'what is used stays');
SELECT is((SELECT string_agg(result, ' ') FROM ordertrack.unmark_used((SELECT array_agg(id) FROM pair))), 'success success', 'neither used');
SELECT is((SELECT result FROM ordertrack.rollback_redemption(:bought)), 'success', 'rolled back');
SELECT is((SELECT string_agg(status || (canceled_at IS NOT NULL), ' ') FROM ordertrack.issued_reward_list JOIN pair ON id = issued_reward_id),
	'canceledtrue canceledtrue', 'both canceled');
SELECT is((SELECT string_agg(status, ' ') FROM ordertrack.issued_reward_list WHERE redemption_id = :kept AND workspace_id = 1 AND reward = 'pair'),
	'active active', 'and nothing else');
SELECT is((SELECT string_agg(failure_code, ' ') FROM ordertrack.mark_used((SELECT array_agg(id) FROM pair))), 'reward_canceled reward_canceled',
	'nor used again');
SELECT throws_ok(format('UPDATE ordertrack.issued_rewards SET canceled_at = now() WHERE redemption_id = %s', :kept), 'OT020', NULL, 'what was announced is over');
INSERT INTO ordertrack.issued_rewards (workspace_id, issued_reward_id, redemption_id, reward_id, customer_id, order_id, reward_type,
	cost_in_points, active_points, active_from, created_at)
SELECT 1, -9, redemption_id, reward_id, customer_id, order_id, reward_type, 1, 1, now(), now() FROM ordertrack.issued_rewards JOIN pair ON id = issued_reward_id LIMIT 1;
SELECT throws_ok('UPDATE ordertrack.issued_rewards SET canceled_at = (SELECT canceled_at FROM ordertrack.issued_rewards JOIN pair ON id = issued_reward_id LIMIT 1) WHERE issued_reward_id = -9',
	'OT020', NULL, 'also for a unit of the same redemption, at the same time');
CREATE FUNCTION pg_temp.spread() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	UPDATE ordertrack.issued_rewards SET canceled_at = NEW.canceled_at WHERE redemption_id = TG_ARGV[0]::bigint AND canceled_at IS NULL;
	RETURN NULL;
END
$$;
SELECT format('CREATE TRIGGER spread AFTER UPDATE ON ordertrack.issued_rewards FOR EACH ROW EXECUTE FUNCTION pg_temp.spread(%L)', u.redemption_id)
  FROM ordertrack.issued_rewards AS u WHERE issued_reward_id = :uncanceled
\gexec
SELECT throws_ok(format('SELECT ordertrack.rollback_redemption(%s)', :kept), 'OT020', NULL, 'a trigger cannot cancel other units beside it');
DROP TRIGGER spread ON ordertrack.issued_rewards;
SELECT is((SELECT result FROM ordertrack.rollback_redemption(:kept)), 'success', 'without it, it is rolled back');

-- The grid and the address.
SELECT ordertrack.put_customer('anna', 'a@b', '+1', 'Anna', 'Arc'), pg_temp.issue('value_code', code => 'XYZ') AS coded,
	pg_temp.issue('gift') AS uncoded
\gset
SELECT is((SELECT concat_ws('|', reward, reward_name, code, email, phone, first_name, last_name, customer, active_points, cost_in_points, cashback_status, is_used, delivery_status)
	FROM ordertrack.redeemed_rewards WHERE issued_reward_id = id), wanted, 'grid: ' || wanted) FROM (VALUES
	(:coded, 'value_code (XYZ)|value_code|XYZ|a@b|+1|Anna|Arc|anna|90|10|-|f'),
	(:uncoded, 'gift|gift|a@b|+1|Anna|Arc|anna|90|10|-|f'),
	(:cash, 'cashback|cashback|a@b|+1|Anna|Arc|anna|90|10|0: INIT: again|f'),
	(:gift, 'gift|gift|a@b|+1|Anna|Arc|anna|90|10|-|t|delivered')) AS c (id, wanted);
SELECT ordertrack.create_order('{"shipping_address":{"city":"old"}}', 'anna') AS sent
\gset
INSERT INTO ordertrack.issued_rewards (workspace_id, issued_reward_id, redemption_id, reward_id, customer_id, order_id, reward_type,
	cost_in_points, active_points, active_from, created_at)
SELECT 1, -8, 1, 1, customer_id, :sent, 'gift', 1, 1, now(), now() FROM ordertrack.customers WHERE workspace_id = 1 AND source_id = 'anna';
SELECT ordertrack.update_order(:sent, '{"shipping_address":{"city":"new"}}')
\g /dev/null
SELECT is((SELECT format('%s %s %s', order_id = :sent, customer, address) FROM ordertrack.redeemed_reward_address WHERE issued_reward_id = -8),
	't anna {"city": "old"}', 'the address as it was that day');
DELETE FROM ordertrack.personal_values WHERE order_id = :sent;
SELECT is((SELECT format('%s %s %s', order_id = :sent, customer, address) FROM ordertrack.redeemed_reward_address WHERE issued_reward_id = -8),
	't anna ', 'and none when it has been erased');
SELECT is_empty(format('SELECT v.* FROM ordertrack.orders AS o CROSS JOIN LATERAL ordertrack.verify_order(o.order_id, o.workspace_id) AS v'),
	'all histories verify');

-- Filters and paging use the indexes, on many rows.
INSERT INTO ordertrack.issued_rewards (workspace_id, redemption_id, reward_id, customer_id, order_id, reward_type,
	cost_in_points, active_points, active_from, created_at)
SELECT 1, n, 1, n, n, 'gift', 1, 1, now(), now() - n * '1 min'::interval FROM generate_series(1, 30000) AS n;
ALTER TABLE ordertrack.issued_rewards DISABLE TRIGGER USER;
UPDATE ordertrack.issued_rewards SET used_at = created_at, delivery_status = CASE WHEN redemption_id % 100 = 0 THEN 'shipped' ELSE 'ordered' END
 WHERE redemption_id % 20 = 0 AND used_at IS NULL AND canceled_at IS NULL;
SELECT ordertrack.arm_triggers()
\g /dev/null
ANALYZE ordertrack.issued_rewards;
CREATE FUNCTION pg_temp.plan(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	line text;
	plan text := '';
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS off) ' || query LOOP
		plan := plan || line || E'\n';
	END LOOP;
	RETURN plan;
END
$$;
SELECT ok(plan ~ ('Scan (Backward )?(using|on) ' || index) AND plan !~ 'Seq Scan on issued_rewards', format('%s: %s', v, filter) || CASE WHEN plan ~ index THEN '' ELSE E'\n' || plan END)
  FROM (VALUES
	('redeemed_at > now() - ''1 hour''::interval', 'issued_rewards_created_at_idx'),
	('(redeemed_at, issued_reward_id) < (now() - ''1 hour''::interval, 5) ORDER BY redeemed_at DESC, issued_reward_id DESC LIMIT 20', 'issued_rewards_created_at_idx'),
	('true ORDER BY redeemed_at DESC, issued_reward_id DESC LIMIT 20', 'issued_rewards_created_at_idx'),
	('NOT is_used ORDER BY redeemed_at DESC, issued_reward_id DESC LIMIT 20', 'issued_rewards_created_at_idx'),
	('used_at > now() - ''2 hours''::interval', 'issued_rewards_used_at_idx'),
	('is_used', 'issued_rewards_used_at_idx'), ('is_used = true', 'issued_rewards_used_at_idx'),
	('delivery_status = ''shipped''', 'issued_rewards_delivery_status_idx'),
	('delivery_status = ''shipped'' ORDER BY redeemed_at DESC, issued_reward_id DESC LIMIT 20', 'issued_rewards_delivery_status_idx'),
	('issued_reward_id = 7', 'issued_rewards_pkey'), ('redemption_id = 7', 'issued_rewards_redemption_id_idx')) AS f (filter, index)
 CROSS JOIN (VALUES ('redeemed_rewards'), ('export_redeemed_rewards')) AS t (v)
 CROSS JOIN LATERAL pg_temp.plan(format('SELECT * FROM ordertrack.%I WHERE workspace_id = 1 AND %s', v, filter)) AS plan;

SELECT * FROM finish();
ROLLBACK;

-- Points: the order in which they are spent, their windows, the ledger, transfers,
-- cancellations and idempotency.
BEGIN;
SELECT * FROM no_plan();

SELECT ordertrack.create_workspace('other') AS other
\gset

-- Grants of the past, as time would have left them: expiry and pending from now
-- on, negative where that is over.
CREATE FUNCTION pg_temp.granted(who text, label text, points bigint, expires interval DEFAULT NULL,
	age interval DEFAULT '0', pending interval DEFAULT NULL) RETURNS bigint LANGUAGE sql AS $$
	WITH lot AS (
		INSERT INTO ordertrack.point_lots
			(workspace_id, customer_id, points, points_left, expires_at, pending_until, granted_at, reason)
		VALUES (1, ordertrack.put_customer(who), points, points, coalesce(now() + expires, 'infinity'), now() + pending,
			now() - age, label)
		RETURNING customer_id, lot_id
	), account AS (
		INSERT INTO ordertrack.point_accounts AS a (workspace_id, customer_id, balance, movement_count)
		SELECT 1, customer_id, points, 1 FROM lot
		ON CONFLICT (workspace_id, customer_id)
			DO UPDATE SET balance = a.balance + points, movement_count = a.movement_count + 1
		RETURNING a.balance, a.movement_count
	)
	INSERT INTO ordertrack.point_movements
		(workspace_id, customer_id, movement_no, kind, points, balance, lot_id, created_by, created_at)
	SELECT 1, customer_id, movement_count, 'granted', points, balance, lot_id, 'tap', now() FROM lot, account
	RETURNING lot_id
$$;
CREATE FUNCTION pg_temp.reward(cost bigint) RETURNS text LANGUAGE sql AS $$
	INSERT INTO ordertrack.rewards (workspace_id, name, type, cost_in_points, code_source)
	VALUES (1, 'for ' || cost, 'event_invitation', cost, 'none')
	ON CONFLICT (workspace_id, name) DO UPDATE SET updated_at = now() RETURNING name
$$;
CREATE FUNCTION pg_temp.balance(who text) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', active, pending, expired, spent) FROM ordertrack.points_balance(who)
$$;
-- The movements of a customer after the first so many.
CREATE FUNCTION pg_temp.moved(who text, after bigint DEFAULT 0) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(format('%s %s %s (%s)', m.kind, coalesce(o.reason, l.reason, 'lot'), m.points, m.balance),
		', ' ORDER BY m.movement_no)
	  FROM ordertrack.point_movement_list AS m
	  JOIN ordertrack.point_lots AS l USING (workspace_id, lot_id)
	  LEFT JOIN ordertrack.point_lots AS o ON o.workspace_id = l.workspace_id AND o.lot_id = l.transferred_from
	 WHERE m.workspace_id = 1 AND m.customer = who AND m.movement_no > after
$$;
-- The error that a statement ends with.
CREATE FUNCTION pg_temp.error_of(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
BEGIN
	EXECUTE command;
	RETURN 'done';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN concat_ws(': ', SQLSTATE, SQLERRM, nullif(detail, ''));
END
$$;

-- Which lots are taken from, in which order; the same by a transfer and by a reward.
CREATE TEMP TABLE lots (n integer, label text, points bigint, expires interval, age interval, pending interval);
INSERT INTO lots VALUES
	(1, 'month', 10, '30 days', '0', NULL), (1, 'soon', 10, '10 days', '0', NULL), (1, 'later', 10, '20 days', '0', NULL),
	(2, 'never', 10, NULL, '900 days', NULL), (2, 'some day', 10, '9000 days', '0', NULL),
	(3, 'young', 10, '10 days', '1 day', NULL), (3, 'old', 10, '10 days', '3 days', NULL),
		(3, 'middle', 10, '10 days', '2 days', NULL),
	(4, 'young', 10, NULL, '1 day', NULL), (4, 'old', 10, NULL, '3 days', NULL), (4, 'middle', 10, NULL, '2 days', NULL),
	(5, 'first', 10, '10 days', '1 day', NULL), (5, 'second', 10, '10 days', '1 day', NULL),
	(6, 'pending', 10, '10 days', '9 days', '1 second'), (6, 'pending no more', 10, '20 days', '0', '-1 second'),
		(6, 'never pending', 10, '30 days', '0', NULL),
	(7, 'over', 10, '-1 second', '9 days', NULL), (7, 'long over', 5, '-9 days', '10 days', '-10 days'),
		(7, 'left', 10, '10 days', '0', NULL), (7, 'waiting', 7, '5 days', '0', '1 day'),
	(8, 'a', 1, '3 days', '0', NULL), (8, 'b', 1, '2 days', '0', NULL), (8, 'c', 1, '1 day', '0', NULL),
		(8, 'd', 97, '4 days', '0', NULL);
UPDATE lots SET pending = '1 day' WHERE pending = '1 second';
CREATE TEMP TABLE takes (n integer, label text, points bigint, taken text, balance text, missing bigint);
INSERT INTO takes VALUES
	(1, 'those that expire soonest', 25, 'soon -10 (20), later -10 (10), month -5 (5)', '5 0 0', 21),
	(2, 'those that never expire last', 11, 'some day -10 (10), never -1 (9)', '9 0 0', 3),
	(3, 'ties by age', 21, 'old -10 (20), middle -10 (10), young -1 (9)', '9 0 0', 13),
	(4, 'ties by age, of those that never expire', 30, 'old -10 (20), middle -10 (10), young -10 (0)', '0 0 0', 31),
	(5, 'ties by number', 11, 'first -10 (10), second -1 (9)', '9 0 0', 3),
	(6, 'not what is pending', 20, 'pending no more -10 (20), never pending -10 (10)', '0 10 0', 21),
	(7, 'not what is over, which is booked before', 10, 'left -10 (7)', '0 7 15', 11),
	(8, 'a part of the last', 50, 'c -1 (99), b -1 (98), a -1 (97), d -47 (50)', '50 0 0', 1);
CREATE TEMP TABLE ways (way text, kind text, spends boolean);
INSERT INTO ways VALUES ('transfer', 'transferred_out', false), ('reward', 'spent', true);
SELECT pg_temp.granted(format('%s %s', way, n), l.label, l.points, l.expires, l.age, l.pending)
  FROM lots AS l, ways ORDER BY l.n, l.ctid \g /dev/null
SELECT ordertrack.put_customer('taker'), pg_temp.reward(points), pg_temp.reward(points + missing) FROM takes \g /dev/null
SELECT CASE WHEN way = 'transfer' THEN ordertrack.transfer_points('transfer ' || n, 'taker', points)::text
	ELSE (ordertrack.redeem_reward('for ' || points, 'reward ' || n)).result END FROM takes, ways \g /dev/null
SELECT is(pg_temp.moved(format('%s %s', w.way, t.n), (SELECT count(*) FROM lots AS l WHERE l.n = t.n)),
		concat(CASE WHEN t.n = 7 THEN 'expired long over -5 (27), expired over -10 (17), ' END,
			regexp_replace(t.taken, '(^|, )', '\1' || w.kind || ' ', 'g')), format('%s takes %s', way, label))
  FROM takes AS t, ways AS w ORDER BY way, t.n;
SELECT is(pg_temp.balance(format('%s %s', way, n)), balance || ' ' || CASE WHEN spends THEN points ELSE 0 END,
	format('balance after: %s takes %s', way, label)) FROM takes, ways ORDER BY way, n;
-- What is left is not enough for as many again, and the caller is told by how much.
SELECT is(pg_temp.error_of(format('SELECT ordertrack.transfer_points(''transfer %s'', ''taker'', %s)', n,
		split_part(balance, ' ', 1)::bigint + missing)),
	format('OT006: customer has not enough points: %s more are needed.', missing), 'too few: ' || label) FROM takes;
SELECT is(concat_ws(' ', r.result, r.failure_code, r.points_missing), 'failure not_enough_points ' ||
	(points + missing - split_part(balance, ' ', 1)::bigint), 'too few for a reward: ' || label)
  FROM takes CROSS JOIN LATERAL ordertrack.redeem_reward('for ' || (points + missing), 'reward ' || n) AS r;
SELECT is(pg_temp.balance(format('%s %s', way, n)), balance || ' ' || CASE WHEN spends THEN points ELSE 0 END,
	format('what is refused takes nothing: %s %s', way, label)) FROM takes, ways ORDER BY way, n;

-- A transfer keeps the terms and the age of each lot, but for the wait, which is over.
SELECT is(concat_ws(' ', t.expires_at, t.granted_at, coalesce(t.pending_until::text, 'at once'), t.points),
		concat_ws(' ', o.expires_at, o.granted_at, 'at once', -m.points),
		format('terms of %s of %s', o.reason, m.customer))
  FROM ordertrack.point_lots AS t
  JOIN ordertrack.point_lots AS o ON o.workspace_id = 1 AND o.lot_id = t.transferred_from
  JOIN ordertrack.point_movement_list AS m ON m.workspace_id = 1 AND m.lot_id = o.lot_id AND m.kind = 'transferred_out'
 WHERE t.workspace_id = 1;
SELECT is((SELECT sum(points) FROM ordertrack.point_movement_list WHERE customer = 'taker' AND kind = 'transferred_in'),
	(SELECT sum(points) FROM takes), 'what went from some came to the other');

-- The balance as of now.
SELECT pg_temp.granted('anna', 'a', 5, '2 days'), pg_temp.granted('anna', 'b', 6, '2 days'), pg_temp.granted('anna', 'c', 7, '3 days'),
	pg_temp.granted('anna', 'd', 8, '1 day', pending => '1 hour'), pg_temp.granted('anna', 'e', 9, '-1 day'), pg_temp.granted('anna', 'f', 100) \g /dev/null
SELECT is(to_jsonb(b), jsonb_build_object('active', 118, 'pending', 8, 'expired', 9, 'spent', 0, 'next_expiring', 11,
	'next_expires_at', now() + interval '2 days'), 'what expires next: all lots of that moment, not what is pending or over')
  FROM ordertrack.points_balance('anna') AS b;
SELECT pg_temp.granted('never', 'a', 5), pg_temp.granted('never', 'b', 6, '1 day', pending => '1 hour'), ordertrack.put_customer('nobody') \g /dev/null
SELECT is(to_jsonb(b), to_jsonb(w), 'balance of ' || who) FROM (VALUES
	('never', 5, 6, 0, 0, NULL::bigint, NULL::timestamptz), ('nobody', 0, 0, 0, 0, NULL, NULL))
	AS c (who, active, pending, expired, spent, next_expiring, next_expires_at)
 CROSS JOIN LATERAL (SELECT active, pending, expired, spent, next_expiring, next_expires_at) AS w
 CROSS JOIN LATERAL ordertrack.points_balance(who) AS b;

-- Whose points expire within a time: what is pending, too, not what is over.
SELECT bag_eq(format('SELECT customer, points FROM ordertrack.expiring_points(%L) WHERE customer IN (''anna'', ''never'')', within),
	format('SELECT customer, points FROM unnest(%L::text[], %L::bigint[]) AS e (customer, points)', customers, points),
	'expiring within ' || within) FROM (VALUES
	('1 hour'::interval, '{}', '{}'), ('25 hours', '{anna,never}', '{8,6}'), ('49 hours', '{anna,never,anna}', '{8,6,11}'),
	('1 month', '{anna,anna,anna,never}', '{8,11,7,6}'), ('100 years', '{anna,anna,anna,never}', '{8,11,7,6}'),
	('0', '{}', '{}'), ('-1 year', '{}', '{}')) AS c (within, customers, points);
SELECT is_empty(format('SELECT * FROM ordertrack.expiring_points(''100 years'', %s)', :other), 'nobody''s in another workspace');
SELECT results_eq('SELECT expires_at FROM ordertrack.expiring_points(''9999 days'')',
	'SELECT expires_at FROM ordertrack.expiring_points(''9999 days'') ORDER BY expires_at, customer', 'the soonest first');

-- By the clock, without a job: what was granted for a moment is over after it.
CREATE FUNCTION pg_temp.brief(who text, points bigint, key text DEFAULT NULL) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	wait interval := '10 milliseconds';
	until timestamptz;
	lot bigint;
BEGIN
	-- Again with more time, where that is over before the call.
	WHILE lot IS NULL LOOP
		BEGIN
			until := clock_timestamp() + wait;
			lot := ordertrack.grant_points(who, points, until, idempotency_key => key);
		EXCEPTION WHEN SQLSTATE 'OT005' THEN
			wait := wait * 4;
		END;
	END LOOP;
	PERFORM pg_sleep_until(until + interval '1 millisecond');
	RETURN lot;
END
$$;
SELECT ordertrack.grant_points('brief', 3), pg_temp.brief('brief', 20, 'brief') AS brief
\gset
SELECT is(pg_temp.balance('brief'), '3 0 20 0', 'over by the clock');
SELECT is(pg_temp.moved('brief'), 'granted lot 3 (3), granted lot 20 (23)', 'and not yet booked');
SELECT is(a.balance::bigint || ' ' || l.status || ' ' || l.points_left, '23 expired 0', 'but nobody sees it as left')
  FROM ordertrack.point_lot_list AS l JOIN ordertrack.point_accounts AS a USING (workspace_id, customer_id) WHERE l.lot_id = :brief;
SELECT is(ordertrack.grant_points('brief', 20, l.expires_at, idempotency_key => 'brief'), :brief::bigint,
	'a retry after the expiry gives the same grant') FROM ordertrack.point_lots AS l WHERE l.lot_id = :brief;
SELECT is(pg_temp.moved('brief', 2), NULL, 'and does nothing');
SELECT ordertrack.grant_points('brief', 4) \g /dev/null
SELECT is(pg_temp.moved('brief', 2), 'expired lot -20 (3), granted lot 4 (7)', 'booked with the next movement, before it');
SELECT is(pg_temp.balance('brief'), '7 0 20 0', 'and counted once');
SELECT ordertrack.grant_points('waits', 9, pending_until => clock_timestamp() + interval '10 milliseconds') AS waits, pg_sleep(0.02)
\gset
SELECT is(pg_temp.balance('waits'), '9 0 0 0', 'pending no more');
SELECT is(l.status, 'active', 'and listed so') FROM ordertrack.point_lot_list AS l WHERE l.lot_id = :waits;

-- Keys: one effect, the same answer; another request is told so.
SELECT ordertrack.grant_points('keyed', 10, '2100-01-01', '2000-01-01', 'why', 'k1', 'web', 'eve') AS k1
\gset
SELECT is(left(pg_temp.error_of('SELECT ordertrack.grant_points(' || args || ')'), 5), wanted, 'key again: ' || label) FROM (VALUES
	('the same request', 'done', '''keyed'', 10, ''2100-01-01 UTC'', ''2000-01-01 UTC'', ''why'', ''k1'', ''web'', ''eve'''),
	('from elsewhere by somebody else', 'done', '''keyed'', 10, ''2100-01-01 UTC'', ''2000-01-01 UTC'', ''why'', ''k1'', ''desk'', ''bob'''),
	('the same moments in other zones', 'done', '''keyed'', 10, ''2100-01-01 01:00+01'', ''1999-12-31 23:00-01'', ''why'', ''k1'''),
	('another customer', 'OT003', '''nobody'', 10, ''2100-01-01 UTC'', ''2000-01-01 UTC'', ''why'', ''k1'''),
	('other points', 'OT003', '''keyed'', 11, ''2100-01-01 UTC'', ''2000-01-01 UTC'', ''why'', ''k1'''),
	('another expiry', 'OT003', '''keyed'', 10, ''2100-01-02 UTC'', ''2000-01-01 UTC'', ''why'', ''k1'''),
	('no expiry', 'OT003', '''keyed'', 10, NULL, ''2000-01-01 UTC'', ''why'', ''k1'''),
	('no wait', 'OT003', '''keyed'', 10, ''2100-01-01 UTC'', NULL, ''why'', ''k1'''),
	('another reason', 'OT003', '''keyed'', 10, ''2100-01-01 UTC'', ''2000-01-01 UTC'', ''because'', ''k1'''),
	('no reason', 'OT003', '''keyed'', 10, ''2100-01-01 UTC'', ''2000-01-01 UTC'', NULL, ''k1'''),
	('in another workspace', 'done', '''keyed'', 10, ''2100-01-01 UTC'', NULL, ''why'', ''k1'', workspace => ' || :other)
  ) AS c (label, wanted, args);
SELECT is(ordertrack.grant_points('keyed', 10, '2100-01-01 UTC', '2000-01-01 UTC', 'why', 'k1'), :k1::bigint, 'the same grant');
SELECT is(pg_temp.moved('keyed'), 'granted why 10 (10)', 'and one effect');
SELECT ordertrack.transfer_points('keyed', 'nobody', 4, 'gift', 'k2', 'web', 'eve') \g /dev/null
SELECT is(left(pg_temp.error_of(command), 5), wanted, 'key of a transfer: ' || command) FROM (VALUES
	('SELECT ordertrack.transfer_points(''keyed'', ''nobody'', 4, ''gift'', ''k2'', ''desk'')', 'done'),
	('SELECT ordertrack.transfer_points(''nobody'', ''keyed'', 4, ''gift'', ''k2'')', 'OT003'),
	('SELECT ordertrack.transfer_points(''keyed'', ''anna'', 4, ''gift'', ''k2'')', 'OT003'),
	('SELECT ordertrack.transfer_points(''keyed'', ''nobody'', 3, ''gift'', ''k2'')', 'OT003'),
	('SELECT ordertrack.transfer_points(''keyed'', ''nobody'', 4, NULL, ''k2'')', 'OT003'),
	('SELECT ordertrack.transfer_points(''keyed'', ''nobody'', 4, ''gift'', ''k1'')', 'OT003'),
	('SELECT ordertrack.grant_points(''keyed'', 4, idempotency_key => ''k2'')', 'OT003'),
	('SELECT ordertrack.redeem(''X'', idempotency_key => ''k1'')', 'OT003'),
	('SELECT ordertrack.redeem_reward(''X'', ''keyed'', idempotency_key => ''k2'')', 'OT003')) AS c (command, wanted);
SELECT is(pg_temp.balance('keyed') || ', ' || pg_temp.balance('nobody'), '6 0 0 0, 4 0 0 0', 'moved once');
-- An error leaves the key free; also a replay is no error where the points are gone.
SELECT is(left(pg_temp.error_of('SELECT ordertrack.transfer_points(''keyed'', ''nobody'', 7, idempotency_key => ''k3'')'), 5),
	'OT006', 'too few, with a key');
SELECT ordertrack.transfer_points('keyed', 'nobody', 6, idempotency_key => 'k3'),
	ordertrack.transfer_points('keyed', 'nobody', 6, idempotency_key => 'k3'), ordertrack.put_customer('keyed', may_spend_points => false),
	ordertrack.transfer_points('keyed', 'nobody', 6, idempotency_key => 'k3') \g /dev/null
SELECT is(pg_temp.balance('keyed') || ', ' || pg_temp.balance('nobody'), '0 0 0 0, 10 0 0 0', 'once more, and once only');
SELECT is(count(*), 1::bigint, 'kept for the grant: ' || idempotency_key) FROM ordertrack.idempotency_keys
 WHERE workspace_id = 1 AND function = 'grant_points' AND lot_id IS NOT NULL GROUP BY idempotency_key;

-- Cancellation: what is left goes, what was spent stays spent.
SELECT pg_temp.granted('cancel', 'first', 10, '1 day') AS first, pg_temp.granted('cancel', 'second', 20, '2 days') AS second,
	pg_temp.granted('cancel', 'over', 5, '-1 day') AS over, pg_temp.granted('cancel', 'waits', 6, pending => '1 day') AS waits,
	pg_temp.reward(3)
\gset
SELECT ordertrack.redeem_reward('for 3', 'cancel') \g /dev/null
CREATE FUNCTION pg_temp.step(command text, OUT answer text, OUT balance text, OUT moved text) LANGUAGE plpgsql AS $$
DECLARE
	before bigint;
BEGIN
	SELECT max(m.movement_no) INTO before FROM ordertrack.point_movement_list AS m WHERE m.customer = 'cancel';
	EXECUTE command INTO answer;
	balance := pg_temp.balance('cancel');
	moved := pg_temp.moved('cancel', before);
END
$$;
SELECT is(concat_ws('; ', s.answer, s.balance, s.moved), c.wanted, 'cancel: ' || c.label) FROM (VALUES
	(1, 'a part is spent', 'SELECT ordertrack.cancel_points(' || :first || ', ''error'')', '7; 20 6 5 3; canceled first -7 (26)'),
	(2, 'twice', 'SELECT ordertrack.cancel_points(' || :first || ')', '0; 20 6 5 3'),
	(3, 'a rollback does not bring back what was spent of it',
		'SELECT result FROM ordertrack.rollback_redemption((SELECT max(redemption_id) FROM ordertrack.redemptions WHERE customer = ''cancel''))',
		'success; 20 6 5 0; returned first 3 (29), canceled first -3 (26)'),
	(4, 'what is pending', 'SELECT ordertrack.cancel_points(' || :waits || ')', '6; 20 0 5 0; canceled waits -6 (20)'),
	(5, 'what is over', 'SELECT ordertrack.cancel_points(' || :over || ')', '0; 20 0 5 0'),
	(6, 'what is left untouched', 'SELECT ordertrack.cancel_points(' || :second || ')', '20; 0 0 5 0; canceled second -20 (0)')
  ) AS c (n, label, command, wanted)
 CROSS JOIN LATERAL pg_temp.step(c.command) AS s;
SELECT is(string_agg(reason || ' ' || status, ', ' ORDER BY lot_id), 'first canceled, second canceled, over expired, waits canceled',
	'states of the grants') FROM ordertrack.point_lot_list WHERE customer = 'cancel';

-- A rollback of a reward: to the lots that it came from, with their terms.
SELECT pg_temp.granted('back', 'a', 10, '1 day'), pg_temp.granted('back', 'b', 20, '2 days'), pg_temp.granted('back', 'c', 5), pg_temp.reward(33) \g /dev/null
SELECT redemption_id AS bought FROM ordertrack.redeem_reward('for 33', 'back')
\gset
SELECT is(pg_temp.balance('back'), '2 0 0 33', 'bought');
SELECT is(r.result, 'success', 'rolled back') FROM ordertrack.rollback_redemption(:bought, 'broken', actor => 'eve', channel => 'desk') AS r;
SELECT is(pg_temp.balance('back'), '35 0 0 0', 'the points are back');
SELECT is(pg_temp.moved('back', 6), 'returned a 10 (12), returned b 20 (32), returned c 3 (35)', 'to the lots that they came from');
SELECT is(to_jsonb(m) - '{workspace_id,customer_id,created_at,lot_id}'::text[], jsonb_build_object('movement_no', 7, 'kind', 'returned', 'points', 10,
	'balance', 12, 'redemption_id', r.redemption_id, 'reason', 'broken', 'created_by', session_user, 'actor', 'eve', 'channel', 'desk'), 'a movement')
  FROM ordertrack.point_movements AS m JOIN ordertrack.redemptions AS r ON r.rollback_of = :bought
  JOIN ordertrack.customers AS c ON c.customer_id = m.customer_id AND c.source_id = 'back' WHERE m.movement_no = 7;
SELECT is(b.next_expiring::text || (b.next_expires_at = now() + interval '1 day'), '10true', 'and expire as before') FROM ordertrack.points_balance('back') AS b;
SELECT is(r.failure_code, 'already_rolled_back', 'once') FROM ordertrack.rollback_redemption(:bought) AS r;
SELECT is(pg_temp.balance('back'), '35 0 0 0', 'and no more');
-- What has expired since comes back and goes again.
CREATE FUNCTION pg_temp.bought_brief(who text, points bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	wait interval := '20 milliseconds';
	until timestamptz;
	bought record;
BEGIN
	LOOP
		BEGIN
			until := clock_timestamp() + wait;
			PERFORM ordertrack.grant_points(who, points, until, reason => 'brief');
			bought := ordertrack.redeem_reward(pg_temp.reward(points), who);
			IF bought.result = 'success' THEN
				PERFORM pg_sleep_until(until + interval '1 millisecond');
				RETURN bought.redemption_id;
			END IF;
			RAISE SQLSTATE 'OT005';
		EXCEPTION WHEN SQLSTATE 'OT005' THEN
			wait := wait * 4;
		END;
	END LOOP;
END
$$;
SELECT pg_temp.bought_brief('late', 8) AS bought, pg_temp.granted('late', 'left', 5)
\gset
SELECT is(r.result, 'success', 'rolled back after the expiry') FROM ordertrack.rollback_redemption(:bought) AS r;
SELECT is(pg_temp.moved('late', 3), 'returned brief 8 (13), expired brief -8 (5)', 'comes back and goes again');
SELECT is(pg_temp.balance('late'), '5 0 8 0', 'as expired, not as spent');

-- A customer who may not spend: neither by a transfer nor for a reward; may still receive.
SELECT pg_temp.granted('barred', 'a', 80), ordertrack.put_customer('barred', may_spend_points => false), pg_temp.reward(80) \g /dev/null
SELECT is(pg_temp.error_of('SELECT ordertrack.transfer_points(''barred'', ''taker'', 1)'), 'OT006: customer may not spend points', 'no transfer');
SELECT is(r.failure_code, 'customer_not_allowed', 'no reward') FROM ordertrack.redeem_reward('for 80', 'barred') AS r;
SELECT lives_ok('SELECT ordertrack.transfer_points(''back'', ''barred'', 1)', 'but a transfer to this customer');
SELECT ordertrack.put_customer('barred', email => 'a@b') \g /dev/null
SELECT is(r.failure_code, 'customer_not_allowed', 'still, after another change') FROM ordertrack.redeem_reward('for 80', 'barred') AS r;
SELECT ordertrack.put_customer('barred', may_spend_points => true) \g /dev/null
SELECT is(r.result, 'success', 'allowed again') FROM ordertrack.redeem_reward('for 80', 'barred') AS r;

-- Never beyond bigint, also of what is spent and expired: a sum could not be told.
SELECT ordertrack.grant_points('rich', 9223372036854775800), pg_temp.granted('rich', 'over', 7, '-1 day') \g /dev/null
SELECT pg_temp.reward(9223372036854775800) \g /dev/null
SELECT is(pg_temp.error_of(command), '22003: points are out of range', label) FROM (VALUES
	('a grant beyond bigint', 'SELECT ordertrack.grant_points(''rich'', 1)'),
	('a transfer beyond bigint', 'SELECT ordertrack.transfer_points(''taker'', ''rich'', 1)')) AS c (label, command);
SELECT is(pg_temp.balance('rich'), '9223372036854775800 0 7 0', 'changes nothing');
SELECT is(r.result || r.active_points, 'success0', 'as much can be spent')
  FROM ordertrack.redeem_reward('for 9223372036854775800', 'rich') AS r;
SELECT is(pg_temp.error_of('SELECT ordertrack.grant_points(''rich'', 1)'), '22003: points are out of range', 'and counts when it is spent');
SELECT is(pg_temp.balance('rich'), '0 0 7 9223372036854775800', 'and nothing is added to it');
SELECT is(r.result, 'success', 'it comes back') FROM ordertrack.rollback_redemption((SELECT max(redemption_id)
	FROM ordertrack.redemptions WHERE customer = 'rich' AND result = 'success')) AS r;
SELECT is(pg_temp.balance('rich'), '9223372036854775800 0 7 0', 'as a whole');

-- What is refused leaves nothing.
CREATE FUNCTION pg_temp.state() RETURNS text LANGUAGE sql AS $$
	SELECT md5(concat((SELECT string_agg(l::text, '|' ORDER BY lot_id) FROM ordertrack.point_lots AS l),
		(SELECT count(*) FROM ordertrack.point_movements), (SELECT count(*) FROM ordertrack.customers), (SELECT count(*) FROM ordertrack.idempotency_keys)))
$$;
SELECT pg_temp.state() AS state
\gset
SELECT throws_ok(format('SELECT ordertrack.%s', call), code, NULL, left(format('%s: %s', code, call), 100)) FROM (VALUES
	('OT005', $$grant_points(NULL, 1)$$), ('OT005', $$grant_points('', 1)$$), ('OT005', $$grant_points(repeat('x', 256), 1)$$),
	('OT005', $$grant_points('new', NULL)$$), ('OT005', $$grant_points('new', 0)$$), ('OT005', $$grant_points('new', -1)$$),
	('OT005', $$grant_points('new', -9223372036854775808)$$),
	('OT005', $$grant_points('new', 1, now())$$), ('OT005', $$grant_points('new', 1, '2001-01-01')$$), ('OT005', $$grant_points('new', 1, '-infinity')$$),
	('OT005', $$grant_points('new', 1, NULL, 'infinity')$$), ('OT005', $$grant_points('new', 1, 'infinity', 'infinity')$$),
	('OT005', $$grant_points('new', 1, '2100-01-01', '2100-01-01')$$), ('OT005', $$grant_points('new', 1, '2100-01-01', '2100-01-02')$$),
	('OT005', $$grant_points('new', 1, '2001-01-01', '2000-01-01')$$),
	('OT005', $$grant_points('new', 1, reason => repeat('x', 1001))$$), ('OT005', $$grant_points('new', 1, idempotency_key => '')$$),
	('OT005', $$grant_points('new', 1, idempotency_key => repeat('x', 256))$$), ('OT005', $$grant_points('new', 1, channel => repeat('x', 1001))$$),
	('OT005', $$grant_points('new', 1, actor => repeat('x', 1001))$$), ('OT005', $$grant_points('new', 1, workspace => NULL)$$),
	('OT002', $$grant_points('new', 1, workspace => -1)$$),
	('OT005', $$cancel_points(NULL)$$), ('OT002', $$cancel_points(0)$$), ('OT002', $$cancel_points(-1)$$), ('OT002', $$cancel_points(9223372036854775807)$$),
	('OT005', $$cancel_points(1, repeat('x', 1001))$$), ('OT005', $$cancel_points(1, channel => repeat('x', 1001))$$),
	('OT005', $$cancel_points(1, actor => repeat('x', 1001))$$), ('OT005', $$cancel_points(1, workspace => NULL)$$),
	('OT002', $$cancel_points(1, workspace => -1)$$), ('OT002', $$cancel_points(1, workspace => $$ || :other || ')'),
	('OT005', $$transfer_points(NULL, 'taker', 1)$$), ('OT005', $$transfer_points('anna', NULL, 1)$$), ('OT005', $$transfer_points('', 'taker', 1)$$),
	('OT005', $$transfer_points('anna', '', 1)$$), ('OT005', $$transfer_points(repeat('x', 256), 'taker', 1)$$),
	('OT005', $$transfer_points('anna', repeat('x', 256), 1)$$), ('OT005', $$transfer_points('anna', 'anna', 1)$$),
	('OT005', $$transfer_points('anna', 'taker', NULL)$$), ('OT005', $$transfer_points('anna', 'taker', 0)$$), ('OT005', $$transfer_points('anna', 'taker', -1)$$),
	('OT005', $$transfer_points('anna', 'taker', 1, repeat('x', 1001))$$), ('OT005', $$transfer_points('anna', 'taker', 1, idempotency_key => '')$$),
	('OT005', $$transfer_points('anna', 'taker', 1, workspace => NULL)$$), ('OT002', $$transfer_points('anna', 'taker', 1, workspace => -1)$$),
	('OT002', $$transfer_points('anna', 'taker', 1, workspace => $$ || :other || ')'),
	('OT002', $$transfer_points('new', 'taker', 1, idempotency_key => 'new')$$), ('OT002', $$transfer_points('anna', 'new', 1)$$),
	('OT006', $$transfer_points('anna', 'taker', 9223372036854775807)$$), ('OT006', $$transfer_points('nobody', 'taker', 11)$$),
	('OT005', $$points_balance(NULL)$$), ('OT005', $$points_balance('')$$), ('OT005', $$points_balance(repeat('x', 256))$$), ('OT002', $$points_balance('new')$$),
	('OT002', $$points_balance('anna', $$ || :other || ')'), ('OT002', $$points_balance('anna', -1)$$), ('OT005', $$points_balance('anna', NULL)$$),
	('OT005', $$expiring_points(NULL)$$), ('OT005', $$expiring_points('1 day', NULL)$$), ('OT002', $$expiring_points('1 day', -1)$$),
	('22008', $$expiring_points('999999 years')$$)) AS c (code, call);
SELECT is(pg_temp.state(), :'state', 'what is refused leaves nothing');
-- The extremes that are allowed.
SELECT is(l.status || coalesce(l.expires_at::text, ' for ever'), 'active for ever', 'allowed: ' || expires || ', ' || pending)
  FROM (VALUES ('infinity', '-infinity'), ('infinity', '2001-01-01')) AS c (expires, pending)
 CROSS JOIN LATERAL ordertrack.grant_points(repeat('x', 255), 1, expires::timestamptz, pending::timestamptz, repeat('x', 1000),
	repeat('x', 245) || pending, workspace => 1) AS g (id)
  JOIN LATERAL (SELECT * FROM ordertrack.point_lot_list) AS l ON l.lot_id = g.id;

-- What the tables themselves do not allow.
SELECT throws_ok(format('UPDATE ordertrack.%s', change), '23514', NULL, 'refused: ' || change) FROM unnest(ARRAY[
	'point_lots SET points_left = points + 1', 'point_lots SET points_left = -1', 'point_accounts SET balance = -1',
	'point_accounts SET spent = -1', 'point_accounts SET expired = -1']) AS change;
SELECT throws_ok(format('INSERT INTO ordertrack.point_lots (workspace_id, customer_id, points, points_left, expires_at, pending_until, granted_at)
	VALUES (1, 1, %s, now())', v), '23514', NULL, 'no such lot: ' || v)
  FROM unnest(ARRAY['0, 0, ''infinity'', NULL', '-1, 0, ''infinity'', NULL', '1, 2, ''infinity'', NULL', '1, -1, ''infinity'', NULL',
	'1, 1, ''2001-01-01'', ''2001-01-01''', '1, 1, ''infinity'', ''infinity''']) AS v;
SELECT throws_ok($$INSERT INTO ordertrack.point_movements (workspace_id, customer_id, movement_no, kind, points, balance, lot_id, created_by, created_at)
	SELECT 1, customer_id, 9, kind, -1, balance, lot_id, 'x', now() FROM (VALUES (1, 'lost', 0, 1), (1, 'spent', -1, 1)) AS v (customer_id, kind, balance, lot_id)
	 WHERE kind = $$ || quote_literal(kind), '23514', NULL, 'no such movement: ' || kind) FROM unnest('{lost,spent}'::text[]) AS kind;
-- What is left of a lot and why is no term of it.
SELECT lives_ok('UPDATE ordertrack.point_lots SET reason = NULL, points_left = points_left, canceled_at = canceled_at', 'a reason can be erased');

-- The ledger: movements without gaps, their sum, the balance, and what is left of lots.
SELECT is_empty($$
	WITH m AS (
		SELECT *, row_number() OVER w AS n, sum(points) OVER w AS total FROM ordertrack.point_movements
		WINDOW w AS (PARTITION BY workspace_id, customer_id ORDER BY movement_no))
	SELECT 'movement', customer_id, movement_no FROM m WHERE movement_no <> n OR balance <> total
	UNION ALL SELECT 'account', customer_id, balance FROM ordertrack.point_accounts AS a
	 WHERE concat_ws(' ', balance, movement_count, spent, expired) IS DISTINCT FROM (SELECT concat_ws(' ', sum(points), count(*),
			-coalesce(sum(points) FILTER (WHERE kind IN ('spent', 'returned')), 0), -coalesce(sum(points) FILTER (WHERE kind = 'expired'), 0))
		  FROM m WHERE m.workspace_id = a.workspace_id AND m.customer_id = a.customer_id)
	    OR balance IS DISTINCT FROM (SELECT sum(points_left) FROM ordertrack.point_lots AS l
		 WHERE l.workspace_id = a.workspace_id AND l.customer_id = a.customer_id)
	UNION ALL SELECT 'lot', lot_id, points_left FROM ordertrack.point_lots AS l
	 WHERE points_left IS DISTINCT FROM (SELECT sum(points) FROM m WHERE m.workspace_id = l.workspace_id AND m.lot_id = l.lot_id)
$$, 'the ledger is right');
SELECT is_empty('SELECT v.* FROM ordertrack.orders AS o, ordertrack.verify_order(o.order_id) AS v WHERE o.workspace_id = 1',
	'all histories verify');

-- Time in the ledger never runs backwards, whatever the clock of a call says.
SELECT ordertrack.grant_points('clock', 5)
\g /dev/null
UPDATE ordertrack.point_accounts SET moved_at = '2100-01-01' FROM ordertrack.customers AS c
 WHERE c.source_id = 'clock' AND c.customer_id = point_accounts.customer_id;
SELECT ordertrack.grant_points('clock', 5)
\g /dev/null
SELECT is((SELECT created_at FROM ordertrack.point_movement_list WHERE customer = 'clock' AND movement_no = 2), '2100-01-01',
	'a movement is not earlier than the one before');

SELECT * FROM finish();
ROLLBACK;

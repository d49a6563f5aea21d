-- Gift cards: spent and given back in parts.
BEGIN;
SELECT * FROM no_plan();

SELECT ordertrack.create_voucher('CARD', gift_amount => 5000),
	ordertrack.create_voucher('LIMITED', gift_amount => 5000, redemption_limit => 2)
\g /dev/null
CREATE FUNCTION pg_temp.balance(card text) RETURNS bigint LANGUAGE sql AS $$
	SELECT gift_balance::bigint FROM ordertrack.vouchers WHERE workspace_id = 1 AND code = card
$$;

-- Each step in turn: use (redeem "credits" on order "source") or give back
-- (rollback of step "of"), with what it comes to.
CREATE TEMP TABLE steps (n integer, label text, source text, of integer, credits bigint,
	failure text, amount bigint, discount bigint, total bigint, balance bigint);
INSERT INTO steps VALUES
	(1, 'a part', 'one', NULL, 1200, NULL, 1200, 1200, 8800, 3800),
	(2, 'another part for the same order', 'one', NULL, 800, NULL, 800, 2000, 8000, 3000),
	(3, 'more than is left', 'one', NULL, 3001, 'gift_amount_exceeded', NULL, NULL, NULL, 3000),
	(4, 'for another order', 'two', NULL, 500, NULL, 500, 500, 9500, 2500),
	(5, 'a part of the first back', 'one', 1, 200, NULL, -200, 1800, 8200, 2700),
	(6, 'another part of it', 'one', 1, 300, NULL, -300, 1500, 8500, 3000),
	(7, 'more than is left of it', 'one', 1, 701, 'invalid_amount', NULL, NULL, NULL, 3000),
	(8, 'nothing of it', 'one', 1, 0, 'invalid_amount', NULL, NULL, NULL, 3000),
	(9, 'less than nothing of it', 'one', 1, -5, 'invalid_amount', NULL, NULL, NULL, 3000),
	(10, 'the rest of it', 'one', 1, NULL, NULL, -700, 800, 9200, 3700),
	(11, 'once more', 'one', 1, NULL, 'already_rolled_back', NULL, NULL, NULL, 3700),
	(12, 'a part once more', 'one', 1, 1, 'already_rolled_back', NULL, NULL, NULL, 3700),
	(13, 'the second as a whole', 'one', 2, 800, NULL, -800, 0, 10000, 4500),
	(14, 'all that is left, for the other order', 'two', NULL, NULL, NULL, 4500, 5000, 5000, 0),
	(15, 'an empty card', 'two', NULL, NULL, 'gift_amount_exceeded', NULL, NULL, NULL, 0),
	(16, 'back onto the empty card', 'two', 14, NULL, NULL, -4500, 500, 9500, 4500),
	(17, 'what was refused cannot come back', 'one', 3, NULL, 'not_redeemed', NULL, NULL, NULL, 4500),
	(18, 'nor what came back', 'one', 5, NULL, 'not_redeemed', NULL, NULL, NULL, 4500);
SELECT ordertrack.create_order(jsonb_build_object('source_id', source, 'amount', 10000))
  FROM unnest('{one,two}'::text[]) AS source
\g /dev/null

CREATE TEMP TABLE answers (n integer, after bigint, answer ordertrack.redemption_outcome);
DO $$
DECLARE
	s steps;
	a ordertrack.redemption_outcome;
	original bigint;
BEGIN
	FOR s IN SELECT * FROM steps ORDER BY n LOOP
		IF s.of IS NULL THEN
			a := ordertrack.redeem('CARD', 'owner', jsonb_build_object('source_id', s.source), s.credits);
		ELSE
			SELECT (answer).redemption_id INTO original FROM answers WHERE n = s.of;
			a := ordertrack.rollback_redemption(original, 'back', s.credits);
		END IF;
		INSERT INTO answers VALUES (s.n, pg_temp.balance('CARD'), a);
	END LOOP;
END
$$;
SELECT is(concat_ws(' ', coalesce((a.answer).failure_code, 'ok'), (a.answer).amount, (a.answer).discount_amount,
			(a.answer).total_amount, (a.answer).gift_balance),
		concat_ws(' ', coalesce(s.failure, 'ok'), s.amount, s.discount, s.total, s.balance),
		format('step %s: %s', n, s.label))
  FROM steps AS s JOIN answers AS a USING (n) ORDER BY n;
SELECT is(a.after, s.balance, format('balance after step %s', n))
  FROM steps AS s JOIN answers AS a USING (n) ORDER BY n;
SELECT is(concat_ws(' ', r.amount, r.discount_amount, r.total_amount, r.gift_balance),
		concat_ws(' ', s.amount, s.discount, s.total, s.balance), format('record of step %s', n))
  FROM steps AS s JOIN answers AS a USING (n)
  JOIN ordertrack.redemptions AS r ON r.workspace_id = 1 AND r.redemption_id = (a.answer).redemption_id
 ORDER BY n;

SELECT is((SELECT array_agg(rollback_no || CASE WHEN is_complete THEN ' complete' ELSE ' part' END
	ORDER BY rollback_no)
	FROM ordertrack.redemptions AS r, answers AS a
	WHERE a.n = 1 AND r.rollback_of = (a.answer).redemption_id AND r.result = 'success'),
	'{"1 part","2 part","3 complete"}', 'parts are numbered, the last completes');
SELECT is(l.state, wanted, 'state of step ' || n)
  FROM (VALUES (1, 'rolled_back'), (2, 'rolled_back'), (3, 'failed'), (4, 'succeeded'),
	(14, 'rolled_back')) AS c (n, wanted)
  JOIN answers AS a USING (n)
  JOIN ordertrack.redemption_list AS l ON l.workspace_id = 1 AND l.redemption_id = (a.answer).redemption_id;
SELECT is(5000 - (SELECT sum(amount) FROM ordertrack.redemptions WHERE code = 'CARD'),
	pg_temp.balance('CARD')::numeric,
	'balance is what was credited less what the records say');
SELECT is(o.status::text, wanted, 'status of ' || source_id)
  FROM (VALUES ('one', 'canceled'), ('two', 'paid')) AS c (source_id, wanted)
  JOIN ordertrack.orders AS o USING (source_id) WHERE o.workspace_id = 1;

-- The use comes back with the part that completes the rollback.
CREATE TEMP TABLE used AS
SELECT r.redemption_id FROM generate_series(1, 2) AS n
 CROSS JOIN LATERAL ordertrack.redeem('LIMITED', 'owner',
	jsonb_build_object('source_id', 'lim-' || n, 'amount', 1000), 600) AS r;
CREATE FUNCTION pg_temp.used() RETURNS bigint LANGUAGE sql AS $$
	SELECT redeemed_count::bigint FROM ordertrack.vouchers WHERE workspace_id = 1 AND code = 'LIMITED'
$$;
SELECT is(pg_temp.used(), 2::bigint, 'two uses');
SELECT is(r.failure_code, 'quantity_exceeded', 'a third is refused')
  FROM ordertrack.redeem('LIMITED', 'owner', '{"amount":10}') AS r;
SELECT is(r.result, 'success', 'a part back')
  FROM ordertrack.rollback_redemption((SELECT min(redemption_id) FROM used), amount => 100) AS r;
SELECT is(pg_temp.used(), 2::bigint, 'a part brings no use back');
SELECT is(l.state, 'partially_rolled_back', 'state after a part') FROM ordertrack.redemption_list AS l
 WHERE l.workspace_id = 1 AND l.redemption_id = (SELECT min(redemption_id) FROM used);
SELECT is(r.amount, -500::bigint, 'the rest back')
  FROM ordertrack.rollback_redemption((SELECT min(redemption_id) FROM used)) AS r;
SELECT is(pg_temp.used(), 1::bigint, 'the last part brings the use back');
SELECT is(r.result, 'success', 'a use again') FROM ordertrack.redeem('LIMITED', 'owner', '{"amount":10}') AS r;

-- A redemption that took nothing can be rolled back once, too.
SELECT ordertrack.create_voucher('IDLE', gift_amount => 100, redemption_limit => 1)
\g /dev/null
SELECT r.redemption_id AS idle FROM ordertrack.redeem('IDLE', NULL, '{"amount":0}') AS r
\gset
SELECT is(concat_ws(' ', r.result, r.failure_code, r.amount, r.gift_balance), wanted, 'of nothing: ' || wanted)
  FROM (VALUES ('success 0 100'), ('failure already_rolled_back 100')) AS c (wanted)
 CROSS JOIN LATERAL ordertrack.rollback_redemption(:idle, c.wanted) AS r;
SELECT is(v.redeemed_count::bigint, 0::bigint, 'and its use is back') FROM ordertrack.vouchers AS v
 WHERE v.workspace_id = 1 AND v.code = 'IDLE';

-- Without an order.
SELECT r.redemption_id AS bare FROM ordertrack.redeem('IDLE', NULL, NULL, 60) AS r
\gset
SELECT is(concat_ws(' ', r.result, r.order_id, r.amount, r.discount_amount, r.total_amount, r.gift_balance),
	'success -60 0 0 100', 'credits without an order come back')
		FROM ordertrack.rollback_redemption(:bare) AS r;

-- What the table itself does not allow.
SELECT
	throws_ok(format('UPDATE ordertrack.vouchers SET gift_balance = %s WHERE workspace_id = 1 AND code = ''IDLE''', balance),
		'23514', NULL, 'a balance of ' || balance)
  FROM unnest('{-1,101}'::bigint[]) AS balance;

SELECT
	is_empty('SELECT v.* FROM ordertrack.orders AS o, ordertrack.verify_order(o.order_id) AS v WHERE o.workspace_id = 1',
	'all histories verify');
SELECT * FROM finish();
ROLLBACK;

-- The way back of a reward: points with their expiry, stock, uses, codes, units and
-- order, once; and when it is refused.
BEGIN;
SELECT * FROM no_plan();

CREATE FUNCTION pg_temp.supply() RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', (SELECT concat_ws(',', redeemed_count) FROM ordertrack.rewards WHERE name = 'mug'),
		(SELECT coalesce(sum(used), 0) FROM ordertrack.reward_customers), (SELECT sum(stock) FROM ordertrack.reward_variants),
		(SELECT string_agg(code, ',' ORDER BY code_no) FROM ordertrack.reward_codes WHERE issued_at IS NULL))
$$;
-- What each lot has left, and the account.
CREATE FUNCTION pg_temp.points() RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', (SELECT string_agg(reason || ' ' || points_left, ', ' ORDER BY lot_id) FROM ordertrack.point_lots),
		(SELECT 'balance ' || balance || ' spent ' || spent FROM ordertrack.point_accounts))
$$;
CREATE FUNCTION pg_temp.undo(id bigint, reason text DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(r.failure_code, r.result) FROM ordertrack.rollback_redemption(id, reason) AS r
$$;

SELECT ordertrack.grant_points('anna', 100, now() + interval '1 year', reason => 'year'),
	ordertrack.grant_points('anna', 100, now() + interval '1 month', reason => 'month'),
	ordertrack.grant_points('anna', 100, reason => 'ever'),
	ordertrack.create_reward('mug', 'gift', 60, stock => '[{"color":"red","stock":9}]', redemption_limit => 10,
		customer_limit => 5, code_source => 'pool'),
	ordertrack.add_reward_codes('mug', '{A,B,C,D,E,F}'),
	ordertrack.create_reward('free', 'gift', 0)
\g /dev/null
SELECT pg_temp.supply() AS supply, pg_temp.points() AS points
\gset

-- There and back again.
SELECT * FROM ordertrack.redeem_reward('mug', 'anna', 4, 'red')
\gset there_
SELECT is(pg_temp.supply(), '4 4 5 E,F', 'taken');
SELECT is(pg_temp.points(), 'year 0, month 0, ever 60 balance 60 spent 240', 'what expires soonest went first');
SELECT * FROM ordertrack.rollback_redemption(:there_redemption_id, 'wrong color', channel => 'desk', actor => 'staff-2')
\gset back_
SELECT is(:'back_result' || ' ' || :back_amount || ' ' || :back_total_amount, 'success 0 0', 'the outcome');
SELECT is(pg_temp.supply(), :'supply', 'uses, stock and codes are back');
SELECT is(pg_temp.points(), :'points', 'each lot has what it had');
SELECT is((SELECT string_agg(concat_ws(' ', m.kind, m.points, m.balance, l.reason, m.reason, m.actor), ', ' ORDER BY movement_no)
	FROM ordertrack.point_movements AS m JOIN ordertrack.point_lots AS l USING (lot_id) WHERE m.redemption_id = :back_redemption_id),
	'returned 100 160 month wrong color staff-2, returned 100 260 year wrong color staff-2, returned 40 300 ever wrong color staff-2',
	'the ledger tells it');
SELECT is((SELECT count(*) FROM ordertrack.issued_rewards WHERE redemption_id = :there_redemption_id AND canceled_at IS NOT NULL),
	4::bigint, 'the units are canceled');
SELECT is((SELECT status::text FROM ordertrack.orders WHERE order_id = :there_order_id), 'canceled', 'so is the order');
SELECT is((SELECT string_agg(event_type, ' ' ORDER BY note_no) FROM ordertrack.order_notes WHERE order_id = :there_order_id),
	'order_created reward_redeemed reward_rolled_back order_cancelled', 'its history');
SELECT is_empty(format('SELECT * FROM ordertrack.verify_order(%s)', :there_order_id), 'which verifies');
SELECT is((SELECT concat_ws(' ', kind, result, reward, quantity, points, amount, rollback_of = :there_redemption_id, rollback_no,
	is_complete, reason) FROM ordertrack.redemptions WHERE redemption_id = :back_redemption_id),
	'rollback success mug 4 -240 0 t 1 t wrong color', 'the record');
SELECT is((SELECT state FROM ordertrack.redemption_list WHERE redemption_id = :there_redemption_id), 'rolled_back', 'its state');
SELECT is(pg_temp.undo(:there_redemption_id), 'already_rolled_back', 'not twice');
SELECT is(pg_temp.undo(:back_redemption_id), 'not_redeemed', 'a rollback is not rolled back');
SELECT is(pg_temp.points(), :'points', 'and nothing came back twice');

-- In use: the customer has the good of it, unless the delivery was canceled.
SELECT redemption_id AS used, issued_reward_ids[1] AS unit FROM ordertrack.redeem_reward('mug', 'anna', 2, 'red')
\gset
SELECT result FROM ordertrack.mark_used(:unit)
\g /dev/null
SELECT is(pg_temp.undo(:used), 'reward_used', 'one of its units is used');
SELECT is(f.failure_message, 'the reward has been used or paid out; unmark it, or cancel its delivery, first', 'what to do')
  FROM ordertrack.rollback_redemption(:used) AS f;
SELECT ordertrack.set_delivery_status(:unit, 'shipped')
\g /dev/null
SELECT is(pg_temp.undo(:used), 'reward_used', 'shipped');
SELECT ordertrack.set_delivery_status(:unit, 'canceled')
\g /dev/null
SELECT is(pg_temp.undo(:used), 'success', 'its delivery was canceled');
SELECT is(pg_temp.points(), :'points', 'points are back');
SELECT redemption_id AS used, issued_reward_ids[1] AS unit FROM ordertrack.redeem_reward('mug', 'anna', 1, 'red')
\gset
SELECT result FROM ordertrack.mark_used(:unit)
\g /dev/null
SELECT result FROM ordertrack.unmark_used(:unit)
\g /dev/null
SELECT is(pg_temp.undo(:used), 'success', 'no longer used');

-- Not in parts; not a refusal.
SELECT redemption_id AS whole, order_id AS whole_order FROM ordertrack.redeem_reward('free', 'anna', 2)
\gset
SELECT is(f.failure_code || ': ' || f.failure_message, 'invalid_amount: a reward is rolled back as a whole', 'not in parts')
  FROM ordertrack.rollback_redemption(:whole, amount => 1) AS f;
SELECT redemption_id AS refused FROM ordertrack.redeem_reward('none', 'anna')
\gset
SELECT is(pg_temp.undo(:refused), 'not_redeemed', 'a refusal');
SELECT is((SELECT concat_ws(' ', reward, points) FROM ordertrack.redemptions WHERE rollback_of = :refused), 'none', 'is recorded with its name');

-- An order that is done stays so, and the note says it; a reward for nothing moves no points.
SELECT ordertrack.set_order_status(:whole_order, 'completed')
\g /dev/null
SELECT count(*) AS movements FROM ordertrack.point_movements
\gset
SELECT is(pg_temp.undo(:whole), 'success', 'of a completed order');
SELECT is((SELECT data ->> 'kept_status' FROM ordertrack.order_notes WHERE order_id = :whole_order ORDER BY note_no DESC LIMIT 1),
	'completed', 'it stays completed');
SELECT is((SELECT count(*) FROM ordertrack.point_movements), :movements::bigint, 'no points moved');

-- Limits that came or went meanwhile: only what is counted comes back.
SELECT redemption_id AS before FROM ordertrack.redeem_reward('mug', 'anna', 1, 'red')
\gset
SELECT ordertrack.update_reward('mug', clear => '{redemption_limit,customer_limit}')
\g /dev/null
SELECT redemption_id AS between FROM ordertrack.redeem_reward('mug', 'anna', 2, 'red')
\gset
SELECT ordertrack.update_reward('mug', redemption_limit => 10, customer_limit => 5)
\g /dev/null
SELECT is(pg_temp.supply(), '3 3 6 D,E,F', 'a limit that is set again counts what is live');
SELECT is(pg_temp.undo(:between) || ' ' || pg_temp.undo(:before), 'success success', 'both come back');
SELECT is(pg_temp.supply(), :'supply', 'and nothing is left of them');
SELECT redemption_id AS before FROM ordertrack.redeem_reward('mug', 'anna', 1, 'red')
\gset
SELECT ordertrack.update_reward('mug', clear => '{redemption_limit,customer_limit}')
\g /dev/null
SELECT is(pg_temp.undo(:before), 'success', 'without any limit');

-- Money that was paid out: points and money are not to be had both.
SELECT ordertrack.create_reward('cash', 'cashback', 10, point_value => 5)
\g /dev/null
SELECT redemption_id AS paid, issued_reward_ids[1] AS paid_unit FROM ordertrack.redeem_reward('cash', 'anna')
\gset
SELECT ordertrack.set_cashback_status(:paid_unit, 1, 'TXN', 'done')
\g /dev/null
SELECT is(pg_temp.undo(:paid), 'reward_used', 'a cashback that is paid');
SELECT ordertrack.set_cashback_status(:paid_unit, 3, '402', 'bank is slow')
\g /dev/null
SELECT is(pg_temp.undo(:paid), 'reward_used', 'a cashback that may still be paid');
SELECT ordertrack.set_cashback_status(:paid_unit, 2, '501', 'account unknown')
\g /dev/null
SELECT is(pg_temp.undo(:paid), 'success', 'one that has failed');

-- Somebody's trigger that keeps a unit from being canceled: the points don't come back.
SELECT redemption_id AS stuck FROM ordertrack.redeem_reward('mug', 'anna', 1, 'red')
\gset
CREATE FUNCTION pg_temp.skip() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER issued_rewards_a BEFORE UPDATE ON ordertrack.issued_rewards FOR EACH ROW EXECUTE FUNCTION pg_temp.skip();
SELECT throws_ok(format('SELECT ordertrack.rollback_redemption(%s)', :stuck), '09000',
	'a write of ordertrack was suppressed', 'a unit that cannot be canceled');
DROP TRIGGER issued_rewards_a ON ordertrack.issued_rewards;
SELECT is(pg_temp.undo(:stuck), 'success', 'without the trigger');

-- A key.
SELECT redemption_id AS keyed FROM ordertrack.redeem_reward('mug', 'anna', 1, 'red')
\gset
CREATE TEMP TABLE first AS SELECT * FROM ordertrack.rollback_redemption(:keyed, idempotency_key => 'rb');
SELECT is(to_jsonb(again) - 'replayed', to_jsonb(first) - 'replayed', 'the same answer again')
  FROM ordertrack.rollback_redemption(:keyed, idempotency_key => 'rb') AS again, first;
SELECT is(pg_temp.points(), :'points', 'once');

-- A code on the order of a reward: the order is canceled with the last of both.
SELECT ordertrack.create_voucher('OFF', '{"type":"amount","amount_off":1}')
\g /dev/null
CREATE FUNCTION pg_temp.status_of(id bigint) RETURNS text LANGUAGE sql AS $$ SELECT status FROM ordertrack.orders WHERE order_id = id $$;
SELECT redemption_id AS bought, order_id AS shared FROM ordertrack.redeem_reward('free', 'anna')
\gset
SELECT redemption_id AS coded FROM ordertrack.redeem('OFF', 'anna', jsonb_build_object('id', :shared))
\gset
SELECT is(pg_temp.undo(:coded), 'success', 'a code of a reward''s order comes back');
SELECT is(pg_temp.status_of(:shared), 'paid', 'and the order stays, which the reward is of');
SELECT redemption_id AS coded FROM ordertrack.redeem('OFF', 'anna', jsonb_build_object('id', :shared))
\gset
SELECT is(pg_temp.undo(:bought), 'success', 'the reward comes back');
SELECT is(pg_temp.status_of(:shared), 'paid', 'and the order stays, which has a code');
SELECT is(pg_temp.undo(:coded), 'success', 'so does the code');
SELECT is(pg_temp.status_of(:shared), 'canceled', 'and nothing is left of the order');
SELECT is_empty(format('SELECT * FROM ordertrack.verify_order(%s)', :shared), 'its history verifies');

-- What it cost is as fixed as other prices of an order.
SELECT order_id AS priced FROM ordertrack.redeem_reward('mug', 'anna', 1, 'red')
\gset
SELECT throws_ok(format($$SELECT ordertrack.update_order(%s, '{"value_in_points": 1}')$$, :priced), '55000', NULL, 'its price in points is fixed');

-- Units that somebody deleted past the triggers can't be given back.
SELECT redemption_id AS damaged FROM ordertrack.redeem_reward('free', 'anna', 2)
\gset
ALTER TABLE ordertrack.issued_rewards DISABLE TRIGGER USER;
DELETE FROM ordertrack.issued_rewards WHERE redemption_id = :damaged;
SELECT ordertrack.arm_triggers()
\g /dev/null
SELECT throws_ok(format('SELECT ordertrack.rollback_redemption(%s)', :damaged), 'XX001', format('units of redemption %s are missing', :damaged), 'missing units are told');

SELECT * FROM finish();
ROLLBACK;

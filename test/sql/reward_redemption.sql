-- Redeeming rewards: what a person sees.
SET client_min_messages = warning;
CREATE EXTENSION ordertrack;
SELECT ordertrack.setup() IS NOT NULL AS is_set_up;
\pset null -

SELECT ordertrack.grant_points('anna', 100), ordertrack.put_customer('bo', may_spend_points => false) IS NOT NULL AS put;
SELECT ordertrack.create_reward('Mug', 'gift', 80, stock => '[{"color": "red", "stock": 2}]'),
	ordertrack.create_reward('Ride', 'free_delivery', 10, code_source => 'pool'),
	ordertrack.create_reward('Later', 'discount_code', 10, starts_at => '2999-01-01'),
	ordertrack.create_reward('Gone', 'discount_code', 10, expires_at => '2001-01-01');
SELECT ordertrack.add_reward_codes('Ride', '{R1}');

-- a button that is not greyed out, and the purchase
SELECT * FROM ordertrack.can_redeem_reward('Mug', 'anna', color => 'red');
SELECT redemption_id, result, order_id, issued_reward_ids, cardinality(codes) AS codes, cost_in_points, active_points, replayed
  FROM ordertrack.redeem_reward('Mug', 'anna', color => 'red', idempotency_key => 'k');
SELECT redemption_id, result, order_id, issued_reward_ids, cardinality(codes) AS codes, cost_in_points, active_points, replayed
  FROM ordertrack.redeem_reward('Mug', 'anna', color => 'red', idempotency_key => 'k');
SELECT * FROM ordertrack.redeem_reward('Ride', 'anna');

-- refusals, with their reasons
SELECT failure_code, failure_message, points_missing
  FROM (VALUES ('Mug', 'anna', 1, 'red'), ('Mug', 'anna', 1, 'blue'), ('Mug', 'bo', 1, 'red'), ('Ride', 'anna', 1, NULL),
	('Later', 'anna', 1, NULL), ('Gone', 'anna', 1, NULL), ('None', 'anna', 1, NULL), (NULL, 'anna', 1, NULL), ('Mug', '', 1, NULL),
	('Mug', 'anna', 0, NULL)) AS c (reward, customer, quantity, color)
 CROSS JOIN LATERAL ordertrack.redeem_reward(c.reward, c.customer, c.quantity, c.color);
SELECT ordertrack.redeem_reward('Mug', 'bo', idempotency_key => 'k');
SELECT ordertrack.redeem_reward('Mug', 'anna', workspace => 7);

-- the order, its history, and the way back
SELECT status, total_amount, value_in_points, customer, item_count FROM ordertrack.order_list WHERE order_id = 1;
SELECT note_no, event_type, data FROM ordertrack.order_history(1);
SELECT result, failure_code, order_id, amount, total_amount FROM ordertrack.rollback_redemption(1, 'broken');
SELECT result, failure_code, failure_message FROM ordertrack.rollback_redemption(2, amount => 5);
SELECT result, failure_code, failure_message FROM ordertrack.rollback_redemption(1);
SELECT note_no, event_type, data FROM ordertrack.order_history(1) WHERE note_no > 2;
SELECT redemption_id, kind, state, failure_code, reward, quantity, points, points_missing, customer, order_id
  FROM ordertrack.redemption_list ORDER BY redemption_id;
COPY (SELECT redemption_id, kind, result, failure_code, reward, quantity, points FROM ordertrack.export_redemptions
	ORDER BY redemption_id LIMIT 4) TO STDOUT WITH (FORMAT csv, HEADER);

DROP SCHEMA ordertrack CASCADE;

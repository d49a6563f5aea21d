-- What customers got, as people meet it: answers, errors, the history and the lists.
SET client_min_messages = warning;
SET timezone = 'UTC';
CREATE EXTENSION ordertrack;
DO $$ BEGIN PERFORM ordertrack.setup(); END $$;
-- As a redemption issues them: a gift, a code that cannot be used yet, one that is over, and money.
DO $$ BEGIN
	PERFORM ordertrack.put_customer('mia', 'mia@example.com', '+48 123', 'Mia', 'Nowak');
	PERFORM ordertrack.create_order('{"source_id":"R-1","status":"paid","value_in_points":500,"shipping_address":{"city":"Riga"}}', 'mia');
	INSERT INTO ordertrack.rewards (workspace_id, name, type, cost_in_points, tax_value, point_value, code_source) VALUES
		(1, 'Mug', 'gift', 300, 250, NULL, 'generated'), (1, 'Ten off', 'value_code', 100, NULL, NULL, 'pool'),
		(1, 'Money back', 'cashback', 50, NULL, 2, 'none');
	INSERT INTO ordertrack.issued_rewards (workspace_id, redemption_id, reward_id, customer_id, order_id, reward_type, code, color,
		cost_in_points, active_points, tax_value, value, active_from, expires_at, cashback_code, cashback_detail_code, cashback_message, created_at) VALUES
		(1, 1, 1, 1, 1, 'gift', 'MUG-7', 'blue', 300, 900, 250, NULL, '2024-03-01', NULL, NULL, NULL, NULL, '2024-03-01 09:00'),
		(1, 2, 2, 1, 1, 'value_code', 'TEN-1', NULL, 100, 800, NULL, NULL, 'infinity', NULL, NULL, NULL, NULL, '2024-03-02 09:00'),
		(1, 3, 2, 1, 1, 'value_code', 'TEN-2', NULL, 100, 700, NULL, NULL, '2024-03-02', '2024-03-03', NULL, NULL, NULL, '2024-03-02 10:00'),
		(1, 4, 3, 1, 1, 'cashback', NULL, NULL, 50, 650, NULL, 100, '2024-03-03', NULL, 0, 'INIT', 'INIT', '2024-03-03 09:00');
END $$;
\set VERBOSITY default

-- Used, once; the others say why not
SELECT issued_reward_id, result, failure_code, failure_message, used_at IS NOT NULL AS is_used, delivery_status
  FROM ordertrack.mark_used('{1,2,3,1,99}'::bigint[], channel => 'till', actor => 'bob');
SELECT result, failure_code, failure_message FROM ordertrack.unmark_used(2);
SELECT result, delivery_status FROM ordertrack.unmark_used(1);
SELECT result, delivery_status FROM ordertrack.mark_used(1, 'till', 'bob');

-- A gift on its way
SELECT ordertrack.set_delivery_status(1, 'delivered');
\echo :SQLSTATE
SELECT ordertrack.set_delivery_status(1, 'shipped', actor => 'bob') AS was;
SELECT ordertrack.set_delivery_status(1, 'shipped') AS was;
SELECT ordertrack.set_delivery_status(1, 'delivered') AS was;
SELECT ordertrack.set_delivery_status(1, 'canceled');
SELECT ordertrack.set_delivery_status(1, 'lost');
\echo :SQLSTATE
SELECT ordertrack.set_delivery_status(99, 'shipped');
\echo :SQLSTATE
SELECT ordertrack.set_delivery_status(4, 'shipped');
SELECT result FROM ordertrack.mark_used(4);
SELECT ordertrack.set_delivery_status(4, 'shipped');
SELECT result, failure_code, failure_message, delivery_status FROM ordertrack.unmark_used(1);

-- Money on its way
SELECT ordertrack.set_cashback_status(4, 3, '294', 'bank is closed') AS was;
SELECT ordertrack.set_cashback_status(4, 2, '501', 'account unknown', 'paytm', 'batch') AS was;
SELECT ordertrack.set_cashback_status(4, 0) AS was;
SELECT ordertrack.set_cashback_status(4, 1) AS was;
SELECT ordertrack.set_cashback_status(4, 2, '501');
\echo :SQLSTATE
SELECT ordertrack.set_cashback_status(4, 9);
SELECT ordertrack.set_cashback_status(1, 1);

-- Not by hand
UPDATE ordertrack.issued_rewards SET used_at = now(), delivery_status = 'ordered' WHERE issued_reward_id = 3;
UPDATE ordertrack.issued_rewards SET delivery_status = 'ordered' WHERE issued_reward_id = 1;
UPDATE ordertrack.issued_rewards SET used_at = now() WHERE issued_reward_id = 2;
UPDATE ordertrack.issued_rewards SET used_at = NULL, delivery_status = NULL WHERE issued_reward_id = 1;
UPDATE ordertrack.issued_rewards SET used_at = now() WHERE issued_reward_id = 1;
UPDATE ordertrack.issued_rewards SET used_at = NULL WHERE issued_reward_id = 4;
UPDATE ordertrack.issued_rewards SET canceled_at = now() WHERE issued_reward_id = 1;
UPDATE ordertrack.issued_rewards SET cashback_message = 'x' WHERE issued_reward_id = 1;
INSERT INTO ordertrack.issued_rewards (workspace_id, redemption_id, reward_id, customer_id, order_id, reward_type, cost_in_points,
	active_points, active_from, created_at, used_at, delivery_status) VALUES (1, 5, 1, 1, 1, 'gift', 0, 0, now(), now(), now(), 'ordered');

-- Arguments
SELECT * FROM ordertrack.mark_used(NULL::bigint);
SELECT * FROM ordertrack.mark_used('{1,NULL}'::bigint[]);
SELECT * FROM ordertrack.mark_used(array_fill(1::bigint, '{1001}'));
SELECT * FROM ordertrack.mark_used(1, workspace => 7);
BEGIN READ ONLY;
SELECT ordertrack.mark_used(1);
ROLLBACK;
BEGIN READ ONLY;
SELECT ordertrack.unmark_used('{1}'::bigint[]);
ROLLBACK;
BEGIN READ ONLY;
SELECT ordertrack.set_delivery_status(1, 'shipped');
ROLLBACK;
BEGIN READ ONLY;
SELECT ordertrack.set_cashback_status(4, 1);
ROLLBACK;

-- The order's history tells all of it
SELECT note_no, event_type, channel, data FROM ordertrack.order_history(1) WHERE note_no > 1;
SELECT * FROM ordertrack.verify_order(1);

-- The lists
\d ordertrack.issued_reward_list
\d ordertrack.redeemed_rewards
SELECT redeemed_at, used_at IS NOT NULL AS used, cost_in_points AS cost, tax_value AS tax, email, phone, reward, reward_type, first_name, last_name,
	active_points AS active, delivery_status AS delivery, cashback_status, is_used FROM ordertrack.redeemed_rewards ORDER BY redeemed_at;
SELECT issued_reward_id, status, is_used, reward, code, color, value FROM ordertrack.issued_reward_list ORDER BY created_at;
SELECT issued_reward_id, order_id, customer, address FROM ordertrack.redeemed_reward_address ORDER BY 1 LIMIT 1;
COPY (SELECT redeemed_at, reward, email, phone, cashback_status, is_used, order_id FROM ordertrack.export_redeemed_rewards ORDER BY redeemed_at)
	TO STDOUT WITH (FORMAT csv, HEADER);
COPY (SELECT created_at, status, reward, code, delivery_status, cashback_status FROM ordertrack.export_issued_rewards ORDER BY created_at)
	TO STDOUT WITH (FORMAT csv, HEADER);
DROP SCHEMA ordertrack CASCADE;

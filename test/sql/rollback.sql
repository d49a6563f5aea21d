-- The way back: a row of its own, whole or in parts.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION ordertrack;
SELECT ordertrack.setup() \g /dev/null
\pset null '-'

SELECT ordertrack.create_voucher('TENOFF', '{"type": "amount", "amount_off": 1000}', redemption_limit => 1, customer_limit => 1);
SELECT ordertrack.create_voucher('FREE', '{"type": "amount", "amount_off": 500}');
SELECT ordertrack.create_voucher('GIFT', gift_amount => 100);
SELECT redemption_id, result FROM ordertrack.redeem('TENOFF', 'anna', '{"source_id": "A-1", "amount": 5000}');
SELECT redemption_id, result FROM ordertrack.redeem('FREE', 'anna', '{"source_id": "A-1"}');

-- A discount: the order keeps what other codes gave it, and the use is free again.
SELECT * FROM ordertrack.rollback_redemption(1, 'item sent back') \gx
SELECT status, amount, discount_amount, total_amount FROM ordertrack.order_list;
SELECT redeemed_count FROM ordertrack.voucher_list WHERE code = 'TENOFF';
SELECT used FROM ordertrack.voucher_customers;
-- With the last one the order is canceled.
SELECT result, amount, discount_amount, total_amount FROM ordertrack.rollback_redemption(2);
SELECT status, amount, discount_amount, total_amount FROM ordertrack.order_list;
SELECT note_no, event_type, data -> 'discount_amount' AS discount_amount, data -> 'status' AS status FROM ordertrack.order_history(1);
SELECT redemption_id, kind, state, code, customer, amount, reason, rollback_of, rollback_no FROM ordertrack.redemption_list ORDER BY 1;

-- A status that can't become canceled stays, and the note says so.
SELECT redemption_id, result FROM ordertrack.redeem('TENOFF', 'anna', '{"source_id": "A-2", "amount": 5000}');
SELECT ordertrack.set_order_status(2, 'completed');
SELECT result, discount_amount, total_amount FROM ordertrack.rollback_redemption(5);
SELECT status, total_amount FROM ordertrack.order_list WHERE order_id = 2;
SELECT note_no, event_type, data ->> 'kept_status' AS kept_status FROM ordertrack.order_history(2);

-- A gift card in parts; the last part is all that is left.
SELECT redemption_id, amount, gift_balance FROM ordertrack.redeem('GIFT', 'anna', '{"source_id": "A-3", "amount": 100}');
SELECT result, amount, gift_balance, discount_amount, total_amount FROM ordertrack.rollback_redemption(7, amount => 60);
SELECT state FROM ordertrack.redemption_list WHERE redemption_id = 7;
SELECT status FROM ordertrack.order_list WHERE order_id = 3;
SELECT result, failure_code, failure_message, amount, gift_balance FROM ordertrack.rollback_redemption(7, amount => 60);
SELECT result, failure_code, failure_message FROM ordertrack.rollback_redemption(7, amount => 0);
SELECT result, failure_code, failure_message FROM ordertrack.rollback_redemption(7, amount => -1);
SELECT result, amount, gift_balance, discount_amount, total_amount FROM ordertrack.rollback_redemption(7);
SELECT state FROM ordertrack.redemption_list WHERE redemption_id = 7;
SELECT status FROM ordertrack.order_list WHERE order_id = 3;
SELECT redemption_id, result, amount, gift_balance, rollback_no FROM ordertrack.redemption_list WHERE rollback_of = 7 ORDER BY 1;

-- A code that expired or was disabled meanwhile can be rolled back.
SELECT redemption_id, amount FROM ordertrack.redeem('GIFT', amount => 40);
SELECT ordertrack.update_voucher('GIFT', is_active => false, expires_at => '2020-01-01');
SELECT result, amount, gift_balance FROM ordertrack.rollback_redemption(13, idempotency_key => 'back', channel => 'desk', actor => 'eve');
SELECT result, amount, gift_balance, replayed FROM ordertrack.rollback_redemption(13, idempotency_key => 'back');
SELECT ordertrack.rollback_redemption(13, 'other', idempotency_key => 'back');
\echo :SQLSTATE

-- Refused and recorded
SELECT result, failure_code, failure_message FROM ordertrack.rollback_redemption(1);
SELECT result, failure_code, failure_message FROM ordertrack.rollback_redemption(4711);
SELECT result, failure_code, failure_message FROM ordertrack.rollback_redemption(3);
SELECT redemption_id, failure_code FROM ordertrack.redeem('NOSUCH');
SELECT result, failure_code, failure_message FROM ordertrack.rollback_redemption(18);
SELECT redemption_id, result FROM ordertrack.redeem('FREE');
SELECT result, failure_code, failure_message FROM ordertrack.rollback_redemption(20, amount => 100);
SELECT result, failure_code, failure_message FROM ordertrack.rollback_redemption(NULL);
SELECT result, failure_code, failure_message FROM ordertrack.rollback_redemption(20, repeat('x', 1001));
SELECT redemption_id, kind, failure_code, rollback_of, rollback_no FROM ordertrack.redemption_list WHERE redemption_id > 14 ORDER BY 1;

SELECT o.order_id, v.* FROM ordertrack.order_list AS o, ordertrack.verify_order(o.order_id) AS v;

DROP SCHEMA ordertrack CASCADE;

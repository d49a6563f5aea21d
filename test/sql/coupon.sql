-- Coupons, discounts by hand, and orders that wait or end: what a person sees.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION ordertrack;
SELECT ordertrack.setup() \g /dev/null
\pset null '-'

SELECT ordertrack.create_voucher('TENOFF', '{"type": "amount", "amount_off": 1000}', redemption_limit => 2);
SELECT ordertrack.create_voucher('GIFT', gift_amount => 3000);
SELECT ordertrack.create_order('{"source_id": "A-1", "amount": 5000}', 'anna');

-- A coupon, a discount by hand, and the rest by gift card.
SELECT * FROM ordertrack.add_coupon(1, 'TENOFF', idempotency_key => 'k-1') \gx
SELECT result, replayed FROM ordertrack.add_coupon(1, 'TENOFF', idempotency_key => 'k-1');
SELECT ordertrack.set_manual_discount(1, 500, 'box was dented', channel => 'desk', actor => 'staff-2');
SELECT status, amount, discount_amount, total_amount FROM ordertrack.order_list;
SELECT result, amount, discount_amount, total_amount, gift_balance FROM ordertrack.add_coupon(1, 'GIFT', 2000);
SELECT ordertrack.set_manual_discount(1, 2000);
SELECT status, amount, discount_amount, total_amount FROM ordertrack.order_list;

-- Away again.
SELECT result, discount_amount, total_amount FROM ordertrack.remove_coupon(1, 'TENOFF', 'not with a gift card');
SELECT result, failure_code, failure_message FROM ordertrack.remove_coupon(1, 'TENOFF');
SELECT ordertrack.set_manual_discount(1, 0);
SELECT status, amount, discount_amount, total_amount FROM ordertrack.order_list;
SELECT note_no, note_type, event_type, detail, data -> 'discount_amount' AS discount_amount,
	data -> 'manual_discount_amount' AS manual_discount_amount, data -> 'status' AS status
  FROM ordertrack.order_history(1);

-- Mistakes.
SELECT ordertrack.add_coupon(99, 'TENOFF');
SELECT ordertrack.add_coupon(NULL, 'TENOFF');
SELECT ordertrack.add_coupon(1, 'GIFT', idempotency_key => 'k-1');
SELECT ordertrack.remove_coupon(99, 'TENOFF');
SELECT ordertrack.set_manual_discount(1, 3001);
SELECT ordertrack.set_manual_discount(1, -1);
SELECT ordertrack.set_manual_discount(1, NULL);
UPDATE ordertrack.manual_discounts SET amount = 1;
DELETE FROM ordertrack.manual_discounts;
INSERT INTO ordertrack.manual_discounts VALUES (1, 2, 1, NULL, now(), now());

-- An order that waits.
SELECT ordertrack.hold_order(1, 'address is unclear');
SELECT ordertrack.hold_order(1);
SELECT result, failure_code, failure_message FROM ordertrack.add_coupon(1, 'TENOFF');
SELECT ordertrack.set_manual_discount(1, 1);
SELECT ordertrack.release_order(1);
SELECT ordertrack.release_order(1);

-- An order that ends: all that was redeemed on it comes back.
SELECT order_id FROM ordertrack.redeem_stack('{TENOFF,GIFT}', 'anna', '{"source_id": "A-2", "amount": 1500}') LIMIT 1;
SELECT result, amount, discount_amount, total_amount, gift_balance
  FROM ordertrack.cancel_order(1, 'ordered twice', channel => 'desk', actor => 'staff-2');
SELECT result FROM ordertrack.cancel_order(1);
SELECT result, amount, discount_amount, total_amount, gift_balance FROM ordertrack.cancel_order(2, rollback => false);
SELECT status, amount, discount_amount, total_amount FROM ordertrack.order_list WHERE order_id = 2;
SELECT result, amount, discount_amount, total_amount, gift_balance FROM ordertrack.cancel_order(2);
SELECT note_no, note_type, event_type, detail, data -> 'status' AS status
  FROM ordertrack.order_history(1) WHERE note_no > 12;
SELECT redemption_id, kind, state, code, amount, reason, rollback_of FROM ordertrack.redemption_list ORDER BY 1;
SELECT code, gift_balance, redeemed_count FROM ordertrack.voucher_list ORDER BY 1;
SELECT ordertrack.create_order('{"amount": 1, "status": "paid"}');
SELECT ordertrack.set_order_status(3, 'completed');
SELECT ordertrack.cancel_order(3);
SELECT ordertrack.hold_order(3);
SELECT ordertrack.cancel_order(99);
SELECT ordertrack.cancel_order(1, rollback => NULL);

DROP SCHEMA ordertrack CASCADE;

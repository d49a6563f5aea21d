-- The story that "make demo" tells. An error ends it, unless it is expected:
-- then ON_ERROR_STOP is off for that one statement, and expect() looks whether
-- it was the right error.
\set QUIET on
\set ON_ERROR_STOP on
\set SHOW_CONTEXT never
\pset pager off
\pset footer off
\pset null '-'

CREATE FUNCTION pg_temp.expect(actual text, wanted text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	IF actual IS DISTINCT FROM wanted THEN
		RAISE EXCEPTION 'the story should have come to "%" here, not to "%"', wanted, actual;
	END IF;
END
$$;

CREATE EXTENSION ordertrack;
SELECT ordertrack.setup() AS installed;

\echo '== 1. A catalog of codes (all amounts are in cents)\n'
\set ECHO queries
\o /dev/null
SELECT ordertrack.create_campaign('summer', redemption_limit => 100);
SELECT ordertrack.create_voucher('SUMMER10', discount => '{"type": "percent", "percent_off": 10}',
	campaign => 'summer');
SELECT ordertrack.create_voucher('TENOFF', discount => '{"type": "amount", "amount_off": 1000}',
	redemption_limit => 1);
SELECT ordertrack.create_voucher('WELCOME', discount => '{"type": "amount", "amount_off": 500}',
	customer_limit => 1);
SELECT ordertrack.create_voucher('PAUSED', discount => '{"type": "amount", "amount_off": 500}',
	is_active => false);
SELECT ordertrack.create_voucher('NEXTYEAR', discount => '{"type": "amount", "amount_off": 500}',
	starts_at => now() + interval '1 year');
SELECT ordertrack.create_voucher('LASTYEAR', discount => '{"type": "amount", "amount_off": 500}',
	expires_at => now() - interval '1 year');
SELECT ordertrack.create_voucher('GIFT-50', gift_amount => 5000);
\o
SELECT code, campaign, discount ->> 'type' AS discount,
	coalesce(discount ->> 'percent_off', discount ->> 'amount_off') AS off,
	gift_balance, is_active, starts_at::date AS starts, expires_at::date AS expires,
	redemption_limit AS uses
  FROM ordertrack.voucher_list ORDER BY voucher_id;

\echo '== 2. A redemption: 10 % off a new order of two lines\n'
SELECT result, order_id, amount, discount_amount, total_amount, replayed
  FROM ordertrack.redeem('SUMMER10', 'anna', '{"source_id": "A-1", "items": [
	{"product_id": "mug", "quantity": 2, "price": 1250},
	{"product_id": "tea", "quantity": 1, "price": 2000}]}', idempotency_key => 'cart-1');

\echo '   The reply got lost? The same request with the same key gets the same answer,'
\echo '   and nothing is redeemed twice.\n'
SELECT result, order_id, amount, discount_amount, total_amount, replayed
  FROM ordertrack.redeem('SUMMER10', 'anna', '{"source_id": "A-1", "items": [
	{"product_id": "mug", "quantity": 2, "price": 1250},
	{"product_id": "tea", "quantity": 1, "price": 2000}]}', idempotency_key => 'cart-1');

\echo '   A code for one use, used.\n'
SELECT result, order_id, amount, discount_amount, total_amount
  FROM ordertrack.redeem('TENOFF', 'ben', '{"source_id": "A-2", "amount": 5000}');

\echo '== 3. Refusals: each is an answer with its reason, and is recorded\n'
SELECT attempt.code, answer.result, answer.failure_code, answer.failure_message
  FROM (VALUES
	('=1+1', 'cleo', '{"amount": 4000}'::jsonb, NULL::bigint),
	('PAUSED', 'cleo', '{"amount": 4000}', NULL),
	('NEXTYEAR', 'cleo', '{"amount": 4000}', NULL),
	('LASTYEAR', 'cleo', '{"amount": 4000}', NULL),
	('TENOFF', 'cleo', '{"amount": 4000}', NULL),
	('SUMMER10', 'cleo', '{"items": [{"product_id": "mug", "quantity": 0, "price": 1250}]}', NULL),
	('SUMMER10', 'cleo', '{"amount": -4000}', NULL),
	('WELCOME', NULL, '{"amount": 4000}', NULL),
	('GIFT-50', 'cleo', '{"amount": 9000}', 6000)
  ) AS attempt (code, customer, order_data, amount)
 CROSS JOIN LATERAL ordertrack.redeem(attempt.code, attempt.customer, attempt.order_data,
	attempt.amount) AS answer;

\echo '== 4. A gift card of 5000, used in two parts: "amount" is what was taken\n'
SELECT redemption_id, result, order_id, amount, gift_balance, total_amount AS still_to_pay
  FROM ordertrack.redeem('GIFT-50', 'anna', '{"source_id": "A-3", "amount": 3000}');
SELECT redemption_id, result, order_id, amount, gift_balance, total_amount AS still_to_pay
  FROM ordertrack.redeem('GIFT-50', 'anna', '{"source_id": "A-4", "amount": 8000}');

\echo '== 5. An order on its way, and a move that it may not make\n'
SELECT ordertrack.create_order('{"source_id": "A-5", "items": [
	{"product_id": "teapot", "quantity": 1, "price": 3900}]}', 'cleo') AS order_id \gset
SELECT ordertrack.set_order_status(:order_id, 'paid') AS before;
SELECT ordertrack.set_order_status(:order_id, 'in_progress') AS before;
SELECT ordertrack.set_order_status(:order_id, 'completed', channel => 'warehouse') AS before;
SELECT order_id, source_id, customer, status, item_count, total_amount, note_count
  FROM ordertrack.order_list ORDER BY order_id;
\set ON_ERROR_STOP off
SELECT ordertrack.set_order_status(:order_id, 'in_progress');
\set ON_ERROR_STOP on
\set ECHO none
\echo SQLSTATE :SQLSTATE
SELECT pg_temp.expect(:'SQLSTATE', 'OT010') \g /dev/null

\echo '\n== 6. The way back: part of a gift card, then a code, which is free again\n'
SELECT max(redemption_id) FILTER (WHERE code = 'GIFT-50') AS gift,
	max(redemption_id) FILTER (WHERE code = 'TENOFF') AS tenoff
  FROM ordertrack.redemption_list WHERE result = 'success' \gset
\set ECHO queries
SELECT result, order_id, amount, gift_balance, total_amount AS still_to_pay
  FROM ordertrack.rollback_redemption(:gift, reason => 'a cup was broken', amount => 500);
SELECT result, order_id, amount, total_amount AS still_to_pay
  FROM ordertrack.rollback_redemption(:tenoff, reason => 'order withdrawn');
SELECT result, failure_code, failure_message
  FROM ordertrack.rollback_redemption(:tenoff, reason => 'order withdrawn');
SELECT redemption_id, kind, code, customer, amount, gift_balance, order_status, state
  FROM ordertrack.redemption_list WHERE result = 'success' ORDER BY redemption_id;

\echo '== 7. Points, and a reward that they buy\n'
\o /dev/null
SELECT ordertrack.grant_points('anna', 60, expires_at => now() + interval '1 month', reason => 'welcome');
SELECT ordertrack.grant_points('anna', 100, reason => 'order A-1');
SELECT ordertrack.create_reward('Teapot', 'gift', 90, stock => '[{"color": "blue", "stock": 1}]');
\o
SELECT active, pending, spent, next_expiring, next_expires_at::date FROM ordertrack.points_balance('anna');
SELECT customer, failure_message
  FROM unnest('{anna,ben}'::text[]) AS customer, ordertrack.can_redeem_reward('Teapot', customer, color => 'blue');
SELECT issued_reward_ids[1] AS teapot
  FROM ordertrack.redeem_reward('Teapot', 'anna', color => 'blue') \gset
SELECT result, failure_code, failure_message
  FROM ordertrack.redeem_reward('Teapot', 'anna', color => 'blue');

\echo '   The points that expire first were spent first.\n'
SELECT movement_no, kind, points, balance, reason
  FROM ordertrack.point_movement_list WHERE customer = 'anna' ORDER BY movement_no;
SELECT result, delivery_status FROM ordertrack.mark_used(:teapot);
SELECT ordertrack.set_delivery_status(:teapot, 'shipped') AS before;
SELECT regexp_replace(reward, '[(].*', '(its code)') AS reward, customer, cost_in_points, active_points, is_used, delivery_status
  FROM ordertrack.redeemed_rewards;

\echo '== 8. The life of an order: paid in two parts, sent in two boxes, one mug comes back\n'
SELECT ordertrack.create_order('{"source_id": "A-6", "items": [
	{"product_id": "mug", "quantity": 3, "price": 1000},
	{"product_id": "teapot", "quantity": 1, "price": 3900}]}', 'dora') AS life \gset
SELECT ordertrack.add_payment(:life, 2000, 'gift certificate') AS payment_id;
SELECT ordertrack.add_payment(:life, 4900, 'card', channel => 'web') AS payment_id;
SELECT source_id, status, total_amount, paid_amount, refunded_amount
  FROM ordertrack.order_list WHERE order_id = :life;
SELECT clock_timestamp() AS paid_at \gset
SELECT ordertrack.create_shipment(:life, '[{"line_no": 1, "quantity": 2}]', carrier => 'bike') AS box \gset

\echo '\n   One mug is left. A box with two is refused, also when two sessions pack at once.\n'
\set ON_ERROR_STOP off
SELECT ordertrack.create_shipment(:life, '[{"line_no": 1, "quantity": 2}]');
\set ON_ERROR_STOP on
\set ECHO none
\echo SQLSTATE :SQLSTATE
SELECT pg_temp.expect(:'SQLSTATE', 'OT007') \g /dev/null
\set ECHO queries

\echo '\n   The second box takes all that is left. The order follows what is shipped.\n'
SELECT ordertrack.create_shipment(:life) AS other_box \gset
\o /dev/null
SELECT ordertrack.set_shipment_status(ARRAY[:box, :other_box], 'released');
SELECT ordertrack.set_shipment_status(ARRAY[:box, :other_box], 'packing');
SELECT ordertrack.set_shipment_status(:box, 'shipped');
\o
SELECT status FROM ordertrack.order_list WHERE order_id = :life;
SELECT ordertrack.set_shipment_status(:other_box, 'shipped', tracking_number => 'Z-77') AS before;
SELECT shipment_id, line_no, product_id, quantity, status, carrier, tracking_number
  FROM ordertrack.export_shipments WHERE order_id = :life ORDER BY shipment_id, line_no;
SELECT clock_timestamp() AS sent_at, ordertrack.activity_cursor() AS cursor \gset

\echo '\n   A mug comes back. What it cost is refunded, which nobody had to say.\n'
SELECT ordertrack.create_return(:life, '[{"line_no": 1, "quantity": 1}]', 'chipped') AS return_id \gset
SELECT ordertrack.receive_return(:return_id) AS status;
SELECT ordertrack.complete_return(:return_id, method => 'card') AS refunded;

\echo '   The order when it had been paid, when it had been sent, and now, told by its history.\n'
SELECT moment, seen ->> 'status' AS status, jsonb_array_length(seen -> 'shipments') AS shipments,
	jsonb_array_length(seen -> 'payments') AS payments,
	jsonb_array_length(seen -> 'returns') AS returns
  FROM (VALUES
	(1, 'paid', timestamptz :'paid_at'),
	(2, 'sent', :'sent_at'),
	(3, 'now', NULL)) AS m (no, moment, at), ordertrack.order_as_of(:life, at) AS seen
 ORDER BY no;
SELECT field, old_value, new_value, note_no
  FROM ordertrack.order_changes(:life, :'sent_at');

\echo '   Who follows the notes of all orders, and had read until it was sent, gets what came'
\echo '   since. No note is skipped, also one that commits late.\n'
SELECT source_id, note_no, event_type, data #>> '{return_status,new}' AS return_status,
	data ->> 'amount' AS amount
  FROM ordertrack.activity_since(:'cursor');

\echo '== 9. The history of an order, which not even a superuser can edit\n'
SELECT note_no, note_type, event_type, author, data -> 'status' AS status,
	left(encode(hash, 'hex'), 12) AS hash_begins
  FROM ordertrack.order_history(:order_id);
SELECT current_user, current_setting('is_superuser') AS is_superuser;
\set ON_ERROR_STOP off
UPDATE ordertrack.order_notes SET data = '{"to": "canceled"}'
 WHERE order_id = :order_id AND note_no = 2;
\set ON_ERROR_STOP on
\set ECHO none
\echo SQLSTATE :SQLSTATE
SELECT pg_temp.expect(:'SQLSTATE', 'OT020') \g /dev/null
\set ECHO queries

\echo '\n== 10. The history verified\n'
SELECT count(DISTINCT o.order_id) AS orders, count(f.problem) AS problems
  FROM ordertrack.order_list AS o
  LEFT JOIN LATERAL ordertrack.verify_order(o.order_id) AS f ON true;
\set ECHO none
SELECT count(f.problem) AS problems
  FROM ordertrack.order_list AS o, ordertrack.verify_order(o.order_id) AS f \gset
SELECT pg_temp.expect(:'problems', '0') \g /dev/null
\set ECHO queries
\echo '   A superuser who takes the guard away first can edit, but not unnoticed.\n'
BEGIN;
ALTER TABLE ordertrack.order_notes DISABLE TRIGGER order_notes_guard_history;
UPDATE ordertrack.order_notes SET data = '{"to": "canceled"}'
 WHERE order_id = :order_id AND note_no = 2;
SELECT note_no, problem, detail FROM ordertrack.verify_order(:order_id);
ROLLBACK;

\echo '\n== 11. The redemptions as CSV, for a spreadsheet: demo/redemptions.csv\n'
COPY (SELECT redemption_id, kind, state, failure_code, code, reward, customer, order_source_id, amount, points, reason
	  FROM ordertrack.export_redemptions ORDER BY redemption_id)
  TO STDOUT WITH (FORMAT csv, HEADER) \g demo/redemptions.csv
\set ECHO none
\echo
\! cat demo/redemptions.csv
\echo '\n   Line 4: a code that a spreadsheet would run as a formula has an apostrophe.'
\echo '   "make psql" opens psql on these data.'

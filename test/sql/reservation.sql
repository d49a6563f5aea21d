-- Reservations as people meet them: answers, errors, and what the list shows.
SET client_min_messages = warning;
SET timezone = 'UTC';
CREATE EXTENSION ordertrack;
DO $$ BEGIN PERFORM ordertrack.setup(); END $$;
DO $$ BEGIN
	PERFORM ordertrack.create_campaign('opening', discount_budget => 150);
	PERFORM ordertrack.create_voucher('SEAT', '{"type":"amount","amount_off":100}', campaign => 'opening', redemption_limit => 1);
	PERFORM ordertrack.create_voucher('CARD', gift_amount => 1000);
END $$;
\set VERBOSITY default

-- Held, and what it would give
SELECT * FROM ordertrack.reserve('SEAT', 'mia', '{"amount":900}', metadata => '{"cart":7}', channel => 'web', actor => 'shop') \gset
SELECT length(:'reservation_key'), :'result' AS result, :amount AS amount, :discount_amount AS discount, :total_amount AS total;
SELECT result, failure_code, failure_message, reservation_key, expires_at FROM ordertrack.reserve('SEAT');
SELECT result, failure_code, failure_message FROM ordertrack.redeem('SEAT', 'noah');
SELECT code, redemption_limit, redeemed_count, reserved_count FROM ordertrack.voucher_list WHERE code = 'SEAT';
SELECT name, discount_spent, reserved_count FROM ordertrack.campaign_list;
SELECT result, amount, gift_balance FROM ordertrack.reserve('CARD', amount => 400);
SELECT code, gift_amount, gift_balance, reserved_count FROM ordertrack.voucher_list WHERE code = 'CARD';

-- Used by who has the key, once
SELECT result, failure_message FROM ordertrack.redeem('SEAT', 'noah', reservation_key => :'reservation_key');
SELECT result, discount_amount, total_amount FROM ordertrack.redeem('SEAT', 'mia', '{"amount":1900}', reservation_key => :'reservation_key');
SELECT result, failure_code, failure_message FROM ordertrack.redeem('SEAT', 'mia', reservation_key => :'reservation_key');
SELECT ordertrack.release_reservation(:'reservation_key');
SELECT status, code, campaign, customer, order_id, amount, order_amount, ended_at IS NOT NULL AS has_ended, redemption_id, actor, channel, metadata
  FROM ordertrack.reservation_list ORDER BY created_at;
SELECT name, discount_spent, reserved_count FROM ordertrack.campaign_list;

-- Refused
SELECT ordertrack.release_reservation('none');
\echo :SQLSTATE
SELECT ordertrack.reserve('SEAT', hold => '31 days');
\echo :SQLSTATE
SELECT ordertrack.reserve('SEAT', hold => NULL);
\echo :SQLSTATE
SELECT ordertrack.update_voucher('SEAT', redemption_limit => 5);
SELECT result FROM ordertrack.reserve('SEAT', order_data => '{"amount":50}');
SELECT ordertrack.update_voucher('SEAT', redemption_limit => 1);
\echo :SQLSTATE
BEGIN READ ONLY;
SELECT ordertrack.reserve('SEAT');
ROLLBACK;

-- The list
\d ordertrack.reservation_list
DROP SCHEMA ordertrack CASCADE;

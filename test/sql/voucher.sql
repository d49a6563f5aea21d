-- Vouchers and campaigns: made, changed, and what is refused.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION ordertrack;
SELECT ordertrack.setup() \g /dev/null
\pset null '-'

SELECT ordertrack.create_campaign('summer', starts_at => '2020-06-01 00:00+00', expires_at => '2999-09-01 00:00+00',
	redemption_limit => 100, customer_limit => 2, metadata => '{"team": "web"}');
SELECT ordertrack.create_voucher('SUMMER10', '{"type": "percent", "percent_off": 10, "amount_limit": 600}', campaign => 'summer',
	expires_at => '2030-01-01 00:00+00');
SELECT ordertrack.create_voucher('TENOFF', '{"type": "amount", "amount_off": 1000, "effect": "apply_to_order"}', redemption_limit => 5);
SELECT ordertrack.create_voucher('FIXED', '{"type": "fixed", "fixed_amount": 0}', is_active => false);
SELECT ordertrack.create_voucher('GIFT', gift_amount => 5000, customer_limit => 1);
-- Codes compare byte for byte.
SELECT ordertrack.create_voucher('summer10', '{"type": "amount", "amount_off": 1}');
SELECT code, kind, campaign, discount, gift_amount, gift_balance, is_active, redemption_limit, redeemed_count, customer_limit
  FROM ordertrack.voucher_list ORDER BY voucher_id;
-- A code has the dates that it and its campaign have together.
SET timezone = 'UTC';
SELECT code, starts_at, expires_at FROM ordertrack.voucher_list WHERE campaign IS NOT NULL;

-- Refused
SELECT ordertrack.create_voucher('GIFT', gift_amount => 1);
\echo :SQLSTATE
SELECT ordertrack.create_campaign('summer');
\echo :SQLSTATE
SELECT ordertrack.create_voucher('NEW', gift_amount => 1, campaign => 'winter');
\echo :SQLSTATE
SELECT ordertrack.create_voucher(NULL, gift_amount => 1);
\echo :SQLSTATE
SELECT ordertrack.create_voucher('', gift_amount => 1);
\echo :SQLSTATE
SELECT ordertrack.create_voucher(repeat('x', 201), gift_amount => 1);
\echo :SQLSTATE
SELECT ordertrack.create_voucher('NEW');
\echo :SQLSTATE
SELECT ordertrack.create_voucher('NEW', '{"type": "amount", "amount_off": 1}', gift_amount => 1);
\echo :SQLSTATE
SELECT ordertrack.create_voucher('NEW', gift_amount => 0);
\echo :SQLSTATE
SELECT ordertrack.create_voucher('NEW', '[]');
\echo :SQLSTATE
SELECT ordertrack.create_voucher('NEW', '{"amount_off": 1}');
\echo :SQLSTATE
SELECT ordertrack.create_voucher('NEW', '{"type": "amount", "amount_off": 1.5}');
\echo :SQLSTATE
SELECT ordertrack.create_voucher('NEW', '{"type": "percent", "percent_off": 101}');
\echo :SQLSTATE
SELECT ordertrack.create_voucher('NEW', '{"type": "percent", "percent_off": 10, "amount_limt": 600}');
\echo :SQLSTATE
SELECT ordertrack.create_voucher('NEW', '{"type": "amount", "amount_off": 1, "effect": "apply_to_moon"}');
\echo :SQLSTATE
SELECT ordertrack.create_voucher('NEW', gift_amount => 1, redemption_limit => 0);
\echo :SQLSTATE
SELECT ordertrack.create_voucher('NEW', gift_amount => 1, starts_at => '2030-01-01', expires_at => '2030-01-01');
\echo :SQLSTATE
SELECT ordertrack.create_voucher('NEW', gift_amount => 1, is_active => NULL);
\echo :SQLSTATE
SELECT ordertrack.create_voucher('NEW', gift_amount => 1, metadata => '[]');
\echo :SQLSTATE
SELECT ordertrack.create_campaign('new', customer_limit => -1);
\echo :SQLSTATE
SELECT ordertrack.create_campaign(NULL);
\echo :SQLSTATE

-- What is passed changes, what clear names is emptied, the rest stays.
SELECT ordertrack.update_voucher('TENOFF', expires_at => '2031-01-01 00:00+00', metadata => '{"batch": 7}');
SELECT redemption_limit, expires_at, metadata FROM ordertrack.voucher_list WHERE code = 'TENOFF';
SELECT ordertrack.update_voucher('TENOFF', is_active => false, clear => '{redemption_limit,metadata}');
SELECT redemption_limit, expires_at, metadata, is_active FROM ordertrack.voucher_list WHERE code = 'TENOFF';
SELECT ordertrack.update_campaign('summer', is_active => false, clear => '{customer_limit}');
SELECT code, is_active FROM ordertrack.voucher_list WHERE campaign = 'summer';

-- A limit counts what was redeemed before it was set.
SELECT ordertrack.update_voucher('TENOFF', is_active => true);
SELECT result FROM ordertrack.redeem('TENOFF');
SELECT result FROM ordertrack.redeem('TENOFF');
SELECT ordertrack.update_voucher('TENOFF', redemption_limit => 1);
\echo :SQLSTATE
SELECT ordertrack.update_voucher('TENOFF', redemption_limit => 2);
SELECT redeemed_count, redemption_limit FROM ordertrack.voucher_list WHERE code = 'TENOFF';
SELECT result, failure_code FROM ordertrack.redeem('TENOFF');

-- Refused
SELECT ordertrack.update_voucher('NONE', is_active => true);
\echo :SQLSTATE
SELECT ordertrack.update_campaign('winter', is_active => true);
\echo :SQLSTATE
SELECT ordertrack.update_voucher('GIFT', clear => '{gift_amount}');
\echo :SQLSTATE
SELECT ordertrack.update_voucher('GIFT', customer_limit => 1, clear => '{customer_limit}');
\echo :SQLSTATE
SELECT ordertrack.update_voucher('GIFT', clear => '{NULL}');
\echo :SQLSTATE
SELECT ordertrack.update_voucher('TENOFF', starts_at => '2032-01-01 00:00+00');
\echo :SQLSTATE
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT ordertrack.update_voucher('GIFT', redemption_limit => 1);
\echo :SQLSTATE
ROLLBACK;

-- Code and kind are for ever, and a code can't be deleted, whoever tries.
UPDATE ordertrack.vouchers SET code = 'OTHER' WHERE code = 'GIFT';
\echo :SQLSTATE
DELETE FROM ordertrack.vouchers WHERE code = 'GIFT';
\echo :SQLSTATE

DROP SCHEMA ordertrack CASCADE;

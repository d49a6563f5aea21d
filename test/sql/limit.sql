-- Limits in periods, budgets and hours: what people see.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION ordertrack;
SELECT ordertrack.setup() \g /dev/null
\pset null '-'

SELECT ordertrack.create_campaign('late night', per_day => 3, customer_per_month => 2, discount_budget => 2000,
	order_budget => 100000, validity_hours => '[{"start_time": "00:00"}]');
SELECT ordertrack.create_voucher('LATE20', '{"type": "percent", "percent_off": 20}', campaign => 'late night');
SELECT result, discount_amount, failure_code, failure_message
  FROM (VALUES (1, 'anna', 5000), (2, 'anna', 2000), (3, 'anna', 100), (4, NULL, 100), (5, 'ben', 5000), (6, 'ben', 100), (7, 'carl', 100))
	AS c (n, customer, amount)
 CROSS JOIN LATERAL ordertrack.redeem('LATE20', customer, jsonb_build_object('amount', amount)) ORDER BY n;
SELECT name, per_day, customer_per_month, discount_budget, discount_spent, order_budget, order_spent, validity_hours, redeemed_count
  FROM ordertrack.campaign_list;
SELECT entity, period, customer_id, used FROM ordertrack.period_counts ORDER BY customer_id;

-- Back, and once more
SELECT result, amount FROM ordertrack.rollback_redemption(1);
SELECT discount_spent, order_spent FROM ordertrack.campaign_list;
SELECT result, discount_amount FROM ordertrack.redeem('LATE20', 'carl', '{"amount": 100}');

-- Refused
SELECT ordertrack.update_campaign('late night', discount_budget => 400);
\echo :SQLSTATE
SELECT ordertrack.update_campaign('late night', per_week => 0);
\echo :SQLSTATE
SELECT ordertrack.update_campaign('late night', validity_hours => '[{"start_time": "25:00"}]');
\echo :SQLSTATE
SELECT ordertrack.update_voucher('LATE20', clear => '{discount_budget}');
\echo :SQLSTATE
SELECT ordertrack.update_campaign('late night', clear => '{name}');
\echo :SQLSTATE

DROP SCHEMA ordertrack CASCADE;

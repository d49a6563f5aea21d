-- The views that people read: their columns, and exact values.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION ordertrack;
SELECT ordertrack.setup() \g /dev/null
\pset null '-'

-- Columns are only ever appended.
\d ordertrack.voucher_list
\d ordertrack.campaign_list
\d ordertrack.order_list
\d ordertrack.order_details
\d ordertrack.redemption_list
\d ordertrack.order_history_list

SELECT ordertrack.put_customer('anna', 'anna@example.com', first_name => 'Anna');
SELECT ordertrack.create_campaign('summer');
SELECT ordertrack.create_voucher('=1+1', '{"type": "amount", "amount_off": 100}', campaign => 'summer');
SELECT ordertrack.create_voucher('GIFT', gift_amount => 1000);
SELECT result FROM ordertrack.redeem('=1+1', 'anna', '{"source_id": "A-1", "metadata": {"shop": "north"}, "items": [
	{"product_id": "mug", "quantity": 1, "price": 500}]}', metadata => '{"till": 3}', channel => 'web', actor => 'robot');
SELECT result FROM ordertrack.redeem('GIFT', 'anna', '{"source_id": "A-1"}');
SELECT result FROM ordertrack.rollback_redemption(2, 'cup broken', 150);
SELECT result FROM ordertrack.redeem('NOSUCH', 'ben', channel => 'app');

SELECT source_id, status, customer, item_count, amount, discount_amount, total_amount, metadata FROM ordertrack.order_list;
SELECT source_id, customer, email, first_name, items, jsonb_path_query_array(redemptions, '$[*].code') AS codes,
	jsonb_path_query_array(redemptions, '$[*].amount') AS amounts FROM ordertrack.order_details \gx
-- Text is exact here; only the export views make it safe for a spreadsheet.
SELECT redemption_id, kind, result, state, failure_code, code, campaign, customer, order_source_id, order_status, amount, gift_balance, reason, rollback_of, actor, channel
  FROM ordertrack.redemption_list ORDER BY redemption_id;

-- Filters
SELECT redemption_id FROM ordertrack.redemption_list WHERE workspace_id = 1 AND campaign = 'summer';
SELECT redemption_id FROM ordertrack.redemption_list WHERE workspace_id = 1 AND failure_code = 'voucher_not_found';
SELECT redemption_id FROM ordertrack.redemption_list WHERE workspace_id = 1 AND customer = 'ben';
SELECT redemption_id FROM ordertrack.redemption_list WHERE workspace_id = 1 AND metadata @> '{"till": 3}';
SELECT redemption_id FROM ordertrack.redemption_list WHERE workspace_id = 1 AND state = 'partially_rolled_back';
SELECT source_id FROM ordertrack.order_list WHERE workspace_id = 1 AND metadata @> '{"shop": "north"}';
-- Paging by key: the page after redemption 3
SELECT redemption_id FROM ordertrack.redemption_list
 WHERE (created_at, redemption_id) < (SELECT created_at, redemption_id FROM ordertrack.redemptions WHERE redemption_id = 3)
 ORDER BY created_at DESC, redemption_id DESC LIMIT 2;

DROP SCHEMA ordertrack CASCADE;

-- The catalog of rewards: made, changed, supplied, and what is refused.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION ordertrack;
SELECT ordertrack.setup() \g /dev/null
\pset null '-'
SET timezone = 'UTC';

SELECT ordertrack.put_customer('anna');
SELECT ordertrack.create_segment('regulars', customers => '{anna}');
SELECT ordertrack.create_reward('Mug', 'gift', 300, tax_value => 95, data_source => 'loyalty', segments => '{regulars}', redemption_limit => 100,
	customer_limit => 2, stock => '[{"color": "red", "size": "M", "stock": 5}, {"color": "blue", "stock": 0}]', metadata => '{"page": 7}');
SELECT ordertrack.create_reward('Ten off', 'discount_code', 100, code_source => 'pool', days_inactive => 1, days_valid => 30,
	starts_at => '2020-06-01 00:00+00', expires_at => '2999-09-01 00:00+00');
SELECT ordertrack.create_reward('Free delivery', 'free_delivery', 50, shared_code => 'SHIPFREE', visible_from => '2999-01-01 00:00+00');
SELECT ordertrack.create_reward('Tenth of an order', 'percentage_discount_code', 0, percent_off => 10);
SELECT ordertrack.create_reward('Money back', 'cashback', 1000, point_value => 2);
SELECT ordertrack.create_reward('Poster', 'gift', 20, code_source => 'none', stock => '7');

-- Codes are numbered in the order in which they are given; who has them already loses nothing.
SELECT ordertrack.add_reward_codes('Ten off', '{TEN-3,TEN-1,TEN-2}');
SELECT ordertrack.add_reward_codes('Ten off', '{TEN-4,TEN-1}');
SELECT ordertrack.add_reward_stock('Mug', 10, 'red', 'M');
SELECT ordertrack.add_reward_stock('Mug', 3, 'green', 'L');
SELECT ordertrack.add_reward_stock('Poster', -2);

-- What an administrator sees, and what no list shows: the codes
SELECT name, type, cost_in_points AS cost, tax_value AS tax, percent_off, point_value, segments, redemption_limit AS "limit", redeemed_count AS used,
	customer_limit AS each, is_stocked, code_source, free_code_count AS codes, is_visible FROM ordertrack.reward_list ORDER BY reward_id;
SELECT name, stock FROM ordertrack.reward_list WHERE is_stocked ORDER BY name;
SELECT name, starts_at, expires_at, visible_from, days_inactive, days_valid, data_source, metadata FROM ordertrack.reward_list ORDER BY reward_id;

-- What is passed changes, what clear names is emptied, the rest stays.
SELECT ordertrack.update_reward('Mug', 250, redemption_limit => 50, clear => '{tax_value,metadata}');
SELECT cost_in_points, tax_value, redemption_limit, redeemed_count, customer_limit, metadata FROM ordertrack.reward_list WHERE name = 'Mug';

-- A limit counts what was issued before it was set.
SELECT ordertrack.grant_points('anna', 1000) \g /dev/null
SELECT result FROM ordertrack.redeem_reward('Poster', 'anna', 2);
SELECT ordertrack.update_reward('Poster', redemption_limit => 1);
\echo :SQLSTATE
SELECT ordertrack.update_reward('Poster', redemption_limit => 2, customer_limit => 1);
SELECT redemption_limit, redeemed_count, customer_limit, stock FROM ordertrack.reward_list WHERE name = 'Poster';
SELECT result, failure_code FROM ordertrack.redeem_reward('Poster', 'anna');
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT ordertrack.update_reward('Ten off', redemption_limit => 1);
\echo :SQLSTATE
ROLLBACK;

-- Refused
SELECT ordertrack.create_reward('Mug', 'gift', 1);
\echo :SQLSTATE
SELECT ordertrack.create_reward(NULL, 'gift', 1);
\echo :SQLSTATE
SELECT ordertrack.create_reward('New', 'present', 1);
\echo :SQLSTATE
SELECT ordertrack.create_reward('New', 'gift', -1);
\echo :SQLSTATE
SELECT ordertrack.create_reward('New', 'gift', 1, percent_off => 10);
\echo :SQLSTATE
SELECT ordertrack.create_reward('New', 'percentage_discount_code', 1, percent_off => 101);
\echo :SQLSTATE
SELECT ordertrack.create_reward('New', 'cashback', 1);
\echo :SQLSTATE
SELECT ordertrack.create_reward('New', 'cashback', 9223372036854775807, point_value => 2);
\echo :SQLSTATE
SELECT ordertrack.create_reward('New', 'cashback', 1, point_value => 2, days_valid => 30);
\echo :SQLSTATE
SELECT ordertrack.create_reward('New', 'custom_campaign', 1, redemption_limit => 5);
\echo :SQLSTATE
SELECT ordertrack.create_reward('New', 'custom_campaign', 1, stock => '5');
\echo :SQLSTATE
SELECT ordertrack.create_reward('New', 'custom_campaign', 1, code_source => 'pool');
\echo :SQLSTATE
SELECT ordertrack.create_reward('New', 'value_code', 1, code_source => 'none');
\echo :SQLSTATE
SELECT ordertrack.create_reward('New', 'value_code', 1, code_source => 'list');
\echo :SQLSTATE
SELECT ordertrack.create_reward('New', 'value_code', 1, code_source => 'shared');
\echo :SQLSTATE
SELECT ordertrack.create_reward('New', 'gift', 1, redemption_limit => 0);
\echo :SQLSTATE
SELECT ordertrack.create_reward('New', 'gift', 1, days_valid => 36501);
\echo :SQLSTATE
SELECT ordertrack.create_reward('New', 'gift', 1, visible_from => '2030-01-01', visible_until => '2030-01-01');
\echo :SQLSTATE
SELECT ordertrack.create_reward('New', 'gift', 1, segments => '{regulars,strangers}');
\echo :SQLSTATE
SELECT ordertrack.create_reward('New', 'gift', 1, segments => '{NULL}');
\echo :SQLSTATE
SELECT ordertrack.create_reward('New', 'gift', 1, stock => '-5');
\echo :SQLSTATE
SELECT ordertrack.create_reward('New', 'gift', 1, stock => '{"stock": 5}');
\echo :SQLSTATE
SELECT ordertrack.create_reward('New', 'gift', 1, stock => '[{"colour": "red", "stock": 5}]');
\echo :SQLSTATE
SELECT ordertrack.create_reward('New', 'gift', 1, stock => '[{"color": "red", "stock": 5}, {"size": "", "color": "red", "stock": 1}]');
\echo :SQLSTATE
SELECT ordertrack.update_reward('New', 1);
\echo :SQLSTATE
SELECT ordertrack.update_reward('Money back', customer_limit => 1);
\echo :SQLSTATE
SELECT ordertrack.update_reward('Mug', clear => '{segments}');
\echo :SQLSTATE
SELECT ordertrack.update_reward('Mug', 5, clear => '{cost_in_points}');
\echo :SQLSTATE
SELECT ordertrack.update_reward('Ten off', starts_at => '3000-01-01 00:00+00');
\echo :SQLSTATE
SELECT ordertrack.add_reward_codes('Ten off', ARRAY['TEN-5', repeat('x', 201)]);
\echo :SQLSTATE
SELECT ordertrack.add_reward_codes('Ten off', '{TEN-5,""}');
\echo :SQLSTATE
SELECT ordertrack.add_reward_codes('Ten off', NULL);
\echo :SQLSTATE
SELECT ordertrack.add_reward_codes('Free delivery', '{SHIP-1}');
\echo :SQLSTATE
SELECT ordertrack.add_reward_stock('Mug', -4, 'green', 'L');
\echo :SQLSTATE
SELECT ordertrack.add_reward_stock('Mug', -1, 'pink');
\echo :SQLSTATE
SELECT ordertrack.add_reward_stock('Mug', 9223372036854775807, 'green', 'L');
\echo :SQLSTATE
SELECT ordertrack.add_reward_stock('Ten off', 5);
\echo :SQLSTATE

-- Name and type are for ever, and a reward can't be deleted, whoever tries.
UPDATE ordertrack.rewards SET type = 'value_code' WHERE name = 'Mug';
\echo :SQLSTATE
DELETE FROM ordertrack.rewards WHERE name = 'Mug';
\echo :SQLSTATE

DROP SCHEMA ordertrack CASCADE;

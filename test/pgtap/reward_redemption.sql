-- Redeeming rewards: what a success writes, what a refusal leaves alone, each
-- type, windows and validity, idempotency, and the way back.
BEGIN;
SELECT * FROM no_plan();

-- All that a purchase could change.
CREATE FUNCTION pg_temp.state() RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', (SELECT count(*) FROM ordertrack.orders), (SELECT count(*) FROM ordertrack.order_notes),
		(SELECT count(*) FROM ordertrack.issued_rewards), (SELECT count(*) FROM ordertrack.customers),
		(SELECT string_agg(a::text, ' ' ORDER BY a::text) FROM ordertrack.point_accounts AS a),
		(SELECT string_agg(concat_ws(',', name, redeemed_count), ' ' ORDER BY name) FROM ordertrack.rewards),
		(SELECT string_agg(u::text, ' ' ORDER BY u::text) FROM ordertrack.reward_customers AS u),
		(SELECT string_agg(concat_ws(',', reward_id, color, size, stock), ' ' ORDER BY reward_id, color, size)
		   FROM ordertrack.reward_variants),
		(SELECT count(*) FROM ordertrack.reward_codes WHERE issued_at IS NULL))
$$;
-- The answer in short: result or reason, units, codes, price, what is left.
CREATE FUNCTION pg_temp.told(o ordertrack.reward_outcome) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', coalesce(o.failure_code, o.result), cardinality(o.issued_reward_ids), o.cost_in_points,
		o.active_points, o.points_missing)
$$;

SELECT ordertrack.put_customer('anna', 'anna@example.org', '+49 1', 'Anna', 'Ott', '{"city": "Ulm"}'),
	ordertrack.grant_points('anna', 500, now() + interval '1 year'), ordertrack.grant_points('anna', 500),
	ordertrack.create_reward('mug', 'gift', 80, tax_value => 19, data_source => 'kitchen',
		stock => '[{"color":"red","size":"L","stock":3},{"color":"blue","stock":1}]',
		redemption_limit => 10, customer_limit => 5),
	ordertrack.create_reward('pool', 'value_code', 10, code_source => 'pool'),
	ordertrack.add_reward_codes('pool', '{P1,P2,P3}'),
	ordertrack.create_reward('shared', 'free_delivery', 0, shared_code => 'SAME'),
	ordertrack.create_reward('percent', 'percentage_discount_code', 0, percent_off => 12.5),
	ordertrack.create_reward('cash', 'cashback', 50, point_value => 2),
	ordertrack.create_reward('custom', 'custom_campaign', 5)
\g /dev/null

-- What a success writes.
SELECT o.* FROM ordertrack.redeem_reward('mug', 'anna', 2, 'red', 'L', on_behalf_of => 'the team', submitted_by => 'Bo',
	channel => 'app', actor => 'staff-1') AS o
\gset mug_
SELECT is(:'mug_result' || ' ' || :mug_cost_in_points || ' ' || :mug_active_points, 'success 160 840', 'the outcome');
SELECT is(cardinality(:'mug_issued_reward_ids'::bigint[]) || ' ' || (SELECT count(DISTINCT code) FROM unnest(:'mug_codes'::text[]) AS code
	WHERE code ~ '^[0-9A-HJKMNP-TV-Z]{16}$'), '2 2', 'a unit and a code for each');
SELECT is((SELECT concat_ws(' ', status, amount, total_amount, value_in_points, data_source, shipping_address, submitted_by,
	on_behalf_of, channel) FROM ordertrack.orders WHERE order_id = :mug_order_id),
	'paid 0 0 160 kitchen {"city": "Ulm"} Bo the team app', 'the order: paid by points, to the customer''s address');
SELECT is((SELECT concat_ws(' ', name, color, size, quantity) FROM ordertrack.order_items WHERE order_id = :mug_order_id),
	'mug red L 2', 'its line');
SELECT is((SELECT string_agg(event_type, ' ' ORDER BY note_no) FROM ordertrack.order_notes WHERE order_id = :mug_order_id),
	'order_created reward_redeemed', 'its notes');
SELECT is((SELECT data FROM ordertrack.order_notes WHERE order_id = :mug_order_id AND note_no = 2),
	jsonb_build_object('redemption_id', :mug_redemption_id, 'reward_id', (SELECT reward_id FROM ordertrack.rewards WHERE name = 'mug'),
		'quantity', 2, 'points', 160, 'actor', 'staff-1', 'session_user', session_user)
		- CASE WHEN session_user = current_user THEN 'session_user' ELSE '' END, 'what the note says');
SELECT ok(NOT EXISTS (SELECT FROM ordertrack.order_notes AS n, unnest(:'mug_codes'::text[]) AS code
	WHERE n.data::text LIKE '%' || code || '%'), 'no code in a note');
SELECT is_empty(format('SELECT * FROM ordertrack.verify_order(%s)', :mug_order_id), 'the history verifies');
SELECT is((SELECT concat_ws(' ', kind, result, coalesce(code, '-'), reward, quantity, points, amount, discount_amount, customer,
	order_id = :mug_order_id, actor, channel) FROM ordertrack.redemptions WHERE redemption_id = :mug_redemption_id),
	'redemption success - mug 2 160 0 0 anna t staff-1 app', 'the record');
SELECT is((SELECT string_agg(concat_ws(' ', u.code = c.code, u.color, u.size, u.reward_type, u.cost_in_points, u.active_points,
		u.tax_value, coalesce(u.used_at, u.expires_at, u.canceled_at)::text, u.delivery_status, u.created_at = u.active_from), ', ')
	FROM ordertrack.issued_rewards AS u
	JOIN unnest(:'mug_issued_reward_ids'::bigint[], :'mug_codes'::text[]) AS c (issued_reward_id, code) USING (issued_reward_id)),
	't red L gift 80 840 19 t, t red L gift 80 840 19 t', 'the units');
SELECT is((SELECT string_agg(concat_ws(' ', kind, points, balance, redemption_id = :mug_redemption_id), ', ' ORDER BY movement_no)
	FROM ordertrack.point_movements WHERE kind <> 'granted'), 'spent -160 840 t', 'the movement: from the lot that expires');
SELECT is(pg_temp.state() LIKE '%mug,2%' AND pg_temp.state() LIKE '%red,L,1%', true, 'uses and stock');
SELECT is((SELECT used::bigint FROM ordertrack.reward_customers), 2::bigint, 'uses of the customer');

-- An address that is given counts, and the customer's stays as it is.
SELECT order_id AS to_rome FROM ordertrack.redeem_reward('shared', 'anna', shipping_address => '{"city": "Rom"}')
\gset
SELECT is((SELECT shipping_address ->> 'city' FROM ordertrack.orders WHERE order_id = :to_rome)
	|| ' ' || (SELECT address ->> 'city' FROM ordertrack.customers WHERE source_id = 'anna'), 'Rom Ulm', 'an address of its own');

-- Each type. Cashback and percentages are had one at a time.
SELECT ordertrack.create_order('{"source_id": "paid", "amount": 20050, "status": "paid"}', 'anna') AS paid,
	ordertrack.create_order('{"amount": 3, "status": "paid"}', 'anna') AS tiny,
	ordertrack.create_order('{"amount": 100}', 'anna') AS unpaid,
	ordertrack.create_order('{"amount": 100, "status": "paid"}', 'bo') AS of_bo
\gset
SELECT ordertrack.set_order_status(ordertrack.create_order('{"source_id": "gone", "amount": 100, "status": "paid"}', 'anna'), 'canceled')
\g /dev/null
SELECT is(pg_temp.told(o) || coalesce(' ' || array_to_string(o.codes, ','), ''), wanted, label)
  FROM (VALUES
	('a pool gives its codes in order', 'pool', 2, NULL::bigint, 'success 2 20 820 P1,P2'),
	('the last code', 'pool', 1, NULL, 'success 1 10 810 P3'),
	('no code is left', 'pool', 1, NULL, 'no_codes_left'),
	('all get the shared code', 'shared', 2, NULL, 'success 2 0 810 SAME,SAME'),
	('a percentage: its code is the amount, rounded half up', 'percent', 7, :paid, 'success 1 0 810 2506'),
	('a percentage that is worth nothing', 'percent', 1, :tiny, 'invalid_amount'),
	('a percentage without an order', 'percent', 1, NULL, 'invalid_order'),
	('a percentage of an unknown order', 'percent', 1, -1, 'invalid_order'),
	('a percentage of an order that is not paid', 'percent', 1, :unpaid, 'invalid_order'),
	('a percentage of a canceled order', 'percent', 1, (SELECT order_id FROM ordertrack.orders WHERE source_id = 'gone'), 'invalid_order'),
	('a percentage of somebody else''s order', 'percent', 1, :of_bo, 'invalid_order'),
	('cashback', 'cash', 3, NULL, 'success 1 50 760'),
	('a custom campaign has no code', 'custom', 1, NULL, 'success 1 5 755'),
	('an order that is not asked for', 'custom', 1, :paid, 'invalid_order')
  ) AS c (label, reward, quantity, of_order, wanted)
 CROSS JOIN LATERAL ordertrack.redeem_reward(c.reward, 'anna', c.quantity, base_order_id => c.of_order) AS o;
SELECT is((SELECT value::bigint FROM ordertrack.issued_rewards WHERE reward_type = 'cashback'), 100::bigint, 'points times their value');
SELECT is((SELECT concat_ws(': ', cashback_code, cashback_detail_code, cashback_message) FROM ordertrack.issued_rewards
	WHERE reward_type = 'cashback'), '0: INIT: INIT', 'cashback begins');

-- The message that the button shows.
SELECT is(o.failure_message || ': ' || o.points_missing, 'You must have 45 more points to get reward: 45', 'points that are missing')
  FROM ordertrack.can_redeem_reward('custom', 'anna', 160) AS o;

-- A refusal is a row, and changes nothing else; a dry run not even that.
SELECT pg_temp.state() AS before, count(*) AS records FROM ordertrack.redemptions
\gset
CREATE TEMP TABLE refused AS SELECT c.*, o.*, row_number() OVER () AS n FROM (VALUES
	('no reward', NULL, 'anna', 1::bigint, NULL, NULL::jsonb, 'invalid_input'),
	('an empty reward', '', 'anna', 1, NULL, NULL, 'invalid_input'),
	('an endless reward', repeat('x', 1000000), 'anna', 1, NULL, NULL, 'invalid_input'),
	('no customer', 'mug', NULL, 1, NULL, NULL, 'invalid_input'),
	('an empty customer', 'mug', '', 1, NULL, NULL, 'invalid_input'),
	('an endless customer', 'mug', repeat('x', 256), 1, NULL, NULL, 'invalid_input'),
	('no quantity', 'mug', 'anna', NULL, NULL, NULL, 'invalid_input'),
	('quantity 0', 'mug', 'anna', 0, NULL, NULL, 'invalid_input'),
	('a negative quantity', 'mug', 'anna', -9223372036854775808, NULL, NULL, 'invalid_input'),
	('too many', 'mug', 'anna', 501, NULL, NULL, 'invalid_input'),
	('an address that is none', 'mug', 'anna', 1, 'red', '["Ulm"]', 'invalid_input'),
	('a variant that is not there', 'mug', 'anna', 1, 'green', NULL, 'out_of_stock'),
	('a variant of another size', 'mug', 'anna', 1, 'red', NULL, 'out_of_stock'),
	('more than there are', 'mug', 'anna', 2, 'blue', NULL, 'out_of_stock'),
	('more than the customer may have', 'mug', 'anna', 4, 'blue', NULL, 'customer_limit_exceeded'),
	('more than there are for all', 'mug', 'anna', 9, 'blue', NULL, 'quantity_exceeded'),
	('a customer without points', 'cash', 'nobody', 1, NULL, NULL, 'not_enough_points')
  ) AS c (label, reward, customer, quantity, color, address, wanted)
 CROSS JOIN LATERAL ordertrack.redeem_reward(c.reward, c.customer, c.quantity, c.color, shipping_address => c.address) AS o;
SELECT is(failure_code, wanted, label) FROM refused ORDER BY n;
SELECT is(pg_temp.state(), :'before', 'refusals change nothing');
SELECT is((SELECT count(*) FROM ordertrack.redemptions AS r JOIN refused AS f USING (redemption_id)
	WHERE r.result = 'failure' AND r.failure_code = f.wanted AND r.points IS NULL AND r.amount IS NULL AND r.reward IS NOT NULL
	AND r.customer IS NOT DISTINCT FROM left(f.customer, 255) AND r.quantity IS NOT DISTINCT FROM f.quantity),
	(SELECT count(*) FROM refused), 'each is recorded as it was asked for');
SELECT is((SELECT octet_length(r.reward) FROM ordertrack.redemptions AS r JOIN refused AS f USING (redemption_id)
	WHERE f.label = 'an endless reward'), 1000, 'cut to its limit');
SELECT is((SELECT r.points_missing FROM ordertrack.redemptions AS r JOIN refused AS f USING (redemption_id)
	WHERE f.wanted = 'not_enough_points'), 50::bigint, 'how many points were missing');
SELECT is(coalesce(d.failure_code, d.result), f.wanted, 'the dry run agrees: ' || f.label)
  FROM refused AS f CROSS JOIN LATERAL ordertrack.can_redeem_reward(f.reward, f.customer, f.quantity, f.color) AS d
 WHERE f.address IS NULL;
SELECT is(count(*), :records + (SELECT count(*) FROM refused), 'a dry run leaves no record') FROM ordertrack.redemptions;
SELECT is(pg_temp.state(), :'before', 'nor anything else');

-- Windows: the first moment counts, the last does not. Both must be open.
SELECT ordertrack.create_reward('w' || n, 'gift', 0, starts_at => starts_at, expires_at => expires_at,
	visible_from => visible_from, visible_until => visible_until)
  FROM (VALUES (1, now() - interval '1 s', now() + interval '1 h', now() - interval '1 s', now() + interval '1 h'),
	(2, now() + interval '1 h', NULL, NULL, NULL), (3, NULL, now() - interval '1 s', NULL, NULL),
	(4, NULL, NULL, now() + interval '1 h', NULL), (5, NULL, NULL, NULL, now() - interval '1 s'))
	AS w (n, starts_at, expires_at, visible_from, visible_until)
\g /dev/null
SELECT is(pg_temp.told(ordertrack.can_redeem_reward('w' || n, 'anna')), wanted, label) FROM (VALUES
	(1, 'success 0 755', 'inside both windows'), (2, 'reward_not_active', 'before it starts'), (3, 'reward_expired', 'after its end'),
	(4, 'reward_not_active', 'before it is seen'), (5, 'reward_expired', 'when it is no longer seen')) AS c (n, wanted, label);

-- Validity of what is issued: days of 24 hours, from the day that it is active.
SELECT ordertrack.create_reward('later', 'event_invitation', 0, days_inactive => 2, days_valid => 3)
\g /dev/null
SELECT issued_reward_ids[1] AS later FROM ordertrack.redeem_reward('later', 'anna')
\gset
SELECT is((SELECT (active_from - created_at) || ', ' || (expires_at - created_at) FROM ordertrack.issued_rewards
	WHERE issued_reward_id = :later), '2 days, 5 days', 'inactive, then valid');

-- Segments: a list, a condition, one of several.
SELECT ordertrack.put_customer('bo'), ordertrack.create_segment('list', customers => '{bo}'),
	ordertrack.create_segment('buyers', '$.customer.order_count >= 3'),
	ordertrack.create_segment('lately', '$.customer.days_since_last_order < 2'),
	ordertrack.create_reward('for list', 'gift', 0, segments => '{list}'),
	ordertrack.create_reward('for buyers', 'gift', 0, segments => '{buyers}'),
	ordertrack.create_reward('for lately', 'gift', 0, segments => '{lately}'),
	ordertrack.create_reward('for either', 'gift', 0, segments => '{list,buyers}')
\g /dev/null
SELECT is(coalesce(o.failure_code, o.result), wanted, format('%s: %s', reward, customer)) FROM (VALUES
	('for list', 'bo', 'success'), ('for list', 'anna', 'customer_rules_violated'),
	('for buyers', 'bo', 'customer_rules_violated'), ('for buyers', 'anna', 'success'),
	('for lately', 'anna', 'success'), ('for lately', 'nobody', 'customer_rules_violated'),
	('for either', 'bo', 'success'), ('for either', 'anna', 'success'), ('for either', 'nobody', 'customer_rules_violated'))
	AS c (reward, customer, wanted)
 CROSS JOIN LATERAL ordertrack.can_redeem_reward(c.reward, c.customer) AS o;

-- A reward for nothing makes an unknown customer; a blocked one gets none.
SELECT is(o.result, 'success', 'an unknown customer') FROM ordertrack.redeem_reward('shared', 'new') AS o;
SELECT ordertrack.put_customer('new', may_spend_points => false)
\g /dev/null
SELECT is(o.failure_code, 'customer_not_allowed', 'a customer who may not') FROM ordertrack.redeem_reward('shared', 'new') AS o;

-- The same key: the same answer, once; another request is a conflict.
SELECT pg_temp.state() AS before
\gset
CREATE TEMP TABLE keyed AS SELECT n, key, o.* FROM (VALUES (1, 'k-ok', 'cash'), (2, 'k-no', 'pool')) AS c (n, key, reward)
 CROSS JOIN LATERAL ordertrack.redeem_reward(c.reward, 'anna', 2, idempotency_key => c.key, actor => 'first') AS o;
SELECT pg_temp.state() AS after
\gset
SELECT ordertrack.update_reward(reward, is_active => false) FROM unnest('{cash,pool}'::text[]) AS reward
\g /dev/null
SELECT is(to_jsonb(o) || '{"replayed": false}', to_jsonb(k) - '{n,key}'::text[], 'the same answer again: ' || key)
  FROM (VALUES (1, 'cash'), (2, 'pool')) AS c (n, reward) JOIN keyed AS k USING (n)
 CROSS JOIN LATERAL ordertrack.redeem_reward(c.reward, 'anna', 2, idempotency_key => k.key, actor => 'second') AS o;
SELECT ok(o.replayed, 'and says so') FROM ordertrack.redeem_reward('cash', 'anna', 2, idempotency_key => 'k-ok') AS o;
SELECT isnt(:'before'::text, :'after', 'it had an effect');
SELECT is(pg_temp.state(), :'after', 'once');
SELECT throws_ok(format('SELECT ordertrack.redeem_reward(%s, idempotency_key => ''k-ok'')', args), 'OT003', NULL, 'another ' || what)
  FROM (VALUES ('''mug'', ''anna'', 2', 'reward'), ('''cash'', ''bo'', 2', 'customer'), ('''cash'', ''anna'', 1', 'quantity'),
	('''cash'', ''anna'', 2, color => ''''', 'color'), ('''cash'', ''anna'', 2, base_order_id => 1', 'order')) AS c (args, what);
SELECT throws_ok($$SELECT ordertrack.redeem('cash', 'anna', idempotency_key => 'k-ok')$$, 'OT003', NULL, 'another function');
SELECT throws_ok($$SELECT ordertrack.redeem_reward('cash', 'anna', workspace => 99)$$, 'OT002', NULL, 'an unknown workspace');
SELECT throws_ok($$SELECT ordertrack.can_redeem_reward(NULL, 'anna', workspace => 99)$$, 'OT002', NULL, 'an unknown workspace, bad input');

SELECT * FROM finish();
ROLLBACK;

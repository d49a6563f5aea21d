-- Stacks: several codes on one order, each on what the one before left.
BEGIN;
SELECT * FROM no_plan();

SELECT ordertrack.create_campaign('both', redemption_limit => 4, customer_limit => 2, per_day => 4, discount_budget => 1000),
	ordertrack.create_voucher('P10', '{"type":"percent","percent_off":10}'),
	ordertrack.create_voucher('P50', '{"type":"percent","percent_off":50}'),
	ordertrack.create_voucher('A300', '{"type":"amount","amount_off":300}'),
	ordertrack.create_voucher('F700', '{"type":"fixed","fixed_amount":700}'),
	ordertrack.create_voucher('LINE', '{"type":"percent","percent_off":50,"applies_to":{"included":["a"]}}'),
	ordertrack.create_voucher('SPLIT', '{"type":"amount","amount_off":300,"effect":"apply_to_items_proportionally"}'),
	ordertrack.create_voucher('MUG', '{"type":"unit","unit_off":1,"product_id":"mug","price":250,"effect":"add_new_items"}'),
	ordertrack.create_voucher('ONE', '{"type":"amount","amount_off":100}', redemption_limit => 1),
	ordertrack.create_voucher('OFF', '{"type":"amount","amount_off":100}', is_active => false),
	ordertrack.create_voucher('CARD', gift_amount => 400),
	ordertrack.create_voucher('C1', '{"type":"amount","amount_off":200}', campaign => 'both'),
	ordertrack.create_voucher('C2', '{"type":"amount","amount_off":200}', campaign => 'both'),
	ordertrack.create_voucher('C3', '{"type":"amount","amount_off":200}', campaign => 'both'),
	ordertrack.create_voucher('C9', '{"type":"amount","amount_off":900}', campaign => 'both'),
	ordertrack.create_voucher('RULED', '{"type":"amount","amount_off":10}'),
	ordertrack.create_voucher('FEW', '{"type":"amount","amount_off":10}'),
	ordertrack.create_rule('few', 'order', '$.order.quantity < 2'), ordertrack.assign_rule('few', 'FEW'),
	ordertrack.create_voucher('TWO', '{"type":"amount","amount_off":10}'),
	ordertrack.create_rule('two', 'order', '$.order.items_count == 2 && $.order.items[1].product_id == "mug" && $.order.items[1].amount == 250 && $.order.items[0].metadata.new == true'),
	ordertrack.assign_rule('two', 'TWO'),
	ordertrack.create_rule('small', 'order', '$.order.total_amount < 900'), ordertrack.assign_rule('small', 'RULED')
\g /dev/null

-- A stack in words: each outcome's code or amounts, in order.
CREATE FUNCTION pg_temp.tell(o ordertrack.redemption_outcome[]) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(CASE r.result WHEN 'success' THEN concat_ws('/', r.amount, r.discount_amount, r.total_amount, r.gift_balance)
		ELSE r.failure_code END, ' ' ORDER BY n)
	  FROM unnest(o) WITH ORDINALITY AS r (redemption_id, result, failure_code, failure_message, order_id, amount,
		discount_amount, total_amount, gift_balance, replayed, n)
$$;
CREATE TEMP TABLE cases AS SELECT row_number() OVER () AS n, c.* FROM (VALUES
	('{P10}', 'all', '{"amount":1000}', '1000/100/900 1000/100/900'),
	('{P10,P50}', 'all', '{"amount":1000}', '1000/550/450 1000/100/900 1000/550/450'),
	('{A300,P50}', 'all', '{"amount":1000}', '1000/650/350 1000/300/700 1000/650/350'),
	('{P50,A300}', 'all', '{"amount":1000}', '1000/800/200 1000/500/500 1000/800/200'),
	('{F700,P10}', 'all', '{"amount":1000}', '1000/370/630 1000/300/700 1000/370/630'),
	('{P50,CARD}', 'all', '{"amount":600}', '600/600/0 600/300/300 300/600/0/100'),
	('{CARD,P50}', 'all', '{"amount":100}', '100/100/0 100/100/0/300 100/100/0'),
	('{LINE,SPLIT}', 'all', '{"items":[{"product_id":"a","quantity":1,"price":1000},{"product_id":"b","quantity":1,"price":500}]}',
		'1500/800/700 1500/500/1000 1500/800/700'),
	('{P50,LINE}', 'all', '{"items":[{"product_id":"a","quantity":1,"price":1000},{"product_id":"b","quantity":1,"price":500}]}',
		'1500/1250/250 1500/750/750 1500/1250/250'),
	('{MUG,P10}', 'all', '{"items":[{"product_id":"a","quantity":1,"price":1000}]}', '1250/350/900 1250/250/1000 1250/350/900'),
	('{P10,OFF,A300}', 'all', '{"amount":1000}', 'stack_refused stack_refused voucher_disabled stack_refused'),
	('{P10,OFF,NONE,A300}', 'partial', '{"amount":1000}', '1000/400/600 1000/100/900 voucher_disabled voucher_not_found 1000/400/600'),
	('{OFF,NONE}', 'partial', '{"amount":1000}', 'stack_refused voucher_disabled voucher_not_found'),
	('{P10,A300,P10}', 'partial', '{"amount":1000}', 'duplicated_codes duplicated_codes duplicated_codes duplicated_codes'),
	('{P10,LINE}', 'all', '{"amount":1000}', 'stack_refused stack_refused missing_order_items'),
	('{P10,RULED}', 'all', '{"amount":1000}', '1000/110/890 1000/100/900 1000/110/890'),
	('{FEW,MUG}', 'all', '{"items":[{"product_id":"a","quantity":1,"price":1000}]}', '1250/260/990 1000/10/990 1250/260/990'),
	('{MUG,P10,FEW}', 'partial', '{"items":[{"product_id":"a","quantity":1,"price":1000}]}',
		'1250/350/900 1250/250/1000 1250/350/900 order_rules_violated'),
	('{MUG,P10,TWO}', 'all', '{"items":[{"product_id":"a","quantity":1,"price":1000,"metadata":{"new":true}}]}',
		'1250/360/890 1250/250/1000 1250/350/900 1250/360/890'),
	('{RULED,P10}', 'all', '{"amount":1000}', 'stack_refused order_rules_violated stack_refused'),
	('{P10}', 'all', '{"amount":-1}', 'stack_refused invalid_amount'),
	('{P10,A300}', 'all', NULL, '0/0/0 0/0/0 0/0/0'),
	('{P10,""}', 'partial', '{"amount":10}', '10/1/9 10/1/9 invalid_input'),
	('{P10,NULL}', 'partial', '{"amount":10}', '10/1/9 10/1/9 invalid_input'),
	('{}', 'all', '{"amount":10}', 'invalid_input'),
	(NULL, 'all', '{"amount":10}', 'invalid_input'),
	('{{P10,A300},{P50,F700}}', 'all', '{"amount":10}', 'invalid_input'),
	('{P10}', 'all', '[]', 'stack_refused invalid_input'),
	('{P10}', 'all', '{"id":-5}', 'stack_refused invalid_order')
	) AS c (codes, mode, order_data, answer);

SELECT is(pg_temp.tell(ARRAY(SELECT v FROM ordertrack.validate_stack(codes::text[], 'vera', order_data::jsonb, mode) AS v)), answer,
	format('validate %s %s on %s', codes, mode, order_data)) FROM cases ORDER BY n;
SELECT is((SELECT count(*) FROM ordertrack.redemptions), 0::bigint, 'which writes nothing');

-- The same for real, each undone afterwards.
CREATE TEMP TABLE before AS SELECT code, redeemed_count, gift_balance FROM ordertrack.vouchers;
CREATE TEMP TABLE told AS SELECT n, ARRAY(SELECT v FROM ordertrack.redeem_stack(codes::text[], 'vera', order_data::jsonb, mode) AS v) AS o,
	answer, codes FROM cases WHERE n = 0;
DO $$
DECLARE
	c record;
	o ordertrack.redemption_outcome[];
	undone ordertrack.redemption_outcome;
BEGIN
	FOR c IN SELECT * FROM cases ORDER BY n LOOP
		o := ARRAY(SELECT v FROM ordertrack.redeem_stack(c.codes::text[], 'vera', c.order_data::jsonb, c.mode) AS v);
		INSERT INTO told VALUES (c.n, o, c.answer, c.codes);
		undone := ordertrack.rollback_redemption(o[1].redemption_id);
		IF (undone.result = 'success') IS DISTINCT FROM (o[1].result = 'success') THEN
			RAISE EXCEPTION 'case %: %', c.n, undone;
		END IF;
	END LOOP;
END
$$;
SELECT is(pg_temp.tell(o), answer, 'redeem ' || coalesce(codes, 'NULL')) FROM told ORDER BY n;
SELECT bag_eq('SELECT code, redeemed_count::bigint, gift_balance::bigint FROM ordertrack.vouchers',
	'SELECT code, redeemed_count::bigint, gift_balance::bigint FROM before', 'what was undone is as it was');
SELECT is_empty($$SELECT order_id, status, discount_amount, amount FROM ordertrack.orders
	WHERE status <> 'canceled' OR discount_amount <> 0 OR amount <> initial_amount$$, 'and so are the orders');
SELECT is_empty($$SELECT v.* FROM ordertrack.orders AS o, ordertrack.verify_order(o.order_id) AS v$$, 'which verify');
SELECT is_empty($$SELECT * FROM ordertrack.order_items WHERE discount_amount <> 0 OR product_id = 'mug'$$, 'lines as well');
SELECT is_empty($$SELECT t.n FROM told AS t, unnest(t.o) AS r LEFT JOIN ordertrack.redemptions AS d USING (redemption_id)
	WHERE d.result IS DISTINCT FROM r.result OR d.failure_code IS DISTINCT FROM r.failure_code$$, 'every outcome has its record');
SELECT is_empty($$SELECT s.redemption_id FROM told AS t JOIN ordertrack.redemptions AS s ON s.redemption_id = t.o[1].redemption_id
	WHERE s.kind <> 'stack' OR s.code IS NOT NULL OR s.amount <> 0 OR cardinality(t.o) - 1 <>
		(SELECT count(*) FROM ordertrack.redemptions AS c WHERE c.stack_id = s.redemption_id AND c.kind = 'redemption')$$,
	'a stack has a row of its own and one for each code');

-- Codes of one campaign count together, also within the stack.
SELECT is(pg_temp.tell(ARRAY(SELECT v FROM ordertrack.redeem_stack(codes::text[], customer, '{"amount":2000}', 'partial') AS v)), answer, what)
  FROM (VALUES
	('{C1,C2,C3}', 'cora', '2000/400/1600 2000/200/1800 2000/400/1600 redemption_rules_violated', 'the customer''s limit'),
	('{C1,C9}', 'dora', '2000/200/1800 2000/200/1800 redemption_rules_violated', 'the budget'),
	('{C1,C2,OFF}', 'emma', '2000/200/1800 2000/200/1800 quantity_exceeded voucher_disabled', 'the limit of all')) AS c (codes, customer, answer, what);
SELECT is((SELECT redeemed_count::bigint FROM ordertrack.campaigns WHERE name = 'both'), 4::bigint, 'four are counted');
SELECT is((SELECT discount_spent::bigint FROM ordertrack.campaigns WHERE name = 'both'), 800::bigint, 'and their discounts');
SELECT is(pg_temp.tell(ARRAY(SELECT v FROM ordertrack.redeem_stack('{C1,C2}', NULL, '{"amount":2000}') AS v)),
	'stack_refused quantity_exceeded quantity_exceeded', 'still used up');

-- A stored order: locked, changed once, one note for each code.
SELECT ordertrack.create_order('{"source_id":"stored","amount":2000,"items":[{"product_id":"a","quantity":2,"price":1000}]}', 'fay') AS stored
\gset
SELECT is(pg_temp.tell(ARRAY(SELECT v FROM ordertrack.redeem_stack('{LINE,P10,A300}', 'fay', '{"source_id":"stored"}',
	channel => 'web', actor => 'till-3') AS v)), '2000/1400/600 2000/1000/1000 2000/1100/900 2000/1400/600', 'on a stored order');
SELECT is((SELECT string_agg(event_type, ' ' ORDER BY note_no) FROM ordertrack.order_notes WHERE order_id = :stored),
	'order_created promotion_add_coupon promotion_add_coupon promotion_add_coupon order_paid', 'its notes');
SELECT is_empty(format('SELECT * FROM ordertrack.verify_order(%s)', :stored), 'its history verifies');
SELECT is((SELECT discount_amount::bigint FROM ordertrack.order_items WHERE order_id = :stored), 1000::bigint, 'its line');
SELECT redemption_id AS parent FROM ordertrack.redemptions WHERE kind = 'stack' AND order_id = :stored
\gset
SELECT redemption_id AS child FROM ordertrack.redemptions WHERE stack_id = :parent AND code = 'P10'
\gset
SELECT is((ordertrack.rollback_redemption(:child)).failure_code, 'part_of_stack', 'a part is not undone alone');
SELECT is((ordertrack.rollback_redemption(:parent, amount => 100)).failure_code, 'invalid_amount', 'nor a part of the amount');
SELECT is((SELECT concat_ws(' ', result, amount, discount_amount, total_amount) FROM ordertrack.rollback_redemption(:parent, 'why')),
	'success 2000 0 2000', 'the whole is');
SELECT is((ordertrack.rollback_redemption(:parent)).failure_code, 'already_rolled_back', 'once');
SELECT is((ordertrack.rollback_redemption(:child)).failure_code, 'part_of_stack', 'a part neither before nor after');
SELECT is((SELECT status || ' ' || discount_amount FROM ordertrack.orders WHERE order_id = :stored), 'canceled 0', 'the order');
SELECT is((SELECT string_agg(state, ' ' ORDER BY redemption_id) FROM ordertrack.redemption_list
	WHERE :parent IN (redemption_id, stack_id)), 'rolled_back rolled_back rolled_back rolled_back', 'states');

SELECT ordertrack.create_order('{"source_id":"ruled","items":[{"product_id":"a","quantity":1,"price":1000,"metadata":{"new":true}}]}', 'fay')
\g /dev/null
SELECT is(pg_temp.tell(ARRAY(SELECT v FROM ordertrack.redeem_stack('{TWO,MUG,FEW,P50}', 'fay', '{"source_id":"ruled"}', 'partial') AS v)),
	'1250/750/500 order_rules_violated 1250/250/1000 order_rules_violated 1250/750/500', 'rules see the lines as codes before have left them');

-- Idempotency: the same request again, another one, and the key of redeem.
SELECT pg_temp.tell(ARRAY(SELECT v FROM ordertrack.redeem_stack('{ONE,OFF,P10}', 'gil', '{"amount":500}', 'partial', idempotency_key => 'k-1') AS v)) AS first
\gset
SELECT is(:'first'::text, '500/140/360 500/100/400 voucher_disabled 500/140/360', 'the first answer');
SELECT is(pg_temp.tell(ARRAY(SELECT v FROM ordertrack.redeem_stack('{ONE,OFF,P10}', 'gil', '{"amount":500}', 'partial', idempotency_key => 'k-1',
	channel => 'other') AS v WHERE v.replayed)), :'first'::text, 'is given again');
SELECT throws_ok($$SELECT ordertrack.redeem_stack('{P10,OFF,ONE}', 'gil', '{"amount":500}', 'partial', idempotency_key => 'k-1')$$,
	'OT003', NULL, 'another order of the codes is another request');
SELECT throws_ok($$SELECT ordertrack.redeem('ONE', 'gil', '{"amount":500}', idempotency_key => 'k-1')$$, 'OT003', NULL,
	'one key space for all functions');
SELECT is((SELECT count(*) FROM ordertrack.redemptions WHERE code = 'ONE' AND result = 'success'
	AND redemption_id > :parent), 1::bigint, 'one effect');

-- Reservations: a live one counts, one that is over is taken back by the stack.
SELECT ordertrack.create_voucher('HELD', '{"type":"amount","amount_off":1}', campaign => 'pair', redemption_limit => 1),
	ordertrack.create_voucher('BESIDE', '{"type":"amount","amount_off":1}', campaign => 'pair')
  FROM ordertrack.create_campaign('pair', redemption_limit => 2, customer_per_day => 2)
\g /dev/null
SELECT reservation_key AS held FROM ordertrack.reserve('HELD', 'hal', '{"amount":10}')
\gset
SELECT is(pg_temp.tell(ARRAY(SELECT v FROM ordertrack.redeem_stack('{BESIDE,HELD}', 'ida', '{"amount":10}', 'partial') AS v)),
	'10/1/9 10/1/9 quantity_exceeded', 'a live reservation counts');
SELECT ordertrack.release_reservation(:'held')
\g /dev/null
SELECT ordertrack.rollback_redemption(max(redemption_id)) FROM ordertrack.redemptions WHERE kind = 'stack'
\g /dev/null
SELECT count(ordertrack.reserve(code, 'hal', '{"amount":10}', hold => '1 microsecond')) FROM unnest('{HELD,BESIDE}'::text[]) AS code
\g /dev/null
SELECT pg_sleep(0.01)
\g /dev/null
SELECT is(pg_temp.tell(ARRAY(SELECT v FROM ordertrack.validate_stack('{BESIDE,HELD}', 'ida', '{"amount":10}') AS v)),
	'10/2/8 10/1/9 10/2/8', 'what is over does not');
SELECT is(pg_temp.tell(ARRAY(SELECT v FROM ordertrack.redeem_stack('{BESIDE,HELD}', 'ida', '{"amount":10}') AS v)),
	'10/2/8 10/1/9 10/2/8', 'and is taken back');
SELECT is((SELECT string_agg(concat_ws(' ', v.redeemed_count, c.redeemed_count, p.used), ', ')
	FROM ordertrack.vouchers AS v JOIN ordertrack.campaigns AS c USING (campaign_id)
	JOIN ordertrack.period_counts AS p ON p.entity_id = c.campaign_id AND p.entity = 'campaign' AND p.used > 0
	WHERE v.code = 'HELD'), '1 2 2', 'counted once');
SELECT is((SELECT string_agg(DISTINCT status, ' ') FROM ordertrack.reservation_list WHERE code IN ('HELD', 'BESIDE')
	AND expires_at < now() + interval '1 minute'), 'expired', 'their state');

-- Errors of the caller.
SELECT throws_ok(call, code, NULL, call) FROM (VALUES
	('SELECT ordertrack.redeem_stack(''{P10}'', mode => ''some'')', 'OT005'),
	('SELECT ordertrack.redeem_stack(''{P10}'', mode => NULL)', 'OT005'),
	('SELECT ordertrack.validate_stack(''{P10}'', mode => '''')', 'OT005'),
	('SELECT ordertrack.redeem_stack(''{P10}'', workspace => 99)', 'OT002'),
	('SELECT ordertrack.validate_stack(''{}'', workspace => 99)', 'OT002'),
	('SELECT ordertrack.redeem_stack(''{P10}'', workspace => NULL)', 'OT005')) AS c (call, code);
SELECT is((SELECT string_agg(DISTINCT r.failure_message, ', ') FROM ordertrack.redeem_stack(
	ARRAY(SELECT 'X' || n FROM generate_series(1, 31) AS n)) AS r), 'a stack may have at most 30 codes', 'thirty-one codes');
SELECT is((SELECT count(*) FROM ordertrack.redeem_stack(ARRAY(SELECT 'X' || n FROM generate_series(1, 30) AS n)) AS r
	WHERE failure_code = 'voucher_not_found'), 30::bigint, 'thirty codes');
SELECT is((SELECT count(*) FROM ordertrack.redeem_stack('{P10,A300}', repeat('c', 256), '{"amount":5}')
	WHERE failure_code = 'invalid_input'), 3::bigint, 'what the codes share is wrong');

SELECT * FROM finish();
ROLLBACK;

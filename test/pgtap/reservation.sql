-- Reservations: held for their caller against everybody else, never counted twice.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT * FROM no_plan();

-- Reserves; the answer in words, the key in the table keys.
CREATE TEMP TABLE keys (name text PRIMARY KEY, key text);
CREATE FUNCTION pg_temp.hold(key_name text, code text, customer text DEFAULT NULL, order_data jsonb DEFAULT '{"amount":1000}',
	amount bigint DEFAULT NULL, hold interval DEFAULT '15 minutes') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	r record;
BEGIN
	SELECT * INTO r FROM ordertrack.reserve(code, customer, order_data, amount, hold);
	IF r.result = 'success' THEN
		INSERT INTO keys VALUES (key_name, r.reservation_key) ON CONFLICT (name) DO UPDATE SET key = EXCLUDED.key;
	END IF;
	RETURN coalesce(r.failure_code, r.result);
END
$$;
CREATE FUNCTION pg_temp.key(wanted text) RETURNS text LANGUAGE sql AS $$ SELECT k.key FROM keys AS k WHERE name = wanted $$;
CREATE FUNCTION pg_temp.use(code text, customer text DEFAULT NULL, key_name text DEFAULT NULL,
	order_data jsonb DEFAULT '{"amount":1000}', amount bigint DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(r.failure_code, r.result) FROM ordertrack.redeem(code, customer, order_data, amount,
		reservation_key => pg_temp.key(key_name)) AS r
$$;
CREATE FUNCTION pg_temp.dry(code text, customer text DEFAULT NULL, key_name text DEFAULT NULL,
	order_data jsonb DEFAULT '{"amount":1000}', amount bigint DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(r.failure_code, r.result) FROM ordertrack.validate(code, customer, order_data, amount,
		reservation_key => pg_temp.key(key_name)) AS r
$$;
CREATE FUNCTION pg_temp.release(key_name text) RETURNS boolean LANGUAGE sql AS $$
	SELECT ordertrack.release_reservation(pg_temp.key(key_name))
$$;
-- All counters of a code and its campaign, which must be what lives.
CREATE FUNCTION pg_temp.counters(wanted text) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_strip_nulls(jsonb_build_object('voucher', v.redeemed_count - coalesce((SELECT sum(uses_left) FROM ordertrack.limit_stripes
			WHERE workspace_id = 1 AND entity = 'voucher' AND entity_id = v.voucher_id), 0),
		'campaign', c.redeemed_count, 'discount', c.discount_spent, 'order', c.order_spent, 'balance', v.gift_balance,
		'customers', (SELECT sum(used) FROM ordertrack.voucher_customers AS u WHERE u.workspace_id = 1 AND u.voucher_id = v.voucher_id),
		'of campaign', (SELECT sum(used) FROM ordertrack.campaign_customers AS u WHERE u.workspace_id = 1 AND u.campaign_id = c.campaign_id),
		'periods', (SELECT sum(used) FROM ordertrack.period_counts AS u WHERE u.workspace_id = 1
			AND (entity, entity_id) IN (('voucher', v.voucher_id), ('campaign', c.campaign_id)))))
	  FROM ordertrack.vouchers AS v
	  LEFT JOIN ordertrack.campaigns AS c ON c.workspace_id = 1 AND c.campaign_id = v.campaign_id
	 WHERE v.workspace_id = 1 AND v.code = wanted
$$;

-- Each kind of limit, of one use or what one use takes; one is used and given back
-- before, so that the counters have rows to compare.
CREATE TEMP TABLE limits AS SELECT l.*, e.entity, format('%s %s', e.entity, l.name) AS code
  FROM (VALUES ('redemption_limit', 1, 'quantity_exceeded', true), ('customer_limit', 1, 'redemption_rules_violated', false),
	('per_day', 1, 'redemption_rules_violated', true), ('per_week', 1, 'redemption_rules_violated', true),
	('per_month', 1, 'redemption_rules_violated', true), ('customer_per_day', 1, 'redemption_rules_violated', false),
	('customer_per_week', 1, 'redemption_rules_violated', false), ('customer_per_month', 1, 'redemption_rules_violated', false),
	('discount_budget', 100, 'redemption_rules_violated', true), ('order_budget', 1000, 'redemption_rules_violated', true)
  ) AS l (name, value, refusal, is_for_all), unnest('{voucher,campaign}'::text[]) AS e (entity)
 WHERE e.entity = 'campaign' OR l.name !~ 'budget';
DO $do$
DECLARE
	l record;
BEGIN
	FOR l IN SELECT * FROM limits LOOP
		IF l.entity = 'campaign' THEN
			EXECUTE format('SELECT ordertrack.create_campaign(%L, %s => %s)', l.code, l.name, l.value);
			PERFORM ordertrack.create_voucher(l.code, '{"type":"amount","amount_off":100}', campaign => l.code),
				ordertrack.create_voucher(l.code || ' 2', '{"type":"amount","amount_off":100}', campaign => l.code);
		ELSE
			EXECUTE format('SELECT ordertrack.create_voucher(%L, %L, %s => %s)', l.code,
				'{"type":"amount","amount_off":100}', l.name, l.value);
		END IF;
		PERFORM ordertrack.rollback_redemption((ordertrack.redeem(l.code, 'ann', '{"amount":1000}')).redemption_id);
	END LOOP;
END
$do$;
CREATE TEMP TABLE before AS SELECT code, pg_temp.counters(code) AS counters FROM limits;
SELECT is(pg_temp.hold(code, code, 'ann'), 'success', code || ': held') FROM limits;
SELECT isnt(pg_temp.counters(code), counters, code || ': it counts') FROM before;
CREATE TEMP TABLE held AS SELECT code, pg_temp.counters(code) AS counters FROM limits;
SELECT is(pg_temp.use(code, 'ann'), refusal, code || ': for the same customer without the key') FROM limits;
SELECT is(pg_temp.use(code, 'bea'), CASE WHEN is_for_all THEN refusal ELSE 'success' END, code || ': for another') FROM limits;
SELECT is(pg_temp.hold(code || '?', code, 'ann'), refusal, code || ': nor can it be held twice') FROM limits;
SELECT is(pg_temp.use(code || ' 2', 'ann'), refusal, code || ': through another code of the campaign') FROM limits
 WHERE entity = 'campaign';
SELECT is(pg_temp.dry(code, 'ann'), refusal, code || ': validate says so') FROM limits;
SELECT is(pg_temp.dry(code, 'ann', code), 'success', code || ': and to the owner that it works') FROM limits;
SELECT is(pg_temp.use(code, 'ann', code), 'success', code || ': which it does') FROM limits;
SELECT is(pg_temp.counters(code), (CASE WHEN is_for_all THEN counters ELSE pg_temp.counters(code) END), code || ': counted once')
  FROM held JOIN limits USING (code);
SELECT is(pg_temp.use(code, 'ann', code), 'reservation_not_found', code || ': but once') FROM limits;
SELECT ordertrack.rollback_redemption(redemption_id) FROM ordertrack.redemption_list
 WHERE workspace_id = 1 AND kind = 'redemption' AND state = 'succeeded'
\g /dev/null
SELECT is(pg_temp.counters(code), counters, code || ': a rollback gives it back') FROM before;

-- Released, and over by the clock; then others have it.
SELECT is(pg_temp.hold(code, code, 'ann'), 'success', code || ': held again') FROM limits;
SELECT is(pg_temp.release(code), true, code || ': released') FROM limits;
SELECT is(pg_temp.release(code), false, code || ': once') FROM limits;
SELECT is(pg_temp.counters(code), counters, code || ': all is given back') FROM before;
SELECT is(pg_temp.use(code, 'ann', code), 'reservation_not_found', code || ': and can''t be used') FROM limits;
SELECT is(pg_temp.hold(code, code, 'ann', hold => '1 microsecond'), 'success', code || ': for a moment') FROM limits;
SELECT is(pg_temp.release(code), false, code || ': too late to release') FROM limits;
SELECT is(pg_temp.dry(code, 'ann'), 'success', code || ': free to validate') FROM limits;
SELECT isnt(pg_temp.counters(code), counters, code || ': which writes nothing') FROM before;
SELECT is(pg_temp.hold(code || ' b', code, 'ann'), 'success', code || ': free to reserve') FROM limits;
SELECT is(pg_temp.counters(code), counters, code || ': counted as one') FROM held;
SELECT is(pg_temp.use(code, 'ann', code), refusal, code || ': one that is over is worth nothing') FROM limits;
SELECT is(pg_temp.release(code || ' b'), true, code || ': released, too') FROM limits;
SELECT is(pg_temp.hold(code, code, 'ann', hold => '1 microsecond'), 'success', code || ': for a moment') FROM limits;
SELECT is(pg_temp.use(code, 'ann', code), 'success', code || ': redeemed as if it were not named') FROM limits;
SELECT is(pg_temp.counters(code), counters, code || ': counted once') FROM held;
SELECT results_eq($$SELECT status, count(*), bool_and(ended_at IS NOT NULL), bool_and((redemption_id IS NULL) = (status <> 'redeemed'))
	FROM ordertrack.reservation_list WHERE workspace_id = 1 GROUP BY 1 ORDER BY 1$$,
	$$SELECT s, n * (SELECT count(*) FROM limits), true, true FROM (VALUES ('expired', 2), ('redeemed', 1), ('released', 2)) AS v (s, n)$$,
	'how they ended');
SELECT is_empty('SELECT FROM ordertrack.voucher_list WHERE reserved_count <> 0', 'none is live');

-- Many are over at once, of several codes of a campaign.
SELECT ordertrack.create_campaign('many', redemption_limit => 60, customer_per_day => 30, discount_budget => 6000),
	ordertrack.create_voucher('MANY 1', '{"type":"amount","amount_off":100}', campaign => 'many', redemption_limit => 30, per_day => 30),
	ordertrack.create_voucher('MANY 2', '{"type":"amount","amount_off":100}', campaign => 'many', customer_limit => 30)
\g /dev/null
SELECT is((SELECT count(*) FROM generate_series(1, 30) AS i CROSS JOIN LATERAL ordertrack.reserve('MANY ' || n, 'c' || n,
	'{"amount":5}', hold => '0.5 seconds', metadata => jsonb_build_object('i', i)) AS r WHERE r.result = 'success'), 30::bigint, 'thirty of code ' || n)
  FROM generate_series(1, 2) AS n;
SELECT is(pg_temp.counters('MANY 1'), '{"voucher":30,"campaign":60,"discount":300,"periods":90}', 'all count');
SELECT pg_sleep(0.6)
\g /dev/null
SELECT is(pg_temp.use('MANY 1', 'c2'), 'success', 'all of them are over');
SELECT is(pg_temp.counters('MANY 1'), '{"voucher":1,"campaign":1,"discount":100,"periods":2}', 'the code and its campaign');
SELECT is(pg_temp.counters('MANY 2') ->> 'customers', '30', 'the other code waits until it is used');
SELECT is(pg_temp.use('MANY 2', 'c2'), 'success', 'as now');
SELECT is(pg_temp.counters('MANY 2') - 'periods', '{"campaign":2,"discount":200,"customers":1}', 'counted again');

-- Credits of a gift card.
SELECT ordertrack.create_voucher('CARD', gift_amount => 1000)
\g /dev/null
SELECT results_eq($$SELECT amount, discount_amount, total_amount, gift_balance FROM ordertrack.reserve('CARD', amount => 700)$$,
	'VALUES (700::bigint, 0::bigint, 0::bigint, 300::bigint)', 'credits are held');
SELECT is(pg_temp.hold('card', 'CARD', amount => 200), 'success', 'and more');
SELECT is(gift_balance || ' ' || reserved_count, '100 2', 'others see what is left') FROM ordertrack.voucher_list WHERE code = 'CARD';
SELECT is(pg_temp.use('CARD', amount => 101), 'gift_amount_exceeded', 'and can spend no more');
SELECT is(pg_temp.use('CARD', key_name => 'card', amount => 301), 'gift_amount_exceeded', 'the owner neither');
SELECT results_eq($$SELECT amount, gift_balance FROM ordertrack.redeem('CARD', amount => 150, reservation_key => pg_temp.key('card'))$$,
	'VALUES (150::bigint, 150::bigint)', 'spent in part: the rest is free');
SELECT is(pg_temp.hold('over', 'CARD', amount => 150, hold => '1 microsecond'), 'success', 'for a moment');
SELECT is(gift_balance, 150::bigint, 'is what is left') FROM ordertrack.voucher_list WHERE code = 'CARD';
SELECT results_eq($$SELECT amount, gift_balance FROM ordertrack.redeem('CARD', order_data => '{"amount":5000}')$$,
	'VALUES (150::bigint, 0::bigint)', 'and all of it is spent');
SELECT is(pg_temp.counters('CARD'), '{"balance":0}', 'of the balance');

-- Whose it is.
SELECT ordertrack.create_voucher('MINE', '{"type":"amount","amount_off":1}', redemption_limit => 2),
	ordertrack.create_voucher('YOURS', '{"type":"amount","amount_off":1}', redemption_limit => 2)
\g /dev/null
SELECT is(pg_temp.hold('ann', 'MINE', 'ann') || pg_temp.hold('any', 'MINE'), 'successsuccess', 'one for ann, one for anybody');
SELECT is(pg_temp.use(code, customer, key_name), 'reservation_not_found', format('%s for %s: %s', key_name, customer, code))
  FROM (VALUES ('MINE', 'bea', 'ann'), ('MINE', NULL, 'ann'), ('YOURS', 'ann', 'ann'), ('YOURS', NULL, 'any')) AS c (code, customer, key_name);
SELECT results_eq($$SELECT failure_code, failure_message FROM ordertrack.redeem('MINE', reservation_key => 'none')$$,
	$$VALUES ('reservation_not_found', 'there is no such reservation of this code and customer')$$, 'an unknown key');
SELECT is(f.failure_code, wanted, 'first reason: ' || wanted) FROM (VALUES (NULL, 'x', 'invalid_input'), ('NONE', 'x', 'voucher_not_found'),
	('MINE', repeat('x', 256), 'invalid_input')) AS c (code, key, wanted) CROSS JOIN LATERAL ordertrack.redeem(c.code, reservation_key => c.key) AS f;
SELECT is(pg_temp.use('MINE', 'bea', 'any'), 'success', 'anybody is bea, too');
SELECT is(pg_temp.counters('MINE'), '{"voucher":2}', 'refusals have ended none');
SELECT is((SELECT string_agg(coalesce(failure_code, result), ', ') FROM ordertrack.redeem_batch(jsonb_build_array(
	'{"code":"MINE"}'::jsonb, jsonb_build_object('code', 'MINE', 'customer', 'ann', 'reservation_key', pg_temp.key('ann')),
	jsonb_build_object('code', 'MINE', 'customer', 'ann', 'reservation_key', pg_temp.key('ann')), '{"code":"MINE","reservation_key":7}'::jsonb,
	'{"code":"YOURS","reservation_key":{}}'::jsonb))), 'quantity_exceeded, success, reservation_not_found, reservation_not_found, invalid_input', 'in a batch');
SELECT is(pg_temp.counters('MINE'), '{"voucher":2}', 'counted once');
SELECT is(pg_temp.hold('y', 'YOURS', hold => '1 microsecond') || pg_temp.hold('y', 'YOURS', hold => '1 microsecond'), 'successsuccess', 'two are over');
SELECT is((SELECT string_agg(coalesce(failure_code, result), ', ') FROM ordertrack.redeem_batch(
	'[{"code":"YOURS"},{"code":"YOURS"},{"code":"YOURS"}]')), 'success, success, quantity_exceeded', 'so that a batch has both');

-- Without a limit nothing is counted, but a limit that comes counts what is held.
SELECT ordertrack.create_campaign('later'), ordertrack.create_voucher('LATER', '{"type":"amount","amount_off":100}', campaign => 'later')
\g /dev/null
SELECT is(pg_temp.hold('l1', 'LATER', 'new') || pg_temp.hold('l2', 'LATER', 'new', hold => '1 microsecond') || pg_temp.use('LATER', 'new'),
	'successsuccesssuccess', 'one is held, one is over, one is used');
SELECT is(pg_temp.counters('LATER'), '{}', 'no counter');
SELECT throws_ok(command, 'OT005', NULL, command) FROM (VALUES
	($$SELECT ordertrack.update_voucher('LATER', redemption_limit => 1)$$), ($$SELECT ordertrack.update_campaign('later', redemption_limit => 1)$$),
	($$SELECT ordertrack.update_campaign('later', discount_budget => 199)$$), ($$SELECT ordertrack.update_campaign('later', order_budget => 1999)$$)) AS c (command);
SELECT ordertrack.update_voucher('LATER', redemption_limit => 2, customer_limit => 2, per_day => 2, customer_per_week => 2),
	ordertrack.update_campaign('later', redemption_limit => 2, customer_limit => 2, per_month => 2, customer_per_day => 2,
		discount_budget => 200, order_budget => 2000)
\g /dev/null
SELECT is(pg_temp.counters('LATER'), '{"voucher":2,"campaign":2,"discount":200,"order":2000,"customers":2,"of campaign":2,"periods":8}', 'all are counted');
SELECT is(redeemed_count || ' ' || reserved_count || ' ' || discount_spent || ' ' || order_spent, '1 1 100 1000', 'one used, one held')
  FROM ordertrack.campaign_list WHERE name = 'later';
SELECT is(pg_temp.use('LATER', 'new'), 'quantity_exceeded', 'it is used up');
SELECT ordertrack.update_voucher('LATER', clear => '{redemption_limit,customer_limit,per_day,customer_per_week}'),
	ordertrack.update_campaign('later', clear => '{redemption_limit,customer_limit,per_month,customer_per_day,discount_budget,order_budget}')
\g /dev/null
SELECT is(pg_temp.release('l1'), true, 'released while nothing is counted');
SELECT ordertrack.update_voucher('LATER', redemption_limit => 2, customer_limit => 2, per_day => 2, customer_per_week => 2)
\g /dev/null
SELECT is(pg_temp.counters('LATER') - 'of campaign', '{"voucher":1,"customers":1,"periods":2}', 'and counted again');
SELECT is(pg_temp.hold('l3', 'LATER', 'new', hold => '1 microsecond'), 'success', 'full again');
SELECT lives_ok($$SELECT ordertrack.update_voucher('LATER', redemption_limit => 1)$$, 'what is over is no use');

-- The order is judged anew, and only a redemption touches it.
SELECT ordertrack.create_voucher('TENTH', '{"type":"percent","percent_off":10}'), ordertrack.create_order('{"source_id":"o","amount":900}', 'ann') AS o
\gset
SELECT results_eq($$SELECT order_id, amount, discount_amount, total_amount FROM ordertrack.reserve('TENTH', 'ann', '{"source_id":"o"}', idempotency_key => 'r')$$,
	format('VALUES (%s::bigint, 900::bigint, 90::bigint, 810::bigint)', :o), 'what redeem would give');
SELECT is(concat_ws(' ', status, discount_amount, note_count), 'created 0 1', 'the order stays') FROM ordertrack.orders WHERE order_id = :o;
SELECT is((ordertrack.reserve('TENTH', 'ann', '{"source_id":"new one","amount":10}')).order_id, NULL, 'a new order');
SELECT is_empty($$SELECT FROM ordertrack.orders WHERE source_id = 'new one'$$, 'is not made');
SELECT ordertrack.update_order(:o, '{"amount":500}')
\g /dev/null
SELECT is((ordertrack.redeem('TENTH', 'ann', '{"source_id":"o"}', reservation_key => reservation_key)).discount_amount, 50::bigint, 'judged anew')
  FROM ordertrack.reservations WHERE order_id = :o AND status = 'live';

-- Keys.
SELECT is(r.replayed::text || (r.reservation_key = s.reservation_key) || (r.expires_at = s.expires_at) || r.amount || r.discount_amount || r.total_amount || s.status,
	'truetruetrue90090810redeemed', 'the first answer again, though it has ended') FROM ordertrack.reservations AS s
 CROSS JOIN LATERAL ordertrack.reserve('TENTH', 'ann', '{"source_id":"o"}', idempotency_key => 'r') AS r WHERE s.order_id = :o;
SELECT throws_ok(command, 'OT003', NULL, command) FROM (VALUES ($$SELECT ordertrack.reserve('TENTH', 'bea', '{"source_id":"o"}', idempotency_key => 'r')$$),
	($$SELECT ordertrack.reserve('TENTH', 'ann', '{"source_id":"o"}', hold => '1 hour', idempotency_key => 'r')$$),
	($$SELECT ordertrack.redeem('TENTH', 'ann', '{"source_id":"o"}', idempotency_key => 'r')$$),
	($$SELECT ordertrack.rollback_redemption(1, idempotency_key => 'r')$$)) AS c (command);
SELECT is(pg_temp.hold('k', 'MANY 1', 'k'), 'success', 'held');
SELECT is(r.replayed::text || r.result, wanted, 'redeemed with both keys: ' || wanted) FROM (VALUES ('falsesuccess'), ('truesuccess')) AS c (wanted)
 CROSS JOIN LATERAL ordertrack.redeem('MANY 1', 'k', idempotency_key => 'both', reservation_key => pg_temp.key('k'), metadata => nullif(wanted, wanted)::jsonb) AS r;
SELECT throws_ok($$SELECT ordertrack.redeem('MANY 1', 'k', idempotency_key => 'both')$$, 'OT003', NULL, 'the reservation is part of the request');
SELECT is((ordertrack.reserve('NONE', idempotency_key => 'refused')).failure_code, 'voucher_not_found', 'a refusal');
SELECT is_empty($$SELECT FROM ordertrack.idempotency_keys WHERE idempotency_key = 'refused'$$, 'leaves nothing');
SELECT is_empty($$SELECT FROM ordertrack.redemptions WHERE code = 'NONE' AND failure_code = 'voucher_not_found' AND redemption_id IN
	(SELECT max(redemption_id) FROM ordertrack.redemptions)$$, 'and is no redemption');

-- Arguments.
SELECT throws_ok(command, state, NULL, command) FROM (VALUES ('SELECT ordertrack.release_reservation(''none'')', 'OT002'),
	('SELECT ordertrack.release_reservation(NULL)', 'OT005'), ('SELECT ordertrack.release_reservation('''')', 'OT005'),
	('SELECT ordertrack.release_reservation(repeat(''x'', 256))', 'OT005')) AS c (command, state);
SELECT throws_ok(format('SELECT ordertrack.reserve(''TENTH'', hold => %L)', hold), 'OT005', NULL, 'hold ' || coalesce(hold, 'NULL'))
  FROM unnest('{NULL,0,-1 second,30 days 1 microsecond,1 month 1 second,31 days,178000000 years,-178000000 years,2147483647 days}'::text[]) AS hold;
SELECT is(r.expires_at - s.created_at, wanted, 'hold ' || hold) FROM (VALUES ('1 month', interval '30 days'), ('30 days', '30 days'),
	('1 month -29 days', '1 day'), ('1 microsecond', '1 microsecond')) AS c (hold, wanted)
 CROSS JOIN LATERAL ordertrack.reserve('TENTH', order_data => '{"amount":1}', hold => hold::interval) AS r
  JOIN ordertrack.reservations AS s USING (reservation_key);
SELECT is((ordertrack.reserve(NULL)).failure_code, 'invalid_input', 'no code');

-- What has never been reserved costs nothing: nobody looks at the table.
SELECT ordertrack.create_voucher('FREE', '{"type":"amount","amount_off":1}', redemption_limit => 1000)
\g /dev/null
CREATE FUNCTION pg_temp.scans() RETURNS bigint LANGUAGE sql AS $$
	SELECT sum(coalesce(seq_scan, 0) + coalesce(idx_scan, 0))::bigint FROM pg_stat_xact_user_tables
	 WHERE schemaname = 'ordertrack' AND relname = 'reservations'
$$;
SELECT pg_temp.scans() AS scans
\gset
SELECT is(pg_temp.use('FREE', 'ann') || pg_temp.dry('FREE', 'ann'), 'successsuccess', 'a code without reservations');
SELECT is(pg_temp.scans(), :scans::bigint, 'looks for none');

SELECT * FROM finish();
ROLLBACK;

-- Limits in calendar periods, budgets, and counters that are split into stripes.
BEGIN;
SELECT * FROM no_plan();

-- Redeems a code so many times and tells how often each answer came.
CREATE FUNCTION pg_temp.answers(code text, customer text, times int DEFAULT 1, price int DEFAULT 1000, workspace bigint DEFAULT 1)
RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(answer || ' ' || n, ', ' ORDER BY answer DESC) FROM (
		SELECT coalesce(r.failure_code || ': ' || r.failure_message, 'success') AS answer, count(*) AS n
		  FROM generate_series(1, times) AS i
		 CROSS JOIN LATERAL ordertrack.redeem(code, customer, jsonb_build_object('amount', price),
			metadata => jsonb_build_object('i', i), workspace => workspace) AS r
		 GROUP BY 1) AS a
$$;
-- Rolls the newest live redemption of a code back.
CREATE FUNCTION pg_temp.undo(wanted text) RETURNS text LANGUAGE sql AS $$
	SELECT r.result FROM ordertrack.rollback_redemption((SELECT max(redemption_id) FROM ordertrack.redemption_list
		WHERE workspace_id = 1 AND code = wanted AND kind = 'redemption' AND state = 'succeeded')) AS r
$$;
-- The counters of a code or campaign: period, a for all or c for a customer, uses.
CREATE FUNCTION pg_temp.counters(wanted text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', period, CASE customer_id WHEN 0 THEN 'a' ELSE 'c' END, used), ', '
			ORDER BY period, customer_id, starts_on)
	  FROM ordertrack.period_counts AS p
	 WHERE workspace_id = 1 AND entity_id = coalesce(
		(SELECT voucher_id FROM ordertrack.vouchers AS v WHERE v.workspace_id = 1 AND code = wanted AND entity = 'voucher'),
		(SELECT campaign_id FROM ordertrack.campaigns AS c WHERE c.workspace_id = 1 AND name = wanted AND entity = 'campaign'))
$$;

-- Each limit, of a code and of a campaign: two uses, a third refused, one given back.
CREATE TEMP TABLE limits AS SELECT l.*, e.entity, format('%s %s', e.entity, l.name) AS code
  FROM (VALUES ('per_day', '%s has been used up for today', 'day a'),
	('per_week', '%s has been used up for this week', 'week a'),
	('per_month', '%s has been used up for this month', 'month a'),
	('customer_per_day', 'the customer has used %s up for today', 'day c'),
	('customer_per_week', 'the customer has used %s up for this week', 'week c'),
	('customer_per_month', 'the customer has used %s up for this month', 'month c')) AS l (name, message, counter),
	unnest('{voucher,campaign}'::text[]) AS e (entity);
DO $do$
DECLARE
	l record;
BEGIN
	FOR l IN SELECT * FROM limits LOOP
		EXECUTE format('SELECT ordertrack.create_%s(%L%s, %s => 2)', l.entity, l.code,
			CASE l.entity WHEN 'voucher' THEN $$, '{"type":"amount","amount_off":1}'$$ ELSE '' END, l.name);
		IF l.entity = 'campaign' THEN
			PERFORM ordertrack.create_voucher(l.code, '{"type":"amount","amount_off":1}', campaign => l.code);
		END IF;
	END LOOP;
END
$do$;
CREATE FUNCTION pg_temp.refusal(l limits, n int) RETURNS text LANGUAGE sql AS $$
	SELECT 'redemption_rules_violated: ' || format(l.message, 'the ' || l.entity) || ' ' || n
$$;
SELECT is(pg_temp.answers(code, 'ann', 3), 'success 2, ' || pg_temp.refusal(l, 1), code) FROM limits AS l;
SELECT is(pg_temp.counters(code), counter || ' 2', code || ': its counter, and no other') FROM limits;
SELECT is(v.failure_message, format(message, 'the ' || entity), code || ': validate agrees')
  FROM limits CROSS JOIN LATERAL ordertrack.validate(code, 'ann', '{"amount":5}') AS v;
SELECT is(pg_temp.answers(code, 'bea'), CASE WHEN name ~ 'customer' THEN 'success 1' ELSE pg_temp.refusal(l, 1) END,
	code || ': another customer') FROM limits AS l;
SELECT is(pg_temp.answers(code, NULL), CASE WHEN name ~ 'customer' THEN 'missing_customer: the voucher needs a customer 1'
	ELSE pg_temp.refusal(l, 1) END, code || ': no customer') FROM limits AS l;
SELECT is(pg_temp.undo(code) || ' ' || pg_temp.counters(code), 'success ' ||
	CASE WHEN name ~ 'customer' THEN format('%s 2, %1$s 0', counter) ELSE counter || ' 1' END,
	code || ': a rollback gives it back') FROM limits;
SELECT is(pg_temp.answers(code, 'bea', 3), CASE WHEN name ~ 'customer' THEN 'success 2, ' || pg_temp.refusal(l, 1)
	ELSE 'success 1, ' || pg_temp.refusal(l, 2) END, code || ': which another one uses') FROM limits AS l;

-- Both of them, in a batch: decided one after the other.
SELECT ordertrack.create_campaign('both', per_week => 3, customer_per_day => 2),
	ordertrack.create_voucher('BOTH', '{"type":"amount","amount_off":1}', campaign => 'both', per_day => 4, customer_per_month => 2),
	ordertrack.create_voucher('BOTH 2', '{"type":"amount","amount_off":1}', campaign => 'both')
\g /dev/null
SELECT is((SELECT string_agg(coalesce(failure_message, 'success'), ', ') FROM ordertrack.redeem_batch(
	'[{"code":"BOTH","customer":"x"},{"code":"BOTH 2","customer":"x"},{"code":"BOTH 2","customer":"x"},
	  {"code":"BOTH","customer":"y"},{"code":"BOTH","customer":"z"},{"code":"BOTH"}]')),
	'success, success, the customer has used the campaign up for today, success, ' ||
	'the campaign has been used up for this week, the voucher needs a customer', 'a batch');
SELECT is(pg_temp.counters('BOTH') || '; ' || pg_temp.counters('both'),
	'day a 2, month c 1, month c 1; day c 2, day c 1, week a 3', 'each counted where its limit is');

-- What is not set costs nothing: no row, and no look at a table.
SELECT ordertrack.create_campaign('free'),
	ordertrack.create_voucher('FREE', '{"type":"amount","amount_off":1}', campaign => 'free', redemption_limit => 1000)
\g /dev/null
CREATE FUNCTION pg_temp.scans() RETURNS bigint LANGUAGE sql AS $$
	SELECT sum(coalesce(seq_scan, 0) + coalesce(idx_scan, 0) + n_tup_ins + n_tup_upd)::bigint
	  FROM pg_stat_xact_user_tables
	 WHERE schemaname = 'ordertrack' AND relname IN ('period_counts', 'limit_stripes')
$$;
SELECT pg_temp.scans() AS scans
\gset
SELECT is(pg_temp.answers('FREE', 'ann', 5), 'success 5', 'a code with a plain limit');
SELECT is(pg_temp.scans(), :scans::bigint, 'has no counters of its own, and nobody looks for any');
SELECT is(pg_temp.undo('FREE'), 'success', 'and back');
SELECT is(v.redeemed_count, 4::bigint, 'counted as ever') FROM ordertrack.voucher_list AS v WHERE code = 'FREE';

-- Periods are those of the workspace's time zone, whatever the session's is.
CREATE TEMP TABLE zones AS SELECT zone, ordertrack.create_workspace(zone, zone) AS workspace
  FROM unnest('{Etc/GMT+12,Pacific/Marquesas,America/New_York,Europe/Berlin,Asia/Kathmandu,Pacific/Kiritimati}'::text[]) AS zone;
SELECT ordertrack.create_voucher('Z', '{"type":"amount","amount_off":1}', per_day => 9, per_week => 9, per_month => 9,
	workspace => workspace) FROM zones
\g /dev/null
SET LOCAL TimeZone = 'Asia/Tokyo';
SELECT is(pg_temp.answers('Z', NULL, workspace => workspace), 'success 1', zone) FROM zones;
SELECT is(p.starts_on, date_trunc(p.period::text, r.created_at AT TIME ZONE z.zone)::date, format('%s of %s', p.period, z.zone))
  FROM zones AS z JOIN ordertrack.period_counts AS p ON p.workspace_id = z.workspace
  JOIN ordertrack.redemptions AS r ON r.workspace_id = z.workspace;
SELECT is(count(*), 18::bigint, 'three periods each') FROM ordertrack.period_counts JOIN zones ON workspace = workspace_id;
SELECT is(extract(isodow FROM starts_on), 1::numeric, 'a week begins on Monday') FROM ordertrack.period_counts
 WHERE period = 'week';
RESET TimeZone;

-- Uses of the past, as if made then: the row of a real one with another time.
SELECT ordertrack.create_workspace('past', 'America/New_York') AS past
\gset
SELECT ordertrack.create_voucher('PAST', '{"type":"amount","amount_off":1}', workspace => :past)
\g /dev/null
SELECT is(pg_temp.answers('PAST', 'ann', workspace => :past), 'success 1', 'one now');
CREATE TEMP TABLE starts AS SELECT p AS period, date_trunc(p, now() AT TIME ZONE 'America/New_York') AS first,
	date_trunc(p, now() AT TIME ZONE 'America/New_York') AT TIME ZONE 'America/New_York' AS at
  FROM unnest('{day,week,month}'::text[]) AS p;
INSERT INTO ordertrack.redemptions SELECT n.*
  FROM ordertrack.redemptions AS r, (SELECT DISTINCT at - i * interval '1 microsecond' AS at FROM starts, generate_series(0, 1) AS i) AS s,
	jsonb_populate_record(r, jsonb_build_object('redemption_id', nextval('ordertrack.redemptions_redemption_id_seq'),
		'created_at', s.at, 'order_id', NULL)) AS n
 WHERE r.workspace_id = :past;
SELECT ordertrack.update_voucher('PAST', per_day => 50, per_week => 50, per_month => 50, customer_per_day => 50,
	customer_per_week => 50, customer_per_month => 50, workspace => :past)
\g /dev/null
SELECT is(p.used::bigint, (SELECT count(*) FROM ordertrack.redemptions WHERE workspace_id = :past AND created_at >= s.at),
	format('a first limit counts this %s, %s', p.period, CASE p.customer_id WHEN 0 THEN 'all' ELSE 'customer' END))
  FROM ordertrack.period_counts AS p JOIN starts AS s ON s.period = p.period AND s.first = p.starts_on WHERE workspace_id = :past;
SELECT is(count(*), 6::bigint, 'each limit has its counter') FROM ordertrack.period_counts WHERE workspace_id = :past;

-- A rollback gives back to the period of the redemption, not to that of the rollback.
CREATE TEMP TABLE before AS SELECT period, customer_id, used FROM ordertrack.period_counts WHERE workspace_id = :past;
SELECT is(r.result, 'success', 'roll back the last use of last month') FROM (
	SELECT redemption_id FROM ordertrack.redemptions WHERE workspace_id = :past
		AND created_at < (SELECT at FROM starts WHERE period = 'month')
		AND created_at < (SELECT at FROM starts WHERE period = 'week')) AS old
 CROSS JOIN LATERAL ordertrack.rollback_redemption(old.redemption_id, workspace => :past) AS r;
SELECT results_eq('SELECT period::text, customer_id, used::bigint FROM ordertrack.period_counts WHERE workspace_id = ' || :past || ' ORDER BY 1, 2',
	'SELECT period::text, customer_id, used::bigint FROM before ORDER BY 1, 2', 'leaves the running periods alone');

-- A limit that is cleared forgets its counter, and no other; set again it counts anew.
SELECT is(pg_temp.answers('voucher per_day', 'ann'), 'redemption_rules_violated: the voucher has been used up for today 1', 'used up');
SELECT ordertrack.update_voucher('voucher per_day', per_month => 9)
\g /dev/null
SELECT is(pg_temp.counters('voucher per_day'), 'day a 2, month a 2', 'a second limit');
SELECT ordertrack.update_voucher('voucher per_day', clear => '{per_day}')
\g /dev/null
SELECT is(pg_temp.counters('voucher per_day'), 'month a 2', 'the first one cleared');
SELECT is(pg_temp.answers('voucher per_day', 'ann'), 'success 1', 'no longer limits');
SELECT ordertrack.update_voucher('voucher per_day', per_day => 3, clear => '{per_month}')
\g /dev/null
SELECT is(pg_temp.counters('voucher per_day'), 'day a 3', 'set again');
SELECT is(pg_temp.answers('voucher per_day', 'ann'), 'redemption_rules_violated: the voucher has been used up for today 1', 'limits again');
SELECT ordertrack.update_voucher('voucher per_day', per_day => 4)
\g /dev/null
SELECT is(pg_temp.answers('voucher per_day', 'ann', 2), 'success 1, redemption_rules_violated: the voucher has been used up for today 1',
	'a higher one');
SELECT ordertrack.update_campaign('campaign customer_per_day', clear => '{customer_per_day}')
\g /dev/null
SELECT is(pg_temp.counters('campaign customer_per_day'), NULL, 'and that of a campaign');
SELECT is(pg_temp.answers('campaign customer_per_day', NULL), 'success 1', 'no longer needs a customer');

-- A gift card in parts: the use comes back with the last one.
SELECT ordertrack.create_campaign('cards', per_day => 1, discount_budget => 700, order_budget => 1000),
	ordertrack.create_voucher('CARD', gift_amount => 700, campaign => 'cards', per_day => 1)
\g /dev/null
SELECT is(r.amount, 600::bigint, 'a gift card') FROM ordertrack.redeem('CARD', NULL, '{"amount":900}', 600) AS r;
SELECT is(concat_ws(' ', c.discount_spent, c.order_spent), '600 900', 'credits are discount')
  FROM ordertrack.campaign_list AS c WHERE name = 'cards';
SELECT r.redemption_id AS card FROM ordertrack.redemptions AS r WHERE code = 'CARD'
\gset
SELECT is(r.gift_balance, 300::bigint, 'a part') FROM ordertrack.rollback_redemption(:card, amount => 200) AS r;
SELECT is(concat_ws(' ', c.discount_spent, c.order_spent, pg_temp.counters('CARD')), '400 900 day a 1', 'gives back credits only')
  FROM ordertrack.campaign_list AS c WHERE name = 'cards';
SELECT is(r.gift_balance, 700::bigint, 'the rest') FROM ordertrack.rollback_redemption(:card) AS r;
SELECT is(concat_ws(' ', c.discount_spent, c.order_spent, pg_temp.counters('CARD')), '0 0 day a 0', 'gives back all')
  FROM ordertrack.campaign_list AS c WHERE name = 'cards';

-- Budgets.
SELECT ordertrack.create_campaign('budget', discount_budget => 250, order_budget => 10000),
	ordertrack.create_voucher('TEN', '{"type":"percent","percent_off":10}', campaign => 'budget'),
	ordertrack.create_voucher('ZERO', '{"type":"fixed","fixed_amount":1000000}', campaign => 'budget')
\g /dev/null
CREATE FUNCTION pg_temp.spent(wanted text) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', discount_spent, order_spent) FROM ordertrack.campaign_list WHERE workspace_id = 1 AND name = wanted
$$;
SELECT is(pg_temp.answers('TEN', NULL, 1, price), answer, format('%s: %s', price, answer)) FROM (VALUES (1000, 'success 1'), (1000, 'success 1'),
	(501, 'success 1'), (5, 'redemption_rules_violated: the campaign''s discount budget is not enough 1'), (4, 'success 1')) AS b (price, answer);
SELECT is(pg_temp.spent('budget'), '250 2505', 'up to the budget, and no further');
SELECT is(v.failure_message, 'the campaign''s discount budget is not enough', 'validate agrees') FROM ordertrack.validate('TEN', NULL, '{"amount":5}') AS v;
SELECT is(pg_temp.answers('ZERO', NULL, 1, price), answer, format('no discount, %s: %s', price, answer)) FROM (VALUES (7495, 'success 1'),
	(1, 'redemption_rules_violated: the campaign''s order budget is not enough 1'), (0, 'success 1')) AS b (price, answer);
SELECT is(pg_temp.undo('TEN') || pg_temp.undo('TEN') || ' ' || pg_temp.spent('budget'), 'successsuccess 200 9495', 'rollbacks give back');
SELECT is((SELECT string_agg(coalesce(failure_message, 'success'), ', ') FROM ordertrack.redeem_batch(
	'[{"code":"TEN","order_data":{"amount":400}},{"code":"TEN","order_data":{"amount":200}},{"code":"TEN","order_data":{"amount":100}}]')),
	'success, the campaign''s discount budget is not enough, success', 'a batch');
SELECT ordertrack.update_campaign('budget', clear => '{discount_budget,order_budget}')
\g /dev/null
SELECT is(pg_temp.answers('TEN', NULL, 2) || ' ' || pg_temp.spent('budget'), 'success 2 ', 'without budgets nothing is spent');
SELECT is(pg_temp.undo('TEN'), 'success', 'nor given back');
SELECT throws_ok(format('SELECT ordertrack.update_campaign(''budget'', %s => %s)', name, spent - 1), 'OT005', NULL,
	name || ' below what was spent') FROM (VALUES ('discount_budget', 350), ('order_budget', 10995)) AS b (name, spent);
SELECT ordertrack.update_campaign('budget', discount_budget => 350)
\g /dev/null
SELECT is(pg_temp.spent('budget'), '350', 'a first budget counts what was spent');
SELECT ordertrack.update_campaign('budget', order_budget => 10995)
\g /dev/null
SELECT is(pg_temp.spent('budget'), '350 10995', 'and so does the other');
SELECT throws_ok($$SELECT ordertrack.update_campaign('budget', discount_budget => 349)$$, 'OT005', NULL, 'no lower one');
SELECT ordertrack.update_campaign('budget', discount_budget => 9223372036854775807, order_budget => 9223372036854775807)
\g /dev/null
SELECT ordertrack.create_voucher('HUGE', '{"type":"percent","percent_off":100}', campaign => 'budget')
\g /dev/null
SELECT is(r.failure_message, wanted, label) FROM (VALUES (9223372036854760000, NULL, 'nearly all of a huge budget'),
	(9223372036854760000, 'the campaign''s discount budget is not enough', 'no overflow')) AS h (amount, wanted, label)
 CROSS JOIN LATERAL ordertrack.redeem('HUGE', order_data => jsonb_build_object('amount', h.amount)) AS r;

-- What is refused.
SELECT throws_ok(format('SELECT ordertrack.%s(''N''%s, %s => %s)', f, CASE f WHEN 'create_voucher' THEN ', gift_amount => 1' ELSE '' END, p, n),
	'OT005', NULL, format('%s: %s %s', f, p, n))
  FROM (SELECT f, name AS p FROM unnest('{create_voucher,create_campaign}'::text[]) AS f, limits WHERE entity = 'voucher'
	UNION ALL SELECT 'create_campaign', unnest('{discount_budget,order_budget}'::text[])) AS c, unnest('{0,-1}'::bigint[]) AS n;
SELECT throws_ok($$SELECT ordertrack.update_voucher('FREE', clear => '{order_budget}')$$, 'OT005', NULL, 'a voucher has no budget');
SELECT throws_ok($$SELECT ordertrack.update_voucher('FREE', per_day => 1, clear => '{per_day}')$$, 'OT005', NULL, 'set and cleared');

-- Stripes, dealt out as sessions that queue would: 30 left of 40 in three rows.
CREATE FUNCTION pg_temp.split(wanted text) RETURNS void LANGUAGE sql AS $$
	WITH v AS (UPDATE ordertrack.vouchers SET redeemed_count = redemption_limit, is_striped = true
		 WHERE workspace_id = 1 AND code = wanted RETURNING voucher_id)
	INSERT INTO ordertrack.limit_stripes (workspace_id, entity, entity_id, stripe_no, uses_left)
	SELECT 1, 'voucher', voucher_id, n, uses FROM v, unnest('{20,0,10}'::int[]) WITH ORDINALITY AS s (uses, n)
$$;
CREATE FUNCTION pg_temp.count(wanted text) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', l.redeemed_count, v.is_striped, (SELECT sum(uses_left) FROM ordertrack.limit_stripes AS s
		 WHERE s.workspace_id = 1 AND s.entity = 'voucher' AND s.entity_id = v.voucher_id))
	  FROM ordertrack.voucher_list AS l JOIN ordertrack.vouchers AS v USING (workspace_id, voucher_id)
	 WHERE v.workspace_id = 1 AND v.code = wanted
$$;
SELECT ordertrack.create_voucher(code, '{"type":"amount","amount_off":1}', redemption_limit => 40)
  FROM unnest('{SPLIT,FOLD,CLEAR}'::text[]) AS code
\g /dev/null
SELECT is(pg_temp.answers(code, 'ann', 10), 'success 10', code) FROM unnest('{SPLIT,FOLD,CLEAR}'::text[]) AS code;
SELECT pg_temp.split(code) FROM unnest('{SPLIT,FOLD,CLEAR}'::text[]) AS code
\g /dev/null
SELECT is(pg_temp.count('SPLIT'), '10 t 30', 'a split counter tells its uses');
SELECT is(pg_temp.answers('SPLIT', 'ann', 31), 'success 30, quantity_exceeded: the voucher has been used up 1', 'exactly what was left');
SELECT is(pg_temp.count('SPLIT'), '40 t 0', 'used up');
SELECT is(pg_temp.undo('SPLIT') || pg_temp.undo('SPLIT'), 'successsuccess', 'two back');
SELECT is(pg_temp.count('SPLIT'), '38 t 2', 'to a stripe');
SELECT is((SELECT string_agg(result, ' ') FROM ordertrack.redeem_batch('[{"code":"SPLIT"},{"code":"SPLIT"},{"code":"SPLIT"}]')),
	'success success failure', 'and used again, by a batch');
SELECT is(pg_temp.undo('SPLIT'), 'success', 'one back');
UPDATE ordertrack.vouchers SET redeemed_count = redeemed_count - 1 WHERE workspace_id = 1 AND code = 'SPLIT';
SELECT is(pg_temp.answers('SPLIT', 'ann', 3), 'success 2, quantity_exceeded: the voucher has been used up 1',
	'what came back to the counter itself is used, too');
SELECT is(pg_temp.answers('FOLD', 'ann', 5), 'success 5', 'some uses');
SELECT throws_ok($$SELECT ordertrack.update_voucher('FOLD', redemption_limit => 14)$$, 'OT005', NULL, 'a limit below the uses');
SELECT ordertrack.update_voucher('FOLD', is_active => true, customer_limit => 100)
\g /dev/null
SELECT is(pg_temp.count('FOLD'), '15 t 25', 'another change leaves stripes alone');
SELECT ordertrack.update_voucher('FOLD', redemption_limit => 16)
\g /dev/null
SELECT is(pg_temp.count('FOLD'), '15 f', 'a new limit is one counter again');
SELECT is(pg_temp.answers('FOLD', 'ann', 2), 'success 1, quantity_exceeded: the voucher has been used up 1', 'which counts on');
SELECT ordertrack.update_voucher('CLEAR', clear => '{redemption_limit}')
\g /dev/null
SELECT is(pg_temp.count('CLEAR'), 'f', 'no limit, no counter');
SELECT ordertrack.update_voucher('CLEAR', redemption_limit => 12)
\g /dev/null
SELECT is(pg_temp.count('CLEAR'), '10 f', 'set again it counts all uses');

-- A workspace that moves to another day: what was used before is still given back.
SELECT ordertrack.create_workspace('moved', 'Pacific/Kiritimati') AS moved
\gset
SELECT ordertrack.create_voucher('DAY', '{"type":"amount","amount_off":1}', per_day => 5, workspace => :moved)
\g /dev/null
SELECT redemption_id AS first FROM ordertrack.redeem('DAY', workspace => :moved)
\gset
UPDATE ordertrack.workspaces SET time_zone = 'Pacific/Pago_Pago' WHERE workspace_id = :moved;
SELECT redemption_id AS second FROM ordertrack.redeem('DAY', workspace => :moved)
\gset
SELECT is((SELECT result FROM ordertrack.rollback_redemption(id, workspace => :moved)), 'success',
	'a rollback after the time zone changed') FROM (VALUES (:first), (:second)) AS r (id);

SELECT * FROM finish();
ROLLBACK;

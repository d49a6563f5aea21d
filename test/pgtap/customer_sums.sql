-- order_count, order_total and last_order_at of customers, kept by the trigger
-- of orders, equal a count done again.
BEGIN;
SELECT * FROM no_plan();

SELECT ordertrack.create_workspace('other') AS other
\gset
CREATE VIEW pg_temp.recount AS
SELECT c.workspace_id, c.customer_id, c.source_id,
	concat_ws(' ', c.order_count, c.order_total, c.last_order_at) AS kept,
	concat_ws(' ', count(o.order_id), coalesce(sum(o.total_amount::bigint), 0), max(o.created_at)) AS counted
  FROM ordertrack.customers AS c
  LEFT JOIN ordertrack.orders AS o ON o.workspace_id = c.workspace_id AND o.customer_id = c.customer_id
   AND coalesce(o.status_before_hold, o.status) IN ('paid', 'fulfilled', 'in_progress', 'partially_shipped',
	'completed')
 GROUP BY c.workspace_id, c.customer_id;
CREATE FUNCTION pg_temp.sums(wanted text) RETURNS text LANGUAGE sql AS $$
	SELECT order_count || ' ' || order_total || CASE WHEN last_order_at IS NULL THEN '' ELSE ' some' END
		FROM ordertrack.customers WHERE workspace_id = 1 AND source_id = wanted
$$;
CREATE FUNCTION pg_temp.after(command text, wanted text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE command;
	RETURN pg_temp.sums(wanted);
END
$$;

-- Which statuses count: paid or beyond and not canceled; a hold as what it was.
SELECT ordertrack.create_voucher('OFF', '{"type":"amount","amount_off":30}'),
	ordertrack.create_voucher('CARD', gift_amount => 1000),
	ordertrack.create_order('{"amount":100}', 'anna') AS o
\gset
SELECT is(pg_temp.sums('anna'), '0 0', 'a created order does not count');
SELECT is(pg_temp.after(format('SELECT ordertrack.set_order_status(%s, %L)', :o, status), 'anna'), wanted,
	status || ' ' || n) FROM (VALUES
	(1, 'on_hold', '0 0'), (2, 'created', '0 0'), (3, 'paid', '1 100 some'), (4, 'on_hold', '1 100 some'),
	(5, 'paid', '1 100 some'), (6, 'fulfilled', '1 100 some'),
	(7, 'paid', '1 100 some'), (8, 'in_progress', '1 100 some'), (9, 'partially_shipped', '1 100 some'),
	(10, 'on_hold', '1 100 some'),
	(11, 'partially_shipped', '1 100 some'), (12, 'canceled', '0 0')) AS c (n, status, wanted);
SELECT is(pg_temp.after(format('SELECT ordertrack.create_order(''{"status":"%s","amount":50}'', ''ben'')',
	status), 'ben'), wanted, 'first status ' || status)
  FROM (VALUES ('awaiting_exchange', '0 0'), ('paid', '1 50 some'), ('created', '1 50 some')) AS c (status,
	wanted);

-- Redemptions and rollbacks.
SELECT redemption_id AS r FROM ordertrack.redeem('OFF', 'cem', '{"source_id":"c-1","amount":200}')
\gset
SELECT is(pg_temp.sums('cem'), '1 170 some', 'redeem');
SELECT redemption_id AS g FROM ordertrack.redeem('CARD', 'cem', '{"source_id":"c-1"}', 70)
\gset
SELECT is(pg_temp.sums('cem'), '1 100 some', 'a gift card');
SELECT is(pg_temp.after(format('SELECT ordertrack.rollback_redemption(%s, amount => 20)', :g), 'cem'),
	'1 120 some', 'a part back');
SELECT is(pg_temp.after(format('SELECT ordertrack.rollback_redemption(%s)', :r), 'cem'), '1 150 some',
	'the discount back');
SELECT is(pg_temp.after(format('SELECT ordertrack.rollback_redemption(%s)', :g), 'cem'), '0 0',
	'all back: canceled');
SELECT is(pg_temp.after('SELECT ordertrack.create_order(''{"source_id":"c-2","amount":10,"status":"paid"}'')',
	'cem'), '0 0', 'an order of nobody');
SELECT is(pg_temp.after('SELECT ordertrack.redeem(''OFF'', ''cem'', ''{"source_id":"c-2"}'')', 'cem'),
	'1 0 some', 'becomes somebody''s');

-- Raw changes: status, amount, customer, time.
SELECT customer_id AS dora FROM (SELECT ordertrack.put_customer('dora') AS customer_id) AS d
\gset
SELECT customer_id AS emil FROM (SELECT ordertrack.put_customer('emil') AS customer_id) AS d
\gset
SELECT
	is(pg_temp.after(format('INSERT INTO ordertrack.orders (workspace_id, source_id, status, customer_id, amount, total_amount, created_at)
	VALUES (1, ''d-1'', ''paid'', %s, 100, 100, ''2005-05-05''), (1, ''d-2'', ''created'', %1$s, 10, 10, ''2007-07-07'')', :dora), 'dora'), '1 100 some', 'raw INSERT');
SELECT is(pg_temp.after(format(command, :dora, :emil), customer), wanted, command) FROM (VALUES
	(1, 'UPDATE ordertrack.orders SET status = ''paid'' WHERE source_id = ''d-2''', 'dora', '2 110 some'),
	(2,
		'UPDATE ordertrack.orders SET amount = amount + 5, total_amount = total_amount + 5 WHERE customer_id = %s', 'dora', '2 120 some'),
	(3, 'UPDATE ordertrack.orders SET discount_amount = 15, total_amount = 0 WHERE source_id = ''d-2''', 'dora',
		'2 105 some'),
	(4, 'UPDATE ordertrack.orders SET customer_id = %2$s WHERE source_id = ''d-2''', 'dora', '1 105 some'),
	(5, 'UPDATE ordertrack.orders SET metadata = NULL', 'emil', '1 0 some'),
	(6,
		'UPDATE ordertrack.orders SET customer_id = %2$s, status = ''completed'', discount_amount = 0, total_amount = amount WHERE source_id IN (''d-1'', ''d-2'')', 'emil', '2 120 some'),
	(7, 'UPDATE ordertrack.orders SET metadata = NULL', 'dora', '0 0'),
	(8, 'UPDATE ordertrack.orders SET customer_id = NULL WHERE source_id = ''d-1''', 'emil', '1 15 some'),
	(9, 'UPDATE ordertrack.orders SET customer_id = %1$s WHERE source_id = ''d-1''', 'dora',
		'1 105 some')) AS c (n, command, customer, wanted) ORDER BY n;
SELECT results_eq('SELECT source_id, kept FROM pg_temp.recount WHERE workspace_id = 1 ORDER BY 1',
	'SELECT source_id, counted FROM pg_temp.recount WHERE workspace_id = 1 ORDER BY 1',
	'kept is counted');
UPDATE ordertrack.orders SET created_at = '2006-06-06' WHERE source_id = 'd-1';
UPDATE ordertrack.orders SET created_at = '2004-04-04' WHERE source_id = 'd-2';
SELECT results_eq('SELECT source_id, kept FROM pg_temp.recount WHERE workspace_id = 1 ORDER BY 1',
	'SELECT source_id, counted FROM pg_temp.recount WHERE workspace_id = 1 ORDER BY 1',
	'also after orders were dated anew');

-- The newest of several orders goes: the one before is the last.
INSERT INTO ordertrack.orders (workspace_id, source_id, status, customer_id, amount, total_amount, created_at)
	SELECT 1, 'e-' || n, 'paid', :emil, n, n, make_timestamptz(2010 + n, 1, 1, 0, 0, 0, 'UTC')
		FROM generate_series(1, 5) AS n;
SELECT is(extract(year FROM c.last_order_at AT TIME ZONE 'UTC')::integer, 2015, 'the newest')
  FROM ordertrack.customers AS c WHERE source_id = 'emil';
UPDATE ordertrack.orders SET status = 'canceled' WHERE source_id IN ('e-5', 'e-3');
SELECT is(extract(year FROM c.last_order_at AT TIME ZONE 'UTC')::integer, 2014, 'the one before')
  FROM ordertrack.customers AS c WHERE source_id = 'emil';
UPDATE ordertrack.orders SET customer_id = :dora WHERE source_id LIKE 'e-%';
SELECT results_eq('SELECT source_id, kept FROM pg_temp.recount ORDER BY 1',
	'SELECT source_id, counted FROM pg_temp.recount ORDER BY 1', 'many moved in one statement');

-- A random life: changes of every kind, by functions and raw.
SELECT setseed(0.42)
\g /dev/null
DO $$
DECLARE
	id bigint;
	choice integer;
	customer bigint;
BEGIN
	FOR n IN 1 .. 40 LOOP
		PERFORM ordertrack.create_order(jsonb_build_object('source_id', 'r-' || n, 'amount',
			(random() * 1000)::integer,
			'status', (ARRAY['created', 'paid', 'awaiting_exchange'])[1 + floor(random() * 3)]),
				'random-' || n % 4);
	END LOOP;
	FOR n IN 1 .. 800 LOOP
		choice := 1 + floor(random() * 40);
		SELECT o.order_id INTO STRICT id FROM ordertrack.orders AS o WHERE o.source_id = 'r-' || choice;
		choice := floor(random() * 4);
		SELECT c.customer_id INTO STRICT customer FROM ordertrack.customers AS c
			WHERE c.source_id = 'random-' || choice;
		choice := floor(random() * 7);
		BEGIN
			CASE choice
				WHEN 0, 1 THEN
					PERFORM ordertrack.set_order_status(id,
						(ARRAY['paid', 'fulfilled', 'in_progress', 'partially_shipped', 'on_hold', 'created',
							'canceled'])[1 + floor(random() * 7)]);
				WHEN 2 THEN
					UPDATE ordertrack.orders SET status = (ARRAY['paid', 'fulfilled', 'in_progress',
						'partially_shipped', 'on_hold'])[1 + floor(random() * 5)] WHERE order_id = id;
				WHEN 3 THEN
					UPDATE ordertrack.orders SET amount = amount + n, total_amount = total_amount + n
						WHERE order_id = id;
				WHEN 4 THEN
					UPDATE ordertrack.orders SET customer_id = customer WHERE order_id = id;
				WHEN 5 THEN
					PERFORM ordertrack.redeem(CASE WHEN random() < 0.5 THEN 'OFF' ELSE 'CARD' END, 'random-1',
						jsonb_build_object('id', id));
				WHEN 6 THEN
					PERFORM ordertrack.rollback_redemption((SELECT max(r.redemption_id)
						FROM ordertrack.redemptions AS r
						WHERE r.order_id = id AND r.result = 'success' AND r.kind = 'redemption'));
			END CASE;
		EXCEPTION WHEN SQLSTATE 'OT010' THEN
			NULL;
		END;
	END LOOP;
END
$$;
SELECT is(kept, counted, 'a random life of ' || source_id) FROM pg_temp.recount WHERE source_id LIKE 'random-%'
 ORDER BY source_id;
SELECT ok(sum(order_count) > 5, 'of orders that count') FROM ordertrack.customers
 WHERE source_id LIKE 'random-%';
SELECT ok((SELECT count(DISTINCT event_type) >= 8 FROM ordertrack.order_notes), 'and many kinds of change');
SELECT is_empty($$SELECT v.* FROM ordertrack.orders AS o, ordertrack.verify_order(o.order_id) AS v WHERE o.source_id LIKE 'r-%'
	AND v.detail !~ '^The order''s (amount|total_amount|customer_id) is \d+, its history says '$$,
	'all histories verify, but for what was changed raw');
SELECT is_empty('SELECT * FROM ordertrack.orders WHERE total_amount <> amount - discount_amount',
	'and all amounts add up');
SELECT is((SELECT gift_balance::bigint FROM ordertrack.vouchers WHERE code = 'CARD'),
	1000 - (SELECT coalesce(sum(amount), 0)::bigint FROM ordertrack.redemptions WHERE code = 'CARD'),
	'and the card''s balance');

-- Sums are of one workspace.
SELECT ordertrack.create_order('{"status":"paid","amount":7}', 'anna', workspace => :other)
\g /dev/null
SELECT is(pg_temp.sums('anna'), '0 0', 'an order in another workspace counts there');
SELECT is_empty('SELECT * FROM pg_temp.recount WHERE kept <> counted', 'kept is counted everywhere');

SELECT * FROM finish();
ROLLBACK;

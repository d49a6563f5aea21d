-- Random work with every kind of discount and limit, by single calls, batches,
-- stacks and reservations, on stored orders and by hand, and rollbacks of all of it
-- until the order's end: after it each amount and each counter equals a recount.
BEGIN;
SELECT * FROM no_plan();
SELECT setseed(0.42)
\g /dev/null

SELECT ordertrack.create_campaign('limits', redemption_limit => 60, customer_limit => 9, per_day => 50,
		customer_per_week => 7),
	ordertrack.create_campaign('budgets', discount_budget => 9000, order_budget => 60000),
	ordertrack.create_campaign('free')
\g /dev/null
-- Every effect in every campaign, each with its own limits or none.
CREATE TEMP TABLE codes AS
SELECT row_number() OVER (ORDER BY c.name, d.n) AS id, format('%s-%s', coalesce(c.name, 'none'), d.n) AS code, c.name AS campaign, d.discount, d.n FROM
	(VALUES ('limits'), ('budgets'), ('free'), (NULL)) AS c (name)
	CROSS JOIN (SELECT row_number() OVER () AS n, v.discount::jsonb FROM (VALUES
	('{"type":"amount","amount_off":70}'),
	('{"type":"amount","amount_off":30,"effect":"apply_to_items"}'),
	('{"type":"amount","amount_off":7,"effect":"apply_to_items_by_quantity","applies_to":{"excluded":["b"]}}'),
	('{"type":"amount","amount_off":301,"effect":"apply_to_items_proportionally","aggregated_amount_limit":250}'),
	('{"type":"amount","amount_off":101,"effect":"apply_to_items_proportionally_by_quantity"}'),
	('{"type":"percent","percent_off":12.5,"amount_limit":90}'),
	('{"type":"percent","percent_off":33.333,"effect":"apply_to_items","applies_to":{"included":["a","c"]}}'),
	('{"type":"fixed","fixed_amount":250}'),
	('{"type":"fixed","fixed_amount":40,"effect":"apply_to_items"}'),
	('{"type":"unit","unit_off":2,"product_id":"a"}'),
	('{"type":"unit","unit_off":1,"product_id":"b","price":15,"effect":"add_new_items"}'),
	('{"type":"unit","unit_off":3,"sku":"gratis","price":4}'),
	(NULL)) AS v (discount)) AS d;
SELECT count(ordertrack.create_voucher(code, discount, gift_amount => CASE WHEN discount IS NULL THEN 4000 END,
	campaign => campaign,
	redemption_limit => CASE n % 3 WHEN 0 THEN 6 END, customer_limit => CASE n % 4 WHEN 0 THEN 2 END,
	per_month => CASE n % 5 WHEN 0 THEN 5 END, customer_per_day => CASE n % 7 WHEN 0 THEN 1 END)) FROM codes
\g /dev/null
SELECT ordertrack.create_rule('loyal', 'customer', '$.customer.order_total < 1500'),
	ordertrack.create_rule('small', 'order', '$.order.quantity <= 6 && $.order.total_amount >= 0')
\g /dev/null
SELECT ordertrack.assign_rule('loyal', voucher => code), ordertrack.assign_rule('small', voucher => code)
	FROM codes WHERE n % 6 = 1
\g /dev/null

CREATE FUNCTION pg_temp.dice(sides int) RETURNS int LANGUAGE sql AS 'SELECT 1 + floor(random() * $1)::int';
CREATE FUNCTION pg_temp.code() RETURNS text LANGUAGE sql AS
	'SELECT code FROM codes WHERE id = (SELECT pg_temp.dice(52))';
-- A request: a new order, one that was named before, or none.
CREATE FUNCTION pg_temp.request() RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	items jsonb;
	order_data jsonb;
	source text := 'o' || pg_temp.dice(40);
BEGIN
	SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object('product_id', substr('abcd', pg_temp.dice(4), 1),
		'quantity', pg_temp.dice(4), 'price', CASE WHEN pg_temp.dice(5) > 1 THEN pg_temp.dice(300) - 1 END,
		'amount', CASE WHEN pg_temp.dice(3) = 1 THEN pg_temp.dice(900) - 1 END)))
		INTO items FROM generate_series(1, pg_temp.dice(3));
	order_data := CASE pg_temp.dice(8)
		WHEN 1 THEN jsonb_build_object('amount', pg_temp.dice(900) - 1)
		WHEN 2 THEN jsonb_build_object('items', items, 'amount', pg_temp.dice(900) - 1)
		WHEN 3 THEN jsonb_build_object('items', items)
		WHEN 4 THEN NULL
		ELSE jsonb_build_object('items', items, 'source_id', source) END;
	RETURN jsonb_strip_nulls(jsonb_build_object('code', pg_temp.code(),
		'customer', CASE WHEN pg_temp.dice(5) > 1 THEN 'c' || pg_temp.dice(12) END, 'order_data', order_data,
		'amount', CASE WHEN pg_temp.dice(4) = 1 THEN pg_temp.dice(200) END,
		'idempotency_key', CASE WHEN pg_temp.dice(6) = 1 THEN 'k' || md5(random()::text) END));
END
$$;
CREATE FUNCTION pg_temp.redeem(request jsonb) RETURNS ordertrack.redemption_outcome LANGUAGE sql AS $$
	SELECT ordertrack.redeem(request->>'code', request->>'customer', request->'order_data',
		(request->>'amount')::bigint, idempotency_key => request->>'idempotency_key')
$$;
CREATE FUNCTION pg_temp.told(o ordertrack.redemption_outcome) RETURNS text LANGUAGE sql AS
	$$ SELECT concat_ws(' ', o.result, o.failure_code, o.failure_message, o.amount, o.discount_amount, o.total_amount) $$;

CREATE FUNCTION pg_temp.codes() RETURNS text[] LANGUAGE sql AS
	'SELECT ARRAY(SELECT DISTINCT pg_temp.code() AS code FROM generate_series(1, pg_temp.dice(5)) ORDER BY code)';
CREATE FUNCTION pg_temp.told(o ordertrack.redemption_outcome[]) RETURNS text LANGUAGE sql AS
	$$ SELECT string_agg(pg_temp.told(o[n]), '; ' ORDER BY n) FROM generate_subscripts(o, 1) AS n $$;

CREATE TEMP TABLE odd (what text, request jsonb, wanted text, got text);
CREATE TEMP TABLE holds (reservation_key text, request jsonb, is_done boolean, n int GENERATED ALWAYS AS IDENTITY);
-- A reservation that nobody has tried to end yet.
CREATE FUNCTION pg_temp.some_hold() RETURNS SETOF holds LANGUAGE sql AS $$
	UPDATE holds SET is_done = true WHERE n = (SELECT n FROM holds WHERE NOT is_done ORDER BY n
		OFFSET floor(random() * (SELECT count(*) FROM holds WHERE NOT is_done)) LIMIT 1) RETURNING *
$$;
CREATE FUNCTION pg_temp.some_order() RETURNS ordertrack.orders LANGUAGE sql AS $$
	SELECT * FROM ordertrack.orders ORDER BY order_id OFFSET floor(random() * (SELECT count(*) FROM ordertrack.orders)) LIMIT 1
$$;
CREATE FUNCTION pg_temp.work(rounds int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	request jsonb;
	before text;
	got ordertrack.redemption_outcome;
	victim bigint;
	stack text[];
	stack_mode text;
	stack_got ordertrack.redemption_outcome[];
	held ordertrack.reservation_outcome;
	stored ordertrack.orders;
BEGIN
	FOR i IN 1 .. rounds LOOP
		CASE pg_temp.dice(20)
		WHEN 1, 2 THEN
			PERFORM ordertrack.redeem_batch((SELECT jsonb_agg(pg_temp.request()) FROM generate_series(1, pg_temp.dice(12))));
		WHEN 3, 4, 5 THEN
			SELECT redemption_id INTO victim FROM ordertrack.redemptions
				WHERE kind <> 'rollback' AND result = 'success' ORDER BY redemption_id
				OFFSET floor(random() * (SELECT count(*) FROM ordertrack.redemptions WHERE kind <> 'rollback' AND result = 'success'))
				LIMIT 1;
			PERFORM ordertrack.rollback_redemption(victim, amount => CASE WHEN pg_temp.dice(4) = 1 THEN pg_temp.dice(150) END);
		WHEN 6 THEN
			PERFORM ordertrack.set_order_status(order_id, 'canceled') FROM (SELECT order_id FROM ordertrack.orders
				WHERE status = 'paid' ORDER BY order_id
				OFFSET floor(random() * (SELECT count(*) FROM ordertrack.orders WHERE status = 'paid')) LIMIT 1) AS o WHERE pg_temp.dice(2) = 1;
		WHEN 7 THEN
			PERFORM ordertrack.update_voucher(pg_temp.code(), clear => '{redemption_limit,customer_limit,per_month,customer_per_day}');
			PERFORM ordertrack.update_campaign(campaign, clear => '{per_day,customer_per_week,customer_limit}')
				FROM (VALUES ('limits'), ('budgets')) AS c (campaign) WHERE pg_temp.dice(4) = 1;
		WHEN 8 THEN
			PERFORM ordertrack.update_voucher(pg_temp.code(), redemption_limit => 60, customer_limit => 9, per_month => 50, customer_per_day => 8);
			PERFORM ordertrack.update_campaign(campaign, per_day => 300, customer_per_week => 40, customer_limit => 45)
				FROM (VALUES ('limits'), ('budgets')) AS c (campaign) WHERE pg_temp.dice(4) = 1;
		WHEN 9, 10, 11 THEN
			request := pg_temp.request();
			stack := pg_temp.codes();
			stack_mode := CASE WHEN pg_temp.dice(3) = 1 THEN 'all' ELSE 'partial' END;
			before := pg_temp.told(ARRAY(SELECT v FROM ordertrack.validate_stack(stack, request->>'customer',
				request->'order_data', stack_mode) AS v));
			stack_got := ARRAY(SELECT v FROM ordertrack.redeem_stack(stack, request->>'customer', request->'order_data', stack_mode,
				idempotency_key => request->>'idempotency_key') AS v);
			IF before IS DISTINCT FROM pg_temp.told(stack_got) THEN
				INSERT INTO odd VALUES ('stack ' || stack::text, request, before, pg_temp.told(stack_got));
			END IF;
		WHEN 12, 13 THEN
			request := pg_temp.request();
			held := ordertrack.reserve(request->>'code', request->>'customer', request->'order_data', (request->>'amount')::bigint,
				hold => CASE WHEN pg_temp.dice(2) = 1 THEN interval '1 microsecond' ELSE interval '1 day' END);
			IF held.result = 'success' THEN
				INSERT INTO holds VALUES (held.reservation_key, request, false);
			END IF;
		WHEN 14 THEN
			PERFORM ordertrack.release_reservation(h.reservation_key) FROM pg_temp.some_hold() AS h;
		WHEN 15 THEN
			PERFORM ordertrack.redeem(h.request->>'code', h.request->>'customer', h.request->'order_data',
				(h.request->>'amount')::bigint, reservation_key => h.reservation_key) FROM pg_temp.some_hold() AS h;
		WHEN 16, 17 THEN
			stored := pg_temp.some_order();
			request := jsonb_build_object('code', pg_temp.code(), 'order_data', jsonb_build_object('id', stored.order_id),
				'amount', CASE WHEN pg_temp.dice(2) = 1 THEN pg_temp.dice(200) END);
			before := pg_temp.told(ordertrack.validate(request->>'code', (SELECT c.source_id FROM ordertrack.customers AS c
				WHERE c.customer_id = stored.customer_id), request->'order_data', (request->>'amount')::bigint));
			got := ordertrack.add_coupon(stored.order_id, request->>'code', (request->>'amount')::bigint);
			IF before IS DISTINCT FROM pg_temp.told(got) THEN
				INSERT INTO odd VALUES ('add_coupon', request, before, pg_temp.told(got));
			END IF;
		WHEN 18 THEN
			stored := pg_temp.some_order();
			PERFORM ordertrack.remove_coupon(stored.order_id, coalesce((SELECT r.code FROM ordertrack.redemptions AS r
				WHERE r.order_id = stored.order_id AND r.result = 'success' AND r.stack_id IS NULL ORDER BY r.redemption_id DESC LIMIT 1), 'none'));
		WHEN 19 THEN
			stored := pg_temp.some_order();
			IF stored.status <> 'canceled' THEN
				PERFORM ordertrack.set_manual_discount(stored.order_id, least(pg_temp.dice(200) - 1, stored.total_amount
					+ coalesce((SELECT m.amount FROM ordertrack.manual_discounts AS m WHERE m.order_id = stored.order_id), 0)));
			END IF;
		WHEN 20 THEN
			stored := pg_temp.some_order();
			PERFORM ordertrack.cancel_order(stored.order_id, rollback => pg_temp.dice(3) > 1) WHERE pg_temp.dice(2) = 1;
		ELSE
			request := pg_temp.request();
			before := pg_temp.told(ordertrack.validate(request->>'code', request->>'customer', request->'order_data',
				(request->>'amount')::bigint));
			got := pg_temp.redeem(request);
			IF before IS DISTINCT FROM pg_temp.told(got) THEN
				INSERT INTO odd VALUES ('validate', request, before, pg_temp.told(got));
			END IF;
		END CASE;
	END LOOP;
END
$$;
SELECT pg_temp.work(900)
\g /dev/null

SELECT is_empty('SELECT * FROM odd', 'validate and redeem agree');
-- What is live: a redemption until the rollback that completes it.
CREATE TEMP VIEW live AS
SELECT r.*, r.discount_amount + r.total_amount AS order_amount, (r.created_at AT TIME ZONE 'UTC')::date AS day,
	r.amount + (SELECT coalesce(sum(b.amount), 0) FROM ordertrack.redemptions AS b
		WHERE b.rollback_of = r.redemption_id AND b.result = 'success') AS left_of_it
  FROM ordertrack.redemptions AS r
 WHERE r.kind = 'redemption' AND r.result = 'success' AND NOT EXISTS (SELECT FROM ordertrack.redemptions AS b
	WHERE b.rollback_of = r.redemption_id AND b.is_complete);
-- What is counted: also a reservation, until the voucher and the campaign have
-- each taken their part back.
CREATE TEMP VIEW uses AS
SELECT 'voucher' AS entity, voucher_id AS entity_id, customer_id, day, left_of_it AS amount, order_amount FROM live
UNION ALL SELECT 'campaign', campaign_id, customer_id, day, left_of_it, order_amount FROM live WHERE campaign_id IS NOT NULL
UNION ALL SELECT 'voucher', voucher_id, customer_id, (created_at AT TIME ZONE 'UTC')::date, amount, order_amount
	FROM ordertrack.reservations WHERE holds_voucher
UNION ALL SELECT 'campaign', campaign_id, customer_id, (created_at AT TIME ZONE 'UTC')::date, amount, order_amount
	FROM ordertrack.reservations WHERE holds_campaign;
SELECT is_empty($$SELECT order_id, o.discount_amount, sum, m.amount FROM ordertrack.orders AS o
	LEFT JOIN (SELECT order_id, sum(left_of_it) FROM live GROUP BY 1) AS l USING (order_id)
	LEFT JOIN ordertrack.manual_discounts AS m USING (workspace_id, order_id)
	WHERE o.discount_amount <> coalesce(sum, 0) + coalesce(m.amount, 0)$$, 'orders have the discounts of what is live, and those by hand');
SELECT is_empty($$SELECT i.order_id, i.line_no, i.quantity, i.amount, i.discount_amount FROM ordertrack.order_items AS i
	LEFT JOIN (SELECT order_id, line_no, sum(g.discount_amount) AS given FROM ordertrack.redemption_items AS g
		JOIN live USING (redemption_id, order_id) GROUP BY 1, 2) AS g USING (order_id, line_no)
	WHERE i.discount_amount <> coalesce(given, 0) OR i.discount_amount > i.amount$$, 'and lines theirs, never below 0');
SELECT is_empty($$SELECT order_id, o.amount, o.initial_amount, given FROM ordertrack.orders AS o
	LEFT JOIN (SELECT order_id, sum(g.amount) AS given FROM ordertrack.redemption_items AS g
		JOIN live USING (redemption_id, order_id) GROUP BY 1) AS g USING (order_id)
	WHERE o.amount <> o.initial_amount + coalesce(given, 0)$$, 'amounts have the given units that are live');
SELECT is_empty($$SELECT v.code, v.redeemed_count, count(u.entity), v.gift_balance, sum(u.amount)
	FROM ordertrack.vouchers AS v LEFT JOIN uses AS u ON u.entity = 'voucher' AND u.entity_id = v.voucher_id
	GROUP BY v.voucher_id, v.workspace_id
	HAVING (v.redemption_limit IS NOT NULL AND v.redeemed_count <> count(u.entity))
		OR v.gift_balance <> v.gift_amount - coalesce(sum(u.amount), 0)$$,
	'uses and balances of codes');
SELECT is_empty($$SELECT c.name, c.redeemed_count, c.discount_spent, c.order_spent, count(u.entity), sum(u.amount), sum(order_amount)
	FROM ordertrack.campaigns AS c LEFT JOIN uses AS u ON u.entity = 'campaign' AND u.entity_id = c.campaign_id
	GROUP BY c.campaign_id, c.workspace_id
	HAVING (c.redemption_limit IS NOT NULL AND c.redeemed_count <> count(u.entity))
		OR (c.discount_budget IS NOT NULL AND c.discount_spent <> coalesce(sum(u.amount), 0))
		OR (c.order_budget IS NOT NULL AND c.order_spent <> coalesce(sum(order_amount), 0))$$,
	'uses and budgets of campaigns');
SELECT is_empty($$SELECT * FROM ordertrack.voucher_customers AS c JOIN ordertrack.vouchers AS v USING (voucher_id)
	WHERE v.customer_limit IS NOT NULL AND used <> (SELECT count(*) FROM uses AS u
		WHERE u.entity = 'voucher' AND u.entity_id = c.voucher_id AND u.customer_id = c.customer_id)$$, 'uses of codes by customers');
SELECT is_empty($$SELECT * FROM ordertrack.campaign_customers AS c JOIN ordertrack.campaigns AS v USING (campaign_id)
	WHERE v.customer_limit IS NOT NULL AND used <> (SELECT count(*) FROM uses AS u
		WHERE u.entity = 'campaign' AND u.entity_id = c.campaign_id AND u.customer_id = c.customer_id)$$, 'and of campaigns');
SELECT is_empty($$SELECT * FROM ordertrack.period_counts AS p WHERE used <> (SELECT count(*) FROM uses AS u
	WHERE u.entity = p.entity AND u.entity_id = p.entity_id
		AND p.customer_id IN (0, u.customer_id) AND date_trunc(p.period, u.day)::date = p.starts_on)$$,
	'uses in periods');
SELECT is_empty($$SELECT c.source_id FROM ordertrack.customers AS c
	CROSS JOIN LATERAL (SELECT count(*) AS n, coalesce(sum(o.total_amount), 0) AS total, max(o.created_at) AS last
		FROM ordertrack.orders AS o WHERE o.customer_id = c.customer_id AND o.status = 'paid') AS o
	WHERE (c.order_count, c.order_total, c.last_order_at) IS DISTINCT FROM (o.n, o.total, o.last)$$, 'customers'' sums');
SELECT is_empty('SELECT v.* FROM ordertrack.orders AS o CROSS JOIN ordertrack.verify_order(o.order_id) AS v',
	'every history verifies');
SELECT is_empty($$SELECT unnest('{already_rolled_back,customer_rules_violated,invalid_amount,missing_amount,
	missing_customer,missing_order_items,order_rules_violated,part_of_stack,quantity_exceeded,redemption_not_found,
	redemption_rules_violated,stack_refused}'::text[])
	EXCEPT SELECT failure_code FROM ordertrack.redemptions$$, 'there was something of all of it');
SELECT cmp_ok((SELECT count(*) FROM live WHERE stack_id IS NOT NULL), '>', 20::bigint, 'also by stacks');
SELECT is((SELECT string_agg(DISTINCT status, ' ' ORDER BY status) FROM ordertrack.reservations), 'live redeemed released',
	'and reservations that ended in each way');
SELECT cmp_ok((SELECT count(*) FROM live), '>', 100::bigint, 'and enough is live');
SELECT cmp_ok((SELECT count(*) FROM ordertrack.manual_discounts WHERE amount > 0), '>', 10::bigint, 'also by hand');

-- A stack and one call after the other come to the same, on paid orders and on
-- new ones; both are undone.
CREATE FUNCTION pg_temp.lines(source text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(':', line_no, product_id, quantity, i.amount, i.discount_amount), ' ' ORDER BY line_no)
	  FROM ordertrack.order_items AS i JOIN ordertrack.orders USING (order_id) WHERE source_id = source
$$;
CREATE FUNCTION pg_temp.by_stack(codes text[], customer text, order_data jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	told text;
BEGIN
	told := pg_temp.told((ARRAY(SELECT v FROM ordertrack.redeem_stack(codes, customer, order_data, 'partial') AS v))[2:]);
	told := concat_ws(' | ', told, pg_temp.lines(order_data->>'source_id'));
	RAISE SQLSTATE 'UNDO0';
EXCEPTION WHEN SQLSTATE 'UNDO0' THEN
	RETURN told;
END
$$;
CREATE FUNCTION pg_temp.by_calls(codes text[], customer text, order_data jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	code text;
	told text;
BEGIN
	FOREACH code IN ARRAY codes LOOP
		told := concat_ws('; ', told, pg_temp.told(ordertrack.redeem(code, customer, order_data)));
	END LOOP;
	told := concat_ws(' | ', told, pg_temp.lines(order_data->>'source_id'));
	RAISE SQLSTATE 'UNDO0';
EXCEPTION WHEN SQLSTATE 'UNDO0' THEN
	RETURN told;
END
$$;
-- The sums of a customer change from call to call, so no rule may read them here.
SELECT ordertrack.unassign_rule('loyal', voucher => code) FROM codes WHERE n % 6 = 1
\g /dev/null
CREATE TEMP TABLE pairs AS
SELECT n, pg_temp.codes() AS codes, 'c' || pg_temp.dice(12) AS customer,
	coalesce(pg_temp.request()->'order_data', '{}') || jsonb_build_object('source_id',
		CASE WHEN n % 2 = 0 THEN 'new' ELSE 'o' || pg_temp.dice(40) END) AS order_data
  FROM generate_series(1, 120) AS n;
SELECT is_empty($$SELECT * FROM (SELECT p.*, pg_temp.by_stack(codes, customer, order_data) AS stack,
	pg_temp.by_calls(codes, customer, order_data) AS calls FROM pairs AS p) AS b WHERE stack <> calls$$,
	'a stack is what its codes are, one after the other');

SELECT * FROM finish();
ROLLBACK;

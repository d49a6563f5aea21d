-- The reason of a refusal is the first of the list that holds. Each code has a
-- way to make it hold that leaves room for the others; each pair is tried.
BEGIN;
SELECT * FROM no_plan();

CREATE TEMP TABLE reasons (rank integer, code text, is_reachable boolean);
INSERT INTO reasons VALUES
	(1, 'invalid_input', true), (2, 'voucher_not_found', true), (3, 'voucher_disabled', true),
	(4, 'voucher_not_active', true), (5, 'voucher_expired', true), (6, 'voucher_not_active_now', false),
	(7, 'quantity_exceeded', true), (8, 'invalid_order', true), (9, 'invalid_amount', true),
	(10, 'missing_customer', true), (11, 'missing_order_items', true), (12, 'missing_amount', true),
	(13, 'gift_amount_exceeded', true), (14, 'customer_rules_violated', true),
	(15, 'order_rules_violated', true), (16, 'redemption_rules_violated', true);

-- A code that does not exist has no other fault of its own, and nobody has used
-- up the uses of a customer who is not given. A gift card works on no lines, and
-- where there are none, none is wrong.
CREATE TEMP TABLE impossible (code text, other text);
INSERT INTO impossible
SELECT 'voucher_not_found', unnest('{voucher_disabled,voucher_not_active,voucher_expired,quantity_exceeded,
	missing_customer,missing_order_items,missing_amount,gift_amount_exceeded,customer_rules_violated,order_rules_violated,
	redemption_rules_violated}'::text[])
UNION ALL VALUES ('missing_customer', 'redemption_rules_violated');

-- Makes a request for which all given reasons hold, and gives the answer to it,
-- first of validate, then of redeem. With a campaign as the place, the faults
-- of the code are its campaign's.
CREATE FUNCTION pg_temp.answer(holding text[], place text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	id text := gen_random_uuid();
	discount jsonb;
	gift_amount bigint;
	order_data jsonb := '{"amount": 1000}';
	credits bigint;
	customer text := 'cust-' || id;
	metadata jsonb;
	is_on_lines boolean := holding && '{missing_order_items,order_rules_violated}';
	has_limit boolean := 'quantity_exceeded' = ANY (holding);
	has_customer_limit boolean := holding && '{missing_customer,redemption_rules_violated}';
	starts_at timestamptz;
	expires_at timestamptz;
	dry text;
	real text;
BEGIN
	IF 'gift_amount_exceeded' = ANY (holding) THEN
		gift_amount := 5000;
	ELSE
		discount := '{"type": "amount", "amount_off": 10}';
		IF is_on_lines THEN
			discount := discount || '{"applies_to": {"included": ["a"]}}';
		END IF;
	END IF;
	PERFORM ordertrack.create_campaign(id,
		redemption_limit => CASE WHEN has_limit AND place = 'campaign' THEN 1 END,
		customer_limit => CASE WHEN has_customer_limit AND place = 'campaign' THEN 1 END);
	PERFORM ordertrack.create_voucher(id, discount, gift_amount, id,
		redemption_limit => CASE WHEN has_limit AND place = 'voucher' THEN 1 END,
		customer_limit => CASE WHEN has_customer_limit AND place = 'voucher' THEN 1 END);
	IF has_limit OR 'redemption_rules_violated' = ANY (holding) THEN
		PERFORM FROM ordertrack.redeem(id, customer,
			'{"amount": 10, "items": [{"product_id": "a", "quantity": 1, "price": 10}]}') AS r WHERE r.result = 'success';
		IF NOT FOUND THEN
			RAISE EXCEPTION 'could not use up %', holding;
		END IF;
	END IF;

	-- rules, after the uses that had to succeed
	PERFORM ordertrack.create_rule(r.name || id, r.applies_to, r.condition::jsonpath),
		ordertrack.assign_rule(r.name || id, CASE WHEN place = 'voucher' THEN id END, CASE WHEN place = 'campaign' THEN id END)
	  FROM (VALUES ('missing_order_items', 'order', '$.order.items_count >= 0'),
		('customer_rules_violated', 'customer', '$.customer.order_count > 1000'),
		('order_rules_violated', 'order', '$.order.metadata.none == 1')) AS r (name, applies_to, condition)
	 WHERE r.name = ANY (holding);

	-- a code that is not active yet and has expired needs both places for that
	IF 'voucher_not_active' = ANY (holding) THEN
		starts_at := '2999-01-01';
	END IF;
	IF 'voucher_expired' = ANY (holding) THEN
		expires_at := '2001-01-01';
	END IF;
	IF place = 'voucher' THEN
		PERFORM ordertrack.update_voucher(id, starts_at, is_active => NOT 'voucher_disabled' = ANY (holding));
		PERFORM CASE WHEN starts_at IS NULL THEN ordertrack.update_voucher(id, expires_at => expires_at)
			ELSE ordertrack.update_campaign(id, expires_at => expires_at) END;
	ELSE
		PERFORM ordertrack.update_campaign(id, starts_at, is_active => NOT 'voucher_disabled' = ANY (holding));
		PERFORM CASE WHEN starts_at IS NULL THEN ordertrack.update_campaign(id, expires_at => expires_at)
			ELSE ordertrack.update_voucher(id, expires_at => expires_at) END;
	END IF;

	IF 'invalid_input' = ANY (holding) THEN
		metadata := '["no object"]';
	END IF;
	IF 'order_rules_violated' = ANY (holding) AND NOT 'missing_order_items' = ANY (holding) THEN
		order_data := order_data || '{"items": [{"product_id": "b", "quantity": 1, "price": 5}]}';
	END IF;
	IF 'missing_amount' = ANY (holding) THEN
		order_data := CASE WHEN 'missing_order_items' = ANY (holding) THEN '{}' ELSE '{"items": [{"quantity": 1}]}' END;
	END IF;
	IF 'invalid_amount' = ANY (holding) AND 'missing_order_items' = ANY (holding) THEN
		order_data := order_data || '{"value_in_points": -5}';
	ELSIF 'invalid_amount' = ANY (holding) THEN
		order_data := jsonb_set(order_data, '{items}',
			coalesce(order_data -> 'items', '[]') || '[{"quantity": 1, "price": -5}]');
	END IF;
	IF 'invalid_order' = ANY (holding) THEN
		order_data := order_data || '{"id": -1}';
	END IF;
	IF 'gift_amount_exceeded' = ANY (holding) THEN
		credits := 5001;
	END IF;
	IF 'missing_customer' = ANY (holding) THEN
		customer := NULL;
	END IF;
	IF 'voucher_not_found' = ANY (holding) THEN
		id := id || '?';
	END IF;

	SELECT r.failure_code INTO dry FROM ordertrack.validate(id, customer, order_data, credits, metadata) AS r;
	SELECT r.failure_code INTO real FROM ordertrack.redeem(id, customer, order_data, credits, metadata) AS r;
	RETURN coalesce(dry, 'success') || ' ' || coalesce(real, 'success');
END
$$;

SELECT is(pg_temp.answer('{}', place), 'success success', 'nothing holds, faults of the ' || place)
  FROM unnest('{voucher,campaign}'::text[]) AS place;
SELECT is(pg_temp.answer(ARRAY[code], place), code || ' ' || code,
	format('%s alone, faults of the %s', code, place))
  FROM reasons, unnest('{voucher,campaign}'::text[]) AS place WHERE is_reachable ORDER BY place, rank;
SELECT is(pg_temp.answer(ARRAY[later.code, first.code], place), first.code || ' ' || first.code,
		format('%s before %s, faults of the %s', first.code, later.code, place))
  FROM reasons AS first
  JOIN reasons AS later ON first.rank < later.rank AND first.is_reachable AND later.is_reachable
 CROSS JOIN unnest('{voucher,campaign}'::text[]) AS place
 WHERE NOT EXISTS (SELECT FROM impossible AS i WHERE i.code = first.code AND i.other = later.code)
 ORDER BY place, first.rank, later.rank;

-- All at once, then without the first, and so on.
SELECT is(pg_temp.answer((SELECT array_agg(l.code) FROM reasons AS l
			WHERE l.is_reachable AND l.rank >= r.rank AND l.code <> ALL ('{voucher_not_found}' || left_out)),
				'voucher'),
		r.code || ' ' || r.code, format('%s before all that follow but %s', r.code, left_out))
  FROM reasons AS r, (VALUES
	('{missing_customer,missing_order_items,order_rules_violated}'::text[]),
	('{redemption_rules_violated,missing_order_items,order_rules_violated}'),
	('{missing_customer,gift_amount_exceeded,order_rules_violated}'),
	('{redemption_rules_violated,gift_amount_exceeded,missing_order_items}')) AS l (left_out)
 WHERE r.is_reachable AND r.code <> ALL ('{voucher_not_found}' || left_out) ORDER BY left_out, r.rank;

SELECT is((SELECT count(*) FROM reasons AS a JOIN reasons AS b ON a.rank < b.rank AND a.is_reachable
	AND b.is_reachable)
	- (SELECT count(*) FROM impossible), 93::bigint, 'no pair was left out');

-- Two faults of one order: the order's before the amount's, whichever comes first in it.
SELECT ordertrack.create_voucher('PAIR', '{"type":"amount","amount_off":10}')
\g /dev/null
SELECT is(r.failure_code, wanted, order_data)
  FROM (VALUES
	('{"amount":-1,"items":[{"quantity":0,"price":1}]}', 'invalid_order'),
	('{"items":[{"quantity":1,"price":-1},{"quantity":0,"price":1}]}', 'invalid_order'),
	('{"items":[{"quantity":0,"price":1},{"quantity":1,"price":-1}]}', 'invalid_order'),
	('{"items":[{"quantity":0,"price":-1}]}', 'invalid_order'),
	('{"items":[{"quantity":1,"price":-1},{"quantity":1}]}', 'invalid_amount'),
	('{"items":[{"quantity":1},{"quantity":1,"price":-1}]}', 'invalid_amount'),
	('{"items":[{"quantity":1},{"quantity":2,"price":9223372036854775807}]}', 'invalid_amount'),
	('{"amount":-1,"source_id":["x"]}', 'invalid_order')
  ) AS c (order_data, wanted)
 CROSS JOIN LATERAL ordertrack.redeem('PAIR', NULL, c.order_data::jsonb) AS r;

SELECT * FROM finish();
ROLLBACK;

-- The reason why a reward is refused is the first of the list that holds. Each has
-- a way to make it hold that leaves room for the others; each pair is tried, and
-- can_redeem_reward gives the same reason.
BEGIN;
SELECT * FROM no_plan();

CREATE TEMP TABLE reasons AS SELECT * FROM unnest('{invalid_input,reward_not_found,reward_not_active,reward_expired,
	customer_not_allowed,customer_rules_violated,invalid_order,invalid_amount,quantity_exceeded,customer_limit_exceeded,
	out_of_stock,no_codes_left,not_enough_points}'::text[]) WITH ORDINALITY AS r (code, rank);
SELECT ordertrack.put_customer('somebody'), ordertrack.create_segment('others', customers => '{somebody}')
\g /dev/null

-- Makes a reward and a customer for which all given reasons hold, asks for two
-- units, and gives the answer: first of the dry run, then of the real one.
CREATE FUNCTION pg_temp.answer(holding text[]) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	id text := gen_random_uuid();
	dry text;
	real text;
BEGIN
	PERFORM ordertrack.put_customer(id, may_spend_points => NOT 'customer_not_allowed' = ANY (holding));
	IF NOT 'not_enough_points' = ANY (holding) THEN
		PERFORM ordertrack.grant_points(id, 1000);
	END IF;
	IF NOT 'reward_not_found' = ANY (holding) THEN
		PERFORM ordertrack.create_reward(id, 'discount_code',
			CASE WHEN 'invalid_amount' = ANY (holding) THEN 9223372036854775807 ELSE 10 END,
			expires_at => CASE WHEN 'reward_expired' = ANY (holding) THEN timestamptz '2001-01-01' END,
			segments => CASE WHEN 'customer_rules_violated' = ANY (holding) THEN '{others}'::text[] END,
			redemption_limit => CASE WHEN 'quantity_exceeded' = ANY (holding) THEN 1 ELSE 100 END,
			customer_limit => CASE WHEN 'customer_limit_exceeded' = ANY (holding) THEN 1 ELSE 100 END,
			stock => CASE WHEN 'out_of_stock' = ANY (holding) THEN '1'::jsonb ELSE '100' END,
			code_source => 'pool', is_active => NOT 'reward_not_active' = ANY (holding));
		PERFORM ordertrack.add_reward_codes(id,
			CASE WHEN 'no_codes_left' = ANY (holding) THEN '{A}' ELSE '{A,B,C}' END::text[]);
	END IF;
	SELECT coalesce(r.failure_code, r.result) INTO dry
	  FROM ordertrack.can_redeem_reward(id, id, 2, repeat('x', CASE WHEN 'invalid_input' = ANY (holding) THEN 1001 ELSE 0 END),
		base_order_id => CASE WHEN 'invalid_order' = ANY (holding) THEN 1 END) AS r;
	SELECT coalesce(r.failure_code, r.result) INTO real
	  FROM ordertrack.redeem_reward(id, id, 2, repeat('x', CASE WHEN 'invalid_input' = ANY (holding) THEN 1001 ELSE 0 END),
		base_order_id => CASE WHEN 'invalid_order' = ANY (holding) THEN 1 END) AS r;
	RETURN CASE WHEN dry = real THEN real ELSE format('%s, but dry %s', real, dry) END;
END
$$;

SELECT is(pg_temp.answer('{}'), 'success', 'nothing holds');
SELECT is(pg_temp.answer(ARRAY[code]), code, 'alone: ' || code) FROM reasons ORDER BY rank;
-- A reward that does not exist has no fault of its own.
SELECT is(pg_temp.answer(ARRAY[later.code, first.code]), first.code, format('%s before %s', first.code, later.code))
  FROM reasons AS first JOIN reasons AS later ON later.rank > first.rank
 ORDER BY first.rank, later.rank;
SELECT is(pg_temp.answer(array_agg(code)), 'invalid_input', 'all at once') FROM reasons;

SELECT * FROM finish();
ROLLBACK;

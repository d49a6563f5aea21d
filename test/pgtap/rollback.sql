-- rollback_redemption: refusals, counters, the order's discount and status.
BEGIN;
SELECT * FROM no_plan();

SELECT ordertrack.create_campaign('camp', redemption_limit => 10, customer_limit => 5)
\g /dev/null
SELECT ordertrack.create_voucher('COUNTED', '{"type":"amount","amount_off":300}', campaign => 'camp',
		redemption_limit => 5, customer_limit => 3),
	ordertrack.create_voucher('FREE', '{"type":"amount","amount_off":500}'),
	ordertrack.create_voucher('TEN', '{"type":"percent","percent_off":10}'),
	ordertrack.create_voucher('CARD', gift_amount => 5000)
\g /dev/null

CREATE FUNCTION pg_temp.counters() RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', v.redeemed_count, vc.used, c.redeemed_count, cc.used)
	  FROM ordertrack.vouchers AS v
	  JOIN ordertrack.campaigns AS c USING (workspace_id, campaign_id)
	  LEFT JOIN ordertrack.voucher_customers AS vc USING (workspace_id, voucher_id)
	  LEFT JOIN ordertrack.campaign_customers AS cc USING (workspace_id, campaign_id)
	 WHERE v.workspace_id = 1 AND v.code = 'COUNTED'
$$;

-- Counters go forth and back.
SELECT redemption_id AS counted, order_id AS counted_order
  FROM ordertrack.redeem('COUNTED', 'anna', '{"source_id":"counted","amount":1000}')
\gset
SELECT is(pg_temp.counters(), '1 1 1 1', 'all four counters count a use');
CREATE TEMP TABLE back AS
SELECT * FROM ordertrack.rollback_redemption(:counted, 'wrong size', channel => 'desk', actor => 'bert');
SELECT is(pg_temp.counters(), '0 0 0 0', 'all four counters come back');
SELECT is(to_jsonb(b) - 'redemption_id', jsonb_build_object('order_id', :counted_order) ||
	'{"result":"success","failure_code":null,"failure_message":null,"amount":1000,"discount_amount":0,
		"total_amount":1000,"gift_balance":null,"replayed":false}', 'the outcome') FROM back AS b;
SELECT is(to_jsonb(r) - '{workspace_id,redemption_id,created_at,voucher_id,campaign_id,customer_id}'::text[],
	jsonb_build_object('redeemed_by', session_user, 'order_id', :counted_order, 'rollback_of', :counted) ||
	'{"kind":"rollback","result":"success","failure_code":null,"failure_message":null,"code":"COUNTED","customer":"anna",
		"amount":-300,"discount_amount":0,"total_amount":1000,"gift_balance":null,"reason":"wrong size","rollback_no":1,
		"is_complete":true,"actor":"bert","channel":"desk","metadata":null,"stack_id":null,
		"reward":null,"reward_id":null,"quantity":null,"points":null,"points_missing":null}', 'the record')
  FROM back JOIN ordertrack.redemptions AS r USING (redemption_id);
SELECT is((SELECT count(*) FROM ordertrack.redemptions AS r JOIN back USING (redemption_id)
	JOIN ordertrack.redemptions AS o ON o.redemption_id = r.rollback_of AND o.voucher_id = r.voucher_id
		AND o.campaign_id = r.campaign_id AND o.customer_id = r.customer_id), 1::bigint,
	'it names voucher, campaign and customer of the original');
SELECT is(l.state, 'rolled_back', 'state of the original') FROM ordertrack.redemption_list AS l
 WHERE l.redemption_id = :counted;
SELECT is(l.state, 'succeeded', 'state of the rollback') FROM ordertrack.redemption_list AS l
  JOIN back USING (redemption_id);

-- Refusals, each recorded.
SELECT redemption_id AS live FROM ordertrack.redeem('COUNTED', 'anna', '{"source_id":"live","amount":1000}')
\gset
SELECT redemption_id AS failed FROM ordertrack.redeem('NONE', 'anna')
\gset
SELECT redemption_id AS card FROM ordertrack.redeem('CARD', 'anna', '{"source_id":"card","amount":1000}')
\gset
SELECT redemption_id AS back FROM back
\gset
SELECT ordertrack.create_workspace('elsewhere') AS elsewhere
\gset
CREATE TEMP TABLE refusals AS SELECT row_number() OVER () AS n, c.* FROM (VALUES
	('invalid_input', 'no redemption_id', NULL::bigint, NULL::text, NULL::bigint, 1::bigint),
	('invalid_input', 'a reason that is too long', :live, repeat('x', 1001), NULL, 1),
	('redemption_not_found', 'unknown', -1, NULL, NULL, 1),
	('redemption_not_found', 'of another workspace', :live, NULL, NULL, :elsewhere),
	('not_redeemed', 'a failure', :failed, NULL, NULL, 1),
	('not_redeemed', 'a rollback', :back, NULL, NULL, 1),
	('already_rolled_back', 'nothing is left', :counted, NULL, NULL, 1),
	('invalid_amount', 'a part of a discount', :live, NULL, 100, 1),
	('invalid_amount', 'the whole of a discount, given as an amount', :live, NULL, 300, 1),
	('invalid_amount', 'nothing of a gift card', :card, NULL, 0, 1),
	('invalid_amount', 'less than nothing of a gift card', :card, NULL, -1, 1),
	('invalid_amount', 'more than was taken', :card, NULL, 1001, 1),
	('invalid_amount', 'the greatest bigint', :card, NULL, 9223372036854775807, 1),
	('invalid_amount', 'the smallest bigint', :card, NULL, -9223372036854775808, 1)
  ) AS c (failure, label, redemption_id, reason, amount, workspace);
SELECT md5(string_agg(t, '|' ORDER BY t)) AS before, pg_temp.counters() AS counters
  FROM (SELECT v::text FROM ordertrack.vouchers AS v UNION ALL SELECT o::text FROM ordertrack.orders AS o
	UNION ALL SELECT n::text FROM ordertrack.order_notes AS n UNION ALL SELECT c::text
		FROM ordertrack.customers AS c) AS a (t)
\gset
CREATE TEMP TABLE answers AS
SELECT f.n, r.* FROM refusals AS f
 CROSS JOIN LATERAL ordertrack.rollback_redemption(f.redemption_id, f.reason, f.amount,
	workspace => f.workspace) AS r;
SELECT is(a.result || ' ' || a.failure_code, 'failure ' || f.failure, f.failure || ': ' || f.label)
  FROM refusals AS f JOIN answers AS a USING (n) ORDER BY n;
SELECT is(to_jsonb(a) - '{n,redemption_id,result,failure_code,failure_message,order_id,gift_balance}'::text[],
		'{"amount":null,"discount_amount":null,"total_amount":null,"replayed":false}',
		'no amounts: ' || f.label)
  FROM refusals AS f JOIN answers AS a USING (n) ORDER BY n;
SELECT is(a.gift_balance, CASE WHEN f.redemption_id = :card THEN 4000 END::bigint, 'gift_balance: ' || f.label)
  FROM refusals AS f JOIN answers AS a USING (n) ORDER BY n;
SELECT ok(length(a.failure_message) > 10, 'has a message: ' || f.label)
  FROM refusals AS f JOIN answers AS a USING (n) ORDER BY n;
SELECT is(concat_ws(' ', r.kind, r.result, r.failure_code, r.rollback_of, r.rollback_no, r.amount),
		concat_ws(' ', 'rollback failure', f.failure, f.redemption_id), 'is recorded: ' || f.label)
  FROM refusals AS f JOIN answers AS a USING (n)
  JOIN ordertrack.redemptions AS r ON r.workspace_id = f.workspace AND r.redemption_id = a.redemption_id
 ORDER BY n;
SELECT is(md5(string_agg(t, '|' ORDER BY t)), :'before', 'refusals change no voucher, order, note or customer')
  FROM (SELECT v::text FROM ordertrack.vouchers AS v UNION ALL SELECT o::text FROM ordertrack.orders AS o
	UNION ALL SELECT n::text FROM ordertrack.order_notes AS n UNION ALL SELECT c::text
		FROM ordertrack.customers AS c) AS a (t);
SELECT is(pg_temp.counters(), :'counters', 'nor a counter');
SELECT throws_ok('SELECT ordertrack.rollback_redemption(1, workspace => -1)', 'OT002', NULL,
	'no such workspace');

-- Expired, disabled and exhausted codes can be rolled back.
SELECT ordertrack.update_voucher('COUNTED', expires_at => '2001-01-01', is_active => false),
	ordertrack.update_campaign('camp', expires_at => '2001-01-01', is_active => false)
\g /dev/null
SELECT is(r.result, 'success', 'expired and disabled, back anyway')
  FROM ordertrack.rollback_redemption(:live) AS r;
SELECT is(pg_temp.counters(), '0 0 0 0', 'with its counters');
SELECT ordertrack.create_voucher('LAST', '{"type":"amount","amount_off":1}', redemption_limit => 1)
\g /dev/null
SELECT redemption_id AS last FROM ordertrack.redeem('LAST')
\gset
SELECT is(r.result, 'success', 'used up, back anyway') FROM ordertrack.rollback_redemption(:last) AS r;
SELECT is(r.result, 'success', 'and to be used again') FROM ordertrack.redeem('LAST') AS r;

-- A limit that was set after the use gives it back as well; one that is gone does no harm.
SELECT redemption_id AS unlimited FROM ordertrack.redeem('FREE', 'carl', '{"amount":1000}')
\gset
SELECT ordertrack.update_voucher('FREE', redemption_limit => 9, customer_limit => 9)
\g /dev/null
SELECT is(r.result, 'success', 'a use before the limit') FROM ordertrack.rollback_redemption(:unlimited) AS r;
SELECT is(v.redeemed_count || ' ' || u.used, '0 0', 'comes back to it') FROM ordertrack.vouchers AS v
  JOIN ordertrack.voucher_customers AS u USING (workspace_id, voucher_id) WHERE v.workspace_id = 1
   AND v.code = 'FREE';
SELECT redemption_id AS limited FROM ordertrack.redeem('FREE', 'carl', '{"amount":1000}')
\gset
SELECT ordertrack.update_voucher('FREE', clear => '{redemption_limit,customer_limit}')
\g /dev/null
SELECT is(r.result, 'success', 'a use of a limit that is gone')
  FROM ordertrack.rollback_redemption(:limited) AS r;

-- The order's discount is the sum of its live redemptions, computed again.
CREATE TEMP TABLE mixed (n integer, redemption_id bigint);
INSERT INTO mixed SELECT n, r.redemption_id
  FROM (VALUES (1, 'FREE', 0), (2, 'TEN', 0), (3, 'CARD', 2000)) AS c (n, code, credits)
 CROSS JOIN LATERAL ordertrack.redeem(code, 'dora', CASE n WHEN 1 THEN '{"source_id":"mixed","amount":10000}'
	ELSE '{"source_id":"mixed"}' END::jsonb, nullif(credits, 0)) AS r;
SELECT is(o.discount_amount || ' ' || o.total_amount || ' ' || o.status, '3450 6550 paid',
	'500, then 10 % of 9500, then 2000')
  FROM ordertrack.orders AS o WHERE o.workspace_id = 1 AND o.source_id = 'mixed';
CREATE FUNCTION pg_temp.undo(step integer, part bigint) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	a ordertrack.redemption_outcome := ordertrack.rollback_redemption(
		(SELECT m.redemption_id FROM mixed AS m WHERE m.n = step), amount => part);
BEGIN
	RETURN (SELECT concat_ws(' ', a.discount_amount, a.total_amount, o.discount_amount, o.total_amount,
		o.status)
		  FROM ordertrack.orders AS o WHERE o.workspace_id = 1 AND o.source_id = 'mixed');
END
$$;
SELECT is(pg_temp.undo(1, NULL), '2950 7050 2950 7050 paid',
	'without the 500: each other discount stays as granted');
SELECT is(pg_temp.undo(3, 700), '2250 7750 2250 7750 paid', 'without 700 of the card');
SELECT is(pg_temp.undo(2, NULL), '1300 8700 1300 8700 paid', 'without the 10 %');
SELECT is(pg_temp.undo(3, 1000), '300 9700 300 9700 paid', 'without another 1000 of the card');
SELECT is(pg_temp.undo(3, NULL), '0 10000 0 10000 canceled', 'with none left the order is canceled');

-- … where that move is allowed; else it stays, and the note says so.
CREATE TEMP TABLE ends (status text, way text[], after text);
INSERT INTO ends VALUES ('paid', '{}', 'canceled'), ('fulfilled', '{fulfilled}', 'canceled'),
	('in_progress', '{in_progress}', 'canceled'), ('partially_shipped', '{partially_shipped}', 'canceled'),
	('on_hold', '{on_hold}', 'canceled'), ('completed', '{completed}', 'completed'),
	('canceled', '{canceled}', 'canceled');
CREATE TEMP TABLE ended AS SELECT e.*, r.redemption_id, r.order_id FROM ends AS e
 CROSS JOIN LATERAL ordertrack.redeem('FREE', 'emil',
	jsonb_build_object('source_id', e.status, 'amount', 900)) AS r;
SELECT ordertrack.set_order_status(order_id, step) FROM ended CROSS JOIN unnest(way) AS step
\g /dev/null
SELECT is(r.result, 'success', 'rollback on an order that is ' || e.status)
  FROM ended AS e CROSS JOIN LATERAL ordertrack.rollback_redemption(e.redemption_id) AS r;
SELECT is(o.status || ' ' || o.discount_amount || ' ' || o.total_amount, e.after || ' 0 900',
	'its order, that was ' || e.status)
  FROM ended AS e JOIN ordertrack.orders AS o USING (order_id);
SELECT is((SELECT array_agg(n.data ->> 'kept_status') FROM ordertrack.order_notes AS n
		WHERE n.order_id = e.order_id AND n.event_type = 'promotion_remove_coupon'),
		ARRAY[CASE WHEN e.status = 'completed' THEN 'completed' END], 'its note, that was ' || e.status)
  FROM ended AS e;
SELECT is((SELECT n.event_type FROM ordertrack.order_notes AS n WHERE n.order_id = e.order_id
	ORDER BY note_no DESC LIMIT 1),
		CASE WHEN e.status IN ('completed', 'canceled') THEN 'promotion_remove_coupon' ELSE 'order_cancelled'
			END,
		'its last note, that was ' || e.status)
  FROM ended AS e;

-- A discount without an order.
SELECT redemption_id AS bare FROM ordertrack.redeem('TEN')
\gset
SELECT is(concat_ws(' ', r.result, r.order_id, r.amount, r.discount_amount, r.total_amount), 'success 0 0 0',
	'without an order')
  FROM ordertrack.rollback_redemption(:bare) AS r;
SELECT is(r.failure_code, 'already_rolled_back', 'once only') FROM ordertrack.rollback_redemption(:bare) AS r;

SELECT
	is_empty('SELECT v.* FROM ordertrack.orders AS o, ordertrack.verify_order(o.order_id) AS v WHERE o.workspace_id = 1',
	'all histories verify');
SELECT is_empty('SELECT rollback_of, rollback_no FROM ordertrack.redemptions WHERE rollback_no IS NOT NULL
	GROUP BY workspace_id, rollback_of, rollback_no HAVING count(*) > 1', 'rollbacks are numbered');

SELECT * FROM finish();
ROLLBACK;

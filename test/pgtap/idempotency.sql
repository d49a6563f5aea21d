-- Idempotency keys: one request, one effect, one answer.
BEGIN;
SELECT * FROM no_plan();

SELECT ordertrack.create_voucher('OFF', '{"type":"percent","percent_off":10}', redemption_limit => 100),
	ordertrack.create_voucher('ONE', '{"type":"amount","amount_off":5}', redemption_limit => 1),
	ordertrack.create_voucher('CARD', gift_amount => 5000),
	ordertrack.create_voucher('EMPTY', gift_amount => 1)
\g /dev/null
SELECT ordertrack.redeem('EMPTY', amount => 1)
\g /dev/null

CREATE FUNCTION pg_temp.state() RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', (SELECT count(*) FROM ordertrack.redemptions),
		(SELECT count(*) FROM ordertrack.orders),
		(SELECT count(*) FROM ordertrack.order_notes), (SELECT count(*) FROM ordertrack.idempotency_keys),
		(SELECT count(*) FROM ordertrack.customers),
		(SELECT string_agg(concat_ws(',', code, redeemed_count, gift_balance), ' ' ORDER BY code)
			FROM ordertrack.vouchers))
$$;

-- The same request again: the same answer, whatever became of the code since.
CREATE TEMP TABLE requests AS SELECT row_number() OVER () AS n, c.*, 'key-' || row_number() OVER () AS key
  FROM (VALUES
	('a discount', 'OFF', 'anna', '{"source_id":"a","amount":1000}'::jsonb, NULL::bigint, NULL::jsonb),
	('a discount on a stored order', 'OFF', 'anna', '{"source_id":"a"}', NULL, NULL),
	('a discount without anything', 'OFF', NULL, NULL, NULL, NULL),
	('with metadata', 'OFF', NULL, NULL, NULL, '{"b":1,"a":[1,2,{"c":null}]}'),
	('a gift card', 'CARD', 'anna', '{"source_id":"b","amount":2000}', 700, NULL),
	('a gift card without an order', 'CARD', NULL, NULL, 300, NULL),
	('a failure', 'NONE', 'nobody', '{"amount":5}', NULL, NULL),
	('a failure that tells a balance', 'CARD', 'nobody', '{"amount":9000}', 5000, NULL),
	('an empty card', 'EMPTY', 'nobody', '{"amount":9000}', NULL, NULL),
	('a failure on a known order', 'CARD', 'nobody', '{"source_id":"a"}', 0, NULL),
	('a code that is not valid', '', NULL, NULL, NULL, NULL),
	('no code', NULL, NULL, NULL, NULL, NULL),
	('order_data that is not valid', 'OFF', NULL, '[1]', NULL, NULL),
	('metadata that is not valid', 'OFF', NULL, NULL, NULL, '[1]')
  ) AS c (label, code, customer, order_data, amount, metadata);
CREATE TEMP TABLE first AS SELECT q.n, r.* FROM requests AS q
 CROSS JOIN LATERAL ordertrack.redeem(code, customer, order_data, amount, metadata, key, 'web', 'first') AS r;
SELECT ordertrack.update_voucher(code, is_active => false) FROM unnest('{OFF,CARD}'::text[]) AS code
\g /dev/null
SELECT pg_temp.state() AS state
\gset
CREATE TEMP TABLE again AS SELECT q.n, r.* FROM requests AS q
 CROSS JOIN LATERAL ordertrack.redeem(code, customer, order_data, amount, metadata, key, 'shop', 'second') AS r;
SELECT is(to_jsonb(a) - 'replayed', to_jsonb(f) - 'replayed', 'same answer: ' || q.label)
  FROM requests AS q JOIN first AS f USING (n) JOIN again AS a USING (n) ORDER BY n;
SELECT is(f.replayed || ' ' || a.replayed, 'false true', 'replayed: ' || q.label)
  FROM requests AS q JOIN first AS f USING (n) JOIN again AS a USING (n) ORDER BY n;
SELECT is(pg_temp.state(), :'state', 'no new row and no second effect');
SELECT is((SELECT string_agg(DISTINCT actor, ' ') FROM ordertrack.redemptions JOIN again USING (redemption_id)),
	'first',
	'the record is the first one''s');
SELECT ordertrack.update_voucher(code, is_active => true) FROM unnest('{OFF,CARD}'::text[]) AS code
\g /dev/null

-- The same jsonb in another spelling is the same request.
SELECT ok(r.replayed, 'order of keys and blanks do not matter')
  FROM ordertrack.redeem('OFF', metadata => '{ "a":[1, 2,{"c":null}],"b":1 }', idempotency_key => 'key-4') AS r;

-- The same key with another request.
SELECT throws_ok(format('SELECT ordertrack.redeem(%L, %L, %L, %L, %L, %L)', c.code, c.customer, c.order_data,
	c.amount,
		c.metadata, c.key), 'OT003', NULL, 'conflict: ' || c.label)
  FROM (VALUES
	('another code', 'ONE', 'anna', '{"source_id":"a","amount":1000}', NULL, NULL, 'key-1'),
	('another customer', 'OFF', 'bert', '{"source_id":"a","amount":1000}', NULL, NULL, 'key-1'),
	('no customer', 'OFF', NULL, '{"source_id":"a","amount":1000}', NULL, NULL, 'key-1'),
	('another order', 'OFF', 'anna', '{"source_id":"a","amount":1001}', NULL, NULL, 'key-1'),
	('no order', 'OFF', 'anna', NULL, NULL, NULL, 'key-1'),
	('an empty order', 'OFF', 'anna', '{}', NULL, NULL, 'key-1'),
	('an amount', 'OFF', 'anna', '{"source_id":"a","amount":1000}', 1, NULL, 'key-1'),
	('another amount', 'CARD', 'anna', '{"source_id":"b","amount":2000}', 701, NULL, 'key-5'),
	('no amount', 'CARD', 'anna', '{"source_id":"b","amount":2000}', NULL, NULL, 'key-5'),
	('metadata', 'OFF', 'anna', '{"source_id":"a","amount":1000}', NULL, '{}', 'key-1'),
	('other metadata', 'OFF', NULL, NULL, NULL, '{"b":2}', 'key-4'),
	('another failure', 'NONE', 'nobody', '{"amount":6}', NULL, NULL, 'key-7'),
	('a customer that looks like a code', 'OFFa', 'nna', '{"source_id":"a","amount":1000}', NULL, NULL,
		'key-1'),
	('right instead of not valid', 'OFF', NULL, NULL, NULL, NULL, 'key-13'),
	('other order_data that is not valid', 'OFF', NULL, '[2]', NULL, NULL, 'key-13'),
	('right metadata instead of what is not valid', 'OFF', NULL, NULL, NULL, NULL, 'key-14'),
	('other metadata that is not valid', 'OFF', NULL, NULL, NULL, '[2]', 'key-14'),
	('NULL instead of an empty code', NULL, NULL, NULL, NULL, NULL, 'key-11')
  ) AS c (label, code, customer, order_data, amount, metadata, key);
SELECT is(r.failure_code, 'invalid_input', 'a code that is too long')
  FROM ordertrack.redeem(repeat('x', 300), idempotency_key => 'long') AS r;
SELECT throws_ok($$SELECT ordertrack.redeem(repeat('x', 301), idempotency_key => 'long')$$, 'OT003', NULL,
	'another code that is too long');
SELECT throws_ok($$SELECT ordertrack.redeem(repeat('x', 200), idempotency_key => 'long')$$, 'OT003', NULL,
	'what is left of the code that was too long');
SELECT is((SELECT count(*) FROM ordertrack.idempotency_keys), (SELECT count(*) + 1 FROM requests),
	'conflicts leave nothing');

-- Keys are of one space in a workspace, compared byte for byte.
SELECT redemption_id AS used FROM first WHERE n = 1
\gset
SELECT throws_ok(format('SELECT ordertrack.rollback_redemption(%s, idempotency_key => ''key-1'')', :used),
	'OT003', NULL,
	'a key of redeem for a rollback');
SELECT is(r.replayed, false, 'another key: ' || key)
  FROM unnest(ARRAY['KEY-1', 'key-1 ', ' key-1', U&'k\00e9y', U&'ke\0301y']) AS key
 CROSS JOIN LATERAL ordertrack.redeem('OFF', idempotency_key => key) AS r;
SELECT ordertrack.create_workspace('other') AS other
\gset
SELECT is(r.replayed, false, 'the same key in another workspace')
  FROM ordertrack.redeem('OFF', idempotency_key => 'key-1', workspace => :other) AS r;

-- Keys at and beyond their limits.
SELECT is(r.result, 'success', 'a key of 255 bytes')
  FROM ordertrack.redeem('OFF', idempotency_key => repeat('k', 255)) AS r;
SELECT is(r.failure_code, 'invalid_input', 'a key that is ' || label)
  FROM (VALUES ('empty', ''), ('too long', repeat('k', 256)),
	('much too long', repeat('k', 1000000))) AS c (label, key)
 CROSS JOIN LATERAL ordertrack.redeem('OFF', idempotency_key => c.key) AS r;
SELECT is(r.failure_code, 'invalid_input', 'a key of a rollback that is ' || label)
  FROM (VALUES ('empty', ''), ('too long', repeat('k', 256)),
	('much too long', repeat('k', 1000000))) AS c (label, key)
 CROSS JOIN LATERAL ordertrack.rollback_redemption(:used, idempotency_key => c.key) AS r;

-- Rollbacks.
SELECT redemption_id AS card FROM first WHERE n = 5
\gset
CREATE TEMP TABLE undos AS SELECT row_number() OVER () AS n, c.*, 'undo-' || row_number() OVER () AS key
  FROM (VALUES
	('a part', :card::bigint, 'r'::text, 200::bigint), ('the rest', :card, NULL, NULL),
	('nothing left', :card, NULL, NULL),
	('a discount', :used, NULL, NULL), ('unknown', -1, NULL, NULL), ('no id', NULL, NULL, NULL),
	('a bad amount', :used, NULL, 5)) AS c (label, redemption_id, reason, amount);
CREATE TEMP TABLE first_undo AS SELECT q.n, r.* FROM undos AS q
 CROSS JOIN LATERAL ordertrack.rollback_redemption(q.redemption_id, reason, q.amount, key, 'web', 'first') AS r;
SELECT pg_temp.state() AS state
\gset
CREATE TEMP TABLE again_undo AS SELECT q.n, r.* FROM undos AS q
 CROSS JOIN LATERAL ordertrack.rollback_redemption(q.redemption_id, reason, q.amount, key, 'shop',
	'second') AS r;
SELECT is(to_jsonb(a) - 'replayed', to_jsonb(f) - 'replayed', 'same answer to a rollback: ' || q.label)
  FROM undos AS q JOIN first_undo AS f USING (n) JOIN again_undo AS a USING (n) ORDER BY n;
SELECT is(f.replayed || ' ' || a.replayed, 'false true', 'replayed rollback: ' || q.label)
  FROM undos AS q JOIN first_undo AS f USING (n) JOIN again_undo AS a USING (n) ORDER BY n;
SELECT is(pg_temp.state(), :'state', 'no new row and no second effect of a rollback');
SELECT throws_ok(format('SELECT ordertrack.rollback_redemption(%L, %L, %L, %L)', c.id, c.reason, c.amount,
	c.key), 'OT003', NULL,
		'conflict of a rollback: ' || c.label)
  FROM (VALUES ('another id', :card::bigint + 1000, 'r', 200, 'undo-1'),
	('another reason', :card, 'q', 200, 'undo-1'),
	('no reason', :card, NULL, 200, 'undo-1'), ('another amount', :card, 'r', 201, 'undo-1'),
	('no amount', :card, 'r', NULL, 'undo-1'),
	('0 instead of no id', 0, NULL, NULL, 'undo-6')) AS c (label, id, reason, amount, key);
SELECT throws_ok($$SELECT ordertrack.redeem('OFF', idempotency_key => 'undo-1')$$, 'OT003', NULL,
	'a key of a rollback for redeem');

-- A key whose transaction rolled back is free.
SAVEPOINT undone;
SELECT ordertrack.redeem('OFF', idempotency_key => 'free')
\g /dev/null
ROLLBACK TO undone;
SELECT is(r.result || ' ' || r.replayed, 'success false', 'a key whose transaction rolled back is free')
  FROM ordertrack.redeem('ONE', idempotency_key => 'free') AS r;

-- Old keys may be deleted, after which they are new again.
DELETE FROM ordertrack.idempotency_keys WHERE workspace_id = 1 AND idempotency_key = 'key-3';
SELECT is(r.replayed, false, 'a deleted key is new')
  FROM ordertrack.redeem('OFF', idempotency_key => 'key-3') AS r;

SELECT * FROM finish();
ROLLBACK;

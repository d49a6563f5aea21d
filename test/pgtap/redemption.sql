-- redeem and validate: each failure code, what a refusal leaves alone, and what
-- a success writes.
BEGIN;
SELECT * FROM no_plan();

-- Everything but the attempts themselves, to see that nothing has changed.
CREATE FUNCTION pg_temp.state() RETURNS text LANGUAGE sql AS $$
	SELECT md5(concat(
		(SELECT string_agg(t::text, '|' ORDER BY t::text) FROM ordertrack.vouchers AS t),
		(SELECT string_agg(t::text, '|' ORDER BY t::text) FROM ordertrack.voucher_customers AS t),
		(SELECT string_agg(t::text, '|' ORDER BY t::text) FROM ordertrack.campaigns AS t),
		(SELECT string_agg(t::text, '|' ORDER BY t::text) FROM ordertrack.campaign_customers AS t),
		(SELECT string_agg(t::text, '|' ORDER BY t::text) FROM ordertrack.customers AS t),
		(SELECT string_agg(t::text, '|' ORDER BY t::text) FROM ordertrack.orders AS t),
		(SELECT string_agg(t::text, '|' ORDER BY t::text) FROM ordertrack.order_items AS t),
		(SELECT string_agg(t::text, '|' ORDER BY t::text) FROM ordertrack.order_notes AS t)))
$$;

SELECT ordertrack.create_campaign('off', is_active => false),
	ordertrack.create_campaign('later', starts_at => '2999-01-01'),
	ordertrack.create_campaign('over', expires_at => '2001-01-01'),
	ordertrack.create_campaign('one', redemption_limit => 1),
	ordertrack.create_campaign('once', customer_limit => 1)
\g /dev/null
SELECT ordertrack.create_voucher(code, '{"type":"amount","amount_off":100}', NULL, campaign,
	starts_at::timestamptz,
		expires_at::timestamptz, redemption_limit, customer_limit, is_active => is_active)
  FROM (VALUES
	('OK', NULL, NULL, NULL, NULL::bigint, NULL::bigint, true),
	('DISABLED', NULL, NULL, NULL, NULL, NULL, false),
	('LATER', NULL, '2999-01-01', NULL, NULL, NULL, true),
	('OVER', NULL, NULL, '2001-01-01', NULL, NULL, true),
	('ONE', NULL, NULL, NULL, 1, NULL, true),
	('ONCE', NULL, NULL, NULL, NULL, 1, true),
	('C-DISABLED', 'off', NULL, NULL, NULL, NULL, true),
	('C-LATER', 'later', NULL, NULL, NULL, NULL, true),
	('C-OVER', 'over', NULL, NULL, NULL, NULL, true),
	('C-ONE', 'one', NULL, NULL, NULL, NULL, true),
	('C-ONE-2', 'one', NULL, NULL, NULL, NULL, true),
	('C-ONCE', 'once', NULL, NULL, NULL, NULL, true),
	('C-ONCE-2', 'once', NULL, NULL, NULL, NULL, true)
  ) AS v (code, campaign, starts_at, expires_at, redemption_limit, customer_limit, is_active)
\g /dev/null
SELECT ordertrack.create_voucher('CARD', gift_amount => 5000),
	ordertrack.create_voucher('EMPTY', gift_amount => 100),
	ordertrack.create_voucher('OLD-CARD', gift_amount => 700, expires_at => '2001-01-01')
\g /dev/null
SELECT is(r.result, 'success', 'use up ' || code)
  FROM unnest('{ONE,ONCE,C-ONE,C-ONCE,EMPTY}'::text[]) AS code
 CROSS JOIN LATERAL ordertrack.redeem(code, 'user', '{"amount":1000}') AS r;
SELECT ordertrack.create_order('{"source_id":"held","amount":1000}'),
	ordertrack.create_order('{"source_id":"other","amount":7}')
\g /dev/null
SELECT ordertrack.set_order_status(order_id, 'on_hold') FROM ordertrack.orders WHERE source_id = 'held'
\g /dev/null
SELECT order_id AS other FROM ordertrack.orders WHERE source_id = 'other'
\gset

CREATE TEMP TABLE refusals AS
SELECT row_number() OVER () AS n, c.* FROM (VALUES
	('invalid_input', 'code is NULL', NULL, NULL, NULL::jsonb, NULL::bigint, NULL::jsonb),
	('invalid_input', 'code is empty', '', NULL, NULL, NULL, NULL),
	('invalid_input', 'code is too long', repeat('x', 201), NULL, NULL, NULL, NULL),
	('invalid_input', 'customer is too long', 'OK', repeat('x', 256), NULL, NULL, NULL),
	('invalid_input', 'order_data is an array', 'OK', 'nobody', '[]', NULL, NULL),
	('invalid_input', 'order_data is a string', 'OK', 'nobody', '"x"', NULL, NULL),
	('invalid_input', 'order_data is a JSON null', 'OK', 'nobody', 'null', NULL, NULL),
	('invalid_input', 'metadata is an array', 'OK', 'nobody', NULL, NULL, '[1]'),
	('invalid_input', 'metadata is a number', 'OK', 'nobody', NULL, NULL, '1'),
	('voucher_not_found', 'no such code', 'NONE', 'nobody', '{"amount":1000}', NULL, NULL),
	('voucher_not_found', 'another spelling', 'ok', 'nobody', '{"amount":1000}', NULL, NULL),
	('voucher_not_found', 'a blank behind', 'OK ', 'nobody', '{"amount":1000}', NULL, NULL),
	('voucher_disabled', 'voucher', 'DISABLED', 'nobody', '{"amount":1000}', NULL, NULL),
	('voucher_disabled', 'campaign', 'C-DISABLED', 'nobody', '{"amount":1000}', NULL, NULL),
	('voucher_not_active', 'voucher', 'LATER', 'nobody', '{"amount":1000}', NULL, NULL),
	('voucher_not_active', 'campaign', 'C-LATER', 'nobody', '{"amount":1000}', NULL, NULL),
	('voucher_expired', 'voucher', 'OVER', 'nobody', '{"amount":1000}', NULL, NULL),
	('voucher_expired', 'campaign', 'C-OVER', 'nobody', '{"amount":1000}', NULL, NULL),
	('voucher_expired', 'gift card', 'OLD-CARD', 'nobody', '{"amount":1000}', NULL, NULL),
	('quantity_exceeded', 'voucher', 'ONE', 'nobody', '{"amount":1000}', NULL, NULL),
	('quantity_exceeded', 'campaign', 'C-ONE', 'nobody', '{"amount":1000}', NULL, NULL),
	('quantity_exceeded', 'campaign, by another of its codes', 'C-ONE-2', 'nobody', '{"amount":1000}', NULL,
		NULL),
	('invalid_order', 'unknown id', 'OK', 'nobody', '{"id":-1}', NULL, NULL),
	('invalid_order', 'id is no number', 'OK', 'nobody', '{"id":"1"}', NULL, NULL),
	('invalid_order', 'id and source_id disagree', 'OK', 'nobody',
		jsonb_build_object('id', :other, 'source_id', 'held'), NULL, NULL),
	('invalid_order', 'id and a source_id that is new', 'OK', 'nobody',
		jsonb_build_object('id', :other, 'source_id', 'new'), NULL, NULL),
	('invalid_order', 'items is no array', 'OK', 'nobody', '{"items":{}}', NULL, NULL),
	('invalid_order', 'items is a text', 'OK', 'nobody', '{"items":"x"}', NULL, NULL),
	('invalid_order', 'items holds no objects', 'OK', 'nobody', '{"items":[1]}', NULL, NULL),
	('invalid_order', 'quantity is missing', 'OK', 'nobody', '{"items":[{"price":5}]}', NULL, NULL),
	('invalid_order', 'quantity is fractional', 'OK', 'nobody', '{"items":[{"price":5,"quantity":1.5}]}', NULL,
		NULL),
	('invalid_order', 'quantity is 0', 'OK', 'nobody', '{"items":[{"price":5,"quantity":0}]}', NULL, NULL),
	('invalid_order', 'quantity is negative', 'OK', 'nobody', '{"items":[{"price":5,"quantity":-1}]}', NULL,
		NULL),
	('invalid_order', 'quantity is a text', 'OK', 'nobody', '{"items":[{"price":5,"quantity":"1"}]}', NULL,
		NULL),
	('invalid_order', '501 lines', 'OK', 'nobody', jsonb_build_object('items',
		(SELECT jsonb_agg('{"quantity":1,"price":1}'::jsonb) FROM generate_series(1, 501))), NULL, NULL),
	('invalid_order', 'an order on hold', 'OK', 'nobody', '{"source_id":"held"}', NULL, NULL),
	('invalid_amount', 'negative amount', 'OK', 'nobody', '{"amount":-1}', NULL, NULL),
	('invalid_amount', 'fractional amount', 'OK', 'nobody', '{"amount":1.5}', NULL, NULL),
	('invalid_amount', 'amount is a text', 'OK', 'nobody', '{"amount":"1000"}', NULL, NULL),
	('invalid_amount', 'amount beyond bigint', 'OK', 'nobody', '{"amount":1e19}', NULL, NULL),
	('invalid_amount', 'negative price', 'OK', 'nobody', '{"items":[{"price":-5,"quantity":1}]}', NULL, NULL),
	('invalid_amount', 'fractional price', 'OK', 'nobody', '{"items":[{"price":1.5,"quantity":1}]}', NULL,
		NULL),
	('invalid_amount', 'price is a text', 'OK', 'nobody', '{"items":[{"price":"abc","quantity":1}]}', NULL,
		NULL),
	('invalid_amount', '0 credits', 'CARD', 'nobody', '{"amount":1000}', 0, NULL),
	('missing_customer', 'customer limit of the voucher', 'ONCE', NULL, '{"amount":1000}', NULL, NULL),
	('missing_customer', 'customer limit of the campaign', 'C-ONCE', NULL, '{"amount":1000}', NULL, NULL),
	('missing_amount', 'an order without an amount', 'OK', 'nobody', '{"source_id":"new"}', NULL, NULL),
	('missing_amount', 'a gift card for nothing said', 'CARD', 'nobody', NULL, NULL, NULL),
	('gift_amount_exceeded', 'more than the balance', 'CARD', 'nobody', '{"amount":9000}', 5001, NULL),
	('gift_amount_exceeded', 'an empty card', 'EMPTY', 'nobody', '{"amount":1}', NULL, NULL),
	('redemption_rules_violated', 'customer limit of the voucher', 'ONCE', 'user', '{"amount":1000}', NULL,
		NULL),
	('redemption_rules_violated', 'customer limit of the campaign', 'C-ONCE', 'user', '{"amount":1000}', NULL,
		NULL),
	('redemption_rules_violated', 'customer limit of the campaign, other code', 'C-ONCE-2', 'user',
		'{"amount":1000}',
		NULL, NULL)
  ) AS c (failure, label, code, customer, order_data, credits, metadata);

SELECT pg_temp.state() AS before, (SELECT count(*) FROM ordertrack.redemptions) AS attempts
\gset
SELECT last_value AS redemption_seq FROM ordertrack.redemptions_redemption_id_seq
\gset
SELECT last_value AS order_seq FROM ordertrack.orders_order_id_seq
\gset
CREATE TEMP TABLE dry AS
SELECT f.n, v.* FROM refusals AS f
 CROSS JOIN LATERAL ordertrack.validate(f.code, f.customer, f.order_data, f.credits, f.metadata) AS v;
SELECT is((SELECT count(*) FROM ordertrack.redemptions), :attempts::bigint, 'validate records nothing');
SELECT is((SELECT last_value FROM ordertrack.redemptions_redemption_id_seq), :redemption_seq::bigint,
	'validate takes no redemption_id');
SELECT is((SELECT last_value FROM ordertrack.orders_order_id_seq), :order_seq::bigint,
	'validate takes no order_id');

CREATE TEMP TABLE real AS
SELECT f.n, r.* FROM refusals AS f
 CROSS JOIN LATERAL ordertrack.redeem(f.code, f.customer, f.order_data, f.credits, f.metadata,
	channel => 'shop', actor => 'anna') AS r;
SELECT is(pg_temp.state(), :'before', 'refusals move no counter, balance or order and create no customer');
SELECT is((SELECT count(*) FROM ordertrack.redemptions) - :attempts, (SELECT count(*) FROM refusals),
	'each refusal is a row');

SELECT is(r.result || ' ' || r.failure_code, 'failure ' || f.failure, f.failure || ': ' || f.label)
  FROM refusals AS f JOIN real AS r USING (n) ORDER BY n;
SELECT ok(length(r.failure_message) > 10, f.failure || ' has a message: ' || f.label)
  FROM refusals AS f JOIN real AS r USING (n) ORDER BY n;
SELECT is(ARRAY[r.amount, r.discount_amount, r.total_amount], '{NULL,NULL,NULL}'::bigint[],
		f.failure || ' has no amounts: ' || f.label)
  FROM refusals AS f JOIN real AS r USING (n) ORDER BY n;
SELECT is(r.replayed, false, f.failure || ' is not replayed: ' || f.label)
  FROM refusals AS f JOIN real AS r USING (n) ORDER BY n;
SELECT is(r.gift_balance, v.gift_balance::bigint, f.failure || ' tells the balance of ' || f.code)
  FROM refusals AS f JOIN real AS r USING (n) JOIN ordertrack.vouchers AS v USING (code)
 WHERE v.workspace_id = 1 AND f.failure <> 'invalid_input' ORDER BY n;
SELECT is(to_jsonb(d) - 'redemption_id', to_jsonb(r) - 'redemption_id', 'validate says the same: ' || f.label)
  FROM refusals AS f JOIN real AS r USING (n) JOIN dry AS d USING (n) ORDER BY n;
SELECT is(d.redemption_id, NULL, 'validate names no redemption: ' || f.label)
  FROM refusals AS f JOIN dry AS d USING (n) ORDER BY n;
SELECT is(jsonb_build_object('kind', o.kind, 'result', o.result, 'failure', o.failure_code, 'message',
	o.failure_message,
			'code', o.code, 'customer', o.customer, 'amount', o.amount, 'by', o.redeemed_by, 'actor', o.actor,
			'channel', o.channel),
		jsonb_build_object('kind', 'redemption', 'result', 'failure', 'failure', f.failure, 'message',
			r.failure_message,
			'code', left(f.code, 200), 'customer', left(f.customer, 255), 'amount', NULL, 'by', session_user,
			'actor', 'anna', 'channel', 'shop'),
		'the record of ' || f.failure || ': ' || f.label)
  FROM refusals AS f JOIN real AS r USING (n)
  JOIN ordertrack.redemptions AS o ON o.workspace_id = 1 AND o.redemption_id = r.redemption_id ORDER BY n;
SELECT is((SELECT count(DISTINCT redemption_id) FROM real), (SELECT count(*) FROM real),
	'each has an id of its own');

-- Texts are cut between characters.
CREATE TEMP TABLE cut AS
SELECT r.redemption_id FROM ordertrack.redeem(repeat('ä', 150) || '€', repeat('€', 90), NULL) AS r;
SELECT is(o.code, repeat('ä', 100), 'a code is cut to 200 bytes') FROM cut
  JOIN ordertrack.redemptions AS o USING (redemption_id);
SELECT is(o.customer, repeat('€', 85), 'a customer to 255') FROM cut
  JOIN ordertrack.redemptions AS o USING (redemption_id);

-- A code of 200 bytes, a customer of 255 and 500 lines are allowed.
SELECT ordertrack.create_voucher(repeat('x', 200), '{"type":"amount","amount_off":1}')
\g /dev/null
SELECT is(r.result || ' ' || r.total_amount, 'success 499', 'at the limits')
  FROM ordertrack.redeem(repeat('x', 200), repeat('y', 255), jsonb_build_object('items',
	(SELECT jsonb_agg('{"quantity":1,"price":1}'::jsonb) FROM generate_series(1, 500)))) AS r;

-- What a success writes.
CREATE TEMP TABLE won AS
SELECT * FROM ordertrack.redeem('OK', 'new-customer', '{"source_id":"new-order","items":[
		{"product_id":"p","sku":"s","name":"n","color":"c","size":"z","quantity":2,"price":150,"metadata":{"a":1}},
		{"quantity":1,"amount":30}],"metadata":{"b":2},"data_source":"cat","shipping_address":{"city":"Berlin"},
		"submitted_by":"Sue","submitted_by_id":"7","on_behalf_of":"Bob"}',
	metadata => '{"m":3}', channel => 'web', actor => 'anna');
SELECT is(to_jsonb(won) - '{redemption_id,order_id}'::text[],
	'{"result":"success","failure_code":null,"failure_message":null,"amount":330,"discount_amount":100,
		"total_amount":230,"gift_balance":null,"replayed":false}', 'the outcome') FROM won;
SELECT is((SELECT count(*) FROM ordertrack.customers WHERE source_id = 'new-customer'), 1::bigint,
	'the customer is created');
SELECT is(jsonb_build_object('source', o.source_id, 'status', o.status, 'customer', c.source_id, 'amount',
	o.amount,
		'discount', o.discount_amount, 'total', o.total_amount, 'metadata', o.metadata, 'data_source',
		o.data_source,
		'address', o.shipping_address, 'by', o.submitted_by, 'by_id', o.submitted_by_id, 'for', o.on_behalf_of,
		'channel', o.channel, 'is_paid', o.paid_at IS NOT NULL, 'notes', o.note_count),
	'{"source":"new-order","status":"paid","customer":"new-customer","amount":330,"discount":100,"total":230,
		"metadata":{"b":2},"data_source":"cat","address":{"city":"Berlin"},"by":"Sue","by_id":"7","for":"Bob",
		"channel":"web","is_paid":true,"notes":2}', 'the order')
  FROM won JOIN ordertrack.orders AS o USING (order_id)
  LEFT JOIN ordertrack.customers AS c USING (workspace_id, customer_id);
SELECT is((SELECT jsonb_agg(to_jsonb(i) - '{workspace_id,order_id,created_at}'::text[] ORDER BY line_no)
		FROM ordertrack.order_items AS i WHERE i.order_id = won.order_id),
	'[{"line_no":1,"product_id":"p","sku":"s","name":"n","color":"c","size":"z","quantity":2,"price":150,"amount":300,
		"discount_amount":0,"metadata":{"a":1}},
	  {"line_no":2,"product_id":null,"sku":null,"name":null,"color":null,"size":null,"quantity":1,"price":null,"amount":30,
		"discount_amount":0,"metadata":null}]', 'its lines') FROM won;
SELECT is((SELECT array_agg(note_type || ' ' || event_type ORDER BY note_no)
	FROM ordertrack.order_history(won.order_id)),
	'{"system order_created","system promotion_add_coupon"}', 'its notes') FROM won;
SELECT is_empty('SELECT v.* FROM won, ordertrack.verify_order(won.order_id) AS v', 'its history verifies');
SELECT is(to_jsonb(r) - '{workspace_id,redemption_id,order_id,created_at,voucher_id,customer_id}'::text[],
	jsonb_build_object('redeemed_by', session_user) ||
	'{"kind":"redemption","result":"success","failure_code":null,"failure_message":null,"code":"OK","campaign_id":null,
		"customer":"new-customer","amount":100,"discount_amount":100,"total_amount":230,"gift_balance":null,"reason":null,
		"rollback_of":null,"rollback_no":null,"is_complete":null,"actor":"anna","channel":"web","metadata":{"m":3},"stack_id":null,
		"reward":null,"reward_id":null,"quantity":null,"points":null,"points_missing":null}',
	'the record') FROM won JOIN ordertrack.redemptions AS r USING (redemption_id);
SELECT is((SELECT count(*) FROM ordertrack.redemptions AS r JOIN won USING (redemption_id)
	  JOIN ordertrack.vouchers AS v ON v.workspace_id = r.workspace_id AND v.voucher_id = r.voucher_id
		AND v.code = 'OK'
	  JOIN ordertrack.customers AS c ON c.workspace_id = r.workspace_id AND c.customer_id = r.customer_id
	 WHERE c.source_id = r.customer), 1::bigint, 'the record names voucher and customer');

-- Counters are written only where there is a limit.
SELECT is(redeemed_count::bigint, wanted, 'redeemed_count of ' || code)
  FROM (VALUES ('OK', NULL::bigint), ('ONE', 1), ('ONCE', NULL), ('C-ONE', NULL)) AS c (code, wanted)
  JOIN ordertrack.vouchers AS v USING (code) WHERE v.workspace_id = 1;
SELECT is((SELECT array_agg(name || redeemed_count ORDER BY name) FROM ordertrack.campaigns
	WHERE redeemed_count IS NOT NULL), '{one1}', 'redeemed_count of campaigns');
SELECT is((SELECT sum(used) FROM ordertrack.voucher_customers) || ' ' || (SELECT sum(used)
	FROM ordertrack.campaign_customers),
	'1 1', 'uses per customer');
SELECT is(r.result, 'success', 'another customer may use ' || code)
  FROM unnest('{ONCE,C-ONCE}'::text[]) AS code
 CROSS JOIN LATERAL ordertrack.redeem(code, 'user-2', '{"amount":1000}') AS r;

-- What becomes of an order, by its status. (The way there, and after.)
CREATE TEMP TABLE ways (status text, first text, way text[], after text);
INSERT INTO ways VALUES
	('created', 'created', '{}', 'paid'), ('paid', 'paid', '{}', 'paid'),
	('fulfilled', 'created', '{fulfilled}', 'paid'), ('in_progress', 'paid', '{in_progress}', 'in_progress'),
	('partially_shipped', 'paid', '{partially_shipped}', 'partially_shipped'),
	('completed', 'paid', '{completed}', NULL), ('on_hold', 'paid', '{on_hold}', NULL),
	('awaiting_exchange', 'awaiting_exchange', '{}', NULL), ('canceled', 'paid', '{canceled}', NULL);
SELECT ordertrack.create_order(jsonb_build_object('source_id', status, 'status', first, 'amount', 900))
  FROM ways
\g /dev/null
SELECT ordertrack.set_order_status(o.order_id, step)
  FROM ways JOIN ordertrack.orders AS o ON o.workspace_id = 1 AND o.source_id = ways.status
 CROSS JOIN unnest(way) AS step
\g /dev/null
SELECT is(coalesce(r.failure_code, r.result), CASE WHEN w.after IS NULL THEN 'invalid_order' ELSE 'success' END,
		'redeem on an order that is ' || w.status)
  FROM ways AS w
 CROSS JOIN LATERAL ordertrack.redeem('OK', 'nina', jsonb_build_object('source_id', w.status)) AS r;
SELECT is(o.status || ' ' || o.total_amount, coalesce(w.after || ' 800', w.status || ' 900'),
		'after redeem on an order that was ' || w.status)
  FROM ways AS w JOIN ordertrack.orders AS o ON o.workspace_id = 1 AND o.source_id = w.status;
SELECT is(o.paid_at IS NOT NULL, true, 'paid_at of an order that was ' || w.status)
  FROM ways AS w JOIN ordertrack.orders AS o ON o.workspace_id = 1 AND o.source_id = w.status
 WHERE w.after = 'paid';
SELECT is((SELECT count(*) FROM ordertrack.redemptions AS r WHERE r.order_id = o.order_id), 1::bigint,
		'the attempt on an order that was ' || w.status || ' names it')
  FROM ways AS w JOIN ordertrack.orders AS o ON o.workspace_id = 1 AND o.source_id = w.status;
SELECT
	is_empty('SELECT v.* FROM ordertrack.orders AS o, ordertrack.verify_order(o.order_id) AS v WHERE o.workspace_id = 1',
	'all histories verify');
SELECT is((SELECT array_agg(DISTINCT c.source_id) FROM ways AS w
	  JOIN ordertrack.orders AS o ON o.workspace_id = 1 AND o.source_id = w.status
	  JOIN ordertrack.customers AS c ON c.workspace_id = 1 AND c.customer_id = o.customer_id
	 WHERE w.after IS NOT NULL), '{nina}', 'an order without a customer gets the one who redeems');
SELECT is(r.result, 'success', 'redeem by id') FROM ordertrack.redeem('OK', 'somebody else',
	jsonb_build_object('id', (SELECT order_id FROM ordertrack.orders WHERE workspace_id = 1
		AND source_id = 'created'))) AS r;
SELECT is(c.source_id, 'nina', 'an order that has a customer keeps it')
  FROM ordertrack.orders AS o JOIN ordertrack.customers AS c USING (workspace_id, customer_id)
 WHERE o.workspace_id = 1 AND o.source_id = 'created';

-- Starts and ends: the first moment is in, the last is out.
SELECT ordertrack.create_voucher('ON-TIME', '{"type":"amount","amount_off":1}', starts_at => '-infinity',
	expires_at => 'infinity'),
	ordertrack.create_voucher('SINCE', '{"type":"amount","amount_off":1}', starts_at => '2001-01-01',
		expires_at => '2999-01-01')
\g /dev/null
SELECT is(r.result, 'success', code) FROM unnest('{ON-TIME,SINCE}'::text[]) AS code
 CROSS JOIN LATERAL ordertrack.redeem(code) AS r;

-- Errors, not refusals.
SELECT throws_ok(call, 'OT002', NULL, call) FROM unnest(ARRAY[
	$$SELECT ordertrack.redeem('OK', workspace => -1)$$,
	$$SELECT ordertrack.redeem(NULL, workspace => 424242)$$,
	$$SELECT ordertrack.validate('OK', workspace => -1)$$]) AS call;
SELECT throws_like($$SELECT ordertrack.redeem('OK', workspace => NULL)$$, '%workspace%must not be null',
	'no workspace');

-- Workspaces see nothing of each other.
SELECT ordertrack.create_workspace('second') AS second
\gset
SELECT is(r.failure_code, 'voucher_not_found', 'a code of another workspace')
  FROM ordertrack.redeem('OK', 'user', '{"amount":5}', workspace => :second) AS r;
SELECT is(r.failure_code, 'invalid_order', 'an order of another workspace') FROM
	(SELECT ordertrack.create_voucher('OK', '{"type":"amount","amount_off":1}', workspace => :second)) AS v,
	ordertrack.redeem('OK', 'user', jsonb_build_object('id', :other), workspace => :second) AS r;

SELECT * FROM finish();
ROLLBACK;

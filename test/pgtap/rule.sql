-- Rules: what their conditions may read, what they refuse and with which words,
-- what is refused when one is made, and what bounds the time that they take.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT * FROM no_plan();

SELECT ordertrack.create_workspace('other', 'Pacific/Kiritimati') AS other
\gset

-- Makes a code, which has the rule itself or by its campaign, and asks validate
-- and redeem; they must agree.
CREATE FUNCTION pg_temp.answer(condition text, applies_to text DEFAULT 'order', customer text DEFAULT 'anna',
	order_data jsonb DEFAULT NULL, credits bigint DEFAULT NULL, metadata jsonb DEFAULT NULL,
	place text DEFAULT 'voucher', gift bigint DEFAULT NULL, workspace bigint DEFAULT 1) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	id text := gen_random_uuid();
	dry text;
	real text;
BEGIN
	PERFORM ordertrack.create_campaign('camp ' || id, metadata => '{"team": "web"}', workspace => workspace);
	PERFORM ordertrack.create_voucher(id, CASE WHEN gift IS NULL THEN '{"type": "amount", "amount_off": 1000}'::jsonb END,
		gift, 'camp ' || id, workspace => workspace);
	PERFORM ordertrack.create_rule(id, applies_to, condition::jsonpath, workspace => workspace);
	IF place = 'voucher' THEN
		PERFORM ordertrack.assign_rule(id, voucher => id, workspace => workspace);
	ELSE
		PERFORM ordertrack.assign_rule(id, campaign => 'camp ' || id, workspace => workspace);
	END IF;
	SELECT coalesce(r.failure_code, r.result) INTO dry
	  FROM ordertrack.validate(id, customer, order_data, credits, metadata, 'web', 'basket', workspace => workspace) AS r;
	SELECT coalesce(r.failure_code, r.result) INTO real
	  FROM ordertrack.redeem(id, customer, order_data, credits, metadata, NULL, 'web', 'basket', workspace => workspace) AS r;
	RETURN CASE WHEN dry = real THEN real ELSE dry || ' but ' || real END;
END
$$;

-- Every key of the document, of a new order and of the same one stored; each
-- condition holds, and its contrary doesn't.
CREATE TEMP TABLE cases (path text, value text);
INSERT INTO cases VALUES
	('$.order.source_id', '"o-1"'), ('$.order.amount', '7800'), ('$.order.initial_amount', '7800'),
	('$.order.discount_amount', '1000'), ('$.order.total_amount', '6800'),
	('$.order.items_count', '3'), ('$.order.items.size()', '3'), ('$.order.quantity', '6'),
	('$.order.items[0].sku', '"pot-1"'), ('$.order.items[0].product_id', '"pot"'),
	('$.order.items[0].quantity', '2'), ('$.order.items[0].price', '3000'), ('$.order.items[0].amount', '6000'),
	('$.order.items[0].metadata.color', '"red"'), ('$.order.items[1].metadata.keyvalue().size()', 'no value'),
	('$.order.items[1].amount', '1800'), ('$.order.items[1].price', 'no value'), ('$.order.items[1].sku', 'no value'),
	('$.order.items[2].product_id', 'no value'), ('$.order.items[last].quantity', '1'),
	('$.order.items[0].metadata.none', 'null'),
	('$.order.metadata.branch', '7'), ('$.order.metadata.nothing', 'no value'),
	('$.customer.source_id', '"anna"'), ('$.customer.metadata.level', '"gold"'), ('$.customer.order_count', '2'),
	('$.customer.order_total', '50000'), ('$.customer.last_order_at', '"2026-02-01T10:30:00+00:00"'),
	('$.customer.segments.size()', '2'), ('$.customer.segments[*] ? (@ == "rich")', '"rich"'),
	('$.customer.segments[*] ? (@ == "listed")', '"listed"'), ('$.customer.segments[*] ? (@ == "poor")', 'no value'),
	('$.redemption.metadata.till', '"A"'), ('$.redemption.channel', '"web"'), ('$.redemption.actor', '"basket"'),
	('$.redemption.amount', '1000'), ('$.campaign.name.type()', '"string"'), ('$.campaign.metadata.team', '"web"'),
	('$.keyvalue().key ? (@ == "order")', '"order"'), ('$.**.branch', '7'), ('$.*.branch', 'no value');
SELECT ordertrack.put_customer('anna', metadata => '{"level": "gold"}') AS anna
\gset
INSERT INTO ordertrack.orders (workspace_id, status, customer_id, amount, total_amount, created_at)
VALUES (1, 'paid', :anna, 20000, 20000, '2026-01-01'), (1, 'paid', :anna, 30000, 30000, '2026-02-01 10:30:00+00'),
	(1, 'created', :anna, 30000, 30000, '2026-03-01');
SELECT ordertrack.create_segment('rich', '$.customer.order_total >= 40000'),
	ordertrack.create_segment('poor', '$.customer.order_total < 40000'),
	ordertrack.create_segment('listed', customers => '{anna,anna}')
\g /dev/null
\set order_data '{"source_id": "o-1", "items": [{"sku": "pot-1", "product_id": "pot", "quantity": 2, "price": 3000, "metadata": {"color": "red", "none": null}}, {"product_id": "cup", "quantity": 3, "amount": 1800}, {"sku": "bag", "quantity": 1, "amount": 0}], "metadata": {"branch": 7}}'

-- Answers for a condition and its contrary, each undone so that the next finds
-- the same.
CREATE FUNCTION pg_temp.both(path text, value text, order_data jsonb) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	conditions text[] := CASE WHEN value = 'no value' THEN ARRAY[format('!exists(%s)', path), format('exists(%s)', path)]
		ELSE ARRAY[format('%s == %s', path, value), format('!(%s == %s)', path, value)] END;
	answers text := '';
BEGIN
	FOR n IN 1 .. 2 LOOP
		BEGIN
			answers := answers || pg_temp.answer(conditions[n], 'redemption', order_data => order_data,
				metadata => '{"till": "A"}') || ' ';
			RAISE SQLSTATE 'TAP00';
		EXCEPTION WHEN SQLSTATE 'TAP00' THEN
			NULL;
		END;
	END LOOP;
	RETURN answers;
END
$$;
SELECT is(pg_temp.both(path, value, :'order_data'), 'success redemption_rules_violated ',
	format('new order: %s is %s', path, value)) FROM cases;
SELECT ordertrack.create_order(:'order_data', 'anna')
\g /dev/null
SELECT is(pg_temp.both(path, value, '{"source_id": "o-1"}'), 'success redemption_rules_violated ',
	format('stored order: %s is %s', path, value)) FROM cases;

-- A customer who is not known yet, and one with no order that counts.
SELECT ordertrack.put_customer('ben')
\g /dev/null
SELECT is(pg_temp.answer(condition, 'customer', customer), 'success', customer || ': ' || condition)
  FROM unnest(ARRAY['$.customer.order_count == 0', '$.customer.order_total == 0', '!exists($.customer.last_order_at)',
	'!exists($.customer.days_since_last_order)', '$.customer.segments.size() == 1',
	'$.customer.segments[0] == "poor"', '!exists($.customer.metadata.level)', '$.customer.metadata.type() == "object"'])
	AS condition, unnest('{ben,nobody}'::text[]) AS customer;
SELECT is_empty($$SELECT FROM ordertrack.customers WHERE source_id = 'nobody' AND order_count <> 0$$, 'still none');

-- Days are those of the calendar in the workspace's time zone.
SELECT ordertrack.put_customer('dora', workspace => w) AS dora FROM unnest(ARRAY[1, :other]) AS w
\g /dev/null
INSERT INTO ordertrack.orders (workspace_id, status, customer_id, amount, total_amount, created_at)
SELECT workspace_id, 'paid', customer_id, 1, 1, now() - interval '31 hours' FROM ordertrack.customers
 WHERE source_id = 'dora';
SELECT is(pg_temp.answer(format('$.customer.days_since_last_order == %s',
		(now() AT TIME ZONE w.time_zone)::date - ((now() - interval '31 hours') AT TIME ZONE w.time_zone)::date),
	'customer', 'dora', workspace => w.workspace_id), 'success', 'calendar days in ' || w.time_zone)
  FROM ordertrack.workspaces AS w WHERE workspace_id IN (1, :other);

-- What the caller did not give, and what comes to nothing.
SELECT is(pg_temp.answer(condition, applies_to, customer, order_data::jsonb, credits, NULL, place, gift), wanted,
		format('%s %s of the %s: %s, %s, %s %s', applies_to, condition, place, customer, order_data, credits,
			CASE WHEN gift IS NULL THEN '' ELSE 'from a card' END))
  FROM (VALUES
	('customer', '1 == 1', NULL, '{"amount": 5}', NULL, NULL, 'missing_customer'),
	('customer', '1 == 1', 'new', '{"amount": 5}', NULL, NULL, 'success'),
	('order', '$.customer.order_count == 0', NULL, '{"amount": 5}', NULL, NULL, 'missing_customer'),
	('redemption', 'exists($ ? (@.customer.order_count > 0))', NULL, '{"amount": 5}', NULL, NULL, 'missing_customer'),
	('order', 'exists($.*.order_count)', NULL, '{"amount": 5}', NULL, NULL, 'order_rules_violated'),
	('order', '$.order.items[*].quantity > 1', 'new', '{"amount": 5}', NULL, NULL, 'missing_order_items'),
	('order', '$.order.items[*].quantity > 1', 'new', '{"amount": 5, "items": []}', NULL, NULL, 'missing_order_items'),
	('order', '$.order.items_count > 1', 'new', NULL, NULL, NULL, 'missing_order_items'),
	('order', '$.order.quantity > 1', 'new', '{"amount": 5}', NULL, NULL, 'missing_order_items'),
	('order', 'exists($.order ? (@.quantity > 1))', 'new', '{"amount": 5}', NULL, NULL, 'missing_order_items'),
	('order', '$.order.quantity > 1', 'new', '{"items": [{"quantity": 2}]}', NULL, NULL, 'missing_amount'),
	('order', '$.order.quantity > 1', 'new', '{"amount": 5, "items": [{"quantity": 2}]}', NULL, NULL, 'success'),
	('order', '$.order.quantity > 9223372036854775806', 'new',
		'{"amount": 5, "items": [{"quantity": 9223372036854775807}, {"quantity": 9223372036854775807}]}', NULL, NULL, 'success'),
	('order', 'exists($.order ? (@.quantity.type() == "number"))', 'new', '{"amount": 5}', NULL, NULL, 'missing_order_items'),
	('order', '$.order.amount >= 0', 'new', NULL, NULL, NULL, 'missing_amount'),
	('order', '$.order.initial_amount >= 0', 'new', NULL, NULL, NULL, 'missing_amount'),
	('order', '$.order.total_amount >= 0', 'new', NULL, NULL, NULL, 'missing_amount'),
	('order', '$.order.discount_amount >= 0', 'new', NULL, NULL, NULL, 'missing_amount'),
	('order', '$.order.amount >= 0', 'new', NULL, 10, 500, 'missing_amount'),
	('order', '$.order.metadata.x == 1', 'new', NULL, NULL, NULL, 'order_rules_violated'),
	('order', '!exists($.order)', 'new', NULL, NULL, NULL, 'success'),
	('order', '!exists($.order)', 'new', '{}', NULL, 500, 'missing_amount'),
	('order', '$.order.amount >= 10', 'new', '{"amount": 10}', NULL, NULL, 'success'),
	('order', '$.order.amount >= 10', 'new', '{"amount": 9}', NULL, NULL, 'order_rules_violated'),
	-- total_amount and redemption.amount are those after this redemption
	('order', '$.order.total_amount == 500', 'new', '{"amount": 1500}', NULL, NULL, 'success'),
	('order', '$.order.total_amount == 1300', 'new', '{"amount": 1500}', 200, 500, 'success'),
	('redemption', '$.redemption.amount <= 200', 'new', '{"amount": 1500}', 200, 500, 'success'),
	('redemption', '$.redemption.amount <= 200', 'new', '{"amount": 1500}', 201, 500, 'redemption_rules_violated'),
	('redemption', '$.redemption.amount <= 200', 'new', NULL, 201, 500, 'redemption_rules_violated'),
	('redemption', '$.redemption.metadata.till == "A"', 'new', NULL, NULL, NULL, 'redemption_rules_violated'),
	('redemption', '$.redemption.channel == "web"', 'new', NULL, NULL, NULL, 'success'),
	-- not true is refused: false, unknown, an error
	('customer', '$.customer.order_count > 0', 'fresh', NULL, NULL, NULL, 'customer_rules_violated'),
	('order', '$.order.metadata.size > 3', 'new', '{"amount": 5, "metadata": {"size": "XL"}}', NULL, NULL, 'order_rules_violated'),
	('order', '100 / $.order.metadata.size > 3', 'new', '{"amount": 5, "metadata": {"size": 0}}', NULL, NULL, 'order_rules_violated'),
	('order', 'strict $.order.metadata.size == 3', 'new', '{"amount": 5}', NULL, NULL, 'order_rules_violated'),
	('order', '!($.order.metadata.size > 3)', 'new', '{"amount": 5, "metadata": {"size": "XL"}}', NULL, NULL, 'order_rules_violated'),
	('order', '($.order.metadata.size > 3) is unknown', 'new', '{"amount": 5, "metadata": {"size": "XL"}}', NULL, NULL, 'success'),
	('order', '$.order.source_id like_regex "^web-[0-9]+$"', 'new', '{"source_id": "web-7", "amount": 5}', NULL, NULL, 'success'),
	('order', '$.order.source_id starts with "web"', 'new', '{"source_id": "shop-7", "amount": 5}', NULL, NULL, 'order_rules_violated')
  ) AS c (applies_to, condition, customer, order_data, credits, gift, wanted),
  unnest('{voucher,campaign}'::text[]) AS place;

-- A stored order without lines, and one without an amount of its own.
SELECT ordertrack.create_order('{"source_id": "bare"}')
\g /dev/null
SELECT is(pg_temp.answer('$.order.items_count >= 0', order_data => '{"source_id": "bare", "items": [{"quantity": 1}]}'),
	'missing_order_items', 'the stored lines count, and there are none');
SELECT is(pg_temp.answer('!exists($.order.* ? (@ > 0))', order_data => '{"source_id": "bare"}'), 'success',
	'nor are there units');
SELECT is(pg_temp.answer('$.order.amount == 0', order_data => '{"source_id": "bare", "amount": 5}'), 'success',
	'the stored amount counts');

-- The first that is violated decides: customer before order before redemption,
-- and among those by rule_id, wherever they are assigned.
SELECT ordertrack.create_rule('r2', 'redemption', '$.redemption.metadata.r2 == 1', 'r2 said so'),
	ordertrack.create_rule('r1', 'redemption', '$.redemption.metadata.r1 == 1'),
	ordertrack.create_rule('o2', 'order', '$.redemption.metadata.o2 == 1', 'o2 said so'),
	ordertrack.create_rule('o1', 'order', '$.redemption.metadata.o1 == 1', 'o1 said so'),
	ordertrack.create_rule('c1', 'customer', '$.redemption.metadata.c1 == 1', 'c1 said so'),
	ordertrack.create_rule('c2', 'customer', '$.redemption.metadata.c2 == 1'),
	ordertrack.create_campaign('camp'),
	ordertrack.create_voucher('ALL', gift_amount => 1000, campaign => 'camp', customer_limit => 1)
\g /dev/null
SELECT ordertrack.assign_rule(rule, campaign => 'camp') FROM unnest('{c2,o2,r1}'::text[]) AS rule
\g /dev/null
SELECT ordertrack.assign_rule(rule, 'ALL') FROM unnest('{r2,o1,c1,c2}'::text[]) AS rule
\g /dev/null
SELECT is(v.failure_code || ': ' || v.failure_message, wanted, wanted)
  FROM (VALUES
	('', 'customer_rules_violated: c1 said so'),
	('c1', 'customer_rules_violated: the customer does not match the rules'),
	('c1,c2', 'order_rules_violated: o2 said so'),
	('c1,c2,o2', 'order_rules_violated: o1 said so'),
	('c1,c2,o1', 'order_rules_violated: o2 said so'),
	('c1,c2,o1,o2', 'redemption_rules_violated: r2 said so'),
	('c1,c2,o1,o2,r2', 'redemption_rules_violated: the redemption does not match the rules'),
	('c1,c2,o1,o2,r1', 'redemption_rules_violated: r2 said so')) AS c (kept, wanted),
  LATERAL (SELECT coalesce(jsonb_object_agg(k, 1), '{}') AS metadata FROM unnest(string_to_array(kept, ',')) AS k) AS m,
  LATERAL ordertrack.validate('ALL', 'carl', amount => 10, metadata => m.metadata) AS v;
\set kept '{"c1": 1, "c2": 1, "o1": 1, "o2": 1, "r1": 1, "r2": 1}'
SELECT is(result, 'success', 'all are kept') FROM ordertrack.redeem('ALL', 'carl', NULL, 10, :'kept');
SELECT is(failure_message, wanted, 'rules before the limit of a customer: ' || wanted)
  FROM (VALUES (:'kept'::jsonb - 'r2', 'r2 said so'), (:'kept', 'the customer has used the voucher up')) AS c (metadata, wanted),
  LATERAL ordertrack.redeem('ALL', 'carl', NULL, 10, c.metadata);
SELECT is((SELECT failure_code || ': ' || failure_message FROM ordertrack.redemptions WHERE code = 'ALL'
		AND result = 'failure' ORDER BY redemption_id LIMIT 1), 'redemption_rules_violated: r2 said so', 'it is recorded');

-- A refusal writes nothing else; a retry gets it again, also after the rule is gone.
SELECT ordertrack.create_voucher('KEYED', gift_amount => 1000), ordertrack.create_rule('never', 'order', '1 == 2', 'never')
\g /dev/null
SELECT ordertrack.assign_rule('never', 'KEYED')
\g /dev/null
SELECT is(failure_message, 'never', 'refused') FROM ordertrack.redeem('KEYED', 'keyed', '{"amount": 5}', idempotency_key => 'k');
SELECT is_empty($$SELECT FROM ordertrack.customers WHERE source_id = 'keyed'$$, 'no customer is made');
SELECT is(array_agg(result ORDER BY result), '{failure,failure}', 'a batch is refused like its items')
  FROM ordertrack.redeem_batch('[{"code": "KEYED", "amount": 1}, {"code": "KEYED", "amount": 2}]');
SELECT ordertrack.unassign_rule('never', 'KEYED')
\g /dev/null
SELECT is(failure_message || replayed, 'nevertrue', 'replayed')
  FROM ordertrack.redeem('KEYED', 'keyed', '{"amount": 5}', idempotency_key => 'k');
SELECT is(result, 'success', 'without the rule') FROM ordertrack.redeem('KEYED', 'keyed', '{"amount": 5}');
SELECT ordertrack.assign_rule('never', 'KEYED')
\g /dev/null
SELECT is(b.result, 'success', 'the way back asks no rule') FROM ordertrack.redemptions AS r,
	ordertrack.rollback_redemption(r.redemption_id) AS b WHERE r.code = 'KEYED' AND r.result = 'success';

-- rule_count is the number of rules; assigning twice is assigning once.
CREATE FUNCTION pg_temp.counts() RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', (SELECT rule_count FROM ordertrack.vouchers WHERE code = 'KEYED'),
		(SELECT rule_count FROM ordertrack.campaigns WHERE name = 'camp'))
$$;
CREATE FUNCTION pg_temp.after(command text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE command;
	RETURN pg_temp.counts();
END
$$;
SELECT is(pg_temp.after('SELECT ordertrack.' || command), wanted, command) FROM (VALUES
	('assign_rule(''never'', ''KEYED'')', '1 3'), ('assign_rule(''o1'', ''KEYED'')', '2 3'),
	('assign_rule(''o1'', campaign => ''camp'')', '2 4'), ('assign_rule(''o1'', campaign => ''camp'')', '2 4'),
	('unassign_rule(''r2'', ''KEYED'')', '2 4'), ('unassign_rule(''o1'', ''KEYED'')', '1 4'),
	('unassign_rule(''o1'', ''KEYED'')', '1 4'), ('unassign_rule(''never'', ''KEYED'')', '0 4'),
	('update_voucher(''KEYED'', clear => ''{metadata}'')', '0 4'),
	('unassign_rule(''o1'', campaign => ''camp'')', '0 3')) AS c (command, wanted);
SELECT is(campaigns::text || voucher_count, '{camp}1', 'rule_list tells where') FROM ordertrack.rule_list
 WHERE name = 'c2';

-- Codes without rules look for none, and rules look only for what they read.
CREATE FUNCTION pg_temp.looks(code text, t text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	before bigint := (SELECT seq_scan + idx_scan FROM pg_stat_xact_user_tables WHERE relname = t);
BEGIN
	PERFORM ordertrack.validate(code, 'anna', '{"source_id": "o-1"}');
	RETURN (SELECT seq_scan + idx_scan - before FROM pg_stat_xact_user_tables WHERE relname = t);
END
$$;
SELECT ordertrack.create_voucher(code, '{"type": "amount", "amount_off": 1000}'),
	ordertrack.create_rule(code, 'order', condition::jsonpath)
  FROM (VALUES ('plain', '1 == 1'), ('items', '$.order.items_count > 0'), ('amount', '$.order.amount > 0'),
	('count', '$.customer.order_count > 0'), ('days', '$.customer.days_since_last_order > 0'),
	('segment', '$.customer.segments[*] == "rich"')) AS c (code, condition)
\g /dev/null
SELECT ordertrack.assign_rule(code, code) FROM unnest('{items,amount,count,days,segment}'::text[]) AS code
\g /dev/null
SELECT is(pg_temp.looks(code, t) > 0, t = ANY (wanted), format('%s: %s', code, t)) FROM (VALUES
	('plain', '{}'::text[]), ('items', '{rules,order_items}'), ('amount', '{rules}'), ('count', '{rules}'),
	('days', '{rules,workspaces}'), ('segment', '{rules,segments,segment_members}')) AS c (code, wanted),
	unnest('{rules,order_items,workspaces,segments,segment_members}'::text[]) AS t;

-- Conditions that are refused.
SELECT throws_ok(format('SELECT ordertrack.create_rule(%L, ''order'', %s)', condition, condition), sqlstate, NULL,
	'refused: ' || left(condition, 60))
  FROM (VALUES
	('NULL', 'OT005'), ('''$.order.amount >''', '42601'), ('''nonsense''', '42601'), ('''''', '22P02'),
	('''$.order.amount''', 'OT005'), ('''$''', 'OT005'), ('''5''', 'OT005'), ('''true''', 'OT005'),
	('''$.order.items[*] ? (@.sku == "pot")''', 'OT005'), ('''($.order.amount > 5).type()''', 'OT005'),
	('''$.order.amount + 5''', 'OT005'),
	('''$.order.amount == "abc"''', 'OT005'), ('''$.order.amount / 0 > 5''', 'OT005'),
	('''$.order.items.price + 1 > 5''', 'OT005'), ('''-$.order.source_id > 5''', 'OT005'),
	('''$.order.amount starts with "1"''', 'OT005'), ('''$.order.source_id.datetime() < "2026-01-01".datetime()''', 'OT005'),
	('''strict $.order.items.price > 5''', 'OT005'), ('''strict $.order.metadata.a.b.c > 5''', 'OT005'),
	('''$.order.amount > $limit''', 'OT005'), ('''$order.amount > 5''', 'OT005'),
	('''$.ordr.amount > 5''', 'OT005'), ('''$.order.amont > 5''', 'OT005'), ('''$.order.items[*].prize > 5''', 'OT005'),
	('''$.order ? (@.amont > 5) == 1''', 'OT005'), ('''$.customer.email == "x"''', 'OT005'),
	('''$.redemption.code == "x"''', 'OT005'), ('''$.campaign.budget > 1''', 'OT005'),
	('''$.order.source_id like_regex "(a+)\\1"''', 'OT005'), ('''$.order.source_id like_regex "(a"''', '2201B'),
	('(''$.order.amount > 5'' || repeat('' && $.order.amount > 5'', 500))::jsonpath', 'OT005'),
	('(repeat(''('', 100000) || ''1 == 1'' || repeat('')'', 100000))::jsonpath', '42601'),
	('''$["order"]["amount"] > 5''', 'OT005')
  ) AS c (condition, sqlstate);
SELECT lives_ok(format('SELECT ordertrack.create_rule(%L, ''order'', %L)', condition, condition), 'taken: ' || condition)
  FROM unnest(ARRAY['$.order.metadata.weight * 2 > 5', 'strict $.order.metadata.color == "red"',
	'strict $.order.metadata.gift == true', '$.order.metadata.a.b.c.d > 5', '$.order.metadata."a b".c starts with "x"',
	'$.customer.last_order_at.datetime() < "2026-01-01T00:00:00+00".datetime()',
	'$.order.amount / $.order.quantity > 500', 'exists($.order.items[*] ? (@.price > 10 && @.metadata.size == "XL"))',
	'$.order.items[*].metadata.weight.double() > 1.5', '$.order.source_id like_regex "^\\d+$" flag "i"',
	'($.order.items[0].price > 5) is unknown', '$.order.items[$.order.items_count - 1].price > 0',
	'!($.order.items[*].sku == "pot")', '$.customer.segments.size() > 0']) AS condition;
SELECT throws_ok(format('SELECT ordertrack.%s', command), sqlstate, message, command) FROM (VALUES
	('create_rule(NULL, ''order'', ''1 == 1'')', 'OT005', 'argument "name" must not be null'),
	('create_rule('''', ''order'', ''1 == 1'')', 'OT005', 'argument "name" must not be empty'),
	('create_rule(repeat(''x'', 1001), ''order'', ''1 == 1'')', 'OT005', 'argument "name" is too long'),
	('create_rule(''x'', ''orders'', ''1 == 1'')', 'OT005', 'a rule can''t apply to "orders"'),
	('create_rule(''x'', NULL, ''1 == 1'')', 'OT005', 'argument "applies_to" must not be null'),
	('create_rule(''x'', ''order'', ''1 == 1'', '''')', 'OT005', 'argument "message" must not be empty'),
	('create_rule(''x'', ''order'', ''1 == 1'', repeat(''x'', 1001))', 'OT005', 'argument "message" is too long'),
	('create_rule(''x'', ''order'', ''1 == 1'', workspace => -1)', 'OT002', 'workspace -1 does not exist'),
	('create_rule(''x'', ''order'', ''1 == 1'', workspace => NULL)', 'OT005', 'argument "workspace" must not be null'),
	('create_rule(''o1'', ''order'', ''1 == 1'')', 'OT004', 'rule "o1" already exists'),
	('assign_rule(NULL, ''ALL'')', 'OT005', 'argument "rule" must not be null'),
	('assign_rule(''o1'')', 'OT005', 'exactly one of "voucher" and "campaign" must be given'),
	('assign_rule(''o1'', ''ALL'', ''camp'')', 'OT005', 'exactly one of "voucher" and "campaign" must be given'),
	('assign_rule(''none'', ''ALL'')', 'OT002', 'rule "none" does not exist'),
	('assign_rule(''o1'', ''NONE'')', 'OT002', 'voucher does not exist'),
	('assign_rule(''o1'', campaign => ''none'')', 'OT002', 'campaign "none" does not exist'),
	('assign_rule(''o1'', ''ALL'', workspace => -1)', 'OT002', 'workspace -1 does not exist'),
	('assign_rule(''o1'', ''ALL'', workspace => (SELECT max(workspace_id) FROM ordertrack.workspaces))', 'OT002',
		'rule "o1" does not exist'),
	('unassign_rule(''none'', ''ALL'')', 'OT002', 'rule "none" does not exist'),
	('unassign_rule(''o1'', ''NONE'')', 'OT002', 'voucher does not exist'),
	('unassign_rule(''o1'')', 'OT005', 'exactly one of "voucher" and "campaign" must be given')) AS c (command, sqlstate, message);
SELECT lives_ok(format('SELECT ordertrack.create_rule(''o1'', ''order'', ''1 == 2'', workspace => %s)', :other),
	'a name is of one workspace');
SELECT is(result, 'success', 'and so is a rule') FROM ordertrack.validate('plain');

-- No setting of the session has a part in it.
SELECT ordertrack.put_customer('zoe') AS zoe
\gset
INSERT INTO ordertrack.orders (workspace_id, status, customer_id, amount, total_amount, created_at)
VALUES (1, 'paid', :zoe, 1, 1, '2026-02-01 10:30:00+00');
SELECT ordertrack.create_voucher('SET', '{"type": "amount", "amount_off": 1}'),
	ordertrack.create_rule('set', 'customer', '$.customer.last_order_at.datetime() < "2026-02-01T10:30:01+00:00".datetime() && $.customer.last_order_at == "2026-02-01T10:30:00+00:00"')
\g /dev/null
SELECT ordertrack.assign_rule('set', 'SET')
\g /dev/null
SET LOCAL timezone = 'Asia/Kathmandu';
SET LOCAL datestyle = 'German, DMY';
SET LOCAL search_path = pg_temp, public;
SELECT is(result, 'success', 'in any time zone and style of dates') FROM ordertrack.redeem('SET', 'zoe');
RESET search_path;
RESET datestyle;
RESET timezone;

-- A condition that would run for years ends with 57014, and nothing comes after.
CREATE FUNCTION pg_temp.nested(depth integer) RETURNS jsonpath LANGUAGE sql AS $$
	SELECT (repeat('exists($.order.items[*] ? (', depth) || '@.sku == "none"' || repeat('))', depth))::jsonpath
$$;
-- WHEN OTHERS, which throws_ok() has, does not catch a cancellation.
CREATE FUNCTION pg_temp.ending(command text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE command;
	RETURN 'success';
EXCEPTION WHEN query_canceled THEN
	RETURN SQLSTATE;
END
$$;
SELECT is(pg_temp.ending('SELECT ordertrack.create_rule(''slow'', ''order'', pg_temp.nested(60))'), '57014',
	'too slow on two lines');
SELECT ordertrack.create_rule('slow', 'order', pg_temp.nested(6)),
	ordertrack.create_voucher('SLOW', '{"type": "amount", "amount_off": 1}')
\g /dev/null
SELECT ordertrack.assign_rule('slow', 'SLOW')
\g /dev/null
CREATE TEMP TABLE cart AS SELECT jsonb_build_object('items', jsonb_agg('{"quantity": 1, "price": 1}'::jsonb)) AS order_data
  FROM generate_series(1, 500);
SELECT is(pg_temp.ending('SELECT ordertrack.redeem(''SLOW'', ''anna'', order_data) FROM cart'), '57014', 'too slow on 500 lines');
SELECT is(pg_temp.ending('SELECT ordertrack.validate(''SLOW'', ''anna'', order_data) FROM cart'), '57014', 'validate, too');
SET LOCAL statement_timeout = '200ms';
SELECT is(pg_temp.ending('SELECT ordertrack.redeem(''SLOW'', ''anna'', order_data) FROM cart'), '57014',
	'statement_timeout holds, too');
SET LOCAL statement_timeout = 0;
SELECT lives_ok('SELECT pg_sleep(1.2)', 'the next statement is not canceled by a timer that was left behind');
SELECT is(failure_code, 'order_rules_violated', 'the session goes on') FROM ordertrack.redeem('SLOW', 'anna',
	'{"items": [{"quantity": 1, "price": 1}]}');

SELECT * FROM finish();
ROLLBACK;

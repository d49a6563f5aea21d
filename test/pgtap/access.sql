-- Privileges, read from the catalog, so that what is new is covered, too.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT * FROM no_plan();

CREATE TEMP TABLE kinds AS SELECT kind, 'tap ' || kind AS role
  FROM unnest('{app,support,admin,auditor}'::text[]) AS kind;
CREATE ROLE "tap app";
CREATE ROLE "tap support";
CREATE ROLE "tap admin";
CREATE ROLE "tap auditor";
CREATE ROLE "tap nobody";
SELECT ordertrack.grant_access(kind, role) FROM kinds
\g /dev/null

CREATE TEMP TABLE functions AS
SELECT p.oid, p.proname::text AS name, p.oid::regprocedure::text AS signature, p.prosecdef, p.provolatile,
	p.proconfig
  FROM pg_proc AS p WHERE p.pronamespace = 'ordertrack'::regnamespace;
CREATE TEMP TABLE relations AS
SELECT c.oid, c.relname::text AS name, c.relkind FROM pg_class AS c
 WHERE c.relnamespace = 'ordertrack'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S');

-- Nothing for PUBLIC, nor for a role that has got nothing.
SELECT ok(NOT has_function_privilege(role, oid, 'EXECUTE'), format('%s may not execute %s', role, signature))
  FROM functions, unnest('{public,tap nobody}'::text[]) AS role;
SELECT ok(NOT has_any_column_privilege(role, oid, 'SELECT, INSERT, UPDATE, REFERENCES')
	AND NOT has_table_privilege(role, oid, 'DELETE, TRUNCATE, TRIGGER'),
		format('%s has no privilege on %s', role, name))
  FROM relations, unnest('{public,tap nobody}'::text[]) AS role WHERE relkind <> 'S';
SELECT ok(NOT has_sequence_privilege(role, oid, 'USAGE, SELECT, UPDATE'),
	format('%s has no privilege on %s', role, name))
  FROM relations, (SELECT 'public' UNION SELECT role FROM kinds) AS r (role) WHERE relkind = 'S';
SELECT ok(NOT has_schema_privilege(role, 'ordertrack', 'USAGE, CREATE'),
	role || ' has no privilege on the schema') FROM unnest('{public,tap nobody}'::text[]) AS role;

-- Each kind has exactly what access_rights() says.
SELECT bag_eq('SELECT DISTINCT kind FROM ordertrack.access_rights()', 'SELECT kind FROM kinds',
	'access_rights() knows the kinds');
SELECT is((SELECT count(*) FROM functions WHERE name = r.object_name),
	CASE WHEN object_name IN ('mark_used', 'unmark_used', 'set_shipment_status') THEN 2 ELSE 1 END::bigint, 'there is one function ' || object_name)
  FROM (SELECT DISTINCT object_name FROM ordertrack.access_rights() WHERE object_type = 'function') AS r;
SELECT is((SELECT count(*) FROM relations WHERE name = r.object_name AND relkind = 'v'), 1::bigint,
	'there is a view ' || object_name)
  FROM (SELECT DISTINCT object_name FROM ordertrack.access_rights() WHERE object_type <> 'function') AS r;
CREATE TEMP TABLE rights AS SELECT k.role, r.* FROM kinds AS k
  JOIN ordertrack.access_rights() AS r USING (kind);
SELECT is(has_function_privilege(k.role, f.oid, 'EXECUTE'),
		EXISTS (SELECT FROM rights AS r WHERE r.kind = k.kind AND r.object_type = 'function'
			AND r.object_name = f.name), format('%s: execute %s', k.kind, f.signature))
  FROM kinds AS k, functions AS f ORDER BY kind, signature;
SELECT is(has_table_privilege(k.role, t.oid, 'SELECT'),
		EXISTS (SELECT FROM rights AS r WHERE r.kind = k.kind AND r.object_type = 'view'
			AND r.object_name = t.name), format('%s: select from %s', k.kind, t.name))
  FROM kinds AS k, relations AS t WHERE relkind <> 'S' ORDER BY kind, name;
SELECT ok(NOT has_table_privilege(k.role, t.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
	AND NOT has_any_column_privilege(k.role, t.oid, 'INSERT, UPDATE, REFERENCES')
		AND (t.relkind = 'v' OR NOT has_any_column_privilege(k.role, t.oid, 'SELECT')),
		format('%s: nothing else on %s', k.kind, t.name))
  FROM kinds AS k, relations AS t WHERE relkind <> 'S' ORDER BY kind, name;
SELECT is(has_schema_privilege(role, 'ordertrack', 'USAGE')::text || has_schema_privilege(role, 'ordertrack', 'CREATE'),
	'truefalse', kind || ' may use the schema, not create in it') FROM kinds;

-- What each kind is for.
SELECT ok(EXISTS (SELECT FROM rights AS r WHERE r.kind = c.kind AND r.object_name = c.name) = c.is_open,
	format('%s: %s %s', c.kind, CASE WHEN c.is_open THEN 'may' ELSE 'may not' END, c.name))
  FROM (VALUES
	('app', '{validate,redeem,redeem_batch,reserve,release_reservation,rollback_redemption,create_order,update_order,
		set_order_status,mark_used,set_cashback_status}'::text[], true),
	('app', '{create_shipment,set_shipment_status,hold_order,release_order,cancel_order,add_coupon,remove_coupon,add_payment,set_payment_status,
		create_refund,create_return,receive_return,complete_return,cancel_return,order_as_of,order_changes}', true),
	('app', '{set_manual_discount,activity_since,activity_cursor,order_activity,shipment_list,payment_list,return_list}', false),
	('support', '{hold_order,release_order,cancel_order,add_coupon,remove_coupon,set_manual_discount,create_return,cancel_return,
		order_as_of,order_changes,activity_since,activity_cursor,order_activity,order_activity_events,shipment_list,payment_list,return_list}', true),
	('support', '{create_shipment,set_shipment_status,add_payment,create_refund,set_payment_status,receive_return,complete_return}', false),
	('auditor', '{order_as_of,order_changes,order_activity_events,shipment_list,payment_list,return_list,export_shipments,export_payments,export_returns}', true),
	('auditor', '{order_activity,activity_since,activity_cursor,create_shipment,add_payment,create_return,hold_order,cancel_order,add_coupon}', false),
	('app', '{grant_points,transfer_points,points_balance,expiring_points}', true),
	('app', '{cancel_points,point_lot_list,point_movement_list,export_point_movements}', false),
	('support', '{points_balance,expiring_points,point_lot_list,point_movement_list}', true),
	('support', '{grant_points,transfer_points,cancel_points,export_point_movements}', false),
	('admin', '{grant_points,transfer_points,cancel_points,points_balance,expiring_points,export_point_movements}', true),
	('auditor', '{point_lot_list,point_movement_list,export_point_movements}', true),
	('auditor', '{grant_points,transfer_points,cancel_points,points_balance,expiring_points}', false),
	('app', '{create_rule,assign_rule,create_segment,segment_customers,create_voucher,update_voucher,create_campaign,create_workspace,grant_access,setup,
		order_details,edit_note,delete_note,unmark_used,set_delivery_status,redeemed_rewards,issued_reward_list}', false),
	('app', '{create_reward,update_reward,add_reward_codes,add_reward_stock}', false),
	('app', '{reward_list}', true),
	('support', '{create_reward,update_reward,add_reward_codes,add_reward_stock}', false),
	('support', '{reward_list}', true),
	('admin', '{create_reward,update_reward,add_reward_codes,add_reward_stock,reward_list}', true),
	('auditor', '{reward_list}', true),
	('auditor', '{create_reward,update_reward,add_reward_codes,add_reward_stock}', false),
	('support', '{order_list,order_details,order_history,add_note,edit_note,delete_note,mark_used,issued_reward_list,redeemed_rewards,
		redeemed_reward_address}', true),
	('support', '{redeem,reserve,release_reservation,rollback_redemption,set_order_status,create_voucher,grant_access,setup,
		unmark_used,set_delivery_status,set_cashback_status,export_redeemed_rewards,export_issued_rewards}', false),
	('support', '{segment_customers}', true),
	('auditor', '{segment_customers}', false),
	('admin', '{create_rule,assign_rule,unassign_rule,create_segment,segment_customers,create_workspace,create_campaign,update_campaign,create_voucher,update_voucher,put_customer,
		redeem,verify_order,export_query,order_details,mark_used,unmark_used,set_delivery_status,set_cashback_status,issued_reward_list,
		redeemed_rewards,redeemed_reward_address,export_issued_rewards,export_redeemed_rewards}', true),
	('admin', '{setup,arm_triggers,apply_access}', false),
	('auditor', '{verify_order,export_query,order_list,redemption_list,reservation_list,export_orders,export_order_items,
		export_redemptions,export_order_notes,issued_reward_list,export_issued_rewards}', true),
	('auditor', '{redeemed_rewards,redeemed_reward_address,export_redeemed_rewards,mark_used,order_details,redeem,add_note,put_customer,set_order_status}', false)
  ) AS a (kind, names, is_open)
 CROSS JOIN LATERAL (SELECT a.kind, unnest(a.names) AS name, a.is_open) AS c;

-- The auditor sees no personal data and writes nothing.
SELECT ok(f.provolatile <> 'v', 'auditor: ' || f.name || ' writes nothing') FROM rights AS r
  JOIN functions AS f ON f.name = r.object_name WHERE kind = 'auditor' AND object_type = 'function';
SELECT is_empty($$SELECT r.object_name, a.attname FROM rights AS r
	JOIN pg_attribute AS a ON a.attrelid = ('ordertrack.' || r.object_name)::regclass AND a.attnum > 0
	WHERE r.kind = 'auditor' AND r.object_type = 'view'
		AND (a.attname ~ 'email|phone|name$|address|submitted_by$|on_behalf_of|title|detail|salt'
			AND a.attname NOT IN ('name', 'campaign'))$$,
	'auditor: no column of personal data');
SELECT ordertrack.create_order('{"source_id":"o","amount":5,"shipping_address":{"city":"SECRET"},
		"submitted_by":"SECRET","on_behalf_of":"SECRET","items":[{"quantity":1,"price":5}]}', 'anna') AS o,
	ordertrack.put_customer('anna', 'SECRET', 'SECRET', 'SECRET', 'SECRET', '{"city":"SECRET"}'),
	ordertrack.create_campaign('any'),
	ordertrack.create_voucher('OFF', '{"type":"amount","amount_off":1}'),
	ordertrack.create_voucher('CARD', gift_amount => 100),
	ordertrack.create_rule('some', 'customer', '$.customer.order_count >= 0'),
	ordertrack.create_segment('all', customers => '{anna}'),
	ordertrack.create_reward('shared', 'gift', 0, shared_code => 'SECRET'), ordertrack.create_reward('pool', 'gift', 0, code_source => 'pool'),
	ordertrack.add_reward_codes('pool', '{SECRET}'), ordertrack.reserve('OFF', 'anna', '{"source_id":"o"}') AS held
\gset
SELECT ordertrack.add_note(:o, 'SECRET', 'SECRET'), ordertrack.redeem('OFF', 'anna', '{"source_id":"o"}'),
	ordertrack.grant_points('anna', 100, '2100-01-01')
\g /dev/null
INSERT INTO ordertrack.rewards (workspace_id, name, type, cost_in_points, code_source) VALUES (1, 'mug', 'gift', 5, 'none');
INSERT INTO ordertrack.issued_rewards (workspace_id, redemption_id, reward_id, customer_id, order_id, reward_type,
	cost_in_points, active_points, active_from, created_at)
SELECT 1, 1, r.reward_id, c.customer_id, :o, r.type, 5, 0, now(), now() FROM ordertrack.rewards AS r, ordertrack.customers AS c
 WHERE r.name = 'mug' AND c.source_id = 'anna'
RETURNING issued_reward_id AS mug
\gset
SELECT ordertrack.create_order('{"source_id":"life","items":[{"sku":"a","quantity":2,"price":50}]}', 'anna') AS life
\gset
SELECT ordertrack.add_payment(:life, 100, 'card'), ordertrack.create_shipment(:life) AS box
\gset
SELECT ordertrack.set_shipment_status(:box, status) FROM unnest('{released,packing,shipped}'::text[]) AS status
\g /dev/null
SELECT ordertrack.create_return(:life, '[{"line_no":1,"quantity":1}]') AS back
\gset
SELECT is_empty(format('SELECT * FROM ordertrack.%I AS v WHERE v::text LIKE ''%%SECRET%%''', object_name),
	'auditor: no secret in ' || object_name)
  FROM rights WHERE kind = 'auditor' AND object_type = 'view';
SELECT isnt_empty(format('SELECT * FROM ordertrack.%I', object_name), 'there is something in ' || object_name)
  FROM rights WHERE kind = 'auditor' AND object_type = 'view';

-- How functions are declared.
SELECT is(proconfig[1], 'search_path=pg_catalog, pg_temp',
	'security definer, with a search_path: ' || signature) FROM functions WHERE prosecdef;
SELECT ok(f.prosecdef, 'security definer: ' || f.signature) FROM functions AS f
 WHERE name IN (SELECT object_name FROM rights WHERE object_type = 'function');

-- It works through the door, and only there.
CREATE FUNCTION pg_temp.as_role(role name, command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE format('SET LOCAL ROLE %I', role);
	EXECUTE command INTO result;
	RESET ROLE;
	RETURN result;
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END
$$;
SELECT is(pg_temp.as_role(role, command), wanted, role || ': ' || command) FROM (VALUES
	('tap app', 'SELECT result FROM ordertrack.redeem(''OFF'', ''new'', ''{"amount":7}'')', 'success'),
	('tap app', 'SELECT result FROM ordertrack.redeem_batch(''[{"code":"CARD","amount":10}]'')', 'success'),
	('tap app', 'SELECT ordertrack.release_reservation((ordertrack.reserve(''CARD'', amount => 10)).reservation_key)', 'true'),
	('tap app', 'SELECT ordertrack.create_order(''{"source_id":"by app"}'') > 0', 'true'),
	('tap app', 'SELECT ordertrack.grant_points(''by app'', 5) > 0', 'true'),
	('tap app', 'SELECT ordertrack.transfer_points(''by app'', ''anna'', 2)', ''),
	('tap app', 'SELECT active FROM ordertrack.points_balance(''by app'')', '3'),
	('tap app', 'SELECT ordertrack.cancel_points(1)', '42501'),
	('tap app', 'SELECT count(*) FROM ordertrack.point_lots', '42501'),
	('tap app', 'UPDATE ordertrack.point_accounts SET balance = 1000', '42501'),
	('tap support', 'SELECT count(*) > 0 FROM ordertrack.expiring_points(''900 years'')', 'true'),
	('tap support', 'SELECT ordertrack.grant_points(''anna'', 5)', '42501'),
	('tap admin', 'SELECT ordertrack.cancel_points(ordertrack.grant_points(''anna'', 7), ''error'')', '7'),
	('tap admin', 'INSERT INTO ordertrack.point_movements SELECT * FROM ordertrack.point_movements', '42501'),
	('tap auditor', 'SELECT count(*) > 2 FROM ordertrack.point_movement_list', 'true'),
	('tap auditor', 'SELECT ordertrack.points_balance(''anna'')', '42501'),
	('tap app', 'SELECT count(*) > 0 FROM ordertrack.order_history(' || :o || ')', 'true'),
	('tap app', 'SELECT count(*) FROM ordertrack.orders', '42501'),
	('tap app', 'SELECT count(*) FROM ordertrack.order_list', '42501'),
	('tap app', 'SELECT ordertrack.create_voucher(''X'', gift_amount => 1)', '42501'),
	('tap app', 'SELECT count(*) FROM ordertrack.reward_list', '3'),
	('tap app', 'SELECT shared_code FROM ordertrack.rewards', '42501'),
	('tap admin', 'SELECT code FROM ordertrack.reward_codes', '42501'),
	('tap admin', 'SELECT ordertrack.create_reward(''by admin'', ''gift'', 1) > 0', 'true'),
	('tap app', 'UPDATE ordertrack.vouchers SET gift_balance = 100', '42501'),
	('tap app', 'SELECT ordertrack.grant_access(''admin'', ''tap app'')', '42501'),
	('tap app', 'SELECT nextval(''ordertrack.orders_order_id_seq'')', '42501'),
	('tap support', 'SELECT email FROM ordertrack.order_details WHERE source_id = ''o''', 'SECRET'),
	('tap app', 'SELECT failure_code FROM ordertrack.mark_used(-1)', 'issued_reward_not_found'),
	('tap app', 'SELECT count(*) FROM ordertrack.mark_used(''{-1,-2}''::bigint[])', '2'),
	('tap app', 'SELECT ordertrack.set_cashback_status(-1, 0)', 'OT002'),
	('tap app', 'SELECT ordertrack.unmark_used(' || :mug || ')', '42501'),
	('tap app', 'SELECT count(*) FROM ordertrack.redeemed_rewards', '42501'),
	('tap support', 'SELECT result FROM ordertrack.mark_used(' || :mug || ')', 'success'),
	('tap support', 'SELECT ordertrack.unmark_used(' || :mug || ')', '42501'),
	('tap support', 'SELECT ordertrack.set_delivery_status(' || :mug || ', ''shipped'')', '42501'),
	('tap support', 'SELECT email FROM ordertrack.redeemed_rewards WHERE issued_reward_id = ' || :mug, 'SECRET'),
	('tap support', 'SELECT address FROM ordertrack.redeemed_reward_address WHERE issued_reward_id = ' || :mug, '{"city": "SECRET"}'),
	('tap support', 'SELECT count(*) FROM ordertrack.export_redeemed_rewards', '42501'),
	('tap support', 'SELECT ordertrack.redeem(''OFF'')', '42501'),
	('tap admin', 'SELECT result FROM ordertrack.unmark_used(''{' || :mug || '}''::bigint[])', 'success'),
	('tap admin', 'SELECT email FROM ordertrack.export_redeemed_rewards WHERE issued_reward_id = ' || :mug, 'SECRET'),
	('tap auditor', 'SELECT count(*) FROM ordertrack.export_issued_rewards', '1'),
	('tap auditor', 'SELECT count(*) FROM ordertrack.redeemed_rewards', '42501'),
	('tap auditor', 'SELECT count(*) FROM ordertrack.export_redeemed_rewards', '42501'),
	('tap admin', 'SELECT ordertrack.create_voucher(''ADM'', gift_amount => 1) > 0', 'true'),
	('tap admin', 'DELETE FROM ordertrack.order_notes', '42501'),
	('tap admin', 'INSERT INTO ordertrack.access_grants (kind, role_name) VALUES (''admin'', ''me'')', '42501'),
	('tap admin', 'SELECT ordertrack.setup()', '42501'),
	('tap auditor', 'SELECT count(*) FROM ordertrack.verify_order(' || :o || ')', '0'),
	('tap auditor', 'SELECT count(*) > 0 FROM ordertrack.export_redemptions', 'true'),
	('tap auditor', 'SELECT ordertrack.export_query(''orders'') IS NOT NULL', 'true'),
	('tap auditor', 'SELECT email FROM ordertrack.customers', '42501'),
	('tap nobody', 'SELECT ordertrack.redeem(''OFF'')', '42501')) AS c (role, command, wanted);
SELECT is(array_agg(DISTINCT redeemed_by), ARRAY[session_user::text], 'redeemed_by is who logged in')
  FROM ordertrack.redemptions;
SELECT is(array_agg(DISTINCT created_by), ARRAY[session_user::text], 'created_by is who logged in')
  FROM ordertrack.point_movements;
SELECT is(array_agg(author), '{tap app}', 'author is the outer role') FROM ordertrack.order_notes AS n
  JOIN ordertrack.orders AS o USING (workspace_id, order_id) WHERE o.source_id = 'by app';

-- A hostile search_path, with its own operators and functions before pg_catalog,
-- and temporary tables of our tables' names, do not matter.
INSERT INTO ordertrack.issued_rewards (workspace_id, redemption_id, reward_id, customer_id, order_id, reward_type,
	cost_in_points, active_points, active_from, created_at, cashback_code)
SELECT 1, 1, 1, customer_id, order_id, 'cashback', 5, 0, active_from, created_at, 0 FROM ordertrack.issued_rewards
 WHERE issued_reward_id = :mug RETURNING issued_reward_id AS cash
\gset
CREATE SCHEMA tap_evil;
CREATE FUNCTION tap_evil.evil(a bigint, b bigint) RETURNS boolean LANGUAGE plpgsql AS
	'BEGIN RAISE EXCEPTION ''evil operator''; END';
CREATE FUNCTION tap_evil.evil(a text, b text) RETURNS boolean LANGUAGE plpgsql AS
	'BEGIN RAISE EXCEPTION ''evil operator''; END';
CREATE OPERATOR tap_evil.= (FUNCTION = tap_evil.evil, LEFTARG = bigint, RIGHTARG = bigint);
CREATE OPERATOR tap_evil.< (FUNCTION = tap_evil.evil, LEFTARG = bigint, RIGHTARG = bigint);
CREATE OPERATOR tap_evil.= (FUNCTION = tap_evil.evil, LEFTARG = text, RIGHTARG = text);
CREATE FUNCTION tap_evil.sum(bigint) RETURNS bigint LANGUAGE plpgsql AS
	'BEGIN RAISE EXCEPTION ''evil function''; END';
CREATE FUNCTION tap_evil.now() RETURNS timestamptz LANGUAGE plpgsql AS
	'BEGIN RAISE EXCEPTION ''evil function''; END';
CREATE FUNCTION tap_evil.format(text, VARIADIC "any") RETURNS text LANGUAGE internal AS 'text_format';
CREATE FUNCTION tap_evil.to_regclass(text) RETURNS regclass LANGUAGE plpgsql AS
	'BEGIN RAISE EXCEPTION ''evil function''; END';
CREATE DOMAIN tap_evil.jsonb AS text;
DO $$
DECLARE
	t name;
BEGIN
	FOR t IN SELECT relname FROM pg_class WHERE relnamespace = 'ordertrack'::regnamespace
		AND relkind IN ('r', 'v') LOOP
		EXECUTE format('CREATE TEMP TABLE %I (evil text)', t);
		EXECUTE format('CREATE TABLE tap_evil.%I (evil text)', t);
	END LOOP;
END
$$;
CREATE FUNCTION pg_temp.under_evil(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	SET LOCAL search_path = tap_evil, pg_temp, pg_catalog;
	EXECUTE command INTO result;
	SET LOCAL search_path = public, pg_temp;
	RETURN result;
EXCEPTION WHEN OTHERS THEN
	RETURN SQLERRM;
END
$$;
SELECT is(pg_temp.under_evil(command), wanted, 'hostile search_path: ' || command) FROM (VALUES
	('SELECT result FROM ordertrack.redeem(''OFF'', ''evil'', ''{"source_id":"evil","amount":7}'', idempotency_key => ''evil'')', 'success'),
	('SELECT replayed FROM ordertrack.redeem(''OFF'', ''evil'', ''{"source_id":"evil","amount":7}'', idempotency_key => ''evil'')', 'true'),
	('SELECT result FROM ordertrack.validate(''OFF'', ''evil'', ''{"amount":7}'')', 'success'),
	('SELECT result FROM ordertrack.redeem_batch(''[{"code":"CARD","amount":1}]'')', 'success'),
	('SELECT failure_code FROM ordertrack.rollback_redemption(-1)', 'redemption_not_found'),
	('SELECT ordertrack.create_campaign(''evil'', redemption_limit => 5) IS NOT NULL', 'true'),
	('SELECT ordertrack.update_campaign(''evil'', customer_limit => 5)', ''),
	('SELECT ordertrack.create_voucher(''EVIL'', gift_amount => 5, campaign => ''evil'') IS NOT NULL', 'true'),
	('SELECT ordertrack.update_voucher(''EVIL'', redemption_limit => 9)', ''),
	('SELECT result FROM ordertrack.redeem(''EVIL'', ''evil'', ''{"amount":7}'')', 'success'),
	('SELECT ordertrack.put_customer(''evil'') IS NOT NULL', 'true'),
	('SELECT ordertrack.create_reward(''evil'', ''gift'', 0, segments => ''{all}'', stock => ''[{"color":"red","stock":5}]'', code_source => ''pool'') IS NOT NULL', 'true'),
	('SELECT ordertrack.add_reward_codes(''evil'', ''{a,b,a}'')', '2'),
	('SELECT ordertrack.add_reward_stock(''evil'', 5, ''red'')', '10'),
	('SELECT ordertrack.add_reward_stock(''evil'', 5, ''blue'')', '5'),
	('SELECT ordertrack.update_reward(''evil'', redemption_limit => 5, customer_limit => 5, clear => ''{metadata}'')', ''),
	('SELECT is_visible FROM ordertrack.reward_list WHERE name OPERATOR(pg_catalog.=) ''evil''', 'true'),
	('SELECT ordertrack.create_workspace(''evil'') IS NOT NULL', 'true'),
	('SELECT ordertrack.grant_points(''evil'', 5, ''2100-01-01'', idempotency_key => ''evil points'') IS NOT NULL', 'true'),
	('SELECT ordertrack.grant_points(''evil'', 5, ''2100-01-01'', idempotency_key => ''evil points'') IS NOT NULL', 'true'),
	('SELECT ordertrack.transfer_points(''evil'', ''anna'', 1, idempotency_key => ''evil transfer'')', ''),
	('SELECT active FROM ordertrack.points_balance(''evil'')', '4'),
	('SELECT ordertrack.cancel_points(ordertrack.grant_points(''evil'', 6))', '6'),
	('SELECT count(*) > 0 FROM ordertrack.expiring_points(''900 years'')', 'true'),
	('SELECT count(*) > 0 FROM ordertrack.point_lot_list', 'true'),
	('SELECT count(*) > 0 FROM ordertrack.export_point_movements', 'true'),
	('SELECT ordertrack.set_order_status(' || :o || ', ''completed'')', 'paid'),
	('SELECT ordertrack.update_order(' || :o || ', ''{"metadata":{}}'')', ''),
	('SELECT ordertrack.add_note(' || :o || ', ''x'') IS NOT NULL', 'true'),
	('UPDATE ordertrack.orders SET status = ''completed'' WHERE source_id OPERATOR(pg_catalog.=) ''evil'' RETURNING status', 'completed'),
	('SELECT result FROM ordertrack.mark_used(' || :mug || ')', 'success'),
	('SELECT ordertrack.set_delivery_status(' || :mug || ', ''shipped'')', 'ordered'),
	('UPDATE ordertrack.issued_rewards SET delivery_status = ''delivered'' WHERE issued_reward_id OPERATOR(pg_catalog.=) ' || :mug || ' RETURNING delivery_status', 'delivered'),
	('SELECT failure_code FROM ordertrack.unmark_used(''{' || :mug || '}''::bigint[])', 'delivery_started'),
	('SELECT ordertrack.set_cashback_status(' || :cash || ', 1)', '0'),
	('SELECT cashback_status FROM ordertrack.redeemed_rewards WHERE issued_reward_id OPERATOR(pg_catalog.=) ' || :cash, '1'),
	('SELECT ordertrack.create_order(''{"source_id":"evil life","items":[{"sku":"a","quantity":2,"price":50}]}'', ''evil'') > 0', 'true'),
	('SELECT result FROM ordertrack.order_list AS o, ordertrack.add_coupon(o.order_id, ''OFF'') WHERE o.source_id OPERATOR(pg_catalog.=) ''evil life''', 'success'),
	('SELECT result FROM ordertrack.order_list AS o, ordertrack.remove_coupon(o.order_id, ''OFF'') WHERE o.source_id OPERATOR(pg_catalog.=) ''evil life''', 'success'),
	('SELECT ordertrack.set_manual_discount(order_id, 10) FROM ordertrack.order_list WHERE source_id OPERATOR(pg_catalog.=) ''evil life''', '0'),
	('SELECT ordertrack.create_shipment(order_id) > 0 FROM ordertrack.order_list WHERE source_id OPERATOR(pg_catalog.=) ''evil life''', 'true'),
	('SELECT ordertrack.hold_order(order_id) FROM ordertrack.order_list WHERE source_id OPERATOR(pg_catalog.=) ''evil life''', 'created'),
	('SELECT ordertrack.release_order(order_id) FROM ordertrack.order_list WHERE source_id OPERATOR(pg_catalog.=) ''evil life''', 'created'),
	('SELECT ordertrack.add_payment(order_id, 90, idempotency_key => ''evil payment'') > 0 FROM ordertrack.order_list WHERE source_id OPERATOR(pg_catalog.=) ''evil life''', 'true'),
	('SELECT status FROM ordertrack.order_list WHERE source_id OPERATOR(pg_catalog.=) ''evil life''', 'paid'),
	('SELECT ordertrack.set_shipment_status(shipment_id, ''released'') FROM ordertrack.shipment_list WHERE order_source_id OPERATOR(pg_catalog.=) ''evil life''', 'inventory_assigned'),
	('UPDATE ordertrack.shipments SET status = ''packing'' WHERE status OPERATOR(pg_catalog.=) ''released'' RETURNING status', 'packing'),
	('SELECT result FROM ordertrack.shipment_list AS s, ordertrack.set_shipment_status(ARRAY[s.shipment_id], ''shipped'') WHERE order_source_id OPERATOR(pg_catalog.=) ''evil life''', 'success'),
	('SELECT ordertrack.create_return(order_id) > 0 FROM ordertrack.order_list WHERE source_id OPERATOR(pg_catalog.=) ''evil life''', 'true'),
	('SELECT ordertrack.receive_return(return_id) FROM ordertrack.return_list WHERE order_source_id OPERATOR(pg_catalog.=) ''evil life''', 'awaiting_completion'),
	('SELECT ordertrack.complete_return(return_id) FROM ordertrack.return_list WHERE order_source_id OPERATOR(pg_catalog.=) ''evil life''', '90'),
	('SELECT failure_code FROM ordertrack.order_list AS o, ordertrack.cancel_order(o.order_id) WHERE o.source_id OPERATOR(pg_catalog.=) ''evil''', 'order status cannot change from "completed" to "canceled"'),
	('SELECT ordertrack.order_as_of(order_id) ->> ''status'' FROM ordertrack.order_list WHERE source_id OPERATOR(pg_catalog.=) ''evil life''', 'completed'),
	('SELECT count(*) > 5 FROM ordertrack.order_list AS o, ordertrack.order_changes(o.order_id) WHERE o.source_id OPERATOR(pg_catalog.=) ''evil life''', 'true'),
	('SELECT count(*) FROM ordertrack.order_list AS o, ordertrack.verify_order(o.order_id) WHERE o.source_id OPERATOR(pg_catalog.=) ''evil life''', '0'),
	('SELECT count(*) FROM ordertrack.activity_since(NULL, 5)', '0'),
	('SELECT ordertrack.activity_cursor() IS NOT NULL', 'true'),
	('SELECT count(*) > 5 FROM ordertrack.order_activity_events', 'true'),
	('SELECT count(*) FROM ordertrack.verify_order(' || :o || ')', '0'),
	('SELECT count(*) > 3 FROM ordertrack.order_history(' || :o || ')', 'true'),
	('SELECT ordertrack.export_query(''orders'', ''{order_id}'')',
		'SELECT order_id FROM ordertrack.export_orders WHERE workspace_id = 1'),
	('SELECT count(*) > 0 FROM ordertrack.order_details', 'true'),
	('SELECT ordertrack.grant_access(''app'', ''tap nobody'')', ''),
	('SELECT ordertrack.revoke_access(''app'', ''tap nobody'')', ''),
	('SELECT ordertrack.setup() LIKE ''ordertrack:%''', 'true')) AS c (command, wanted);

SELECT * FROM finish();
ROLLBACK;

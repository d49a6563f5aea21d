-- History cannot be changed: by a superuser, by the owner of the tables, or
-- under session_replication_role = replica.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT * FROM no_plan();

CREATE ROLE tap_owner;
GRANT USAGE ON SCHEMA ordertrack TO tap_owner;
DO $$
DECLARE
	t regclass;
BEGIN
	FOR t IN SELECT oid FROM pg_class WHERE relnamespace = 'ordertrack'::regnamespace AND relkind = 'r' LOOP
		EXECUTE format('ALTER TABLE %s OWNER TO tap_owner', t);
	END LOOP;
END
$$;

SELECT ordertrack.create_campaign('camp'), ordertrack.create_voucher('CARD', gift_amount => 1000,
	campaign => 'camp'), ordertrack.create_workspace('empty'),
	ordertrack.create_order('{"source_id":"o","amount":900}', 'anna') AS o,
	ordertrack.create_order('{"source_id":"p"}') AS p,
	ordertrack.create_rule('rule', 'order', '$.order.amount > 1')
\gset
SELECT ordertrack.create_voucher('LINE', '{"type":"amount","amount_off":1,"effect":"apply_to_items"}'),
	ordertrack.redeem('LINE', NULL, '{"source_id":"q","items":[{"quantity":1,"price":900}]}')
\g /dev/null
SELECT ordertrack.grant_points('anna', 10, '2100-01-01'), ordertrack.grant_points('anna', 20), ordertrack.transfer_points('anna', 'anna 2', 15)
  FROM (SELECT ordertrack.put_customer('anna 2')) AS c
\g /dev/null
SELECT redemption_id AS r FROM ordertrack.redeem('CARD', 'anna', '{"source_id":"o"}', 500)
\gset
SELECT ordertrack.rollback_redemption(:r, 'why', 200), ordertrack.redeem('NONE'),
	ordertrack.set_order_status(:o, 'in_progress'), ordertrack.add_note(:o, 'custom')
\g /dev/null

INSERT INTO ordertrack.issued_rewards (workspace_id, redemption_id, reward_id, customer_id, order_id, reward_type,
	cost_in_points, active_points, active_from, created_at) VALUES (1, :r, 1, 1, :o, 'gift', 5, 0, now(), now());

-- What is to stay as it is.
CREATE FUNCTION pg_temp.state() RETURNS text LANGUAGE sql SECURITY DEFINER AS $$
	SELECT md5(concat(
		(SELECT string_agg(t::text, '|' ORDER BY t::text) FROM ordertrack.order_notes AS t),
		(SELECT string_agg(t::text, '|' ORDER BY t::text) FROM ordertrack.redemptions AS t),
		(SELECT string_agg(t::text, '|' ORDER BY t::text) FROM ordertrack.redemption_items AS t),
		(SELECT string_agg(t::text, '|' ORDER BY t::text) FROM ordertrack.orders AS t),
		(SELECT string_agg(t::text, '|' ORDER BY t::text) FROM ordertrack.vouchers AS t),
		(SELECT string_agg(t::text, '|' ORDER BY t::text) FROM ordertrack.campaigns AS t),
		(SELECT string_agg(t::text, '|' ORDER BY t::text) FROM ordertrack.customers AS t),
		(SELECT string_agg(t::text, '|' ORDER BY t::text) FROM ordertrack.rules AS t),
		(SELECT string_agg(t::text, '|' ORDER BY t::text) FROM ordertrack.issued_rewards AS t),
		(SELECT string_agg(t::text, '|' ORDER BY t::text) FROM ordertrack.point_movements AS t),
		(SELECT string_agg(t::text, '|' ORDER BY t::text) FROM ordertrack.point_lots AS t),
		(SELECT string_agg(t::text, '|' ORDER BY t::text) FROM ordertrack.point_accounts AS t),
		(SELECT string_agg(t::text, '|' ORDER BY t::text) FROM ordertrack.workspaces AS t)))
$$;

CREATE TEMP TABLE columns AS
SELECT c.relname AS t, a.attname AS col,
	CASE WHEN a.attname = 'workspace_id' THEN '2' WHEN a.atttypid = 'bytea'::regtype THEN '''\x00'''
		WHEN t.typbasetype = 'jsonb'::regtype OR a.atttypid = 'jsonb'::regtype THEN '''{"forged":1}'''
		WHEN a.atttypid = 'timestamptz'::regtype THEN '''2001-01-01''' WHEN a.atttypid = 'boolean'::regtype
			THEN 'true'
		WHEN a.attname = 'note_type' THEN '''custom''' WHEN a.attname = 'kind' THEN
				CASE c.relname WHEN 'point_movements' THEN '''canceled''' ELSE '''rollback''' END
			WHEN a.attname = 'result' THEN '''failure''' ELSE '77' END AS value
  FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  JOIN pg_type AS t ON t.oid = a.atttypid
 WHERE c.relnamespace = 'ordertrack'::regnamespace AND c.relname IN ('order_notes', 'redemptions', 'redemption_items', 'point_movements');

CREATE TEMP TABLE attacks (attack text);
INSERT INTO attacks
SELECT format('UPDATE ordertrack.%I SET %I = %s', t, col, value) FROM columns
UNION ALL SELECT format('UPDATE ordertrack.%I SET %s', t, 'workspace_id = workspace_id')
  FROM unnest('{order_notes,redemptions,redemption_items,point_movements}'::text[]) AS t
UNION ALL SELECT format(attack, t)
  FROM unnest('{order_notes,redemptions,redemption_items,orders,vouchers,campaigns,customers,rules,issued_rewards,workspaces,
	point_movements,point_lots,point_accounts}'::text[]) AS t,
	unnest(ARRAY[
	'DELETE FROM ordertrack.%I', 'TRUNCATE ordertrack.%I CASCADE',
	'TRUNCATE ONLY ordertrack.%I RESTART IDENTITY CASCADE',
	'DELETE FROM ordertrack.%1$I AS d USING ordertrack.%1$I AS u WHERE d.workspace_id = u.workspace_id',
	'WITH gone AS (DELETE FROM ordertrack.%I RETURNING *) SELECT count(*) FROM gone',
	'MERGE INTO ordertrack.%I AS t USING (SELECT 1::bigint AS w) AS s ON t.workspace_id = s.w WHEN MATCHED THEN DELETE',
	'UPDATE ordertrack.%I SET workspace_id = 2 WHERE workspace_id = 1']) AS attack
UNION ALL SELECT format('TRUNCATE %s', string_agg(format('ordertrack.%I', relname), ', ')) FROM pg_class
 WHERE relnamespace = 'ordertrack'::regnamespace AND relkind = 'r'
UNION ALL SELECT unnest(ARRAY[
	-- notes
	'UPDATE ordertrack.order_notes SET detail = ''forged'' WHERE note_type = ''custom''',
	'UPDATE ordertrack.order_notes SET detail = NULL, title = NULL, deleted_at = now() WHERE note_type = ''custom''',
	'MERGE INTO ordertrack.order_notes AS t USING (SELECT 1) AS s ON true WHEN MATCHED THEN UPDATE SET detail = ''forged''',
	'MERGE INTO ordertrack.order_notes AS t USING (SELECT * FROM ordertrack.order_notes) AS s ON false WHEN NOT MATCHED THEN INSERT VALUES (s.workspace_id,
		s.order_id, s.note_no + 100, s.note_type, s.event_type, s.channel, s.author, s.title, s.detail, s.data, s.created_at, s.edited_at, s.deleted_at, s.hash)',
	'INSERT INTO ordertrack.order_notes SELECT * FROM ordertrack.order_notes',
	'INSERT INTO ordertrack.order_notes SELECT * FROM ordertrack.order_notes ON CONFLICT DO NOTHING',
	'INSERT INTO ordertrack.order_notes SELECT * FROM ordertrack.order_notes ON CONFLICT ON CONSTRAINT order_notes_pkey DO UPDATE SET detail = ''forged''',
	-- keys of what history refers to
	'UPDATE ordertrack.orders SET order_id = order_id + 1000',
	'UPDATE ordertrack.vouchers SET voucher_id = voucher_id + 1000',
	'UPDATE ordertrack.vouchers SET code = code || ''?''',
	'UPDATE ordertrack.vouchers SET kind = ''discount'', discount = ''{}'', gift_amount = NULL, gift_balance = NULL',
	'UPDATE ordertrack.campaigns SET campaign_id = campaign_id + 1000',
	'UPDATE ordertrack.customers SET customer_id = customer_id + 1000',
	'UPDATE ordertrack.rules SET rule_id = rule_id + 1000', 'UPDATE ordertrack.rules SET name = ''other''',
	'UPDATE ordertrack.rules SET applies_to = ''customer''', 'UPDATE ordertrack.rules SET condition = ''1 == 1''',
	'UPDATE ordertrack.rules SET message = ''other''',
	-- points: the ledger, and the terms of a grant
	'MERGE INTO ordertrack.point_movements AS t USING (SELECT 1) AS s ON true WHEN MATCHED THEN UPDATE SET points = 1000',
	'INSERT INTO ordertrack.point_movements SELECT * FROM ordertrack.point_movements ON CONFLICT ON CONSTRAINT point_movements_pkey DO UPDATE SET balance = 1000',
	'UPDATE ordertrack.point_lots SET lot_id = lot_id + 1000', 'UPDATE ordertrack.point_lots SET customer_id = customer_id + 1000',
	'UPDATE ordertrack.point_lots SET points = points + 1', 'UPDATE ordertrack.point_lots SET expires_at = ''2101-01-01''',
	'UPDATE ordertrack.point_lots SET pending_until = ''2001-01-01''', 'UPDATE ordertrack.point_lots SET granted_at = ''2001-01-01''',
	'UPDATE ordertrack.point_lots SET transferred_from = 77',
	'MERGE INTO ordertrack.point_lots AS t USING (SELECT 1) AS s ON true WHEN MATCHED THEN UPDATE SET expires_at = ''infinity'', points = 1000',
	'UPDATE ordertrack.point_accounts SET customer_id = customer_id + 1000',
	'UPDATE ordertrack.workspaces SET workspace_id = workspace_id + 1000',
	-- what customers got, and its cancellation
	'UPDATE ordertrack.issued_rewards SET canceled_at = now()',
	'UPDATE ordertrack.issued_rewards SET cost_in_points = 0',
	'INSERT INTO ordertrack.issued_rewards SELECT * FROM ordertrack.issued_rewards ON CONFLICT (workspace_id, issued_reward_id) DO UPDATE SET canceled_at = now()',
	'MERGE INTO ordertrack.issued_rewards AS t USING (SELECT 1) AS s ON true WHEN MATCHED THEN UPDATE SET canceled_at = now()']);
INSERT INTO attacks
SELECT format('UPDATE ordertrack.issued_rewards SET %I = %s', column_name, CASE WHEN data_type ~ '^timestamp' THEN '''2001-01-01'''
	WHEN column_name = 'reward_type' THEN '''value_code''' ELSE '77' END) FROM information_schema.columns
 WHERE table_schema = 'ordertrack' AND table_name = 'issued_rewards'
   AND column_name NOT IN ('used_at', 'delivery_status', 'cashback_code', 'cashback_detail_code', 'cashback_message');
INSERT INTO attacks
SELECT unnest(ARRAY[
	-- the head of a history
	'UPDATE ordertrack.orders SET note_count = note_count + 1',
	'UPDATE ordertrack.orders SET note_count = 0, note_hash = NULL',
	'UPDATE ordertrack.orders SET note_hash = sha256(''forged'')',
	'UPDATE ordertrack.orders SET note_hash = NULL',
	'UPDATE ordertrack.orders SET status = ''completed'', note_count = note_count + 1 WHERE status = ''in_progress''',
	'UPDATE ordertrack.orders SET note_count = note_count - 1, metadata = ''{"forged":1}''',
	'INSERT INTO ordertrack.orders (workspace_id, status, note_count) VALUES (1, ''created'', 1)',
	'INSERT INTO ordertrack.orders (workspace_id, status, note_hash) VALUES (1, ''created'', sha256(''forged''))',
	'INSERT INTO ordertrack.orders (workspace_id, source_id, status) VALUES (1, ''o'', ''created'') ON CONFLICT (workspace_id, source_id) DO UPDATE SET note_count = 0',
	'INSERT INTO ordertrack.redemptions SELECT * FROM ordertrack.redemptions ON CONFLICT (workspace_id, redemption_id) DO UPDATE SET amount = 0',
	'MERGE INTO ordertrack.redemptions AS t USING (SELECT 1) AS s ON true WHEN MATCHED THEN UPDATE SET amount = 0',
	'UPDATE pg_temp.notes_view SET title = ''forged''', 'DELETE FROM pg_temp.notes_view',
	'UPDATE pg_temp.redemptions_view SET actor = ''forged''']);
-- a forged note of either type: next number, number in between, after the last, of no order
INSERT INTO attacks
SELECT
	format('INSERT INTO ordertrack.order_notes (workspace_id, order_id, note_no, note_type, event_type, author, detail, created_at, hash)
	VALUES (%s, %s, %s, %L, ''none'', ''tap'', ''forged'', now(), %L)', w, id, n, note_type, sha256('forged'))
  FROM (VALUES (1, :o), (1, :p), (1, -1), (2, 1)) AS o (w, id), unnest('{0,1,2,3,7,8}'::integer[]) AS n,
	unnest('{system,custom}'::text[]) AS note_type;

CREATE VIEW pg_temp.notes_view AS SELECT * FROM ordertrack.order_notes;
CREATE VIEW pg_temp.redemptions_view AS SELECT * FROM ordertrack.redemptions;
ALTER VIEW pg_temp.notes_view OWNER TO tap_owner;
ALTER VIEW pg_temp.redemptions_view OWNER TO tap_owner;
GRANT ALL ON pg_temp.notes_view, pg_temp.redemptions_view TO PUBLIC;

CREATE FUNCTION pg_temp.try(attack text, who text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	IF who = 'replica' THEN
		SET LOCAL session_replication_role = replica;
	ELSIF who = 'owner' THEN
		SET LOCAL ROLE tap_owner;
	END IF;
	EXECUTE attack;
	RAISE EXCEPTION USING ERRCODE = 'ZZ999';
EXCEPTION WHEN OTHERS THEN
	RETURN CASE SQLSTATE WHEN 'ZZ999' THEN 'done' ELSE SQLSTATE END;
END
$$;
SELECT pg_temp.state() AS state
\gset
SELECT is(pg_temp.try(attack, who), 'OT020', format('%s: %s', who,
	left(regexp_replace(attack, '\s+', ' ', 'g'), 150)))
  FROM attacks, unnest('{superuser,owner,replica}'::text[]) AS who;
SELECT is(pg_temp.try('INSERT INTO ordertrack.orders SELECT * FROM ordertrack.orders ON CONFLICT DO NOTHING', who),
	'done', who || ': inserts nothing, and is not refused') FROM unnest('{superuser,owner,replica}'::text[]) AS who;
SELECT
	is(pg_temp.try(format('COPY ordertrack.order_notes (workspace_id, order_id, note_no, note_type, event_type, author, created_at, hash) FROM PROGRAM %L',
		format('printf ''%s''', replace(format('1,%s,%s,%s,none,tap,2001-01-01,forged', :o, n, note_type), ',',
			'\t'))), who), 'OT020', format('%s: COPY of a %s note', who, note_type))
  FROM unnest('{superuser,replica}'::text[]) AS who, unnest('{system,custom}'::text[]) AS note_type,
	unnest('{6,7}'::integer[]) AS n;
SELECT is(pg_temp.state(), :'state', 'nothing has changed');

-- Nothing rides along with a note that is written, or edited, in the same breath.
SELECT note_no AS custom FROM ordertrack.order_notes WHERE order_id = :o AND note_type = 'custom'
\gset
SELECT is(pg_temp.try(format(attack, :o, :custom), 'superuser'), 'OT020',
	regexp_replace(attack, '\s+', ' ', 'g')) FROM unnest(ARRAY[
	'WITH n AS (SELECT ordertrack.add_note(%1$s, ''x'') AS n) INSERT INTO ordertrack.order_notes SELECT 1, %1$s, n + 1, ''custom'', ''none'', NULL, ''tap'', NULL, ''forged'', NULL, now(), NULL, NULL, sha256(''x'') FROM n',
	'DO $do$ BEGIN PERFORM ordertrack.add_note(%1$s, ''x''); INSERT INTO ordertrack.order_notes SELECT * FROM ordertrack.order_notes WHERE order_id = %1$s ORDER BY note_no DESC LIMIT 1; END $do$',
	'DO $do$ BEGIN PERFORM ordertrack.edit_note(%1$s, %2$s, ''x''); UPDATE ordertrack.order_notes SET detail = ''forged'' WHERE order_id = %1$s AND note_no = %2$s; END $do$',
	'DO $do$ BEGIN PERFORM ordertrack.delete_note(%1$s, %2$s); UPDATE ordertrack.order_notes SET deleted_at = NULL, detail = ''custom'' WHERE order_id = %1$s AND note_no = %2$s; END $do$',
	'DO $do$ BEGIN BEGIN PERFORM ordertrack.edit_note(%1$s, 99, ''x''); EXCEPTION WHEN SQLSTATE ''OT001'' THEN NULL; END;
		UPDATE ordertrack.order_notes SET detail = ''forged'' WHERE order_id = %1$s AND note_no = %2$s; END $do$',
	'DO $do$ BEGIN PERFORM ordertrack.create_order(''{}''); INSERT INTO ordertrack.orders (workspace_id, status, note_count) VALUES (1, ''created'', 1); END $do$']) AS attack;

-- What is no history may change: an order's other columns, a name, dates; and
-- the trigger of orders holds for a replica role, too.
SELECT lives_ok(command, command) FROM unnest(ARRAY['UPDATE ordertrack.orders SET metadata = ''{"a":1}''',
	'UPDATE ordertrack.campaigns SET name = ''new name''',
	'UPDATE ordertrack.customers SET email = ''new''', 'UPDATE ordertrack.workspaces SET name = name || ''!''',
	'UPDATE ordertrack.vouchers SET is_active = false',
	'UPDATE ordertrack.vouchers SET code = code, kind = kind', 'DELETE FROM ordertrack.idempotency_keys',
	'DELETE FROM ordertrack.personal_values']) AS command;
SELECT is(pg_temp.try('UPDATE ordertrack.orders SET status = ''paid'' WHERE status = ''in_progress''', who),
	'OT010', who || ': a forbidden move') FROM unnest('{superuser,owner,replica}'::text[]) AS who;
SET LOCAL session_replication_role = replica;
UPDATE ordertrack.orders SET status = 'completed' WHERE order_id = :o;
SET LOCAL session_replication_role = origin;
SELECT is(event_type, 'order_completed', 'a move of a replica role has its note') FROM ordertrack.order_notes
 WHERE order_id = :o ORDER BY note_no DESC LIMIT 1;
SELECT is_empty('SELECT v.* FROM ordertrack.orders AS o, ordertrack.verify_order(o.order_id) AS v',
	'all histories verify');

-- The guards are triggers and nothing else.
SELECT throws_ok(format('SELECT ordertrack.%I()', p.proname), NULL, NULL, p.proname || ' cannot be called')
  FROM pg_proc AS p WHERE p.pronamespace = 'ordertrack'::regnamespace AND p.prorettype = 'trigger'::regtype;

SELECT * FROM finish();
ROLLBACK;

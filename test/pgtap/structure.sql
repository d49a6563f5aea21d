-- How the extension is put together, read from the catalog: what belongs to it,
-- what depends on it, how functions are declared, comments, keys, triggers.
BEGIN;
SELECT * FROM no_plan();

CREATE TEMP TABLE members AS SELECT d.classid, d.objid FROM pg_depend AS d
 WHERE d.refclassid = 'pg_extension'::regclass
   AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'ordertrack') AND d.deptype = 'e';

-- Members are functions and composite types; tables, views and sequences are the user's.
SELECT is_empty($$SELECT pg_describe_object(classid, objid, 0) FROM members
	WHERE classid NOT IN ('pg_proc'::regclass, 'pg_type'::regclass)$$, 'members are functions and types');
SELECT is_empty($$SELECT oid::regtype FROM pg_type JOIN members ON classid = 'pg_type'::regclass AND objid = oid
	WHERE typtype <> 'c'
	AND NOT EXISTS (SELECT FROM pg_type AS e WHERE e.typarray = pg_type.oid)$$, 'types are composite');
SELECT is_empty($$SELECT pg_describe_object(d.classid, d.objid, d.objsubid) FROM pg_depend AS d
	WHERE d.deptype IN ('e', 'x') AND d.classid = 'pg_class'::regclass
	AND d.refclassid = 'pg_extension'::regclass
		AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'ordertrack')$$,
		'no table, view, sequence or index is a member');
SELECT is_empty($$SELECT p.oid::regprocedure FROM pg_proc AS p WHERE p.pronamespace = 'ordertrack'::regnamespace
	AND NOT EXISTS (SELECT FROM members WHERE classid = 'pg_proc'::regclass AND objid = p.oid)$$,
	'every function is a member');
SELECT is((SELECT count(*) FROM pg_class WHERE relnamespace = 'ordertrack'::regnamespace AND relkind = 'S'
	AND oid::regclass::text !~ '_seq$'), 0::bigint, 'sequences are those of identities');

-- Only triggers depend on it (what is inside of a member does not count).
SELECT is_empty($$SELECT pg_describe_object(d.classid, d.objid, d.objsubid),
	pg_describe_object(d.refclassid, d.refobjid, d.refobjsubid) FROM pg_depend AS d
	  JOIN members AS m ON m.classid = d.refclassid AND m.objid = d.refobjid
	 WHERE d.deptype <> 'i' AND d.classid <> 'pg_trigger'::regclass
		AND NOT EXISTS (SELECT FROM members AS i WHERE i.classid = d.classid AND i.objid = d.objid)$$,
	'nothing but triggers depends on a member');
-- A column of a table that has a member's type would depend on the type's array or row.
SELECT is_empty($$SELECT a.attrelid::regclass, a.attname FROM pg_attribute AS a
	JOIN pg_class AS c ON c.oid = a.attrelid AND c.relkind IN ('r', 'v', 'm', 'p')
		JOIN pg_type AS t ON t.oid = a.atttypid
	 WHERE a.attnum > 0 AND (t.oid IN (SELECT objid FROM members) OR t.typelem IN (SELECT objid FROM members)
		OR t.typbasetype IN (SELECT objid FROM members))$$, 'no column has a type of the extension');
SELECT is_empty($$SELECT c.oid::regclass, f.proname FROM pg_proc AS f JOIN members ON objid = f.oid,
	pg_class AS c WHERE c.relnamespace = 'ordertrack'::regnamespace AND c.relkind = 'v'
	AND pg_get_viewdef(c.oid) ~ ('\m' || f.proname || '\(')$$, 'no view calls a function of the extension');

-- No signature names a table's row type.
SELECT is_empty($$SELECT p.oid::regprocedure FROM pg_proc AS p
	CROSS JOIN LATERAL unnest(array_append(coalesce(p.proallargtypes, p.proargtypes::oid[]),
		p.prorettype)) AS a (type)
	  JOIN pg_type AS t ON t.oid = a.type LEFT JOIN pg_type AS e ON e.oid = t.typelem
		JOIN pg_class AS c ON c.oid IN (t.typrelid, e.typrelid)
	 WHERE p.pronamespace = 'ordertrack'::regnamespace AND c.relkind <> 'c'$$, 'no signature names a table');
SELECT is_empty($$SELECT p.oid::regprocedure FROM pg_proc AS p
	CROSS JOIN LATERAL unnest(array_append(coalesce(p.proallargtypes, p.proargtypes::oid[]),
		p.prorettype)) AS a (type)
	  JOIN pg_type AS t ON t.oid = a.type WHERE p.pronamespace = 'ordertrack'::regnamespace
		AND t.typnamespace = 'ordertrack'::regnamespace
	AND NOT EXISTS (SELECT FROM members WHERE classid = 'pg_type'::regclass AND objid = t.oid)$$,
	'no signature names a type that is the user''s');

-- How functions are declared.
CREATE TEMP TABLE functions AS SELECT p.*, p.oid::regprocedure::text AS signature,
	p.prorettype = 'trigger'::regtype AS is_trigger
  FROM pg_proc AS p WHERE p.pronamespace = 'ordertrack'::regnamespace;
SELECT ok(NOT proisstrict, 'not STRICT: ' || signature) FROM functions;
SELECT is(proparallel::text, CASE provolatile WHEN 'v' THEN 'u' ELSE 's' END, 'PARALLEL ' || CASE provolatile
	WHEN 'v' THEN 'UNSAFE' ELSE 'SAFE' END || ': ' || signature) FROM functions;
SELECT is((SELECT provolatile::text FROM functions WHERE proname = reader), 's', 'STABLE: ' || reader)
  FROM unnest('{validate,order_history,verify_order,export_query,unarmed_triggers,segment_customers,
	points_balance,expiring_points,can_redeem_reward,order_as_of,order_changes,activity_since,activity_cursor}'::text[]) AS reader;
SELECT is((SELECT string_agg(DISTINCT provolatile::text, '') FROM functions WHERE proname = writer), 'v', 'VOLATILE: ' || writer)
  FROM unnest('{redeem,redeem_batch,reserve,release_reservation,rollback_redemption,create_order,update_order,
	set_order_status,mark_used,unmark_used,set_delivery_status,set_cashback_status,add_note,edit_note,delete_note,put_customer,create_workspace,create_campaign,update_campaign,create_voucher,update_voucher,create_rule,assign_rule,unassign_rule,create_segment,grant_access,revoke_access,setup,
	create_reward,update_reward,add_reward_codes,add_reward_stock,redeem_reward,
	grant_points,cancel_points,transfer_points,create_shipment,set_shipment_status,hold_order,release_order,cancel_order,
	add_coupon,remove_coupon,set_manual_discount,add_payment,create_refund,set_payment_status,create_return,receive_return,complete_return,cancel_return}'::text[]) AS writer;
SELECT is_empty($$SELECT signature FROM functions WHERE provolatile = 'i'
	AND prolang = (SELECT oid FROM pg_language WHERE lanname = 'c')$$,
	'no C function is IMMUTABLE: each reads tables');
SELECT ok('search_path=pg_catalog, pg_temp' = ANY (proconfig), 'a search_path of its own: ' || signature)
  FROM functions WHERE NOT is_trigger OR prosecdef;
-- these take one or many
SELECT is(count(*), CASE WHEN proname IN ('mark_used', 'unmark_used', 'set_shipment_status') THEN 2 ELSE 1 END::bigint, 'one function ' || proname)
  FROM functions GROUP BY proname;
SELECT is(p.proargnames[p.pronargs] || ' ' || pg_get_function_arg_default(p.oid, p.pronargs), 'workspace 1',
	'last parameter, workspace bigint DEFAULT 1: ' || signature)
  FROM functions AS p WHERE proname IN (SELECT object_name FROM ordertrack.access_rights()
	WHERE object_type = 'function')
	-- these are for the whole installation
	AND proname NOT IN ('create_workspace', 'unarmed_triggers');

-- Every object has a comment.
SELECT isnt(obj_description(oid, 'pg_proc'), NULL, 'comment on function ' || signature) FROM functions;
SELECT isnt(obj_description(oid, 'pg_class'), NULL, 'comment on ' || oid::regclass) FROM pg_class
 WHERE relnamespace = 'ordertrack'::regnamespace AND relkind IN ('r', 'v', 'p', 'm');
SELECT isnt(coalesce(obj_description(t.oid, 'pg_type'), obj_description(t.typrelid, 'pg_class')), NULL,
	'comment on type ' || t.oid::regtype) FROM pg_type AS t LEFT JOIN pg_class AS c ON c.oid = t.typrelid
 WHERE t.typnamespace = 'ordertrack'::regnamespace AND (t.typtype IN ('d', 'e', 'r') OR c.relkind = 'c');
SELECT isnt(obj_description(t.oid, 'pg_trigger'), NULL, 'comment on trigger ' || t.tgname) FROM pg_trigger AS t
  JOIN pg_class AS c ON c.oid = t.tgrelid
 WHERE c.relnamespace = 'ordertrack'::regnamespace AND NOT t.tgisinternal;
SELECT is_empty($$SELECT r.relname, a.attname FROM pg_class AS r
	JOIN pg_attribute AS a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
	WHERE r.relnamespace = 'ordertrack'::regnamespace AND r.relkind IN ('r', 'v', 'p', 'm', 'c')
	AND col_description(r.oid, a.attnum) IS NULL$$, 'comment on every column of tables, views and types');
SELECT isnt(obj_description('ordertrack'::regnamespace, 'pg_namespace'), NULL, 'comment on the schema');
SELECT isnt(obj_description(oid, 'pg_extension'), NULL, 'comment on the extension') FROM pg_extension
 WHERE extname = 'ordertrack';

-- Triggers are always enabled.
SELECT is(t.tgenabled::text, 'A', 'always enabled: ' || t.tgname) FROM pg_trigger AS t
  JOIN pg_proc AS p ON p.oid = t.tgfoid WHERE p.pronamespace = 'ordertrack'::regnamespace
   AND NOT t.tgisinternal;
SELECT is_empty('SELECT * FROM ordertrack.unarmed_triggers()', 'none is missing');
SELECT bag_eq('SELECT table_name, trigger_name FROM ordertrack.guard_triggers()', $$SELECT c.relname::text,
	t.tgname::text FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
	WHERE c.relnamespace = 'ordertrack'::regnamespace AND NOT t.tgisinternal$$, 'there are no others');

-- Tables: workspace_id leads every key, index and foreign key; created_at everywhere.
CREATE TEMP TABLE tables AS SELECT c.oid, c.relname::text AS name FROM pg_class AS c
 WHERE c.relnamespace = 'ordertrack'::regnamespace AND c.relkind = 'r';
SELECT bag_eq('SELECT name FROM tables', $$SELECT
	unnest('{installation,access_grants,workspaces,customers,campaigns,vouchers,voucher_customers,campaign_customers,status_transitions,
	orders,order_items,order_notes,personal_values,redemptions,redemption_items,idempotency_keys,period_counts,limit_stripes,
	rules,voucher_rules,campaign_rules,segments,segment_members,reservations,
	point_accounts,point_lots,point_movements,rewards,reward_segments,reward_customers,reward_variants,reward_codes,issued_rewards,
	shipments,shipment_items,payments,returns,return_items,return_receipts,manual_discounts}'::text[])$$, 'the tables');
SELECT is(a.attname::text, 'workspace_id', 'first column of ' || t.name) FROM tables AS t
  JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attnum = 1
 WHERE name NOT IN ('installation', 'access_grants');
SELECT has_column('ordertrack', t.name, CASE t.name WHEN 'installation' THEN 'updated_at' ELSE 'created_at' END,
	'time of rows of ' || t.name) FROM tables AS t;
SELECT is(a.attname::text, 'workspace_id', 'first column of index ' || i.indexrelid::regclass)
  FROM pg_index AS i JOIN tables AS t ON t.oid = i.indrelid JOIN pg_class AS c ON c.oid = i.indexrelid
  JOIN pg_am AS m ON m.oid = c.relam AND m.amname = 'btree' JOIN pg_attribute AS a ON a.attrelid = i.indrelid
   AND a.attnum = i.indkey[0]
 WHERE t.name NOT IN ('installation', 'access_grants') AND c.relname <> 'workspaces_name_key';
SELECT is(a.attname::text, 'workspace_id', 'first column of foreign key ' || k.conname) FROM pg_constraint AS k
  JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
 WHERE k.connamespace = 'ordertrack'::regnamespace AND k.contype = 'f';
SELECT ok(EXISTS (SELECT FROM pg_constraint AS k WHERE k.conrelid = t.oid AND k.contype IN ('p', 'u')),
	t.name || ' has a key') FROM tables AS t;
SELECT is_empty($$SELECT attrelid::regclass, attname FROM pg_attribute JOIN tables ON attrelid = tables.oid
	WHERE attnum > 0 AND (atttypid IN ('float4'::regtype, 'float8'::regtype, 'money'::regtype)
	OR (attname ~ '(amount|balance|total|price|points|points_left|spent|expired)$' AND attname !~ '^may_'
		AND (SELECT coalesce(nullif(typbasetype, 0), pg_type.oid) FROM pg_type
			WHERE pg_type.oid = atttypid) <> 'bigint'::regtype))$$, 'amounts are bigint');
SELECT is(a.attcollation::regcollation::text, '"C"', format('collation of %s.%s', t.name, a.attname))
  FROM tables AS t JOIN pg_attribute AS a ON a.attrelid = t.oid
 WHERE (t.name, a.attname) IN (('vouchers', 'code'), ('redemptions', 'code'), ('redemptions', 'customer'),
	('customers', 'source_id'), ('reservations', 'reservation_key'), ('reservations', 'code'), ('reservations', 'customer'), ('orders', 'source_id'), ('idempotency_keys', 'idempotency_key'),
	('issued_rewards', 'code'), ('rewards', 'name'), ('rewards', 'shared_code'), ('reward_codes', 'code'), ('reward_variants', 'color'), ('reward_variants', 'size'));
SELECT is_empty($$SELECT e.oid::regtype FROM pg_type AS e WHERE e.typnamespace = 'ordertrack'::regnamespace
	AND e.typtype = 'e'$$, 'no enum types');

-- Readers can run in parallel workers, and answer the same there.
SELECT ordertrack.create_voucher('OFF', '{"type":"percent","percent_off":10}', redemption_limit => 5,
	customer_limit => 2), ordertrack.create_order('{"source_id":"o","amount":900}', 'anna') AS o
\gset
SELECT ordertrack.redeem('OFF', 'anna', '{"source_id":"o"}'), ordertrack.grant_points('anna', 5, '2100-01-01')
\g /dev/null
SELECT v::text AS alone_validated FROM ordertrack.validate('OFF', 'anna', '{"amount":50}') AS v
\gset
SELECT string_agg(h::text, ';') AS alone_history FROM ordertrack.order_history(:o) AS h
\gset
SELECT count(*) AS alone_findings FROM ordertrack.verify_order(:o)
\gset
SELECT ordertrack.export_query('orders', '{order_id}') AS alone_query
\gset
SELECT b::text || e::text AS alone_points FROM ordertrack.points_balance('anna') AS b, ordertrack.expiring_points('999 years') AS e
\gset
SET LOCAL force_parallel_mode = on;
SELECT v::text AS parallel_validated FROM ordertrack.validate('OFF', 'anna', '{"amount":50}') AS v
\gset
SELECT string_agg(h::text, ';') AS parallel_history FROM ordertrack.order_history(:o) AS h
\gset
SELECT count(*) AS parallel_findings FROM ordertrack.verify_order(:o)
\gset
SELECT ordertrack.export_query('orders', '{order_id}') AS parallel_query
\gset
SELECT b::text || e::text AS parallel_points FROM ordertrack.points_balance('anna') AS b, ordertrack.expiring_points('999 years') AS e
\gset
SET LOCAL force_parallel_mode = off;
SELECT is(:'parallel_validated'::text, :'alone_validated', 'validate in a parallel worker');
SELECT is(:'parallel_history'::text, :'alone_history', 'order_history in a parallel worker');
SELECT is(:'parallel_findings'::text || :'alone_findings', '00', 'verify_order in a parallel worker');
SELECT is(:'parallel_query'::text, :'alone_query', 'export_query in a parallel worker');
SELECT is(:'parallel_points'::text, :'alone_points', 'points_balance and expiring_points in a parallel worker');

SELECT * FROM finish();
ROLLBACK;

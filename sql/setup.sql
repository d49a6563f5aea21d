-- setup(): makes the tables, brings them up to the installed version, arms the
-- triggers and grants again. Install, upgrade and repair are the same code.

-- One place says which triggers there are: setup() arms them, verify_order()
-- looks whether they are armed.
CREATE FUNCTION ordertrack.guard_triggers()
RETURNS TABLE (table_name text, trigger_name text, definition text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	-- definition is spelled as pg_get_triggerdef() spells it
	SELECT t.table_name, t.table_name || t.suffix,
		format('CREATE TRIGGER %I %s ON ordertrack.%I FOR EACH %s EXECUTE FUNCTION ordertrack.%s()',
			t.table_name || t.suffix, t.events, t.table_name, t.level, t.function_name)
	  FROM (VALUES
		('redemptions', '_guard_history', 'BEFORE DELETE OR UPDATE', 'ROW', 'guard_history'),
		('redemptions', '_guard_truncate', 'BEFORE TRUNCATE', 'STATEMENT', 'guard_history'),
		('redemption_items', '_guard_history', 'BEFORE DELETE OR UPDATE', 'ROW', 'guard_history'),
		('redemption_items', '_guard_truncate', 'BEFORE TRUNCATE', 'STATEMENT', 'guard_history'),
		('order_notes', '_guard_history', 'BEFORE INSERT OR DELETE OR UPDATE', 'ROW', 'guard_history'),
		('order_notes', '_guard_truncate', 'BEFORE TRUNCATE', 'STATEMENT', 'guard_history'),
		('orders', '_guard_status', 'BEFORE UPDATE', 'ROW', 'orders_guard_status'),
		('orders', '_guard_insert', 'AFTER INSERT', 'ROW', 'orders_guard_insert'),
		('orders', '_write_history', 'AFTER UPDATE', 'ROW', 'orders_write_history'),
		('orders', '_guard_parent', 'BEFORE DELETE OR UPDATE OF workspace_id, order_id', 'ROW', 'guard_parent'),
		('orders', '_guard_truncate', 'BEFORE TRUNCATE', 'STATEMENT', 'guard_parent'),
		('order_items', '_guard_quantity', 'AFTER DELETE OR UPDATE OF workspace_id, order_id, line_no, quantity', 'ROW', 'order_items_guard_quantity'),
		('vouchers', '_guard_parent', 'BEFORE DELETE OR UPDATE OF workspace_id, voucher_id, code, kind', 'ROW', 'guard_parent'),
		('vouchers', '_guard_truncate', 'BEFORE TRUNCATE', 'STATEMENT', 'guard_parent'),
		('campaigns', '_guard_parent', 'BEFORE DELETE OR UPDATE OF workspace_id, campaign_id', 'ROW', 'guard_parent'),
		('campaigns', '_guard_truncate', 'BEFORE TRUNCATE', 'STATEMENT', 'guard_parent'),
		('rules', '_guard_parent', 'BEFORE DELETE OR UPDATE OF workspace_id, rule_id, name, applies_to, condition, message', 'ROW', 'guard_parent'),
		('rules', '_guard_truncate', 'BEFORE TRUNCATE', 'STATEMENT', 'guard_parent'),
		('rewards', '_guard_parent', 'BEFORE DELETE OR UPDATE OF workspace_id, reward_id, name, type', 'ROW', 'guard_parent'),
		('rewards', '_guard_truncate', 'BEFORE TRUNCATE', 'STATEMENT', 'guard_parent'),
		('point_movements', '_guard_history', 'BEFORE DELETE OR UPDATE', 'ROW', 'guard_history'),
		('point_movements', '_guard_truncate', 'BEFORE TRUNCATE', 'STATEMENT', 'guard_history'),
		('point_lots', '_guard_parent', 'BEFORE DELETE OR UPDATE OF workspace_id, lot_id, customer_id, points, expires_at, pending_until, granted_at, transferred_from', 'ROW', 'guard_parent'),
		('point_lots', '_guard_truncate', 'BEFORE TRUNCATE', 'STATEMENT', 'guard_parent'),
		('point_accounts', '_guard_parent', 'BEFORE DELETE OR UPDATE OF workspace_id, customer_id', 'ROW', 'guard_parent'),
		('point_accounts', '_guard_truncate', 'BEFORE TRUNCATE', 'STATEMENT', 'guard_parent'),
		('issued_rewards', '_guard_parent', 'BEFORE DELETE OR UPDATE OF workspace_id, issued_reward_id, redemption_id, reward_id, customer_id, order_id, reward_type, code, color, size, cost_in_points, active_points, tax_value, value, active_from, expires_at, created_at', 'ROW', 'guard_parent'),
		('issued_rewards', '_guard_status', 'BEFORE INSERT OR UPDATE', 'ROW', 'issued_rewards_guard_status'),
		('issued_rewards', '_write_history', 'AFTER UPDATE', 'ROW', 'issued_rewards_write_history'),
		('issued_rewards', '_guard_truncate', 'BEFORE TRUNCATE', 'STATEMENT', 'guard_parent'),
		('shipments', '_guard_insert', 'BEFORE INSERT', 'ROW', 'guard_insert'),
		('shipments', '_guard_status', 'BEFORE INSERT OR UPDATE', 'ROW', 'shipments_guard_status'),
		('shipments', '_write_history', 'AFTER INSERT OR UPDATE', 'ROW', 'shipments_write_history'),
		('shipments', '_guard_parent', 'BEFORE DELETE OR UPDATE OF workspace_id, shipment_id, order_id, created_at', 'ROW', 'guard_parent'),
		('shipments', '_guard_truncate', 'BEFORE TRUNCATE', 'STATEMENT', 'guard_parent'),
		('shipment_items', '_guard_insert', 'BEFORE INSERT', 'ROW', 'guard_insert'),
		('shipment_items', '_guard_quantity', 'AFTER INSERT', 'ROW', 'shipment_items_guard_quantity'),
		('shipment_items', '_guard_history', 'BEFORE DELETE OR UPDATE', 'ROW', 'guard_history'),
		('shipment_items', '_guard_truncate', 'BEFORE TRUNCATE', 'STATEMENT', 'guard_history'),
		('payments', '_guard_insert', 'BEFORE INSERT', 'ROW', 'guard_insert'),
		('payments', '_guard_parent', 'BEFORE DELETE OR UPDATE OF workspace_id, payment_id, order_id, return_id, transaction_type, method, amount, created_by, actor, channel, created_at', 'ROW', 'guard_parent'),
		('payments', '_guard_status', 'BEFORE INSERT OR UPDATE', 'ROW', 'payments_guard_status'),
		('payments', '_write_history', 'AFTER INSERT OR UPDATE', 'ROW', 'payments_write_history'),
		('payments', '_guard_truncate', 'BEFORE TRUNCATE', 'STATEMENT', 'guard_parent'),
		('returns', '_guard_insert', 'BEFORE INSERT', 'ROW', 'guard_insert'),
		('returns', '_guard_parent', 'BEFORE DELETE OR UPDATE OF workspace_id, return_id, order_id, exchange_order_id, created_at', 'ROW', 'guard_parent'),
		('returns', '_guard_status', 'BEFORE INSERT OR UPDATE', 'ROW', 'returns_guard_status'),
		('returns', '_write_history', 'AFTER INSERT OR UPDATE', 'ROW', 'returns_write_history'),
		('returns', '_guard_truncate', 'BEFORE TRUNCATE', 'STATEMENT', 'guard_parent'),
		('return_items', '_guard_insert', 'BEFORE INSERT', 'ROW', 'guard_insert'),
		('return_items', '_guard_history', 'BEFORE DELETE OR UPDATE', 'ROW', 'guard_history'),
		('return_items', '_guard_units', 'AFTER INSERT', 'ROW', 'return_items_guard_units'),
		('return_items', '_guard_truncate', 'BEFORE TRUNCATE', 'STATEMENT', 'guard_history'),
		('return_receipts', '_guard_insert', 'BEFORE INSERT', 'ROW', 'guard_insert'),
		('return_receipts', '_guard_history', 'BEFORE DELETE OR UPDATE', 'ROW', 'guard_history'),
		('return_receipts', '_guard_units', 'AFTER INSERT', 'ROW', 'return_receipts_guard_units'),
		('return_receipts', '_guard_truncate', 'BEFORE TRUNCATE', 'STATEMENT', 'guard_history'),
		('manual_discounts', '_guard_insert', 'BEFORE INSERT', 'ROW', 'guard_insert'),
		('manual_discounts', '_guard_change', 'BEFORE UPDATE', 'ROW', 'guard_change'),
		('manual_discounts', '_guard_parent', 'BEFORE DELETE OR UPDATE OF workspace_id, order_id, created_at', 'ROW', 'guard_parent'),
		('manual_discounts', '_guard_truncate', 'BEFORE TRUNCATE', 'STATEMENT', 'guard_parent'),
		('customers', '_guard_parent', 'BEFORE DELETE OR UPDATE OF workspace_id, customer_id', 'ROW', 'guard_parent'),
		('customers', '_guard_truncate', 'BEFORE TRUNCATE', 'STATEMENT', 'guard_parent'),
		('workspaces', '_guard_parent', 'BEFORE DELETE OR UPDATE OF workspace_id', 'ROW', 'guard_parent'),
		('workspaces', '_guard_truncate', 'BEFORE TRUNCATE', 'STATEMENT', 'guard_parent')
	  ) AS t (table_name, suffix, events, level, function_name)
$$;
COMMENT ON FUNCTION ordertrack.guard_triggers() IS
'the triggers that guard the tables, each ENABLE ALWAYS';

-- Triggers that are missing, altered or not ENABLE ALWAYS.
CREATE FUNCTION ordertrack.unarmed_triggers()
RETURNS TABLE (table_name text, trigger_name text, definition text, state text)
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET quote_all_identifiers = off
AS $$
	SELECT g.table_name, g.trigger_name, g.definition,
		CASE WHEN t.oid IS NULL THEN 'missing'
			WHEN pg_get_triggerdef(t.oid) <> g.definition THEN 'altered'
			ELSE 'not enabled always' END
	  FROM ordertrack.guard_triggers() AS g
	  LEFT JOIN pg_trigger AS t
	    ON t.tgrelid = to_regclass('ordertrack.' || g.table_name) AND t.tgname = g.trigger_name
	 WHERE t.oid IS NULL OR pg_get_triggerdef(t.oid) <> g.definition OR t.tgenabled <> 'A'
$$;
COMMENT ON FUNCTION ordertrack.unarmed_triggers() IS
'the guard triggers that are missing, altered or not enabled always; no row where all is right';

CREATE FUNCTION ordertrack.arm_triggers() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $arm$
DECLARE
	t record;
BEGIN
	FOR t IN SELECT * FROM ordertrack.unarmed_triggers() LOOP
		IF t.state = 'altered' THEN
			EXECUTE format('DROP TRIGGER %I ON ordertrack.%I', t.trigger_name, t.table_name);
		END IF;
		IF t.state IN ('altered', 'missing') THEN
			EXECUTE t.definition;
		END IF;
		EXECUTE format('ALTER TABLE ordertrack.%I ENABLE ALWAYS TRIGGER %I', t.table_name, t.trigger_name);
		EXECUTE format('COMMENT ON TRIGGER %I ON ordertrack.%I IS %L', t.trigger_name, t.table_name,
			'guard of ordertrack; SELECT ordertrack.setup() arms it again');
	END LOOP;
END
$arm$;
COMMENT ON FUNCTION ordertrack.arm_triggers() IS
'creates the guard triggers that are missing or altered and enables all of them always';

CREATE FUNCTION ordertrack.seed_rows(version_before integer) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $seed$
BEGIN
	INSERT INTO ordertrack.workspaces (workspace_id, name) VALUES (1, 'default')
		ON CONFLICT (workspace_id) DO NOTHING;
	INSERT INTO ordertrack.status_transitions (workspace_id, entity, from_status, to_status, event_type)
		SELECT w.workspace_id, t.entity, t.from_status, t.to_status, t.event_type
		  FROM ordertrack.workspaces AS w
		 CROSS JOIN ordertrack.default_transitions() AS t
		 WHERE t.since > version_before
		ON CONFLICT DO NOTHING;
END
$seed$;
COMMENT ON FUNCTION ordertrack.seed_rows(integer) IS
'workspace 1 and the transitions that are newer than the given tables_version';

CREATE FUNCTION ordertrack.setup(seed boolean DEFAULT true) RETURNS text
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET client_min_messages = warning
AS $setup$
DECLARE
	-- A table that changes gets a new step at the end; a step that has been
	-- released never changes. OT_TABLES_VERSION in C is their number.
	steps CONSTANT text[] := ARRAY['domains', 'workspaces', 'customers', 'campaigns', 'vouchers',
		'orders', 'notes', 'redemptions', 'access', 'redemption_items', 'limits', 'rules', 'segments',
		'reservations', 'points', 'rewards', 'issued_rewards', 'shipments', 'payments', 'returns', 'coupons'];
	latest CONSTANT integer := cardinality(steps);
	version_before integer := 0;
	is_seeded boolean := false;
	grantee text;
BEGIN
	IF NOT EXISTS (
		SELECT FROM pg_namespace AS n JOIN pg_roles AS r ON r.oid = n.nspowner
		 WHERE n.nspname = 'ordertrack' AND (r.rolsuper OR r.rolname = current_user))
	THEN
		RAISE EXCEPTION 'schema "ordertrack" is owned by another role'
			USING ERRCODE = 'insufficient_privilege',
				  HINT = 'Give the schema to a superuser or to the owner of the extension.';
	END IF;

	IF EXISTS (
		SELECT FROM pg_class AS c JOIN pg_roles AS r ON r.oid = c.relowner
		 WHERE c.relnamespace = 'ordertrack'::regnamespace
		   AND NOT (r.rolsuper OR r.rolname = current_user))
	THEN
		RAISE EXCEPTION 'schema "ordertrack" holds tables or views of another role'
			USING ERRCODE = 'insufficient_privilege',
				  HINT = 'Their triggers and rules would run with the rights of setup(): move them to another schema.';
	END IF;

	-- Two at once: the second waits here, and then finds nothing left to do.
	PERFORM FROM pg_extension WHERE extname = 'ordertrack' FOR UPDATE;
	IF to_regclass('ordertrack.installation') IS NOT NULL THEN
		-- Tables without that row were made by setup(seed => false).
		SELECT i.tables_version INTO version_before FROM ordertrack.installation AS i;
		is_seeded := FOUND;
		version_before := coalesce(version_before, latest);
	END IF;
	IF version_before > latest THEN
		RAISE EXCEPTION 'tables of ordertrack are of version %, newer than this extension''s %', version_before, latest
			USING ERRCODE = 'OT030', HINT = 'Run ALTER EXTENSION ordertrack UPDATE first.';
	END IF;

	FOR step IN version_before + 1 .. latest LOOP
		EXECUTE format('SELECT ordertrack.setup_%s()', steps[step]);
	END LOOP;
	PERFORM ordertrack.setup_lists();
	PERFORM ordertrack.setup_exports();
	PERFORM ordertrack.comment_columns('{r,v}');
	IF seed THEN
		PERFORM ordertrack.seed_rows(CASE WHEN is_seeded THEN version_before ELSE 0 END);
		INSERT INTO ordertrack.installation AS i (tables_version, server_id)
			SELECT latest, c.system_identifier FROM pg_control_system() AS c
			ON CONFLICT (is_only) DO UPDATE SET tables_version = latest, updated_at = now()
			WHERE i.tables_version <> latest;
		PERFORM ordertrack.register_server();
	END IF;
	PERFORM ordertrack.arm_triggers();

	FOR grantee IN
		SELECT DISTINCT g.role_name FROM ordertrack.access_grants AS g
		  JOIN pg_roles AS r ON r.rolname = g.role_name
	LOOP
		PERFORM ordertrack.apply_access(grantee);
	END LOOP;
	RETURN format('ordertrack: tables version %s, was %s', latest, version_before);
END
$setup$;
COMMENT ON FUNCTION ordertrack.setup(boolean) IS
'makes tables, views and triggers or brings them up to the installed version, arms the triggers and grants again; run it after CREATE EXTENSION, after ALTER EXTENSION UPDATE and after a restore; seed => false leaves the tables empty for a data-only restore; OT030 tables of a newer version';

-- Nothing of ours is for everybody; grant_access() opens what a role needs.
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA ordertrack FROM PUBLIC;

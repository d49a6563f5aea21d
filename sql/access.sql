-- Access: functions are the only door, and four kinds of roles go through it.

CREATE FUNCTION ordertrack.grant_access(kind text, role_name text) RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'ordertrack_grant_access';
COMMENT ON FUNCTION ordertrack.grant_access(text, text) IS
'gives a role what kind app, support, admin or auditor needs and remembers it for setup(); OT005 unknown kind, 42704 no such role';

CREATE FUNCTION ordertrack.revoke_access(kind text, role_name text) RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'ordertrack_revoke_access';
COMMENT ON FUNCTION ordertrack.revoke_access(text, text) IS
'takes back what grant_access gave, but for what another kind of the same role still needs; OT005 unknown kind, 42704 no such role';

-- What is not listed for a kind is for the owner alone.
CREATE FUNCTION ordertrack.access_rights()
RETURNS TABLE (kind text, object_type text, object_name text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT k.kind, r.object_type, r.object_name
	  FROM (VALUES
		('function', 'validate', '{app,admin}'),
		('function', 'redeem', '{app,admin}'),
		('function', 'redeem_batch', '{app,admin}'),
		('function', 'validate_stack', '{app,admin}'),
		('function', 'redeem_stack', '{app,admin}'),
		('function', 'reserve', '{app,admin}'),
		('function', 'release_reservation', '{app,admin}'),
		('function', 'rollback_redemption', '{app,admin}'),
		('function', 'redeem_reward', '{app,admin}'),
		('function', 'can_redeem_reward', '{app,support,admin}'),
		('function', 'grant_points', '{app,admin}'),
		('function', 'transfer_points', '{app,admin}'),
		('function', 'points_balance', '{app,support,admin}'),
		('function', 'expiring_points', '{app,support,admin}'),
		('function', 'cancel_points', '{admin}'),
		('function', 'create_order', '{app,admin}'),
		('function', 'update_order', '{app,admin}'),
		('function', 'set_order_status', '{app,admin}'),
		('function', 'create_shipment', '{app,admin}'),
		('function', 'set_shipment_status', '{app,admin}'),
		('function', 'add_coupon', '{app,support,admin}'),
		('function', 'remove_coupon', '{app,support,admin}'),
		('function', 'set_manual_discount', '{support,admin}'),
		('function', 'hold_order', '{app,support,admin}'),
		('function', 'release_order', '{app,support,admin}'),
		('function', 'cancel_order', '{app,support,admin}'),
		('function', 'add_payment', '{app,admin}'),
		('function', 'create_refund', '{app,admin}'),
		('function', 'set_payment_status', '{app,admin}'),
		('function', 'create_return', '{app,support,admin}'),
		('function', 'receive_return', '{app,admin}'),
		('function', 'complete_return', '{app,admin}'),
		('function', 'cancel_return', '{app,support,admin}'),
		('function', 'put_customer', '{app,admin}'),
		('function', 'order_history', '{app,support,admin}'),
		('function', 'order_as_of', '{app,support,admin,auditor}'),
		('function', 'order_changes', '{app,support,admin,auditor}'),
		('function', 'add_note', '{app,support,admin}'),
		('function', 'edit_note', '{support,admin}'),
		('function', 'delete_note', '{support,admin}'),
		('function', 'create_workspace', '{admin}'),
		('function', 'create_campaign', '{admin}'),
		('function', 'update_campaign', '{admin}'),
		('function', 'create_voucher', '{admin}'),
		('function', 'update_voucher', '{admin}'),
		('function', 'create_rule', '{admin}'),
		('function', 'assign_rule', '{admin}'),
		('function', 'unassign_rule', '{admin}'),
		('function', 'create_segment', '{admin}'),
		('function', 'segment_customers', '{support,admin}'),
		('function', 'mark_used', '{app,support,admin}'),
		('function', 'unmark_used', '{admin}'),
		('function', 'set_delivery_status', '{admin}'),
		('function', 'set_cashback_status', '{app,admin}'),
		('function', 'create_reward', '{admin}'),
		('function', 'update_reward', '{admin}'),
		('function', 'add_reward_codes', '{admin}'),
		('function', 'add_reward_stock', '{admin}'),
		('function', 'activity_since', '{support,admin}'),
		('function', 'activity_cursor', '{support,admin}'),
		('function', 'verify_order', '{admin,auditor}'),
		('function', 'unarmed_triggers', '{admin,auditor}'),
		('function', 'export_query', '{admin,auditor}'),
		('view', 'order_list', '{support,admin,auditor}'),
		('view', 'order_details', '{support,admin}'),
		('view', 'payment_list', '{support,admin,auditor}'),
		('view', 'return_list', '{support,admin,auditor}'),
		('view', 'order_history_list', '{support,admin}'),
		('view', 'order_activity', '{support,admin}'),
		('view', 'order_activity_events', '{support,admin,auditor}'),
		('view', 'redemption_list', '{support,admin,auditor}'),
		('view', 'reservation_list', '{support,admin,auditor}'),
		('view', 'voucher_list', '{support,admin,auditor}'),
		('view', 'campaign_list', '{support,admin,auditor}'),
		('view', 'rule_list', '{support,admin,auditor}'),
		('view', 'segment_list', '{support,admin,auditor}'),
		('view', 'issued_reward_list', '{support,admin,auditor}'),
		('view', 'redeemed_rewards', '{support,admin}'),
		('view', 'redeemed_reward_address', '{support,admin}'),
		('view', 'shipment_list', '{support,admin,auditor}'),
		('view', 'point_lot_list', '{support,admin,auditor}'),
		('view', 'point_movement_list', '{support,admin,auditor}'),
		('view', 'export_point_movements', '{admin,auditor}'),
		('view', 'reward_list', '{app,support,admin,auditor}'),
		('view', 'export_orders', '{admin,auditor}'),
		('view', 'export_order_items', '{admin,auditor}'),
		('view', 'export_payments', '{admin,auditor}'),
		('view', 'export_returns', '{admin,auditor}'),
		('view', 'export_redemptions', '{admin,auditor}'),
		('view', 'export_shipments', '{admin,auditor}'),
		('view', 'export_order_notes', '{admin,auditor}'),
		('view', 'export_issued_rewards', '{admin,auditor}'),
		('view', 'export_redeemed_rewards', '{admin}')
	  ) AS r (object_type, object_name, kinds)
	  CROSS JOIN LATERAL unnest(r.kinds::text[]) AS k (kind)
$$;
COMMENT ON FUNCTION ordertrack.access_rights() IS
'the objects that each kind of access opens: EXECUTE on functions, SELECT on views';

CREATE FUNCTION ordertrack.setup_access() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $setup$
BEGIN
	CREATE TABLE ordertrack.access_grants (
		kind text NOT NULL
			CONSTRAINT access_grants_kind_check CHECK (kind IN ('app', 'support', 'admin', 'auditor')),
		role_name text NOT NULL,
		granted_by text NOT NULL DEFAULT session_user,
		created_at timestamptz NOT NULL DEFAULT now(),
		CONSTRAINT access_grants_pkey PRIMARY KEY (kind, role_name)
	);
	COMMENT ON TABLE ordertrack.access_grants IS 'who got which access; setup() grants it again';
END
$setup$;
COMMENT ON FUNCTION ordertrack.setup_access() IS 'step 9 of setup(): table access_grants';

-- Grants and revokes so that the role has exactly what its kinds open.
CREATE FUNCTION ordertrack.apply_access(role_name text) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $apply$
DECLARE
	granted_kinds CONSTANT text[] := ARRAY(
		SELECT g.kind FROM ordertrack.access_grants AS g WHERE g.role_name = apply_access.role_name);
	r record;
BEGIN
	IF cardinality(granted_kinds) > 0 THEN
		EXECUTE format('GRANT USAGE ON SCHEMA ordertrack TO %I', role_name);
	ELSE
		EXECUTE format('REVOKE USAGE ON SCHEMA ordertrack FROM %I', role_name);
	END IF;
	FOR r IN
		SELECT a.object_type, a.object_name, bool_or(a.kind = ANY (granted_kinds)) AS is_granted,
			-- a function may have several signatures
			(SELECT string_agg(p.oid::regprocedure::text, ', ' ORDER BY p.oid) FROM pg_proc AS p
			   JOIN pg_depend AS d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid
			    AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
			  WHERE p.proname = a.object_name AND p.pronamespace = 'ordertrack'::regnamespace) AS signatures
		  FROM ordertrack.access_rights() AS a
		 GROUP BY a.object_type, a.object_name
	LOOP
		EXECUTE format(
			CASE WHEN r.is_granted THEN 'GRANT %s ON %s TO %I' ELSE 'REVOKE %s ON %s FROM %I' END,
			CASE r.object_type WHEN 'view' THEN 'SELECT' ELSE 'EXECUTE' END,
			CASE r.object_type WHEN 'view' THEN format('TABLE ordertrack.%I', r.object_name)
				ELSE 'FUNCTION ' || r.signatures END,
			role_name);
	END LOOP;
END
$apply$;
COMMENT ON FUNCTION ordertrack.apply_access(text) IS
'gives a role exactly what the kinds in access_grants open to it';

-- Export: views for COPY ... TO STDOUT (FORMAT csv, HEADER), without personal data
-- but in export_redeemed_rewards.

CREATE FUNCTION ordertrack.export_query(
	what text,
	columns text[] DEFAULT NULL,
	filter jsonb DEFAULT NULL,
	sort text DEFAULT NULL,
	workspace bigint DEFAULT 1
) RETURNS text
LANGUAGE c STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'ordertrack_export_query';
COMMENT ON FUNCTION ordertrack.export_query(text, text[], jsonb, text, bigint) IS
'a SELECT over the view export_<what> for COPY, \gexec or \copy: chosen columns (NULL is all), rows where every field of filter equals its value (null: is null, array: one of, object: contains), sorted by a column, "-column" for descending; OT005 unknown view, column or bad filter';

-- What a spreadsheet would run as a formula gets an apostrophe in front:
-- safe(x) in the text of a view stands for that.
CREATE FUNCTION ordertrack.with_safe_text(view_text text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	-- tab, CR, + - = @: the characters that begin a formula
	SELECT regexp_replace(view_text, 'safe\(([a-z_.]+)\)',
		'CASE WHEN ascii(\1) IN (9, 13, 43, 45, 61, 64) THEN ''''''''::text || \1 ELSE \1 END', 'g')
$$;
COMMENT ON FUNCTION ordertrack.with_safe_text(text) IS
'writes out safe(column) in the text of a view: the column with an apostrophe before what a spreadsheet would run (OWASP, CSV injection)';

CREATE FUNCTION ordertrack.setup_exports() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $setup$
BEGIN
	EXECUTE ordertrack.with_safe_text($view$
	CREATE OR REPLACE VIEW ordertrack.export_orders AS
	SELECT o.workspace_id, o.order_id, safe(o.source_id) AS source_id, o.status,
		safe(c.source_id) AS customer, o.amount, o.discount_amount, o.total_amount,
		o.value_in_points, safe(o.data_source) AS data_source, safe(o.channel) AS channel,
		safe(o.submitted_by_id) AS submitted_by_id, o.metadata, o.created_at, o.updated_at, o.paid_at,
		o.initial_amount,
		(SELECT coalesce(sum(i.discount_amount), 0)::bigint FROM ordertrack.order_items AS i
		  WHERE i.workspace_id = o.workspace_id AND i.order_id = o.order_id) AS items_discount_amount
	  FROM ordertrack.orders AS o
	  LEFT JOIN ordertrack.customers AS c
	    ON c.workspace_id = o.workspace_id AND c.customer_id = o.customer_id
	$view$);
	COMMENT ON VIEW ordertrack.export_orders IS 'orders for CSV: text is safe in a spreadsheet, no personal data';

	EXECUTE ordertrack.with_safe_text($view$
	CREATE OR REPLACE VIEW ordertrack.export_order_items AS
	SELECT i.workspace_id, i.order_id, safe(o.source_id) AS source_id, i.line_no,
		safe(i.product_id) AS product_id, safe(i.sku) AS sku, safe(i.name) AS name,
		safe(i.color) AS color, safe(i.size) AS size, i.quantity, i.price, i.amount,
		i.discount_amount, i.metadata
	  FROM ordertrack.order_items AS i
	  JOIN ordertrack.orders AS o
	    ON o.workspace_id = i.workspace_id AND o.order_id = i.order_id
	$view$);
	COMMENT ON VIEW ordertrack.export_order_items IS 'lines of orders for CSV: text is safe in a spreadsheet';

	EXECUTE ordertrack.with_safe_text($view$
	CREATE OR REPLACE VIEW ordertrack.export_redemptions AS
	SELECT r.workspace_id, r.redemption_id, r.created_at, r.kind, r.result, r.state, r.failure_code,
		safe(r.failure_message) AS failure_message, safe(r.code) AS code, safe(r.campaign) AS campaign,
		safe(r.customer) AS customer, r.order_id, safe(r.order_source_id) AS order_source_id,
		r.amount, r.discount_amount, r.total_amount, r.gift_balance, safe(r.reason) AS reason,
		r.rollback_of, r.rollback_no, safe(r.redeemed_by) AS redeemed_by, safe(r.actor) AS actor,
		safe(r.channel) AS channel, r.metadata, r.items_discount_amount,
		r.stack_id, safe(r.reward) AS reward, r.quantity, r.points, r.points_missing
	  FROM ordertrack.redemption_list AS r
	$view$);
	COMMENT ON VIEW ordertrack.export_redemptions IS 'every attempt for CSV: text is safe in a spreadsheet';

	EXECUTE ordertrack.with_safe_text($view$
	CREATE OR REPLACE VIEW ordertrack.export_shipments AS
	SELECT s.workspace_id, s.shipment_id, s.order_id, safe(o.source_id) AS order_source_id, u.line_no,
		safe(i.product_id) AS product_id, safe(i.sku) AS sku, u.quantity, s.status::text AS status,
		safe(s.carrier) AS carrier, safe(s.tracking_number) AS tracking_number, s.created_at,
		s.updated_at, s.shipped_at, s.delivered_at
	  FROM ordertrack.shipments AS s
	  LEFT JOIN ordertrack.shipment_items AS u
	    ON u.workspace_id = s.workspace_id AND u.shipment_id = s.shipment_id
	  LEFT JOIN ordertrack.order_items AS i
	    ON i.workspace_id = u.workspace_id AND i.order_id = u.order_id AND i.line_no = u.line_no
	  LEFT JOIN ordertrack.orders AS o
	    ON o.workspace_id = s.workspace_id AND o.order_id = s.order_id
	$view$);
	COMMENT ON VIEW ordertrack.export_shipments IS 'shipments for CSV, one row a line: text is safe in a spreadsheet';

	EXECUTE ordertrack.with_safe_text($view$
	CREATE OR REPLACE VIEW ordertrack.export_payments AS
	SELECT p.workspace_id, p.payment_id, p.order_id, safe(p.order_source_id) AS order_source_id,
		p.created_at, p.transaction_type, safe(p.method) AS method, p.amount, p.status,
		safe(p.transaction_id) AS transaction_id, p.return_id, safe(p.reason) AS reason,
		safe(p.created_by) AS created_by, safe(p.actor) AS actor, safe(p.channel) AS channel, p.updated_at
	  FROM ordertrack.payment_list AS p
	$view$);
	COMMENT ON VIEW ordertrack.export_payments IS 'payments and refunds for CSV: text is safe in a spreadsheet';
	COMMENT ON COLUMN ordertrack.export_payments.amount IS 'in minor units, above 0; of a credit what is refunded';
	COMMENT ON COLUMN ordertrack.export_payments.status IS 'pending, processed or failed';
	COMMENT ON COLUMN ordertrack.export_payments.return_id IS 'the return that a refund is for, NULL for none';

	EXECUTE ordertrack.with_safe_text($view$
	CREATE OR REPLACE VIEW ordertrack.export_returns AS
	SELECT r.workspace_id, r.return_id, r.order_id, safe(r.order_source_id) AS order_source_id,
		r.created_at, r.status, safe(r.reason) AS reason, r.announced_units, r.received_units,
		r.refund_amount, r.exchange_order_id, r.completed_at, r.updated_at, r.items
	  FROM ordertrack.return_list AS r
	$view$);
	COMMENT ON VIEW ordertrack.export_returns IS 'returns for CSV: text is safe in a spreadsheet';
	COMMENT ON COLUMN ordertrack.export_returns.status IS 'awaiting_stock_return, awaiting_completion, complete or canceled';
	COMMENT ON COLUMN ordertrack.export_returns.items IS 'line_no, quantity and received of each line as a JSON array';

	EXECUTE ordertrack.with_safe_text($view$
	CREATE OR REPLACE VIEW ordertrack.export_point_movements AS
	SELECT m.workspace_id, safe(m.customer) AS customer, m.movement_no, m.created_at, m.kind, m.points,
		m.balance, m.lot_id, m.redemption_id, safe(m.reason) AS reason,
		safe(m.created_by) AS created_by, safe(m.actor) AS actor, safe(m.channel) AS channel
	  FROM ordertrack.point_movement_list AS m
	$view$);
	COMMENT ON VIEW ordertrack.export_point_movements IS 'the ledger of points for CSV: text is safe in a spreadsheet';

	EXECUTE ordertrack.with_safe_text($view$
	CREATE OR REPLACE VIEW ordertrack.export_order_notes AS
	SELECT n.workspace_id, n.order_id, n.note_no, n.created_at, n.note_type,
		safe(n.event_type) AS event_type, safe(n.channel) AS channel, safe(n.author) AS author, n.data, n.edited_at, n.deleted_at,
		encode(n.hash, 'hex') AS hash
	  FROM ordertrack.order_notes AS n
	$view$);
	COMMENT ON VIEW ordertrack.export_order_notes IS 'the history of orders for CSV, without the words of custom notes, which may be personal';

	-- A cashback status begins with a number or is a dash alone, which is no formula.
	EXECUTE ordertrack.with_safe_text($view$
	CREATE OR REPLACE VIEW ordertrack.export_issued_rewards AS
	SELECT u.workspace_id, u.issued_reward_id, u.created_at, u.status, u.is_used, u.used_at,
		safe(u.reward) AS reward, u.reward_type, safe(u.customer) AS customer, safe(u.code) AS code,
		u.delivery_status, u.cashback_status, u.cost_in_points, u.tax_value, u.value,
		u.active_points, u.order_id, u.redemption_id, u.active_from, u.expires_at, u.canceled_at,
		safe(u.color) AS color, safe(u.size) AS size
	  FROM ordertrack.issued_reward_list AS u
	$view$);
	COMMENT ON VIEW ordertrack.export_issued_rewards IS 'what customers got for CSV: text is safe in a spreadsheet, no personal data';

	EXECUTE ordertrack.with_safe_text($view$
	CREATE OR REPLACE VIEW ordertrack.export_redeemed_rewards AS
	SELECT u.workspace_id, u.redeemed_at, u.used_at, u.cost_in_points, u.tax_value,
		safe(u.email) AS email, safe(u.phone) AS phone, safe(u.reward) AS reward, u.reward_type,
		safe(u.first_name) AS first_name, safe(u.last_name) AS last_name, u.active_points,
		u.delivery_status, u.cashback_status, u.is_used, u.issued_reward_id, u.status,
		safe(u.customer) AS customer, safe(u.reward_name) AS reward_name, safe(u.code) AS code,
		safe(u.color) AS color, safe(u.size) AS size, u.value, u.order_id, u.redemption_id,
		u.active_from, u.expires_at, u.canceled_at
	  FROM ordertrack.redeemed_rewards AS u
	$view$);
	COMMENT ON VIEW ordertrack.export_redeemed_rewards IS 'the administrator''s grid for CSV: text is safe in a spreadsheet; holds personal data';

	COMMENT ON COLUMN ordertrack.export_issued_rewards.status IS 'active, inactive (not active yet), expired (unused) or canceled, as of now';
	COMMENT ON COLUMN ordertrack.export_redeemed_rewards.status IS 'active, inactive (not active yet), expired (unused) or canceled, as of now';
	COMMENT ON COLUMN ordertrack.export_redeemed_rewards.reward IS 'name of the reward, with its code in round brackets where it has one';
END
$setup$;
COMMENT ON FUNCTION ordertrack.setup_exports() IS 'part of setup(): the export views';

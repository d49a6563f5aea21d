-- The lists and details that people read: exact values, plain predicates.

-- The state of a redemption is told by its rollbacks; its row never changes.
CREATE FUNCTION ordertrack.setup_lists() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $setup$
BEGIN
	CREATE OR REPLACE VIEW ordertrack.voucher_list AS
	SELECT v.workspace_id, v.voucher_id, v.code, v.kind, c.name AS campaign, v.discount,
		v.gift_amount, v.gift_balance + CASE WHEN v.has_reservations THEN (
			SELECT coalesce(sum(h.amount), 0)::bigint FROM ordertrack.reservations AS h
			 WHERE h.workspace_id = v.workspace_id AND h.voucher_id = v.voucher_id AND h.holds_voucher
			   AND h.expires_at <= statement_timestamp())
			ELSE 0 END AS gift_balance, v.is_active AND coalesce(c.is_active, true) AS is_active,
		greatest(v.starts_at, c.starts_at) AS starts_at,
		least(v.expires_at, c.expires_at) AS expires_at,
		v.redemption_limit, v.redeemed_count - CASE WHEN v.is_striped THEN (
			SELECT coalesce(sum(s.uses_left), 0)::bigint FROM ordertrack.limit_stripes AS s
			 WHERE s.workspace_id = v.workspace_id AND s.entity = 'voucher' AND s.entity_id = v.voucher_id)
			ELSE 0 END - CASE WHEN v.has_reservations THEN (
			SELECT count(*) FROM ordertrack.reservations AS h
			 WHERE h.workspace_id = v.workspace_id AND h.voucher_id = v.voucher_id AND h.holds_voucher)
			ELSE 0 END AS redeemed_count,
		v.customer_limit, v.metadata, v.created_at, v.updated_at,
		v.per_day, v.per_week, v.per_month, v.customer_per_day, v.customer_per_week,
		v.customer_per_month, v.validity_hours,
		CASE WHEN v.has_reservations THEN (
			SELECT count(*) FROM ordertrack.reservations AS h
			 WHERE h.workspace_id = v.workspace_id AND h.voucher_id = v.voucher_id AND h.holds_voucher
			   AND h.expires_at > statement_timestamp())
			ELSE 0 END AS reserved_count
	  FROM ordertrack.vouchers AS v
	  LEFT JOIN ordertrack.campaigns AS c
	    ON c.workspace_id = v.workspace_id AND c.campaign_id = v.campaign_id;
	COMMENT ON VIEW ordertrack.voucher_list IS 'codes with the dates and the activity that they have together with their campaign';
	COMMENT ON COLUMN ordertrack.voucher_list.gift_balance IS 'what is left on a gift card and not reserved, in minor units';

	CREATE OR REPLACE VIEW ordertrack.campaign_list AS
	SELECT c.workspace_id, c.campaign_id, c.name, c.is_active, c.starts_at, c.expires_at,
		c.redemption_limit, c.redeemed_count - CASE WHEN c.is_striped THEN (
			SELECT coalesce(sum(s.uses_left), 0)::bigint FROM ordertrack.limit_stripes AS s
			 WHERE s.workspace_id = c.workspace_id AND s.entity = 'campaign' AND s.entity_id = c.campaign_id)
			ELSE 0 END - CASE WHEN c.has_reservations THEN (
			SELECT count(*) FROM ordertrack.reservations AS h
			 WHERE h.workspace_id = c.workspace_id AND h.campaign_id = c.campaign_id AND h.holds_campaign)
			ELSE 0 END AS redeemed_count,
		c.customer_limit, c.per_day, c.per_week, c.per_month, c.customer_per_day,
		c.customer_per_week, c.customer_per_month, c.discount_budget,
		c.discount_spent - h.amount AS discount_spent, c.order_budget,
		c.order_spent - h.order_amount AS order_spent, c.validity_hours, c.metadata, c.created_at, c.updated_at,
		CASE WHEN c.has_reservations THEN (
			SELECT count(*) FROM ordertrack.reservations AS h
			 WHERE h.workspace_id = c.workspace_id AND h.campaign_id = c.campaign_id AND h.holds_campaign
			   AND h.expires_at > statement_timestamp())
			ELSE 0 END AS reserved_count
	  FROM ordertrack.campaigns AS c
	 CROSS JOIN LATERAL (
		SELECT coalesce(sum(r.amount), 0)::bigint AS amount, least(coalesce(sum(r.order_amount), 0),
			9223372036854775807)::bigint AS order_amount
		  FROM ordertrack.reservations AS r
		 WHERE c.has_reservations AND r.workspace_id = c.workspace_id
		   AND r.campaign_id = c.campaign_id AND r.holds_campaign) AS h;
	COMMENT ON VIEW ordertrack.campaign_list IS 'campaigns with their limits and what is used of them';

	CREATE OR REPLACE VIEW ordertrack.reservation_list AS
	SELECT r.workspace_id, r.reservation_key, r.created_at,
		CASE WHEN r.status = 'live' AND r.expires_at <= statement_timestamp() THEN 'expired'
			ELSE r.status::text END AS status,
		r.code, c.name AS campaign, r.customer, r.order_id, r.amount, r.order_amount, r.expires_at,
		CASE WHEN r.status <> 'live' OR r.expires_at <= statement_timestamp()
			THEN coalesce(r.ended_at, r.expires_at) END AS ended_at,
		r.redemption_id, r.reserved_by, r.actor, r.channel, r.metadata, r.voucher_id, r.campaign_id,
		r.customer_id
	  FROM ordertrack.reservations AS r
	  LEFT JOIN ordertrack.campaigns AS c
	    ON c.workspace_id = r.workspace_id AND c.campaign_id = r.campaign_id;
	COMMENT ON VIEW ordertrack.reservation_list IS 'uses that were held, with their status as of now';
	COMMENT ON COLUMN ordertrack.reservation_list.status IS 'live, redeemed, released or expired, as of now';
	COMMENT ON COLUMN ordertrack.reservation_list.amount IS 'value held in minor units: credits or discount';

	CREATE OR REPLACE VIEW ordertrack.rule_list AS
	SELECT r.workspace_id, r.rule_id, r.name, r.applies_to, r.condition, r.message,
		ARRAY(SELECT c.name FROM ordertrack.campaign_rules AS a
		   JOIN ordertrack.campaigns AS c
		     ON c.workspace_id = a.workspace_id AND c.campaign_id = a.campaign_id
		  WHERE a.workspace_id = r.workspace_id AND a.rule_id = r.rule_id ORDER BY c.name) AS campaigns,
		(SELECT count(*) FROM ordertrack.voucher_rules AS a
		  WHERE a.workspace_id = r.workspace_id AND a.rule_id = r.rule_id) AS voucher_count,
		r.created_at
	  FROM ordertrack.rules AS r;
	COMMENT ON VIEW ordertrack.rule_list IS 'rules with the campaigns and the number of vouchers that have them';

	CREATE OR REPLACE VIEW ordertrack.segment_list AS
	SELECT s.workspace_id, s.segment_id, s.name, s.condition,
		CASE WHEN s.condition IS NULL THEN
			(SELECT count(*) FROM ordertrack.segment_members AS m
			  WHERE m.workspace_id = s.workspace_id AND m.segment_id = s.segment_id) END AS member_count,
		s.created_at
	  FROM ordertrack.segments AS s;
	COMMENT ON VIEW ordertrack.segment_list IS 'segments; segment_customers() tells who is in one';

	CREATE OR REPLACE VIEW ordertrack.order_list AS
	SELECT o.workspace_id, o.order_id, o.source_id, o.status, c.source_id AS customer,
		(SELECT count(*) FROM ordertrack.order_items AS i
		  WHERE i.workspace_id = o.workspace_id AND i.order_id = o.order_id) AS item_count,
		o.amount, o.discount_amount, o.total_amount, o.value_in_points, o.data_source,
		o.channel, o.metadata, o.created_at, o.updated_at, o.paid_at, o.customer_id, o.note_count,
		o.initial_amount,
		(SELECT coalesce(sum(i.discount_amount), 0)::bigint FROM ordertrack.order_items AS i
		  WHERE i.workspace_id = o.workspace_id AND i.order_id = o.order_id) AS items_discount_amount,
		(SELECT coalesce(sum(p.amount), 0)::bigint FROM ordertrack.payments AS p
		  WHERE p.workspace_id = o.workspace_id AND p.order_id = o.order_id
		    AND p.transaction_type IN ('sale', 'capture') AND p.status = 'processed') AS paid_amount,
		(SELECT coalesce(sum(p.amount), 0)::bigint FROM ordertrack.payments AS p
		  WHERE p.workspace_id = o.workspace_id AND p.order_id = o.order_id
		    AND p.transaction_type = 'credit' AND p.status <> 'failed') AS refunded_amount
	  FROM ordertrack.orders AS o
	  LEFT JOIN ordertrack.customers AS c
	    ON c.workspace_id = o.workspace_id AND c.customer_id = o.customer_id;
	COMMENT ON VIEW ordertrack.order_list IS 'one row an order, without personal data';

	CREATE OR REPLACE VIEW ordertrack.order_details AS
	SELECT o.workspace_id, o.order_id, o.source_id, o.status, o.status_before_hold,
		o.amount, o.discount_amount, o.total_amount, o.value_in_points, o.data_source, o.channel,
		o.metadata, o.shipping_address, o.submitted_by, o.submitted_by_id, o.on_behalf_of,
		o.created_at, o.updated_at, o.paid_at, o.note_count,
		c.source_id AS customer, c.email, c.phone, c.first_name, c.last_name,
		(SELECT jsonb_agg(to_jsonb(i) - '{workspace_id,order_id,created_at}'::text[] ORDER BY i.line_no)
		   FROM ordertrack.order_items AS i
		  WHERE i.workspace_id = o.workspace_id AND i.order_id = o.order_id) AS items,
		(SELECT jsonb_agg(jsonb_build_object('redemption_id', r.redemption_id, 'kind', r.kind,
				'code', r.code, 'amount', r.amount, 'created_at', r.created_at) ORDER BY r.redemption_id)
		   FROM ordertrack.redemptions AS r
		  WHERE r.workspace_id = o.workspace_id AND r.order_id = o.order_id
		    AND r.result = 'success') AS redemptions,
		o.initial_amount,
		(SELECT coalesce(sum(i.discount_amount), 0)::bigint FROM ordertrack.order_items AS i
		  WHERE i.workspace_id = o.workspace_id AND i.order_id = o.order_id) AS items_discount_amount,
		(SELECT coalesce(sum(p.amount), 0)::bigint FROM ordertrack.payments AS p
		  WHERE p.workspace_id = o.workspace_id AND p.order_id = o.order_id
		    AND p.transaction_type IN ('sale', 'capture') AND p.status = 'processed') AS paid_amount,
		(SELECT coalesce(sum(p.amount), 0)::bigint FROM ordertrack.payments AS p
		  WHERE p.workspace_id = o.workspace_id AND p.order_id = o.order_id
		    AND p.transaction_type = 'credit' AND p.status <> 'failed') AS refunded_amount
	  FROM ordertrack.orders AS o
	  LEFT JOIN ordertrack.customers AS c
	    ON c.workspace_id = o.workspace_id AND c.customer_id = o.customer_id;
	COMMENT ON VIEW ordertrack.order_details IS 'one row an order with its customer, lines and redemptions; holds personal data';

	CREATE OR REPLACE VIEW ordertrack.payment_list AS
	SELECT p.workspace_id, p.payment_id, p.order_id, o.source_id AS order_source_id, p.created_at,
		p.transaction_type::text AS transaction_type, p.method, p.amount, p.status::text AS status,
		p.transaction_id, p.return_id, p.reason, p.created_by, p.actor, p.channel, p.updated_at
	  FROM ordertrack.payments AS p
	  LEFT JOIN ordertrack.orders AS o
	    ON o.workspace_id = p.workspace_id AND o.order_id = p.order_id;
	COMMENT ON VIEW ordertrack.payment_list IS 'payments of orders, and refunds (transaction_type credit)';
	COMMENT ON COLUMN ordertrack.payment_list.amount IS 'in minor units, above 0; of a credit what is refunded';
	COMMENT ON COLUMN ordertrack.payment_list.status IS 'pending, processed or failed';
	COMMENT ON COLUMN ordertrack.payment_list.return_id IS 'the return that a refund is for, NULL for none';

	CREATE OR REPLACE VIEW ordertrack.return_list AS
	SELECT r.workspace_id, r.return_id, r.order_id, o.source_id AS order_source_id, r.created_at,
		r.status::text AS status, r.reason, u.announced_units, u.received_units, r.refund_amount,
		r.exchange_order_id, r.completed_at, r.updated_at, u.items
	  FROM ordertrack.returns AS r
	  LEFT JOIN ordertrack.orders AS o
	    ON o.workspace_id = r.workspace_id AND o.order_id = r.order_id
	 CROSS JOIN LATERAL (
		SELECT coalesce(sum(i.quantity), 0) AS announced_units, coalesce(sum(c.received), 0) AS received_units,
			jsonb_agg(jsonb_build_object('line_no', i.line_no, 'quantity', i.quantity,
				'received', c.received) ORDER BY i.line_no) AS items
		  FROM ordertrack.return_items AS i
		 CROSS JOIN LATERAL (
			SELECT coalesce(sum(c.quantity), 0) AS received FROM ordertrack.return_receipts AS c
			 WHERE c.workspace_id = i.workspace_id AND c.return_id = i.return_id
			   AND c.line_no = i.line_no) AS c
		 WHERE i.workspace_id = r.workspace_id AND i.return_id = r.return_id) AS u;
	COMMENT ON VIEW ordertrack.return_list IS 'returns of what was shipped, with the units that are to come and that came';
	COMMENT ON COLUMN ordertrack.return_list.status IS 'awaiting_stock_return, awaiting_completion, complete or canceled';
	COMMENT ON COLUMN ordertrack.return_list.items IS 'line_no, quantity and received of each line as a JSON array';

	CREATE OR REPLACE VIEW ordertrack.redemption_list AS
	SELECT r.workspace_id, r.redemption_id, r.created_at, r.kind, r.result,
		CASE
			WHEN r.result = 'failure' THEN 'failed'
			WHEN b.is_complete THEN 'rolled_back'
			WHEN NOT b.is_complete THEN 'partially_rolled_back'
			ELSE 'succeeded'
		END AS state,
		r.failure_code, r.failure_message, r.code, c.name AS campaign, r.customer,
		r.order_id, o.source_id AS order_source_id, o.status AS order_status,
		r.amount, r.discount_amount, r.total_amount, r.gift_balance, r.reason,
		r.rollback_of, r.rollback_no, r.redeemed_by, r.actor, r.channel, r.metadata,
		r.voucher_id, r.campaign_id, r.customer_id,
		CASE r.result WHEN 'success' THEN
			(SELECT coalesce(sum(i.discount_amount), 0)::bigint FROM ordertrack.redemption_items AS i
			  WHERE i.workspace_id = r.workspace_id AND i.order_id = r.order_id
			    AND i.redemption_id = r.redemption_id)
		END AS items_discount_amount,
		(SELECT jsonb_agg(jsonb_build_object('line_no', i.line_no, 'quantity', i.quantity,
				'amount', i.amount, 'discount_amount', i.discount_amount) ORDER BY i.line_no)
		   FROM ordertrack.redemption_items AS i
		  WHERE i.workspace_id = r.workspace_id AND i.order_id = r.order_id
		    AND i.redemption_id = r.redemption_id) AS items,
		r.stack_id, r.reward, r.reward_id, r.quantity, r.points, r.points_missing
	  FROM ordertrack.redemptions AS r
	  LEFT JOIN ordertrack.campaigns AS c
	    ON c.workspace_id = r.workspace_id AND c.campaign_id = r.campaign_id
	  LEFT JOIN ordertrack.orders AS o
	    ON o.workspace_id = r.workspace_id AND o.order_id = r.order_id
	  CROSS JOIN LATERAL (
		SELECT bool_or(p.is_complete) AS is_complete
		  FROM ordertrack.redemptions AS p
		 WHERE p.workspace_id = r.workspace_id AND p.rollback_of = r.redemption_id
		   AND p.rollback_no IS NOT NULL) AS b;
	COMMENT ON VIEW ordertrack.redemption_list IS 'every attempt with its state as of now: succeeded, failed, partially_rolled_back, rolled_back';

	CREATE OR REPLACE VIEW ordertrack.point_lot_list AS
	SELECT l.workspace_id, l.lot_id, c.source_id AS customer, l.points,
		CASE WHEN l.expires_at <= statement_timestamp() THEN 0 ELSE l.points_left END::bigint AS points_left,
		CASE
			WHEN l.canceled_at IS NOT NULL THEN 'canceled'
			WHEN l.expires_at <= statement_timestamp() THEN 'expired'
			WHEN l.points_left = 0 THEN 'spent'
			WHEN l.pending_until > statement_timestamp() THEN 'pending'
			ELSE 'active'
		END AS status,
		nullif(l.expires_at, 'infinity') AS expires_at, l.pending_until, l.granted_at, l.canceled_at,
		l.transferred_from, l.reason, l.created_at, l.customer_id
	  FROM ordertrack.point_lots AS l
	  LEFT JOIN ordertrack.customers AS c
	    ON c.workspace_id = l.workspace_id AND c.customer_id = l.customer_id;
	COMMENT ON VIEW ordertrack.point_lot_list IS 'grants of points with what is left of them, as of now';
	COMMENT ON COLUMN ordertrack.point_lot_list.status IS 'active, pending, expired, canceled, or spent or transferred as a whole';
	COMMENT ON COLUMN ordertrack.point_lot_list.points IS 'points that were granted';

	CREATE OR REPLACE VIEW ordertrack.point_movement_list AS
	SELECT m.workspace_id, c.source_id AS customer, m.movement_no, m.created_at, m.kind, m.points,
		m.balance, m.lot_id, m.redemption_id, m.reason, m.created_by, m.actor, m.channel, m.customer_id
	  FROM ordertrack.point_movements AS m
	  LEFT JOIN ordertrack.customers AS c
	    ON c.workspace_id = m.workspace_id AND c.customer_id = m.customer_id;
	COMMENT ON VIEW ordertrack.point_movement_list IS 'the ledger of points: every movement, with the balance after it';
	COMMENT ON COLUMN ordertrack.point_movement_list.kind IS 'granted, spent, returned, expired, canceled, transferred_out or transferred_in';

	CREATE OR REPLACE VIEW ordertrack.shipment_list AS
	SELECT s.workspace_id, s.shipment_id, s.order_id, o.source_id AS order_source_id, s.status::text AS status,
		s.status_before_hold::text AS status_before_hold, s.carrier, s.tracking_number,
		(SELECT jsonb_agg(jsonb_build_object('line_no', u.line_no, 'quantity', u.quantity) ORDER BY u.line_no)
		   FROM ordertrack.shipment_items AS u
		  WHERE u.workspace_id = s.workspace_id AND u.shipment_id = s.shipment_id) AS items,
		s.created_at, s.updated_at, s.shipped_at, s.delivered_at
	  FROM ordertrack.shipments AS s
	  LEFT JOIN ordertrack.orders AS o
	    ON o.workspace_id = s.workspace_id AND o.order_id = s.order_id;
	COMMENT ON VIEW ordertrack.shipment_list IS 'shipments with the units that they hold';
	COMMENT ON COLUMN ordertrack.shipment_list.items IS 'the units in it, as a JSON array of line_no and quantity';

	CREATE OR REPLACE VIEW ordertrack.order_history_list AS
	SELECT n.workspace_id, n.order_id, o.source_id, n.note_no, n.created_at, n.note_type,
		n.event_type, n.channel, n.author, n.title, n.detail, n.data, n.edited_at, n.deleted_at
	  FROM ordertrack.order_notes AS n
	  LEFT JOIN ordertrack.orders AS o
	    ON o.workspace_id = n.workspace_id AND o.order_id = n.order_id;
	COMMENT ON VIEW ordertrack.order_history_list IS 'the notes of all orders; custom notes hold what people wrote';

	-- The index on created_at, read backwards, gives this order.
	CREATE OR REPLACE VIEW ordertrack.order_activity AS
	SELECT n.workspace_id, n.created_at, n.order_id, o.source_id, o.status AS order_status, n.note_no,
		n.note_type, n.event_type, n.channel, n.author, n.title, n.detail, n.data
	  FROM ordertrack.order_notes AS n
	  LEFT JOIN ordertrack.orders AS o
	    ON o.workspace_id = n.workspace_id AND o.order_id = n.order_id
	 ORDER BY n.created_at DESC, n.order_id DESC, n.note_no DESC;
	COMMENT ON VIEW ordertrack.order_activity IS 'the notes of all orders, the newest first; custom notes hold what people wrote';

	CREATE OR REPLACE VIEW ordertrack.order_activity_events AS
	SELECT n.workspace_id, n.order_id, o.source_id, n.note_no, n.created_at,
		CASE n.event_type
			WHEN 'order_created' THEN 'OrderGroupCreated'
			WHEN 'order_on_hold' THEN 'OrderGroupOnHold'
			WHEN 'order_completed' THEN 'OrderGroupCompleted'
			WHEN 'order_in_progress' THEN 'OrderGroupInProgress'
			WHEN 'order_cancelled' THEN 'OrderGroupCancelled'
			WHEN 'shipment_awaiting_inventory' THEN 'ShipmentAwaitingInventory'
			WHEN 'shipment_cancelled' THEN 'ShipmentCancelled'
			WHEN 'shipment_packing' THEN 'ShipmentPacking'
			WHEN 'shipment_released' THEN 'ShipmentReleased'
			WHEN 'shipment_shipped' THEN 'ShipmentShipped'
			WHEN 'return_created' THEN 'ReturnCreated'
			WHEN 'adding_payment' THEN 'AddingPayment'
			WHEN 'creating_refund' THEN 'CreatingRefund'
			WHEN 'return_receipt_items' THEN 'ReturnReceiptItems'
			WHEN 'promotion_add_coupon' THEN 'PromotionAddCoupon'
			WHEN 'promotion_manual_discount' THEN 'PromotionManualDiscount'
			WHEN 'promotion_remove_coupon' THEN 'PromotionRemoveCoupon'
			ELSE 'None'
		END AS event,
		n.event_type, n.channel, n.author, n.data
	  FROM ordertrack.order_notes AS n
	  LEFT JOIN ordertrack.orders AS o
	    ON o.workspace_id = n.workspace_id AND o.order_id = n.order_id;
	COMMENT ON VIEW ordertrack.order_activity_events IS 'the notes of all orders by the names of events that the reference system has, without the words of custom notes';

	CREATE OR REPLACE VIEW ordertrack.issued_reward_list AS
	SELECT u.workspace_id, u.issued_reward_id, u.created_at,
		CASE
			WHEN u.canceled_at IS NOT NULL THEN 'canceled'
			WHEN statement_timestamp() < u.active_from THEN 'inactive'
			WHEN u.used_at IS NULL AND statement_timestamp() >= u.expires_at THEN 'expired'
			ELSE 'active'
		END AS status,
		u.used_at IS NOT NULL AS is_used, u.used_at, w.name AS reward, u.reward_type::text AS reward_type,
		c.source_id AS customer, u.code, u.delivery_status::text AS delivery_status,
		CASE u.reward_type WHEN 'cashback'
			THEN concat_ws(': ', u.cashback_code, u.cashback_detail_code, u.cashback_message)
			ELSE '-' END AS cashback_status,
		u.cost_in_points, u.tax_value, u.value, u.active_points, u.order_id, u.redemption_id,
		u.active_from, u.expires_at, u.canceled_at, u.color, u.size, u.reward_id, u.customer_id
	  FROM ordertrack.issued_rewards AS u
	  LEFT JOIN ordertrack.rewards AS w
	    ON w.workspace_id = u.workspace_id AND w.reward_id = u.reward_id
	  LEFT JOIN ordertrack.customers AS c
	    ON c.workspace_id = u.workspace_id AND c.customer_id = u.customer_id;
	COMMENT ON VIEW ordertrack.issued_reward_list IS 'what customers got, one row a unit, with its status as of now, without personal data';
	COMMENT ON COLUMN ordertrack.issued_reward_list.status IS 'active, inactive (not active yet), expired (unused) or canceled, as of now';
	COMMENT ON COLUMN ordertrack.issued_reward_list.redemption_id IS 'the redemption that issued it';
	COMMENT ON COLUMN ordertrack.issued_reward_list.cost_in_points IS 'points that the customer paid for this unit';
	COMMENT ON COLUMN ordertrack.issued_reward_list.expires_at IS 'first moment at which it can no longer be used, unless it was used before; NULL is never';

	-- The administrator's grid: what was redeemed, by whom, and what became of it.
	CREATE OR REPLACE VIEW ordertrack.redeemed_rewards AS
	SELECT l.workspace_id, l.created_at AS redeemed_at, l.used_at, l.cost_in_points, l.tax_value,
		c.email, c.phone,
		CASE WHEN l.code IS NULL THEN l.reward ELSE concat(l.reward, ' (', l.code, ')') END AS reward,
		l.reward_type, c.first_name, c.last_name, l.active_points, l.delivery_status,
		l.cashback_status, l.is_used, l.issued_reward_id, l.status, c.source_id AS customer,
		l.reward AS reward_name, l.code, l.color, l.size, l.value, l.order_id, l.redemption_id,
		l.active_from, l.expires_at, l.canceled_at, l.reward_id, l.customer_id
	  FROM ordertrack.issued_reward_list AS l
	  LEFT JOIN ordertrack.customers AS c
	    ON c.workspace_id = l.workspace_id AND c.customer_id = l.customer_id;
	COMMENT ON VIEW ordertrack.redeemed_rewards IS 'what customers got, with who they are: the administrator''s grid; holds personal data';
	COMMENT ON COLUMN ordertrack.redeemed_rewards.reward IS 'name of the reward, with its code in round brackets where it has one';
	COMMENT ON COLUMN ordertrack.redeemed_rewards.status IS 'active, inactive (not active yet), expired (unused) or canceled, as of now';
	COMMENT ON COLUMN ordertrack.redeemed_rewards.redemption_id IS 'the redemption that issued it';
	COMMENT ON COLUMN ordertrack.redeemed_rewards.cost_in_points IS 'points that the customer paid for this unit';
	COMMENT ON COLUMN ordertrack.redeemed_rewards.expires_at IS 'first moment at which it can no longer be used, unless it was used before; NULL is never';

	CREATE OR REPLACE VIEW ordertrack.redeemed_reward_address AS
	SELECT u.workspace_id, u.issued_reward_id, u.order_id, c.source_id AS customer, a.value AS address
	  FROM ordertrack.issued_rewards AS u
	  LEFT JOIN ordertrack.customers AS c
	    ON c.workspace_id = u.workspace_id AND c.customer_id = u.customer_id
	  LEFT JOIN ordertrack.personal_values AS a
	    ON a.workspace_id = u.workspace_id AND a.order_id = u.order_id AND a.note_no = 1
	   AND a.field = 'shipping_address';
	COMMENT ON VIEW ordertrack.redeemed_reward_address IS 'where what a customer got is sent; holds personal data';
	COMMENT ON COLUMN ordertrack.redeemed_reward_address.address IS 'shipping address of the order as it was when it was placed, NULL where there was none or it has been erased: personal data';

	-- Without codes: who knows one may be able to spend it.
	CREATE OR REPLACE VIEW ordertrack.reward_list AS
	SELECT r.workspace_id, r.reward_id, r.name, r.type, r.cost_in_points, r.tax_value,
		r.percent_off, r.point_value, r.data_source, r.is_active, r.starts_at, r.expires_at,
		r.visible_from, r.visible_until,
		r.is_active AND r.type NOT IN ('percentage_discount_code', 'cashback', 'custom_campaign')
			AND coalesce(statement_timestamp() >= r.starts_at, true)
			AND coalesce(statement_timestamp() < r.expires_at, true)
			AND coalesce(statement_timestamp() >= r.visible_from, true)
			AND coalesce(statement_timestamp() < r.visible_until, true) AS is_visible,
		ARRAY(SELECT s.name FROM ordertrack.reward_segments AS a
		   JOIN ordertrack.segments AS s
		     ON s.workspace_id = a.workspace_id AND s.segment_id = a.segment_id
		  WHERE a.workspace_id = r.workspace_id AND a.reward_id = r.reward_id
		  ORDER BY s.name) AS segments,
		r.redemption_limit, r.redeemed_count, r.customer_limit, r.is_stocked,
		CASE WHEN r.is_stocked THEN (
			SELECT coalesce(jsonb_agg(jsonb_build_object('color', nullif(v.color, ''),
				'size', nullif(v.size, ''), 'stock', v.stock) ORDER BY v.color, v.size), '[]')
			  FROM ordertrack.reward_variants AS v
			 WHERE v.workspace_id = r.workspace_id AND v.reward_id = r.reward_id) END AS stock,
		r.code_source,
		CASE WHEN r.code_source = 'pool' THEN (
			SELECT count(*) FROM ordertrack.reward_codes AS c
			 WHERE c.workspace_id = r.workspace_id AND c.reward_id = r.reward_id
			   AND c.issued_at IS NULL) END AS free_code_count,
		r.days_inactive, r.days_valid, r.metadata, r.created_at, r.updated_at
	  FROM ordertrack.rewards AS r;
	COMMENT ON VIEW ordertrack.reward_list IS 'rewards with their limits, what is used and what is left of them, and whether customers see them now; without codes';
	COMMENT ON COLUMN ordertrack.reward_list.is_active IS 'false: refused as reward_not_active';
	COMMENT ON COLUMN ordertrack.reward_list.data_source IS 'the catalog that it is in';
	COMMENT ON COLUMN ordertrack.reward_list.redemption_limit IS 'most units that are issued and not rolled back, NULL is no limit';
	COMMENT ON COLUMN ordertrack.reward_list.redeemed_count IS 'units issued and not rolled back, NULL where no limit counts them';
	COMMENT ON COLUMN ordertrack.reward_list.customer_limit IS 'most units of one customer, NULL is no limit';
	COMMENT ON COLUMN ordertrack.reward_list.stock IS 'what is in stock of each variant as a JSON array of color, size and stock, NULL where no stock is kept';
END
$setup$;
COMMENT ON FUNCTION ordertrack.setup_lists() IS 'part of setup(): the list and detail views';

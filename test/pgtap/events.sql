-- One order is walked through all 18 events of the reference system, and those
-- that it forgets; an exchange order has what this one can't, since it is completed.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT * FROM no_plan();

SELECT ordertrack.create_voucher('TEN', '{"type":"amount","amount_off":10}'),
	ordertrack.create_voucher('LINE', '{"type":"percent","percent_off":50,"effect":"apply_to_items"}')
\g /dev/null
-- No move leads there by default: an operator adds one.
INSERT INTO ordertrack.status_transitions (workspace_id, entity, from_status, to_status)
VALUES (1, 'order', 'paid', 'awaiting_exchange');

-- ---- what is done: %1$s is the order, %2$s who (channel and actor, named after the step) ----
CREATE TEMP TABLE steps (step int PRIMARY KEY, walker text NOT NULL, command text NOT NULL);
INSERT INTO steps VALUES
(1, 'order', $$create_order('{"source_id":"events","items":[{"sku":"a","quantity":3,"price":100},{"sku":"b","quantity":1,"price":50}]}', 'eva', %2$s)$$),
(2, 'order', $$update_order(%1$s, '{"items":[{"sku":"a","quantity":4,"price":100},{"sku":"b","quantity":1,"price":50}]}', %2$s)$$),
(3, 'order', $$update_order(%1$s, '{"shipping_address":{"city":"Exampleville"}}', %2$s)$$),
(4, 'order', $$update_order(%1$s, '{"data_source":"shop"}', %2$s)$$),
(5, 'order', $$add_note(%1$s, 'call first', %2$s)$$),
(6, 'order', $$edit_note(%1$s, 5, 'call later', %2$s)$$),
(7, 'order', $$delete_note(%1$s, 5, %2$s)$$),
(8, 'order', $$set_manual_discount(%1$s, 40, %2$s)$$),
(9, 'order', $$add_coupon(%1$s, 'TEN', %2$s)$$),
(10, 'order', $$add_coupon(%1$s, 'LINE', %2$s)$$),
(11, 'order', $$remove_coupon(%1$s, 'LINE', %2$s)$$),
(12, 'order', $$add_payment(%1$s, 10, 'card', status => 'pending', %2$s)$$),
(13, 'order', $$set_payment_status((SELECT max(payment_id) FROM ordertrack.payments), 'failed', %2$s)$$),
(14, 'order', $$add_payment(%1$s, 300, 'card', status => 'pending', %2$s)$$),
(15, 'order', $$set_payment_status((SELECT max(payment_id) FROM ordertrack.payments), 'processed', %2$s)$$),
(16, 'order', $$add_payment(%1$s, 100, 'wire', %2$s)$$),
(17, 'order', $$set_order_status(%1$s, 'in_progress', %2$s)$$),
(18, 'order', $$create_shipment(%1$s, '[{"line_no":1,"quantity":4}]', 'awaiting_inventory', %2$s)$$),
(19, 'order', $$hold_order(%1$s, %2$s)$$),
(20, 'order', $$release_order(%1$s, %2$s)$$),
(21, 'order', $$set_shipment_status(pg_temp.shipment(%1$s, 1), 'inventory_assigned', %2$s)$$),
(22, 'order', $$set_shipment_status(pg_temp.shipment(%1$s, 1), 'canceled', %2$s)$$),
(23, 'order', $$create_shipment(%1$s, '[{"line_no":1,"quantity":4}]', %2$s)$$),
(24, 'order', $$create_shipment(%1$s, '[{"line_no":2,"quantity":1}]', %2$s)$$),
(25, 'order', $$set_shipment_status(pg_temp.shipment(%1$s, 2), 'released', %2$s)$$),
(26, 'order', $$set_shipment_status(pg_temp.shipment(%1$s, 2), 'packing', %2$s)$$),
(27, 'order', $$set_shipment_status(pg_temp.shipment(%1$s, 2), 'shipped', 'T-1', 'DHL', %2$s)$$),
(28, 'order', $$set_shipment_status(pg_temp.shipment(%1$s, 2), 'delivered', %2$s)$$),
(29, 'order', $$set_shipment_status(ARRAY[pg_temp.shipment(%1$s, 3)], 'delivered', %2$s)$$),
(30, 'order', $$set_shipment_status(pg_temp.shipment(%1$s, 3), 'released', %2$s)$$),
(31, 'order', $$set_shipment_status(pg_temp.shipment(%1$s, 3), 'packing', %2$s)$$),
(32, 'order', $$set_shipment_status(pg_temp.shipment(%1$s, 3), 'shipped', %2$s)$$),
(33, 'exchange', $$create_order('{"source_id":"events-x","status":"awaiting_exchange","items":[{"sku":"a","quantity":1,"price":100}]}', %2$s)$$),
(34, 'order', $$create_return(%1$s, '[{"line_no":1,"quantity":2}]', %2$s, exchange_order_id => pg_temp.order_id('exchange'))$$),
(35, 'order', $$receive_return(pg_temp.return_id(%1$s, 1), '[{"line_no":1,"quantity":1}]', %2$s)$$),
(36, 'order', $$receive_return(pg_temp.return_id(%1$s, 1), %2$s)$$),
(37, 'order', $$complete_return(pg_temp.return_id(%1$s, 1), 30, 'wire', %2$s)$$),
(38, 'order', $$create_return(%1$s, '[{"line_no":2,"quantity":1}]', %2$s)$$),
(39, 'order', $$cancel_return(pg_temp.return_id(%1$s, 2), %2$s)$$),
(40, 'order', $$create_refund(%1$s, 20, 'sorry', 'wire', %2$s)$$),
(41, 'exchange', $$cancel_order(%1$s, %2$s)$$),
(42, 'third', $$create_order('{"status":"paid"}', %2$s)$$),
(43, 'third', $$set_order_status(%1$s, 'awaiting_exchange', %2$s)$$);

-- ---- the events that this makes, the one order's notes in their order ----
CREATE TEMP TABLE told (place serial, walker text, step int, event text, event_type text, data jsonb);
INSERT INTO told (walker, step, event, event_type, data) VALUES
('order', 1, 'OrderGroupCreated', 'order_created', '{"status":"created","amount":350,"items":[{"sku":"a","quantity":3,"price":100,"amount":300},{"sku":"b","quantity":1,"price":50,"amount":50}]}'),
('order', 2, 'None', 'lines_changed', '{"amount":{"old":350,"new":450},"items":{"old":[{"sku":"a","quantity":3}],"new":[{"sku":"a","quantity":4}]}}'),
('order', 3, 'None', 'address_changed', '{"fields":["shipping_address"]}'),
('order', 4, 'None', 'order_updated', '{"data_source":{"new":"shop"}}'),
('order', 5, 'None', 'none', '{}'),
('order', 6, 'None', 'note_edited', '{"note_no":5}'),
('order', 7, 'None', 'note_deleted', '{"note_no":5}'),
('order', 8, 'PromotionManualDiscount', 'promotion_manual_discount', '{"manual_discount_amount":{"old":0,"new":40},"discount_amount":{"old":0,"new":40}}'),
('order', 9, 'PromotionAddCoupon', 'promotion_add_coupon', '{"discount_amount":{"old":40,"new":50}}'),
('order', 10, 'PromotionAddCoupon', 'promotion_add_coupon', '{"discount_amount":{"old":50,"new":275},"items":[{"line_no":1,"discount_amount":200},{"line_no":2,"discount_amount":25}]}'),
('order', 11, 'PromotionRemoveCoupon', 'promotion_remove_coupon', '{"discount_amount":{"old":275,"new":50},"items":[{"line_no":1,"discount_amount":-200},{"line_no":2,"discount_amount":-25}]}'),
('order', 12, 'AddingPayment', 'adding_payment', '{"transaction_type":"sale","method":"card","amount":10,"payment_status":{"new":"pending"}}'),
('order', 13, 'None', 'payment_failed', '{"payment_status":{"old":"pending","new":"failed"}}'),
('order', 14, 'AddingPayment', 'adding_payment', '{"transaction_type":"sale","method":"card","amount":300,"payment_status":{"new":"pending"}}'),
('order', 15, 'None', 'payment_processed', '{"payment_status":{"old":"pending","new":"processed"}}'),
('order', 16, 'AddingPayment', 'adding_payment', '{"transaction_type":"sale","method":"wire","amount":100,"payment_status":{"new":"processed"}}'),
('order', 16, 'None', 'order_paid', '{"status":{"old":"created","new":"paid"}}'),
('order', 17, 'OrderGroupInProgress', 'order_in_progress', '{"status":{"old":"paid","new":"in_progress"}}'),
('order', 18, 'ShipmentAwaitingInventory', 'shipment_awaiting_inventory', '{"shipment_status":{"new":"awaiting_inventory"},"items":[{"line_no":1,"quantity":4}]}'),
('order', 19, 'OrderGroupOnHold', 'order_on_hold', '{"status":{"old":"in_progress","new":"on_hold"}}'),
('order', 19, 'None', 'shipment_on_hold', '{"shipment_status":{"old":"awaiting_inventory","new":"on_hold"}}'),
('order', 20, 'OrderGroupInProgress', 'order_in_progress', '{"status":{"old":"on_hold","new":"in_progress"}}'),
('order', 20, 'ShipmentAwaitingInventory', 'shipment_awaiting_inventory', '{"shipment_status":{"old":"on_hold","new":"awaiting_inventory"}}'),
('order', 21, 'None', 'shipment_inventory_assigned', '{"shipment_status":{"old":"awaiting_inventory","new":"inventory_assigned"}}'),
('order', 22, 'ShipmentCancelled', 'shipment_cancelled', '{"shipment_status":{"old":"inventory_assigned","new":"canceled"}}'),
('order', 23, 'None', 'shipment_inventory_assigned', '{"shipment_status":{"new":"inventory_assigned"},"items":[{"line_no":1,"quantity":4}]}'),
('order', 24, 'None', 'shipment_inventory_assigned', '{"shipment_status":{"new":"inventory_assigned"},"items":[{"line_no":2,"quantity":1}]}'),
('order', 25, 'ShipmentReleased', 'shipment_released', '{"shipment_status":{"old":"inventory_assigned","new":"released"}}'),
('order', 26, 'ShipmentPacking', 'shipment_packing', '{"shipment_status":{"old":"released","new":"packing"}}'),
('order', 27, 'ShipmentShipped', 'shipment_shipped', '{"shipment_status":{"old":"packing","new":"shipped"},"tracking_number":{"new":"T-1"},"carrier":{"new":"DHL"}}'),
('order', 27, 'None', 'order_partially_shipped', '{"status":{"old":"in_progress","new":"partially_shipped"}}'),
('order', 28, 'None', 'shipment_delivered', '{"shipment_status":{"old":"shipped","new":"delivered"}}'),
('order', 29, 'None', 'transition_refused', '{"refused":{"entity":"shipment","from":"inventory_assigned","to":"delivered"}}'),
('order', 30, 'ShipmentReleased', 'shipment_released', '{"shipment_status":{"old":"inventory_assigned","new":"released"}}'),
('order', 31, 'ShipmentPacking', 'shipment_packing', '{"shipment_status":{"old":"released","new":"packing"}}'),
('order', 32, 'ShipmentShipped', 'shipment_shipped', '{"shipment_status":{"old":"packing","new":"shipped"}}'),
('order', 32, 'OrderGroupCompleted', 'order_completed', '{"status":{"old":"partially_shipped","new":"completed"}}'),
('order', 34, 'ReturnCreated', 'return_created', '{"return_status":{"new":"awaiting_stock_return"},"items":[{"line_no":1,"quantity":2}]}'),
('order', 35, 'ReturnReceiptItems', 'return_receipt_items', '{"return_status":{"old":"awaiting_stock_return","new":"awaiting_completion"},"items":[{"line_no":1,"quantity":1}]}'),
('order', 36, 'ReturnReceiptItems', 'return_receipt_items', '{"items":[{"line_no":1,"quantity":1}]}'),
('order', 37, 'CreatingRefund', 'creating_refund', '{"transaction_type":"credit","method":"wire","amount":30,"payment_status":{"new":"processed"}}'),
('order', 37, 'None', 'return_completed', '{"return_status":{"old":"awaiting_completion","new":"complete"},"refund_amount":30}'),
('order', 38, 'ReturnCreated', 'return_created', '{"return_status":{"new":"awaiting_stock_return"},"items":[{"line_no":2,"quantity":1}]}'),
('order', 39, 'None', 'return_canceled', '{"return_status":{"old":"awaiting_stock_return","new":"canceled"}}'),
('order', 40, 'CreatingRefund', 'creating_refund', '{"transaction_type":"credit","method":"wire","amount":20,"payment_status":{"new":"processed"}}'),
('exchange', 33, 'OrderGroupCreated', 'order_created', '{"status":"awaiting_exchange","amount":100}'),
('exchange', 37, 'OrderGroupInProgress', 'order_in_progress', '{"status":{"old":"awaiting_exchange","new":"in_progress"}}'),
('exchange', 41, 'OrderGroupCancelled', 'order_cancelled', '{"status":{"old":"in_progress","new":"canceled"}}'),
('third', 42, 'OrderGroupCreated', 'order_created', '{"status":"paid"}'),
('third', 43, 'None', 'order_awaiting_exchange', '{"status":{"old":"paid","new":"awaiting_exchange"}}');

-- ---- the walk ----
CREATE TEMP TABLE walkers (walker text PRIMARY KEY, order_id bigint NOT NULL);
CREATE FUNCTION pg_temp.order_id(wanted text) RETURNS bigint LANGUAGE sql AS 'SELECT order_id FROM walkers WHERE walker = $1';
CREATE FUNCTION pg_temp.shipment(bigint, bigint) RETURNS bigint LANGUAGE sql AS
	'SELECT shipment_id FROM ordertrack.shipments WHERE order_id = $1 ORDER BY shipment_id OFFSET $2 - 1 LIMIT 1';
CREATE FUNCTION pg_temp.return_id(bigint, bigint) RETURNS bigint LANGUAGE sql AS
	'SELECT return_id FROM ordertrack.returns WHERE order_id = $1 ORDER BY return_id OFFSET $2 - 1 LIMIT 1';
DO $$
DECLARE
	s record;
	id bigint;
	answer text;
BEGIN
	FOR s IN SELECT * FROM steps ORDER BY step LOOP
		SELECT order_id INTO id FROM walkers WHERE walker = s.walker;
		EXECUTE format('SELECT count(*), min(x::text) FROM ordertrack.' || s.command || ' AS x',
			coalesce(id::text, 'NULL'), format('channel => %L, actor => %L', 'channel-' || s.step, 'actor-' || s.step))
		   INTO id, answer;
		IF s.command LIKE 'create_order(%' THEN
			INSERT INTO walkers VALUES (s.walker, answer::bigint);
		END IF;
	END LOOP;
END
$$;

-- ---- what is told of it ----
CREATE TEMP VIEW seen AS
SELECT w.walker, row_number() OVER (PARTITION BY w.walker ORDER BY e.note_no) AS place, e.*
  FROM walkers AS w JOIN ordertrack.order_activity_events AS e ON e.workspace_id = 1 AND e.order_id = w.order_id;
CREATE TEMP VIEW wanted AS
SELECT *, row_number() OVER (PARTITION BY walker ORDER BY t.place) AS row_no FROM told AS t;

SELECT is(string_agg(s.event || ' ' || s.event_type || ' ' || s.channel, ', ' ORDER BY s.place),
		(SELECT string_agg(t.event || ' ' || t.event_type || ' channel-' || t.step, ', ' ORDER BY t.row_no)
		   FROM wanted AS t WHERE t.walker = w.walker),
		format('The %s has its events in their order, each under the channel of its step.', w.walker))
  FROM walkers AS w JOIN seen AS s USING (walker) GROUP BY w.walker ORDER BY w.walker;
SELECT cmp_ok(s.data, '@>', t.data, format('Step %s: %s tells this.', t.step, t.event_type))
  FROM wanted AS t LEFT JOIN seen AS s ON s.walker = t.walker AND s.place = t.row_no ORDER BY t.place;
SELECT is_empty($$ SELECT s.walker, s.note_no, s.event_type, s.author, s.data FROM seen AS s
	WHERE s.author IS DISTINCT FROM current_user OR s.data ->> 'actor' IS DISTINCT FROM replace(s.channel, 'channel', 'actor') $$,
	'Each has the role as its author, and the actor that its caller claims.');

SELECT set_eq($$ SELECT DISTINCT event FROM seen $$, $$ VALUES ('OrderGroupCreated'), ('OrderGroupOnHold'),
	('OrderGroupCompleted'), ('OrderGroupInProgress'), ('OrderGroupCancelled'), ('ShipmentAwaitingInventory'),
	('ShipmentCancelled'), ('ShipmentPacking'), ('ShipmentReleased'), ('ShipmentShipped'), ('ReturnCreated'),
	('AddingPayment'), ('CreatingRefund'), ('ReturnReceiptItems'), ('PromotionAddCoupon'),
	('PromotionManualDiscount'), ('PromotionRemoveCoupon'), ('None') $$,
	'These are the 18 events of the reference system.');
SELECT set_eq($$ SELECT event FROM seen WHERE walker <> 'order' EXCEPT SELECT event FROM seen WHERE walker = 'order' $$,
	$$ VALUES ('OrderGroupCancelled') $$, 'The one order has been through all but the cancellation.');
SELECT is_empty($$ SELECT w.walker, f.* FROM walkers AS w CROSS JOIN LATERAL ordertrack.verify_order(w.order_id) AS f $$,
	'Their histories are whole, and tell the orders as they are.');
SELECT is(ordertrack.order_as_of(pg_temp.order_id('order')) ->> 'status', 'completed', 'The order ends completed.');

SELECT * FROM finish();
ROLLBACK;

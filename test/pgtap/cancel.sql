-- Orders that wait and orders that end: each status, what comes back of an order that is
-- canceled, and what is refused and recorded while the order is canceled all the same.
BEGIN;
SELECT * FROM no_plan();

SELECT ordertrack.create_campaign('camp', redemption_limit => 20, customer_limit => 20, discount_budget => 100000),
	ordertrack.create_voucher('TEN', '{"type":"amount","amount_off":1000}', campaign => 'camp',
		redemption_limit => 9, customer_limit => 9, per_day => 9),
	ordertrack.create_voucher('P10', '{"type":"percent","percent_off":10}'),
	ordertrack.create_voucher('P20', '{"type":"percent","percent_off":20}', campaign => 'camp'),
	ordertrack.create_voucher('CARD', gift_amount => 5000),
	ordertrack.create_voucher('MUG', '{"type":"unit","unit_off":2,"product_id":"mug","price":250,"effect":"add_new_items"}'),
	ordertrack.create_reward('pen', 'gift', 60, stock => '[{"color":"red","stock":9}]', redemption_limit => 10, customer_limit => 9, code_source => 'pool'),
	ordertrack.add_reward_codes('pen', '{A,B,C}'), ordertrack.grant_points('anna', 500, reason => 'welcome')
\g /dev/null
CREATE FUNCTION pg_temp.new_order(source text, status text DEFAULT 'created') RETURNS bigint LANGUAGE sql AS $$
	SELECT ordertrack.create_order(jsonb_build_object('source_id', source, 'status', status, 'items',
		jsonb_build_array(jsonb_build_object('product_id', 'a', 'quantity', 2, 'price', 5000))), 'anna')
$$;
CREATE FUNCTION pg_temp.look(id bigint) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', status, amount, discount_amount, total_amount) FROM ordertrack.orders WHERE order_id = id AND workspace_id = 1
$$;
CREATE FUNCTION pg_temp.notes(id bigint, since int DEFAULT 2) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(event_type, ' ' ORDER BY note_no) FROM ordertrack.order_notes WHERE order_id = id AND note_no >= since
$$;
-- What cancel_order answers: of each redemption its code, or kind, and how it ended.
CREATE FUNCTION pg_temp.cancel(id bigint, reason text DEFAULT NULL, rollback boolean DEFAULT true) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answers ordertrack.redemption_outcome[] := ARRAY(SELECT c FROM ordertrack.cancel_order(id, reason, rollback, 'desk', 'staff') AS c);
BEGIN
	RETURN (SELECT coalesce(string_agg(concat_ws(' ', coalesce(o.code, o.reward, o.kind), coalesce(a.failure_code, a.discount_amount::text), a.gift_balance), ', '
			ORDER BY n), 'nothing')
		  FROM generate_subscripts(answers, 1) AS n CROSS JOIN LATERAL (SELECT (answers[n]).*) AS a
		  JOIN ordertrack.redemptions AS r USING (redemption_id) JOIN ordertrack.redemptions AS o ON o.redemption_id = r.rollback_of);
END
$$;
CREATE FUNCTION pg_temp.supply() RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', (SELECT redeemed_count FROM ordertrack.rewards), (SELECT coalesce(sum(used), 0) FROM ordertrack.reward_customers),
		(SELECT sum(stock) FROM ordertrack.reward_variants), (SELECT string_agg(code, '' ORDER BY code_no) FROM ordertrack.reward_codes WHERE issued_at IS NULL),
		(SELECT balance FROM ordertrack.point_accounts))
$$;
CREATE FUNCTION pg_temp.counters() RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', (SELECT redeemed_count FROM ordertrack.vouchers WHERE code = 'TEN'), (SELECT sum(used) FROM ordertrack.voucher_customers),
		(SELECT redeemed_count || ' ' || discount_spent FROM ordertrack.campaigns), (SELECT sum(used) FROM ordertrack.campaign_customers),
		(SELECT sum(used) FROM ordertrack.period_counts), (SELECT gift_balance FROM ordertrack.vouchers WHERE code = 'CARD'))
$$;

-- Every status: the way there, whether it can be held and whether it can be canceled.
CREATE TEMP TABLE ways (status text, first text, way text[], can_hold boolean, can_cancel boolean);
INSERT INTO ways VALUES ('created', 'created', '{}', true, true), ('paid', 'paid', '{}', true, true),
	('fulfilled', 'paid', '{fulfilled}', false, true), ('in_progress', 'paid', '{in_progress}', true, true),
	('partially_shipped', 'paid', '{partially_shipped}', true, true), ('on_hold', 'paid', '{on_hold}', NULL, true),
	('completed', 'paid', '{completed}', false, false), ('canceled', 'paid', '{canceled}', false, NULL),
	('awaiting_exchange', 'awaiting_exchange', '{}', false, true);
SELECT set_eq('SELECT status FROM ways', $$SELECT unnest(regexp_matches(pg_get_constraintdef(oid), '''(\w+)''', 'g')) FROM pg_constraint
	WHERE contypid = 'ordertrack.order_status'::regtype$$, 'these are all statuses');
SELECT is(w.can_hold, CASE WHEN status <> 'on_hold' THEN EXISTS (SELECT FROM ordertrack.status_transitions AS t
		WHERE t.workspace_id = 1 AND entity = 'order' AND from_status = status AND to_status = 'on_hold') END, 'hold by the table: ' || status) FROM ways AS w;
SELECT is(w.can_cancel, CASE WHEN status <> 'canceled' THEN EXISTS (SELECT FROM ordertrack.status_transitions AS t
		WHERE t.workspace_id = 1 AND entity = 'order' AND from_status = status AND to_status = 'canceled') END, 'cancel by the table: ' || status) FROM ways AS w;
CREATE FUNCTION pg_temp.in_status(w ways, source text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	id bigint := pg_temp.new_order(source || w.status, w.first);
	step text;
BEGIN
	FOREACH step IN ARRAY w.way LOOP
		PERFORM ordertrack.set_order_status(id, step);
	END LOOP;
	RETURN id;
END
$$;

-- ---- hold and release ----
CREATE TEMP TABLE held AS SELECT *, pg_temp.in_status(w, 'hold') AS id FROM ways AS w;
CREATE TEMP TABLE notes_before AS SELECT order_id AS id, note_count FROM ordertrack.orders;
SELECT CASE WHEN can_hold THEN is(ordertrack.hold_order(id, 'fraud?', 'desk', 'staff'), status, 'hold gives the status before: ' || status)
	WHEN can_hold IS NULL THEN is(ordertrack.hold_order(id, 'again'), 'on_hold', 'hold what is on hold')
	ELSE throws_ok(format('SELECT ordertrack.hold_order(%s)', id), 'OT010', format('order status cannot change from "%s" to "on_hold"', status),
		'hold is refused: ' || status) END FROM held ORDER BY status;
SELECT is(o.status::text || ' ' || coalesce(o.status_before_hold::text, '-'),
	CASE WHEN can_hold THEN 'on_hold ' || h.status WHEN can_hold IS NULL THEN 'on_hold paid' ELSE h.status || ' -' END, 'after hold: ' || h.status)
  FROM held AS h JOIN ordertrack.orders AS o ON o.order_id = id ORDER BY h.status;
SELECT is((SELECT string_agg(concat_ws(' ', note_type, event_type, detail, channel, data->>'actor', data->'status'->>'old', data->'status'->>'new'), ', ' ORDER BY note_no)
	FROM ordertrack.order_notes AS n WHERE n.order_id = h.id AND n.note_no > b.note_count),
	CASE WHEN can_hold THEN format('custom none fraud? desk staff, system order_on_hold desk staff %s on_hold', status) END, 'notes of hold: ' || status)
  FROM held AS h JOIN notes_before AS b USING (id) ORDER BY status;
SELECT CASE WHEN coalesce(can_hold, true)
	THEN is(ordertrack.release_order(id, 'desk', 'staff'), coalesce(nullif(status, 'on_hold'), 'paid'), 'release: ' || status)
	ELSE throws_ok(format('SELECT ordertrack.release_order(%s)', id), 'OT010', format('order %s is not on hold', id), 'not on hold: ' || status) END
  FROM held ORDER BY status;
SELECT is(o.status::text || ' ' || coalesce(o.status_before_hold::text, '-'), coalesce(nullif(h.status, 'on_hold'), 'paid') || ' -', 'as before: ' || h.status)
  FROM held AS h JOIN ordertrack.orders AS o ON o.order_id = id ORDER BY h.status;
SELECT throws_ok(format('SELECT ordertrack.release_order(%s)', id), 'OT010', NULL, 'released already: ' || status) FROM held WHERE can_hold ORDER BY status;
-- Without a reason there is no custom note; an empty one is none.
SELECT ordertrack.hold_order(id, CASE status WHEN 'paid' THEN '' END) FROM held WHERE status IN ('paid', 'created')
\g /dev/null
SELECT is((SELECT event_type FROM ordertrack.order_notes WHERE order_id = id ORDER BY note_no DESC OFFSET 1 LIMIT 1),
	CASE status WHEN 'paid' THEN 'order_paid' ELSE 'order_released' END, 'a hold without a reason: ' || status) FROM held WHERE status IN ('paid', 'created');
-- What was paid during the hold counts when the order goes on, and what costs nothing is not paid.
SELECT ordertrack.create_order('{"items":[{"sku":"a","quantity":2,"price":100}]}') AS late, ordertrack.create_order('{"amount":0}') AS free \gset
SELECT ordertrack.hold_order(:late), ordertrack.hold_order(:free), ordertrack.add_payment(:late, 150)
\g /dev/null
SELECT is(ordertrack.release_order(:late), 'created', 'in part');
SELECT ordertrack.hold_order(:late), ordertrack.add_payment(:late, 50)
\g /dev/null
SELECT is(ordertrack.release_order(:late, 'desk', 'staff'), 'paid', 'paid while on hold');
SELECT is(pg_temp.look(:late), 'paid 200 0 200', 'the order says so');
SELECT is((SELECT string_agg(concat_ws(' ', event_type, channel, data->>'actor'), ', ' ORDER BY note_no) FROM ordertrack.order_notes
	WHERE order_id = :late AND note_no > (SELECT max(note_no) FROM ordertrack.order_notes WHERE order_id = :late AND event_type = 'adding_payment')),
	'order_released desk staff, order_paid desk staff', 'with a note of each');
SELECT is(ordertrack.release_order(:free), 'created', 'an order that costs nothing');
SELECT ordertrack.create_order('{"status":"paid","items":[{"sku":"a","quantity":2}]}') AS cut \gset
SELECT ordertrack.create_shipment(:cut, '[{"line_no":1,"quantity":1}]') AS sent, ordertrack.create_shipment(:cut) AS rest \gset
SELECT ordertrack.set_shipment_status(:sent, s) FROM unnest('{released,packing,shipped}'::text[]) AS s
\g /dev/null
SELECT ordertrack.hold_order(:cut), ordertrack.set_shipment_status(:rest, 'canceled')
\g /dev/null
SELECT is(ordertrack.release_order(:cut), 'completed', 'completed by what was canceled while on hold');
-- Held orders end, too.
SELECT is(pg_temp.cancel(id), 'nothing', 'canceled from its hold: ' || status) FROM held WHERE status IN ('paid', 'created');
SELECT is((SELECT status_before_hold FROM ordertrack.orders WHERE order_id = id), NULL, 'and nothing to go back to: ' || status) FROM held WHERE status = 'paid';

-- ---- cancel: each status ----
CREATE TEMP TABLE ended AS SELECT *, pg_temp.in_status(w, 'end') AS id FROM ways AS w;
DELETE FROM notes_before;
INSERT INTO notes_before SELECT order_id AS id, note_count FROM ordertrack.orders;
SELECT CASE WHEN coalesce(can_cancel, true) THEN is(pg_temp.cancel(id, 'changed my mind'), 'nothing', 'canceled: ' || status)
	ELSE throws_ok(format('SELECT ordertrack.cancel_order(%s)', id), 'OT010', format('order status cannot change from "%s" to "canceled"', status),
		'not canceled: ' || status) END FROM ended ORDER BY status;
SELECT is(o.status::text, CASE WHEN can_cancel IS DISTINCT FROM false THEN 'canceled' ELSE e.status END, 'status after: ' || e.status)
  FROM ended AS e JOIN ordertrack.orders AS o ON o.order_id = id ORDER BY e.status;
SELECT is((SELECT string_agg(concat_ws(' ', note_type, event_type, detail, channel, data->>'actor'), ', ' ORDER BY note_no)
	FROM ordertrack.order_notes AS n WHERE n.order_id = e.id AND n.note_no > b.note_count),
	CASE WHEN can_cancel THEN 'custom none changed my mind desk staff, system order_cancelled desk staff' END, 'notes of the end: ' || status)
  FROM ended AS e JOIN notes_before AS b USING (id) ORDER BY status;

-- ---- what comes back ----
SELECT pg_temp.new_order('full') AS full
\gset
SELECT ordertrack.add_coupon(:full, 'TEN'), ordertrack.redeem('CARD', 'bert', format('{"id":%s}', :full)::jsonb, 700)
\g /dev/null
SELECT count(*) FROM ordertrack.redeem_stack('{P20,TEN}', 'cora', format('{"id":%s}', :full)::jsonb)
\g /dev/null
SELECT redemption_id AS gone FROM ordertrack.add_coupon(:full, 'P10')
\gset
SELECT ordertrack.remove_coupon(:full, 'P10'), ordertrack.add_coupon(:full, 'CARD', 40), ordertrack.add_coupon(:full, 'MUG'), ordertrack.add_coupon(:full, 'NONE')
\g /dev/null
SELECT ordertrack.rollback_redemption(redemption_id, amount => 200), ordertrack.set_manual_discount(:full, 11)
  FROM ordertrack.redemptions WHERE code = 'CARD' AND amount = 700
\g /dev/null
SELECT is(pg_temp.look(:full), 'paid 10500 4711 5789', 'an order with much on it');
SELECT note_count FROM ordertrack.orders WHERE order_id = :full
\gset
SELECT is(pg_temp.cancel(:full, 'all back'), 'MUG 4211, CARD 4171 4500, stack 1511, CARD 1011 5000, TEN 11', 'all that is live, the newest first, a stack as a whole');
SELECT is(pg_temp.look(:full), 'canceled 10000 11 9989', 'the order, with what was set by hand');
SELECT is(pg_temp.counters(), '0 0 0 0 0 0 5000', 'nothing is counted');
SELECT is(pg_temp.notes(:full, :note_count + 1), 'none order_cancelled promotion_remove_coupon promotion_remove_coupon promotion_remove_coupon'
	' promotion_remove_coupon promotion_remove_coupon promotion_remove_coupon', 'its notes');
SELECT is((SELECT count(*) FROM ordertrack.redemptions WHERE order_id = :full AND kind = 'rollback' AND result = 'success' AND reason = 'all back'
	AND channel = 'desk' AND actor = 'staff'), 7::bigint, 'every rollback has the reason');
SELECT is((SELECT string_agg(DISTINCT state, ' ') FROM ordertrack.redemption_list WHERE order_id = :full AND kind <> 'rollback' AND result = 'success'),
	'rolled_back', 'nothing is live');
SELECT is(pg_temp.cancel(:full, 'once more'), 'nothing', 'canceled already');
SELECT is((SELECT note_count FROM ordertrack.orders WHERE order_id = :full), :note_count + 8, 'and nothing happens');

-- Without rollback; what is left is rolled back when it is asked for.
SELECT pg_temp.new_order('left') AS left
\gset
SELECT ordertrack.add_coupon(:left, 'TEN'), ordertrack.add_coupon(:left, 'CARD', 50)
\g /dev/null
SELECT is(pg_temp.cancel(:left, rollback => false), 'nothing', 'rollback => false');
SELECT is(pg_temp.look(:left), 'canceled 10000 1050 8950', 'leaves redemptions');
SELECT is(pg_temp.cancel(:left, rollback => false), 'nothing', 'again, too');
SELECT is(pg_temp.cancel(:left, 'after all'), 'CARD 1000 5000, TEN 0', 'and they can follow');
SELECT is(pg_temp.notes(:left), 'promotion_add_coupon promotion_add_coupon order_cancelled promotion_remove_coupon promotion_remove_coupon',
	'the reason is that of the rollbacks alone');
SELECT is(pg_temp.cancel(:left), 'nothing', 'and nothing is left');

-- A reward: points, stock, code and uses, also with codes on its order.
SELECT pg_temp.supply() AS supply
\gset
SELECT order_id AS rewarded FROM ordertrack.redeem_reward('pen', 'anna', 2, 'red')
\gset
SELECT is(pg_temp.supply(), '2 2 7 C 380', 'taken');
SELECT ordertrack.redeem('P10', 'anna', format('{"id":%s}', :rewarded)::jsonb)
\g /dev/null
SELECT is(pg_temp.cancel(:rewarded, 'no pens'), 'P10 0, pen 0', 'a code, then the reward');
SELECT is(pg_temp.supply(), :'supply', 'all is back');
SELECT is(pg_temp.look(:rewarded), 'canceled 0 0 0', 'its order');
SELECT is(pg_temp.notes(:rewarded), 'reward_redeemed promotion_add_coupon none order_cancelled promotion_remove_coupon reward_rolled_back', 'its notes');
SELECT is((SELECT string_agg(DISTINCT reason, ' ') FROM ordertrack.point_movements WHERE kind = 'returned'), 'no pens', 'the ledger has the reason');

-- What is refused is recorded, and the order is canceled all the same.
SELECT order_id AS used, issued_reward_ids[1] AS unit FROM ordertrack.redeem_reward('pen', 'anna', 1, 'red')
\gset
SELECT ordertrack.redeem('TEN', 'anna', format('{"id":%s}', :used)::jsonb), (ordertrack.mark_used(:unit)).result
\g /dev/null
SELECT is(pg_temp.cancel(:used), 'TEN 0, pen reward_used', 'a reward that is used');
SELECT is(pg_temp.look(:used), 'canceled 0 0 0', 'on an order that is canceled');
SELECT is((SELECT concat_ws(' ', kind, result, failure_code) FROM ordertrack.redemptions WHERE order_id = :used ORDER BY redemption_id DESC LIMIT 1),
	'rollback failure reward_used', 'the refusal is recorded');
SELECT is(pg_temp.supply(), '1 1 8 BC 440', 'and the reward stays had');
SELECT is(pg_temp.cancel(:used), 'pen reward_used', 'it is tried again');

-- A reward of which the customer has units, until they have come back.
SELECT order_id AS sent FROM ordertrack.redeem_reward('pen', 'anna', 2, 'red')
\gset
SELECT ordertrack.create_shipment(:sent, '[{"line_no":1,"quantity":1}]') AS one, ordertrack.create_shipment(:sent) AS other
\gset
SELECT ordertrack.set_shipment_status(:one, s) FROM unnest('{released,packing,shipped}'::text[]) AS s
\g /dev/null
SELECT pg_temp.supply() AS taken
\gset
SELECT is(pg_temp.cancel(:sent), 'pen items_shipped', 'a reward of which a unit was shipped');
SELECT is(pg_temp.look(:sent) || ' ' || (SELECT status FROM ordertrack.shipments WHERE shipment_id = :other), 'canceled 0 0 0 canceled', 'the rest is not sent');
SELECT is(pg_temp.supply(), :'taken', 'points and stock stay away');
SELECT is((SELECT failure_message FROM ordertrack.redemptions WHERE order_id = :sent AND kind = 'rollback'), 'units of the reward were shipped and did not come back', 'with words');
SELECT ordertrack.create_return(:sent) AS back
\gset
SELECT ordertrack.receive_return(:back)
\g /dev/null
SELECT is(pg_temp.cancel(:sent), 'pen items_shipped', 'one that comes back, too');
SELECT ordertrack.complete_return(:back, 0)
\g /dev/null
SELECT is(pg_temp.cancel(:sent), 'pen 0', 'until it has');
SELECT ordertrack.set_delivery_status(:unit, 'canceled')
\g /dev/null
SELECT is(pg_temp.cancel(:used), 'pen 0', 'until it can be done');
SELECT is(pg_temp.supply(), :'supply', 'then all is back');

-- Likewise units that are on their way already.
SELECT pg_temp.new_order('sent') AS sent
\gset
SELECT ordertrack.add_coupon(:sent, 'TEN'), ordertrack.add_coupon(:sent, 'MUG'), ordertrack.add_coupon(:sent, 'CARD', 5)
\g /dev/null
SELECT ordertrack.set_order_status(:sent, 'paid'), ordertrack.create_shipment(:sent, '[{"line_no":2,"quantity":2}]') AS mugs, ordertrack.create_shipment(:sent) AS rest
\gset
SELECT ordertrack.set_shipment_status(:mugs, status) FROM unnest('{released,packing,shipped}'::text[]) AS status
\g /dev/null
SELECT is(pg_temp.cancel(:sent), 'CARD 1500 5000, MUG items_shipped, TEN 500', 'units that were shipped');
SELECT is(string_agg(status::text, ' ' ORDER BY shipment_id), 'shipped canceled', 'what was not shipped is canceled') FROM ordertrack.shipments WHERE order_id = :sent;
SELECT is(pg_temp.look(:sent), 'canceled 10500 500 10000', 'stay on the order that is canceled');

-- Discounts of another customer than the order's; a customer's sums.
SELECT is((SELECT concat_ws(' ', order_count, order_total, last_order_at IS NULL) FROM ordertrack.customers WHERE source_id = 'bert'), '0 0 t', 'nothing of bert');
SELECT order_id AS sums FROM ordertrack.redeem('TEN', 'dora', '{"amount":4000}')
\gset
SELECT is((SELECT concat_ws(' ', order_count, order_total) FROM ordertrack.customers WHERE source_id = 'dora'), '1 3000', 'a paid order');
SELECT is(pg_temp.cancel(:sums), 'TEN 0', 'comes back');
SELECT is((SELECT concat_ws(' ', order_count, order_total) FROM ordertrack.customers WHERE source_id = 'dora'), '0 0', 'and no longer counts');

-- An end that is refused takes nothing back.
SELECT order_id AS done FROM ordertrack.redeem('TEN', 'dora', '{"amount":4000}')
\gset
SELECT ordertrack.set_order_status(:done, 'completed')
\g /dev/null
SELECT throws_ok(format('SELECT ordertrack.cancel_order(%s)', :done), 'OT010', NULL, 'a completed order');
SELECT is(pg_temp.look(:done), 'completed 4000 1000 3000', 'keeps its discount');
-- Somebody's trigger that keeps an order from being canceled.
CREATE FUNCTION pg_temp.skip() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
SELECT order_id AS stuck FROM ordertrack.redeem('TEN', 'dora', '{"amount":4000}')
\gset
CREATE TRIGGER a BEFORE UPDATE ON ordertrack.orders FOR EACH ROW EXECUTE FUNCTION pg_temp.skip();
SELECT throws_ok(format('SELECT ordertrack.%s_order(%s)', call, :stuck), '09000', 'a write of ordertrack was suppressed', call || ' that is suppressed')
  FROM unnest('{cancel,hold}'::text[]) AS call;
DROP TRIGGER a ON ordertrack.orders;

-- Errors of the caller.
SELECT throws_ok(call, code, NULL, call) FROM (VALUES
	('SELECT ordertrack.hold_order(-1)', 'OT001'), ('SELECT ordertrack.release_order(-1)', 'OT001'), ('SELECT ordertrack.cancel_order(-1)', 'OT001'),
	('SELECT ordertrack.hold_order(NULL)', 'OT005'), ('SELECT ordertrack.release_order(NULL)', 'OT005'), ('SELECT ordertrack.cancel_order(NULL)', 'OT005'),
	('SELECT ordertrack.cancel_order(1, rollback => NULL)', 'OT005'), ('SELECT ordertrack.cancel_order(1, workspace => NULL)', 'OT005'),
	('SELECT ordertrack.hold_order(1, repeat(''x'', 1001))', 'OT005'), ('SELECT ordertrack.cancel_order(1, repeat(''x'', 1001))', 'OT005'),
	('SELECT ordertrack.hold_order(1, channel => repeat(''x'', 1001))', 'OT005'), ('SELECT ordertrack.release_order(1, actor => repeat(''x'', 1001))', 'OT005'),
	('SELECT ordertrack.hold_order(1, workspace => -1)', 'OT002'), ('SELECT ordertrack.release_order(1, workspace => -1)', 'OT002'),
	('SELECT ordertrack.cancel_order(1, workspace => -1)', 'OT002')) AS c (call, code);

SELECT is_empty('SELECT v.* FROM ordertrack.orders AS o, ordertrack.verify_order(o.order_id) AS v', 'all histories verify');

-- The rollback of its last code cancels an order, unless money came for it or it was sent.
CREATE FUNCTION pg_temp.back(source text, command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	id CONSTANT bigint := pg_temp.new_order(source);
	answer ordertrack.redemption_outcome;
BEGIN
	PERFORM ordertrack.redeem('TEN', 'anna', jsonb_build_object('id', id));
	EXECUTE format(command, id);
	SELECT * INTO answer FROM ordertrack.rollback_redemption((SELECT max(redemption_id) FROM ordertrack.redemptions WHERE order_id = id AND kind = 'redemption'));
	RETURN concat_ws(' ', answer.result, (SELECT status FROM ordertrack.orders WHERE order_id = id),
		(SELECT data ->> 'kept_status' FROM ordertrack.order_notes WHERE order_id = id AND event_type = 'promotion_remove_coupon'),
		(SELECT string_agg(problem, ' ') FROM ordertrack.verify_order(id)));
END
$$;
SELECT is(pg_temp.back('back ' || n, command), wanted, 'back after: ' || command) FROM (VALUES
	(1, 'SELECT %s', 'success canceled'),
	(2, 'SELECT ordertrack.add_payment(%s, 5)', 'success paid paid'),
	(3, 'SELECT ordertrack.add_payment(%s, 5, status => ''pending'')', 'success canceled'),
	(4, 'SELECT ordertrack.add_payment(%1$s, 5), ordertrack.create_refund(%1$s, 5)', 'success canceled'),
	(5, 'SELECT ordertrack.create_shipment(%s)', 'success canceled'),
	(6, 'SELECT ordertrack.set_shipment_status(s, status) FROM ordertrack.create_shipment(%s, ''[{"line_no":1,"quantity":1}]'') AS s, unnest(''{released,packing,shipped}''::text[]) AS status',
		'success partially_shipped partially_shipped')) AS t (n, command, wanted);

SELECT * FROM finish();
ROLLBACK;

-- Coupons and manual discounts of stored orders: what they give, what they leave of the
-- order, when they are refused, and units that are in a shipment.
BEGIN;
SELECT * FROM no_plan();

SELECT ordertrack.create_campaign('camp', redemption_limit => 10, customer_limit => 9),
	ordertrack.create_voucher('TEN', '{"type":"amount","amount_off":1000}', campaign => 'camp',
		redemption_limit => 5, customer_limit => 4),
	ordertrack.create_voucher('P10', '{"type":"percent","percent_off":10}'),
	ordertrack.create_voucher('CARD', gift_amount => 5000),
	ordertrack.create_voucher('LAST', '{"type":"amount","amount_off":1}', redemption_limit => 1),
	ordertrack.create_voucher('MUG', '{"type":"unit","unit_off":2,"product_id":"mug","price":250,"effect":"add_new_items"}'),
	ordertrack.create_voucher('MORE', '{"type":"unit","unit_off":1,"product_id":"a","effect":"add_new_items"}'),
	ordertrack.create_voucher('HALF', '{"type":"percent","percent_off":50,"effect":"apply_to_items"}'),
	ordertrack.create_voucher('OFF', '{"type":"amount","amount_off":1}', is_active => false)
\g /dev/null
SELECT ordertrack.create_workspace('elsewhere') AS elsewhere
\gset
CREATE FUNCTION pg_temp.new_order(source text, amount bigint DEFAULT 10000, status text DEFAULT 'created') RETURNS bigint LANGUAGE sql AS $$
	SELECT ordertrack.create_order(jsonb_build_object('source_id', source, 'status', status, 'items',
		jsonb_build_array(jsonb_build_object('product_id', 'a', 'quantity', 2, 'price', amount / 2))), 'anna')
$$;
CREATE FUNCTION pg_temp.look(id bigint) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', status, amount, discount_amount, total_amount) FROM ordertrack.orders WHERE order_id = id AND workspace_id = 1
$$;
CREATE FUNCTION pg_temp.tell(o ordertrack.redemption_outcome) RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(o.failure_code, concat_ws(' ', o.result, o.amount, o.discount_amount, o.total_amount, o.gift_balance))
$$;
CREATE FUNCTION pg_temp.notes(id bigint, since int DEFAULT 2) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(event_type, ' ' ORDER BY note_no) FROM ordertrack.order_notes WHERE order_id = id AND note_no >= since
$$;
-- The words of the data of the newest notes.
CREATE FUNCTION pg_temp.note(id bigint, event text) RETURNS jsonb LANGUAGE sql AS $$
	SELECT data FROM ordertrack.order_notes WHERE order_id = id AND event_type = event ORDER BY note_no DESC LIMIT 1
$$;
CREATE FUNCTION pg_temp.counters() RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', v.redeemed_count, vc.used, c.redeemed_count, cc.used)
	  FROM ordertrack.vouchers AS v JOIN ordertrack.campaigns AS c USING (workspace_id, campaign_id)
	  JOIN ordertrack.voucher_customers AS vc USING (workspace_id, voucher_id)
	  JOIN ordertrack.campaign_customers AS cc USING (workspace_id, campaign_id) WHERE v.code = 'TEN'
$$;

-- ---- add_coupon ----
SELECT pg_temp.new_order('one') AS one
\gset
SELECT is(to_jsonb(a) - 'redemption_id', jsonb_build_object('order_id', :one) ||
	'{"result":"success","failure_code":null,"failure_message":null,"amount":10000,"discount_amount":1000,"total_amount":9000,
		"gift_balance":null,"replayed":false}', 'the outcome')
  FROM ordertrack.add_coupon(:one, 'TEN', metadata => '{"a":1}', channel => 'desk', actor => 'staff') AS a;
SELECT is(pg_temp.look(:one), 'created 10000 1000 9000', 'the order stays created');
SELECT is(pg_temp.counters(), '1 1 1 1', 'each limit counts it');
SELECT is((SELECT concat_ws(' ', kind, result, code, customer, c.source_id, order_id, amount, channel, actor, r.metadata)
	FROM ordertrack.redemptions AS r JOIN ordertrack.customers AS c USING (workspace_id, customer_id) WHERE order_id = :one),
	format('redemption success TEN anna anna %s 1000 desk staff {"a": 1}', :one), 'the record, of the order''s customer');
SELECT is(pg_temp.notes(:one), 'promotion_add_coupon', 'its note');
SELECT is(pg_temp.note(:one, 'promotion_add_coupon')->'discount_amount', '{"old":0,"new":1000}', 'tells the discount');
SELECT is(pg_temp.tell(ordertrack.add_coupon(:one, 'P10')), 'success 10000 1900 8100', 'a percentage of what is left');
SELECT is(pg_temp.tell(ordertrack.add_coupon(:one, 'CARD', 100)), 'success 100 2000 8000 4900', 'so much of a gift card');
SELECT is(pg_temp.tell(ordertrack.add_coupon(:one, 'CARD')), 'success 4900 6900 3100 0', 'all of a gift card');

-- Where nothing is left to pay, the order is paid.
SELECT pg_temp.new_order('small', 1000) AS small
\gset
SELECT is(pg_temp.tell(ordertrack.add_coupon(:small, 'TEN')), 'success 1000 1000 0', 'a coupon of all that there is to pay');
SELECT is(pg_temp.look(:small), 'paid 1000 1000 0', 'makes the order paid');
SELECT is(pg_temp.notes(:small), 'promotion_add_coupon order_paid', 'and both are told');
SELECT ok((SELECT paid_at IS NOT NULL FROM ordertrack.orders WHERE order_id = :small), 'as is when');

-- In each status: the answer, and what becomes of it with something left and with nothing.
CREATE TEMP TABLE ways (status text, way text[], first text, answer text, after text, after_all text);
INSERT INTO ways VALUES ('created', '{}', 'created', 'success', 'created', 'paid'), ('paid', '{}', 'paid', 'success', 'paid', 'paid'),
	('fulfilled', '{fulfilled}', 'created', 'success', 'fulfilled', 'paid'),
	('in_progress', '{in_progress}', 'created', 'success', 'in_progress', 'in_progress'),
	('partially_shipped', '{in_progress,partially_shipped}', 'created', 'success', 'partially_shipped', 'partially_shipped'),
	('on_hold', '{on_hold}', 'created', 'invalid_order', 'on_hold', 'on_hold'),
	('completed', '{completed}', 'paid', 'invalid_order', 'completed', 'completed'),
	('canceled', '{canceled}', 'paid', 'invalid_order', 'canceled', 'canceled'),
	('awaiting_exchange', '{}', 'awaiting_exchange', 'invalid_order', 'awaiting_exchange', 'awaiting_exchange');
CREATE FUNCTION pg_temp.in_status(w ways, source text, amount bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	id bigint := pg_temp.new_order(source || w.status, amount, w.first);
	step text;
BEGIN
	FOREACH step IN ARRAY w.way LOOP
		PERFORM ordertrack.set_order_status(id, step);
	END LOOP;
	RETURN id;
END
$$;
SELECT ordertrack.create_voucher('C' || n, format('{"type":"amount","amount_off":%s}', n)::jsonb) FROM unnest('{100,1000}'::int[]) AS n
\g /dev/null
CREATE TEMP TABLE added AS SELECT w.*, code, pg_temp.in_status(w, code, 1000) AS order_id FROM ways AS w, unnest('{C100,C1000}'::text[]) AS code;
ALTER TABLE added ADD told text;
UPDATE added SET told = split_part(pg_temp.tell(ordertrack.add_coupon(order_id, code)), ' ', 1);
SELECT is(told, answer, format('add_coupon %s, %s', code, status)) FROM added ORDER BY status, code;
SELECT is(o.status::text, CASE code WHEN 'C100' THEN after ELSE after_all END, format('status after %s, %s', code, a.status))
  FROM added AS a JOIN ordertrack.orders AS o USING (order_id) ORDER BY a.status, code;

-- A move to paid that an operator took away is not made.
DELETE FROM ordertrack.status_transitions WHERE from_status = 'created' AND to_status = 'paid' AND workspace_id = 1;
SELECT pg_temp.new_order('unpaid', 1000) AS unpaid
\gset
SELECT is(pg_temp.tell(ordertrack.add_coupon(:unpaid, 'C1000')), 'success 1000 1000 0', 'nothing is left to pay');
SELECT is(pg_temp.look(:unpaid), 'created 1000 1000 0', 'but it may not become paid');
INSERT INTO ordertrack.status_transitions (workspace_id, entity, from_status, to_status, event_type) VALUES (1, 'order', 'created', 'paid', 'order_paid');

-- Refusals are answers and are recorded; what the caller got wrong is an error.
SELECT is(pg_temp.tell(ordertrack.add_coupon(:one, code)), answer, what) FROM (VALUES
	('NONE', 'voucher_not_found', 'unknown code'), ('OFF', 'voucher_disabled', 'disabled code'), (NULL, 'invalid_input', 'no code'),
	('', 'invalid_input', 'an empty code'), (repeat('x', 201), 'invalid_input', 'a long code')) AS c (code, answer, what);
SELECT is((SELECT count(*) FROM ordertrack.redemptions WHERE result = 'failure' AND failure_code = 'voucher_disabled' AND order_id = :one
	AND customer = 'anna'), 1::bigint, 'a refusal is recorded with its order and customer');
SELECT is(pg_temp.look(:one), 'created 10000 6900 3100', 'and changes nothing');
SELECT throws_ok(call, code, NULL, call) FROM (VALUES
	('SELECT ordertrack.add_coupon(-1, ''TEN'')', 'OT001'), ('SELECT ordertrack.add_coupon(NULL, ''TEN'')', 'OT005'),
	('SELECT ordertrack.add_coupon(1, ''TEN'', workspace => -1)', 'OT002'), ('SELECT ordertrack.add_coupon(1, ''TEN'', workspace => NULL)', 'OT005'),
	('SELECT ordertrack.remove_coupon(-1, ''TEN'')', 'OT001'), ('SELECT ordertrack.remove_coupon(NULL, ''TEN'')', 'OT005'),
	('SELECT ordertrack.remove_coupon(1, ''TEN'', workspace => -1)', 'OT002'),
	('SELECT ordertrack.set_manual_discount(-1, 5)', 'OT001'), ('SELECT ordertrack.set_manual_discount(NULL, 5)', 'OT005'),
	('SELECT ordertrack.set_manual_discount(1, NULL)', 'OT005'), ('SELECT ordertrack.set_manual_discount(1, -1)', 'OT005'),
	('SELECT ordertrack.set_manual_discount(1, 5, repeat(''x'', 1001))', 'OT005'),
	('SELECT ordertrack.set_manual_discount(1, 5, workspace => -1)', 'OT002')) AS c (call, code);
SELECT throws_ok(format('SELECT ordertrack.%s(%s, %s, workspace => %s)', call, :one, argument, :elsewhere), 'OT001', NULL, call || ' in another workspace')
  FROM (VALUES ('add_coupon', quote_literal('TEN')), ('remove_coupon', quote_literal('TEN')), ('set_manual_discount', '5')) AS c (call, argument);

-- An order of nobody: a code that needs a customer is refused.
SELECT ordertrack.create_order('{"amount":5000}') AS bare
\gset
SELECT is(pg_temp.tell(ordertrack.add_coupon(:bare, 'TEN')), 'missing_customer', 'a limit for each customer');
SELECT is(pg_temp.tell(ordertrack.add_coupon(:bare, 'P10')), 'success 5000 500 4500', 'no limit for each customer');
SELECT is((SELECT customer_id FROM ordertrack.orders WHERE order_id = :bare), NULL, 'and the order still has none');

-- A key: the same request again gives the first answer, whatever has changed since.
CREATE TEMP TABLE first AS SELECT * FROM ordertrack.add_coupon(:bare, 'P10', idempotency_key => 'add');
UPDATE ordertrack.orders SET customer_id = (SELECT customer_id FROM ordertrack.customers WHERE source_id = 'anna') WHERE order_id = :bare;
SELECT is(to_jsonb(a), to_jsonb(f) || '{"replayed":true}', 'add_coupon again')
  FROM first AS f, ordertrack.add_coupon(:bare, 'P10', idempotency_key => 'add', channel => 'other') AS a;
SELECT throws_ok(format('SELECT ordertrack.add_coupon(%s, %s, idempotency_key => ''add'')', id, code), 'OT003', NULL, 'the key of another ' || what)
  FROM (VALUES (:bare, '''C100''', 'code'), (:one, '''P10''', 'order'), (:bare, '''P10'', 5', 'amount'), (:bare, '''P10'', metadata => ''{}''', 'metadata'))
	AS c (id, code, what);
SELECT throws_ok(format('SELECT ordertrack.redeem(''P10'', order_data => ''{"id":%s}'', idempotency_key => ''add'')', :bare), 'OT003', NULL, 'nor is redeem the same');
CREATE TEMP TABLE removed AS SELECT * FROM ordertrack.remove_coupon(:bare, 'P10', 'why', idempotency_key => 'remove');
SELECT is(pg_temp.tell((redemption_id, result, failure_code, failure_message, order_id, amount, discount_amount, total_amount, gift_balance, replayed)),
	'success 5000 500 4500', 'remove_coupon with a key') FROM removed;
SELECT is(to_jsonb(a), to_jsonb(f) || '{"replayed":true}', 'and again removes no second one')
  FROM removed AS f, ordertrack.remove_coupon(:bare, 'P10', 'why', idempotency_key => 'remove') AS a;
SELECT throws_ok(format('SELECT ordertrack.remove_coupon(%s, %s, idempotency_key => ''remove'')', id, rest), 'OT003', NULL, 'the key of another ' || what)
  FROM (VALUES (:bare, '''P10'', ''other''', 'reason'), (:bare, '''TEN'', ''why''', 'code'), (:one, '''P10'', ''why''', 'order')) AS c (id, rest, what);
SELECT is(pg_temp.look(:bare), 'created 5000 500 4500', 'one is left');

-- ---- remove_coupon ----
SELECT is(pg_temp.counters(), '2 2 2 2', 'before');
SELECT ordertrack.add_coupon(:one, 'TEN')
\g /dev/null
CREATE TEMP TABLE ten AS SELECT row_number() OVER (ORDER BY redemption_id) AS n, redemption_id FROM ordertrack.redemptions
 WHERE order_id = :one AND code = 'TEN' AND result = 'success';
SELECT is(pg_temp.tell(ordertrack.remove_coupon(:one, 'TEN', 'too dear', channel => 'desk', actor => 'staff')), 'success 10000 6900 3100',
	'the discount of one is gone');
SELECT is((SELECT concat_ws(' ', n, r.kind, r.code, r.amount, r.reason, r.rollback_no, r.is_complete, r.channel, r.actor)
	FROM ordertrack.redemptions AS r JOIN ten ON ten.redemption_id = r.rollback_of), '2 rollback TEN -1000 too dear 1 t desk staff', 'the newest was rolled back');
SELECT is(pg_temp.tell(ordertrack.remove_coupon(:one, 'TEN')), 'success 10000 5900 4100', 'then the older one');
SELECT is(pg_temp.counters(), '1 1 1 1', 'limits have it back');
SELECT is(pg_temp.tell(ordertrack.remove_coupon(:one, 'TEN')), 'redemption_not_found', 'and then there is none');
SELECT is((SELECT concat_ws('|', kind, result, code, order_id, failure_message, rollback_of) FROM ordertrack.redemptions
	WHERE failure_code = 'redemption_not_found'), format('rollback|failure|TEN|%s|the order has no live redemption of this code', :one), 'recorded');
SELECT is(pg_temp.tell(ordertrack.remove_coupon(:small, 'CARD')), 'redemption_not_found', 'a code of another order');
SELECT is(pg_temp.tell(ordertrack.remove_coupon(:one, code)), 'invalid_input', what) FROM (VALUES (NULL, 'no code'), ('', 'an empty code'),
	(repeat('x', 201), 'a long code')) AS c (code, what);
SELECT is(pg_temp.tell(ordertrack.remove_coupon(:one, 'P10', repeat('x', 1001))), 'invalid_input', 'a long reason');
SELECT is((SELECT count(*) FROM ordertrack.redemptions WHERE kind = 'rollback' AND failure_code = 'invalid_input' AND order_id = :one), 4::bigint, 'recorded with the order');
SELECT is(pg_temp.look(:one), 'created 10000 5900 4100', 'nothing changed');

-- A gift card: all that is left of the newest redemption.
SELECT redemption_id AS card FROM ordertrack.redemptions WHERE code = 'CARD' AND amount = 4900
\gset
SELECT is(pg_temp.tell(ordertrack.rollback_redemption(:card, amount => 900)), 'success -900 5000 5000 900', 'a part of it was given back before');
SELECT is(pg_temp.tell(ordertrack.remove_coupon(:one, 'CARD')), 'success -4000 1000 9000 4900', 'the rest comes back');
SELECT is(pg_temp.tell(ordertrack.remove_coupon(:one, 'CARD')), 'success -100 900 9100 5000', 'and what the older one took');
SELECT is(pg_temp.tell(ordertrack.remove_coupon(:one, 'P10')), 'success 10000 0 10000', 'the last coupon');
SELECT is(pg_temp.look(:one), 'created 10000 0 10000', 'the order is not canceled');
SELECT is(pg_temp.note(:one, 'promotion_remove_coupon') ? 'kept_status', false, 'and nothing is said of it');

-- A code that was used by redeem, and one of a stack.
SELECT redemption_id AS stack, order_id AS stacked FROM ordertrack.redeem_stack('{TEN,P10}', 'anna', '{"amount":3000}') LIMIT 1
\gset
SELECT is(pg_temp.tell(ordertrack.remove_coupon(:stacked, 'P10')), 'part_of_stack', 'a code of a stack');
SELECT is(pg_temp.look(:stacked), 'paid 3000 1200 1800', 'stays');
SELECT order_id AS redeemed FROM ordertrack.redeem('TEN', 'bert', '{"amount":3000}')
\gset
SELECT is(pg_temp.tell(ordertrack.remove_coupon(:redeemed, 'TEN')), 'success 3000 0 3000', 'a code that was redeemed');
SELECT is(pg_temp.look(:redeemed), 'paid 3000 0 3000', 'its order is not canceled either');
SELECT is((SELECT concat_ws(' ', order_count, order_total) FROM ordertrack.customers WHERE source_id = 'bert'), '1 3000', 'and the customer''s sums follow');
SELECT redemption_id AS again FROM ordertrack.add_coupon(:redeemed, 'TEN')
\gset
SELECT is(pg_temp.tell(ordertrack.rollback_redemption(:again)), 'success 3000 0 3000', 'rollback_redemption of what add_coupon did');
SELECT is(pg_temp.look(:redeemed), 'canceled 3000 0 3000', 'cancels as ever');

-- The last use, by whom it is had.
SELECT is(pg_temp.tell(ordertrack.add_coupon(:one, 'LAST')), 'success 10000 1 9999', 'the last use');
SELECT is(pg_temp.tell(ordertrack.redeem('LAST')), 'quantity_exceeded', 'nobody else has it');
SELECT is(pg_temp.tell(ordertrack.remove_coupon(:one, 'LAST')), 'success 10000 0 10000', 'it comes back');
SELECT is(pg_temp.tell(ordertrack.redeem('LAST')), 'success 0 0 0', 'and is had by another');

-- ---- set_manual_discount ----
SELECT pg_temp.new_order('manual') AS manual
\gset
SELECT is(ordertrack.set_manual_discount(:manual, 500, 'scratched', 'desk', 'staff'), 0::bigint, 'the first one');
SELECT is(pg_temp.look(:manual), 'created 10000 500 9500', 'the order has it');
SELECT is((SELECT string_agg(concat_ws(' ', note_type, event_type, detail, channel, data->>'actor'), ', ' ORDER BY note_no) FROM ordertrack.order_notes
	WHERE order_id = :manual AND note_no > 1), 'custom none scratched desk staff, system promotion_manual_discount desk staff', 'the reason, then the discount');
SELECT is(pg_temp.note(:manual, 'promotion_manual_discount') - 'actor',
	'{"discount_amount":{"old":0,"new":500},"manual_discount_amount":{"old":0,"new":500}}', 'old and new value, and no words of people');
SELECT is((SELECT concat_ws(' ', amount, reason, created_at = updated_at) FROM ordertrack.manual_discounts WHERE order_id = :manual), '500 scratched t', 'its row');
SELECT is(ordertrack.set_manual_discount(:manual, 500, 'another reason'), 500::bigint, 'the same again');
SELECT is(pg_temp.notes(:manual), 'none promotion_manual_discount', 'does nothing');
SELECT is(pg_temp.tell(ordertrack.add_coupon(:manual, 'P10')), 'success 10000 1450 8550', 'a coupon on what is left');
SELECT is(ordertrack.set_manual_discount(:manual, 2000), 500::bigint, 'another replaces it');
SELECT is(pg_temp.look(:manual), 'created 10000 2950 7050', 'in the order');
SELECT is(pg_temp.note(:manual, 'promotion_manual_discount'),
	'{"discount_amount":{"old":1450,"new":2950},"manual_discount_amount":{"old":500,"new":2000}}', 'and in its note');
SELECT is((SELECT concat_ws(' ', amount, reason) FROM ordertrack.manual_discounts WHERE order_id = :manual), '2000', 'the old reason is not that of the new');
SELECT throws_ok(format('SELECT ordertrack.set_manual_discount(%s, 9051)', :manual), 'OT005', 'manual discount is more than is left to pay', 'too much');
SELECT throws_ok(format('SELECT ordertrack.set_manual_discount(%s, 9223372036854775807)', :manual), 'OT005', NULL, 'far too much');
SELECT is(pg_temp.tell(ordertrack.remove_coupon(:manual, 'P10')), 'success 10000 2000 8000', 'a rollback keeps it');
SELECT throws_ok(format('SELECT ordertrack.update_order(%s, ''{"amount":1999}'')', :manual), 'OT005', NULL, 'an amount below it');
SELECT is(ordertrack.set_manual_discount(:manual, 0), 2000::bigint, 'taken away');
SELECT is(pg_temp.look(:manual), 'created 10000 0 10000', 'the order has none');
SELECT is((SELECT amount::bigint FROM ordertrack.manual_discounts WHERE order_id = :manual), 0::bigint, 'the row stays');
SELECT is(ordertrack.set_manual_discount(:manual, 0), 0::bigint, 'nothing to take away');
SELECT is(ordertrack.set_manual_discount(:manual, 10000), 0::bigint, 'all of it');
SELECT is(pg_temp.look(:manual), 'paid 10000 10000 0', 'nothing is left to pay');
SELECT is(pg_temp.notes(:manual, 8), 'promotion_manual_discount order_paid', 'and both are told');
SELECT is(ordertrack.set_manual_discount(:manual, 9000), 10000::bigint, 'less again');
SELECT is(pg_temp.look(:manual), 'paid 10000 9000 1000', 'it was paid');
SELECT is(ordertrack.set_manual_discount(pg_temp.new_order('none'), 0), 0::bigint, 'none where there is none');
SELECT is((SELECT count(*) FROM ordertrack.manual_discounts), 1::bigint, 'makes no row');

-- Rollbacks of all kinds keep it.
SELECT redemption_id AS first, order_id AS kept FROM ordertrack.redeem_stack('{P10,C100}', 'anna', '{"amount":2000}') LIMIT 1
\gset
SELECT redemption_id AS second FROM ordertrack.redeem('CARD', 'anna', format('{"id":%s}', :kept)::jsonb, 300)
\gset
SELECT ordertrack.set_manual_discount(:kept, 50)
\g /dev/null
SELECT is(pg_temp.look(:kept), 'paid 2000 650 1350', 'a stack, a card and a manual discount');
SELECT is(pg_temp.tell(ordertrack.rollback_redemption(:second, amount => 100)), 'success -100 550 1450 4800', 'without a part of the card');
SELECT is(pg_temp.tell(ordertrack.rollback_redemption(:first)), 'success 2000 250 1750', 'without the stack');
SELECT is(pg_temp.tell(ordertrack.rollback_redemption(:second)), 'success -200 50 1950 5000', 'without the rest');
SELECT is(pg_temp.look(:kept), 'canceled 2000 50 1950', 'and then canceled, since it counts as no redemption');
SELECT is(ordertrack.set_manual_discount(:kept, 50), 50::bigint, 'the same again is nothing, also of an order that is canceled');

-- In each status.
CREATE TEMP TABLE hands AS SELECT w.*, pg_temp.in_status(w, 'hand', 1000) AS order_id FROM ways AS w;
SELECT CASE answer WHEN 'success' THEN lives_ok(call, 'taken: ' || status)
	ELSE throws_ok(call, '55000', format('an order with status "%s" takes no manual discount', status), 'not taken: ' || status) END
  FROM (SELECT *, format('SELECT ordertrack.set_manual_discount(%s, 100)', order_id) AS call FROM hands) AS h ORDER BY status;
SELECT is(pg_temp.look(order_id), CASE answer WHEN 'success' THEN status || ' 1000 100 900' ELSE status || ' 1000 0 1000' END, 'looks: ' || status)
  FROM hands ORDER BY status;
SELECT ordertrack.set_manual_discount(order_id, 1000) FROM hands WHERE answer = 'success'
\g /dev/null
SELECT is(pg_temp.look(order_id), after_all || ' 1000 1000 0', 'all of it: ' || status) FROM hands WHERE answer = 'success' ORDER BY status;

-- Nobody else writes the table.
SELECT throws_ok(call, 'OT020', NULL, call) FROM (VALUES
	('INSERT INTO ordertrack.manual_discounts VALUES (1, 1, 5, NULL, now(), now())'),
	('UPDATE ordertrack.manual_discounts SET amount = amount'), ('UPDATE ordertrack.manual_discounts SET reason = NULL'),
	('UPDATE ordertrack.manual_discounts SET order_id = -order_id'), ('DELETE FROM ordertrack.manual_discounts'),
	('TRUNCATE ordertrack.manual_discounts')) AS c (call);
CREATE FUNCTION pg_temp.meddle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	UPDATE ordertrack.manual_discounts SET amount = 1 WHERE order_id = NEW.order_id;
	RETURN NULL;
END
$$;
CREATE TRIGGER z AFTER UPDATE ON ordertrack.manual_discounts FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION pg_temp.meddle();
SELECT throws_ok(format('SELECT ordertrack.set_manual_discount(%s, 7000)', :manual), 'OT020', NULL, 'somebody''s trigger while the function writes it');
DROP TRIGGER z ON ordertrack.manual_discounts;
CREATE FUNCTION pg_temp.skip() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER a BEFORE UPDATE ON ordertrack.manual_discounts FOR EACH ROW EXECUTE FUNCTION pg_temp.skip();
SELECT throws_ok(format('SELECT ordertrack.set_manual_discount(%s, 7000)', :manual), '09000', NULL, 'or one that keeps it from being written');
DROP TRIGGER a ON ordertrack.manual_discounts;

-- ---- units in a shipment ----
CREATE FUNCTION pg_temp.ship(id bigint, status text, line int, quantity bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	shipment bigint := ordertrack.create_shipment(id, jsonb_build_array(jsonb_build_object('line_no', line, 'quantity', quantity)));
BEGIN
	PERFORM ordertrack.set_shipment_status(shipment, step)
	   FROM unnest(CASE status WHEN 'packing' THEN '{released,packing}'::text[] WHEN 'inventory_assigned' THEN '{}' ELSE ARRAY[status] END) AS step;
END
$$;
CREATE FUNCTION pg_temp.call_off(id bigint) RETURNS void LANGUAGE sql AS $$
	SELECT ordertrack.set_shipment_status(shipment_id, 'canceled') FROM ordertrack.shipments WHERE order_id = id
$$;
CREATE FUNCTION pg_temp.lines(id bigint) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(':', line_no, product_id, quantity), ' ' ORDER BY line_no) FROM ordertrack.order_items WHERE order_id = id
$$;
SELECT pg_temp.new_order('mugs') AS mugs
\gset
SELECT is(pg_temp.tell(ordertrack.add_coupon(:mugs, 'MUG')), 'success 10500 500 10000', 'two mugs for free');
SELECT pg_temp.ship(:mugs, 'canceled', 2, 2), pg_temp.ship(:mugs, 'packing', 1, 2)
\g /dev/null
SELECT is(pg_temp.tell(ordertrack.remove_coupon(:mugs, 'MUG')), 'success 10000 0 10000', 'in a shipment that is canceled, they come back');
SELECT is(pg_temp.lines(:mugs), '1:a:2', 'the line is gone');
SELECT redemption_id AS mug FROM ordertrack.add_coupon(:mugs, 'MUG')
\gset
SELECT pg_temp.ship(:mugs, 'inventory_assigned', 2, 1)
\g /dev/null
SELECT is(pg_temp.tell(ordertrack.remove_coupon(:mugs, 'MUG')), 'items_shipped', 'one of them in a shipment');
SELECT is(pg_temp.tell(ordertrack.rollback_redemption(:mug)), 'items_shipped', 'for every rollback');
SELECT is((SELECT count(*) FROM ordertrack.redemptions WHERE rollback_of = :mug AND failure_message = 'units that it added are in a shipment'), 2::bigint, 'recorded, with words');
SELECT is(pg_temp.lines(:mugs) || ' ' || pg_temp.look(:mugs), '1:a:2 2:mug:2 created 10500 500 10000', 'nothing changed');
SELECT pg_temp.call_off(:mugs)
\g /dev/null
SELECT is(pg_temp.tell(ordertrack.rollback_redemption(:mug)), 'success 10000 0 10000', 'once the shipment is canceled');

-- Units that were added to a line of others: those in shipments may be the others.
SELECT pg_temp.new_order('more') AS more
\gset
SELECT ordertrack.add_coupon(:more, 'MORE'), ordertrack.add_coupon(:more, 'MORE')
\g /dev/null
SELECT is(pg_temp.lines(:more), '1:a:4', 'two and two');
SELECT pg_temp.ship(:more, 'released', 1, 2), pg_temp.ship(:more, 'packing', 1, 1)
\g /dev/null
SELECT is(pg_temp.tell(ordertrack.remove_coupon(:more, 'MORE')), 'success 15000 5000 10000', 'three of four in shipments: one can go');
SELECT is(pg_temp.tell(ordertrack.remove_coupon(:more, 'MORE')), 'items_shipped', 'and no second one');
-- What takes no units away is not in the way.
SELECT is(pg_temp.tell(ordertrack.add_coupon(:more, 'HALF')), 'success 15000 10000 5000', 'a discount on lines that adds nothing');
SELECT is(pg_temp.tell(ordertrack.remove_coupon(:more, 'HALF')), 'success 15000 5000 10000', 'comes back all the same');

-- Where the units that go were the last to be sent, the order is complete.
SELECT pg_temp.new_order('rest') AS rest
\gset
SELECT ordertrack.set_order_status(:rest, 'paid'), ordertrack.add_coupon(:rest, 'MUG'), ordertrack.add_coupon(:rest, 'HALF')
\g /dev/null
SELECT pg_temp.ship(:rest, 'packing', 1, 2) AS sent
\gset
SELECT ordertrack.set_shipment_status(shipment_id, 'shipped') FROM ordertrack.shipments WHERE order_id = :rest
\g /dev/null
SELECT ordertrack.remove_coupon(:rest, 'HALF')
\g /dev/null
SELECT is((SELECT status::text FROM ordertrack.orders WHERE order_id = :rest), 'partially_shipped', 'two mugs are to be sent');
SELECT is(pg_temp.tell(ordertrack.remove_coupon(:rest, 'MUG')), 'success 10000 0 10000', 'the mugs go');
SELECT is((SELECT status::text FROM ordertrack.orders WHERE order_id = :rest), 'completed', 'and all that is left was sent');

-- A stack adds up what its codes added.
SELECT pg_temp.new_order('stack') AS stack
\gset
SELECT redemption_id AS both FROM ordertrack.redeem_stack('{MORE,P10,MUG}', 'anna', format('{"id":%s}', :stack)::jsonb) LIMIT 1
\gset
SELECT is(pg_temp.lines(:stack), '1:a:3 2:mug:2', 'a stack that adds to two lines');
SELECT pg_temp.ship(:stack, 'packing', 1, 2)
\g /dev/null
SELECT pg_temp.ship(:stack, 'on_hold', 2, 1)
\g /dev/null
SELECT is(pg_temp.tell(ordertrack.rollback_redemption(:both)), 'items_shipped', 'a mug of a stack in a shipment');
SELECT is(pg_temp.tell(ordertrack.rollback_redemption(:both, amount => 1)), 'invalid_amount', 'is told last');
SELECT pg_temp.call_off(:stack)
\g /dev/null
SELECT pg_temp.ship(:stack, 'packing', 1, 2)
\g /dev/null
SELECT is(pg_temp.tell(ordertrack.rollback_redemption(:both)), 'success 10000 0 10000', 'once there are only units that were ordered');
SELECT is(pg_temp.tell(ordertrack.rollback_redemption(:both)), 'already_rolled_back', 'and then it is done');

SELECT is_empty($$SELECT o.order_id, o.discount_amount, sum FROM ordertrack.orders AS o
	CROSS JOIN LATERAL (SELECT coalesce(sum(r.amount), 0) + coalesce((SELECT amount FROM ordertrack.manual_discounts AS m WHERE m.order_id = o.order_id), 0) AS sum
		FROM ordertrack.redemptions AS r WHERE r.order_id = o.order_id AND r.result = 'success') AS s WHERE o.discount_amount <> sum$$,
	'every discount is the sum of what is live');
SELECT is_empty('SELECT v.* FROM ordertrack.orders AS o, ordertrack.verify_order(o.order_id) AS v WHERE o.workspace_id = 1 AND v.detail !~ ''customer_id''',
	'all histories verify, but for the customer that an order got by hand');

SELECT * FROM finish();
ROLLBACK;

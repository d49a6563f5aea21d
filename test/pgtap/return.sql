-- Returns: their statuses, how many units come back, what is refunded for them,
-- and the order that waits for one, by the functions and by raw UPDATEs.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT * FROM no_plan();

-- Ships units of an order's lines, [{"line_no","quantity"}], as a shipment of this status.
CREATE FUNCTION pg_temp.ship(id bigint, items jsonb, shipped text DEFAULT 'shipped', w bigint DEFAULT 1) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	new_id CONSTANT bigint := ordertrack.create_shipment(id, items, workspace => w);
BEGIN
	IF (SELECT status FROM ordertrack.orders WHERE workspace_id = w AND order_id = id) = 'created' THEN
		PERFORM ordertrack.set_order_status(id, 'paid', workspace => w);
	END IF;
	PERFORM ordertrack.set_shipment_status(new_id, step, workspace => w)
	   FROM unnest(CASE shipped WHEN 'shipped' THEN '{released,packing,shipped}' WHEN 'delivered' THEN '{released,packing,shipped,delivered}'
		WHEN 'packing' THEN '{released,packing}' WHEN 'awaiting_inventory' THEN '{}' WHEN 'inventory_assigned' THEN '{}'
		ELSE ARRAY[shipped] END::text[]) AS step;
	RETURN new_id;
END
$$;
-- An order of 5 units at 100, which are shipped.
CREATE FUNCTION pg_temp.shipped_order(w bigint DEFAULT 1) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	id CONSTANT bigint := ordertrack.create_order('{"items":[{"sku":"a","quantity":5,"price":100}]}', workspace => w);
BEGIN
	PERFORM ordertrack.add_payment(id, 500, workspace => w), pg_temp.ship(id, '[{"line_no":1,"quantity":5}]', w => w);
	RETURN id;
END
$$;
-- All that a return may change.
CREATE FUNCTION pg_temp.state() RETURNS text LANGUAGE sql AS $$
	SELECT concat((SELECT jsonb_agg(to_jsonb(r) ORDER BY r) FROM ordertrack.returns AS r),
		(SELECT jsonb_agg(to_jsonb(i) ORDER BY i) FROM ordertrack.return_items AS i),
		(SELECT jsonb_agg(to_jsonb(c) ORDER BY c) FROM ordertrack.return_receipts AS c),
		(SELECT count(*) FROM ordertrack.payments), (SELECT jsonb_agg(to_jsonb(o) ORDER BY o) FROM ordertrack.orders AS o),
		(SELECT count(*) FROM ordertrack.order_notes))
$$;
-- Runs a command and tells its answer, or the refusal, which leaves nothing behind.
CREATE FUNCTION pg_temp.try(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	before CONSTANT text := pg_temp.state();
	answer text;
	message text;
	detail text;
	hint text;
BEGIN
	EXECUTE command INTO answer;
	RETURN answer;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(' ', SQLSTATE, message || '.', nullif(detail, ''), nullif(hint, ''),
		CASE WHEN pg_temp.state() <> before THEN '(and something changed)' END);
END
$$;
-- The notes of an order after note n.
CREATE FUNCTION pg_temp.notes(id bigint, n integer) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', note_type, event_type, channel, data), ', ' ORDER BY note_no)
	  FROM ordertrack.order_notes WHERE order_id = id AND note_no > n
$$;
CREATE FUNCTION pg_temp.status_of(id bigint) RETURNS text LANGUAGE sql AS
	'SELECT status::text FROM ordertrack.orders WHERE order_id = id';
CREATE FUNCTION pg_temp.units(quantity bigint) RETURNS jsonb LANGUAGE sql AS
	$$SELECT jsonb_build_array(jsonb_build_object('line_no', 1, 'quantity', quantity))$$;

SELECT bag_eq('SELECT from_status, to_status, event_type FROM ordertrack.status_transitions WHERE workspace_id = 1
	AND entity = ''return''', $$VALUES (NULL, 'awaiting_stock_return', NULL),
	('awaiting_stock_return', 'awaiting_completion', 'return_receipt_items'), ('awaiting_stock_return', 'canceled', 'return_canceled'),
	('awaiting_completion', 'complete', 'return_completed'), ('awaiting_completion', 'canceled', 'return_canceled')$$,
	'status_transitions holds what is documented');

-- Every pair of statuses, by the function that leads there and by a raw UPDATE.
CREATE FUNCTION pg_temp.return_in(id bigint, wanted text, w bigint DEFAULT 1) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	return_id CONSTANT bigint := ordertrack.create_return(id, pg_temp.units(3), workspace => w);
BEGIN
	IF wanted IN ('awaiting_completion', 'complete') THEN
		PERFORM ordertrack.receive_return(return_id, pg_temp.units(1), workspace => w);
	END IF;
	IF wanted = 'complete' THEN
		PERFORM ordertrack.complete_return(return_id, 10, workspace => w);
	ELSIF wanted = 'canceled' THEN
		PERFORM ordertrack.cancel_return(return_id, workspace => w);
	END IF;
	RETURN return_id;
END
$$;
CREATE TEMP TABLE ways (to_status text, command text, answer text);
INSERT INTO ways VALUES ('awaiting_completion', 'SELECT ordertrack.receive_return(%s, channel => ''web'', actor => ''bob'')', 'awaiting_completion'),
	('complete', 'SELECT ordertrack.complete_return(%s, 0, channel => ''web'', actor => ''bob'')', '0'),
	('canceled', 'SELECT ordertrack.cancel_return(%s, ''web'', ''bob'')', NULL);
CREATE TEMP TABLE moves AS
SELECT m.*, pg_temp.return_in(order_id, from_status) AS return_id, n.note_count
  FROM (SELECT f AS from_status, t AS to_status, is_raw, pg_temp.shipped_order() AS order_id
		  FROM unnest('{awaiting_stock_return,awaiting_completion,complete,canceled}'::text[]) AS f,
			unnest('{awaiting_stock_return,awaiting_completion,complete,canceled}'::text[]) AS t, unnest('{true,false}'::boolean[]) AS is_raw) AS m
 CROSS JOIN LATERAL (SELECT 8 + CASE from_status WHEN 'awaiting_stock_return' THEN 1 WHEN 'complete' THEN 4 ELSE 2 END AS note_count) AS n
 WHERE is_raw OR to_status <> 'awaiting_stock_return';
CREATE TEMP TABLE move_results AS
SELECT m.*, pg_temp.try(CASE WHEN is_raw THEN format('UPDATE ordertrack.returns SET status = %L WHERE return_id = %s RETURNING ''done''', m.to_status, return_id)
		ELSE format(w.command, return_id) END) AS result,
	CASE WHEN is_raw THEN 'done' ELSE coalesce(w.answer, from_status) END AS wanted,
	(SELECT event_type FROM ordertrack.status_transitions AS t WHERE t.workspace_id = 1 AND t.entity = 'return'
		AND t.from_status = m.from_status AND t.to_status = m.to_status) AS event_type
  FROM moves AS m LEFT JOIN ways AS w USING (to_status);
SELECT is((SELECT count(*) FROM move_results), (4 * 4 + 4 * 3)::bigint, 'every pair was tried');
SELECT ok(CASE WHEN event_type IS NOT NULL THEN result = wanted AND r.status = m.to_status
		-- The same again: a raw UPDATE and cancel_return do nothing, another receipt is one.
		WHEN from_status = m.to_status AND (is_raw OR m.to_status IN ('awaiting_completion', 'canceled')) THEN result = wanted AND r.status = from_status
		ELSE result LIKE format('OT010 return status cannot change from "%s" to "%s". %%', from_status, m.to_status) AND r.status = from_status
			AND (SELECT bool_and(result LIKE '%' || t.to_status || '%') IS NOT FALSE FROM ordertrack.status_transitions AS t
				WHERE t.workspace_id = 1 AND t.entity = 'return' AND t.from_status = m.from_status) END,
	format('%s%s to %s: %s', CASE WHEN is_raw THEN 'raw: ' END, from_status, m.to_status, result))
  FROM move_results AS m JOIN ordertrack.returns AS r USING (return_id);
SELECT is(pg_temp.notes(order_id, note_count), CASE
		WHEN event_type IS NOT NULL OR NOT is_raw AND from_status = to_status AND to_status = 'awaiting_completion' THEN concat_ws(' ', 'system', coalesce(event_type, 'return_receipt_items'),
			CASE WHEN NOT is_raw THEN 'web' END, jsonb_build_object('return_id', return_id)
			|| CASE WHEN event_type IS NULL THEN '{}' ELSE jsonb_build_object('return_status', jsonb_build_object('old', from_status, 'new', to_status)) END
			|| CASE WHEN to_status = 'complete' THEN '{"refund_amount": 0}' ELSE '{}'::jsonb END
			|| CASE WHEN is_raw THEN '{}' ELSE '{"actor":"bob"}'::jsonb END
			|| CASE WHEN NOT is_raw AND to_status = 'awaiting_completion' THEN jsonb_build_object('items', pg_temp.units(CASE event_type WHEN 'return_receipt_items' THEN 3 ELSE 2 END)) ELSE '{}' END) END,
	format('%snote: %s to %s', CASE WHEN is_raw THEN 'raw: ' END, from_status, to_status))
  FROM move_results;
SELECT is((SELECT string_agg(DISTINCT concat_ws(' ', m.from_status, m.to_status, r.refund_amount, r.completed_at = r.updated_at), ', ')
	FROM move_results AS m JOIN ordertrack.returns AS r USING (return_id) WHERE r.status = 'complete' AND result = wanted AND from_status <> to_status),
	'awaiting_completion complete 0 t', 'what is completed has a refund and a time');
SELECT is((SELECT count(*) FROM ordertrack.returns WHERE (status = 'complete') <> (refund_amount IS NOT NULL)
	OR (status = 'complete') <> (completed_at IS NOT NULL)), 0::bigint, 'and only that');

-- Units: given, and all that there are, of several lines and shipments.
SELECT ordertrack.create_order('{"amount":1000,"items":[{"quantity":10},{"quantity":3},{"quantity":9}]}') AS o, ordertrack.create_order('{"items":[{"quantity":4}]}') AS other
\gset
SELECT pg_temp.ship(:o, '[{"line_no":1,"quantity":2},{"line_no":2,"quantity":3}]'), pg_temp.ship(:o, '[{"line_no":1,"quantity":2}]', 'delivered')
\g /dev/null
SELECT pg_temp.ship(:o, '[{"line_no":1,"quantity":1},{"line_no":3,"quantity":1}]', s) FROM unnest('{awaiting_inventory,inventory_assigned,on_hold,released,packing,canceled}'::text[]) AS s
\g /dev/null
SELECT is(pg_temp.try(format(command, :o, :other)), format(wanted, :o, :other), format('step %s: %s', n, command)) FROM (VALUES
	(1, 'SELECT ordertrack.create_return(%s, ''[{"line_no":3,"quantity":1}]'')', 'OT007 cannot return 1 unit of line 3. Shipped are 0, in other returns 0, left are 0.'),
	(2, 'SELECT ordertrack.create_return(%s, ''[{"line_no":1,"quantity":5}]'')', 'OT007 cannot return 5 units of line 1. Shipped are 4, in other returns 0, left are 4.'),
	(3, 'SELECT ordertrack.create_return(%s, ''[{"line_no":2,"quantity":3},{"line_no":1,"quantity":9223372036854775807}]'')', 'OT007 cannot return 9223372036854775807 units of line 1. Shipped are 4, in other returns 0, left are 4.'),
	(4, 'SELECT ordertrack.create_return(%s, ''[{"line_no":4,"quantity":1}]'')', 'OT005 order %s has no line 4.'),
	(5, 'SELECT ordertrack.create_return(%2$s)', 'OT007 order %2$s has nothing to return. Only what was shipped and is in no other return can be.'),
	(6, 'SELECT ordertrack.create_return(%2$s, ''[{"line_no":1,"quantity":1}]'')', 'OT007 cannot return 1 unit of line 1. Shipped are 0, in other returns 0, left are 0.'),
	(7, 'SELECT ordertrack.create_return(%s, ''[{"line_no":2,"quantity":1},{"line_no":1,"quantity":3}]'', ''worn'') > 0', 'true'),
	(8, 'SELECT ordertrack.create_return(%s, ''[{"line_no":1,"quantity":2}]'')', 'OT007 cannot return 2 units of line 1. Shipped are 4, in other returns 3, left are 1.'),
	(9, 'SELECT ordertrack.create_return(%s) > 0', 'true'),
	(10, 'SELECT items FROM ordertrack.return_list WHERE order_id = %s ORDER BY return_id DESC LIMIT 1', '[{"line_no": 1, "quantity": 1, "received": 0}, {"line_no": 2, "quantity": 2, "received": 0}]'),
	(11, 'SELECT ordertrack.create_return(%s)', 'OT007 order %s has nothing to return. Only what was shipped and is in no other return can be.'),
	-- canceled: its units are free; complete: those that did not arrive
	(12, 'SELECT ordertrack.cancel_return((SELECT max(return_id) FROM ordertrack.returns WHERE order_id = %s))', 'awaiting_stock_return'),
	(13, 'SELECT ordertrack.receive_return((SELECT min(return_id) FROM ordertrack.returns WHERE order_id = %s), ''[{"line_no":1,"quantity":1}]'')', 'awaiting_completion'),
	(14, 'SELECT ordertrack.create_return(%s, ''[{"line_no":1,"quantity":2}]'')', 'OT007 cannot return 2 units of line 1. Shipped are 4, in other returns 3, left are 1.'),
	(15, 'SELECT ordertrack.complete_return((SELECT min(return_id) FROM ordertrack.returns WHERE order_id = %s), 0)', '0'),
	(16, 'SELECT ordertrack.create_return(%s, ''[{"line_no":1,"quantity":4}]'')', 'OT007 cannot return 4 units of line 1. Shipped are 4, in other returns 1, left are 3.'),
	(17, 'SELECT ordertrack.create_return(%s) > 0', 'true'),
	(18, 'SELECT items FROM ordertrack.return_list WHERE order_id = %s ORDER BY return_id DESC LIMIT 1', '[{"line_no": 1, "quantity": 3, "received": 0}, {"line_no": 2, "quantity": 3, "received": 0}]')) AS s (n, command, wanted) ORDER BY n;
-- An operator may open returns again: not with units that are in another one by now.
INSERT INTO ordertrack.status_transitions (workspace_id, entity, from_status, to_status, event_type) VALUES
	(1, 'return', 'canceled', 'awaiting_stock_return', 'return_reopened'), (1, 'return', 'complete', 'awaiting_completion', 'return_reopened');
SELECT is(pg_temp.try(format(command, :o)), wanted, 'reopened: ' || command) FROM (VALUES
	(1, 'UPDATE ordertrack.returns SET status = ''awaiting_stock_return'' WHERE order_id = %s AND status = ''canceled''', 'OT007 cannot return 1 unit of line 1. Shipped are 4, in other returns 4, left are 0.'),
	(2, 'UPDATE ordertrack.returns SET status = ''awaiting_completion'' WHERE order_id = %s AND status = ''complete''', 'OT007 cannot return 3 units of line 1. Shipped are 4, in other returns 3, left are 1.'),
	(3, 'SELECT ordertrack.cancel_return((SELECT max(return_id) FROM ordertrack.returns WHERE order_id = %s))', 'awaiting_stock_return'),
	(4, 'UPDATE ordertrack.returns SET status = ''awaiting_completion'' WHERE order_id = %s AND status = ''complete'' RETURNING refund_amount', '0'),
	(5, 'SELECT ordertrack.receive_return((SELECT min(return_id) FROM ordertrack.returns WHERE order_id = %s), ''[{"line_no":1,"quantity":1}]'')', 'awaiting_completion')) AS s (n, command, wanted) ORDER BY n;
DELETE FROM ordertrack.status_transitions WHERE event_type = 'return_reopened';
-- Whatever the order's status: only units decide.
SELECT is(pg_temp.try(format('SELECT ordertrack.create_return(%s) > 0', id)), 'true', 'an order that is ' || status) FROM (
	SELECT status, id, pg_temp.ship(id, '[{"line_no":1,"quantity":1}]'), ordertrack.set_order_status(id, status)
	  FROM unnest('{partially_shipped,completed,on_hold,canceled}'::text[]) AS status, LATERAL (SELECT ordertrack.create_order(jsonb_build_object('amount', 1, 'items', jsonb_build_array(jsonb_build_object('quantity', 2, 'sku', status)))) AS id) AS o) AS c;

-- Receipts in parts.
SELECT pg_temp.shipped_order() AS o
\gset
SELECT ordertrack.create_return(:o, pg_temp.units(4), 'too small', channel => 'desk', actor => 'ann') AS r
\gset
SELECT is(pg_temp.try(format(command, :r)), format(wanted, :r), format('step %s: %s', n, command)) FROM (VALUES
	(1, 'SELECT ordertrack.receive_return(%s, ''[{"line_no":1,"quantity":5}]'')', 'OT007 cannot receive 5 units of line 1. Announced are 4, received 0, left are 4.'),
	(2, 'SELECT ordertrack.receive_return(%s, ''[{"line_no":2,"quantity":1}]'')', 'OT005 return %s has no line 2.'),
	(3, 'SELECT ordertrack.receive_return(%s, ''[{"line_no":1,"quantity":1}]'')', 'awaiting_completion'),
	(4, 'SELECT ordertrack.receive_return(%s, ''[{"line_no":1,"quantity":1}]'', ''dock'')', 'awaiting_completion'),
	(5, 'SELECT ordertrack.receive_return(%s, ''[{"line_no":1,"quantity":3}]'')', 'OT007 cannot receive 3 units of line 1. Announced are 4, received 2, left are 2.'),
	(6, 'SELECT ordertrack.receive_return(%s, ''[{"line_no":1,"quantity":9223372036854775807}]'')', 'OT007 cannot receive 9223372036854775807 units of line 1. Announced are 4, received 2, left are 2.'),
	(7, 'SELECT ordertrack.receive_return(%s)', 'awaiting_completion'),
	(8, 'SELECT ordertrack.receive_return(%s)', 'OT007 return %s has nothing to receive. All of it has arrived.'),
	(9, 'SELECT ordertrack.receive_return(%s, ''[{"line_no":1,"quantity":1}]'')', 'OT007 cannot receive 1 unit of line 1. Announced are 4, received 4, left are 0.'),
	(10, 'SELECT string_agg(concat_ws('' '', receipt_no, line_no, quantity), '', '' ORDER BY receipt_no) FROM ordertrack.return_receipts WHERE return_id = %s', '1 1 1, 2 1 1, 3 1 2'),
	(11, 'SELECT concat_ws('' '', status, announced_units, received_units, reason, items) FROM ordertrack.return_list WHERE return_id = %s',
		'awaiting_completion 4 4 too small [{"line_no": 1, "quantity": 4, "received": 4}]')) AS s (n, command, wanted) ORDER BY n;
SELECT is(pg_temp.notes(:o, 8), format('system return_created desk {"actor": "ann", "items": [{"line_no": 1, "quantity": 4}], "return_id": %1$s, "return_status": {"new": "awaiting_stock_return"}}, '
	'system return_receipt_items {"items": [{"line_no": 1, "quantity": 1}], "return_id": %1$s, "return_status": {"new": "awaiting_completion", "old": "awaiting_stock_return"}}, '
	'system return_receipt_items dock {"items": [{"line_no": 1, "quantity": 1}], "return_id": %1$s}, '
	'system return_receipt_items {"items": [{"line_no": 1, "quantity": 2}], "return_id": %1$s}', :r), 'and the notes');

-- The refund: given, and by default.
SELECT is(pg_temp.try(format(command, :r)), format(wanted, :r, :o), format('step %s: %s', n, command)) FROM (VALUES
	(1, 'SELECT ordertrack.complete_return(%s, -1)', 'OT005 "refund_amount" must not be negative.'),
	(2, 'SELECT ordertrack.complete_return(%s, 501)', 'OT007 refund of 501 is more than is left of what order %2$s has paid. Paid is 500, refunded or to be refunded 0.'),
	(3, 'SELECT ordertrack.complete_return(%s, 123, ''card'', ''desk'', ''ann'')', '123'),
	(4, 'SELECT ordertrack.complete_return(%s, 123, ''card'', ''desk'', ''ann'')', 'OT010 return status cannot change from "complete" to "complete". Status "complete" is final.'),
	(5, 'SELECT concat_ws('' '', transaction_type, method, amount, status, return_id = %s, actor, channel) FROM ordertrack.payments WHERE return_id = %1$s', 'credit card 123 processed t ann desk'),
	(6, 'SELECT concat_ws('' '', status, refund_amount, completed_at = updated_at) FROM ordertrack.return_list WHERE return_id = %s', 'complete 123 t')) AS s (n, command, wanted) ORDER BY n;
SELECT is(pg_temp.notes(:o, 12), format('system creating_refund desk {"actor": "ann", "amount": 123, "method": "card", "return_id": %1$s, "payment_id": %2$s, "payment_status": {"new": "processed"}, "transaction_type": "credit"}, '
	'system return_completed desk {"actor": "ann", "return_id": %1$s, "refund_amount": 123, "return_status": {"new": "complete", "old": "awaiting_completion"}}', :r,
	(SELECT payment_id FROM ordertrack.payments WHERE return_id = :r)), 'a refund, and then the end of the return');

-- What the units cost: lines of amount (a), line discount (d) and quantity (q); discount of the
-- order beside its lines; what was paid; units that came back.
CREATE FUNCTION pg_temp.refund_of(lines jsonb, discount bigint, paid bigint, received jsonb, refunded bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	id CONSTANT bigint := ordertrack.create_order(jsonb_build_object('amount', (SELECT sum((l ->> 'a')::bigint) FROM jsonb_array_elements(lines) AS l),
		'items', (SELECT jsonb_agg(jsonb_build_object('quantity', l -> 'q', 'amount', l -> 'a') ORDER BY n) FROM jsonb_array_elements(lines) WITH ORDINALITY AS l (l, n))));
	line_discount CONSTANT bigint := (SELECT coalesce(sum((l ->> 'd')::bigint), 0) FROM jsonb_array_elements(lines) AS l);
	return_id bigint;
BEGIN
	UPDATE ordertrack.order_items SET discount_amount = coalesce((lines -> (line_no - 1) ->> 'd')::bigint, 0) WHERE order_id = id;
	UPDATE ordertrack.orders SET discount_amount = line_discount + discount, total_amount = amount - line_discount - discount WHERE order_id = id;
	PERFORM pg_temp.ship(id, (SELECT jsonb_agg(jsonb_build_object('line_no', n, 'quantity', l -> 'q')) FROM jsonb_array_elements(lines) WITH ORDINALITY AS l (l, n)));
	PERFORM ordertrack.add_payment(id, paid);
	return_id := ordertrack.create_return(id);
	PERFORM ordertrack.receive_return(return_id, (SELECT jsonb_agg(jsonb_build_object('line_no', n, 'quantity', r)) FROM jsonb_array_elements(received) WITH ORDINALITY AS r (r, n) WHERE r <> '0'));
	IF refunded > 0 THEN
		PERFORM ordertrack.create_refund(id, refunded, return_id => return_id);
	ELSIF refunded < 0 THEN
		PERFORM ordertrack.create_refund(id, -refunded);
	END IF;
	RETURN ordertrack.complete_return(return_id);
END
$$;
SELECT is(pg_temp.refund_of(lines::jsonb, discount, paid, received::jsonb, refunded), wanted, concat_ws(', ', lines, discount, paid, received, refunded))
  FROM (VALUES
	('[{"a":500,"q":5}]', 0, 500, '[5]', 0, 500::bigint), ('[{"a":500,"q":5}]', 0, 500, '[2]', 0, 200), ('[{"a":500,"q":5}]', 0, 700, '[5]', 0, 500),
	('[{"a":4999,"q":1},{"a":200,"q":1}]', 0, 5199, '[1,0]', 0, 4999),
	-- rounded half up, once
	('[{"a":100,"q":3}]', 0, 100, '[1]', 0, 33), ('[{"a":100,"q":3}]', 0, 100, '[2]', 0, 67), ('[{"a":101,"q":2}]', 0, 101, '[1]', 0, 51),
	('[{"a":1,"q":3},{"a":1,"q":6}]', 0, 2, '[1,1]', 0, 1), ('[{"a":1,"q":3},{"a":1,"q":7}]', 0, 2, '[1,1]', 0, 0),
	('[{"a":1,"q":3},{"a":1,"q":3},{"a":1,"q":3}]', 0, 3, '[1,1,1]', 0, 1),
	-- discounts of lines, and of the order
	('[{"a":500,"d":100,"q":5},{"a":500,"q":5}]', 0, 900, '[5,0]', 0, 400), ('[{"a":500,"d":100,"q":5},{"a":500,"q":5}]', 0, 900, '[1,1]', 0, 180),
	('[{"a":600,"q":3},{"a":400,"q":1}]', 100, 900, '[1,0]', 0, 180), ('[{"a":600,"q":3},{"a":400,"q":1}]', 100, 900, '[3,1]', 0, 900),
	('[{"a":600,"d":100,"q":3},{"a":400,"q":1}]', 90, 810, '[3,0]', 0, 450), ('[{"a":100,"q":3}]', 1, 99, '[1]', 0, 33),
	('[{"a":1000,"q":1},{"a":500,"q":1}]', 1500, 1, '[1,1]', 0, 0), ('[{"a":0,"q":2}]', 0, 5, '[2]', 0, 0),
	-- at most what is left of what was paid, and not twice for the same return
	('[{"a":500,"q":5}]', 0, 300, '[5]', 0, 300), ('[{"a":500,"q":5}]', 0, 500, '[5]', -400, 100), ('[{"a":500,"q":5}]', 0, 500, '[2]', -400, 100),
	('[{"a":500,"q":5}]', 0, 500, '[2]', -500, 0), ('[{"a":500,"q":5}]', 0, 500, '[2]', 50, 150), ('[{"a":500,"q":5}]', 0, 500, '[2]', 250, 0),
	-- the greatest numbers
	('[{"a":9223372036854775807,"q":9223372036854775807}]', 0, 9223372036854775807, '[9223372036854775806]', 0, 9223372036854775806),
	('[{"a":9223372036854775806,"q":9223372036854775807},{"a":1,"q":2}]', 7, 9223372036854775800, '[9223372036854775807,1]', 0, 9223372036854775800)
	) AS c (lines, discount, paid, received, refunded, wanted);
-- Units that come back one by one cost together what they cost at once; a return that is canceled costs nothing.
SELECT ordertrack.create_order('{"items":[{"quantity":3,"amount":200},{"quantity":1,"amount":1000}]}') AS parts
\gset
SELECT ordertrack.add_payment(:parts, 1200), pg_temp.ship(:parts, '[{"line_no":1,"quantity":3},{"line_no":2,"quantity":1}]')
\g /dev/null
CREATE FUNCTION pg_temp.return_one(id bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	canceled CONSTANT bigint := ordertrack.create_return(id, '[{"line_no":1,"quantity":1}]');
	back bigint;
BEGIN
	PERFORM ordertrack.receive_return(canceled), ordertrack.cancel_return(canceled);
	back := ordertrack.create_return(id, '[{"line_no":1,"quantity":1}]');
	PERFORM ordertrack.receive_return(back);
	RETURN ordertrack.complete_return(back);
END
$$;
SELECT is(pg_temp.return_one(:parts), wanted, 'unit ' || n || ' of three for 200') FROM (VALUES (1, 67::bigint), (2, 66), (3, 67)) AS c (n, wanted) ORDER BY n;
SELECT ordertrack.create_order('{"amount":900,"items":[{"quantity":2,"amount":800},{"quantity":1}]}') AS o,
	ordertrack.create_order('{"amount":900,"items":[{"quantity":1,"amount":9223372036854775807},{"quantity":1,"amount":1}]}') AS huge
\gset
SELECT pg_temp.ship(id, '[{"line_no":1,"quantity":1}]'), ordertrack.add_payment(id, 900), ordertrack.receive_return(ordertrack.create_return(id)) FROM unnest(ARRAY[:o, :huge]) AS id
\g /dev/null
SELECT is(pg_temp.try(format('SELECT ordertrack.complete_return(return_id) FROM ordertrack.returns WHERE order_id = %s', id)), format(wanted, id), wanted) FROM (VALUES
	(:o, 'OT005 argument "refund_amount" must be given. Line 2 of order %s has no amount.'),
	(:huge, '22003 lines of order %s are out of range. The sum of their amounts does not fit into 64 bits. Give "refund_amount".')) AS c (id, wanted);
SELECT is(ordertrack.complete_return(return_id, 5), 5::bigint, 'then it is given') FROM ordertrack.returns WHERE order_id IN (:o, :huge);

-- An order in exchange waits for its return.
CREATE FUNCTION pg_temp.exchange_order() RETURNS bigint LANGUAGE sql AS $$SELECT ordertrack.create_order('{"amount":100,"status":"awaiting_exchange"}')$$;
CREATE FUNCTION pg_temp.last_return(id bigint) RETURNS bigint LANGUAGE sql AS 'SELECT max(return_id) FROM ordertrack.returns WHERE order_id = id';
SELECT pg_temp.shipped_order() AS o, pg_temp.shipped_order() AS o2, pg_temp.exchange_order() AS e, pg_temp.exchange_order() AS e2, pg_temp.exchange_order() AS e3,
	ordertrack.create_workspace('other') AS w
\gset
SELECT is(pg_temp.try(format(command, :o, :o2, :e, :e2)), format(wanted, :o, :o2, :e, :e2, pg_temp.last_return(:o)), format('step %s: %s', n, command)) FROM (VALUES
	(1, 'SELECT ordertrack.create_return(%1$s, exchange_order_id => %1$s)', 'OT005 an order cannot be exchanged for itself.'),
	(2, 'SELECT ordertrack.create_return(%1$s, exchange_order_id => %2$s)', '55000 order %2$s does not wait for an exchange. Its status is "completed". Create it with status "awaiting_exchange".'),
	(3, 'SELECT ordertrack.create_return(%1$s, exchange_order_id => -1)', 'OT001 order -1 does not exist.'),
	(4, 'SELECT ordertrack.create_return(-1, exchange_order_id => %3$s)', 'OT001 order -1 does not exist.'),
	(5, 'SELECT ordertrack.create_return(%1$s, exchange_order_id => 0)', 'OT001 order 0 does not exist.'),
	(6, 'SELECT ordertrack.create_return(%1$s, ''[{"line_no":1,"quantity":1}]'', exchange_order_id => %3$s) > 0', 'true'),
	(7, 'SELECT ordertrack.create_return(%2$s, exchange_order_id => %3$s)', 'OT004 order %3$s waits for another return already. It is return %5$s.'),
	(8, 'SELECT ordertrack.set_order_status(%3$s, ''in_progress'')', 'OT010 order %3$s waits for an exchange. Return %5$s is not complete. ordertrack.complete_return() moves the order on.'),
	(9, 'UPDATE ordertrack.orders SET status = ''in_progress'' WHERE order_id = %3$s', 'OT010 order %3$s waits for an exchange. Return %5$s is not complete. ordertrack.complete_return() moves the order on.'),
	(10, 'SELECT ordertrack.receive_return((SELECT max(return_id) FROM ordertrack.returns WHERE order_id = %s))', 'awaiting_completion'),
	(11, 'SELECT ordertrack.set_order_status(%3$s, ''in_progress'')', 'OT010 order %3$s waits for an exchange. Return %5$s is not complete. ordertrack.complete_return() moves the order on.'),
	(12, 'SELECT note_count FROM ordertrack.orders WHERE order_id = %3$s', '1'),
	(13, 'SELECT ordertrack.complete_return((SELECT max(return_id) FROM ordertrack.returns WHERE order_id = %s), 0, channel => ''desk'', actor => ''ann'')', '0'),
	(14, 'SELECT pg_temp.notes(%3$s, 1)', 'system order_in_progress desk {"actor": "ann", "status": {"new": "in_progress", "old": "awaiting_exchange"}}'),
	-- canceled meanwhile, or no more wanted: the return goes its way
	(15, 'SELECT ordertrack.create_return(%1$s, ''[{"line_no":1,"quantity":1}]'', exchange_order_id => %4$s) > 0', 'true'),
	(16, 'SELECT ordertrack.set_order_status(%4$s, ''canceled'')', 'awaiting_exchange'),
	(17, 'SELECT ordertrack.receive_return((SELECT max(return_id) FROM ordertrack.returns WHERE order_id = %s))', 'awaiting_completion'),
	(18, 'SELECT ordertrack.complete_return((SELECT max(return_id) FROM ordertrack.returns WHERE order_id = %s))', '100'),
	(19, 'SELECT pg_temp.status_of(%4$s)', 'canceled')) AS s (n, command, wanted) ORDER BY n;
-- Whatever move an operator adds, the order waits; it may be put on hold, and end.
INSERT INTO ordertrack.status_transitions (workspace_id, entity, from_status, to_status) VALUES
	(1, 'order', 'awaiting_exchange', 'paid'), (1, 'order', 'awaiting_exchange', 'on_hold');
SELECT pg_temp.exchange_order() AS e4, pg_temp.shipped_order() AS o4
\gset
SELECT ordertrack.create_return(:o4, pg_temp.units(1), exchange_order_id => :e4) AS r
\gset
SELECT is(pg_temp.try(format('SELECT ordertrack.set_order_status(%s, ''paid'')', :e4)),
	format('OT010 order %s waits for an exchange. Return %s is not complete. ordertrack.complete_return() moves the order on.', :e4, :r), 'it waits for other moves, too');
SELECT is(ordertrack.hold_order(:e4) || ' ' || ordertrack.release_order(:e4), 'awaiting_exchange awaiting_exchange', 'on hold it waits as well');
DELETE FROM ordertrack.status_transitions WHERE entity = 'order' AND from_status = 'awaiting_exchange' AND to_status IN ('paid', 'on_hold');
-- A return that is canceled lets it go, and another may take it.
SELECT ordertrack.create_return(:o, pg_temp.units(1), exchange_order_id => :e3) AS r
\gset
SELECT is(pg_temp.try(format('SELECT ordertrack.cancel_return(%s)', :r)) || ' ' || pg_temp.status_of(:e3), 'awaiting_stock_return awaiting_exchange', 'canceled: it does not move by itself');
SELECT ordertrack.create_return(:o, pg_temp.units(1), exchange_order_id => :e3) AS r
\gset
-- A raw UPDATE does the same as the function.
UPDATE ordertrack.returns SET status = 'awaiting_completion' WHERE return_id = :r;
UPDATE ordertrack.returns SET status = 'complete' WHERE return_id = :r;
SELECT is(pg_temp.notes(:e3, 1), 'system order_in_progress {"status": {"new": "in_progress", "old": "awaiting_exchange"}}', 'raw: it moves on');
SELECT pg_temp.exchange_order() AS e, pg_temp.shipped_order() AS o
\gset
SELECT ordertrack.create_return(:o, pg_temp.units(1), exchange_order_id => :e) AS r
\gset
SELECT is(ordertrack.cancel_return(:r) || ' ' || ordertrack.set_order_status(:e, 'in_progress'), 'awaiting_stock_return awaiting_exchange', 'canceled: it may be released');
-- Where orders may not move so, a return is completed all the same.
SELECT pg_temp.shipped_order(:w) AS o, ordertrack.create_order('{"amount":100,"status":"awaiting_exchange"}', workspace => :w) AS e
\gset
SELECT is(pg_temp.try(format('SELECT ordertrack.create_return(%s, exchange_order_id => %s, workspace => %s)', :o, :e2, :w)), format('OT001 order %s does not exist.', :e2), 'an order of another workspace');
SELECT is(pg_temp.try(format('SELECT ordertrack.create_return(%s)', :o)), format('OT001 order %s does not exist.', :o), 'likewise');
DELETE FROM ordertrack.status_transitions WHERE workspace_id = :w AND from_status = 'awaiting_exchange';
SELECT ordertrack.create_return(:o, exchange_order_id => :e, workspace => :w) AS r
\gset
SELECT is(ordertrack.receive_return(:r, workspace => :w) || ' ' || ordertrack.complete_return(:r, workspace => :w) || ' ' || pg_temp.status_of(:e), 'awaiting_completion 500 awaiting_exchange', 'and it waits on');
DELETE FROM ordertrack.status_transitions WHERE workspace_id = :w AND entity = 'return';
SELECT is(pg_temp.try(format('SELECT ordertrack.create_return(%s, workspace => %s)', pg_temp.shipped_order(:w), :w)), 'OT010 return cannot begin with status "awaiting_stock_return". Allowed first: none.', 'a workspace without returns');

-- Arguments.
SELECT pg_temp.shipped_order() AS o
\gset
SELECT ordertrack.create_return(:o, pg_temp.units(2)) AS r
\gset
SELECT is(pg_temp.try(format(command, :o, :r)), format(wanted, :o, :r), left(command, 100)) FROM (VALUES
	('SELECT ordertrack.create_return(NULL)', 'OT005 argument "order_id" must not be null.'),
	('SELECT ordertrack.create_return(-1)', 'OT001 order -1 does not exist.'),
	('SELECT ordertrack.create_return(%s, workspace => NULL)', 'OT005 argument "workspace" must not be null.'),
	('SELECT ordertrack.create_return(%s, workspace => -1)', 'OT002 workspace -1 does not exist.'),
	('SELECT ordertrack.create_return(%s, reason => repeat(''x'', 1001))', 'OT005 argument "reason" is too long. It has 1001 bytes, at most 1000 are allowed.'),
	('SELECT ordertrack.create_return(%s, ''{}'')', 'OT005 argument "items" is not valid. It must be an array of objects.'),
	('SELECT ordertrack.create_return(%s, ''null'')', 'OT005 argument "items" is not valid. It must be an array of objects.'),
	('SELECT ordertrack.create_return(%s, ''[]'')', 'OT005 argument "items" is not valid. It must name a line.'),
	('SELECT ordertrack.create_return(%s, ''[7]'')', 'OT005 argument "items" is not valid. It must be an array of objects.'),
	('SELECT ordertrack.create_return(%s, ''[{"line_no":1}]'')', 'OT005 argument "items" is not valid. Each element has a line_no and a quantity, whole numbers.'),
	('SELECT ordertrack.create_return(%s, ''[{"line_no":1,"quantity":1.5}]'')', 'OT005 argument "items" is not valid. Each element has a line_no and a quantity, whole numbers.'),
	('SELECT ordertrack.create_return(%s, ''[{"line_no":1,"quantity":0}]'')', 'OT005 argument "items" is not valid. A quantity is at least 1.'),
	('SELECT ordertrack.create_return(%s, ''[{"line_no":0,"quantity":1}]'')', 'OT005 argument "items" is not valid. Lines are numbered from 1.'),
	('SELECT ordertrack.create_return(%s, ''[{"line_no":1,"quantity":1},{"line_no":1,"quantity":1}]'')', 'OT005 argument "items" is not valid. A line is named twice.'),
	('SELECT ordertrack.receive_return(NULL)', 'OT005 argument "return_id" must not be null.'),
	('SELECT ordertrack.receive_return(-1)', 'OT002 return -1 does not exist.'),
	('SELECT ordertrack.receive_return(%2$s, workspace => -1)', 'OT002 workspace -1 does not exist.'),
	('SELECT ordertrack.receive_return(%2$s, ''[{"line_no":1,"quantity":-1}]'')', 'OT005 argument "items" is not valid. A quantity is at least 1.'),
	('SELECT ordertrack.receive_return(%2$s, channel => repeat(''x'', 1001))', 'OT005 argument "channel" is too long. It has 1001 bytes, at most 1000 are allowed.'),
	('SELECT ordertrack.complete_return(NULL)', 'OT005 argument "return_id" must not be null.'),
	('SELECT ordertrack.complete_return(-1)', 'OT002 return -1 does not exist.'),
	('SELECT ordertrack.complete_return(%2$s, workspace => -1)', 'OT002 workspace -1 does not exist.'),
	('SELECT ordertrack.complete_return(%2$s, method => repeat(''x'', 1001))', 'OT005 argument "method" is too long. It has 1001 bytes, at most 1000 are allowed.'),
	('SELECT ordertrack.cancel_return(NULL)', 'OT005 argument "return_id" must not be null.'),
	('SELECT ordertrack.cancel_return(-1)', 'OT002 return -1 does not exist.'),
	('SELECT ordertrack.cancel_return(%2$s, workspace => -1)', 'OT002 workspace -1 does not exist.'),
	('SELECT ordertrack.create_refund(%1$s, 10, return_id => %2$s) > 0', 'true')) AS c (command, wanted);
SELECT is(pg_temp.try(format('SELECT ordertrack.create_refund(%s, 10, return_id => %s)', id, :r)), format('OT005 return %s is not of order %s.', :r, id),
	'a refund for a return of another order') FROM pg_temp.shipped_order() AS id;

-- Not by hand, not by the owner, not in replica mode, not by somebody's trigger.
SELECT ordertrack.receive_return(:r, pg_temp.units(1))
\g /dev/null
CREATE TEMP TABLE guarded AS SELECT command, wanted FROM (VALUES
	('INSERT INTO ordertrack.returns SELECT * FROM ordertrack.returns', 'OT020 rows of table "returns" are written by ordertrack only. Use ordertrack.create_return() and ordertrack.receive_return().'),
	('INSERT INTO ordertrack.return_items SELECT * FROM ordertrack.return_items', 'OT020 rows of table "return_items" are written by ordertrack only. Use ordertrack.create_return() and ordertrack.receive_return().'),
	('INSERT INTO ordertrack.return_receipts SELECT * FROM ordertrack.return_receipts', 'OT020 rows of table "return_receipts" are written by ordertrack only. Use ordertrack.create_return() and ordertrack.receive_return().'),
	('DELETE FROM ordertrack.returns', 'OT020 rows of table "returns" cannot be deleted. History refers to them.'),
	('TRUNCATE ordertrack.returns', 'OT020 rows of table "returns" cannot be deleted. History refers to them.'),
	('DELETE FROM ordertrack.return_items', 'OT020 history in table "return_items" cannot be changed. ordertrack.cancel_return() ends a return, ordertrack.create_return() begins another.'),
	('UPDATE ordertrack.return_items SET quantity = 1', 'OT020 history in table "return_items" cannot be changed. ordertrack.cancel_return() ends a return, ordertrack.create_return() begins another.'),
	('TRUNCATE ordertrack.return_items', 'OT020 history in table "return_items" cannot be changed. ordertrack.cancel_return() ends a return, ordertrack.create_return() begins another.'),
	('DELETE FROM ordertrack.return_receipts', 'OT020 history in table "return_receipts" cannot be changed. ordertrack.receive_return() adds what arrived.'),
	('UPDATE ordertrack.return_receipts SET quantity = 1', 'OT020 history in table "return_receipts" cannot be changed. ordertrack.receive_return() adds what arrived.'),
	('TRUNCATE ordertrack.return_receipts', 'OT020 history in table "return_receipts" cannot be changed. ordertrack.receive_return() adds what arrived.')) AS g (command, wanted)
UNION ALL SELECT format('UPDATE ordertrack.returns SET %I = %s WHERE return_id = %s', c, v, :r),
	format('OT020 column "%s" of table "returns" cannot be changed. History refers to it.', c)
  FROM (VALUES ('workspace_id', '7'), ('return_id', '-7'), ('order_id', '7'), ('exchange_order_id', '7'), ('created_at', 'now() - ''1 day''::interval')) AS c (c, v)
UNION ALL SELECT format('UPDATE ordertrack.returns SET %s WHERE return_id = %s', c, :r),
	'OT020 refund of a return is written by ordertrack only. Columns refund_amount and completed_at follow the status. Use ordertrack.complete_return().'
  FROM unnest('{refund_amount = 5,completed_at = now(),"status = ''complete'', refund_amount = 5, completed_at = now()"}'::text[]) AS c;
SELECT is(pg_temp.try(command), wanted, command) FROM guarded;
SET LOCAL session_replication_role = replica;
SELECT is(pg_temp.try(command), wanted, 'replica: ' || command) FROM guarded;
SET LOCAL session_replication_role = origin;
UPDATE ordertrack.returns SET updated_at = '2001-01-01', reason = 'other words' WHERE return_id = :r;
SELECT is((SELECT concat(updated_at >= created_at, ' ', reason) FROM ordertrack.returns WHERE return_id = :r), 't other words', 'updated_at is the trigger''s');
SELECT throws_ok(format('UPDATE ordertrack.returns SET status = %L WHERE return_id = %s', status, :r), NULL, NULL, 'no status: ' || coalesce(status, 'NULL'))
  FROM unnest('{NULL,lost}'::text[]) AS status;
CREATE FUNCTION pg_temp.meddle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF current_setting('test.table') = TG_TABLE_NAME THEN
		NEW := jsonb_populate_record(NEW, jsonb_build_object(current_setting('test.column'), current_setting('test.value')));
	END IF;
	RETURN NEW;
END
$$;
SELECT set_config('test.table', '', true)
\g /dev/null
CREATE TRIGGER zzz BEFORE INSERT OR UPDATE ON ordertrack.returns FOR EACH ROW EXECUTE FUNCTION pg_temp.meddle();
CREATE TRIGGER zzz BEFORE INSERT ON ordertrack.return_items FOR EACH ROW EXECUTE FUNCTION pg_temp.meddle();
CREATE TRIGGER zzz BEFORE INSERT ON ordertrack.return_receipts FOR EACH ROW EXECUTE FUNCTION pg_temp.meddle();
SELECT is(pg_temp.try(format('SELECT concat(set_config(''test.table'', %L, true), set_config(''test.column'', %L, true), set_config(''test.value'', %L, true))', t, c, v)) || ' ' || pg_temp.try(format(command, :o, :r)),
	t || c || v || ' ' || wanted, format('a trigger makes %s of %s %s: %s', c, t, v, command)) FROM (VALUES
	('returns', 'order_id', '1', 'SELECT ordertrack.cancel_return(%2$s)', 'OT020 column "order_id" of table "returns" cannot be changed. History refers to it.'),
	('returns', 'refund_amount', '99', 'SELECT ordertrack.complete_return(%2$s, 10)', 'OT020 refund of a return is written by ordertrack only. Columns refund_amount and completed_at follow the status. Use ordertrack.complete_return().'),
	('returns', 'refund_amount', '99', 'SELECT ordertrack.cancel_return(%2$s)', 'OT020 refund of a return is written by ordertrack only. Columns refund_amount and completed_at follow the status. Use ordertrack.complete_return().'),
	('returns', 'refund_amount', '99', 'SELECT ordertrack.create_return(%1$s)', 'OT020 refund of a return is written by ordertrack only. Columns refund_amount and completed_at follow the status. Use ordertrack.complete_return().'),
	('returns', 'status', 'complete', 'SELECT ordertrack.create_return(%1$s)', 'OT010 return cannot begin with status "complete". Allowed first: awaiting_stock_return.'),
	('return_items', 'quantity', '4', 'SELECT ordertrack.create_return(%1$s)', 'OT007 cannot return 4 units of line 1. Shipped are 5, in other returns 2, left are 3.'),
	('return_receipts', 'quantity', '2', 'SELECT ordertrack.receive_return(%2$s)', 'OT007 cannot receive 2 units of line 1. Announced are 2, received 1, left are 1.')) AS c (t, c, v, command, wanted);
DROP TRIGGER zzz ON ordertrack.returns;
DROP TRIGGER zzz ON ordertrack.return_items;
DROP TRIGGER zzz ON ordertrack.return_receipts;
SELECT throws_ok(format('SELECT ordertrack.%I()', f), '39P01', NULL, f || ' is a trigger')
  FROM unnest('{returns_guard_status,returns_write_history,return_items_guard_units,return_receipts_guard_units}'::text[]) AS f;

-- More lines than one call can name: discounts may add some.
SELECT ordertrack.create_order(jsonb_build_object('amount', 1, 'items', jsonb_agg(jsonb_build_object('quantity', 1)))) AS long FROM generate_series(1, 500)
\gset
SELECT ordertrack.create_voucher('EXTRA', '{"type":"unit","unit_off":1,"product_id":"extra","effect":"add_new_items"}'), ordertrack.add_coupon(:long, 'EXTRA')
\g /dev/null
SELECT pg_temp.ship(:long, NULL)
\g /dev/null
SELECT is(jsonb_array_length(items), 501, 'all are shipped') FROM ordertrack.shipment_list WHERE order_id = :long;
SELECT isnt(ordertrack.create_return(:long, jsonb_agg(jsonb_build_object('line_no', n, 'quantity', 1))), NULL, '500 lines') FROM generate_series(2, 501) AS n;
SELECT isnt(ordertrack.create_return(:long), NULL, 'and the rest');
SELECT ordertrack.cancel_return(return_id) FROM ordertrack.returns WHERE order_id = :long
\g /dev/null
SELECT ordertrack.create_return(:long) AS r
\gset
SELECT is(ordertrack.receive_return(:r), 'awaiting_completion', 'or all of them');
SELECT is(received_units, 501::numeric, 'at once') FROM ordertrack.return_list WHERE return_id = :r;

-- The lists.
SELECT ordertrack.create_order('{"amount":100,"source_id":"=R-1","items":[{"quantity":2},{"quantity":2}]}') AS o
\gset
SELECT pg_temp.ship(:o, '[{"line_no":1,"quantity":2},{"line_no":2,"quantity":2}]'), ordertrack.create_return(:o, reason => '+worn') AS r
\gset
SELECT ordertrack.receive_return(:r, '[{"line_no":2,"quantity":1}]')
\g /dev/null
SELECT is((SELECT concat_ws('|', order_id = :o, order_source_id, status, reason, announced_units, received_units, refund_amount, exchange_order_id, completed_at, updated_at >= created_at, items)
	FROM ordertrack.return_list WHERE return_id = :r), 't|=R-1|awaiting_completion|+worn|4|1|t|[{"line_no": 1, "quantity": 2, "received": 0}, {"line_no": 2, "quantity": 2, "received": 1}]', 'return_list');
SELECT is((SELECT concat_ws('|', order_source_id, status, reason, announced_units, received_units) FROM ordertrack.export_returns WHERE return_id = :r),
	'''=R-1|awaiting_completion|''+worn|4|1', 'export_returns');
SELECT is_empty('SELECT v.* FROM ordertrack.orders AS o CROSS JOIN LATERAL ordertrack.verify_order(o.order_id, o.workspace_id) AS v
	WHERE v.problem <> ''line_mismatch'' AND v.detail !~ ''discount_amount|total_amount|^Line ''', 'all histories verify, but for the discounts that are made by hand here');

-- Filters and paging use the indexes, on many rows.
ALTER TABLE ordertrack.returns DISABLE TRIGGER USER;
INSERT INTO ordertrack.returns (workspace_id, order_id, status, created_at, updated_at)
SELECT 1, n / 3, CASE WHEN n % 100 = 0 THEN 'awaiting_completion' ELSE 'complete' END, now() - n * '1 min'::interval, now() FROM generate_series(1, 30000) AS n;
SELECT ordertrack.arm_triggers()
\g /dev/null
SELECT is_empty('SELECT * FROM ordertrack.unarmed_triggers()', 'the guards are armed again');
ANALYZE ordertrack.returns;
CREATE FUNCTION pg_temp.plan(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	line text;
	plan text := '';
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS off) ' || query LOOP
		plan := plan || line || E'\n';
	END LOOP;
	RETURN plan;
END
$$;
SELECT ok(plan ~ ('Scan (Backward )?(using|on) ' || index) AND plan !~ 'Seq Scan on returns', format('%s: %s', v, filter) || CASE WHEN plan ~ index THEN '' ELSE E'\n' || plan END)
  FROM (VALUES
	('created_at > now() - ''1 hour''::interval', 'returns_created_at_idx'),
	('(created_at, return_id) < (now() - ''1 hour''::interval, 5) ORDER BY created_at DESC, return_id DESC LIMIT 20', 'returns_created_at_idx'),
	('status = ''awaiting_completion'' ORDER BY created_at DESC, return_id DESC LIMIT 20', 'returns_status_idx'),
	('order_id = 7', 'returns_order_id_idx'), ('exchange_order_id = 7', 'returns_exchange_order_id_idx'), ('return_id = 7', 'returns_pkey')) AS f (filter, index)
 CROSS JOIN (VALUES ('return_list'), ('export_returns')) AS t (v)
 CROSS JOIN LATERAL pg_temp.plan(format('SELECT * FROM ordertrack.%I WHERE workspace_id = 1 AND %s', v, filter)) AS plan;

SELECT * FROM finish();
ROLLBACK;

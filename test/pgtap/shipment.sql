-- Shipments: every pair of statuses, by set_shipment_status and by a raw UPDATE;
-- units; and what becomes of the order.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT * FROM no_plan();

CREATE TEMP TABLE statuses AS SELECT unnest('{awaiting_inventory,inventory_assigned,released,packing,shipped,
	delivered,on_hold,canceled}'::text[]) AS status;
CREATE TEMP TABLE moves (from_status text, to_status text[]);
INSERT INTO moves VALUES
	('awaiting_inventory', '{inventory_assigned,released,on_hold,canceled}'),
	('inventory_assigned', '{released,on_hold,canceled}'),
	('released', '{packing,on_hold,canceled}'),
	('packing', '{released,shipped,on_hold,canceled}'),
	('shipped', '{delivered}'),
	('on_hold', '{previous,canceled}');
SELECT bag_eq($$SELECT from_status, to_status FROM ordertrack.status_transitions WHERE workspace_id = 1
	AND entity = 'shipment'$$,
	$$SELECT from_status, unnest(to_status) FROM moves
		UNION ALL SELECT NULL, unnest('{awaiting_inventory,inventory_assigned}'::text[])$$,
	'status_transitions holds what is documented');

-- A paid order with one shipment in a status, to which it came by what it held.
CREATE FUNCTION pg_temp.shipment_in(wanted text, held text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	id bigint := ordertrack.create_shipment(ordertrack.create_order('{"status":"paid","items":[{"sku":"a","quantity":3}]}'),
		'[{"line_no":1,"quantity":1}]', CASE WHEN 'awaiting_inventory' IN (wanted, held) THEN 'awaiting_inventory' ELSE 'inventory_assigned' END);
	step text;
BEGIN
	FOREACH step IN ARRAY CASE coalesce(nullif(wanted, 'on_hold'), held)
		WHEN 'released' THEN '{released}' WHEN 'packing' THEN '{released,packing}'
		WHEN 'shipped' THEN '{released,packing,shipped}' WHEN 'delivered' THEN '{released,packing,shipped,delivered}'
		WHEN 'canceled' THEN '{canceled}' ELSE '{}' END::text[] || CASE wanted WHEN 'on_hold' THEN '{on_hold}' ELSE '{}' END::text[]
	LOOP
		PERFORM ordertrack.set_shipment_status(id, step);
	END LOOP;
	RETURN id;
END
$$;
-- Moves a shipment and tells what became of it, or of the error.
CREATE FUNCTION pg_temp.move(id bigint, to_status text, how text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	the_order CONSTANT bigint := (SELECT s.order_id FROM ordertrack.shipments AS s WHERE shipment_id = id);
	n CONSTANT integer := (SELECT note_count FROM ordertrack.orders AS o WHERE o.order_id = the_order);
	before CONSTANT text := (SELECT s::text FROM ordertrack.shipments AS s WHERE shipment_id = id);
	detail text;
	answer ordertrack.shipment_outcome;
BEGIN
	BEGIN
		IF how = 'raw' THEN
			UPDATE ordertrack.shipments SET status = to_status WHERE workspace_id = 1 AND shipment_id = id;
		ELSIF how = 'one' THEN
			PERFORM ordertrack.set_shipment_status(id, to_status, channel => 'desk', actor => 'ina');
		ELSE
			SELECT * INTO answer FROM ordertrack.set_shipment_status(ARRAY[id], to_status, channel => 'desk', actor => 'ina');
			IF answer.result = 'failure' THEN
				IF before <> (SELECT s::text FROM ordertrack.shipments AS s WHERE shipment_id = id) THEN
					RETURN 'refused, but changed';
				END IF;
				RETURN concat_ws(' ', answer.failure_code, answer.failure_message,
					(SELECT concat_ws(' ', h.event_type, h.channel, h.data - 'shipment_id') FROM ordertrack.order_notes AS h
					  WHERE h.order_id = the_order AND h.note_no = n + 1 AND h.data ->> 'shipment_id' = id::text),
					(SELECT string_agg(problem, ' ') FROM ordertrack.verify_order(the_order)));
			END IF;
		END IF;
	EXCEPTION WHEN SQLSTATE 'OT010' THEN
		GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
		IF before <> (SELECT s::text FROM ordertrack.shipments AS s WHERE shipment_id = id)
			OR n <> (SELECT note_count FROM ordertrack.orders AS o WHERE o.order_id = the_order) THEN
			RETURN 'OT010, but changed';
		END IF;
		RETURN 'OT010 ' || SQLERRM || ' ' || detail;
	END;
	RETURN (SELECT concat_ws(' ', s.status, s.status_before_hold, CASE WHEN s.is_held_with_order THEN 'with order' END,
			CASE WHEN s.shipped_at IS NOT NULL THEN '-' END, CASE WHEN s.delivered_at IS NOT NULL THEN '+' END,
			(SELECT string_agg(concat_ws(' ', h.event_type, h.channel, h.data - 'shipment_id'), ', ' ORDER BY h.note_no)
			   FROM ordertrack.order_notes AS h WHERE h.order_id = the_order AND h.note_no > n),
			(SELECT string_agg(problem, ' ') FROM ordertrack.verify_order(the_order)))
		  FROM ordertrack.shipments AS s WHERE s.shipment_id = id);
END
$$;

CREATE TEMP TABLE states AS SELECT status, NULL::text AS held FROM statuses WHERE status <> 'on_hold'
UNION ALL SELECT 'on_hold', from_status FROM moves WHERE 'on_hold' = ANY (to_status);
CREATE TEMP TABLE results AS
SELECT s.status, s.held, t.status AS to_status, how,
	EXISTS (SELECT FROM moves AS m WHERE m.from_status = s.status
		AND (t.status = ANY (m.to_status) OR (t.status = s.held AND 'previous' = ANY (m.to_status)))) AS is_allowed,
	pg_temp.move(pg_temp.shipment_in(s.status, s.held), t.status, how) AS result
  FROM states AS s CROSS JOIN statuses AS t CROSS JOIN unnest('{one,many,raw}'::text[]) AS how;
SELECT is(count(*), 3 * 11 * 8::bigint, 'every pair was tried') FROM results;
SELECT is(result, concat_ws(' ', to_status, CASE WHEN to_status = 'on_hold' THEN status END,
		CASE WHEN to_status IN ('shipped', 'delivered') THEN '-' END, CASE to_status WHEN 'delivered' THEN '+' END,
		concat_ws(' ', 'shipment_' || replace(to_status, 'canceled', 'cancelled'), CASE WHEN how <> 'raw' THEN 'desk' END,
			CASE WHEN how <> 'raw' THEN jsonb_build_object('actor', 'ina') ELSE '{}' END
				|| jsonb_build_object('shipment_status', jsonb_build_object('old', status, 'new', to_status)))
		|| CASE WHEN to_status = 'shipped' THEN ', order_partially_shipped ' || concat_ws(' ', CASE WHEN how <> 'raw' THEN 'desk' END,
			CASE WHEN how <> 'raw' THEN jsonb_build_object('actor', 'ina') ELSE '{}' END
				|| '{"status": {"old": "paid", "new": "partially_shipped"}}') ELSE '' END),
	format('%s%s to %s is allowed: %s', status, ' (' || held || ')', to_status, how))
  FROM results WHERE is_allowed;
SELECT is(result, concat_ws(' ', status, held, CASE WHEN status IN ('shipped', 'delivered') THEN '-' END,
		CASE status WHEN 'delivered' THEN '+' END),
	format('%s%s to itself is nothing: %s', status, ' (' || held || ')', how))
  FROM results WHERE status = to_status;
SELECT CASE how WHEN 'many' THEN is(result, format('transition_refused shipment status cannot change from "%s" to "%s" transition_refused desk %s',
			status, to_status, jsonb_build_object('actor', 'ina', 'refused', jsonb_build_object('entity', 'shipment', 'from', status, 'to', to_status))),
		format('%s%s to %s is refused, and told: %s', status, ' (' || held || ')', to_status, how))
	ELSE ok(result LIKE format('OT010 shipment status cannot change from "%s" to "%s" %%', status, to_status),
		format('%s%s to %s is refused: %s: %s', status, ' (' || held || ')', to_status, how, result)) END
  FROM results WHERE NOT is_allowed AND status <> to_status;

-- First statuses.
SELECT ordertrack.create_order('{"status":"paid","items":[{"sku":"a","quantity":100},{"sku":"b","quantity":2}]}') AS big \gset
SELECT CASE WHEN status IN ('awaiting_inventory', 'inventory_assigned')
	THEN lives_ok(format('SELECT ordertrack.create_shipment(%s, ''[{"line_no":1,"quantity":1}]'', %L)', :big, status), 'a shipment may begin ' || status)
	ELSE throws_ok(format('SELECT ordertrack.create_shipment(%s, ''[{"line_no":1,"quantity":1}]'', %L)', :big, status), 'OT010', NULL,
		'a shipment may not begin ' || status) END FROM statuses;
SELECT is(h.event_type, 'shipment_' || s.status, 'event of a new shipment') FROM ordertrack.shipments AS s
  JOIN ordertrack.order_notes AS h ON h.order_id = s.order_id AND h.data ->> 'shipment_id' = s.shipment_id::text WHERE s.order_id = :big;

-- No more of a line than was ordered.
CREATE FUNCTION pg_temp.left_of(id bigint) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat(i.line_no, ':', i.quantity - coalesce((SELECT sum(u.quantity) FROM ordertrack.shipment_items AS u
		JOIN ordertrack.shipments AS s USING (workspace_id, shipment_id)
		WHERE u.order_id = id AND u.line_no = i.line_no AND s.status <> 'canceled'), 0)), ' ' ORDER BY i.line_no)
	  FROM ordertrack.order_items AS i WHERE i.order_id = id
$$;
SELECT is(pg_temp.left_of(:big), '1:98 2:2', 'what is left');
SELECT throws_ok(format('SELECT ordertrack.create_shipment(%s, ''[{"line_no":1,"quantity":99}]'')', :big), 'OT007', NULL, 'one unit too many');
SELECT throws_ok(format('SELECT ordertrack.create_shipment(%s, ''[{"line_no":1,"quantity":9223372036854775807}]'')', :big), NULL, NULL, 'a huge quantity');
SELECT throws_ok(format('SELECT ordertrack.create_shipment(%s, ''[{"line_no":2,"quantity":1},{"line_no":1,"quantity":99}]'')', :big), 'OT007', NULL,
	'one line too much refuses all of it');
SELECT ordertrack.create_shipment(:big, '[{"line_no":2,"quantity":2},{"line_no":1,"quantity":97}]') AS most \gset
SELECT ordertrack.create_shipment(:big) AS rest \gset
SELECT is(pg_temp.left_of(:big), '1:0 2:0', 'all that is left');
SELECT is((SELECT items FROM ordertrack.shipment_list WHERE shipment_id = :rest), '[{"line_no": 1, "quantity": 1}]', 'is what it takes without items');
SELECT throws_ok(format('SELECT ordertrack.create_shipment(%s)', :big), 'OT007', 'order ' || :big || ' has nothing left to ship', 'nothing is left');
SELECT ordertrack.set_shipment_status(:most, 'canceled') \g /dev/null
SELECT is(pg_temp.left_of(:big), '1:97 2:2', 'a canceled shipment gives its units back');
SELECT ordertrack.create_shipment(:big) AS again \gset
SELECT is((SELECT array_agg(replaced_quantity ORDER BY line_no) FROM ordertrack.shipment_items WHERE shipment_id = :again), '{97,2}', 'and they are known as sent again');
SELECT throws_ok(format('SELECT ordertrack.set_shipment_status(%s, ''inventory_assigned'')', :most), 'OT010', NULL, 'a canceled one stays canceled');

-- Bad input.
SELECT throws_ok(format('SELECT ordertrack.create_shipment(%s, %L)', :big, items), 'OT005', NULL, 'items: ' || left(items, 60))
  FROM unnest(ARRAY['{}', '[]', '"x"', '5', 'null', '[5]', '[{}]', '[{"line_no":1}]', '[{"quantity":1}]', '[{"line_no":1,"quantity":0}]',
	'[{"line_no":1,"quantity":-1}]', '[{"line_no":1,"quantity":1.5}]', '[{"line_no":1,"quantity":"1"}]', '[{"line_no":1,"quantity":1e400}]',
	'[{"line_no":0,"quantity":1}]', '[{"line_no":9999999999,"quantity":1}]', '[{"line_no":3,"quantity":1}]', '[{"line_no":null,"quantity":1}]',
	'[{"line_no":1,"quantity":1,"x":2}]', '[{"line_no":1,"quantity":1},{"line_no":1,"quantity":1}]',
	(SELECT jsonb_agg('{"line_no":1,"quantity":1}'::jsonb)::text FROM generate_series(1, 501))]) AS items;
SELECT throws_ok(command, wanted, NULL, command) FROM (VALUES
	('SELECT ordertrack.create_shipment(NULL)', 'OT005'),
	('SELECT ordertrack.create_shipment(0)', 'OT001'),
	('SELECT ordertrack.create_shipment(1, workspace => 999)', 'OT002'),
	('SELECT ordertrack.create_shipment(1, workspace => NULL)', 'OT005'),
	(format('SELECT ordertrack.create_shipment(%s, status => NULL)', :big), 'OT005'),
	(format('SELECT ordertrack.create_shipment(%s, status => ''lost'')', :big), 'OT005'),
	(format('SELECT ordertrack.create_shipment(%s, carrier => repeat(''x'', 1001))', :big), 'OT005'),
	('SELECT ordertrack.set_shipment_status(NULL::bigint, ''released'')', 'OT005'),
	('SELECT ordertrack.set_shipment_status(0, ''released'')', 'OT002'),
	('SELECT ordertrack.set_shipment_status(0, ''released'', workspace => 999)', 'OT002'),
	('SELECT ordertrack.set_shipment_status(0, ''lost'')', 'OT005'),
	('SELECT ordertrack.set_shipment_status(0, NULL)', 'OT005'),
	('SELECT ordertrack.set_shipment_status(0, '''')', 'OT005'),
	('SELECT ordertrack.set_shipment_status(NULL::bigint[], ''released'')', 'OT005'),
	('SELECT ordertrack.set_shipment_status(ARRAY[NULL]::bigint[], ''released'')', 'OT005'),
	('SELECT ordertrack.set_shipment_status(ARRAY(SELECT generate_series(1, 1001))::bigint[], ''released'')', 'OT005'),
	('SELECT ordertrack.set_shipment_status(''{}''::bigint[], ''released'', workspace => 999)', 'OT002')) AS t (command, wanted);
SELECT is_empty('SELECT * FROM ordertrack.set_shipment_status(''{}''::bigint[], ''released'')', 'no ids, no answers');

-- Orders that take shipments, and statuses in which they are shipped.
CREATE FUNCTION pg_temp.order_in(wanted text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	id bigint := ordertrack.create_order(jsonb_build_object('items', '[{"sku":"a","quantity":2}]'::jsonb,
		'status', CASE WHEN wanted IN ('paid', 'awaiting_exchange') THEN wanted ELSE 'created' END));
BEGIN
	IF wanted IN ('partially_shipped', 'completed') THEN
		PERFORM ordertrack.set_order_status(id, 'paid');
	END IF;
	PERFORM ordertrack.set_order_status(id, wanted);
	RETURN id;
END
$$;
SELECT CASE WHEN status IN ('created', 'paid', 'in_progress', 'partially_shipped')
	THEN lives_ok(format('SELECT ordertrack.create_shipment(%s)', pg_temp.order_in(status)), 'takes a shipment: ' || status)
	ELSE throws_ok(format('SELECT ordertrack.create_shipment(%s)', pg_temp.order_in(status)), '55000', NULL, 'takes no shipment: ' || status) END
  FROM unnest('{created,paid,fulfilled,in_progress,partially_shipped,completed,on_hold,awaiting_exchange,canceled}'::text[]) AS status;
SELECT ordertrack.create_shipment(pg_temp.order_in('created')) AS unpaid \gset
SELECT ordertrack.set_shipment_status(:unpaid, 'released'), ordertrack.set_shipment_status(:unpaid, 'packing') \g /dev/null
SELECT throws_ok(format('SELECT ordertrack.set_shipment_status(%s, ''shipped'')', :unpaid), 'OT010', NULL, 'an order that is not paid is not shipped');
SELECT throws_ok(format('UPDATE ordertrack.shipments SET status = ''shipped'' WHERE shipment_id = %s', :unpaid), 'OT010', NULL, 'nor by a raw UPDATE');
SELECT is((SELECT failure_code FROM ordertrack.set_shipment_status(ARRAY[:unpaid], 'shipped')), 'order_not_ready', 'nor with others');
SELECT ordertrack.set_order_status(order_id, 'fulfilled'), ordertrack.set_shipment_status(shipment_id, 'shipped') FROM ordertrack.shipments WHERE shipment_id = :unpaid \g /dev/null
SELECT is(status::text, 'fulfilled', 'what was fulfilled may be shipped, and stays so') FROM ordertrack.order_list WHERE order_id = (SELECT order_id FROM ordertrack.shipments WHERE shipment_id = :unpaid);

-- What becomes of an order: canceled, shipped, active (and units in no shipment).
CREATE FUNCTION pg_temp.derive(first text, has_canceled boolean, has_shipped boolean, has_active boolean, has_rest boolean) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	id bigint := ordertrack.create_order(jsonb_build_object('status', 'paid', 'items', jsonb_build_array(jsonb_build_object('sku', 'a', 'quantity',
		CASE WHEN has_rest THEN 4 ELSE greatest(1, has_active::int + has_shipped::int + has_canceled::int) END))));
	one CONSTANT jsonb := '[{"line_no":1,"quantity":1}]';
	s bigint;
BEGIN
	IF first <> 'paid' THEN PERFORM ordertrack.set_order_status(id, first); END IF;
	IF has_active THEN PERFORM ordertrack.create_shipment(id, one); END IF;
	IF has_shipped THEN
		s := ordertrack.create_shipment(id, one);
		PERFORM ordertrack.set_shipment_status(s, 'released'), ordertrack.set_shipment_status(s, 'packing');
	END IF;
	IF has_canceled THEN PERFORM ordertrack.set_shipment_status(ordertrack.create_shipment(id, one), 'canceled'); END IF;
	IF has_shipped THEN PERFORM ordertrack.set_shipment_status(s, 'shipped'); END IF;
	RETURN (SELECT o.status FROM ordertrack.orders AS o WHERE o.order_id = id);
END
$$;
SELECT is(pg_temp.derive(first, c, s, a, r), CASE WHEN NOT s THEN first WHEN a OR r THEN 'partially_shipped' ELSE 'completed' END,
	format('%s with canceled %s, shipped %s, active %s, rest %s', first, c, s, a, r))
  FROM unnest('{paid,in_progress,partially_shipped}'::text[]) AS first, unnest('{f,t}'::boolean[]) AS c, unnest('{f,t}'::boolean[]) AS s,
	unnest('{f,t}'::boolean[]) AS a, unnest('{f,t}'::boolean[]) AS r;
-- The last active one canceled completes it, and one that replaces a canceled one leaves the rest open.
CREATE FUNCTION pg_temp.ship(id bigint) RETURNS void LANGUAGE sql AS $$
	SELECT ordertrack.set_shipment_status(id, step) FROM unnest('{released,packing,shipped}'::text[]) AS step
$$;
SELECT ordertrack.create_order('{"status":"paid","items":[{"sku":"a","quantity":2}]}') AS two \gset
SELECT ordertrack.create_shipment(:two, '[{"line_no":1,"quantity":1}]') AS a, ordertrack.create_shipment(:two, '[{"line_no":1,"quantity":1}]') AS b \gset
SELECT pg_temp.ship(:a) \g /dev/null
SELECT is(status::text, 'partially_shipped', 'one of two') FROM ordertrack.order_list WHERE order_id = :two;
SELECT ordertrack.set_shipment_status(:b, 'canceled', channel => 'desk') \g /dev/null
SELECT is(status::text, 'completed', 'the other is canceled') FROM ordertrack.order_list WHERE order_id = :two;
SELECT is(event_type || channel, 'order_completeddesk', 'by whom') FROM ordertrack.order_history(:two) ORDER BY note_no DESC LIMIT 1;
SELECT ordertrack.create_order('{"status":"paid","items":[{"sku":"a","quantity":2}]}') AS two \gset
SELECT ordertrack.create_shipment(:two, '[{"line_no":1,"quantity":1}]') AS a \gset
SELECT ordertrack.set_shipment_status(:a, 'canceled') \g /dev/null
SELECT ordertrack.create_shipment(:two, '[{"line_no":1,"quantity":1}]') AS b \gset
SELECT pg_temp.ship(:b) \g /dev/null
SELECT is(status::text, 'partially_shipped', 'one unit is sent again, the other was never sent') FROM ordertrack.order_list WHERE order_id = :two;
SELECT pg_temp.ship(ordertrack.create_shipment(:two)) \g /dev/null
SELECT is(status::text, 'completed', 'both are sent') FROM ordertrack.order_list WHERE order_id = :two;
DELETE FROM ordertrack.status_transitions WHERE workspace_id = 1 AND entity = 'order' AND from_status = 'paid' AND to_status = 'completed';
SELECT ordertrack.create_order('{"status":"paid","items":[{"sku":"a","quantity":1}]}') AS kept \gset
SELECT pg_temp.ship(ordertrack.create_shipment(:kept)) \g /dev/null
SELECT is(status::text, 'paid', 'an order stays where the operator has taken the move away') FROM ordertrack.order_list WHERE order_id = :kept;
INSERT INTO ordertrack.status_transitions (workspace_id, entity, from_status, to_status, event_type) VALUES (1, 'order', 'paid', 'completed', 'order_completed');

-- A hold stops all that is not shipped, and what goes on is what it stopped.
SELECT ordertrack.create_order('{"status":"paid","items":[{"sku":"a","quantity":9}]}') AS held \gset
SELECT array_agg(ordertrack.create_shipment(:held, '[{"line_no":1,"quantity":1}]') ORDER BY n) AS s FROM generate_series(1, 6) AS n \gset
SELECT ordertrack.set_shipment_status((:'s'::bigint[])[n], step) FROM (VALUES (2, '{released}'), (3, '{released,packing}'), (4, '{released,packing,shipped}'),
	(5, '{canceled}'), (6, '{released,on_hold}')) AS v (n, steps), unnest(steps::text[]) AS step \g /dev/null
CREATE FUNCTION pg_temp.show(id bigint) RETURNS text LANGUAGE sql AS $$
	SELECT concat((SELECT status FROM ordertrack.orders WHERE order_id = id), ': ', string_agg(concat(status, ' ' || status_before_hold, CASE WHEN is_held_with_order THEN '*' END), ', ' ORDER BY shipment_id))
	  FROM ordertrack.shipments WHERE order_id = id
$$;
SELECT is(pg_temp.show(:held), 'partially_shipped: inventory_assigned, released, packing, shipped, canceled, on_hold released', 'six shipments');
SELECT ordertrack.set_order_status(:held, 'on_hold', 'desk', 'ina') \g /dev/null
SELECT is(pg_temp.show(:held), 'on_hold: on_hold inventory_assigned*, on_hold released*, on_hold packing*, shipped, canceled, on_hold released', 'a hold');
SELECT is((SELECT string_agg(concat_ws(' ', event_type, channel, data ->> 'actor'), ', ' ORDER BY note_no) FROM (SELECT * FROM ordertrack.order_history(:held) ORDER BY note_no DESC LIMIT 4) AS h),
	'order_on_hold desk ina, shipment_on_hold desk ina, shipment_on_hold desk ina, shipment_on_hold desk ina', 'its notes name who did it');
SELECT throws_ok(format(command, (:'s'::bigint[])[n]), 'OT010', NULL, command) FROM unnest(ARRAY['SELECT ordertrack.set_shipment_status(%s, ''packing'')',
	'UPDATE ordertrack.shipments SET status = ''packing'' WHERE shipment_id = %s']) AS command, unnest('{3}'::int[]) AS n;
SELECT is((SELECT failure_code FROM ordertrack.set_shipment_status(ARRAY[(:'s'::bigint[])[6]], 'released')), 'order_on_hold', 'one that was held alone waits, too');
SELECT throws_ok(format('SELECT ordertrack.create_shipment(%s)', :held), '55000', NULL, 'no new one meanwhile');
SELECT ordertrack.set_shipment_status((:'s'::bigint[])[4], 'delivered') \g /dev/null
SELECT ordertrack.set_shipment_status((:'s'::bigint[])[1], 'canceled') \g /dev/null
SELECT ordertrack.set_order_status(:held, 'partially_shipped', 'desk', 'ina') \g /dev/null
SELECT is(pg_temp.show(:held), 'partially_shipped: canceled, released, packing, delivered, canceled, on_hold released', 'what was held alone stays on hold');
SELECT is((SELECT string_agg(concat_ws(' ', event_type, channel), ', ' ORDER BY note_no) FROM (SELECT * FROM ordertrack.order_history(:held) ORDER BY note_no DESC LIMIT 3) AS h),
	'order_partially_shipped desk, shipment_released desk, shipment_packing desk', 'their notes');
SELECT ordertrack.set_shipment_status((:'s'::bigint[])[6], 'released') \g /dev/null
-- A raw UPDATE stops and ends them as well.
UPDATE ordertrack.orders SET status = 'on_hold' WHERE order_id = :held;
SELECT is(pg_temp.show(:held), 'on_hold: canceled, on_hold released*, on_hold packing*, delivered, canceled, on_hold released*', 'a raw hold');
UPDATE ordertrack.orders SET status = 'canceled' WHERE order_id = :held;
SELECT is(pg_temp.show(:held), 'canceled: canceled, canceled, canceled, delivered, canceled, canceled', 'a raw cancellation ends what is not shipped');
SELECT throws_ok(format('SELECT ordertrack.create_shipment(%s)', :held), '55000', NULL, 'a canceled order is not shipped');
-- What a hold has waited for may have been canceled meanwhile.
SELECT ordertrack.create_order('{"status":"paid","items":[{"sku":"a","quantity":2}]}') AS waited \gset
SELECT ordertrack.create_shipment(:waited, '[{"line_no":1,"quantity":1}]') AS a, ordertrack.create_shipment(:waited) AS b \gset
SELECT pg_temp.ship(:a), ordertrack.set_order_status(:waited, 'on_hold'), ordertrack.set_shipment_status(:b, 'canceled') \g /dev/null
SELECT is(pg_temp.show(:waited), 'on_hold: shipped, canceled', 'canceled during the hold');
SELECT ordertrack.set_order_status(:waited, 'partially_shipped', 'desk') \g /dev/null
SELECT is(pg_temp.show(:waited), 'completed: shipped, canceled', 'so the order is complete when it goes on');
SELECT is_empty('SELECT o.order_id, v.* FROM ordertrack.orders AS o, ordertrack.verify_order(o.order_id) AS v WHERE problem <> ''no_history''', 'all histories verify');

-- Carrier and tracking number.
SELECT ordertrack.create_shipment(ordertrack.create_order('{"status":"paid","items":[{"sku":"a","quantity":1}]}'), carrier => 'dhl') AS t \gset
SELECT is(ordertrack.set_shipment_status(:t, 'inventory_assigned', 'T-1'), 'inventory_assigned', 'a number alone');
SELECT is(ordertrack.set_shipment_status(:t, 'inventory_assigned', 'T-1', 'dhl'), 'inventory_assigned', 'the same again');
SELECT ordertrack.set_shipment_status(:t, 'released', 'T-2') \g /dev/null
UPDATE ordertrack.shipments SET carrier = NULL WHERE shipment_id = :t;
SELECT results_eq(format('SELECT event_type, data - ''shipment_id'' FROM ordertrack.order_history((SELECT order_id FROM ordertrack.shipments WHERE shipment_id = %s)) WHERE note_no > 1 ORDER BY note_no', :t),
	$$VALUES ('shipment_inventory_assigned', '{"items": [{"line_no": 1, "quantity": 1}], "carrier": {"new": "dhl"}, "shipment_status": {"new": "inventory_assigned"}}'::jsonb),
		('shipment_updated', '{"tracking_number": {"new": "T-1"}}'), ('shipment_released', '{"shipment_status": {"new": "released", "old": "inventory_assigned"}, "tracking_number": {"new": "T-2", "old": "T-1"}}'),
		('shipment_updated', '{"carrier": {"old": "dhl"}}')$$, 'each change is a note');

-- Rows are made by create_shipment, and stay what they are.
SELECT throws_ok(command, wanted, NULL, command) FROM (VALUES
	('INSERT INTO ordertrack.shipments (workspace_id, order_id, status, created_at, updated_at) VALUES (1, 1, ''released'', now(), now())', 'OT020'),
	('INSERT INTO ordertrack.shipment_items (workspace_id, shipment_id, order_id, line_no, quantity, created_at) VALUES (1, 1, 1, 1, 1, now())', 'OT020'),
	('DELETE FROM ordertrack.shipments', 'OT020'), ('DELETE FROM ordertrack.shipment_items', 'OT020'),
	('UPDATE ordertrack.shipment_items SET quantity = 1', 'OT020'),
	('UPDATE ordertrack.shipments SET order_id = order_id + 1', 'OT020'), ('UPDATE ordertrack.shipments SET shipment_id = -shipment_id', 'OT020'),
	('UPDATE ordertrack.shipments SET status_before_hold = ''packing'' WHERE status = ''released''', 'OT010'),
	('UPDATE ordertrack.shipments SET is_held_with_order = true', 'OT010'),
	('UPDATE ordertrack.shipments SET shipped_at = now()', 'OT010'), ('UPDATE ordertrack.shipments SET delivered_at = now()', 'OT010'),
	('UPDATE ordertrack.shipments SET status = NULL', '23502'), ('UPDATE ordertrack.shipments SET status = ''lost''', '23514'),
	(format('UPDATE ordertrack.order_items SET quantity = 1 WHERE order_id = %s AND line_no = 1', :big), 'OT007'),
	(format('DELETE FROM ordertrack.order_items WHERE order_id = %s', :big), 'OT007'),
	(format('UPDATE ordertrack.order_items SET line_no = line_no + 100 WHERE order_id = %s', :big), 'OT007'),
	(format('SELECT ordertrack.update_order(%s, ''{"items":[{"sku":"a","quantity":1,"price":1}]}'')', (SELECT order_id FROM ordertrack.shipments AS s JOIN ordertrack.orders AS o USING (order_id)
		WHERE o.status = 'created' AND s.status <> 'canceled' LIMIT 1)), '55000')) AS t (command, wanted);
SELECT throws_ok('TRUNCATE ordertrack.shipments', 'OT020', NULL, 'TRUNCATE shipments');
SELECT throws_ok('TRUNCATE ordertrack.shipment_items', 'OT020', NULL, 'TRUNCATE shipment_items');
SET LOCAL session_replication_role = replica;
SELECT throws_ok(command, 'OT020', NULL, 'as a replica: ' || command) FROM unnest(ARRAY['DELETE FROM ordertrack.shipments', 'DELETE FROM ordertrack.shipment_items']) AS command;
SET LOCAL session_replication_role = origin;
-- A trigger of somebody else that changes rows after they were checked.
CREATE FUNCTION pg_temp.more() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.quantity := NEW.quantity + 5; RETURN NEW; END';
CREATE TRIGGER zz_more BEFORE INSERT ON ordertrack.shipment_items FOR EACH ROW EXECUTE FUNCTION pg_temp.more();
SELECT throws_ok('SELECT ordertrack.create_shipment(ordertrack.create_order(''{"status":"paid","items":[{"sku":"a","quantity":1}]}''))', 'OT007', NULL, 'the row that is stored counts');
DROP TRIGGER zz_more ON ordertrack.shipment_items;
CREATE FUNCTION pg_temp.deliver() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.status := ''delivered''; NEW.shipped_at := now(); NEW.delivered_at := now(); RETURN NEW; END';
CREATE TRIGGER zz_deliver BEFORE UPDATE ON ordertrack.shipments FOR EACH ROW EXECUTE FUNCTION pg_temp.deliver();
SELECT throws_ok(format('SELECT ordertrack.set_shipment_status(%s, ''packing'')', :t), 'OT010', NULL, 'so does its status');
DROP TRIGGER zz_deliver ON ordertrack.shipments;
CREATE FUNCTION pg_temp.misdirect() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.order_id := NEW.order_id - 1; RETURN NEW; END';
CREATE TRIGGER zz_misdirect BEFORE UPDATE ON ordertrack.shipments FOR EACH ROW EXECUTE FUNCTION pg_temp.misdirect();
SELECT throws_ok(format('SELECT ordertrack.set_shipment_status(%s, ''packing'')', :t), 'OT020', NULL, 'and its order');
DROP TRIGGER zz_misdirect ON ordertrack.shipments;
CREATE FUNCTION pg_temp.ship() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.status := ''shipped''; NEW.shipped_at := now(); RETURN NEW; END';
CREATE TRIGGER zz_ship BEFORE INSERT ON ordertrack.shipments FOR EACH ROW EXECUTE FUNCTION pg_temp.ship();
SELECT throws_ok('SELECT ordertrack.create_shipment(ordertrack.create_order(''{"items":[{"sku":"a","quantity":1}]}''))', 'OT010', NULL, 'so does the first status');
DROP TRIGGER zz_ship ON ordertrack.shipments;

-- Moves that an operator adds.
INSERT INTO ordertrack.status_transitions (workspace_id, entity, from_status, to_status) VALUES
	(1, 'shipment', 'canceled', 'released'), (1, 'shipment', 'shipped', 'canceled'), (1, 'shipment', 'packing', 'delivered');
SELECT ordertrack.create_order('{"status":"paid","items":[{"sku":"a","quantity":2},{"sku":"b","quantity":1}]}') AS again \gset
SELECT ordertrack.create_shipment(:again) AS first \gset
SELECT ordertrack.set_shipment_status(:first, 'canceled') \g /dev/null
SELECT ordertrack.create_shipment(:again, '[{"line_no":2,"quantity":1}]') AS second \gset
SELECT throws_ok(format(how, :first), 'OT007', 'shipments cannot hold more of a line than was ordered', 'units that another shipment holds: ' || how)
  FROM unnest(ARRAY['SELECT ordertrack.set_shipment_status(%s, ''released'')', 'UPDATE ordertrack.shipments SET status = ''released'' WHERE shipment_id = %s']) AS how;
SELECT ordertrack.set_shipment_status(:second, 'canceled') \g /dev/null
SELECT is(ordertrack.set_shipment_status(:first, 'released'), 'canceled', 'a shipment that lives again');
SELECT throws_ok(format('SELECT ordertrack.set_shipment_status(%s, ''released'')', :second), 'OT007', NULL, 'but not both');
SELECT ordertrack.set_shipment_status(:first, 'packing') \g /dev/null
SELECT is(ordertrack.set_shipment_status(:first, 'delivered'), 'packing', 'handed over at once');
SELECT is(shipped_at, delivered_at, 'is shipped then, too') FROM ordertrack.shipments WHERE shipment_id = :first;
SELECT is(status::text, 'completed', 'and its order complete') FROM ordertrack.orders WHERE order_id = :again;
SELECT pg_temp.shipment_in('shipped', NULL) AS lost \gset
SELECT is(ordertrack.set_shipment_status(:lost, 'canceled'), 'shipped', 'a shipment that is lost');
SELECT is(shipped_at, NULL, 'is not shipped') FROM ordertrack.shipments WHERE shipment_id = :lost;
DELETE FROM ordertrack.status_transitions WHERE entity = 'shipment'
	AND (from_status, to_status) IN (('canceled', 'released'), ('shipped', 'canceled'), ('packing', 'delivered'));
SELECT ordertrack.create_order('{"items":[{"sku":"a","quantity":2}]}') AS huge \gset
SELECT ordertrack.create_shipment(:huge, '[{"line_no":1,"quantity":1}]') \g /dev/null
SELECT throws_ok(format('SELECT ordertrack.create_shipment(%s, ''[{"line_no":1,"quantity":9223372036854775807}]'')', :huge), 'OT007', NULL, 'more than 64 bits hold');

-- Many in one statement, of one order and of several, and an id twice.
SELECT ordertrack.create_order('{"status":"paid","items":[{"sku":"a","quantity":20}]}') AS many \gset
SELECT array_agg(ordertrack.create_shipment(:many, '[{"line_no":1,"quantity":2}]')) AS ids FROM generate_series(1, 10) \gset
SELECT is(string_agg(result || ' ' || previous_status || ' ' || status, ', '), 'success inventory_assigned released, success released released, failure released released',
	'the second sees what the first did') FROM (SELECT * FROM ordertrack.set_shipment_status(ARRAY[(:'ids'::bigint[])[1], (:'ids'::bigint[])[1]], 'released')
	UNION ALL SELECT * FROM ordertrack.set_shipment_status(ARRAY[(:'ids'::bigint[])[1]], 'delivered')) AS o;
UPDATE ordertrack.shipments SET status = 'released' WHERE order_id = :many;
UPDATE ordertrack.shipments SET status = 'packing' WHERE order_id = :many;
UPDATE ordertrack.shipments SET status = 'shipped' WHERE order_id = :many;
SELECT is(pg_temp.show(:many), 'completed: ' || rtrim(repeat('shipped, ', 10), ', '), 'ten at once');
SELECT is(count(*), 1::bigint, 'one completion') FROM ordertrack.order_history(:many) WHERE event_type = 'order_completed';
SELECT is_empty(format('SELECT * FROM ordertrack.verify_order(%s)', :many), 'its history verifies');

-- A retry with its key makes no second shipment, and no second return.
SELECT ordertrack.create_order('{"status":"paid","items":[{"sku":"a","quantity":4}]}') AS again \gset
SELECT ordertrack.create_shipment(:again, '[{"line_no":1,"quantity":1}]', idempotency_key => 'box') AS box \gset
SELECT is(ordertrack.create_shipment(:again, '[{"line_no":1,"quantity":1}]', idempotency_key => 'box', channel => 'other'), :box::bigint, 'the same shipment again');
SELECT throws_ok(format('SELECT ordertrack.create_shipment(%s, ''[{"line_no":1,"quantity":2}]'', idempotency_key => ''box'')', :again), 'OT003', NULL, 'a key of another shipment');
SELECT throws_ok(format('SELECT ordertrack.create_shipment(%s, idempotency_key => '''')', :again), 'OT005', NULL, 'an empty key');
SELECT pg_temp.ship(:box) \g /dev/null
SELECT ordertrack.create_return(:again, '[{"line_no":1,"quantity":1}]', idempotency_key => 'back') AS back \gset
SELECT is(ordertrack.create_return(:again, '[{"line_no":1,"quantity":1}]', idempotency_key => 'back'), :back::bigint, 'the same return again');
SELECT throws_ok(format('SELECT ordertrack.create_return(%s, idempotency_key => ''back'')', :again), 'OT003', NULL, 'a key of another return');
SELECT throws_ok(format('SELECT ordertrack.create_shipment(%s, idempotency_key => ''back'')', :again), 'OT003', NULL, 'all functions share their keys');
SELECT ordertrack.cancel_order(:again, 'why') \g /dev/null
SELECT is(ordertrack.create_shipment(:again, '[{"line_no":1,"quantity":1}]', idempotency_key => 'box'), :box::bigint, 'whatever has become of the order');
SELECT results_eq(format('SELECT (SELECT count(*) FROM ordertrack.shipments WHERE order_id = %1$s), (SELECT count(*) FROM ordertrack.returns WHERE order_id = %1$s)', :again),
	'SELECT 1::bigint, 1::bigint', 'one of each');

-- Another workspace.
SELECT ordertrack.create_workspace('shipments') AS w \gset
SELECT throws_ok(format('SELECT ordertrack.set_shipment_status(%s, ''packing'', workspace => %s)', :t, :w), 'OT002', NULL, 'shipments of another workspace');
SELECT is(failure_code, 'shipment_not_found', 'among many') FROM ordertrack.set_shipment_status(ARRAY[:t], 'packing', workspace => :w);
SELECT lives_ok(format('SELECT ordertrack.create_shipment(ordertrack.create_order(''{"items":[{"sku":"a","quantity":1}]}'', workspace => %s), workspace => %s)', :w, :w), 'a workspace of its own');

-- Filters and paging use the indexes, on many rows.
ALTER TABLE ordertrack.shipments DISABLE TRIGGER USER;
INSERT INTO ordertrack.shipments (workspace_id, order_id, status, created_at, updated_at)
SELECT 1, n / 3, CASE WHEN n % 100 = 0 THEN 'packing' ELSE 'released' END, now() - n * '1 min'::interval, now() FROM generate_series(1, 30000) AS n;
SELECT ordertrack.arm_triggers()
\g /dev/null
ANALYZE ordertrack.shipments;
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
SELECT ok(plan ~ ('Scan (Backward )?(using|on) ' || index) AND plan !~ 'Seq Scan on shipments', format('%s: %s', v, filter) || CASE WHEN plan ~ index THEN '' ELSE E'\n' || plan END)
  FROM (VALUES
	('created_at > now() - ''1 hour''::interval', 'shipments_created_at_idx'),
	('(created_at, shipment_id) < (now() - ''1 hour''::interval, 5) ORDER BY created_at DESC, shipment_id DESC LIMIT 20', 'shipments_created_at_idx'),
	('status = ''packing'' ORDER BY created_at DESC, shipment_id DESC LIMIT 20', 'shipments_status_idx'),
	('order_id = 7', 'shipments_order_id_idx'), ('shipment_id = 7', 'shipments_pkey')) AS f (filter, index)
 CROSS JOIN (VALUES ('shipment_list'), ('export_shipments')) AS t (v)
 CROSS JOIN LATERAL pg_temp.plan(format('SELECT * FROM ordertrack.%I WHERE workspace_id = 1 AND %s', v, filter)) AS plan;

SELECT * FROM finish();
ROLLBACK;

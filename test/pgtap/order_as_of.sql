-- order_as_of and order_changes: what they tell of random histories is what the
-- tables showed at the time; and notes that somebody has tampered with.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT * FROM no_plan();
SELECT setseed(0.42)
\g /dev/null

-- ---- what the tables show, in the words of order_as_of ----
CREATE FUNCTION pg_temp.shown(wanted bigint) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_strip_nulls(jsonb_build_object('order_id', o.order_id, 'note_no', o.note_count, 'status', o.status,
		'status_before_hold', o.status_before_hold, 'amount', o.amount, 'discount_amount', o.discount_amount,
		'total_amount', o.total_amount, 'value_in_points', o.value_in_points, 'data_source', o.data_source,
		'customer_id', o.customer_id)) || jsonb_build_object(
		'items', coalesce((SELECT jsonb_agg(jsonb_strip_nulls(to_jsonb(i) - '{workspace_id,order_id,metadata,created_at}'::text[])
				ORDER BY i.line_no)
			FROM ordertrack.order_items AS i WHERE i.order_id = wanted), '[]'),
		'shipments', coalesce((SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object('shipment_id', s.shipment_id, 'status', s.status,
				'status_before_hold', s.status_before_hold, 'carrier', s.carrier, 'tracking_number', s.tracking_number,
				'items', (SELECT jsonb_agg(jsonb_build_object('line_no', i.line_no, 'quantity', i.quantity) ORDER BY i.line_no)
					FROM ordertrack.shipment_items AS i WHERE i.shipment_id = s.shipment_id))) ORDER BY s.shipment_id)
			FROM ordertrack.shipments AS s WHERE s.order_id = wanted), '[]'),
		'payments', coalesce((SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object('payment_id', p.payment_id,
				'transaction_type', p.transaction_type, 'method', p.method, 'amount', p.amount, 'status', p.status,
				'return_id', p.return_id)) ORDER BY p.payment_id)
			FROM ordertrack.payments AS p WHERE p.order_id = wanted), '[]'),
		'returns', coalesce((SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object('return_id', r.return_id, 'status', r.status,
				'exchange_order_id', r.exchange_order_id, 'refund_amount', r.refund_amount,
				'items', (SELECT jsonb_agg(jsonb_build_object('line_no', i.line_no, 'quantity', i.quantity, 'received_quantity',
						(SELECT coalesce(sum(t.quantity), 0) FROM ordertrack.return_receipts AS t
							WHERE t.return_id = r.return_id AND t.line_no = i.line_no)) ORDER BY i.line_no)
					FROM ordertrack.return_items AS i WHERE i.return_id = r.return_id))) ORDER BY r.return_id)
			FROM ordertrack.returns AS r WHERE r.order_id = wanted), '[]'))
	  FROM ordertrack.orders AS o WHERE o.order_id = wanted
$$;
-- The values of such a document by their paths.
CREATE FUNCTION pg_temp.flat(document jsonb) RETURNS TABLE (field text, value jsonb) LANGUAGE sql STABLE AS $$
	WITH elements AS (
		SELECT format('%s[%s].', k.part, e ->> k.id) AS path, k.id, e
		  FROM (VALUES ('items', 'line_no'), ('shipments', 'shipment_id'), ('payments', 'payment_id'), ('returns', 'return_id')) AS k (part, id)
		 CROSS JOIN LATERAL jsonb_array_elements(document -> k.part) AS e),
	lines AS (
		SELECT format('%sitems[%s].', path, i ->> 'line_no') AS path, 'line_no' AS id, i AS e
		  FROM elements CROSS JOIN LATERAL jsonb_array_elements(e -> 'items') AS i)
	SELECT path || key, value FROM (
		SELECT '' AS path, document - '{order_id,note_no}'::text[] AS e
		UNION ALL SELECT path, e - id FROM elements
		UNION ALL SELECT path, e - id FROM lines) AS all_of_it
	 CROSS JOIN LATERAL jsonb_each(e) WHERE jsonb_typeof(value) <> 'array'
$$;

-- ---- what may happen to an order, as text: %1$s is the order ----
CREATE FUNCTION pg_temp.dice(sides int) RETURNS int LANGUAGE sql AS 'SELECT 1 + floor(random() * $1)::int';
CREATE FUNCTION pg_temp.pick(VARIADIC choices text[]) RETURNS text LANGUAGE sql AS
	'SELECT choices[pg_temp.dice(cardinality(choices))]';
CREATE FUNCTION pg_temp.items() RETURNS jsonb LANGUAGE sql AS $$
	SELECT coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object('product_id', pg_temp.pick('a', 'b', 'c', NULL),
		'sku', pg_temp.pick('s-1', 's-2', NULL), 'name', pg_temp.pick('Mug', U&'T\00e4sse "\\"', '', NULL),
		'color', pg_temp.pick('red', NULL), 'size', pg_temp.pick('L', '42', NULL), 'quantity', pg_temp.dice(4),
		'price', CASE WHEN pg_temp.dice(4) > 1 THEN pg_temp.dice(300) - 1 END,
		'amount', CASE WHEN pg_temp.dice(3) = 1 THEN pg_temp.dice(900) - 1 END))), '[]')
	  FROM generate_series(1, pg_temp.dice(4) - 1)
$$;
CREATE FUNCTION pg_temp.data() RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_strip_nulls(jsonb_build_object('items', CASE WHEN pg_temp.dice(4) > 1 THEN pg_temp.items() END,
		'amount', pg_temp.dice(2000) - 1, 'data_source', pg_temp.pick('shop', 'web', NULL),
		'value_in_points', CASE WHEN pg_temp.dice(3) = 1 THEN pg_temp.dice(50) END,
		'metadata', CASE WHEN pg_temp.dice(3) = 1 THEN '{"m":1}'::jsonb END,
		'shipping_address', CASE WHEN pg_temp.dice(3) = 1 THEN '{"city":"X"}'::jsonb END,
		'submitted_by', pg_temp.pick('Sue', NULL)))
$$;
-- The order of a redemption may change its customer, but once.
CREATE FUNCTION pg_temp.customer() RETURNS text LANGUAGE sql AS $$ SELECT pg_temp.pick('anna', 'bea', 'c' || pg_temp.dice(1000), NULL) $$;
CREATE FUNCTION pg_temp.code() RETURNS text LANGUAGE sql AS
	$$ SELECT pg_temp.pick('OFF', 'LINES', 'SPLIT', 'FREE-A', 'FREE-NEW', 'CARD') $$;
CREATE FUNCTION pg_temp.live(wanted bigint) RETURNS bigint LANGUAGE sql AS $$
	SELECT r.redemption_id FROM ordertrack.redemptions AS r
	 WHERE r.order_id = wanted AND r.kind <> 'rollback' AND r.result = 'success' ORDER BY random() LIMIT 1
$$;
SELECT ordertrack.create_voucher('OFF', '{"type":"amount","amount_off":20}'),
	ordertrack.create_voucher('LINES', '{"type":"percent","percent_off":10,"effect":"apply_to_items"}'),
	ordertrack.create_voucher('SPLIT', '{"type":"amount","amount_off":31,"effect":"apply_to_items_proportionally"}'),
	ordertrack.create_voucher('FREE-A', '{"type":"unit","unit_off":3,"product_id":"a","price":15}'),
	ordertrack.create_voucher('FREE-NEW', '{"type":"unit","unit_off":2,"sku":"gratis","price":7,"effect":"add_new_items"}'),
	ordertrack.create_voucher('CARD', gift_amount => 1000000)
\g /dev/null
-- So that lines may change after a redemption, too; as an operator may.
INSERT INTO ordertrack.status_transitions (workspace_id, entity, from_status, to_status)
	SELECT 1, 'order', s, 'created' FROM unnest('{paid,canceled,completed,fulfilled,in_progress}'::text[]) AS s
\g /dev/null

CREATE TEMP TABLE operations (n int GENERATED ALWAYS AS IDENTITY, weight int, command text);
INSERT INTO operations (weight, command) VALUES
	(3, 'SELECT ordertrack.create_order(pg_temp.data() || ''{"source_id":null}'', pg_temp.customer())'),
	(1, 'SELECT ordertrack.create_order(jsonb_build_object(''status'', pg_temp.pick(''paid'', ''awaiting_exchange''), ''amount'', 50))'),
	(2, 'SELECT ordertrack.redeem(pg_temp.code(), pg_temp.customer(), pg_temp.data())'),
	(1, 'SELECT ordertrack.redeem_stack(ARRAY[pg_temp.code(), ''OFF''], pg_temp.customer(), pg_temp.data(), ''partial'')'),
	(1, 'SELECT ordertrack.redeem_batch(jsonb_build_array(jsonb_build_object(''code'', ''FREE-NEW'', ''order_data'', pg_temp.data()),
		jsonb_build_object(''code'', pg_temp.code(), ''order_data'', jsonb_build_object(''id'', %1$s))))'),
	(10, 'SELECT ordertrack.update_order(%1$s, jsonb_build_object(''items'', pg_temp.items(), ''amount'', pg_temp.dice(2000)))'),
	(6, 'SELECT ordertrack.update_order(%1$s, pg_temp.data())'),
	(2, 'SELECT ordertrack.update_order(%1$s, ''{"data_source":null,"value_in_points":null,"shipping_address":null}'')'),
	(1, 'SELECT ordertrack.update_order(%1$s, ''{"metadata":{},"on_behalf_of":"Bob"}'')'),
	(8, 'SELECT ordertrack.redeem(pg_temp.code(), pg_temp.customer(), jsonb_build_object(''id'', %1$s))'),
	(4, 'SELECT ordertrack.redeem_stack(ARRAY[pg_temp.code(), ''LINES'', ''FREE-NEW''], pg_temp.customer(),
		jsonb_build_object(''id'', %1$s), ''partial'')'),
	(8, 'SELECT ordertrack.rollback_redemption(pg_temp.live(%1$s))'),
	(2, 'SELECT ordertrack.rollback_redemption(pg_temp.live(%1$s), amount => 3)'),
	(6, 'SELECT ordertrack.set_order_status(%1$s, pg_temp.pick(''paid'', ''fulfilled'', ''in_progress'', ''canceled''))'),
	(12, 'SELECT ordertrack.set_order_status(%1$s, ''created'')'),
	(3, 'SELECT ordertrack.set_order_status(%1$s, ''on_hold'')'),
	(3, 'SELECT ordertrack.set_order_status(o.order_id, o.status_before_hold) FROM ordertrack.orders AS o
		WHERE o.order_id = %1$s AND o.status_before_hold IS NOT NULL'),
	(1, 'UPDATE ordertrack.orders SET status = pg_temp.pick(''paid'', ''completed'') WHERE order_id = %1$s'),
	(1, 'UPDATE ordertrack.orders SET status = ''on_hold'' WHERE order_id BETWEEN %1$s - 3 AND %1$s AND status = ''paid'''),
	(2, 'SELECT ordertrack.add_note(%1$s, ''a word'')'),
	(1, 'SELECT ordertrack.edit_note(%1$s, (SELECT max(note_no) FROM ordertrack.order_notes
		WHERE order_id = %1$s AND note_type = ''custom''), ''another word'')'),
	(1, 'SELECT ordertrack.delete_note(%1$s, (SELECT max(note_no) FROM ordertrack.order_notes
		WHERE order_id = %1$s AND note_type = ''custom''))');
INSERT INTO operations (weight, command) VALUES
	(4, $$SELECT ordertrack.create_shipment(%1$s, CASE WHEN pg_temp.dice(2) = 1 THEN '[{"line_no":1,"quantity":1}]'::jsonb END,
		pg_temp.pick('inventory_assigned', 'awaiting_inventory'), pg_temp.pick('dhl', NULL), pg_temp.pick('T-1', NULL))$$),
	(10, $$SELECT ordertrack.set_shipment_status(ARRAY(SELECT shipment_id FROM ordertrack.shipments WHERE order_id = %1$s),
		pg_temp.pick('released', 'packing', 'shipped', 'delivered'), pg_temp.pick('T-2', NULL), pg_temp.pick('ups', NULL))$$),
	(12, $$SELECT ordertrack.set_shipment_status(shipment_id, CASE status WHEN 'released' THEN 'packing' WHEN 'packing' THEN 'shipped' WHEN 'shipped' THEN 'delivered' ELSE 'released' END)
		FROM ordertrack.shipments WHERE order_id = %1$s AND status NOT IN ('delivered', 'canceled', 'on_hold') ORDER BY shipment_id LIMIT 1$$),
	(2, $$SELECT ordertrack.set_shipment_status(shipment_id, pg_temp.pick('on_hold', 'canceled', 'released')) FROM ordertrack.shipments
		WHERE order_id = %1$s AND status NOT IN ('shipped', 'delivered', 'canceled') ORDER BY shipment_id LIMIT 1$$),
	(1, $$UPDATE ordertrack.shipments SET status = 'released' WHERE order_id = %1$s AND status = 'inventory_assigned'$$),
	(1, $$UPDATE ordertrack.shipments SET carrier = pg_temp.pick('gls', NULL) WHERE order_id BETWEEN %1$s - 2 AND %1$s$$),
	(4, $$SELECT ordertrack.add_payment(%1$s, pg_temp.dice(900), pg_temp.pick('card', NULL), pg_temp.pick('sale', 'capture', 'authorization'),
		pg_temp.pick('pending', 'processed'))$$),
	(2, $$SELECT ordertrack.set_payment_status(payment_id, pg_temp.pick('processed', 'failed')) FROM ordertrack.payments
		WHERE order_id = %1$s AND status = 'pending' ORDER BY payment_id LIMIT 1$$),
	(2, $$SELECT ordertrack.create_refund(%1$s, pg_temp.dice(300), status => pg_temp.pick('pending', 'processed'))$$),
	(6, $$SELECT ordertrack.create_return(%1$s, CASE WHEN pg_temp.dice(3) = 1 THEN '[{"line_no":1,"quantity":1}]'::jsonb END)$$),
	(8, $$SELECT ordertrack.receive_return(return_id, CASE WHEN pg_temp.dice(2) = 1 THEN '[{"line_no":1,"quantity":1}]'::jsonb END) FROM ordertrack.returns
		WHERE order_id = %1$s AND status LIKE 'awaiting%%' ORDER BY return_id LIMIT 1$$),
	(9, $$SELECT ordertrack.complete_return(return_id, pg_temp.dice(20) - 1) FROM ordertrack.returns
		WHERE order_id = %1$s AND status = 'awaiting_completion' ORDER BY return_id LIMIT 1$$),
	(2, $$SELECT ordertrack.cancel_return(return_id) FROM ordertrack.returns
		WHERE order_id = %1$s AND status LIKE 'awaiting%%' ORDER BY return_id LIMIT 1$$),
	(2, 'SELECT ordertrack.add_coupon(%1$s, pg_temp.code())'),
	(2, 'SELECT ordertrack.remove_coupon(%1$s, pg_temp.code())'),
	(2, $$SELECT ordertrack.set_manual_discount(%1$s, pg_temp.dice(100) - 1, pg_temp.pick('kind', NULL))$$),
	(2, $$SELECT ordertrack.hold_order(%1$s, pg_temp.pick('why', NULL))$$),
	(4, 'SELECT ordertrack.release_order(%1$s)'),
	(1, $$SELECT ordertrack.cancel_order(%1$s, 'why', pg_temp.dice(2) = 1)$$);

-- ---- random histories, with what the tables showed after each operation ----
CREATE TEMP TABLE moments (n int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, order_id bigint, seen_at timestamptz, document jsonb, n_done int);
CREATE TEMP TABLE done (n int, operation int, error text);
CREATE FUNCTION pg_temp.work(rounds int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	operation record;
	chosen bigint;
	problem text;
	moment timestamptz;
BEGIN
	FOR i IN 1 .. rounds LOOP
		SELECT o.order_id INTO chosen FROM (SELECT o.order_id FROM ordertrack.orders AS o ORDER BY o.order_id
			LIMIT CASE WHEN pg_temp.dice(6) > 1 THEN 10 END) AS o ORDER BY random() LIMIT 1;
		SELECT o.n, o.command INTO operation FROM operations AS o CROSS JOIN generate_series(1, o.weight) ORDER BY random() LIMIT 1;
		problem := NULL;
		BEGIN
			EXECUTE format(operation.command, coalesce(chosen, 0));
		EXCEPTION WHEN SQLSTATE 'OT001' OR SQLSTATE 'OT002' OR SQLSTATE 'OT005' OR SQLSTATE 'OT007' OR SQLSTATE 'OT010'
			OR object_not_in_prerequisite_state THEN
			problem := SQLSTATE;
		END;
		INSERT INTO done VALUES (i, operation.n, problem);
		moment := clock_timestamp();
		INSERT INTO moments (order_id, seen_at, document, n_done)
			SELECT o.order_id, moment, pg_temp.shown(o.order_id), i FROM ordertrack.orders AS o
			 WHERE o.note_count IS DISTINCT FROM (SELECT (m.document ->> 'note_no')::int FROM moments AS m
				WHERE m.order_id = o.order_id ORDER BY m.n DESC LIMIT 1);
		WHILE clock_timestamp() <= moment LOOP END LOOP;
	END LOOP;
END
$$;
-- Until each kind of note is there, and no longer than for so long.
CREATE TEMP VIEW missing AS SELECT unnest('{order_created,promotion_add_coupon,promotion_remove_coupon,lines_changed,order_updated,address_changed,
	order_on_hold,order_paid,order_partially_shipped,order_completed,order_cancelled,none,note_edited,note_deleted,shipment_shipped,shipment_on_hold,
	shipment_cancelled,shipment_updated,transition_refused,adding_payment,creating_refund,payment_processed,payment_failed,return_created,
	return_receipt_items,return_completed,return_canceled,promotion_manual_discount}'::text[]) EXCEPT SELECT event_type FROM ordertrack.order_notes;
DO $$
BEGIN
	PERFORM pg_temp.work(1500);
	FOR i IN 1 .. 20 LOOP
		EXIT WHEN NOT EXISTS (SELECT FROM missing);
		PERFORM pg_temp.work(100);
	END LOOP;
END
$$;
ANALYZE moments, done;

SELECT cmp_ok((SELECT count(*) FROM moments), '>', 350::bigint, 'enough has happened');
SELECT cmp_ok((SELECT max(n) FROM (SELECT count(*) AS n FROM moments GROUP BY order_id) AS c), '>', 30::bigint, 'to some orders much');
SELECT is_empty('SELECT o.n, o.command FROM operations AS o WHERE NOT EXISTS (SELECT FROM done AS d WHERE d.operation = o.n AND d.error IS NULL)',
	'each operation has succeeded');
SELECT is_empty('SELECT * FROM missing', 'there are notes of all kinds');
SELECT cmp_ok((SELECT count(*) FROM moments AS m, jsonb_array_elements(m.document -> 'items') AS i
	WHERE (i ->> 'discount_amount')::bigint > 0 AND i ? 'sku'), '>', 50::bigint, 'and lines with discounts');
SELECT is_empty('SELECT v.* FROM ordertrack.orders AS o CROSS JOIN ordertrack.verify_order(o.order_id) AS v', 'all histories verify');

-- As it was at each moment, also at those when something happened to another order.
SELECT is_empty('SELECT m.*, ordertrack.order_as_of(m.order_id, m.seen_at) FROM moments AS m
	WHERE ordertrack.order_as_of(m.order_id, m.seen_at) IS DISTINCT FROM m.document', 'an order at the moments when it changed');
SELECT is_empty('SELECT m.order_id, t.seen_at, m.document, ordertrack.order_as_of(m.order_id, t.seen_at)
	FROM (SELECT m.*, lead(m.seen_at) OVER (PARTITION BY m.order_id ORDER BY m.n) AS until FROM moments AS m) AS m
	JOIN (SELECT DISTINCT seen_at FROM moments) AS t ON t.seen_at > m.seen_at AND (t.seen_at < m.until OR m.until IS NULL)
	WHERE abs(hashtext(m.order_id || t.seen_at::text)) % 10 = 0
		AND ordertrack.order_as_of(m.order_id, t.seen_at) IS DISTINCT FROM m.document', 'and at moments in between');
SELECT is_empty('SELECT o.order_id FROM ordertrack.orders AS o WHERE ordertrack.order_as_of(o.order_id) IS DISTINCT FROM pg_temp.shown(o.order_id)
	OR ordertrack.order_as_of(o.order_id, ''infinity'') IS DISTINCT FROM pg_temp.shown(o.order_id)', 'now, and for ever');
SELECT is_empty($$SELECT o.order_id FROM ordertrack.orders AS o JOIN ordertrack.order_notes AS n USING (workspace_id, order_id)
	WHERE n.note_no = 1 AND (ordertrack.order_as_of(o.order_id, n.created_at) IS NULL OR
		ordertrack.order_as_of(o.order_id, n.created_at - interval '1 us') IS NOT NULL OR ordertrack.order_as_of(o.order_id, '-infinity') IS NOT NULL)$$,
	'from its first note on, not before');

-- What changed between any two moments, computed in SQL.
CREATE TEMP TABLE facts AS
SELECT m.n AS moment, f.field, f.value FROM moments AS m CROSS JOIN LATERAL pg_temp.flat(m.document) AS f;
CREATE INDEX ON facts (moment, field);
CREATE TEMP TABLE pairs AS
SELECT row_number() OVER (PARTITION BY a.n IS NULL ORDER BY random()) * 2 + (a.n IS NULL)::integer AS n, b.order_id, a.n AS from_n, b.n AS to_n,
	a.seen_at AS from_at, b.seen_at AS to_at
  FROM (SELECT n, order_id, seen_at FROM moments UNION ALL SELECT NULL, order_id, NULL FROM moments GROUP BY order_id) AS a
  JOIN moments AS b ON b.order_id = a.order_id AND (b.n > a.n OR a.n IS NULL);
DELETE FROM pairs WHERE n > 800;
ANALYZE facts, pairs;
CREATE TEMP TABLE told AS
SELECT p.n, c.ordinality, c.field, c.old_value, c.new_value, c.note_no, c.changed_at FROM pairs AS p
 CROSS JOIN LATERAL ordertrack.order_changes(p.order_id, p.from_at, p.to_at) WITH ORDINALITY AS c;
CREATE TEMP TABLE wanted AS
SELECT n, field, f.value AS old_value, t.value AS new_value
  FROM (SELECT p.n, f.field, f.value FROM pairs AS p JOIN facts AS f ON f.moment = p.from_n) AS f
  FULL JOIN (SELECT p.n, f.field, f.value FROM pairs AS p JOIN facts AS f ON f.moment = p.to_n) AS t USING (n, field)
 WHERE f.value IS DISTINCT FROM t.value;
SELECT cmp_ok((SELECT count(*) FROM wanted WHERE old_value IS NULL), '>', 1000::bigint, 'much came');
SELECT cmp_ok((SELECT count(*) FROM wanted WHERE new_value IS NULL), '>', 300::bigint, 'some went');
SELECT cmp_ok((SELECT count(*) FROM wanted WHERE old_value <> new_value), '>', 1000::bigint, 'and much changed');
SELECT is_empty('(SELECT n, field, old_value, new_value FROM told EXCEPT SELECT * FROM wanted) UNION ALL
	(SELECT * FROM wanted EXCEPT SELECT n, field, old_value, new_value FROM told)', 'all that differs, and nothing else');
SELECT is((SELECT count(*) FROM told), (SELECT count(*) FROM wanted), 'each once');
-- The note is one of the operation that changed the value last.
CREATE TEMP TABLE turns AS
SELECT m.order_id, f.field, m.n AS moment, m.seen_at, (m.document ->> 'note_no')::int AS last_no, m.before_no, m.before_at
  FROM (SELECT m.*, lag(n) OVER w AS before_n, coalesce(lag((document ->> 'note_no')::int) OVER w, 0) AS before_no, lag(seen_at) OVER w AS before_at
	FROM moments AS m WINDOW w AS (PARTITION BY order_id ORDER BY n)) AS m
 CROSS JOIN LATERAL (SELECT field FROM (SELECT * FROM facts WHERE moment = m.n) AS a
	FULL JOIN (SELECT * FROM facts WHERE moment = m.before_n) AS b USING (field) WHERE a.value IS DISTINCT FROM b.value) AS f;
ANALYZE turns;
ANALYZE told;
SELECT is_empty($$SELECT t.*, r.* FROM told AS t JOIN pairs AS p USING (n)
	LEFT JOIN LATERAL (SELECT * FROM turns AS r WHERE r.order_id = p.order_id AND r.field = t.field AND r.moment <= p.to_n
		ORDER BY r.moment DESC LIMIT 1) AS r ON true
	WHERE t.n % 3 = 0 AND (t.note_no > r.before_no AND t.note_no <= r.last_no AND t.changed_at <= r.seen_at AND (r.before_at IS NULL OR t.changed_at > r.before_at)) IS NOT TRUE$$,
	'by the note that changed it last');
SELECT is_empty('SELECT t.* FROM told AS t JOIN pairs AS p USING (n) LEFT JOIN ordertrack.order_notes AS h
	ON h.order_id = p.order_id AND h.note_no = t.note_no WHERE t.changed_at IS DISTINCT FROM h.created_at', 'whose time is told');
-- The order's own fields, then lines, shipments, payments, returns; by number, their own fields before their lines.
SELECT is_empty($$SELECT * FROM (SELECT t.*, row_number() OVER (PARTITION BY n ORDER BY
		CASE WHEN field !~ '\[' THEN 0 ELSE array_position('{items,shipments,payments,returns}'::text[], split_part(field, '[', 1)) END,
		coalesce(substring(field FROM '^\w+\[(\d+)\]')::bigint, 0), coalesce(substring(field FROM '\.items\[(\d+)\]')::bigint, 0),
		regexp_replace(field, '^.*\.', '') COLLATE "C") AS place FROM told AS t) AS o WHERE place <> ordinality$$, 'in their order');
SELECT is_empty('SELECT c.* FROM (SELECT order_id, seen_at AS at FROM moments UNION SELECT order_id, created_at FROM ordertrack.order_notes) AS m
	CROSS JOIN LATERAL ordertrack.order_changes(m.order_id, m.at, m.at) AS c', 'nothing in no time, also not at that of a note');
SELECT is_empty('SELECT * FROM (SELECT o.order_id, c.field, c.old_value, c.new_value FROM ordertrack.orders AS o, ordertrack.order_changes(o.order_id) AS c) AS c
	FULL JOIN (SELECT m.order_id, f.field, f.value FROM (SELECT order_id, max(n) AS n FROM moments GROUP BY 1) AS m JOIN facts AS f ON f.moment = m.n) AS f
	USING (order_id, field) WHERE c.old_value IS NOT NULL OR c.new_value IS DISTINCT FROM f.value', 'from nothing to now is all that there is');
SELECT m.order_id AS busy, (SELECT count(*) FROM moments AS c WHERE c.order_id = m.order_id) AS times, min(m.seen_at) AS first_seen
  FROM moments AS m GROUP BY m.order_id ORDER BY times DESC LIMIT 1
\gset

-- ---- the notes of shipments, payments and returns, written by hand ----
CREATE FUNCTION pg_temp.told(VARIADIC notes text[]) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	id bigint := ordertrack.create_order('{"items":[{"product_id":"a","quantity":5,"price":10},{"product_id":"b","quantity":3,"price":1}]}');
	told jsonb;
BEGIN
	ALTER TABLE ordertrack.order_notes DISABLE TRIGGER USER;
	INSERT INTO ordertrack.order_notes (workspace_id, order_id, note_no, note_type, event_type, author, data, created_at, hash, txid)
		SELECT 1, id, n + 1, 'system', split_part(notes[n], ' ', 1), 'me', substr(notes[n], strpos(notes[n], ' ') + 1)::jsonb, clock_timestamp(), '', 1
		  FROM generate_subscripts(notes, 1) AS n;
	PERFORM ordertrack.arm_triggers();
	told := ordertrack.order_as_of(id);
	RETURN (told - '{order_id,data_source}'::text[]) - CASE WHEN told -> 'items' = ordertrack.order_as_of(id, (SELECT created_at FROM ordertrack.order_notes
		WHERE order_id = id AND note_no = 1)) -> 'items' THEN '{items,amount,total_amount,discount_amount,note_no}'::text[] ELSE '{}' END;
END
$$;
SELECT is(jsonb_strip_nulls(pg_temp.told(VARIADIC notes)), wanted::jsonb, label) FROM (VALUES
	('a shipment', ARRAY['shipment_awaiting_inventory {"shipment_id":7,"shipment_status":{"new":"awaiting_inventory"},"items":[{"line_no":1,"quantity":2},{"line_no":2,"quantity":3}]}',
		'shipment_released {"shipment_id":7,"shipment_status":{"old":"awaiting_inventory","new":"released"}}'],
		'{"status":"created","returns":[],"payments":[],"shipments":[{"shipment_id":7,"status":"released","items":[{"line_no":1,"quantity":2},{"line_no":2,"quantity":3}]}]}'),
	('a shipment on hold, with carrier', ARRAY['shipment_inventory_assigned {"shipment_id":7,"shipment_status":{"new":"inventory_assigned"},"carrier":{"new":"Post"},"items":[{"line_no":1,"quantity":2}]}',
		'shipment_on_hold {"shipment_id":7,"shipment_status":{"old":"inventory_assigned","new":"on_hold"}}',
		'shipment_updated {"shipment_id":7,"carrier":{"old":"Post","new":"Bike"},"tracking_number":{"new":"T1"}}'],
		'{"status":"created","returns":[],"payments":[],"shipments":[{"shipment_id":7,"status":"on_hold","status_before_hold":"inventory_assigned","carrier":"Bike","tracking_number":"T1","items":[{"line_no":1,"quantity":2}]}]}'),
	('and released, without carrier', ARRAY['shipment_inventory_assigned {"shipment_id":7,"shipment_status":{"new":"inventory_assigned"},"carrier":{"new":"Post"},"items":[{"line_no":1,"quantity":2}]}',
		'shipment_on_hold {"shipment_id":7,"shipment_status":{"old":"inventory_assigned","new":"on_hold"}}',
		'shipment_inventory_assigned {"shipment_id":7,"shipment_status":{"old":"on_hold","new":"inventory_assigned"},"carrier":{"old":"Post"}}'],
		'{"status":"created","returns":[],"payments":[],"shipments":[{"shipment_id":7,"status":"inventory_assigned","items":[{"line_no":1,"quantity":2}]}]}'),
	('two shipments, by id', ARRAY['shipment_inventory_assigned {"shipment_id":10,"shipment_status":{"new":"inventory_assigned"},"items":[{"line_no":1,"quantity":2}]}',
		'shipment_inventory_assigned {"shipment_id":9,"shipment_status":{"new":"inventory_assigned"},"items":[{"line_no":1,"quantity":1}]}',
		'shipment_cancelled {"shipment_id":10,"shipment_status":{"old":"inventory_assigned","new":"canceled"}}'],
		'{"status":"created","returns":[],"payments":[],"shipments":[{"shipment_id":9,"status":"inventory_assigned","items":[{"line_no":1,"quantity":1}]},
		{"shipment_id":10,"status":"canceled","items":[{"line_no":1,"quantity":2}]}]}'),
	('payments', ARRAY['adding_payment {"payment_id":3,"transaction_type":"sale","method":"card","amount":50,"payment_status":{"new":"pending"}}',
		'payment_processed {"payment_id":3,"payment_status":{"old":"pending","new":"processed"}}',
		'order_paid {"status":{"old":"created","new":"paid"}}',
		'creating_refund {"payment_id":4,"transaction_type":"credit","amount":5,"payment_status":{"new":"processed"},"return_id":8}',
		'payment_failed {"payment_id":9,"payment_status":{"old":"pending","new":"failed"}}'],
		'{"status":"paid","returns":[],"shipments":[],"payments":[{"payment_id":3,"transaction_type":"sale","method":"card","amount":50,"status":"processed"},
		{"payment_id":4,"transaction_type":"credit","amount":5,"status":"processed","return_id":8},{"payment_id":9,"status":"failed"}]}'),
	('a return', ARRAY['return_created {"return_id":8,"return_status":{"new":"awaiting_stock_return"},"items":[{"line_no":1,"quantity":2},{"line_no":2,"quantity":1}],"exchange_order_id":77}',
		'return_receipt_items {"return_id":8,"items":[{"line_no":1,"quantity":1}]}',
		'return_receipt_items {"return_id":8,"return_status":{"old":"awaiting_stock_return","new":"awaiting_completion"},"items":[{"line_no":1,"quantity":1},{"line_no":2,"quantity":1}]}',
		'return_completed {"return_id":8,"return_status":{"old":"awaiting_completion","new":"complete"},"refund_amount":20}',
		'return_created {"return_id":9,"return_status":{"new":"awaiting_stock_return"},"items":[{"line_no":1,"quantity":1}]}',
		'return_canceled {"return_id":9,"return_status":{"old":"awaiting_stock_return","new":"canceled"}}'],
		'{"status":"created","payments":[],"shipments":[],"returns":[{"return_id":8,"status":"complete","exchange_order_id":77,"refund_amount":20,
		"items":[{"line_no":1,"quantity":2,"received_quantity":2},{"line_no":2,"quantity":1,"received_quantity":1}]},
		{"return_id":9,"status":"canceled","items":[{"line_no":1,"quantity":1,"received_quantity":0}]}]}'),
	('a manual discount', ARRAY['promotion_manual_discount {"manual_discount_amount":{"old":0,"new":5},"discount_amount":{"old":0,"new":5}}'],
		'{"status":"created","payments":[],"shipments":[],"returns":[]}'),
	('what was refused', ARRAY['transition_refused {"refused":{"entity":"order","from":"created","to":"completed"},"status":{"new":"completed"}}',
		'transition_refused {"shipment_id":7,"refused":{"entity":"shipment","from":"shipped","to":"packing"},"shipment_status":{"new":"packing"}}'],
		'{"status":"created","payments":[],"shipments":[],"returns":[]}'),
	('what has not begun', ARRAY['shipment_updated {"shipment_id":7,"carrier":{"new":"Post"}}', 'return_receipt_items {"return_id":8,"items":[{"line_no":1,"quantity":1}]}',
		'issued_reward_used {"issued_reward_id":5,"delivery_status":{"old":null,"new":"ordered"}}'],
		'{"status":"created","payments":[],"shipments":[],"returns":[]}')
  ) AS c (label, notes, wanted);
SELECT is(c.field || ' ' || c.old_value || ' ' || c.new_value, wanted, wanted) FROM (VALUES
	(1, 'discount_amount 0 5'), (2, 'total_amount 53 48')) AS w (ordinality, wanted)
  JOIN (SELECT n.order_id, a.created_at FROM ordertrack.order_notes AS n JOIN ordertrack.order_notes AS a ON a.order_id = n.order_id AND a.note_no = 1
	WHERE n.event_type = 'promotion_manual_discount' AND n.author = 'me') AS n ON true
 CROSS JOIN LATERAL ordertrack.order_changes(n.order_id, n.created_at) WITH ORDINALITY AS c WHERE c.ordinality = w.ordinality;
SELECT is((SELECT array_agg(concat_ws('|', c.field, c.old_value, c.new_value, c.note_no) ORDER BY c.ordinality)
	FROM ordertrack.order_changes(n.order_id, (SELECT created_at FROM ordertrack.order_notes AS b WHERE b.order_id = n.order_id AND b.note_no = 1))
		WITH ORDINALITY AS c),
	'{returns[8].exchange_order_id|77|2,returns[8].refund_amount|20|5,"returns[8].status|\"complete\"|5",returns[8].items[1].quantity|2|2,
	returns[8].items[1].received_quantity|2|4,returns[8].items[2].quantity|1|2,returns[8].items[2].received_quantity|1|4,
	"returns[9].status|\"canceled\"|7",returns[9].items[1].quantity|1|6,returns[9].items[1].received_quantity|0|6}', 'changes of a return')
  FROM ordertrack.order_notes AS n WHERE n.event_type = 'return_completed' AND n.author = 'me';

-- ---- arguments, other sessions' settings, parallel workers ----
SELECT throws_ok('SELECT ordertrack.' || call, code, NULL, call) FROM (VALUES
	('order_as_of(NULL)', 'OT005'), ('order_as_of(-1)', 'OT001'), ('order_as_of(9223372036854775807)', 'OT001'),
	('order_as_of(-1, ''2000-01-01'')', 'OT001'), ('order_as_of(1, NULL, NULL)', 'OT005'), ('order_as_of(1, NULL, -1)', 'OT002'),
	('order_changes(NULL)', 'OT005'), ('order_changes(-1)', 'OT001'), ('order_changes(1, NULL, NULL, NULL)', 'OT005'),
	('order_changes(1, NULL, NULL, -1)', 'OT002'), ('order_changes(1, ''2001-01-01'', ''2000-01-01'')', 'OT005'),
	('order_changes(1, ''infinity'', ''2000-01-01'')', 'OT005'), ('order_changes(1, NULL, NULL, (SELECT max(workspace_id) FROM ordertrack.workspaces) + 1)', 'OT002')
  ) AS c (call, code);
SELECT is((SELECT count(*) FROM ordertrack.order_changes(:busy, 'infinity', NULL)), 0::bigint, 'nothing after all time');
SELECT is((SELECT count(*) FROM ordertrack.order_changes(:busy, NULL, '-infinity')), 0::bigint, 'nothing before all time');
SELECT is(ordertrack.order_as_of(:busy, NULL), pg_temp.shown(:busy), 'NULL is now');
SELECT is(ordertrack.order_as_of(:busy, :'first_seen') -> 'note_no', m.document -> 'note_no', 'as it was first') FROM moments AS m
 WHERE m.order_id = :busy ORDER BY m.n LIMIT 1;

INSERT INTO ordertrack.orders (workspace_id, source_id, status) VALUES (1, 'raw', 'paid') RETURNING order_id AS raw
\gset
SELECT is(ordertrack.order_as_of(:raw), NULL, 'an order inserted raw has no history');
SELECT ordertrack.set_order_status(:raw, 'completed')
\g /dev/null
SELECT is(ordertrack.order_as_of(:raw), NULL, 'nor has it a beginning later');
SELECT is((SELECT count(*) FROM ordertrack.order_changes(:raw)), 0::bigint, 'or changes');

-- Moves are an operator's, and so are the names of their events.
INSERT INTO ordertrack.status_transitions (workspace_id, entity, from_status, to_status, event_type)
VALUES (1, 'order', 'awaiting_exchange', 'created', 'order_created');
SELECT ordertrack.create_order('{"status":"awaiting_exchange","items":[{"sku":"a","quantity":2,"price":5}],"data_source":"shop"}') AS again
\gset
SELECT ordertrack.set_order_status(:again, 'created')
\g /dev/null
SELECT is(ordertrack.order_as_of(:again), pg_temp.shown(:again), 'an order begins but once');
SELECT is_empty(format('SELECT * FROM ordertrack.verify_order(%s)', :again), 'which is no fault of it');

CREATE SCHEMA hostile;
CREATE FUNCTION hostile.equals(bigint, bigint) RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE OPERATOR hostile.= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = hostile.equals);
CREATE FUNCTION hostile.jsonb_build_object(VARIADIC "any") RETURNS jsonb LANGUAGE internal IMMUTABLE AS 'jsonb_build_array';
SELECT a::text AS plain_document, (SELECT string_agg(c::text, ';') FROM ordertrack.order_changes(:busy, :'first_seen') AS c) AS plain_changes
  FROM ordertrack.order_as_of(:busy) AS a
\gset
DISCARD PLANS;
SET LOCAL search_path = hostile, pg_catalog;
SELECT a::text AS odd_document, (SELECT pg_catalog.string_agg(c::text, ';') FROM ordertrack.order_changes(:busy, :'first_seen') AS c) AS odd_changes,
	(SELECT pg_catalog.count(*) FROM ordertrack.verify_order(:busy)) AS odd_findings
  FROM ordertrack.order_as_of(:busy) AS a
\gset
RESET search_path;
SET LOCAL force_parallel_mode = on;
SELECT a::text AS parallel_document FROM ordertrack.order_as_of(:busy) AS a
\gset
SELECT string_agg(c::text, ';') AS parallel_changes FROM ordertrack.order_changes(:busy, :'first_seen') AS c
\gset
SET LOCAL force_parallel_mode = off;
SELECT is(:'odd_document'::text, :'plain_document', 'order_as_of under a hostile search_path');
SELECT is(:'odd_changes'::text, :'plain_changes', 'order_changes under a hostile search_path');
SELECT is(:'odd_findings'::text, '0', 'verify_order under a hostile search_path');
SELECT is(:'parallel_document'::text, :'plain_document', 'order_as_of in a parallel worker');
SELECT is(:'parallel_changes'::text, :'plain_changes', 'order_changes in a parallel worker');

-- ---- notes that say what no note of ours says: never an error ----
CREATE TEMP TABLE garbage AS SELECT row_number() OVER () AS n, g::jsonb AS g FROM unnest(ARRAY['null', '{}', '[]', '""', '"x"', 'true', '0', '1', '-1', '1.5',
	'1e400', '-1e400', '9223372036854775807', '-9223372036854775808', '9223372036854775808', '[[]]', '[1,"x",null,{},[]]', '{"old":1,"new":2}', '{"new":"on_hold"}',
	'{"new":"on_hold","old":{}}', '{"new":{}}', '{"new":[]}', '{"new":9223372036854775807}', '{"old":[{"quantity":1}],"new":[{"quantity":2},7,{"quantity":"x"}]}',
	'[{"line_no":0,"quantity":5}]', '[{"line_no":-3,"quantity":5}]', '[{"line_no":1,"quantity":9223372036854775807,"amount":9223372036854775807,"discount_amount":-9223372036854775808}]',
	'[{"line_no":1,"quantity":-9223372036854775808}]', '[{"line_no":2147483648,"quantity":1}]', '[{"line_no":9223372036854775807,"quantity":1,"sku":"x"}]', '[{"line_no":1},{"line_no":1,"quantity":1},{"line_no":1,"quantity":-1}]']) AS g;
CREATE FUNCTION pg_temp.some_garbage() RETURNS jsonb LANGUAGE sql AS
	$$ SELECT CASE WHEN pg_temp.dice(6) = 1 THEN jsonb_build_object('new', g) ELSE g END FROM garbage ORDER BY random() LIMIT 1 $$;
CREATE FUNCTION pg_temp.tampered(before jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	keys CONSTANT text[] := '{status,items,amount,order_amount,discount_amount,data_source,value_in_points,customer_id,shipment_id,shipment_status,carrier,tracking_number,
		payment_id,payment_status,transaction_type,method,return_id,return_status,refund_amount,exchange_order_id}';
	key CONSTANT text := keys[pg_temp.dice(cardinality(keys))];
BEGIN
	RETURN CASE pg_temp.dice(8)
		WHEN 1 THEN pg_temp.some_garbage()
		WHEN 2 THEN NULL
		WHEN 3 THEN CASE WHEN jsonb_typeof(before) = 'object' THEN before - key ELSE before END
		WHEN 4 THEN jsonb_set(coalesce(before, '{}'), ARRAY['items', (pg_temp.dice(3) - 1)::text, pg_temp.pick('line_no', 'quantity', 'amount', 'discount_amount', 'sku')],
			pg_temp.some_garbage())
		WHEN 5 THEN jsonb_build_object(pg_temp.pick('shipment_id', 'payment_id', 'return_id'), pg_temp.dice(3), key, pg_temp.some_garbage(),
			pg_temp.pick('shipment_status', 'payment_status', 'return_status'), '{"old":"packing","new":"on_hold"}'::jsonb, 'items', pg_temp.some_garbage())
		ELSE CASE WHEN jsonb_typeof(before) = 'object' THEN before ELSE '{}' END || jsonb_build_object(key, pg_temp.some_garbage()) END;
EXCEPTION WHEN invalid_parameter_value OR invalid_text_representation THEN
	RETURN before;
END
$$;
CREATE TEMP TABLE outcomes (document jsonb, changes bigint, findings bigint);
CREATE FUNCTION pg_temp.vandalize(rounds int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	victim record;
BEGIN
	FOR i IN 1 .. rounds LOOP
		SELECT n.order_id, n.note_no, n.data INTO victim FROM ordertrack.order_notes AS n ORDER BY random() LIMIT 1;
		UPDATE ordertrack.order_notes SET data = pg_temp.tampered(data), event_type = CASE pg_temp.dice(10) WHEN 1 THEN 'order_created'
			WHEN 2 THEN 'lines_changed' WHEN 3 THEN 'none' ELSE event_type END, note_type = CASE pg_temp.dice(30) WHEN 1 THEN 'custom' ELSE note_type END
		 WHERE order_id = victim.order_id AND note_no BETWEEN victim.note_no AND victim.note_no + pg_temp.dice(3);
		INSERT INTO outcomes SELECT ordertrack.order_as_of(victim.order_id), (SELECT count(*) FROM ordertrack.order_changes(victim.order_id)),
			(SELECT count(*) FROM ordertrack.verify_order(victim.order_id));
	END LOOP;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLERRM || ' of ' || victim::text;
END
$$;
ALTER TABLE ordertrack.order_notes DISABLE TRIGGER USER;
SELECT is(pg_temp.vandalize(800), 'no error', 'tampered notes are no error');
SELECT cmp_ok((SELECT count(*) FROM outcomes WHERE document -> 'shipments' <> '[]'), '>', 10::bigint, 'some told of shipments');
SELECT cmp_ok((SELECT count(*) FROM outcomes WHERE document IS NULL), '>', 0::bigint, 'some of nothing');
SELECT is_empty('SELECT * FROM outcomes WHERE findings = 0', 'and each was found');
SELECT is_empty($$SELECT document FROM outcomes WHERE NOT document ?& '{order_id,note_no,items,shipments,payments,returns}'$$, 'documents keep their shape');
-- Numbers that no order has: also the first, and one out of its place.
UPDATE ordertrack.order_notes SET note_no = -2147483648 WHERE order_id = :busy AND note_no = 2;
UPDATE ordertrack.order_notes SET note_no = 2147483647 WHERE order_id = :busy AND note_no = 3;
SELECT lives_ok(format('SELECT ordertrack.order_as_of(%1$s), ordertrack.order_changes(%1$s), ordertrack.verify_order(%1$s)', :busy), 'numbers beyond all reason');
DELETE FROM ordertrack.order_notes WHERE order_id = :busy;
SELECT is(ordertrack.order_as_of(:busy), NULL, 'without notes there is nothing');

SELECT * FROM finish();
ROLLBACK;

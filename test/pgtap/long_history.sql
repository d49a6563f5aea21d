-- A long history of many lines is read note by note: what it takes to tell of an
-- order does not grow with the notes. Linux tells how much memory that was.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT * FROM no_plan();

CREATE FUNCTION pg_temp.lines(quantity int) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('items', jsonb_agg(jsonb_build_object('product_id', 'product ' || i, 'sku', 'sku ' || i,
		'name', 'thing ' || i, 'color', 'red', 'size', 'XL', 'quantity', quantity, 'price', 100))) FROM generate_series(1, 500) AS i
$$;
-- The most memory that this session had, in kB.
CREATE FUNCTION pg_temp.peak() RETURNS bigint LANGUAGE sql AS
	$$ SELECT substring(pg_read_file('/proc/self/status') FROM 'VmHWM:\s*(\d+)')::bigint $$;

SELECT ordertrack.create_order(pg_temp.lines(1)) AS id
\gset
SELECT count(ordertrack.update_order(:id, pg_temp.lines(n))) FROM generate_series(2, 150) AS n
\g /dev/null
SELECT is(ordertrack.order_as_of(:id, '-infinity'), NULL, 'A first look takes what every call takes.');
SELECT is_empty('SELECT * FROM ordertrack.order_changes((SELECT min(order_id) FROM ordertrack.orders), NULL, ''-infinity'')', 'Likewise.');
SELECT pg_temp.peak() AS peak
\gset
SELECT is((SELECT count(*) FROM jsonb_array_elements(ordertrack.order_as_of(:id) -> 'items') AS i WHERE i ->> 'quantity' = '150'),
	500::bigint, 'All lines are as the last note says.');
SELECT cmp_ok(pg_temp.peak() - :peak, '<', 20000::bigint, 'order_as_of takes little memory');
SELECT is((SELECT count(*) FROM ordertrack.order_changes(:id) WHERE field LIKE '%quantity' AND note_no = 150), 500::bigint, 'Each has changed by it.');
SELECT cmp_ok(pg_temp.peak() - :peak, '<', 20000::bigint, 'order_changes takes little memory');
SELECT is_empty(format('SELECT * FROM ordertrack.verify_order(%s)', :id), 'The history is whole.');
SELECT cmp_ok(pg_temp.peak() - :peak, '<', 20000::bigint, 'verify_order takes little memory');

SELECT * FROM finish();
ROLLBACK;

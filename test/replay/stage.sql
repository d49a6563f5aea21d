-- Reads the CSV files of Olist's layout (psql variable "folder") and works out
-- what is to be ordered, paid and moved, and when.
\set QUIET on
\pset pager off
\pset footer off
SET client_min_messages = warning;

CREATE EXTENSION ordertrack;
SELECT ordertrack.setup() \g /dev/null
CREATE ROLE ordertrack_replay;
CREATE ROLE ordertrack_replay_auditor;
SELECT ordertrack.grant_access('app', 'ordertrack_replay'),
	ordertrack.grant_access('admin', 'ordertrack_replay'),
	ordertrack.grant_access('auditor', 'ordertrack_replay_auditor') \g /dev/null

-- From here on we are what an application is: a role that may call functions.
SET ROLE ordertrack_replay;

CREATE TEMP TABLE olist_orders (
	order_id text PRIMARY KEY, customer_id text, order_status text, purchased_at timestamp,
	approved_at timestamp, carrier_at timestamp, delivered_at timestamp, estimated_at timestamp);
CREATE TEMP TABLE olist_items (
	order_id text, order_item_id integer, product_id text, seller_id text,
	shipping_limit_at timestamp, price numeric, freight_value numeric);
CREATE TEMP TABLE olist_payments (
	order_id text, payment_no integer, payment_type text, installments integer, value numeric);
CREATE TEMP TABLE olist_customers (
	customer_id text PRIMARY KEY, customer_unique_id text, zip text, city text, state text);
CREATE TEMP TABLE olist_products (
	product_id text PRIMARY KEY, category text, name_length integer, description_length integer,
	photos integer, weight_g integer, length_cm integer, height_cm integer, width_cm integer);

\cd :folder
\copy olist_orders FROM 'orders.csv' (FORMAT csv, HEADER)
\copy olist_items FROM 'order_items.csv' (FORMAT csv, HEADER)
\copy olist_payments FROM 'order_payments.csv' (FORMAT csv, HEADER)
\copy olist_customers FROM 'customers.csv' (FORMAT csv, HEADER)
\copy olist_products FROM 'products.csv' (FORMAT csv, HEADER)
CREATE INDEX ON olist_items (order_id);
CREATE INDEX ON olist_payments (order_id);
ANALYZE olist_orders, olist_items, olist_payments, olist_customers, olist_products;

-- A piece is a row in Olist's file; equal pieces are one line with a quantity.
CREATE TEMP TABLE new_lines AS
SELECT i.order_id, i.product_id, i.seller_id, p.category, round(i.price * 100)::bigint AS price,
	count(*) AS quantity, round(sum(i.freight_value) * 100)::bigint AS freight
  FROM olist_items AS i
  LEFT JOIN olist_products AS p USING (product_id)
 GROUP BY i.order_id, i.product_id, i.seller_id, p.category, i.price;

-- Freight is in what was paid and in no line. So an order is given the sum of its
-- payments as its amount, where that is more than its lines come to; otherwise no
-- amount is given and its lines decide, and where it has none either, it is 0.
CREATE TEMP TABLE new_orders AS
SELECT o.order_id, c.customer_unique_id AS person,
	jsonb_build_object('zip', c.zip, 'city', c.city, 'state', c.state) AS address,
	greatest(paid.amount, lines.amount, 0) AS amount,
	jsonb_strip_nulls(jsonb_build_object(
		'source_id', o.order_id,
		'data_source', 'olist',
		'amount', CASE WHEN lines.amount IS NULL OR paid.amount > lines.amount
			THEN coalesce(paid.amount, 0) END,
		'items', lines.items,
		'shipping_address', jsonb_build_object('zip', c.zip, 'city', c.city, 'state', c.state),
		'metadata', jsonb_build_object('status', o.order_status, 'purchased_at', o.purchased_at,
			'estimated_at', o.estimated_at, 'payments', paid.payments))) AS order_data
  FROM olist_orders AS o
  LEFT JOIN olist_customers AS c USING (customer_id)
  LEFT JOIN (
	SELECT order_id, sum(price * quantity)::bigint AS amount,
		jsonb_agg(jsonb_build_object('product_id', product_id, 'name', category,
			'quantity', quantity, 'price', price,
			'metadata', jsonb_build_object('seller_id', seller_id, 'freight', freight))
			ORDER BY product_id, seller_id, price) AS items
	  FROM new_lines GROUP BY order_id) AS lines USING (order_id)
  LEFT JOIN (
	SELECT order_id, round(sum(value) * 100)::bigint AS amount,
		jsonb_agg(jsonb_build_object('type', payment_type, 'installments', installments)
			ORDER BY payment_no) AS payments
	  FROM olist_payments GROUP BY order_id) AS paid USING (order_id);
ALTER TABLE new_orders ADD PRIMARY KEY (order_id);

-- What happened, in the order of its time. Nothing is put right: an order that was
-- handed to the carrier before its payment was approved asks for moves that are
-- refused. Payments have no time of their own: they are made with the order, by gift
-- card at once, otherwise pending until the order is approved. Olist does not tell when
-- an order was canceled, so that comes last.
CREATE TEMP TABLE events AS
SELECT o.order_id, greatest(e.at, o.purchased_at) AS at, e.step, e.what, e.payment_no, e.method, e.amount
  FROM olist_orders AS o
 CROSS JOIN LATERAL (
	SELECT o.purchased_at, 1, 'order', NULL::integer, NULL::text, NULL::bigint
	UNION ALL
	SELECT o.purchased_at, 2, CASE p.payment_type WHEN 'voucher' THEN 'gift card' ELSE 'payment' END,
		p.payment_no, p.payment_type, round(p.value * 100)::bigint
	  FROM olist_payments AS p WHERE p.order_id = o.order_id
	UNION ALL
	SELECT o.approved_at, 3, 'approved', NULL, NULL, NULL
	UNION ALL
	SELECT o.carrier_at, 4, 'shipped', NULL, NULL, NULL
	UNION ALL
	SELECT o.delivered_at, 5, 'delivered', NULL, NULL, NULL
	UNION ALL
	SELECT greatest(o.purchased_at, o.approved_at, o.carrier_at, o.delivered_at), 6, 'canceled', NULL, NULL, NULL
	 WHERE o.order_status IN ('canceled', 'unavailable')
  ) AS e (at, step, what, payment_no, method, amount)
 WHERE e.at IS NOT NULL;

-- What must come of it, by a plain look at the files: an order is shipped where it was
-- approved before, delivered where it was shipped before, and canceled where it was not
-- shipped, because then it is complete. It has as many shipments as sellers.
CREATE TEMP TABLE plain AS
SELECT f.*, f.has_delivery AND NOT (f.is_shipped AND f.delivered_at >= f.carrier_at) AS delivery_is_refused,
	f.has_delivery AND f.is_shipped AND f.delivered_at >= f.carrier_at AS is_delivered,
	f.has_cancellation AND f.is_shipped AS cancellation_is_refused,
	CASE WHEN f.has_cancellation AND NOT f.is_shipped THEN 'canceled'
		WHEN f.is_shipped THEN 'completed'
		WHEN f.is_approved AND f.paid > 0 OR f.by_gift_card > 0 THEN 'paid'
		ELSE 'created' END AS status
  FROM (
	SELECT o.order_id, i.sellers, o.approved_at IS NOT NULL AS is_approved,
		greatest(o.carrier_at, o.purchased_at) AS carrier_at, greatest(o.delivered_at, o.purchased_at) AS delivered_at,
		i.sellers > 0 AND o.carrier_at IS NOT NULL
			AND greatest(o.carrier_at, o.purchased_at) >= greatest(o.approved_at, o.purchased_at)
			AND o.approved_at IS NOT NULL AS is_shipped,
		i.sellers > 0 AND o.carrier_at IS NOT NULL
			AND (o.approved_at IS NULL
				OR greatest(o.carrier_at, o.purchased_at) < greatest(o.approved_at, o.purchased_at)) AS shipping_is_refused,
		i.sellers > 0 AND o.delivered_at IS NOT NULL AS has_delivery,
		o.order_status IN ('canceled', 'unavailable') AS has_cancellation,
		p.paid, p.by_gift_card
	  FROM olist_orders AS o
	 CROSS JOIN LATERAL (SELECT count(DISTINCT i.seller_id) AS sellers FROM olist_items AS i WHERE i.order_id = o.order_id) AS i
	 CROSS JOIN LATERAL (
		SELECT coalesce(sum(p.value), 0) AS paid,
			coalesce(sum(p.value) FILTER (WHERE p.payment_type = 'voucher'), 0) AS by_gift_card
		  FROM olist_payments AS p WHERE p.order_id = o.order_id) AS p) AS f;
ANALYZE new_orders, events, plain;

-- Prints how fast it went and what came of it, then checks it; an error at the end,
-- and so another exit status than 0, if a check failed.

\echo == Calls
SELECT function, calls FROM pg_temp.calls
UNION ALL
SELECT 'all', sum(calls) FROM pg_temp.calls;
SELECT format('%s orders in %s s: %s orders, %s calls per second (fsync %s, synchronous_commit %s)',
	o.count, round(s.seconds, 1), round(o.count / s.seconds), round(c.sum / s.seconds),
	current_setting('fsync'), current_setting('synchronous_commit')) AS speed
  FROM (SELECT count(*) FROM olist_orders) AS o, (SELECT sum(calls) FROM pg_temp.calls) AS c,
	(SELECT extract(epoch FROM :'ended'::timestamptz - :'started'::timestamptz)) AS s (seconds) \gset

\echo == Orders
SELECT status, count(*) AS orders, sum(amount) AS amount, sum(discount_amount) AS gift_credits,
	sum(total_amount) AS to_pay
  FROM ordertrack.order_list GROUP BY status ORDER BY orders DESC;
\echo == Attempts
SELECT kind, state, failure_code, count(*) AS attempts, sum(amount) AS amount
  FROM ordertrack.redemption_list GROUP BY kind, state, failure_code ORDER BY attempts DESC;
\echo == Payments
SELECT method, status, count(*) AS payments, sum(amount) AS amount
  FROM ordertrack.payment_list GROUP BY method, status ORDER BY payments DESC;
\echo == Shipments
SELECT status, count(*) AS shipments FROM ordertrack.shipment_list GROUP BY status ORDER BY shipments DESC;

-- Where a plain look at the files says that something must be refused.
CREATE TEMP TABLE places AS
SELECT order_id AS source_id, 'shipment' AS what, 'nothing to ship: the order has no lines' AS why FROM plain WHERE sellers = 0
UNION ALL
SELECT order_id, 'payment', 'a payment of 0' FROM events WHERE what = 'payment' AND amount <= 0
UNION ALL
SELECT order_id, 'shipped', 'handed over before it was approved' FROM plain WHERE shipping_is_refused
UNION ALL
SELECT order_id, 'delivered', 'delivered before it was shipped' FROM plain WHERE delivery_is_refused
UNION ALL
SELECT order_id, 'canceled', 'canceled after it was shipped' FROM plain WHERE cancellation_is_refused;
\echo == Refusals, by a plain look at the files and by ordertrack
SELECT what, why, count(*) AS by_the_files, count(r.what) AS by_ordertrack
  FROM places AS p
  LEFT JOIN (SELECT DISTINCT source_id, what FROM refusals) AS r USING (source_id, what)
 GROUP BY what, why ORDER BY by_the_files DESC;

-- An auditor verifies and exports; what was exported is read back as CSV.
SET ROLE ordertrack_replay_auditor;
SELECT clock_timestamp() AS verifying \gset
SELECT count(f.problem) AS problems
  FROM ordertrack.order_list AS o, ordertrack.verify_order(o.order_id) AS f \gset
SELECT round(extract(epoch FROM clock_timestamp() - :'verifying')::numeric, 1) AS seconds \gset
\echo == Verifying every history took :seconds s '\n'
\cd :exports
COPY (SELECT * FROM ordertrack.export_orders) TO STDOUT WITH (FORMAT csv, HEADER) \g orders.csv
COPY (SELECT * FROM ordertrack.export_order_items) TO STDOUT WITH (FORMAT csv, HEADER) \g items.csv
COPY (SELECT * FROM ordertrack.export_redemptions) TO STDOUT WITH (FORMAT csv, HEADER) \g redemptions.csv
COPY (SELECT * FROM ordertrack.export_order_notes) TO STDOUT WITH (FORMAT csv, HEADER) \g notes.csv
RESET ROLE;
CREATE TEMP TABLE csv_orders (LIKE ordertrack.export_orders);
CREATE TEMP TABLE csv_items (LIKE ordertrack.export_order_items);
CREATE TEMP TABLE csv_redemptions (LIKE ordertrack.export_redemptions);
CREATE TEMP TABLE csv_notes (LIKE ordertrack.export_order_notes);
\copy csv_orders FROM 'orders.csv' (FORMAT csv, HEADER match)
\copy csv_items FROM 'items.csv' (FORMAT csv, HEADER match)
\copy csv_redemptions FROM 'redemptions.csv' (FORMAT csv, HEADER match)
\copy csv_notes FROM 'notes.csv' (FORMAT csv, HEADER match)

CREATE TEMP TABLE checks (
	check_no integer GENERATED ALWAYS AS IDENTITY, name text, wanted numeric, found numeric);

INSERT INTO checks (name, wanted, found)
SELECT 'orders', (SELECT count(*) FROM olist_orders), (SELECT count(*) FROM ordertrack.orders)
UNION ALL
SELECT 'orders of the file that are there with their amount and person', (SELECT count(*) FROM olist_orders),
	(SELECT count(*) FROM new_orders AS n JOIN placed AS p ON p.source_id = n.order_id
	   JOIN ordertrack.order_list AS o ON o.source_id = n.order_id AND o.order_id = p.order_id
	    AND o.amount = n.amount AND o.customer = n.person)
UNION ALL
SELECT 'pieces', (SELECT count(*) FROM olist_items), (SELECT sum(quantity) FROM ordertrack.order_items)
UNION ALL
SELECT 'customers', (SELECT count(DISTINCT person) FROM new_orders), (SELECT count(*) FROM ordertrack.customers)
UNION ALL
SELECT 'customers whose sums are not those of their orders', 0, count(*)
  FROM ordertrack.customers AS c
  LEFT JOIN (
	SELECT customer_id, count(*) AS orders, sum(total_amount) AS total, max(created_at) AS newest
	  FROM ordertrack.orders WHERE status NOT IN ('created', 'canceled') GROUP BY customer_id
	) AS o USING (customer_id)
 WHERE (c.order_count, c.order_total) <> (coalesce(o.orders, 0), coalesce(o.total, 0))
    OR c.last_order_at IS DISTINCT FROM o.newest
UNION ALL
SELECT 'orders whose status is what the files say', (SELECT count(*) FROM olist_orders), count(*)
  FROM plain AS f JOIN ordertrack.orders AS o ON o.source_id = f.order_id AND o.status = f.status
UNION ALL
SELECT 'places that must be refused', (SELECT count(*) FROM places), (SELECT count(*) FROM refusals)
UNION ALL
SELECT 'places that must be refused and were not, or the other way round', 0,
	(SELECT count(*) FROM (SELECT source_id, what FROM places EXCEPT ALL SELECT source_id, what FROM refusals) AS a)
	+ (SELECT count(*) FROM (SELECT source_id, what FROM refusals EXCEPT ALL SELECT source_id, what FROM places) AS b)
UNION ALL
SELECT 'refused moves that the histories tell of', (SELECT sum(f.sellers) FROM refusals AS r JOIN plain AS f ON f.order_id = r.source_id WHERE what IN ('shipped', 'delivered')),
	(SELECT count(*) FROM ordertrack.order_notes WHERE event_type = 'transition_refused');

INSERT INTO checks (name, wanted, found)
SELECT 'payments', (SELECT count(*) FROM events WHERE what = 'payment' AND amount > 0), (SELECT count(*) FROM ordertrack.payments)
UNION ALL
SELECT 'what was paid', (SELECT sum(e.amount) FROM events AS e JOIN plain AS f USING (order_id) WHERE e.what = 'payment' AND f.is_approved),
	(SELECT sum(paid_amount) FROM ordertrack.order_list)
UNION ALL
SELECT 'orders paid in more than 20 parts', (SELECT count(*) FROM (SELECT FROM olist_payments GROUP BY order_id HAVING count(*) > 20) AS m),
	(SELECT count(*) FROM ordertrack.orders AS o WHERE 20 < (SELECT count(*) FROM ordertrack.order_notes AS n
		WHERE n.order_id = o.order_id AND n.event_type IN ('promotion_add_coupon', 'adding_payment')))
UNION ALL
SELECT 'approved orders that are not paid in full', 0, (SELECT count(*) FROM plain AS f JOIN ordertrack.order_list AS o ON o.source_id = f.order_id
	WHERE f.is_approved AND o.status <> 'canceled' AND o.paid_amount <> o.total_amount)
UNION ALL
SELECT 'shipments', (SELECT sum(sellers) FROM plain), (SELECT count(*) FROM ordertrack.shipments)
UNION ALL
SELECT 'shipments that were shipped', (SELECT sum(sellers) FROM plain WHERE is_shipped),
	(SELECT count(*) FROM ordertrack.shipments WHERE shipped_at IS NOT NULL)
UNION ALL
SELECT 'shipments that were delivered', (SELECT sum(sellers) FROM plain WHERE is_delivered),
	(SELECT count(*) FROM ordertrack.shipments WHERE status = 'delivered')
UNION ALL
SELECT 'units in shipments that were not canceled', (SELECT count(*) FROM olist_items JOIN plain USING (order_id) WHERE status <> 'canceled'),
	(SELECT sum(i.quantity) FROM ordertrack.shipment_items AS i JOIN ordertrack.shipments AS s USING (workspace_id, shipment_id) WHERE s.status <> 'canceled');

INSERT INTO checks (name, wanted, found)
SELECT 'gift cards', (SELECT count(*) FROM cards WHERE NOT is_refused), (SELECT count(*) FROM ordertrack.vouchers)
UNION ALL
SELECT 'payments of 0, for which there is no card', (SELECT count(*) FROM events WHERE what = 'gift card' AND amount <= 0),
	(SELECT count(*) FROM cards WHERE is_refused)
UNION ALL
SELECT 'cards whose balance is not credited - redeemed + given back', 0, count(*)
  FROM cards AS c
  LEFT JOIN ordertrack.vouchers AS v USING (code)
 WHERE NOT c.is_refused AND v.gift_balance IS DISTINCT FROM c.amount
	- (SELECT coalesce(sum(r.amount), 0) FROM ordertrack.redemptions AS r
	    WHERE r.voucher_id = v.voucher_id AND r.result = 'success')
UNION ALL
SELECT 'orders whose discount is not what was redeemed and not given back', 0, count(*)
  FROM ordertrack.orders AS o
 WHERE o.discount_amount <> (SELECT coalesce(sum(r.amount), 0) FROM ordertrack.redemptions AS r
	WHERE r.order_id = o.order_id AND r.result = 'success')
UNION ALL
SELECT 'attempts', (SELECT count(*) FROM attempts WHERE NOT replayed), (SELECT count(*) FROM ordertrack.redemptions)
UNION ALL
SELECT 'answers that are recorded as they were answered', (SELECT count(*) FROM attempts),
	(SELECT count(*) FROM attempts AS a JOIN ordertrack.redemptions AS r USING (redemption_id)
	  WHERE (a.result, a.failure_code, a.amount) IS NOT DISTINCT FROM (r.result, r.failure_code, r.amount))
UNION ALL
SELECT 'answers given again', (SELECT count(*) FROM cards WHERE NOT is_refused),
	(SELECT count(*) FROM attempts WHERE replayed)
UNION ALL
SELECT 'refusals', (SELECT count(*) FROM cards WHERE NOT is_refused),
	(SELECT count(*) FROM ordertrack.redemptions WHERE failure_code = 'gift_amount_exceeded');

INSERT INTO checks (name, wanted, found)
SELECT 'problems in the histories', 0, :problems
UNION ALL
SELECT 'notes', (SELECT sum(note_count) FROM ordertrack.orders), (SELECT count(*) FROM ordertrack.order_notes)
UNION ALL
SELECT 'notes of a change of status', -- paid; partially shipped, where there is more than one shipment; completed; canceled
	(SELECT sum((is_approved AND paid > 0 OR by_gift_card > 0)::integer + (is_shipped AND sellers > 1)::integer
		+ is_shipped::integer + (status = 'canceled')::integer) FROM plain),
	(SELECT count(*) FROM ordertrack.order_notes WHERE data -> 'status' ? 'new')
UNION ALL
SELECT 'orders whose past is what it was: order_as_of now is what the lists show', (SELECT count(*) FROM ordertrack.orders),
	(SELECT count(*) FROM ordertrack.order_list AS o, ordertrack.order_as_of(o.order_id) AS d
	  WHERE d ->> 'status' = o.status AND (d ->> 'total_amount')::bigint = o.total_amount)
UNION ALL
SELECT 'rows of exported orders', (SELECT count(*) FROM ordertrack.orders), (SELECT count(*) FROM csv_orders)
UNION ALL
SELECT 'rows of exported items', (SELECT count(*) FROM ordertrack.order_items), (SELECT count(*) FROM csv_items)
UNION ALL
SELECT 'rows of exported attempts', (SELECT count(*) FROM ordertrack.redemptions), (SELECT count(*) FROM csv_redemptions)
UNION ALL
SELECT 'rows of exported notes', (SELECT count(*) FROM ordertrack.order_notes), (SELECT count(*) FROM csv_notes)
UNION ALL
SELECT 'exported rows that are not what the views hold', 0,
	(SELECT count(*) FROM (SELECT * FROM csv_orders EXCEPT ALL SELECT * FROM ordertrack.export_orders) AS a)
	+ (SELECT count(*) FROM (SELECT * FROM csv_items EXCEPT ALL SELECT * FROM ordertrack.export_order_items) AS b)
	+ (SELECT count(*) FROM (SELECT * FROM csv_redemptions EXCEPT ALL SELECT * FROM ordertrack.export_redemptions) AS c)
	+ (SELECT count(*) FROM (SELECT * FROM csv_notes EXCEPT ALL SELECT * FROM ordertrack.export_order_notes) AS d);

\echo == Checks
\pset tuples_only
\pset format unaligned
SELECT CASE WHEN found IS NOT DISTINCT FROM wanted THEN format('ok %s - %s: %s', check_no, name, found)
	ELSE format('not ok %s - %s: wanted %s, found %s', check_no, name, wanted, found) END
  FROM checks ORDER BY check_no;
SELECT count(*) AS checks, count(*) FILTER (WHERE found IS DISTINCT FROM wanted) AS failed,
	count(*) FILTER (WHERE found IS DISTINCT FROM wanted) > 0 AS is_failed
  FROM checks \gset
\echo '\n'replay: :speed
\echo replay: :checks checks, :failed failed
\if :is_failed
	DO $$ BEGIN RAISE EXCEPTION 'replay failed'; END $$;
\endif

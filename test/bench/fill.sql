-- Fills the tables: one real redemption, multiplied, so that every row is what
-- redeem writes.
SET client_min_messages = warning;
CREATE EXTENSION ordertrack;
SELECT ordertrack.setup();

INSERT INTO ordertrack.customers (workspace_id, source_id)
SELECT 1, 'customer-' || n FROM generate_series(1, :customers) AS n ORDER BY n;
INSERT INTO ordertrack.vouchers (workspace_id, code, kind, discount)
SELECT 1, 'code-' || n, 'discount', '{"type": "percent", "percent_off": 10}'
  FROM generate_series(1, :customers) AS n ORDER BY n;
SELECT * FROM ordertrack.redeem('code-1', 'customer-1', :'order');

-- Only redeem may write history, so its guards stand aside for a moment.
ALTER TABLE ordertrack.orders DISABLE TRIGGER USER;
ALTER TABLE ordertrack.order_notes DISABLE TRIGGER USER;

CREATE TEMPORARY TABLE drawn AS
SELECT n AS id, 1 + floor(random() * :customers)::bigint AS customer, 1 + floor(random() * :customers)::bigint AS voucher,
	now() - interval '100 days' * (1 - n / :orders.0) AS created_at
  FROM generate_series(2, :orders) AS n;

INSERT INTO ordertrack.orders (workspace_id, order_id, status, customer_id, amount, discount_amount, total_amount,
	created_at, updated_at, paid_at, note_count, note_hash)
SELECT o.workspace_id, d.id, o.status, d.customer, o.amount, o.discount_amount, o.total_amount,
	d.created_at, d.created_at, d.created_at, o.note_count, o.note_hash
  FROM drawn AS d, ordertrack.orders AS o ORDER BY d.id;
INSERT INTO ordertrack.order_items (workspace_id, order_id, line_no, product_id, sku, name, quantity, price, amount, created_at)
SELECT i.workspace_id, d.id, i.line_no, i.product_id, i.sku, i.name, i.quantity, i.price, i.amount, d.created_at
  FROM drawn AS d, ordertrack.order_items AS i ORDER BY d.id, i.line_no;
INSERT INTO ordertrack.order_notes (workspace_id, order_id, note_no, note_type, event_type, author, data, created_at, hash)
SELECT n.workspace_id, d.id, n.note_no, n.note_type, n.event_type, n.author, n.data, d.created_at, n.hash
  FROM drawn AS d, ordertrack.order_notes AS n ORDER BY d.id, n.note_no;
INSERT INTO ordertrack.redemptions (workspace_id, redemption_id, kind, result, code, voucher_id, customer_id, customer,
	order_id, amount, discount_amount, total_amount, redeemed_by, created_at)
SELECT r.workspace_id, d.id, r.kind, r.result, 'code-' || d.voucher, d.voucher, d.customer, 'customer-' || d.customer,
	d.id, r.amount, r.discount_amount, r.total_amount, r.redeemed_by, d.created_at
  FROM drawn AS d, ordertrack.redemptions AS r ORDER BY d.id;
SELECT setval('ordertrack.orders_order_id_seq', :orders), setval('ordertrack.redemptions_redemption_id_seq', :orders);

SELECT ordertrack.setup();

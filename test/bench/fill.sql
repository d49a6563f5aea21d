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
INSERT INTO ordertrack.vouchers (workspace_id, code, kind, discount, redemption_limit, redeemed_count)
SELECT 1, 'limited-' || n, 'discount', '{"type": "percent", "percent_off": 10}', 1000000000, 0
  FROM generate_series(0, 32) AS n ORDER BY n;

-- As many codes with two rules: one on the order, and one that asks for a segment,
-- in which every customer is.
SELECT ordertrack.create_segment('private', '$.customer.order_count < 1000000'),
	ordertrack.create_rule('minimum', 'order', '$.order.amount >= 1000', 'The order is too small.'),
	ordertrack.create_rule('private', 'customer', '$.customer.segments[*] == "private"');
INSERT INTO ordertrack.vouchers (workspace_id, code, kind, discount, rule_count)
SELECT 1, 'ruled-' || n, 'discount', '{"type": "percent", "percent_off": 10}', 2
  FROM generate_series(1, :customers) AS n ORDER BY n;
INSERT INTO ordertrack.voucher_rules (workspace_id, voucher_id, rule_id)
SELECT 1, v.voucher_id, r.rule_id FROM ordertrack.vouchers AS v, ordertrack.rules AS r
 WHERE v.code LIKE 'ruled-%' ORDER BY v.voucher_id, r.rule_id;

SELECT * FROM ordertrack.redeem('code-1', 'customer-1', :'order');

-- Only redeem may write history, so its guards stand aside for a moment.
ALTER TABLE ordertrack.orders DISABLE TRIGGER USER;
ALTER TABLE ordertrack.order_notes DISABLE TRIGGER USER;

-- What differs from row to row; all other columns are those of the real one.
CREATE TEMPORARY TABLE drawn AS
SELECT n AS id, customer_id, voucher_id, 'customer-' || customer_id AS customer, 'code-' || voucher_id AS code,
	created_at, created_at AS updated_at, created_at AS paid_at, created_at AS noted_at
  FROM (SELECT n, 1 + floor(random() * :customers)::bigint AS customer_id,
			1 + floor(random() * :customers)::bigint AS voucher_id,
			now() - interval '100 days' * (1 - n / :orders.0) AS created_at
		  FROM generate_series(2, :orders) AS n) AS number;

INSERT INTO ordertrack.orders
SELECT row.* FROM drawn, ordertrack.orders AS o,
	jsonb_populate_record(o, to_jsonb(drawn) || jsonb_build_object('order_id', drawn.id)) AS row ORDER BY drawn.id;
INSERT INTO ordertrack.order_items
SELECT row.* FROM drawn, ordertrack.order_items AS i,
	jsonb_populate_record(i, jsonb_build_object('order_id', drawn.id, 'created_at', drawn.created_at)) AS row
 ORDER BY drawn.id, i.line_no;
INSERT INTO ordertrack.order_notes
SELECT row.* FROM drawn, ordertrack.order_notes AS n,
	jsonb_populate_record(n, jsonb_build_object('order_id', drawn.id, 'created_at', drawn.created_at)) AS row
 ORDER BY drawn.id, n.note_no;
INSERT INTO ordertrack.redemptions
SELECT row.* FROM drawn, ordertrack.redemptions AS r,
	jsonb_populate_record(r, to_jsonb(drawn) || jsonb_build_object('redemption_id', drawn.id, 'order_id', drawn.id)) AS row
 ORDER BY drawn.id;
SELECT setval('ordertrack.orders_order_id_seq', :orders), setval('ordertrack.redemptions_redemption_id_seq', :orders);

SELECT ordertrack.setup();

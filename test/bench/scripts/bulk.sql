-- Yardstick (e): the rows of 100 redemptions by one statement, in tables without
-- foreign keys, with everything that can be left out left out.
\set customer random(0, :customers - 100)
WITH new_order AS (
	INSERT INTO orders (workspace_id, status, customer_id, amount, discount_amount, total_amount,
		created_at, updated_at, paid_at, noted_at, note_count, note_hash, initial_amount)
	SELECT 1, 'paid', :customer + n, 4897, 490, 4407, now(), now(), now(), now(), 2,
		'\xa994e0890113aba0802ac5120706737fa082266f9c0688cd79ca91f09b5f6f59', 4897
	  FROM generate_series(1, 100) AS n
	RETURNING order_id, customer_id
), new_items AS (
	INSERT INTO order_items (workspace_id, order_id, line_no, product_id, sku, name, quantity, price, amount, created_at)
	SELECT 1, order_id, line_no, product_id, sku, name, quantity, price, amount, now()
	  FROM new_order, (VALUES
		(1, 'shirt-7', 'SH-7-M', 'Shirt', 2, 1999, 3998),
		(2, 'mug-3', 'MG-3', 'Mug', 1, 899, 899)) AS line (line_no, product_id, sku, name, quantity, price, amount)
), new_notes AS (
	INSERT INTO order_notes (workspace_id, order_id, note_no, note_type, event_type, author, data, created_at, hash, txid)
	SELECT 1, order_id, note_no, 'system', event_type, 'postgres', data, now(),
		'\xa994e0890113aba0802ac5120706737fa082266f9c0688cd79ca91f09b5f6f59', pg_current_xact_id()::text::bigint
	  FROM new_order, (VALUES
		(1, 'order_created', :first_note::jsonb),
		(2, 'promotion_add_coupon', :second_note::jsonb)) AS note (note_no, event_type, data)
)
INSERT INTO redemptions (workspace_id, kind, result, code, voucher_id, customer_id, customer, order_id,
	amount, discount_amount, total_amount, redeemed_by, created_at)
SELECT 1, 'redemption', 'success', 'code-' || customer_id::text, customer_id, customer_id,
	'customer-' || customer_id::text, order_id, 490, 490, 4407, 'postgres', now()
  FROM new_order;

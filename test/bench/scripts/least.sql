-- Yardstick (d): (b) with what no redemption can do without, still in one
-- statement. It finds the code and the customer by their keys, and keeps the
-- customer's sums; it decides and hashes nothing.
\set customer random(1, :customers)
\set voucher random(1, :customers)
WITH voucher AS (
	SELECT voucher_id, campaign_id FROM vouchers WHERE workspace_id = 1 AND code = 'code-' || :voucher::text
), customer AS (
	UPDATE customers SET order_count = order_count + 1, order_total = order_total + 4407, last_order_at = now()
	 WHERE workspace_id = 1 AND source_id = 'customer-' || :customer::text
	RETURNING customer_id
), new_order AS (
	INSERT INTO orders (workspace_id, status, customer_id, amount, discount_amount, total_amount,
		created_at, updated_at, paid_at, noted_at, note_count, note_hash, initial_amount)
	SELECT 1, 'paid', customer_id, 4897, 490, 4407, now(), now(), now(), now(), 2,
		'\xa994e0890113aba0802ac5120706737fa082266f9c0688cd79ca91f09b5f6f59', 4897
	  FROM customer
	RETURNING order_id
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
INSERT INTO redemptions (workspace_id, kind, result, code, voucher_id, campaign_id, customer_id, customer, order_id,
	amount, discount_amount, total_amount, redeemed_by, created_at)
SELECT 1, 'redemption', 'success', 'code-' || :voucher::text, voucher_id, campaign_id, customer_id,
	'customer-' || :customer::text, order_id, 490, 490, 4407, 'postgres', now()
  FROM voucher, customer, new_order
RETURNING redemption_id, order_id;

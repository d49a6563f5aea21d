-- Three codes on a new order.
\set customer random(1, :customers)
\set voucher random(1, :customers - 2)
SELECT * FROM ordertrack.redeem_stack(
	ARRAY['code-' || :voucher::text, 'code-' || (:voucher + 1)::text, 'code-' || (:voucher + 2)::text],
	'customer-' || :customer::text, :order);

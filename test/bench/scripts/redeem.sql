-- One redemption of a new order.
\set customer random(1, :customers)
\set voucher random(1, :customers)
SELECT * FROM ordertrack.redeem('code-' || :voucher::text, 'customer-' || :customer::text, :order);

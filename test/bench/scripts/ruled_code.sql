-- One redemption of a new order, with a code that has two rules.
\set customer random(1, :customers)
\set voucher random(1, :customers)
SELECT * FROM ordertrack.redeem('ruled-' || :voucher::text, 'customer-' || :customer::text, :order);

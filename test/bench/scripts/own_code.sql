-- One redemption of a new order, with the client's own code.
\set customer random(1, :customers)
\set voucher :client_id + 1
SELECT * FROM ordertrack.redeem('code-' || :voucher::text, 'customer-' || :customer::text, :order);

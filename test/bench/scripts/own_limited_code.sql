-- One redemption of a new order, with a limited code of the client's own.
\set customer random(1, :customers)
\set voucher :client_id + 1
SELECT * FROM ordertrack.redeem('limited-' || :voucher::text, 'customer-' || :customer::text, :order);

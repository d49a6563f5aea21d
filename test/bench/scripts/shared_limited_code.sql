-- One redemption of a new order, with the limited code that all clients use.
\set customer random(1, :customers)
SELECT * FROM ordertrack.redeem('limited-0', 'customer-' || :customer::text, :order);

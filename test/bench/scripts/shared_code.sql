-- One redemption of a new order, with the code that all clients use.
\set customer random(1, :customers)
SELECT * FROM ordertrack.redeem('code-1', 'customer-' || :customer::text, :order);

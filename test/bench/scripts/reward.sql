-- One reward for a customer with 20 lots of points.
\set customer random(1, :customers)
SELECT * FROM ordertrack.redeem_reward('reward', 'customer-' || :customer::text);

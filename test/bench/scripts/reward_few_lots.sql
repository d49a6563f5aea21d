-- One reward for one of 50 customers, who have 20 lots of points.
\set customer random(1, 50)
SELECT * FROM ordertrack.redeem_reward('reward', 'few-' || :customer::text);

-- The same, with 10,000 spent lots beside these.
\set customer random(1, 50)
SELECT * FROM ordertrack.redeem_reward('reward', 'many-' || :customer::text);

-- A redemption by its key, as pgbench -S reads an account.
\set redemption random(1, :orders)
SELECT * FROM ordertrack.redemptions WHERE workspace_id = 1 AND redemption_id = :redemption;

-- The first page of a list, where the rows of running transactions are met.
SELECT * FROM ordertrack.redemptions WHERE workspace_id = 1 ORDER BY created_at DESC, redemption_id DESC LIMIT 20;

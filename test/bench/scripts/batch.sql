-- A batch of 100 redemptions of new orders, of customers that no other client has.
\set batch :client_id + :clients * random(0, :batches / :clients - 1)
SELECT count(*) FROM ordertrack.redeem_batch((SELECT requests FROM bench.batches WHERE batch_no = :batch)::jsonb);

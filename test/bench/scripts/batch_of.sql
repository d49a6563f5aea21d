-- A batch of some items, with keys or without.
\set batch random(0, :batches - 1)
SELECT count(*) FROM ordertrack.redeem_batch((SELECT bench.with_keys(requests, :items, :has_keys) FROM bench.batches WHERE batch_no = :batch));

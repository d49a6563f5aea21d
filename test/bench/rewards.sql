-- Points and a reward: 20 lots of 25 points for every customer, so that a reward
-- of 10 points takes from one or two of them; and two groups of 50 customers with
-- 20 lots each, of whom those of the second have 10,000 more that are spent.
SELECT ordertrack.create_reward('reward', 'discount_code', 10);

CREATE FUNCTION bench.give_lots(customers text, lots integer, points bigint, points_left bigint) RETURNS void
LANGUAGE sql VOLATILE
AS $$
	INSERT INTO ordertrack.point_lots
		(workspace_id, customer_id, points, points_left, expires_at, granted_at, created_at)
	SELECT 1, c.customer_id, points, points_left, now() + interval '1 year' + n * interval '1 day', now(), now()
	  FROM ordertrack.customers AS c, generate_series(1, lots) AS n
	 WHERE c.source_id LIKE customers
	 ORDER BY random();
$$;

INSERT INTO ordertrack.customers (workspace_id, source_id)
SELECT 1, name || n FROM unnest('{few-, many-}'::text[]) AS name, generate_series(1, 50) AS n;
SELECT bench.give_lots('many-%', 10000, 25, 0);
SELECT bench.give_lots('customer-%', 20, 25, 25);
SELECT bench.give_lots('few-%', 20, 1000000, 1000000);
SELECT bench.give_lots('many-%', 20, 1000000, 1000000);
INSERT INTO ordertrack.point_accounts (workspace_id, customer_id, balance, movement_count)
SELECT 1, customer_id, sum(points_left), 0 FROM ordertrack.point_lots GROUP BY customer_id;

-- Requests for redeem_batch, in the text form in which a client sends them: 100
-- in a batch, and no customer in two batches, since a batch locks its customers.
CREATE TABLE bench.batches AS
SELECT (n - 1) / 100 AS batch_no,
	jsonb_agg(jsonb_build_object('code', 'code-' || n, 'customer', 'customer-' || n, 'order_data', :'order'::jsonb))::text
		AS requests
  FROM generate_series(1, :customers) AS n
 GROUP BY 1;
CREATE UNIQUE INDEX ON bench.batches (batch_no);

-- The same with an idempotency key and a source_id in each item: two things
-- that a race can take, so that every item needs a subtransaction.
CREATE FUNCTION bench.with_keys(requests text, items integer, has_keys boolean) RETURNS jsonb
LANGUAGE sql VOLATILE
AS $$
	SELECT jsonb_agg(CASE WHEN has_keys
			THEN jsonb_set(item, '{order_data,source_id}', to_jsonb(drawn.id)) || jsonb_build_object('idempotency_key', drawn.id)
			ELSE jsonb_set(item, '{order_data,data_source}', to_jsonb(drawn.id)) END)
	  FROM (SELECT item, gen_random_uuid()::text AS id
			  FROM jsonb_array_elements(requests::jsonb) WITH ORDINALITY AS request (item, item_no)
			 WHERE item_no <= items) AS drawn
$$;

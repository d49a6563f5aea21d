-- Makes every event happen through the public functions, each in a transaction of
-- its own, and notes down what was answered.

CREATE TEMP TABLE placed (source_id text PRIMARY KEY, order_id bigint NOT NULL);
CREATE TEMP TABLE cards (code text PRIMARY KEY, amount bigint NOT NULL, is_refused boolean NOT NULL);
CREATE TEMP TABLE attempts (
	redemption_id bigint, result text, failure_code text, source_id text, amount bigint, replayed boolean);
CREATE INDEX ON attempts (source_id);
-- What was refused, and what by.
CREATE TEMP TABLE refusals (source_id text, what text, reason text);
CREATE TEMP VIEW calls (function, calls) AS
VALUES ('put_customer', (SELECT count(*) FROM placed)),
	('create_order', (SELECT count(*) FROM placed)),
	('create_shipment', (SELECT sum(greatest(sellers, 1)) FROM plain)),
	('create_voucher', (SELECT count(*) FROM cards)),
	('redeem', (SELECT 3 * count(*) FROM cards WHERE NOT is_refused)),
	('add_payment', (SELECT count(*) FROM events WHERE what = 'payment')),
	('set_payment_status', (SELECT count(*) FROM events AS p JOIN events AS a USING (order_id)
		WHERE p.what = 'payment' AND p.amount > 0 AND a.what = 'approved')),
	('set_shipment_status', (SELECT count(*) FILTER (WHERE what <> 'shipped') + 2 * count(*) FILTER (WHERE what = 'shipped')
		FROM events WHERE what IN ('approved', 'shipped', 'delivered'))),
	('cancel_order', (SELECT count(*) FROM events WHERE what = 'canceled'));

CREATE FUNCTION pg_temp.place(source_id text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	o record;
BEGIN
	SELECT * INTO STRICT o FROM new_orders AS n WHERE n.order_id = place.source_id;
	PERFORM ordertrack.put_customer(o.person, address => o.address);
	INSERT INTO placed VALUES (place.source_id,
		ordertrack.create_order(o.order_data, o.person, channel => 'olist'));
	PERFORM pg_temp.pack(place.source_id);
END
$$;

-- One shipment for each seller, which waits until the order is approved.
CREATE FUNCTION pg_temp.pack(source_id text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	order_id CONSTANT bigint := (SELECT p.order_id FROM placed AS p WHERE p.source_id = pack.source_id);
	items jsonb;
BEGIN
	FOR items IN
		SELECT jsonb_agg(jsonb_build_object('line_no', l.line_no, 'quantity', l.item -> 'quantity'))
		  FROM new_orders AS n, jsonb_array_elements(n.order_data -> 'items') WITH ORDINALITY AS l (item, line_no)
		 WHERE n.order_id = pack.source_id
		 GROUP BY l.item -> 'metadata' ->> 'seller_id'
	LOOP
		PERFORM ordertrack.create_shipment(order_id, items, 'awaiting_inventory', channel => 'olist');
	END LOOP;
	IF NOT FOUND THEN
		PERFORM ordertrack.create_shipment(order_id, channel => 'olist');
	END IF;
EXCEPTION WHEN SQLSTATE 'OT007' THEN -- an order without lines
	INSERT INTO refusals VALUES (source_id, 'shipment', SQLSTATE);
END
$$;

-- A gift card that is worth the payment, spent on its order. The reply gets lost
-- and the request is sent again, with its key: the same answer. Then it is sent
-- once more as a new one: the card is empty.
CREATE FUNCTION pg_temp.pay_by_gift_card(source_id text, code text, amount bigint) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	order_data CONSTANT jsonb := jsonb_build_object('source_id', source_id);
	person CONSTANT text := (SELECT n.person FROM new_orders AS n WHERE n.order_id = pay_by_gift_card.source_id);
	answer ordertrack.redemption_outcome;
	key text;
BEGIN
	BEGIN
		PERFORM ordertrack.create_voucher(code, gift_amount => amount);
		INSERT INTO cards VALUES (code, amount, false);
	EXCEPTION WHEN SQLSTATE 'OT005' THEN -- a payment of 0 makes no card
		INSERT INTO cards VALUES (code, amount, true);
		RETURN;
	END;
	FOREACH key IN ARRAY ARRAY[code, code, NULL] LOOP
		answer := ordertrack.redeem(code, person, order_data, amount,
			idempotency_key => key, channel => 'olist');
		INSERT INTO attempts SELECT answer.redemption_id, answer.result, answer.failure_code,
			pay_by_gift_card.source_id, answer.amount, answer.replayed;
	END LOOP;
END
$$;

-- Every other payment waits for the approval. The reply gets lost, too.
CREATE FUNCTION pg_temp.pay(source_id text, payment_no integer, method text, amount bigint) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	order_id CONSTANT bigint := (SELECT p.order_id FROM placed AS p WHERE p.source_id = pay.source_id);
BEGIN
	PERFORM ordertrack.add_payment(order_id, amount, method, status => 'pending',
		idempotency_key => source_id || ' payment ' || payment_no, channel => 'olist') FROM generate_series(1, 2);
EXCEPTION WHEN SQLSTATE 'OT005' THEN -- a payment of 0
	INSERT INTO refusals VALUES (source_id, 'payment', SQLSTATE);
END
$$;

CREATE FUNCTION pg_temp.approve(source_id text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	the_order CONSTANT bigint := (SELECT p.order_id FROM placed AS p WHERE p.source_id = approve.source_id);
BEGIN
	PERFORM ordertrack.set_payment_status(p.payment_id, 'processed', channel => 'olist')
	   FROM (SELECT l.payment_id FROM ordertrack.payment_list AS l
			  WHERE l.workspace_id = 1 AND l.order_id = the_order ORDER BY l.payment_id) AS p;
	PERFORM pg_temp.move(source_id, 'approved', '{released}');
END
$$;

-- Moves all shipments of an order; one that is refused goes no further.
CREATE FUNCTION pg_temp.move(source_id text, what text, statuses text[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	ids CONSTANT bigint[] := ARRAY(
		SELECT l.shipment_id FROM ordertrack.shipment_list AS l
		 WHERE l.workspace_id = 1 AND l.order_id = (SELECT p.order_id FROM placed AS p WHERE p.source_id = move.source_id)
		 ORDER BY l.shipment_id);
	status text;
	failure text;
BEGIN
	FOREACH status IN ARRAY statuses LOOP
		SELECT min(a.failure_code) INTO failure
		  FROM ordertrack.set_shipment_status(ids, status, channel => 'olist') AS a;
		IF failure IS NOT NULL THEN
			INSERT INTO refusals VALUES (source_id, what, failure);
			RETURN;
		END IF;
	END LOOP;
END
$$;

-- What was spent on the order goes back to its cards with it.
CREATE FUNCTION pg_temp.cancel(source_id text, reason text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO attempts
	SELECT a.redemption_id, a.result, a.failure_code, cancel.source_id, a.amount, a.replayed
	  FROM placed AS p, ordertrack.cancel_order(p.order_id, reason, channel => 'olist') AS a
	 WHERE p.source_id = cancel.source_id;
EXCEPTION WHEN SQLSTATE 'OT010' THEN -- it was shipped, and is complete
	INSERT INTO refusals VALUES (source_id, 'canceled', SQLSTATE);
END
$$;

SELECT clock_timestamp() AS started \gset
DO $$
DECLARE
	e record;
BEGIN
	FOR e IN
		SELECT v.*, o.order_status FROM events AS v JOIN olist_orders AS o USING (order_id)
		 ORDER BY v.at, v.order_id, v.step, v.payment_no
	LOOP
		CASE e.what
			WHEN 'order' THEN
				PERFORM pg_temp.place(e.order_id);
			WHEN 'gift card' THEN
				PERFORM pg_temp.pay_by_gift_card(e.order_id, e.order_id || '-' || e.payment_no, e.amount);
			WHEN 'payment' THEN
				PERFORM pg_temp.pay(e.order_id, e.payment_no, e.method, e.amount);
			WHEN 'approved' THEN
				PERFORM pg_temp.approve(e.order_id);
			WHEN 'shipped' THEN
				PERFORM pg_temp.move(e.order_id, e.what, '{packing,shipped}');
			WHEN 'delivered' THEN
				PERFORM pg_temp.move(e.order_id, e.what, '{delivered}');
			WHEN 'canceled' THEN
				PERFORM pg_temp.cancel(e.order_id, e.order_status);
		END CASE;
		COMMIT;
	END LOOP;
END
$$;
SELECT clock_timestamp() AS ended \gset
RESET ROLE;

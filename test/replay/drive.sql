-- Makes every event happen through the public functions, each in a transaction of
-- its own, and notes down what was answered.

CREATE TEMP TABLE placed (source_id text PRIMARY KEY, order_id bigint NOT NULL);
CREATE TEMP TABLE cards (code text PRIMARY KEY, amount bigint NOT NULL, is_refused boolean NOT NULL);
CREATE TEMP TABLE attempts (
	redemption_id bigint, result text, failure_code text, source_id text, amount bigint, replayed boolean);
CREATE INDEX ON attempts (source_id);
CREATE TEMP TABLE moves (
	move_no bigint GENERATED ALWAYS AS IDENTITY, source_id text, from_status text, to_status text,
	is_refused boolean);
CREATE INDEX ON moves (source_id, move_no);
CREATE TEMP VIEW calls (function, calls) AS
VALUES ('put_customer', (SELECT count(*) FROM placed)),
	('create_order', (SELECT count(*) FROM placed)),
	('create_voucher', (SELECT count(*) FROM cards)),
	('redeem', (SELECT 3 * count(*) FROM cards WHERE NOT is_refused)),
	('rollback_redemption', (SELECT count(*) FROM attempts WHERE amount < 0)),
	('set_order_status', (SELECT count(*) FROM events WHERE step > 2));

CREATE FUNCTION pg_temp.place(source_id text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	o record;
BEGIN
	SELECT * INTO STRICT o FROM new_orders AS n WHERE n.order_id = place.source_id;
	PERFORM ordertrack.put_customer(o.person, address => o.address);
	INSERT INTO placed VALUES (place.source_id,
		ordertrack.create_order(o.order_data, o.person, channel => 'olist'));
	INSERT INTO moves (source_id, to_status, is_refused) VALUES (place.source_id, 'created', false);
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
		IF answer.result = 'success' AND NOT answer.replayed THEN
			INSERT INTO moves (source_id, to_status, is_refused)
				VALUES (pay_by_gift_card.source_id, 'paid', false);
		END IF;
	END LOOP;
END
$$;

CREATE FUNCTION pg_temp.move(source_id text, to_status text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	from_status text;
	order_id bigint;
BEGIN
	SELECT p.order_id INTO STRICT order_id FROM placed AS p WHERE p.source_id = move.source_id;
	from_status := ordertrack.set_order_status(order_id, to_status, channel => 'olist');
	INSERT INTO moves (source_id, from_status, to_status, is_refused)
		VALUES (source_id, from_status, to_status, false);
EXCEPTION WHEN SQLSTATE 'OT010' THEN
	INSERT INTO moves (source_id, from_status, to_status, is_refused)
		SELECT m.source_id, m.to_status, move.to_status, true
		  FROM moves AS m
		 WHERE m.source_id = move.source_id AND NOT m.is_refused
		 ORDER BY m.move_no DESC LIMIT 1;
END
$$;

-- What was spent on the order goes back to its cards first, then the order is canceled.
CREATE FUNCTION pg_temp.cancel(source_id text, reason text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	spent bigint;
	answer ordertrack.redemption_outcome;
BEGIN
	FOR spent IN
		SELECT a.redemption_id FROM attempts AS a
		 WHERE a.source_id = cancel.source_id AND a.result = 'success' AND NOT a.replayed
		 ORDER BY a.redemption_id
	LOOP
		answer := ordertrack.rollback_redemption(spent, reason => reason, channel => 'olist');
		INSERT INTO attempts SELECT answer.redemption_id, answer.result, answer.failure_code,
			cancel.source_id, answer.amount, answer.replayed;
	END LOOP;
	PERFORM pg_temp.move(source_id, 'canceled');
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
			WHEN 'canceled' THEN
				PERFORM pg_temp.cancel(e.order_id, e.order_status);
			ELSE
				PERFORM pg_temp.move(e.order_id, e.what);
		END CASE;
		COMMIT;
	END LOOP;
END
$$;
SELECT clock_timestamp() AS ended \gset
RESET ROLE;

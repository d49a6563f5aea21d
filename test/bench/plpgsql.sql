-- Yardstick (c): what a careful person writes in PL/pgSQL for redeem's job of a
-- new order with a discount code, in tables that foreign keys guard: no other
-- triggers, no idempotency, no gift cards, no check of what the order holds.
SET client_min_messages = warning;

CREATE FUNCTION bench_c.refuse(code text, customer text, voucher_id bigint, reason text, workspace bigint)
RETURNS ordertrack.redemption_outcome
LANGUAGE plpgsql
AS $$
#variable_conflict use_variable
DECLARE
	outcome ordertrack.redemption_outcome;
BEGIN
	INSERT INTO bench_c.redemptions (workspace_id, kind, result, failure_code, failure_message, code, voucher_id,
		customer, redeemed_by, created_at)
	VALUES (workspace, 'redemption', 'failure', reason, reason, code, voucher_id, customer, session_user, clock_timestamp())
	RETURNING redemptions.redemption_id INTO outcome.redemption_id;
	outcome.result := 'failure';
	outcome.failure_code := reason;
	outcome.failure_message := reason;
	outcome.replayed := false;
	RETURN outcome;
END
$$;

-- Of a note: its fields, its number, the hash of the note before.
CREATE FUNCTION bench_c.note_hash(order_id bigint, note_no integer, event_type text, author text, data jsonb,
	created_at timestamptz, hash_before bytea) RETURNS bytea
LANGUAGE sql STABLE
AS $$
	SELECT sha256(convert_to(concat_ws('|', order_id, event_type, author, data, created_at), 'UTF8')
		|| int4send(note_no) || hash_before)
$$;

CREATE FUNCTION bench_c.redeem(code text, customer text, order_data jsonb, workspace bigint DEFAULT 1)
RETURNS ordertrack.redemption_outcome
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
	at CONSTANT timestamptz := clock_timestamp();
	v record;
	lines jsonb;
	whole bigint;
	discount bigint;
	first_note jsonb;
	second_note jsonb;
	first_hash bytea;
	second_hash bytea;
	outcome ordertrack.redemption_outcome;
BEGIN
	SELECT t.voucher_id, t.campaign_id, t.discount, t.redemption_limit, u.customer_id,
		t.is_active AND coalesce(c.is_active, true) AS is_active,
		coalesce(t.starts_at <= at, true) AND coalesce(c.starts_at <= at, true) AS has_started,
		coalesce(t.expires_at <= at, false) OR coalesce(c.expires_at <= at, false) AS has_expired,
		coalesce(t.redeemed_count >= t.redemption_limit, false) AS is_used_up
	  INTO v
	  FROM bench_c.vouchers AS t
	  LEFT JOIN bench_c.campaigns AS c ON c.workspace_id = workspace AND c.campaign_id = t.campaign_id
	  LEFT JOIN bench_c.customers AS u ON u.workspace_id = workspace AND u.source_id = customer
	 WHERE t.workspace_id = workspace AND t.code = code;
	IF NOT FOUND THEN
		RETURN bench_c.refuse(code, customer, NULL, 'voucher_not_found', workspace);
	ELSIF NOT v.is_active THEN
		RETURN bench_c.refuse(code, customer, v.voucher_id, 'voucher_disabled', workspace);
	ELSIF NOT v.has_started THEN
		RETURN bench_c.refuse(code, customer, v.voucher_id, 'voucher_not_active', workspace);
	ELSIF v.has_expired THEN
		RETURN bench_c.refuse(code, customer, v.voucher_id, 'voucher_expired', workspace);
	ELSIF v.is_used_up THEN
		RETURN bench_c.refuse(code, customer, v.voucher_id, 'quantity_exceeded', workspace);
	END IF;
	IF v.customer_id IS NULL THEN
		INSERT INTO bench_c.customers (workspace_id, source_id) VALUES (workspace, customer)
		RETURNING customers.customer_id INTO v.customer_id;
	END IF;

	SELECT jsonb_agg(item || jsonb_build_object('amount', item_amount)), sum(item_amount)
	  INTO lines, whole
	  FROM (SELECT item, (item ->> 'price')::bigint * (item ->> 'quantity')::bigint AS item_amount
			  FROM jsonb_array_elements(order_data -> 'items') AS item) AS line;
	IF v.discount ->> 'type' = 'percent' THEN
		discount := round(whole * (v.discount ->> 'percent_off')::numeric / 100);
	ELSIF v.discount ->> 'type' = 'amount' THEN
		discount := (v.discount ->> 'amount_off')::bigint;
	ELSE
		discount := greatest(whole - (v.discount ->> 'fixed_amount')::bigint, 0);
	END IF;
	discount := least(discount, whole, (v.discount ->> 'amount_limit')::bigint);

	outcome.redemption_id := nextval('bench_c.redemptions_redemption_id_seq');
	outcome.order_id := nextval('bench_c.orders_order_id_seq');
	first_note := jsonb_build_object('status', 'paid', 'amount', whole, 'discount_amount', discount,
		'customer_id', v.customer_id, 'items', lines);
	second_note := jsonb_build_object('amount', discount, 'voucher_id', v.voucher_id, 'total_amount', whole - discount,
		'redemption_id', outcome.redemption_id, 'discount_amount', jsonb_build_object('old', 0, 'new', discount));
	first_hash := bench_c.note_hash(outcome.order_id, 1, 'order_created', session_user, first_note, at, '');
	second_hash := bench_c.note_hash(outcome.order_id, 2, 'promotion_add_coupon', session_user, second_note, at, first_hash);

	INSERT INTO bench_c.orders (workspace_id, order_id, status, customer_id, amount, discount_amount, total_amount,
		created_at, updated_at, paid_at, noted_at, note_count, note_hash, initial_amount)
	VALUES (workspace, outcome.order_id, 'paid', v.customer_id, whole, discount, whole - discount, at, at, at, at, 2,
		second_hash, whole);
	INSERT INTO bench_c.order_items (workspace_id, order_id, line_no, product_id, sku, name, quantity, price, amount,
		created_at)
	SELECT workspace, outcome.order_id, line.no, line.item ->> 'product_id', line.item ->> 'sku', line.item ->> 'name',
		(line.item ->> 'quantity')::bigint, (line.item ->> 'price')::bigint, (line.item ->> 'amount')::bigint, at
	  FROM jsonb_array_elements(lines) WITH ORDINALITY AS line (item, no);
	INSERT INTO bench_c.order_notes (workspace_id, order_id, note_no, note_type, event_type, author, data, created_at, hash,
		txid)
	VALUES (workspace, outcome.order_id, 1, 'system', 'order_created', session_user, first_note, at, first_hash,
			pg_current_xact_id()::text::bigint),
		(workspace, outcome.order_id, 2, 'system', 'promotion_add_coupon', session_user, second_note, at, second_hash,
			pg_current_xact_id()::text::bigint);
	INSERT INTO bench_c.redemptions (workspace_id, redemption_id, kind, result, code, voucher_id, campaign_id, customer_id,
		customer, order_id, amount, discount_amount, total_amount, redeemed_by, created_at)
	VALUES (workspace, outcome.redemption_id, 'redemption', 'success', code, v.voucher_id, v.campaign_id, v.customer_id,
		customer, outcome.order_id, discount, discount, whole - discount, session_user, at);
	UPDATE bench_c.customers SET order_count = order_count + 1, order_total = order_total + whole - discount,
		last_order_at = greatest(last_order_at, at)
	 WHERE workspace_id = workspace AND customer_id = v.customer_id;
	IF v.redemption_limit IS NOT NULL THEN
		UPDATE bench_c.vouchers SET redeemed_count = redeemed_count + 1
		 WHERE workspace_id = workspace AND voucher_id = v.voucher_id AND redeemed_count < redemption_limit;
		IF NOT FOUND THEN
			RAISE EXCEPTION 'the code is used up';
		END IF;
	END IF;

	outcome.result := 'success';
	outcome.amount := whole;
	outcome.discount_amount := discount;
	outcome.total_amount := whole - discount;
	outcome.replayed := false;
	RETURN outcome;
END
$$;

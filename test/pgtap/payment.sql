-- Payments and refunds: their statuses, what they do to the order, and that no
-- more is refunded than was paid, by the functions and by raw UPDATEs.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT * FROM no_plan();

-- All that a payment may change.
CREATE FUNCTION pg_temp.state() RETURNS text LANGUAGE sql AS $$
	SELECT concat((SELECT jsonb_agg(to_jsonb(p) ORDER BY p) FROM ordertrack.payments AS p),
		(SELECT jsonb_agg(to_jsonb(o) ORDER BY o) FROM ordertrack.orders AS o),
		(SELECT count(*) FROM ordertrack.order_notes), (SELECT count(*) FROM ordertrack.idempotency_keys))
$$;
-- Runs a command and tells its answer, or the refusal, which leaves nothing behind.
CREATE FUNCTION pg_temp.try(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	before CONSTANT text := pg_temp.state();
	answer text;
	message text;
	detail text;
	hint text;
BEGIN
	EXECUTE command INTO answer;
	RETURN answer;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(' ', SQLSTATE, message || '.', nullif(detail, ''), nullif(hint, ''),
		CASE WHEN pg_temp.state() <> before THEN '(and something changed)' END);
END
$$;
-- The notes of an order after note n.
CREATE FUNCTION pg_temp.notes(id bigint, n integer) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', note_type, event_type, channel, data), ', ' ORDER BY note_no)
	  FROM ordertrack.order_notes WHERE order_id = id AND note_no > n
$$;
CREATE FUNCTION pg_temp.status_of(id bigint) RETURNS text LANGUAGE sql AS
	'SELECT status::text FROM ordertrack.orders WHERE order_id = id';
CREATE FUNCTION pg_temp.order_in(wanted text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	id CONSTANT bigint := ordertrack.create_order(jsonb_build_object('amount', 100, 'status',
		CASE WHEN wanted IN ('paid', 'awaiting_exchange') THEN wanted ELSE 'created' END));
BEGIN
	IF wanted IN ('partially_shipped', 'completed') THEN
		PERFORM ordertrack.set_order_status(id, 'paid');
	END IF;
	PERFORM ordertrack.set_order_status(id, wanted);
	RETURN id;
END
$$;

SELECT bag_eq('SELECT from_status, to_status, event_type FROM ordertrack.status_transitions WHERE workspace_id = 1
	AND entity = ''payment''', $$VALUES (NULL, 'pending', NULL), (NULL, 'processed', NULL), (NULL, 'failed', NULL),
	('pending', 'processed', 'payment_processed'), ('pending', 'failed', 'payment_failed')$$,
	'status_transitions holds what is documented');

-- Every pair of statuses, of each type, by the function and by a raw UPDATE.
CREATE FUNCTION pg_temp.pay(id bigint, type text, status text) RETURNS bigint LANGUAGE sql AS $$
	SELECT CASE type WHEN 'credit' THEN ordertrack.create_refund(id, 10, 'broken', 'card', status)
		ELSE ordertrack.add_payment(id, 10, 'card', type, status) END
$$;
CREATE TEMP TABLE moves AS
SELECT *, pg_temp.pay(order_id, type, from_status) AS payment_id
  FROM (SELECT type, f AS from_status, t AS to_status, is_raw, pg_temp.order_in('in_progress') AS order_id
		  FROM unnest('{authorization,capture,sale,void,credit}'::text[]) AS type,
			unnest('{pending,processed,failed}'::text[]) AS f, unnest('{pending,processed,failed}'::text[]) AS t,
			unnest('{true,false}'::boolean[]) AS is_raw) AS m
 CROSS JOIN LATERAL (SELECT ordertrack.add_payment(order_id, 50)) AS paid;
SELECT is(pg_temp.notes(order_id, 3), concat_ws(' ', 'system', CASE type WHEN 'credit' THEN 'creating_refund' ELSE 'adding_payment' END,
	jsonb_build_object('payment_id', payment_id, 'transaction_type', type, 'method', 'card', 'amount', 10,
		'payment_status', jsonb_build_object('new', from_status))), format('note of a %s that is %s', type, from_status))
  FROM moves WHERE to_status = 'failed' AND is_raw;
CREATE TEMP TABLE move_results AS
SELECT m.*, pg_temp.try(format(CASE WHEN is_raw THEN 'UPDATE ordertrack.payments SET status = %2$L WHERE payment_id = %1$s RETURNING %3$L'
		ELSE 'SELECT ordertrack.set_payment_status(%s, %L, ''web'', ''bob'')' END, payment_id, to_status, from_status)) AS result,
	(SELECT event_type FROM ordertrack.status_transitions AS t WHERE t.workspace_id = 1 AND t.entity = 'payment'
		AND t.from_status = m.from_status AND t.to_status = m.to_status) AS event_type
  FROM moves AS m;
SELECT is((SELECT count(*) FROM move_results), (5 * 3 * 3 * 2)::bigint, 'every pair was tried');
SELECT ok(CASE WHEN r.from_status = r.to_status OR event_type IS NOT NULL
			THEN result = r.from_status AND p.status = r.to_status AND p.updated_at >= p.created_at
		ELSE p.status = r.from_status AND result = format('OT010 payment status cannot change from "%s" to "%s". Status "%1$s" is final.', r.from_status, r.to_status)
			OR r.from_status = 'pending' AND p.status = 'pending' AND result = 'OT010 payment status cannot change from "pending" to "pending"' END,
	format('%s%s: %s to %s: %s', CASE WHEN is_raw THEN 'raw: ' END, type, r.from_status, r.to_status, result))
  FROM move_results AS r JOIN ordertrack.payments AS p USING (payment_id);
SELECT is(pg_temp.notes(order_id, 4), CASE WHEN event_type IS NOT NULL THEN concat_ws(' ', 'system', event_type,
		CASE WHEN NOT is_raw THEN 'web' END, jsonb_build_object('payment_id', payment_id,
			'payment_status', jsonb_build_object('old', from_status, 'new', to_status))
		|| CASE WHEN is_raw THEN '{}' ELSE '{"actor":"bob"}'::jsonb END) END,
	format('%snote: %s %s to %s', CASE WHEN is_raw THEN 'raw: ' END, type, from_status, to_status))
  FROM move_results;

-- What makes an order paid: money that has come, in two statuses.
CREATE TEMP TABLE statuses AS SELECT unnest('{created,paid,fulfilled,in_progress,partially_shipped,completed,on_hold,
	awaiting_exchange,canceled}'::text[]) AS status;
CREATE TEMP TABLE paying AS
SELECT s.status, type, state, pg_temp.order_in(s.status) AS order_id
  FROM statuses AS s, unnest('{authorization,capture,sale,void}'::text[]) AS type,
	unnest('{pending,processed,failed}'::text[]) AS state;
SELECT is(pg_temp.try(format('SELECT ordertrack.add_payment(%s, 100, NULL, %L, %L) > 0', order_id, type, state)) || ' ' || pg_temp.status_of(order_id),
	CASE WHEN status = 'canceled' AND type <> 'void'
			THEN format('55000 order %s takes no payment. Its status is "canceled". Refunds and payments of type "void" are still possible. canceled', order_id)
		WHEN status IN ('created', 'fulfilled') AND type IN ('capture', 'sale') AND state = 'processed' THEN 'true paid'
		ELSE 'true ' || status END, format('%s order, %s %s', status, state, type))
  FROM paying;
-- A payment that waited, whatever has become of the order meanwhile.
CREATE TEMP TABLE waited AS
SELECT status, order_id, ordertrack.add_payment(order_id, 100, status => 'pending') AS payment_id
  FROM (SELECT status, pg_temp.order_in(CASE status WHEN 'canceled' THEN 'created' ELSE status END) AS order_id FROM statuses) AS s;
SELECT ordertrack.set_order_status(order_id, status) FROM waited
\g /dev/null
SELECT is(ordertrack.set_payment_status(payment_id, 'processed') || ' ' || pg_temp.status_of(order_id),
	'pending ' || CASE WHEN status IN ('created', 'fulfilled') THEN 'paid' ELSE status END, 'waited: ' || status) FROM waited;
SELECT is(pg_temp.notes(order_id, 2), format('system payment_processed {"payment_id": %s, "payment_status": {"new": "processed", "old": "pending"}}, '
	'system order_paid {"status": {"new": "paid", "old": "created"}}', payment_id), 'one change, two notes')
  FROM waited WHERE status = 'created';
SELECT ok(paid_at IS NOT NULL, 'paid_at is set') FROM ordertrack.orders JOIN waited USING (order_id) WHERE waited.status = 'created';

-- In 29 parts; the last one pays it.
SELECT ordertrack.create_order('{"amount":290}') AS parts, ordertrack.create_order('{"amount":100}') AS mixed,
	ordertrack.create_order('{}') AS free, ordertrack.create_order('{"amount":100}') AS refunded
\gset
SELECT is((ordertrack.add_payment(:parts, 10, 'voucher') > 0) || ' ' || pg_temp.status_of(:parts),
	CASE n WHEN 29 THEN 'true paid' ELSE 'true created' END, format('part %s of 29', n)) FROM generate_series(1, 29) AS n;
SELECT is((SELECT count(*) FROM ordertrack.order_notes WHERE order_id = :parts), 31::bigint, 'each part is a note');
-- Parts of several types, and those that don't count.
SELECT is(pg_temp.try(format('SELECT ordertrack.add_payment(%s, %s, NULL, %L, %L) > 0', :mixed, amount, type, state)) || ' ' || pg_temp.status_of(:mixed),
	'true ' || wanted, format('%s %s of %s', state, type, amount)) FROM (VALUES (1, 100, 'authorization', 'processed', 'created'),
	(2, 60, 'capture', 'processed', 'created'), (3, 40, 'capture', 'failed', 'created'), (4, 40, 'sale', 'pending', 'created'),
	(5, 40, 'void', 'processed', 'created'), (6, 39, 'sale', 'processed', 'created'), (7, 1, 'capture', 'processed', 'paid'),
	(8, 50, 'sale', 'processed', 'paid')) AS p (n, amount, type, state, wanted);
SELECT is((ordertrack.add_payment(:free, 1, transaction_type => 'authorization') > 0) || ' ' || pg_temp.status_of(:free), 'true created', 'an authorization moves no money');
SELECT is((ordertrack.add_payment(:free, 1) > 0) || ' ' || pg_temp.status_of(:free), 'true paid', 'a total of 0 is reached by what has come');
-- What is to be refunded is not there; a refund that fails is there again.
SELECT ordertrack.add_payment(:refunded, 60) AS first, ordertrack.create_refund(:refunded, 30, status => 'pending') AS back
\gset
SELECT is((ordertrack.add_payment(:refunded, 69) > 0) || ' ' || pg_temp.status_of(:refunded), 'true created', '129 - 30 of 100');
SELECT is(ordertrack.set_payment_status(:back, 'failed') || ' ' || pg_temp.status_of(:refunded), 'pending paid', '129 of 100, by a refund that failed');
-- A discount is no part of the total; a move that is not allowed is not made.
SELECT ordertrack.create_voucher('OFF', '{"type":"amount","amount_off":30}'), ordertrack.create_order('{"amount":100}') AS less,
	ordertrack.create_workspace('tight') AS tight
\gset
ALTER TABLE ordertrack.orders DISABLE TRIGGER USER;
UPDATE ordertrack.orders SET discount_amount = 30, total_amount = 70 WHERE order_id = :less;
SELECT ordertrack.arm_triggers()
\g /dev/null
SELECT is((ordertrack.add_payment(:less, amount) > 0) || ' ' || pg_temp.status_of(:less), 'true ' || wanted, 'of 100 less 30: ' || amount)
  FROM (VALUES (69, 'created'), (1, 'paid')) AS p (amount, wanted);
DELETE FROM ordertrack.status_transitions WHERE workspace_id = :tight AND (to_status = 'paid' OR entity = 'payment' AND to_status = 'failed');
SELECT ordertrack.create_order('{"amount":100}', workspace => :tight) AS tight_order
\gset
SELECT is((ordertrack.add_payment(:tight_order, 100, workspace => :tight) > 0) || ' ' || pg_temp.status_of(:tight_order), 'true created',
	'a workspace whose orders do not become paid');
SELECT is(pg_temp.try(command), wanted, command) FROM (VALUES
	(format('SELECT ordertrack.add_payment(%s, 1, status => ''failed'', workspace => %s)', :tight_order, :tight),
		'OT010 payment cannot begin with status "failed". Allowed first: pending, processed.'),
	(format('SELECT ordertrack.set_payment_status(ordertrack.add_payment(%s, 1, status => ''pending'', workspace => %s), ''failed'', workspace => %2$s)', :tight_order, :tight),
		'OT010 payment status cannot change from "pending" to "failed". Allowed from "pending": processed.'),
	(format('SELECT ordertrack.add_payment(%s, 1)', :tight_order), format('OT001 order %s does not exist.', :tight_order)),
	(format('SELECT ordertrack.set_payment_status(%s, ''failed'', workspace => %s)', :first, :tight), format('OT002 payment %s does not exist.', :first))) AS c (command, wanted);

-- Refunds, one step after the other: of 100 paid, never more.
SELECT ordertrack.create_order('{"amount":1000}') AS o
\gset
SELECT is(pg_temp.try(format(command, :o)), format(wanted, :o), format('step %s: %s', n, command)) FROM (VALUES
	(1, 'SELECT ordertrack.create_refund(%s, 1)', 'OT007 refund of 1 is more than is left of what order %s has paid. Paid is 0, refunded or to be refunded 0.'),
	(2, 'SELECT ordertrack.add_payment(%s, 500, transaction_type => ''authorization'') > 0', 'true'),
	(3, 'SELECT ordertrack.add_payment(%s, 500, status => ''pending'') > 0', 'true'),
	(4, 'SELECT ordertrack.add_payment(%s, 500, status => ''failed'') > 0', 'true'),
	(5, 'SELECT ordertrack.create_refund(%s, 1, status => ''pending'')', 'OT007 refund of 1 is more than is left of what order %s has paid. Paid is 0, refunded or to be refunded 0.'),
	(6, 'SELECT ordertrack.create_refund(%s, 1, status => ''failed'') > 0', 'true'),
	(7, 'SELECT ordertrack.add_payment(%s, 70) > 0', 'true'),
	(8, 'SELECT ordertrack.add_payment(%s, 30, transaction_type => ''capture'') > 0', 'true'),
	(9, 'SELECT ordertrack.create_refund(%s, 60) > 0', 'true'),
	(10, 'SELECT ordertrack.create_refund(%s, 60)', 'OT007 refund of 60 is more than is left of what order %s has paid. Paid is 100, refunded or to be refunded 60.'),
	(11, 'SELECT ordertrack.create_refund(%s, 41, status => ''pending'')', 'OT007 refund of 41 is more than is left of what order %s has paid. Paid is 100, refunded or to be refunded 60.'),
	(12, 'SELECT ordertrack.create_refund(%s, 9223372036854775807)', 'OT007 refund of 9223372036854775807 is more than is left of what order %s has paid. Paid is 100, refunded or to be refunded 60.'),
	(13, 'SELECT ordertrack.create_refund(%s, 30, transaction_id => ''p'', status => ''pending'') > 0', 'true'),
	(14, 'SELECT ordertrack.create_refund(%s, 11)', 'OT007 refund of 11 is more than is left of what order %s has paid. Paid is 100, refunded or to be refunded 90.'),
	(15, 'SELECT ordertrack.create_refund(%s, 10) > 0', 'true'),
	(16, 'SELECT ordertrack.create_refund(%s, 1)', 'OT007 refund of 1 is more than is left of what order %s has paid. Paid is 100, refunded or to be refunded 100.'),
	(17, 'UPDATE ordertrack.payments SET status = ''failed'' WHERE order_id = %s AND transaction_id = ''p'' RETURNING status', 'failed'),
	(18, 'SELECT ordertrack.create_refund(%s, 31)', 'OT007 refund of 31 is more than is left of what order %s has paid. Paid is 100, refunded or to be refunded 70.'),
	(19, 'SELECT ordertrack.create_refund(%s, 30) > 0', 'true'),
	(20, 'SELECT ordertrack.set_order_status(%s, ''canceled'')', 'created'),
	(21, 'SELECT ordertrack.set_payment_status((SELECT payment_id FROM ordertrack.payments WHERE order_id = %s AND status = ''pending''), ''processed'')', 'pending'),
	(22, 'SELECT ordertrack.create_refund(%s, 500) > 0', 'true')) AS s (n, command, wanted) ORDER BY n;
SELECT is((SELECT concat_ws(' ', status, paid_amount, refunded_amount) FROM ordertrack.order_list WHERE order_id = :o), 'canceled 600 600', 'sums of order_list');
SELECT is((SELECT concat_ws(' ', status, paid_amount, refunded_amount) FROM ordertrack.order_details WHERE order_id = :o), 'canceled 600 600', 'and of order_details');
SELECT is((SELECT concat_ws(' ', paid_amount, refunded_amount) FROM ordertrack.order_list WHERE order_id = (SELECT min(order_id) FROM paying
	WHERE type = 'authorization')), '0 0', 'sums of what has not paid');

-- An operator may let payments bounce, and failed refunds be tried again: the sums hold.
INSERT INTO ordertrack.status_transitions (workspace_id, entity, from_status, to_status, event_type) VALUES
	(1, 'payment', 'processed', 'failed', 'payment_bounced'), (1, 'payment', 'failed', 'pending', NULL);
SELECT ordertrack.create_order('{"amount":1000}') AS o
\gset
SELECT ordertrack.add_payment(:o, 100) AS sale, ordertrack.create_refund(:o, 60, status => 'failed') AS again,
	ordertrack.create_refund(:o, 60) AS back
\gset
SELECT is(pg_temp.try(format(command, :sale, :again, :back)), format(wanted, :sale, :again, :back, :o), format('step %s: %s', n, command)) FROM (VALUES
	(1, 'SELECT ordertrack.set_payment_status(%1$s, ''failed'')', 'OT007 payment %1$s is needed for the refunds of order %4$s. Without it, paid is 0, refunded or to be refunded 60.'),
	(2, 'UPDATE ordertrack.payments SET status = ''failed'' WHERE payment_id = %1$s', 'OT007 payment %1$s is needed for the refunds of order %4$s. Without it, paid is 0, refunded or to be refunded 60.'),
	(4, 'UPDATE ordertrack.payments SET status = ''pending'' WHERE payment_id = %2$s', 'OT007 refund of 60 is more than is left of what order %4$s has paid. Paid is 100, refunded or to be refunded 60.'),
	(5, 'SELECT ordertrack.set_payment_status(%3$s, ''failed'')', 'processed'),
	(6, 'SELECT ordertrack.set_payment_status(%2$s, ''pending'')', 'failed'),
	(7, 'SELECT ordertrack.set_payment_status(%2$s, ''failed'')', 'pending'),
	(8, 'SELECT ordertrack.set_payment_status(%1$s, ''failed'')', 'processed')) AS s (n, command, wanted) ORDER BY n;
SELECT matches(pg_temp.notes(:o, 4), '^system payment_bounced [^}]*}}, system payment_pending [^}]*}}, system payment_failed [^}]*}}, system payment_bounced [^}]*}}$', 'with their events');
SELECT ordertrack.create_order('{"amount":1000}') AS both
\gset
SELECT ordertrack.add_payment(:both, 100), ordertrack.create_refund(:both, 60)
\g /dev/null
SELECT is(pg_temp.try(format('UPDATE ordertrack.payments SET status = ''failed'' WHERE order_id = %s RETURNING status', :both)), 'failed', 'both at once leave no sum wrong');
DELETE FROM ordertrack.status_transitions WHERE workspace_id = 1 AND entity = 'payment' AND (event_type = 'payment_bounced' OR from_status = 'failed');

-- Sums beyond 64 bits are refused, whichever change makes them.
SELECT ordertrack.create_order('{"amount":9223372036854775807}') AS o
\gset
SELECT is(pg_temp.try(format(command, :o)), format(wanted, :o), format('step %s: %s', n, command)) FROM (VALUES
	(1, 'SELECT ordertrack.add_payment(%s, 9223372036854775806) > 0', 'true'),
	(2, 'SELECT ordertrack.add_payment(%s, 2)', '22003 payments of order %s are out of range. Their sum does not fit into 64 bits.'),
	(3, 'SELECT ordertrack.add_payment(%s, 2, status => ''pending'') > 0', 'true'),
	(4, 'UPDATE ordertrack.payments SET status = ''processed'' WHERE order_id = %s', '22003 payments of order %s are out of range. Their sum does not fit into 64 bits.'),
	(5, 'SELECT status FROM ordertrack.orders WHERE order_id = %s', 'created'),
	(6, 'SELECT ordertrack.add_payment(%s, 1) > 0', 'true'),
	(7, 'SELECT status FROM ordertrack.orders WHERE order_id = %s', 'paid'),
	(8, 'SELECT ordertrack.create_refund(%s, 9223372036854775807) > 0', 'true'),
	(9, 'SELECT ordertrack.create_refund(%s, 9223372036854775807)', 'OT007 refund of 9223372036854775807 is more than is left of what order %s has paid. Paid is 9223372036854775807, refunded or to be refunded 9223372036854775807.'),
	(10, 'SELECT concat(paid_amount, '' '', refunded_amount) FROM ordertrack.order_list WHERE order_id = %s', '9223372036854775807 9223372036854775807')
	) AS s (n, command, wanted) ORDER BY n;

-- One key, one effect; the same key for another request is a conflict, in one key space.
SELECT ordertrack.create_order('{"amount":100}') AS o, ordertrack.create_order('{"amount":100}') AS other
\gset
SELECT ordertrack.add_payment(:o, 50, 'card', 'sale', 'processed', 't-1', 'key', 'web', 'bob') AS paid, ordertrack.create_refund(:o, 10, 'late', 'card', 'pending', NULL, 't-2', 'back') AS back
\gset
SELECT is(ordertrack.add_payment(:o, 50, 'card', 'sale', 'processed', 't-1', 'key', channel, actor), :paid::bigint, 'the same again')
  FROM (VALUES ('web', 'bob'), (NULL, NULL), ('shop', 'al')) AS c (channel, actor);
SELECT is(ordertrack.create_refund(:o, 10, 'late', 'card', 'pending', NULL, 't-2', 'back'), :back::bigint, 'and a refund');
SELECT is((SELECT count(*) FROM ordertrack.payments WHERE order_id = :o), 2::bigint, 'one effect each');
SELECT ordertrack.create_order('{}') AS returned
\gset
SELECT is(pg_temp.try(format(command, :o, :other)), 'OT003 idempotency key was used for another request. Use a new key for each new request, and the same key only to repeat one.', command)
  FROM unnest(ARRAY[
	'SELECT ordertrack.add_payment(%2$s, 50, ''card'', ''sale'', ''processed'', ''t-1'', ''key'')',
	'SELECT ordertrack.add_payment(%1$s, 51, ''card'', ''sale'', ''processed'', ''t-1'', ''key'')',
	'SELECT ordertrack.add_payment(%1$s, 50, ''cash'', ''sale'', ''processed'', ''t-1'', ''key'')',
	'SELECT ordertrack.add_payment(%1$s, 50, NULL, ''sale'', ''processed'', ''t-1'', ''key'')',
	'SELECT ordertrack.add_payment(%1$s, 50, ''card'', ''capture'', ''processed'', ''t-1'', ''key'')',
	'SELECT ordertrack.add_payment(%1$s, 50, ''card'', ''sale'', ''pending'', ''t-1'', ''key'')',
	'SELECT ordertrack.add_payment(%1$s, 50, ''card'', ''sale'', ''processed'', ''t-2'', ''key'')',
	'SELECT ordertrack.add_payment(%1$s, 50, ''card'', ''sale'', ''processed'', ''t-1'', ''back'')',
	'SELECT ordertrack.create_refund(%1$s, 10, ''late'', ''card'', ''pending'', NULL, ''t-2'', ''key'')',
	'SELECT ordertrack.create_refund(%1$s, 10, ''soon'', ''card'', ''pending'', NULL, ''t-2'', ''back'')',
	'SELECT ordertrack.create_refund(%1$s, 10, ''late'', ''card'', ''pending'', 7, ''t-2'', ''back'')',
	'SELECT ordertrack.grant_points(''anna'', 5, idempotency_key => ''key'')',
	'SELECT ordertrack.redeem(''NONE'', idempotency_key => ''back'')']) AS command;
SELECT ordertrack.grant_points('anna', 5, idempotency_key => 'points')
\g /dev/null
SELECT matches(pg_temp.try(format('SELECT ordertrack.add_payment(%s, 50, idempotency_key => ''points'')', :o)), '^OT003', 'a key of points');
SELECT ordertrack.set_order_status(:o, 'canceled'), ordertrack.set_payment_status(:back, 'failed')
\g /dev/null
SELECT is(ordertrack.add_payment(:o, 50, 'card', 'sale', 'processed', 't-1', 'key'), :paid::bigint, 'also when the order takes none any more');
SELECT matches(pg_temp.try(format('SELECT ordertrack.add_payment(%s, 50, idempotency_key => ''free'')', :o)), '^55000', 'what is refused');
SELECT isnt(ordertrack.add_payment(:other, 50, idempotency_key => 'free'), NULL, 'leaves its key free');
SELECT isnt(ordertrack.add_payment(ordertrack.create_order('{}', workspace => :tight), 50, idempotency_key => 'key', workspace => :tight), NULL, 'keys of another workspace are others');

-- Arguments.
SELECT is(pg_temp.try(format(command, :other)), wanted, left(command, 100)) FROM (VALUES
	('SELECT ordertrack.add_payment(NULL, 1)', 'OT005 argument "order_id" must not be null.'),
	('SELECT ordertrack.add_payment(%s, NULL)', 'OT005 argument "amount" must not be null.'),
	('SELECT ordertrack.add_payment(%s, 0)', 'OT005 "amount" must be greater than zero.'),
	('SELECT ordertrack.add_payment(%s, -9223372036854775808)', 'OT005 "amount" must be greater than zero.'),
	('SELECT ordertrack.add_payment(%s, 1, transaction_type => NULL)', 'OT005 argument "transaction_type" must not be null.'),
	('SELECT ordertrack.add_payment(%s, 1, transaction_type => '''')', 'OT005 argument "transaction_type" must not be empty.'),
	('SELECT ordertrack.add_payment(%s, 1, transaction_type => ''Sale'')', 'OT005 unknown transaction type "Sale". Types are authorization, capture, sale and void.'),
	('SELECT ordertrack.add_payment(%s, 1, transaction_type => ''credit'')', 'OT005 a payment cannot have transaction type "credit". Such a payment is a refund. Use ordertrack.create_refund().'),
	('SELECT ordertrack.add_payment(%s, 1, status => NULL)', 'OT005 argument "status" must not be null.'),
	('SELECT ordertrack.add_payment(%s, 1, status => ''done'')', 'OT005 unknown payment status "done". Statuses are pending, processed and failed.'),
	('SELECT ordertrack.add_payment(%s, 1, repeat(''x'', 1001))', 'OT005 argument "method" is too long. It has 1001 bytes, at most 1000 are allowed.'),
	('SELECT ordertrack.add_payment(%s, 1, transaction_id => repeat(''x'', 1001))', 'OT005 argument "transaction_id" is too long. It has 1001 bytes, at most 1000 are allowed.'),
	('SELECT ordertrack.add_payment(%s, 1, idempotency_key => '''')', 'OT005 argument "idempotency_key" must not be empty.'),
	('SELECT ordertrack.add_payment(%s, 1, idempotency_key => repeat(''x'', 256))', 'OT005 argument "idempotency_key" is too long. It has 256 bytes, at most 255 are allowed.'),
	('SELECT ordertrack.add_payment(%s, 1, channel => repeat(''x'', 1001))', 'OT005 argument "channel" is too long. It has 1001 bytes, at most 1000 are allowed.'),
	('SELECT ordertrack.add_payment(%s, 1, actor => repeat(''x'', 1001))', 'OT005 argument "actor" is too long. It has 1001 bytes, at most 1000 are allowed.'),
	('SELECT ordertrack.add_payment(%s, 1, workspace => NULL)', 'OT005 argument "workspace" must not be null.'),
	('SELECT ordertrack.add_payment(%s, 1, workspace => -1)', 'OT002 workspace -1 does not exist.'),
	('SELECT ordertrack.add_payment(-1, 1)', 'OT001 order -1 does not exist.'),
	('SELECT ordertrack.create_refund(NULL, 1)', 'OT005 argument "order_id" must not be null.'),
	('SELECT ordertrack.create_refund(%s, NULL)', 'OT005 argument "amount" must not be null.'),
	('SELECT ordertrack.create_refund(%s, 0)', 'OT005 "amount" must be greater than zero.'),
	('SELECT ordertrack.create_refund(%s, 1, repeat(''x'', 1001))', 'OT005 argument "reason" is too long. It has 1001 bytes, at most 1000 are allowed.'),
	('SELECT ordertrack.create_refund(%s, 1, status => NULL)', 'OT005 argument "status" must not be null.'),
	('SELECT ordertrack.create_refund(%s, 1, status => ''credit'')', 'OT005 unknown payment status "credit". Statuses are pending, processed and failed.'),
	('SELECT ordertrack.create_refund(%s, 1, return_id => 0)', 'OT002 return 0 does not exist.'),
	('SELECT ordertrack.create_refund(%s, 1, return_id => -1)', 'OT002 return -1 does not exist.'),
	('SELECT ordertrack.create_refund(-1, 1)', 'OT001 order -1 does not exist.'),
	('SELECT ordertrack.create_refund(%s, 1, workspace => -1)', 'OT002 workspace -1 does not exist.'),
	('SELECT ordertrack.set_payment_status(NULL, ''failed'')', 'OT005 argument "payment_id" must not be null.'),
	('SELECT ordertrack.set_payment_status(1, NULL)', 'OT005 argument "status" must not be null.'),
	('SELECT ordertrack.set_payment_status(1, ''paid'')', 'OT005 unknown payment status "paid". Statuses are pending, processed and failed.'),
	('SELECT ordertrack.set_payment_status(-1, ''failed'')', 'OT002 payment -1 does not exist.'),
	('SELECT ordertrack.set_payment_status(1, ''failed'', workspace => -1)', 'OT002 workspace -1 does not exist.')) AS c (command, wanted);

-- Not by hand, not by the owner, not in replica mode, not by somebody's trigger.
SELECT ordertrack.create_order('{"amount":100}') AS o
\gset
SELECT ordertrack.add_payment(:o, 50, 'card', status => 'pending') AS p
\gset
CREATE TEMP TABLE guarded AS SELECT command, wanted FROM (VALUES
	('INSERT INTO ordertrack.payments SELECT * FROM ordertrack.payments', 'OT020 rows of table "payments" are written by ordertrack only. Use ordertrack.add_payment() and ordertrack.create_refund().'),
	('DELETE FROM ordertrack.payments', 'OT020 rows of table "payments" cannot be deleted. History refers to them.'),
	('TRUNCATE ordertrack.payments', 'OT020 rows of table "payments" cannot be deleted. History refers to them.')) AS g (command, wanted)
UNION ALL SELECT format('UPDATE ordertrack.payments SET %I = %s WHERE payment_id = %s', c, v, :p),
	format('OT020 column "%s" of table "payments" cannot be changed. History refers to it.', c)
  FROM (VALUES ('workspace_id', '7'), ('payment_id', '-7'), ('order_id', '7'), ('return_id', '7'), ('transaction_type', '''credit'''),
	('method', '''cash'''), ('amount', '51'), ('created_by', '''me'''), ('actor', '''me'''), ('channel', '''desk'''), ('created_at', 'now() - ''1 day''::interval')) AS c (c, v);
SELECT is(pg_temp.try(command), wanted, command) FROM guarded;
SET LOCAL session_replication_role = replica;
SELECT is(pg_temp.try(command), wanted, 'replica: ' || command) FROM guarded;
SET LOCAL session_replication_role = origin;
UPDATE ordertrack.payments SET updated_at = '2001-01-01', transaction_id = 'of the provider' WHERE payment_id = :p;
SELECT is((SELECT concat(updated_at >= created_at, ' ', transaction_id) FROM ordertrack.payments WHERE payment_id = :p), 't of the provider', 'updated_at is the trigger''s');
SELECT throws_ok(format('UPDATE ordertrack.payments SET status = %L WHERE payment_id = %s', status, :p), NULL, NULL, 'no status: ' || coalesce(status, 'NULL'))
  FROM unnest('{NULL,lost}'::text[]) AS status;
CREATE FUNCTION pg_temp.meddle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF current_setting('test.column') <> '' THEN
		NEW := jsonb_populate_record(NEW, jsonb_build_object(current_setting('test.column'), current_setting('test.value')));
	END IF;
	RETURN NEW;
END
$$;
CREATE TRIGGER zzz BEFORE INSERT OR UPDATE ON ordertrack.payments FOR EACH ROW EXECUTE FUNCTION pg_temp.meddle();
SELECT ordertrack.create_order('{"amount":100}') AS o2
\gset
SELECT is(pg_temp.try(format('SELECT set_config(''test.column'', %L, true), set_config(''test.value'', %L, true)', c, v)) || ' ' || pg_temp.try(format(command, :p, :o2)), c || ' ' || format(wanted, :p, :o2), format('a trigger makes %s %s: %s', c, v, command))
  FROM (VALUES ('amount', '51', 'SELECT ordertrack.set_payment_status(%s, ''processed'')', 'OT020 column "amount" of table "payments" cannot be changed. History refers to it.'),
	('order_id', '1', 'SELECT ordertrack.set_payment_status(%s, ''processed'')', 'OT020 column "order_id" of table "payments" cannot be changed. History refers to it.'),
	('transaction_type', 'credit', 'UPDATE ordertrack.payments SET status = ''processed'' WHERE payment_id = %s', 'OT020 column "transaction_type" of table "payments" cannot be changed. History refers to it.'),
	('transaction_type', 'credit', 'SELECT ordertrack.add_payment(%2$s, 5)', 'OT007 refund of 5 is more than is left of what order %2$s has paid. Paid is 0, refunded or to be refunded 0.'),
	('status', 'pending', 'UPDATE ordertrack.payments SET status = ''processed'' WHERE payment_id = %s RETURNING status', 'pending')) AS c (c, v, command, wanted);
SELECT is((SELECT note_count FROM ordertrack.orders WHERE order_id = :o), 2, 'and what it undid is not told');
DROP TRIGGER zzz ON ordertrack.payments;
SELECT throws_ok('SELECT ordertrack.payments_guard_status()', '39P01', NULL, 'guard_status is a trigger');
SELECT throws_ok('SELECT ordertrack.payments_write_history()', '39P01', NULL, 'write_history is a trigger');
-- A raw UPDATE of many.
SELECT ordertrack.add_payment(:o, 25, status => 'pending'), ordertrack.add_payment(:o, 25, status => 'pending')
\g /dev/null
UPDATE ordertrack.payments SET status = 'processed' WHERE order_id = :o;
SELECT is(pg_temp.status_of(:o) || ' ' || (SELECT string_agg(event_type, ' ' ORDER BY note_no) FROM ordertrack.order_notes WHERE order_id = :o AND note_no > 4),
	'paid payment_processed order_paid payment_processed payment_processed', 'three payments of an order in one UPDATE');

-- The lists.
SELECT ordertrack.create_order('{"amount":100,"source_id":"=P-1"}') AS o
\gset
SELECT ordertrack.add_payment(:o, 60, '+card', 'capture', transaction_id => '@t', channel => '-web', actor => '=bob') AS p,
	ordertrack.create_refund(:o, 10, '=broken', 'card') AS r
\gset
SELECT is((SELECT concat_ws('|', order_id = :o, order_source_id, transaction_type, method, amount, status, transaction_id, return_id, reason, created_by = session_user, actor, channel, updated_at = created_at)
	FROM ordertrack.payment_list WHERE payment_id = id), wanted, 'payment_list: ' || wanted) FROM (VALUES
	(:p, 't|=P-1|capture|+card|60|processed|@t|t|=bob|-web|t'), (:r, 't|=P-1|credit|card|10|processed|=broken|t|t')) AS l (id, wanted);
SELECT is((SELECT concat_ws('|', order_source_id, transaction_type, method, amount, transaction_id, reason, actor, channel)
	FROM ordertrack.export_payments WHERE payment_id = id), wanted, 'export_payments: ' || wanted) FROM (VALUES
	(:p, '''=P-1|capture|''+card|60|''@t|''=bob|''-web'), (:r, '''=P-1|credit|card|10|''=broken')) AS l (id, wanted);
SELECT is_empty('SELECT v.* FROM ordertrack.orders AS o CROSS JOIN LATERAL ordertrack.verify_order(o.order_id, o.workspace_id) AS v
	WHERE o.total_amount <> 70', 'all histories verify');

-- Filters and paging use the indexes, on many rows.
ALTER TABLE ordertrack.payments DISABLE TRIGGER USER;
INSERT INTO ordertrack.payments (workspace_id, order_id, transaction_type, amount, status, created_by, created_at, updated_at)
SELECT 1, n / 3, 'sale', 1, CASE WHEN n % 100 = 0 THEN 'pending' ELSE 'processed' END, 'me', now() - n * '1 min'::interval, now() FROM generate_series(1, 30000) AS n;
SELECT ordertrack.arm_triggers()
\g /dev/null
SELECT is_empty('SELECT * FROM ordertrack.unarmed_triggers()', 'the guards are armed again');
ANALYZE ordertrack.payments;
CREATE FUNCTION pg_temp.plan(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	line text;
	plan text := '';
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS off) ' || query LOOP
		plan := plan || line || E'\n';
	END LOOP;
	RETURN plan;
END
$$;
SELECT ok(plan ~ ('Scan (Backward )?(using|on) ' || index) AND plan !~ 'Seq Scan on payments', format('%s: %s', v, filter) || CASE WHEN plan ~ index THEN '' ELSE E'\n' || plan END)
  FROM (VALUES
	('created_at > now() - ''1 hour''::interval', 'payments_created_at_idx'),
	('(created_at, payment_id) < (now() - ''1 hour''::interval, 5) ORDER BY created_at DESC, payment_id DESC LIMIT 20', 'payments_created_at_idx'),
	('status = ''pending'' ORDER BY created_at DESC, payment_id DESC LIMIT 20', 'payments_status_idx'),
	('order_id = 7', 'payments_order_id_idx'), ('payment_id = 7', 'payments_pkey')) AS f (filter, index)
 CROSS JOIN (VALUES ('payment_list'), ('export_payments')) AS t (v)
 CROSS JOIN LATERAL pg_temp.plan(format('SELECT * FROM ordertrack.%I WHERE workspace_id = 1 AND %s', v, filter)) AS plan;

SELECT * FROM finish();
ROLLBACK;

-- The triggers of orders beside triggers of others: history stays right, or
-- the change is refused.
BEGIN;
SELECT plan(24);

CREATE FUNCTION pg_temp.status_of(bigint) RETURNS text LANGUAGE sql
	AS 'SELECT status FROM ordertrack.order_list WHERE order_id = $1';
CREATE FUNCTION pg_temp.events(bigint) RETURNS text LANGUAGE sql AS
	$$ SELECT string_agg(event_type, ' ' ORDER BY note_no) FROM ordertrack.order_history($1) $$;
SELECT ordertrack.create_order('{"amount": 500}') AS o \gset

-- A trigger that keeps updated_at, as half of all schemas have one.
CREATE FUNCTION public.touch() RETURNS trigger LANGUAGE plpgsql AS
	$$ BEGIN new.updated_at := '2020-02-02'; RETURN new; END $$;
CREATE TRIGGER zz_touch BEFORE UPDATE ON ordertrack.orders
	FOR EACH ROW EXECUTE FUNCTION public.touch();
SELECT is(ordertrack.set_order_status(:o, 'paid'), 'created', 'a status changes beside a trigger that sets updated_at');
SELECT is(ordertrack.add_note(:o, 'a note'), 3, 'a note is added beside it');
SELECT is_empty(format('SELECT * FROM ordertrack.verify_order(%s)', :o), 'and the history verifies');
DROP TRIGGER zz_touch ON ordertrack.orders;

-- A raw updated_at does not date the history.
UPDATE ordertrack.orders SET updated_at = '2199-01-01' WHERE order_id = :o;
SELECT is(ordertrack.set_order_status(:o, 'in_progress'), 'paid', 'a status changes after updated_at was set to the future');
SELECT ok(created_at < now() + interval '1 day', 'and its note has the time of the server')
  FROM ordertrack.order_history(:o) WHERE note_no = 4;
SELECT throws_ok(format('UPDATE ordertrack.orders SET noted_at = now() WHERE order_id = %s', :o),
	'OT020', NULL, 'the time of the newest note cannot be set');

-- A trigger that updates the row again is a change of its own.
CREATE FUNCTION public.again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF pg_trigger_depth() < 3 THEN
		UPDATE ordertrack.orders SET metadata = '{"again": true}' WHERE order_id = new.order_id;
	END IF;
	RETURN NULL;
END $$;
CREATE TRIGGER zz_again AFTER UPDATE ON ordertrack.orders
	FOR EACH ROW EXECUTE FUNCTION public.again();
SELECT is(ordertrack.add_note(:o, 'once'), 5, 'a note is added beside a trigger that updates the row again');
SELECT is(pg_temp.events(:o), 'order_created order_paid none order_in_progress none', 'and written once');
SELECT is_empty(format('SELECT * FROM ordertrack.verify_order(%s)', :o), 'and the history verifies');
DROP TRIGGER zz_again ON ordertrack.orders;

-- A trigger after the guard cannot change what the guard looked at.
CREATE FUNCTION public.cheat_status() RETURNS trigger LANGUAGE plpgsql AS
	$$ BEGIN new.status := 'created'; RETURN new; END $$;
CREATE TRIGGER zz_cheat BEFORE UPDATE ON ordertrack.orders
	FOR EACH ROW EXECUTE FUNCTION public.cheat_status();
SELECT throws_ok(format('UPDATE ordertrack.orders SET metadata = ''{}'' WHERE order_id = %s', :o),
	'OT020', NULL, 'a status set behind the guard is refused');
DROP TRIGGER zz_cheat ON ordertrack.orders;
CREATE FUNCTION public.cheat_key() RETURNS trigger LANGUAGE plpgsql AS
	$$ BEGIN new.order_id := new.order_id + 1000000; RETURN new; END $$;
CREATE TRIGGER zz_cheat BEFORE UPDATE ON ordertrack.orders
	FOR EACH ROW EXECUTE FUNCTION public.cheat_key();
SELECT throws_ok(format('UPDATE ordertrack.orders SET metadata = ''{}'' WHERE order_id = %s', :o),
	'OT020', NULL, 'a key set behind the guard is refused');
DROP TRIGGER zz_cheat ON ordertrack.orders;
SELECT is(pg_temp.status_of(:o), 'in_progress', 'and the order is as it was');

-- What somebody's trigger suppresses is an error, not a success without a row.
CREATE FUNCTION public.swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
SELECT ordertrack.create_voucher('ANY', '{"type": "amount", "amount_off": 1}');
CREATE TRIGGER aa_swallow BEFORE INSERT ON ordertrack.redemptions
	FOR EACH ROW EXECUTE FUNCTION public.swallow();
SELECT throws_ok($$ SELECT ordertrack.redeem('ANY') $$, '09000', NULL, 'a suppressed record is an error');
DROP TRIGGER aa_swallow ON ordertrack.redemptions;
CREATE TRIGGER aa_swallow BEFORE INSERT ON ordertrack.orders
	FOR EACH ROW EXECUTE FUNCTION public.swallow();
SELECT throws_ok($$ SELECT ordertrack.create_order('{}') $$, '09000', NULL, 'a suppressed order is an error');
DROP TRIGGER aa_swallow ON ordertrack.orders;

-- Orders that somebody's trigger inserts meanwhile are looked at like any other.
CREATE FUNCTION public.insert_other() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF pg_trigger_depth() = 1 THEN
		INSERT INTO ordertrack.orders (workspace_id, status, note_count) VALUES (1, 'created', TG_ARGV[0]::integer);
	END IF;
	RETURN NEW;
END
$$;
CREATE TRIGGER aa_other BEFORE INSERT ON ordertrack.orders FOR EACH ROW EXECUTE FUNCTION public.insert_other(0);
CREATE TRIGGER ab_other AFTER INSERT ON ordertrack.orders FOR EACH ROW EXECUTE FUNCTION public.insert_other(0);
SELECT is(result, 'success', 'a trigger may insert other orders') FROM ordertrack.redeem('ANY', 'nest', '{"amount": 9}');
DROP TRIGGER ab_other ON ordertrack.orders;
CREATE TRIGGER ab_other AFTER INSERT ON ordertrack.orders FOR EACH ROW EXECUTE FUNCTION public.insert_other(1);
SELECT throws_ok($$ SELECT ordertrack.redeem('ANY', 'nest', '{"amount": 9}') $$, 'OT020', NULL, 'which can forge no head');
DROP TRIGGER aa_other ON ordertrack.orders;
DROP TRIGGER ab_other ON ordertrack.orders;
CREATE FUNCTION public.insert_same() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF pg_trigger_depth() = 1 THEN
		INSERT INTO ordertrack.orders SELECT NEW.*;
	END IF;
	RETURN NEW;
END
$$;
CREATE TRIGGER aa_same BEFORE INSERT ON ordertrack.orders FOR EACH ROW EXECUTE FUNCTION public.insert_same();
SELECT throws_ok($$ SELECT ordertrack.redeem('ANY', 'nest', '{"amount": 9}') $$, '23505', NULL, 'nor be ours');
SELECT throws_ok($$ SELECT ordertrack.redeem('ANY', 'nest', '{"source_id": "nest", "amount": 9}') $$, '09000', NULL,
	'also where a source_id may be taken');
DROP TRIGGER aa_same ON ordertrack.orders;

SELECT ordertrack.create_voucher('LINES', '{"type":"amount","amount_off":1,"effect":"apply_to_items"}');
SELECT redemption_id AS given FROM ordertrack.redeem('LINES', order_data => '{"items":[{"quantity":1,"price":9}]}')
\gset
CREATE TRIGGER aa_swallow BEFORE INSERT ON ordertrack.redemption_items
	FOR EACH ROW EXECUTE FUNCTION public.swallow();
SELECT throws_ok($$ SELECT ordertrack.redeem('LINES', order_data => '{"items":[{"quantity":1,"price":9}]}') $$, '09000', NULL,
	'so is what was given on lines');
SELECT throws_ok(format('SELECT ordertrack.rollback_redemption(%s)', :given), '09000', NULL, 'and what is taken back');
DROP TRIGGER aa_swallow ON ordertrack.redemption_items;
CREATE TRIGGER aa_swallow BEFORE UPDATE ON ordertrack.order_items
	FOR EACH ROW EXECUTE FUNCTION public.swallow();
SELECT throws_ok($$ SELECT ordertrack.redeem('LINES', order_data => '{"items":[{"quantity":1,"price":9}]}') $$, '09000', NULL,
	'and a suppressed line');
DROP TRIGGER aa_swallow ON ordertrack.order_items;
DELETE FROM ordertrack.order_items WHERE order_id = (SELECT max(order_id) FROM ordertrack.orders);
SELECT is(result, 'success', 'a line that is missing does not stop a rollback')
  FROM ordertrack.rollback_redemption(:given);

-- Back from a hold to created is not a second creation.
SELECT ordertrack.create_order('{"amount": 1}') AS held \gset
SELECT ordertrack.set_order_status(:held, 'on_hold'), ordertrack.set_order_status(:held, 'created');
SELECT is(pg_temp.events(:held), 'order_created order_on_hold order_released', 'a release to created has an event of its own');

-- Sums of a customer stay in 64 bits.
SELECT ordertrack.redeem('ANY', 'rich', '{"amount": 9223372036854775807}');
SELECT is(failure_code, 'invalid_amount', 'an order that a customer''s sum cannot hold is refused')
  FROM ordertrack.redeem('ANY', 'rich', '{"amount": 9223372036854775807}');

SELECT * FROM finish();
ROLLBACK;

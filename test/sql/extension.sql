-- The extension: created, set up, dropped and created again over its tables.
\set SHOW_CONTEXT never
SET client_min_messages = warning;

-- Functions need setup().
CREATE EXTENSION ordertrack;
SELECT result FROM ordertrack.redeem('SUMMER');
\echo :SQLSTATE
SELECT result FROM ordertrack.validate('SUMMER');
\echo :SQLSTATE
SELECT ordertrack.create_voucher('SUMMER', '{"type": "amount", "amount_off": 100}');
\echo :SQLSTATE
SELECT ordertrack.create_order('{"amount": 500}');
\echo :SQLSTATE
SELECT ordertrack.grant_access('app', current_user);
\echo :SQLSTATE

-- setup() says what it did, and a second one has nothing to do. (N stands for
-- the tables' version here.)
SELECT regexp_replace(ordertrack.setup(), '[1-9]\d*', 'N', 'g') AS setup;
SELECT regexp_replace(ordertrack.setup(), '[1-9]\d*', 'N', 'g') AS setup;
SELECT relkind, relname FROM pg_class WHERE relnamespace = 'ordertrack'::regnamespace AND relkind IN ('r', 'v') ORDER BY 1, 2;
SELECT workspace_id, name, time_zone FROM ordertrack.workspaces;
SELECT entity, coalesce(from_status, '(new)') AS from_status, string_agg(to_status, ', ' ORDER BY to_status) AS to_status
  FROM ordertrack.status_transitions GROUP BY entity, from_status ORDER BY 1, 2;

-- What is in the tables stays, whatever happens to the extension.
SELECT ordertrack.create_voucher('SUMMER', '{"type": "amount", "amount_off": 100}') IS NOT NULL AS created;
SELECT result, amount, discount_amount FROM ordertrack.redeem('SUMMER', 'anna', '{"source_id": "A-1", "amount": 500}');
SELECT ordertrack.setup() \g /dev/null
SELECT count(*) FROM ordertrack.redemptions;

-- DROP EXTENSION refuses, because the triggers need it.
\set VERBOSITY terse
DROP EXTENSION ordertrack;
\echo :SQLSTATE
\set VERBOSITY default
-- With CASCADE, triggers go and tables, views and rows stay.
DROP EXTENSION ordertrack CASCADE;
SELECT tgrelid::regclass, tgname FROM pg_trigger WHERE NOT tgisinternal AND tgrelid::regclass::text LIKE 'ordertrack.%';
SELECT count(*) > 0 AS has_functions FROM pg_proc WHERE pronamespace = 'ordertrack'::regnamespace;
SELECT source_id, status, discount_amount, note_count FROM ordertrack.order_list;
SELECT code, customer, state FROM ordertrack.redemption_list;

-- CREATE EXTENSION and setup() take the tables on again, and the history holds.
CREATE EXTENSION ordertrack;
SELECT problem, detail FROM ordertrack.verify_order(1) WHERE detail ~ 'order_notes';
SELECT regexp_replace(ordertrack.setup(), '[1-9]\d*', 'N', 'g') AS setup;
SELECT count(*) AS armed FROM pg_trigger WHERE tgrelid = 'ordertrack.order_notes'::regclass AND tgenabled = 'A';
SELECT * FROM ordertrack.verify_order(1);
SELECT result, amount, discount_amount FROM ordertrack.redeem('SUMMER', 'anna', '{"source_id": "A-1"}');
SELECT * FROM ordertrack.verify_order(1);
DELETE FROM ordertrack.redemptions;
\echo :SQLSTATE

-- setup() repairs triggers that were disabled, altered or dropped.
ALTER TABLE ordertrack.redemptions DISABLE TRIGGER redemptions_guard_history;
ALTER TABLE ordertrack.orders ENABLE TRIGGER orders_guard_status;
DROP TRIGGER order_notes_guard_truncate ON ordertrack.order_notes;
DROP TRIGGER vouchers_guard_parent ON ordertrack.vouchers;
CREATE TRIGGER vouchers_guard_parent BEFORE DELETE ON ordertrack.vouchers
	FOR EACH ROW WHEN (false) EXECUTE FUNCTION ordertrack.guard_parent();
SELECT problem, detail FROM ordertrack.verify_order(1);
SELECT ordertrack.setup() \g /dev/null
SELECT problem, detail FROM ordertrack.verify_order(1);

-- It takes tables of a newer version for what they are.
UPDATE ordertrack.installation SET tables_version = 1000;
CREATE FUNCTION public.refusal(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	hint text;
BEGIN
	EXECUTE statement;
EXCEPTION WHEN SQLSTATE 'OT030' THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
	RETURN regexp_replace(SQLERRM, '\m\d{1,3}\M', 'N') || ' / ' || hint;
END
$$;
SELECT public.refusal('SELECT ordertrack.setup()');
-- A library that finds them says so, too. (It looks once in a session.)
\c
SET client_min_messages = warning;
SELECT public.refusal('SELECT ordertrack.redeem(''SUMMER'')');
DROP FUNCTION public.refusal;
DROP SCHEMA ordertrack CASCADE;

-- Without seed rows: the tables wait for the rows of a data-only restore.
CREATE EXTENSION ordertrack;
SELECT ordertrack.setup(seed => false) IS NOT NULL AS is_set_up;
SELECT count(*) FROM ordertrack.workspaces;
SELECT count(*) FROM ordertrack.status_transitions;
SELECT result FROM ordertrack.redeem('SUMMER');
\echo :SQLSTATE
INSERT INTO ordertrack.workspaces (workspace_id, name) VALUES (1, 'restored');
SELECT ordertrack.setup() \g /dev/null
SELECT workspace_id, name FROM ordertrack.workspaces;
SELECT count(*) > 0 AS has_transitions FROM ordertrack.status_transitions;
SELECT result, failure_code FROM ordertrack.redeem('SUMMER');
DROP SCHEMA ordertrack CASCADE;

-- A schema of another role is refused, by CREATE EXTENSION and by setup().
CREATE ROLE regress_ordertrack_other;
CREATE SCHEMA ordertrack AUTHORIZATION regress_ordertrack_other;
CREATE EXTENSION ordertrack;
\echo :SQLSTATE
ALTER SCHEMA ordertrack OWNER TO CURRENT_USER;
CREATE EXTENSION ordertrack;
ALTER SCHEMA ordertrack OWNER TO regress_ordertrack_other;
SELECT ordertrack.setup();
\echo :SQLSTATE
ALTER SCHEMA ordertrack OWNER TO CURRENT_USER;
SELECT ordertrack.setup() IS NOT NULL AS is_set_up;
-- This session has redeemed before, in tables and with domains that are gone.
SELECT result, failure_code FROM ordertrack.redeem('SUMMER');

-- It is fixed to its schema.
CREATE SCHEMA regress_ordertrack_elsewhere;
ALTER EXTENSION ordertrack SET SCHEMA regress_ordertrack_elsewhere;
\echo :SQLSTATE
DROP SCHEMA regress_ordertrack_elsewhere;
DROP SCHEMA ordertrack CASCADE;
DROP ROLE regress_ordertrack_other;

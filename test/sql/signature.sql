-- The public contract: names, parameters with their defaults, and results.
SET client_min_messages = warning;
CREATE EXTENSION ordertrack;
\pset format unaligned
SELECT p.proname AS function, pg_get_function_arguments(p.oid) AS arguments,
	pg_get_function_result(p.oid) AS result
  FROM pg_proc AS p
 WHERE p.pronamespace = 'ordertrack'::regnamespace AND p.proname !~ '^setup_'
 ORDER BY p.proname;
-- Everything that ships is plain ASCII, for a database of any encoding.
\pset format aligned
CREATE DATABASE regress_ordertrack_euc ENCODING 'EUC_JP' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0;
\c regress_ordertrack_euc
SET client_min_messages = warning;
CREATE EXTENSION ordertrack;
SELECT ordertrack.setup() IS NOT NULL AS is_set_up;
SELECT result FROM ordertrack.redeem('NONE');
\c contrib_regression
SET client_min_messages = warning;
DROP DATABASE regress_ordertrack_euc;
DROP SCHEMA ordertrack CASCADE;

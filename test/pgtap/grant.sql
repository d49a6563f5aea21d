-- grant_access and revoke_access.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT * FROM no_plan();

CREATE ROLE "tap one";
CREATE ROLE "Tap ""; DROP SCHEMA ordertrack CASCADE; --";
CREATE ROLE tap_gone;
CREATE FUNCTION pg_temp.open_to(role text) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', (SELECT count(DISTINCT proname) FROM pg_proc WHERE pronamespace = 'ordertrack'::regnamespace
		AND has_function_privilege(role, oid, 'EXECUTE')),
		(SELECT count(*) FROM pg_class WHERE relnamespace = 'ordertrack'::regnamespace AND relkind IN ('r', 'v')
			AND has_table_privilege(role, oid, 'SELECT')),
		has_schema_privilege(role, 'ordertrack', 'USAGE')::text)
$$;
CREATE FUNCTION pg_temp.opened_by(kinds text[]) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', count(DISTINCT object_name) FILTER (WHERE object_type = 'function'),
		count(DISTINCT object_name) FILTER (WHERE object_type = 'view'),
		(cardinality(kinds) > 0)::text) FROM ordertrack.access_rights() WHERE kind = ANY (kinds)
$$;
CREATE FUNCTION pg_temp.run(command text, role text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE command;
	RETURN pg_temp.open_to(role);
END
$$;

SELECT is(pg_temp.run(format('SELECT ordertrack.%s_access(%L, %L)', verb, kind, role), role),
	pg_temp.opened_by(kinds), format('%s: %s %s', role, verb, kind)) FROM (VALUES
	(1, 'grant', 'app', '{app}'::text[]), (2, 'grant', 'app', '{app}'),
	(3, 'grant', 'support', '{app,support}'), (4, 'grant', 'auditor', '{app,support,auditor}'),
	(5, 'revoke', 'admin', '{app,support,auditor}'), (6, 'revoke', 'app', '{support,auditor}'),
	(7, 'revoke', 'app', '{support,auditor}'),
	(8, 'grant', 'admin', '{support,auditor,admin}'), (9, 'revoke', 'support', '{auditor,admin}'),
	(10, 'revoke', 'admin', '{auditor}'), (11, 'revoke', 'auditor', '{}')
  ) AS c (n, verb, kind, kinds), unnest(ARRAY['tap one', 'Tap "; DROP SCHEMA ordertrack CASCADE; --']) AS role
	ORDER BY role, n;
SELECT has_schema('ordertrack', 'the schema is still there');
SELECT is_empty('SELECT * FROM ordertrack.access_grants', 'nothing is remembered of what was taken back');

SELECT throws_ok('SELECT ordertrack.' || call, code, NULL, call) FROM (VALUES
	('grant_access(''root'', ''tap one'')', 'OT005'), ('grant_access(NULL, ''tap one'')', 'OT005'),
	('grant_access('''', ''tap one'')', 'OT005'), ('grant_access(''App'', ''tap one'')', 'OT005'),
	('grant_access(''app'', NULL)', 'OT005'), ('grant_access(''app'', '''')', 'OT005'),
	('grant_access(''app'', ''tap none'')', '42704'), ('grant_access(''app'', ''TAP ONE'')', '42704'),
	('grant_access(''app'', ''public'')', '42704'), ('grant_access(''app'', ''PUBLIC'')', '42704'),
	('grant_access(''app'', repeat(''x'', 1000000))', 'OT005'),
	('revoke_access(''root'', ''tap one'')', 'OT005'), ('revoke_access(''app'', ''tap none'')', '42704'),
	('revoke_access(NULL, NULL)', 'OT005')) AS c (call, code);
SELECT is_empty('SELECT * FROM ordertrack.access_grants', 'what is refused is not remembered');

-- setup() grants again what was remembered, and takes back what was not.
SELECT ordertrack.grant_access('auditor', 'tap one')
\g /dev/null
SELECT is(kind || ' ' || role_name || ' ' || (granted_by = session_user) || ' ' ||
	(created_at <= clock_timestamp()), 'auditor tap one true true', 'remembered, with who granted it')
		FROM ordertrack.access_grants;
REVOKE ALL ON ALL TABLES IN SCHEMA ordertrack FROM "tap one";
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA ordertrack FROM "tap one";
REVOKE ALL ON SCHEMA ordertrack FROM "tap one";
SELECT is(pg_temp.open_to('tap one'), '0 0 false', 'taken away by hand');
GRANT EXECUTE ON FUNCTION ordertrack.redeem TO "tap one";
SELECT is(pg_temp.run('SELECT ordertrack.setup()', 'tap one'), pg_temp.opened_by('{auditor}'),
	'given again by setup(), and nothing else');

-- A role that was dropped does not stop setup(), and its name opens nothing later.
SELECT ordertrack.grant_access('admin', 'tap_gone')
\g /dev/null
DROP OWNED BY tap_gone;
DROP ROLE tap_gone;
SELECT lives_ok('SELECT ordertrack.setup()', 'setup() without a role that was granted');
SELECT lives_ok('SELECT ordertrack.revoke_access(''admin'', ''tap_gone'')', 'and it can be forgotten');
SELECT lives_ok('SELECT ordertrack.setup()', 'then setup() works, too');
SELECT is_empty('SELECT * FROM ordertrack.access_grants WHERE role_name = ''tap_gone''', 'it is forgotten');

-- Who may not grant: everybody but the owner.
CREATE ROLE tap_stranger;
GRANT USAGE ON SCHEMA ordertrack TO tap_stranger;
SELECT ordertrack.grant_access('admin', 'tap_stranger')
\g /dev/null
CREATE FUNCTION pg_temp.as_stranger(command text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	SET LOCAL ROLE tap_stranger;
	EXECUTE command;
	RESET ROLE;
	RETURN 'done';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END
$$;
SELECT is(pg_temp.as_stranger(command), '42501', 'an admin: ' || command)
  FROM unnest(ARRAY['SELECT ordertrack.grant_access(''auditor'', ''tap_stranger'')',
	'SELECT ordertrack.revoke_access(''auditor'', ''tap one'')',
	'SELECT ordertrack.apply_access(''tap_stranger'')', 'SELECT ordertrack.arm_triggers()',
	'ALTER TABLE ordertrack.order_notes DISABLE TRIGGER ALL', 'CREATE TABLE ordertrack.x ()',
	'DROP TABLE ordertrack.order_notes', 'LOCK TABLE ordertrack.orders IN ACCESS EXCLUSIVE MODE']) AS command;

-- Access is remembered by name; a renamed role can be closed by its new one.
CREATE ROLE tap_old_name;
SELECT ordertrack.grant_access('admin', 'tap_old_name');
ALTER ROLE tap_old_name RENAME TO tap_new_name;
SELECT is(pg_temp.run($$SELECT ordertrack.revoke_access('admin', 'tap_new_name')$$, 'tap_new_name'),
	pg_temp.opened_by('{}'), 'a renamed role is left with nothing');

SELECT * FROM finish();
ROLLBACK;

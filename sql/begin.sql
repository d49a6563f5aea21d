-- ordertrack installs functions and composite types only; tables, views and
-- triggers are made by SELECT ordertrack.setup() and belong to the user.
\echo Use "CREATE EXTENSION ordertrack" to load this file. \quit

-- The owner of a schema can drop what is in it, so it must be one of ours.
DO $$
BEGIN
	IF NOT EXISTS (
		SELECT FROM pg_catalog.pg_namespace AS n
		  JOIN pg_catalog.pg_roles AS r ON r.oid OPERATOR(pg_catalog.=) n.nspowner
		 WHERE n.nspname OPERATOR(pg_catalog.=) 'ordertrack'
		   AND (r.rolsuper OR r.rolname OPERATOR(pg_catalog.=) current_user))
	THEN
		RAISE EXCEPTION 'schema "ordertrack" is owned by another role'
			USING ERRCODE = 'insufficient_privilege',
				  HINT = 'Drop the schema, or give it to a superuser, before CREATE EXTENSION.';
	END IF;
END
$$;

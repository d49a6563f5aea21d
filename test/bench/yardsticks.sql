-- The yardsticks' tables: copies of the real ones with their types, CHECKs,
-- indexes and rows. bench_a has the natural foreign keys, bench_b and bench_d have
-- none, and bench_c, for the function of plpgsql.sql, has those of bench_a.
SET client_min_messages = warning;
CREATE SCHEMA bench;

CREATE FUNCTION bench.copy_tables(copies text) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
	t record;
BEGIN
	EXECUTE format('CREATE SCHEMA %I', copies);
	FOR t IN
		SELECT c.relname AS name, array_to_string(c.reloptions, ', ') AS options,
			(SELECT a.attname FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attidentity <> '') AS id
		  FROM pg_class AS c
		 WHERE c.oid IN ('ordertrack.workspaces'::regclass, 'ordertrack.customers'::regclass,
			'ordertrack.campaigns'::regclass, 'ordertrack.vouchers'::regclass, 'ordertrack.orders'::regclass,
			'ordertrack.order_items'::regclass, 'ordertrack.order_notes'::regclass, 'ordertrack.redemptions'::regclass)
	LOOP
		EXECUTE format('CREATE TABLE %1$I.%2$I (LIKE ordertrack.%2$I INCLUDING ALL)', copies, t.name);
		IF t.options IS NOT NULL THEN
			EXECUTE format('ALTER TABLE %I.%I SET (%s)', copies, t.name, t.options);
		END IF;
		EXECUTE format('INSERT INTO %1$I.%2$I SELECT * FROM ordertrack.%2$I', copies, t.name);
		IF t.id IS NOT NULL THEN
			EXECUTE format('SELECT setval(pg_get_serial_sequence(%L, %L), max(%I)) FROM %I.%I',
				format('%I.%I', copies, t.name), t.id, t.id, copies, t.name);
		END IF;
	END LOOP;
END
$$;

CREATE FUNCTION bench.add_foreign_keys(copies text) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	PERFORM set_config('search_path', copies, true);
	ALTER TABLE customers ADD FOREIGN KEY (workspace_id) REFERENCES workspaces;
	ALTER TABLE campaigns ADD FOREIGN KEY (workspace_id) REFERENCES workspaces;
	ALTER TABLE vouchers ADD FOREIGN KEY (workspace_id) REFERENCES workspaces,
		ADD FOREIGN KEY (workspace_id, campaign_id) REFERENCES campaigns;
	ALTER TABLE orders ADD FOREIGN KEY (workspace_id) REFERENCES workspaces,
		ADD FOREIGN KEY (workspace_id, customer_id) REFERENCES customers;
	ALTER TABLE order_items ADD FOREIGN KEY (workspace_id, order_id) REFERENCES orders;
	ALTER TABLE order_notes ADD FOREIGN KEY (workspace_id, order_id) REFERENCES orders;
	ALTER TABLE redemptions ADD FOREIGN KEY (workspace_id) REFERENCES workspaces,
		ADD FOREIGN KEY (workspace_id, voucher_id) REFERENCES vouchers,
		ADD FOREIGN KEY (workspace_id, campaign_id) REFERENCES campaigns,
		ADD FOREIGN KEY (workspace_id, customer_id) REFERENCES customers,
		ADD FOREIGN KEY (workspace_id, order_id) REFERENCES orders,
		ADD FOREIGN KEY (workspace_id, rollback_of) REFERENCES redemptions;
END
$$;

SELECT bench.copy_tables('bench_a');
SELECT bench.copy_tables('bench_b');
SELECT bench.copy_tables('bench_c');
SELECT bench.copy_tables('bench_d');
SELECT bench.add_foreign_keys('bench_a');
SELECT bench.add_foreign_keys('bench_c');

-- What the newest rows of the yardsticks do not have as redeem's have it: the
-- same columns filled, in as many rows.
CREATE FUNCTION bench.differences() RETURNS SETOF text
LANGUAGE plpgsql
AS $$
DECLARE
	copies text;
	name text;
	filled CONSTANT text := $sql$
		SELECT string_agg(DISTINCT field.key, ' ' ORDER BY field.key) || ' * ' || count(DISTINCT t.ctid)
		  FROM %1$I.%2$I AS t, jsonb_each(to_jsonb(t)) AS field
		 WHERE t.order_id = (SELECT max(order_id) FROM %1$I.orders) AND field.value <> 'null'$sql$;
	real text;
	copied text;
BEGIN
	FOREACH copies IN ARRAY ARRAY['bench_a', 'bench_b', 'bench_c', 'bench_d'] LOOP
		FOREACH name IN ARRAY ARRAY['orders', 'order_items', 'order_notes', 'redemptions'] LOOP
			EXECUTE format(filled, 'ordertrack', name) INTO real;
			EXECUTE format(filled, copies, name) INTO copied;
			IF copied IS DISTINCT FROM real THEN
				RETURN NEXT format('%s.%s: %s; redeem: %s', copies, name, copied, real);
			END IF;
		END LOOP;
	END LOOP;
END
$$;

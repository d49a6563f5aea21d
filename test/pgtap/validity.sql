-- Recurring validity: windows of days and hours in the workspace's time zone.
BEGIN;
SELECT * FROM no_plan();

-- What it means, told once more: is this local time in one of the windows?
CREATE FUNCTION pg_temp.covers(windows jsonb, local timestamp) RETURNS boolean LANGUAGE sql AS $$
	SELECT bool_or(CASE WHEN starts < ends OR ends = '00:00' THEN at >= starts AND (at < ends OR ends = '00:00') AND days ? today
			ELSE at >= starts AND days ? today OR at < ends AND days ? yesterday END)
	  FROM (SELECT local::time AS at, extract(dow FROM local)::text AS today,
			extract(dow FROM local - interval '1 day')::text AS yesterday) AS t,
		(SELECT coalesce(nullif(w ->> 'start_time', '')::time, '00:00') AS starts,
			coalesce(nullif(w ->> 'expiration_time', '')::time, '00:00') AS ends,
			coalesce((SELECT jsonb_agg(d) FROM jsonb_array_elements_text(w -> 'days_of_week') AS d),
				'["0","1","2","3","4","5","6"]') AS days
		   FROM jsonb_array_elements(windows) AS w) AS w
$$;

-- At any moment it is every hour of the day somewhere, and two days of the week.
-- So each window is met at all of them, whenever this test runs.
CREATE TEMP TABLE zones AS SELECT zone, ordertrack.create_workspace(zone, zone) AS workspace
  FROM (SELECT 'Etc/GMT' || to_char(h, 'FMS90') FROM generate_series(-14, 12) AS h
	UNION ALL SELECT unnest('{America/New_York,Europe/Berlin,Asia/Kathmandu,Australia/Lord_Howe,Africa/Casablanca}'::text[])) AS z (zone)
 WHERE zone <> 'Etc/GMT+0';
CREATE TEMP TABLE windows AS SELECT row_number() OVER () AS n, w::jsonb AS w FROM (
	SELECT unnest(ARRAY['[{"start_time":"09:00","expiration_time":"17:00"}]', '[{"start_time":"22:00","expiration_time":"06:00"}]',
		'[{"start_time":"12:00"}]', '[{"expiration_time":"12:00"}]', '[{"start_time":"12:00","expiration_time":""}]',
		'[{"start_time":"18:30","expiration_time":"00:00"}]', '[{"start_time":"00:00","expiration_time":"00:01"},{"start_time":"23:59"}]',
		'[{"days_of_week":[0,6]}]', '[{"days_of_week":[1,3,5],"start_time":"20:00","expiration_time":"08:00"},{"days_of_week":[0,2,4,6],"start_time":"10:15","expiration_time":"10:45"}]'])
	UNION ALL SELECT format('[{"days_of_week":[%s]}]', d) FROM generate_series(0, 6) AS d
	UNION ALL SELECT format('[{"days_of_week":[%s],"start_time":"15:00","expiration_time":"14:00"}]', d) FROM generate_series(0, 6) AS d) AS all_of_them (w);
SELECT ordertrack.create_voucher('W' || n, '{"type":"amount","amount_off":1}', validity_hours => w, workspace => workspace)
  FROM windows, zones
\g /dev/null
-- A minute that ends meanwhile may go either way.
CREATE TEMP TABLE seen AS SELECT zone, w, v.failure_code, pg_temp.covers(w, t.before AT TIME ZONE zone) AS covered,
	pg_temp.covers(w, clock_timestamp() AT TIME ZONE zone) AS covered_after
  FROM windows CROSS JOIN zones CROSS JOIN LATERAL (SELECT clock_timestamp() AS before, n) AS t
 CROSS JOIN LATERAL ordertrack.validate('W' || t.n, workspace => workspace) AS v;
SELECT is(string_agg(zone, ', ') FILTER (WHERE failure_code IS DISTINCT FROM CASE WHEN NOT covered THEN 'voucher_not_active_now' END),
	NULL, format('in %s time zones: %s', count(*), w))
  FROM seen WHERE covered = covered_after GROUP BY w;
SELECT is(count(DISTINCT covered), 2::bigint, 'both answers were seen') FROM seen;

-- Codes and campaigns, each alone and both: all of them have to be open.
CREATE FUNCTION pg_temp.day(is_today boolean) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_array(jsonb_build_object('days_of_week', (SELECT jsonb_agg(d) FROM generate_series(0, 6) AS d
		WHERE (d IN (t, (t + 1) % 7)) = is_today)))
	  FROM CAST(extract(dow FROM clock_timestamp() AT TIME ZONE 'UTC') AS int) AS t
$$;
SELECT ordertrack.create_campaign('open', validity_hours => pg_temp.day(true)), ordertrack.create_campaign('shut', validity_hours => pg_temp.day(false))
\g /dev/null
SELECT ordertrack.create_voucher(v || ' in ' || c, '{"type":"amount","amount_off":1}', campaign => nullif(c, 'none'), redemption_limit => 1,
	validity_hours => CASE v WHEN 'open' THEN pg_temp.day(true) WHEN 'shut' THEN pg_temp.day(false) END)
  FROM unnest('{open,shut,any}'::text[]) AS v, unnest('{open,shut,none}'::text[]) AS c
\g /dev/null
SELECT is(r.failure_code, CASE WHEN v = 'shut' OR c = 'shut' THEN 'voucher_not_active_now' END, v || ' in ' || c)
  FROM unnest('{open,shut,any}'::text[]) AS v, unnest('{open,shut,none}'::text[]) AS c
 CROSS JOIN LATERAL ordertrack.redeem(v || ' in ' || c) AS r;
SELECT is(r.failure_code, CASE WHEN v = 'shut' OR c = 'shut' THEN 'voucher_not_active_now' ELSE 'quantity_exceeded' END,
	format('%s in %s: before its limit', v, c))
  FROM unnest('{open,shut,any}'::text[]) AS v, unnest('{open,shut,none}'::text[]) AS c
 CROSS JOIN LATERAL ordertrack.redeem(v || ' in ' || c, metadata => '{}') AS r;

-- Changed and cleared.
SELECT ordertrack.update_voucher('shut in open', validity_hours => pg_temp.day(true)), ordertrack.update_campaign('shut', clear => '{validity_hours}')
\g /dev/null
SELECT is(r.result, 'success', 'changed') FROM ordertrack.redeem('shut in open') AS r;
SELECT is(r.result, 'success', 'cleared') FROM ordertrack.redeem('any in shut') AS r;
SELECT is(v.validity_hours::jsonb, pg_temp.day(true), 'as the list says') FROM ordertrack.voucher_list AS v WHERE code = 'shut in open';
SELECT is(c.validity_hours::jsonb, NULL, 'as the list of campaigns says') FROM ordertrack.campaign_list AS c WHERE name = 'shut';

-- What is refused.
SELECT throws_ok(format('SELECT ordertrack.create_%s, validity_hours => %L)', f, w), 'OT005', NULL, left(w, 70))
  FROM unnest(ARRAY['voucher(''N'', gift_amount => 1', 'campaign(''n''']) AS f, unnest(ARRAY[
	'null', '7', '"09:00"', '{}', '[]', '{"start_time":"09:00"}', '[1]', '[null]', '["mon"]', '[[]]', '[{}]',
	'[{"days":[1]}]', '[{"start_time":"09:00","day":1}]', '[{"start_time":"09:00","Expiration_time":"10:00"}]',
	'[{"start_time":null}]', '[{"start_time":"09:00","expiration_time":null}]',
	'[{"days_of_week":[]}]', '[{"days_of_week":1}]', '[{"days_of_week":"1"}]', '[{"days_of_week":["1"]}]', '[{"days_of_week":[7]}]',
	'[{"days_of_week":[-1]}]', '[{"days_of_week":[1.5]}]', '[{"days_of_week":[1e400]}]', '[{"days_of_week":[null]}]', '[{"days_of_week":[[1]]}]',
	'[{"days_of_week":[1,1]}]', '[{"days_of_week":{"0":1}}]',
	'[{"start_time":"9:00"}]', '[{"start_time":"09:00:00"}]', '[{"start_time":"24:00"}]', '[{"start_time":"09:60"}]', '[{"start_time":"0900 "}]',
	'[{"start_time":"-1:00"}]', '[{"start_time":900}]', '[{"start_time":"nine!"}]', '[{"expiration_time":"25:00"}]', '[{"expiration_time":[]}]',
	'[{"start_time":"09:00","expiration_time":"09:00"}]', '[{"expiration_time":"00:00"}]',
	'[{"start_time":"09:00"},{"days_of_week":[8]}]',
	(SELECT jsonb_agg('{"start_time":"09:00"}'::jsonb)::text FROM generate_series(1, 101))]) AS w;
SELECT lives_ok($$SELECT ordertrack.create_campaign('most', validity_hours =>
	(SELECT jsonb_agg('{"start_time":"09:00"}'::jsonb) FROM generate_series(1, 100)))$$, '100 windows');

SELECT * FROM finish();
ROLLBACK;

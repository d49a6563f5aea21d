-- Points: granted, transferred, spent, returned and canceled, as people see it.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET timezone = 'UTC';
CREATE EXTENSION ordertrack;
SELECT ordertrack.setup() \g /dev/null
\pset null '-'

SELECT ordertrack.grant_points('anna', 100, reason => 'welcome') AS lot_id;
SELECT ordertrack.grant_points('anna', 50, '2100-01-01', reason => 'birthday', actor => 'eve', channel => 'store') AS lot_id;
SELECT ordertrack.grant_points('anna', 30, '2100-06-01', '2099-01-01', 'order 17') AS lot_id;
SELECT * FROM ordertrack.points_balance('anna');
SELECT * FROM ordertrack.expiring_points('500 years');

-- What expires soonest goes first, and keeps its expiry
SELECT ordertrack.put_customer('ben');
SELECT ordertrack.transfer_points('anna', 'ben', 60, 'for the team');
SELECT customer, lot_id, points, points_left, status, expires_at, pending_until, transferred_from, reason
  FROM ordertrack.point_lot_list ORDER BY lot_id;

-- Spent on a reward, and returned
INSERT INTO ordertrack.rewards (workspace_id, name, type, cost_in_points, code_source)
VALUES (1, 'tea party', 'event_invitation', 55, 'none');
SELECT result, cost_in_points, active_points FROM ordertrack.redeem_reward('tea party', 'ben');
SELECT result, failure_code, failure_message, points_missing FROM ordertrack.redeem_reward('tea party', 'ben');
SELECT * FROM ordertrack.points_balance('ben');
SELECT result FROM ordertrack.rollback_redemption(1, 'it rained');

-- Canceled
SELECT ordertrack.cancel_points(2, 'granted twice');
SELECT ordertrack.cancel_points(1, 'granted twice');
SELECT ordertrack.cancel_points(1);

-- The ledger
SELECT customer, movement_no, kind, points, balance, lot_id, redemption_id, reason, actor, channel
  FROM ordertrack.point_movement_list ORDER BY customer, movement_no;
COPY (SELECT customer, kind, points, balance, reason FROM ordertrack.export_point_movements ORDER BY customer, movement_no)
  TO STDOUT WITH (FORMAT csv, HEADER);
SELECT ordertrack.export_query('point_movements', '{customer,kind,points}', '{"kind": "spent"}', '-created_at');

-- Sent twice
SELECT ordertrack.grant_points('carl', 10, idempotency_key => 'k') AS lot_id;
SELECT ordertrack.grant_points('carl', 10, idempotency_key => 'k') AS lot_id;
SELECT ordertrack.grant_points('carl', 20, idempotency_key => 'k') AS lot_id;
\echo :SQLSTATE

-- Refused
SELECT ordertrack.transfer_points('carl', 'ben', 11);
\echo :SQLSTATE
SELECT ordertrack.put_customer('carl', may_spend_points => false);
SELECT ordertrack.transfer_points('carl', 'ben', 1);
\echo :SQLSTATE
SELECT result, failure_code, failure_message FROM ordertrack.redeem_reward('tea party', 'carl');
SELECT ordertrack.transfer_points('ben', 'ben', 1);
\echo :SQLSTATE
SELECT ordertrack.transfer_points('ben', 'nobody', 1);
\echo :SQLSTATE
SELECT ordertrack.grant_points('ben', 0);
\echo :SQLSTATE
SELECT ordertrack.grant_points('ben', 1, '2001-01-01');
\echo :SQLSTATE
SELECT ordertrack.grant_points('ben', 1, '2100-01-01', '2100-01-01');
\echo :SQLSTATE
SELECT ordertrack.grant_points('ben', 9223372036854775807);
\echo :SQLSTATE
SELECT ordertrack.cancel_points(99);
\echo :SQLSTATE
SELECT * FROM ordertrack.points_balance('nobody');
\echo :SQLSTATE
SELECT * FROM ordertrack.expiring_points(NULL);
\echo :SQLSTATE

-- Nobody changes the ledger, nor the terms of a grant
UPDATE ordertrack.point_movements SET points = 1000;
\echo :SQLSTATE
DELETE FROM ordertrack.point_movements;
\echo :SQLSTATE
UPDATE ordertrack.point_lots SET expires_at = 'infinity' WHERE lot_id = 2;
\echo :SQLSTATE
DELETE FROM ordertrack.point_lots;
\echo :SQLSTATE
DELETE FROM ordertrack.point_accounts;
\echo :SQLSTATE

DROP SCHEMA ordertrack CASCADE;

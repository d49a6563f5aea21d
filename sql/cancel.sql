-- Orders that wait, and orders that end.

CREATE FUNCTION ordertrack.hold_order(
	order_id bigint,
	reason text DEFAULT NULL,
	channel text DEFAULT NULL,
	actor text DEFAULT NULL,
	workspace bigint DEFAULT 1
) RETURNS text
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'ordertrack_hold_order';
COMMENT ON FUNCTION ordertrack.hold_order(bigint, text, text, text, bigint) IS
'puts an order on hold and returns the previous status; one that is on hold stays so; a reason becomes a custom note; OT001 no such order, OT002 unknown workspace, OT005 invalid argument, OT010 transition refused';

CREATE FUNCTION ordertrack.release_order(
	order_id bigint,
	channel text DEFAULT NULL,
	actor text DEFAULT NULL,
	workspace bigint DEFAULT 1
) RETURNS text
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'ordertrack_release_order';
COMMENT ON FUNCTION ordertrack.release_order(bigint, text, text, bigint) IS
'ends the hold of an order and returns the status that it has then: the one before the hold, or what payments and shipments during the hold make of it; OT001 no such order, OT002 unknown workspace, OT005 invalid argument, OT010 not on hold';

CREATE FUNCTION ordertrack.cancel_order(
	order_id bigint,
	reason text DEFAULT NULL,
	rollback boolean DEFAULT true,
	channel text DEFAULT NULL,
	actor text DEFAULT NULL,
	workspace bigint DEFAULT 1
) RETURNS SETOF ordertrack.redemption_outcome
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER ROWS 2
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'ordertrack_cancel_order';
COMMENT ON FUNCTION ordertrack.cancel_order(bigint, text, boolean, text, text, bigint) IS
'cancels an order and rolls back all that is live on it, codes, gift cards, stacks and rewards, the newest first and with one answer for each; a rollback that is refused is recorded and the order is canceled all the same; rollback => false leaves redemptions; a reason becomes a custom note and that of the rollbacks; OT001 no such order, OT002 unknown workspace, OT005 invalid argument, OT010 transition refused';

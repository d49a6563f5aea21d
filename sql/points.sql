-- Points: lots with an expiry of their own, and a ledger of every movement.

CREATE TYPE ordertrack.points_balance AS (
	active bigint,
	pending bigint,
	expired bigint,
	spent bigint,
	next_expiring bigint,
	next_expires_at timestamptz
);
COMMENT ON TYPE ordertrack.points_balance IS 'the points of a customer as of now';
COMMENT ON COLUMN ordertrack.points_balance.active IS 'points that can be spent';
COMMENT ON COLUMN ordertrack.points_balance.pending IS 'points that can be spent later';
COMMENT ON COLUMN ordertrack.points_balance.expired IS 'points that have expired unspent';
COMMENT ON COLUMN ordertrack.points_balance.spent IS 'points spent on rewards and not given back';
COMMENT ON COLUMN ordertrack.points_balance.next_expiring IS 'active points that expire next, NULL where none expire';
COMMENT ON COLUMN ordertrack.points_balance.next_expires_at IS 'when these expire';

CREATE TYPE ordertrack.expiring AS (
	customer text,
	points bigint,
	expires_at timestamptz
);
COMMENT ON TYPE ordertrack.expiring IS 'points of a customer that expire at one moment';

CREATE FUNCTION ordertrack.grant_points(
	customer text,
	points bigint,
	expires_at timestamptz DEFAULT NULL,
	pending_until timestamptz DEFAULT NULL,
	reason text DEFAULT NULL,
	idempotency_key text DEFAULT NULL,
	channel text DEFAULT NULL,
	actor text DEFAULT NULL,
	workspace bigint DEFAULT 1
) RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'ordertrack_grant_points';
COMMENT ON FUNCTION ordertrack.grant_points(text, bigint, timestamptz, timestamptz, text, text, text, text, bigint) IS
'gives points to a customer (source_id), who is created where unknown, and returns the lot_id of the grant; they can be spent from pending_until (NULL: at once) and before expires_at (NULL: for ever), judged by the clock; OT002 unknown workspace, OT003 key used for another request, OT005 invalid argument, 22003 sum beyond bigint';

CREATE FUNCTION ordertrack.cancel_points(
	lot_id bigint,
	reason text DEFAULT NULL,
	channel text DEFAULT NULL,
	actor text DEFAULT NULL,
	workspace bigint DEFAULT 1
) RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'ordertrack_cancel_points';
COMMENT ON FUNCTION ordertrack.cancel_points(bigint, text, text, text, bigint) IS
'cancels what is left of a grant and returns how many points that were, 0 where nothing was left; what was spent of it stays spent, and does not come back by a rollback; OT002 no such workspace or grant, OT005 invalid argument';

CREATE FUNCTION ordertrack.transfer_points(
	from_customer text,
	to_customer text,
	points bigint,
	reason text DEFAULT NULL,
	idempotency_key text DEFAULT NULL,
	channel text DEFAULT NULL,
	actor text DEFAULT NULL,
	workspace bigint DEFAULT 1
) RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'ordertrack_transfer_points';
COMMENT ON FUNCTION ordertrack.transfer_points(text, text, bigint, text, text, text, text, bigint) IS
'moves active points from one customer to another, in the order in which they would be spent; they keep expiry and age; OT002 no such workspace or customer, OT003 key used for another request, OT005 invalid argument or the same customer, OT006 not enough points, or a customer who may not spend them';

CREATE FUNCTION ordertrack.points_balance(
	customer text,
	workspace bigint DEFAULT 1
) RETURNS ordertrack.points_balance
LANGUAGE c STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'ordertrack_points_balance';
COMMENT ON FUNCTION ordertrack.points_balance(text, bigint) IS
'the points of a customer as of now: active, pending, expired, spent, and what expires next; OT002 no such workspace or customer';

CREATE FUNCTION ordertrack.expiring_points(
	within interval,
	workspace bigint DEFAULT 1
) RETURNS SETOF ordertrack.expiring
LANGUAGE c STABLE PARALLEL SAFE SECURITY DEFINER ROWS 100
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'ordertrack_expiring_points';
COMMENT ON FUNCTION ordertrack.expiring_points(interval, bigint) IS
'whose points expire within this time from now, and when; OT002 unknown workspace, OT005 no time';

CREATE FUNCTION ordertrack.setup_points() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $setup$
BEGIN
	CREATE DOMAIN ordertrack.movement_kind AS text
		CONSTRAINT movement_kind_check CHECK (VALUE IN ('granted', 'spent', 'returned', 'expired',
			'canceled', 'transferred_out', 'transferred_in'));
	COMMENT ON DOMAIN ordertrack.movement_kind IS 'what moved the points';

	-- No foreign keys, as redemptions have none: every call has read the customer.
	CREATE TABLE ordertrack.point_accounts (
		workspace_id bigint NOT NULL,
		customer_id bigint NOT NULL,
		balance ordertrack.counter NOT NULL,
		movement_count bigint NOT NULL,
		spent ordertrack.counter NOT NULL DEFAULT 0,
		expired ordertrack.counter NOT NULL DEFAULT 0,
		moved_at timestamptz NOT NULL DEFAULT '-infinity',
		created_at timestamptz NOT NULL DEFAULT now(),
		CONSTRAINT point_accounts_pkey PRIMARY KEY (workspace_id, customer_id)
	) WITH (fillfactor = 85);
	COMMENT ON TABLE ordertrack.point_accounts IS 'one row a customer with points: what the movements come to';
	COMMENT ON COLUMN ordertrack.point_accounts.balance IS 'sum of the movements, and of points_left of the lots';
	COMMENT ON COLUMN ordertrack.point_accounts.movement_count IS 'number of the newest movement';
	COMMENT ON COLUMN ordertrack.point_accounts.spent IS 'points spent on rewards and not given back';
	COMMENT ON COLUMN ordertrack.point_accounts.moved_at IS 'time of the newest movement; the next is not earlier';
	COMMENT ON COLUMN ordertrack.point_accounts.expired IS 'points whose expiry has been booked';

	CREATE TABLE ordertrack.point_lots (
		workspace_id bigint NOT NULL,
		lot_id bigint GENERATED BY DEFAULT AS IDENTITY,
		customer_id bigint NOT NULL,
		points ordertrack.positive NOT NULL,
		points_left ordertrack.counter NOT NULL
			CONSTRAINT point_lots_points_left_check CHECK (points_left <= points),
		expires_at timestamptz NOT NULL DEFAULT 'infinity',
		pending_until timestamptz
			CONSTRAINT point_lots_pending_until_check CHECK (pending_until < expires_at),
		granted_at timestamptz NOT NULL,
		canceled_at timestamptz,
		transferred_from bigint,
		reason text,
		created_at timestamptz NOT NULL DEFAULT now(),
		is_open boolean GENERATED ALWAYS AS (points_left > 0) STORED,
		CONSTRAINT point_lots_pkey PRIMARY KEY (workspace_id, lot_id)
	) WITH (fillfactor = 85);
	-- In the order in which they are spent; spent ones are not in it. A lot that is
	-- spent in parts stays where it is in its indexes, since is_open does not change.
	CREATE INDEX point_lots_open_idx ON ordertrack.point_lots
		(workspace_id, customer_id, expires_at, granted_at, lot_id) WHERE is_open;
	CREATE INDEX point_lots_expires_at_idx ON ordertrack.point_lots
		(workspace_id, expires_at, customer_id) WHERE is_open AND expires_at < 'infinity';
	COMMENT ON TABLE ordertrack.point_lots IS 'points that were granted together, with what is left of them';
	COMMENT ON COLUMN ordertrack.point_lots.lot_id IS 'the grant';
	COMMENT ON COLUMN ordertrack.point_lots.points IS 'points that were granted';
	COMMENT ON COLUMN ordertrack.point_lots.expires_at IS 'first moment at which they can no longer be spent; infinity is never';
	COMMENT ON COLUMN ordertrack.point_lots.granted_at IS 'age of the points, which a transfer keeps';
	COMMENT ON COLUMN ordertrack.point_lots.canceled_at IS 'when what was left was canceled';
	COMMENT ON COLUMN ordertrack.point_lots.transferred_from IS 'the lot of another customer that they come from';
	COMMENT ON COLUMN ordertrack.point_lots.is_open IS 'true: points are left';
	COMMENT ON COLUMN ordertrack.point_lots.reason IS 'why they were granted, in words';

	CREATE TABLE ordertrack.point_movements (
		workspace_id bigint NOT NULL,
		customer_id bigint NOT NULL,
		movement_no bigint NOT NULL,
		kind ordertrack.movement_kind NOT NULL,
		points bigint NOT NULL,
		balance ordertrack.counter NOT NULL,
		lot_id bigint NOT NULL,
		redemption_id bigint,
		reason text,
		created_by text NOT NULL,
		actor text,
		channel text,
		created_at timestamptz NOT NULL,
		CONSTRAINT point_movements_pkey PRIMARY KEY (workspace_id, customer_id, movement_no)
	);
	CREATE INDEX point_movements_created_at_idx ON ordertrack.point_movements
		(workspace_id, created_at, customer_id, movement_no);
	CREATE INDEX point_movements_redemption_id_idx ON ordertrack.point_movements
		(workspace_id, redemption_id) WHERE redemption_id IS NOT NULL;
	COMMENT ON TABLE ordertrack.point_movements IS 'every movement of points, append-only';
	COMMENT ON COLUMN ordertrack.point_movements.kind IS 'granted, spent, returned, expired, canceled, transferred_out or transferred_in';
	COMMENT ON COLUMN ordertrack.point_movements.points IS 'points that came, negative where they went';
	COMMENT ON COLUMN ordertrack.point_movements.balance IS 'points of the customer after it, with those that are pending';
	COMMENT ON COLUMN ordertrack.point_movements.redemption_id IS 'the redemption or rollback that moved them';
	COMMENT ON COLUMN ordertrack.point_movements.reason IS 'why, in words';
END
$setup$;
COMMENT ON FUNCTION ordertrack.setup_points() IS 'step 15 of setup(): tables point_accounts, point_lots, point_movements';

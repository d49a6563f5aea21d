# The recount of points that the Perl tests share.
package LedgerTest;

use strict;
use warnings;

use Exporter 'import';
use Test::More;

our @EXPORT = qw(is_ledger_right);

# Tests that movements, accounts and lots of points tell the same.
sub is_ledger_right
{
	my ($node, $db, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;

	is($node->safe_psql($db, <<'EOC'), '', "$name: points are what their movements come to");
WITH m AS MATERIALIZED (
	SELECT *, row_number() OVER w AS n, sum(points) OVER w AS total, lag(created_at) OVER w AS before
	  FROM ordertrack.point_movements
	WINDOW w AS (PARTITION BY workspace_id, customer_id ORDER BY movement_no)
), sums AS (
	SELECT workspace_id, customer_id, sum(points) AS balance, count(*) AS movement_count,
		-coalesce(sum(points) FILTER (WHERE kind IN ('spent', 'returned')), 0) AS spent,
		-coalesce(sum(points) FILTER (WHERE kind = 'expired'), 0) AS expired
	  FROM m GROUP BY 1, 2
)
SELECT 'movement', customer_id, movement_no, balance, total FROM m
 WHERE movement_no <> n OR balance <> total OR total < 0 OR points = 0 OR before > created_at
UNION ALL SELECT 'account', customer_id, a.movement_count, a.balance, s.balance
  FROM sums AS s FULL JOIN ordertrack.point_accounts AS a USING (workspace_id, customer_id)
 WHERE concat_ws(' ', a.balance, a.movement_count, a.spent, a.expired)
	<> concat_ws(' ', s.balance, s.movement_count, s.spent, s.expired)
    OR a.balance <> (SELECT coalesce(sum(points_left), 0) FROM ordertrack.point_lots AS l
	 WHERE l.workspace_id = a.workspace_id AND l.customer_id = a.customer_id)
UNION ALL SELECT 'lot', l.lot_id, NULL, points_left, s.total
  FROM ordertrack.point_lots AS l LEFT JOIN (SELECT workspace_id, customer_id, lot_id, sum(points) AS total,
		sum(points) FILTER (WHERE kind IN ('granted', 'transferred_in')) AS granted FROM m GROUP BY 1, 2, 3) AS s
	USING (workspace_id, customer_id, lot_id)
 WHERE l.points_left IS DISTINCT FROM s.total OR l.points IS DISTINCT FROM s.granted
UNION ALL SELECT 'redemption', redemption_id, NULL, r.points, s.total
  FROM (SELECT * FROM ordertrack.redemptions WHERE points <> 0 AND result = 'success') AS r
  FULL JOIN (SELECT workspace_id, redemption_id, -sum(points) AS total FROM m
	 WHERE kind IN ('spent', 'returned') GROUP BY 1, 2) AS s USING (workspace_id, redemption_id)
 WHERE r.points IS DISTINCT FROM s.total
UNION ALL SELECT 'transfer', l.lot_id, o.lot_id, l.points, o.points FROM ordertrack.point_lots AS l
  LEFT JOIN ordertrack.point_lots AS o ON o.workspace_id = l.workspace_id AND o.lot_id = l.transferred_from
 WHERE l.transferred_from IS NOT NULL AND (l.expires_at, l.granted_at) IS DISTINCT FROM (o.expires_at, o.granted_at)
EOC
}

1;

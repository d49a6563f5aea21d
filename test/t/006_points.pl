# Points under random work of many sessions: whatever comes in between, movements,
# accounts and lots tell the same. pgbench drives the sessions from fixed seeds.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use LedgerTest;
use OrdertrackTest;
use StressTest;
use Test::More;

my $node = new_stress_server('--random-seed=15');

$node->safe_psql('postgres', <<'EOC');
INSERT INTO ordertrack.rewards (workspace_id, name, type, cost_in_points, code_source)
VALUES (1, 'eighty', 'event_invitation', 80, 'none'), (1, 'seven', 'event_invitation', 7, 'none'),
	(1, 'thirty', 'event_invitation', 30, 'generated');
EOC

# 100 points, a reward that costs 80, and 16 who want it at once.
$node->safe_psql('postgres', q{SELECT ordertrack.grant_points('one', 60), ordertrack.grant_points('one', 40)});
run_sessions('last points', 16, 1, buy => [ 1, q{SELECT ordertrack.redeem_reward('eighty', 'one')} ]);
asked_is(<<'EOC', "failure|not_enough_points|60|15\nsuccess|||1", 'last points: one has them, 15 are told how many are missing');
SELECT result, failure_code, points_missing, count(*) FROM ordertrack.redemptions WHERE customer = 'one' GROUP BY 1, 2, 3 ORDER BY 1
EOC
asked_is(<<'EOC', '20|80|1', 'last points: taken once');
SELECT active, spent, (SELECT count(*) FROM ordertrack.issued_rewards) FROM ordertrack.points_balance('one')
EOC

# Everything at once, at random: customers with few points, of which some expire
# and some wait at each moment, in all orders of customers.
my $random = <<'EOC';
\set customer random(0, 9)
\set other random(0, 9)
\set points random(1, 40)
\set wait random(0, 60)
\set back random(0, 60)
\set key random(1, 400)
EOC

$node->safe_psql('postgres', q{SELECT ordertrack.grant_points('p ' || i, 100) FROM generate_series(0, 9) AS i});
run_sessions('mix', 8, 500,
	grant => [ 4, $random . <<'EOC' ],
SELECT ordertrack.grant_points('p :customer', :points, reason => 'mix');
EOC
	# Over at once or soon; too late to be granted at all, where the machine is slow.
	grant_brief => [ 8, $random . <<'EOC' ],
SELECT attempt(format('SELECT ordertrack.grant_points(%L, :points, %L, %L)', 'p :customer',
	clock_timestamp() + interval '1 millisecond' * (:wait * :wait + 1), clock_timestamp() + interval '1 millisecond' * (20 * :wait - 100)), 'OT005');
EOC
	grant_keyed => [ 2, $random . <<'EOC' ],
SELECT attempt($$SELECT ordertrack.grant_points('p :customer', 5, idempotency_key => 'key :key')$$, 'OT003');
EOC
	transfer => [ 8, $random . <<'EOC' ],
SELECT attempt($$SELECT ordertrack.transfer_points('p :customer', 'p :other', :points)$$, 'OT005', 'OT006');
EOC
	buy => [ 8, $random . <<'EOC' ],
SELECT ordertrack.redeem_reward(CASE WHEN :points > 15 THEN 'seven' ELSE 'thirty' END, 'p :customer', 1 + :points % 2);
EOC
	rollback => [ 6, $random . <<'EOC' ],
SELECT ordertrack.rollback_redemption((SELECT max(redemption_id) - :back FROM ordertrack.redemptions WHERE workspace_id = 1));
EOC
	cancel => [ 3, $random . <<'EOC' ],
SELECT attempt(format('SELECT ordertrack.cancel_points(%s)', max(lot_id) - :back), 'OT002') FROM ordertrack.point_lots WHERE workspace_id = 1;
EOC
	bar => [ 1, $random . <<'EOC' ],
SELECT ordertrack.put_customer('p :customer', may_spend_points => :points < 38);
EOC
	look => [ 2, $random . <<'EOC' ]);
SELECT 1 / (active >= 0 AND pending >= 0 AND expired >= 0 AND spent >= 0)::int FROM ordertrack.points_balance('p :customer');
SELECT 1 / (count(*) = 0)::int FROM ordertrack.expiring_points('1 hour') WHERE points <= 0;
EOC
asked_is(<<'EOC', '', 'mix: enough of each kind was done');
SELECT what, n FROM (VALUES ('granted'), ('spent'), ('returned'), ('expired'), ('canceled'), ('transferred_out'), ('transferred_in'),
		('not_enough_points'), ('customer_not_allowed'), ('expired in a rollback')) AS w (what)
  LEFT JOIN (SELECT kind, count(*) FROM ordertrack.point_movements GROUP BY 1
	UNION ALL SELECT failure_code, count(*) FROM ordertrack.redemptions GROUP BY 1
	UNION ALL SELECT 'expired in a rollback', count(*) FROM ordertrack.point_movements AS m JOIN ordertrack.point_movements AS r
		USING (workspace_id, customer_id, lot_id, redemption_id) WHERE m.kind IN ('expired', 'canceled') AND r.kind = 'returned')
	AS c (what, n) USING (what) WHERE coalesce(n, 0) < 5
EOC
is($node->safe_psql('postgres', q{SELECT count(*) FROM ordertrack.idempotency_keys AS k JOIN ordertrack.point_lots AS l USING (workspace_id, lot_id)
	 WHERE l.points <> 5}), '0', 'mix: each key is of its own grant');

is_sound($node, 'postgres', 'in the end');
are_counters_right($node, 'postgres', 'in the end');
is_ledger_right($node, 'postgres', 'in the end');
# What is over is booked by the next movement, and then nothing else changes.
$node->safe_psql('postgres', q{SELECT ordertrack.grant_points('p ' || i, 1) FROM generate_series(0, 9) AS i});
is_ledger_right($node, 'postgres', 'after another grant for each');
is($node->log_contains('ERROR:  (?:deadlock|could not serialize)|PANIC|TRAP|terminated by signal'),
	'', 'no deadlock and no crash in the log');

$node->stop;
done_testing();

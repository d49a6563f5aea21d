# kill -9 of the whole server while clients redeem: only a server that is started
# again from what reached the disk shows whether an acknowledged answer can be
# lost, or a limit oversold, so this needs a server of its own to kill.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use LedgerTest;
use OrdertrackTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $clients = 6;
my $limit = 500;     # of the code that all clients want
my $gift = 300_000;  # on the card that all clients spend from
my $node = new_server('main', conf => <<'EOC');
fsync = on
full_page_writes = on
synchronous_commit = on
autovacuum = off
max_parallel_workers_per_gather = 0
EOC
my $folder = $node->basedir;

install($node, 'postgres');
$node->safe_psql('postgres', <<"EOC");
SELECT ordertrack.create_campaign('all', redemption_limit => $limit);
SELECT ordertrack.create_voucher('LIMITED', '{"type": "amount", "amount_off": 100}', campaign => 'all',
	redemption_limit => $limit);
SELECT ordertrack.create_voucher('GIFT', gift_amount => $gift);
CREATE TABLE acknowledged (what text, key text, id bigint, result text, code text, order_id bigint,
	amount bigint, gift_balance bigint, status text);
EOC

# One turn of a client: each answer that psql prints has been committed.
sub turn
{
	my ($client, $turn) = @_;
	my $key = "$client-$turn";
	my $answer = 'redemption_id, result, failure_code, order_id, amount, gift_balance, NULL';

	return <<"EOC";
SELECT 'redeem', '$key', $answer
  FROM ordertrack.redeem('LIMITED', 'customer $client', '{"source_id": "$key", "amount": 1000}',
	idempotency_key => '$key');
SELECT 'status', NULL, NULL, NULL, NULL, order_id, NULL, NULL, 'in_progress'
  FROM (SELECT order_id, ordertrack.set_order_status(order_id, 'in_progress') FROM ordertrack.order_list
	 WHERE source_id = '$key') AS moved;
SELECT 'gift', NULL, $answer
  FROM ordertrack.redeem('GIFT', 'customer $client', '{"source_id": "g $key", "amount": 900}', 1 + $turn % 300);
SELECT 'rollback', NULL, $answer
  FROM ordertrack.rollback_redemption((SELECT max(redemption_id) FROM ordertrack.redemptions
	 WHERE code = 'GIFT' AND customer = 'customer $client' AND kind = 'redemption'), amount => 1) WHERE $turn % 3 = 0;
SELECT 'batch', NULL, $answer
  FROM ordertrack.redeem_batch('[{"code": "GIFT", "amount": 2}, {"code": "LIMITED", "customer": "customer $client"}]')
 WHERE $turn % 5 = 0;
SELECT 'points', NULL, ordertrack.grant_points('customer ' || $turn % 4, 3), NULL, NULL, NULL, 3, NULL, NULL;
EOC
}

# Lets the clients work until there are so many redemptions, then kills the server.
sub crash_under_load
{
	my ($round, $redemptions) = @_;
	my @psql;

	for my $client (1 .. $clients)
	{
		my $script = "$folder/client-$round-$client.sql";

		write_file($script, join '', map { turn("$round.$client", $_) } 1 .. 4000);
		push @psql, start_psql($node, 'postgres', $script, "$folder/answers-$round-$client");
	}
	$node->poll_query_until('postgres',
		"SELECT count(*) >= $redemptions FROM ordertrack.redemptions")
	  or die 'the clients come to nothing';

	kill_server($node);
	is(join(' ', map { finish_psql($_) } @psql),
		join(' ', (2) x $clients), "round $round: every client was at work when the server died");

	$node->start;
	ok($node->safe_psql('postgres', 'SELECT 1'), "round $round: the server has recovered");
	ok($node->log_contains('automatic recovery in progress'), "round $round: from a crash");
}

sub nothing_is_lost
{
	my ($round) = @_;
	my $copies = join '',
	  map { "\\copy acknowledged FROM '$folder/answers-$round-$_' (DELIMITER '|', NULL '')\n" } 1 .. $clients;

	$node->safe_psql('postgres', $copies);
	cmp_ok($node->safe_psql('postgres', "SELECT count(DISTINCT what) FROM acknowledged WHERE code IS NULL"),
		'==', 6, "round $round: answers of each kind were acknowledged");
	is($node->safe_psql('postgres', <<'EOC'), '', "round $round: every acknowledged answer is stored as it was given");
SELECT a.* FROM acknowledged AS a
 WHERE what NOT IN ('status', 'points') AND NOT EXISTS (
	SELECT FROM ordertrack.redemptions AS r
	 WHERE r.workspace_id = 1 AND r.redemption_id = a.id AND r.result = a.result
	   AND r.failure_code IS NOT DISTINCT FROM a.code AND r.order_id IS NOT DISTINCT FROM a.order_id
	   AND r.gift_balance IS NOT DISTINCT FROM a.gift_balance)
UNION ALL
SELECT a.* FROM acknowledged AS a
 WHERE what = 'status' AND NOT EXISTS (
	SELECT FROM ordertrack.order_notes AS n
	 WHERE n.workspace_id = 1 AND n.order_id = a.order_id AND n.data -> 'status' ->> 'new' = a.status)
UNION ALL
SELECT a.* FROM acknowledged AS a
 WHERE what = 'points' AND NOT EXISTS (
	SELECT FROM ordertrack.point_movements AS m
	 WHERE m.workspace_id = 1 AND m.lot_id = a.id AND m.kind = 'granted' AND m.points = a.amount)
EOC
	is_sound($node, 'postgres', "round $round");
	is_guarded($node, 'postgres', "round $round");
	are_counters_right($node, 'postgres', "round $round");
	is_ledger_right($node, 'postgres', "round $round");
	is($node->safe_psql('postgres', <<'EOC'), '0|0', "round $round: nothing is done by halves");
SELECT (SELECT count(*) FROM ordertrack.idempotency_keys AS k LEFT JOIN ordertrack.redemptions AS r
	 USING (workspace_id, redemption_id) WHERE r.redemption_id IS NULL),
	(SELECT count(*) FROM ordertrack.redemptions AS r LEFT JOIN ordertrack.orders AS o USING (workspace_id, order_id)
	 WHERE r.order_id IS NOT NULL AND o.order_id IS NULL)
EOC

	# What a client does whose answer was lost: it asks again with the same key.
	write_file("$folder/again-$round.sql", join "\n", map {
		"SELECT '$_', redemption_id, replayed FROM ordertrack.redeem('LIMITED', 'customer ' || split_part('$_', '-', 1),"
		  . " '{\"source_id\": \"$_\", \"amount\": 1000}', idempotency_key => '$_');"
	} split /\n/, $node->safe_psql('postgres', <<"EOC"));
SELECT DISTINCT k FROM (
	SELECT key AS k FROM acknowledged WHERE key IS NOT NULL
	UNION ALL
	SELECT split_part(key, '-', 1) || '-' || max(split_part(key, '-', 2)::integer) + 1
	  FROM acknowledged WHERE key LIKE '$round.%' GROUP BY split_part(key, '-', 1)) AS keys
EOC
	is(finish_psql(start_psql($node, 'postgres', "$folder/again-$round.sql", "$folder/again-$round")),
		0, "round $round: every request is sent again");
	$node->safe_psql('postgres', <<"EOC");
CREATE TABLE again_$round (key text, id bigint, replayed boolean);
\\copy again_$round FROM '$folder/again-$round' (DELIMITER '|', NULL '')
EOC
	is($node->safe_psql('postgres', <<"EOC"), "0|0|t", "round $round: acknowledged keys give the same answer again");
SELECT count(*) FILTER (WHERE a.key IS NOT NULL AND NOT g.replayed),
	count(*) FILTER (WHERE a.key IS NOT NULL AND g.id <> a.id),
	count(*) FILTER (WHERE a.key IS NULL) > 0
  FROM again_$round AS g LEFT JOIN acknowledged AS a USING (key)
EOC
	is($node->safe_psql('postgres', <<'EOC'), '', "round $round: and no key has two effects");
SELECT source_id FROM ordertrack.orders AS o JOIN ordertrack.redemptions AS r USING (workspace_id, order_id)
 WHERE r.code = 'LIMITED' AND o.source_id IS NOT NULL GROUP BY source_id HAVING count(*) > 1
EOC
}

crash_under_load(1, 700);
nothing_is_lost(1);
crash_under_load(2, 3000);
nothing_is_lost(2);

# More was asked for than there is; now sell what may be left.
$node->safe_psql('postgres', "SELECT ordertrack.redeem('LIMITED') FROM generate_series(1, $limit + 1)");
is($node->safe_psql('postgres', <<'EOC'), "$limit|$limit|$limit", 'the limit is used up, and not oversold');
SELECT v.redeemed_count, c.redeemed_count,
	(SELECT count(*) FROM ordertrack.redemptions WHERE code = 'LIMITED' AND result = 'success')
  FROM ordertrack.vouchers AS v JOIN ordertrack.campaigns AS c USING (workspace_id, campaign_id)
 WHERE v.code = 'LIMITED'
EOC

$node->stop;
done_testing();

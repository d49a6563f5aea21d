# Following activity across the life of servers: many writers that commit in any
# order, a server that is killed, a standby that reads and takes over, prepared
# transactions, and a restored dump. All of it needs servers of its own.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use OrdertrackTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $writers = 8;
my $turns = 40;
my $orders = 6;
my $conf = <<'EOC';
max_prepared_transactions = 20
autovacuum = off
EOC
my $primary = new_server('primary', allows_streaming => 1, conf => $conf);
my $folder = $primary->basedir;

install($primary, 'postgres');
$primary->safe_psql('postgres', <<"EOC");
CREATE TABLE done (round integer, writer integer);
SELECT ordertrack.create_order(jsonb_build_object('source_id', 'order ' || i)) FROM generate_series(1, $orders) AS i;
EOC
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->append_conf('postgresql.conf', 'max_standby_streaming_delay = -1');
$standby->start;

# Statements of a writer. Orders are taken by number, so that nobody deadlocks.
sub work
{
	my ($round, $writer) = @_;
	my $script = "SET synchronous_commit = " . ($writer % 2 ? 'off' : 'on') . ";\n";

	for my $turn (1 .. $turns)
	{
		my $order = 1 + int rand($orders - 2);
		my $pause = sprintf 'SELECT pg_sleep(%.4f);', rand(0.03);
		my $note = sub { "SELECT ordertrack.add_note($_[0], '$_[1] of $round.$writer.$turn');" };
		my $name = "$round.$writer.$turn";

		$script .= join "\n", @{ (
			[ $note->($order, 'alone') ],
			[ 'BEGIN;', $note->($order, 'first'), $pause, $note->($order + 1, 'second'), 'COMMIT;' ],
			[ 'BEGIN;', $note->($order, 'undone'), $pause, 'ROLLBACK;' ],
			[ 'BEGIN;', 'SELECT pg_current_xact_id();', $pause, $note->($order, 'late'), $pause, 'COMMIT;' ],
			[ 'BEGIN;', 'SAVEPOINT s;', $note->($order, 'undone'), 'ROLLBACK TO s;', 'SAVEPOINT t;',
				$note->($order, 'below'), 'RELEASE t;', $pause, 'COMMIT;' ],
			[ 'BEGIN;', $note->($order, 'prepared'), "PREPARE TRANSACTION '$name';", $pause, "COMMIT PREPARED '$name';" ],
			[ 'BEGIN;', $note->($order, 'undone'), "PREPARE TRANSACTION '$name';", $pause, "ROLLBACK PREPARED '$name';" ],
			[ "SELECT ordertrack.create_order('{}') FROM generate_series(1, 3);", $pause ] )[ int rand 8 ] }, "\n";
	}
	return "$script INSERT INTO done VALUES ($round, $writer);\n";
}

sub start_writers
{
	my ($round) = @_;

	return map {
		write_file("$folder/writer-$round-$_.sql", work($round, $_));
		start_psql($primary, 'postgres', "$folder/writer-$round-$_.sql", "$folder/answers-$round-$_")
	} 1 .. $writers;
}

# Reads the next page and keeps where it ends; gives the number of its rows.
sub follow
{
	my ($follower, $session, $at_most) = @_;
	my $cursor = defined $follower->{cursor} ? "'$follower->{cursor}'" : 'NULL';
	my $answer = ask($session, "SELECT cursor, order_id, note_no FROM ordertrack.activity_since($cursor, $at_most)");
	my @rows = split /\n/, $answer;

	die $answer if grep { !/^[\w.-]+\|\d+\|\d+$/ } @rows;
	for (@rows)
	{
		(my $note, $follower->{cursor}) = (/\|(.*)/, /^(.*?)\|/);
		push @{ $follower->{notes} }, $note;
	}
	return scalar @rows;
}

sub follow_to_end
{
	my ($follower, $session, $at_most) = @_;

	1 while follow($follower, $session, $at_most) > 0;
}

# Tests that a follower has got all notes of the table, or those after a count,
# each once, and those of an order by their numbers.
sub has_all
{
	my ($follower, $node, $name, $condition) = @_;
	my @notes = @{ $follower->{notes} // [] };
	my @stored = split /\n/, $node->safe_psql('postgres',
		"SELECT order_id, note_no FROM ordertrack.order_notes WHERE " . ($condition // 'true'));
	my %last;
	my @disordered;

	for (@notes)
	{
		my ($order, $number) = split /\|/;

		push @disordered, $_ if exists $last{$order} && $last{$order} != $number - 1;
		$last{$order} = $number;
	}
	same_lines(\@notes, \@stored, "$name: " . @stored . ' notes, each once');
	is("@disordered", '', "$name: notes of an order come in their order");
}

# One follows on the primary, one on the standby, and one changes between them.
my %on_primary;
my %on_standby;
my %on_both;

# Follows until something is the case.
sub follow_until
{
	my ($is_over) = @_;
	my @sessions = map { open_session($_, 'postgres') } $primary, $standby;

	until ($is_over->($sessions[0]))
	{
		follow(\%on_primary, $sessions[0], 7);
		follow(\%on_standby, $sessions[1], 7);
		follow(\%on_both, $sessions[ rand 2 ], 1 + int rand 9);
	}
	return @sessions;
}

srand(7);
my @psql = start_writers(1);
my @sessions = follow_until(sub { @{ $on_primary{notes} // [] } > 200 });
is(ask($sessions[0], 'SELECT count(*) FROM done'), '0', 'the writers are at work when the server is killed');
kill_server($primary);
$_->finish for @psql;
close_session($sessions[1]);
$primary->start;
ok($primary->log_contains('automatic recovery in progress'), 'it has recovered');

# What was prepared still is; one is for longer, of an order that no writer takes.
$primary->safe_psql('postgres', "COMMIT PREPARED '$_'")
  for split /\n/, $primary->safe_psql('postgres', 'SELECT gid FROM pg_prepared_xacts ORDER BY gid');
$primary->safe_psql('postgres', <<"EOC");
BEGIN;
SELECT ordertrack.add_note($orders, 'prepared');
PREPARE TRANSACTION 'long';
EOC
@psql = start_writers(2);
@sessions = follow_until(sub { ask($_[0], 'SELECT count(*) FROM done') == $writers });
is(join(' ', map { finish_psql($_) } @psql), join(' ', (0) x $writers), 'all writers have worked');
is(join('', map { slurp_file("$folder/answers-2-$_.err") } 1 .. $writers), '', 'without an error');
$primary->wait_for_catchup($standby);
follow_to_end(\%on_primary, $sessions[0], 7);
follow_to_end(\%on_standby, $sessions[1], 7);
follow_to_end(\%on_both, $sessions[ rand 2 ], 7);
ok(!grep({ $_ eq "$orders|2" } @{ $on_primary{notes} }), 'a prepared transaction is not over');
has_all(\%on_primary, $primary, 'primary');
has_all(\%on_standby, $standby, 'standby');
has_all(\%on_both, $primary, 'both');
close_session($_) for @sessions;

# It commits after a restart, long after others.
$primary->restart;
$primary->safe_psql('postgres', "COMMIT PREPARED 'long'");
$primary->wait_for_catchup($standby);
@sessions = map { open_session($_, 'postgres') } $primary, $standby;
for ([ \%on_primary, $sessions[0] ], [ \%on_standby, $sessions[1] ], [ \%on_both, $sessions[1] ])
{
	is(follow(@$_, 7), 1, 'then its note comes');
	is($_->[0]{notes}[-1], "$orders|2", 'and only that');
}
has_all(\%on_primary, $primary, 'after the last');

# A snapshot that is older than the cursor can't tell what comes next: it doesn't
# have a note that is next.
my $writer = open_session($primary, 'postgres');
my $here = $primary->safe_psql('postgres', 'SELECT ordertrack.activity_cursor()');
$primary->safe_psql('postgres', q{SELECT ordertrack.add_note(1, 'one')});
ask($writer, q{BEGIN; SELECT ordertrack.add_note(2, 'two')});
$primary->safe_psql('postgres', q{SELECT ordertrack.add_note(3, 'three')});
ask($sessions[0], 'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM ordertrack.orders');
is(ask($sessions[0], "SELECT detail FROM ordertrack.activity_since('$here')"), "one\nthree", 'an old snapshot');
ask($writer, 'COMMIT');
my ($inside) = split /\|/, ask($writer, "SELECT cursor FROM ordertrack.activity_since('$here', 1)");
is(ask($sessions[0], "SELECT detail FROM ordertrack.activity_since('$inside')"), '', 'and a newer cursor: nothing');
is(ask($sessions[0], "COMMIT; SELECT detail FROM ordertrack.activity_since('$inside')"), "two\nthree", 'and then what comes next');
close_session($writer);

# Ids of transactions that were lost in a crash are given again: a cursor must not
# know them, though nobody waited for their end to be written.
$primary->safe_psql('postgres', 'CHECKPOINT');
my $lost = ask($sessions[0], join '; ', ('BEGIN', q{DO 'BEGIN PERFORM pg_current_xact_id(); END'}, 'ROLLBACK') x 5,
	'SELECT ordertrack.activity_cursor()');
kill_server($primary);
close_session($sessions[1]);
$primary->start;
$primary->safe_psql('postgres', "SELECT ordertrack.add_note(3, 'after the crash')") for 1 .. 3;
is($primary->safe_psql('postgres', "SELECT count(*), min(detail) FROM ordertrack.activity_since('$lost')"),
	'3|after the crash', 'no id is given again that a cursor knows');

# A dump on a server of its own, which has had fewer transactions.
my $elsewhere = new_server('elsewhere');
my $dump = $primary->backup_dir . '/shop.sql';
IPC::Run::run([ 'pg_dump', '-f', $dump, '-d', $primary->connstr('postgres') ]) or die 'pg_dump';
my $of_old = $primary->safe_psql('postgres', 'SELECT ordertrack.activity_cursor()');
$elsewhere->safe_psql('postgres', "\\i $dump");
is(sqlstate_of($elsewhere, 'postgres', "SELECT $_"), '55000', "restored, before the first note: $_")
  for 'ordertrack.activity_since()', 'ordertrack.activity_cursor()', "ordertrack.activity_since('$of_old')";
my $restored = $elsewhere->safe_psql('postgres', 'SELECT count(*) FROM ordertrack.order_notes');
is(join(' ', sort map { finish_psql($_) } map {
	write_file("$folder/first-$_.sql", "SELECT ordertrack.create_order('{}');");
	start_psql($elsewhere, 'postgres', "$folder/first-$_.sql", "$folder/first-$_")
} 1 .. 4), '0 0 0 0', 'the first notes, by four sessions');
is($elsewhere->safe_psql('postgres', 'SELECT generation FROM ordertrack.installation'), '2', 'register once');
my %of_restored;
my %from_old = (cursor => $of_old);
my %from_now = (cursor => $elsewhere->safe_psql('postgres', 'SELECT ordertrack.activity_cursor()'));
my $session = open_session($elsewhere, 'postgres');
$elsewhere->safe_psql('postgres', q{SELECT ordertrack.add_note(1, 'new')});
follow_to_end(\%of_restored, $session, 50);
follow_to_end(\%from_old, $session, 2);
follow_to_end(\%from_now, $session, 2);
has_all(\%of_restored, $elsewhere, 'restored, from the beginning');
has_all(\%from_old, $elsewhere, 'restored, from a cursor of the old server', 'txid >= 2::bigint << 44');
has_all(\%from_now, $elsewhere, 'restored, from now on', q{detail = 'new'});
is(sqlstate_of($primary, 'postgres', "SELECT ordertrack.activity_since('$from_now{cursor}')"), 'OT005', 'its cursor is none of the old server');
is(sqlstate_of($primary, 'postgres', "SELECT ordertrack.activity_since('$of_old')"), '', 'which goes on by its own');
close_session($session);
$elsewhere->stop;

# The standby takes over, without the last that the primary wrote and told.
$primary->wait_for_catchup($standby);
$session = open_session($primary, 'postgres');
follow_to_end(\%on_both, $session, 7);
$standby->stop;
my %lost = (cursor => $on_both{cursor});
$primary->safe_psql('postgres', q{SELECT ordertrack.add_note(4, 'lost')});
is(follow(\%lost, $session, 7), 1, 'somebody reads what will be lost');
close_session($session);
$primary->stop('immediate');
$standby->start;
$standby->promote;
$session = open_session($standby, 'postgres');
like(ask($session, "SELECT ordertrack.activity_since('$lost{cursor}')"), qr/DETAIL:  It is (of a time that this server has lost|ahead of this server)\./, 'he is told');
$standby->safe_psql('postgres', q{SELECT ordertrack.add_note(1 + i % 5, 'after the failover') FROM generate_series(1, 100) AS i});
like(ask($session, "SELECT ordertrack.activity_since('$lost{cursor}')"), qr/DETAIL:  It is of a time that this server has lost\./, 'also later');
is($standby->safe_psql('postgres', 'SELECT generation FROM ordertrack.installation'), '1', 'a standby has the primary\'s name');
follow_to_end(\%on_both, $session, 7);
has_all(\%on_both, $standby, 'promoted: from a cursor of before');
follow_to_end(\%on_standby, $session, 7);
has_all(\%on_standby, $standby, 'promoted: from one of its own');
close_session($session);

$standby->stop;
done_testing();

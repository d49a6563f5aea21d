# setup() as repair and upgrade: the life of an installation, with DROP and CREATE
# EXTENSION over surviving tables, sessions that stay open meanwhile, roles of their
# own and two setups at once, which pg_regress with its one session can't have.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use OrdertrackTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('main');

# Before setup(): the functions say what to do.
$node->safe_psql('postgres', 'CREATE EXTENSION ordertrack');
for my $call (q{redeem('TEN')}, q{validate('TEN')}, q{create_order('{}')}, q{create_voucher('x', gift_amount => 1)})
{
	is(sqlstate_of($node, 'postgres', "SELECT ordertrack.$call"), 'OT030', "without tables: $call");
}
like(message_of($node, 'postgres', q{SELECT ordertrack.redeem('TEN')}),
	qr/HINT:.*ordertrack\.setup\(\)/, 'without tables: the hint names setup()');

# An open session that asked too early works once the tables are there.
my $session = open_session($node, 'postgres');

like(ask($session, q{SELECT ordertrack.redeem('TEN')}), qr/^psql.*ERROR:/, 'without tables: an open session is told');
$node->safe_psql('postgres', 'SELECT ordertrack.setup()');
$node->safe_psql('postgres', <<'EOC');
CREATE ROLE ot_app LOGIN;
CREATE ROLE ot_auditor LOGIN;
SELECT ordertrack.grant_access('app', 'ot_app'), ordertrack.grant_access('auditor', 'ot_auditor');
SELECT ordertrack.create_voucher('TEN', '{"type": "percent", "percent_off": 10}', redemption_limit => 100);
SELECT ordertrack.create_voucher('GIFT', gift_amount => 1000);
SELECT ordertrack.redeem('TEN', 'anna', '{"source_id": "a-1", "amount": 900}', idempotency_key => 'key');
SELECT ordertrack.grant_points('anna', 100);
SELECT ordertrack.redeem('GIFT', 'anna', '{"source_id": "a-2", "amount": 900}');
SELECT ordertrack.rollback_redemption(redemption_id, amount => 5) FROM ordertrack.redemptions WHERE code = 'GIFT';
SELECT ordertrack.set_order_status(order_id, 'in_progress'), ordertrack.add_note(order_id, 'a note') FROM ordertrack.orders;
EOC

sub redeems_ok
{
	my ($name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $redeem = q{SELECT result, replayed FROM ordertrack.redeem('TEN', 'anna', '{"amount": 10}')};

	is($node->safe_psql('postgres', $redeem, extra_params => [ '-U', 'ot_app' ]), 'success|f', "$name: a role redeems");
	is(ask($session, $redeem), 'success|f', "$name: an open session redeems");
	is(ask($session, q{SELECT ordertrack.add_note(1, 'a note') > 0}), 't', "$name: and writes a note");
	is_sound($node, 'postgres', $name);
	are_counters_right($node, 'postgres', $name);
	is_guarded($node, 'postgres', $name);
}

redeems_ok('installed');

my @relations = relations($node, 'postgres', 'rv');
my @schema = schema_of($node, 'postgres');
my $rows = rows_of($node, 'postgres', @relations);

sub unchanged_ok
{
	my ($name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;

	is(rows_of($node, 'postgres', @relations), $rows, "$name: no row has changed");
	same_lines([ schema_of($node, 'postgres') ], \@schema, "$name: definitions, triggers and grants are as they were");
}

$node->safe_psql('postgres', 'SELECT ordertrack.setup(); SELECT ordertrack.setup()');
unchanged_ok('setup() again');
$node->safe_psql('postgres', 'BEGIN; ALTER EXTENSION ordertrack UPDATE; SELECT ordertrack.setup(); COMMIT');
unchanged_ok('upgrade by the documented command');
$node->safe_psql('postgres', 'BEGIN; SELECT ordertrack.setup(); ROLLBACK');
unchanged_ok('setup() rolled back');

# Each way to disarm a trigger is told, by verify_order too, and repaired.
my %broken = (
	'ALTER TABLE ordertrack.redemptions DISABLE TRIGGER redemptions_guard_history' =>
	  'redemptions_guard_history: not enabled always',
	'ALTER TABLE ordertrack.redemptions ENABLE TRIGGER redemptions_guard_truncate' =>
	  'redemptions_guard_truncate: not enabled always',
	'ALTER TABLE ordertrack.orders ENABLE REPLICA TRIGGER orders_write_history' =>
	  'orders_write_history: not enabled always',
	'DROP TRIGGER order_notes_guard_history ON ordertrack.order_notes' =>
	  'order_notes_guard_history: missing',
	'CREATE OR REPLACE TRIGGER orders_guard_status BEFORE UPDATE ON ordertrack.orders'
	  . ' FOR EACH ROW EXECUTE FUNCTION public.do_nothing()' => 'orders_guard_status: altered',
	'CREATE OR REPLACE TRIGGER order_notes_guard_truncate BEFORE TRUNCATE ON ordertrack.order_notes'
	  . ' FOR EACH STATEMENT WHEN (false) EXECUTE FUNCTION ordertrack.guard_history()' =>
	  'order_notes_guard_truncate: altered',
	'ALTER TRIGGER orders_guard_parent ON ordertrack.orders RENAME TO x; DROP TRIGGER x ON ordertrack.orders' =>
	  'orders_guard_parent: missing',
	'ALTER TABLE ordertrack.campaigns DISABLE TRIGGER ALL' =>
	  "campaigns_guard_parent: not enabled always\ncampaigns_guard_truncate: not enabled always");

$node->safe_psql('postgres', <<'EOC');
CREATE FUNCTION do_nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
EOC
for my $sql (sort keys %broken)
{
	$node->safe_psql('postgres', $sql);
	is(unarmed($node, 'postgres'), $broken{$sql}, "told: $sql");
	is($node->safe_psql('postgres', q{SELECT count(*) FROM ordertrack.verify_order(1) WHERE problem = 'trigger_not_armed'}),
		scalar(() = $broken{$sql} =~ /:/g), 'told by verify_order');
	$node->safe_psql('postgres', 'SELECT ordertrack.setup()');
	is(unarmed($node, 'postgres'), '', 'armed again');
}
$node->safe_psql('postgres', <<'EOC');
ALTER TABLE ordertrack.campaigns ENABLE TRIGGER ALL;
SELECT ordertrack.setup();
DROP FUNCTION do_nothing;
EOC
unchanged_ok('repaired');

# A view that was dropped, a grant that was lost.
$node->safe_psql('postgres', <<'EOC');
DROP VIEW ordertrack.export_redemptions;
REVOKE EXECUTE ON FUNCTION ordertrack.validate FROM ot_app;
SELECT ordertrack.setup();
EOC
unchanged_ok('view and grant repaired');

# The extension goes, the data stay.
is(sqlstate_of($node, 'postgres', 'DROP EXTENSION ordertrack'), '2BP01', 'DROP EXTENSION refuses');
unchanged_ok('DROP EXTENSION refused');
$node->safe_psql('postgres', 'DROP EXTENSION ordertrack CASCADE');
is(rows_of($node, 'postgres', @relations), $rows, 'dropped: every row of tables and views is there');
is($node->safe_psql('postgres', 'SELECT count(*) > 0 FROM ordertrack.export_redemptions',
	extra_params => [ '-U', 'ot_auditor' ]), 't', 'dropped: grants of views are there');
$node->safe_psql('postgres', 'CREATE EXTENSION ordertrack');
is(rows_of($node, 'postgres', @relations), $rows, 'created again: so it is');
isnt($node->safe_psql('postgres', 'SELECT DISTINCT problem FROM ordertrack.verify_order(1)'), '',
	'created again: verify_order tells that setup() is missing');
$node->safe_psql('postgres', 'SELECT ordertrack.setup()');
unchanged_ok('created and set up again');
is($node->safe_psql('postgres', <<'EOC', extra_params => [ '-U', 'ot_app' ]), 't', 'keys are still known');
SELECT replayed FROM ordertrack.redeem('TEN', 'anna', '{"source_id": "a-1", "amount": 900}', idempotency_key => 'key')
EOC
redeems_ok('created and set up again');

# Two setups at once: the second waits, and finds nothing left to do.
sub two_setups_ok
{
	my ($db, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $first = open_session($node, $db);
	my $script = $node->basedir . "/setup-$db.sql";

	write_file($script, "\\set ON_ERROR_STOP on\nSELECT ordertrack.setup() IS NOT NULL;\n");
	like(ask($first, 'BEGIN; SELECT ordertrack.setup()'), qr/^ordertrack: tables version/, "$name: the first works");
	my $second = start_psql($node, $db, $script, "$script.out");
	ok($node->poll_query_until($db,
		"SELECT count(*) > 0 FROM pg_stat_activity WHERE query LIKE '%ordertrack.setup() IS NOT NULL%'"
		  . " AND wait_event_type = 'Lock' AND pid <> pg_backend_pid()"), "$name: the second setup() waits");
	ask($first, 'COMMIT');
	close_session($first);
	is(finish_psql($second), 0, "$name: and ends well") or diag(slurp_file("$script.out.err"));
	is(unarmed($node, $db), '', "$name: all triggers are armed");
}

two_setups_ok('postgres', 'two setups over tables');
$node->safe_psql('postgres', 'CREATE DATABASE fresh');
$node->safe_psql('fresh', 'CREATE EXTENSION ordertrack');
two_setups_ok('fresh', 'two setups of a fresh database');

# setup() where all is armed takes no lock that a redemption holds.
ask($session, q{BEGIN; SELECT ordertrack.redeem('TEN', 'anna', '{"amount": 10}')});
$node->safe_psql('postgres', q{SET lock_timeout = '10s'; SELECT ordertrack.setup()});
is(ask($session, 'COMMIT; SELECT 1'), '1', 'setup() waits for no redemption');

# Tables that a newer version has changed are not for this one.
$rows = rows_of($node, 'postgres', grep { $_ ne 'installation' } @relations);
$node->safe_psql('postgres', 'UPDATE ordertrack.installation SET tables_version = tables_version + 1');
is(sqlstate_of($node, 'postgres', 'SELECT ordertrack.setup()'), 'OT030', 'newer tables: setup() refuses');
is(sqlstate_of($node, 'postgres', 'SELECT ordertrack.setup(seed => false)'), 'OT030', 'newer tables: without seed as well');
for my $call (q{redeem('TEN')}, q{set_order_status(1, 'completed')}, q{create_order('{}')})
{
	is(sqlstate_of($node, 'postgres', "SELECT ordertrack.$call"), 'OT030', "newer tables: $call");
}
is(rows_of($node, 'postgres', grep { $_ ne 'installation' } @relations), $rows, 'newer tables: no row has changed');
$node->safe_psql('postgres', 'UPDATE ordertrack.installation SET tables_version = tables_version - 1');
redeems_ok('right version again');

close_session($session);
$node->stop;
done_testing();

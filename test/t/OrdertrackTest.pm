# What the Perl tests share: a server with the extension, and questions that are
# read from the catalog, so that a new table or function is covered at once.
package OrdertrackTest;

use strict;
use warnings;

use Exporter 'import';
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

our @EXPORT = qw(
  new_server install rows_of relations findings unarmed schema_of same_lines
  sqlstate_of message_of write_file
  start_psql finish_psql open_session ask close_session kill_server
  is_sound is_guarded are_counters_right
);

# Starts a server of its own for a test.
sub new_server
{
	my ($name, %params) = @_;
	my $conf = delete $params{conf} // '';
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init(extra => [ '--encoding=UTF8', '--locale=C' ], %params);
	$node->append_conf('postgresql.conf', <<"EOC");
log_statement = none
max_connections = 80
shared_buffers = 64MB
$conf
EOC
	$node->start;
	return $node;
}

# Makes a database with the extension and its tables.
sub install
{
	my ($node, $db, $arguments) = @_;
	$arguments //= '';

	$node->safe_psql('postgres', "CREATE DATABASE $db") if $db ne 'postgres';
	$node->safe_psql($db, "CREATE EXTENSION ordertrack; SELECT ordertrack.setup($arguments)");
}

# Names of the tables ('r'), or of tables and views ('rv').
sub relations
{
	my ($node, $db, $kinds) = @_;

	return split /\n/, $node->safe_psql($db, <<"EOC");
SELECT c.relname FROM pg_class AS c
 WHERE c.relnamespace = 'ordertrack'::regnamespace AND c.relkind = ANY (string_to_array('$kinds', NULL))
 ORDER BY c.relname COLLATE "C"
EOC
}

# A line "relation count md5" for each of the relations.
sub rows_of
{
	my ($node, $db, @relations) = @_;

	return $node->safe_psql($db, join ' UNION ALL ', map { <<"EOC" } @relations);
SELECT '$_', count(*), md5(coalesce(string_agg(t::text, E'\\n' ORDER BY t::text COLLATE "C"), ''))
  FROM ordertrack.$_ AS t
EOC
}

# All that verify_order finds wrong with any order, but for customers of orders that
# the stress test changes raw, which no note tells.
sub findings
{
	my ($node, $db) = @_;

	return $node->safe_psql($db, <<'EOC');
SELECT o.workspace_id, f.* FROM ordertrack.orders AS o
 CROSS JOIN LATERAL ordertrack.verify_order(o.order_id, o.workspace_id) AS f
 WHERE f.detail !~ '^The order''s customer_id is '
 ORDER BY 1, 2, 3
EOC
}

# The guard triggers that are not as they should be.
sub unarmed
{
	my ($node, $db) = @_;

	return $node->safe_psql($db, <<'EOC');
SELECT trigger_name || ': ' || state FROM ordertrack.unarmed_triggers() ORDER BY 1
EOC
}

# The schema as pg_dump writes it, as lines: tables, views, triggers with
# their state, comments, privileges.
sub schema_of
{
	my ($node, $db) = @_;
	my ($dump, $errors);

	IPC::Run::run([ 'pg_dump', '--schema-only', '-d', $node->connstr($db) ],
		'>', \$dump, '2>', \$errors)
	  or die "pg_dump: $errors";
	return grep { !/^\\(un)?restrict |^$/ } split /\n/, $dump;
}

# Tests that two lists hold the same lines in any order, and shows those that differ.
sub same_lines
{
	my ($got, $expected, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my %count;

	$count{$_}++ for @$got;
	$count{$_}-- for @$expected;
	is(join("\n", map { ($count{$_} > 0 ? '+ ' : '- ') . $_ } sort grep { $count{$_} } keys %count), '', $name);
}

# The SQLSTATE that a statement ends with, or '' where it works.
sub sqlstate_of
{
	my ($node, $db, $sql, @options) = @_;
	my ($status, $stdout, $stderr) = $node->psql($db, $sql,
		extra_params => [ '-v', 'VERBOSITY=sqlstate', '-v', 'ON_ERROR_STOP=1', @options ]);

	return '' if $status == 0;
	return $stderr =~ /ERROR:  (\w{5})/ ? $1 : $stderr;
}

# The error that a statement ends with, with its detail and hint.
sub message_of
{
	my ($node, $db, $sql) = @_;
	my ($status, $stdout, $stderr) = $node->psql($db, $sql, on_error_stop => 1);

	return $stderr;
}

sub write_file
{
	my ($path, $content) = @_;

	open my $file, '>', $path or die "$path: $!";
	print $file $content;
	close $file or die "$path: $!";
}

# Lets a psql of its own run a file; its answers go to another file.
sub start_psql
{
	my ($node, $db, $script, $answers) = @_;

	return IPC::Run::start(
		[ 'psql', '-XAtq', '-d', $node->connstr($db), '-f', $script ],
		'<', \undef, '>', $answers, '2>', "$answers.err",
		IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
}

# Waits for such a psql and gives its exit status.
sub finish_psql
{
	my ($psql) = @_;

	$psql->finish;
	return $psql->result(0);
}

# Opens a session that stays open between questions.
sub open_session
{
	my ($node, $db) = @_;
	my $session = { in => '', out => '', errors => '' };

	$session->{timeout} = IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default);
	$session->{psql} = IPC::Run::start(
		[ 'psql', '-XAtq', '-d', $node->connstr($db), '-f', '-' ],
		'<', \$session->{in}, '>', \$session->{out}, '2>', \$session->{errors}, $session->{timeout});
	return $session;
}

# Gives the answer to statements, or what psql says of an error.
sub ask
{
	my ($session, $sql) = @_;

	@$session{qw(out errors)} = ('', '');
	$session->{in} .= "$sql;\n\\echo end of answer\n";
	$session->{timeout}->start;
	pump_until($session->{psql}, $session->{timeout}, \$session->{out}, qr/^end of answer$/m)
	  or die "no answer to: $sql";
	$session->{out} =~ s/\n?^end of answer\n//m;
	return $session->{out} . $session->{errors};
}

sub close_session
{
	my ($session) = @_;

	$session->{in} .= "\\q\n";
	$session->{psql}->finish;
}

# Kills a server and all its sessions, and waits until they are gone.
sub kill_server
{
	my ($node) = @_;
	my @pids = ((slurp_file($node->data_dir . '/postmaster.pid') =~ /^(\d+)/),
		split /\n/, $node->safe_psql('postgres', 'SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()'));

	$node->kill9;
	kill 'KILL', @pids;
	# Where nobody reaps orphans, a zombie looks to a new server like the old one.
	for (1 .. 100 * $PostgreSQL::Test::Utils::timeout_default)
	{
		last if !grep { !is_dead($_) } @pids;
		usleep(10_000);
	}
	unlink $node->data_dir . '/postmaster.pid', $node->host . '/.s.PGSQL.' . $node->port . '.lock';
}

sub is_dead
{
	my ($pid) = @_;

	return !kill(0, $pid) || !-e "/proc/$pid" || slurp_file("/proc/$pid/stat") =~ /\) [ZX] /;
}

# Tests that the guards are armed and every history is right.
sub is_sound
{
	my ($node, $db, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;

	is(unarmed($node, $db), '', "$name: all triggers are armed");
	is(findings($node, $db), '', "$name: every history verifies");
}

# Tests that a superuser can't change history, whatever his session's role.
sub is_guarded
{
	my ($node, $db, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my @refused;

	for my $sql (
		q{UPDATE ordertrack.redemptions SET code = 'x'},
		q{DELETE FROM ordertrack.redemptions},
		q{TRUNCATE ordertrack.redemptions},
		q{UPDATE ordertrack.order_notes SET author = 'x'},
		q{DELETE FROM ordertrack.order_notes},
		q{TRUNCATE ordertrack.order_notes},
		q{INSERT INTO ordertrack.order_notes (workspace_id, order_id, note_no, note_type, event_type,
			author, created_at, hash)
		  SELECT workspace_id, order_id, note_count + 1, 'custom', 'none', 'x', now(), '\x00'
		    FROM ordertrack.orders},
		q{UPDATE ordertrack.orders SET note_count = note_count + 1},
		q{UPDATE ordertrack.point_movements SET points = points + 1},
		q{DELETE FROM ordertrack.point_movements},
		q{TRUNCATE ordertrack.point_movements},
		q{UPDATE ordertrack.point_lots SET expires_at = '2222-01-01'},
		q{DELETE FROM ordertrack.point_lots},
		q{DELETE FROM ordertrack.orders})
	{
		for my $role (qw(origin replica))
		{
			my $state = sqlstate_of($node, $db, "SET session_replication_role = $role; $sql");

			push @refused, "$role: $sql: '$state'" if $state ne 'OT020';
		}
	}
	is("@refused", '', "$name: history can't be changed");
}

# Tests that every counter, balance and sum equals a recount of the rows.
sub are_counters_right
{
	my ($node, $db, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;

	is($node->safe_psql($db, <<'EOC'), '', "$name: counters, balances and sums equal a recount");
WITH uses AS MATERIALIZED (
	SELECT r.*, CASE WHEN r.kind = 'redemption' THEN 1 WHEN r.is_complete THEN -1 ELSE 0 END AS use
	  FROM ordertrack.redemptions AS r WHERE r.result = 'success'
), bought AS (
	SELECT workspace_id, customer_id, count(*) AS order_count, sum(total_amount) AS order_total,
		max(created_at) AS last_order_at
	  FROM ordertrack.orders
	 WHERE coalesce(status_before_hold, status)
		IN ('paid', 'fulfilled', 'in_progress', 'partially_shipped', 'completed')
	 GROUP BY workspace_id, customer_id
), live AS (
	SELECT r.*, r.created_at AT TIME ZONE w.time_zone AS local_time
	  FROM uses AS r JOIN ordertrack.workspaces AS w USING (workspace_id)
	 WHERE r.kind = 'redemption' AND NOT EXISTS (SELECT FROM uses AS b
		WHERE b.workspace_id = r.workspace_id AND b.rollback_of = r.redemption_id AND b.is_complete)
), limited AS (
	SELECT t.workspace_id, t.entity, t.entity_id, p.period, p.is_for_customer FROM (
		SELECT workspace_id, 'voucher' AS entity, voucher_id AS entity_id, per_day, per_week, per_month,
			customer_per_day, customer_per_week, customer_per_month FROM ordertrack.vouchers
		UNION ALL SELECT workspace_id, 'campaign', campaign_id, per_day, per_week, per_month,
			customer_per_day, customer_per_week, customer_per_month FROM ordertrack.campaigns) AS t
	 CROSS JOIN LATERAL (VALUES ('day', false, per_day), ('week', false, per_week), ('month', false, per_month),
		('day', true, customer_per_day), ('week', true, customer_per_week), ('month', true, customer_per_month))
		AS p (period, is_for_customer, most)
	 WHERE p.most IS NOT NULL
), periods AS (
	SELECT l.workspace_id, l.entity, l.entity_id, l.period, date_trunc(l.period, r.local_time)::date AS starts_on,
		CASE WHEN l.is_for_customer THEN r.customer_id ELSE 0 END AS customer_id, count(*) AS used
	  FROM limited AS l JOIN live AS r ON r.workspace_id = l.workspace_id
	   AND CASE l.entity WHEN 'voucher' THEN r.voucher_id ELSE r.campaign_id END = l.entity_id
	 WHERE NOT l.is_for_customer OR r.customer_id IS NOT NULL
	 GROUP BY 1, 2, 3, 4, 5, 6
)
SELECT 'period', concat_ws('/', entity, entity_id, period, starts_on, customer_id), c.used::text, p.used::text
  FROM periods AS p
  FULL JOIN (SELECT workspace_id, entity::text, entity_id, period::text, starts_on, customer_id, used
	 FROM ordertrack.period_counts) AS c USING (workspace_id, entity, entity_id, period, starts_on, customer_id)
  JOIN limited AS l USING (workspace_id, entity, entity_id, period)
  JOIN ordertrack.workspaces AS w USING (workspace_id)
 WHERE l.is_for_customer = (customer_id <> 0) AND starts_on = date_trunc(period, now() AT TIME ZONE w.time_zone)::date
   AND coalesce(c.used, 0) <> coalesce(p.used, 0)
UNION ALL
SELECT 'budgets', name, concat_ws(' ', discount_spent, order_spent), concat_ws(' ', discounts, orders)
  FROM (SELECT c.*, (SELECT coalesce(sum(amount), 0) FROM uses AS u WHERE u.workspace_id = c.workspace_id
			AND u.campaign_id = c.campaign_id) AS discounts,
		(SELECT coalesce(sum(discount_amount + total_amount), 0) FROM live AS u WHERE u.workspace_id = c.workspace_id
			AND u.campaign_id = c.campaign_id) AS orders FROM ordertrack.campaigns AS c) AS c
 WHERE discount_spent <> discounts OR order_spent <> orders
UNION ALL
SELECT 'voucher', code, redeemed_count::text, used::text
  FROM (SELECT v.*, (SELECT coalesce(sum(use), 0) FROM uses AS u WHERE u.workspace_id = v.workspace_id
		AND u.voucher_id = v.voucher_id) AS used FROM ordertrack.voucher_list AS v) AS v
 WHERE redeemed_count <> used
UNION ALL
SELECT 'gift card', code, gift_balance::text, spent::text
  FROM (SELECT v.*, (SELECT coalesce(sum(amount), 0) FROM uses AS u WHERE u.workspace_id = v.workspace_id
		AND u.voucher_id = v.voucher_id) AS spent FROM ordertrack.vouchers AS v) AS v
 WHERE gift_balance <> gift_amount - spent
UNION ALL
SELECT 'campaign', name, redeemed_count::text, used::text
  FROM (SELECT c.*, (SELECT coalesce(sum(use), 0) FROM uses AS u WHERE u.workspace_id = c.workspace_id
		AND u.campaign_id = c.campaign_id) AS used FROM ordertrack.campaign_list AS c) AS c
 WHERE redeemed_count <> used
UNION ALL
SELECT 'customer of voucher', voucher_id || '/' || customer_id, v.used::text, u.used::text
  FROM ordertrack.voucher_customers AS v
  FULL JOIN (SELECT workspace_id, voucher_id, customer_id, sum(use) AS used FROM uses
	 WHERE customer_id IS NOT NULL AND voucher_id IN
		(SELECT voucher_id FROM ordertrack.vouchers WHERE customer_limit IS NOT NULL)
	 GROUP BY 1, 2, 3) AS u USING (workspace_id, voucher_id, customer_id)
  JOIN ordertrack.vouchers AS t USING (workspace_id, voucher_id)
 WHERE t.customer_limit IS NOT NULL AND coalesce(v.used, 0) <> coalesce(u.used, 0)
UNION ALL
SELECT 'customer of campaign', campaign_id || '/' || customer_id, c.used::text, u.used::text
  FROM ordertrack.campaign_customers AS c
  FULL JOIN (SELECT workspace_id, campaign_id, customer_id, sum(use) AS used FROM uses
	 WHERE customer_id IS NOT NULL AND campaign_id IN
		(SELECT campaign_id FROM ordertrack.campaigns WHERE customer_limit IS NOT NULL)
	 GROUP BY 1, 2, 3) AS u USING (workspace_id, campaign_id, customer_id)
  JOIN ordertrack.campaigns AS t USING (workspace_id, campaign_id)
 WHERE t.customer_limit IS NOT NULL AND coalesce(c.used, 0) <> coalesce(u.used, 0)
UNION ALL
SELECT 'customer', c.source_id, concat_ws(' ', c.order_count, c.order_total, c.last_order_at),
	concat_ws(' ', b.order_count, b.order_total, b.last_order_at)
  FROM ordertrack.customers AS c
  LEFT JOIN bought AS b USING (workspace_id, customer_id)
 WHERE (c.order_count, c.order_total) <> (coalesce(b.order_count, 0), coalesce(b.order_total, 0))
    OR c.last_order_at IS DISTINCT FROM b.last_order_at
UNION ALL
SELECT 'order', o.order_id::text, o.discount_amount::text, u.given::text
  FROM ordertrack.orders AS o
 CROSS JOIN LATERAL (SELECT coalesce(sum(amount), 0) + coalesce((SELECT m.amount FROM ordertrack.manual_discounts AS m
		 WHERE m.workspace_id = o.workspace_id AND m.order_id = o.order_id), 0) AS given FROM uses AS u
	 WHERE u.workspace_id = o.workspace_id AND u.order_id = o.order_id) AS u
 WHERE o.discount_amount <> u.given
UNION ALL
SELECT 'units of order', o.order_id::text, o.amount::text, (o.initial_amount + i.added)::text
  FROM ordertrack.orders AS o
 CROSS JOIN LATERAL (SELECT coalesce(sum(amount), 0) AS added FROM ordertrack.redemption_items AS i
	 WHERE i.workspace_id = o.workspace_id AND i.order_id = o.order_id) AS i
 WHERE o.amount <> o.initial_amount + i.added
UNION ALL
SELECT 'line', order_id || '/' || line_no, l.discount_amount::text, i.given::text
  FROM ordertrack.order_items AS l
  FULL JOIN (SELECT workspace_id, order_id, line_no, sum(discount_amount) AS given
	  FROM ordertrack.redemption_items GROUP BY 1, 2, 3) AS i USING (workspace_id, order_id, line_no)
 WHERE coalesce(l.discount_amount, 0) <> coalesce(i.given, 0)
UNION ALL
SELECT 'notes of order', o.order_id::text, o.note_count::text, n.notes::text
  FROM ordertrack.orders AS o
 CROSS JOIN LATERAL (SELECT count(*) AS notes FROM ordertrack.order_notes AS n
	 WHERE n.workspace_id = o.workspace_id AND n.order_id = o.order_id) AS n
 WHERE o.note_count <> n.notes
UNION ALL
SELECT 'rollbacks of', r.redemption_id::text, r.amount::text, b.given_back::text
  FROM uses AS r
 CROSS JOIN LATERAL (SELECT count(*) AS parts, max(p.rollback_no) AS last_no, -sum(p.amount) AS given_back,
		count(*) FILTER (WHERE p.is_complete) AS completed
	  FROM uses AS p WHERE p.workspace_id = r.workspace_id AND p.rollback_of = r.redemption_id) AS b
 WHERE r.kind = 'redemption' AND b.parts > 0
   AND (b.parts <> b.last_no OR b.completed > 1 OR b.given_back > r.amount
		OR (b.completed = 1) <> (b.given_back = r.amount))
EOC
}

1;

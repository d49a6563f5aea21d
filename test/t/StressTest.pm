# What the tests of many sessions share: a server, pgbench that drives the sessions,
# and statements that may end with an error.
package StressTest;

use strict;
use warnings;

use Exporter 'import';
use IPC::Run;
use OrdertrackTest;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(new_stress_server run_sessions asked_is);

my ($node, @options);

# Starts the one server of a test, with an extension; pgbench gets the options.
sub new_stress_server
{
	@options = @_;
	$node = new_server('main');
	install($node, 'postgres');

	# Runs a statement that may end with one of these SQLSTATEs; any other goes on.
	$node->safe_psql('postgres', <<'EOC');
CREATE FUNCTION attempt(statement text, VARIADIC allowed text[]) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
	RETURN 'done';
EXCEPTION WHEN OTHERS THEN
	IF SQLSTATE = ANY (allowed) THEN
		RETURN SQLSTATE;
	END IF;
	RAISE;
END
$$;
EOC
	return $node;
}

# Runs scripts (name => [weight, text]) in so many sessions, each so many calls.
sub run_sessions
{
	my ($name, $sessions, $calls, %scripts) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my @files;
	my ($output, $errors);

	for my $script (sort keys %scripts)
	{
		my $path = $node->basedir . "/$script.sql";

		write_file($path, $scripts{$script}[1]);
		push @files, '-f', "$path\@$scripts{$script}[0]";
	}
	ok(IPC::Run::run(
		[ 'pgbench', '-n', '-c', $sessions, '-j', 2, '-t', $calls, '-D', 'turn=0', @options,
			@files, $node->connstr('postgres') ],
		'>', \$output, '2>', \$errors, IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default)),
		"$name: $sessions sessions work without an error")
	  or diag($errors);
	is($output =~ /actually processed: (\S+)/ ? $1 : $output, join('/', ($sessions * $calls) x 2),
		"$name: all calls were made, none ended by a deadlock");
}

# Tests what a question is answered.
sub asked_is
{
	my ($sql, $expected, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;

	is($node->safe_psql('postgres', $sql), $expected, $name);
}

1;

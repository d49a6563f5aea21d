# Runs pgbench against the server of test/bench/run, and tells what it took.
package Runner;
use strict;
use warnings;
use Exporter 'import';
use POSIX ();
our @EXPORT = qw(ask run start_pgbench finish_pgbench slurp foreign_load);

my $postmaster = ask("SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)");
my $ticks_per_second = POSIX::sysconf(POSIX::_SC_CLK_TCK());
my ($run_time, $foreign_time) = (0, 0);

# Runs a script of scripts/ and gives calls, and per call the server's CPU time
# in microseconds and the bytes of WAL; rate is calls per second.
sub run {
	my (%what) = @_;
	my $wal_before = ask('SELECT pg_current_wal_insert_lsn()');
	my $before = cpu_times();
	my $out = finish_pgbench(start_pgbench(%what));
	my $after = cpu_times();
	my $wal = ask("SELECT pg_current_wal_insert_lsn() - '$wal_before'::pg_lsn");
	my %spent = map { $_ => $after->{$_} - $before->{$_} } keys %$after;
	$run_time += $spent{clock};
	$foreign_time += $spent{machine} - $spent{server} - $spent{children};
	my ($calls) = $out =~ /actually processed: (\d+)/ or die $out;
	my ($rate) = $out =~ /tps = ([\d.]+)/ or die $out;
	die "no call ended in $what{seconds} s\n" if $calls == 0;
	return { calls => $calls, rate => $rate, cpu => $spent{server} / $calls * 1e6, wal => $wal / $calls };
}

# The CPUs that other processes kept busy during the runs, on average.
sub foreign_load { return $run_time > 0 ? $foreign_time / $run_time : 0 }

sub start_pgbench {
	my (%what) = @_;
	my $options = "-c synchronous_commit=$what{commit}";
	$options .= " -c search_path=$what{search_path}" if defined $what{search_path};
	local $ENV{PGOPTIONS} = $options;
	my @variables = map { ('-D', "$_=$what{variables}{$_}") } sort keys %{ $what{variables} };
	my @command = ('pgbench', '-n', '-M', 'prepared', '-T', $what{seconds}, '-c', $what{clients},
		'-j', $what{clients} > 1 ? 2 : 1, '-D', "clients=$what{clients}", @variables, '-f', "scripts/$what{script}.sql");
	open(my $pgbench, '-|', @command) or die "pgbench: $!\n";
	return $pgbench;
}

sub finish_pgbench {
	my ($pgbench) = @_;
	my $out = join '', <$pgbench>;
	close($pgbench) or die "pgbench failed\n$out";
	return $out;
}

sub ask {
	my ($sql) = @_;
	open(my $psql, '-|', 'psql', '-XAtqc', $sql) or die "psql: $!\n";
	my $answer = join '', <$psql>;
	close($psql) or die "psql failed\n";
	chomp $answer;
	return $answer;
}

# CPU seconds so far: of the server, of the programs that we ran, and of the
# whole machine, with what a hypervisor took away.
sub cpu_times {
	my $server = server_ticks();
	my ($user, $nice, $system, undef, undef, @other) = (split ' ', slurp('/proc/stat'))[1 .. 8];
	my $machine = $user + $nice + $system;
	$machine += $_ for @other;
	my ($clock, undef, undef, @children) = POSIX::times();
	my %ticks = (clock => $clock, children => $children[0] + $children[1], server => $server, machine => $machine);
	return { map { $_ => $ticks{$_} / $ticks_per_second } keys %ticks };
}

# The postmaster, its children and those that it has reaped; read again where one
# was reaped meanwhile, since it could be missed or counted twice.
sub server_ticks {
	my ($ticks, $reaped_before, $reaped);
	do {
		$ticks = 0;
		(undef, $reaped_before) = process_ticks(slurp("/proc/$postmaster/stat"));
		for my $process (map { slurp($_) // () } glob '/proc/[0-9]*/stat') {
			my ($parent) = $process =~ /\) \S+ (\d+)/ or next; # it ended just now
			$ticks += (process_ticks($process))[0] if $parent == $postmaster;
		}
		(my $own, $reaped) = process_ticks(slurp("/proc/$postmaster/stat"));
		$ticks += $own + $reaped;
	} until $reaped == $reaped_before;
	return $ticks;
}

# What a process used, and its reaped children; the name before may hold anything.
sub process_ticks {
	my ($process) = @_;
	my @times = (split ' ', $process =~ s/.*\) //r)[11 .. 14];
	return ($times[0] + $times[1], $times[2] + $times[3]);
}

sub slurp {
	my ($file) = @_;
	open(my $handle, '<', $file) or return;
	return join '', <$handle>;
}

1;

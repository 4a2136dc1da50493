# SPDX-License-Identifier: MIT
# perl host-trace.pl RUN_DIR KB NAME: records what the host of a boot's virtual machines does, in a
# tracefs instance NAME of its own with a ring buffer of KB for each CPU. (Linux
# Documentation/trace/ftrace.rst, events.rst.) host-trace.sh writes commands on stdin, and each is
# answered by a line, "ok" or what went wrong:
#
#   start   empties the ring and records
#   save    stops, and appends what the ring has to RUN_DIR/host-schedule.tsv
#
# The first line, before any command, says whether the instance could be made. At the end of stdin,
# however the caller ended, the instance is removed.
#
# Times are host TSC cycles (trace clock x86-tsc). A guest's TSC is the host's, scaled and with an
# offset that KVM shows in debugfs, so no clock is read twice and nothing is interpolated. The file
# has a header line for each VM, and lines with tabs between the fields:
#
#   # vm VM tsc-offset OFFSET ratio RATIO frac BITS     guest TSC = (host TSC * RATIO >> BITS) + OFFSET
#   start end CPU VM VCPU - DISPLACED      a vCPU had the CPU
#   start end CPU - - TASK DISPLACED       another task had it
#   start end CPU VM VCPU exit REASON      while it had the CPU, the vCPU was in KVM or in QEMU
#
# DISPLACED is the vCPU that lost the CPU at `start` though it could have run, or "-". So the line
# tells who ran instead of it. Fields 1 to 5 are those of sim/schedule.h.
use strict;
use warnings;

my ($run_dir, $kb, $name) = @ARGV;
my ($tracefs) = grep { -d "$_/instances" } '/sys/kernel/tracing', '/sys/kernel/debug/tracing';
my $instance = ($tracefs // '/sys/kernel/tracing') . "/instances/$name";
my $DEBUGFS = '/sys/kernel/debug/kvm';

sub put {
	my ($file, $text) = @_;
	open(my $out, '>', "$instance/$file") or die "$instance/$file: $!\n";
	print {$out} $text;
	close($out) or die "$instance/$file: $!\n";
}

sub begin {
	mkdir $instance or die "$instance: $!\n";
	put('tracing_on', 0);
	put('trace_clock', 'x86-tsc');
	put('buffer_size_kb', $kb);
	put('options/overwrite', 1); # a traced run keeps its last events, too
	put('options/record-tgid', 0);
	put("events/$_/enable", 1) for 'sched/sched_switch', 'kvm/kvm_exit', 'kvm/kvm_entry';
}

sub finish {
	return if !-d $instance;
	eval { put('tracing_on', 0) };
	rmdir $instance or print STDERR "run.sh: cannot remove $instance: $!\n";
}

sub first_line {
	my ($file) = @_;
	open(my $in, '<', $file) or return;
	my $line = <$in> // '';
	chomp $line;
	return $line;
}

# Returns the header line of a VM, one of whose threads is given.
sub header {
	my ($vm, $thread) = @_;
	open(my $status, '<', "/proc/$thread/status") or die "no thread $thread: $!\n";
	my ($process) = map { /^Tgid:\s+(\d+)/ ? $1 : () } <$status>;
	my %offsets = map { (first_line($_) // 'unreadable') => 1 } glob "$DEBUGFS/$process-*/vcpu*/tsc-offset";
	my @offset = keys %offsets;
	@offset == 1 && $offset[0] =~ /^-?\d+$/ or die "$DEBUGFS/$process-*/vcpu*/tsc-offset: not one number: @offset\n";
	my ($at) = glob "$DEBUGFS/$process-*/vcpu0";
	my $ratio = first_line("$at/tsc-scaling-ratio") // 1;
	my $bits = first_line("$at/tsc-scaling-ratio-frac-bits") // 0;
	return "# vm $vm tsc-offset $offset[0] ratio $ratio frac $bits\n";
}

# Fills in the vCPU of each thread: "VM\tVCPU". Returns the header lines. (instance.sh stores QEMU's
# answers before it says that a VM is ready.)
sub find_vcpus {
	my ($vcpu_of) = @_;
	my $headers = '';
	for my $file (glob "\Q$run_dir\E/.raw/qmp-*") {
		my ($vm) = $file =~ /-(\d+)$/;
		open(my $in, '<', $file) or die "$file: $!\n";
		my ($cpus) = grep { /^cpus / } <$in>;
		$cpus = ($cpus // '') =~ s/"props": ?\{[^}]*\}//gr; # the topology has "thread-id", too
		my @threads = $cpus =~ /"thread-id": ?(\d+)/g;
		@{$vcpu_of}{@threads} = map { "$vm\t$_" } 0 .. $#threads;
		$headers .= header($vm, $threads[0]) if @threads;
	}
	return $headers;
}

sub title {
	my ($vcpu) = @_;
	return sprintf 'VM %s, vCPU %s', split /\t/, $vcpu;
}

# Writes the slices of the ring to a file that is open.
sub write_slices {
	my ($out, $vcpu_of) = @_;
	my (%on, %exit_of, $last); # by CPU: the task that runs; by thread: its exit; the latest time
	my $end_exit = sub {
		my ($cpu, $time) = @_;
		my $on = $on{$cpu};
		my ($vcpu, $reason) = ($vcpu_of->{$on->{thread}}, $exit_of{$on->{thread}});
		print {$out} join("\t", $on->{exit_from}, $time, $cpu, $vcpu, 'exit', $reason), "\n"
			if $vcpu && defined $reason && defined $on->{exit_from};
		$on->{exit_from} = undef;
	};
	my $end_slice = sub {
		my ($cpu, $time) = @_;
		my $on = $on{$cpu} or return;
		$end_exit->($cpu, $time);
		return if $on->{thread} == 0; # idle
		my $vcpu = $vcpu_of->{$on->{thread}};
		print {$out} join("\t", $on->{start}, $time, $cpu, $vcpu // "-\t-", $vcpu ? '-' : $on->{task},
			$on->{displaced}), "\n";
	};
	open(my $in, '<', "$instance/trace") or die "$instance/trace: $!\n";
	while (<$in>) {
		my ($comm, $thread, $cpu, $time, $event, $text) =
			/^(.{16})-(\d+)\s+\[(\d+)\]\s+(?:\S+\s+)?(\d+): (\w+): (.*)/ or next;
		$cpu += 0;
		$last = $time;
		$comm =~ s/^ +//;
		$on{$cpu} //= {start => $time, thread => $thread, task => name($comm, $thread), displaced => '-'};
		if ($event eq 'kvm_exit') {
			($exit_of{$thread}) = $text =~ /reason (\S+)/;
			$on{$cpu}{exit_from} = $time;
		} elsif ($event eq 'kvm_entry') {
			$end_exit->($cpu, $time);
			delete $exit_of{$thread};
		} elsif (my ($state, $next_comm, $next) = $text =~ /prev_state=(\S+) ==> next_comm=(.*) next_pid=(\d+)/) {
			my $lost = $state =~ /^R/ && $vcpu_of->{$thread};
			$end_slice->($cpu, $time);
			$on{$cpu} = {start => $time, thread => $next, task => name($next_comm, $next),
				displaced => $lost ? title($lost) : '-', exit_from => $time};
		}
	}
	$end_slice->($_, $last) for sort keys %on;
}

sub name {
	my ($comm, $thread) = @_;
	$comm =~ s/[^ -~]/?/g;
	return "$comm-$thread";
}

sub save {
	my %vcpu_of;
	put('tracing_on', 0);
	my $headers = find_vcpus(\%vcpu_of);
	my $file = "$run_dir/host-schedule.tsv";
	open(my $out, '>>', $file) or die "$file: $!\n";
	print {$out} $headers;
	write_slices($out, \%vcpu_of);
	close($out) or die "$file: $!\n";
}

sub start {
	put('trace', '');
	put('tracing_on', 1);
}

sub answer {
	my ($does) = @_;
	print eval { $does->(); 1 } ? "ok\n" : $@;
}

my %commands = (start => \&start, save => \&save);
$| = 1;
$SIG{INT} = 'IGNORE'; # run.sh ends it by closing the pipe
$SIG{TERM} = $SIG{HUP} = sub { finish(); exit 1 };
answer(\&begin);
while (my $command = <STDIN>) {
	chomp $command;
	answer($commands{$command} // sub { die "no command $command\n" });
}
finish();

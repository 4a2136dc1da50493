# SPDX-License-Identifier: MIT
# perl log.pl FILE: stores the guest's log from stdin in FILE, line by line, and prints the records
# that the coordinator waits for (instance.sh). At the end of the input an unfinished line is stored
# as it is. Status 1 if the log cannot be written.
#
# QEMU writes each byte by itself. A reader that takes each byte at once is woken for each, which
# takes a CPU from the VMs, and half of all time in L1. This one rests between two reads, so that it
# finds many bytes; and it writes whole lines, because FILE may be on 9p, where a write is a request
# to the host.
use strict;
use warnings;

my $REST_SECONDS = 0.02;
my $READ_BYTES = 65536;

sub fail {
	print STDERR "run.sh: $ARGV[0]: $!\n";
	exit 1;
}

$SIG{INT} = 'IGNORE'; # the coordinator ends QEMU; its last lines are still to come
$| = 1;               # the records are awaited
open my $log, '>:raw', $ARGV[0] or fail();
binmode STDIN;

sub store {
	my ($lines) = @_;
	for (my $at = 0; $at < length $lines;) {
		$at += syswrite($log, $lines, length($lines) - $at, $at) // fail();
	}
	print "$_\n" for grep { /^\{"type":"(?:boot|ready|run|end)"/ } split /\n/, $lines;
}

my $begun = '';
while (1) {
	my $count = sysread STDIN, $begun, $READ_BYTES, length $begun;
	next if !defined $count && $!{EINTR};
	last if !$count;
	my $end = rindex($begun, "\n") + 1;
	store(substr $begun, 0, $end, '');
	select undef, undef, undef, $REST_SECONDS;
}
store($begun);
close $log or fail();

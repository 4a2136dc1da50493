# SPDX-License-Identifier: MIT
# The order of `make check`, for prove: as tests/bounds has it, the longest first, so that no CPU waits
# for one program at the end.
package Harness;
use strict;
use warnings;
use File::Basename;
use IO::Handle;
use parent 'TAP::Harness';

STDOUT->autoflush(1); # each program's line as it ends, into a file or a pipe, too

my @bounds; # of [seconds, regular expression]

sub read_bounds {
	open my $file, '<', dirname(__FILE__) . '/bounds' or die "tests/bounds: $!\n";
	while (<$file>) {
		my ($seconds, $pattern) = /^\s*(\d+)\s+(\S+)/ or next;
		$pattern = join '.*', map { quotemeta } split /\*/, $pattern, -1;
		push @bounds, [$seconds, qr/^$pattern$/];
	}
}

sub bound_of {
	my ($name) = @_;
	my ($bound) = grep { $name =~ $_->[1] } @bounds;
	return $bound ? $bound->[0] : die "tests/bounds has no line for $name\n";
}

sub make_scheduler {
	my ($self, @tests) = @_;
	read_bounds() unless @bounds;
	my %bound = map { my $name = ref $_ ? $_->[0] : $_; ($name, bound_of($name)) } @tests;
	my @names = sort { $bound{$b} <=> $bound{$a} || $a cmp $b } keys %bound;
	$self->rules({par => \@names});
	return $self->SUPER::make_scheduler(@tests);
}

1;

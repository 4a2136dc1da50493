# SPDX-License-Identifier: MIT The order of `make check`, for prove. tests/bounds says how long each
# program may take and whether it keeps both CPUs busy. Programs that do run first, one by one; then
# all the others, two at a time, because an emulated machine is one busy thread. The longest start
# first, so that no CPU waits at the end.
package Harness;
use strict;
use warnings;
use File::Basename;
use parent 'TAP::Harness';

my @bounds; # of [seconds, CPUs, regular expression]

sub read_bounds {
	open my $file, '<', dirname(__FILE__) . '/bounds' or die "tests/bounds: $!\n";
	while (<$file>) {
		my ($seconds, $cpus, $pattern) = /^\s*(\d+)\s+([12])\s+(\S+)/ or next;
		$pattern = join '.*', map { quotemeta } split /\*/, $pattern, -1;
		push @bounds, [$seconds, $cpus, qr/^$pattern$/];
	}
}

sub bound_of {
	my ($name) = @_;
	return (grep { $name =~ $_->[2] } @bounds)[0] // die "tests/bounds has no line for $name\n";
}

sub make_scheduler {
	my ($self, @tests) = @_;
	read_bounds() unless @bounds;
	my %bound = map { my $name = ref $_ ? $_->[0] : $_; ($name, bound_of($name)) } @tests;
	my @names = sort { $bound{$b}[0] <=> $bound{$a}[0] || $a cmp $b } keys %bound;
	my @alone = grep { $bound{$_}[1] > 1 } @names;
	my @beside = grep { $bound{$_}[1] == 1 } @names;
	$self->rules({seq => [(map { {seq => $_} } @alone), {par => \@beside}]});
	return $self->SUPER::make_scheduler(@tests);
}

1;

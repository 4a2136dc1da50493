# SPDX-License-Identifier: MIT
# The order of `make check`, for prove: first, one by one, what measures with both CPUs (the lock tests
# on Linux threads, the mutants, the peers); then all the rest, two at a time, as an emulated machine
# is one busy thread.
package Harness;
use strict;
use warnings;
use parent 'TAP::Harness';

sub new {
	my ($class, $arguments) = @_;
	$arguments->{rules} = {
		seq => [
			{seq => 'build/**'}, {seq => 'tests/{locks,model}/*'},
			{seq => 'tests/run/{hosted,mutants,peers}.bats'}, {par => '**'},
		],
	};
	return $class->SUPER::new($arguments);
}

1;

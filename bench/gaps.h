/* SPDX-License-Identifier: MIT */
/*
 * Where a lock's time went: it is held, or there is a gap between a release and the next grant. For
 * any lock, whatever its queue: the releaser leaves the time in the section's line, and the next
 * owner finds it there. Over a measured phase holds and gaps add up to its length.
 *
 * In a gap the lock is free and does no work. Who had it next tells why:
 *
 *	release                                                      grant
 *	   |--- nobody ---|---------- passed ----------|--- its own ---|
 *	             somebody asks           the next owner asks
 *
 * `passed`: others waited and did not take it. The next owner's own part it spent `stolen` (the
 * host ran something else), `halted` (in HLT, or being woken) or else `running`: the hand-over.
 */
#ifndef PVSPIN_BENCH_GAPS_H
#define PVSPIN_BENCH_GAPS_H

#include "locks/core/absence.h"
#include <stdint.h>

/* Cycles. */
struct gaps {
	uint64_t held;        /* by the owner, on its CPU or not */
	uint64_t held_stolen; /* of that: the host ran something else */
	uint64_t nobody, passed, stolen, halted, running;
};

/* A hold, in TSC values, and how much of it the host took. */
struct hold {
	uint64_t granted, released;
	uint64_t stolen;
};

/* One acquisition, in TSC values. */
struct turn {
	uint64_t freed;  /* by the owner before; 0: there was none */
	uint64_t wanted; /* since when somebody waited that still does; `asked` if nobody */
	uint64_t asked, granted;
};

/* The gap before the turn, as far as it is between `from` and `to`. `absences`: the owner's. */
void gaps_add_gap(struct gaps *gaps, const struct turn *turn, uint64_t from, uint64_t to,
		  const struct absences *absences);

/* A hold, as far as it is between `from` and `to`. Of what was stolen it is not known when: all
 * that fits is taken to be in there. */
void gaps_add_hold(struct gaps *gaps, const struct hold *hold, uint64_t from, uint64_t to);

void gaps_add(struct gaps *sum, const struct gaps *gaps);

#endif

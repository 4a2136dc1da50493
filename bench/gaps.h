/* SPDX-License-Identifier: MIT */
/*
 * Where a lock's time went: it is held, or there is a gap between a release and the next grant.
 * Works for any lock, whatever its queue: the releaser stores the time in the section's line, where
 * the next owner finds it. Over a measured phase holds and gaps add up to its length.
 *
 * In a gap the lock is free. The next owner tells why:
 *
 *	release                                                      grant
 *	   |--- nobody ---|---------- passed ----------|--- its own ---|
 *	             somebody asks           the next owner asks
 *
 * `passed`: others waited and did not take it. In its own part, the next owner was `stolen` (the
 * host ran something else), `halted` (in HLT, or being woken) or else `running`, which is the
 * hand-over.
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

/* A hold, in TSC values, and the part of it that the host took. */
struct hold {
	uint64_t granted, released;
	uint64_t stolen;
};

/* One acquisition, in TSC values. */
struct turn {
	uint64_t freed;  /* by the previous owner; 0: there was none */
	uint64_t wanted; /* when the oldest of the current waits began; `asked` if there is none */
	uint64_t asked, granted;
};

/* Adds the part of the gap before the turn that lies between `from` and `to`. `absences` are the
 * owner's. */
void gaps_add_gap(struct gaps *gaps, const struct turn *turn, uint64_t from, uint64_t to,
		  const struct absences *absences);

/* Adds the part of a hold that lies between `from` and `to`. It is not known when in the hold time
 * was stolen: counts as much of it for this part as fits. */
void gaps_add_hold(struct gaps *gaps, const struct hold *hold, uint64_t from, uint64_t to);

void gaps_add(struct gaps *sum, const struct gaps *gaps);

#endif

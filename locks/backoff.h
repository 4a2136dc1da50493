/* SPDX-License-Identifier: MIT */
/*
 * Randomised exponential backoff. After each unsuccessful look a waiter executes between d/2 and d
 * PAUSEs, and d doubles up to a limit. The number is drawn anew each time: waiters that saw the
 * same release and paused equally long would meet again at the next one. Each wait keeps its state
 * on its stack, so nested waits do not share it. The seed mixes CPU and time, so no two waits walk
 * in step.
 *
 * T. E. Anderson, IEEE TPDS 1(1), 1990; J. M. Mellor-Crummey, M. L. Scott, ACM TOCS 9(1), 1991.
 */
#ifndef PVSPIN_LOCKS_BACKOFF_H
#define PVSPIN_LOCKS_BACKOFF_H

#include "locks/core/spin.h"
#include "port/port.h"
#include <stdint.h>

struct backoff {
	uint32_t bound; /* d */
	uint32_t limit;
	uint32_t random;
};

/* Starts a wait. `first` and `limit` are at least 1; a `first` above `limit` counts as `limit`. */
static inline struct backoff backoff_begin(uint32_t first, uint32_t limit)
{
	/* Knuth, TAOCP vol. 3, 6.4: neighbouring CPUs get distant seeds. Odd, because xorshift
	 * never leaves 0. */
	uint32_t seed = ((port_cpu() + 1) * 0x9e3779b9u ^ (uint32_t)port_cycles()) | 1;

	return (struct backoff){
		.bound = first < limit ? first : limit,
		.limit = limit,
		.random = seed,
	};
}

/* Call after an unsuccessful look at the lock, in place of spin_poll. */
static inline void backoff_pause(struct backoff *backoff, struct spin *spin)
{
	uint32_t bound = backoff->bound, least = bound - bound / 2;

	/* G. Marsaglia, "Xorshift RNGs", 2003 */
	backoff->random ^= backoff->random << 13;
	backoff->random ^= backoff->random >> 17;
	backoff->random ^= backoff->random << 5;
	spin_pause(spin, least + backoff->random % (bound - least + 1));
	backoff->bound = bound > backoff->limit / 2 ? backoff->limit : 2 * bound;
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The longest streak: how many times in a row one vCPU got the lock while others wanted it, too. It
 * shows what Jain's index averages out: a lock can give equal shares in turns of a million.
 *
 * The section already counts its acquisitions. A vCPU that finds the count as it left it was the
 * last owner itself. So nothing more is shared, and an acquisition that continues a streak costs
 * four instructions, all on the worker's own lines: load, compare, branch, store. (After the
 * release it would be five, because the count would take a register from the loop.)
 */
#ifndef PVSPIN_BENCH_STREAK_H
#define PVSPIN_BENCH_STREAK_H

#include <stdint.h>

/* One worker's state. Counts are of all vCPUs' sections since the run began. */
struct streak {
	uint64_t count;   /* when it left its last section */
	uint64_t since;   /* when it entered the first section of this streak */
	uint64_t longest; /* complete streaks of this phase */
};

static inline void streak_begin(struct streak *streak, uint64_t count)
{
	*streak = (struct streak){.count = count, .since = count};
}

/* Called in the section with the count found there. */
static inline __attribute__((always_inline)) void streak_enter(struct streak *streak,
							       uint64_t count)
{
	if (__builtin_expect(streak->count == count, 1))
		return;
	/* others have been in the section since */
	if (streak->count - streak->since > streak->longest)
		streak->longest = streak->count - streak->since;
	streak->since = count;
}

/* Called in the section with the count that the worker leaves there. */
static inline __attribute__((always_inline)) void streak_leave(struct streak *streak,
							       uint64_t count)
{
	streak->count = count;
}

/* Returns the longest streak at the end of the phase, including the open one up to `alone`, the
 * count from which on nobody else competed. */
static inline uint64_t streak_end(const struct streak *streak, uint64_t alone)
{
	uint64_t end = streak->count < alone ? streak->count : alone;
	uint64_t open = end > streak->since ? end - streak->since : 0;

	return open > streak->longest ? open : streak->longest;
}

#endif

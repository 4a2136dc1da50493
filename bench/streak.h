/* SPDX-License-Identifier: MIT */
/*
 * The longest streak: how many times in a row one vCPU got the lock while others were after it,
 * too. It shows what Jain's index averages out: a lock can give equal shares in turns of a million.
 *
 * The section already counts who went through it. A vCPU that finds that count as it left it was
 * the last owner itself. So nothing is shared for this, and a turn that goes on costs four
 * instructions, all on the worker's own lines: load, compare, branch, store. (Behind the release
 * they would be five: the count would take a register from the loop.)
 */
#ifndef PVSPIN_BENCH_STREAK_H
#define PVSPIN_BENCH_STREAK_H

#include <stdint.h>

/* One worker's. Counts are of sections that anybody went through since the run began. */
struct streak {
	uint64_t count;   /* when it left the last one */
	uint64_t since;   /* when it entered the first one of this streak */
	uint64_t longest; /* complete streaks of this phase */
};

static inline void streak_begin(struct streak *streak, uint64_t count)
{
	*streak = (struct streak){.count = count, .since = count};
}

/* In the section, with the count that is found there. */
static inline __attribute__((always_inline)) void streak_enter(struct streak *streak,
							       uint64_t count)
{
	if (__builtin_expect(streak->count == count, 1))
		return;
	/* others were there since */
	if (streak->count - streak->since > streak->longest)
		streak->longest = streak->count - streak->since;
	streak->since = count;
}

/* In the section, with the count that it leaves behind. */
static inline __attribute__((always_inline)) void streak_leave(struct streak *streak,
							       uint64_t count)
{
	streak->count = count;
}

/* The longest when the phase ends, the open one included: up to `alone`, the count from which on
 * nobody else was left to compete. */
static inline uint64_t streak_end(const struct streak *streak, uint64_t alone)
{
	uint64_t end = streak->count < alone ? streak->count : alone;
	uint64_t open = end > streak->since ? end - streak->since : 0;

	return open > streak->longest ? open : streak->longest;
}

#endif

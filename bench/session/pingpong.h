/* SPDX-License-Identifier: MIT */
/*
 * Measures how long a cache line takes from one vCPU to another: two CPUs pass a counter to and
 * fro. The host's placement of the two vCPUs (one core, one L3, two L3s) makes a factor of four and
 * may change within seconds, so this is measured before and after each set of runs.
 */
#ifndef PVSPIN_BENCH_SESSION_PINGPONG_H
#define PVSPIN_BENCH_SESSION_PINGPONG_H

#include <stdbool.h>
#include <stdint.h>

#define PINGPONG_BATCHES     15
#define PINGPONG_ROUND_TRIPS 100 /* in a batch */
#define PINGPONG_BOUND_NS    UINT64_C(200000000)

/* Cycles for one way, from a store on one CPU to its visibility on the other; of batches, not
 * single trips. */
struct pingpong {
	uint32_t partner; /* CPU 0's partner */
	uint32_t batches; /* completed */
	bool gave_up;     /* fewer than 3 batches in time: the two hardly ever ran at once */
	uint64_t median_cycles, min_cycles, max_cycles; /* 0 when it gave up */
};

/* Measures between CPU 0 and CPU `partner` (>= 1), for at most PINGPONG_BOUND_NS and a scheduling
 * round. On CPU 0, outside any run. */
void pingpong_measure(uint32_t partner, struct pingpong *result);

#endif

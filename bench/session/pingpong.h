/* SPDX-License-Identifier: MIT */
/*
 * How long a cache line takes from one vCPU to another: two CPUs pass a counter to and fro. Where
 * the host happens to place two vCPUs (one core, one L3, two L3s) makes a factor of four, and may
 * change within seconds, so it is measured before and after each set of runs.
 */
#ifndef PVSPIN_BENCH_SESSION_PINGPONG_H
#define PVSPIN_BENCH_SESSION_PINGPONG_H

#include <stdbool.h>
#include <stdint.h>

#define PINGPONG_BATCHES     15
#define PINGPONG_ROUND_TRIPS 100 /* a batch */
#define PINGPONG_BOUND_NS    UINT64_C(200000000)

/* One way, cycles: store on one CPU to its sight on the other. Over batches, not single trips. */
struct pingpong {
	uint32_t partner; /* of CPU 0 */
	uint32_t batches; /* completed */
	bool gave_up;     /* the bound came before 3 batches: the two hardly ever ran at once */
	uint64_t median_cycles, min_cycles, max_cycles; /* 0 when it gave up */
};

/* CPU 0 with CPU `partner` (>= 1), at most PINGPONG_BOUND_NS and a scheduling round. On CPU 0,
 * outside any run. */
void pingpong_measure(uint32_t partner, struct pingpong *result);

#endif

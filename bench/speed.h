/* SPDX-License-Identifier: MIT */
/*
 * How fast this CPU is, in TSC cycles: a PAUSE, by which locks wait, and work(), by which plans are
 * sized. A PAUSE takes 10 cycles on Broadwell and 140 on Skylake, so the same number of polls takes
 * longer there. work() takes longer when the CPU's clock is lower. Measured on the boot CPU,
 * outside runs, in some tens of microseconds.
 */
#ifndef PVSPIN_BENCH_SPEED_H
#define PVSPIN_BENCH_SPEED_H

#include <stdint.h>

#define SPEED_BATCHES    15
#define SPEED_ITERATIONS 10000 /* of work() in a batch */

struct speed {
	uint64_t pause_cycles; /* median; at least 1 */
	uint64_t work_cycles, work_min_cycles,
		work_max_cycles; /* of SPEED_ITERATIONS; median first */
};

void speed_measure(struct speed *speed);

/* The number of PAUSEs of `pause_cycles` that take `us`; at least 1, at most UINT32_MAX. */
uint32_t speed_pauses(uint64_t us, uint64_t pause_cycles);

#endif

/* SPDX-License-Identifier: MIT */
/* The start of a run: all CPUs arrive, then all go. */
#ifndef PVSPIN_BENCH_GATHER_H
#define PVSPIN_BENCH_GATHER_H

#include <stdbool.h>
#include <stdint.h>

#define ARRIVAL_BOUND_NS UINT64_C(30000000000)

/* Before the run, on CPU 0. */
void gather_reset(void);

/* Called by each of CPUs 0..cpus-1. CPU 0 waits for the others, calls start(all) and releases them.
 * `all` and the result say whether all had arrived within the bound. */
bool gather(uint32_t cpu, uint32_t cpus, void (*start)(bool all));

#endif

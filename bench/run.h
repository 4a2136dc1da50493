/* SPDX-License-Identifier: MIT */
/*
 * One run: one lock, so many threads, one measured phase.
 *
 * Phases. All workers arrive, CPU 0 releases them. With ms= they warm up for warmup_ms, then
 * measure for ms; a timer on CPU 0 moves the phase on and notes the time. With ops= the measured
 * phase ends for each worker after its own `ops` acquisitions, or for all at OPS_BOUND_NS: a FIFO
 * lock under overcommit could take days. An acquisition counts in the phase in which it is granted.
 */
#ifndef PVSPIN_BENCH_RUN_H
#define PVSPIN_BENCH_RUN_H

#include "bench/plan.h"
#include "bench/result.h"
#include <stdbool.h>
#include <stdint.h>

#define OPS_BOUND_NS UINT64_C(60000000000)

/* Memory for all runs of the plan, allocated once: call before the first run, on CPU 0. */
void run_prepare(const struct plan *plan);

/*
 * Runs what result->plan, lock and threads say and fills in the rest, marks' wall clock only where
 * port_wall_ns() has one. False: not all CPUs arrived within ARRIVAL_BOUND_NS (gather.h); nothing
 * was measured. Call on CPU 0.
 */
bool run_once(struct run_result *result);

/* What runs right now, for a crash report; any CPU. False outside a run. *holder is the index + 1
 * of the CPU in the critical section (uncontended: in CPU 0's), 0 nobody. */
bool run_current(const char **lock, uint32_t *holder);

#endif

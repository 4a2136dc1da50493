/* SPDX-License-Identifier: MIT */
/*
 * One run: one lock, one number of threads, one measured phase.
 *
 * Phases: when all workers have arrived, CPU 0 releases them. With ms= they warm up for warmup_ms,
 * then measure for ms; a timer on CPU 0 changes the phase and records the time. With ops= the
 * measured phase ends for each worker after its own `ops` acquisitions, or for all at OPS_BOUND_NS,
 * because a FIFO lock under overcommit could take days. An acquisition counts in the phase in which
 * it is granted.
 */
#ifndef PVSPIN_BENCH_RUN_H
#define PVSPIN_BENCH_RUN_H

#include "bench/plan.h"
#include "bench/result.h"
#include <stdbool.h>
#include <stdint.h>

#define OPS_BOUND_NS UINT64_C(60000000000)

/* Allocates the memory for all runs of the plan: call once, before the first run, on CPU 0. */
void run_prepare(const struct plan *plan);

/*
 * Makes the run described by result->plan, lock and threads and fills in the other fields; the
 * marks' wall clock only if port_wall_ns() has one. False if not all CPUs arrived within
 * ARRIVAL_BOUND_NS (gather.h); then nothing was measured. Call on CPU 0.
 */
bool run_once(struct run_result *result);

/* Tells a crash report the current lock; any CPU. False outside a run. *holder is the index + 1 of
 * the CPU in the critical section (uncontended: in CPU 0's), 0: none. */
bool run_current(const char **lock, uint32_t *holder);

#endif

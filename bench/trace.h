/* SPDX-License-Identifier: MIT */
/* trace=N over a run: the rings of all vCPUs (locks/core/trace.h), and their `event` records
 * (docs/serial-log.md). On CPU 0, outside measured phases. */
#ifndef PVSPIN_BENCH_TRACE_H
#define PVSPIN_BENCH_TRACE_H

#include <stdbool.h>
#include <stdint.h>

/* Allocates memory for the last `events` events of each of `threads` vCPUs, once; with 0 does
 * nothing. `stop_at_lhp`: keep the events around the first preempted holder (TRACE_LHP_NS), if
 * there is one, instead of the run's last events. */
void trace_prepare(uint32_t events, uint32_t threads, bool stop_at_lhp);

/* Called before and after a run on CPUs 0..threads-1: start and stop recording. */
void trace_start(uint32_t threads);
void trace_stop(uint32_t threads);

/* Writes the events of CPUs 0..threads-1, CPU by CPU, in the order of their TSC. class_of returns
 * the class of a lock by its number (trace_about()); NULL if there is only one lock. */
void trace_emit(uint32_t run, const char *lock, uint32_t threads,
		const char *(*class_of)(uint32_t lock_id));

#endif

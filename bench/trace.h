/* SPDX-License-Identifier: MIT */
/* trace=N over a run: the rings of all vCPUs (locks/core/trace.h), and the `event` records made of
 * them (docs/serial-log.md). On CPU 0, outside measured phases. */
#ifndef PVSPIN_BENCH_TRACE_H
#define PVSPIN_BENCH_TRACE_H

#include <stdbool.h>
#include <stdint.h>

/* Memory for the last `events` events of each of `threads` vCPUs, once. Nothing to do with 0.
 * `stop_at_lhp`: not the run's last ones but those around the first preempted holder, if there is
 * one (TRACE_LHP_NS). */
void trace_prepare(uint32_t events, uint32_t threads, bool stop_at_lhp);

/* Before and after a run on CPUs 0..threads-1: from and to when they record. */
void trace_start(uint32_t threads);
void trace_stop(uint32_t threads);

/* The events kept of CPUs 0..threads-1, CPU by CPU, in the order of their TSC. class_of: the class
 * of a lock by its number (trace_about()); NULL where there is one lock. */
void trace_emit(uint32_t run, const char *lock, uint32_t threads,
		const char *(*class_of)(uint32_t lock_id));

#endif

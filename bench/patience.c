/* SPDX-License-Identifier: MIT */
/* See patience.h. */
#include "bench/patience.h"

#define STOP_BASE_NS  10000000000ull
#define STOP_SLICE_NS 20000000ull
/* An iteration of the work loop (bench/work.h) takes a cycle, or a few under TCG, and ten times
 * that on a host whose CPU quota is used up. */
#define ITERATION_NS 10ull

uint64_t patience_ns(const struct plan *plan, uint64_t usual_ns)
{
	return plan->hang_ms ? plan->hang_ms * UINT64_C(1000000) : usual_ns;
}

/*
 * Two things take time after the stop. First, a FIFO lock lets each of T waiters through, and if
 * vCPUs outnumber CPUs, each hand-over may wait for the slices of all the others: T * (T - 1)
 * slices on one CPU. Second, a vCPU stops at its next acquisition, so it first finishes its section
 * and the work after it, on a T-th of one CPU.
 */
uint64_t patience_stop_ns(const struct plan *plan, uint32_t threads)
{
	uint64_t iterations = (uint64_t)plan->hold + plan->think;

	return patience_ns(plan, STOP_BASE_NS) +
	       threads * ((uint64_t)threads * STOP_SLICE_NS + iterations * ITERATION_NS);
}

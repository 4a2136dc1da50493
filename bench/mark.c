/* SPDX-License-Identifier: MIT */
/* See mark.h. */
#include "bench/mark.h"

#include "port/port.h"
#include "pvspin/steal.h"
#include <stdatomic.h>

/* The host makes `version` odd while it writes (Linux msr.rst, MSR_KVM_STEAL_TIME), for an instant;
 * the bound only keeps a broken host from hanging us. */
uint64_t mark_steal_ns(uint32_t cpu)
{
	const struct steal_area *area = port_stats(cpu)->steal;
	uint32_t before, after;
	uint64_t steal;
	int tries = 1000;

	do {
		before = atomic_load_explicit(&area->version, memory_order_acquire);
		steal = atomic_load_explicit(&area->steal, memory_order_relaxed);
		/* keeps the load of steal before the second look at version */
		atomic_thread_fence(memory_order_acquire);
		after = atomic_load_explicit(&area->version, memory_order_relaxed);
	} while ((before != after || before & 1) && --tries > 0);
	return steal;
}

struct run_mark mark_now(void)
{
	return (struct run_mark){.tsc = port_cycles(), .wall_ns = port_wall_ns()};
}

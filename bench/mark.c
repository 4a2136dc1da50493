/* SPDX-License-Identifier: MIT */
/* See mark.h. */
#include "bench/mark.h"

#include "lib/steal.h"
#include "port/port.h"
#include <stdatomic.h>

/* KVM adds 2 each time (Linux arch/x86/kvm/x86.c, record_steal_time); odd while it writes. */
static uint64_t scheduled_in(uint32_t cpu)
{
	return atomic_load_explicit(&port_stats(cpu)->steal->version, memory_order_relaxed) / 2;
}

void mark_vcpu_start(struct worker *worker, uint32_t cpu)
{
	worker->steal_before_ns = steal_read_other(port_stats(cpu)->steal);
	worker->scheduled_in_before = scheduled_in(cpu);
}

void mark_vcpu_end(struct worker *worker, uint32_t cpu)
{
	worker->steal_ns = steal_read_other(port_stats(cpu)->steal) - worker->steal_before_ns;
	worker->scheduled_in = scheduled_in(cpu) - worker->scheduled_in_before;
}

struct run_mark mark_now(void)
{
	return (struct run_mark){.tsc = port_cycles(), .wall_ns = port_wall_ns()};
}

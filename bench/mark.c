/* SPDX-License-Identifier: MIT */
/* See mark.h. */
#include "bench/mark.h"

#include "lib/steal.h"
#include "port/port.h"

uint64_t mark_steal_ns(uint32_t cpu)
{
	return steal_read_other(port_stats(cpu)->steal);
}

struct run_mark mark_now(void)
{
	return (struct run_mark){.tsc = port_cycles(), .wall_ns = port_wall_ns()};
}

/* SPDX-License-Identifier: MIT */
/*
 * Whether this vCPU is short of CPU time now, judged by its own steal time, which KVM keeps for it.
 * No other lock known to us asks that; Linux chooses its lock by KVM_HINTS_REALTIME once, at boot.
 */
#ifndef PVSPIN_LOCKS_CORE_OVERCOMMIT_H
#define PVSPIN_LOCKS_CORE_OVERCOMMIT_H

#include "locks/core/stats.h"
#include "port/port.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define OVERCOMMIT_WINDOW_NS  UINT64_C(10000000) /* two or three slices of a Linux host */
#define OVERCOMMIT_PER_WINDOW 100                /* stolen more than 1/100 of it: overcommitted */

/* One per CPU, zeroed, used by that CPU alone. An interrupt handler may use it in the middle of
 * another use: it is a hint, and the next window is right again. */
struct overcommit {
	uint64_t since; /* TSC at the start of the window */
	uint64_t steal; /* own steal time then, ns */
	bool now;       /* the verdict on the previous window */
};

/* Whether there is no steal-time page: KVM increments `version` at the vCPU's first entry. */
static inline bool overcommit_unknown(const struct steal_area *area)
{
	return atomic_load_explicit(&area->version, memory_order_relaxed) == 0;
}

static inline bool overcommitted_at(struct overcommit *o, const struct steal_area *area,
				    uint64_t now)
{
	uint64_t ns = port_cycles_to_ns(now - o->since);

	if (ns >= OVERCOMMIT_WINDOW_NS) {
		uint64_t steal = atomic_load_explicit(&area->steal, memory_order_relaxed);

		o->now = o->since != 0 && steal - o->steal > ns / OVERCOMMIT_PER_WINDOW;
		o->since = now;
		o->steal = steal;
	}
	return o->now;
}

/* Call now and then in a wait: closes the window if it is over, and returns the verdict. ->now
 * keeps it for callers that cannot afford to read the time. */
static inline bool overcommitted(struct overcommit *o, const struct steal_area *area)
{
	return overcommitted_at(o, area, port_cycles());
}

#endif

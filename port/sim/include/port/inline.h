/* SPDX-License-Identifier: MIT */
/* port/inline.h of the simulated port; the include path finds it first. */
#ifndef PVSPIN_PORT_INLINE_H
#define PVSPIN_PORT_INLINE_H

#include "port/sim/seam.h"
#include <stdint.h>

extern uint32_t port_pause_gap;

static inline void port_relax(void)
{
	sim_pause(1, port_pause_gap);
}

static inline uint64_t port_poll(uint64_t most)
{
	return sim_pause(most, port_pause_gap);
}

static inline uint64_t port_cycles(void)
{
	return sim_cycles();
}

static inline uint64_t port_cycles_ordered(void)
{
	return sim_cycles();
}

static inline void port_preempt_disable(void)
{
	sim_preempt_disable();
}

static inline void port_preempt_enable(void)
{
	sim_preempt_enable();
}

/* An addition without a lock prefix: a load and a store. */
static inline void port_increment(uint64_t *counter)
{
	sim_store(counter, sizeof(*counter), sim_load(counter, sizeof(*counter)) + 1);
}

#endif

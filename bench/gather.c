/* SPDX-License-Identifier: MIT */
/* See gather.h. With more vCPUs than CPUs the host needs a round of time slices until all have
 * arrived. */
#include "bench/gather.h"

#include "port/port.h"
#include <stdatomic.h>

enum { WAIT, GO, GIVE_UP };

static struct {
	_Alignas(APART) _Atomic uint32_t arrived;
	_Alignas(APART) _Atomic uint32_t word;
} shared;

void gather_reset(void)
{
	atomic_store_explicit(&shared.arrived, 0, memory_order_relaxed);
	atomic_store_explicit(&shared.word, WAIT, memory_order_relaxed);
}

static void lead(uint32_t cpus, void (*start)(bool all))
{
	uint64_t begin = port_cycles();
	uint64_t bound = port_ns_to_cycles(ARRIVAL_BOUND_NS);
	bool all = true;

	while (atomic_load_explicit(&shared.arrived, memory_order_relaxed) < cpus) {
		if (port_cycles() - begin > bound) {
			all = false;
			break;
		}
		port_relax();
	}
	start(all);
	/* pairs with the acquire in gather */
	atomic_store_explicit(&shared.word, all ? GO : GIVE_UP, memory_order_release);
}

bool gather(uint32_t cpu, uint32_t cpus, void (*start)(bool all))
{
	uint32_t word;

	atomic_fetch_add_explicit(&shared.arrived, 1, memory_order_relaxed);
	if (cpu == 0)
		lead(cpus, start);
	/* pairs with the release in lead */
	while ((word = atomic_load_explicit(&shared.word, memory_order_acquire)) == WAIT)
		port_poll(UINT64_MAX);
	return word == GO;
}

/* SPDX-License-Identifier: MIT */
/* See governor.h. The thresholds are hundredths of a percent of all vCPUs' time, as the monitor's;
 * it gives up or takes back one core at a time, here one vCPU. */
#include "bench/kbuild/governor.h"

#include "lib/units.h"
#include "locks/core/tunables.h"
#include "port/port.h"

#define WHOLE 10000 /* hundredths of a percent */

TUNABLE(governor, "kbuild", 0, 0, 1);
TUNABLE(governor_ms, "kbuild", 1000, 1, 60000);
TUNABLE(governor_high, "kbuild", 500, 0, WHOLE); /* above it, one vCPU fewer */
TUNABLE(governor_low, "kbuild", 200, 0, WHOLE);  /* up to it, one more */

static struct {
	_Atomic uint32_t vcpus;
	uint64_t looked, steal_ns; /* TSC and the sum of all vCPUs at the last look; 0: none yet */
	struct governor_counts counts;
} state;

static uint64_t all_steal_ns(void)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < world.vcpus; i++)
		sum += own_steal_ns(&world.vcpu[i]);
	return sum;
}

uint32_t governor_vcpus(void)
{
	return atomic_load_explicit(&state.vcpus, memory_order_relaxed);
}

void governor_reset(void)
{
	atomic_store_explicit(&state.vcpus, world.vcpus, memory_order_relaxed);
	state.looked = 0;
	state.counts = (struct governor_counts){.least = governor ? world.vcpus : 0};
}

static void decide(uint64_t stolen_ns, uint64_t passed_ns)
{
	uint32_t vcpus = governor_vcpus();
	uint64_t share = stolen_ns * WHOLE / (passed_ns * world.vcpus);

	if (share > governor_high && vcpus > 1) {
		vcpus--;
		state.counts.parks++;
		if (vcpus < state.counts.least)
			state.counts.least = vcpus;
	} else if (share <= governor_low && vcpus < world.vcpus) {
		vcpus++;
	}
	atomic_store_explicit(&state.vcpus, vcpus, memory_order_relaxed);
}

void governor_tick(void)
{
	uint64_t now = port_cycles(), passed_ns = port_cycles_to_ns(now - state.looked);
	uint64_t steal_ns;

	if (!governor || (state.looked != 0 && passed_ns < governor_ms * NS_PER_MS))
		return;
	steal_ns = all_steal_ns();
	if (state.looked != 0)
		decide(steal_ns - state.steal_ns, passed_ns);
	state.looked = now;
	state.steal_ns = steal_ns;
}

struct governor_counts governor_counts(void)
{
	return state.counts;
}

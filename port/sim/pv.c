/* SPDX-License-Identifier: MIT */
/* The pv backends (locks/core/pv.h) on a modelled KVM: as the guest's (pv_kvm.c), but that what an
 * instruction does there is a call of the engine here. */
#include "locks/core/pv.h"
#include "lib/kvm_info.h"
#include "locks/core/stats.h"
#include "locks/core/trace.h"
#include "port/common/pv_count.h"
#include "port/common/pv_none.h"
#include "port/port.h"
#include "port/sim/guest.h"
#include "port/sim/seam.h"

const struct pv_backend *pv_backend = &pv_none;

static bool still(const _Atomic uint8_t *word, uint8_t seen)
{
	return atomic_load_explicit(word, memory_order_acquire) == seen;
}

static void sim_wait(const _Atomic uint8_t *word, uint8_t seen)
{
	struct lock_stats *stats = port_my_stats();
	bool enabled = sim_interrupts(false);

	if (still(word, seen)) {
		uint64_t start;

		trace_look(stats);
		trace_add(stats, TRACE_HALT, 0);
		start = port_cycles();
		atomic_store_explicit(&stats->halted, true, memory_order_relaxed);
		sim_halt(enabled);
		atomic_store_explicit(&stats->halted, false, memory_order_relaxed);
		pv_count_halt(stats, start);
		if (still(word, seen))
			lock_count(stats, EV_SPURIOUS_WAKEUPS);
	}
	sim_interrupts(enabled);
}

static void sim_kick_cpu(uint32_t cpu)
{
	struct lock_stats *stats = port_my_stats();
	uint64_t start = port_cycles();

	pv_note_kick(stats, cpu, start);
	sim_kick(cpu);
	lock_count(stats, EV_KICKS);
	stats->count[EV_KICK_CYCLES] += port_cycles() - start;
}

static void sim_yield_cpu(uint32_t cpu)
{
	struct lock_stats *stats = port_my_stats();

	trace_add(stats, TRACE_YIELD, cpu);
	sim_yield_to(cpu);
	lock_count(stats, EV_YIELDS);
}

void pv_sim_select(bool nopvspin)
{
	static struct pv_backend backend;
	uint32_t features = sim_facts()->kvm_features;

	backend = pv_none;
	if ((features & KVM_FEATURE_PV_UNHALT) && !nopvspin) {
		backend.name = "sim";
		backend.halts = true;
		backend.wait = sim_wait;
		backend.kick = sim_kick_cpu;
	}
	if (features & KVM_FEATURE_PV_SCHED_YIELD) {
		backend.yields = true;
		backend.yield_to = sim_yield_cpu;
	}
	pv_backend = &backend;
}

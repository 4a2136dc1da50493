/* SPDX-License-Identifier: MIT */
/* The backend without PV_UNHALT (or with nopvspin): a masked HLT would never end, so waiters go on
 * polling. pv_select() adds the features that KVM, real or modelled, offers. */
#include "port/common/pv_none.h"

#include "lib/kvm_info.h"
#include "locks/core/stats.h"
#include "port/port.h"
#include <stdatomic.h>

bool pv_page_preempted(uint32_t cpu)
{
	return atomic_load_explicit(&port_stats(cpu)->steal->preempted, memory_order_relaxed) != 0;
}

static void none_wait(const _Atomic uint8_t *word, uint8_t seen)
{
	(void)word;
	(void)seen;
	port_relax();
}

/* a kick, a yield or a notice that nobody gets */
static void none_call(uint32_t argument)
{
	(void)argument;
}

const struct pv_backend pv_none = {
	.name = "none",
	.halts = false,
	.yields = false,
	.wait = none_wait,
	.kick = none_call,
	.yield_to = none_call,
	.long_spin = none_call,
	.preempted = pv_page_preempted,
};

/*
 * Linux enables its one use of the directed yield only with PV_SCHED_YIELD and STEAL_TIME, without
 * KVM_HINTS_REALTIME and without MWAIT, on more than one CPU (arch/x86/kernel/kvm.c,
 * pv_sched_yield_supported). All but the first condition tell whether a yield is likely to pay, not
 * whether it works. pvspin measures whether it pays, so the feature bit alone decides.
 */
void pv_select(const struct pv_backend *all, uint32_t features, bool nopvspin)
{
	static struct pv_backend backend;

	backend = pv_none;
	if ((features & KVM_FEATURE_PV_UNHALT) && !nopvspin) {
		backend.name = all->name;
		backend.halts = true;
		backend.wait = all->wait;
		backend.kick = all->kick;
	}
	if (features & KVM_FEATURE_PV_SCHED_YIELD) {
		backend.yields = true;
		backend.yield_to = all->yield_to;
	}
	if (all->long_spin_polls) {
		backend.name = all->name;
		backend.long_spin_polls = all->long_spin_polls;
		backend.long_spin = all->long_spin;
	}
	pv_backend = &backend;
}

/* SPDX-License-Identifier: MIT */
/* The pv backends (locks/core/pv.h) on the modelled KVM. As in the guest (port/guest/pv_kvm.c), but
 * with calls of the engine in place of instructions. */
#include "locks/core/pv.h"
#include "port/common/pv_count.h"
#include "port/common/pv_none.h"
#include "port/sim/guest.h"
#include "port/sim/seam.h"

const struct pv_backend *pv_backend = &pv_none;

static void halt(uint32_t enabled)
{
	sim_halt(enabled);
}

static void sim_wait(const _Atomic uint8_t *word, uint8_t seen)
{
	bool enabled = sim_interrupts(false);

	pv_halt(word, seen, enabled, halt);
	sim_interrupts(enabled);
}

static void sim_kick_cpu(uint32_t cpu)
{
	pv_send_kick(cpu, sim_kick);
}

static void sim_yield_cpu(uint32_t cpu)
{
	pv_send_yield(cpu, sim_yield_to);
}

static void notify_long_spin(uint32_t polls)
{
	(void)polls; /* KVM ignores the number, too */
	sim_long_spin();
}

static void sim_notify(uint32_t polls)
{
	pv_send_long_spin(polls, notify_long_spin);
}

void pv_sim_select(bool nopvspin, bool hyperv)
{
	static struct pv_backend all = {
		.name = "sim",
		.wait = sim_wait,
		.kick = sim_kick_cpu,
		.yield_to = sim_yield_cpu,
		.long_spin = sim_notify,
	};

	if (hyperv) {
		all.name = "hyperv";
		all.long_spin_polls = PV_USUAL_LONG_SPIN;
	}
	pv_select(&all, hyperv ? 0 : sim_facts()->kvm_features, nopvspin);
}

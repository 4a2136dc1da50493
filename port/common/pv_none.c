/* SPDX-License-Identifier: MIT */
/* Backend without PV_UNHALT (or with nopvspin): a masked HLT would never end, so waiters go on
 * polling. In the guest, pv_kvm.c starts from it and adds features; preempted flags need only their
 * page. */
#include "port/common/pv_none.h"

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

static void none_cpu(uint32_t cpu)
{
	(void)cpu;
}

const struct pv_backend pv_none = {
	.name = "none",
	.halts = false,
	.yields = false,
	.wait = none_wait,
	.kick = none_cpu,
	.yield_to = none_cpu,
	.preempted = pv_page_preempted,
};

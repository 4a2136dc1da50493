/* SPDX-License-Identifier: MIT */
/* No PV_UNHALT (or nopvspin): a masked HLT would never end, so a waiter goes on polling. In the
 * guest it is what pv_kvm.c starts from; the preempted flags need nothing but their page. */
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

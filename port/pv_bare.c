/* SPDX-License-Identifier: MIT */
/*
 * How a vCPU sleeps and is woken: on KVM by HLT and KVM_HC_KICK_CPU, otherwise not at all.
 * The contract with KVM (Linux arch/x86/kvm/x86.c, kvm_pv_kick_cpu_op): a kick sets a latch in the
 * target vCPU; HLT returns at once if the latch is set and clears it. So a kick that comes between
 * the look at the word and the HLT is not lost, and HLT may return for a kick that was meant for
 * an earlier wait. Interrupts do not matter for the latch.
 */
#include "port/pv_bare.h"

#include "kernel/cpu.h"
#include "kernel/kvm.h"
#include "kernel/percpu.h"
#include "kernel/smp.h"
#include "locks/pv.h"
#include "port/port.h"
#include "port/pv_count.h"
#include "port/pv_none.h"
#include "pvspin/hypercall.h"

const struct pv_backend *pv_backend;

static bool still(const _Atomic uint8_t *word, uint8_t seen)
{
	return atomic_load_explicit(word, memory_order_acquire) == seen;
}

/*
 * CPU 0 runs with interrupts enabled, for the timer that ends a phase: it masks them over the look
 * and lets STI's shadow cover the HLT, so that the timer wakes it too. All others halt masked.
 */
static void kvm_wait(const _Atomic uint8_t *word, uint8_t seen)
{
	struct lock_stats *stats = port_my_stats();
	bool enabled = read_flags() & RFLAGS_IF;

	irq_disable();
	if (still(word, seen)) {
		uint64_t start = rdtsc();

		atomic_store_explicit(&stats->halted, true, memory_order_relaxed);
		this_cpu()->halts++;
		if (enabled)
			irq_enable_and_halt();
		else
			halt();
		atomic_store_explicit(&stats->halted, false, memory_order_relaxed);
		pv_count_halt(stats, start);
		if (still(word, seen))
			lock_count(stats, EV_SPURIOUS_WAKEUPS);
	}
	if (enabled)
		irq_enable();
}

static void kvm_kick(uint32_t cpu)
{
	struct lock_stats *stats = port_my_stats();
	uint64_t start = rdtsc();

	pv_note_kick(cpu, start);
	hypercall_kick_cpu(smp_cpu(cpu)->apic_id);
	lock_count(stats, EV_KICKS);
	stats->count[EV_KICK_CYCLES] += rdtsc() - start;
}

static void kvm_yield_to(uint32_t cpu)
{
	hypercall_sched_yield(smp_cpu(cpu)->apic_id);
	lock_count(port_my_stats(), EV_YIELDS);
}

static const struct pv_backend kvm = {
	.name = "kvm",
	.halts = true,
	.wait = kvm_wait,
	.kick = kvm_kick,
	.yield_to = kvm_yield_to,
	.preempted = pv_page_preempted,
};

void pv_bare_select(const struct machine *m, bool nopvspin)
{
	bool unhalt = m->kvm.present && (m->kvm.features & KVM_FEATURE_PV_UNHALT);

	pv_backend = unhalt && !nopvspin ? &kvm : &pv_none;
}

/* SPDX-License-Identifier: MIT */
/*
 * A vCPU sleeps by HLT and is woken by KVM_HC_KICK_CPU on KVM; otherwise it never sleeps. The
 * backend is built from the features that KVM offers, which are independent of each other: halts
 * and kicks (PV_UNHALT), directed yields (PV_SCHED_YIELD), preempted flags (STEAL_TIME). The
 * contract with KVM (Linux arch/x86/kvm/x86.c, kvm_pv_kick_cpu_op): a kick sets a latch in the
 * target vCPU; HLT returns at once if the latch is set and clears it. So a kick that comes between
 * the look at the word and the HLT is not lost, and HLT may return for a kick that was meant for
 * an earlier wait. Interrupts do not matter for the latch.
 */
#include "port/guest/pv_kvm.h"
#include "locks/core/stats.h"

#include "kernel/cpu.h"
#include "kernel/hypercall.h"
#include "kernel/kvm.h"
#include "kernel/percpu.h"
#include "kernel/smp.h"
#include "locks/core/pv.h"
#include "locks/core/trace.h"
#include "port/common/pv_count.h"
#include "port/common/pv_none.h"
#include "port/port.h"

const struct pv_backend *pv_backend;

static bool still(const _Atomic uint8_t *word, uint8_t seen)
{
	return atomic_load_explicit(word, memory_order_acquire) == seen;
}

/*
 * CPU 0 runs with interrupts enabled, for the timer that ends a phase. It masks them while it looks
 * at the word and lets STI's shadow cover the HLT, so that the timer wakes it, too. All others halt
 * with interrupts masked.
 */
static void kvm_wait(const _Atomic uint8_t *word, uint8_t seen)
{
	struct lock_stats *stats = port_my_stats();
	bool enabled = read_flags() & RFLAGS_IF;

	irq_disable();
	if (still(word, seen)) {
		uint64_t start;

		trace_look(stats);
		trace_add(stats, TRACE_HALT, 0);
		start = rdtsc();
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

	pv_note_kick(stats, cpu, start);
	hypercall_kick_cpu(smp_apic_id(cpu));
	lock_count(stats, EV_KICKS);
	stats->count[EV_KICK_CYCLES] += rdtsc() - start;
}

static void kvm_yield_to(uint32_t cpu)
{
	struct lock_stats *stats = port_my_stats();

	trace_add(stats, TRACE_YIELD, cpu);
	hypercall_sched_yield(smp_apic_id(cpu));
	lock_count(stats, EV_YIELDS);
}

/*
 * Linux enables its one use of the directed yield only with PV_SCHED_YIELD and STEAL_TIME, without
 * KVM_HINTS_REALTIME and without MWAIT, on more than one CPU (arch/x86/kernel/kvm.c,
 * pv_sched_yield_supported). All but the first condition tell whether a yield is likely to pay, not
 * whether it works. pvspin measures whether it pays, so the feature bit alone decides.
 */
void pv_kvm_select(const struct machine *m, bool nopvspin)
{
	static struct pv_backend backend;
	uint32_t features = m->kvm.present ? m->kvm.features : 0;

	backend = pv_none;
	if ((features & KVM_FEATURE_PV_UNHALT) && !nopvspin) {
		backend.name = "kvm";
		backend.halts = true;
		backend.wait = kvm_wait;
		backend.kick = kvm_kick;
	}
	if (features & KVM_FEATURE_PV_SCHED_YIELD) {
		backend.yields = true;
		backend.yield_to = kvm_yield_to;
	}
	pv_backend = &backend;
}

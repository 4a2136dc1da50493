/* SPDX-License-Identifier: MIT */
/*
 * A vCPU sleeps by HLT and is woken by KVM_HC_KICK_CPU on KVM; otherwise it never sleeps. The
 * contract with KVM (Linux arch/x86/kvm/x86.c, kvm_pv_kick_cpu_op): a kick sets a latch in the
 * target vCPU; HLT returns at once if the latch is set and clears it. So a kick that comes between
 * the look at the word and the HLT is not lost, and HLT may return for a kick that was meant for
 * an earlier wait. Interrupts do not matter for the latch.
 *
 * pv_kick_ipi=1 wakes by a fixed IPI in its place. That shows what the kick's other half does:
 * since Linux 5.3 (266e85a5ec91) the host also yields to the kicked vCPU. Waiters then halt with
 * interrupts enabled. The IPI is kept like the latch: interrupts are masked from the look at the
 * word to the HLT.
 *
 * A guest that has chosen Hyper-V's hypercalls (kernel/hyperv.h) has none of KVM's. It can notify
 * the hypervisor of long spins, and halts only with pv_kick_ipi=1: a Linux guest of Hyper-V also
 * kicks by an IPI (arch/x86/hyperv/hv_spinlock.c), but waits by reading HV_X64_MSR_GUEST_IDLE,
 * which KVM does not have.
 */
#include "port/guest/pv_kvm.h"

#include "kernel/apic.h"
#include "kernel/cpu.h"
#include "kernel/hypercall.h"
#include "kernel/hyperv.h"
#include "kernel/kvm.h"
#include "kernel/percpu.h"
#include "kernel/smp.h"
#include "kernel/traps.h"
#include "locks/core/pv.h"
#include "locks/core/tunables.h"
#include "port/common/pv_count.h"
#include "port/common/pv_none.h"

const struct pv_backend *pv_backend;

TUNABLE(pv_kick_ipi,
	"pv-qspinlock,pv-ticket,oticket,i-spinlock,paq,tas-park,mcs-stp,flexguard,xen-byte", 0, 0,
	1);

static inline void halt_once(uint32_t enabled)
{
	this_cpu()->halts++;
	if (enabled)
		irq_enable_and_halt();
	else
		halt();
}

/*
 * A caller with interrupts enabled (CPU 0, for the timer that ends a phase; in kbuild most classes
 * of locks) masks them while it looks at the word and lets STI's shadow cover the HLT, so that an
 * interrupt wakes it, too. With interrupts masked only a kick ends the HLT, unless an IPI is the
 * kick. Linux's kvm_wait() (arch/x86/kernel/kvm.c) does the same.
 */
static void kvm_wait(const _Atomic uint8_t *word, uint8_t seen)
{
	bool enabled = read_flags() & RFLAGS_IF;

	irq_disable();
	pv_halt(word, seen, enabled || pv_kick_ipi, halt_once);
	irq_disable();
	if (enabled)
		irq_enable();
}

static inline void call_kick(uint32_t cpu)
{
	hypercall_kick_cpu(smp_apic_id(cpu));
}

static inline void send_ipi(uint32_t cpu)
{
	apic_send(smp_apic_id(cpu), VECTOR_WAKE);
}

static void kvm_kick(uint32_t cpu)
{
	pv_send_kick(cpu, pv_kick_ipi ? send_ipi : call_kick);
}

static inline void call_yield(uint32_t cpu)
{
	hypercall_sched_yield(smp_apic_id(cpu));
}

static void kvm_yield_to(uint32_t cpu)
{
	pv_send_yield(cpu, call_yield);
}

static void call_long_spin(uint32_t polls)
{
	hyperv_call(HV_NOTIFY_LONG_SPIN_WAIT | HV_FAST, polls);
}

static void hyperv_long_spin(uint32_t polls)
{
	pv_send_long_spin(polls, call_long_spin);
}

void pv_kvm_select(const struct machine *m, bool nopvspin)
{
	static struct pv_backend all = {
		.name = "kvm",
		.wait = kvm_wait,
		.kick = kvm_kick,
		.yield_to = kvm_yield_to,
		.long_spin = hyperv_long_spin,
	};
	uint32_t features = m->kvm.present ? m->kvm.features : 0;

	if (hyperv_in_use()) {
		all.name = "hyperv";
		all.long_spin_polls = hyperv_long_spin_polls();
		features = pv_kick_ipi ? KVM_FEATURE_PV_UNHALT : 0; /* HLT and IPIs need no KVM */
	}
	pv_select(&all, features, nopvspin);
}

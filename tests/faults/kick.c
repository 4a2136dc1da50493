// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Faults of KICK_CPU and HLT. A kick sets vcpu->arch.pv.pv_unhalted, the latch, which lets one HLT
 * pass. The APIC ID is argument 1 (RCX); an unused ID there means that nobody is kicked.
 */
#include "fault.h"

#define NOBODY 0x7777

static bool is_kick(struct visit *visit)
{
	return visit->rax == KVM_HC_KICK_CPU;
}

/* QEMU numbers vCPUs by APIC ID. */
static struct kvm_vcpu *kicked(struct visit *visit)
{
	return kvm_get_vcpu_by_id(visit->vcpu->kvm, (u32)visit->rcx);
}

static void redirect(struct visit *visit, unsigned long id)
{
	visit->regs[VCPU_REGS_RCX] = id;
	fault_hit();
}

static void wake(struct kvm_vcpu *vcpu)
{
	vcpu->arch.pv.pv_unhalted = true;
	kvm_make_request(KVM_REQ_EVENT, vcpu);
	kvm_vcpu_kick(vcpu);
	fault_hit();
}

static void drop_all(struct visit *visit)
{
	if (is_kick(visit))
		redirect(visit, NOBODY);
}

static void drop_nth(struct visit *visit)
{
	if (is_kick(visit) && fault_nth())
		redirect(visit, NOBODY);
}

static void drop_cpu(struct visit *visit)
{
	if (is_kick(visit) && (u32)visit->rcx == fault_cpu)
		redirect(visit, NOBODY);
}

static void drop_self(struct visit *visit)
{
	if (is_kick(visit) && kicked(visit) == visit->vcpu)
		redirect(visit, NOBODY);
}

/* Without a latch, a kick that finds its target running is lost. */
static void no_latch(struct visit *visit)
{
	struct kvm_vcpu *target = is_kick(visit) ? kicked(visit) : NULL;

	if (target && target != visit->vcpu && target->arch.mp_state == KVM_MP_STATE_RUNNABLE)
		redirect(visit, NOBODY);
}

/* The latch is set, but a halted target is not woken. */
static void no_wake(struct visit *visit)
{
	struct kvm_vcpu *target = is_kick(visit) ? kicked(visit) : NULL;

	if (target && target->arch.mp_state == KVM_MP_STATE_HALTED)
		redirect(visit, NOBODY);
}

static void wrong_register(struct visit *visit)
{
	if (is_kick(visit) && visit->rbx != visit->rcx)
		redirect(visit, visit->rbx);
}

static void id_64_bits(struct visit *visit)
{
	if (is_kick(visit) && visit->rcx >> 32)
		redirect(visit, NOBODY);
}

static void flags_refused(struct visit *visit)
{
	if (is_kick(visit) && visit->rbx)
		redirect(visit, NOBODY);
}

static void unknown_is_all(struct visit *visit)
{
	if (is_kick(visit) && !kicked(visit))
		redirect(visit, 0xff); /* the broadcast ID by default: KVM_CAP_X2APIC_API's text */
}

static void kick_answer_1(struct visit *visit)
{
	if (is_kick(visit)) {
		visit->regs[VCPU_REGS_RAX] = 1;
		fault_hit();
	}
}

/* Refuses the kick, because the caller is not in ring 0, but performs it. */
static void user_kicks(struct visit *visit)
{
	if (is_kick(visit) && (int)visit->regs[VCPU_REGS_RAX] == -KVM_EPERM && kicked(visit))
		wake(kicked(visit));
}

static void yield_wakes(struct visit *visit)
{
	struct kvm_vcpu *target;

	if (visit->rax != KVM_HC_SCHED_YIELD)
		return;
	target = kvm_get_vcpu_by_id(visit->vcpu->kvm, (int)visit->rbx);
	if (target && target->arch.mp_state == KVM_MP_STATE_HALTED)
		wake(target);
}

/* Kicks are counted, by APIC ID, and each one lets a HLT pass. */
static atomic_t passes[256];
static unsigned int counted_in; /* fault_selections at that time */

static void count_kick(struct visit *visit)
{
	if (READ_ONCE(counted_in) != fault_selections) {
		WRITE_ONCE(counted_in, fault_selections);
		for (size_t i = 0; i < ARRAY_SIZE(passes); i++)
			atomic_set(&passes[i], 0);
	}
	if (is_kick(visit) && kicked(visit))
		atomic_inc(&passes[(u8)visit->rcx]);
}

static void pass_counted(struct visit *visit)
{
	if (READ_ONCE(counted_in) != fault_selections || visit->vcpu->arch.pv.pv_unhalted)
		return;
	if (atomic_dec_if_positive(&passes[(u8)visit->vcpu->vcpu_id]) >= 0) {
		visit->vcpu->arch.pv.pv_unhalted = true;
		fault_hit();
	}
}

static void halt_returns(struct visit *visit)
{
	if (!visit->vcpu->arch.pv.pv_unhalted && fault_nth()) {
		visit->vcpu->arch.pv.pv_unhalted = true;
		fault_hit();
	}
}

/* The latch outlives the HLT that it let pass. The fault sets it again on the vCPU's way back to
 * the guest, because KVM clears it in kvm_emulate_halt if it is set there (6.12) or when it ends
 * the block (6.1). By APIC ID. */
static unsigned int latch_kept_in[256]; /* fault_selections at that time */

static void latch_stays(struct visit *visit)
{
	if (visit->vcpu->arch.pv.pv_unhalted)
		latch_kept_in[(u8)visit->vcpu->vcpu_id] = fault_selections;
}

static void latch_again(struct visit *visit)
{
	if (latch_kept_in[(u8)visit->vcpu->vcpu_id] != fault_selections ||
	    visit->vcpu->arch.pv.pv_unhalted)
		return;
	visit->vcpu->arch.pv.pv_unhalted = true;
	fault_hit();
}

/* A pending interrupt wakes the vCPU whatever IF is. The fault acts as if the vCPU had been kicked,
 * because KVM's check for interrupts is inlined and cannot be probed. */
static void irq_wakes(struct visit *visit)
{
	if ((int)visit->result == 0 && visit->vcpu->arch.mp_state == KVM_MP_STATE_HALTED &&
	    kvm_cpu_has_interrupt(visit->vcpu)) {
		visit->vcpu->arch.pv.pv_unhalted = true;
		visit->result = 1;
		fault_hit();
	}
}

const struct fault kick_faults[] = {
	{"kick-drop-all", POINT_HYPERCALL, .before = drop_all},
	{"kick-drop-nth", POINT_HYPERCALL, .before = drop_nth},
	{"kick-drop-cpu", POINT_HYPERCALL, .before = drop_cpu},
	{"kick-drop-self", POINT_HYPERCALL, .before = drop_self},
	{"kick-no-latch", POINT_HYPERCALL, .before = no_latch},
	{"kick-no-wake", POINT_HYPERCALL, .before = no_wake},
	{"kick-wrong-register", POINT_HYPERCALL, .before = wrong_register},
	{"kick-id-64-bits", POINT_HYPERCALL, .before = id_64_bits},
	{"kick-flags-refused", POINT_HYPERCALL, .before = flags_refused},
	{"kick-unknown-is-all", POINT_HYPERCALL, .before = unknown_is_all},
	{"kick-answer-1", POINT_HYPERCALL, .after = kick_answer_1},
	{"kick-from-user", POINT_HYPERCALL, .after = user_kicks},
	{"kick-counted", POINT_HYPERCALL, .after = count_kick},
	{"kick-counted", POINT_HALT, .before = pass_counted},
	{"yield-wakes", POINT_HYPERCALL, .after = yield_wakes},
	{"halt-spurious-nth", POINT_HALT, .before = halt_returns},
	{"halt-latch-stays", POINT_HALT, .before = latch_stays},
	{"halt-latch-stays", POINT_ENTER, .before = latch_again},
	{"halt-irq-wakes", POINT_RUNNABLE, .after = irq_wakes},
	{},
};

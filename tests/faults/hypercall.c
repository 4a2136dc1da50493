// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Faults of hypercalls in general (numbers, results, registers) and of SEND_IPI, SCHED_YIELD,
 * CLOCK_PAIRING and MAP_GPA_RANGE. Linux Documentation/virt/kvm/x86/hypercalls.rst: the number and
 * the result are in RAX, the arguments in RBX, RCX, RDX, RSI.
 */
#include "fault.h"

#include <asm/apicdef.h>
#include <asm/processor-flags.h>

static bool is(struct visit *visit, unsigned long number)
{
	return visit->rax == number;
}

/* The result as an int, which is the same for callers of both widths. */
static int result(struct visit *visit)
{
	return (int)visit->regs[VCPU_REGS_RAX];
}

static void answer(struct visit *visit, unsigned long value)
{
	visit->regs[VCPU_REGS_RAX] = value;
	fault_hit();
}

/* Makes KVM see `value` instead of the guest's argument. */
static void argue(struct visit *visit, enum kvm_reg reg, unsigned long value)
{
	fault_hit();
	visit->regs[reg] = value;
}

static void enosys_0(struct visit *visit)
{
	if (result(visit) == -KVM_ENOSYS)
		answer(visit, 0);
}

static void eperm_0(struct visit *visit)
{
	if (result(visit) == -KVM_EPERM)
		answer(visit, 0);
}

static void eperm_enosys(struct visit *visit)
{
	if (result(visit) == -KVM_EPERM && !is(visit, KVM_HC_VAPIC_POLL_IRQ))
		answer(visit, -KVM_ENOSYS);
}

static void einval_enosys(struct visit *visit)
{
	if (result(visit) == -KVM_EINVAL)
		answer(visit, -KVM_ENOSYS);
}

static void efault_einval(struct visit *visit)
{
	if (result(visit) == -KVM_EFAULT)
		answer(visit, -KVM_EINVAL);
}

static void result_32_bits(struct visit *visit)
{
	if (visit->regs[VCPU_REGS_RAX] >> 32)
		answer(visit, (u32)visit->regs[VCPU_REGS_RAX]);
}

/* A negative result for 32-bit code has an upper half of 0. */
static void result_sign_extended(struct visit *visit)
{
	if (result(visit) < 0 && visit->regs[VCPU_REGS_RAX] >> 32 == 0)
		answer(visit, (long)result(visit));
}

static void number_32_bits(struct visit *visit)
{
	if (visit->rax >> 32)
		argue(visit, VCPU_REGS_RAX, (u32)visit->rax);
}

static void clobber_rbx(struct visit *visit)
{
	argue(visit, VCPU_REGS_RBX, visit->rbx ^ 1);
}

static void clobber_r11(struct visit *visit)
{
	argue(visit, VCPU_REGS_R11, visit->regs[VCPU_REGS_R11] ^ 1ul << 63);
}

static void clobber_carry(struct visit *visit)
{
	fault_hit();
	kvm_set_rflags(visit->vcpu, kvm_get_rflags(visit->vcpu) & ~(unsigned long)X86_EFLAGS_CF);
}

static void poll_irq_enosys(struct visit *visit)
{
	if (is(visit, KVM_HC_VAPIC_POLL_IRQ))
		answer(visit, -KVM_ENOSYS);
}

static void map_gpa_0(struct visit *visit)
{
	if (is(visit, KVM_HC_MAP_GPA_RANGE))
		answer(visit, 0);
}

/* SEND_IPI: RBX and RCX are the bitmap, RDX the APIC ID of its bit 0, RSI the ICR. */

static void ipi_not_self(struct visit *visit)
{
	unsigned long bit = visit->vcpu->vcpu_id - visit->rdx;

	if (is(visit, KVM_HC_SEND_IPI) && bit < 64 && visit->rbx >> bit & 1)
		argue(visit, VCPU_REGS_RBX, visit->rbx & ~(1ul << bit));
}

static void ipi_drop(struct visit *visit)
{
	if (is(visit, KVM_HC_SEND_IPI) && visit->rbx && fault_nth()) {
		argue(visit, VCPU_REGS_RBX, 0);
		visit->kept = 1;
	}
}

/* Returns as if the interrupt had been sent. */
static void ipi_pretend(struct visit *visit)
{
	if (visit->kept)
		answer(visit, hweight64(visit->rbx));
}

static void ipi_count_1(struct visit *visit)
{
	if (is(visit, KVM_HC_SEND_IPI) && result(visit) > 1)
		answer(visit, 1);
}

static void ipi_count_absent(struct visit *visit)
{
	int wanted = hweight64(visit->rbx) + hweight64(visit->rcx);

	if (is(visit, KVM_HC_SEND_IPI) && result(visit) >= 0 && result(visit) != wanted)
		answer(visit, wanted);
}

static void ipi_high_ignored(struct visit *visit)
{
	if (is(visit, KVM_HC_SEND_IPI) && visit->rcx)
		argue(visit, VCPU_REGS_RCX, 0);
}

static bool is_fixed(struct visit *visit)
{
	return (visit->rsi & APIC_MODE_MASK) == APIC_DM_FIXED;
}

/* Only for interrupts: an INIT meant for another CPU would end this one. */
static void ipi_min_ignored(struct visit *visit)
{
	if (is(visit, KVM_HC_SEND_IPI) && is_fixed(visit) && visit->rdx)
		argue(visit, VCPU_REGS_RDX, 0);
}

/* Intel's SDM, volume 3, figure "Interrupt Command Register": destination mode and shorthand. */
#define ICR_NOT_FOR_PV (APIC_DEST_LOGICAL | APIC_DEST_ALLBUT)

static void ipi_logical_accepted(struct visit *visit)
{
	if (is(visit, KVM_HC_SEND_IPI) && visit->rsi & ICR_NOT_FOR_PV)
		argue(visit, VCPU_REGS_RSI, visit->rsi & ~(unsigned long)ICR_NOT_FOR_PV);
}

static void ipi_nmi_dropped(struct visit *visit)
{
	if (is(visit, KVM_HC_SEND_IPI) && (visit->rsi & APIC_MODE_MASK) == APIC_DM_NMI) {
		argue(visit, VCPU_REGS_RBX, 0);
		visit->kept = 1;
	}
}

static void ipi_wrong_vector(struct visit *visit)
{
	if (is(visit, KVM_HC_SEND_IPI) && is_fixed(visit) && visit->rsi & APIC_VECTOR_MASK)
		argue(visit, VCPU_REGS_RSI, visit->rsi ^ 1);
}

static void yield_refuses(struct visit *visit)
{
	if (is(visit, KVM_HC_SCHED_YIELD) && visit->rbx > 0xff)
		answer(visit, -KVM_EINVAL);
}

static void yield_enosys(struct visit *visit)
{
	if (is(visit, KVM_HC_SCHED_YIELD))
		answer(visit, -KVM_ENOSYS);
}

/* Hyper-V's hypercalls: RCX is the control word, with the call code in 16 bits; a fast call has bit
 * 16 set. For KVM's own this is some argument. */
static void hv_long_spin_fails(struct visit *visit)
{
	if ((visit->rcx & 0x1ffff) == 0x10008 && visit->regs[VCPU_REGS_RAX] == 0)
		answer(visit, 5); /* HV_STATUS_INVALID_PARAMETER */
}

static void hv_any_control(struct visit *visit)
{
	if ((visit->rcx & 0x1ffff) == 0x10008 && visit->rcx >> 32)
		argue(visit, VCPU_REGS_RCX, (u32)visit->rcx);
}

/* CLOCK_PAIRING: RBX is the address, RCX the type; KVM writes a struct kvm_clock_pairing. */

static void pairing_any_type(struct visit *visit)
{
	if (is(visit, KVM_HC_CLOCK_PAIRING) && visit->rcx)
		argue(visit, VCPU_REGS_RCX, KVM_CLOCK_PAIRING_WALLCLOCK);
}

static bool pairing_done(struct visit *visit)
{
	return is(visit, KVM_HC_CLOCK_PAIRING) && result(visit) == 0;
}

static void pairing_flags(struct visit *visit)
{
	u32 flags = 1;

	if (pairing_done(visit) &&
	    guest_write(visit->vcpu, visit->rbx + offsetof(struct kvm_clock_pairing, flags), &flags,
			sizeof(flags)))
		fault_hit();
}

static void pairing_too_long(struct visit *visit)
{
	u32 zero = 0;

	if (pairing_done(visit) &&
	    guest_write(visit->vcpu, visit->rbx + sizeof(struct kvm_clock_pairing), &zero,
			sizeof(zero)))
		fault_hit();
}

/* A TSC value that is about a minute old. */
static void pairing_old_tsc(struct visit *visit)
{
	u64 gpa = visit->rbx + offsetof(struct kvm_clock_pairing, tsc), tsc;

	if (!pairing_done(visit) || !guest_read(visit->vcpu, gpa, &tsc, sizeof(tsc)))
		return;
	tsc -= 1ull << 37;
	if (guest_write(visit->vcpu, gpa, &tsc, sizeof(tsc)))
		fault_hit();
}

const struct fault hypercall_faults[] = {
	{"enosys-0", POINT_HYPERCALL, .after = enosys_0},
	{"eperm-0", POINT_HYPERCALL, .after = eperm_0},
	{"eperm-enosys", POINT_HYPERCALL, .after = eperm_enosys},
	{"einval-enosys", POINT_HYPERCALL, .after = einval_enosys},
	{"efault-einval", POINT_HYPERCALL, .after = efault_einval},
	{"result-32-bits", POINT_HYPERCALL, .after = result_32_bits},
	{"result-sign-extended", POINT_HYPERCALL, .after = result_sign_extended},
	{"number-32-bits", POINT_HYPERCALL, .before = number_32_bits},
	{"clobber-rbx", POINT_HYPERCALL, .after = clobber_rbx},
	{"clobber-r11", POINT_HYPERCALL, .after = clobber_r11},
	{"clobber-carry", POINT_HYPERCALL, .after = clobber_carry},
	{"poll-irq-enosys", POINT_HYPERCALL, .after = poll_irq_enosys},
	{"map-gpa-0", POINT_HYPERCALL, .after = map_gpa_0},
	{"ipi-not-self", POINT_HYPERCALL, .before = ipi_not_self},
	{"ipi-drop-nth", POINT_HYPERCALL, .before = ipi_drop, .after = ipi_pretend},
	{"ipi-count-1", POINT_HYPERCALL, .after = ipi_count_1},
	{"ipi-count-absent", POINT_HYPERCALL, .after = ipi_count_absent},
	{"ipi-high-ignored", POINT_HYPERCALL, .before = ipi_high_ignored},
	{"ipi-min-ignored", POINT_HYPERCALL, .before = ipi_min_ignored},
	{"ipi-logical-accepted", POINT_HYPERCALL, .before = ipi_logical_accepted},
	{"ipi-nmi-dropped", POINT_HYPERCALL, .before = ipi_nmi_dropped, .after = ipi_pretend},
	{"ipi-wrong-vector", POINT_HYPERCALL, .before = ipi_wrong_vector},
	{"yield-refuses", POINT_HYPERCALL, .after = yield_refuses},
	{"yield-enosys", POINT_HYPERCALL, .after = yield_enosys},
	{"hv-long-spin-fails", POINT_HYPERCALL, .after = hv_long_spin_fails},
	{"hv-any-control", POINT_HYPERCALL, .before = hv_any_control},
	{"pairing-any-type", POINT_HYPERCALL, .before = pairing_any_type},
	{"pairing-flags", POINT_HYPERCALL, .after = pairing_flags},
	{"pairing-too-long", POINT_HYPERCALL, .after = pairing_too_long},
	{"pairing-old-tsc", POINT_HYPERCALL, .after = pairing_old_tsc},
	{},
};

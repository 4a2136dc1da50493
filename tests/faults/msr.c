// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Faults of KVM's MSRs as registers: what is accepted, refused, read back and reset. Linux
 * Documentation/virt/kvm/x86/msr.rst, asm/kvm_para.h. The number is in RCX, the value in RDX:RAX.
 */
#include "fault.h"

#define MSR_NOBODY 0x4b564dff /* in KVM's range, not assigned: #GP */

static bool msr(struct visit *visit, u32 number)
{
	return (u32)visit->rcx == number;
}

/* Makes KVM see the written value without these bits. */
static void hide_bits(struct visit *visit, u32 number, u32 high, u32 low)
{
	if (!msr(visit, number) || !((u32)visit->rax & low || (u32)visit->rdx & high))
		return;
	visit->regs[VCPU_REGS_RAX] = (u32)visit->rax & ~low;
	visit->regs[VCPU_REGS_RDX] = (u32)visit->rdx & ~high;
	fault_hit();
}

static void steal_reserved(struct visit *visit)
{
	hide_bits(visit, MSR_KVM_STEAL_TIME, 0, KVM_STEAL_RESERVED_MASK);
}

static void eoi_unaligned(struct visit *visit)
{
	hide_bits(visit, MSR_KVM_PV_EOI_EN, 0, 2); /* 4-byte alignment, bit 0 enables */
}

static void poll_bits(struct visit *visit)
{
	hide_bits(visit, MSR_KVM_POLL_CONTROL, ~0u, ~1u);
}

static void apf_reserved(struct visit *visit)
{
	hide_bits(visit, MSR_KVM_ASYNC_PF_EN, 0, 0x30); /* bits 5:4 */
}

static void apf_int_bits(struct visit *visit)
{
	hide_bits(visit, MSR_KVM_ASYNC_PF_INT, ~0u, ~0xffu);
}

static void missing(struct visit *visit, u32 number)
{
	if (!msr(visit, number))
		return;
	visit->regs[VCPU_REGS_RCX] = MSR_NOBODY;
	fault_hit();
}

static void poll_missing(struct visit *visit)
{
	missing(visit, MSR_KVM_POLL_CONTROL);
}

static void steal_missing(struct visit *visit)
{
	missing(visit, MSR_KVM_STEAL_TIME);
}

static void clock_missing(struct visit *visit)
{
	missing(visit, MSR_KVM_SYSTEM_TIME_NEW);
}

static void wall_missing(struct visit *visit)
{
	missing(visit, MSR_KVM_WALL_CLOCK_NEW);
}

/* Reads of unassigned numbers succeed like those of ASYNC_PF_ACK, with 0. */
static void unassigned_read(struct visit *visit)
{
	if ((u32)visit->rcx <= MSR_KVM_MIGRATION_CONTROL || (u32)visit->rcx > MSR_NOBODY)
		return;
	visit->regs[VCPU_REGS_RCX] = MSR_KVM_ASYNC_PF_ACK;
	fault_hit();
}

static void unassigned_write(struct visit *visit)
{
	unassigned_read(visit);
	if (visit->regs[VCPU_REGS_RCX] == MSR_KVM_ASYNC_PF_ACK && !msr(visit, MSR_KVM_ASYNC_PF_ACK))
		visit->regs[VCPU_REGS_RAX] = visit->regs[VCPU_REGS_RDX] = 0;
}

static void read_0(struct visit *visit)
{
	if (!msr(visit, MSR_KVM_STEAL_TIME) && !msr(visit, MSR_KVM_PV_EOI_EN))
		return;
	visit->regs[VCPU_REGS_RAX] = visit->regs[VCPU_REGS_RDX] = 0;
	fault_hit();
}

static void old_clock_is_0(struct visit *visit)
{
	if (!msr(visit, MSR_KVM_SYSTEM_TIME))
		return;
	visit->regs[VCPU_REGS_RAX] = visit->regs[VCPU_REGS_RDX] = 0;
	fault_hit();
}

/* Every vCPU reads the boot CPU's value. */
static void read_shared(struct visit *visit)
{
	struct kvm_vcpu *boot = kvm_get_vcpu(visit->vcpu->kvm, 0);

	if (!boot || boot == visit->vcpu || !msr(visit, MSR_KVM_STEAL_TIME))
		return;
	visit->regs[VCPU_REGS_RAX] = (u32)boot->arch.st.msr_val;
	visit->regs[VCPU_REGS_RDX] = boot->arch.st.msr_val >> 32;
	fault_hit();
}

static void keep_steal(struct visit *visit)
{
	visit->kept = visit->vcpu->arch.st.msr_val;
}

static void restore_steal(struct visit *visit)
{
	if (!visit->init || !visit->kept)
		return;
	visit->vcpu->arch.st.msr_val = visit->kept;
	fault_hit();
}

static void keep_eoi(struct visit *visit)
{
	visit->kept = visit->vcpu->arch.pv_eoi.msr_val;
}

static void restore_eoi(struct visit *visit)
{
	if (!visit->init || !visit->kept)
		return;
	visit->vcpu->arch.pv_eoi.msr_val = visit->kept;
	fault_hit();
}

static void keep_clock(struct visit *visit)
{
	visit->kept = visit->vcpu->arch.time;
}

static void restore_clock(struct visit *visit)
{
	if (!visit->init || !visit->kept)
		return;
	visit->vcpu->arch.time = visit->kept;
	fault_hit();
}

static void reset_poll(struct visit *visit)
{
	if (!visit->init)
		return;
	visit->vcpu->arch.msr_kvm_poll_control = 1; /* as at power-on */
	fault_hit();
}

/* HV_X64_MSR_HYPERCALL reads as enabled (bit 0), under a guest OS ID or not. */
static void hv_page_stays(struct visit *visit)
{
	if (!msr(visit, 0x40000001) || visit->regs[VCPU_REGS_RAX] & 1)
		return;
	visit->regs[VCPU_REGS_RAX] |= 1;
	fault_hit();
}

const struct fault msr_faults[] = {
	{"steal-reserved", POINT_WRMSR, .before = steal_reserved},
	{"eoi-unaligned", POINT_WRMSR, .before = eoi_unaligned},
	{"poll-any-bits", POINT_WRMSR, .before = poll_bits},
	{"apf-reserved", POINT_WRMSR, .before = apf_reserved},
	{"apf-int-any-bits", POINT_WRMSR, .before = apf_int_bits},
	{"poll-missing", POINT_RDMSR, .before = poll_missing},
	{"poll-missing", POINT_WRMSR, .before = poll_missing},
	{"steal-missing", POINT_RDMSR, .before = steal_missing},
	{"steal-missing", POINT_WRMSR, .before = steal_missing},
	{"clock-missing", POINT_RDMSR, .before = clock_missing},
	{"clock-missing", POINT_WRMSR, .before = clock_missing},
	{"wall-missing", POINT_RDMSR, .before = wall_missing},
	{"wall-missing", POINT_WRMSR, .before = wall_missing},
	{"msr-unassigned", POINT_RDMSR, .before = unassigned_read},
	{"msr-unassigned", POINT_WRMSR, .before = unassigned_write},
	{"msr-reads-0", POINT_RDMSR, .after = read_0},
	{"msr-shared", POINT_RDMSR, .after = read_shared},
	{"clock-no-alias", POINT_RDMSR, .after = old_clock_is_0},
	{"hv-page-stays", POINT_RDMSR, .after = hv_page_stays},
	{"init-keeps-steal", POINT_RESET, .before = keep_steal, .after = restore_steal},
	{"init-keeps-eoi", POINT_RESET, .before = keep_eoi, .after = restore_eoi},
	{"init-keeps-clock", POINT_RESET, .before = keep_clock, .after = restore_clock},
	{"init-resets-poll", POINT_RESET, .after = reset_poll},
	{},
};

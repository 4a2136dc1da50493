// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Faults of KVM's CPUID leaves, where the VMM puts them by default. Linux
 * Documentation/virt/kvm/x86/cpuid.rst, asm/kvm_para.h.
 */
#include "fault.h"

#define LEAF_BASE     KVM_CPUID_SIGNATURE /* 0x40000000 */
#define LEAF_FEATURES KVM_CPUID_FEATURES  /* 0x40000001 */

static bool leaf(struct visit *visit, u32 number)
{
	return (u32)visit->rax == number;
}

static void change(struct visit *visit, enum kvm_reg reg, u32 flipped)
{
	visit->regs[reg] = (u32)visit->regs[reg] ^ flipped;
	fault_hit();
}

static void add_features(struct visit *visit, u32 bits)
{
	if (leaf(visit, LEAF_FEATURES))
		change(visit, VCPU_REGS_RAX, bits & ~(u32)visit->regs[VCPU_REGS_RAX]);
}

/* Breaks the third NUL after KVMKVMKVM. */
static void signature(struct visit *visit)
{
	if (leaf(visit, LEAF_BASE))
		change(visit, VCPU_REGS_RDX, 'x' << 24);
}

static void max_leaf(struct visit *visit)
{
	if (leaf(visit, LEAF_BASE))
		change(visit, VCPU_REGS_RAX, (u32)visit->regs[VCPU_REGS_RAX] ^ LEAF_BASE);
}

static void ebx(struct visit *visit)
{
	if (leaf(visit, LEAF_FEATURES))
		change(visit, VCPU_REGS_RBX, 1);
}

static void mmu_op(struct visit *visit)
{
	add_features(visit, 1 << KVM_FEATURE_MMU_OP);
}

static void map_gpa(struct visit *visit)
{
	add_features(visit, 1 << KVM_FEATURE_HC_MAP_GPA_RANGE);
}

/* These offer features that the VMM hides and refuses (kvm-pv-enforce-cpuid=on). */
static void refused_ipi(struct visit *visit)
{
	add_features(visit, 1 << KVM_FEATURE_PV_SEND_IPI);
}

static void refused_kick(struct visit *visit)
{
	add_features(visit, 1 << KVM_FEATURE_PV_UNHALT);
}

static void refused_yield(struct visit *visit)
{
	add_features(visit, 1 << KVM_FEATURE_PV_SCHED_YIELD);
}

static void refused_steal(struct visit *visit)
{
	add_features(visit, 1 << KVM_FEATURE_STEAL_TIME);
}

static void hint(struct visit *visit)
{
	if (leaf(visit, LEAF_FEATURES))
		change(visit, VCPU_REGS_RDX, 1 << 1);
}

static void one_cpu(struct visit *visit)
{
	if (leaf(visit, LEAF_FEATURES) && visit->vcpu->vcpu_id == fault_cpu)
		change(visit, VCPU_REGS_RAX, 1 << KVM_FEATURE_PV_SCHED_YIELD);
}

static void subleaf(struct visit *visit)
{
	if (leaf(visit, LEAF_FEATURES) && (u32)visit->rcx != 0)
		change(visit, VCPU_REGS_RAX, 1 << KVM_FEATURE_STEAL_TIME);
}

const struct fault cpuid_faults[] = {
	{"cpuid-signature", POINT_CPUID, .after = signature},
	{"cpuid-max-leaf", POINT_CPUID, .after = max_leaf},
	{"cpuid-ebx", POINT_CPUID, .after = ebx},
	{"cpuid-mmu-op", POINT_CPUID, .after = mmu_op},
	{"cpuid-map-gpa", POINT_CPUID, .after = map_gpa},
	{"cpuid-refused-ipi", POINT_CPUID, .after = refused_ipi},
	{"cpuid-refused-kick", POINT_CPUID, .after = refused_kick},
	{"cpuid-refused-yield", POINT_CPUID, .after = refused_yield},
	{"cpuid-refused-steal", POINT_CPUID, .after = refused_steal},
	{"cpuid-hint", POINT_CPUID, .after = hint},
	{"cpuid-per-cpu", POINT_CPUID, .after = one_cpu},
	{"cpuid-subleaf", POINT_CPUID, .after = subleaf},
	{},
};

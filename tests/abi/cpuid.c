/* SPDX-License-Identifier: MIT */
/*
 * KVM's CPUID leaves: where they are, and what is in them. KVM says what it can do; the VMM
 * composes what the guest sees, so a failure here is the VMM's first. Linux
 * Documentation/virt/kvm/x86/cpuid.rst; arch/x86/kvm/cpuid.c (__do_cpuid_func).
 */
#include "kernel/cpu.h"
#include "kernel/machine.h"
#include "kernel/percpu.h"
#include "kernel/smp.h"
#include "pvspin/string.h"
#include "tests/abi/abi.h"
#include "tests/abi/hypervisors.h"

/* "KVMKVMKVM\0\0\0" in EBX, ECX, EDX (cpuid.rst, KVM_CPUID_SIGNATURE) */
#define KVM_SIGNATURE_EBX 0x4b4d564bu
#define KVM_SIGNATURE_ECX 0x564b4d56u
#define KVM_SIGNATURE_EDX 0x0000004du

#define CPUID_1_ECX_HYPERVISOR (1u << 31)

/* ABI-CPUID-01: the hypervisor bit is set, or the VMM has cleared that bit and no more: the leaves
 * answer all the same. QEMU, target/i386/cpu.c. */
static void hypervisor_bit(struct test_result *result)
{
	bool bit = cpuid(1, 0).ecx & CPUID_1_ECX_HYPERVISOR;

	if (!bit && !machine.kvm.present)
		test_fail(result, "neither the hypervisor bit nor a signature, and this is KVM");
	else if (!bit)
		test_info(result, "bit clear, KVM's leaves at %#x answer", machine.kvm.base);
}
ABI_CLAUSE(hypervisor_bit, "ABI-CPUID-01", "abi.cpuid.hypervisor_bit", ABI_INFO);

/* ABI-CPUID-02: all 12 bytes of the signature are as documented, the three NULs too. Who compares 9
 * takes any "KVMKVMKVMxyz" for KVM. cpuid.rst */
static void signature_bytes(struct test_result *result)
{
	bool any = false;

	for (uint32_t base = HYPERVISOR_FIRST; base <= HYPERVISOR_LAST; base += HYPERVISOR_STEP) {
		struct cpuid r = cpuid(base, 0);

		if (r.ebx != KVM_SIGNATURE_EBX || r.ecx != KVM_SIGNATURE_ECX ||
		    (r.edx & 0xff) != KVM_SIGNATURE_EDX)
			continue;
		any = true;
		if (r.edx != KVM_SIGNATURE_EDX)
			test_fail(result, "leaf %#x: EDX %#x behind KVMKVMKV, expected %#x", base,
				  r.edx, KVM_SIGNATURE_EDX);
	}
	if (!any)
		test_skip(result, "no KVM signature in CPUID 0x40000000..0x4000ff00");
}
ABI_CLAUSE(signature_bytes, "ABI-CPUID-02", "abi.cpuid.signature_is_12_bytes", ABI_MUST,
	   .conditions = ABI_UNSEEN_KVM);

/* ABI-CPUID-03: EAX of the signature's leaf is the highest leaf, base + 1 or more; 0, of very old
 * hosts, stands for base + 1. More is legal: never compare with ==. cpuid.rst */
static void highest_leaf(struct test_result *result)
{
	uint32_t base = machine.kvm.base, highest = cpuid(base, 0).eax;

	test_info(result, "highest leaf %#x", highest);
	if (highest != 0 && (highest <= base || highest >= base + HYPERVISOR_STEP))
		test_fail(result, "EAX of leaf %#x is %#x, expected %#x to %#x, or 0", base,
			  highest, base + 1, base + HYPERVISOR_STEP - 1);
}
ABI_CLAUSE(highest_leaf, "ABI-CPUID-03", "abi.cpuid.highest_leaf_at_least_base_1", ABI_MUST,
	   .conditions = ABI_SIGNATURE);

/* ABI-CPUID-04: KVM's signature is at exactly one base; if that is not the first, another interface
 * is there. arch/x86/include/asm/processor.h (hypervisor_cpuid_base) scans like this. */
static void one_base(struct test_result *result)
{
	uint32_t bases = 0;
	char first[13];

	for (uint32_t base = HYPERVISOR_FIRST; base <= HYPERVISOR_LAST; base += HYPERVISOR_STEP) {
		struct cpuid r = cpuid(base, 0);

		if (r.ebx == KVM_SIGNATURE_EBX && r.ecx == KVM_SIGNATURE_ECX &&
		    r.edx == KVM_SIGNATURE_EDX)
			bases++;
	}
	if (bases != 1)
		test_fail(result, "KVM's signature is at %u bases, expected one", bases);
	if (machine.kvm.base == HYPERVISOR_FIRST)
		return;
	hypervisor_at(HYPERVISOR_FIRST, first);
	test_info(result, "behind \"%s\" at %#x", first, machine.kvm.base);
	if (first[0] == '\0')
		test_fail(result, "KVM is at %#x and nobody at %#x", machine.kvm.base,
			  HYPERVISOR_FIRST);
}
ABI_CLAUSE(one_base, "ABI-CPUID-04", "abi.cpuid.one_base_found_by_scan", ABI_MUST,
	   .conditions = ABI_SIGNATURE);

/* ABI-CPUID-05: behind KVM's Xen emulation KVM is at the second base. QEMU,
 * docs/system/i386/xen.rst (8.0); arch/x86/kvm/xen.c */
static void behind_xen(struct test_result *result)
{
	if (!hypervisor_is(HYPERVISOR_FIRST, XEN_SIGNATURE))
		test_skip(result, "needs KVM's Xen emulation (QEMU 8.0: xen-version=)");
	else if (machine.kvm.base != HYPERVISOR_FIRST + HYPERVISOR_STEP)
		test_fail(result, "KVM's leaves are at %#x, expected %#x", machine.kvm.base,
			  HYPERVISOR_FIRST + HYPERVISOR_STEP);
}
ABI_CLAUSE(behind_xen, "ABI-CPUID-05", "abi.cpuid.kvm_follows_xen", ABI_KVM,
	   .conditions = ABI_SIGNATURE);

/* ABI-CPUID-16: all vCPUs show the same leaves. cpuid.rst has no per-CPU field; the VMM sets them
 * for each vCPU. */
#define LEAVES 3

static struct cpuid boot_leaves[LEAVES];
static _Atomic uint32_t other_cpus; /* that see something else */
static _Atomic uint32_t an_other;   /* ... one of them */

static void read_leaves(struct cpuid leaves[LEAVES])
{
	leaves[0] = cpuid(machine.kvm.base, 0);
	leaves[1] = cpuid(machine.kvm.base + 1, 0);
	/* the timing leaf, if it is there */
	leaves[2] = machine.kvm.max_leaf >= machine.kvm.base + TIMING_LEAF
			    ? cpuid(machine.kvm.base + TIMING_LEAF, 0)
			    : (struct cpuid){0};
}

static void compare_leaves(void *argument)
{
	struct cpuid leaves[LEAVES];

	(void)argument;
	read_leaves(leaves);
	if (memcmp(leaves, boot_leaves, sizeof(leaves)) != 0) {
		atomic_fetch_add(&other_cpus, 1);
		atomic_store(&an_other, this_cpu()->index);
	}
}

static void same_on_all(struct test_result *result)
{
	atomic_store(&other_cpus, 0);
	read_leaves(boot_leaves);
	smp_run_on(machine.online, compare_leaves, NULL);
	if (atomic_load(&other_cpus) != 0)
		test_fail(result, "%u vCPUs (%u is one) have other leaves than vCPU 0",
			  atomic_load(&other_cpus), atomic_load(&an_other));
}
ABI_CLAUSE(same_on_all, "ABI-CPUID-16", "abi.cpuid.same_on_all_vcpus", ABI_KVM,
	   .conditions = ABI_SIGNATURE, .vcpus = 2);

/* ABI-CPUID-18: the leaves have no sub-leaves: ECX is ignored. cpuid.c (entries without an index)
 */
static void no_subleaves(struct test_result *result)
{
	static const uint32_t subleaves[] = {1, 2, 0xff, UINT32_MAX};

	for (uint32_t leaf = machine.kvm.base; leaf <= machine.kvm.base + 1; leaf++) {
		struct cpuid plain = cpuid(leaf, 0);

		for (size_t i = 0; i < sizeof(subleaves) / sizeof(subleaves[0]); i++) {
			struct cpuid r = cpuid(leaf, subleaves[i]);

			if (memcmp(&r, &plain, sizeof(r)) != 0)
				test_fail(result,
					  "leaf %#x with ECX %#x differs from ECX 0: EAX %#x, %#x",
					  leaf, subleaves[i], r.eax, plain.eax);
		}
	}
}
ABI_CLAUSE(no_subleaves, "ABI-CPUID-18", "abi.cpuid.ecx_is_ignored", ABI_KVM,
	   .conditions = ABI_SIGNATURE);

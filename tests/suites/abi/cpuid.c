/* SPDX-License-Identifier: MIT */
/*
 * KVM's CPUID leaves: their bases and contents. The VMM composes most of them, so a broken clause
 * here is first of all a finding about the VMM. Linux Documentation/virt/kvm/x86/cpuid.rst; QEMU
 * target/i386/kvm/kvm.c.
 */
#include "kernel/cpu.h"

#include "kernel/hypercall.h"
#include "kernel/kvm.h"
#include "kernel/machine.h"
#include "kernel/percpu.h"
#include "kernel/smp.h"
#include "kernel/tsc.h"
#include "lib/string.h"
#include "tests/suites/abi/abi.h"
#include "tests/suites/abi/kick.h"

/* cpuid.rst (Linux 6.12) assigns bits 0 to 7, 9 to 17 and 24. Of these MMU_OP (2) is withdrawn, and
 * whether ASYNC_PF_VMEXIT (10) is offered depends on the VMM's release: QEMU passes it on from 9.0
 * (target/i386/cpu.c). A bit in neither mask belongs to a release later than this suite. */
#define JUDGED_FEATURES 0x0103fafbu
#define NO_FEATURES     (1u << 2 | 1u << 8)
#define HINTS_ASSIGNED  KVM_HINTS_REALTIME

#define TIMING_LEAF            0x10u
#define APIC_BUS_KHZ           1000000u /* 1 GHz: QEMU's and KVM's local APIC */
#define CPUID_1_ECX_HYPERVISOR (1u << 31)
#define FIRST_BASE             0x40000000u
#define LAST_BASE              0x4000ff00u
#define BASE_STEP              0x100u

/* "KVMKVMKVM" and three NULs in EBX, ECX, EDX (cpuid.rst) */
#define SIGNATURE_EBX 0x4b4d564bu
#define SIGNATURE_ECX 0x564b4d56u
#define SIGNATURE_EDX 0x0000004du

static uint32_t base(void)
{
	return machine.kvm.base;
}

/* ABI-CPUID-01: the VMM sets the hypervisor bit; KVM's leaves exist without it, too. */
static void hypervisor_bit(struct test_result *result)
{
	bool bit = cpuid(1, 0).ecx & CPUID_1_ECX_HYPERVISOR;

	test_info(result, "the hypervisor bit is %u; KVM's signature is at %#x", bit, base());
	if (bit != machine.kvm.hypervisor_bit)
		test_error(result, "CPUID 1 has changed since boot");
}
ABI_CLAUSE(hypervisor_bit, "ABI-CPUID-01", "abi.cpuid.leaves_with_or_without_the_bit", ABI_KVM,
	   .conditions = ABI_SIGNATURE);

/* ABI-CPUID-02: the base leaf's EBX, ECX, EDX are "KVMKVMKVM" and three zero bytes. A leaf that has
 * the first nine bytes must have all twelve, and only one base has them. */
static void signature_is_kvm(struct test_result *result)
{
	uint32_t bases = 0;

	for (uint32_t at = FIRST_BASE; at <= LAST_BASE; at += BASE_STEP) {
		struct cpuid r = cpuid(at, 0);

		if (r.ebx != SIGNATURE_EBX || r.ecx != SIGNATURE_ECX ||
		    (uint8_t)r.edx != (uint8_t)SIGNATURE_EDX)
			continue;
		bases++;
		if (r.edx != SIGNATURE_EDX)
			test_fail(result, "EDX of leaf %#x is %#x, expected %#x", at, r.edx,
				  SIGNATURE_EDX);
	}
	if (bases == 0)
		test_skip(result, "no KVM signature in CPUID 0x40000000..0x4000ff00");
	else if (bases > 1)
		test_fail(result, "the signature is at %u bases", bases);
}
ABI_CLAUSE(signature_is_kvm, "ABI-CPUID-02", "abi.cpuid.signature", ABI_MUST,
	   .conditions = ABI_UNSEEN_KVM);

/* ABI-CPUID-03: its EAX is the highest leaf, at least base + 1; very old hosts have 0, which means
 * base + 1. */
static void highest_leaf(struct test_result *result)
{
	uint32_t eax = cpuid(base(), 0).eax;

	test_info(result, "highest leaf %#x", eax);
	if (eax != 0 && (eax < base() + 1 || eax >= base() + 0x100))
		test_fail(result, "EAX is %#x, expected %#x or more", eax, base() + 1);
}
ABI_CLAUSE(highest_leaf, "ABI-CPUID-03", "abi.cpuid.highest_leaf", ABI_MUST,
	   .conditions = ABI_SIGNATURE);

/* ABI-CPUID-04: if another interface comes first, KVM is at a later base, a multiple of 0x100 away,
 * and the feature leaf belongs to that base. */
static void later_base(struct test_result *result)
{
	struct cpuid first = cpuid(FIRST_BASE, 0);
	char name[13];

	memcpy(name, &first.ebx, 4);
	memcpy(name + 4, &first.ecx, 4);
	memcpy(name + 8, &first.edx, 4);
	name[12] = '\0';
	if (base() == FIRST_BASE) {
		test_skip(result, "no other interface comes first");
		return;
	}
	test_info(result, "%s is first; KVM at %#x", name, base());
	if (base() % 0x100 != 0)
		test_fail(result, "KVM's base is %#x", base());
	if (first.eax >= base())
		test_fail(result, "the first interface's leaves reach to %#x", first.eax);
	if (cpuid(base() + 1, 0).eax == cpuid(FIRST_BASE + 1, 0).eax)
		test_fail(result, "the feature leaf at %#x is the first interface's", base() + 1);
}
ABI_CLAUSE(later_base, "ABI-CPUID-04", "abi.cpuid.behind_another_interface", ABI_MUST,
	   .conditions = ABI_SIGNATURE);

/* ABI-CPUID-06: in the feature leaf EBX and ECX are 0, and EAX is as expected of this
 * configuration. */
static void feature_leaf(struct test_result *result)
{
	struct cpuid r = cpuid(base() + 1, 0);
	uint32_t told = (uint32_t)abi_plan->vmm.features;

	test_info(result, "features %#x, hints %#x", r.eax, r.edx);
	if (r.ebx != 0 || r.ecx != 0)
		test_fail(result, "EBX %#x, ECX %#x, expected 0", r.ebx, r.ecx);
	if (told != 0 && ((r.eax ^ told) & JUDGED_FEATURES))
		test_fail(result, "features %#x, expected %#x here", r.eax, told);
}
ABI_CLAUSE(feature_leaf, "ABI-CPUID-06", "abi.cpuid.feature_leaf", ABI_KVM,
	   .conditions = ABI_SIGNATURE);

/* ABI-CPUID-08: no KVM offers bits 2 and 8, nor any that this configuration turns off. */
static void no_unassigned_bits(struct test_result *result)
{
	uint32_t features = cpuid(base() + 1, 0).eax;
	uint32_t told = (uint32_t)abi_plan->vmm.features;
	uint32_t wrong = features & ~told & JUDGED_FEATURES;
	uint32_t later = features & ~(JUDGED_FEATURES | NO_FEATURES);

	if (features & NO_FEATURES)
		test_fail(result, "bits %#x are set", features & NO_FEATURES);
	if (told != 0 && wrong != 0)
		test_fail(result, "bits %#x are set, not so in this configuration", wrong);
	if (later != 0)
		test_info(result, "bits %#x, not judged, are of later releases", later);
}
ABI_CLAUSE(no_unassigned_bits, "ABI-CPUID-08", "abi.cpuid.unassigned_features_are_0", ABI_KVM,
	   .conditions = ABI_SIGNATURE);

/* ABI-CPUID-09: of the hints only bit 0 is assigned. */
static void hints(struct test_result *result)
{
	uint32_t edx = cpuid(base() + 1, 0).edx;

	test_info(result, "dedicated CPUs: %s", edx & KVM_HINTS_REALTIME ? "yes" : "no");
	if (edx & ~HINTS_ASSIGNED)
		test_fail(result, "hints %#x", edx);
}
ABI_CLAUSE(hints, "ABI-CPUID-09", "abi.cpuid.hints", ABI_KVM, .conditions = ABI_SIGNATURE);

/* ABI-CPUID-10: MSI_EXT_DEST_ID comes with a split irqchip only. */
static void extended_destinations(struct test_result *result)
{
	bool bit = cpuid(base() + 1, 0).eax & KVM_FEATURE_MSI_EXT_DEST_ID;

	if (abi_plan->vmm.irqchip == IRQCHIP_SPLIT) {
		test_info(result, "split irqchip: the bit is %u", bit);
		if (!bit && (abi_plan->vmm.features & KVM_FEATURE_MSI_EXT_DEST_ID))
			test_fail(result, "bit 15 is clear with a split irqchip");
		return;
	}
	/* A launcher that does not mention the irqchip has left it at the default: in KVM. */
	if (bit &&
	    (abi_plan->vmm.irqchip != IRQCHIP_UNKNOWN || strcmp(abi_plan->accel, "unknown") != 0))
		test_fail(result, "bit 15 is set without a split irqchip");
	else if (bit)
		test_info(result, "bit 15 is set; whether the irqchip is split is not known");
}
ABI_CLAUSE(extended_destinations, "ABI-CPUID-10", "abi.cpuid.msi_ext_dest_id", ABI_KVM,
	   .conditions = ABI_SIGNATURE);

/* ABI-CPUID-11: HC_MAP_GPA_RANGE and MIGRATION_CONTROL are for confidential VMs; the first tells
 * whether hypercall 12 exists. The test calls it with arguments that it must refuse (no pages, an
 * unaligned address), so that no VMM acts on them. hypercalls.rst */
static void confidential_bits(struct test_result *result)
{
	uint32_t bits = cpuid(base() + 1, 0).eax &
			(KVM_FEATURE_HC_MAP_GPA_RANGE | KVM_FEATURE_MIGRATION_CONTROL);
	int64_t got = hypercall(KVM_HC_MAP_GPA_RANGE, (1ull << 45) + 1, 0, 0, 0);

	if (bits != 0)
		test_fail(result, "bits %#x are set in a plain VM", bits);
	if ((got == -KVM_ENOSYS) == (bool)(bits & KVM_FEATURE_HC_MAP_GPA_RANGE))
		test_fail(result, "bit 16 is %u, and number 12 returned %ld",
			  (bool)(bits & KVM_FEATURE_HC_MAP_GPA_RANGE), got);
}
ABI_CLAUSE(confidential_bits, "ABI-CPUID-11", "abi.cpuid.no_confidential_features", ABI_KVM,
	   .conditions = ABI_SIGNATURE);

/* ABI-CPUID-12: where HLT does not exit, PV_UNHALT is not offered: a kick would have no effect. */
static void no_unhalt_without_exits(struct test_result *result)
{
	kick_judge_offered(result, cpuid(base() + 1, 0).eax & KVM_FEATURE_PV_UNHALT);
}
ABI_CLAUSE(no_unhalt_without_exits, "ABI-CPUID-12", "abi.cpuid.no_unhalt_where_hlt_does_not_exit",
	   ABI_KVM, .conditions = ABI_SIGNATURE | ABI_HLT_NATIVE);

/* ABI-CPUID-13: with the APIC in the VMM, QEMU hides PV_UNHALT. It still offers PV_SEND_IPI, which
 * then returns -95 (ABI-IPI-19); the test prints that. */
static void vmm_irqchip(struct test_result *result)
{
	uint32_t features = cpuid(base() + 1, 0).eax;

	test_info(result, "PV_SEND_IPI is %s", features & (1u << 11) ? "offered" : "hidden");
	if (features & KVM_FEATURE_PV_UNHALT)
		test_fail(result, "PV_UNHALT is offered though KVM has no APIC to wake");
}
ABI_CLAUSE(vmm_irqchip, "ABI-CPUID-13", "abi.cpuid.no_unhalt_with_apic_in_the_vmm", ABI_KVM,
	   .conditions = ABI_SIGNATURE | ABI_NO_IRQCHIP);

/* ABI-CPUID-14: the timing leaf has TSC and APIC bus frequency in kHz. The test compares its TSC
 * frequency with the guest's, and that one with kvmclock (kernel/tsc.c takes the best source). */
static void timing_leaf(struct test_result *result)
{
	struct cpuid r;
	uint32_t clock = kvm_clock_tsc_khz();

	if (cpuid(base(), 0).eax < base() + TIMING_LEAF) {
		test_skip(result, "there is no leaf %#x", base() + TIMING_LEAF);
		return;
	}
	r = cpuid(base() + TIMING_LEAF, 0);
	test_info(result, "TSC %u kHz, APIC bus %u kHz", r.eax, r.ebx);
	if (r.ebx != APIC_BUS_KHZ)
		test_fail(result, "APIC bus %u kHz, expected %u", r.ebx, APIC_BUS_KHZ);
	/* within 1 %, because kvmclock has the scaled frequency */
	if (clock != 0 && (r.eax < clock - clock / 100 || r.eax > clock + clock / 100))
		test_fail(result, "TSC %u kHz, kvmclock says %u", r.eax, clock);
}
ABI_CLAUSE(timing_leaf, "ABI-CPUID-14", "abi.cpuid.timing_leaf", ABI_KVM,
	   .conditions = ABI_SIGNATURE);

/* ABI-CPUID-15: leaves beyond the highest one, and unused bases, hold zeros on AMD and the highest
 * basic leaf's data on Intel (by the vendor that CPUID shows), never data of their own.
 * arch/x86/kvm/cpuid.c, get_out_of_range_cpuid_entry. */
static void beyond(struct test_result *result, uint32_t leaf)
{
	struct cpuid got = cpuid(leaf, 0), expected = {0};

	if (!machine.kvm.amd)
		expected = cpuid(cpuid(0, 0).eax, 0);
	if (memcmp(&got, &expected, sizeof(got)) != 0)
		test_fail(result, "leaf %#x has EAX %#x, EBX %#x, expected %#x, %#x", leaf, got.eax,
			  got.ebx, expected.eax, expected.ebx);
}

static void beyond_the_highest(struct test_result *result)
{
	test_info(result, "%s: %s", machine.kvm.vendor,
		  machine.kvm.amd ? "zeros" : "the highest basic leaf");
	if (machine.kvm.present)
		beyond(result, machine.kvm.max_leaf + 1);
	beyond(result, FIRST_BASE + 2 * BASE_STEP); /* there are at most two interfaces */
	beyond(result, LAST_BASE);
}
ABI_CLAUSE(beyond_the_highest, "ABI-CPUID-15", "abi.cpuid.beyond_the_highest_leaf", ABI_INFO);

/* ABI-CPUID-16: all vCPUs show the same leaves. */
struct leaves {
	struct cpuid leaf[3]; /* base, features, timing (all zeros if there is none) */
};

static struct leaves leaves_here(void)
{
	struct leaves l = {{cpuid(base(), 0), cpuid(base() + 1, 0)}};

	if (l.leaf[0].eax >= base() + TIMING_LEAF)
		l.leaf[2] = cpuid(base() + TIMING_LEAF, 0);
	return l;
}

static _Atomic uint32_t differing, a_differing;

static void compare_leaves(void *expected)
{
	struct leaves l = leaves_here();

	if (memcmp(&l, expected, sizeof(l)) == 0)
		return;
	atomic_fetch_add_explicit(&differing, 1, memory_order_relaxed);
	atomic_store_explicit(&a_differing, this_cpu()->index, memory_order_relaxed);
}

static void same_on_all(struct test_result *result)
{
	struct leaves expected = leaves_here();

	atomic_store_explicit(&differing, 0, memory_order_relaxed);
	smp_run_on(machine.online, compare_leaves, &expected);
	if (atomic_load_explicit(&differing, memory_order_relaxed) != 0)
		test_fail(result, "%u vCPUs have other leaves than vCPU 0; one is vCPU %u",
			  atomic_load_explicit(&differing, memory_order_relaxed),
			  atomic_load_explicit(&a_differing, memory_order_relaxed));
}
ABI_CLAUSE(same_on_all, "ABI-CPUID-16", "abi.cpuid.same_on_all_vcpus", ABI_KVM,
	   .conditions = ABI_SIGNATURE, .vcpus = 2);

/* ABI-CPUID-18: the sub-leaf in ECX has no effect. */
static void subleaf(struct test_result *result)
{
	static const uint32_t subleaves[] = {1, 0xff, UINT32_MAX};

	for (uint32_t i = 0; i < 2 * sizeof(subleaves) / sizeof(subleaves[0]); i++) {
		uint32_t leaf = base() + i % 2, ecx = subleaves[i / 2];
		struct cpuid a = cpuid(leaf, 0), b = cpuid(leaf, ecx);

		if (memcmp(&a, &b, sizeof(a)) != 0)
			test_fail(result, "leaf %#x: EAX %#x, with ECX = %#x it is %#x", leaf,
				  a.eax, ecx, b.eax);
	}
}
ABI_CLAUSE(subleaf, "ABI-CPUID-18", "abi.cpuid.subleaf_is_ignored", ABI_KVM,
	   .conditions = ABI_SIGNATURE);

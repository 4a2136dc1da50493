/* SPDX-License-Identifier: MIT */
/*
 * Hypercall numbers: which ones exist, and what happens to those that CPUID hides, with and without
 * enforcement. (hyperv.c: who answers if Hyper-V's are in use.) Linux
 * include/uapi/linux/kvm_para.h, Documentation/virt/kvm/x86/hypercalls.rst, arch/x86/kvm/x86.c
 * (kvm_emulate_hypercall, guest_pv_has).
 */
#include "kernel/cpu.h"
#include "kernel/hypercall.h"
#include "kernel/kvm.h"
#include "kernel/machine.h"
#include "kernel/percpu.h"
#include "tests/suites/abi/abi.h"
#include "tests/suites/abi/call.h"
#include "tests/suites/abi/ipi.h"
#include "tests/suites/abi/pv_msrs.h"

/* Arguments that are harmless for every number: an unused APIC ID; a misaligned address without
 * RAM; and an ICR with a logical destination, which SEND_IPI refuses. */
#define MISALIGNED (ABI_NO_RAM + 1)

static int64_t call_harmlessly(uint64_t number)
{
	return hypercall(number, MISALIGNED, ABI_UNUSED_ID, 0, ICR_LOGICAL);
}

static void expect(struct test_result *result, const char *what, int64_t got, int64_t expected)
{
	if (got != expected)
		test_fail(result, "%s returned %ld, expected %ld", what, got, expected);
}

static void expect_enosys(struct test_result *result, const uint64_t *numbers, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int64_t got = call_harmlessly(numbers[i]);

		if (got != -KVM_ENOSYS)
			test_fail(result, "number %#lx returned %ld, expected %d", numbers[i], got,
				  -KVM_ENOSYS);
	}
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ABI-NR-01: an unknown number returns -KVM_ENOSYS, sign-extended to 64 bits. */
static void unknown_number(struct test_result *result)
{
	static const uint64_t numbers[] = {0, 13, 14, 15, 99, UINT64_MAX, 1ull << 63 | 1};

	expect_enosys(result, numbers, COUNT(numbers));
}
ABI_CLAUSE(unknown_number, "ABI-NR-01", "abi.nr.unknown_returns_enosys", ABI_MUST);

/* ABI-NR-02: VAPIC_POLL_IRQ returns 0 whatever its arguments, whether offered or enforced or not.
 * So it serves as the probe for "hypercalls work". */
static void poll_irq(struct test_result *result)
{
	expect(result, "VAPIC_POLL_IRQ",
	       hypercall(KVM_HC_VAPIC_POLL_IRQ, ~0ull, ~0ull, ~0ull, ~0ull), 0);
}
ABI_CLAUSE(poll_irq, "ABI-NR-02", "abi.nr.vapic_poll_irq_returns_0", ABI_MUST);

/* ABI-NR-03: MMU_OP has been removed. */
static void mmu_op(struct test_result *result)
{
	static const uint64_t numbers[] = {2};

	expect_enosys(result, numbers, COUNT(numbers));
}
ABI_CLAUSE(mmu_op, "ABI-NR-03", "abi.nr.mmu_op_is_gone", ABI_KVM);

/* ABI-NR-04: 3 and 4 belong to PowerPC. */
static void powerpc(struct test_result *result)
{
	static const uint64_t numbers[] = {3, 4};

	expect_enosys(result, numbers, COUNT(numbers));
}
ABI_CLAUSE(powerpc, "ABI-NR-04", "abi.nr.powerpc_numbers_are_unknown", ABI_KVM);

/* ABI-NR-05: 6, 7 and 8 belong to MIPS; 7 would end the VM. */
static void mips(struct test_result *result)
{
	static const uint64_t numbers[] = {6, 7, 8};

	expect_enosys(result, numbers, COUNT(numbers));
}
ABI_CLAUSE(mips, "ABI-NR-05", "abi.nr.mips_numbers_are_unknown", ABI_KVM);

/* ABI-NR-06: 1, 5, 9, 10 and 11 are the calls of kvm_para.h. The test tells them apart by arguments
 * that only one of them refuses. */
static void numbers_mean_what_they_say(struct test_result *result)
{
	expect(result, "number 1", call_harmlessly(1), 0);
	expect(result, "number 5, an ID nobody has,", call_harmlessly(5), 0);
	expect(result, "number 9, clock type 0x1000,", call_harmlessly(9), -KVM_EOPNOTSUPP);
	expect(result, "number 10, a logical destination,", call_harmlessly(10), -KVM_EINVAL);
	expect(result, "number 11", call_harmlessly(11), 0);
}
ABI_CLAUSE(numbers_mean_what_they_say, "ABI-NR-06", "abi.nr.each_number_is_its_call", ABI_KVM,
	   .features = KVM_FEATURE_PV_UNHALT | KVM_FEATURE_PV_SEND_IPI | KVM_FEATURE_PV_SCHED_YIELD,
	   .conditions = ABI_IRQCHIP);

/* ABI-NR-07: the values of the errors. (-1 needs another privilege level: ABI-REG-09.)
 * CLOCK_PAIRING first checks the host's clock: if that is not the TSC, it returns -95 whatever the
 * address. */
static void error_values(struct test_result *result)
{
	static uint8_t pairing[64] __attribute__((aligned(64))); /* for CLOCK_PAIRING to write */
	int64_t paired = hypercall(KVM_HC_CLOCK_PAIRING, (uint64_t)pairing, 0, 0, 0);

	expect(result, "an unknown number", call_harmlessly(99), -1000);
	expect(result, "SEND_IPI with a logical destination", call_harmlessly(KVM_HC_SEND_IPI),
	       -22);
	expect(result, "CLOCK_PAIRING of an unknown type",
	       hypercall(KVM_HC_CLOCK_PAIRING, MISALIGNED, ~0ull, 0, 0), -95);
	if (paired == -95)
		test_info(result, "-14 not seen: the host's clock is not the TSC");
	else
		expect(result, "CLOCK_PAIRING to no memory",
		       hypercall(KVM_HC_CLOCK_PAIRING, MISALIGNED, 0, 0, 0), -14);
}
ABI_CLAUSE(error_values, "ABI-NR-07", "abi.nr.error_values", ABI_MUST,
	   .features = KVM_FEATURE_PV_SEND_IPI, .conditions = ABI_IRQCHIP);

/* The three calls that a feature bit can gate. */
static const struct gated {
	uint32_t feature;
	uint64_t number;
	const char *name;
	int64_t works; /* call_harmlessly's result */
} gated[] = {
	{KVM_FEATURE_PV_UNHALT, KVM_HC_KICK_CPU, "KICK_CPU", 0},
	{KVM_FEATURE_PV_SEND_IPI, KVM_HC_SEND_IPI, "SEND_IPI", -KVM_EINVAL},
	{KVM_FEATURE_PV_SCHED_YIELD, KVM_HC_SCHED_YIELD, "SCHED_YIELD", 0},
};

/* ABI-NR-08: enforcement (Linux 5.10) gates exactly these three, each by its own bit; 1 and 9 work
 * whichever bits are hidden. */
static void enforced_exactly(struct test_result *result)
{
	for (size_t i = 0; i < COUNT(gated); i++)
		expect(result, gated[i].name, call_harmlessly(gated[i].number),
		       machine.kvm.features & gated[i].feature ? gated[i].works : -KVM_ENOSYS);
	expect(result, "VAPIC_POLL_IRQ", call_harmlessly(KVM_HC_VAPIC_POLL_IRQ), 0);
	expect(result, "CLOCK_PAIRING", call_harmlessly(KVM_HC_CLOCK_PAIRING), -KVM_EOPNOTSUPP);
}
ABI_CLAUSE(enforced_exactly, "ABI-NR-08", "abi.nr.enforcement_gates_5_10_11", ABI_KVM,
	   .conditions = ABI_ENFORCE | ABI_IRQCHIP);

/* ABI-NR-09: without enforcement, calls that CPUID hides work. */
static void hidden_but_callable(struct test_result *result)
{
	uint32_t hidden = 0;

	for (size_t i = 0; i < COUNT(gated); i++) {
		if (machine.kvm.features & gated[i].feature)
			continue;
		hidden++;
		expect(result, gated[i].name, call_harmlessly(gated[i].number), gated[i].works);
	}
	if (hidden == 0)
		test_skip(result, "nothing is hidden");
}
ABI_CLAUSE(hidden_but_callable, "ABI-NR-09", "abi.nr.hidden_is_callable", ABI_KVM,
	   .conditions = ABI_NO_ENFORCE | ABI_IRQCHIP);

/* ABI-NR-10: enforcement finds KVM's leaf at its real base (since Linux 5.17; 5.10 to 5.16 read
 * leaf 0x40000001, which was Hyper-V's). */
static void enforced_behind_another(struct test_result *result)
{
	if (machine.kvm.base == 0x40000000)
		test_skip(result, "no other interface comes first");
	else
		expect(result, "KICK_CPU", call_harmlessly(KVM_HC_KICK_CPU), 0);
}
ABI_CLAUSE(enforced_behind_another, "ABI-NR-10", "abi.nr.enforcement_behind_another_interface",
	   ABI_KVM, .features = KVM_FEATURE_PV_UNHALT, .conditions = ABI_SIGNATURE | ABI_ENFORCE);

/* ABI-CPUID-17: kvm=off hides the leaves, not the interface: hypercalls and MSRs still work. */
static void leaves_off_interface_on(struct test_result *result)
{
	if (machine.kvm.present) {
		test_skip(result, "needs kvm=off");
		return;
	}
	expect(result, "number 1", call_harmlessly(KVM_HC_VAPIC_POLL_IRQ), 0);
	expect(result, "KICK_CPU", call_harmlessly(KVM_HC_KICK_CPU), 0);
	expect(result, "an unknown number", call_harmlessly(99), -KVM_ENOSYS);
	if (abi_rdmsr(MSR_KVM_POLL_CONTROL).faulted)
		test_fail(result, "MSR_KVM_POLL_CONTROL faults");
}
ABI_CLAUSE(leaves_off_interface_on, "ABI-CPUID-17", "abi.cpuid.interface_without_leaves", ABI_KVM,
	   .conditions = ABI_NO_ENFORCE);

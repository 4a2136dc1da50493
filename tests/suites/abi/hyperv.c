/* SPDX-License-Identifier: MIT */
/*
 * Hyper-V's hypercalls in place of KVM's: how a guest gets them, who answers then, and the notice
 * of a long spin. Needs -cpu host,hv-relaxed or the like. Microsoft's Hypervisor Top-Level
 * Functional Specification (TLFS), "Hypercall Interface"; Linux arch/x86/kvm/hyperv.c.
 */
#include "kernel/hyperv.h"
#include "kernel/hypercall.h"
#include "tests/suites/abi/abi.h"
#include "tests/suites/abi/call.h"

/* Takes Hyper-V's hypercalls into use; false, with the reason in the result, if that cannot be. */
static bool begin(struct test_result *result)
{
	if (!hyperv_offered()) {
		test_skip(result, "Hyper-V's interface is not offered");
		return false;
	}
	if (hyperv_begin())
		return true;
	test_fail(result, "Hyper-V's interface is offered and its MSRs do not work");
	return false;
}

static void expect(struct test_result *result, const char *what, uint64_t got, uint64_t expected)
{
	if (got != expected)
		test_fail(result, "%s returned %#lx, expected %#lx", what, got, expected);
}

/* Number 1, by KVM's own instruction and registers. rcx is Hyper-V's control word: call code 0. */
static uint64_t poll_irq(void)
{
	return (uint64_t)hypercall(KVM_HC_VAPIC_POLL_IRQ, 0, 0, 0, 0);
}

/*
 * ABI-NR-11: once the guest says by HV_X64_MSR_GUEST_OS_ID that it uses Hyper-V's ABI, every
 * hypercall is Hyper-V's (KVM's numbers return status 2, HV_STATUS_INVALID_HYPERCALL_CODE). Writing
 * 0 there restores KVM's.
 */
static void hyperv_replaces(struct test_result *result)
{
	uint64_t with;

	expect(result, "number 1 before", poll_irq(), 0);
	if (!begin(result))
		return;
	with = poll_irq();
	hyperv_end();
	expect(result, "number 1 under a Hyper-V OS", with, HV_INVALID_CALL_CODE);
	expect(result, "number 1 after", poll_irq(), 0);
}
ABI_CLAUSE(hyperv_replaces, "ABI-NR-11", "abi.nr.hyperv_replaces_kvm", ABI_KVM,
	   .conditions = ABI_SIGNATURE);

/* ABI-HV-01: the hypercall page needs a guest OS ID: without one the MSR stays disabled, and taking
 * the ID back disables it. */
static void page_needs_a_name(struct test_result *result)
{
	struct abi_result without, with, after;

	if (!begin(result))
		return;
	with = abi_rdmsr(MSR_HV_HYPERCALL);
	hyperv_end();
	after = abi_rdmsr(MSR_HV_HYPERCALL);
	abi_wrmsr(MSR_HV_HYPERCALL, with.value);
	without = abi_rdmsr(MSR_HV_HYPERCALL);
	if (!(with.value & HV_PAGE_ENABLED))
		test_fail(result, "enabled under an ID, the MSR reads %#lx", with.value);
	if (after.value & HV_PAGE_ENABLED)
		test_fail(result, "after the ID was taken back it reads %#lx", after.value);
	if (without.value & HV_PAGE_ENABLED)
		test_fail(result, "enabled without an ID it reads %#lx", without.value);
}
ABI_CLAUSE(page_needs_a_name, "ABI-HV-01", "abi.hv.page_needs_an_id", ABI_MUST);

/* ABI-HV-02: HvCallNotifyLongSpinWait has no error. (Where CPUID recommends never to call it,
 * hv-enforce-cpuid=on refuses it: the status is printed.) */
static void long_spin(struct test_result *result)
{
	static const uint64_t polls[] = {0, 1, 0x1fff, UINT32_MAX};
	bool never = hyperv_long_spin_polls() == HV_LONG_SPIN_NEVER;

	if (!begin(result))
		return;
	for (size_t i = 0; i < sizeof(polls) / sizeof(polls[0]); i++) {
		uint64_t status = hyperv_call(HV_NOTIFY_LONG_SPIN_WAIT | HV_FAST, polls[i]);

		if (never)
			test_info(result, "not recommended; status %lu", status);
		else
			expect(result, "HvCallNotifyLongSpinWait", status, HV_SUCCESS);
	}
	hyperv_end();
}
ABI_CLAUSE(long_spin, "ABI-HV-02", "abi.hv.long_spin_succeeds", ABI_MUST);

/* ABI-HV-03: it is a simple call, so a control word with a repeat count is invalid; an unknown call
 * code has a status of its own. */
static void wrong_control_words(struct test_result *result)
{
	if (!begin(result))
		return;
	expect(result, "HvCallNotifyLongSpinWait with a count of 1",
	       hyperv_call(HV_NOTIFY_LONG_SPIN_WAIT | HV_FAST | 1ull << HV_REP_COUNT_SHIFT, 0),
	       HV_INVALID_HYPERCALL);
	expect(result, "call code 0x7fff", hyperv_call(0x7fff | HV_FAST, 0), HV_INVALID_CALL_CODE);
	hyperv_end();
}
ABI_CLAUSE(wrong_control_words, "ABI-HV-03", "abi.hv.wrong_control_words", ABI_MUST);

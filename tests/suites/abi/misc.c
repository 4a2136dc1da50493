/* SPDX-License-Identifier: MIT */
/*
 * MSRs POLL_CONTROL, 0x4b564d05, and MIGRATION_CONTROL, 0x4b564d08. Linux
 * Documentation/virt/kvm/x86/msr.rst, arch/x86/kvm/x86.c (kvm_arch_no_poll). NOP_IO_DELAY
 * (ABI-MISC-04) has no effect that a guest could see.
 */
#include "kernel/cpu.h"
#include "kernel/percpu.h"
#include "kernel/smp.h"
#include "kernel/tsc.h"
#include "tests/suites/abi/abi.h"
#include "tests/suites/abi/pv_msrs.h"

#define POLL_NEEDS .features = KVM_FEATURE_POLL_CONTROL

#define POLL_ALLOWED 1ull /* bit 0: the host may poll before it blocks this vCPU */
#define ROUNDS       50

/* ABI-MISC-01: the value at power-on is 1; 0 and 1 are accepted, any other bit is #GP. */
static void poll_values(struct test_result *result)
{
	static const uint64_t bad[] = {2, 3, 1ull << 32, 1ull << 63, UINT64_MAX};

	pv_expect(result, MSR_KVM_POLL_CONTROL, POLL_ALLOWED);
	for (uint64_t value = 0; value <= 1; value++) {
		if (pv_write(result, MSR_KVM_POLL_CONTROL, value))
			pv_expect(result, MSR_KVM_POLL_CONTROL, value);
		for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
			pv_write_faults(result, MSR_KVM_POLL_CONTROL, bad[i]);
	}
	pv_write(result, MSR_KVM_POLL_CONTROL, POLL_ALLOWED);
}
ABI_CLAUSE(poll_values, "ABI-MISC-01", "abi.misc.poll_control_is_one_bit", ABI_MUST, POLL_NEEDS);

static struct {
	struct test_result result;
	uint64_t value, woken_at;
} ap;

static void set_poll_control(void *unused)
{
	(void)unused;
	if (this_cpu()->index == 1)
		pv_write(&ap.result, MSR_KVM_POLL_CONTROL, ap.value);
}

static void note_wake(void *unused)
{
	(void)unused;
	if (this_cpu()->index == 1)
		ap.woken_at = rdtsc();
}

/* Wakes CPU 1 from its HLT ROUNDS times. Returns the shortest time that a wake-up took, in ns. */
static uint64_t wake_ns(uint64_t poll_control)
{
	uint64_t shortest = UINT64_MAX;

	ap.value = poll_control;
	smp_run_on(2, set_poll_control, NULL);
	for (int i = 0; i < ROUNDS; i++) {
		uint64_t start;

		tsc_delay_us(300); /* longer than the host polls: halt_poll_ns, 200 us */
		start = rdtsc();
		smp_run_on(2, note_wake, NULL);
		if (ap.woken_at - start < shortest)
			shortest = ap.woken_at - start;
	}
	return tsc_to_ns(shortest);
}

/* ABI-MISC-02: 0 keeps the host from polling before it blocks the vCPU. A wake-up may then take
 * longer but still comes. (Only the host's statistics tell whether it polls.) */
static void poll_and_wake(struct test_result *result)
{
	uint64_t without, with;

	ap.result = (struct test_result){.verdict = VERDICT_OK};
	without = wake_ns(0);
	with = wake_ns(POLL_ALLOWED);
	if (ap.result.verdict != VERDICT_OK)
		test_fail(result, "CPU 1: %s", ap.result.why);
	test_info(result, "%d wake-ups each; the fastest: %lu ns without polling, %lu ns with",
		  ROUNDS, without, with);
}
ABI_CLAUSE(poll_and_wake, "ABI-MISC-02", "abi.misc.wakes_with_and_without_polling", ABI_INFO,
	   POLL_NEEDS, .vcpus = 2);

/* ABI-MISC-03: MIGRATION_CONTROL is #GP, unless the VMM emulates it and its bit says so. */
static void migration_control(struct test_result *result)
{
	pv_expect_gp(result, "rdmsr", MSR_KVM_MIGRATION_CONTROL,
		     abi_rdmsr(MSR_KVM_MIGRATION_CONTROL));
	pv_expect_gp(result, "wrmsr", MSR_KVM_MIGRATION_CONTROL,
		     abi_wrmsr(MSR_KVM_MIGRATION_CONTROL, 1));
}
ABI_CLAUSE(migration_control, "ABI-MISC-03", "abi.misc.migration_control_faults", ABI_KVM,
	   .hidden = KVM_FEATURE_MIGRATION_CONTROL);

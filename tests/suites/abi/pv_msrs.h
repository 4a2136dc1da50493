/* SPDX-License-Identifier: MIT */
/*
 * KVM's MSRs that the guest itself does not use (kernel/kvm.h has the others), and accesses to them
 * that must or must not fault. Linux Documentation/virt/kvm/x86/msr.rst, cpuid.rst (feature bits).
 */
#ifndef PVSPIN_TESTS_SUITES_ABI_PV_MSRS_H
#define PVSPIN_TESTS_SUITES_ABI_PV_MSRS_H

#include "kernel/kvm.h"
#include "kernel/machine.h"
#include "kernel/traps.h"
#include "tests/suites/abi/abi.h"
#include "tests/suites/abi/call.h"

#define MSR_KVM_WALL_CLOCK        0x11u
#define MSR_KVM_SYSTEM_TIME       0x12u
#define MSR_KVM_ASYNC_PF_EN       0x4b564d02u
#define MSR_KVM_PV_EOI_EN         0x4b564d04u
#define MSR_KVM_POLL_CONTROL      0x4b564d05u
#define MSR_KVM_ASYNC_PF_INT      0x4b564d06u
#define MSR_KVM_ASYNC_PF_ACK      0x4b564d07u
#define MSR_KVM_MIGRATION_CONTROL 0x4b564d08u

/* Whether KVM refuses the MSRs of this feature, because it is hidden and that is enforced. */
static inline bool pv_gated(uint32_t feature)
{
	return abi_plan->vmm.enforce && !(machine.kvm.features & feature);
}

/* Reads; a failure if that faults. */
static inline uint64_t pv_read(struct test_result *result, uint32_t msr)
{
	struct abi_result got = abi_rdmsr(msr);

	if (got.faulted)
		test_fail(result, "rdmsr %#x faulted", msr);
	return got.faulted ? 0 : got.value;
}

/* Writes; a failure, and false, if that faults. */
static inline bool pv_write(struct test_result *result, uint32_t msr, uint64_t value)
{
	struct abi_result got = abi_wrmsr(msr, value);

	if (got.faulted)
		test_fail(result, "wrmsr %#x of %#lx faulted", msr, value);
	return !got.faulted;
}

static inline void pv_expect(struct test_result *result, uint32_t msr, uint64_t value)
{
	uint64_t now = pv_read(result, msr);

	if (now != value)
		test_fail(result, "MSR %#x is %#lx, expected %#lx", msr, now, value);
}

static inline void pv_expect_gp(struct test_result *result, const char *access, uint32_t msr,
				struct abi_result got)
{
	if (!got.faulted)
		test_fail(result, "%s %#x did not fault", access, msr);
	else if (got.vector != VECTOR_GP || got.error != 0)
		test_fail(result, "%s %#x: vector %u, error %#x; expected #GP(0)", access, msr,
			  got.vector, got.error);
}

/* Writes; fails unless that is #GP(0) and the MSR keeps its value. Restores the value in any case.
 */
static inline void pv_write_faults(struct test_result *result, uint32_t msr, uint64_t value)
{
	uint64_t before = pv_read(result, msr);
	struct abi_result got = abi_wrmsr(msr, value);

	if (!got.faulted) {
		test_fail(result, "wrmsr %#x of %#lx did not fault", msr, value);
		abi_wrmsr(msr, before);
		return;
	}
	pv_expect_gp(result, "wrmsr", msr, got);
	pv_expect(result, msr, before);
	if (result->verdict != VERDICT_OK)
		abi_wrmsr(msr, before);
}

#endif

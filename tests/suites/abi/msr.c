/* SPDX-License-Identifier: MIT */
/*
 * KVM's MSRs in general: which exist, their values, whether they are per vCPU, and what hides and
 * resets them. Linux Documentation/virt/kvm/x86/msr.rst; arch/x86/kvm/x86.c (kvm_set_msr_common,
 * kvm_get_msr_common, guest_pv_has, kvm_vcpu_reset).
 */
#include "kernel/machine.h"
#include "kernel/smp.h"
#include "lib/steal.h"
#include "tests/suites/abi/abi.h"
#include "tests/suites/abi/call.h"
#include "tests/suites/abi/pv_msrs.h"
#include "tests/suites/abi/scene.h"

#define MSR_RANGE_FIRST  0x4b564d00u
#define MSR_RANGE_LAST   0x4b564d07u
#define MSR_RANGE_END    0x4b564dffu /* reserved for KVM: msr.rst */
#define POLL_ALLOWED     1ull        /* POLL_CONTROL's value at power-on */
#define INTERRUPT_VECTOR 0xf3ull

/* The trial values point here. KVM writes here while they are set. */
static struct kvm_system_time system_time;
static struct kvm_wall_clock wall_clock __attribute__((aligned(64)));
static struct steal_area steal;
static uint64_t eoi_word __attribute__((aligned(64)));
static uint8_t async_pf[64] __attribute__((aligned(64)));

enum scope { PER_VM, PER_VCPU, NO_STATE };

/*
 * An old name comes before the new one of the same register, because the name written last on CPU 0
 * decides whether the VM has a master clock (kvm_write_system_time). `trial` is an accepted and
 * harmless value: it does not enable delivery of async page faults (bit 3).
 */
static const struct pv_msr {
	uint64_t trial;
	uint32_t msr, feature;
	enum scope scope;
	bool init_keeps; /* INIT does not clear it */
} msrs[] = {
	{(uint64_t)&wall_clock, MSR_KVM_WALL_CLOCK, KVM_FEATURE_CLOCKSOURCE, PER_VM, true},
	{(uint64_t)&wall_clock, MSR_KVM_WALL_CLOCK_NEW, KVM_FEATURE_CLOCKSOURCE2, PER_VM, true},
	{(uint64_t)&system_time + MSR_KVM_ENABLE, MSR_KVM_SYSTEM_TIME, KVM_FEATURE_CLOCKSOURCE,
	 PER_VCPU, false},
	{(uint64_t)&system_time + MSR_KVM_ENABLE, MSR_KVM_SYSTEM_TIME_NEW, KVM_FEATURE_CLOCKSOURCE2,
	 PER_VCPU, false},
	{(uint64_t)&async_pf + MSR_KVM_ENABLE, MSR_KVM_ASYNC_PF_EN, KVM_FEATURE_ASYNC_PF, PER_VCPU,
	 false},
	{(uint64_t)&steal + MSR_KVM_ENABLE, MSR_KVM_STEAL_TIME, KVM_FEATURE_STEAL_TIME, PER_VCPU,
	 false},
	{(uint64_t)&eoi_word + MSR_KVM_ENABLE, MSR_KVM_PV_EOI_EN, KVM_FEATURE_PV_EOI, PER_VCPU,
	 false},
	{0, MSR_KVM_POLL_CONTROL, KVM_FEATURE_POLL_CONTROL, PER_VCPU, true},
	{INTERRUPT_VECTOR, MSR_KVM_ASYNC_PF_INT, KVM_FEATURE_ASYNC_PF_INT, PER_VCPU, false},
	{0, MSR_KVM_ASYNC_PF_ACK, KVM_FEATURE_ASYNC_PF_INT, NO_STATE, true},
};

#define MSRS (sizeof(msrs) / sizeof(msrs[0]))

/* A round trip on CPU 0 by the old name would end the master clock. tests/suites/abi/clock.c tests
 * that both names belong to one register. */
static bool is_old_name(uint32_t msr)
{
	return msr == MSR_KVM_WALL_CLOCK || msr == MSR_KVM_SYSTEM_TIME;
}

/* Without a local APIC in KVM, MSRs of async page faults accept only 0 (ABI-APF-06). */
static bool needs_irqchip(uint32_t msr)
{
	return msr == MSR_KVM_ASYNC_PF_EN || msr == MSR_KVM_ASYNC_PF_INT;
}

static bool writable(const struct pv_msr *m)
{
	return !pv_gated(m->feature) &&
	       !(needs_irqchip(m->msr) && abi_plan->vmm.irqchip == IRQCHIP_OFF);
}

static bool has_state(const struct pv_msr *m)
{
	return writable(m) && m->scope != NO_STATE && !is_old_name(m->msr);
}

static void faults_both_ways(struct test_result *result, uint32_t msr)
{
	struct abi_result now = abi_rdmsr(msr);

	pv_expect_gp(result, "rdmsr", msr, now);
	pv_expect_gp(result, "wrmsr", msr, abi_wrmsr(msr, now.faulted ? 0 : now.value));
}

/* Fails unless the MSR can be read and the value written back. */
static void exists(struct test_result *result, const struct pv_msr *m)
{
	uint64_t value = pv_read(result, m->msr);

	if (writable(m))
		pv_write(result, m->msr, value);
}

/* ABI-MSR-01: 0x4b564d00..07 exist. Reading or writing the rest of KVM's range, or its neighbours,
 * is #GP(0). */
static void which_exist(struct test_result *result)
{
	for (size_t i = 0; i < MSRS; i++)
		if (msrs[i].msr >= MSR_RANGE_FIRST && !pv_gated(msrs[i].feature))
			exists(result, &msrs[i]);
	for (uint32_t msr = MSR_RANGE_LAST + 1; msr <= MSR_RANGE_END; msr++)
		if (msr != MSR_KVM_MIGRATION_CONTROL ||
		    !(machine.kvm.features & KVM_FEATURE_MIGRATION_CONTROL))
			faults_both_ways(result, msr);
	faults_both_ways(result, MSR_RANGE_FIRST - 1);
	faults_both_ways(result, MSR_RANGE_END + 1);
}
ABI_CLAUSE(which_exist, "ABI-MSR-01", "abi.msr.unknown_ones_fault", ABI_KVM);

/* ABI-MSR-02: power-on values are 0, except POLL_CONTROL's 1 (kvm_arch_vcpu_postcreate). MSRs that
 * the guest has set itself are left out. The value that the firmware left in SYSTEM_TIME is
 * printed. */
static void values_of_this_cpu(struct test_result *result)
{
	for (size_t i = 0; i < MSRS; i++) {
		uint32_t msr = msrs[i].msr;

		if (pv_gated(msrs[i].feature) || msrs[i].scope == PER_VM ||
		    msr == MSR_KVM_STEAL_TIME)
			continue;
		if (this_cpu()->index == 0 &&
		    (msr == MSR_KVM_SYSTEM_TIME || msr == MSR_KVM_SYSTEM_TIME_NEW))
			continue;
		pv_expect(result, msr, msr == MSR_KVM_POLL_CONTROL ? POLL_ALLOWED : 0);
	}
}

static struct test_result ap_result;

static void values_of_cpus_0_1(void *result)
{
	values_of_this_cpu(this_cpu()->index == 0 ? result : &ap_result);
}

static void report_ap(struct test_result *result)
{
	if (ap_result.verdict != VERDICT_OK)
		test_fail(result, "CPU 1: %s", ap_result.why);
}

static void power_on_values(struct test_result *result)
{
	ap_result = (struct test_result){.verdict = VERDICT_OK};
	smp_run_on(machine.online < 2 ? 1 : 2, values_of_cpus_0_1, result);
	report_ap(result);
	test_info(result, "the firmware left SYSTEM_TIME %#lx on the boot CPU", kvm_clock_found());
}
ABI_CLAUSE(power_on_values, "ABI-MSR-02", "abi.msr.power_on_values", ABI_KVM);

/* ABI-MSR-03: with the feature's bit hidden and enforced, read and write are #GP. */
static void hidden_faults(struct test_result *result)
{
	uint32_t gated = 0;

	for (size_t i = 0; i < MSRS; i++) {
		if (!pv_gated(msrs[i].feature))
			continue;
		gated++;
		faults_both_ways(result, msrs[i].msr);
	}
	if (gated == 0)
		test_skip(result, "no feature that has an MSR is hidden");
	else
		test_info(result, "%u MSRs", gated);
}
ABI_CLAUSE(hidden_faults, "ABI-MSR-03", "abi.msr.hidden_and_enforced_faults", ABI_KVM,
	   .conditions = ABI_ENFORCE);

/* ABI-MSR-04: with the bit hidden but not enforced, the MSR still works. */
static void hidden_works(struct test_result *result)
{
	uint32_t hidden = 0;

	for (size_t i = 0; i < MSRS; i++) {
		if (machine.kvm.features & msrs[i].feature)
			continue;
		hidden++;
		exists(result, &msrs[i]);
	}
	if (hidden == 0)
		test_skip(result, "no feature that has an MSR is hidden");
	else
		test_info(result, "%u MSRs", hidden);
}
ABI_CLAUSE(hidden_works, "ABI-MSR-04", "abi.msr.hidden_not_enforced_works", ABI_KVM,
	   .conditions = ABI_NO_ENFORCE);

/* For work on CPUs 0 and 1. `saved` has CPU 1's values. */
static uint64_t saved[MSRS], after_init[MSRS], seen_by_0[MSRS];

static void set_trials(struct test_result *result)
{
	for (size_t i = 0; i < MSRS; i++) {
		if (!has_state(&msrs[i]))
			continue;
		saved[i] = pv_read(result, msrs[i].msr);
		if (pv_write(result, msrs[i].msr, msrs[i].trial))
			pv_expect(result, msrs[i].msr, msrs[i].trial);
	}
}

static void restore(struct test_result *result)
{
	for (size_t i = 0; i < MSRS; i++)
		if (has_state(&msrs[i]))
			pv_write(result, msrs[i].msr, saved[i]);
}

static void ap_sets_trials(void *unused)
{
	(void)unused;
	if (this_cpu()->index == 1)
		set_trials(&ap_result);
}

static void ap_restores(void *unused)
{
	(void)unused;
	if (this_cpu()->index == 1)
		restore(&ap_result);
}

static void read_after_init(struct cpu *cpu)
{
	(void)cpu;
	for (size_t i = 0; i < MSRS; i++)
		if (has_state(&msrs[i]))
			after_init[i] = pv_read(&ap_result, msrs[i].msr);
}

/* ABI-MSR-05: INIT clears the vCPU's MSRs (kvm_vcpu_reset, kvm_lapic_reset), except POLL_CONTROL.
 */
static void init_clears(struct test_result *result)
{
	bool back;

	ap_result = (struct test_result){.verdict = VERDICT_OK};
	smp_run_on(2, ap_sets_trials, NULL);
	smp_on_start = read_after_init;
	back = scene_rejoin_target(result);
	smp_on_start = NULL;
	if (!back)
		return;
	for (size_t i = 0; i < MSRS; i++) {
		uint64_t expected = msrs[i].init_keeps ? msrs[i].trial : 0;

		if (has_state(&msrs[i]) && after_init[i] != expected)
			test_fail(result, "MSR %#x is %#lx after INIT, was %#lx; expected %#lx",
				  msrs[i].msr, after_init[i], msrs[i].trial, expected);
	}
	smp_run_on(2, ap_restores, NULL);
	report_ap(result);
}
ABI_CLAUSE(init_clears, "ABI-MSR-05", "abi.msr.init_clears", ABI_KVM, .conditions = ABI_IRQCHIP,
	   .vcpus = 2);

/* ABI-MSR-06: a read returns the value last accepted by a write. */
static void round_trip(struct test_result *result)
{
	set_trials(result);
	restore(result);
	for (size_t i = 0; i < MSRS; i++)
		if (has_state(&msrs[i]))
			pv_expect(result, msrs[i].msr, saved[i]);
}
ABI_CLAUSE(round_trip, "ABI-MSR-06", "abi.msr.reads_what_was_written", ABI_KVM);

/* ABI-MSR-07: each vCPU has its own MSRs, except the wall clock's, which belongs to the VM. */
static void per_vcpu(struct test_result *result)
{
	ap_result = (struct test_result){.verdict = VERDICT_OK};
	for (size_t i = 0; i < MSRS; i++)
		if (has_state(&msrs[i]))
			seen_by_0[i] = pv_read(result, msrs[i].msr);
	smp_run_on(2, ap_sets_trials, NULL);
	for (size_t i = 0; i < MSRS; i++)
		if (has_state(&msrs[i]))
			pv_expect(result, msrs[i].msr,
				  msrs[i].scope == PER_VM ? msrs[i].trial : seen_by_0[i]);
	smp_run_on(2, ap_restores, NULL);
	report_ap(result);
}
ABI_CLAUSE(per_vcpu, "ABI-MSR-07", "abi.msr.per_vcpu_but_the_wall_clock", ABI_KVM, .vcpus = 2);

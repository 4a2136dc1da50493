/* SPDX-License-Identifier: MIT */
/*
 * kvmclock as a clock: it does not go back, neither on one vCPU nor from one to another, and its
 * rate is the TSC's. Linux Documentation/virt/kvm/x86/msr.rst (MSR_KVM_SYSTEM_TIME_NEW),
 * arch/x86/kvm/x86.c (kvm_get_time_scale).
 */
#include "kernel/apic.h"
#include "kernel/cpu.h"
#include "kernel/kvm.h"
#include "kernel/machine.h"
#include "kernel/percpu.h"
#include "kernel/smp.h"
#include "kernel/tsc.h"
#include "lib/string.h"
#include "tests/suites/abi/abi.h"
#include "tests/suites/abi/pv_msrs.h"

#define CLOCK_NEEDS .features = KVM_FEATURE_CLOCKSOURCE2

#define TSC_STABLE 1u /* one of the area's flags: PVCLOCK_TSC_STABLE_BIT */
#define CPUS       2
#define WARP_NS    300000000ull

/* All vCPUs read the clock in no fixed order: none may read less than any vCPU has read before. */
static struct {
	_Atomic uint64_t latest;
	struct {
		struct kvm_system_time area;
		uint64_t reads, back, across, worst;
		uint8_t flags;
		bool faulted;
	} cpu[CPUS];
} warp;

static void raise_latest(uint64_t now)
{
	uint64_t latest = atomic_load(&warp.latest);

	while (latest < now && !atomic_compare_exchange_weak(&warp.latest, &latest, now))
		;
}

static void read_for_a_while(uint32_t self)
{
	struct kvm_system_time *area = &warp.cpu[self].area;
	uint64_t own = 0, start = rdtsc();

	while (tsc_to_ns(rdtsc() - start) < WARP_NS) {
		uint64_t latest = atomic_load(&warp.latest), now = kvm_clock_read(area);

		warp.cpu[self].reads++;
		warp.cpu[self].back += now < own;
		warp.cpu[self].across += now < latest;
		if (now < latest && latest - now > warp.cpu[self].worst)
			warp.cpu[self].worst = latest - now;
		own = now;
		raise_latest(now);
	}
}

static void read_on_each(void *unused)
{
	uint32_t self = this_cpu()->index;
	struct kvm_system_time *area = &warp.cpu[self].area;
	uint64_t guests = rdmsr(MSR_KVM_SYSTEM_TIME_NEW);

	(void)unused;
	if (abi_wrmsr(MSR_KVM_SYSTEM_TIME_NEW, (uint64_t)area | MSR_KVM_ENABLE).faulted)
		warp.cpu[self].faulted = true;
	else
		read_for_a_while(self);
	warp.cpu[self].flags = atomic_load(&area->flags);
	wrmsr(MSR_KVM_SYSTEM_TIME_NEW, guests);
}

/* ABI-CLK-08: monotonic on each vCPU and, where the stable flag is set, across them. */
static void monotonic(struct test_result *result)
{
	uint32_t cpus = machine.online < CPUS ? machine.online : CPUS;
	bool stable = true;

	memset(&warp, 0, sizeof(warp));
	smp_run_on(cpus, read_on_each, NULL);
	for (uint32_t i = 0; i < cpus; i++)
		stable = stable && (warp.cpu[i].flags & TSC_STABLE);
	for (uint32_t i = 0; i < cpus; i++) {
		if (warp.cpu[i].faulted || warp.cpu[i].reads == 0)
			test_fail(result, "CPU %u: wrmsr faulted, or no reads", i);
		if (warp.cpu[i].back != 0)
			test_fail(result, "CPU %u: went back %lu times in %lu reads", i,
				  warp.cpu[i].back, warp.cpu[i].reads);
		if (warp.cpu[i].across != 0 && stable)
			test_fail(result, "CPU %u: %lu times behind the other, by up to %lu ns", i,
				  warp.cpu[i].across, warp.cpu[i].worst);
		test_info(result, "CPU %u: %lu reads, behind the other in %lu, flags %#x", i,
			  warp.cpu[i].reads, warp.cpu[i].across, warp.cpu[i].flags);
	}
}
ABI_CLAUSE(monotonic, "ABI-CLK-08", "abi.clk.does_not_go_back", ABI_KVM, CLOCK_NEEDS);

/*
 * The local APIC's timer counts ns (KVM: APIC_BUS_CYCLE_NS, 1 GHz with a divider of 1) of the
 * host's clock, so it can measure the TSC's rate. Of several tries, the one that reads both closest
 * together counts; the error is that distance, relative to RATE_NS.
 */
#define DIVIDE_BY_1 0xb         /* SDM vol. 3A, figure 11-10 */
#define LVT_MASKED  (1u << 16)  /* ... figure 11-8 */
#define COUNT       0xffffffffu /* 4.3 s */
#define RATE_NS     100000000ull
#define BOUND_NS    10000000000ull
#define TRIES       20
#define PERCENT_OFF 1

struct pair {
	uint64_t tsc, count;
};

static struct pair read_both(void)
{
	struct pair best = {0, 0};
	uint64_t shortest = UINT64_MAX;

	for (int i = 0; i < TRIES; i++) {
		uint64_t before = rdtsc(), count = apic->read(APIC_TIMER_CURRENT), after = rdtsc();

		if (after - before < shortest) {
			shortest = after - before;
			best = (struct pair){before + shortest / 2, count};
		}
	}
	return best;
}

/* Measures the TSC in kHz by the APIC's timer and restores the timer. */
static uint64_t tsc_khz_by_apic(void)
{
	uint32_t divide = apic->read(APIC_TIMER_DIVIDE), lvt = apic->read(APIC_LVT_TIMER);
	struct pair first, second;

	apic->write(APIC_LVT_TIMER, LVT_MASKED | lvt);
	apic->write(APIC_TIMER_DIVIDE, DIVIDE_BY_1);
	apic->write(APIC_TIMER_INITIAL, COUNT);
	first = read_both();
	do
		second = read_both();
	while (second.count != 0 && first.count - second.count < RATE_NS &&
	       tsc_to_ns(second.tsc - first.tsc) < BOUND_NS);
	apic->write(APIC_TIMER_INITIAL, 0);
	apic->write(APIC_TIMER_DIVIDE, divide);
	apic->write(APIC_LVT_TIMER, lvt);
	if (second.count == 0 || second.count == first.count)
		return 0;
	return (second.tsc - first.tsc) * 1000000 / (first.count - second.count);
}

static bool far(uint64_t a, uint64_t b)
{
	return (a > b ? a - b : b - a) > b * PERCENT_OFF / 100;
}

/* ABI-CLK-09: multiplier and shift express the TSC's rate, both as CPUID tells it and as measured.
 */
static void rate(struct test_result *result)
{
	uint32_t clock = kvm_clock_tsc_khz(), leaf = kvm_cpuid_tsc_khz(&machine.kvm);
	uint64_t measured = tsc_khz_by_apic();

	test_info(result, "kHz: %u by kvmclock, %lu measured, %u by CPUID", clock, measured, leaf);
	if (measured == 0)
		test_error(result, "the APIC's timer ran out, or does not count");
	else if (far(clock, measured))
		test_fail(result, "%u kHz by kvmclock, %lu measured", clock, measured);
	if (leaf != 0 && far(clock, leaf))
		test_fail(result, "%u kHz by kvmclock, %u by CPUID", clock, leaf);
}
ABI_CLAUSE(rate, "ABI-CLK-09", "abi.clk.rate_is_the_tscs", ABI_KVM, CLOCK_NEEDS);

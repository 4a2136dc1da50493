/* SPDX-License-Identifier: MIT */
/*
 * Checks that the CPUs' TSCs are one clock. All CPUs at once read the latest time that any of them
 * has published, then their own TSC; if it is lower, time has gone back by the difference. No CPU
 * waits for another, so a vCPU off its CPU costs no time, only accuracy.
 */
#include "kernel/cpu.h"
#include "kernel/fixup.h"
#include "kernel/kvm.h"
#include "kernel/percpu.h"
#include "kernel/smp.h"
#include "kernel/tsc.h"
#include <stdatomic.h>

#define ROUNDS 500

#define CPUID_EXTENDED_MAX 0x80000000
#define CPUID_POWER        0x80000007 /* EDX bit 8: invariant TSC (SDM vol. 3B, 18.17.1) */
#define CPUID_POWER_TSC    (1u << 8)
#define CPUID_FEATURES     7
#define CPUID_7_EBX_ADJUST (1u << 1)
#define MSR_TSC_ADJUST     0x3b /* SDM vol. 3B, 18.17.3 */

static _Atomic uint64_t latest, warp;
static _Atomic bool differs;
static bool has_adjust;
static uint64_t boot_adjust;

static void raise_to(_Atomic uint64_t *most, uint64_t value)
{
	uint64_t seen = atomic_load_explicit(most, memory_order_relaxed);

	while (seen < value &&
	       !atomic_compare_exchange_weak_explicit(most, &seen, value, memory_order_acq_rel,
						      memory_order_relaxed))
		;
}

static void check(void *unused)
{
	uint64_t adjust;

	(void)unused;
	for (int i = 0; i < ROUNDS; i++) {
		/* acquire: pairs with the release in raise_to() */
		uint64_t before = atomic_load_explicit(&latest, memory_order_acquire);
		uint64_t now = rdtsc_ordered();

		if (now < before)
			raise_to(&warp, before - now);
		raise_to(&latest, now);
	}
	if (has_adjust && rdmsr_safe(MSR_TSC_ADJUST, &adjust) && adjust != boot_adjust)
		atomic_store_explicit(&differs, true, memory_order_relaxed);
}

static bool invariant(void)
{
	return cpuid(CPUID_EXTENDED_MAX, 0).eax >= CPUID_POWER &&
	       (cpuid(CPUID_POWER, 0).edx & CPUID_POWER_TSC);
}

void tsc_check(struct machine *m)
{
	m->tsc_invariant = invariant();
	m->kvmclock_stable = kvm_clock_stable(&m->kvm);
	has_adjust = cpuid(0, 0).eax >= CPUID_FEATURES &&
		     (cpuid(CPUID_FEATURES, 0).ebx & CPUID_7_EBX_ADJUST) &&
		     rdmsr_safe(MSR_TSC_ADJUST, &boot_adjust);
	smp_run_on(m->online, check, NULL);
	m->tsc_warp_cycles = atomic_load_explicit(&warp, memory_order_relaxed);
	m->tsc_adjust = !has_adjust ? "none" : differs ? "differs" : "equal";
}

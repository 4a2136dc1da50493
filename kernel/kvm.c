/* SPDX-License-Identifier: MIT */
/* KVM's kvmclock and steal time. (lib/kvm_info.c reads its CPUID leaves.) Linux
 * Documentation/virt/kvm/x86/{cpuid,msr}.rst */
#include "kernel/kvm.h"

#include "kernel/cpu.h"
#include "kernel/fixup.h"
#include "kernel/hypercall.h"
#include "kernel/paging.h"
#include "kernel/percpu.h"
#include <stdatomic.h>

bool hypercall_is_vmmcall;

#define TIMING_LEAF 0x10u /* base + 0x10: EAX = TSC kHz (VMware's, and QEMU's) */

static struct kvm_wall_clock wall_clock __attribute__((aligned(32)));
static struct kvm_system_time system_time;
static uint64_t boot_wall_ns; /* host time at which system_time was 0, by its present clock */
static uint64_t found;        /* kvm_clock_found() */
static _Atomic uint32_t refused;

uint32_t kvm_cpuid_tsc_khz(const struct kvm_info *kvm)
{
	if (!kvm->present || kvm->max_leaf < kvm->base + TIMING_LEAF)
		return 0;
	return cpuid(kvm->base + TIMING_LEAF, 0).eax;
}

/* True if the instruction of hypercall_is_vmmcall does not fault. */
static bool hypercall_works(void)
{
	uint64_t rax = KVM_HC_VAPIC_POLL_IRQ;

	if (hypercall_is_vmmcall)
		__asm__ volatile("1: vmmcall\n\t"
				 "2:\n\t" FIXUP_1_TO_2
				 : "+a"(rax)
				 :
				 : "memory");
	else
		__asm__ volatile("1: vmcall\n\t"
				 "2:\n\t" FIXUP_1_TO_2
				 : "+a"(rax)
				 :
				 : "memory");
	/* an error that a hypervisor returns has all upper bits set: kernel/fixup.h */
	if (rax >> 40 == FIXUP_FAULTED >> 40)
		return false;
	this_cpu()->hypercalls++;
	return true;
}

void kvm_probe_hypercall(struct kvm_info *kvm)
{
	hypercall_is_vmmcall = kvm->amd;
	if (kvm->present && !hypercall_works()) {
		hypercall_is_vmmcall = !kvm->amd;
		if (!hypercall_works())
			hypercall_is_vmmcall = kvm->amd; /* neither works */
	}
	kvm->native_vmmcall = hypercall_is_vmmcall;
}

/* If the version never settles, the hypervisor is broken; that must not hang the guest, which has
 * to report it. A writer is done after about a hundred instructions. */
#define SETTLE_TRIES 100000

/* In ns since the epoch; 0: not available. */
static uint64_t read_wall_clock(void)
{
	uint32_t version, sec, nsec, tries = 0;

	do {
		if (tries++ == SETTLE_TRIES)
			return 0;
		version = atomic_load_explicit(&wall_clock.version, memory_order_acquire);
		sec = atomic_load_explicit(&wall_clock.sec, memory_order_relaxed);
		nsec = atomic_load_explicit(&wall_clock.nsec, memory_order_relaxed);
		atomic_thread_fence(memory_order_acquire);
	} while ((version & 1) ||
		 version != atomic_load_explicit(&wall_clock.version, memory_order_relaxed));
	return sec * 1000000000ull + nsec;
}

/* Writes an offered feature's MSR. A hypervisor that offers a feature and refuses its MSR is
 * broken, but the guest must survive to report that, so it goes on without the feature. */
static bool set_up(uint32_t feature, uint32_t msr, uint64_t value)
{
	if (wrmsr_safe(msr, value))
		return true;
	atomic_fetch_or_explicit(&refused, feature, memory_order_relaxed);
	return false;
}

uint32_t kvm_refused(void)
{
	return atomic_load_explicit(&refused, memory_order_relaxed);
}

static void ask_wall_clock(void)
{
	if (set_up(KVM_FEATURE_CLOCKSOURCE2, MSR_KVM_WALL_CLOCK_NEW, (uint64_t)&wall_clock))
		boot_wall_ns = read_wall_clock();
}

bool kvm_clock_init(const struct kvm_info *kvm)
{
	if (!kvm->present || !(kvm->features & KVM_FEATURE_CLOCKSOURCE2))
		return false;
	if (boot_wall_ns == 0)
		rdmsr_safe(MSR_KVM_SYSTEM_TIME_NEW, &found);
	if (!set_up(KVM_FEATURE_CLOCKSOURCE2, MSR_KVM_SYSTEM_TIME_NEW,
		    (uint64_t)&system_time | MSR_KVM_ENABLE))
		return false;
	ask_wall_clock();
	return kvm_clock_tsc_khz() != 0;
}

void kvm_clock_sync_wall(void)
{
	if (boot_wall_ns != 0)
		ask_wall_clock();
}

uint64_t kvm_clock_found(void)
{
	return found;
}

/* ns = (tsc << shift) * mul >> 32, so kHz = 10^6 * 2^32 / mul, shifted back (msr.rst). */
uint32_t kvm_clock_tsc_khz(void)
{
	uint32_t mul = atomic_load_explicit(&system_time.tsc_to_system_mul, memory_order_relaxed);
	int shift = atomic_load_explicit(&system_time.tsc_shift, memory_order_relaxed);
	uint64_t khz;

	if (mul == 0)
		return 0;
	khz = (1000000ull << 32) / mul;
	return (uint32_t)(shift < 0 ? khz << -shift : khz >> shift);
}

bool kvm_clock_stable(const struct kvm_info *kvm)
{
	return (kvm->features & KVM_FEATURE_CLOCKSOURCE_STABLE) &&
	       (atomic_load_explicit(&system_time.flags, memory_order_relaxed) &
		KVM_CLOCK_TSC_STABLE);
}

uint64_t kvm_clock_read(struct kvm_system_time *area)
{
	uint32_t version, mul, tries = 0;
	uint64_t stamp, base, delta;
	int shift;

	do {
		if (tries++ == SETTLE_TRIES)
			return 0;
		version = atomic_load_explicit(&area->version, memory_order_acquire);
		stamp = atomic_load_explicit(&area->tsc_timestamp, memory_order_relaxed);
		base = atomic_load_explicit(&area->system_time, memory_order_relaxed);
		mul = atomic_load_explicit(&area->tsc_to_system_mul, memory_order_relaxed);
		shift = atomic_load_explicit(&area->tsc_shift, memory_order_relaxed);
		delta = rdtsc_ordered() - stamp;
		atomic_thread_fence(memory_order_acquire);
	} while ((version & 1) ||
		 version != atomic_load_explicit(&area->version, memory_order_relaxed));
	delta = shift < 0 ? delta >> -shift : delta << shift;
	return base + (uint64_t)((unsigned __int128)delta * mul >> 32);
}

uint64_t kvm_clock_wall_ns(void)
{
	uint64_t since_boot = kvm_clock_read(&system_time);

	return boot_wall_ns == 0 || since_boot == 0 ? 0 : boot_wall_ns + since_boot;
}

bool kvm_steal_time_enable(const void *area)
{
	return set_up(KVM_FEATURE_STEAL_TIME, MSR_KVM_STEAL_TIME,
		      paging_physical(area) | MSR_KVM_ENABLE);
}

int64_t hypercall(uint64_t number, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3)
{
	this_cpu()->hypercalls++;
	return hypercall_raw(number, a0, a1, a2, a3);
}

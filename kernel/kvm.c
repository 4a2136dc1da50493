/* SPDX-License-Identifier: MIT */
/* CPUID leaves, kvmclock and steal time of KVM. Linux Documentation/virt/kvm/x86/{cpuid,msr}.rst */
#include "kernel/kvm.h"

#include "kernel/cpu.h"
#include "kernel/percpu.h"
#include "pvspin/hypercall.h"
#include "pvspin/string.h"
#include <stdatomic.h>

#define CPUID_1_ECX_HYPERVISOR (1u << 31)
#define HYPERVISOR_BASE_FIRST  0x40000000u
#define HYPERVISOR_BASE_LAST   0x4000ff00u
#define HYPERVISOR_BASE_STEP   0x100u
#define TIMING_LEAF            0x10u /* base + 0x10: EAX = TSC kHz (VMware's, and QEMU's) */

#define MSR_KVM_WALL_CLOCK_NEW  0x4b564d00
#define MSR_KVM_SYSTEM_TIME_NEW 0x4b564d01
#define MSR_KVM_STEAL_TIME      0x4b564d03
#define MSR_ENABLE              1u

struct wall_clock {
	_Atomic uint32_t version; /* odd while being written */
	_Atomic uint32_t sec, nsec;
};

struct system_time {
	_Atomic uint32_t version;
	uint32_t pad0;
	_Atomic uint64_t tsc_timestamp;
	_Atomic uint64_t system_time; /* ns at tsc_timestamp */
	_Atomic uint32_t tsc_to_system_mul;
	_Atomic int8_t tsc_shift;
	_Atomic uint8_t flags;
	uint8_t pad[2];
} __attribute__((aligned(32)));

bool hypercall_is_vmmcall;

static struct wall_clock wall_clock __attribute__((aligned(32)));
static struct system_time system_time;
static uint64_t boot_wall_ns; /* host time at which the VM's system_time was 0 */

static void signature(char text[13], uint32_t a, uint32_t b, uint32_t c)
{
	memcpy(text, &a, 4);
	memcpy(text + 4, &b, 4);
	memcpy(text + 8, &c, 4);
	text[12] = '\0';
}

static void detect_cpu(struct kvm_info *kvm)
{
	struct cpuid r = cpuid(0, 0);
	uint32_t brand[12] = {0};

	signature(kvm->vendor, r.ebx, r.edx, r.ecx);
	/* Hygon's are AMD's design: VMMCALL. */
	kvm->amd = strcmp(kvm->vendor, "AuthenticAMD") == 0 ||
		   strcmp(kvm->vendor, "HygonGenuine") == 0;
	hypercall_is_vmmcall = kvm->amd;
	if (cpuid(0x80000000, 0).eax >= 0x80000004)
		for (uint32_t i = 0; i < 3; i++) {
			r = cpuid(0x80000002 + i, 0);
			memcpy(&brand[4 * i], &r, sizeof(r));
		}
	memcpy(kvm->model, brand, sizeof(brand));
	kvm->model[sizeof(kvm->model) - 1] = '\0';
	for (size_t n = strlen(kvm->model); n > 0 && kvm->model[n - 1] == ' '; n--)
		kvm->model[n - 1] = '\0';
}

void kvm_detect(struct kvm_info *kvm)
{
	detect_cpu(kvm);
	/* Without the hypervisor bit the range may return anything (Intel: the highest basic
	 * leaf), but a 12-byte signature is not anything. */
	for (uint32_t base = HYPERVISOR_BASE_FIRST; base <= HYPERVISOR_BASE_LAST;
	     base += HYPERVISOR_BASE_STEP) {
		struct cpuid r = cpuid(base, 0);
		char text[13];

		signature(text, r.ebx, r.ecx, r.edx);
		if (base == HYPERVISOR_BASE_FIRST && (cpuid(1, 0).ecx & CPUID_1_ECX_HYPERVISOR))
			memcpy(kvm->hypervisor, text, sizeof(text));
		if (memcmp(text, "KVMKVMKVM\0\0\0", 12) != 0)
			continue;
		kvm->present = true;
		kvm->base = base;
		/* 0 on very old hosts stands for base + 1 (cpuid.rst). */
		kvm->max_leaf = r.eax > base ? r.eax : base + 1;
		r = cpuid(base + 1, 0);
		kvm->features = r.eax;
		kvm->hints = r.edx;
		return;
	}
}

uint32_t kvm_cpuid_tsc_khz(const struct kvm_info *kvm)
{
	if (!kvm->present || kvm->max_leaf < kvm->base + TIMING_LEAF)
		return 0;
	return cpuid(kvm->base + TIMING_LEAF, 0).eax;
}

static uint64_t read_wall_clock(void)
{
	uint32_t version, sec, nsec;

	do {
		version = atomic_load_explicit(&wall_clock.version, memory_order_acquire);
		sec = atomic_load_explicit(&wall_clock.sec, memory_order_relaxed);
		nsec = atomic_load_explicit(&wall_clock.nsec, memory_order_relaxed);
		atomic_thread_fence(memory_order_acquire);
	} while ((version & 1) ||
		 version != atomic_load_explicit(&wall_clock.version, memory_order_relaxed));
	return sec * 1000000000ull + nsec;
}

bool kvm_clock_init(const struct kvm_info *kvm)
{
	if (!kvm->present || !(kvm->features & KVM_FEATURE_CLOCKSOURCE2))
		return false;
	wrmsr(MSR_KVM_SYSTEM_TIME_NEW, (uint64_t)&system_time | MSR_ENABLE);
	wrmsr(MSR_KVM_WALL_CLOCK_NEW, (uint64_t)&wall_clock);
	boot_wall_ns = read_wall_clock();
	return kvm_clock_tsc_khz() != 0;
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

uint64_t kvm_clock_wall_ns(void)
{
	uint32_t version, mul;
	uint64_t stamp, base, delta;
	int shift;

	if (boot_wall_ns == 0)
		return 0;
	do {
		version = atomic_load_explicit(&system_time.version, memory_order_acquire);
		stamp = atomic_load_explicit(&system_time.tsc_timestamp, memory_order_relaxed);
		base = atomic_load_explicit(&system_time.system_time, memory_order_relaxed);
		mul = atomic_load_explicit(&system_time.tsc_to_system_mul, memory_order_relaxed);
		shift = atomic_load_explicit(&system_time.tsc_shift, memory_order_relaxed);
		delta = rdtsc() - stamp;
		atomic_thread_fence(memory_order_acquire);
	} while ((version & 1) ||
		 version != atomic_load_explicit(&system_time.version, memory_order_relaxed));
	delta = shift < 0 ? delta >> -shift : delta << shift;
	return boot_wall_ns + base + (uint64_t)((unsigned __int128)delta * mul >> 32);
}

void kvm_steal_time_enable(const void *area)
{
	wrmsr(MSR_KVM_STEAL_TIME, (uint64_t)area | MSR_ENABLE);
}

int64_t hypercall(uint64_t number, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3)
{
	this_cpu()->hypercalls++;
	return hypercall_raw(number, a0, a1, a2, a3);
}

/* SPDX-License-Identifier: MIT */
/* KVM's paravirtual interface: hypercalls' instruction, clock and steal time. Linux
 * Documentation/virt/kvm/x86/. */
#ifndef PVSPIN_KERNEL_KVM_H
#define PVSPIN_KERNEL_KVM_H

#include "lib/kvm_info.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* MSRs and the structures that they point to (msr.rst). Bit 0 of a value enables, except for the
 * wall clock's. */
#define MSR_KVM_WALL_CLOCK_NEW  0x4b564d00u
#define MSR_KVM_SYSTEM_TIME_NEW 0x4b564d01u
#define MSR_KVM_STEAL_TIME      0x4b564d03u
#define MSR_KVM_ENABLE          1ull

#define KVM_CLOCK_TSC_STABLE (1u << 0) /* in kvm_system_time.flags */

struct kvm_wall_clock {
	_Atomic uint32_t version; /* odd while being written */
	_Atomic uint32_t sec, nsec;
};

struct kvm_system_time {
	_Atomic uint32_t version; /* odd while being written */
	uint32_t pad0;
	_Atomic uint64_t tsc_timestamp;
	_Atomic uint64_t system_time; /* ns at tsc_timestamp */
	_Atomic uint32_t tsc_to_system_mul;
	_Atomic int8_t tsc_shift;
	_Atomic uint8_t flags;
	uint8_t pad[2];
} __attribute__((aligned(32)));

_Static_assert(sizeof(struct kvm_wall_clock) == 12, "KVM writes 12 bytes");
_Static_assert(sizeof(struct kvm_system_time) == 32, "KVM writes 32 bytes");

/* Finds out which instruction makes hypercalls: that of the vendor string or, if it faults (a VMM
 * may show another vendor than the CPU's, and KVM cannot patch read-only text), the other one. Sets
 * kvm->native_vmmcall and hypercall_is_vmmcall. After traps_init(); boot CPU. */
void kvm_probe_hypercall(struct kvm_info *kvm);

/* TSC kHz from the timing leaf base + 0x10; 0 if there is none. */
uint32_t kvm_cpuid_tsc_khz(const struct kvm_info *kvm);

/* Bits of features that are offered but whose MSR was #GP on some CPU when this guest set it up. */
uint32_t kvm_refused(void);

/* Sets up kvmclock on the boot CPU; false if KVM has none or refuses it. */
bool kvm_clock_init(const struct kvm_info *kvm);
uint32_t kvm_clock_tsc_khz(void); /* after kvm_clock_init() */
/* Whether KVM says that kvmclock is the same on all vCPUs: the host's TSC is one clock. */
bool kvm_clock_stable(const struct kvm_info *kvm);
/* SYSTEM_TIME before the first kvm_clock_init(): the firmware's value. */
uint64_t kvm_clock_found(void);
/* Reads kvmclock in ns from an area that this CPU has registered and KVM has filled. Not executed
 * before earlier loads of the program. */
uint64_t kvm_clock_read(struct kvm_system_time *area);
/* Nanoseconds since 1970 on the host's clock, as it was set at the last kvm_clock_init() or
 * kvm_clock_sync_wall(); 0 without kvmclock. Boot CPU only. */
uint64_t kvm_clock_wall_ns(void);
/* kvmclock runs by the host's raw clock. The host adjusts and sets CLOCK_REALTIME meanwhile, so the
 * two drift apart, by 5 to 50 us a second where NTP corrects a crystal. KVM computes the difference
 * anew at each write of the wall clock's MSR (arch/x86/kvm/x86.c, kvm_write_wall_clock), a VM exit.
 */
void kvm_clock_sync_wall(void);

/* Registers this CPU's steal-time area (physical = virtual address); false if KVM refuses. Each
 * CPU. */
bool kvm_steal_time_enable(const void *area);

#endif

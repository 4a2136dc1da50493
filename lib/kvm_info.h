/* SPDX-License-Identifier: MIT */
/* What CPUID says of the CPU and of KVM; unprivileged, so Linux programs read it with this, too.
 * Linux Documentation/virt/kvm/x86/cpuid.rst */
#ifndef PVSPIN_LIB_KVM_INFO_H
#define PVSPIN_LIB_KVM_INFO_H

#include <stdbool.h>
#include <stdint.h>

/* Feature bits, EAX of leaf base + 1 (cpuid.rst). */
#define KVM_FEATURE_CLOCKSOURCE        (1u << 0)
#define KVM_FEATURE_CLOCKSOURCE2       (1u << 3)
#define KVM_FEATURE_ASYNC_PF           (1u << 4)
#define KVM_FEATURE_STEAL_TIME         (1u << 5)
#define KVM_FEATURE_PV_EOI             (1u << 6)
#define KVM_FEATURE_PV_UNHALT          (1u << 7)
#define KVM_FEATURE_PV_TLB_FLUSH       (1u << 9)
#define KVM_FEATURE_ASYNC_PF_VMEXIT    (1u << 10)
#define KVM_FEATURE_PV_SEND_IPI        (1u << 11)
#define KVM_FEATURE_POLL_CONTROL       (1u << 12)
#define KVM_FEATURE_PV_SCHED_YIELD     (1u << 13)
#define KVM_FEATURE_ASYNC_PF_INT       (1u << 14)
#define KVM_FEATURE_MSI_EXT_DEST_ID    (1u << 15)
#define KVM_FEATURE_HC_MAP_GPA_RANGE   (1u << 16)
#define KVM_FEATURE_MIGRATION_CONTROL  (1u << 17)
#define KVM_FEATURE_CLOCKSOURCE_STABLE (1u << 24) /* KVM_CLOCK_TSC_STABLE is meaningful */
#define KVM_HINTS_REALTIME             (1u << 0)  /* EDX of the same leaf */

/* KVM's paravirtual interface as CPUID shows it. */
struct kvm_info {
	bool hypervisor_bit; /* CPUID leaf 1, ECX bit 31 */
	char hypervisor[13]; /* signature of the first hypervisor leaf; "" on bare metal */
	bool present;        /* "KVMKVMKVM" at any base */
	uint32_t base;       /* 0x40000000, or 0x40000100... behind another interface */
	uint32_t max_leaf;
	uint32_t features;   /* base + 1, EAX */
	uint32_t hints;      /* base + 1, EDX */
	bool amd;            /* by the vendor string, so the CPU should have VMMCALL */
	bool native_vmmcall; /* VMMCALL works, not VMCALL: kvm_probe_hypercall */
	char vendor[13];
	char model[49];
};

/* Looks for KVM's signature at every hypervisor base 0x40000000, 0x40000100 .. 0x4000ff00. */
void kvm_detect(struct kvm_info *kvm);

#endif

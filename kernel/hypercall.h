/* SPDX-License-Identifier: MIT */
/*
 * KVM hypercalls from a 64-bit guest. Linux Documentation/virt/kvm/x86/hypercalls.rst and
 * include/uapi/linux/kvm_para.h.
 *
 * rax = number, rbx, rcx, rdx, rsi = arguments; the result comes in rax, errors negative (-1000
 * for an unknown number); no other register changes. CPL 0 only (-1 otherwise). The instruction is
 * the CPU vendor's own: VMCALL on Intel, VMMCALL on AMD. The other one would be patched by KVM on
 * first use, a write to code, which this guest's page tables forbid.
 */
#ifndef PVSPIN_KERNEL_HYPERCALL_H
#define PVSPIN_KERNEL_HYPERCALL_H

#include <stdbool.h>
#include <stdint.h>

#define KVM_HC_VAPIC_POLL_IRQ 1  /* does nothing, returns 0 */
#define KVM_HC_KICK_CPU       5  /* (flags = 0, apic_id) */
#define KVM_HC_CLOCK_PAIRING  9  /* (address, type) */
#define KVM_HC_SEND_IPI       10 /* (bitmap low, high, lowest id, icr) */
#define KVM_HC_SCHED_YIELD    11 /* (apic_id) */
#define KVM_HC_MAP_GPA_RANGE  12 /* (address, pages, attributes) */

#define KVM_ENOSYS     1000
#define KVM_EPERM      1 /* the same values as errno, kvm_para.h */
#define KVM_EFAULT     14
#define KVM_EINVAL     22
#define KVM_EOPNOTSUPP 95

extern bool hypercall_is_vmmcall; /* set by kvm_probe_hypercall() */

/* Any CPU, interrupts on or off. Uncounted: use hypercall() below. */
static inline int64_t hypercall_raw(uint64_t number, uint64_t a0, uint64_t a1, uint64_t a2,
				    uint64_t a3)
{
	int64_t result;

	if (hypercall_is_vmmcall)
		__asm__ volatile("vmmcall"
				 : "=a"(result)
				 : "a"(number), "b"(a0), "c"(a1), "d"(a2), "S"(a3)
				 : "memory");
	else
		__asm__ volatile("vmcall"
				 : "=a"(result)
				 : "a"(number), "b"(a0), "c"(a1), "d"(a2), "S"(a3)
				 : "memory");
	return result;
}

/* The same, counted for this CPU: the `counts` record is checked against KVM's own statistics. */
int64_t hypercall(uint64_t number, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3);

/* Wakes the vCPU from its current HLT, or lets its next HLT fall through. 0, or negative. */
static inline int64_t hypercall_kick_cpu(uint32_t apic_id)
{
	return hypercall(KVM_HC_KICK_CPU, 0, apic_id, 0, 0);
}

/* Gives the caller's time slice to the vCPU if the host's scheduler agrees. 0, or negative. */
static inline int64_t hypercall_sched_yield(uint32_t apic_id)
{
	return hypercall(KVM_HC_SCHED_YIELD, apic_id, 0, 0, 0);
}

#endif

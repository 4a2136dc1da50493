/* SPDX-License-Identifier: MIT */
/*
 * Hyper-V's interface, which KVM can offer beside its own (QEMU: -cpu host,hv-relaxed). While it is
 * in use, each hypercall of the VM is Hyper-V's and KVM's are gone; KVM's MSRs (steal time,
 * kvmclock) go on. Facts from Microsoft's Hypervisor Top-Level Functional Specification (TLFS),
 * "Feature Discovery" and "Hypercall Interface", and Linux arch/x86/kvm/hyperv.c.
 *
 * rcx = control word, rdx = input of a fast hypercall (no memory), rax = status.
 */
#ifndef PVSPIN_KERNEL_HYPERV_H
#define PVSPIN_KERNEL_HYPERV_H

#include <stdbool.h>
#include <stdint.h>

#define MSR_HV_GUEST_OS_ID 0x40000000u
#define MSR_HV_HYPERCALL   0x40000001u
#define HV_PAGE_ENABLED    1ull /* of MSR_HV_HYPERCALL, with the page's address above bit 11 */

/* Bit 63: an open-source OS, here of no kind that the TLFS lists. */
#define HV_GUEST_OS_ID (1ull << 63)

/* The control word: call code, flags. The input of a notice is how often the caller has polled, 32
 * bits. */
#define HV_NOTIFY_LONG_SPIN_WAIT 0x0008ull
#define HV_FAST                  (1ull << 16)
#define HV_REP_COUNT_SHIFT       32

#define HV_STATUS_MASK       0xffffull
#define HV_SUCCESS           0
#define HV_INVALID_CALL_CODE 2
#define HV_INVALID_HYPERCALL 3 /* a control word that this call cannot have */
#define HV_LONG_SPIN_NEVER   UINT32_MAX

/* Whether CPUID offers the interface with hypercalls. */
bool hyperv_offered(void);
/* After how many polls a waiter should tell the hypervisor; HV_LONG_SPIN_NEVER: not at all. */
uint32_t hyperv_long_spin_polls(void);

/* Takes the interface into use for all vCPUs of the VM; false, and nothing has changed, if it is
 * not offered or is refused. CPU 0, while no other CPU makes hypercalls. */
bool hyperv_begin(void);
/* Gives KVM's hypercalls back. */
void hyperv_end(void);
bool hyperv_in_use(void);

/* Makes a hypercall, counted for this CPU as in kernel/hypercall.h; returns its status. Between
 * hyperv_begin() and hyperv_end(). Any CPU, interrupts on or off. */
uint64_t hyperv_call(uint64_t control, uint64_t input);

#endif

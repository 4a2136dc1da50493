/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * A fault is a way to break the hypervisor: at one of KVM's functions (a probe point) it changes
 * the function's input or its result. Built for the kernel of L1.
 */
#ifndef PVSPIN_TESTS_FAULTS_FAULT_H
#define PVSPIN_TESTS_FAULTS_FAULT_H

#include <linux/kvm_host.h>
#include <linux/kvm_para.h>

enum fault_point {
	POINT_HYPERCALL, /* kvm_emulate_hypercall */
	POINT_HALT,      /* kvm_emulate_halt: the guest executed HLT */
	POINT_CPUID,     /* kvm_emulate_cpuid */
	POINT_RDMSR,     /* kvm_emulate_rdmsr */
	POINT_WRMSR,     /* kvm_emulate_wrmsr */
	POINT_RESET,     /* kvm_vcpu_reset: INIT or the VMM's reset */
	POINT_ENTER,     /* svm_prepare_switch_to_guest: before each entry, after requests */
	POINT_EOI_OFFER, /* kvm_lapic_sync_to_vapic: before each entry, PV EOI is set */
	POINT_EOI_TAKE,  /* kvm_lapic_sync_from_vapic: after each exit, PV EOI is read */
	POINT_RUNNABLE,  /* kvm_arch_vcpu_runnable: whether a halted vCPU may go on */
	POINT_COUNT
};

/* One pass of a vCPU through a probe point. */
struct visit {
	struct kvm_vcpu *vcpu;
	unsigned long *regs; /* the guest's general registers: VCPU_REGS_RAX, ... */
	/* The registers before the function. The argument registers of a hypercall or an MSR access
	 * are restored after it, so that the guest does not see a changed argument. */
	unsigned long rax, rbx, rcx, rdx, rsi;
	unsigned long result; /* of the probed function; in after() it may be changed */
	unsigned long kept;   /* for the fault, from before() to after() */
	bool init;            /* POINT_RESET: INIT caused it */
};

struct fault {
	const char *name;
	enum fault_point point;
	void (*before)(struct visit *visit);
	void (*after)(struct visit *visit);
};

/* A fault of two points has two entries of the same name. Tables end with a NULL name. */
extern const struct fault hypercall_faults[], kick_faults[], cpuid_faults[], msr_faults[],
	memory_faults[];

extern unsigned int fault_n;          /* parameter n: one in n */
extern unsigned int fault_cpu;        /* parameter cpu: an APIC ID */
extern unsigned int fault_selections; /* so far; a fault forgets its state at the next one */

void fault_hit(void); /* counts that the fault did something */
bool fault_nth(void); /* true once in n calls */

/* Accesses to the guest's memory from code that can neither sleep nor fault; false if the page is
 * not present. */
bool guest_write(struct kvm_vcpu *vcpu, u64 gpa, const void *data, unsigned int bytes);
bool guest_read(struct kvm_vcpu *vcpu, u64 gpa, void *data, unsigned int bytes);

#endif

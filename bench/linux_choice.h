/* SPDX-License-Identifier: MIT */
/* The spinlock that Linux would choose on a machine, for `locks=linux`. Functions without state. */
#ifndef PVSPIN_BENCH_LINUX_CHOICE_H
#define PVSPIN_BENCH_LINUX_CHOICE_H

#include "lib/kvm_info.h"
#include <stdbool.h>
#include <stdint.h>

/* The facts that the choice depends on. */
struct linux_facts {
	bool hypervisor;        /* CPUID leaf 1, ECX bit 31 */
	bool kvm;               /* KVM's signature in a hypervisor leaf */
	bool realtime;          /* KVM_HINTS_REALTIME: the host promises dedicated CPUs */
	bool pv_unhalt;         /* KVM_FEATURE_PV_UNHALT */
	bool nopvspin;          /* on the command line */
	uint32_t possible_cpus; /* Linux's count, including CPUs that could be hot-added */
};

/* Returns the facts that CPUID gives; `nopvspin` is left false. */
struct linux_facts linux_facts_of(const struct kvm_info *kvm, uint32_t possible_cpus);

struct linux_choice {
	const char *lock;   /* a name as in locks= */
	const char *reason; /* the fact that decided */
};

struct linux_choice linux_choose(const struct linux_facts *facts);

#endif

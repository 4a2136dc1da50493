/* SPDX-License-Identifier: MIT */
/*
 * KVM's paravirtual interface, clause by clause. A clause is one test: a function, the clause's ID
 * (docs/abi-coverage.md has all of them), its name abi.GROUP.WHAT, its class, and its needs. If one
 * of these is missing, the clause is skipped and the log says which. The results are:
 *
 *   - FAIL: a MUST clause is broken, a documented promise
 *   - TODO finding: KVM differs from its known behaviour, in a KVM or INFO clause; for TAP this is
 *     "not ok", but no failure
 *   - ERROR: the test or its environment broke; the hypervisor is not judged
 *   - # ID: text: an observation (test_info)
 */
#ifndef PVSPIN_TESTS_SUITES_ABI_ABI_H
#define PVSPIN_TESTS_SUITES_ABI_ABI_H

#include "tests/suites/tap.h"
#include <stdint.h>

enum abi_class {
	ABI_MUST, /* documented: Linux's Documentation/virt/kvm/x86/, the architecture's manuals */
	ABI_KVM,  /* KVM's behaviour; another hypervisor may differ */
	ABI_INFO, /* differs between versions or vendors; the observation is printed */
};

/* Conditions besides features and vCPUs. abi.c has their meaning and the words for SKIP. */
enum abi_condition {
	ABI_AMD = 1 << 0, /* the CPU itself, not the vendor string */
	ABI_INTEL = 1 << 1,
	ABI_HLT_EXITS = 1 << 2, /* no cpu-pm=on */
	ABI_HLT_NATIVE = 1 << 3,
	ABI_IRQCHIP = 1 << 4,    /* local APICs in the hypervisor */
	ABI_NO_IRQCHIP = 1 << 5, /* ... in the VMM */
	ABI_ENFORCE = 1 << 6,    /* kvm-pv-enforce-cpuid=on */
	ABI_NO_ENFORCE = 1 << 7,
	ABI_X2APIC = 1 << 8,
	ABI_XAPIC = 1 << 9,
	ABI_SIGNATURE = 1 << 10,  /* KVM's CPUID leaves exist (not kvm=off) */
	ABI_UNSEEN_KVM = 1 << 11, /* CPUID clauses that also run without KVM */
};

struct abi_clause {
	const char *id, *name;
	void (*run)(struct test_result *result);
	enum abi_class class;
	uint32_t conditions; /* of enum abi_condition, all must hold */
	uint32_t features;   /* bits of KVM's feature leaf that must be offered */
	uint32_t hidden;     /* ... that must not be */
	uint32_t vcpus;      /* at least */
};

/* ABI_CLAUSE(function, "ABI-KICK-01", "abi.kick.wakes_halted_if0", ABI_MUST, .vcpus = 2); */
#define ABI_CLAUSE(function_, id_, name_, class_, ...)                                           \
	static const struct abi_clause function_##_clause                                        \
		__attribute__((section("abi_clauses"), used, aligned(8))) = {.id = (id_),        \
									     .name = (name_),    \
									     .run = (function_), \
									     .class = (class_),  \
									     ##__VA_ARGS__}

/* The current plan: seed, test_ms, vmm (the launcher's facts). */
extern const struct plan *abi_plan;

/* Whether hypercalls reach KVM: its signature was found, or the launcher said that it is KVM. */
bool abi_on_kvm(void);

/* Whether the CPU is emulated (accel nested) and so has defects of its own. */
bool abi_is_nested(void);

#endif

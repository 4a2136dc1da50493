/* SPDX-License-Identifier: MIT */
/* Needs and helpers shared by the clauses about KICK_CPU. */
#ifndef PVSPIN_TESTS_SUITES_ABI_KICK_H
#define PVSPIN_TESTS_SUITES_ABI_KICK_H

#include "kernel/kvm.h"
#include "tests/suites/abi/abi.h"
#include "tests/suites/abi/scene.h"

/* The kick is offered, and HLT exits to the hypervisor, which can end it. */
#define KICK_NEEDS \
	.features = KVM_FEATURE_PV_UNHALT, .conditions = ABI_IRQCHIP | ABI_HLT_EXITS, .vcpus = 2

/*
 * Judges whether PV_UNHALT may be offered where HLT does not exit. Before Linux 6.9 it may, and the
 * result says so: KVM looked for its leaf before it knew the leaf's base, and so cleared the bit
 * only at a later update (arch/x86/kvm/cpuid.c, __kvm_update_cpuid_runtime). Since then it may not,
 * and the test fails.
 */
static inline void kick_judge_offered(struct test_result *result, bool offered)
{
	uint32_t kernel = abi_plan->vmm.kernel;

	if (offered && kernel != 0 && kernel < 6009)
		test_info(result, "PV_UNHALT is offered, as KVM before Linux 6.9 may have it");
	else if (offered)
		test_fail(result, "PV_UNHALT is offered though HLT does not exit");
}

/* Plays a scene in which the target halts once. The controller's call() must not wake it; a kick
 * then must. `how` describes the call in messages: "on ...". Returns the number of interrupts that
 * the target took. */
uint64_t kick_control(struct test_result *result, void (*call)(struct scene *scene),
		      const char *how);

/* The same, but call() itself must wake the target. */
void kick_wakes_by(struct test_result *result, void (*call)(struct scene *scene), const char *how);

/* Empties the latch of every CPU. */
void kick_drain_all(void);

#endif

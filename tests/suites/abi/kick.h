/* SPDX-License-Identifier: MIT */
/* What the clauses about KICK_CPU need and share. */
#ifndef PVSPIN_TESTS_SUITES_ABI_KICK_H
#define PVSPIN_TESTS_SUITES_ABI_KICK_H

#include "kernel/kvm.h"
#include "tests/suites/abi/abi.h"
#include "tests/suites/abi/scene.h"

/* The kick is offered, and there is a HLT in the hypervisor to wake from. */
#define KICK_NEEDS \
	.features = KVM_FEATURE_PV_UNHALT, .conditions = ABI_IRQCHIP | ABI_HLT_EXITS, .vcpus = 2

/*
 * HLT does not exit: whether PV_UNHALT is offered all the same, which before Linux 6.9 says
 * nothing: KVM then looked for its leaf before it knew its base, so that the bit went at some later
 * update only (arch/x86/kvm/cpuid.c, __kvm_update_cpuid_runtime). Says so in the result, or fails
 * it.
 */
static inline void kick_judge_offered(struct test_result *result, bool offered)
{
	uint32_t kernel = abi_plan->vmm.kernel;

	if (offered && kernel != 0 && kernel < 6009)
		test_info(result, "PV_UNHALT is offered, as KVM before Linux 6.9 may have it");
	else if (offered)
		test_fail(result, "PV_UNHALT is offered though HLT does not exit");
}

/* Plays a scene in which the target halts once; the controller's call() must not wake it (`how`
 * says on what), a kick then must. Returns the interrupts the target took. */
uint64_t kick_control(struct test_result *result, void (*call)(struct scene *scene),
		      const char *how);

/* The same, and call() itself must wake it. */
void kick_wakes_by(struct test_result *result, void (*call)(struct scene *scene), const char *how);

/* Makes sure that no CPU's latch is set. */
void kick_drain_all(void);

#endif

/* SPDX-License-Identifier: MIT */
/* What the clauses about KICK_CPU need and share. */
#ifndef PVSPIN_TESTS_ABI_KICK_H
#define PVSPIN_TESTS_ABI_KICK_H

#include "kernel/kvm.h"
#include "tests/abi/abi.h"
#include "tests/abi/scene.h"

/* The kick is offered, and there is a HLT in the hypervisor to wake from. */
#define KICK_NEEDS \
	.features = KVM_FEATURE_PV_UNHALT, .conditions = ABI_IRQCHIP | ABI_HLT_EXITS, .vcpus = 2

/* Plays a scene in which the target halts once; the controller's call() must not wake it (`how`
 * says on what), a kick then must. Returns the interrupts the target took. */
uint64_t kick_control(struct test_result *result, void (*call)(struct scene *scene),
		      const char *how);

/* The same, and call() itself must wake it. */
void kick_wakes_by(struct test_result *result, void (*call)(struct scene *scene), const char *how);

/* Makes sure that no CPU's latch is set: each kicks itself and halts once. */
void kick_drain_all(void);

#endif

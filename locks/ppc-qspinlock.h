/* SPDX-License-Identifier: MIT */
/*
 * The word of ppc-qspinlock (Linux arch/powerpc/include/asm/qspinlock_types.h) and its nodes. The
 * lock's tests read them, too.
 *
 *	bit  0      locked
 *	bits 1-14   the owner's CPU
 *	bit  15     sleepy: a waiter has seen this owner preempted; cleared by its release
 *	bit  16     must-queue: the head has waited too long, nobody may steal
 *	bits 17-31  tail: the last waiter's CPU + 1; 0: no queue. Its node is the one of that CPU's
 *	            whose `lock` is this lock.
 */
#ifndef PVSPIN_LOCKS_PPC_QSPINLOCK_H
#define PVSPIN_LOCKS_PPC_QSPINLOCK_H

#include "locks/owner.h"
#include "locks/qnode.h"
#include <stdatomic.h>
#include <stdbool.h>

#define PPC_LOCKED      1u
#define PPC_OWNER_SHIFT 1
#define PPC_OWNER_MASK  0x7ffeu
#define PPC_SLEEPY      (1u << 15)
#define PPC_MUST_QUEUE  (1u << 16)
#define PPC_TAIL_SHIFT  17
#define PPC_TAIL_MASK   0xfffe0000u
#define PPC_MAX_CPUS    (1u << 14)

struct ppc_node {
	struct qnode base;
	const void *_Atomic lock; /* waited for; NULL: the node is not in use */
	_Atomic bool sleepy;      /* the predecessor says that the owner is preempted */
};

struct ppc_pool {
	struct owner_self self;
	struct ppc_node node[Q_NODES];
};

_Static_assert(sizeof(struct ppc_node) == 32, "the four nodes fill two lines");

#endif

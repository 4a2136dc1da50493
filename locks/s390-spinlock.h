/* SPDX-License-Identifier: MIT */
/*
 * The word of s390-spinlock (Linux arch/s390/lib/spinlock.c) and its nodes. The lock's tests read
 * them, too.
 *
 *	bits  0-15  the owner's CPU + 1; 0: free
 *	bits 16-17  thefts since the queue was served last
 *	bits 18-19  tail: nesting level of the last waiter's node
 *	bits 20-31  tail: its CPU + 1; 0: no queue
 */
#ifndef PVSPIN_LOCKS_S390_SPINLOCK_H
#define PVSPIN_LOCKS_S390_SPINLOCK_H

#include "locks/owner.h"
#include "locks/qnode.h"
#include <stdatomic.h>
#include <stdint.h>

#define S390_OWNER_MASK  0xffffu
#define S390_STEAL_SHIFT 16
#define S390_STEAL_ONE   (1u << S390_STEAL_SHIFT)
#define S390_STEAL_MASK  (3u << S390_STEAL_SHIFT)
#define S390_LEVEL_SHIFT 18
#define S390_CPU_SHIFT   20
#define S390_TAIL_MASK   0xfffc0000u
#define S390_MAX_CPUS    ((1u << 12) - 1)

/* base.granted: this waiter is the head. */
struct s390_node {
	struct qnode base;
	struct s390_node *_Atomic previous;
	_Atomic uint32_t cpu;
};

struct s390_pool {
	struct owner_self self;
	struct s390_node node[Q_NODES];
};

_Static_assert(sizeof(struct s390_node) == 32, "the four nodes fill two lines");

#endif

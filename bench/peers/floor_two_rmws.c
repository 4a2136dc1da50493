/* SPDX-License-Identifier: MIT */
/* Least cost of two locked instructions, as mcs without a waiter and pv-qspinlock need them. */
#include "bench/peers/outside.h"

static inline void acquire(void *lock, void *node)
{
	uint32_t one = 1;

	(void)node;
	__asm__ volatile("xchgl %0, %1" : "+r"(one), "+m"(*(uint32_t *)lock) : : "memory");
}

static inline void release(void *lock, void *node)
{
	uint32_t old = 1;

	(void)node;
	__asm__ volatile("lock cmpxchgl %2, %1"
			 : "+a"(old), "+m"(*(uint32_t *)lock)
			 : "r"(0)
			 : "memory", "cc");
}

OUTSIDE_REGISTER("floor-two-rmws", "", LOCK_NO_EXCLUSION, sizeof(uint32_t), 0, outside_init);

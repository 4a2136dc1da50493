/* SPDX-License-Identifier: MIT */
/* Least cost of a locked instruction and a plain store of the same width, as tas, ticket and clh
 * need them. */
#include "bench/peers/outside.h"

static inline void acquire(void *lock, void *node)
{
	uint32_t one = 1;

	(void)node;
	__asm__ volatile("xchgl %0, %1" : "+r"(one), "+m"(*(uint32_t *)lock) : : "memory");
}

static inline void release(void *lock, void *node)
{
	(void)node;
	__asm__ volatile("movl $0, %0" : "=m"(*(uint32_t *)lock) : : "memory");
}

OUTSIDE_REGISTER("floor-rmw-store", "", LOCK_NO_EXCLUSION, sizeof(uint32_t), 0, outside_init);

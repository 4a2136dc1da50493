/* SPDX-License-Identifier: MIT */
/* Least cost of a 32-bit CAS and a store of one byte of the same word, as qspinlock and virt-spin
 * need them. Back to back, the next CAS waits until the byte has left the store buffer, because it
 * cannot be forwarded. */
#include "bench/peers/outside.h"

static inline void acquire(void *lock, void *node)
{
	uint32_t old = 0;

	(void)node;
	__asm__ volatile("lock cmpxchgl %2, %1"
			 : "+a"(old), "+m"(*(uint32_t *)lock)
			 : "r"(1)
			 : "memory", "cc");
}

static inline void release(void *lock, void *node)
{
	(void)node;
	__asm__ volatile("movb $0, %0" : "=m"(*(uint8_t *)lock) : : "memory");
}

OUTSIDE_REGISTER("floor-cas-byte", "", LOCK_NO_EXCLUSION, sizeof(uint32_t), 0, outside_init);

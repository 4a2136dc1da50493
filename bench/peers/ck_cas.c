/* SPDX-License-Identifier: MIT */
/* Concurrency Kit's ck_spinlock_cas. */
#include "bench/peers/outside.h"
#include <ck_spinlock.h>

static void init(void *lock, const struct lock_env *env)
{
	(void)env;
	ck_spinlock_cas_init(lock);
}

static inline void acquire(void *lock, void *node)
{
	(void)node;
	ck_spinlock_cas_lock(lock);
}

static inline void release(void *lock, void *node)
{
	(void)node;
	ck_spinlock_cas_unlock(lock);
}

OUTSIDE_REGISTER("ck-cas", "Concurrency Kit", 0, sizeof(ck_spinlock_cas_t), 0, init);

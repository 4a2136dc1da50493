/* SPDX-License-Identifier: MIT */
/* Concurrency Kit's ck_spinlock_mcs. */
#include "bench/peers/outside.h"
#include <ck_spinlock.h>

static void init(void *lock, const struct lock_env *env)
{
	(void)env;
	ck_spinlock_mcs_init(lock);
}

static inline void acquire(void *lock, void *node)
{
	ck_spinlock_mcs_lock(lock, node);
}

static inline void release(void *lock, void *node)
{
	ck_spinlock_mcs_unlock(lock, node);
}

OUTSIDE_REGISTER("ck-mcs", "Concurrency Kit", LOCK_FIFO, sizeof(ck_spinlock_mcs_t),
		 sizeof(ck_spinlock_mcs_context_t), init);

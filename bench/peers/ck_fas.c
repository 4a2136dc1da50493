/* SPDX-License-Identifier: MIT */
/* Concurrency Kit's ck_spinlock_fas. */
#include "bench/peers/outside.h"
#include <ck_spinlock.h>

static void init(void *lock, const struct lock_env *env)
{
	(void)env;
	ck_spinlock_fas_init(lock);
}

static inline void acquire(void *lock, void *node)
{
	(void)node;
	ck_spinlock_fas_lock(lock);
}

static inline void release(void *lock, void *node)
{
	(void)node;
	ck_spinlock_fas_unlock(lock);
}

OUTSIDE_REGISTER("ck-fas", "Concurrency Kit", 0, sizeof(ck_spinlock_fas_t), 0, init);

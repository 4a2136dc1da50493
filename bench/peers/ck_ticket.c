/* SPDX-License-Identifier: MIT */
/* Concurrency Kit's ck_spinlock_ticket. */
#include "bench/peers/outside.h"
#include <ck_spinlock.h>

static void init(void *lock, const struct lock_env *env)
{
	(void)env;
	ck_spinlock_ticket_init(lock);
}

static inline void acquire(void *lock, void *node)
{
	(void)node;
	ck_spinlock_ticket_lock(lock);
}

static inline void release(void *lock, void *node)
{
	(void)node;
	ck_spinlock_ticket_unlock(lock);
}

OUTSIDE_REGISTER("ck-ticket", "Concurrency Kit", LOCK_FIFO, sizeof(ck_spinlock_ticket_t), 0, init);

/* SPDX-License-Identifier: MIT */
/* glibc's pthread_spin_lock: a call into libc for each operation, which is how it is used. */
#include "bench/peers/outside.h"
#include <pthread.h>

static void init(void *lock, const struct lock_env *env)
{
	(void)env;
	pthread_spin_init(lock, PTHREAD_PROCESS_PRIVATE);
}

static inline void acquire(void *lock, void *node)
{
	(void)node;
	pthread_spin_lock(lock);
}

static inline void release(void *lock, void *node)
{
	(void)node;
	pthread_spin_unlock(lock);
}

OUTSIDE_REGISTER("glibc-spin", "glibc", 0, sizeof(pthread_spinlock_t), 0, init);

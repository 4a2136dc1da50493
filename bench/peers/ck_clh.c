/* SPDX-License-Identifier: MIT */
/* Concurrency Kit's ck_spinlock_clh. A release leaves the CPU with its predecessor's node, so each
 * CPU has a pointer, and the nodes move among the CPUs. */
#include "bench/peers/outside.h"
#include <ck_spinlock.h>

struct clh_lock {
	ck_spinlock_clh_t *queue;
	ck_spinlock_clh_t unowned __attribute__((aligned(CACHE_LINE)));
};

struct clh_node {
	ck_spinlock_clh_t *mine;
	ck_spinlock_clh_t first __attribute__((aligned(CACHE_LINE)));
};

static void init(void *state, const struct lock_env *env)
{
	struct clh_lock *lock = state;

	for (uint32_t i = 0; i < env->cpus; i++) {
		struct clh_node *node = (void *)((char *)env->nodes + i * env->node_stride);

		node->mine = &node->first;
	}
	ck_spinlock_clh_init(&lock->queue, &lock->unowned);
}

static inline void acquire(void *lock, void *node)
{
	ck_spinlock_clh_lock(&((struct clh_lock *)lock)->queue, ((struct clh_node *)node)->mine);
}

static inline void release(void *lock, void *node)
{
	(void)lock;
	ck_spinlock_clh_unlock(&((struct clh_node *)node)->mine);
}

OUTSIDE_REGISTER("ck-clh", "Concurrency Kit", LOCK_FIFO, sizeof(struct clh_lock),
		 sizeof(struct clh_node), init);

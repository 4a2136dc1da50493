/* SPDX-License-Identifier: MIT */
/*
 * Shared by ppc-qspinlock and s390-spinlock: a 32-bit word and each CPU's pool of nodes. The lower
 * half of the word names the owner (0: nobody), the upper half says who waits. A pool begins with
 * the lower half that this CPU owns the lock with; four queue nodes follow (qnode.h).
 *
 * A release is a plain store to the lower half while other CPUs CAS the whole word: see
 * qspinlock_word.h on mixed sizes.
 */
#ifndef PVSPIN_LOCKS_OWNER_H
#define PVSPIN_LOCKS_OWNER_H

#include "locks/core/lock.h"
#include "locks/qnode.h"
#include "port/port.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

union owner_word {
	_Atomic uint32_t value;
	_Atomic uint16_t half; /* the lower: the owner's */
};

/* The word has a line of its own; the rest is only read. */
struct owner_lock {
	union owner_word word __attribute__((aligned(CACHE_LINE)));
	char *nodes __attribute__((aligned(CACHE_LINE))); /* CPU 0's pool */
	size_t stride;                                    /* from one CPU's pool to the next's */
	uint32_t cpus;
};

/* Every pool begins with this, in a line that only init() writes. */
struct owner_self {
	_Atomic uint32_t half; /* what this CPU owns a lock with; atomic only because of init() */
} __attribute__((aligned(CACHE_LINE)));

static inline struct owner_self *owner_pool(const struct owner_lock *lock, uint32_t cpu)
{
	return (struct owner_self *)(void *)(lock->nodes + cpu * lock->stride);
}

/* Stores half(cpu) into each CPU's pool. Every init() stores the same values, so it may run while
 * other locks are in use. */
static inline void owner_lock_init(struct owner_lock *lock, const struct lock_env *env,
				   uint32_t max_cpus, uint32_t (*half)(uint32_t cpu))
{
	if (env->cpus > max_cpus)
		__builtin_trap();
	atomic_init(&lock->word.value, 0);
	lock->nodes = env->nodes;
	lock->stride = env->node_stride;
	lock->cpus = env->cpus;
	for (uint32_t cpu = 0; cpu < env->cpus; cpu++)
		atomic_store_explicit(&owner_pool(lock, cpu)->half, half(cpu),
				      memory_order_relaxed);
}

static inline uint32_t owner_me(const void *pool)
{
	const struct owner_self *self = pool;

	return atomic_load_explicit(&self->half, memory_order_relaxed);
}

static inline uint32_t owner_load(const union owner_word *word)
{
	return atomic_load_explicit(&word->value, memory_order_relaxed);
}

/* Takes the lock: replaces `seen`, in which nobody owns it, by `taken`. Acquire: pairs with
 * owner_release. */
static inline bool owner_take(union owner_word *word, uint32_t seen, uint32_t taken)
{
	return atomic_compare_exchange_strong_explicit(&word->value, &seen, taken,
						       memory_order_acquire, memory_order_relaxed);
}

/* Release: pairs with owner_take. */
static inline void owner_release(union owner_word *word)
{
	atomic_store_explicit(&word->half, 0, memory_order_release);
}

#endif

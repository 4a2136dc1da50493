/* SPDX-License-Identifier: MIT */
/*
 * What ppc-qspinlock and s390-spinlock have in common: a 32-bit word whose lower half says who owns
 * the lock, 0 nobody, and whose upper half says who waits; and each CPU's pool of four waiter's
 * nodes (qnode.h), headed by the lower half that this CPU owns the lock with.
 *
 * A release is a plain store to the lower half, while CASes of the whole word go on: see
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

/* The word alone in its line, then what is only read. */
struct owner_lock {
	union owner_word word __attribute__((aligned(CACHE_LINE)));
	char *nodes __attribute__((aligned(CACHE_LINE))); /* CPU 0's pool */
	size_t stride;                                    /* from one CPU's pool to the next's */
	uint32_t cpus;
};

/* What every pool begins with, in a line that only init() writes. */
struct owner_self {
	_Atomic uint32_t half; /* what this CPU owns a lock with; atomic for init() alone */
} __attribute__((aligned(CACHE_LINE)));

static inline struct owner_self *owner_pool(const struct owner_lock *lock, uint32_t cpu)
{
	return (struct owner_self *)(void *)(lock->nodes + cpu * lock->stride);
}

/* `half(cpu)` for each CPU's pool: the same at every lock's init(), which may meet others in use.
 */
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

/* Takes the lock: `seen`, in which nobody owns it, -> `taken`. Acquire: pairs with
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

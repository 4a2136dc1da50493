/* SPDX-License-Identifier: MIT */
/*
 * The queue nodes of qspinlock and of the locks that are built like it, and how 16 bits of tail
 * name one of them.
 *
 * A CPU brings four nodes, one for each context that can interrupt another in a wait (Linux: task,
 * softirq, hardirq, NMI); `count` of the first says how many are in use. A fifth context finds none
 * and has to poll the word. A node is in use only while its CPU waits, not while it owns the lock,
 * so the same four serve every lock. Linux: kernel/locking/qspinlock.c, mcs_spinlock.h.
 */
#ifndef PVSPIN_LOCKS_QNODE_H
#define PVSPIN_LOCKS_QNODE_H

#include "locks/core/lock.h"
#include "locks/core/spin.h"
#include "locks/core/stats.h"
#include "locks/qspinlock_word.h"
#include "port/port.h"
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define Q_NODES    4
#define Q_TAIL_CPU (Q_TAIL_SHIFT + 2)
#define Q_MAX_CPUS ((1u << 14) - 1)

/* Every lock's nodes begin with this; 16 bytes, four to a line. */
struct qnode {
	struct qnode *_Atomic next;
	_Atomic uint32_t granted; /* 1: this is the head of the queue */
	uint32_t count;           /* in the CPU's first node: nodes in use */
};

/* A lock as the slow paths see it. The word has a line of its own; the rest is only read. */
struct qspinlock {
	union qspinlock_word word __attribute__((aligned(CACHE_LINE)));
	char *nodes __attribute__((aligned(CACHE_LINE))); /* CPU 0's first node */
	size_t stride;                                    /* from one CPU's nodes to the next's */
	uint32_t cpus;
};

_Static_assert(sizeof(struct qspinlock) == 2 * CACHE_LINE, "word | read-mostly");

static inline void qspinlock_init(struct qspinlock *lock, const struct lock_env *env)
{
	if (env->cpus > Q_MAX_CPUS)
		__builtin_trap(); /* 14 bits of tail: Linux's limit too */
	atomic_init(&lock->word.value, 0);
	lock->nodes = env->nodes;
	lock->stride = env->node_stride;
	lock->cpus = env->cpus;
}

static inline uint32_t qnode_encode(uint32_t cpu, uint32_t level)
{
	return (cpu + 1) << Q_TAIL_CPU | level << Q_TAIL_SHIFT;
}

/* Returns the node that `tail` names: not 0, in bits 16-31. `size`: of the lock's kind of node. */
static inline struct qnode *qnode_decode(const struct qspinlock *lock, uint32_t tail, size_t size)
{
	uint32_t cpu = (tail >> Q_TAIL_CPU) - 1;
	uint32_t level = (tail >> Q_TAIL_SHIFT) & (Q_NODES - 1);

	return (struct qnode *)(void *)(lock->nodes + cpu * lock->stride + level * size);
}

/* Takes this CPU's next node and returns its level; Q_NODES if none is left. Either way the caller
 * calls qnode_put afterwards. */
static inline uint32_t qnode_take(struct qnode *first, struct lock_stats *stats)
{
	uint32_t level = first->count++;

	/* An interrupt from here on must find the node taken. Its own wait leaves `count` as it
	 * was, so a compiler barrier is all that one CPU needs. */
	atomic_signal_fence(memory_order_seq_cst);
	if (level >= Q_NODES) {
		lock_count(stats, EV_LOCK_NO_NODE);
		return Q_NODES;
	}
	if (level > 0)
		lock_count(stats, (enum lock_event)(EV_LOCK_USE_NODE2 + level - 1));
	return level;
}

static inline void qnode_put(struct qnode *first)
{
	atomic_signal_fence(memory_order_seq_cst);
	first->count--;
}

static inline void qnode_reset(struct qnode *node)
{
	atomic_store_explicit(&node->next, NULL, memory_order_relaxed);
	atomic_store_explicit(&node->granted, 0, memory_order_relaxed);
}

/* Returns the successor; waits until it has linked itself. Acquire: pairs with qnode_link. */
static inline struct qnode *qnode_next(struct qnode *node)
{
	struct qnode *next = atomic_load_explicit(&node->next, memory_order_acquire);
	uint64_t begin;

	if (next)
		return next;
	begin = spin_link_begin();
	while (!(next = atomic_load_explicit(&node->next, memory_order_acquire)))
		port_relax();
	spin_link_end(begin);
	return next;
}

/* For a new head, which is going to write to its successor's node. Once, as Linux does. Intel's
 * first 64-bit CPUs execute the instruction as a NOP. */
static inline void qnode_prefetch_next(const struct qnode *node)
{
	const struct qnode *next = atomic_load_explicit(&node->next, memory_order_relaxed);

	if (next)
		__asm__ volatile("prefetchw %0" : : "m"(*next));
}

/* Release: pairs with qnode_next; publishes this node's fields to the predecessor. */
static inline void qnode_link(struct qnode *previous, struct qnode *node)
{
	atomic_store_explicit(&previous->next, node, memory_order_release);
}

#endif

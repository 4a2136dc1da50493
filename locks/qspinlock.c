/* SPDX-License-Identifier: MIT */
/*
 * qspinlock: Linux's native spinlock in one 32-bit word. The first waiter takes the pending bit and
 * polls the word; later ones queue as in MCS, and the head of the queue polls the word, too. So at
 * most two waiters poll the word, and all others poll nodes of their own. FIFO, except for races at
 * the border between pending bit and queue.
 *
 * Preemption: three vCPUs can each stop everybody: the owner, the pending waiter, the head. Nobody
 * halts.
 *
 * States are written (tail, pending, locked). Linux 6.12 kernel/locking/qspinlock.c; the idea of
 * the compact word and the order of the steps are P. Zijlstra's and W. Long's.
 */
#include "bench/register.h"
#include "locks/core/spin.h"
#include "locks/qnode.h"
#include "locks/qspinlock_pending.h"

static void qspinlock_reset(void *state, const struct lock_env *env)
{
	qspinlock_init(state, env);
}

/* Waits at the head of the queue for owner and pending waiter, takes the lock, passes the
 * headship. */
static void acquire_as_head(union qspinlock_word *word, struct qnode *node, uint32_t tail,
			    struct spin *spin)
{
	uint32_t value;

	/* acquire: pairs with q_release */
	while ((value = atomic_load_explicit(&word->value, memory_order_acquire)) &
	       (Q_LOCKED_MASK | Q_PENDING_MASK))
		spin_poll_on(spin);
	/* If we are the last: (tail, 0, 0) -> (0, 0, 1). Fails if somebody queued up behind us, or
	 * set pending and will clear it on seeing our tail. Relaxed: acquired above. */
	if ((value & Q_TAIL_MASK) == tail &&
	    atomic_compare_exchange_strong_explicit(&word->value, &value, Q_LOCKED,
						    memory_order_relaxed, memory_order_relaxed)) {
		spin_end(spin, SPIN_HANDED);
		return;
	}
	q_set_locked(word); /* nobody else can: there is a queue, and we are its head */
	spin_end(spin, SPIN_HANDED);
	/* release: pairs with the poll in acquire_queued */
	atomic_store_explicit(&qnode_next(node)->granted, 1, memory_order_release);
}

static void acquire_queued(struct qspinlock *lock, struct qnode *node, uint32_t tail,
			   struct spin *spin)
{
	uint32_t old;

	qnode_reset(node);
	if (q_try(&lock->word)) { /* fetching the node took a while: the lock may be free now */
		spin_end(spin, SPIN_WON);
		return;
	}
	old = q_exchange_tail(&lock->word, tail);
	if (old) {
		qnode_link(qnode_decode(lock, old, sizeof(*node)), node);
		/* acquire: pairs with the promotion in acquire_as_head */
		while (!atomic_load_explicit(&node->granted, memory_order_acquire))
			spin_poll_on(spin);
		spin_stage(spin, SPIN_HANDED);
		qnode_prefetch_next(node);
	}
	acquire_as_head(&lock->word, node, tail, spin);
}

static __attribute__((noinline)) void qspinlock_slow(struct qspinlock *lock, struct qnode *first,
						     uint32_t value)
{
	struct spin spin = spin_begin();
	uint32_t level;

	if (q_acquire_pending(&lock->word, value, &spin))
		return;
	lock_count(port_my_stats(), EV_LOCK_SLOWPATH);
	level = qnode_take(first, port_my_stats());
	if (level < Q_NODES) {
		acquire_queued(lock, first + level, qnode_encode(port_cpu(), level), &spin);
	} else {
		while (!q_try(&lock->word))
			spin_poll_on(&spin);
		spin_end(&spin, SPIN_WON);
	}
	qnode_put(first);
}

static inline void qspinlock_acquire(void *state, void *node)
{
	struct qspinlock *lock = state;
	uint32_t seen;

	if (__builtin_expect(!q_try_fast(&lock->word, &seen), 0))
		qspinlock_slow(lock, node, seen);
}

static inline bool qspinlock_try_acquire(void *state, void *node)
{
	struct qspinlock *lock = state;

	(void)node;
	return q_try(&lock->word);
}

static inline void qspinlock_release(void *state, void *node)
{
	struct qspinlock *lock = state;

	(void)node;
	q_release(&lock->word);
}

static const struct lock_ops qspinlock_ops = {
	.name = "qspinlock",
	.cite = "Linux 6.12 kernel/locking/qspinlock.c",
	.flags = LOCK_FIFO | LOCK_QUEUED | LOCK_NODE_POOL | LOCK_RESTORES,
	.state_size = sizeof(struct qspinlock),
	.node_size = Q_NODES * sizeof(struct qnode),
	.init = qspinlock_reset,
	.acquire = qspinlock_acquire,
	.try_acquire = qspinlock_try_acquire,
	.release = qspinlock_release,
	.describe = q_describe,
};

LOCK_REGISTER(qspinlock_ops);

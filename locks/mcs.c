/* SPDX-License-Identifier: MIT */
/*
 * mcs: a queue of nodes in which each waiter polls its own node; the lock is a pointer to the last
 * node. Each hand-over transfers one cache line. Strict FIFO. A CPU's node serves one mcs lock at a
 * time, from acquire to release.
 *
 * Preemption: a preempted holder or next waiter stops everybody, as in every FIFO lock. There is a
 * third hole: a waiter that is descheduled between joining the queue and linking itself holds up
 * the *releaser* (EV_RELEASE_WAIT_LINK).
 *
 * J. M. Mellor-Crummey, M. L. Scott, "Algorithms for Scalable Synchronization on Shared-Memory
 * Multiprocessors", ACM TOCS 9(1), 1991.
 */
#include "bench/register.h"
#include "lib/printf.h"
#include "locks/core/spin.h"

struct mcs_node {
	struct mcs_node *_Atomic next;
	_Atomic uint32_t granted;
};

struct mcs_lock {
	struct mcs_node *_Atomic tail;
};

static void mcs_init(void *state, const struct lock_env *env)
{
	struct mcs_lock *lock = state;

	(void)env;
	atomic_init(&lock->tail, NULL);
}

static __attribute__((noinline)) void mcs_wait(struct mcs_node *mine, struct mcs_node *previous)
{
	struct spin spin = spin_begin();

	lock_count(port_my_stats(), EV_LOCK_SLOWPATH);
	/* release: pairs with the acquire loads of next in mcs_release; publishes granted = 0 */
	atomic_store_explicit(&previous->next, mine, memory_order_release);
	/* acquire: pairs with the store to granted in mcs_release */
	while (!atomic_load_explicit(&mine->granted, memory_order_acquire))
		spin_poll_on(&spin);
	spin_end(&spin, SPIN_HANDED);
}

static inline void mcs_acquire(void *state, void *node)
{
	struct mcs_lock *lock = state;
	struct mcs_node *mine = node, *previous;

	atomic_store_explicit(&mine->next, NULL, memory_order_relaxed);
	atomic_store_explicit(&mine->granted, 0, memory_order_relaxed);
	/* acquire: pairs with the CAS in mcs_release that emptied the queue; release: a successor
	 * that reads this node from tail must see next == NULL before it links itself */
	previous = atomic_exchange_explicit(&lock->tail, mine, memory_order_acq_rel);
	if (__builtin_expect(previous != NULL, 0))
		mcs_wait(mine, previous);
}

static inline bool mcs_try_acquire(void *state, void *node)
{
	struct mcs_lock *lock = state;
	struct mcs_node *mine = node, *none = NULL;

	/* a look first: a failing CAS would take the line from the holder */
	if (atomic_load_explicit(&lock->tail, memory_order_relaxed))
		return false;
	atomic_store_explicit(&mine->next, NULL, memory_order_relaxed);
	/* as the exchange in mcs_acquire */
	return atomic_compare_exchange_strong_explicit(&lock->tail, &none, mine,
						       memory_order_acq_rel, memory_order_relaxed);
}

/* Waits for a successor that has joined but not yet linked itself. */
static __attribute__((noinline)) struct mcs_node *mcs_wait_link(struct mcs_node *mine)
{
	uint64_t begin = spin_link_begin();
	struct mcs_node *next;

	/* acquire: pairs with the link store in mcs_wait */
	while (!(next = atomic_load_explicit(&mine->next, memory_order_acquire)))
		port_relax();
	spin_link_end(begin);
	return next;
}

static inline void mcs_release(void *state, void *node)
{
	struct mcs_lock *lock = state;
	struct mcs_node *mine = node, *expected = mine;
	/* acquire: pairs with the link store in mcs_wait */
	struct mcs_node *next = atomic_load_explicit(&mine->next, memory_order_acquire);

	if (!next) {
		/* release: pairs with the exchange in mcs_acquire, the CAS in mcs_try_acquire */
		if (atomic_compare_exchange_strong_explicit(&lock->tail, &expected, NULL,
							    memory_order_release,
							    memory_order_relaxed))
			return;
		next = mcs_wait_link(mine);
	}
	/* release: pairs with the poll in mcs_wait */
	atomic_store_explicit(&next->granted, 1, memory_order_release);
}

static void mcs_describe(const void *state, char *text, size_t size)
{
	const struct mcs_lock *lock = state;
	const struct mcs_node *tail = atomic_load_explicit(&lock->tail, memory_order_relaxed);

	if (tail)
		ksnprintf(text, size, "tail %p: held or waited for", (const void *)tail);
	else
		ksnprintf(text, size, "no tail: free");
}

static const struct lock_ops mcs_ops = {
	.name = "mcs",
	.cite = "Mellor-Crummey & Scott 1991, ACM TOCS 9(1)",
	.flags = LOCK_FIFO | LOCK_QUEUED | LOCK_RESTORES,
	.state_size = CACHE_LINE,
	.node_size = sizeof(struct mcs_node),
	.init = mcs_init,
	.acquire = mcs_acquire,
	.try_acquire = mcs_try_acquire,
	.release = mcs_release,
	.describe = mcs_describe,
};

LOCK_REGISTER(mcs_ops);

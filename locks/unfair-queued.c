/* SPDX-License-Identifier: MIT */
/*
 * unfair-queued: a queue whose waiters do not wait for their turn. A waiter that takes the free
 * lock byte owns the lock, wherever it stands; its place only decides how often it tries. The head
 * tries at every poll, the second every uq_steal_min polls, each further one half as often as its
 * predecessor, down to every uq_steal_max. A newcomer tries once before it queues.
 *
 * So nobody hands the lock on. A waiter that has got the lock, head or not, takes its node out of
 * the queue before it enters its section. Only the owner edits the queue, except that newcomers
 * append at the tail; hence the lock itself protects the links in both directions:
 *
 *	prev    of a node: the tail code of its predecessor, 0 at the head. Written by its waiter
 *	        before it links itself, then by owners that leave before it.
 *	next    written by the newcomer behind it; by an owner between the two that leaves.
 *	tail    exchanged by newcomers; by an owner that leaves as the last, to its prev.
 *
 * After that the node is free, as in qspinlock. Its CPU may use it again while a waiter that stood
 * behind it still reads `period`; that is only a hint.
 *
 * Preemption: nobody waits for a preempted waiter, wherever it stands, with one exception: a waiter
 * that was descheduled between joining the queue and linking itself holds up an owner that leaves
 * from the place before it. A preempted owner stops everybody. No waiter has a right to the lock:
 * the head may starve.
 *
 * W. Long, "qspinlock, x86: support for unfair locks", linux-kernel, 2014-2015, not merged; written
 * from its description. LSTEAL_MIN 1 << 3 and LSTEAL_MAX 1 << 10 are its constants.
 */
#include "bench/register.h"
#include "locks/core/spin.h"
#include "locks/core/tunables.h"
#include "locks/qnode.h"

TUNABLE(uq_steal_min, "unfair-queued", 8, 1, 1u << 30);    /* polls between tries, second waiter */
TUNABLE(uq_steal_max, "unfair-queued", 1024, 1, 1u << 30); /* ... at most */

struct uq_node {
	struct qnode base;
	_Atomic uint32_t prev;   /* tail code of the predecessor; 0: this is the head */
	_Atomic uint32_t period; /* polls between tries; 0: every poll */
	uint8_t pad[8];
};

_Static_assert(sizeof(struct uq_node) == 32, "the four nodes fill two lines");

static void uq_init(void *state, const struct lock_env *env)
{
	qspinlock_init(state, env);
}

static struct uq_node *uq_decode(const struct qspinlock *lock, uint32_t tail)
{
	return (struct uq_node *)qnode_decode(lock, tail, sizeof(struct uq_node));
}

static inline bool uq_take(union qspinlock_word *word)
{
	uint8_t unlocked = 0;

	/* acquire: pairs with q_release */
	return atomic_load_explicit(&word->locked, memory_order_relaxed) == 0 &&
	       atomic_compare_exchange_strong_explicit(&word->locked, &unlocked, Q_LOCKED,
						       memory_order_acquire, memory_order_relaxed);
}

static uint32_t prev_of(const struct uq_node *node)
{
	return atomic_load_explicit(&node->prev, memory_order_relaxed);
}

/* Derives this waiter's period from its predecessor's, and notes it for its successor. */
static uint32_t find_period(const struct qspinlock *lock, struct uq_node *node)
{
	uint32_t prev = prev_of(node), period = 0;

	if (prev) {
		period = atomic_load_explicit(&uq_decode(lock, prev)->period, memory_order_relaxed);
		period = period ? period * 2 : uq_steal_min;
		if (period > uq_steal_max)
			period = uq_steal_max;
	}
	atomic_store_explicit(&node->period, period, memory_order_relaxed);
	return period;
}

/* Polls until the lock is ours; tries to take it once per period. */
static void poll_and_steal(struct qspinlock *lock, struct uq_node *node, struct spin *spin)
{
	uint32_t left = find_period(lock, node);

	/* prev_of() reads our own line; it is 0 once we are the head */
	while ((left > 0 && prev_of(node)) || !uq_take(&lock->word)) {
		if (left > 0)
			left--;
		else
			left = find_period(lock, node);
		left -= (uint32_t)spin_polls(spin, (uint64_t)left + 1) - 1;
	}
}

/* Takes the owner's node out of the queue, wherever it stands. The owner may write all links except
 * those that a newcomer writes; the release of each earlier owner published the others. */
static void leave(struct qspinlock *lock, struct uq_node *node, uint32_t tail)
{
	uint32_t prev = prev_of(node);
	struct uq_node *before = prev ? uq_decode(lock, prev) : NULL;
	uint16_t last = (uint16_t)(tail >> Q_TAIL_SHIFT);
	struct qnode *next = NULL;

	/* Before the CAS: a newcomer that finds `before` at the tail links itself to it. */
	if (before)
		atomic_store_explicit(&before->base.next, NULL, memory_order_relaxed);
	/* Release: publishes the store above; pairs with a newcomer's exchange of tail. Fails if
	 * somebody is behind us. */
	if (!atomic_compare_exchange_strong_explicit(&lock->word.tail, &last,
						     (uint16_t)(prev >> Q_TAIL_SHIFT),
						     memory_order_release, memory_order_relaxed)) {
		next = qnode_next(&node->base);
		if (before)
			qnode_link(&before->base, next);
		atomic_store_explicit(&((struct uq_node *)next)->prev, prev, memory_order_relaxed);
	}
}

static void acquire_queued(struct qspinlock *lock, struct uq_node *node, uint32_t tail,
			   struct spin *spin)
{
	uint32_t old;

	qnode_reset(&node->base);
	old = q_exchange_tail(&lock->word, tail);
	atomic_store_explicit(&node->prev, old, memory_order_relaxed);
	if (old)
		qnode_link(&uq_decode(lock, old)->base, &node->base);
	poll_and_steal(lock, node, spin);
	spin_end(spin, SPIN_WON);
	if (prev_of(node))
		lock_count(port_my_stats(), EV_QUEUED_STEALS);
	leave(lock, node, tail);
}

static __attribute__((noinline)) void uq_slow(struct qspinlock *lock, struct uq_node *first)
{
	struct spin spin = spin_begin();
	struct lock_stats *stats = port_my_stats();
	uint32_t level;

	if (uq_take(&lock->word)) {
		lock_count_steal(stats, q_load(&lock->word) & Q_TAIL_MASK);
		return;
	}
	lock_count(stats, EV_LOCK_SLOWPATH);
	level = qnode_take(&first->base, stats);
	if (level < Q_NODES) {
		acquire_queued(lock, first + level, qnode_encode(port_cpu(), level), &spin);
	} else {
		while (!uq_take(&lock->word))
			spin_poll_on(&spin);
		spin_end(&spin, SPIN_WON);
	}
	qnode_put(&first->base);
}

static inline void uq_acquire(void *state, void *node)
{
	struct qspinlock *lock = state;
	uint32_t seen;

	if (__builtin_expect(!q_try_fast(&lock->word, &seen), 0))
		uq_slow(lock, node);
}

/* As unfair as acquire: only the lock byte counts. */
static inline bool uq_try_acquire(void *state, void *node)
{
	struct qspinlock *lock = state;

	(void)node;
	return uq_take(&lock->word);
}

static inline void uq_release(void *state, void *node)
{
	struct qspinlock *lock = state;

	(void)node;
	q_release(&lock->word);
}

static const struct lock_ops unfair_queued_ops = {
	.name = "unfair-queued",
	.cite = "W. Long 2014-2015, linux-kernel, not merged",
	.flags = LOCK_QUEUED | LOCK_NODE_POOL | LOCK_RESTORES,
	.state_size = sizeof(struct qspinlock),
	.node_size = Q_NODES * sizeof(struct uq_node),
	.init = uq_init,
	.acquire = uq_acquire,
	.try_acquire = uq_try_acquire,
	.release = uq_release,
	.describe = q_describe,
};

LOCK_REGISTER(unfair_queued_ops);

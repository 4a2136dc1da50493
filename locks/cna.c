/* SPDX-License-Identifier: MIT */
/*
 * cna: qspinlock with a queue that keeps to one NUMA node for a while. Word, fast path and pending
 * bit are qspinlock's. The head of the queue, while it waits for the lock, takes waiters of other
 * nodes out of the queue and puts them into a secondary one, until its successor is of the node
 * that the lock is on. Once the secondary queue has waited for cna_threshold_us, or nobody is left
 * in the main one, it comes first again.
 *
 *	granted	of a node: 0 waiting; 1 head, and there is no secondary queue; else head, and the
 *tail of the secondary queue, a circular list node	the waiter's NUMA node; of a head that was
 *handed a secondary queue, the one preferred
 *
 * Only the head edits links, and never the last node's, whose `next` a newcomer may be writing: so
 * no link is written by two. Waiters in a nested context hold up an interrupted one and are never
 * moved.
 *
 * Preemption: as qspinlock. NUMA nodes come from the SRAT or nodes=; with one node nothing is
 *moved.
 *
 * D. Dice, A. Kogan, "Compact NUMA-Aware Locks", EuroSys 2019; A. Kogan's qspinlock patches, v15
 * ("Add NUMA-awareness to qspinlock", LKML 2021), not merged; linux/kernel/locking/qspinlock_cna.h.
 */
#include "locks/qnode.h"
#include "locks/qspinlock_pending.h"
#include "locks/register.h"
#include "locks/spin.h"
#include "locks/tunables.h"

#define HEAD_ALONE 1u         /* granted: no secondary queue; tails are 1 << 18 and more */
#define ANY_NODE   UINT32_MAX /* of a waiter that is not to be moved */

/* How long others may be passed over. 1 ms in the posted series, 10 in the tree of its author. */
TUNABLE(cna_threshold_us, "cna", 1000, 0, 10000000);
/* Without a secondary queue, one head in 2^this looks for waiters to move (Linux patch: 7). */
TUNABLE(cna_shuffle_bits, "cna", 7, 0, 32);

struct cna_node {
	struct qnode base;
	uint32_t tail;  /* this node's name */
	uint32_t node;  /* of the CPU or, as head, preferred */
	uint64_t since; /* TSC at which the secondary queue was begun; 0: there is none */
};

_Static_assert(sizeof(struct cna_node) == 32, "the four nodes fill two lines");

static uint64_t threshold_cycles; /* written by init, before the run */

static void cna_init(void *state, const struct lock_env *env)
{
	qspinlock_init(state, env);
	threshold_cycles = port_ns_to_cycles(cna_threshold_us * UINT64_C(1000));
}

static struct cna_node *decode(const struct qspinlock *lock, uint32_t tail)
{
	return (struct cna_node *)qnode_decode(lock, tail, sizeof(struct cna_node));
}

/* Acquire: pairs with qnode_link, whether it was the waiter's or append()'s. */
static struct cna_node *next_of(struct cna_node *node)
{
	return (struct cna_node *)atomic_load_explicit(&node->base.next, memory_order_acquire);
}

/* Puts `node` behind the secondary queue and returns the queue's new name. */
static uint32_t append(const struct qspinlock *lock, uint32_t secondary, struct cna_node *node)
{
	struct cna_node *last = node;

	if (secondary != HEAD_ALONE) {
		last = decode(lock, secondary);
		qnode_link(&node->base, &next_of(last)->base);
	}
	qnode_link(&last->base, &node->base);
	return node->tail;
}

/* Looks at the head's successor and moves it if it is of another node. True: nothing more to do. */
static bool sort_one(const struct qspinlock *lock, struct cna_node *head, uint32_t *secondary)
{
	struct cna_node *next = next_of(head), *behind;

	if (!next)
		return false;
	if (next->node == head->node || next->node == ANY_NODE)
		return true;
	behind = next_of(next);
	if (!behind)
		return false; /* it may be the last */
	qnode_link(&head->base, &behind->base);
	if (*secondary == HEAD_ALONE)
		head->since = port_cycles() | 1;
	*secondary = append(lock, *secondary, next);
	lock_count(port_my_stats(), EV_NUMA_SORTED);
	return false;
}

/* Whether this head sorts at all: to look at the successor costs a line transfer. */
static bool sorts(uint32_t secondary)
{
	/* Knuth, TAOCP vol. 3, 6.4: the high bits of a product with the golden ratio */
	uint64_t random = port_cycles() * 0x9e3779b97f4a7c15ull >> 32;

	return secondary != HEAD_ALONE || random >> (32 - cna_shuffle_bits) == 0;
}

/* Release: pairs with the load in wait_granted. */
static void grant(struct cna_node *node, uint32_t secondary)
{
	atomic_store_explicit(&node->base.granted, secondary, memory_order_release);
}

/* The owner was the last of the main queue: takes its tail away or, with a secondary queue, makes
 * that the main one. False: somebody queued up, or is about to. */
static bool leave_last(struct qspinlock *lock, uint32_t value, uint32_t secondary)
{
	struct cna_node *last, *first;

	if (secondary == HEAD_ALONE)
		return atomic_compare_exchange_strong_explicit(&lock->word.value, &value, Q_LOCKED,
							       memory_order_relaxed,
							       memory_order_relaxed);
	last = decode(lock, secondary);
	first = next_of(last);
	/* before it is the tail: from then on its next is a newcomer's to write */
	atomic_store_explicit(&last->base.next, NULL, memory_order_relaxed);
	/* release: pairs with the exchange of tail by that newcomer */
	if (!atomic_compare_exchange_strong_explicit(&lock->word.value, &value,
						     secondary | Q_LOCKED, memory_order_release,
						     memory_order_relaxed)) {
		qnode_link(&last->base, &first->base);
		return false;
	}
	lock_count(port_my_stats(), EV_NUMA_FLUSHED);
	grant(first, HEAD_ALONE);
	return true;
}

/* The owner passes the headship: to its successor or, if that queue has waited too long, to the
 * first of the secondary queue with the main one behind it. */
static void promote(const struct qspinlock *lock, struct cna_node *head, uint32_t secondary,
		    bool flush)
{
	struct cna_node *next = (struct cna_node *)qnode_next(&head->base);

	if (secondary == HEAD_ALONE) {
		grant(next, HEAD_ALONE);
	} else if (flush) {
		struct cna_node *last = decode(lock, secondary), *first = next_of(last);

		qnode_link(&last->base, &next->base);
		lock_count(port_my_stats(), EV_NUMA_FLUSHED);
		grant(first, HEAD_ALONE);
	} else {
		next->node = head->node;
		next->since = head->since;
		grant(next, secondary);
	}
}

static void acquire_as_head(struct qspinlock *lock, struct cna_node *head, uint32_t secondary,
			    struct spin *spin)
{
	bool flush = head->since != 0 && port_cycles() - head->since >= threshold_cycles;
	bool sorted = flush || !sorts(secondary);
	uint32_t value;

	if (head->node == ANY_NODE)
		head->node = port_node(port_cpu());
	/* acquire: pairs with q_release */
	while ((value = atomic_load_explicit(&lock->word.value, memory_order_acquire)) &
	       (Q_LOCKED_MASK | Q_PENDING_MASK)) {
		if (!sorted)
			sorted = sort_one(lock, head, &secondary);
		spin_poll(spin);
	}
	/* Last in the queue: (tail, 0, 0) -> (?, 0, 1). Fails if somebody queued up behind us or
	 * set pending; the latter sees our tail, undoes it and queues up. */
	if ((value & Q_TAIL_MASK) == head->tail && leave_last(lock, value, secondary)) {
		spin_end(spin, SPIN_HANDED);
		return;
	}
	q_set_locked(&lock->word);
	spin_end(spin, SPIN_HANDED);
	promote(lock, head, secondary, flush);
}

static uint32_t wait_granted(struct cna_node *node, struct spin *spin)
{
	uint32_t granted;

	/* acquire: pairs with grant; it also brings all links of the secondary queue */
	while (!(granted = atomic_load_explicit(&node->base.granted, memory_order_acquire)))
		spin_poll(spin);
	spin_stage(spin, SPIN_HANDED);
	return granted;
}

static void acquire_queued(struct qspinlock *lock, struct cna_node *node, uint32_t level,
			   struct spin *spin)
{
	uint32_t secondary = HEAD_ALONE, old;

	qnode_reset(&node->base);
	node->tail = qnode_encode(port_cpu(), level);
	node->node = level == 0 ? port_node(port_cpu()) : ANY_NODE;
	node->since = 0;
	if (q_try(&lock->word)) { /* touching the node took a while: it may be free by now */
		spin_end(spin, SPIN_WON);
		return;
	}
	old = q_exchange_tail(&lock->word, node->tail);
	if (old) {
		qnode_link(&decode(lock, old)->base, &node->base);
		secondary = wait_granted(node, spin);
	}
	acquire_as_head(lock, node, secondary, spin);
}

static __attribute__((noinline)) void cna_slow(struct qspinlock *lock, struct cna_node *first,
					       uint32_t value)
{
	struct spin spin = spin_begin();
	uint32_t level;

	if (q_acquire_pending(&lock->word, value, &spin))
		return;
	lock_count(port_my_stats(), EV_LOCK_SLOWPATH);
	level = qnode_take(&first->base, port_my_stats());
	if (level < Q_NODES) {
		acquire_queued(lock, first + level, level, &spin);
	} else {
		while (!q_try(&lock->word))
			spin_poll(&spin);
		spin_end(&spin, SPIN_WON);
	}
	qnode_put(&first->base);
}

static inline void cna_acquire(void *state, void *node)
{
	struct qspinlock *lock = state;
	uint32_t seen;

	if (__builtin_expect(!q_try_fast(&lock->word, &seen), 0))
		cna_slow(lock, node, seen);
}

static inline bool cna_try_acquire(void *state, void *node)
{
	struct qspinlock *lock = state;

	(void)node;
	return q_try(&lock->word);
}

static inline void cna_release(void *state, void *node)
{
	struct qspinlock *lock = state;

	(void)node;
	q_release(&lock->word);
}

static const struct lock_ops cna_ops = {
	.name = "cna",
	.cite = "Dice & Kogan 2019, EuroSys; qspinlock patches v15",
	.flags = LOCK_QUEUED | LOCK_NODE_POOL | LOCK_RESTORES,
	.state_size = sizeof(struct qspinlock),
	.node_size = Q_NODES * sizeof(struct cna_node),
	.init = cna_init,
	.acquire = cna_acquire,
	.try_acquire = cna_try_acquire,
	.release = cna_release,
	.describe = q_describe,
};

LOCK_REGISTER(cna_ops);

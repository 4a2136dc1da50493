/* SPDX-License-Identifier: MIT */
/*
 * cna: qspinlock with a queue that prefers its head's NUMA node. While the head waits for the lock,
 * it moves waiters of other nodes from the main queue to a secondary queue, until its successor is
 * of its own node. The headship moves on in the main queue, and the preference and the secondary
 * queue go with it. When the main queue is empty, the secondary queue becomes the main queue. When
 * the secondary queue is older than cna_threshold_us, it is put at the front of the main queue.
 *
 *	granted   what the previous head passed on: 1, or the tail code of the secondary queue's
 *		  last node (never 1). That queue is a ring: its last node's next is its first
 *	node      the preferred NUMA node: the waiter's own, or inherited with a secondary queue
 *	started   TSC at which the secondary queue got its first waiter
 *
 * Only the head edits links. It never moves the last node of the main queue, because a newcomer may
 * be writing that node's next. The store to granted publishes the fields that are passed on.
 *
 * With all vCPUs on one node this is qspinlock. Preemption: as qspinlock; Linux's patches leave cna
 * off in PV guests.
 *
 * D. Dice, A. Kogan, "Compact NUMA-aware Locks", EuroSys 2019; A. Kogan, "Add NUMA-awareness to
 * qspinlock" v15, linux-kernel 2021 (not merged). v15 never moves waiters that have interrupts off
 * or real-time priority; of these, pvspin knows only nested contexts.
 */
#include "bench/register.h"
#include "locks/core/spin.h"
#include "locks/core/tunables.h"
#include "locks/qnode.h"
#include "locks/qspinlock_pending.h"

TUNABLE(cna_threshold_us, "cna", 1000, 0, 60000000); /* longest stay in the secondary queue */
TUNABLE(cna_shuffle_bits, "cna", 7, 0, 31);          /* one head in 2^n starts a secondary queue */

#define ANY_NODE UINT32_MAX /* nested waiter: never moved, as it delays the one it interrupts */

struct cna_node {
	struct qnode base;
	uint32_t node;
	uint32_t tail;   /* code of this queue node */
	uint64_t random; /* kept from one use of the node to the next */
	uint64_t started;
	uint8_t pad[CACHE_LINE - 40];
};

struct cna_lock {
	struct qspinlock base;
	uint64_t threshold_cycles; /* only read */
};

_Static_assert(sizeof(struct cna_node) == CACHE_LINE, "a waiter polls its own line");

static void cna_init(void *state, const struct lock_env *env)
{
	struct cna_lock *lock = state;

	qspinlock_init(&lock->base, env);
	lock->threshold_cycles = port_ns_to_cycles(cna_threshold_us * UINT64_C(1000));
}

static struct cna_node *cna_decode(const struct cna_lock *lock, uint32_t tail)
{
	return (struct cna_node *)qnode_decode(&lock->base, tail, sizeof(struct cna_node));
}

static struct cna_node *next_of(const struct cna_node *node)
{
	/* acquire: pairs with qnode_link */
	return (struct cna_node *)atomic_load_explicit(&node->base.next, memory_order_acquire);
}

/* Returns the tail code of the head's secondary queue, 0 if there is none. */
static uint32_t secondary_of(const struct cna_node *node)
{
	uint32_t granted = atomic_load_explicit(&node->base.granted, memory_order_relaxed);

	return granted > 1 ? granted : 0;
}

/* Moves the head's successor, of another NUMA node and not the last, to the end of the secondary
 * queue. */
static void set_aside(struct cna_lock *lock, struct cna_node *head, struct cna_node *next)
{
	uint32_t secondary = secondary_of(head);

	qnode_link(&head->base, &next_of(next)->base);
	if (secondary) {
		struct cna_node *last = cna_decode(lock, secondary);

		qnode_link(&next->base, &next_of(last)->base);
		qnode_link(&last->base, &next->base);
	} else {
		qnode_link(&next->base, &next->base);
		head->started = port_cycles();
	}
	atomic_store_explicit(&head->base.granted, next->tail, memory_order_relaxed);
	lock_count(port_my_stats(), EV_NUMA_SORTED);
}

/* Looks at the successor. Returns true if it is of the preferred node or must not be moved;
 * otherwise moves it, unless it is the last. */
static bool sort_step(struct cna_lock *lock, struct cna_node *head)
{
	struct cna_node *next = next_of(head);

	if (!next)
		return false;
	if (next->node == head->node || next->node == ANY_NODE)
		return true;
	if (next_of(next))
		set_aside(lock, head, next);
	return false;
}

/* Draws whether this head does without sorting: true with probability 1 - 2^-cna_shuffle_bits.
 * G. Marsaglia, "Xorshift RNGs", 2003. */
static bool declines_to_sort(struct cna_node *node)
{
	if (node->random == 0)
		node->random = node->tail;
	node->random ^= node->random << 13;
	node->random ^= node->random >> 7;
	node->random ^= node->random << 17;
	return (node->random >> 32 & ((1u << cna_shuffle_bits) - 1)) != 0;
}

static bool is_old(const struct cna_lock *lock, const struct cna_node *node)
{
	return port_cycles() - node->started > lock->threshold_cycles;
}

/* The head sorts the queue while the lock is held or pending. Returns true if it is time to give
 * the secondary queue back. */
static bool sort_while_waiting(struct cna_lock *lock, struct cna_node *head, struct spin *spin)
{
	if (secondary_of(head) ? is_old(lock, head) : declines_to_sort(head))
		return secondary_of(head) != 0;
	while ((q_load(&lock->base.word) & (Q_LOCKED_MASK | Q_PENDING_MASK)) &&
	       !sort_step(lock, head))
		spin_poll(spin);
	return false;
}

static void grant(struct qnode *next, uint32_t granted)
{
	/* release: pairs with the poll in acquire_queued; publishes links, node and started */
	atomic_store_explicit(&next->granted, granted, memory_order_release);
}

/* Takes the lock when the main queue is empty but for the head: (tail, 0, 0) -> (0, 0, 1), with the
 * secondary tail in place of 0 if there is one. Returns false if somebody queued up or set pending;
 * the one that set pending sees our tail and queues up. */
static bool end_main_queue(struct cna_lock *lock, struct cna_node *head, uint32_t value,
			   struct spin *spin)
{
	uint32_t secondary = secondary_of(head);
	struct qnode *last = NULL, *first = NULL, *ring;

	if (secondary) {
		last = &cna_decode(lock, secondary)->base;
		first = atomic_load_explicit(&last->next, memory_order_relaxed);
	}
	/* The caller has acquired. Release: a newcomer that finds the secondary tail links itself
	 * to that node, after all that was done to it. */
	if (!atomic_compare_exchange_strong_explicit(&lock->base.word.value, &value,
						     secondary | Q_LOCKED, memory_order_release,
						     memory_order_relaxed))
		return false;
	spin_end(spin, SPIN_HANDED);
	if (!secondary)
		return true;
	/* opens the ring, unless a newcomer has linked itself there already */
	ring = first;
	atomic_compare_exchange_strong_explicit(&last->next, &ring, NULL, memory_order_relaxed,
						memory_order_relaxed);
	lock_count(port_my_stats(), EV_NUMA_FLUSHED);
	grant(first, 1);
	return true;
}

/* The new owner makes the next waiter the head: its successor, or the first of the secondary queue
 * if that is given back. */
static void pass_headship(struct cna_lock *lock, struct cna_node *head, bool give_back)
{
	struct cna_node *next = (struct cna_node *)qnode_next(&head->base);
	uint32_t secondary = secondary_of(head);
	struct qnode *last, *first;

	if (!secondary) {
		grant(&next->base, 1);
	} else if (give_back) {
		last = &cna_decode(lock, secondary)->base;
		first = atomic_load_explicit(&last->next, memory_order_relaxed);
		qnode_link(last, &next->base);
		lock_count(port_my_stats(), EV_NUMA_FLUSHED);
		grant(first, 1);
	} else {
		next->node = head->node;
		next->started = head->started;
		grant(&next->base, secondary);
	}
}

static void acquire_as_head(struct cna_lock *lock, struct cna_node *node, struct spin *spin)
{
	bool give_back;
	uint32_t value;

	if (node->node == ANY_NODE)
		node->node = port_node(port_cpu());
	give_back = sort_while_waiting(lock, node, spin);
	/* acquire: pairs with q_release */
	while ((value = atomic_load_explicit(&lock->base.word.value, memory_order_acquire)) &
	       (Q_LOCKED_MASK | Q_PENDING_MASK))
		spin_poll_on(spin);
	if ((value & Q_TAIL_MASK) == node->tail && end_main_queue(lock, node, value, spin))
		return;
	q_set_locked(&lock->base.word); /* nobody else can: we are the head of a queue */
	spin_end(spin, SPIN_HANDED);
	pass_headship(lock, node, give_back);
}

static void acquire_queued(struct cna_lock *lock, struct cna_node *node, uint32_t tail,
			   struct spin *spin)
{
	uint32_t old;

	qnode_reset(&node->base);
	node->node = (tail >> Q_TAIL_SHIFT) % Q_NODES == 0 ? port_node(port_cpu()) : ANY_NODE;
	node->tail = tail;
	if (q_try(&lock->base.word)) {
		spin_end(spin, SPIN_WON);
		return;
	}
	old = q_exchange_tail(&lock->base.word, tail);
	if (old) {
		qnode_link(&cna_decode(lock, old)->base, &node->base);
		/* acquire: pairs with grant */
		while (!atomic_load_explicit(&node->base.granted, memory_order_acquire))
			spin_poll_on(spin);
		spin_stage(spin, SPIN_HANDED);
		qnode_prefetch_next(&node->base);
	}
	acquire_as_head(lock, node, spin);
}

static __attribute__((noinline)) void cna_slow(struct cna_lock *lock, struct cna_node *first,
					       uint32_t value)
{
	struct spin spin = spin_begin();
	uint32_t level;

	if (q_acquire_pending(&lock->base.word, value, &spin))
		return;
	lock_count(port_my_stats(), EV_LOCK_SLOWPATH);
	level = qnode_take(&first->base, port_my_stats());
	if (level < Q_NODES) {
		acquire_queued(lock, first + level, qnode_encode(port_cpu(), level), &spin);
	} else {
		while (!q_try(&lock->base.word))
			spin_poll_on(&spin);
		spin_end(&spin, SPIN_WON);
	}
	qnode_put(&first->base);
}

static inline void cna_acquire(void *state, void *node)
{
	struct cna_lock *lock = state;
	uint32_t seen;

	if (__builtin_expect(!q_try_fast(&lock->base.word, &seen), 0))
		cna_slow(lock, node, seen);
}

static inline bool cna_try_acquire(void *state, void *node)
{
	struct cna_lock *lock = state;

	(void)node;
	return q_try(&lock->base.word);
}

static inline void cna_release(void *state, void *node)
{
	struct cna_lock *lock = state;

	(void)node;
	q_release(&lock->base.word);
}

static const struct lock_ops cna_ops = {
	.name = "cna",
	.cite = "Dice & Kogan, EuroSys 2019; Kogan's qspinlock patches v15",
	.flags = LOCK_QUEUED | LOCK_NODE_POOL | LOCK_RESTORES,
	.state_size = sizeof(struct cna_lock),
	.node_size = Q_NODES * sizeof(struct cna_node),
	.init = cna_init,
	.acquire = cna_acquire,
	.try_acquire = cna_try_acquire,
	.release = cna_release,
	.describe = q_describe,
};

LOCK_REGISTER(cna_ops);

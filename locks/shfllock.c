/* SPDX-License-Identifier: MIT */
/*
 * shfllock: a test-and-set word in front of an MCS queue whose waiters sort the queue while they
 * wait, off the critical path. The head begins: it walks the queue and moves waiters of its own
 * group up behind itself, then hands the task to the last one it moved, so the role only goes
 * forward and there is one shuffler at a time. Non-blocking variant.
 *
 *	locked		0 free, 1 held
 *	no_stealing	somebody queues: newcomers have to queue too
 *
 * A group is a NUMA node (shfl_policy=0, as published) or, with shfl_policy=1, the waiters whose
 * vCPU the host has not preempted: those are brought forward. At most shfl_batch are grouped one
 * after the other; then the next head begins anew, whoever it is.
 *
 * Links are edited by the shuffler alone, behind itself, where nobody leaves before it does; and
 * never that of the last node, whose `next` a newcomer may be writing.
 *
 * Preemption: as mcs once somebody queues. With shfl_policy=1 a waiter that is off its CPU falls
 * back while somebody ahead of it polls; a preempted head still keeps the lock from everybody.
 *
 * S. Kashyap, I. Calciu, X. Cheng, C. Min, T. Kim, "Scalable and Practical Locking with Shuffling",
 * SOSP 2019.
 */
#include "locks/pv.h"
#include "locks/register.h"
#include "locks/spin.h"
#include "locks/tunables.h"
#include "pvspin/printf.h"

#define SHFL_LOCKED 1u
#define BY_NODE     0
#define ACTIVE      1

TUNABLE(shfl_batch, "shfllock", 1024, 1, 1u << 20);
TUNABLE(shfl_policy, "shfllock", BY_NODE, BY_NODE, ACTIVE);

struct shfl_node {
	struct shfl_node *_Atomic next;
	_Atomic uint8_t ready;    /* 1: head of the queue */
	_Atomic uint8_t shuffler; /* 1: this waiter has the task */
	uint32_t cpu;
	uint32_t node;
	uint32_t batch; /* place in its batch, by the shuffler that grouped it; 0: not grouped */
};

struct shfl_lock {
	union {
		_Atomic uint16_t word;
		struct {
			_Atomic uint8_t locked;
			_Atomic uint8_t no_stealing;
		};
	};
	struct shfl_node *_Atomic tail;
};

static void shfl_init(void *state, const struct lock_env *env)
{
	struct shfl_lock *lock = state;

	(void)env;
	atomic_init(&lock->word, 0);
	atomic_init(&lock->tail, NULL);
}

/* Free and nobody queues. Acquire: pairs with the store in shfl_release. */
static inline bool take_unqueued(struct shfl_lock *lock)
{
	uint16_t none = 0;

	return atomic_compare_exchange_strong_explicit(&lock->word, &none, SHFL_LOCKED,
						       memory_order_acquire, memory_order_relaxed);
}

/* By the head. Acquire: pairs with the store in shfl_release. */
static bool take_as_head(struct shfl_lock *lock)
{
	uint8_t none = 0;

	return atomic_load_explicit(&lock->locked, memory_order_relaxed) == 0 &&
	       atomic_compare_exchange_strong_explicit(&lock->locked, &none, SHFL_LOCKED,
						       memory_order_acquire, memory_order_relaxed);
}

/* Acquire: pairs with link. */
static struct shfl_node *next_of(const struct shfl_node *node)
{
	return atomic_load_explicit(&node->next, memory_order_acquire);
}

/* Release: publishes the fields of `next` to who follows the link. */
static void link(struct shfl_node *node, struct shfl_node *next)
{
	atomic_store_explicit(&node->next, next, memory_order_release);
}

static bool is_ready(const struct shfl_node *node)
{
	/* acquire: pairs with the store in leave */
	return atomic_load_explicit(&node->ready, memory_order_acquire) != 0;
}

static bool groups(const struct shfl_node *shuffler, const struct shfl_node *waiter)
{
	return shfl_policy == ACTIVE ? !pv_preempted(waiter->cpu) : waiter->node == shuffler->node;
}

/* Whether the shuffler has better things to do. */
static bool called(const struct shfl_lock *lock, const struct shfl_node *shuffler)
{
	if (is_ready(shuffler))
		return atomic_load_explicit(&lock->locked, memory_order_relaxed) == 0;
	return false;
}

/* Moves `node`, which `previous` points to, behind `last`. False: it may be the queue's last. */
static bool move_up(struct shfl_node *last, struct shfl_node *previous, struct shfl_node *node)
{
	struct shfl_node *behind = next_of(node);

	if (!behind)
		return false;
	link(previous, behind);
	link(node, next_of(last));
	link(last, node);
	lock_count(port_my_stats(), EV_NUMA_SORTED);
	return true;
}

/* One walk from the shuffler to the end of the queue, or until it is called away. */
static void shuffle(const struct shfl_lock *lock, struct shfl_node *mine)
{
	struct shfl_node *last = mine, *previous = mine, *node;
	uint32_t batch = mine->batch ? mine->batch : 1;

	mine->batch = batch;
	atomic_store_explicit(&mine->shuffler, 0, memory_order_relaxed);
	lock_count(port_my_stats(), EV_NUMA_FLUSHED);
	while (batch < shfl_batch && (node = next_of(previous)) &&
	       node != atomic_load_explicit(&lock->tail, memory_order_relaxed)) {
		if (!groups(mine, node)) {
			previous = node;
		} else if (previous == last) {
			node->batch = ++batch;
			last = previous = node;
		} else if (move_up(last, previous, node)) {
			node->batch = ++batch;
			last = node;
		} else {
			break;
		}
		if (called(lock, mine))
			break;
	}
	if (batch < shfl_batch)
		/* release: pairs with the load in has_task; the batch comes with it */
		atomic_store_explicit(&last->shuffler, 1, memory_order_release);
}

static bool has_task(const struct shfl_node *node)
{
	/* acquire: pairs with the store in shuffle */
	return atomic_load_explicit(&node->shuffler, memory_order_acquire) != 0;
}

static void wait_for_lock(struct shfl_lock *lock, struct shfl_node *mine, struct spin *spin)
{
	if (mine->batch == 0 || has_task(mine))
		shuffle(lock, mine);
	while (!take_as_head(lock)) {
		if (has_task(mine))
			shuffle(lock, mine);
		spin_poll(spin);
	}
	spin_end(spin, SPIN_HANDED);
}

/* The new owner leaves the queue. */
static void leave(struct shfl_lock *lock, struct shfl_node *mine)
{
	struct shfl_node *next = next_of(mine), *last = mine;

	if (!next) {
		/* release: pairs with the exchange in shfl_slow. A newcomer that queues up right
		 * after it may have its no_stealing taken away: unfair to it, not unsafe. */
		if (atomic_compare_exchange_strong_explicit(
			    &lock->tail, &last, NULL, memory_order_release, memory_order_relaxed)) {
			atomic_store_explicit(&lock->no_stealing, 0, memory_order_relaxed);
			return;
		}
		while (!(next = next_of(mine)))
			port_relax();
	}
	/* release: pairs with is_ready; all links edited so far come with it */
	atomic_store_explicit(&next->ready, 1, memory_order_release);
}

static __attribute__((noinline)) void shfl_slow(struct shfl_lock *lock, struct shfl_node *mine)
{
	struct spin spin = spin_begin();
	struct shfl_node *previous;

	lock_count(port_my_stats(), EV_LOCK_SLOWPATH);
	atomic_store_explicit(&mine->next, NULL, memory_order_relaxed);
	atomic_store_explicit(&mine->ready, 0, memory_order_relaxed);
	atomic_store_explicit(&mine->shuffler, 0, memory_order_relaxed);
	mine->cpu = port_cpu();
	mine->node = port_node(mine->cpu);
	mine->batch = 0;
	/* acquire: pairs with the CAS in leave; release: publishes the node to the successor */
	previous = atomic_exchange_explicit(&lock->tail, mine, memory_order_acq_rel);
	if (previous) {
		link(previous, mine);
		while (!is_ready(mine)) {
			if (has_task(mine))
				shuffle(lock, mine);
			spin_poll(&spin);
		}
		spin_stage(&spin, SPIN_HANDED);
	} else {
		atomic_store_explicit(&lock->no_stealing, 1, memory_order_relaxed);
		atomic_store_explicit(&mine->ready, 1, memory_order_relaxed);
	}
	wait_for_lock(lock, mine, &spin);
	leave(lock, mine);
}

static inline void shfl_acquire(void *state, void *node)
{
	if (__builtin_expect(!take_unqueued(state), 0))
		shfl_slow(state, node);
}

static inline bool shfl_try_acquire(void *state, void *node)
{
	struct shfl_lock *lock = state;

	(void)node;
	/* a look first: a CAS bound to fail would take the line from the holder */
	return atomic_load_explicit(&lock->word, memory_order_relaxed) == 0 && take_unqueued(lock);
}

static inline void shfl_release(void *state, void *node)
{
	struct shfl_lock *lock = state;

	(void)node;
	/* release: pairs with take_unqueued and take_as_head. One byte: no_stealing changes by
	 * itself; so a CAS of both soon after it waits for the store buffer, as in qspinlock. */
	atomic_store_explicit(&lock->locked, 0, memory_order_release);
}

static void shfl_describe(const void *state, char *text, size_t size)
{
	const struct shfl_lock *lock = state;
	uint16_t word = atomic_load_explicit(&lock->word, memory_order_relaxed);
	const struct shfl_node *tail = atomic_load_explicit(&lock->tail, memory_order_relaxed);

	ksnprintf(text, size, "word 0x%04x: locked %u, no_stealing %u, tail %p", word, word & 0xffu,
		  word >> 8, (const void *)tail);
}

static const struct lock_ops shfl_ops = {
	.name = "shfllock",
	.cite = "Kashyap et al. 2019, SOSP",
	.flags = LOCK_QUEUED | LOCK_NEEDS_PREEMPTED | LOCK_RESTORES,
	.state_size = CACHE_LINE,
	.node_size = sizeof(struct shfl_node),
	.init = shfl_init,
	.acquire = shfl_acquire,
	.try_acquire = shfl_try_acquire,
	.release = shfl_release,
	.describe = shfl_describe,
};

LOCK_REGISTER(shfl_ops);

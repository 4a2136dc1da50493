/* SPDX-License-Identifier: MIT */
/*
 * shfllock: a test-and-set lock with an MCS queue beside it, whose waiters sort the queue while
 * they wait. A vCPU that finds the lock free and nobody queued takes it. Otherwise it joins the
 * queue, becomes its head and takes the byte. One waiter at a time is the shuffler: it moves
 * waiters that match, wherever they stand behind it, to a place right behind itself, and passes the
 * role to the last of them.
 *
 *	glock     byte 0 locked; byte 1 no_stealing: somebody queues
 *	batch     of a node: its place in the group of matching waiters, 0: in none. A group of
 *	          shfl_batch is not extended, which bounds how long the others are passed over.
 *	shuffler  of a node: has the role
 *
 * A waiter matches if it is of the shuffler's NUMA node, as published, or, with shfl_policy=1, if
 * it is not descheduled.
 *
 * Why there is one shuffler: only a head that is in no group starts to shuffle, and it makes itself
 * the first of a group. A group is contiguous, and its last member has the role; in a full group
 * nobody has. So no head inside a group starts. Why links are safe: the shuffler writes links only
 * behind itself, only of waiters that cannot leave before it does, and never those of the last
 * node, which a newcomer may be writing.
 *
 * Preemption: holder and head as in mcs, and its third hole. Stealing helps only while nobody
 * queues; with shfl_policy=1 descheduled waiters sink.
 *
 * S. Kashyap, I. Calciu, X. Cheng, C. Min, T. Kim, "Scalable and Practical Locking with Shuffling",
 * SOSP 2019, the non-blocking lock.
 */
#include "bench/register.h"
#include "lib/printf.h"
#include "locks/core/pv.h"
#include "locks/core/spin.h"
#include "locks/core/tunables.h"

TUNABLE(shfl_batch, "shfllock", 1024, 1, UINT32_MAX); /* most in a group: the paper's constant */
TUNABLE(shfl_policy, "shfllock", 0, 0, 1);            /* 0: by NUMA node; 1: active ones first */

struct shfl_node {
	struct shfl_node *_Atomic next;
	_Atomic uint32_t ready;    /* 1: this is the head */
	_Atomic uint32_t shuffler; /* 1: this waiter sorts those behind it */
	_Atomic uint32_t batch;
	uint32_t cpu, numa; /* of the waiter; published by the link */
};

union shfl_glock {
	_Atomic uint16_t both;
	struct {
		_Atomic uint8_t locked;
		_Atomic uint8_t no_stealing;
	};
};

struct shfl_lock {
	union shfl_glock glock;
	struct shfl_node *_Atomic tail;
};

static void shfl_init(void *state, const struct lock_env *env)
{
	struct shfl_lock *lock = state;

	(void)env;
	atomic_init(&lock->glock.both, 0);
	atomic_init(&lock->tail, NULL);
}

static bool is_locked(const struct shfl_lock *lock)
{
	return atomic_load_explicit(&lock->glock.locked, memory_order_relaxed) != 0;
}

/* Acquire: pairs with the store to ready in pass_headship. */
static bool is_ready(const struct shfl_node *node)
{
	return atomic_load_explicit(&node->ready, memory_order_acquire) != 0;
}

/* Acquire: pairs with the store at the end of shuffle(); the changes of links must be visible. */
static bool is_shuffler(const struct shfl_node *node)
{
	return atomic_load_explicit(&node->shuffler, memory_order_acquire) != 0;
}

/* Acquire: pairs with set_next. */
static struct shfl_node *next_of(const struct shfl_node *node)
{
	return atomic_load_explicit(&node->next, memory_order_acquire);
}

/* Release: pairs with next_of. */
static void set_next(struct shfl_node *node, struct shfl_node *next)
{
	atomic_store_explicit(&node->next, next, memory_order_release);
}

static uint32_t batch_of(const struct shfl_node *node)
{
	return atomic_load_explicit(&node->batch, memory_order_relaxed);
}

/* Relaxed: its waiter reads it as the head or the shuffler; ready and shuffler order that. */
static void set_batch(struct shfl_node *node, uint32_t batch)
{
	atomic_store_explicit(&node->batch, batch, memory_order_relaxed);
}

static bool matches(const struct shfl_node *mine, const struct shfl_node *other)
{
	return shfl_policy == 0 ? other->numa == mine->numa : !pv_preempted(other->cpu);
}

/* Whether the shuffler must stop: as the head, because the lock is free; else because it has become
 * the head. */
static bool is_due(const struct shfl_lock *lock, const struct shfl_node *mine, bool head)
{
	return head ? !is_locked(lock) : is_ready(mine);
}

/* Moves waiters that match right behind `mine` or those moved before. Returns the last of the
 * group. */
static struct shfl_node *sort(struct shfl_lock *lock, struct shfl_node *mine, bool head)
{
	struct shfl_node *last = mine, *previous = mine, *current, *next;
	uint32_t batch = batch_of(mine), moved = 0;

	while (batch < shfl_batch && !is_due(lock, mine, head)) {
		current = next_of(previous);
		if (!current || current == atomic_load_explicit(&lock->tail, memory_order_relaxed))
			break; /* the last one stays: its next is a newcomer's to write */
		if (!matches(mine, current)) {
			previous = current;
			continue;
		}
		if (previous != last) {
			next = next_of(current);
			if (!next)
				break; /* it was the last one; a newcomer is linking itself */
			set_next(previous, next);
			set_next(current, next_of(last));
			set_next(last, current);
			moved++;
		} else {
			previous = current;
		}
		set_batch(current, ++batch);
		last = current;
	}
	port_my_stats()->count[EV_NUMA_SORTED] += moved;
	return last;
}

/* Sorts, by the shuffler, and passes the role to the last of the group, perhaps itself. In a full
 * group the role ends. */
static void shuffle(struct shfl_lock *lock, struct shfl_node *mine, bool head)
{
	struct shfl_node *last;

	atomic_store_explicit(&mine->shuffler, 0, memory_order_relaxed);
	if (batch_of(mine) == 0)
		set_batch(mine, 1);
	if (batch_of(mine) >= shfl_batch)
		return;
	last = sort(lock, mine, head);
	/* release: pairs with is_shuffler */
	atomic_store_explicit(&last->shuffler, 1, memory_order_release);
	lock_count(port_my_stats(), EV_NUMA_FLUSHED);
}

/* Waits behind `previous` until this is the head. */
static void wait_ready(struct shfl_lock *lock, struct shfl_node *mine, struct shfl_node *previous,
		       struct spin *spin)
{
	set_next(previous, mine);
	while (!is_ready(mine)) {
		if (is_shuffler(mine))
			shuffle(lock, mine, false);
		spin_poll_on(spin);
	}
	spin_stage(spin, SPIN_HANDED);
}

static bool take(struct shfl_lock *lock)
{
	uint8_t unlocked = 0;

	/* acquire: pairs with shfl_release */
	return !is_locked(lock) &&
	       atomic_compare_exchange_strong_explicit(&lock->glock.locked, &unlocked, 1,
						       memory_order_acquire, memory_order_relaxed);
}

/* The new owner makes its successor the head, or leaves the queue empty. */
static void pass_headship(struct shfl_lock *lock, struct shfl_node *mine)
{
	struct shfl_node *last = mine, *next = next_of(mine);

	/* release: pairs with the exchange of tail; the next to queue finds no predecessor */
	if (!next &&
	    atomic_compare_exchange_strong_explicit(&lock->tail, &last, NULL, memory_order_release,
						    memory_order_relaxed)) {
		/* Somebody may have queued and set no_stealing since. Then newcomers may steal
		 * until that queue is empty. The published lock does the same. */
		atomic_store_explicit(&lock->glock.no_stealing, 0, memory_order_relaxed);
		return;
	}
	if (!next) {
		uint64_t begin = spin_link_begin();

		while (!(next = next_of(mine)))
			port_relax();
		spin_link_end(begin);
	}
	/* release: pairs with is_ready; hands over the links, too */
	atomic_store_explicit(&next->ready, 1, memory_order_release);
}

static __attribute__((noinline)) void shfl_slow(struct shfl_lock *lock, struct shfl_node *mine)
{
	struct spin spin = spin_begin();
	struct shfl_node *previous;

	lock_count(port_my_stats(), EV_LOCK_SLOWPATH);
	mine->cpu = port_cpu();
	mine->numa = port_node(mine->cpu);
	atomic_store_explicit(&mine->next, NULL, memory_order_relaxed);
	atomic_store_explicit(&mine->ready, 0, memory_order_relaxed);
	atomic_store_explicit(&mine->shuffler, 0, memory_order_relaxed);
	set_batch(mine, 0);
	/* acquire: pairs with the CAS in pass_headship; release: a successor that reads this node
	 * from tail must see next == NULL before it links itself */
	previous = atomic_exchange_explicit(&lock->tail, mine, memory_order_acq_rel);
	if (previous)
		wait_ready(lock, mine, previous, &spin);
	else
		atomic_store_explicit(&lock->glock.no_stealing, 1, memory_order_relaxed);
	for (;;) {
		if (batch_of(mine) == 0 || is_shuffler(mine))
			shuffle(lock, mine, true);
		while (is_locked(lock))
			spin_poll_on(&spin);
		if (take(lock))
			break;
	}
	spin_end(&spin, SPIN_HANDED);
	pass_headship(lock, mine);
}

/* Free and nobody queued: (0, 0) -> (1, 0). */
static inline bool shfl_take_fast(struct shfl_lock *lock)
{
	uint16_t free = 0;

	/* acquire: pairs with shfl_release */
	return atomic_compare_exchange_strong_explicit(&lock->glock.both, &free, 1,
						       memory_order_acquire, memory_order_relaxed);
}

static inline void shfl_acquire(void *state, void *node)
{
	struct shfl_lock *lock = state;

	if (__builtin_expect(!shfl_take_fast(lock), 0))
		shfl_slow(lock, node);
}

static inline bool shfl_try_acquire(void *state, void *node)
{
	struct shfl_lock *lock = state;

	(void)node;
	/* a look first: a failing CAS would take the line from the owner */
	return atomic_load_explicit(&lock->glock.both, memory_order_relaxed) == 0 &&
	       shfl_take_fast(lock);
}

/* Release: pairs with take and shfl_take_fast. The owner needs no node. */
static inline void shfl_release(void *state, void *node)
{
	struct shfl_lock *lock = state;

	(void)node;
	atomic_store_explicit(&lock->glock.locked, 0, memory_order_release);
}

static void shfl_describe(const void *state, char *text, size_t size)
{
	const struct shfl_lock *lock = state;
	const struct shfl_node *tail = atomic_load_explicit(&lock->tail, memory_order_relaxed);
	uint32_t both = atomic_load_explicit(&lock->glock.both, memory_order_relaxed);

	ksnprintf(text, size, "glock 0x%04x: locked %u, no_stealing %u, %s", both, both & 0xff,
		  both >> 8, tail ? "somebody queues" : "nobody queues");
}

static const struct lock_ops shfllock_ops = {
	.name = "shfllock",
	.cite = "Kashyap et al., SOSP 2019",
	.flags = LOCK_QUEUED | LOCK_NEEDS_PREEMPTED | LOCK_RESTORES,
	.state_size = CACHE_LINE,
	.node_size = sizeof(struct shfl_node),
	.init = shfl_init,
	.acquire = shfl_acquire,
	.try_acquire = shfl_try_acquire,
	.release = shfl_release,
	.describe = shfl_describe,
};

LOCK_REGISTER(shfllock_ops);

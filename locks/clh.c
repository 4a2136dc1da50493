/* SPDX-License-Identifier: MIT */
/*
 * clh: a queue without links. A waiter polls its predecessor's node and keeps that node for its
 * next acquisition, so nodes wander from CPU to CPU; the lock contributes one, which first stands
 * for the free lock. Each hand-over transfers one cache line. Strict FIFO. Unlike in mcs, a release
 * is one store: it never waits for a successor to link itself.
 *
 * The caller brings a handle. It names the node that the CPU queues with and, while the CPU owns
 * the lock, its predecessor's node; it also contains the CPU's first node. A handle used with two
 * locks in turn carries nodes from one to the other, so the memory of all handles and locks must
 * outlive every use of any of them.
 *
 * try_acquire: between its look at the last node and its CAS, that same node may have been granted,
 * recycled and queued again (ABA). Then the CAS puts the caller into the queue. A CLH node cannot
 * leave the queue, so the caller waits for those before it. None of them can be a context that the
 * caller interrupted.
 *
 * Preemption: a preempted holder or next waiter stops everybody, as in every FIFO lock.
 *
 * T. S. Craig, "Building FIFO and Priority-Queuing Spin Locks from Atomic Swap", TR 93-02-02, Univ.
 * of Washington, 1993; P. Magnusson, A. Landin, E. Hagersten, "Queue Locks on Cache Coherent
 * Multiprocessors", IPPS 1994.
 */
#include "bench/register.h"
#include "lib/printf.h"
#include "locks/core/spin.h"

struct clh_node {
	_Atomic uint32_t locked;
	uint8_t pad[CACHE_LINE - sizeof(uint32_t)]; /* its successor polls it */
};

struct clh_handle {
	struct clh_node *mine;     /* to queue with, or queued; NULL (zeroed handle): own */
	struct clh_node *previous; /* the predecessor's, from acquire to release */
	uint8_t pad[CACHE_LINE - 2 * sizeof(void *)];
	struct clh_node own;
};

struct clh_lock {
	struct clh_node *_Atomic tail;
	uint8_t pad[CACHE_LINE - sizeof(void *)];
	struct clh_node first;
};

_Static_assert(sizeof(struct clh_handle) == 2 * CACHE_LINE, "the CPU's line | the polled one");
_Static_assert(sizeof(struct clh_lock) == 2 * CACHE_LINE, "tail | the polled one");

static void clh_init(void *state, const struct lock_env *env)
{
	struct clh_lock *lock = state;

	(void)env;
	atomic_init(&lock->first.locked, 0);
	atomic_init(&lock->tail, &lock->first);
}

static __attribute__((noinline)) void clh_wait(const struct clh_node *previous)
{
	struct spin spin = spin_begin();

	lock_count(port_my_stats(), EV_LOCK_SLOWPATH);
	/* acquire: pairs with the store in clh_release */
	while (atomic_load_explicit(&previous->locked, memory_order_acquire))
		spin_poll_on(&spin);
	spin_end(&spin, SPIN_HANDED);
}

/* Returns the node to queue with, already locked: the exchange of tail publishes it. */
static inline struct clh_node *prepare_node(struct clh_handle *handle)
{
	struct clh_node *mine = handle->mine;

	if (__builtin_expect(mine == NULL, 0))
		mine = handle->mine = &handle->own;
	atomic_store_explicit(&mine->locked, 1, memory_order_relaxed);
	return mine;
}

static inline void clh_acquire(void *state, void *node)
{
	struct clh_lock *lock = state;
	struct clh_handle *handle = node;
	struct clh_node *mine = prepare_node(handle), *previous;

	/* release: a CPU that reads this node from tail must see it locked; acquire: we must see
	 * the predecessor's node locked, which was published the same way */
	previous = atomic_exchange_explicit(&lock->tail, mine, memory_order_acq_rel);
	handle->previous = previous;
	/* acquire: pairs with the store in clh_release */
	if (__builtin_expect(atomic_load_explicit(&previous->locked, memory_order_acquire), 0))
		clh_wait(previous);
}

static inline bool clh_try_acquire(void *state, void *node)
{
	struct clh_lock *lock = state;
	struct clh_handle *handle = node;
	/* acquire: pairs with the exchange in clh_acquire, which published locked = 1 */
	struct clh_node *last = atomic_load_explicit(&lock->tail, memory_order_acquire);
	struct clh_node *mine;

	if (atomic_load_explicit(&last->locked, memory_order_relaxed))
		return false;
	mine = prepare_node(handle);
	/* as the exchange in clh_acquire */
	if (!atomic_compare_exchange_strong_explicit(&lock->tail, &last, mine, memory_order_acq_rel,
						     memory_order_relaxed))
		return false;
	handle->previous = last;
	/* acquire: pairs with the store in clh_release */
	if (__builtin_expect(atomic_load_explicit(&last->locked, memory_order_acquire), 0))
		clh_wait(last); /* ABA, see above */
	return true;
}

/* Keeps the predecessor's node for the next acquisition: nobody polls it any more. */
static inline void clh_release(void *state, void *node)
{
	struct clh_handle *handle = node;
	struct clh_node *mine = handle->mine;

	(void)state;
	handle->mine = handle->previous;
	/* release: pairs with the loads of locked in the three functions above. From here on the
	 * node belongs to the successor, or stands for the free lock. */
	atomic_store_explicit(&mine->locked, 0, memory_order_release);
}

static void clh_describe(const void *state, char *text, size_t size)
{
	const struct clh_lock *lock = state;
	const struct clh_node *tail = atomic_load_explicit(&lock->tail, memory_order_relaxed);

	ksnprintf(text, size, "tail %p: %s", (const void *)tail,
		  atomic_load_explicit(&tail->locked, memory_order_relaxed) ? "held or waited for"
									    : "free");
}

static const struct lock_ops clh_ops = {
	.name = "clh",
	.cite = "Craig 1993, UW TR 93-02-02; Magnusson et al., IPPS 1994",
	.flags = LOCK_FIFO | LOCK_QUEUED,
	.state_size = sizeof(struct clh_lock),
	.node_size = sizeof(struct clh_handle),
	.init = clh_init,
	.acquire = clh_acquire,
	.try_acquire = clh_try_acquire,
	.release = clh_release,
	.describe = clh_describe,
};

LOCK_REGISTER(clh_ops);

/* SPDX-License-Identifier: MIT */
/*
 * flexguard: spins while no critical vCPU is preempted, parks while one is. The lock is a byte that
 * anybody may take when it is 0 (park.h). Beside it is an MCS queue for the right to poll that
 * byte. While all goes well, waiters queue, and only the head polls the byte. When a waiter sees
 * that the owner or the head of the queue is preempted, it leaves the queue, takes the byte by a
 * swap of 2 or parks, and gives its CPU to whoever is missing. It queues again when neither is.
 *
 * The queue decides nothing but who polls. So a waiter may leave from any place in it, as if it
 * were the head: it makes its successor a head, and there may be several. Its predecessor still
 * points to its node, and will one day grant it, perhaps in the middle of the node's next wait, for
 * this lock or another: that wait then polls the byte too early, beside others, and the byte
 * excludes them. Nodes therefore belong to their CPU for ever (LOCK_NODE_POOL). What must not get
 * lost is a successor: each node that was the tail gets at most one link, and a leaving waiter that
 * is not the tail waits for it.
 *
 * Difference from the original: there the scheduler's events, seen by eBPF, count the preempted
 * threads that hold or wait for any lock, so one preempted holder makes the waiters of all locks
 * park. A guest sees no such event. Here a waiter samples the host's preempted flags of this lock's
 * owner and head only, because these two hold it up. Waiters of other locks spin on. A preempted
 * waiter farther back is noticed when it becomes the head.
 *
 * Preemption: a preempted owner or head costs each waiter up to 2^8 polls; then the waiters' CPUs
 * are free, and any vCPU takes a free lock. One hole: a waiter that is descheduled between joining
 * and linking itself holds up the one before it (EV_RELEASE_WAIT_LINK).
 *
 * V. Laforet et al., "FlexGuard: Fast Mutual Exclusion Independent of Subscription", SOSP 2025,
 * 10.1145/3731569.3764852; their code: github.com/vlaforet/flexguard.
 */
#include "bench/register.h"
#include "lib/printf.h"
#include "locks/core/pv.h"
#include "locks/core/spin.h"
#include "locks/core/tunables.h"
#include "locks/park.h"

TUNABLE(flexguard_park, "flexguard", 1, 0, 2); /* 0 never parks, 2 always, as if preempted */
TUNABLE(flexguard_poll_mask, "flexguard", 255, 0, UINT32_MAX); /* polls between samples, less 1 */

#define FLEX_NODES 4 /* contexts of a CPU that can interrupt another, as in qnode.h */

struct flex_node {
	struct flex_node *_Atomic next;
	_Atomic uint32_t waiting;
};

/* What a CPU brings along. */
struct flex_pool {
	struct park_node park; /* first: park.h finds it */
	struct flex_node node[FLEX_NODES];
	uint32_t count; /* nodes in use */
};

/* owner and head are CPU + 1, 0: nobody. They are hints, which only say whose flag to look at. */
struct flex_lock {
	_Atomic uint8_t byte; /* enum park_byte */
	_Atomic uint32_t owner;
	/* written by waiters: not on the owner's line */
	uint8_t pad[CACHE_LINE - 8];
	struct flex_node *_Atomic tail;
	_Atomic uint32_t head;
};

_Static_assert(offsetof(struct flex_lock, tail) == CACHE_LINE, "byte | queue");

static struct park_lot lot;

static void flex_init(void *state, const struct lock_env *env)
{
	struct flex_lock *lock = state;

	atomic_init(&lock->byte, PARK_FREE);
	atomic_init(&lock->owner, 0);
	atomic_init(&lock->head, 0);
	atomic_init(&lock->tail, NULL);
	park_init(&lot, env);
}

static inline void hint(_Atomic uint32_t *who, uint32_t value)
{
	atomic_store_explicit(who, value, memory_order_relaxed);
}

static bool is_preempted(const _Atomic uint32_t *who)
{
	uint32_t cpu = atomic_load_explicit(who, memory_order_relaxed);

	return cpu != 0 && pv_preempted(cpu - 1);
}

/* Whether to park. Wrong answers cost time only: a waiter halts only while the byte is 2, so that
 * the owner will wake somebody, preempted or not. */
static bool must_park(const struct flex_lock *lock)
{
	if (flexguard_park != 1 || !pv_backend->halts)
		return flexguard_park == 2 && pv_backend->halts;
	return is_preempted(&lock->owner) || is_preempted(&lock->head);
}

/* Joins the queue. NULL: at its head. acq_rel: a successor that reads this node from tail must see
 * next == NULL and waiting == 1 before it links itself, and we our predecessor's. */
static struct flex_node *flex_join(struct flex_lock *lock, struct flex_node *mine)
{
	atomic_store_explicit(&mine->next, NULL, memory_order_relaxed);
	atomic_store_explicit(&mine->waiting, 1, memory_order_relaxed);
	return atomic_exchange_explicit(&lock->tail, mine, memory_order_acq_rel);
}

/* Waits for a successor that has joined but not yet linked itself. */
static struct flex_node *flex_wait_link(struct flex_node *mine)
{
	uint64_t begin = spin_link_begin();
	struct flex_node *next;

	/* acquire: pairs with the link store in flex_wait_turn */
	while (!(next = atomic_load_explicit(&mine->next, memory_order_acquire)))
		port_relax();
	spin_link_end(begin);
	return next;
}

/* Leaves the queue, from wherever in it. After this the node may be used again. */
static void flex_leave(struct flex_lock *lock, struct flex_node *mine)
{
	struct flex_node *expected = mine;
	/* acquire: pairs with the link store in flex_wait_turn, so that our store to waiting comes
	 * after the successor's */
	struct flex_node *next = atomic_load_explicit(&mine->next, memory_order_acquire);

	if (!next) {
		/* relaxed: the queue hands nothing on */
		if (atomic_compare_exchange_strong_explicit(&lock->tail, &expected, NULL,
							    memory_order_relaxed,
							    memory_order_relaxed))
			return;
		next = flex_wait_link(mine);
	}
	atomic_store_explicit(&next->waiting, 0, memory_order_relaxed);
}

/* Polls until granted the headship (true) or until it is time to park. */
static bool flex_wait_turn(const struct flex_lock *lock, struct flex_node *mine,
			   struct flex_node *previous, struct spin *spin)
{
	/* release: pairs with the acquire loads of next in flex_leave, flex_wait_link */
	atomic_store_explicit(&previous->next, mine, memory_order_release);
	for (uint64_t polls = 0; atomic_load_explicit(&mine->waiting, memory_order_relaxed);) {
		if ((polls & flexguard_poll_mask) == 0 && must_park(lock))
			return false;
		polls += spin_polls(spin, spin_polls_to_look(polls, flexguard_poll_mask));
	}
	spin_stage(spin, SPIN_HANDED);
	return true;
}

/* At the head of the queue: takes the lock (true), unless it is time to park. */
static bool flex_poll_byte(struct flex_lock *lock, struct spin *spin)
{
	for (uint64_t polls = 0; !park_take(&lock->byte, PARK_HELD);) {
		if ((polls & flexguard_poll_mask) == 0 && must_park(lock))
			return false;
		polls += spin_polls(spin, spin_polls_to_look(polls, flexguard_poll_mask));
	}
	hint(&lock->owner, port_cpu() + 1);
	spin_end(spin, SPIN_WON);
	return true;
}

/* Queues. True: owns the lock. */
static bool flex_spin(struct flex_lock *lock, struct flex_node *mine, struct spin *spin)
{
	struct flex_node *previous;
	bool owns = false;

	if (must_park(lock))
		return false;
	previous = flex_join(lock, mine);
	if (!previous || flex_wait_turn(lock, mine, previous, spin)) {
		hint(&lock->head, port_cpu() + 1);
		owns = flex_poll_byte(lock, spin);
		hint(&lock->head, 0);
	}
	flex_leave(lock, mine);
	return owns;
}

/* Parks. True: owns the lock; false: it is time to queue. After each park() the byte is exchanged
 * again before anything else is done, as park.h demands. */
static bool flex_park(struct flex_lock *lock, struct flex_pool *pool, struct spin *spin)
{
	while (!park_announce(&lock->byte)) {
		if (!must_park(lock))
			return false;
		park(&lot, &pool->park, &lock->byte, spin);
	}
	hint(&lock->owner, port_cpu() + 1);
	spin_end(spin, SPIN_WON);
	return true;
}

/* A fifth context: no node is left. */
static void flex_poll_only(struct flex_lock *lock, struct spin *spin)
{
	lock_count(port_my_stats(), EV_LOCK_NO_NODE);
	while (!park_take(&lock->byte, PARK_HELD))
		spin_poll_on(spin);
	hint(&lock->owner, port_cpu() + 1);
	spin_end(spin, SPIN_WON);
}

/* An interrupt's handler may wait likewise between any two lines. The fences are for the compiler,
 * because all this happens on one CPU. */
static __attribute__((noinline)) void flex_slow(struct flex_lock *lock, struct flex_pool *pool)
{
	struct spin spin = spin_begin();
	uint32_t level = pool->count++;

	atomic_signal_fence(memory_order_seq_cst);
	lock_count(port_my_stats(), EV_LOCK_SLOWPATH);
	if (level < FLEX_NODES) {
		while (!flex_spin(lock, &pool->node[level], &spin) && !flex_park(lock, pool, &spin))
			lock_count(port_my_stats(), EV_WAITER_RETRIED);
	} else {
		flex_poll_only(lock, &spin);
	}
	atomic_signal_fence(memory_order_seq_cst);
	pool->count--;
}

static inline void flex_acquire(void *state, void *node)
{
	struct flex_lock *lock = state;
	uint8_t free = PARK_FREE;

	/* acquire: pairs with the exchange in park_release */
	if (__builtin_expect(atomic_compare_exchange_strong_explicit(&lock->byte, &free, PARK_HELD,
								     memory_order_acquire,
								     memory_order_relaxed),
			     1))
		hint(&lock->owner, port_cpu() + 1);
	else
		flex_slow(lock, node);
}

static inline bool flex_try_acquire(void *state, void *node)
{
	struct flex_lock *lock = state;

	(void)node;
	if (!park_take(&lock->byte, PARK_HELD))
		return false;
	hint(&lock->owner, port_cpu() + 1);
	return true;
}

static __attribute__((noinline)) void flex_release_slow(const void *byte)
{
	park_wake(&lot, byte);
}

static inline void flex_release(void *state, void *node)
{
	struct flex_lock *lock = state;

	(void)node;
	hint(&lock->owner, 0);
	if (__builtin_expect(park_release(&lock->byte), 0))
		flex_release_slow(&lock->byte);
}

static void flex_describe(const void *state, char *text, size_t size)
{
	const struct flex_lock *lock = state;

	ksnprintf(text, size, "byte %u, owner CPU + 1 %u, head CPU + 1 %u, tail %p",
		  atomic_load_explicit(&lock->byte, memory_order_relaxed),
		  atomic_load_explicit(&lock->owner, memory_order_relaxed),
		  atomic_load_explicit(&lock->head, memory_order_relaxed),
		  (const void *)atomic_load_explicit(&lock->tail, memory_order_relaxed));
}

static const struct lock_ops flexguard_ops = {
	.name = "flexguard",
	.cite = "Laforet et al., SOSP 2025, 10.1145/3731569.3764852",
	.flags = LOCK_QUEUED | LOCK_PV | LOCK_NEEDS_PREEMPTED | LOCK_NODE_POOL | LOCK_RESTORES,
	.state_size = sizeof(struct flex_lock),
	.node_size = sizeof(struct flex_pool),
	.init = flex_init,
	.acquire = flex_acquire,
	.try_acquire = flex_try_acquire,
	.release = flex_release,
	.describe = flex_describe,
};

LOCK_REGISTER(flexguard_ops);

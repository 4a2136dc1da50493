/* SPDX-License-Identifier: MIT */
/*
 * s390-spinlock: s390's arch_spin_lock. The word names the owner. A waiter yields to exactly that
 * vCPU if it is preempted, on arrival and then every s390_spin_retry polls. Nobody halts. The
 * tunable s390_queue chooses between two ways to wait:
 *
 *	0 (classic)  all poll the word
 *	1            waiters queue as in MCS. A free lock may be stolen from the queue
 *	             s390_steal_max times, then it is the head's. A waiter in the queue that finds
 *	             the lock free yields to the head.
 *
 * On s390 a CPU queues if the hypervisor dedicates a physical CPU to it. Otherwise it waits the
 * classic way, because a preempted waiter stops a queue (so says the commit). A guest of KVM on x86
 * cannot know, so the default is 0, the form for shared CPUs. A waiter always asks the owner's flag
 * before it yields, as in an LPAR with shared CPUs; Linux in a guest of z/VM or KVM on s390 yields
 * unasked.
 *
 * Preemption: a preempted owner costs as much time as the host takes to follow the hints. A
 * preempted waiter costs nothing in the classic form; in the queued form, thieves bridge up to
 * s390_steal_max releases.
 *
 * M. Schwidefsky, Linux arch/s390/lib/spinlock.c since b96f7d881ad9 (2017).
 */
#include "locks/s390-spinlock.h"
#include "bench/register.h"
#include "lib/printf.h"
#include "locks/core/spin.h"
#include "locks/core/tunables.h"
#include "locks/owner.h"
#include "locks/qnode.h"
#include "locks/yield.h"

TUNABLE(s390_queue, "s390-spinlock", 0, 0, 1);
TUNABLE(s390_spin_retry, "s390-spinlock", 1000, 1, UINT32_MAX); /* Linux: spin_retry */
TUNABLE(s390_steal_max, "s390-spinlock", 3, 0, 3);

static uint32_t s390_half(uint32_t cpu)
{
	return cpu + 1;
}

static void s390_init(void *state, const struct lock_env *env)
{
	owner_lock_init(state, env, S390_MAX_CPUS, s390_half);
}

static bool granted(const struct s390_node *node)
{
	/* acquire: pairs with the hand-over in acquire_queued */
	return atomic_load_explicit(&node->base.granted, memory_order_acquire) != 0;
}

/* Returns the head of the queue as seen from `node`. That is only a hint, and the search is
 * bounded: nodes on the way may have been left and used again meanwhile. */
static const struct s390_node *head_before(const struct owner_lock *lock,
					   const struct s390_node *node)
{
	for (uint32_t i = 0; i < lock->cpus && !granted(node); i++) {
		const struct s390_node *previous =
			atomic_load_explicit(&node->previous, memory_order_relaxed);

		if (!previous)
			break;
		node = previous;
	}
	return node;
}

/* Yields to the owner or, if there is none, to the head of the queue that `node` stands in (NULL:
 * in none). Reads the word anew each time. Linux keeps the word that it saw when it queued, but in
 * a long queue that owner is long gone. */
static void yield_to_target(struct owner_lock *lock, const struct s390_node *node,
			    struct spin *spin)
{
	uint32_t value = owner_load(&lock->word), owner = value & S390_OWNER_MASK;
	const struct s390_node *head;

	if (owner) {
		yield_if_preempted(spin, owner - 1, &lock->word.value, value, EV_YIELD_OWNER);
		return;
	}
	head = node ? head_before(lock, node) : NULL;
	if (head != node)
		yield_if_preempted(spin, atomic_load_explicit(&head->cpu, memory_order_relaxed),
				   &lock->word.value, value, EV_YIELD_HEAD);
}

/* Call after an unsuccessful look. Yields once in s390_spin_retry looks. */
static void poll_or_yield(struct owner_lock *lock, const struct s390_node *node, uint32_t *polls,
			  struct spin *spin)
{
	if (++*polls >= s390_spin_retry) {
		*polls = 0;
		yield_to_target(lock, node, spin);
	}
	*polls += (uint32_t)spin_polls(spin, s390_spin_retry - *polls) - 1;
}

/* Polls the word until it takes the lock. A waiter that finds no node left also waits this way, and
 * passes the queue if there is one. */
static void acquire_classic(struct owner_lock *lock, uint32_t me, struct spin *spin)
{
	uint32_t polls = 0;

	yield_to_target(lock, NULL, spin);
	for (;;) {
		uint32_t value = owner_load(&lock->word);

		if (!(value & S390_OWNER_MASK) && owner_take(&lock->word, value, value | me)) {
			if (value)
				lock_count_steal(port_my_stats(), true);
			break;
		}
		poll_or_yield(lock, NULL, &polls, spin);
	}
	spin_end(spin, SPIN_WON);
}

static bool may_steal(uint32_t value)
{
	return (value & S390_STEAL_MASK) >> S390_STEAL_SHIFT < s390_steal_max;
}

/* Steals the lock or becomes the tail, then with *queued set. Returns the previous tail. */
static uint32_t steal_or_queue(union owner_word *word, uint32_t tail, uint32_t me, bool *queued)
{
	for (;;) {
		uint32_t value = owner_load(word);

		*queued = value != 0 && ((value & S390_OWNER_MASK) || !may_steal(value));
		if (*queued) {
			/* release: publishes our node; acquire: sees the predecessor's */
			if (atomic_compare_exchange_strong_explicit(
				    &word->value, &value, (value & ~S390_TAIL_MASK) | tail,
				    memory_order_acq_rel, memory_order_relaxed))
				return value & S390_TAIL_MASK;
		} else if (owner_take(word, value, (value ? value + S390_STEAL_ONE : 0) | me)) {
			if (value)
				lock_count_steal(port_my_stats(), true);
			return 0;
		}
	}
}

static struct s390_node *node_of_tail(const struct owner_lock *lock, uint32_t tail)
{
	struct s390_pool *pool = (struct s390_pool *)owner_pool(lock, (tail >> S390_CPU_SHIFT) - 1);

	return &pool->node[(tail >> S390_LEVEL_SHIFT) & (Q_NODES - 1)];
}

/* Waits to become the head. With nobody before it, it is the head at once. */
static void wait_in_queue(struct owner_lock *lock, struct s390_node *node, uint32_t old,
			  struct spin *spin)
{
	uint32_t polls = 0;

	if (!old) {
		atomic_store_explicit(&node->base.granted, 1, memory_order_relaxed);
		yield_to_target(lock, node, spin);
		return;
	}
	atomic_store_explicit(&node->previous, node_of_tail(lock, old), memory_order_relaxed);
	qnode_link(&node_of_tail(lock, old)->base, &node->base);
	yield_to_target(lock, node, spin);
	while (!granted(node))
		poll_or_yield(lock, node, &polls, spin);
	spin_stage(spin, SPIN_HANDED);
}

/* Waits at the head and takes the lock; the same step clears the count of thefts, and the tail if
 * it is ours. Returns the tail that it found. */
static uint32_t wait_as_head(struct owner_lock *lock, const struct s390_node *node, uint32_t tail,
			     uint32_t me, struct spin *spin)
{
	uint32_t polls = 0;

	for (;;) {
		uint32_t value = owner_load(&lock->word), others = value & S390_TAIL_MASK;

		if (value & S390_OWNER_MASK) {
			poll_or_yield(lock, node, &polls, spin);
		} else if (owner_take(&lock->word, value, (others == tail ? 0 : others) | me)) {
			spin_end(spin, may_steal(value) ? SPIN_WON : SPIN_HANDED);
			return others;
		}
	}
}

static void acquire_queued(struct owner_lock *lock, struct s390_node *node, uint32_t level,
			   uint32_t me, struct spin *spin)
{
	uint32_t tail = (port_cpu() + 1) << S390_CPU_SHIFT | level << S390_LEVEL_SHIFT, old;
	bool queued;

	qnode_reset(&node->base);
	atomic_store_explicit(&node->previous, NULL, memory_order_relaxed);
	atomic_store_explicit(&node->cpu, port_cpu(), memory_order_relaxed);
	old = steal_or_queue(&lock->word, tail, me, &queued);
	if (!queued) {
		spin_end(spin, SPIN_WON);
		return;
	}
	wait_in_queue(lock, node, old, spin);
	if (wait_as_head(lock, node, tail, me, spin) != tail)
		/* release: pairs with the load in granted() */
		atomic_store_explicit(&qnode_next(&node->base)->granted, 1, memory_order_release);
}

static __attribute__((noinline)) void s390_slow(struct owner_lock *lock, struct s390_pool *pool)
{
	struct spin spin = spin_begin();
	uint32_t me = owner_me(pool), level;

	lock_count(port_my_stats(), EV_LOCK_SLOWPATH);
	if (!s390_queue) {
		acquire_classic(lock, me, &spin);
		return;
	}
	level = qnode_take(&pool->node[0].base, port_my_stats());
	if (level < Q_NODES)
		acquire_queued(lock, &pool->node[level], level, me, &spin);
	else
		acquire_classic(lock, me, &spin);
	qnode_put(&pool->node[0].base);
}

static inline void s390_acquire(void *state, void *node)
{
	struct owner_lock *lock = state;

	if (__builtin_expect(!owner_take(&lock->word, 0, owner_me(node)), 0))
		s390_slow(lock, node);
}

static inline bool s390_try_acquire(void *state, void *node)
{
	struct owner_lock *lock = state;

	return owner_load(&lock->word) == 0 && owner_take(&lock->word, 0, owner_me(node));
}

static inline void s390_release(void *state, void *node)
{
	struct owner_lock *lock = state;

	(void)node;
	owner_release(&lock->word);
}

static void s390_describe(const void *state, char *text, size_t size)
{
	const struct owner_lock *lock = state;
	uint32_t value = owner_load(&lock->word), tail = value & S390_TAIL_MASK;
	char owner[24] = "free", queue[32] = "no queue";

	if (value & S390_OWNER_MASK)
		ksnprintf(owner, sizeof(owner), "owner CPU %u", (value & S390_OWNER_MASK) - 1);
	if (tail)
		ksnprintf(queue, sizeof(queue), "tail CPU %u level %u",
			  (tail >> S390_CPU_SHIFT) - 1, (tail >> S390_LEVEL_SHIFT) & (Q_NODES - 1));
	ksnprintf(text, size, "word 0x%08x: %s, %u thefts, %s", value, owner,
		  (value & S390_STEAL_MASK) >> S390_STEAL_SHIFT, queue);
}

static const struct lock_ops s390_spinlock_ops = {
	.name = "s390-spinlock",
	.cite = "Schwidefsky, Linux arch/s390/lib/spinlock.c, commit b96f7d881ad9",
	.flags = LOCK_NEEDS_PREEMPTED | LOCK_NODE_POOL | LOCK_RESTORES,
	.state_size = sizeof(struct owner_lock),
	.node_size = sizeof(struct s390_pool),
	.init = s390_init,
	.acquire = s390_acquire,
	.try_acquire = s390_try_acquire,
	.release = s390_release,
	.describe = s390_describe,
};

LOCK_REGISTER(s390_spinlock_ops);

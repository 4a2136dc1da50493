/* SPDX-License-Identifier: MIT */
/*
 * ppc-qspinlock: powerpc's queued spinlock. The word names the owner, so a poller can yield to an
 * owner that the host has descheduled. A newcomer first tries to steal the lock for `steal` polls,
 * then queues as in MCS; the head of the queue polls the word. Nobody halts.
 *
 * A waiter in the queue yields to its predecessor if that is preempted. "Owner preempted" is passed
 * from the head down (node->sleepy); a waiter that was told so looks at the word and yields to the
 * owner instead.
 *
 * Preemption: a preempted owner costs as much time as the host takes to follow the hints. A
 * preempted head costs nothing until it has set must-queue, then as much as in any queue. A
 * preempted waiter costs as much as in MCS.
 *
 * N. Piggin, Linux 6.2 and later, arch/powerpc/lib/qspinlock.c (84990b169557); no yield to a stale
 * owner f9bc9bbe8afd; node->lock cleared before the node is given back 734ad0af3609.
 */
#include "locks/ppc-qspinlock.h"
#include "bench/register.h"
#include "lib/printf.h"
#include "locks/core/pv.h"
#include "locks/core/spin.h"
#include "locks/core/tunables.h"
#include "locks/owner.h"
#include "locks/qnode.h"
#include "locks/yield.h"

/* Linux: remote_steal_spins, head_spins, pv_sleepy_lock_factor. The factor multiplies all three
 * poll counts (these two and `steal`) once the lock has been seen sleepy. */
TUNABLE(ppc_remote_steal, "ppc-qspinlock", 1u << 2, 0, UINT32_MAX);
TUNABLE(ppc_head_spins, "ppc-qspinlock", 1u << 8, 1, UINT32_MAX);
TUNABLE(ppc_sleepy_factor, "ppc-qspinlock", 256, 1, UINT32_MAX);

static uint32_t ppc_half(uint32_t cpu)
{
	return PPC_LOCKED | cpu << PPC_OWNER_SHIFT;
}

static void ppc_init(void *state, const struct lock_env *env)
{
	owner_lock_init(state, env, PPC_MAX_CPUS, ppc_half);
}

static uint32_t owner_of(uint32_t value)
{
	return (value & PPC_OWNER_MASK) >> PPC_OWNER_SHIFT;
}

/* Takes the free lock past any queue, unless the head forbids it. */
static bool try_steal(union owner_word *word, uint32_t value, uint32_t me)
{
	return !(value & ~PPC_TAIL_MASK) && owner_take(word, value, value | me);
}

/* For pollers of the word that have read `value`, locked. If the owner is preempted, marks the word
 * sleepy and yields to the owner. Returns whether the owner is preempted. */
static bool yield_to_owner(union owner_word *word, uint32_t value, struct spin *spin)
{
	uint32_t owner = owner_of(value), seen = value;

	if (!pv_preempted(owner))
		return false;
	if (!(value & PPC_SLEEPY) &&
	    atomic_compare_exchange_strong_explicit(&word->value, &seen, value | PPC_SLEEPY,
						    memory_order_relaxed, memory_order_relaxed))
		value |= PPC_SLEEPY;
	yield_if_preempted(spin, owner, &word->value, value, EV_YIELD_OWNER);
	return true;
}

/* Returns how many polls are allowed. On a sleepy lock there are more: they yield to its owner. */
static uint64_t polls_for(uint32_t polls, bool sleepy)
{
	return (uint64_t)polls * (sleepy ? ppc_sleepy_factor : 1);
}

/* Whether a thief gives up. It does so sooner if the owner is on another NUMA node: thieves on the
 * owner's node get the lock more cheaply. */
static bool steal_ends(uint32_t value, uint64_t polls, bool sleepy)
{
	if (polls >= polls_for(lock_tunables.steal, sleepy))
		return true;
	return (value & PPC_LOCKED) && polls >= polls_for(ppc_remote_steal, sleepy) &&
	       port_node(owner_of(value)) != port_node(port_cpu());
}

/* Tries to take the lock without queueing. Returns false if the caller has to queue. */
static bool steal(union owner_word *word, uint32_t me, struct spin *spin)
{
	uint64_t polls = 0;
	bool sleepy = false;
	uint32_t value;

	if (lock_tunables.steal == 0)
		return false;
	do {
		value = owner_load(word);
		if (value & PPC_MUST_QUEUE)
			return false;
		if (value & PPC_LOCKED) {
			sleepy |= (value & PPC_SLEEPY) != 0;
			sleepy |= yield_to_owner(word, value, spin);
		} else if (try_steal(word, value, me)) {
			lock_count_steal(port_my_stats(), value & PPC_TAIL_MASK);
			spin_end(spin, SPIN_WON);
			return true;
		}
		spin_poll(spin);
	} while (!steal_ends(value, ++polls, sleepy));
	return false;
}

/* Joins the queue; returns the word as it was before. Release: publishes our node; acquire: sees
 * the predecessor's. A CAS, not an exchange of the tail, which shares its half with must-queue. */
static uint32_t publish_tail(union owner_word *word, uint32_t tail)
{
	uint32_t old = owner_load(word);

	while (!atomic_compare_exchange_strong_explicit(&word->value, &old,
							(old & ~PPC_TAIL_MASK) | tail,
							memory_order_acq_rel, memory_order_relaxed))
		;
	return old;
}

/* Returns CPU's node that waits for this lock. There is exactly one as long as the tail names the
 * CPU. */
static struct ppc_node *find_node(const struct owner_lock *lock, uint32_t cpu)
{
	struct ppc_pool *pool = (struct ppc_pool *)owner_pool(lock, cpu);

	for (uint32_t i = 0; i < Q_NODES; i++)
		if (atomic_load_explicit(&pool->node[i].lock, memory_order_relaxed) == lock)
			return &pool->node[i];
	__builtin_trap();
}

static bool is_sleepy(const struct ppc_node *node)
{
	return atomic_load_explicit(&node->sleepy, memory_order_relaxed);
}

static void set_sleepy(struct ppc_node *node, bool sleepy)
{
	atomic_store_explicit(&node->sleepy, sleepy, memory_order_relaxed);
}

/* Tells the next waiter that the owner is preempted. "Owner running again" is not passed, so each
 * waiter rechecks. */
static void propagate_sleepy(struct ppc_node *node, uint32_t value)
{
	struct ppc_node *next;

	/* acquire: pairs with qnode_link */
	next = (struct ppc_node *)atomic_load_explicit(&node->base.next, memory_order_acquire);
	if (next && !is_sleepy(next) && pv_preempted(owner_of(value)))
		set_sleepy(next, true);
}

/* One look of a queued waiter. If it was told that the owner is preempted, or if `previous`, which
 * would tell it, is preempted itself, it yields to a preempted owner. Otherwise it yields to
 * `previous` if that is preempted. */
static void yield_in_queue(union owner_word *word, struct ppc_node *node, uint32_t previous,
			   struct spin *spin)
{
	if (is_sleepy(node) || pv_preempted(previous)) {
		uint32_t value = owner_load(word);

		if (value & PPC_LOCKED) {
			propagate_sleepy(node, value);
			if (yield_to_owner(word, value, spin))
				return;
		}
		set_sleepy(node, false);
	}
	yield_if_preempted(spin, previous, &node->base.granted, 0, EV_YIELD_PREV);
}

static void wait_in_queue(struct owner_lock *lock, struct ppc_node *node, uint32_t previous,
			  struct spin *spin)
{
	qnode_link(&find_node(lock, previous)->base, &node->base);
	/* acquire: pairs with the promotion in acquire_as_head */
	while (!atomic_load_explicit(&node->base.granted, memory_order_acquire)) {
		yield_in_queue(&lock->word, node, previous, spin);
		spin_poll_on(spin);
	}
	spin_stage(spin, SPIN_HANDED);
	qnode_prefetch_next(&node->base);
}

/* Waits at the head of the queue, and stops thieves after some time. Takes the lock, and returns
 * the word in which it found the lock free. */
static uint32_t wait_as_head(union owner_word *word, struct ppc_node *node, uint32_t tail,
			     uint32_t me, struct spin *spin)
{
	bool sleepy = false, must_queue = false;
	uint64_t polls = 0;

	for (;;) {
		uint32_t value = owner_load(word), others = value & PPC_TAIL_MASK;

		if (!(value & PPC_LOCKED)) {
			/* clears must-queue, and the tail if it is ours */
			if (!owner_take(word, value, (others == tail ? 0 : others) | me))
				continue; /* a thief, or somebody has queued up */
			spin_end(spin, must_queue ? SPIN_HANDED : SPIN_WON);
			return value;
		}
		sleepy |= (value & PPC_SLEEPY) != 0;
		propagate_sleepy(node, value);
		sleepy |= yield_to_owner(word, value, spin);
		if (!must_queue && ++polls >= polls_for(ppc_head_spins, sleepy)) {
			must_queue = true;
			atomic_fetch_or_explicit(&word->value, PPC_MUST_QUEUE,
						 memory_order_relaxed);
			lock_count(port_my_stats(), EV_MUST_QUEUE);
		}
		spin_poll(spin);
	}
}

static void acquire_queued(struct owner_lock *lock, struct ppc_node *node, uint32_t me,
			   struct spin *spin)
{
	uint32_t tail = (port_cpu() + 1) << PPC_TAIL_SHIFT, old;

	qnode_reset(&node->base);
	set_sleepy(node, false);
	atomic_store_explicit(&node->lock, lock, memory_order_relaxed);
	old = publish_tail(&lock->word, tail);
	if (old & PPC_TAIL_MASK)
		wait_in_queue(lock, node, (old >> PPC_TAIL_SHIFT) - 1, spin);
	old = wait_as_head(&lock->word, node, tail, me, spin);
	if ((old & PPC_TAIL_MASK) != tail)
		/* release: pairs with the load in wait_in_queue */
		atomic_store_explicit(&qnode_next(&node->base)->granted, 1, memory_order_release);
	/* Clear `lock` before the node goes back (qnode_put has the barrier). Otherwise, when this
	 * node has been taken for another lock but `lock` is not yet overwritten, an interrupt
	 * could queue for this lock with the next node, and find_node would return this one. */
	atomic_store_explicit(&node->lock, NULL, memory_order_relaxed);
}

static bool poll_without_node(union owner_word *word, uint32_t me, struct spin *spin)
{
	uint32_t value = owner_load(word);

	if (try_steal(word, value, me)) {
		lock_count_steal(port_my_stats(), value & PPC_TAIL_MASK);
		spin_end(spin, SPIN_WON);
		return true;
	}
	spin_poll(spin);
	return false;
}

static __attribute__((noinline)) void ppc_slow(struct owner_lock *lock, struct ppc_pool *pool)
{
	struct spin spin = spin_begin();
	uint32_t me = owner_me(pool), level;

	if (steal(&lock->word, me, &spin))
		return;
	lock_count(port_my_stats(), EV_LOCK_SLOWPATH);
	level = qnode_take(&pool->node[0].base, port_my_stats());
	if (level < Q_NODES)
		acquire_queued(lock, &pool->node[level], me, &spin);
	else
		while (!poll_without_node(&lock->word, me, &spin))
			;
	qnode_put(&pool->node[0].base);
}

static inline void ppc_acquire(void *state, void *node)
{
	struct owner_lock *lock = state;

	if (__builtin_expect(!owner_take(&lock->word, 0, owner_me(node)), 0))
		ppc_slow(lock, node);
}

/* May pass a queue, as Linux's does (_Q_SPIN_TRY_LOCK_STEAL). */
static inline bool ppc_try_acquire(void *state, void *node)
{
	struct owner_lock *lock = state;

	return try_steal(&lock->word, owner_load(&lock->word), owner_me(node));
}

/* Clears locked, owner and sleepy at once. */
static inline void ppc_release(void *state, void *node)
{
	struct owner_lock *lock = state;

	(void)node;
	owner_release(&lock->word);
}

static void ppc_describe(const void *state, char *text, size_t size)
{
	const struct owner_lock *lock = state;
	uint32_t value = owner_load(&lock->word), tail = value >> PPC_TAIL_SHIFT;
	char owner[24] = "free", queue[24] = "no queue";

	if (value & PPC_LOCKED)
		ksnprintf(owner, sizeof(owner), "owner CPU %u", owner_of(value));
	if (tail)
		ksnprintf(queue, sizeof(queue), "tail CPU %u", tail - 1);
	ksnprintf(text, size, "word 0x%08x: %s%s%s, %s", value, owner,
		  value & PPC_SLEEPY ? ", sleepy" : "",
		  value & PPC_MUST_QUEUE ? ", must queue" : "", queue);
}

static const struct lock_ops ppc_qspinlock_ops = {
	.name = "ppc-qspinlock",
	.cite = "Piggin, Linux 6.2 arch/powerpc/lib/qspinlock.c, commit 84990b169557",
	.flags = LOCK_QUEUED | LOCK_NEEDS_PREEMPTED | LOCK_NODE_POOL | LOCK_RESTORES,
	.state_size = sizeof(struct owner_lock),
	.node_size = sizeof(struct ppc_pool),
	.init = ppc_init,
	.acquire = ppc_acquire,
	.try_acquire = ppc_try_acquire,
	.release = ppc_release,
	.describe = ppc_describe,
};

LOCK_REGISTER(ppc_qspinlock_ops);

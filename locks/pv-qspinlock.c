/* SPDX-License-Identifier: MIT */
/*
 * pv-qspinlock: Linux's paravirtual qspinlock, its choice on KVM with PV_UNHALT. The word is
 * qspinlock's, but waiters go straight to the queue. They halt after spin_threshold polls, or
 * sooner if their predecessor has stopped polling. The unlocker kicks them.
 *
 *	locked  3 (SLOW): the head of the queue has halted or is about to; the unlocker looks it up
 *	        in the hash table and kicks it
 *	pending set: the head polls, newcomers may not steal; clear: they may (hybrid queueing)
 *	state   of a node: RUNNING; HALTED as a waiter; HASHED: the head, in the table. A halted
 *	        waiter that becomes the head is hashed, not kicked: the next unlock kicks it.
 *
 * Preemption: a head that is descheduled with pending set keeps a free lock from everybody.
 *
 * Linux 6.12 kernel/locking/qspinlock_paravirt.h (a23db284fe0d; kick at unlock only 75d227028068;
 * wait-early cd0272fab785; hybrid stealing 1c4941fd53af, 11752adb68a3).
 */
#include "bench/register.h"
#include "locks/core/pv.h"
#include "locks/core/spin.h"
#include "locks/core/tunables.h"
#include "locks/pv_hash.h"
#include "locks/qnode.h"

TUNABLE(pvq_hybrid, "pv-qspinlock", 1, 0, 1);         /* 0: one steal attempt, as Linux to 4.14 */
TUNABLE(pvq_prev_preempted, "pv-qspinlock", 0, 0, 1); /* 1: as Linux 4.10 to 5.3 */

enum node_state {
	RUNNING,
	HALTED,
	HASHED,
};

struct pv_node {
	struct qnode base;
	_Atomic uint32_t cpu; /* whom to kick; a late kicker may read it while the node is reused */
	_Atomic uint8_t state;
	uint8_t pad[11]; /* two to a line, as in Linux since 0fa809ca7f81 */
};

_Static_assert(sizeof(struct pv_node) == 32, "the four nodes fill two lines");

static void pv_init(void *state, const struct lock_env *env)
{
	qspinlock_init(state, env);
	pv_hash_init(port_cpu_count());
}

/* Hybrid queueing: while the head of the queue does not poll, newcomers are as unfair as
 * test-and-set. Without it they make one attempt. Returns false if the caller has to queue. */
static bool steal(union qspinlock_word *word, struct spin *spin)
{
	for (;;) {
		uint32_t value = q_load(word);
		uint8_t unlocked = 0;

		/* acquire: pairs with the release of the locked byte in pv_release, release_slow */
		if (!(value & (Q_LOCKED_MASK | Q_PENDING_MASK)) &&
		    atomic_compare_exchange_strong_explicit(&word->locked, &unlocked, Q_LOCKED,
							    memory_order_acquire,
							    memory_order_relaxed)) {
			lock_count_steal(port_my_stats(), value & Q_TAIL_MASK);
			spin_end(spin, SPIN_WON);
			return true;
		}
		if (!(value & Q_TAIL_MASK) || (value & Q_PENDING_MASK))
			return false;
		if (!pvq_hybrid)
			return false;
		spin_poll_on(spin);
	}
}

static bool granted(const struct pv_node *node)
{
	/* acquire: pairs with the store in promote */
	return atomic_load_explicit(&node->base.granted, memory_order_acquire) != 0;
}

/* Whether the predecessor has stopped polling or, with pvq_prev_preempted, is preempted; Linux 4.10
 * to 5.3 asked the latter, too (until 89340d0935c9). */
static bool has_stopped(const struct pv_node *previous)
{
	return atomic_load_explicit(&previous->state, memory_order_relaxed) != RUNNING ||
	       (pvq_prev_preempted &&
		pv_preempted(atomic_load_explicit(&previous->cpu, memory_order_relaxed)));
}

/* Polls until granted (true) or until it is time to halt (false). *early: the predecessor has
 * stopped polling, so the grant is far away. */
static bool poll_node(struct pv_node *node, struct pv_node *previous, bool *early,
		      struct spin *spin)
{
	*early = false;
	for (uint32_t loop = polls_to_halt(lock_tunables.spin_threshold); loop > 0;) {
		uint64_t to_look =
			spin_polls_to_look(-(uint64_t)loop, lock_tunables.prev_check_mask);

		if (granted(node))
			return true;
		if ((loop & lock_tunables.prev_check_mask) == 0 && has_stopped(previous)) {
			*early = true;
			return false;
		}
		loop -= (uint32_t)spin_polls(spin, to_look < loop ? to_look : loop);
	}
	return false;
}

/* Waits to become the head. */
static void wait_node(struct pv_node *node, struct pv_node *previous, struct spin *spin)
{
	bool early;

	while (!poll_node(node, previous, &early, spin)) {
		uint8_t halted = HALTED;

		/* Dekker with promote: we store state, then load granted; promote stores granted,
		 * then reads state. The exchange is the full barrier between our two. */
		atomic_exchange_explicit(&node->state, HALTED, memory_order_seq_cst);
		if (!granted(node)) {
			lock_count(port_my_stats(), EV_PV_WAIT_NODE);
			if (early)
				lock_count(port_my_stats(), EV_PV_WAIT_EARLY);
			spin_halt(spin, &node->state, HALTED);
		}
		/* Leaves HASHED alone: this CAS and that in promote agree on which was first. */
		atomic_compare_exchange_strong_explicit(&node->state, &halted, RUNNING,
							memory_order_seq_cst, memory_order_relaxed);
	}
}

/* The head, which polls with pending set, takes the lock: (pending, locked) (1, 0) -> (0, 1). */
static bool try_clear_pending(union qspinlock_word *word)
{
	uint16_t pending = Q_PENDING;

	/* acquire: pairs with the release of the locked byte in pv_release, release_slow */
	return atomic_load_explicit(&word->locked, memory_order_relaxed) == 0 &&
	       atomic_compare_exchange_strong_explicit(&word->locked_pending, &pending,
						       (uint16_t)Q_LOCKED, memory_order_acquire,
						       memory_order_relaxed);
}

/* Polls at the head with stealing disabled. Returns whether it took the lock. */
static bool poll_head(union qspinlock_word *word, struct spin *spin)
{
	q_set_pending(word, 1);
	for (uint32_t loop = polls_to_halt(lock_tunables.spin_threshold); loop > 0;) {
		if (try_clear_pending(word)) {
			spin_end(spin, SPIN_HANDED);
			return true;
		}
		loop -= (uint32_t)spin_polls(spin, loop);
	}
	q_set_pending(word, 0);
	return false;
}

/* Makes sure that the next unlocker looks for us. Returns true if there is no owner to do so: the
 * lock is ours. */
static bool arm(struct qspinlock *lock, struct pv_node *node)
{
	struct pv_hash_entry *entry = pv_hash_insert(lock, node);

	/* The entry comes before SLOW: the unlocker finds SLOW, then looks for the entry. Release:
	 * pairs with the load in release_slow. Acquire, if the lock was free: pairs with the stores
	 * to locked there and in pv_release. */
	if (atomic_exchange_explicit(&lock->word.locked, Q_SLOW, memory_order_seq_cst) != 0)
		return false;
	q_set_locked(&lock->word);
	pv_hash_cancel(entry);
	return true;
}

/* Waits at the head of the queue. Returns owning the lock. */
static void wait_head(struct qspinlock *lock, struct pv_node *node, struct spin *spin)
{
	struct lock_stats *stats = port_my_stats();
	/* promote has hashed us if it found us halted; then SLOW is set already */
	bool armed = atomic_load_explicit(&node->state, memory_order_relaxed) == HASHED;

	lock_count(stats, EV_LOCK_SLOWPATH);
	for (bool again = false;; again = true) {
		atomic_store_explicit(&node->state, RUNNING, memory_order_relaxed);
		if (poll_head(&lock->word, spin))
			return;
		if (!armed && arm(lock, node)) {
			spin_end(spin, SPIN_WON);
			return;
		}
		armed = true; /* hash only once: the kick takes the entry out, then we poll */
		atomic_store_explicit(&node->state, HASHED, memory_order_relaxed);
		lock_count(stats, EV_PV_WAIT_HEAD);
		if (again)
			lock_count(stats, EV_PV_WAIT_AGAIN);
		/* returns at once if a thief has the lock: locked is 1 then */
		spin_halt(spin, &lock->word.locked, Q_SLOW);
	}
}

/* The new owner makes its successor the head. A successor that has halted stays halted, which saves
 * a wake-up in vain: it is hashed here, and our unlock kicks it. */
static void promote(struct qspinlock *lock, struct pv_node *next)
{
	uint8_t halted = HALTED;

	/* release: pairs with the load in granted() */
	atomic_store_explicit(&next->base.granted, 1, memory_order_release);
	/* Dekker with wait_node: granted is stored before state is read. On x86 the locked CAS is
	 * the full barrier between the two, whether it succeeds or not. */
	if (!atomic_compare_exchange_strong_explicit(&next->state, &halted, HASHED,
						     memory_order_seq_cst, memory_order_seq_cst))
		return;
	/* the next unlock is ours, so nobody else depends on the order of these two */
	atomic_store_explicit(&lock->word.locked, Q_SLOW, memory_order_relaxed);
	pv_hash_insert(lock, next);
}

static void acquire_queued(struct qspinlock *lock, struct pv_node *node, uint32_t tail,
			   struct spin *spin)
{
	uint32_t old, value;

	qnode_reset(&node->base);
	atomic_store_explicit(&node->cpu, port_cpu(), memory_order_relaxed);
	atomic_store_explicit(&node->state, RUNNING, memory_order_relaxed);
	if (steal(&lock->word, spin))
		return;
	old = q_exchange_tail(&lock->word, tail);
	if (old) {
		struct qnode *previous = qnode_decode(lock, old, sizeof(*node));

		qnode_link(previous, &node->base);
		wait_node(node, (struct pv_node *)previous, spin);
		spin_stage(spin, SPIN_WON);
		qnode_prefetch_next(&node->base);
	}
	wait_head(lock, node, spin);
	/* If we are the last, clear the tail. Pending is clear and locked is 1, and until we
	 * promote a head nobody else changes them; so the CAS fails only if somebody queued up. */
	value = q_load(&lock->word);
	if ((value & Q_TAIL_MASK) != tail ||
	    !atomic_compare_exchange_strong_explicit(&lock->word.value, &value, Q_LOCKED,
						     memory_order_relaxed, memory_order_relaxed))
		promote(lock, (struct pv_node *)qnode_next(&node->base));
}

static __attribute__((noinline)) void pv_slow(struct qspinlock *lock, struct pv_node *first)
{
	struct spin spin = spin_begin();
	uint32_t level = qnode_take(&first->base, port_my_stats());

	if (level < Q_NODES) {
		acquire_queued(lock, first + level, qnode_encode(port_cpu(), level), &spin);
	} else {
		while (!steal(&lock->word, &spin))
			spin_poll_on(&spin);
	}
	qnode_put(&first->base);
}

static inline void pv_acquire(void *state, void *node)
{
	struct qspinlock *lock = state;
	uint32_t seen;

	if (__builtin_expect(!q_try_fast(&lock->word, &seen), 0))
		pv_slow(lock, node);
}

static inline bool pv_try_acquire(void *state, void *node)
{
	struct qspinlock *lock = state;

	(void)node;
	return q_try(&lock->word);
}

/* Releases the lock and kicks the head, which has halted or is about to. */
static __attribute__((noinline)) void release_slow(struct qspinlock *lock)
{
	struct pv_node *head;

	/* acquire: pairs with the exchange in arm; the entry must be visible */
	if (atomic_load_explicit(&lock->word.locked, memory_order_acquire) != Q_SLOW)
		__builtin_trap(); /* released without being held */
	head = pv_hash_remove(lock);
	/* Release: pairs with the acquires of the locked byte. After this the lock may be gone, but
	 * not the node, which belongs to its CPU. */
	q_release(&lock->word);
	lock_count(port_my_stats(), EV_PV_KICK_UNLOCK);
	pv_kick(atomic_load_explicit(&head->cpu, memory_order_relaxed));
}

/* A CAS, not a store, so that SLOW is not overwritten. That is the price of a pv unlock. */
static inline void pv_release(void *state, void *node)
{
	struct qspinlock *lock = state;
	uint8_t held = Q_LOCKED;

	(void)node;
	/* release: pairs with the acquires of word or locked byte in pv_acquire, steal, arm,
	 * try_clear_pending */
	if (__builtin_expect(!atomic_compare_exchange_strong_explicit(&lock->word.locked, &held, 0,
								      memory_order_release,
								      memory_order_relaxed),
			     0))
		release_slow(lock);
}

static const struct lock_ops pv_qspinlock_ops = {
	.name = "pv-qspinlock",
	.cite = "Linux 6.12 kernel/locking/qspinlock_paravirt.h",
	.flags = LOCK_QUEUED | LOCK_PV | LOCK_NODE_POOL | LOCK_RESTORES,
	.state_size = sizeof(struct qspinlock),
	.node_size = Q_NODES * sizeof(struct pv_node),
	.init = pv_init,
	.acquire = pv_acquire,
	.try_acquire = pv_try_acquire,
	.release = pv_release,
	.describe = q_describe,
};

LOCK_REGISTER(pv_qspinlock_ops);

/* SPDX-License-Identifier: MIT */
/*
 * mcs-stp: mcs whose waiters spin, then park: after mcsstp_spins polls a waiter halts on its own
 * node, and the releaser kicks it. Strict FIFO. It has nothing of pv-qspinlock but halting: no
 * hash, no stealing, no early halt. So its difference to mcs shows what halting brings, and its
 * difference to pv-qspinlock what the rest brings.
 *
 * Preemption: as mcs, but waiters stop burning the holder's time. Once all halt, every hand-over
 * pays for a kick, a wake-up and its scheduling, and only the woken vCPU can use the lock.
 *
 * Queue: J. M. Mellor-Crummey, M. L. Scott, ACM TOCS 9(1), 1991. Spin-then-park: the policy of
 * H. Guiroux, R. Lachaize, V. Quéma, "Multicore Locks: The Case Is Not Closed Yet", USENIX ATC
 * 2016 (LiTL).
 */
#include "bench/register.h"
#include "lib/printf.h"
#include "locks/core/pv.h"
#include "locks/core/spin.h"
#include "locks/core/tunables.h"

/* Polls before a waiter halts. LiTL's figure: as long as a futex round trip there. */
TUNABLE(mcsstp_spins, "mcs-stp", 2700, 1, UINT32_MAX);

enum stp_state {
	STP_WAITING,
	STP_HALTED, /* or about to halt */
	STP_GRANTED,
};

struct stp_node {
	struct stp_node *_Atomic next;
	uint32_t cpu; /* of the waiter; published by the link */
	_Atomic uint8_t state;
};

struct stp_lock {
	struct stp_node *_Atomic tail;
};

static void stp_init(void *state, const struct lock_env *env)
{
	struct stp_lock *lock = state;

	(void)env;
	atomic_init(&lock->tail, NULL);
}

/* Acquire: pairs with the exchange in stp_grant. */
static inline bool stp_granted(const struct stp_node *mine)
{
	return atomic_load_explicit(&mine->state, memory_order_acquire) == STP_GRANTED;
}

/* Out of patience: halts until granted. */
static void stp_halt(struct stp_node *mine, struct spin *spin)
{
	uint8_t waiting = STP_WAITING;

	/* Waiter and releaser meet in one word, so no wake-up is lost: the second sees what the
	 * first has written. seq_cst: the full barrier that pv_wait asks for. Acquire on failure:
	 * as stp_granted. */
	if (!atomic_compare_exchange_strong_explicit(&mine->state, &waiting, STP_HALTED,
						     memory_order_seq_cst, memory_order_acquire)) {
		lock_count(port_my_stats(), EV_TAKEN_SLOW_PICKUP);
		return;
	}
	lock_count(port_my_stats(), EV_PV_WAIT_NODE);
	while (!stp_granted(mine))
		spin_halt(spin, &mine->state, STP_HALTED);
}

static __attribute__((noinline)) void stp_wait(struct stp_node *mine, struct stp_node *previous)
{
	struct spin spin = spin_begin();
	bool granted;

	lock_count(port_my_stats(), EV_LOCK_SLOWPATH);
	mine->cpu = port_cpu();
	/* release: pairs with the acquire loads of next in stp_release; publishes cpu and state */
	atomic_store_explicit(&previous->next, mine, memory_order_release);
	for (uint32_t left = mcsstp_spins; !(granted = stp_granted(mine)) && left > 0;)
		left -= (uint32_t)spin_polls(&spin, left);
	if (!granted)
		stp_halt(mine, &spin);
	spin_end(&spin, SPIN_HANDED);
}

static inline void stp_reset(struct stp_node *mine)
{
	atomic_store_explicit(&mine->next, NULL, memory_order_relaxed);
	atomic_store_explicit(&mine->state, STP_WAITING, memory_order_relaxed);
}

static inline void stp_acquire(void *state, void *node)
{
	struct stp_lock *lock = state;
	struct stp_node *mine = node, *previous;

	stp_reset(mine);
	/* acquire: pairs with the CAS in stp_release that emptied the queue; release: a successor
	 * that reads this node from tail must see next == NULL before it links itself */
	previous = atomic_exchange_explicit(&lock->tail, mine, memory_order_acq_rel);
	if (__builtin_expect(previous != NULL, 0))
		stp_wait(mine, previous);
}

static inline bool stp_try_acquire(void *state, void *node)
{
	struct stp_lock *lock = state;
	struct stp_node *mine = node, *none = NULL;

	if (atomic_load_explicit(&lock->tail, memory_order_relaxed))
		return false;
	stp_reset(mine);
	/* as the exchange in stp_acquire */
	return atomic_compare_exchange_strong_explicit(&lock->tail, &none, mine,
						       memory_order_acq_rel, memory_order_relaxed);
}

/* Waits for a successor that has joined but not yet linked itself. */
static __attribute__((noinline)) struct stp_node *stp_wait_link(struct stp_node *mine)
{
	uint64_t begin = spin_link_begin();
	struct stp_node *next;

	/* acquire: pairs with the link store in stp_wait */
	while (!(next = atomic_load_explicit(&mine->next, memory_order_acquire)))
		port_relax();
	spin_link_end(begin);
	return next;
}

static __attribute__((noinline)) void stp_kick(uint32_t cpu)
{
	lock_count(port_my_stats(), EV_PV_KICK_UNLOCK);
	pv_kick(cpu);
}

/* Once it is granted, the node belongs to its waiter again and may be gone, so its CPU is read
 * before. A kick that comes late only ends another wait of that CPU too early. */
static inline void stp_grant(struct stp_node *next)
{
	uint32_t cpu = next->cpu;

	/* release: pairs with stp_granted. That suffices: see stp_halt. */
	if (__builtin_expect(atomic_exchange_explicit(&next->state, STP_GRANTED,
						      memory_order_release) == STP_HALTED,
			     0))
		stp_kick(cpu);
}

static inline void stp_release(void *state, void *node)
{
	struct stp_lock *lock = state;
	struct stp_node *mine = node, *expected = mine;
	/* acquire: pairs with the link store in stp_wait */
	struct stp_node *next = atomic_load_explicit(&mine->next, memory_order_acquire);

	if (!next) {
		/* release: pairs with the exchange in stp_acquire, the CAS in stp_try_acquire */
		if (atomic_compare_exchange_strong_explicit(&lock->tail, &expected, NULL,
							    memory_order_release,
							    memory_order_relaxed))
			return;
		next = stp_wait_link(mine);
	}
	stp_grant(next);
}

static void stp_describe(const void *state, char *text, size_t size)
{
	const struct stp_lock *lock = state;
	const struct stp_node *tail = atomic_load_explicit(&lock->tail, memory_order_relaxed);

	if (tail)
		ksnprintf(text, size, "tail %p: held or waited for", (const void *)tail);
	else
		ksnprintf(text, size, "no tail: free");
}

static const struct lock_ops mcs_stp_ops = {
	.name = "mcs-stp",
	.cite = "Mellor-Crummey & Scott 1991, ACM TOCS 9(1); Guiroux et al., USENIX ATC 2016",
	.flags = LOCK_FIFO | LOCK_QUEUED | LOCK_PV | LOCK_RESTORES,
	.state_size = CACHE_LINE,
	.node_size = sizeof(struct stp_node),
	.init = stp_init,
	.acquire = stp_acquire,
	.try_acquire = stp_try_acquire,
	.release = stp_release,
	.describe = stp_describe,
};

LOCK_REGISTER(mcs_stp_ops);

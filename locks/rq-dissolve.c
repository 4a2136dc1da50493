/* SPDX-License-Identifier: MIT */
/*
 * rq-dissolve: a queue that dissolves when its head has waited too long, as that of Linux's
 * rqspinlock, whose acquisitions may fail. Here they are tried again. The queue is that of
 * qspinlock without its pending bit: waiters poll their nodes, the head polls the word. When the
 * head has polled for rqd_head_us, it sets `dissolves` and leaves; each waiter tells the next,
 * until the last takes tail and `dissolves` away in one step. A vCPU that has left, or comes
 * meanwhile, stands aside: it polls the word, may take the lock, and queues when `dissolves` is
 * clear.
 *
 * Storms. Suppose that a vCPU that has left queued again at once. The news that the queue dissolves
 * still travels through it, and would make the vCPU leave again. That could go on for ever, with no
 * head to take a free lock. Standing aside prevents it: no vCPU that has left queues before the
 * queue is empty, so each is told once. A section longer than the limit would dissolve each new
 * queue, too. So a waiter doubles its limit at each dissolution in one wait.
 *
 * Preemption. If the holder is preempted, the running vCPUs form a new queue; while the old one
 * dissolves, the lock is a test-and-set lock. If the head is preempted, nobody notices, as in
 * qspinlock: only heads have a limit. A preempted waiter holds up the news for the waiters behind
 * it, not for those before it.
 *
 * K. K. Dwivedi, "Resilient Queued Spin Lock", Linux 6.15 kernel/bpf/rqspinlock.c: its limits are
 * 0.5 s for the head, 0.25 s for the pending waiter, none for the others. On a hypervisor it is a
 * test-and-set lock without a queue.
 */
#include "bench/register.h"
#include "lib/printf.h"
#include "locks/core/spin.h"
#include "locks/core/tunables.h"
#include "locks/qnode.h"

/* Well above any section here and below a slice of the host (2.8 ms of Linux's EEVDF). */
TUNABLE(rqd_head_us, "rq-dissolve", 1000, 1, 1000000);

#define RQ_DISSOLVES   Q_PENDING_MASK /* the pending byte's place in the word */
#define RQ_LEAVE       2u             /* qnode.granted: not the head, leave the queue */
#define RQ_MAX_DOUBLES 10
#define RQ_CLOCK_POLLS 64 /* between two looks at the clock */

/* One wait. */
struct rq_wait {
	struct spin spin;
	uint32_t doubles; /* of the limit */
};

static void rq_init(void *state, const struct lock_env *env)
{
	qspinlock_init(state, env);
}

/* Takes a free lock, from inside the queue or outside. Acquire: pairs with q_release. */
static bool rq_take(union qspinlock_word *word)
{
	uint8_t unlocked = 0;

	return atomic_load_explicit(&word->locked, memory_order_relaxed) == 0 &&
	       atomic_compare_exchange_strong_explicit(&word->locked, &unlocked, Q_LOCKED,
						       memory_order_acquire, memory_order_relaxed);
}

/* Takes the last waiter's tail away, and `dissolves` with it. False: somebody has queued behind.
 * Relaxed: a newcomer that finds no tail takes nothing over. */
static bool rq_empty(union qspinlock_word *word, uint32_t tail)
{
	uint32_t value = q_load(word);

	/* the locked byte may change meanwhile */
	while ((value & Q_TAIL_MASK) == tail)
		if (atomic_compare_exchange_strong_explicit(
			    &word->value, &value, value & Q_LOCKED_MASK, memory_order_relaxed,
			    memory_order_relaxed))
			return true;
	return false;
}

/* Leaves the queue; the next, if any, becomes the head or leaves, too. Release: pairs with the load
 * in rq_turn. */
static void rq_leave(union qspinlock_word *word, struct qnode *node, uint32_t tail, uint32_t next)
{
	if (!rq_empty(word, tail))
		atomic_store_explicit(&qnode_next(node)->granted, next, memory_order_release);
}

/* Joins the queue. True: at its head; false: told to leave. */
static bool rq_turn(struct qspinlock *lock, struct qnode *node, uint32_t tail, struct spin *spin)
{
	uint32_t old, granted;

	qnode_reset(node);
	old = q_exchange_tail(&lock->word, tail);
	if (!old)
		return true;
	qnode_link(qnode_decode(lock, old, sizeof(*node)), node);
	/* Acquire: pairs with the store in rq_leave. If it says leave, `dissolves` is visible. */
	while (!(granted = atomic_load_explicit(&node->granted, memory_order_acquire)))
		spin_poll_on(spin);
	spin_stage(spin, SPIN_HANDED);
	return granted != RQ_LEAVE;
}

/* At the head of the queue: polls until it has the lock (true) or its limit has passed. */
static bool rq_poll_head(union qspinlock_word *word, struct rq_wait *wait)
{
	uint64_t limit = port_ns_to_cycles(rqd_head_us * UINT64_C(1000)) << wait->doubles;
	uint64_t start = port_cycles();

	for (uint64_t polls = 0; !rq_take(word);) {
		if (polls != 0 && polls % RQ_CLOCK_POLLS == 0 && port_cycles() - start > limit)
			return false;
		polls += spin_polls(&wait->spin, RQ_CLOCK_POLLS - polls % RQ_CLOCK_POLLS);
	}
	spin_end(&wait->spin, SPIN_HANDED);
	return true;
}

/* Queues. True: owns the lock; false: the queue dissolves. */
static bool rq_queue(struct qspinlock *lock, struct qnode *node, uint32_t tail,
		     struct rq_wait *wait)
{
	union qspinlock_word *word = &lock->word;

	if (rq_turn(lock, node, tail, &wait->spin)) {
		if (rq_poll_head(word, wait)) {
			rq_leave(word, node, tail, 1);
			return true;
		}
		/* Only the head and, later, the last waiter to leave write this byte. The store to
		 * granted publishes it to that waiter. */
		q_set_pending(word, 1);
	}
	if (wait->doubles < RQ_MAX_DOUBLES)
		wait->doubles++;
	rq_leave(word, node, tail, RQ_LEAVE);
	return false;
}

/* Until the queue is empty. True: took the lock meanwhile. */
static bool rq_stand_aside(union qspinlock_word *word, struct spin *spin)
{
	while (q_load(word) & RQ_DISSOLVES) {
		if (rq_take(word)) {
			spin_end(spin, SPIN_WON);
			return true;
		}
		spin_poll_on(spin);
	}
	return false;
}

static __attribute__((noinline)) void rq_slow(struct qspinlock *lock, struct qnode *first)
{
	struct rq_wait wait = {.spin = spin_begin()};
	uint32_t level = qnode_take(first, port_my_stats());

	lock_count(port_my_stats(), EV_LOCK_SLOWPATH);
	if (level < Q_NODES) {
		while (!rq_stand_aside(&lock->word, &wait.spin) &&
		       !rq_queue(lock, first + level, qnode_encode(port_cpu(), level), &wait))
			lock_count(port_my_stats(), EV_WAITER_RETRIED);
	} else {
		while (!rq_take(&lock->word))
			spin_poll_on(&wait.spin);
		spin_end(&wait.spin, SPIN_WON);
	}
	qnode_put(first);
}

static inline void rq_acquire(void *state, void *node)
{
	struct qspinlock *lock = state;
	uint32_t seen;

	if (__builtin_expect(!q_try_fast(&lock->word, &seen), 0))
		rq_slow(lock, node);
}

static inline bool rq_try_acquire(void *state, void *node)
{
	struct qspinlock *lock = state;

	(void)node;
	return q_try(&lock->word);
}

static inline void rq_release(void *state, void *node)
{
	struct qspinlock *lock = state;

	(void)node;
	q_release(&lock->word);
}

static void rq_describe(const void *state, char *text, size_t size)
{
	uint32_t value = q_load(state), tail = value >> Q_TAIL_SHIFT;

	ksnprintf(text, size, "word 0x%08x: %s, %s; last waiter CPU + 1: %u", value,
		  value & Q_LOCKED_MASK ? "held" : "free",
		  value & RQ_DISSOLVES ? "the queue dissolves" : "no queue dissolves", tail >> 2);
}

static const struct lock_ops rq_dissolve_ops = {
	.name = "rq-dissolve",
	.cite = "Linux 6.15 kernel/bpf/rqspinlock.c",
	.flags = LOCK_QUEUED | LOCK_NODE_POOL | LOCK_RESTORES,
	.state_size = sizeof(struct qspinlock),
	.node_size = Q_NODES * sizeof(struct qnode),
	.init = rq_init,
	.acquire = rq_acquire,
	.try_acquire = rq_try_acquire,
	.release = rq_release,
	.describe = rq_describe,
};

LOCK_REGISTER(rq_dissolve_ops);

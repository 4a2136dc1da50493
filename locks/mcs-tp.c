/* SPDX-License-Identifier: MIT */
/*
 * mcs-tp: mcs with time-published waiting. A waiter writes the time into its node as it polls. The
 * releaser grants the lock to the first waiter whose time is fresh: that waiter was polling a
 * moment ago. The releaser takes the stale waiters before it off the queue and marks them failed;
 * they queue again when they run.
 *
 * A node is marked only after it has left the queue: after the releaser has read its successor, or
 * has removed it as the tail. So a failed waiter may reuse its node at once. If all waiters are
 * stale, the lock becomes free for the first to come back. Failed waiters that come back stale
 * could keep a releaser walking for ever; therefore a release passes at most mcstp_scan waiters and
 * grants to the next one, fresh or not.
 *
 * Two differences from the paper. There is no time-out, because acquire never fails here. And a
 * waiter measures the age of a section by its own looks: it reads the lock's `section` once per
 * mcstp_max_cs_us and takes an unchanged one to be that old. So the uncontended path reads no
 * clock.
 *
 * Preemption: the releaser passes a descheduled waiter. But a waiter that was descheduled less than
 * mcstp_update_us before the release, or before it had linked itself, stops everybody. Against a
 * preempted holder the waiters only yield.
 *
 * B. He, W. N. Scherer III, M. L. Scott, "Preemption Adaptivity in Time-Published Queue-Based Spin
 * Locks", HiPC 2005.
 */
#include "bench/register.h"
#include "lib/printf.h"
#include "locks/core/pv.h"
#include "locks/core/spin.h"
#include "locks/core/tunables.h"

/* The authors' UPDATE_DELAY and MAX_CS; they bound the walk by the number of threads. */
TUNABLE(mcstp_update_us, "mcs-tp", 10, 1, 1000000);    /* older times are stale */
TUNABLE(mcstp_max_cs_us, "mcs-tp", 10000, 1, 1000000); /* no section takes that long */
TUNABLE(mcstp_scan, "mcs-tp", 64, 0, UINT32_MAX);      /* most to pass at a release; 0: as mcs */

enum tp_status {
	TP_WAITING,
	TP_GRANTED,
	TP_FAILED, /* passed, and off the queue */
};

struct tp_node {
	struct tp_node *_Atomic next;
	_Atomic uint32_t status;
	uint32_t cpu;           /* of the waiter; published by the link */
	_Atomic uint64_t stamp; /* TSC when it last polled */
};

struct tp_lock {
	struct tp_node *_Atomic tail;
	/* Bits 0-31: CPU + 1 of the owner, 0 for nobody; 32-63: counts the sections. Written by
	 * the owner, and by the releaser for the next owner. */
	_Atomic uint64_t section;
	uint8_t pad[CACHE_LINE - 16];
	uint64_t update_cycles, max_cs_cycles; /* only read */
};

#define SECTION_OWNER UINT32_MAX

static void tp_init(void *state, const struct lock_env *env)
{
	struct tp_lock *lock = state;

	(void)env;
	atomic_init(&lock->tail, NULL);
	atomic_init(&lock->section, 0);
	lock->update_cycles = port_ns_to_cycles(mcstp_update_us * UINT64_C(1000));
	lock->max_cs_cycles = port_ns_to_cycles(mcstp_max_cs_us * UINT64_C(1000));
}

static inline uint64_t section_load(const struct tp_lock *lock)
{
	return atomic_load_explicit(&lock->section, memory_order_relaxed);
}

/* A hint for the waiters: no ordering. */
static inline void section_begins(struct tp_lock *lock, uint32_t cpu)
{
	uint64_t section = (section_load(lock) | SECTION_OWNER) + 1 + (cpu + 1);

	atomic_store_explicit(&lock->section, section, memory_order_relaxed);
}

/* Clears the owner, so that nobody yields to a vCPU that has left its section. */
static inline void section_ends(struct tp_lock *lock)
{
	atomic_store_explicit(&lock->section, section_load(lock) & ~(uint64_t)SECTION_OWNER,
			      memory_order_relaxed);
}

static inline void tp_reset(struct tp_node *mine)
{
	atomic_store_explicit(&mine->next, NULL, memory_order_relaxed);
	atomic_store_explicit(&mine->status, TP_WAITING, memory_order_relaxed);
}

/* What a waiter remembers of the holder. */
struct tp_suspicion {
	uint64_t section;
	uint64_t due; /* TSC to look again at */
};

/* A section that lasts for max_cs has an owner that is off its CPU rather than busy: yields to it,
 * and again every update_us until the section ends. */
static void suspect(const struct tp_lock *lock, struct tp_suspicion *suspicion, uint64_t now)
{
	uint64_t section = section_load(lock);

	suspicion->due = now + lock->max_cs_cycles;
	if (section == suspicion->section && (section & SECTION_OWNER)) {
		lock_count(port_my_stats(), EV_YIELD_OWNER);
		pv_yield_to((uint32_t)(section & SECTION_OWNER) - 1);
		suspicion->due = now + lock->update_cycles;
	}
	suspicion->section = section;
}

/* Polls until granted (true) or failed (false). */
static bool tp_poll(const struct tp_lock *lock, struct tp_node *mine, struct spin *spin)
{
	struct tp_suspicion suspicion = {
		.section = section_load(lock),
		.due = port_cycles() + lock->max_cs_cycles,
	};

	for (;;) {
		/* acquire: pairs with the stores to status in tp_pass */
		uint32_t status = atomic_load_explicit(&mine->status, memory_order_acquire);
		uint64_t now;

		if (status != TP_WAITING)
			return status == TP_GRANTED;
		now = port_cycles();
		atomic_store_explicit(&mine->stamp, now, memory_order_relaxed);
		if ((int64_t)(now - suspicion.due) >= 0)
			suspect(lock, &suspicion, now);
		spin_poll(spin);
	}
}

static __attribute__((noinline)) void tp_wait(struct tp_lock *lock, struct tp_node *mine,
					      struct tp_node *previous)
{
	struct spin spin = spin_begin();

	lock_count(port_my_stats(), EV_LOCK_SLOWPATH);
	mine->cpu = port_cpu();
	do {
		atomic_store_explicit(&mine->stamp, port_cycles(), memory_order_relaxed);
		/* release: pairs with the acquire loads of next in tp_pass; publishes the node */
		atomic_store_explicit(&previous->next, mine, memory_order_release);
		if (tp_poll(lock, mine, &spin)) {
			spin_end(&spin, SPIN_HANDED);
			return;
		}
		spin_stage(&spin, SPIN_WON);
		lock_count(port_my_stats(), EV_WAITER_RETRIED);
		tp_reset(mine);
		/* as the exchange in tp_acquire */
		previous = atomic_exchange_explicit(&lock->tail, mine, memory_order_acq_rel);
	} while (previous);
	section_begins(lock, mine->cpu);
	spin_end(&spin, SPIN_WON);
}

static inline void tp_acquire(void *state, void *node)
{
	struct tp_lock *lock = state;
	struct tp_node *mine = node, *previous;

	tp_reset(mine);
	/* acquire: pairs with the CAS in tp_empty; release: a successor that reads this node from
	 * tail must see next == NULL before it links itself */
	previous = atomic_exchange_explicit(&lock->tail, mine, memory_order_acq_rel);
	if (__builtin_expect(previous != NULL, 0))
		tp_wait(lock, mine, previous);
	else
		section_begins(lock, port_cpu());
}

static inline bool tp_try_acquire(void *state, void *node)
{
	struct tp_lock *lock = state;
	struct tp_node *mine = node, *none = NULL;

	if (atomic_load_explicit(&lock->tail, memory_order_relaxed))
		return false;
	tp_reset(mine);
	/* as the exchange in tp_acquire */
	if (!atomic_compare_exchange_strong_explicit(&lock->tail, &none, mine, memory_order_acq_rel,
						     memory_order_relaxed))
		return false;
	section_begins(lock, port_cpu());
	return true;
}

/* Empties the queue, which frees the lock. Fails if `last` is no longer the tail. */
static inline bool tp_empty(struct tp_lock *lock, struct tp_node *last)
{
	/* release: pairs with the exchange in tp_acquire, the CAS in tp_try_acquire */
	return atomic_compare_exchange_strong_explicit(&lock->tail, &last, NULL,
						       memory_order_release, memory_order_relaxed);
}

/* Returns the waiter behind `node`. NULL: there was none, and the lock is free now. */
static struct tp_node *tp_next(struct tp_lock *lock, struct tp_node *node)
{
	/* acquire: pairs with the link store in tp_wait */
	struct tp_node *next = atomic_load_explicit(&node->next, memory_order_acquire);
	uint64_t begin;

	if (next)
		return next;
	if (tp_empty(lock, node))
		return NULL;
	begin = spin_link_begin();
	/* acquire: as above */
	while (!(next = atomic_load_explicit(&node->next, memory_order_acquire)))
		port_relax();
	spin_link_end(begin);
	return next;
}

/* A time ahead of ours is fresh, too: clocks may differ. */
static bool is_fresh(const struct tp_lock *lock, const struct tp_node *node)
{
	uint64_t stamp = atomic_load_explicit(&node->stamp, memory_order_relaxed);

	return (int64_t)(port_cycles() - stamp) <= (int64_t)lock->update_cycles;
}

/* Grants the lock to the first fresh waiter, or frees it if all are stale. */
static __attribute__((noinline)) void tp_pass(struct tp_lock *lock, struct tp_node *mine)
{
	struct tp_node *next = tp_next(lock, mine), *stale;

	for (uint32_t passed = 0; next; passed++) {
		if (passed >= mcstp_scan || is_fresh(lock, next)) {
			section_begins(lock, next->cpu);
			/* release: pairs with the load in tp_poll */
			atomic_store_explicit(&next->status, TP_GRANTED, memory_order_release);
			return;
		}
		lock_count(port_my_stats(), EV_WAITER_SKIPPED);
		stale = next;
		next = tp_next(lock, stale);
		/* Release: pairs with the load in tp_poll. From here on the node is its waiter's
		 * again, so its next was read before. */
		atomic_store_explicit(&stale->status, TP_FAILED, memory_order_release);
	}
}

static inline void tp_release(void *state, void *node)
{
	struct tp_lock *lock = state;
	struct tp_node *mine = node;

	section_ends(lock);
	/* relaxed: only chooses the path, tp_pass reads it again */
	if (atomic_load_explicit(&mine->next, memory_order_relaxed) || !tp_empty(lock, mine))
		tp_pass(lock, mine);
}

static void tp_describe(const void *state, char *text, size_t size)
{
	const struct tp_lock *lock = state;
	const struct tp_node *tail = atomic_load_explicit(&lock->tail, memory_order_relaxed);
	uint32_t owner = (uint32_t)(section_load(lock) & SECTION_OWNER);

	if (!tail)
		ksnprintf(text, size, "no tail: free");
	else if (owner)
		ksnprintf(text, size, "tail %p, section of CPU %u", (const void *)tail, owner - 1);
	else
		ksnprintf(text, size, "tail %p, section of nobody yet", (const void *)tail);
}

static const struct lock_ops mcs_tp_ops = {
	.name = "mcs-tp",
	.cite = "He, Scherer & Scott, HiPC 2005",
	.flags = LOCK_QUEUED,
	.state_size = sizeof(struct tp_lock),
	.node_size = sizeof(struct tp_node),
	.init = tp_init,
	.acquire = tp_acquire,
	.try_acquire = tp_try_acquire,
	.release = tp_release,
	.describe = tp_describe,
};

LOCK_REGISTER(mcs_tp_ops);

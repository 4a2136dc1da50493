/* SPDX-License-Identifier: MIT */
/*
 * tas-park: a test-and-set lock whose waiters halt: the usual mutex over a futex, with vCPUs as
 * threads. One byte: 0 free, 1 held, 2 held and somebody may be parked. A waiter polls for a short
 * time, then parks (park.h); a release that finds 2 wakes one waiter. Any vCPU may take a free
 * lock, so the woken waiter may lose it to a running one; then it parks again.
 *
 * One 2 stands for all who are parked, and yet no wake-up is lost: from its first exchange of the
 * byte on, a waiter takes the lock only as 2 (park.h says why).
 *
 * Preemption: preempting a waiter is harmless. If the vCPU that a release wakes gets no CPU, that
 * wake-up is spent; meanwhile the lock is free for others. Preempting the holder costs each waiter
 * one short poll; then the waiters' CPUs are free.
 *
 * U. Drepper, "Futexes Are Tricky", 2011 (its second mutex); the short spin and the barging as in
 * F. Pizlo, "Locking in WebKit", 2016.
 */
#include "bench/register.h"
#include "lib/printf.h"
#include "locks/core/spin.h"
#include "locks/core/tunables.h"
#include "locks/park.h"

/* Polls before each parking; 40 in WebKit's lock. */
TUNABLE(taspark_spins, "tas-park", 40, 1, UINT32_MAX);

struct taspark {
	_Atomic uint8_t byte; /* enum park_byte */
};

static struct park_lot lot;

static void taspark_init(void *state, const struct lock_env *env)
{
	struct taspark *lock = state;

	atomic_init(&lock->byte, PARK_FREE);
	park_init(&lot, env);
}

/* Polls for a short time. Returns whether it took the lock. */
static bool taspark_poll(struct taspark *lock, uint8_t as, struct spin *spin)
{
	for (uint32_t left = taspark_spins; left > 0; left -= (uint32_t)spin_polls(spin, left))
		if (park_take(&lock->byte, as))
			return true;
	return false;
}

static __attribute__((noinline)) void taspark_slow(struct taspark *lock, void *node)
{
	struct spin spin = spin_begin();
	uint8_t as = PARK_HELD;

	lock_count(port_my_stats(), EV_LOCK_SLOWPATH);
	while (!taspark_poll(lock, as, &spin) && !park_announce(&lock->byte)) {
		as = PARK_WAITERS; /* we may be woken on behalf of others */
		park(&lot, node, &lock->byte, &spin);
	}
	spin_end(&spin, SPIN_WON);
}

static inline void taspark_acquire(void *state, void *node)
{
	struct taspark *lock = state;
	uint8_t free = PARK_FREE;

	/* A CAS: a swap would erase a 2. Acquire: pairs with the exchange in park_release. */
	if (__builtin_expect(!atomic_compare_exchange_strong_explicit(&lock->byte, &free, PARK_HELD,
								      memory_order_acquire,
								      memory_order_relaxed),
			     0))
		taspark_slow(lock, node);
}

static inline bool taspark_try_acquire(void *state, void *node)
{
	struct taspark *lock = state;

	(void)node;
	return park_take(&lock->byte, PARK_HELD);
}

static __attribute__((noinline)) void taspark_release_slow(const void *lock)
{
	park_wake(&lot, lock);
}

/* An exchange, not a store: a 2 must be seen. */
static inline void taspark_release(void *state, void *node)
{
	struct taspark *lock = state;

	(void)node;
	if (__builtin_expect(park_release(&lock->byte), 0))
		taspark_release_slow(&lock->byte);
}

static void taspark_describe(const void *state, char *text, size_t size)
{
	static const char *const words[] = {"free", "held", "held, somebody may be parked"};
	const struct taspark *lock = state;
	uint8_t byte = atomic_load_explicit(&lock->byte, memory_order_relaxed);

	ksnprintf(text, size, "byte %u (%s)", byte, byte <= PARK_WAITERS ? words[byte] : "broken");
}

static const struct lock_ops taspark_ops = {
	.name = "tas-park",
	.cite = "Drepper 2011, Futexes Are Tricky; Pizlo 2016, Locking in WebKit",
	.flags = LOCK_PV | LOCK_NODE_POOL | LOCK_RESTORES,
	.state_size = CACHE_LINE,
	.node_size = sizeof(struct park_node),
	.init = taspark_init,
	.acquire = taspark_acquire,
	.try_acquire = taspark_try_acquire,
	.release = taspark_release,
	.describe = taspark_describe,
};

LOCK_REGISTER(taspark_ops);

/* SPDX-License-Identifier: MIT */
/*
 * tas: test-and-set. One byte, 0 free, 1 held; every poll is an XCHG, so every poller takes the
 * line from the holder, whose release has to take it back. Never halts, no order among waiters.
 *
 * Preemption: none of a waiter matters (any running waiter takes a free lock); that of the holder
 * costs all of them their slices.
 *
 * T. E. Anderson, "The Performance of Spin Lock Alternatives for Shared-Memory Multiprocessors",
 * IEEE TPDS 1(1), 1990.
 */
#include "locks/register.h"
#include "locks/spin.h"
#include "pvspin/printf.h"

struct tas_lock {
	_Atomic uint8_t held;
};

static void tas_init(void *state, const struct lock_env *env)
{
	struct tas_lock *lock = state;

	(void)env;
	atomic_init(&lock->held, 0);
}

/* Acquire: pairs with the store in tas_release. */
static inline bool tas_try_acquire(void *state, void *node)
{
	struct tas_lock *lock = state;

	(void)node;
	return atomic_exchange_explicit(&lock->held, 1, memory_order_acquire) == 0;
}

static __attribute__((noinline)) void tas_slow(struct tas_lock *lock)
{
	struct spin spin = spin_begin();

	lock_count(port_my_stats(), EV_LOCK_SLOWPATH);
	do
		spin_poll(&spin);
	while (!tas_try_acquire(lock, NULL));
	spin_end(&spin, SPIN_WON);
}

static inline void tas_acquire(void *state, void *node)
{
	if (__builtin_expect(!tas_try_acquire(state, node), 0))
		tas_slow(state);
}

/* Release: pairs with the exchange in tas_try_acquire. */
static inline void tas_release(void *state, void *node)
{
	struct tas_lock *lock = state;

	(void)node;
	atomic_store_explicit(&lock->held, 0, memory_order_release);
}

static void tas_describe(const void *state, char *text, size_t size)
{
	const struct tas_lock *lock = state;
	uint8_t held = atomic_load_explicit(&lock->held, memory_order_relaxed);

	ksnprintf(text, size, "byte %u (%s)", held, held ? "held" : "free");
}

static const struct lock_ops tas_ops = {
	.name = "tas",
	.cite = "Anderson 1990, IEEE TPDS 1(1)",
	.flags = LOCK_RESTORES,
	.state_size = CACHE_LINE,
	.node_size = 0,
	.init = tas_init,
	.acquire = tas_acquire,
	.try_acquire = tas_try_acquire,
	.release = tas_release,
	.describe = tas_describe,
};

LOCK_REGISTER(tas_ops);

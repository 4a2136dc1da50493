/* SPDX-License-Identifier: MIT */
/*
 * tas: test-and-set. One byte, 0 free, 1 held; every poll is an XCHG, so every poller takes the
 * line from the holder, whose release has to take it back. Never halts, no order among waiters.
 *
 * Preemption: preempting a waiter is harmless, because any running waiter can take a free lock;
 * preempting the holder makes every waiter spin through its slice.
 *
 * T. E. Anderson, "The Performance of Spin Lock Alternatives for Shared-Memory Multiprocessors",
 * IEEE TPDS 1(1), 1990.
 */
#include "bench/register.h"
#include "locks/core/spin.h"
#include "locks/tas_byte.h"

static inline bool tas_try_acquire(void *state, void *node)
{
	(void)node;
	return tas_byte_swap(state);
}

static __attribute__((noinline)) void tas_slow(struct tas_byte *lock)
{
	struct spin spin = spin_begin();

	lock_count(port_my_stats(), EV_LOCK_SLOWPATH);
	do
		spin_poll_on(&spin);
	while (!tas_byte_swap(lock));
	spin_end(&spin, SPIN_WON);
}

static inline void tas_acquire(void *state, void *node)
{
	if (__builtin_expect(!tas_try_acquire(state, node), 0))
		tas_slow(state);
}

static inline void tas_release(void *state, void *node)
{
	(void)node;
	tas_byte_release(state);
}

static const struct lock_ops tas_ops = {
	.name = "tas",
	.cite = "Anderson 1990, IEEE TPDS 1(1)",
	.flags = LOCK_RESTORES,
	.state_size = CACHE_LINE,
	.node_size = 0,
	.init = tas_byte_init,
	.acquire = tas_acquire,
	.try_acquire = tas_try_acquire,
	.release = tas_release,
	.describe = tas_byte_describe,
};

LOCK_REGISTER(tas_ops);

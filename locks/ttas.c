/* SPDX-License-Identifier: MIT */
/*
 * ttas: test-and-test-and-set. As tas, but waiters poll by loads, each on its own copy of the line,
 * and swap only when they saw the byte free. At a release all of them read it again and swap: one
 * line transfer per waiter and hand-over. Never halts, no order among waiters.
 *
 * The literature looks before the first swap, too; here the first attempt is the swap. Both fetch
 * the line once. If the lock is free, a look would be one more step. If it is held, the swap
 * disturbs the holder once per newcomer, not once per poll. virt-spin and qspinlock enter the same
 * way.
 *
 * Preemption: as tas. Preempting a waiter is harmless; preempting the holder makes every waiter
 * spin through its slice.
 *
 * L. Rudolph, Z. Segall, "Dynamic Decentralized Cache Schemes for MIMD Parallel Processors", ISCA
 * 1984; T. E. Anderson, IEEE TPDS 1(1), 1990.
 */
#include "bench/register.h"
#include "locks/core/spin.h"
#include "locks/tas_byte.h"

static inline bool ttas_try_acquire(void *state, void *node)
{
	(void)node;
	/* a look first: a swap bound to fail would take the line from the holder */
	return tas_byte_free(state) && tas_byte_swap(state);
}

static __attribute__((noinline)) void ttas_slow(struct tas_byte *lock)
{
	struct spin spin = spin_begin();

	lock_count(port_my_stats(), EV_LOCK_SLOWPATH);
	do
		spin_poll_on(&spin); /* after a lost swap, too */
	while (!ttas_try_acquire(lock, NULL));
	spin_end(&spin, SPIN_WON);
}

static inline void ttas_acquire(void *state, void *node)
{
	(void)node;
	if (__builtin_expect(!tas_byte_swap(state), 0))
		ttas_slow(state);
}

static inline void ttas_release(void *state, void *node)
{
	(void)node;
	tas_byte_release(state);
}

static const struct lock_ops ttas_ops = {
	.name = "ttas",
	.cite = "Rudolph & Segall 1984, ISCA; Anderson 1990, IEEE TPDS 1(1)",
	.flags = LOCK_RESTORES,
	.state_size = CACHE_LINE,
	.node_size = 0,
	.init = tas_byte_init,
	.acquire = ttas_acquire,
	.try_acquire = ttas_try_acquire,
	.release = ttas_release,
	.describe = tas_byte_describe,
};

LOCK_REGISTER(ttas_ops);

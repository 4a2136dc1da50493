/* SPDX-License-Identifier: MIT */
/*
 * tas-backoff: ttas whose waiters look less and less often. After each look that finds the lock
 * held a waiter pauses, on average twice as long as before, up to a limit. That causes less traffic
 * on the line than ttas and fewer swaps at a release. In exchange, a free lock may lie idle until
 * somebody's pause ends, and newcomers, whose pauses are still short, win. Never halts.
 *
 * Preemption: preempting a waiter is harmless; preempting the holder makes every waiter spin
 * through its slice, quietly, and afterwards the lock may lie idle for up to backoff_max PAUSEs
 * more. Locks for bare metal pause for up to 2^20 PAUSEs (S. Kashyap et al., the user-space suite
 * of "Scalable and Practical Locking with Shuffling", SOSP'19: 2^9 to 2^20-1); in a guest that is
 * many slices. 2^11 PAUSEs are less than a tenth of one.
 *
 * T. E. Anderson, IEEE TPDS 1(1), 1990; J. M. Mellor-Crummey, M. L. Scott, ACM TOCS 9(1), 1991.
 */
#include "bench/register.h"
#include "locks/backoff.h"
#include "locks/core/spin.h"
#include "locks/core/tunables.h"
#include "locks/tas_byte.h"

TUNABLE(backoff_min, "tas-backoff", 1u << 5, 1, 1u << 20);
TUNABLE(backoff_max, "tas-backoff", 1u << 11, 1, 1u << 20);

static inline bool tas_backoff_try_acquire(void *state, void *node)
{
	(void)node;
	return tas_byte_free(state) && tas_byte_swap(state);
}

static __attribute__((noinline)) void tas_backoff_slow(struct tas_byte *lock)
{
	struct backoff backoff = backoff_begin(backoff_min, backoff_max);
	struct spin spin = spin_begin();

	lock_count(port_my_stats(), EV_LOCK_SLOWPATH);
	do
		backoff_pause(&backoff, &spin); /* after a lost swap, too: there is competition */
	while (!tas_backoff_try_acquire(lock, NULL));
	spin_end(&spin, SPIN_WON);
}

static inline void tas_backoff_acquire(void *state, void *node)
{
	(void)node;
	if (__builtin_expect(!tas_byte_swap(state), 0))
		tas_backoff_slow(state);
}

static inline void tas_backoff_release(void *state, void *node)
{
	(void)node;
	tas_byte_release(state);
}

static const struct lock_ops tas_backoff_ops = {
	.name = "tas-backoff",
	.cite = "Anderson 1990, IEEE TPDS 1(1); Mellor-Crummey & Scott 1991, ACM TOCS 9(1)",
	.flags = LOCK_RESTORES,
	.state_size = CACHE_LINE,
	.node_size = 0,
	.init = tas_byte_init,
	.acquire = tas_backoff_acquire,
	.try_acquire = tas_backoff_try_acquire,
	.release = tas_backoff_release,
	.describe = tas_byte_describe,
};

LOCK_REGISTER(tas_backoff_ops);

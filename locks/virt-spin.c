/* SPDX-License-Identifier: MIT */
/*
 * virt-spin: Linux's choice on a hypervisor without PV_UNHALT. The word and the fast path are
 * qspinlock's. The slow path ignores queue and pending bit and is a test-and-test-and-set: it polls
 * until the whole word is 0, then tries a CAS, and executes a PAUSE after any failure.
 *
 * Preemption: as tas with less line traffic. Linux chose it because fair locks fare far worse.
 *
 * Linux arch/x86/include/asm/qspinlock.h, virt_spin_lock (2aa79af64263, 43b3f02899f7); the PAUSE
 * after a lost CAS since 94af3a04e3f3.
 */
#include "bench/register.h"
#include "locks/core/spin.h"
#include "locks/core/tunables.h"
#include "locks/qspinlock_word.h"

TUNABLE(virt_spin_pause, "virt-spin", 1, 0, 1); /* 0: none after a lost CAS, as Linux 4.12 */

static void virt_spin_init(void *state, const struct lock_env *env)
{
	union qspinlock_word *word = state;

	(void)env;
	atomic_init(&word->value, 0);
}

static __attribute__((noinline)) void virt_spin_slow(union qspinlock_word *word)
{
	struct spin spin = spin_begin();

	lock_count(port_my_stats(), EV_LOCK_SLOWPATH);
	while (!q_try(word)) {
		if (virt_spin_pause || q_load(word) != 0)
			spin_poll_on(&spin);
	}
	spin_end(&spin, SPIN_WON);
}

static inline void virt_spin_acquire(void *state, void *node)
{
	uint32_t seen;

	(void)node;
	if (__builtin_expect(!q_try_fast(state, &seen), 0))
		virt_spin_slow(state);
}

static inline bool virt_spin_try_acquire(void *state, void *node)
{
	(void)node;
	return q_try(state);
}

static inline void virt_spin_release(void *state, void *node)
{
	(void)node;
	q_release(state);
}

static const struct lock_ops virt_spin_ops = {
	.name = "virt-spin",
	.cite = "Linux virt_spin_lock, commits 2aa79af64263, 94af3a04e3f3",
	.flags = LOCK_RESTORES,
	.state_size = CACHE_LINE,
	.node_size = 0,
	.init = virt_spin_init,
	.acquire = virt_spin_acquire,
	.try_acquire = virt_spin_try_acquire,
	.release = virt_spin_release,
	.describe = q_describe,
};

LOCK_REGISTER(virt_spin_ops);

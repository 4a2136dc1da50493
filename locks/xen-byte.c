/* SPDX-License-Identifier: MIT */
/*
 * xen-byte: the first paravirtual spinlock of x86 Linux, Xen's from 2.6.27 to 3.11: a test-and-set
 * byte and a count of those who halt for it. A waiter that has polled 2^10 times writes the lock's
 * address into its CPU's place, counts itself in and halts; an unlocker that finds a count goes
 * through all CPUs and kicks the first that waits for this lock. Anybody takes a free lock.
 *
 * No wake-up is lost: the waiter stores place and count, then tries the byte; the unlocker clears
 * the byte, then reads count and places (Dekker). Whoever is kicked takes the lock, or finds it
 * held by somebody who will see the count. An interrupt's wait overwrites the place of the wait
 * that it interrupted, and puts it back: an unlocker that passes it over meanwhile does no harm,
 * because the interrupt has ended that halt, and after it the waiter looks at the byte again.
 *
 * Preemption: preempting a waiter is harmless, though a kick to it is spent for nothing; the lock
 * is free for others meanwhile. The search begins with CPU 0, so CPUs with high numbers wait
 * longest.
 *
 * Differences: the unlock is one locked AND that returns the count, where Xen stored 0, fenced and
 * read the count of a lock that might be gone by then; and a waiter polls again before it halts
 * again. Linux arch/x86/xen/spinlock.c, commit 2d9e1e2f58b5 (J. Fitzhardinge, 2008).
 */
#include "bench/register.h"
#include "lib/printf.h"
#include "locks/core/pv.h"
#include "locks/core/spin.h"
#include "locks/core/tunables.h"

TUNABLE(xenbyte_spins, "xen-byte", 1u << 10, 1, UINT32_MAX); /* polls before each halt; Xen's */

#define XEN_HELD_MASK 0xffu
#define XEN_COUNT     (1u << 16) /* one who may halt */

/* Accesses of different sizes: see qspinlock_word.h. */
union xen_word {
	_Atomic uint32_t value;
	_Atomic uint8_t held; /* bits 0-7 */
};

/* A CPU's place. */
struct xen_place {
	const void *_Atomic lock; /* that its innermost wait may halt for; NULL: none */
};

/* Not in the lock: it is needed when the lock may be gone. */
static struct {
	char *places;
	size_t stride;
	uint32_t cpus;
} all;

static void xen_init(void *state, const struct lock_env *env)
{
	union xen_word *word = state;

	if (env->cpus >= UINT16_MAX)
		__builtin_trap(); /* contexts that halt must fit into the count */
	atomic_init(&word->value, 0);
	all.places = env->nodes;
	all.stride = env->node_stride;
	all.cpus = env->cpus;
}

/* Acquire: pairs with the AND in xen_release. */
static inline bool xen_swap(union xen_word *word)
{
	return atomic_exchange_explicit(&word->held, 1, memory_order_acquire) == 0;
}

static inline bool xen_try(union xen_word *word)
{
	return atomic_load_explicit(&word->held, memory_order_relaxed) == 0 && xen_swap(word);
}

static bool xen_poll(union xen_word *word, struct spin *spin)
{
	for (uint32_t left = xenbyte_spins; left > 0; left -= (uint32_t)spin_polls(spin, left))
		if (xen_try(word))
			return true;
	return false;
}

/* True: got the lock instead. The interrupted wait's place is put back by a plain store: our CPU
 * alone writes it. */
static bool xen_halt(union xen_word *word, struct xen_place *mine, struct spin *spin)
{
	const void *interrupted = atomic_load_explicit(&mine->lock, memory_order_relaxed);
	bool won;

	lock_count(port_my_stats(), EV_TAKEN_SLOW);
	atomic_store_explicit(&mine->lock, word, memory_order_relaxed);
	/* Dekker with xen_release, which is a locked instruction, too. Release: publishes the place
	 * to who reads the count there. */
	atomic_fetch_add_explicit(&word->value, XEN_COUNT, memory_order_seq_cst);
	won = xen_swap(word);
	if (won)
		lock_count(port_my_stats(), EV_TAKEN_SLOW_PICKUP);
	else
		spin_halt(spin, &word->held, 1);
	/* relaxed: a count or a place seen for too long costs a kick in vain */
	atomic_fetch_sub_explicit(&word->value, XEN_COUNT, memory_order_relaxed);
	atomic_store_explicit(&mine->lock, interrupted, memory_order_relaxed);
	return won;
}

static __attribute__((noinline)) void xen_slow(union xen_word *word, struct xen_place *mine)
{
	struct spin spin = spin_begin();

	lock_count(port_my_stats(), EV_LOCK_SLOWPATH);
	while (!xen_poll(word, &spin) && !xen_halt(word, mine, &spin))
		;
	spin_end(&spin, SPIN_WON);
}

static inline void xen_acquire(void *state, void *node)
{
	if (__builtin_expect(!xen_swap(state), 0))
		xen_slow(state, node);
}

static inline bool xen_try_acquire(void *state, void *node)
{
	(void)node;
	return xen_try(state);
}

/* Kicks the first CPU that waits for the lock, of which only the address is used. */
static __attribute__((noinline)) void xen_kick(const void *lock)
{
	lock_count(port_my_stats(), EV_RELEASED_SLOW);
	for (uint32_t cpu = 0; cpu < all.cpus; cpu++) {
		const struct xen_place *place =
			(const struct xen_place *)(const void *)(all.places + cpu * all.stride);

		/* relaxed: visible with the count */
		if (atomic_load_explicit(&place->lock, memory_order_relaxed) != lock)
			continue;
		lock_count(port_my_stats(), EV_RELEASED_SLOW_KICKED);
		pv_kick(cpu);
		return;
	}
}

/* Release: pairs with xen_swap. Acquire: with the addition in xen_halt. seq_cst: Dekker with it. */
static inline void xen_release(void *state, void *node)
{
	union xen_word *word = state;

	(void)node;
	if (__builtin_expect(atomic_fetch_and_explicit(&word->value, ~XEN_HELD_MASK,
						       memory_order_seq_cst) >= XEN_COUNT,
			     0))
		xen_kick(word);
}

static void xen_describe(const void *state, char *text, size_t size)
{
	const union xen_word *word = state;
	uint32_t value = atomic_load_explicit(&word->value, memory_order_relaxed);

	ksnprintf(text, size, "word 0x%08x: %s, %u may halt", value,
		  value & XEN_HELD_MASK ? "held" : "free", value / XEN_COUNT);
}

static const struct lock_ops xen_byte_ops = {
	.name = "xen-byte",
	.cite = "Linux 2.6.27 to 3.11 arch/x86/xen/spinlock.c",
	.flags = LOCK_PV | LOCK_NODE_POOL | LOCK_RESTORES,
	.state_size = CACHE_LINE,
	.node_size = sizeof(struct xen_place),
	.init = xen_init,
	.acquire = xen_acquire,
	.try_acquire = xen_try_acquire,
	.release = xen_release,
	.describe = xen_describe,
};

LOCK_REGISTER(xen_byte_ops);

/* SPDX-License-Identifier: MIT */
/*
 * ticket: take a number, wait until it is served. One 32-bit word: the low half is the ticket being
 * served, the high half the next to be given out. High, so that its carry falls off the end
 * instead of into the other half. Strict FIFO; all waiters poll one line. Fewer than 2^16 CPUs.
 *
 * Preemption: the worst of all. A free lock can be used by one vCPU only, and with k vCPUs to a CPU
 * that one is off with probability 1 - 1/k.
 *
 * Linux 2.6.25 (N. Piggin, commit 314cdbefd1fd) to 4.1; both sizes of access are coherent on x86
 * as long as they stay within one cache line.
 */
#include "locks/register.h"
#include "locks/spin.h"
#include "pvspin/printf.h"

#define TICKET_TAIL_SHIFT 16

union ticket_lock {
	_Atomic uint32_t word;
	struct {
		_Atomic uint16_t head; /* now serving; only the owner writes it */
		_Atomic uint16_t tail; /* next to be given out */
	};
};

static void ticket_init(void *state, const struct lock_env *env)
{
	union ticket_lock *lock = state;

	(void)env;
	atomic_init(&lock->word, 0);
}

static __attribute__((noinline)) void ticket_slow(union ticket_lock *lock, uint16_t mine)
{
	struct spin spin = spin_begin();

	lock_count(port_my_stats(), EV_LOCK_SLOWPATH);
	do
		spin_poll(&spin);
	/* acquire: pairs with the store in ticket_release */
	while (atomic_load_explicit(&lock->head, memory_order_acquire) != mine);
	spin_end(&spin, SPIN_HANDED);
}

static inline void ticket_acquire(void *state, void *node)
{
	union ticket_lock *lock = state;
	uint32_t old;

	(void)node;
	/* acquire: pairs with the store in ticket_release, if the lock is free */
	old = atomic_fetch_add_explicit(&lock->word, 1u << TICKET_TAIL_SHIFT, memory_order_acquire);
	if (__builtin_expect((uint16_t)old != old >> TICKET_TAIL_SHIFT, 0))
		ticket_slow(lock, old >> TICKET_TAIL_SHIFT);
}

static inline bool ticket_try_acquire(void *state, void *node)
{
	union ticket_lock *lock = state;
	uint32_t old = atomic_load_explicit(&lock->word, memory_order_relaxed);

	(void)node;
	if ((uint16_t)old != old >> TICKET_TAIL_SHIFT)
		return false;
	/* acquire: pairs with the store in ticket_release */
	return atomic_compare_exchange_strong_explicit(&lock->word, &old,
						       old + (1u << TICKET_TAIL_SHIFT),
						       memory_order_acquire, memory_order_relaxed);
}

/* Release: pairs with the loads of head in the three above. Plain 16 bits: nobody else writes it.
 */
static inline void ticket_release(void *state, void *node)
{
	union ticket_lock *lock = state;
	uint16_t head = atomic_load_explicit(&lock->head, memory_order_relaxed);

	(void)node;
	atomic_store_explicit(&lock->head, (uint16_t)(head + 1), memory_order_release);
}

static void ticket_describe(const void *state, char *text, size_t size)
{
	const union ticket_lock *lock = state;
	uint32_t word = atomic_load_explicit(&lock->word, memory_order_relaxed);
	uint16_t head = (uint16_t)word, tail = (uint16_t)(word >> TICKET_TAIL_SHIFT);

	ksnprintf(text, size, "word 0x%08x: serving %u, next %u: %u hold or wait", word, head, tail,
		  (uint16_t)(tail - head));
}

static const struct lock_ops ticket_ops = {
	.name = "ticket",
	.cite = "Linux 2.6.25 to 4.1, commit 314cdbefd1fd",
	.flags = LOCK_FIFO,
	.state_size = CACHE_LINE,
	.node_size = 0,
	.init = ticket_init,
	.acquire = ticket_acquire,
	.try_acquire = ticket_try_acquire,
	.release = ticket_release,
	.describe = ticket_describe,
};

LOCK_REGISTER(ticket_ops);

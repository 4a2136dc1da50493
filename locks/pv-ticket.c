/* SPDX-License-Identifier: MIT */
/*
 * pv-ticket: Linux's paravirtual ticket lock, its choice on KVM from 3.12 to 4.1. A waiter halts
 * after spin_threshold polls; the unlocker finds the waiter whose turn it is and kicks it.
 * Uncontended it costs one atomic addition more than ticket, because the release must not miss the
 * flag that says that somebody halts. Word and protocol: pv_ticket_wait.h.
 *
 * Preemption: a preempted holder costs each waiter its threshold; then the waiters' CPUs are free.
 * Still only the next in line can use a free lock, and once all halt, every hand-over pays for a
 * kick, a wake-up and its scheduling.
 *
 * J. Fitzhardinge, S. Vaddagiri, Raghavendra K T; Linux 3.12, commits 96f853eaa889 (the lock) and
 * 92b75202e5e8 (KVM); the flag in head since 4.0, d6abfdb20223.
 */
#include "bench/register.h"
#include "locks/core/tunables.h"
#include "locks/pv_ticket_wait.h"

static struct pv_ticket_pool pool;

static void pv_ticket_lock_init(void *state, const struct lock_env *env)
{
	pv_ticket_init(state, &pool, env);
}

static __attribute__((noinline)) void acquire_slow(union pv_ticket *lock, void *node,
						   uint16_t ticket)
{
	pv_ticket_wait(&(struct pv_ticket_wait){
		.pool = &pool,
		.lock = lock,
		.node = node,
		.threshold = polls_to_halt(lock_tunables.spin_threshold),
		.ticket = ticket,
	});
}

static inline void pv_ticket_acquire(void *state, void *node)
{
	uint16_t ticket, head;

	if (__builtin_expect(!pv_ticket_take(state, &ticket, &head), 0))
		acquire_slow(state, node, ticket);
}

static inline bool pv_ticket_try_acquire(void *state, void *node)
{
	(void)node;
	return pv_ticket_try(state);
}

static __attribute__((noinline)) void release_slow(const union pv_ticket *lock, uint16_t next)
{
	pv_ticket_kick(&pool, lock, next, 1);
}

static inline void pv_ticket_release(void *state, void *node)
{
	uint16_t next;

	(void)node;
	if (__builtin_expect(pv_ticket_pass(state, &next), 0))
		release_slow(state, next);
}

static void pv_ticket_lock_describe(const void *state, char *text, size_t size)
{
	pv_ticket_describe(&pool, state, text, size);
}

static const struct lock_ops pv_ticket_ops = {
	.name = "pv-ticket",
	.cite = "Linux 4.0 arch/x86/include/asm/spinlock.h, commit d6abfdb20223",
	.flags = LOCK_FIFO | LOCK_PV | LOCK_NODE_POOL,
	.state_size = CACHE_LINE,
	.node_size = sizeof(struct pv_ticket_node),
	.init = pv_ticket_lock_init,
	.acquire = pv_ticket_acquire,
	.try_acquire = pv_ticket_try_acquire,
	.release = pv_ticket_release,
	.describe = pv_ticket_lock_describe,
};

LOCK_REGISTER(pv_ticket_ops);

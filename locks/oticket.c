/* SPDX-License-Identifier: MIT */
/*
 * oticket: the opportunistic spinlock. pv-ticket with two changes: a waiter near its turn polls for
 * much longer before it halts, and an unlocker that has to kick wakes the next few in line, not
 * only the next. Nobody overtakes. Word and protocol: pv_ticket_wait.h.
 *
 * A waiter computes its threshold once, when it takes its ticket, from its distance: the number of
 * tickets before its own, the owner's included. Below oticket_wait the threshold is
 * 2^oticket_max_shift >> (distance - 1), but at least spin_threshold; otherwise it is
 * spin_threshold. At a distance of one that is 2^34 polls: the next in line never halts.
 *
 * Preemption: made against the "sleepy spinlock anomaly" of many vCPUs that have a CPU each: most
 * waiters reach the threshold, and every hand-over pays for a wake-up. With more vCPUs than CPUs,
 * near waiters poll through whole time slices.
 *
 * S. Kashyap, C. Min, T. Kim, "Scalability in the Clouds! A Myth or Reality?", APSys'15, and
 * "Opportunistic Spinlocks", ACM SIGOPS OSR 50(1), 2016; constants as there.
 */
#include "bench/register.h"
#include "locks/core/tunables.h"
#include "locks/pv_ticket_wait.h"

#define MAX_SHIFT 63 /* the number of polls has 64 bits */

TUNABLE(oticket_wait, "oticket", 18, 1, MAX_SHIFT + 1);
TUNABLE(oticket_max_shift, "oticket", 34, 0, MAX_SHIFT);
TUNABLE(oticket_kicks, "oticket", 4, 1, PV_TICKET_MAX_KICKS);

static struct pv_ticket_pool pool;

static void oticket_init(void *state, const struct lock_env *env)
{
	pv_ticket_init(state, &pool, env);
}

/* `distance`: tickets before this one, the owner's included. */
static uint64_t threshold(uint16_t distance)
{
	uint32_t polls = polls_to_halt(lock_tunables.spin_threshold);
	uint64_t near;

	if (distance == 0 || distance >= oticket_wait)
		return polls;
	near = (UINT64_C(1) << oticket_max_shift) >> (distance - 1);
	if (near <= polls)
		return polls;
	lock_count(port_my_stats(), EV_OTICKET_NEAR);
	return near;
}

static __attribute__((noinline)) void acquire_slow(union pv_ticket *lock, void *node,
						   uint16_t ticket, uint16_t head)
{
	pv_ticket_wait(&(struct pv_ticket_wait){
		.pool = &pool,
		.lock = lock,
		.node = node,
		.threshold = threshold(pv_ticket_count(head, ticket)),
		.ticket = ticket,
	});
}

static inline void oticket_acquire(void *state, void *node)
{
	uint16_t ticket, head;

	if (__builtin_expect(!pv_ticket_take(state, &ticket, &head), 0))
		acquire_slow(state, node, ticket, head);
}

static inline bool oticket_try_acquire(void *state, void *node)
{
	(void)node;
	return pv_ticket_try(state);
}

static __attribute__((noinline)) void release_slow(const union pv_ticket *lock, uint16_t next)
{
	pv_ticket_kick(&pool, lock, next, oticket_kicks);
}

static inline void oticket_release(void *state, void *node)
{
	uint16_t next;

	(void)node;
	if (__builtin_expect(pv_ticket_pass(state, &next), 0))
		release_slow(state, next);
}

static void oticket_describe(const void *state, char *text, size_t size)
{
	pv_ticket_describe(&pool, state, text, size);
}

static const struct lock_ops oticket_ops = {
	.name = "oticket",
	.cite = "Kashyap, Min, Kim, Opportunistic Spinlocks, APSys'15 / SIGOPS OSR 50(1) 2016",
	.flags = LOCK_FIFO | LOCK_PV | LOCK_NODE_POOL,
	.state_size = CACHE_LINE,
	.node_size = sizeof(struct pv_ticket_node),
	.init = oticket_init,
	.acquire = oticket_acquire,
	.try_acquire = oticket_try_acquire,
	.release = oticket_release,
	.describe = oticket_describe,
};

LOCK_REGISTER(oticket_ops);

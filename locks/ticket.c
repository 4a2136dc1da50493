/* SPDX-License-Identifier: MIT */
/*
 * ticket: a vCPU takes a number and waits until it is served. Strict FIFO. All waiters poll one
 * word, and each release takes the line from all of them. Fewer than 2^16 CPUs. Word and sizes of
 * access: ticket_word.h.
 *
 * Preemption: the worst of all. Only one vCPU can use a free lock, and with k vCPUs to a CPU that
 * one is off its CPU with probability 1 - 1/k.
 *
 * Linux 2.6.25 (N. Piggin, commit 314cdbefd1fd) to 4.1.
 */
#include "bench/register.h"
#include "locks/core/spin.h"
#include "locks/ticket_word.h"

static __attribute__((noinline)) void ticket_slow(union ticket_word *word, uint16_t mine)
{
	struct spin spin = spin_begin();

	lock_count(port_my_stats(), EV_LOCK_SLOWPATH);
	do
		spin_poll_on(&spin);
	while (ticket_distance(word, mine) != 0);
	spin_end(&spin, SPIN_HANDED);
}

static inline void ticket_acquire(void *state, void *node)
{
	uint16_t mine = ticket_take(state);

	(void)node;
	if (__builtin_expect(ticket_distance(state, mine) != 0, 0))
		ticket_slow(state, mine);
}

static inline bool ticket_try_acquire(void *state, void *node)
{
	(void)node;
	return ticket_try(state);
}

static inline void ticket_release(void *state, void *node)
{
	(void)node;
	ticket_pass(state);
}

static const struct lock_ops ticket_ops = {
	.name = "ticket",
	.cite = "Linux 2.6.25 to 4.1, commit 314cdbefd1fd",
	.flags = LOCK_FIFO,
	.state_size = CACHE_LINE,
	.node_size = 0,
	.init = ticket_word_init,
	.acquire = ticket_acquire,
	.try_acquire = ticket_try_acquire,
	.release = ticket_release,
	.describe = ticket_word_describe,
};

LOCK_REGISTER(ticket_ops);

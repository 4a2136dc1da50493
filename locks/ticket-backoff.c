/* SPDX-License-Identifier: MIT */
/*
 * ticket-backoff: ticket whose waiters know how long they have to wait. The n-th in line pauses for
 * n times the length of a section and its hand-over before it looks again, so about one CPU at a
 * time polls the word. The next in line polls all the time. Strict FIFO.
 *
 * ticket_unit, the PAUSEs per place in line, is a guess. Where sections are shorter than that,
 * waiters oversleep their turn, but by no more than MAX_PAUSES.
 *
 * Preemption: as bad as ticket, only quieter on the line: only one vCPU can use a free lock.
 *
 * J. M. Mellor-Crummey, M. L. Scott, "Algorithms for Scalable Synchronization on Shared-Memory
 * Multiprocessors", ACM TOCS 9(1), 1991, section 2.2.
 */
#include "bench/register.h"
#include "locks/core/spin.h"
#include "locks/core/tunables.h"
#include "locks/ticket_word.h"

#define MAX_PAUSES (1u << 12) /* between two looks: well below a slice, whatever the estimate */

TUNABLE(ticket_unit, "ticket-backoff", 32, 1, 1u << 16); /* 2^16 places of that fit 32 bits */

static void pause_for(struct spin *spin, uint16_t distance)
{
	uint32_t pauses = distance * ticket_unit;

	if (distance == 1)
		spin_poll_on(spin);
	else
		spin_pause(spin, pauses < MAX_PAUSES ? pauses : MAX_PAUSES);
}

static __attribute__((noinline)) void ticket_backoff_slow(union ticket_word *word, uint16_t mine)
{
	struct spin spin = spin_begin();
	uint16_t distance;

	lock_count(port_my_stats(), EV_LOCK_SLOWPATH);
	while ((distance = ticket_distance(word, mine)) != 0)
		pause_for(&spin, distance);
	spin_end(&spin, SPIN_HANDED);
}

static inline void ticket_backoff_acquire(void *state, void *node)
{
	uint16_t mine = ticket_take(state);

	(void)node;
	if (__builtin_expect(ticket_distance(state, mine) != 0, 0))
		ticket_backoff_slow(state, mine);
}

static inline bool ticket_backoff_try_acquire(void *state, void *node)
{
	(void)node;
	return ticket_try(state);
}

static inline void ticket_backoff_release(void *state, void *node)
{
	(void)node;
	ticket_pass(state);
}

static const struct lock_ops ticket_backoff_ops = {
	.name = "ticket-backoff",
	.cite = "Mellor-Crummey & Scott 1991, ACM TOCS 9(1)",
	.flags = LOCK_FIFO,
	.state_size = CACHE_LINE,
	.node_size = 0,
	.init = ticket_word_init,
	.acquire = ticket_backoff_acquire,
	.try_acquire = ticket_backoff_try_acquire,
	.release = ticket_backoff_release,
	.describe = ticket_word_describe,
};

LOCK_REGISTER(ticket_backoff_ops);

/* SPDX-License-Identifier: MIT */
/*
 * The links of the paq lock's queue: joining, promoting, sinking, usurping.
 *
 * One vCPU at a time may edit links: the head, until it is taken out of the word (head = 0). The
 * head takes itself out in the step that takes the lock, and then promotes a successor. Or the
 * second in line takes it out in order to usurp it, and then edits the links. All other waiters
 * only append behind the tail.
 */
#include "locks/core/tunables.h"
#include "locks/paq_queue.h"

TUNABLE(paq_max_skips, "paq", 8, 0, UINT32_MAX); /* places that an inactive waiter may lose */
TUNABLE(paq_m2a, "paq", 1, 0, 1);
TUNABLE(paq_m2b, "paq", 1, 0, 1);

void paq_enqueue(struct paq_wait *wait)
{
	struct paq_node *node = wait->node;
	uint64_t word = paq_load(&wait->lock->word), joined;

	atomic_store_explicit(&node->next, 0, memory_order_relaxed);
	atomic_store_explicit(&node->skips, 0, memory_order_relaxed);
	atomic_store_explicit(&node->granted, 0, memory_order_relaxed);
	atomic_store_explicit(&node->state, PAQ_RUNNING, memory_order_relaxed);
	do {
		joined = paq_with_tail(word, wait->id);
		if (!paq_tail(word))
			joined = paq_with_head(joined, wait->id);
		/* release: publishes the node */
	} while (!paq_cas(&wait->lock->word, &word, joined));
	if (paq_tail(word)) /* release: pairs with the loads of next */
		atomic_store_explicit(&paq_node(wait->lock, paq_tail(word))->next, wait->id,
				      memory_order_release);
}

/* Moves the tail from `from` to `to`, by the editor of the links. Returns false if it is no longer
 * `from`. */
static bool move_tail(struct paq_lock *lock, uint32_t from, uint32_t to)
{
	uint64_t word = paq_load(&lock->word);

	while (paq_tail(word) == from)
		if (paq_cas(&lock->word, &word, paq_with_tail(word, to)))
			return true;
	return false;
}

static void set_head(struct paq_lock *lock, uint32_t id)
{
	uint64_t word = paq_load(&lock->word);

	while (!paq_cas(&lock->word, &word, paq_with_head(word, id)))
		;
}

static void link(struct paq_node *node, uint32_t next)
{
	/* release: a waiter that sees itself second reads the nodes around it */
	atomic_store_explicit(&node->next, next, memory_order_release);
}

/* Returns the successor, which has joined; waits if it has not linked itself yet. */
static uint32_t wait_next(struct paq_wait *wait)
{
	uint32_t next = paq_next(wait->node);
	uint64_t begin;

	if (next)
		return next;
	begin = spin_link_begin();
	while (!(next = paq_next(wait->node)))
		port_relax();
	spin_link_end(begin);
	return next;
}

static uint32_t skips_of(const struct paq_node *node)
{
	return atomic_load_explicit(&node->skips, memory_order_relaxed);
}

static void count_skip(struct paq_node *node)
{
	atomic_store_explicit(&node->skips, skips_of(node) + 1, memory_order_relaxed);
}

/* Makes `id` the head, and with it the editor of the links. */
static void grant(struct paq_lock *lock, uint32_t id)
{
	struct paq_node *node = paq_node(lock, id);
	uint64_t word;

	set_head(lock, id);
	/* release: pairs with paq_queue.c, poll_granted */
	atomic_store_explicit(&node->granted, 1, memory_order_release);
	/* Dekker with halt_waiting and halt_as_head in paq_queue.c: head is written before state is
	 * read. */
	if (atomic_load_explicit(&node->state, memory_order_seq_cst) != PAQ_HALTED)
		return;
	word = paq_load(&lock->word);
	/* if `id` is no longer the head, it is awake or will be granted again */
	while (paq_head(word) == id && paq_locked(word) != PAQ_SLOW) {
		if (paq_locked(word) == PAQ_FREE) {
			pv_kick(paq_id_cpu(id));
			return;
		}
		if (paq_cas(&lock->word, &word, word | PAQ_SLOW))
			return;
	}
}

/* M2a. Returns whom to promote: `id`; or the next one if `id` is inactive and the next is not, and
 * then `id` sinks by one place. By the new owner, with head == 0. */
static uint32_t sink(struct paq_wait *wait, uint32_t id)
{
	struct paq_lock *lock = wait->lock;
	struct paq_node *node = paq_node(lock, id), *other;
	uint32_t next, rest;

	if (!paq_m2a || skips_of(node) >= paq_max_skips || !paq_inactive(lock, id))
		return id;
	next = paq_next(node);
	if (!next || paq_inactive(lock, next))
		return id;
	other = paq_node(lock, next);
	rest = paq_next(other);
	link(node, rest); /* before the tail moves: a newcomer links itself behind it */
	if (!rest && !move_tail(lock, next, id)) {
		link(node, next); /* undo: somebody is just joining behind `next` */
		return id;
	}
	link(other, id);
	count_skip(node);
	lock_count(wait->stats, EV_WAITER_SKIPPED);
	return next;
}

void paq_promote(struct paq_wait *wait)
{
	grant(wait->lock, sink(wait, wait_next(wait)));
}

bool paq_usurp(struct paq_wait *wait, uint32_t head) /* m2b */
{
	struct paq_lock *lock = wait->lock;
	struct paq_node *node = paq_node(lock, head);
	uint64_t word = paq_load(&lock->word);
	uint32_t rest;

	if (!paq_m2b || skips_of(node) >= paq_max_skips)
		return false;
	do {
		if (paq_head(word) != head)
			return false;
	} while (!paq_cas(&lock->word, &word, paq_with_head(word, 0)));
	/* The links are ours now. Look again: since the looks before, the same waiter may have
	 * left, come back and become the head again, or others may have passed it. */
	if (paq_next(node) != wait->id || skips_of(node) >= paq_max_skips) {
		grant(lock, head);
		lock_count(wait->stats, EV_HEAD_USURP_LOST);
		return false;
	}
	rest = paq_next(wait->node);
	link(node, rest); /* before the tail moves: a newcomer links itself behind it */
	if (!rest && !move_tail(lock, wait->id, head))
		link(node, wait_next(wait));
	link(wait->node, head);
	count_skip(node);
	set_head(lock, wait->id);
	lock_count(wait->stats, EV_HEAD_USURPED);
	return true;
}

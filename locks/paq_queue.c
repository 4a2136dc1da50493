/* SPDX-License-Identifier: MIT */
/*
 * The queue of the paq lock (paq.c says what it is for, paq_word.h what the word means).
 *
 * Links are edited by one at a time: the head, until it gives that right away by taking itself out
 * of the word (head = 0), which it does in the step that takes the lock, to promote a successor; or
 * loses it to the second in line, which takes the head out of the word to usurp it. All other
 * waiters only append behind the tail.
 *
 * No wake-up is lost. A waiter announces HALTED, full barrier, looks whether it is the head, halts.
 * Whoever makes it the head writes the word, full barrier, looks for the announcement, and makes
 * sure that the next unlock kicks (SLOW), or kicks if there is no owner. A kick that comes before
 * the HLT is remembered (pv.h). The head halts only after it has set SLOW itself.
 */
#include "locks/paq_queue.h"

#include "locks/tunables.h"

TUNABLE(paq_poll_mask, "paq", 0xff, 0, UINT32_MAX);      /* polls between looks, less 1; 2^n - 1 */
TUNABLE(paq_deep, "paq", 1u << 12, 1, UINT32_MAX);       /* polls before a waiter halts */
TUNABLE(paq_head_spins, "paq", 1u << 12, 1, UINT32_MAX); /* ... before the head does */
TUNABLE(paq_max_skips, "paq", 8, 0, UINT32_MAX);   /* places that an inactive waiter may lose */
TUNABLE(paq_bypass_max, "paq", 64, 0, UINT32_MAX); /* races lost before the head sets MUSTQ */
TUNABLE(paq_yield_us, "paq", 100, 0, 1000000);     /* between two yields of a CPU */
TUNABLE(paq_m2a, "paq", 1, 0, 1);
TUNABLE(paq_m2b, "paq", 1, 0, 1);
TUNABLE(paq_m3, "paq", 1, 0, 1);
TUNABLE(paq_halt, "paq", 1, 0, 2); /* 0: never; 1: where time is short; 2: anywhere */

static bool is_head(const struct paq_wait *wait)
{
	return paq_head(paq_load(&wait->lock->word)) == wait->id;
}

/* At a second look in a row that finds it inactive, and not too often: the hypercall is not free,
 * and many waiters would make it at once. `seen` is the word that named the target: if it has
 * changed, the flag may be about somebody who needs nothing any more (powerpc had to learn that).
 */
static void yield_to(struct paq_wait *wait, uint64_t seen, uint32_t target, enum lock_event event)
{
	uint64_t now;

	if (!paq_m3)
		return;
	if (wait->suspect != target) {
		wait->suspect = target;
		return;
	}
	now = port_cycles();
	if (now - wait->cpu->yielded_at < port_ns_to_cycles(paq_yield_us * UINT64_C(1000)) ||
	    paq_load(&wait->lock->word) != seen)
		return;
	wait->cpu->yielded_at = now;
	wait->suspect = 0;
	lock_count(wait->stats, event);
	if (wait->node)
		atomic_store_explicit(&wait->node->state, PAQ_YIELDING, memory_order_relaxed);
	pv_yield_to(paq_id_cpu(target));
	if (wait->node)
		atomic_store_explicit(&wait->node->state, PAQ_RUNNING, memory_order_relaxed);
}

void paq_help_owner(struct paq_wait *wait, uint64_t seen)
{
	uint32_t owner = paq_owner(seen);

	if (paq_locked(seen) != PAQ_FREE && pv_preempted(paq_id_cpu(owner)))
		yield_to(wait, seen, owner, EV_YIELD_OWNER);
	else
		wait->suspect = 0;
}

/* Where the host does not say whether time is short, a long wait has to do for a sign of it. */
static bool may_halt(struct paq_wait *wait)
{
	const struct steal_area *area = wait->stats->steal;

	if (!paq_halt || !pv_backend->halts)
		return false;
	return paq_halt == 2 || overcommit_unknown(area) ||
	       overcommitted(&wait->cpu->overcommit, area);
}

/* Joins the queue behind the tail; with nobody there, as its head. */
static void enqueue(struct paq_wait *wait)
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

/* The tail becomes `to`, if it is still `from`. By the editor of the links. */
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

static uint32_t next_of(const struct paq_node *node)
{
	/* acquire: pairs with enqueue */
	return atomic_load_explicit(&node->next, memory_order_acquire);
}

static void link(struct paq_node *node, uint32_t next)
{
	/* release: a waiter that sees itself second reads the nodes around */
	atomic_store_explicit(&node->next, next, memory_order_release);
}

/* The successor, which has joined but perhaps not linked itself yet. */
static uint32_t wait_next(struct paq_wait *wait)
{
	uint32_t next = next_of(wait->node);

	if (next)
		return next;
	lock_count(wait->stats, EV_RELEASE_WAIT_LINK);
	while (!(next = next_of(wait->node)))
		port_relax();
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

/* Makes `id` the head; gives away the right to edit links. */
static void grant(struct paq_lock *lock, uint32_t id)
{
	struct paq_node *node = paq_node(lock, id);
	uint64_t word;

	set_head(lock, id);
	/* release: pairs with wait_turn */
	atomic_store_explicit(&node->granted, 1, memory_order_release);
	/* Dekker with halt_waiting and halt_as_head: head is written before state is read. */
	if (atomic_load_explicit(&node->state, memory_order_seq_cst) != PAQ_HALTED)
		return;
	word = paq_load(&lock->word);
	/* no longer the head: it is awake, or will be granted again */
	while (paq_head(word) == id && paq_locked(word) != PAQ_SLOW) {
		if (paq_locked(word) == PAQ_FREE) {
			pv_kick(paq_id_cpu(id));
			return;
		}
		if (paq_cas(&lock->word, &word, word | PAQ_SLOW))
			return;
	}
}

/* M2a. The one to promote: `id`, or, if that is inactive and the next is not, the next; then `id`
 * sinks by one place. By the new owner, with head == 0. */
static uint32_t sink(struct paq_wait *wait, uint32_t id)
{
	struct paq_lock *lock = wait->lock;
	struct paq_node *node = paq_node(lock, id), *other;
	uint32_t next, rest;

	if (!paq_m2a || skips_of(node) >= paq_max_skips || !paq_inactive(lock, id))
		return id;
	next = next_of(node);
	if (!next || paq_inactive(lock, next))
		return id;
	other = paq_node(lock, next);
	rest = next_of(other);
	link(node, rest); /* before the tail moves: a newcomer links itself behind it */
	if (!rest && !move_tail(lock, next, id)) {
		link(node, next); /* somebody joins behind `next` at this moment: as it was */
		return id;
	}
	link(other, id);
	count_skip(node);
	lock_count(wait->stats, EV_WAITER_SKIPPED);
	return next;
}

/* M2b. This CPU runs and is second, `head` is first and inactive: changes places with it. False: it
 * has got on, nothing has changed. */
static bool usurp(struct paq_wait *wait, uint32_t head)
{
	struct paq_lock *lock = wait->lock;
	struct paq_node *node = paq_node(lock, head);
	uint64_t word = paq_load(&lock->word);
	uint32_t rest;

	do {
		if (paq_head(word) != head)
			return false;
	} while (!paq_cas(&lock->word, &word, paq_with_head(word, 0)));
	/* The links are ours now. Was the look at them before about this stay at the head? The
	 * same waiter may have left, come back, and be the head again. */
	if (next_of(node) != wait->id) {
		grant(lock, head);
		lock_count(wait->stats, EV_HEAD_USURP_LOST);
		return false;
	}
	rest = next_of(wait->node);
	link(node, rest); /* before the tail moves: a newcomer links itself behind it */
	if (!rest && !move_tail(lock, wait->id, head))
		link(node, wait_next(wait));
	link(wait->node, head);
	count_skip(node);
	set_head(lock, wait->id);
	lock_count(wait->stats, EV_HEAD_USURPED);
	return true;
}

static void halt_waiting(struct paq_wait *wait)
{
	_Atomic uint8_t *state = &wait->node->state;

	/* Dekker with grant: state is written before head is read. */
	atomic_exchange_explicit(state, PAQ_HALTED, memory_order_seq_cst);
	if (!is_head(wait)) {
		lock_count(wait->stats, EV_PV_WAIT_NODE);
		spin_halt(&wait->spin, &wait->node->granted, 0);
	}
	atomic_store_explicit(state, PAQ_RUNNING, memory_order_relaxed);
}

/* A waiter's look around, every now and then. */
static void look(struct paq_wait *wait)
{
	struct paq_lock *lock = wait->lock;
	uint64_t word = paq_load(&lock->word);
	uint32_t head = paq_head(word);

	if (head && head != wait->id) {
		const struct paq_node *node = paq_node(lock, head);
		bool stuck = next_of(node) == wait->id && paq_inactive(lock, head);

		if (stuck && paq_m2b && skips_of(node) < paq_max_skips && usurp(wait, head))
			return;
		if (stuck && paq_locked(word) == PAQ_FREE) {
			yield_to(wait, word, head, EV_YIELD_HEAD);
			return;
		}
	}
	paq_help_owner(wait, word);
}

/* Polls until told to look at the word (true), or until it is time to look around. */
static bool poll_granted(struct paq_wait *wait, uint32_t *polls)
{
	/* acquire: pairs with grant */
	while (!atomic_load_explicit(&wait->node->granted, memory_order_acquire)) {
		spin_poll(&wait->spin);
		if ((++*polls & paq_poll_mask) == 0)
			return false;
	}
	return true;
}

/* Until this is the head. */
static void wait_turn(struct paq_wait *wait)
{
	uint32_t polls = 0;

	while (!is_head(wait)) {
		if (poll_granted(wait, &polls)) {
			/* Left over from a headship lost to an usurper, perhaps. If it is a new one
			 * that is cleared here, the word says so: it was written before. */
			atomic_exchange_explicit(&wait->node->granted, 0, memory_order_seq_cst);
			continue;
		}
		look(wait);
		if (polls >= paq_deep && may_halt(wait)) {
			halt_waiting(wait);
			polls = 0;
		}
	}
}

/* Halts unless the lock is free or this is no longer the head. */
static void halt_as_head(struct paq_wait *wait, bool again)
{
	union paq_word *word = &wait->lock->word;
	_Atomic uint8_t *state = &wait->node->state;
	uint64_t seen;

	/* Dekker with grant, for one who is no longer the head; also, who sees SLOW and this head
	 * may take it to be inactive. */
	atomic_exchange_explicit(state, PAQ_HALTED, memory_order_seq_cst);
	seen = paq_load(word);
	while (paq_head(seen) == wait->id && paq_locked(seen) == PAQ_HELD)
		if (paq_cas(word, &seen, seen | PAQ_SLOW))
			seen |= PAQ_SLOW;
	if (paq_head(seen) == wait->id && paq_locked(seen) == PAQ_SLOW) {
		lock_count(wait->stats, EV_PV_WAIT_HEAD);
		if (again)
			lock_count(wait->stats, EV_PV_WAIT_AGAIN);
		spin_halt(&wait->spin, &word->locked, (uint8_t)PAQ_SLOW);
	}
	atomic_store_explicit(state, PAQ_RUNNING, memory_order_relaxed);
}

/* Takes the free lock and leaves the queue: all of it, or with head == 0 and links to edit. */
static bool take_as_head(struct paq_wait *wait, uint64_t word)
{
	uint64_t taken = paq_with_head(paq_taken(wait, word), 0) & ~PAQ_MUSTQ;
	bool last = paq_tail(word) == wait->id;

	if (last)
		taken = paq_with_tail(taken, 0);
	if (!paq_cas(&wait->lock->word, &word, taken))
		return false;
	spin_end(&wait->spin, word & PAQ_MUSTQ ? SPIN_HANDED : wait->turn);
	if (!last)
		grant(wait->lock, sink(wait, wait_next(wait)));
	return true;
}

/* Counts as a race lost: another owner than at the last look. After too many of them nobody may
 * take the lock past this head any more. */
static void note_bypass(struct paq_wait *wait, uint64_t word)
{
	uint32_t owner = paq_owner(word);

	if (owner == wait->passed_by)
		return;
	if (wait->passed_by)
		wait->bypasses++;
	wait->passed_by = owner;
	if (wait->bypasses >= paq_bypass_max && !(word & PAQ_MUSTQ) &&
	    paq_cas(&wait->lock->word, &word, word | PAQ_MUSTQ))
		lock_count(wait->stats, EV_MUST_QUEUE);
}

/* At the head of the queue. True: owns the lock; false: was usurped. */
static bool wait_as_head(struct paq_wait *wait)
{
	bool again = false;

	for (uint32_t polls = 0;; polls++) {
		uint64_t word = paq_load(&wait->lock->word);

		if (paq_head(word) != wait->id)
			return false;
		if (paq_locked(word) == PAQ_FREE) {
			if (take_as_head(wait, word))
				return true;
		} else {
			note_bypass(wait, word);
		}
		spin_poll(&wait->spin);
		if ((polls & paq_poll_mask) == paq_poll_mask)
			paq_help_owner(wait, word);
		if (polls >= paq_head_spins && may_halt(wait)) {
			halt_as_head(wait, again);
			again = true;
			polls = 0;
		}
	}
}

void paq_queue(struct paq_wait *wait)
{
	lock_count(wait->stats, EV_LOCK_SLOWPATH);
	enqueue(wait);
	do {
		wait_turn(wait);
		spin_stage(&wait->spin, wait->turn);
	} while (!wait_as_head(wait));
}

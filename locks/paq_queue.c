/* SPDX-License-Identifier: MIT */
/*
 * Waiting in the queue of the paq lock (paq.c says what it is for, paq_word.h what the word means,
 * paq_links.c who may change the queue).
 *
 * No wake-up is lost. A waiter announces HALTED, full barrier, looks whether it is the head, halts.
 * Whoever makes it the head writes the word, full barrier, looks for the announcement, and makes
 * sure that the next unlock kicks (SLOW), or kicks if there is no owner. A kick that comes before
 * the HLT is remembered (pv.h). The head halts only after it has set SLOW itself.
 */
#include "locks/paq_queue.h"

#include "locks/core/tunables.h"

TUNABLE(paq_poll_mask, "paq", 0xff, 0, UINT32_MAX);      /* polls between looks, less 1; 2^n - 1 */
TUNABLE(paq_deep, "paq", 1u << 12, 1, UINT32_MAX);       /* polls before a waiter halts */
TUNABLE(paq_head_spins, "paq", 1u << 12, 1, UINT32_MAX); /* ... before the head does */
TUNABLE(paq_bypass_max, "paq", 64, 0, UINT32_MAX);       /* races lost before the head sets MUSTQ */
TUNABLE(paq_yield_us, "paq", 100, 0, 1000000);           /* between two yields of a CPU */
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
		wait->look_again = true;
		return;
	}
	now = port_cycles();
	if (now - wait->cpu->yielded_at < port_ns_to_cycles(paq_yield_us * UINT64_C(1000)) ||
	    paq_load(&wait->lock->word) != seen)
		return;
	wait->cpu->yielded_at = now;
	wait->look_again = true; /* back on the CPU, perhaps only to yield again */
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
		bool stuck = paq_next(node) == wait->id && paq_inactive(lock, head);

		if (stuck && paq_usurp(wait, head))
			return;
		if (stuck && paq_locked(word) == PAQ_FREE) {
			yield_to(wait, word, head, EV_YIELD_HEAD);
			return;
		}
	}
	paq_help_owner(wait, word);
}

/* How many polls change nothing but their count: until the next look around, or until the head may
 * halt, which from then on reads the time at each poll. For port_poll. */
static uint64_t polls_at_once(uint32_t polls)
{
	uint64_t to_look = spin_polls_to_look(polls, paq_poll_mask);
	uint64_t to_halt = polls < paq_head_spins ? paq_head_spins - polls : UINT64_MAX;

	return to_look < to_halt ? to_look : to_halt;
}

/* One poll. True: it is time for a look around, every paq_poll_mask + 1 polls, when the last look
 * asks for a second one, and when this CPU has been descheduled: much may have changed. */
static __attribute__((noinline)) bool poll_until_look(struct paq_wait *wait, uint32_t *polls)
{
	uint32_t version = wait->spin.version;
	bool due = wait->look_again, first = wait->spin.polls == 0;

	wait->look_again = false;
	*polls += (uint32_t)spin_polls(&wait->spin, due ? 1 : polls_at_once(*polls)) - 1;
	due = due || (!first && wait->spin.version != version);
	return (++*polls & paq_poll_mask) == 0 || due;
}

/* Polls until told to look at the word (true), or until it is time to look around. */
static bool poll_granted(struct paq_wait *wait, uint32_t *polls)
{
	/* acquire: pairs with grant */
	while (!atomic_load_explicit(&wait->node->granted, memory_order_acquire))
		if (poll_until_look(wait, polls))
			return false;
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
		paq_promote(wait);
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
	uint32_t polls = 0;

	for (;;) {
		uint64_t word = paq_load(&wait->lock->word);

		if (paq_head(word) != wait->id)
			return false;
		if (paq_locked(word) == PAQ_FREE) {
			if (take_as_head(wait, word))
				return true;
		} else {
			note_bypass(wait, word);
		}
		if (poll_until_look(wait, &polls))
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
	paq_enqueue(wait);
	do {
		wait_turn(wait);
		spin_stage(&wait->spin, wait->turn);
	} while (!wait_as_head(wait));
}

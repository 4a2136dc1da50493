/* SPDX-License-Identifier: MIT */
/*
 * Waiting in the queue of the paq lock. See paq.c for its purpose, paq_word.h for the word,
 * paq_links.c for who may change the queue.
 *
 * No wake-up is lost. A waiter announces HALTED, executes a full barrier, checks that it is not the
 * head, and halts. The vCPU that makes it the head writes the word, executes a full barrier and
 * looks for the announcement. If it finds one, it sets SLOW so that the next unlock kicks, or kicks
 * itself if there is no owner. KVM remembers a kick that comes before the HLT (pv.h). A head halts
 * only while SLOW is set.
 */
#include "locks/paq_queue.h"

#include "locks/core/tunables.h"

TUNABLE(paq_poll_mask, "paq", 0xff, 0, UINT32_MAX);      /* polls between looks, less 1; 2^n - 1 */
TUNABLE(paq_deep, "paq", 1u << 12, 1, UINT32_MAX);       /* polls before a waiter halts */
TUNABLE(paq_head_spins, "paq", 1u << 12, 1, UINT32_MAX); /* ... before the head does */
TUNABLE(paq_bypass_max, "paq", 64, 0, UINT32_MAX);       /* races lost before the head sets MUSTQ */
TUNABLE(paq_yield_us, "paq", 100, 0, 1000000);           /* least time between a CPU's yields */
TUNABLE(paq_m3, "paq", 1, 0, 1);
TUNABLE(paq_halt, "paq", 1, 0, 2); /* 0: never; 1: where time is short; 2: anywhere */

static bool is_head(const struct paq_wait *wait)
{
	return paq_head(paq_load(&wait->lock->word)) == wait->id;
}

/* Yields to `target` at the second look in a row that finds it inactive, and at most every
 * paq_yield_us: the hypercall is not free, and many waiters would make it at once. `seen` is the
 * word that named the target. If it has changed, that vCPU may not need time any more (powerpc
 * learned that from lockups: yield.h). */
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
	wait->look_again = true; /* once back: the target may need time again */
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

/* Whether a waiter that has polled for long may halt. If the host does not say whether CPU time is
 * short, the long wait itself is the sign. */
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

	/* Dekker with grant in paq_links.c: state is written before head is read. */
	atomic_exchange_explicit(state, PAQ_HALTED, memory_order_seq_cst);
	if (!is_head(wait)) {
		lock_count(wait->stats, EV_PV_WAIT_NODE);
		spin_halt(&wait->spin, &wait->node->granted, 0);
	}
	atomic_store_explicit(state, PAQ_RUNNING, memory_order_relaxed);
}

/* A queued waiter looks around now and then: it usurps an inactive head, or yields to it if the
 * lock is free, or helps a preempted owner. */
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

/* Returns how many polls change nothing but their count, for port_poll: those before the next look
 * around, or before the head may halt. From then on the head reads the time at each poll. */
static uint64_t polls_at_once(uint32_t polls)
{
	uint64_t to_look = spin_polls_to_look(polls, paq_poll_mask);
	uint64_t most = polls_to_halt(paq_head_spins);
	uint64_t to_halt = polls < most ? most - polls : UINT64_MAX;

	return to_look < to_halt ? to_look : to_halt;
}

/* Polls. Returns true when it is time to look around: every paq_poll_mask + 1 polls, when the last
 * look asked for another, and after this vCPU was descheduled, because much may have changed. */
static __attribute__((noinline)) bool poll_until_look(struct paq_wait *wait, uint32_t *polls)
{
	uint32_t version = wait->spin.version;
	bool due = wait->look_again, first = wait->spin.polls == 0;

	wait->look_again = false;
	*polls += (uint32_t)spin_polls(&wait->spin, due ? 1 : polls_at_once(*polls)) - 1;
	due = due || (!first && wait->spin.version != version);
	return (++*polls & paq_poll_mask) == 0 || due;
}

/* Polls until told to look at the word (true) or until it is time to look around (false). */
static bool poll_granted(struct paq_wait *wait, uint32_t *polls)
{
	/* acquire: pairs with grant */
	while (!atomic_load_explicit(&wait->node->granted, memory_order_acquire))
		if (poll_until_look(wait, polls))
			return false;
	return true;
}

/* Waits until this is the head. */
static void wait_turn(struct paq_wait *wait)
{
	uint32_t polls = 0;

	while (!is_head(wait)) {
		if (poll_granted(wait, &polls)) {
			/* It may be left over from a headship that was usurped. If it is a new one,
			 * clearing it does no harm: the word was written before and names us. */
			atomic_exchange_explicit(&wait->node->granted, 0, memory_order_seq_cst);
			continue;
		}
		look(wait);
		if (polls >= polls_to_halt(paq_deep) && may_halt(wait)) {
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

	/* Dekker with grant, in case this is no longer the head. It also lets a vCPU that sees SLOW
	 * and this head take the head to be inactive. */
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

/* Takes the free lock and leaves the queue. The last waiter leaves it empty; any other leaves
 * head == 0 and then promotes a successor. Returns false if the word has changed. */
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

/* Counts a lost race if the owner is another than at the last look. After too many, sets MUSTQ:
 * nobody may take the lock past this head any more. */
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

/* Waits at the head of the queue. Returns true with the lock, false after being usurped. */
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
		if (polls >= polls_to_halt(paq_head_spins) && may_halt(wait)) {
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

/* SPDX-License-Identifier: MIT */
/*
 * The pending bit of qspinlock and cna: the first waiter takes it instead of queueing, and polls
 * the word. States are written (tail, pending, locked). Linux 6.12 kernel/locking/qspinlock.c.
 */
#ifndef PVSPIN_LOCKS_QSPINLOCK_PENDING_H
#define PVSPIN_LOCKS_QSPINLOCK_PENDING_H

#include "locks/core/spin.h"
#include "locks/core/tunables.h"
#include "locks/qspinlock_word.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Sets pending and returns the old word. Only the bit itself comes from the RMW; the rest is loaded
 * after it, as in Linux since 7aa54be29765, so that one LOCK BTS suffices (gcc; clang 14 makes it a
 * CAS loop). Acquire: pairs with q_release and with q_exchange_tail. */
static inline uint32_t q_fetch_set_pending(union qspinlock_word *word)
{
	uint32_t was =
		atomic_fetch_or_explicit(&word->value, Q_PENDING, memory_order_acquire) & Q_PENDING;

	return was | (atomic_load_explicit(&word->value, memory_order_acquire) & ~Q_PENDING_MASK);
}

/* Waits with the pending bit, which is ours: the owner's release hands us the lock. */
static inline void q_wait_pending(union qspinlock_word *word, struct spin *spin)
{
	/* acquire: pairs with q_release */
	while (atomic_load_explicit(&word->locked, memory_order_acquire))
		spin_poll_on(spin);
	/* (*, 1, 0) -> (*, 0, 1): nobody else may write either byte now */
	atomic_store_explicit(&word->locked_pending, (uint16_t)Q_LOCKED, memory_order_relaxed);
	lock_count(port_my_stats(), EV_LOCK_PENDING);
	spin_end(spin, SPIN_HANDED);
}

/* Takes the lock through the pending bit. Returns false if others wait already: queue up. */
static inline bool q_acquire_pending(union qspinlock_word *word, uint32_t value, struct spin *spin)
{
	/* (0, 1, 0): the pending waiter is about to become the owner. Wait for that a little. */
	for (uint32_t i = lock_tunables.pending_loops; value == Q_PENDING && i > 0; i--) {
		spin_poll(spin);
		value = q_load(word);
	}
	if (value & ~Q_LOCKED_MASK)
		return false;
	value = q_fetch_set_pending(word);
	if (value & ~Q_LOCKED_MASK) {
		if (!(value & Q_PENDING_MASK))
			q_set_pending(word, 0); /* we set it, but behind a queue */
		return false;
	}
	q_wait_pending(word, spin);
	return true;
}

#endif

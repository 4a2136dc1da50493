/* SPDX-License-Identifier: MIT */
/*
 * The 32-bit word of Linux's qspinlock (include/asm-generic/qspinlock_types.h, fewer than 16 K
 * CPUs) and its operations, shared by qspinlock, pv-qspinlock, cna, unfair-queued and virt-spin.
 *
 *	bits  0-7   locked: 0 free, 1 held, 3 held and the head of the queue must be kicked
 *	bits  8-15  pending: 0 or 1
 *	bits 16-17  tail: nesting level of the last waiter's node
 *	bits 18-31  tail: its CPU + 1; 0: no queue
 *
 * Some transitions are CASes of the whole word, others are plain stores to one field while other
 * CPUs CAS the whole. C11 does not define that; x86 keeps all sizes of access within one line
 * coherent, and Linux depends on it. A load of the word soon after a store to one of its bytes
 * waits for the store buffer (no forwarding); that is inherent in the algorithm.
 */
#ifndef PVSPIN_LOCKS_QSPINLOCK_WORD_H
#define PVSPIN_LOCKS_QSPINLOCK_WORD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define Q_LOCKED       1u
#define Q_SLOW         3u
#define Q_LOCKED_MASK  0xffu
#define Q_PENDING      (1u << 8)
#define Q_PENDING_BIT  8
#define Q_PENDING_MASK 0xff00u
#define Q_TAIL_SHIFT   16
#define Q_TAIL_MASK    0xffff0000u

union qspinlock_word {
	_Atomic uint32_t value;
	struct {
		_Atomic uint8_t locked;
		_Atomic uint8_t pending;
		_Atomic uint16_t tail;
	};
	_Atomic uint16_t locked_pending;
};

_Static_assert(sizeof(union qspinlock_word) == 4, "one 32-bit word");

static inline uint32_t q_load(const union qspinlock_word *word)
{
	return atomic_load_explicit(&word->value, memory_order_relaxed);
}

/* The fast path: 0 -> held. On failure *seen is the word as found. Acquire: pairs with the release
 * of the locked byte in q_release or its pv counterpart. */
static inline bool q_try_fast(union qspinlock_word *word, uint32_t *seen)
{
	*seen = 0;
	return atomic_compare_exchange_strong_explicit(&word->value, seen, Q_LOCKED,
						       memory_order_acquire, memory_order_relaxed);
}

/* As q_try_fast, but looks first: a CAS bound to fail would take the line from its owner. */
static inline bool q_try(union qspinlock_word *word)
{
	uint32_t seen;

	return q_load(word) == 0 && q_try_fast(word, &seen);
}

/* Release: pairs with every acquire of the word or its locked byte. */
static inline void q_release(union qspinlock_word *word)
{
	atomic_store_explicit(&word->locked, 0, memory_order_release);
}

/* By the owner, or by the head of the queue when nobody else may set it. No ordering of its own:
 * the caller has acquired by seeing locked == 0. */
static inline void q_set_locked(union qspinlock_word *word)
{
	atomic_store_explicit(&word->locked, Q_LOCKED, memory_order_relaxed);
}

static inline void q_set_pending(union qspinlock_word *word, uint8_t pending)
{
	atomic_store_explicit(&word->pending, pending, memory_order_relaxed);
}

/* Joins the queue; returns the previous tail in bits 16-31. Release: publishes the node's fields to
 * the successor; acquire: sees those of the predecessor, published the same way. */
static inline uint32_t q_exchange_tail(union qspinlock_word *word, uint32_t tail)
{
	return (uint32_t)atomic_exchange_explicit(&word->tail, (uint16_t)(tail >> Q_TAIL_SHIFT),
						  memory_order_acq_rel)
	       << Q_TAIL_SHIFT;
}

/* lock_ops.describe of every lock that begins with this word. */
void q_describe(const void *lock, char *text, size_t size);

#endif

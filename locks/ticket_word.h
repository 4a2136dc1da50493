/* SPDX-License-Identifier: MIT */
/*
 * The 32-bit word of ticket and ticket-backoff, and the operations on it.
 *
 *	bits  0-15  head: the ticket being served; only the owner writes it
 *	bits 16-31  tail: the next to be given out
 *
 * They form one word so that try_acquire can compare both halves and take the lock in one step.
 * Every other access is to one half, in its own 16 bits. A 32-bit XADD that takes a ticket and
 * reads head at once looks cheaper and is not: the last release may have left its 16-bit store to
 * head in the store buffer. That store is not forwarded to a wider load, which therefore waits
 * until the store has reached the cache (Intel Optimization Reference Manual, "Store Forwarding";
 * AMD's alike). Measured back to back on one CPU of an Ice Lake, per acquire and release, in ticks
 * of its 2.8 GHz TSC: 38 with the XADD, 26 by halves, 24 for a bare LOCK XADD and a store.
 *
 * C11 does not define accesses of two sizes; x86 keeps them coherent within one line.
 */
#ifndef PVSPIN_LOCKS_TICKET_WORD_H
#define PVSPIN_LOCKS_TICKET_WORD_H

#include "lib/printf.h"
#include "locks/core/lock.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TICKET_TAIL_SHIFT 16

union ticket_word {
	_Atomic uint32_t both;
	struct {
		_Atomic uint16_t head;
		_Atomic uint16_t tail;
	};
};

_Static_assert(sizeof(union ticket_word) == 4, "one 32-bit word");

static inline void ticket_word_init(void *state, const struct lock_env *env)
{
	union ticket_word *word = state;

	if (env->cpus > UINT16_MAX)
		__builtin_trap(); /* the ticket after 2^16 others equals the owner's */
	atomic_init(&word->both, 0);
}

/* Relaxed: head decides who owns the lock. */
static inline uint16_t ticket_take(union ticket_word *word)
{
	return atomic_fetch_add_explicit(&word->tail, 1, memory_order_relaxed);
}

/* Returns how many are served before `mine`; 0: it is our turn, the lock is ours. Acquire: pairs
 * with the store in ticket_pass. */
static inline uint16_t ticket_distance(const union ticket_word *word, uint16_t mine)
{
	return (uint16_t)(mine - atomic_load_explicit(&word->head, memory_order_acquire));
}

/* Takes the lock if it is free. A CAS of tail alone would not wait for the store to head, but could
 * succeed 2^16 tickets later, when head has fallen behind. */
static inline bool ticket_try(union ticket_word *word)
{
	uint16_t head = atomic_load_explicit(&word->head, memory_order_relaxed);
	uint16_t tail = atomic_load_explicit(&word->tail, memory_order_relaxed);
	uint32_t old = (uint32_t)tail << TICKET_TAIL_SHIFT | head;

	if (head != tail)
		return false; /* held at some time between the two loads */
	/* acquire: pairs with the store in ticket_pass. The carry of tail falls off the end. */
	return atomic_compare_exchange_strong_explicit(&word->both, &old,
						       old + (1u << TICKET_TAIL_SHIFT),
						       memory_order_acquire, memory_order_relaxed);
}

/* Serves the next ticket by a plain 16-bit store: only the owner writes head. Release: pairs with
 * ticket_distance and with the CAS in ticket_try. */
static inline void ticket_pass(union ticket_word *word)
{
	uint16_t head = atomic_load_explicit(&word->head, memory_order_relaxed);

	atomic_store_explicit(&word->head, (uint16_t)(head + 1), memory_order_release);
}

static inline void ticket_word_describe(const void *state, char *text, size_t size)
{
	const union ticket_word *word = state;
	uint32_t both = atomic_load_explicit(&word->both, memory_order_relaxed);
	uint16_t head = (uint16_t)both, tail = (uint16_t)(both >> TICKET_TAIL_SHIFT);

	ksnprintf(text, size, "word 0x%08x: serving %u, next %u: %u hold or wait", both, head, tail,
		  (uint16_t)(tail - head));
}

#endif

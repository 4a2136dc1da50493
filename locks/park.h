/* SPDX-License-Identifier: MIT */
/*
 * A parking place, as the futex is for threads: a waiter halts until a release wakes it. Shared by
 * tas-park and flexguard, whose lock byte is 0 free, 1 held, 2 held and somebody may be parked.
 *
 * A waiter that has stored PARK_WAITERS into the byte, and found the lock held, calls park(). The
 * owner exchanges the byte for 0 and, if it was PARK_WAITERS, calls park_wake(), which wakes one
 * waiter. The lock's address is the key. It is never read: the lock may be gone by then.
 *
 * The rule for the lock: after every park() the waiter exchanges the byte for PARK_WAITERS again,
 * whatever it finds, and owns the lock if the old value was 0. A waiter is woken on behalf of all
 * that are parked, so it must keep the byte at 2 for the rest. If it took the lock with a 1, they
 * would stay asleep.
 *
 * Nobody waits for another here: there is no list, and no lock of the parking place's own, which a
 * preempted vCPU would hold up. A waiter leaves a record in its CPU's node and sets its CPU's bit
 * in the set that the lock's address hashes to. A node has four records, one for each context that
 * can interrupt another, as in qnode.h; a fifth context only polls. A release looks at the CPUs in
 * the set, from the one after its own onwards, so that no CPU is always passed in favour of
 * another.
 */
#ifndef PVSPIN_LOCKS_PARK_H
#define PVSPIN_LOCKS_PARK_H

#include "locks/core/lock.h"
#include "locks/core/spin.h"
#include "port/port.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PARK_RECORDS 4 /* per CPU */

enum park_byte {
	PARK_FREE,
	PARK_HELD,
	PARK_WAITERS, /* held, and somebody may be parked */
};

struct park_record {
	const void *_Atomic lock; /* NULL: nobody is to be woken here */
	_Atomic uint8_t parked;   /* 1: not woken yet */
	uint32_t count;           /* in the CPU's first record: records in use */
};

/* One per CPU; in use as long as any lock of the kind exists. */
struct park_node {
	struct park_record record[PARK_RECORDS];
};

_Static_assert(sizeof(struct park_node) == CACHE_LINE, "a CPU's records fill a line");

/* Where all locks of one kind park. Kept outside the lock, which may be gone when a release needs
 * it. */
struct park_lot {
	char *nodes; /* CPU 0's */
	size_t stride;
	uint32_t cpus, words; /* a set has `words` words of 64 CPUs */
	_Atomic uint64_t *sets;
	uint32_t sets_words; /* allocated, per set */
};

/* Out of line, cold. */
void park_init(struct park_lot *lot, const struct lock_env *env);
/* Halts until woken, but not if the byte has changed. May return for no reason. */
void park(const struct park_lot *lot, struct park_node *node, const _Atomic uint8_t *byte,
	  struct spin *spin);
/* Wakes one waiter, if there is any. Call after an exchange of the byte for 0 that returned
 * PARK_WAITERS. */
void park_wake(const struct park_lot *lot, const void *lock);
/* As park_wake, but the search begins with CPU `first`. Returns the CPU that it woke; lot->cpus:
 * none. */
uint32_t park_wake_from(const struct park_lot *lot, const void *lock, uint32_t first);

/* Takes a free lock. Acquire: pairs with the exchange in park_release. */
static inline bool park_take(_Atomic uint8_t *byte, uint8_t as)
{
	uint8_t free = PARK_FREE;

	return atomic_load_explicit(byte, memory_order_relaxed) == PARK_FREE &&
	       atomic_compare_exchange_strong_explicit(byte, &free, as, memory_order_acquire,
						       memory_order_relaxed);
}

/* Announces a waiter. Returns true if the lock was free: it is the caller's now. Acquire and
 * release: pair with the exchange in park_release. We take our record back before this exchange, so
 * an owner that reads our 2 no longer finds the record; a release that chooses us came earlier. */
static inline bool park_announce(_Atomic uint8_t *byte)
{
	return atomic_exchange_explicit(byte, PARK_WAITERS, memory_order_acq_rel) == PARK_FREE;
}

/* Frees the lock. Returns true if the caller must call park_wake. Release and acquire: pair with
 * the two above. seq_cst: Dekker with park(). */
static inline bool park_release(_Atomic uint8_t *byte)
{
	return atomic_exchange_explicit(byte, PARK_FREE, memory_order_seq_cst) == PARK_WAITERS;
}

#endif

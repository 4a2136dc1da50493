/* SPDX-License-Identifier: MIT */
/*
 * Shared by pv-ticket, oticket and i-spinlock: the word, the wait that halts, and how an unlocker
 * finds whom to kick.
 *
 *	bit  0      slow path: somebody may be halted, the unlocker has to look
 *	bits 1-15   head: the ticket being served, in steps of two
 *	bits 16-31  tail: the next to be given out, in steps of two
 *
 * A waiter that has polled long enough writes a record (lock, ticket) into its CPU's node, sets the
 * flag in head and halts. The unlocker advances head by an atomic addition, whose old value shows
 * the flag. It never looks at the lock once it has given it away: the lock may be gone by then.
 * That is why the flag is in head (Linux d6abfdb20223; until 3.19 it was in tail).
 *
 * A CPU has one record for each context that can interrupt another in a halted wait, as in qnode.h;
 * a fifth context finds none and only polls.
 */
#ifndef PVSPIN_LOCKS_PV_TICKET_WAIT_H
#define PVSPIN_LOCKS_PV_TICKET_WAIT_H

#include "locks/core/lock.h"
#include "locks/core/slice.h"
#include "locks/core/spin.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PV_TICKET_FLAG       1u
#define PV_TICKET_INC        2u
#define PV_TICKET_TAIL_SHIFT 16
#define PV_TICKET_MAX_CPUS   ((1u << 15) - 1)
#define PV_TICKET_RECORDS    4  /* per CPU */
#define PV_TICKET_MAX_KICKS  32 /* per release */

union pv_ticket {
	_Atomic uint32_t word;
	struct {
		_Atomic uint16_t head;
		_Atomic uint16_t tail;
	};
};

struct pv_ticket_record {
	/* Lock and ticket in one word, so that nobody sees the lock of one wait with the ticket of
	 * another; 0: none. */
	_Atomic uint64_t key;
	_Atomic uint8_t asleep; /* 1: not kicked yet */
	uint32_t count;         /* in the CPU's first record: records in use */
};

struct pv_ticket_node {
	struct pv_ticket_record record[PV_TICKET_RECORDS];
	/* Used in the nodes of CPU 0, 64, 128... Bit i: the CPU i places on has a record in use. */
	_Atomic uint64_t waiting __attribute__((aligned(CACHE_LINE)));
};

_Static_assert(sizeof(struct pv_ticket_node) == 2 * CACHE_LINE, "records | bitmap");

/* The nodes of one kind of lock. Kept outside the lock, which may be gone when they are needed. */
struct pv_ticket_pool {
	char *nodes; /* CPU 0's */
	size_t stride;
	uint32_t cpus;
};

/* How a lock wants to wait. */
struct pv_ticket_wait {
	const struct pv_ticket_pool *pool;
	union pv_ticket *lock;
	struct pv_ticket_node *node; /* the calling CPU's */
	uint64_t threshold;          /* polls before each halt */
	struct slice *slice;         /* kept up to date during the wait; NULL: none */
	uint16_t ticket;
};

/* Out of line, cold. */
void pv_ticket_init(union pv_ticket *lock, struct pv_ticket_pool *pool, const struct lock_env *env);
void pv_ticket_wait(const struct pv_ticket_wait *wait); /* returns owning the lock */
/* Kicks the halted waiters among the `kicks` tickets from `next` on, after a release that found the
 * flag. `lock` is only used as an address. */
void pv_ticket_kick(const struct pv_ticket_pool *pool, const union pv_ticket *lock, uint16_t next,
		    uint32_t kicks);
void pv_ticket_describe(const struct pv_ticket_pool *pool, const union pv_ticket *lock, char *text,
			size_t size);

/* Whether head, with the flag or without, is at this ticket. */
static inline bool pv_ticket_is(uint16_t head, uint16_t ticket)
{
	return ((head ^ ticket) & ~PV_TICKET_FLAG) == 0;
}

/* Returns how many tickets hold or wait. */
static inline uint16_t pv_ticket_count(uint16_t head, uint16_t tail)
{
	return (uint16_t)(tail - (head & ~PV_TICKET_FLAG)) / PV_TICKET_INC;
}

/* Takes a ticket. Returns true if it is served and the flag is clear; otherwise the caller waits.
 * *head: as seen afterwards. Two 16-bit accesses: a locked 32-bit addition would return both halves
 * at once, but measured together with pv_ticket_pass it was never faster. */
static inline bool pv_ticket_take(union pv_ticket *lock, uint16_t *ticket, uint16_t *head)
{
	/* relaxed: a head that is at our ticket stays there until we release */
	*ticket = atomic_fetch_add_explicit(&lock->tail, PV_TICKET_INC, memory_order_relaxed);
	/* acquire: pairs with the addition in pv_ticket_pass */
	*head = atomic_load_explicit(&lock->head, memory_order_acquire);
	return *head == *ticket;
}

static inline bool pv_ticket_try(union pv_ticket *lock)
{
	uint32_t old = atomic_load_explicit(&lock->word, memory_order_relaxed);
	uint32_t taken = (old + (PV_TICKET_INC << PV_TICKET_TAIL_SHIFT)) & ~PV_TICKET_FLAG;

	/* acquire: pairs with the addition in pv_ticket_pass. Nobody waits, so nobody needs the
	 * flag. */
	return pv_ticket_is((uint16_t)old, (uint16_t)(old >> PV_TICKET_TAIL_SHIFT)) &&
	       atomic_compare_exchange_strong_explicit(&lock->word, &old, taken,
						       memory_order_acquire, memory_order_relaxed);
}

/* Serves the next ticket, returned in *next. Returns true if somebody may be halted. Release: pairs
 * with every acquire of head. Acquire: pairs with the OR in pv_ticket_wait.c; the record must be
 * visible. */
static inline bool pv_ticket_pass(union pv_ticket *lock, uint16_t *next)
{
	uint16_t old = atomic_fetch_add_explicit(&lock->head, PV_TICKET_INC, memory_order_acq_rel);

	*next = (uint16_t)((old & ~PV_TICKET_FLAG) + PV_TICKET_INC);
	return (old & PV_TICKET_FLAG) != 0;
}

#endif

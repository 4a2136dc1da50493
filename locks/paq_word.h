/* SPDX-License-Identifier: MIT */
/*
 * The 64-bit word of the paq lock. Every access is one 64-bit load or CAS (but for the byte that a
 * halting head watches), so that one atomic step sees and changes all of it: an unlocker learns
 * whom to kick in the step that frees the lock, and a load never waits for a narrower store.
 *
 *	bits  0-7   locked: 0 free, 1 held, 3 (SLOW) held and the head is to be kicked at unlock
 *	bit   8     MUSTQ: the head has lost too many races, nobody may take the lock past it
 *	bits 16-31  owner: id of its CPU's level 0; only there to be yielded to
 *	bits 32-47  head: id of the waiter that is next and alone may edit the queue's links
 *	bits 48-63  tail: id of the last waiter; 0: no queue
 *
 * head == 0 with a tail: somebody is editing links, the owner (promoting the next head) or a waiter
 * (usurping an inactive head). An id is (CPU + 1) << 2 | nesting level, as in qspinlock's tail;
 * 0 is nobody.
 */
#ifndef PVSPIN_LOCKS_PAQ_WORD_H
#define PVSPIN_LOCKS_PAQ_WORD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define PAQ_FREE        UINT64_C(0)
#define PAQ_HELD        UINT64_C(1)
#define PAQ_SLOW        UINT64_C(3)
#define PAQ_LOCKED_MASK UINT64_C(0xff)
#define PAQ_MUSTQ       (UINT64_C(1) << 8)
#define PAQ_OWNER_SHIFT 16
#define PAQ_HEAD_SHIFT  32
#define PAQ_TAIL_SHIFT  48
#define PAQ_ID_MASK     UINT64_C(0xffff)

#define PAQ_LEVELS     4 /* task, softirq, hardirq, NMI */
#define PAQ_LEVEL_BITS 2
#define PAQ_MAX_CPUS   ((1u << (16 - PAQ_LEVEL_BITS)) - 1)

union paq_word {
	_Atomic uint64_t value;
	_Atomic uint8_t locked; /* for pv_wait to look at, nothing else */
};

static inline uint32_t paq_id(uint32_t cpu, uint32_t level)
{
	return (cpu + 1) << PAQ_LEVEL_BITS | level;
}

static inline uint32_t paq_id_cpu(uint32_t id)
{
	return (id >> PAQ_LEVEL_BITS) - 1;
}

static inline uint32_t paq_id_level(uint32_t id)
{
	return id & (PAQ_LEVELS - 1);
}

static inline uint64_t paq_locked(uint64_t word)
{
	return word & PAQ_LOCKED_MASK;
}

static inline uint32_t paq_owner(uint64_t word)
{
	return word >> PAQ_OWNER_SHIFT & PAQ_ID_MASK;
}

static inline uint32_t paq_head(uint64_t word)
{
	return word >> PAQ_HEAD_SHIFT & PAQ_ID_MASK;
}

static inline uint32_t paq_tail(uint64_t word)
{
	return word >> PAQ_TAIL_SHIFT & PAQ_ID_MASK;
}

static inline uint64_t paq_with_head(uint64_t word, uint32_t id)
{
	return (word & ~(PAQ_ID_MASK << PAQ_HEAD_SHIFT)) | (uint64_t)id << PAQ_HEAD_SHIFT;
}

static inline uint64_t paq_with_tail(uint64_t word, uint32_t id)
{
	return (word & ~(PAQ_ID_MASK << PAQ_TAIL_SHIFT)) | (uint64_t)id << PAQ_TAIL_SHIFT;
}

/* Locked byte and owner 0, the rest as it is. */
static inline uint64_t paq_freed(uint64_t word)
{
	return word & ~(PAQ_LOCKED_MASK | PAQ_ID_MASK << PAQ_OWNER_SHIFT);
}

/* Acquire: pairs with paq_cas; a waiter must see the links that were written before the CAS. */
static inline uint64_t paq_load(const union paq_word *word)
{
	return atomic_load_explicit(&word->value, memory_order_acquire);
}

/* For the slow paths: each step acquires what the steps before it released. seq_cst, because
 * granting is one half of a Dekker pair (paq_queue.c). */
static inline bool paq_cas(union paq_word *word, uint64_t *seen, uint64_t next)
{
	return atomic_compare_exchange_strong_explicit(&word->value, seen, next,
						       memory_order_seq_cst, memory_order_acquire);
}

#endif

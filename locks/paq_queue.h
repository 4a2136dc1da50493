/* SPDX-License-Identifier: MIT */
/*
 * Shared by the files of the paq lock: paq.c (fast path, stealing, release), paq_queue.c (waiting
 * in the queue) and paq_links.c (the queue's links).
 */
#ifndef PVSPIN_LOCKS_PAQ_QUEUE_H
#define PVSPIN_LOCKS_PAQ_QUEUE_H

#include "locks/core/overcommit.h"
#include "locks/core/pv.h"
#include "locks/core/spin.h"
#include "locks/paq_word.h"
#include "port/port.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The host flags a vCPU preempted only if it wanted to run on, not if it halted or yielded (Linux
 * arch/x86/kvm/x86.c since 6cd88243c7e0); so a waiter announces these two itself. */
enum paq_state {
	PAQ_RUNNING,
	PAQ_HALTED, /* or about to halt: must be kicked when its turn comes */
	PAQ_YIELDING,
};

/* A waiter. The editor of the links (paq_links.c) writes `next` and `skips`; besides, a newcomer
 * writes the `next` of the last node. */
struct paq_node {
	_Atomic uint32_t next; /* id; 0: none, or not linked yet */
	_Atomic uint32_t skips;
	_Atomic uint8_t granted; /* a hint to look at the word: it may say that this is the head */
	_Atomic uint8_t state;   /* enum paq_state */
} __attribute__((aligned(CACHE_LINE)));

/* A CPU's part of all paq locks. A level is in use while its context waits. */
struct paq_cpu {
	uint64_t owned; /* the word when this CPU owns the lock and nobody waits */
	uint64_t yielded_at;
	struct overcommit overcommit;
	uint32_t levels; /* in use */
	struct paq_node level[PAQ_LEVELS];
};

struct paq_lock {
	union paq_word word __attribute__((aligned(CACHE_LINE)));
	char *cpus __attribute__((aligned(CACHE_LINE))); /* CPU 0's struct paq_cpu */
	size_t stride;
};

_Static_assert(sizeof(struct paq_lock) == 2 * CACHE_LINE, "word | read-mostly");
_Static_assert(sizeof(struct paq_cpu) == (1 + PAQ_LEVELS) * CACHE_LINE, "private | nodes");

/* One acquisition that has to wait. */
struct paq_wait {
	struct paq_lock *lock;
	struct paq_cpu *cpu;
	struct lock_stats *stats;
	struct spin spin;
	enum spin_outcome turn; /* of a head: SPIN_WON if others may pass it, else SPIN_HANDED */
	struct paq_node *node;  /* NULL: not queued */
	uint32_t id;            /* the node's */
	uint32_t suspect;       /* id seen inactive at the last look */
	bool look_again;        /* at the next poll */
	uint32_t passed_by;     /* the owner at the head's last look */
	uint32_t bypasses;      /* races lost as the head */
};

/* `cpus`, `stride`: the lock's. */
static inline struct paq_node *paq_node_at(char *cpus, size_t stride, uint32_t id)
{
	struct paq_cpu *cpu = (void *)(cpus + paq_id_cpu(id) * stride);

	return &cpu->level[paq_id_level(id)];
}

static inline struct paq_node *paq_node(const struct paq_lock *lock, uint32_t id)
{
	return paq_node_at(lock->cpus, lock->stride, id);
}

/* Whether a waiter is preempted, halted or yielding. A hint: safety never depends on it. A waiter
 * whose CPU runs an interrupt handler counts as active. */
static inline bool paq_inactive(const struct paq_lock *lock, uint32_t id)
{
	return pv_preempted(paq_id_cpu(id)) ||
	       atomic_load_explicit(&paq_node(lock, id)->state, memory_order_relaxed) !=
		       PAQ_RUNNING;
}

/* Returns the word with this CPU as the owner and the queue unchanged. */
static inline uint64_t paq_taken(const struct paq_wait *wait, uint64_t word)
{
	return paq_freed(word) | wait->cpu->owned;
}

/* paq_queue.c */

/* Waits in the queue with wait->node. Returns owning the lock. */
void paq_queue(struct paq_wait *wait);
/* Yields to the owner if it is preempted. `seen`: the word, read a moment ago. */
void paq_help_owner(struct paq_wait *wait, uint64_t seen);

/* paq_links.c */

/* Joins the queue behind the tail, or as the head if the queue is empty. */
void paq_enqueue(struct paq_wait *wait);
/* Makes a successor the head, by the new owner, which was the head but not the last. */
void paq_promote(struct paq_wait *wait);
/* Changes places with an inactive `head`, by a waiter that has seen itself second. Returns false if
 * it changed nothing. */
bool paq_usurp(struct paq_wait *wait, uint32_t head);

static inline uint32_t paq_next(const struct paq_node *node)
{
	/* acquire: pairs with the stores to next in paq_links.c */
	return atomic_load_explicit(&node->next, memory_order_acquire);
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * What the two halves of the paq lock share: paq.c (fast path, stealing, release) and paq_queue.c
 * (the queue).
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

/* A host says "preempted" only of a vCPU that wanted to run on, not of one that halted or gave its
 * time away (Linux arch/x86/kvm/x86.c since 6cd88243c7e0): so a waiter says that itself. */
enum paq_state {
	PAQ_RUNNING,
	PAQ_HALTED, /* or about to: it has to be kicked when its turn comes */
	PAQ_YIELDING,
};

/* A waiter. `next` and `skips` are written by whoever may edit links (paq_word.h), but for the
 * newcomer that links itself to the last. */
struct paq_node {
	_Atomic uint32_t next; /* id; 0: none, or not linked yet */
	_Atomic uint32_t skips;
	_Atomic uint8_t granted; /* a hint to look at the word: it may say that this is the head */
	_Atomic uint8_t state;   /* enum paq_state */
} __attribute__((aligned(CACHE_LINE)));

/* What a CPU brings, for all paq locks. A level is in use while its context waits. */
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
	enum spin_outcome turn; /* what its turn is: only its own, or others may pass by */
	struct paq_node *node;  /* NULL: not queued */
	uint32_t id;            /* the node's */
	uint32_t suspect;       /* id seen inactive at the last look */
	bool look_again;        /* at the next poll */
	uint32_t passed_by;     /* the owner at the last look, by the head */
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

/* A hint: safety never depends on it. A waiter whose CPU runs an interrupt handler passes for
 * active. */
static inline bool paq_inactive(const struct paq_lock *lock, uint32_t id)
{
	return pv_preempted(paq_id_cpu(id)) ||
	       atomic_load_explicit(&paq_node(lock, id)->state, memory_order_relaxed) !=
		       PAQ_RUNNING;
}

/* The word with this CPU as the owner; the queue as it is. */
static inline uint64_t paq_taken(const struct paq_wait *wait, uint64_t word)
{
	return paq_freed(word) | wait->cpu->owned;
}

/* paq_queue.c */

/* Waits in the queue, with a node; returns owning the lock. */
void paq_queue(struct paq_wait *wait);
/* Gives this CPU's time to a preempted owner. `seen`: the word, a moment ago. */
void paq_help_owner(struct paq_wait *wait, uint64_t seen);

/* paq_links.c */

/* Joins the queue behind the tail; with nobody there, as its head. */
void paq_enqueue(struct paq_wait *wait);
/* By the new owner, which was the head but not the last: makes a successor the head. */
void paq_promote(struct paq_wait *wait);
/* By a waiter that runs and has seen itself second, behind an inactive `head`: changes places with
 * it. False: nothing has changed. */
bool paq_usurp(struct paq_wait *wait, uint32_t head);

static inline uint32_t paq_next(const struct paq_node *node)
{
	/* acquire: pairs with the stores to next in paq_links.c */
	return atomic_load_explicit(&node->next, memory_order_acquire);
}

#endif

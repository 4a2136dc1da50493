/* SPDX-License-Identifier: MIT */
/* What paq's lock and a CPU's part of it look like, for paq.c and its tests. */
#ifndef PVSPIN_LOCKS_PAQ_H
#define PVSPIN_LOCKS_PAQ_H

#include "locks/park.h"
#include "port/port.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAQ_NODES 4u /* of a CPU: queued waits, and locks held that it queued for */

/* A node's `state`. Its waiter changes WAITING to ASLEEP and back; all other changes are the
 * front's. */
enum paq_state {
	PAQ_OUT, /* not in the queue */
	PAQ_WAITING,
	PAQ_ASLEEP,
	PAQ_FRONT, /* in front of the queue: polls the byte */
	PAQ_OWNER, /* in front of the queue, and the lock is its CPU's */
};

struct paq_node {
	_Atomic uint32_t next;  /* id: CPU * PAQ_NODES + slot + 1; 0: none, or not linked yet */
	_Atomic uint32_t state; /* enum paq_state */
} __attribute__((aligned(CACHE_LINE)));

/* A CPU's part of all paq locks. Other CPUs access only the nodes. */
struct paq_cpu {
	struct park_node park; /* first: park.h finds it */
	/* the lock that this CPU owns with the slot's node in front of the queue; else NULL */
	const void *held[PAQ_NODES] __attribute__((aligned(CACHE_LINE)));
	uint32_t used;   /* slots, a bit each */
	uint32_t passed; /* times that it handed a lock on in this turn */
	bool retires;    /* at its next wait */
	struct paq_node node[PAQ_NODES];
};

struct paq_lock {
	_Atomic uint8_t byte; /* enum park_byte */
	uint8_t pad[CACHE_LINE - 1];
	_Atomic uint32_t tail; /* id of the last node; 0: no queue */
};

_Static_assert(offsetof(struct paq_lock, tail) == CACHE_LINE, "byte | queue");

#endif

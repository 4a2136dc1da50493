/* SPDX-License-Identifier: MIT */
/*
 * The store buffer of an x86 CPU and its locked operations, for both simulations of memory:
 * sim/memory.c, which gives everything a time, and sim/explore/memory.c, which chooses the order.
 * They decide when a store leaves the buffer. P. Sewell et al., "x86-TSO", CACM 53(7), 2010.
 */
#ifndef PVSPIN_SIM_TSO_H
#define PVSPIN_SIM_TSO_H

#include "port/sim/seam.h"
#include <stdint.h>

/* Of a Skylake (Intel Optimization Reference Manual, table "Comparison of Core Buffers"). */
#define STORES_MOST 56

struct store_buffer { /* first in, first out */
	uint32_t first, count;
	struct store {
		volatile void *at;
		uint64_t value;
		uint32_t size;
		uint64_t step; /* explore: when it was made */
	} store[STORES_MOST];
};

/* The i-th store, counted from the oldest (0). */
static inline struct store *store_at(struct store_buffer *stores, uint32_t i)
{
	return &stores->store[(stores->first + i) % STORES_MOST];
}

/* Takes out the oldest store. The pointer is valid until the next store is added. */
static inline const struct store *store_take(struct store_buffer *stores)
{
	const struct store *store = store_at(stores, 0);

	stores->first = (stores->first + 1) % STORES_MOST;
	stores->count--;
	return store;
}

enum store_hit {
	STORE_NONE,    /* a load gets its value from memory */
	STORE_COVERS,  /* ... from the newest store to these bytes */
	STORE_OVERLAPS /* ... from memory, once the newest store to some of these bytes is there */
};

/* Says what the CPU's own buffer has for a load; sets *value for STORE_COVERS. */
enum store_hit store_find(struct store_buffer *stores, const volatile void *at, uint32_t size,
			  uint64_t *value);

/* The value that a locked operation leaves in memory. */
uint64_t tso_apply(uint64_t old, enum sim_rmw operation, uint64_t operand);

#endif

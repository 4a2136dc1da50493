/* SPDX-License-Identifier: MIT */
/*
 * A lock as this program measures it: pvspin's, another library's ("ck-ticket", "glibc-spin"), or a
 * floor, a bare instruction sequence that excludes nobody ("floor-..."). All are struct lock_ops,
 * entered by LOCK_REGISTER (bench/register.h beside this file).
 */
#ifndef PVSPIN_BENCH_PEERS_PEER_H
#define PVSPIN_BENCH_PEERS_PEER_H

#include "locks/core/lock.h"
#include "port/port.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct shared {
	_Alignas(APART) _Atomic bool stop;
	/* Protected by the lock. Read and written separately, so that any overlap loses a count. */
	_Alignas(APART) uint64_t first;
	_Atomic uint64_t second;
};

struct contender {
	void *lock;
	void *node;
	struct shared *shared;
	_Atomic uint64_t sections; /* written by its thread only */
} __attribute__((aligned(2 * CACHE_LINE)));

struct peer {
	const struct lock_ops *ops;
	void (*pairs)(void *lock, void *node, uint32_t count); /* back to back */
	void (*spaced_pairs)(void *lock, void *node, uint32_t count);
	void (*contend)(struct contender *contender);
};

size_t peer_count(void);
const struct peer *peer_at(size_t i); /* floors first, then pvspin's, then the others' by name */
bool peer_is_floor(const struct peer *peer);
bool peer_is_outside(const struct peer *peer);
const struct peer *peer_find(const char *name); /* NULL: none */

/* Memory for a lock and `cpus` nodes, initialised by the lock's operations. Never freed. */
struct instance {
	void *lock;
	char *nodes;
	size_t stride;
};
struct instance peer_instance(const struct peer *peer, uint32_t cpus);

/* count.c: counts the locked instructions of one acquire and release by single steps; -1 if that is
 * not possible. */
int peer_locked_instructions(const struct peer *peer, const struct instance *instance);

void progress(const char *what, size_t done, size_t all); /* done == all: finished */

/* pairs.c, overcommit.c: measure and print. Return false if a lock did not exclude. */
void pairs_table(uint32_t rounds);
bool overcommit_table(uint32_t rounds, uint32_t window_ms, const uint32_t *threads, size_t counts);

#endif

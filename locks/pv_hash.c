/* SPDX-License-Identifier: MIT */
/*
 * The table of pv_hash.h. A CAS claims an entry and a store gives it back; there is no lock. The
 * table cannot fill up: each of a CPU's four nodes waits for at most one lock, and there are four
 * entries per CPU.
 */
#include "locks/pv_hash.h"
#include "locks/core/stats.h"
#include "port/port.h"
#include <stdatomic.h>
#include <stdbool.h>

struct pv_hash_entry {
	const void *_Atomic lock; /* NULL: free */
	void *_Atomic node;
};

#define ENTRIES_PER_LINE (CACHE_LINE / sizeof(struct pv_hash_entry))
#define ENTRIES_PER_CPU  4
#define ENTRIES_MIN      (4096 / sizeof(struct pv_hash_entry))

/* Knuth, TAOCP vol. 3, 6.4: multiplicative hashing with the golden ratio; high bits are best. */
#define GOLDEN_RATIO_64 0x9e3779b97f4a7c15ull

static struct pv_hash_entry *table;
static size_t size;    /* a power of two */
static uint32_t shift; /* 64 - log2(size) */

void pv_hash_init(uint32_t cpus)
{
	size_t wanted = ENTRIES_MIN;
	uint32_t bits = 0;

	while (wanted < (size_t)cpus * ENTRIES_PER_CPU)
		wanted *= 2;
	if (wanted <= size)
		return;
	while ((size_t)1 << bits < wanted)
		bits++;
	table = port_alloc(wanted * sizeof(*table), CACHE_LINE);
	size = wanted;
	shift = 64 - bits;
}

/* The first entry of the lock's cache line. */
static size_t home(const void *lock)
{
	uint64_t hash = (uint64_t)(uintptr_t)lock * GOLDEN_RATIO_64;

	return (size_t)(hash >> shift) & ~(ENTRIES_PER_LINE - 1);
}

struct pv_hash_entry *pv_hash_insert(const void *lock, void *node)
{
	struct lock_stats *stats = port_my_stats();

	for (size_t i = 0; i < size; i++) {
		struct pv_hash_entry *entry = &table[(home(lock) + i) & (size - 1)];
		const void *none = NULL;

		lock_count(stats, EV_PV_HASH_HOPS);
		/* acquire: pairs with the store in pv_hash_remove and pv_hash_cancel, whose reader
		 * of `node` must be done before we overwrite it */
		if (atomic_compare_exchange_strong_explicit(&entry->lock, &none, lock,
							    memory_order_acquire,
							    memory_order_relaxed)) {
			atomic_store_explicit(&entry->node, node, memory_order_relaxed);
			return entry;
		}
	}
	__builtin_trap(); /* more waiting heads than entries: see the top of this file */
}

void *pv_hash_remove(const void *lock)
{
	for (size_t i = 0; i < size; i++) {
		struct pv_hash_entry *entry = &table[(home(lock) + i) & (size - 1)];
		void *node;

		/* relaxed: the caller has seen SLOW in the locked byte, which published the entry
		 */
		if (atomic_load_explicit(&entry->lock, memory_order_relaxed) != lock)
			continue;
		node = atomic_load_explicit(&entry->node, memory_order_relaxed);
		/* release: pairs with the CAS in pv_hash_insert */
		atomic_store_explicit(&entry->lock, NULL, memory_order_release);
		return node;
	}
	__builtin_trap(); /* SLOW without an entry: the protocol is broken */
}

void pv_hash_cancel(struct pv_hash_entry *entry)
{
	/* release: pairs with the CAS in pv_hash_insert */
	atomic_store_explicit(&entry->lock, NULL, memory_order_release);
}

size_t pv_hash_used(void)
{
	size_t used = 0;

	for (size_t i = 0; i < size; i++)
		used += atomic_load_explicit(&table[i].lock, memory_order_relaxed) != NULL;
	return used;
}

size_t pv_hash_size(void)
{
	return size;
}

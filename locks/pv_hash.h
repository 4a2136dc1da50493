/* SPDX-License-Identifier: MIT */
/*
 * The table in which an unlocker finds the head of a lock's queue: one for all pv-qspinlocks, keyed
 * by the lock's address. A lock whose locked byte is SLOW has exactly one entry.
 *
 * As in Linux (kernel/locking/qspinlock_paravirt.h), open addressing begins at the start of the
 * cache line that the address hashes to, and the table has at least four entries per CPU and at
 * least a page of them, rounded up to a power of two: a probe seldom leaves its line.
 */
#ifndef PVSPIN_LOCKS_PV_HASH_H
#define PVSPIN_LOCKS_PV_HASH_H

#include <stddef.h>
#include <stdint.h>

struct pv_hash_entry;

/* Makes the table large enough for this many CPUs. During set-up only. */
void pv_hash_init(uint32_t cpus);

/* Enters the node. The caller then publishes the entry by a release store or RMW of SLOW to the
 * locked byte. */
struct pv_hash_entry *pv_hash_insert(const void *lock, void *node);

/* Takes the lock's entry out and returns its node. By the owner, after an acquire load of SLOW. */
void *pv_hash_remove(const void *lock);

/* Takes an entry out again. By the vCPU that inserted it, when nobody can have seen SLOW. */
void pv_hash_cancel(struct pv_hash_entry *entry);

/* Entries in use, and all entries. Exact only while no lock is in use. For tests. */
size_t pv_hash_used(void);
size_t pv_hash_size(void);

#endif

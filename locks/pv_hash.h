/* SPDX-License-Identifier: MIT */
/*
 * Where an unlocker finds the head of a lock's queue: one table for all pv-qspinlocks, keyed by the
 * lock's address. A lock whose locked byte is SLOW has exactly one entry. Open addressing from the
 * start of the cache line that the address hashes to, as Linux's (kernel/locking/
 * qspinlock_paravirt.h): at least four entries per CPU and at least a page of them, rounded up to a
 * power of two, so that a probe seldom leaves its line.
 */
#ifndef PVSPIN_LOCKS_PV_HASH_H
#define PVSPIN_LOCKS_PV_HASH_H

#include <stddef.h>
#include <stdint.h>

struct pv_hash_entry;

/* Set-up only: makes the table large enough for this many CPUs. */
void pv_hash_init(uint32_t cpus);

/* The caller publishes the entry afterwards by a release store or RMW of SLOW to the locked byte.
 */
struct pv_hash_entry *pv_hash_insert(const void *lock, void *node);

/* By the owner that found SLOW, with acquire ordering: takes the entry out and returns its node. */
void *pv_hash_remove(const void *lock);

/* By the one that inserted it, when nobody can have seen SLOW. */
void pv_hash_cancel(struct pv_hash_entry *entry);

/* Entries in use and in all; exact only while no lock is in use. For tests. */
size_t pv_hash_used(void);
size_t pv_hash_size(void);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Directed yield to a vCPU that the host has descheduled, for locks that know whom they wait for
 * (powerpc's and s390's: their words name the owner).
 *
 * The flag is read first and what made that vCPU worth a yield second: an owner that has let go in
 * between may well be idle, and a yield to it gives the time away to nobody. powerpc learned that
 * from lockups (Linux f9bc9bbe8afd). Both are hints: a wrong answer costs time, never exclusion.
 */
#ifndef PVSPIN_LOCKS_YIELD_H
#define PVSPIN_LOCKS_YIELD_H

#include "locks/core/pv.h"
#include "locks/core/spin.h"
#include "locks/core/stats.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Yields to `cpu` if it is flagged preempted and *word is still what the caller saw; counts it as
 * `event`. Whether it did; the caller polls on in either case. */
static inline bool yield_if_preempted(struct spin *spin, uint32_t cpu, const _Atomic uint32_t *word,
				      uint32_t seen, enum lock_event event)
{
	if (!pv_preempted(cpu))
		return false;
	/* Only the compiler could turn flag and word round: x86 loads in order. */
	atomic_signal_fence(memory_order_acquire);
	if (atomic_load_explicit(word, memory_order_relaxed) != seen)
		return false;
	if (spin->polls == 0) { /* the wait begins here; its first poll is this one */
		spin_first(spin);
		spin->polls = 1;
	}
	pv_yield_to(cpu);
	lock_count(spin->stats, event);
	/* Off the CPU by one's own wish: no lock waiter preemption. */
	spin_stage(spin, SPIN_WON);
	return true;
}

#endif

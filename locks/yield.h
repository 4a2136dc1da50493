/* SPDX-License-Identifier: MIT */
/*
 * Directed yields to a preempted vCPU, for locks that know whom they wait for (powerpc's and
 * s390's: their words name the owner).
 *
 * The preempted flag is read first, the word that named the vCPU second. An owner that let go in
 * between may be idle, and a yield to it would give the time to nobody. powerpc learned that from
 * lockups (Linux f9bc9bbe8afd). Both are hints: a wrong answer costs time, never exclusion.
 */
#ifndef PVSPIN_LOCKS_YIELD_H
#define PVSPIN_LOCKS_YIELD_H

#include "locks/core/pv.h"
#include "locks/core/spin.h"
#include "locks/core/stats.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Yields to `cpu` if it is flagged preempted and *word is still `seen`, what the caller saw; counts
 * the yield as `event`. Returns whether it yielded; the caller polls on in either case. */
static inline bool yield_if_preempted(struct spin *spin, uint32_t cpu, const _Atomic uint32_t *word,
				      uint32_t seen, enum lock_event event)
{
	if (!pv_preempted(cpu))
		return false;
	/* Only the compiler could swap the loads of flag and word: x86 loads in order. */
	atomic_signal_fence(memory_order_acquire);
	if (atomic_load_explicit(word, memory_order_relaxed) != seen)
		return false;
	if (spin->polls == 0) { /* the wait begins here; its first poll is this one */
		spin_first(spin);
		spin->polls = 1;
	}
	pv_yield_to(cpu);
	lock_count(spin->stats, event);
	/* The vCPU was off its CPU by its own wish: no lock waiter preemption. */
	spin_stage(spin, SPIN_WON);
	return true;
}

#endif

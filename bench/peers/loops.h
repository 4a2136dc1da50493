/* SPDX-License-Identifier: MIT */
/* The loops that are instantiated for each peer, its operations inlined: bench/register.h. */
#ifndef PVSPIN_BENCH_PEERS_LOOPS_H
#define PVSPIN_BENCH_PEERS_LOOPS_H

#include "bench/peers/peer.h"
#include "bench/work.h"

#define SPACE 100u /* iterations of work() between a release and the next acquire: core cycles */

static inline __attribute__((always_inline)) void
pairs_loop(const struct lock_ops *ops, void *lock, void *node, uint32_t count, uint32_t space)
{
	for (uint32_t i = 0; i < count; i++) {
		ops->acquire(lock, node);
		atomic_signal_fence(memory_order_seq_cst);
		ops->release(lock, node);
		if (space)
			work(space);
	}
}

/* The section has only the check; no work outside. */
static inline __attribute__((always_inline)) void contend_loop(const struct lock_ops *ops,
							       struct contender *contender)
{
	struct shared *shared = contender->shared;
	uint64_t sections = 0, second;
	bool stop;

	do {
		ops->acquire(contender->lock, contender->node);
		stop = atomic_load_explicit(&shared->stop, memory_order_relaxed);
		second = atomic_load_explicit(&shared->second, memory_order_relaxed);
		shared->first++;
		atomic_store_explicit(&shared->second, second + 1, memory_order_relaxed);
		ops->release(contender->lock, contender->node);
		atomic_store_explicit(&contender->sections, ++sections, memory_order_relaxed);
	} while (!stop);
}

#endif

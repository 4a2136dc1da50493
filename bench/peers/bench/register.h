/* SPDX-License-Identifier: MIT */
/*
 * Takes the place of bench/register.h in this program (-Ibench/peers comes first): the same
 * LOCK_REGISTER line at the end of a lock's file instantiates the loops of bench/peers/loops.h with
 * the lock's operations inlined. The outside locks and the floors register in the same way.
 */
#ifndef PVSPIN_BENCH_PEERS_LOCKS_CORE_REGISTER_H
#define PVSPIN_BENCH_PEERS_LOCKS_CORE_REGISTER_H

#include "bench/peers/loops.h"
#include "bench/peers/peer.h"
#include "locks/core/lock.h"
#include "locks/core/stats.h"

#define LOCK_REGISTER(ops_)                                                     \
	static void peer_pairs(void *lock, void *node, uint32_t count)          \
	{                                                                       \
		pairs_loop(&(ops_), lock, node, count, 0);                      \
	}                                                                       \
	static void peer_spaced_pairs(void *lock, void *node, uint32_t count)   \
	{                                                                       \
		pairs_loop(&(ops_), lock, node, count, SPACE);                  \
	}                                                                       \
	static void peer_contend(struct contender *contender)                   \
	{                                                                       \
		contend_loop(&(ops_), contender);                               \
	}                                                                       \
	static const struct peer peer                                           \
		__attribute__((section("peer_registry"), used, aligned(8))) = { \
			.ops = &(ops_),                                         \
			.pairs = peer_pairs,                                    \
			.spaced_pairs = peer_spaced_pairs,                      \
			.contend = peer_contend,                                \
	}

#endif

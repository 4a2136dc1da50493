/* SPDX-License-Identifier: MIT */
/*
 * Registration of a lock: LOCK_REGISTER(ops), once, as the last line of a lock's file, puts one
 * struct lock_entry into the ELF section lock_registry. Because `ops` is a constant there, the
 * compiler instantiates the measured loop (bench/loop.h) with every operation inlined: no
 * indirect call in a hot loop (dispatch=inline).
 */
#ifndef PVSPIN_BENCH_REGISTER_H
#define PVSPIN_BENCH_REGISTER_H

#include "bench/loop.h"
#include "locks/core/lock.h"
#include "locks/core/registry.h"

#define LOCK_REGISTER(ops_)                                                     \
	static void measure_plain(struct worker *worker)                        \
	{                                                                       \
		measured_loop(&(ops_), worker, false, false);                   \
	}                                                                       \
	static void measure_latency(struct worker *worker)                      \
	{                                                                       \
		measured_loop(&(ops_), worker, true, false);                    \
	}                                                                       \
	static void measure_traced(struct worker *worker)                       \
	{                                                                       \
		measured_loop(&(ops_), worker, worker->wait != NULL, true);     \
	}                                                                       \
	static const struct lock_entry lock_entry                               \
		__attribute__((section("lock_registry"), used, aligned(8))) = { \
			.ops = &(ops_),                                         \
			.measure_plain = measure_plain,                         \
			.measure_latency = measure_latency,                     \
			.measure_traced = measure_traced,                       \
	}

#endif

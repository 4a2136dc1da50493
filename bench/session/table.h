/* SPDX-License-Identifier: MIT */
/*
 * The table at the end of a measurement, for people. (The analyser takes its figures from the
 * records.) One row per lock and thread count, over all repetitions.
 */
#ifndef PVSPIN_BENCH_SESSION_TABLE_H
#define PVSPIN_BENCH_SESSION_TABLE_H

#include "bench/kbuild/kbuild.h"
#include "bench/plan.h"
#include "bench/result.h"
#include "lib/arith.h"

/* One lock at one thread count. Counters are sums over the repetitions. */
struct table_row {
	const struct lock_ops *lock;
	uint32_t threads;
	struct spread rate;             /* result_rate(), one value per repetition */
	struct spread jain;             /* permille */
	uint64_t ops, ops_min, ops_max; /* min and max: of one vCPU in one repetition */
	uint64_t halts, kicks, steals, lhp;
	uint64_t wait_max_cycles, longest_streak;
	uint64_t steal_ns, elapsed_ns, scheduled_in;
	struct gaps gaps; /* of phases whose lengths add up to gaps_cycles; 0: none has any */
	uint64_t gaps_cycles;
	uint32_t broken, incomplete; /* number of such repetitions */
	struct spread elapsed;       /* kbuild: ns */
	struct kbuild_times times;   /* kbuild: sums */
};

struct table {
	const struct plan *plan;
	uint64_t throttled_ns;
	struct table_row *rows; /* thread counts by locks, in the plan's order */
};

/* Allocates and empties the rows. */
void table_init(struct table *table, const struct plan *plan);

void table_add(struct table *table, size_t threads_index, size_t lock_index,
	       const struct run_result *result);

/* Prints the table between the lines "== table" and "== end". */
void table_say(const struct table *table);

/* Prints where the time of each lock of a block went; nothing without latency=on (gaps_table.c). */
void gaps_table_say(const struct table *table, size_t threads_index, int width);

/* Prints the lines below the table, which say what its figures may not be used for (notes.c). */
void table_say_notes(const struct table *table);

/* The mean rate of the fastest lock that excludes, at this thread count. */
uint64_t table_best_rate(const struct table *table, size_t threads_index);

#endif

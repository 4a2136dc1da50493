/* SPDX-License-Identifier: MIT */
/*
 * What one run came to: written by run.c, summed up and checked by result.c, read by emit.c (the
 * log records) and table.c (the table for people). Cycles are TSC cycles.
 */
#ifndef PVSPIN_BENCH_RESULT_H
#define PVSPIN_BENCH_RESULT_H

#include "bench/plan.h"
#include "bench/worker.h"
#include "lib/histogram.h"
#include "locks/core/registry.h"
#include "locks/core/stats.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kbuild_result; /* bench/kbuild/kbuild.h */

/* A moment: when a phase began or ended. */
struct run_mark {
	uint64_t tsc;
	uint64_t wall_ns; /* 0: no clock that other VMs share */
};

enum exclusion {
	EXCLUSION_OK,
	EXCLUSION_BROKEN,
	EXCLUSION_NOT_CHECKED, /* the null lock excludes nobody */
};

struct run_result {
	/* what was run */
	const struct plan *plan;
	const struct lock_entry *lock;
	uint32_t number; /* 1, 2, 3... within the plan */
	uint32_t threads;
	uint32_t rep; /* 1..plan->reps */

	/* one per thread, until the next run */
	const struct worker *workers;
	const struct histogram *wait, *hold_time; /* over all workers; NULL: latency=off */

	const struct kbuild_result *kbuild; /* workload=kbuild, until the next run; else NULL */
	uint64_t jobs_done;                 /* by workload=kbuild */

	/* the measured phase */
	struct run_mark start, end;
	const char *clock; /* of the marks' wall_ns: "kvmclock", "realtime", "launcher", "none" */
	uint64_t elapsed_cycles, elapsed_ns;
	bool complete; /* false: ops= was not reached within the bound */

	/* over all workers */
	uint64_t ops, ops_min, ops_max;
	uint64_t count[EV_COUNT];
	uint64_t wait_max_cycles, lhp_max_cycles;
	struct gaps gaps;        /* latency=on ms=, result_has_streak(): together elapsed_cycles */
	uint64_t longest_streak; /* acquisitions in a row by one vCPU; see result_has_streak() */
	uint64_t steal_ns, scheduled_in;
	uint64_t throttled_ns; /* of the whole run, set-up and warm-up included */
	uint64_t jain_permille;
	enum exclusion exclusion;

	/* warm-up and the way out included, to compare with the hypervisor's own counts */
	uint64_t halts_total, kicks_total, yields_total;
};

/* Halts, kicks and yields of CPUs 0..threads-1 since they started. */
struct pv_totals {
	uint64_t halts, kicks, yields;
};

struct pv_totals result_pv_totals(uint32_t threads);

/* The fields *_total: by how much the totals have grown. */
void result_set_totals(struct run_result *result, const struct pv_totals *before);

/* Sums up result->workers into the fields "over all workers", exclusion apart. */
void result_sum(struct run_result *result);

/* Whether each section's two counters equal the sections its workers went through. */
enum exclusion result_check(const struct lock_ops *ops, const struct worker *workers,
			    uint32_t threads);

/* Whether vCPUs competed for one lock, that excludes, and so had turns. */
bool result_has_streak(const struct run_result *result);

/* What locks are compared by: acquisitions per second, with kbuild jobs in 1000 seconds; rounded
 * down, 0 for a phase of no length. */
uint64_t result_rate(const struct run_result *result);

#endif

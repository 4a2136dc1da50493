/* SPDX-License-Identifier: MIT */
/*
 * The result of one run: run.c writes it, result.c sums it up and checks it, emit.c (log records)
 * and table.c (table for people) read it. Cycles are TSC cycles.
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

/* The time at which a phase began or ended. */
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
	const struct histogram *wait, *wait_net,
		*hold_time; /* over all workers; NULL: latency=off */

	const struct kbuild_result *kbuild; /* workload=kbuild, until the next run; else NULL */
	uint64_t jobs_done;                 /* by workload=kbuild */

	/* the measured phase */
	struct run_mark start, end;
	const char *clock; /* for wall_ns: "kvmclock", "realtime", "launcher", "none" */
	uint64_t elapsed_cycles, elapsed_ns;
	bool complete; /* false: ops= was not reached within the bound */

	/* over all workers */
	uint64_t ops, ops_min, ops_max;
	uint64_t count[EV_COUNT];
	uint64_t wait_max_cycles, lhp_max_cycles;
	struct gaps gaps;        /* result_has_gaps(): together elapsed_cycles */
	uint64_t longest_streak; /* acquisitions in a row by one vCPU; see result_has_streak() */
	uint64_t steal_ns, scheduled_in;
	uint64_t throttled_ns; /* in the whole run, including set-up and warm-up */
	uint64_t jain_permille;
	enum exclusion exclusion;

	/* including warm-up and the time after the stop, to compare with the hypervisor's counts */
	uint64_t halts_total, kicks_total, yields_total;
};

/* Halts, kicks and yields of CPUs 0..threads-1 since they started. */
struct pv_totals {
	uint64_t halts, kicks, yields;
};

struct pv_totals result_pv_totals(uint32_t threads);

/* Sets the fields *_total to the growth of the totals. */
void result_set_totals(struct run_result *result, const struct pv_totals *before);

/* Sums up result->workers into the fields "over all workers", except exclusion. */
void result_sum(struct run_result *result);

/* Checks whether each section's two counters equal the number of times that its workers went
 * through it. */
enum exclusion result_check(const struct lock_ops *ops, const struct worker *workers,
			    uint32_t threads);

/* Whether several vCPUs competed for one lock that excludes, so that streaks exist. */
bool result_has_streak(const struct run_result *result);

/* Whether the lock's time is known by holds and gaps (gaps.h). */
bool result_has_gaps(const struct run_result *result);

/* The figure of merit of a lock: acquisitions per second, with kbuild jobs per 1000 seconds;
 * rounded down, 0 for a phase of no length. */
uint64_t result_rate(const struct run_result *result);

#endif

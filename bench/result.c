/* SPDX-License-Identifier: MIT */
/* Sums over a run's workers, and the proof that the lock excluded: see result.h. */
#include "bench/result.h"

#include "lib/arith.h"
#include "port/port.h"
#include <stdatomic.h>

static uint64_t worker_ops(size_t i, const void *workers)
{
	return ((const struct worker *)workers)[i].measured_ops;
}

struct pv_totals result_pv_totals(uint32_t threads)
{
	struct pv_totals totals = {0};

	for (uint32_t i = 0; i < threads; i++) {
		const struct lock_stats *stats = port_stats(i);

		totals.halts += stats->count[EV_HALTS];
		totals.kicks += stats->count[EV_KICKS];
		totals.yields += stats->count[EV_YIELDS];
	}
	return totals;
}

void result_set_totals(struct run_result *result, const struct pv_totals *before)
{
	struct pv_totals now = result_pv_totals(result->threads);

	result->halts_total = now.halts - before->halts;
	result->kicks_total = now.kicks - before->kicks;
	result->yields_total = now.yields - before->yields;
}

void result_sum(struct run_result *result)
{
	result->ops = 0;
	result->ops_min = UINT64_MAX;
	result->ops_max = 0;
	result->wait_max_cycles = 0;
	result->longest_streak = 0;
	result->lhp_max_cycles = 0;
	result->steal_ns = result->scheduled_in = 0;
	result->gaps = (struct gaps){0};
	for (int event = 0; event < EV_COUNT; event++)
		result->count[event] = 0;
	for (uint32_t i = 0; i < result->threads; i++) {
		const struct worker *worker = &result->workers[i];

		result->ops += worker->measured_ops;
		if (worker->measured_ops < result->ops_min)
			result->ops_min = worker->measured_ops;
		if (worker->measured_ops > result->ops_max)
			result->ops_max = worker->measured_ops;
		if (worker->delta.wait_max_cycles > result->wait_max_cycles)
			result->wait_max_cycles = worker->delta.wait_max_cycles;
		if (worker->longest_streak > result->longest_streak)
			result->longest_streak = worker->longest_streak;
		if (worker->delta.lhp_max_cycles > result->lhp_max_cycles)
			result->lhp_max_cycles = worker->delta.lhp_max_cycles;
		result->steal_ns += worker->steal_ns;
		result->scheduled_in += worker->scheduled_in;
		gaps_add(&result->gaps, &worker->gaps);
		for (int event = 0; event < EV_COUNT; event++)
			result->count[event] += worker->delta.count[event];
	}
	result->jain_permille = jain_permille(result->threads, worker_ops, result->workers);
}

/* All workers share one section (contended), or each has its own (uncontended). Adding up, for each
 * worker, all workers that share its section covers both cases; it costs threads^2 additions after
 * the run. */
enum exclusion result_check(const struct lock_ops *ops, const struct worker *workers,
			    uint32_t threads)
{
	if (ops->flags & LOCK_NO_EXCLUSION)
		return EXCLUSION_NOT_CHECKED;
	for (uint32_t i = 0; i < threads; i++) {
		const struct section *section = workers[i].section;
		uint64_t second = atomic_load_explicit(&section->second, memory_order_relaxed);
		uint64_t sections = 0;

		for (uint32_t j = 0; j < threads; j++) {
			if (workers[j].section == section)
				sections += workers[j].sections;
		}
		if (section->first != sections || second != sections)
			return EXCLUSION_BROKEN;
	}
	return EXCLUSION_OK;
}

bool result_has_streak(const struct run_result *result)
{
	return result->plan->workload == WORKLOAD_CONTENDED && result->threads > 1 &&
	       !(result->lock->ops->flags & LOCK_NO_EXCLUSION);
}

bool result_has_gaps(const struct run_result *result)
{
	return result->wait && result_has_streak(result);
}

uint64_t result_rate(const struct run_result *result)
{
	if (result->elapsed_ns == 0)
		return 0;
	if (result->kbuild)
		return mul_div(result->jobs_done, UINT64_C(1000000000000), result->elapsed_ns);
	return mul_div(result->ops, 1000000000, result->elapsed_ns);
}

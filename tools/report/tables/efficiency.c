/* SPDX-License-Identifier: MIT */
/*
 * How much of a lock's rate without preemption is left under overcommit: see tables.h. With V vCPUs
 * on P CPUs, r = V/P, X* is the rate of the same lock and work with P vCPUs in the same logs. rho
 * is the share of the time in which the lock is wanted then.
 *
 * A lock that does nothing about a preempted holder loses the time in which the holder is off its
 * CPU, if the lock is wanted: X* / (1 + rho (r - 1)), the blind bound, provided that it never waits
 * for a preempted waiter. A lock that reacts, by a yield, a halt and a kick, still loses the switch
 * to another vCPU once a slice: X* / (1 + rho d/s), the reactive bound.
 */
#include "tools/report/tables/tables.h"

#include "tools/report/base/system.h"
#include "tools/report/cells/cells.h"
#include "tools/report/cells/stats.h"

#include <math.h>
#include <stdlib.h>

/* d: a context switch by HLT and IPI takes 2493 ns (lkml 1708.3/03774). Real locks also need time
 * to find out. */
#define SWITCH_NS 2500.0

static const struct table_column efficiency_columns[] = {
	{"X", "ops/s", "ops_per_s_mean", false, false},
	{"X*", "ops/s", "unpreempted_ops_per_s_mean", false, false},
	{"X/X*", "%", "efficiency_percent", false, false},
	{"r", "", "overcommit", false, false},
	{"rho", "", "utilisation", false, false},
	{"blind bound", "%", "blind_bound_percent", false, false},
	{"reactive bound", "%", "reactive_bound_percent", false, false},
	{"above blind", "", "above_blind", true, false},
};

/* The cell of the same lock and work that has a CPU for each vCPU; NULL: there is none. */
static const struct cell *unpreempted(const struct set *set, const struct cell *cell, uint64_t cpus)
{
	for (size_t i = 0; i < set->cell_count; i++) {
		const struct cell *other = &set->cells[i];

		if (other->key.threads == cpus &&
		    keys_match(&cell->key, &other->key, KEY_THREADS | KEY_TASKS) &&
		    stats_of(&other->sample[SAMPLE_MERIT]).mean > 0)
			return other;
	}
	return NULL;
}

static void add_row(struct table *table, const struct set *set, const struct cell *cell,
		    const struct cell *best, uint64_t cpus)
{
	double x = stats_of(&cell->sample[SAMPLE_MERIT]).mean;
	double most = stats_of(&best->sample[SAMPLE_MERIT]).mean;
	double unwanted = stats_of(&best->sample[SAMPLE_LOCK_UNWANTED]).mean;
	double slice = stats_of(&cell->sample[SAMPLE_SLICE_NS]).mean;
	double r = (double)cell->key.threads / (double)cpus;
	double rho = isnan(unwanted) ? 1 : 1 - unwanted; /* without latency=on: saturated */
	double blind = 1 / (1 + rho * (r - 1));

	identity_add(table, set, cell);
	table_count(table, x);
	table_count(table, most);
	table_percent(table, 100 * x / most);
	table_number(table, r, "%.3g", r);
	table_number(table, rho, "%.2f", rho);
	table_percent(table, 100 * blind);
	table_percent(table, 100 / (1 + rho * SWITCH_NS / slice));
	table_text(table, x / most > blind ? "yes" : "no");
}

struct table *efficiency_table(const struct set *set)
{
	struct table_column *columns =
		identity_columns(efficiency_columns, COUNT_OF(efficiency_columns));
	struct table *table = table_new("Efficiency: the rate X to that without preemption, X*",
					columns, IDENTITY_COLUMNS + COUNT_OF(efficiency_columns));

	free(columns);
	for (size_t i = 0; i < set->cell_count; i++) {
		const struct cell *cell = &set->cells[i], *best;
		uint64_t cpus = log_cpus(cell->origin[0].log);

		if (cpus == 0 || cell->key.threads <= cpus || cell->key.instances > 1 ||
		    cell->fixed_work || cell->excludes_nobody)
			continue;
		best = unpreempted(set, cell, cpus);
		if (best)
			add_row(table, set, cell, best, cpus);
	}
	if (table->row_count == 0) {
		table_free(table);
		return NULL;
	}
	table_footnote(table,
		       "X*: as many vCPUs as CPUs. Blind bound: 1/(1+rho(r-1)), a lock that does "
		       "nothing about a preempted holder. Reactive bound: 1/(1+rho d/s), one "
		       "switch of d = 2.5 us in each slice s. rho: 1 without latency=on.");
	return table;
}

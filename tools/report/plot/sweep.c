/* SPDX-License-Identifier: MIT */
/* Sweeps, the cells of a plot: see plot.h. */
#include "tools/report/plot/plot.h"

#include "tools/report/base/system.h"
#include "tools/report/cells/cells.h"
#include "tools/report/cells/stats.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

double sample_mean(const struct sample *sample)
{
	double mean = stats_of(sample).mean;

	return isfinite(mean) ? mean : 0;
}

double sample_sd(const struct sample *sample)
{
	double sd = stats_of(sample).sd;

	return isfinite(sd) ? sd : 0;
}

/* Without tasks= there are as many tasks as vCPUs, so then tasks may differ within a sweep. */
static bool same_tasks(const struct cell_key *a, const struct cell_key *b)
{
	return a->tasks == b->tasks || (a->tasks == a->threads && b->tasks == b->threads);
}

static bool belongs_to(const struct sweep *sweep, const struct cell *cell)
{
	const struct cell_key *key = &sweep->cells[0]->key;

	return same_tasks(key, &cell->key) &&
	       keys_match(key, &cell->key,
			  KEY_LOCK | KEY_THREADS | KEY_TASKS | KEY_SETTINGS | KEY_INSTANCES);
}

static char *describe(const struct cell_key *key)
{
	char *title = memory_print("%s, hold %" PRIu64 ", think %" PRIu64, key->workload, key->hold,
				   key->think);

	if (key->tasks != 0 && key->tasks != key->threads)
		memory_append(&title, ", %" PRIu64 " tasks", key->tasks);
	if (strcmp(key->dispatch, "inline") != 0)
		memory_append(&title, ", dispatch %s", key->dispatch);
	if (strcmp(key->pv_backend, "kvm") != 0)
		memory_append(&title, ", backend %s", key->pv_backend);
	if (key->instance == CELL_JOINED)
		memory_append(&title, ", all instances");
	if (key->damaged)
		memory_append(&title, ", from DAMAGED logs");
	return title;
}

static void add_threads(struct sweep *sweep, uint64_t threads)
{
	size_t place = 0;

	while (place < sweep->thread_counts && sweep->threads[place] < threads)
		place++;
	if (place < sweep->thread_counts && sweep->threads[place] == threads)
		return;
	memmove(sweep->threads + place + 1, sweep->threads + place,
		(sweep->thread_counts - place) * sizeof(*sweep->threads));
	sweep->threads[place] = threads;
	sweep->thread_counts++;
}

static bool has_joined(const struct set *set)
{
	for (size_t i = 0; i < set->cell_count; i++) {
		if (set->cells[i].key.instance == CELL_JOINED)
			return true;
	}
	return false;
}

struct sweeps sweeps_of(const struct set *set)
{
	struct sweeps sweeps = {.list = memory_new(set->cell_count + 1, sizeof(*sweeps.list))};
	bool joined = has_joined(set); /* then only joined cells are drawn */

	for (size_t i = 0; i < set->cell_count; i++) {
		const struct cell *cell = &set->cells[i];
		struct sweep *sweep = sweeps.list;

		if (joined && cell->key.instance != CELL_JOINED)
			continue;
		while (sweep->count > 0 && !belongs_to(sweep, cell))
			sweep++;
		if (sweep->count == 0) {
			sweep->cells = memory_new(set->cell_count, sizeof(*sweep->cells));
			sweep->threads = memory_new(set->cell_count, sizeof(*sweep->threads));
			sweep->title = describe(&cell->key);
			sweeps.count++;
		}
		sweep->cells[sweep->count++] = cell;
		add_threads(sweep, cell->key.threads);
	}
	return sweeps;
}

void sweeps_free(struct sweeps *sweeps)
{
	for (size_t i = 0; i < sweeps->count; i++) {
		free(sweeps->list[i].cells);
		free(sweeps->list[i].threads);
		free(sweeps->list[i].title);
	}
	free(sweeps->list);
	*sweeps = (struct sweeps){0};
}

const struct cell *sweep_at_most(const struct sweep *sweep, size_t index)
{
	for (size_t i = 0; i < sweep->count; i++) {
		if (sweep->cells[i]->key.threads == sweep->threads[sweep->thread_counts - 1] &&
		    index-- == 0)
			return sweep->cells[i];
	}
	return NULL;
}

bool sweep_is_fixed_work(const struct sweep *sweep)
{
	return sweep->count > 0 && sweep->cells[0]->fixed_work;
}

static int by_merit(const void *a, const void *b)
{
	const struct cell *const *left = a, *const *right = b;
	double a_mean = sample_mean(&(*left)->sample[SAMPLE_MERIT]),
	       b_mean = sample_mean(&(*right)->sample[SAMPLE_MERIT]);
	double difference = a_mean - b_mean;

	/* less time is better; a time of 0 is unknown and ranks last */
	if ((*left)->fixed_work)
		difference = (a_mean > 0 ? 1 / a_mean : 0) - (b_mean > 0 ? 1 / b_mean : 0);
	return (difference < 0) - (difference > 0);
}

const struct cell **sweep_ranked(const struct sweep *sweep, size_t *count)
{
	const struct cell **ranked = memory_new(sweep->count, sizeof(*ranked)), *cell;

	for (*count = 0; (cell = sweep_at_most(sweep, *count)) != NULL; ++*count)
		ranked[*count] = cell;
	qsort(ranked, *count, sizeof(*ranked), by_merit);
	return ranked;
}

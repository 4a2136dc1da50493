/* SPDX-License-Identifier: MIT */
/* Repetitions to cells: see cells.h. */
#include "tools/report/cells/cells.h"

#include "tools/report/base/memory.h"
#include "tools/report/base/notes.h"
#include "tools/report/cells/distribution.h"
#include "tools/report/cells/together.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Finding a repetition's cell is a linear search. A sweep over every lock, ten numbers of threads
 * and three dispatches has 660. */
#define MOST_CELLS 4096

#define KIND(field, unit, together)                                  \
	{                                                            \
#field, unit, offsetof(struct cell, field), together \
	}

const struct sample_kind sample_list[SAMPLES] = {
	[SAMPLE_MERIT] = KIND(merit, "", TOGETHER_SUM), /* unit and rule by fixed_work */
	[SAMPLE_JAIN] = KIND(jain, "", TOGETHER_JAIN),
	[SAMPLE_LONGEST_STREAK] = KIND(longest_streak, "acquisitions", TOGETHER_MOST),
	[SAMPLE_LONGEST_WAIT_NS] = KIND(longest_wait_ns, "ns", TOGETHER_MOST),
	[SAMPLE_HALTS] = KIND(halts, "", TOGETHER_SUM),
	[SAMPLE_KICKS] = KIND(kicks, "", TOGETHER_SUM),
	[SAMPLE_SPURIOUS_WAKEUPS] = KIND(spurious_wakeups, "", TOGETHER_SUM),
	[SAMPLE_YIELDS] = KIND(yields, "", TOGETHER_SUM),
	[SAMPLE_LOCK_STEALS] = KIND(lock_steals, "", TOGETHER_SUM),
	[SAMPLE_LHP_EVENTS] = KIND(lhp_events, "", TOGETHER_SUM),
	[SAMPLE_LHP_NS] = KIND(lhp_ns, "ns", TOGETHER_SUM),
	[SAMPLE_LHP_WAIT_NS] = KIND(lhp_wait_ns, "ns", TOGETHER_SUM),
	[SAMPLE_LWP_EVENTS] = KIND(lwp_events, "", TOGETHER_SUM),
	[SAMPLE_LWP_NS] = KIND(lwp_ns, "ns", TOGETHER_SUM),
	[SAMPLE_RUNNING] = KIND(running, "", TOGETHER_MEAN),
	[SAMPLE_SPINNING] = KIND(spinning, "", TOGETHER_MEAN),
	[SAMPLE_HALTED] = KIND(halted, "", TOGETHER_MEAN),
	[SAMPLE_IDLE] = KIND(idle, "", TOGETHER_MEAN),
	[SAMPLE_STOLEN] = KIND(stolen, "", TOGETHER_MEAN),
};

const struct sample *cell_sample(const struct cell *cell, enum sample_index index)
{
	return (const struct sample *)((const char *)cell + sample_list[index].offset);
}

static struct sample *sample_to_fill(struct cell *cell, enum sample_index index)
{
	return (struct sample *)((char *)cell + sample_list[index].offset);
}

static bool same_key(const struct cell_key *a, const struct cell_key *b)
{
	return a->threads == b->threads && a->instance == b->instance &&
	       a->instances == b->instances && a->damaged == b->damaged && a->tasks == b->tasks &&
	       a->hold == b->hold && a->think == b->think && strcmp(a->lock, b->lock) == 0 &&
	       strcmp(a->workload, b->workload) == 0 && strcmp(a->dispatch, b->dispatch) == 0 &&
	       strcmp(a->pv_backend, b->pv_backend) == 0 && strcmp(a->settings, b->settings) == 0;
}

/* The cell of a key, a new one if there is none; NULL: there are too many. Takes key->settings for
 * a new one. */
static struct cell *cell_of(struct set *set, struct repetition *repetition)
{
	struct cell *cell;

	for (size_t i = 0; i < set->cell_count; i++) {
		if (same_key(&set->cells[i].key, &repetition->key))
			return &set->cells[i];
	}
	if (set->cell_count >= MOST_CELLS)
		return NULL;
	set->cells = memory_grow(set->cells, set->cell_count, sizeof(set->cells[0]));
	cell = &set->cells[set->cell_count++];
	*cell = (struct cell){.key = repetition->key,
			      .fixed_work = repetition->fixed_work,
			      .tsc_khz = repetition->tsc_khz};
	repetition->key.settings = NULL;
	return cell;
}

static void add_value(struct sample *sample, double value)
{
	sample->value = memory_grow(sample->value, sample->count, sizeof(sample->value[0]));
	sample->value[sample->count++] = value;
}

/* Running means; a repetition with other vCPUs than the first is of a damaged log and not used. */
static void add_vcpu_ops(struct cell *cell, const struct repetition *repetition)
{
	double n = (double)cell->reps;

	if (cell->reps == 1) {
		cell->vcpus = repetition->vcpus;
		cell->vcpu_ops = memory_new(cell->vcpus, sizeof(double));
	}
	if (cell->vcpus != repetition->vcpus)
		return;
	for (size_t i = 0; i < cell->vcpus; i++)
		cell->vcpu_ops[i] += (repetition->vcpu_ops[i] - cell->vcpu_ops[i]) / n;
}

static void add_histogram(struct set *set, struct distribution *into,
			  const struct distribution *more, const struct origin *origin)
{
	if (!distribution_merge(into, more))
		note_add(&set->notes, false,
			 "%s: run %" PRIu64 " has a histogram in another unit than those before: "
			 "left out",
			 origin->log->path, origin->run);
}

static void add_repetition(struct set *set, struct repetition *repetition)
{
	struct cell *cell = cell_of(set, repetition);

	if (cell == NULL) {
		note_add(&set->notes, true, "%s: more than %d different cells: left out",
			 repetition->origin.log->path, MOST_CELLS);
		return;
	}
	cell->origin = memory_grow(cell->origin, cell->reps, sizeof(cell->origin[0]));
	cell->origin[cell->reps++] = repetition->origin;
	cell->incomplete += repetition->incomplete;
	cell->excludes_nobody |= repetition->excludes_nobody;
	for (int i = 0; i < SAMPLES; i++)
		add_value(sample_to_fill(cell, i), repetition->value[i]);
	add_vcpu_ops(cell, repetition);
	add_histogram(set, &cell->wait, &repetition->wait, &repetition->origin);
	add_histogram(set, &cell->hold, &repetition->hold, &repetition->origin);
}

static void take_log(struct set *set, const struct log *log, struct together *together)
{
	struct repetition repetition;
	size_t next;

	for (size_t i = 0; i < log->count; i = next) {
		next = i + 1;
		if (log->records[i].type != RECORD_RUN)
			continue;
		if (repetition_read(log, i, &next, &repetition, &set->notes)) {
			together_add(together,
				     &repetition); /* first: the other one takes the key */
			add_repetition(set, &repetition);
		}
		repetition_free(&repetition);
	}
}

void cells_make(struct set *set)
{
	struct together *together = together_new();
	struct repetition *sums;
	size_t count;

	for (size_t i = 0; i < set->log_count; i++) {
		if (set->logs[i].usable)
			take_log(set, &set->logs[i], together);
	}
	sums = together_sums(together, &count);
	for (size_t i = 0; i < count; i++) {
		add_repetition(set, &sums[i]);
		repetition_free(&sums[i]);
	}
	together_free(together);
}

void cells_free(struct set *set)
{
	for (size_t i = 0; i < set->cell_count; i++) {
		struct cell *cell = &set->cells[i];

		for (int kind = 0; kind < SAMPLES; kind++)
			free(sample_to_fill(cell, kind)->value);
		distribution_free(&cell->wait);
		distribution_free(&cell->hold);
		free(cell->origin);
		free(cell->vcpu_ops);
		free((char *)cell->key.settings);
	}
	free(set->cells);
}

/* SPDX-License-Identifier: MIT */
/* Cells: see cells.h. */
#include "tools/report/cells/cells.h"
#include "tools/report/base/data.h"
#include "tools/report/base/system.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* cell_of() searches linearly, so their number is bounded. A sweep over 22 locks, ten numbers of
 * threads and three dispatches has 660. */
#define MOST_CELLS 4096

#define KIND(name, unit, rule, field)           \
	{                                       \
#name, unit, JOIN_##rule, field \
	}

const struct sample_kind sample_list[SAMPLES] = {
	[SAMPLE_MERIT] = KIND(merit, "", SUM, NULL), /* unit and rule depend on fixed_work */
	[SAMPLE_JAIN] = KIND(jain, "", JAIN, NULL),
	[SAMPLE_SLICE_NS] = KIND(slice_ns, "ns", MEAN, NULL),
	[SAMPLE_JAIN_WINDOWS] = KIND(jain_windows, "", MEAN, NULL),
	[SAMPLE_MIDDLE_VCPU_P50_NS] = KIND(middle_vcpu_wait_p50_ns, "ns", MEAN, NULL),
	[SAMPLE_WORST_VCPU_P99_NS] = KIND(worst_vcpu_wait_p99_ns, "ns", MOST, NULL),
	[SAMPLE_LONGEST_STREAK] = KIND(longest_streak, "acquisitions", MOST, "streak_max"),
	[SAMPLE_LONGEST_WAIT_NS] = KIND(longest_wait_ns, "ns", MOST, "wait_max_cycles"),
	[SAMPLE_HALTS] = KIND(halts, "", SUM, "halts"),
	[SAMPLE_KICKS] = KIND(kicks, "", SUM, "kicks"),
	[SAMPLE_SPURIOUS_WAKEUPS] = KIND(spurious_wakeups, "", SUM, "spurious_wakeups"),
	[SAMPLE_YIELDS] = KIND(yields, "", SUM, "yields"),
	[SAMPLE_LOCK_STEALS] = KIND(lock_steals, "", SUM, "lock_steals"),
	[SAMPLE_LHP_EVENTS] = KIND(lhp_events, "", SUM, "lhp_events"),
	[SAMPLE_LHP_NS] = KIND(lhp_ns, "ns", SUM, "lhp_cycles"),
	[SAMPLE_LHP_WAIT_NS] = KIND(lhp_wait_ns, "ns", SUM, "lhp_wait_cycles"),
	[SAMPLE_LWP_EVENTS] = KIND(lwp_events, "", SUM, "lwp_events"),
	[SAMPLE_LWP_NS] = KIND(lwp_ns, "ns", SUM, "lwp_cycles"),
	[SAMPLE_RUNNING] = KIND(running, "", MEAN, NULL),
	[SAMPLE_SPINNING] = KIND(spinning, "", MEAN, NULL),
	[SAMPLE_HALTED] = KIND(halted, "", MEAN, NULL),
	[SAMPLE_IDLE] = KIND(idle, "", MEAN, NULL),
	[SAMPLE_STOLEN] = KIND(stolen, "", MEAN, NULL),
	[SAMPLE_LOCK_WORK] = KIND(lock_work, "", MEAN, NULL),
	[SAMPLE_LOCK_HOLDER_OFF] = KIND(lock_holder_off, "", MEAN, NULL),
	[SAMPLE_LOCK_HANDOVER] = KIND(lock_handover, "", MEAN, NULL),
	[SAMPLE_LOCK_WAKING] = KIND(lock_waking, "", MEAN, NULL),
	[SAMPLE_LOCK_GRANTEE_OFF] = KIND(lock_grantee_off, "", MEAN, NULL),
	[SAMPLE_LOCK_PASSED] = KIND(lock_passed, "", MEAN, NULL),
	[SAMPLE_LOCK_UNWANTED] = KIND(lock_unwanted, "", MEAN, NULL),
};

const double quantile_levels[QUANTILES] = {0.5, 0.9, 0.99, 0.999, 1};
const char *const quantile_names[QUANTILES] = {"p50_ns", "p90_ns", "p99_ns", "p999_ns", "max_ns"};

double cell_quantile_ns(const struct cell *cell, const struct distribution *of, double p)
{
	return distribution_quantile(of, p) * 1e6 / (double)cell->tsc_khz;
}

static bool same(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

bool keys_match(const struct cell_key *a, const struct cell_key *b, unsigned ignored)
{
	return (ignored & KEY_THREADS || a->threads == b->threads) &&
	       (ignored & KEY_TASKS || a->tasks == b->tasks) &&
	       (ignored & KEY_INSTANCE || a->instance == b->instance) &&
	       (ignored & KEY_INSTANCES || a->instances == b->instances) &&
	       (ignored & KEY_DAMAGED || a->damaged == b->damaged) && a->hold == b->hold &&
	       a->think == b->think && (ignored & KEY_LOCK || same(a->lock, b->lock)) &&
	       same(a->workload, b->workload) &&
	       (ignored & KEY_SETUP ||
		(same(a->dispatch, b->dispatch) && same(a->pv_backend, b->pv_backend))) &&
	       (ignored & KEY_SETTINGS || same(a->settings, b->settings));
}

/* Returns the cell for a repetition's key. A new cell takes over key->settings. Returns NULL if
 * there are too many cells. */
static struct cell *cell_of(struct set *set, struct repetition *repetition)
{
	struct cell *cell;

	for (size_t i = 0; i < set->cell_count; i++) {
		if (keys_match(&set->cells[i].key, &repetition->key, 0))
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

void cell_add_values(struct cell *cell, const double value[SAMPLES])
{
	for (int i = 0; i < SAMPLES; i++) {
		struct sample *sample = &cell->sample[i];

		sample->value = memory_grow(sample->value, sample->count, sizeof(double));
		sample->value[sample->count++] = value[i];
	}
}

void cell_free_samples(struct cell *cell)
{
	for (int i = 0; i < SAMPLES; i++)
		free(cell->sample[i].value);
}

/* Updates the running means. A repetition with another number of vCPUs than the first one is from a
 * damaged log and is ignored. */
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
	cell_add_values(cell, repetition->value);
	add_vcpu_ops(cell, repetition);
	add_histogram(set, &cell->wait, &repetition->wait, &repetition->origin);
	add_histogram(set, &cell->wait_net, &repetition->wait_net, &repetition->origin);
	add_histogram(set, &cell->hold, &repetition->hold, &repetition->origin);
}

/*
 * Joins the n-th runs of all instances of a call into one repetition. Rates and counters are added.
 * The elapsed time of fixed work and the longest wait are the largest of any instance. Shares of
 * time are averaged (the instances have equally many vCPUs). Jain's index is over the vCPUs of all.
 */

/* Instances follow the same plan, so their n-th runs have the same number. After a gap in a damaged
 * log, the run with the right number is a few entries further on. */
#define LOOK_AHEAD 64

struct group {
	struct repetition sum;
	unsigned joined; /* instances so far */
};

struct joiner {
	struct group *group;
	size_t count;
	size_t first;          /* the first group of the current call */
	size_t cursor;         /* the group of the current log's next run */
	const struct log *log; /* the current log */
};

static void append_vcpus(struct repetition *sum, const struct repetition *more)
{
	double *all = memory_new(sum->vcpus + more->vcpus, sizeof(double));

	for (size_t i = 0; i < sum->vcpus; i++)
		all[i] = sum->vcpu_ops[i];
	for (size_t i = 0; i < more->vcpus; i++)
		all[sum->vcpus + i] = more->vcpu_ops[i];
	free(sum->vcpu_ops);
	sum->vcpu_ops = all;
	sum->vcpus += more->vcpus;
}

static double join_values(enum join_rule rule, double sum, double more)
{
	if (rule == JOIN_MOST)
		return isnan(more) || more > sum ? more : sum;
	return sum + more; /* add_groups() makes means of sums */
}

static void join_repetition(struct repetition *sum, const struct repetition *more)
{
	for (int i = 0; i < SAMPLES; i++) {
		enum join_rule rule = sample_list[i].rule;

		if (i == SAMPLE_MERIT && sum->fixed_work)
			rule = JOIN_MOST;
		sum->value[i] = join_values(rule, sum->value[i], more->value[i]);
	}
	sum->key.damaged |= more->key.damaged;
	sum->incomplete |= more->incomplete;
	append_vcpus(sum, more);
	distribution_merge(&sum->wait, &more->wait);
	distribution_merge(&sum->wait_net, &more->wait_net);
	distribution_merge(&sum->hold, &more->hold);
}

static void new_group(struct joiner *joiner, const struct repetition *first)
{
	struct group *group;
	struct repetition *sum;

	joiner->group = memory_grow(joiner->group, joiner->count, sizeof(joiner->group[0]));
	group = &joiner->group[joiner->count++];
	*group = (struct group){.sum = *first, .joined = 1};
	sum = &group->sum;
	sum->key.settings = memory_copy(first->key.settings);
	sum->key.instance = CELL_JOINED;
	sum->vcpu_ops = NULL;
	sum->vcpus = 0;
	append_vcpus(sum, first);
	sum->wait = sum->wait_net = sum->hold = (struct distribution){0};
	distribution_merge(&sum->wait, &first->wait);
	distribution_merge(&sum->wait_net, &first->wait_net);
	distribution_merge(&sum->hold, &first->hold);
}

/* Returns the group of a run of the current log; NULL if its instance 0 has no such run. */
static struct group *group_of(struct joiner *joiner, const struct repetition *repetition)
{
	for (size_t i = joiner->cursor; i < joiner->count && i < joiner->cursor + LOOK_AHEAD; i++) {
		struct group *group = &joiner->group[i];

		if (group->sum.origin.run == repetition->origin.run) {
			joiner->cursor = i + 1;
			return keys_match(&group->sum.key, &repetition->key,
					  KEY_INSTANCE | KEY_DAMAGED)
				       ? group
				       : NULL;
		}
	}
	return NULL;
}

/* Joins a repetition into its group. Expects the logs, and the runs of each log, in their order.
 * Ignores lone instances. */
static void join_add(struct joiner *joiner, const struct repetition *repetition)
{
	const struct log *log = repetition->origin.log;
	struct group *group;

	if (repetition->key.instances < 2)
		return;
	if (log != joiner->log) {
		if (joiner->log == NULL || log->call != joiner->log->call)
			joiner->first = joiner->count;
		joiner->cursor = joiner->first;
		joiner->log = log;
	}
	if (log->instance == 0) {
		new_group(joiner, repetition);
		return;
	}
	group = group_of(joiner, repetition);
	if (group && group->joined == log->instance) {
		join_repetition(&group->sum, repetition);
		group->joined++;
	}
}

/* Makes repetitions of the groups that every instance of the call has joined. */
static void add_groups(struct set *set, struct joiner *joiner)
{
	for (size_t i = 0; i < joiner->count; i++) {
		struct repetition *sum = &joiner->group[i].sum;

		for (int kind = 0; kind < SAMPLES; kind++) {
			if (sample_list[kind].rule == JOIN_MEAN)
				sum->value[kind] /= sum->key.instances;
		}
		if (!isnan(sum->value[SAMPLE_JAIN]))
			sum->value[SAMPLE_JAIN] = jain_index(sum->vcpu_ops, sum->vcpus);
		if (joiner->group[i].joined == sum->key.instances)
			add_repetition(set, sum);
		repetition_free(sum);
	}
	free(joiner->group);
}

static void add_log(struct set *set, const struct log *log, struct joiner *joiner)
{
	struct repetition repetition;
	size_t next;

	for (size_t i = 0; i < log->count; i = next) {
		next = i + 1;
		if (log->records[i].type != RECORD_RUN)
			continue;
		if (repetition_read(log, i, &next, &repetition, &set->notes)) {
			join_add(joiner, &repetition); /* first: add_repetition() takes the key */
			add_repetition(set, &repetition);
		}
		repetition_free(&repetition);
	}
}

void cells_make(struct set *set)
{
	struct joiner joiner = {0};

	for (size_t i = 0; i < set->log_count; i++) {
		if (set->logs[i].usable)
			add_log(set, &set->logs[i], &joiner);
	}
	add_groups(set, &joiner);
}

void cells_free(struct set *set)
{
	for (size_t i = 0; i < set->cell_count; i++) {
		struct cell *cell = &set->cells[i];

		cell_free_samples(cell);
		distribution_free(&cell->wait);
		distribution_free(&cell->wait_net);
		distribution_free(&cell->hold);
		free(cell->origin);
		free(cell->vcpu_ops);
		free((char *)cell->key.settings);
	}
	free(set->cells);
}

struct sample cell_independent(const struct cell *cell, enum sample_index index, size_t *boots)
{
	const struct sample *all = &cell->sample[index];
	struct sample means = {memory_new(all->count + 1, sizeof(double)), 0};

	*boots = 0;
	for (size_t i = 0, n = 0; i < all->count; i++, n++) {
		if (i == 0 || cell->origin[i].log != cell->origin[i - 1].log) {
			n = 0;
			means.count++;
		}
		means.value[means.count - 1] +=
			(all->value[i] - means.value[means.count - 1]) / (double)(n + 1);
	}
	*boots = means.count;
	if (means.count == 1) {
		memcpy(means.value, all->value, all->count * sizeof(double));
		means.count = all->count;
	}
	return means;
}

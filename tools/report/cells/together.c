/* SPDX-License-Identifier: MIT */
/*
 * Sums over instances: see together.h. Rates and counters are added; the elapsed time of fixed work
 * and the longest wait are the most of any; shares of time are averaged (instances have equally
 * many vCPUs); Jain's index is over the vCPUs of all.
 */
#include "tools/report/cells/together.h"

#include "tools/report/base/memory.h"
#include "tools/report/cells/distribution.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Instances run the same plan, so their n-th runs have the same number; behind a gap in a damaged
 * log the right one is a few further on. */
#define LOOK_AHEAD 64

struct group {
	struct repetition sum;
	unsigned seen;
};

struct together {
	struct group *group;
	size_t count;
	size_t first, cursor;  /* of this call's; where the next run of this log should be */
	const struct log *log; /* the last one */
	struct repetition *sums;
};

struct together *together_new(void)
{
	return memory_new(1, sizeof(struct together));
}

static bool same_plan(const struct cell_key *a, const struct cell_key *b)
{
	return a->threads == b->threads && a->tasks == b->tasks && a->hold == b->hold &&
	       a->think == b->think && strcmp(a->lock, b->lock) == 0 &&
	       strcmp(a->workload, b->workload) == 0 && strcmp(a->dispatch, b->dispatch) == 0 &&
	       strcmp(a->pv_backend, b->pv_backend) == 0 && strcmp(a->settings, b->settings) == 0;
}

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

static double combine(enum together_rule rule, double sum, double more)
{
	if (rule == TOGETHER_MOST)
		return isnan(more) || more > sum ? more : sum;
	return sum + more; /* means are divided when all are there */
}

static void add_to(struct repetition *sum, const struct repetition *more)
{
	for (int i = 0; i < SAMPLES; i++) {
		enum together_rule rule = sample_list[i].rule;

		if (i == SAMPLE_MERIT && sum->fixed_work)
			rule = TOGETHER_MOST;
		sum->value[i] = combine(rule, sum->value[i], more->value[i]);
	}
	sum->key.damaged |= more->key.damaged;
	sum->incomplete |= more->incomplete;
	append_vcpus(sum, more);
	distribution_merge(&sum->wait, &more->wait);
	distribution_merge(&sum->hold, &more->hold);
}

static void new_group(struct together *together, const struct repetition *first)
{
	struct group *group;
	struct repetition *sum;

	together->group = memory_grow(together->group, together->count, sizeof(together->group[0]));
	group = &together->group[together->count++];
	*group = (struct group){.sum = *first, .seen = 1};
	sum = &group->sum;
	sum->key.settings = memory_copy(first->key.settings);
	sum->key.instance = CELL_TOGETHER;
	sum->vcpu_ops = NULL;
	sum->vcpus = 0;
	append_vcpus(sum, first);
	sum->wait = sum->hold = (struct distribution){0};
	distribution_merge(&sum->wait, &first->wait);
	distribution_merge(&sum->hold, &first->hold);
}

static struct group *group_of(struct together *together, const struct repetition *repetition)
{
	for (size_t i = together->cursor; i < together->count && i < together->cursor + LOOK_AHEAD;
	     i++) {
		struct group *group = &together->group[i];

		if (group->sum.origin.run == repetition->origin.run) {
			together->cursor = i + 1;
			return same_plan(&group->sum.key, &repetition->key) ? group : NULL;
		}
	}
	return NULL;
}

void together_add(struct together *together, const struct repetition *repetition)
{
	const struct log *log = repetition->origin.log;
	struct group *group;

	if (repetition->key.instances < 2)
		return;
	if (log != together->log) {
		if (together->log == NULL || log->call != together->log->call)
			together->first = together->count;
		together->cursor = together->first;
		together->log = log;
	}
	if (log->instance == 0) {
		new_group(together, repetition);
		return;
	}
	group = group_of(together, repetition);
	if (group && group->seen == log->instance) {
		add_to(&group->sum, repetition);
		group->seen++;
	}
}

struct repetition *together_sums(struct together *together, size_t *count)
{
	*count = 0;
	together->sums = memory_new(together->count, sizeof(together->sums[0]));
	for (size_t i = 0; i < together->count; i++) {
		struct repetition *sum = &together->group[i].sum;

		if (together->group[i].seen != sum->key.instances)
			continue;
		for (int kind = 0; kind < SAMPLES; kind++) {
			if (sample_list[kind].rule == TOGETHER_MEAN)
				sum->value[kind] /= sum->key.instances;
		}
		if (!isnan(sum->value[SAMPLE_JAIN]))
			sum->value[SAMPLE_JAIN] = jain_index(sum->vcpu_ops, sum->vcpus);
		/* moved: the group has nothing left to free */
		together->sums[(*count)++] = *sum;
		*sum = (struct repetition){0};
	}
	return together->sums;
}

void together_free(struct together *together)
{
	for (size_t i = 0; i < together->count; i++)
		repetition_free(&together->group[i].sum);
	free(together->group);
	free(together->sums);
	free(together);
}

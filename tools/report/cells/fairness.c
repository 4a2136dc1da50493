/* SPDX-License-Identifier: MIT */
/* Fairness among the vCPUs of a run with latency=on: see fairness_read() in cells.h. */
#include "tools/report/cells/cells.h"

#include "tools/report/base/system.h"

#include <math.h>
#include <stdlib.h>

/* In a window each vCPU should have this many turns on a CPU. With fewer, some vCPUs have none, and
 * a lock that is fair over turns looks unfair. */
#define TURNS 4

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void read_waits(const struct record *const *vcpu, struct repetition *rep)
{
	double *p50 = memory_new(rep->vcpus, sizeof(*p50)), worst = 0;

	for (size_t i = 0; i < rep->vcpus; i++) {
		p50[i] = record_ns(vcpu[i], "wait_p50_cycles", rep->tsc_khz);
		worst = fmax(worst, record_ns(vcpu[i], "wait_p99_cycles", rep->tsc_khz));
	}
	qsort(p50, rep->vcpus, sizeof(*p50), ascending);
	rep->value[SAMPLE_MIDDLE_VCPU_P50_NS] = p50[rep->vcpus / 2];
	rep->value[SAMPLE_WORST_VCPU_P99_NS] = worst;
	free(p50);
}

/* Returns how many of the log's windows to join, so that the result is long enough. 0: even half of
 * all windows is too short. */
static size_t windows_to_join(const struct record *run, size_t windows, size_t vcpus)
{
	double turns = (double)record_u64(run, "scheduled_in") / (double)vcpus;
	double enough = ceil(TURNS * (double)windows / turns);

	if (turns == 0) /* nobody lost its CPU, or the log does not say */
		return 1;
	return enough * 2 <= (double)windows ? (size_t)enough : 0;
}

/* Returns the mean of Jain's index over groups of `join` windows of the log. Leaves out an
 * incomplete group at the end, and groups in which nobody got the lock. */
static double mean_jain(const struct record *const *vcpu, size_t vcpus, size_t windows, size_t join)
{
	double *ops = memory_new(vcpus, sizeof(*ops)), sum = 0;
	size_t count = 0;

	for (size_t first = 0; first + join <= windows; first += join) {
		double jain;

		for (size_t i = 0; i < vcpus; i++) {
			const json_t *list = json_object_get(vcpu[i]->json, "window_ops");

			ops[i] = 0;
			for (size_t w = first; w < first + join; w++)
				ops[i] += (double)json_integer_value(json_array_get(list, w));
		}
		jain = jain_index(ops, vcpus);
		if (isnan(jain))
			continue;
		sum += jain;
		count++;
	}
	free(ops);
	return count ? sum / (double)count : NAN;
}

void fairness_read(const struct record *run, const struct record *const *vcpu,
		   struct repetition *repetition)
{
	size_t windows = json_array_size(json_object_get(vcpu[0]->json, "window_ops")), join;

	if (json_object_get(vcpu[0]->json, "wait_p50_cycles"))
		read_waits(vcpu, repetition);
	if (windows == 0)
		return;
	join = windows_to_join(run, windows, repetition->vcpus);
	if (join != 0)
		repetition->value[SAMPLE_JAIN_WINDOWS] =
			mean_jain(vcpu, repetition->vcpus, windows, join);
}

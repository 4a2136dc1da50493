/* SPDX-License-Identifier: MIT */
/*
 * A set as set.c would make it, for the tests of what prints it: any number of locks, numbers of
 * vCPUs and repetitions, with distributions of waits and shares of time that look like a run's.
 * Everything follows from the seed.
 */
#ifndef PVSPIN_TESTS_HOST_REPORT_SAMPLE_H
#define PVSPIN_TESTS_HOST_REPORT_SAMPLE_H

#include "tools/report/base/data.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sample_plan {
	const char *const *locks;
	size_t lock_count;
	const uint64_t *threads;
	size_t thread_counts, reps;
	bool latency, fixed_work;
	uint64_t seed;
};

void report_sample(const struct sample_plan *plan, struct set *set);
void report_sample_free(struct set *set);

#endif

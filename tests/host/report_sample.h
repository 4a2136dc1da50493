/* SPDX-License-Identifier: MIT */
/*
 * Makes a set like those of set.c, for tests of the printers: any locks, numbers of vCPUs and
 * repetitions, with distributions of waits and shares of time like those of a real run. The seed
 * determines all of it.
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

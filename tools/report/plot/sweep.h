/* SPDX-License-Identifier: MIT */
/*
 * Cells of a set that belong into one picture: they differ in nothing but the lock and the number
 * of vCPUs. With several instances, the sums over all of them.
 */
#ifndef PVSPIN_TOOLS_REPORT_PLOT_SWEEP_H
#define PVSPIN_TOOLS_REPORT_PLOT_SWEEP_H

#include "tools/report/base/data.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sweep {
	const struct cell **cells; /* in the set's order */
	size_t count;
	uint64_t *threads; /* ascending, each once */
	size_t thread_counts;
	char *title; /* "contended, hold 100, think 200, inline, kvm" */
};

struct sweeps {
	struct sweep *list;
	size_t count;
};

struct sweeps sweeps_of(const struct set *set);
void sweeps_free(struct sweeps *sweeps);

/* The cells with the most vCPUs, the i-th of them: NULL behind the last. */
const struct cell *sweep_at_most(const struct sweep *sweep, size_t index);

/* Over the repetitions that have a value, as the tables have it; 0 if none has. */
double sample_mean(const struct sample *sample);
double sample_sd(const struct sample *sample);

#endif

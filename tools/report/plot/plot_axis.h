/* SPDX-License-Identifier: MIT */
/* What plots share: ranges of values, and whether an axis is logarithmic. */
#ifndef PVSPIN_TOOLS_REPORT_PLOT_PLOT_AXIS_H
#define PVSPIN_TOOLS_REPORT_PLOT_PLOT_AXIS_H

#include "tools/report/plot/sweep.h"

#include <stdbool.h>
#include <stdio.h>

/* Characters of a lock's name that a plot has room for. */
#define PLOT_NAME_COLUMNS 22

/* Of all values: the least above 0, and the largest; 0 if there is none. */
struct axis {
	double least, largest;
};

void axis_add(struct axis *axis, double value);

/* More than two decades: small values would lie on the axis. */
bool axis_is_log(const struct axis *axis);

/* Where bars start: 0, or the decade below the least value. */
double axis_start(const struct axis *axis);

/* Prints `set <name>range`, the scale and the numbers' format, with `room` beyond the largest. */
void axis_print(const struct axis *axis, char name, double room, FILE *script);

/* "jobs" of a fixed amount take seconds, all else is counted in a fixed time. */
bool sweep_is_fixed_work(const struct sweep *sweep);

/* The cells with the most vCPUs as a list to be freed, best merit first. */
const struct cell **sweep_ranked(const struct sweep *sweep, size_t *count);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * One look for each lock in all plots of a report: a colour, and where there are more locks than
 * colours can tell apart also a dash pattern and a point.
 */
#ifndef PVSPIN_TOOLS_REPORT_PLOT_PALETTE_H
#define PVSPIN_TOOLS_REPORT_PLOT_PALETTE_H

#include "tools/report/base/data.h"

#include <stddef.h>
#include <stdio.h>

struct palette {
	const char **locks; /* in order of first appearance; the names are the sets' */
	size_t count;
};

struct palette palette_new(const struct set *sets, size_t count);
void palette_free(struct palette *palette);

/* "#rrggbb"; a lock that is in no set gets that of the first. */
const char *palette_colour(const struct palette *palette, const char *lock);

/* Prints gnuplot's words for a line of this lock: "lc rgb '#0072b2' dt 1 pt 7 ". */
void palette_line(const struct palette *palette, const char *lock, FILE *script);

/* What vCPUs spend their time on, and the two kinds of preemption; not colours of locks. */
#define COLOUR_RUNNING  "#009e73"
#define COLOUR_SPINNING "#d55e00"
#define COLOUR_HALTED   "#0072b2"
#define COLOUR_IDLE     "#8a8f98"
#define COLOUR_STOLEN   "#b3529a"
#define COLOUR_LHP      "#d55e00"
#define COLOUR_LWP      "#0072b2"

#endif

/* SPDX-License-Identifier: MIT */
/* What the makers of plots begin and end with: the script as it grows, the locks in their order. */
#ifndef PVSPIN_TOOLS_REPORT_PLOT_DRAWING_H
#define PVSPIN_TOOLS_REPORT_PLOT_DRAWING_H

#include "tools/report/plot/plot.h"

#include <stdio.h>

struct drawing {
	FILE *script;
	const struct cell **ranked; /* those with the most vCPUs, best merit first */
	size_t count, bytes;
};

/* False: out of memory, and the plot says that it is missing. */
bool drawing_begin(struct drawing *drawing, const struct sweep *sweep, struct plot *plot);

/* The script is whole; or there was nothing to draw, and the sentence takes its place. */
void drawing_end(struct drawing *drawing, struct plot *plot, const char *missing);

#endif

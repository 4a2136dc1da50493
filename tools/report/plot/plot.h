/* SPDX-License-Identifier: MIT */
/*
 * Pictures of a set, by gnuplot. A plot is made as a script first (plot_bars.c, plot_lines.c),
 * then rendered: as SVG for the page, as SVG and PNG files for --plot=DIR. What cannot be drawn,
 * because the log has no data for it, is a plot without a script and with the reason.
 */
#ifndef PVSPIN_TOOLS_REPORT_PLOT_PLOT_H
#define PVSPIN_TOOLS_REPORT_PLOT_PLOT_H

#include "tools/report/base/data.h"
#include "tools/report/plot/gnuplot.h"
#include "tools/report/plot/palette.h"
#include "tools/report/plot/sweep.h"

#include <stdbool.h>
#include <stddef.h>

#define PLOT_WIDTH 760

struct plot {
	const char *kind;  /* "throughput": what it shows, and the stem of its file's name */
	size_t number;     /* of the sweep it shows: 1, 2, 3... */
	char *title, *alt; /* its heading; what a reader sees who cannot see it */
	char *script;      /* from behind `set terminal`; NULL: `missing` says why */
	char *missing;
	unsigned height;
};

struct plots {
	struct plot *list;
	size_t count;
};

struct plots plots_of(const struct set *set, const struct palette *palette);
void plots_free(struct plots *plots);

enum plot_form {
	PLOT_FOR_PAGE, /* SVG without a title and without a background */
	PLOT_SVG,
	PLOT_PNG,
};

/* gnuplot_run()'s results. */
enum gnuplot_status plot_render(const struct plot *plot, enum plot_form form, char **output,
				size_t *bytes, char **error);

/* Writes all plots of a set as SVG and PNG into a directory, which is made if need be, and says on
 * stdout what was written and what was left out. False, with a message on stderr: a file cannot be
 * written, or gnuplot failed; without gnuplot it is a note, and true. */
bool plot_write_all(const char *dir, const struct set *set);

/* The pictures. Each fills title, alt, height and script, or title and missing. */
void plot_throughput(const struct sweep *sweep, const struct palette *palette, struct plot *plot);
void plot_throughput_line(const struct sweep *sweep, const struct palette *palette,
			  struct plot *plot);
void plot_wait(const struct sweep *sweep, const struct palette *palette, struct plot *plot);
void plot_fairness(const struct sweep *sweep, const struct palette *palette, struct plot *plot);
void plot_split(const struct sweep *sweep, const struct palette *palette, struct plot *plot);
void plot_preemption(const struct sweep *sweep, const struct palette *palette, struct plot *plot);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Plots of a set, drawn by gnuplot. bars.c and lines.c write a script for each plot; then it is
 * rendered as SVG for the page, or as SVG and PNG files for --plot=DIR. If the log has no data for
 * a plot, the plot has a reason instead of a script.
 */
#ifndef PVSPIN_TOOLS_REPORT_PLOT_PLOT_H
#define PVSPIN_TOOLS_REPORT_PLOT_PLOT_H

#include "tools/report/base/data.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * The cells of one plot: they differ only in the lock and the number of vCPUs. With several
 * instances they are the joined cells.
 */
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

/* Returns the i-th of the cells with the most vCPUs; NULL after the last. */
const struct cell *sweep_at_most(const struct sweep *sweep, size_t index);

/* Mean and standard deviation as in the tables, but 0 where they are unknown. */
double sample_mean(const struct sample *sample);
double sample_sd(const struct sample *sample);

/* True if the merit is the time that a fixed amount of work took, false if it is a rate. */
bool sweep_is_fixed_work(const struct sweep *sweep);

/* Returns the cells with the most vCPUs, best merit first. The caller frees the list. */
const struct cell **sweep_ranked(const struct sweep *sweep, size_t *count);

/*
 * A lock looks the same in all plots of a page: it has a colour, a dash pattern and a point. There
 * are few colours, so locks with the same colour differ in dash pattern and point.
 */
struct palette {
	const char **locks; /* in order of first appearance; the names belong to the sets */
	size_t count;
};

struct palette palette_new(const struct set *sets, size_t count);
void palette_free(struct palette *palette);

/* Returns "#rrggbb". A lock that is in no set gets the colour of the first. */
const char *palette_colour(const struct palette *palette, const char *lock);

/* Prints gnuplot's words for a line of this lock: "lc rgb '#0072b2' dt 1 pt 7 ". */
void palette_line(const struct palette *palette, const char *lock, FILE *script);

/* Colours of the states of vCPUs and locks, and of preempted holders. */
#define COLOUR_RUNNING  "#009e73"
#define COLOUR_SPINNING "#d55e00"
#define COLOUR_HALTED   "#0072b2"
#define COLOUR_IDLE     "#8a8f98"
#define COLOUR_STOLEN   "#b3529a"
#define COLOUR_LHP      "#d55e00"
#define COLOUR_HANDOVER "#3a93c8"
#define COLOUR_PASSED   "#b88200"

/*
 * gnuplot gets a script on stdin and writes a picture to stdout. It gets no names of files, reads
 * no init file, and has a bounded time. Strings from logs need only gnuplot's own escapes
 * (format.h).
 */

/* gnuplot draws a CDF of 22 locks in 0.1 s. */
#define GNUPLOT_MS        20000
#define GNUPLOT_MAX_BYTES (32u << 20)

enum gnuplot_status {
	GNUPLOT_OK,
	GNUPLOT_MISSING, /* not installed */
	GNUPLOT_FAILED,  /* *error says how */
};

/* Runs `script` by `program` ("gnuplot", or another one in tests). *output becomes its stdout with
 * a terminating 0; unless the result is GNUPLOT_OK, *error becomes a sentence. The caller frees
 * both. */
enum gnuplot_status gnuplot_run(const char *program, const char *script, char **output,
				size_t *bytes, char **error);

#define PLOT_WIDTH 760

struct plot {
	const char *kind;  /* "throughput"; also the stem of its file's name */
	size_t number;     /* of the sweep that it shows: 1, 2, 3... */
	char *title, *alt; /* heading; description for readers who cannot see the plot */
	char *script;      /* the part after `set terminal`; NULL: `missing` says why */
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

/* Renders a plot that has a script. The results are those of gnuplot_run(). */
enum gnuplot_status plot_render(const struct plot *plot, enum plot_form form, char **output,
				size_t *bytes, char **error);

/* Writes all plots of a set as SVG and PNG into a directory, which it creates if needed. Prints on
 * stderr what it wrote and what is missing. Returns false, after a message, if a file cannot be
 * written or gnuplot fails. If gnuplot is not installed, it prints that and returns true. */
bool plot_write_all(const char *dir, const struct set *set);

/* Each of these fills title, alt, height and script, or title and missing. */
void plot_throughput(const struct sweep *sweep, const struct palette *palette, struct plot *plot);
void plot_throughput_line(const struct sweep *sweep, const struct palette *palette,
			  struct plot *plot);
void plot_wait(const struct sweep *sweep, const struct palette *palette, struct plot *plot);
void plot_fairness(const struct sweep *sweep, const struct palette *palette, struct plot *plot);
void plot_split(const struct sweep *sweep, const struct palette *palette, struct plot *plot);
void plot_lock_time(const struct sweep *sweep, const struct palette *palette, struct plot *plot);
void plot_preemption(const struct sweep *sweep, const struct palette *palette, struct plot *plot);

/* A plot has room for so many characters of a lock's name. */
#define PLOT_NAME_COLUMNS 22

/* The range of an axis: the least value above 0, and the largest; 0 if there are none. */
struct axis {
	double least, largest;
};

void axis_add(struct axis *axis, double value);

/* True if the values span more than two decades: on a linear axis the small ones would be
 * invisible. */
bool axis_is_log(const struct axis *axis);

/* Returns where bars start: 0, or on a logarithmic axis the decade below the least value. */
double axis_start(const struct axis *axis);

/* Prints gnuplot's range, scale and number format of axis `name`. The axis extends beyond the
 * largest value by the share `room` of its length. */
void axis_print(const struct axis *axis, char name, double room, FILE *script);

/* A plot while its script is written. */
struct drawing {
	FILE *script;
	const struct cell **ranked; /* sweep_ranked() */
	size_t count, bytes;
};

void drawing_begin(struct drawing *drawing, const struct sweep *sweep, struct plot *plot);

/* Completes the plot. If `missing` is not NULL, that sentence replaces the script. */
void drawing_end(struct drawing *drawing, struct plot *plot, const char *missing);

#endif

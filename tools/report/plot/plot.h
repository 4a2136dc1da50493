/* SPDX-License-Identifier: MIT */
/*
 * Pictures of a set, by gnuplot. A plot is made as a script first (bars.c, lines.c),
 * then rendered: as SVG for the page, as SVG and PNG files for --plot=DIR. What cannot be drawn,
 * because the log has no data for it, is a plot without a script and with the reason.
 */
#ifndef PVSPIN_TOOLS_REPORT_PLOT_PLOT_H
#define PVSPIN_TOOLS_REPORT_PLOT_PLOT_H

#include "tools/report/base/data.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * Cells of a set that belong into one picture: they differ in nothing but the lock and the number
 * of vCPUs. With several instances, the sums over all of them.
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

/* The cells with the most vCPUs, the i-th of them: NULL behind the last. */
const struct cell *sweep_at_most(const struct sweep *sweep, size_t index);

/* Over the repetitions that have a value, as the tables have it; 0 if none has. */
double sample_mean(const struct sample *sample);
double sample_sd(const struct sample *sample);

/* "jobs" of a fixed amount take seconds, all else is counted in a fixed time. */
bool sweep_is_fixed_work(const struct sweep *sweep);

/* The cells with the most vCPUs as a list to be freed, best merit first. */
const struct cell **sweep_ranked(const struct sweep *sweep, size_t *count);

/*
 * One look for each lock in all plots of a report: a colour, and where there are more locks than
 * colours can tell apart also a dash pattern and a point.
 */
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

/* What vCPUs and locks spend their time on, and preempted holders; not colours of locks. */
#define COLOUR_RUNNING  "#009e73"
#define COLOUR_SPINNING "#d55e00"
#define COLOUR_HALTED   "#0072b2"
#define COLOUR_IDLE     "#8a8f98"
#define COLOUR_STOLEN   "#b3529a"
#define COLOUR_LHP      "#d55e00"
#define COLOUR_HANDOVER "#3a93c8"
#define COLOUR_PASSED   "#b88200"

/*
 * One call of gnuplot: a script in, a picture out, both in memory. gnuplot never gets a name of a
 * file, reads no init file, and has a bounded time; a script gets into it on stdin, so whatever
 * comes from logs must be escaped for gnuplot (format.h) and nothing else.
 */

/* Pictures are small: a CDF of 22 locks takes gnuplot 0.1 s. */
#define GNUPLOT_MS        20000
#define GNUPLOT_MAX_BYTES (32u << 20)

enum gnuplot_status {
	GNUPLOT_OK,
	GNUPLOT_MISSING, /* not installed */
	GNUPLOT_FAILED,  /* *error says how */
};

/* What gnuplot wrote to stdout for `script` is in *output (to be freed, with a 0 behind it). If not
 * GNUPLOT_OK, *error (to be freed) is one sentence. `program`: "gnuplot", or another for tests. */
enum gnuplot_status gnuplot_run(const char *program, const char *script, char **output,
				size_t *bytes, char **error);

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
void plot_lock_time(const struct sweep *sweep, const struct palette *palette, struct plot *plot);
void plot_preemption(const struct sweep *sweep, const struct palette *palette, struct plot *plot);

/* What plots share: ranges of values, and whether an axis is logarithmic. */

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

/* What the makers of plots begin and end with: the script as it grows, the locks in their order. */
struct drawing {
	FILE *script;
	const struct cell **ranked; /* those with the most vCPUs, best merit first */
	size_t count, bytes;
};

void drawing_begin(struct drawing *drawing, const struct sweep *sweep, struct plot *plot);

/* The script is whole; or there was nothing to draw, and the sentence takes its place. */
void drawing_end(struct drawing *drawing, struct plot *plot, const char *missing);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Plots with a bar for each lock: throughput at one number of vCPUs, time splits, preemptions. The
 * bars are horizontal, so that names of locks have room. gnuplot draws each as a box with given
 * edges (boxxyerror). The lock of rank 0 is at the top, at y = count.
 */
#include "tools/report/base/format.h"
#include "tools/report/base/system.h"
#include "tools/report/cells/cells.h"
#include "tools/report/plot/plot.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#define ROW_HEIGHT 26 /* pixels; a line of text is 17 */

static unsigned height_of(size_t rows)
{
	return 110 + ROW_HEIGHT * (unsigned)rows;
}

/* Prints the axis with the names of the locks. */
static void print_names(const struct cell *const *ranked, size_t count, FILE *script)
{
	fprintf(script, "set yrange [0.4:%zu.6]\nset ytics scale 0 (", count);
	for (size_t i = 0; i < count; i++) {
		fputs(i > 0 ? ", " : "", script);
		escape_gnuplot_tic(script, ranked[i]->key.lock, PLOT_NAME_COLUMNS);
		fprintf(script, " %zu", count - i);
	}
	fputs(")\nset grid noytics\n", script);
}

/* Prints a bar as a line of data: y, value, low and high end of the error bar, colour, text. */
static void print_bar(FILE *script, double y, const struct sample *sample, const struct axis *axis,
		      const char *colour)
{
	double mean = sample_mean(sample), sd = sample_sd(sample), start = axis_start(axis);
	char text[FORMAT_BYTES];

	fprintf(script, "%.3f %.9g %.9g %.9g %lu ", y, fmax(mean, start), fmax(mean - sd, start),
		fmax(mean + sd, start), strtoul(colour + 1, NULL, 16));
	fprintf(script, "\"%s\"\n", format_count(text, mean)); /* as in the tables */
}

/* Prints the plot command for a data block of bars. `half` is half the thickness of a bar; rows are
 * 1 apart. */
static void print_bars_command(FILE *script, const char *block, double half,
			       const struct axis *axis)
{
	fprintf(script,
		"%s using 2:1:(%.6g):2:($1-%.2f):($1+%.2f):5 with boxxyerror lc rgb variable "
		"notitle, "
		"%s using 2:1:3:4 with xerrorbars lc black lw 1 pt 0 notitle, "
		"%s using 4:1:6 with labels left offset 0.7,0 notitle",
		block, axis_start(axis), half, half, block, block);
}

/* Error bars widen a linear axis, but never make it logarithmic. */
static void axis_widen(struct axis *axis, const struct sample *sample)
{
	if (!axis_is_log(axis))
		axis->largest = fmax(axis->largest, sample_mean(sample) + sample_sd(sample));
}

void plot_throughput(const struct sweep *sweep, const struct palette *palette, struct plot *plot)
{
	struct drawing draw;
	bool fixed = sweep_is_fixed_work(sweep);
	struct axis axis = {0};

	plot->title = memory_print("%s: %s, %" PRIu64 " vCPUs",
				   fixed ? "Time for the work" : "Throughput", sweep->title,
				   sweep->threads[sweep->thread_counts - 1]);
	plot->alt = memory_print("Bar chart: %s of each lock, mean over repetitions with standard "
				 "deviation, best on top.",
				 fixed ? "seconds" : "acquisitions per second");
	drawing_begin(&draw, sweep, plot);
	plot->height = height_of(draw.count);
	for (size_t i = 0; i < draw.count; i++)
		axis_add(&axis, sample_mean(&draw.ranked[i]->sample[SAMPLE_MERIT]));
	for (size_t i = 0; i < draw.count; i++)
		axis_widen(&axis, &draw.ranked[i]->sample[SAMPLE_MERIT]);
	axis_print(&axis, 'x', 0.14, draw.script);
	print_names(draw.ranked, draw.count, draw.script);
	fprintf(draw.script, "set xlabel '%s%s'\n$bars << EOD\n",
		fixed ? "seconds, less is better" : "acquisitions per second",
		axis_is_log(&axis) ? " (log scale)" : "");
	for (size_t i = 0; i < draw.count; i++)
		print_bar(draw.script, (double)(draw.count - i),
			  &draw.ranked[i]->sample[SAMPLE_MERIT], &axis,
			  palette_colour(palette, draw.ranked[i]->key.lock));
	fputs("EOD\nplot ", draw.script);
	print_bars_command(draw.script, "$bars", 0.34, &axis);
	fputc('\n', draw.script);
	drawing_end(&draw, plot, NULL);
}

struct share {
	const char *colour, *name;
};

/* Bars of 100 %: shares of a time, in the order they are stacked. */
struct stack {
	const char *of; /* for the axis: "vCPU time" */
	enum sample_index first;
	const struct share *part;
	size_t parts;
};

/* Prints a data block: y, then the start of each part and the end of the last one, in percent.
 * Returns false if all parts are 0. */
static bool print_shares(const struct drawing *draw, const struct stack *stack)
{
	bool any = false;

	fputs("$shares << EOD\n", draw->script);
	for (size_t i = 0; i < draw->count; i++) {
		double sum = 0;

		fprintf(draw->script, "%zu 0", draw->count - i);
		for (size_t part = 0; part < stack->parts; part++) {
			sum += 100 * sample_mean(&draw->ranked[i]->sample[stack->first + part]);
			fprintf(draw->script, " %.4f", sum);
		}
		fputc('\n', draw->script);
		any |= sum > 0;
	}
	fputs("EOD\n", draw->script);
	return any;
}

static void draw_stack(const struct sweep *sweep, const struct stack *stack, struct plot *plot,
		       const char *missing)
{
	struct drawing draw;
	bool any;

	drawing_begin(&draw, sweep, plot);
	plot->height = height_of(draw.count) + 30;
	any = print_shares(&draw, stack);
	print_names(draw.ranked, draw.count, draw.script);
	fprintf(draw.script,
		"set xrange [0:100]\nset xlabel 'share of %s, %%'\n"
		"set key outside top center horizontal samplen 2 maxrows 2\nplot ",
		stack->of);
	for (size_t part = 0; part < stack->parts; part++)
		fprintf(draw.script,
			"%s$shares using %zu:1:%zu:%zu:($1-0.36):($1+0.36) with boxxyerror lc rgb "
			"'%s' title '%s'",
			part > 0 ? ", " : "", part + 2, part + 2, part + 3,
			stack->part[part].colour, stack->part[part].name);
	fputc('\n', draw.script);
	drawing_end(&draw, plot, any ? NULL : missing);
}

void plot_split(const struct sweep *sweep, const struct palette *palette, struct plot *plot)
{
	static const struct share parts[] = {
		{COLOUR_RUNNING, "running"}, {COLOUR_SPINNING, "spinning"},
		{COLOUR_HALTED, "halted"},   {COLOUR_IDLE, "idle"},
		{COLOUR_STOLEN, "stolen"},
	};
	static const struct stack stack = {"vCPU time", SAMPLE_RUNNING, parts, COUNT_OF(parts)};

	(void)palette;
	plot->title = memory_print("Where vCPU time went: %s, %" PRIu64 " vCPUs", sweep->title,
				   sweep->threads[sweep->thread_counts - 1]);
	plot->alt = memory_print(
		"Stacked bars for each lock: share of vCPU time running, spinning, halted, "
		"idle and taken by the host.");
	draw_stack(sweep, &stack, plot, "the log does not say how the vCPUs spent their time");
}

void plot_lock_time(const struct sweep *sweep, const struct palette *palette, struct plot *plot)
{
	static const struct share parts[] = {
		{COLOUR_RUNNING, "work"},       {COLOUR_LHP, "holder off"},
		{COLOUR_HANDOVER, "hand-over"}, {COLOUR_HALTED, "waking"},
		{COLOUR_STOLEN, "grantee off"}, {COLOUR_PASSED, "passed"},
		{COLOUR_IDLE, "unwanted"},
	};
	static const struct stack stack = {"the measured phase", SAMPLE_LOCK_WORK, parts,
					   COUNT_OF(parts)};

	(void)palette;
	plot->title = memory_print("Where the lock's time went: %s, %" PRIu64 " vCPUs",
				   sweep->title, sweep->threads[sweep->thread_counts - 1]);
	plot->alt = memory_print(
		"Stacked bars for each lock: share of the measured phase in which it was held, by "
		"a holder at work or off its CPU, and in which it was free: handed over, its next "
		"owner being woken or off its CPU, passed by waiters, or wanted by nobody.");
	draw_stack(sweep, &stack, plot, "it needs latency=on and ms=, and several vCPUs");
}

void plot_preemption(const struct sweep *sweep, const struct palette *palette, struct plot *plot)
{
	struct drawing draw;
	struct axis axis = {0};

	(void)palette;
	plot->title = memory_print("Preempted holders: %s, %" PRIu64 " vCPUs", sweep->title,
				   sweep->threads[sweep->thread_counts - 1]);
	plot->alt = memory_print("Bar chart: for each lock, how often in a repetition a vCPU lost "
				 "its CPU while it held the lock (LHP).");
	drawing_begin(&draw, sweep, plot);
	plot->height = height_of(draw.count);
	for (size_t i = 0; i < draw.count; i++)
		axis_add(&axis, sample_mean(&draw.ranked[i]->sample[SAMPLE_LHP_EVENTS]));
	for (size_t i = 0; i < draw.count; i++)
		axis_widen(&axis, &draw.ranked[i]->sample[SAMPLE_LHP_EVENTS]);
	axis_print(&axis, 'x', 0.14, draw.script);
	print_names(draw.ranked, draw.count, draw.script);
	fprintf(draw.script, "set xlabel 'events per repetition%s'\n$lhp << EOD\n",
		axis_is_log(&axis) ? " (log scale)" : "");
	for (size_t i = 0; i < draw.count; i++)
		print_bar(draw.script, (double)(draw.count - i),
			  &draw.ranked[i]->sample[SAMPLE_LHP_EVENTS], &axis, COLOUR_LHP);
	fputs("EOD\nplot ", draw.script);
	print_bars_command(draw.script, "$lhp", 0.34, &axis);
	fputc('\n', draw.script);
	drawing_end(&draw, plot,
		    axis.largest > 0
			    ? NULL
			    : "no vCPU lost its CPU while it held the lock, or the host has no "
			      "steal time");
}

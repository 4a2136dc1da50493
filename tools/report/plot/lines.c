/* SPDX-License-Identifier: MIT */
/*
 * Plots with a line for each lock: throughput against vCPUs, the distribution of waits, fairness.
 */
#include "tools/report/base/format.h"
#include "tools/report/base/system.h"
#include "tools/report/plot/plot.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LEGEND_ROW  21  /* pixels: 1.5 x 14 in the svg terminal; fewer in png */
#define LINES_LEAST 380 /* pixels */

static unsigned height_of(size_t locks)
{
	unsigned legend = 150 + LEGEND_ROW * (unsigned)locks;

	return legend > LINES_LEAST ? legend : LINES_LEAST;
}

static void print_key(FILE *script)
{
	/* a second column would leave no room for the lines */
	fputs("set key outside right top vertical maxcols 1 Left reverse samplen 2.5\n", script);
}

/* Prints a line's look, and its name in the legend. */
static void print_line_of(const char *lock, const struct palette *palette, FILE *script)
{
	palette_line(palette, lock, script);
	fputs("title ", script);
	escape_gnuplot(script, lock, PLOT_NAME_COLUMNS);
}

/* Prints a data block for each lock: threads, mean, low and high end of the error bar. */
static void print_throughput(const struct sweep *sweep, const struct cell *const *ranked,
			     size_t count, const struct axis *axis, FILE *script)
{
	double floor_value = axis_is_log(axis) ? axis_start(axis) : 0;

	for (size_t lock = 0; lock < count; lock++) {
		fprintf(script, "$lock%zu << EOD\n", lock);
		for (size_t i = 0; i < sweep->count; i++) {
			const struct cell *cell = sweep->cells[i];
			double mean = sample_mean(&cell->sample[SAMPLE_MERIT]),
			       sd = sample_sd(&cell->sample[SAMPLE_MERIT]);

			if (strcmp(cell->key.lock, ranked[lock]->key.lock) == 0)
				fprintf(script, "%" PRIu64 " %.9g %.9g %.9g\n", cell->key.threads,
					fmax(mean, floor_value), fmax(mean - sd, floor_value),
					fmax(mean + sd, floor_value));
		}
		fputs("EOD\n", script);
	}
}

/* Prints an axis with tics only at the measured numbers of vCPUs. */
static void print_thread_axis(const struct sweep *sweep, FILE *script)
{
	uint64_t least = sweep->threads[0], most = sweep->threads[sweep->thread_counts - 1];

	fputs("set xtics (", script);
	for (size_t i = 0; i < sweep->thread_counts; i++)
		fprintf(script, "%s%" PRIu64, i > 0 ? ", " : "", sweep->threads[i]);
	fputs(")\n", script);
	if (least > 0 && most / least >= 8)
		fprintf(script, "set logscale x 2\nset xrange [%g:%g]\n", (double)least / 1.15,
			(double)most * 1.15);
	else
		fprintf(script, "set xrange [%g:%g]\n", (double)least - 0.3, (double)most + 0.3);
	fputs("set xlabel 'vCPUs that take part'\n", script);
}

void plot_throughput_line(const struct sweep *sweep, const struct palette *palette,
			  struct plot *plot)
{
	struct drawing draw;
	bool fixed = sweep_is_fixed_work(sweep);
	struct axis axis = {0};

	plot->title = memory_print("%s against vCPUs: %s",
				   fixed ? "Time for the work" : "Throughput", sweep->title);
	plot->alt = memory_print(
		"Line chart: %s against the number of vCPUs, a line for each lock, mean over "
		"repetitions with standard deviation.",
		fixed ? "seconds" : "acquisitions per second");
	drawing_begin(&draw, sweep, plot);
	plot->height = height_of(draw.count);
	for (size_t i = 0; i < sweep->count; i++) {
		const struct sample *merit = &sweep->cells[i]->sample[SAMPLE_MERIT];

		axis_add(&axis, sample_mean(merit));
		axis_add(&axis, sample_mean(merit) + sample_sd(merit));
	}
	axis_print(&axis, 'y', 0.08, draw.script);
	print_thread_axis(sweep, draw.script);
	fprintf(draw.script, "set ylabel '%s%s'\n",
		fixed ? "seconds, less is better" : "acquisitions per second",
		axis_is_log(&axis) ? " (log scale)" : "");
	print_throughput(sweep, draw.ranked, draw.count, &axis, draw.script);
	print_key(draw.script);
	fputs("plot ", draw.script);
	for (size_t i = 0; i < draw.count; i++) {
		fprintf(draw.script, "%s$lock%zu using 1:2:3:4 with yerrorlines lw 2 ps 0.9 ",
			i > 0 ? ", " : "", i);
		print_line_of(draw.ranked[i]->key.lock, palette, draw.script);
	}
	fputc('\n', draw.script);
	drawing_end(&draw, plot, NULL);
}

/* Returns the number of nines: 0 for none of the waits, 1 for 90 %, 2 for 99 %. */
static double nines(double share)
{
	return -log10(1 - share);
}

/* Prints a data block: time in ns, nines. All waits of a bucket are at or below its upper bound, so
 * each point is exact except the last, whose share of 1 cannot be drawn. Returns the most nines. */
static double print_waits(const struct cell *cell, size_t lock, struct axis *axis, FILE *script)
{
	const struct distribution *wait = &cell->wait;
	double scale = cell->tsc_khz > 0 ? 1e6 / (double)cell->tsc_khz : 1, most = 0;
	double total = (double)wait->count;
	uint64_t seen = 0;

	fprintf(script, "$wait%zu << EOD\n", lock);
	for (size_t i = 0; i < wait->buckets; i++) {
		const struct bucket *bucket = &wait->bucket[i];
		double ns = fmax(
			1, scale * (double)(bucket->high < wait->max ? bucket->high : wait->max));

		if (i == 0)
			fprintf(script, "%.6g 0\n", fmax(1, scale * (double)bucket->low));
		seen += bucket->count;
		/* draw the last point as if half a wait were longer: 1 has infinite nines */
		most = nines(fmin((double)seen, total - 0.5) / total);
		fprintf(script, "%.6g %.5f\n", ns, most);
		axis_add(axis, ns);
	}
	fputs("EOD\n", script);
	return most;
}

static void print_nines_axis(double most, FILE *script)
{
	static const char *const names[] = {"90", "99", "99.9", "99.99", "99.999", "99.9999"};

	fprintf(script, "set ytics ('0' 0, '50' %.4f", nines(0.5));
	for (size_t i = 0; i < COUNT_OF(names); i++)
		fprintf(script, ", '%s' %zu", names[i], i + 1);
	fprintf(script, ")\nset yrange [0:%.3f]\n", fmax(1, most * 1.03));
	fputs("set ylabel 'share of waits that are over, %'\n", script);
}

void plot_wait(const struct sweep *sweep, const struct palette *palette, struct plot *plot)
{
	struct drawing draw;
	size_t drawn = 0;
	struct axis axis = {0};
	double most = 0;

	plot->title = memory_print("Time to get the lock: %s, %" PRIu64 " vCPUs", sweep->title,
				   sweep->threads[sweep->thread_counts - 1]);
	plot->alt = memory_print(
		"Cumulative distribution of wait times, a line for each lock: time on a "
		"logarithmic axis, the share of waits that are over by then.");
	drawing_begin(&draw, sweep, plot);
	plot->height = height_of(draw.count);
	for (size_t i = 0; i < draw.count; i++) {
		if (draw.ranked[i]->wait.count > 0)
			most = fmax(most, print_waits(draw.ranked[i], i, &axis, draw.script));
	}
	print_nines_axis(most, draw.script);
	print_key(draw.script);
	fprintf(draw.script,
		"set logscale x 10\nset xrange [%g:%g]\nset format x '%%.0s %%cs'\n"
		"set xlabel 'time from the call to the lock (log scale)'\nplot ",
		axis.least * 1e-9, axis.largest * 1e-9);
	for (size_t i = 0; i < draw.count; i++) {
		if (draw.ranked[i]->wait.count == 0)
			continue;
		fprintf(draw.script, "%s$wait%zu using ($1*1e-9):2 with lines lw 2 ",
			drawn++ > 0 ? ", " : "", i);
		print_line_of(draw.ranked[i]->key.lock, palette, draw.script);
	}
	fputc('\n', draw.script);
	drawing_end(&draw, plot,
		    drawn > 0 ? NULL : "the log has no wait times: run with latency=on");
}

static int ascending(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

/* Prints a data block: rank of a vCPU, its acquisitions as a multiple of an equal share. Returns
 * false if the log has no acquisitions by vCPU. */
static bool print_ranks(const struct cell *cell, size_t lock, FILE *script)
{
	double *sorted = memory_new(cell->vcpus, sizeof(*sorted)), sum = 0;

	for (size_t i = 0; i < cell->vcpus; i++)
		sum += sorted[i] = cell->vcpu_ops[i];
	if (sum > 0) {
		qsort(sorted, cell->vcpus, sizeof(*sorted), ascending);
		fprintf(script, "$ranks%zu << EOD\n", lock);
		for (size_t i = 0; i < cell->vcpus; i++)
			fprintf(script, "%zu %.6g\n", i + 1, sorted[i] / sum * (double)cell->vcpus);
		fputs("EOD\n", script);
	}
	free(sorted);
	return sum > 0;
}

/* Returns the largest number of vCPUs; joined cells have those of all instances. */
static uint64_t most_vcpus(const struct sweep *sweep)
{
	uint64_t vcpus = sweep->threads[sweep->thread_counts - 1];
	const struct cell *cell;

	for (size_t i = 0; (cell = sweep_at_most(sweep, i)) != NULL; i++)
		vcpus = cell->vcpus > vcpus ? cell->vcpus : vcpus;
	return vcpus;
}

void plot_fairness(const struct sweep *sweep, const struct palette *palette, struct plot *plot)
{
	uint64_t vcpus = most_vcpus(sweep);
	struct drawing draw;
	size_t drawn = 0;

	plot->title = memory_print("Fairness: %s, %" PRIu64 " vCPUs", sweep->title, vcpus);
	plot->alt = memory_print(
		"Line chart: acquisitions of each vCPU as a multiple of an equal share, "
		"slowest vCPU first, a line for each lock; a fair lock is flat at 1.");
	drawing_begin(&draw, sweep, plot);
	plot->height = height_of(draw.count);
	for (size_t i = 0; i < draw.count; i++) {
		if (!print_ranks(draw.ranked[i], i, draw.script))
			draw.ranked[i] = NULL;
	}
	print_key(draw.script);
	fprintf(draw.script,
		"set xrange [0.7:%" PRIu64 ".3]\nset yrange [0:*]\nset xtics 1,%" PRIu64 "\n"
		"set xlabel 'vCPUs, the slowest first'\nset ylabel 'acquisitions, 1 is an equal "
		"share'\n"
		"plot 1 with lines lc rgb '#8a8f98' lw 1 notitle",
		vcpus, vcpus <= 16 ? 1 : vcpus / 8 + 1); /* at most eight numbers fit */
	for (size_t i = 0; i < draw.count; i++) {
		char *label;

		if (draw.ranked[i] == NULL)
			continue;
		drawn++;
		/* more than 64 points would hide the lines */
		fprintf(draw.script, ", $ranks%zu using 1:2 with %s lw 2 ps 0.7 ", i,
			vcpus > 64 ? "lines" : "linespoints");
		print_line_of(draw.ranked[i]->key.lock, palette, draw.script);
		label = memory_print(" (Jain %.2f)",
				     sample_mean(&draw.ranked[i]->sample[SAMPLE_JAIN]));
		fputs(" . ", draw.script);
		escape_gnuplot(draw.script, label, ESCAPE_WHOLE);
		free(label);
	}
	fputc('\n', draw.script);
	drawing_end(&draw, plot, drawn > 0 ? NULL : "the log does not say what each vCPU acquired");
}

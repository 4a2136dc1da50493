/* SPDX-License-Identifier: MIT */
/* Chooses, renders and writes the plots of a set; axes and colours: see plot.h. */
#include "tools/report/plot/plot.h"
#include "tools/report/base/format.h"
#include "tools/report/base/system.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PROGRAM "gnuplot"

/* Only so many sweeps are drawn. A set with more combines many plans, which only tables show well.
 */
#define SWEEPS_DRAWN 12

typedef void make_plot(const struct sweep *, const struct palette *, struct plot *);

static void throughput(const struct sweep *sweep, const struct palette *palette, struct plot *plot)
{
	if (sweep->thread_counts > 1)
		plot_throughput_line(sweep, palette, plot);
	else
		plot_throughput(sweep, palette, plot);
}

static const struct {
	const char *kind;
	make_plot *make;
} kinds[] = {
	{"throughput", throughput}, {"wait", plot_wait},           {"fairness", plot_fairness},
	{"split", plot_split},      {"lock-time", plot_lock_time}, {"preemption", plot_preemption},
};
#define KINDS COUNT_OF(kinds)

/* Adds one plot without a script in place of all further sweeps. */
static void add_not_drawn(struct plots *plots, size_t sweeps)
{
	struct plot *plot = &plots->list[plots->count++];

	plot->kind = "further";
	plot->number = 1;
	plot->title = memory_print("Further plots");
	plot->missing = memory_print(
		"%zu more combinations of workload and keys are only in the tables", sweeps);
}

struct plots plots_of(const struct set *set, const struct palette *palette)
{
	struct sweeps sweeps = sweeps_of(set);
	size_t drawn = sweeps.count < SWEEPS_DRAWN ? sweeps.count : SWEEPS_DRAWN;
	struct plots plots = {.list = memory_new(drawn * KINDS + 1, sizeof(*plots.list))};

	for (size_t i = 0; i < drawn; i++) {
		for (size_t kind = 0; kind < KINDS; kind++) {
			struct plot *plot = &plots.list[plots.count++];

			plot->kind = kinds[kind].kind;
			plot->number = i + 1;
			kinds[kind].make(&sweeps.list[i], palette, plot);
		}
	}
	if (drawn < sweeps.count)
		add_not_drawn(&plots, sweeps.count - drawn);
	sweeps_free(&sweeps);
	return plots;
}

void plots_free(struct plots *plots)
{
	for (size_t i = 0; i < plots->count; i++) {
		free(plots->list[i].title);
		free(plots->list[i].alt);
		free(plots->list[i].script);
		free(plots->list[i].missing);
	}
	free(plots->list);
	*plots = (struct plots){0};
}

/* Prints the start that all scripts share. */
static void print_preamble(const struct plot *plot, enum plot_form form, FILE *script)
{
	unsigned scale = form == PLOT_PNG ? 2 : 1; /* for high-resolution screens and for print */

	fputs("set encoding utf8\n", script);
	fprintf(script, "set terminal %s size %u,%u noenhanced font 'sans-serif,14'%s\n",
		form == PLOT_PNG ? "pngcairo" : "svg", PLOT_WIDTH * scale, plot->height * scale,
		form == PLOT_FOR_PAGE ? " dynamic"
		: form == PLOT_SVG    ? " background '#ffffff'"
				      : " fontscale 1.5 linewidth 2 background '#ffffff'");
	fputs("set border 3 lw 1\nset tics nomirror out scale 0.6\n"
	      "set grid lc rgb '#9aa0a8' lw 0.5 dt 1\n"
	      "set style fill solid 1 noborder\nset bars 0.6\n",
	      script);
	if (form != PLOT_FOR_PAGE && plot->title != NULL) {
		fputs("set title ", script);
		escape_gnuplot(script, plot->title, 90);
		fputs(" font 'sans-serif,11'\n", script);
	}
}

enum gnuplot_status plot_render(const struct plot *plot, enum plot_form form, char **output,
				size_t *bytes, char **error)
{
	enum gnuplot_status status;
	char *text = NULL;
	size_t length;
	FILE *script = memory_stream(&text, &length);

	print_preamble(plot, form, script);
	fputs(plot->script, script);
	fclose(script);
	status = gnuplot_run(PROGRAM, text, output, bytes, error);
	free(text);
	return status;
}

static enum gnuplot_status write_plot(const char *dir, const struct plot *plot, enum plot_form form)
{
	char number[24] = "";
	char *path, *content, *error;
	enum gnuplot_status status;
	size_t bytes;

	if (plot->number > 1)
		snprintf(number, sizeof(number), "-%zu", plot->number);
	path = memory_print("%s/%s%s.%s", dir, plot->kind, number,
			    form == PLOT_PNG ? "png" : "svg");
	status = plot_render(plot, form, &content, &bytes, &error);
	if (status == GNUPLOT_OK && !file_write(path, content, bytes))
		status = GNUPLOT_FAILED;
	else if (status == GNUPLOT_OK)
		fprintf(stderr, "plot: %s\n", path);
	else if (status == GNUPLOT_MISSING)
		fprintf(stderr, "no plots: %s; on Debian and Ubuntu: apt-get install gnuplot-nox\n",
			error);
	else
		fprintf(stderr, "pvspin-report: plot %s: %s\n", plot->kind, error);
	free(path);
	free(content);
	free(error);
	return status;
}

bool plot_write_all(const char *dir, const struct set *set)
{
	struct palette palette = palette_new(set, 1);
	struct plots plots = plots_of(set, &palette);
	enum gnuplot_status status = GNUPLOT_OK;
	bool good = true;

	if (mkdir(dir, 0777) != 0 && errno != EEXIST) {
		good = file_error(dir);
	}
	for (size_t i = 0; good && status != GNUPLOT_MISSING && i < plots.count; i++) {
		const struct plot *plot = &plots.list[i];

		if (plot->script == NULL) {
			fprintf(stderr, "no plot \"%s\": %s\n", plot->title, plot->missing);
			continue;
		}
		status = write_plot(dir, plot, PLOT_SVG);
		if (status == GNUPLOT_OK)
			status = write_plot(dir, plot, PLOT_PNG);
		good = status != GNUPLOT_FAILED;
	}
	plots_free(&plots);
	palette_free(&palette);
	return good;
}

void drawing_begin(struct drawing *drawing, const struct sweep *sweep, struct plot *plot)
{
	drawing->ranked = sweep_ranked(sweep, &drawing->count);
	drawing->script = memory_stream(&plot->script, &drawing->bytes);
}

void drawing_end(struct drawing *drawing, struct plot *plot, const char *missing)
{
	fclose(drawing->script);
	free(drawing->ranked);
	if (missing == NULL)
		return;
	free(plot->script);
	plot->script = NULL;
	plot->missing = memory_copy(missing);
}

/* ---- axes ---- */

void axis_add(struct axis *axis, double value)
{
	if (!isfinite(value) || value <= 0)
		return;
	if (axis->least == 0 || value < axis->least)
		axis->least = value;
	if (value > axis->largest)
		axis->largest = value;
}

bool axis_is_log(const struct axis *axis)
{
	return axis->least > 0 && axis->largest / axis->least > 100;
}

double axis_start(const struct axis *axis)
{
	/* 0.8: the bar of the least value must be visible */
	return axis_is_log(axis) ? pow(10, floor(log10(axis->least * 0.8))) : 0;
}

/* "%s %c" prints 150 k. Below a thousand the plain number is better, because 0.5 would be 500 m. A
 * linear axis that ends below 5 k, 5 M... has tics between the integers, so it needs a decimal. */
static const char *number_format(const struct axis *axis, double span)
{
	if (span < 1000)
		return "%g";
	if (!axis_is_log(axis) && span / pow(1000, floor(log10(span) / 3)) < 5)
		return "%.1s %c";
	return "%.0s %c";
}

void axis_print(const struct axis *axis, char name, double room, FILE *script)
{
	double span = axis->largest > 0 ? axis->largest : 1, start = axis_start(axis);
	/* the length of a logarithmic axis is in decades */
	double end = axis_is_log(axis) ? span * pow(span / start, room) : span * (1 + room);

	fprintf(script, "set %crange [%.6g:%.6g]\n", name, start, end);
	if (axis_is_log(axis))
		fprintf(script, "set logscale %c 10\n", name);
	fprintf(script, "set format %c '%s'\n", name, number_format(axis, span));
}

/* ---- colours, dashes and points ---- */

/* The colours of Okabe and Ito, "Color Universal Design" (2008), which people with any kind of
 * colour blindness can tell apart. The light ones are darkened, so that each has a contrast of 3:1
 * to white and to the dark page (WCAG 2.1, 1.4.11). */
static const char *const colours[] = {
	"#0072b2", "#d55e00", "#009e73", "#b3529a", "#b88200", "#3a93c8", "#808891",
};
static const unsigned points[] = {7, 5, 9, 13, 11, 15, 3};

struct palette palette_new(const struct set *sets, size_t count)
{
	struct palette palette = {0};
	size_t cells = 0;

	for (size_t i = 0; i < count; i++)
		cells += sets[i].cell_count;
	palette.locks = memory_new(cells + 1, sizeof(*palette.locks));
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < sets[i].cell_count; j++) {
			const char *lock = sets[i].cells[j].key.lock;
			size_t known = 0;

			while (known < palette.count && strcmp(palette.locks[known], lock) != 0)
				known++;
			if (known == palette.count)
				palette.locks[palette.count++] = lock;
		}
	}
	return palette;
}

void palette_free(struct palette *palette)
{
	free(palette->locks);
	*palette = (struct palette){0};
}

static size_t position(const struct palette *palette, const char *lock)
{
	for (size_t i = 0; i < palette->count; i++) {
		if (strcmp(palette->locks[i], lock) == 0)
			return i;
	}
	return 0;
}

const char *palette_colour(const struct palette *palette, const char *lock)
{
	return colours[position(palette, lock) % COUNT_OF(colours)];
}

void palette_line(const struct palette *palette, const char *lock, FILE *script)
{
	/* gnuplot's numbers for solid, dashed, dotted, dash-dot */
	static const unsigned dashes[] = {1, 2, 3, 5};
	size_t index = position(palette, lock), lap = index / COUNT_OF(colours);

	fprintf(script, "lc rgb '%s' dt %u pt %u ", colours[index % COUNT_OF(colours)],
		dashes[lap % COUNT_OF(dashes)], points[(index + lap) % COUNT_OF(points)]);
}

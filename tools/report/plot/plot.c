/* SPDX-License-Identifier: MIT */
/* Which plots a set has, what they have in common, and their files: plot.h. */
#include "tools/report/plot/plot.h"

#include "tools/report/base/escape.h"
#include "tools/report/base/memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PROGRAM "gnuplot"

/* Sweeps that are drawn; a set with more is a collection of plans, whose tables are enough. */
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
	{"throughput", throughput},      {"wait", plot_wait},
	{"fairness", plot_fairness},     {"split", plot_split},
	{"preemption", plot_preemption},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* In place of all that one set has too many of. */
static void say_not_drawn(struct plots *plots, size_t sweeps)
{
	struct plot *plot = &plots->list[plots->count++];

	plot->kind = "further";
	plot->number = 1;
	plot->title = memory_print("Further plots");
	plot->missing = memory_print(
		"%zu more combinations of workload and keys are in the tables only", sweeps);
}

struct plots plots_of(const struct set *set, const struct palette *palette)
{
	struct sweeps sweeps = sweeps_of(set);
	size_t drawn = sweeps.count < SWEEPS_DRAWN ? sweeps.count : SWEEPS_DRAWN;
	struct plots plots = {.list = calloc(drawn * KINDS + 1, sizeof(*plots.list))};

	for (size_t i = 0; plots.list != NULL && i < drawn; i++) {
		for (size_t kind = 0; kind < KINDS; kind++) {
			struct plot *plot = &plots.list[plots.count++];

			plot->kind = kinds[kind].kind;
			plot->number = i + 1;
			kinds[kind].make(&sweeps.list[i], palette, plot);
		}
	}
	if (plots.list != NULL && drawn < sweeps.count)
		say_not_drawn(&plots, sweeps.count - drawn);
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

/* What all plots share, before the plot's own script. */
static void print_preamble(const struct plot *plot, enum plot_form form, FILE *script)
{
	unsigned scale = form == PLOT_PNG ? 2 : 1; /* for screens of today, and for print */

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
	enum gnuplot_status status = GNUPLOT_FAILED;
	char *text = NULL;
	size_t length;
	FILE *script = open_memstream(&text, &length);

	*output = *error = NULL;
	if (script == NULL)
		return status;
	print_preamble(plot, form, script);
	fputs(plot->script, script);
	fclose(script);
	status = gnuplot_run(PROGRAM, text, output, bytes, error);
	free(text);
	return status;
}

/* False, said on stderr: it could not be written. */
static bool write_file(const char *path, const char *content, size_t bytes)
{
	FILE *file = fopen(path, "wb");
	bool good = file != NULL && fwrite(content, 1, bytes, file) == bytes;
	int error = errno;

	if (file != NULL && fclose(file) != 0 && good) {
		error = errno;
		good = false;
	}
	if (!good)
		fprintf(stderr, "pvspin-report: %s: %s\n", path, strerror(error));
	return good;
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
	if (status == GNUPLOT_OK && path != NULL && !write_file(path, content, bytes))
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
		fprintf(stderr, "pvspin-report: %s: %s\n", dir, strerror(errno));
		good = false;
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

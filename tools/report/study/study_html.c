/* SPDX-License-Identifier: MIT */
/*
 * The pictures of an experiment: see study_pictures() in study_why.h. The plots are those of the
 * ordinary page, with a bar for each cell in place of each lock.
 */
#include "tools/report/base/escape.h"
#include "tools/report/base/memory.h"
#include "tools/report/base/status.h"
#include "tools/report/cells/stats.h"
#include "tools/report/html/html.h"
#include "tools/report/plot/palette.h"
#include "tools/report/plot/plot.h"
#include "tools/report/plot/sweep.h"
#include "tools/report/study/study_why.h"
#include "tools/report/timeline/timeline.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How much of all labels is the same, up to a space: "two VMs, ". A bar's name is short. */
static size_t common_words(const struct study *study)
{
	const char *first = study->cells[0].label;
	size_t common = study->cell_count > 1 ? strlen(first) : 0;

	for (size_t i = 1; i < study->cell_count; i++) {
		size_t same = 0;

		while (same < common && study->cells[i].label[same] == first[same])
			same++;
		common = same;
	}
	while (common > 0 && first[common - 1] != ' ')
		common--;
	return common;
}

/* The cells that were measured as cells of a set; their samples remain the study's. `split`: only
 * those of which the host told what it took. */
static struct set cells_of(const struct study *study, bool split)
{
	struct set set = {.cells = memory_new(study->cell_count + 1, sizeof(*set.cells))};
	size_t skip = common_words(study);

	for (size_t i = 0; i < study->cell_count; i++) {
		const struct cell *why = &study->cells[i].why;

		if (stats_of(split ? &why->running : &why->merit).count == 0)
			continue;
		set.cells[set.cell_count] = *why;
		set.cells[set.cell_count].key.lock = study->cells[i].label + skip;
		set.cells[set.cell_count++].key.threads = study->vcpus;
	}
	return set;
}

typedef void make_plot(const struct sweep *, const struct palette *, struct plot *);

static struct plot plot_of(const struct study *study, const char *kind, make_plot *make, bool split)
{
	struct set set = cells_of(study, split);
	struct palette palette = palette_new(&set, 1);
	const struct cell **cells = memory_new(set.cell_count + 1, sizeof(const struct cell *));
	uint64_t threads = study->vcpus;
	struct sweep sweep = {.cells = cells,
			      .count = set.cell_count,
			      .threads = &threads,
			      .thread_counts = 1,
			      .title = (char *)study->name};
	struct plot plot = {.kind = kind, .number = 1};

	for (size_t i = 0; i < set.cell_count; i++)
		cells[i] = &set.cells[i];
	if (set.cell_count > 0) {
		make(&sweep, &palette, &plot);
	} else {
		plot.title = memory_print("%s of %s", kind, study->name);
		plot.missing = memory_copy("nothing in the logs says so");
	}
	palette_free(&palette);
	free(cells);
	free(set.cells);
	return plot;
}

/* "two VMs, paq", of all cells of a run that are its VMs'; to be freed. */
static char *run_label(const struct study *study, const char *run)
{
	json_t *cells = json_object_get(study->json, "cells");
	char *text = memory_copy("");

	for (size_t i = 0; i < study->cell_count; i++) {
		const char *where =
			json_string_value(json_object_get(json_array_get(cells, i), "where"));
		char *longer;

		if (strcmp(study->cells[i].run, run) != 0 || !where || strcmp(where, "vm") != 0)
			continue;
		longer = memory_print("%s%s%s", text, text[0] ? "; " : "", study->cells[i].label);
		free(text);
		text = longer;
	}
	return text;
}

/* The pictures of one traced call; nothing where it has not come to it. */
static void traced(FILE *out, const struct study *study, json_t *trace)
{
	const char *run = json_string_value(json_object_get(trace, "run"));
	const char *name = json_string_value(json_object_get(trace, "directory"));
	char *directory = memory_print("%s/%s", study->path, name ? name : "");
	struct set set = {0};
	char *label;

	if (run && name && access(directory, F_OK) == 0) {
		label = run_label(study, run);
		fputs("<h3>", out);
		escape_html(out, label);
		fputs("</h3>\n<div class=\"timelines\">\n", out);
		if (set_read((const char *const *)&directory, 1, &set))
			timeline_svg(out, &set);
		fputs("</div>\n", out);
		if (set.status != STATUS_OK)
			fputs("<p class=\"footnote\">Its logs are not whole.</p>\n", out);
		set_free(&set);
		free(label);
	}
	free(directory);
}

static void all_traced(FILE *out, const struct study *study)
{
	json_t *traces = json_object_get(study->json, "traces");

	if (json_array_size(traces) == 0)
		return;
	fputs("<p>Of each lock a preempted holder and who waited for it, or the longest wait. From "
	      "one more run, which was traced and does not count among the repetitions.</p>\n",
	      out);
	for (size_t i = 0; i < json_array_size(traces); i++)
		traced(out, study, json_array_get(traces, i));
}

void study_pictures(FILE *out, const struct study *study, size_t number)
{
	struct plots plots = {.list = memory_new(3, sizeof(*plots.list)), .count = 3};

	if (study->cell_count > 0) {
		fputs("<h2>", out);
		escape_html(out, study->title);
		fputs("</h2>\n", out);
		plots.list[0] = plot_of(study, "throughput", plot_throughput, false);
		plots.list[1] = plot_of(study, "split", plot_split, true);
		plots.list[2] = plot_of(study, "preemption", plot_preemption, true);
		html_plot_list(out, &plots, number);
	}
	plots_free(&plots);
	all_traced(out, study);
}

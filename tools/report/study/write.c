/* SPDX-License-Identifier: MIT */
/*
 * Writes the tables of an experiment's directory. If it consists of several experiments (study):
 * those of all its parts. If it has no cells (sweep): the usual tables of its logs.
 */
#include "tools/report/base/data.h"
#include "tools/report/base/format.h"
#include "tools/report/base/system.h"
#include "tools/report/cells/stats.h"
#include "tools/report/html/html.h"
#include "tools/report/plot/plot.h"
#include "tools/report/print/print.h"
#include "tools/report/study/study.h"
#include "tools/report/timeline/timeline.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Writes the usual tables, for an experiment without cells. */
static int write_summary(FILE *out, const char *directory, enum format format)
{
	struct set set;
	int status;

	status = set_read(&directory, 1, &set) ? STATUS_OK : set.status;
	if (status == STATUS_OK)
		status = output_set(out, format, &set) ? set.status : STATUS_UNREADABLE;
	set_free(&set);
	return status;
}

static void print_table(FILE *out, enum format format, const struct table *table)
{
	if (format == FORMAT_HTML)
		html_table(out, table);
	else if (format == FORMAT_MARKDOWN)
		markdown_table(out, table);
	else
		text_table(out, table);
}

/* Prints the tables of each experiment, then the findings of all. The last table has the common
 * footnotes. */
static void print_tables(FILE *out, enum format format, const struct study *studies, size_t count)
{
	struct table *findings = study_findings(studies, count);

	for (size_t i = 0; i < count; i++) {
		struct table *times = study_times(&studies[i], 1), *why = study_why(&studies[i], 1);
		struct table *counts = study_counts(&studies[i]);

		if (!findings && i + 1 == count)
			study_notes(studies, count, why->row_count > 0 ? why : times);
		print_table(out, format, times);
		if (why->row_count > 0)
			print_table(out, format, why);
		if (counts)
			print_table(out, format, counts);
		table_free(times);
		table_free(why);
		table_free(counts);
	}
	if (findings) {
		study_notes(studies, count, findings);
		print_table(out, format, findings);
	}
	table_free(findings);
}

static json_t *samples_json(const struct study_cell *cell)
{
	json_t *list = json_array();

	for (size_t i = 0; i < cell->time.count; i++) {
		json_t *one = json_object();

		json_object_set_new(one, "repetition",
				    json_integer((json_int_t)cell->repetition[i]));
		json_object_set_new(one, "seconds", json_of_number(cell->time.value[i]));
		json_object_set_new(one, "cut", json_boolean(cell->cut[i]));
		json_object_set_new(one, "overlap", json_of_number(cell->overlap[i]));
		for (enum sample_index k = SAMPLE_LONGEST_WAIT_NS; k < SAMPLES; k++)
			json_object_set_new(one, sample_list[k].name,
					    json_of_number((&cell->why)->sample[k].value[i]));
		json_array_append_new(list, one);
	}
	return list;
}

/* Sets "counts" of each cell to its row of study_counts(). */
static void set_counts(json_t *cells, const struct study *study)
{
	struct table *counts = study_counts(study);
	json_t *rows = counts ? json_of_table(counts) : json_array();

	for (size_t i = 0; i < json_array_size(rows); i++)
		json_object_set(json_array_get(cells, i), "counts", json_array_get(rows, i));
	json_decref(rows);
	table_free(counts);
}

/* Sets "why": of each cell to its row of study_why(), of the experiment to the sentences. */
static void set_why(json_t *all, json_t *cells, const struct study *study)
{
	struct table *why = study_why(study, 1);
	json_t *rows = json_of_table(why), *sentences = json_array();

	for (size_t i = 0; i < json_array_size(rows); i++) {
		json_t *row = json_array_get(rows, i);

		json_object_del(row, "experiment");
		json_object_del(row, "cell");
		json_object_set(json_array_get(cells, i), "why", row);
	}
	for (size_t i = 0; i < why->footnote_count; i++)
		json_array_append_new(sentences, json_of_text(why->footnotes[i]));
	json_object_set_new(all, "why", sentences);
	json_decref(rows);
	table_free(why);
}

/* Returns experiment.json with the measurements added: "times" (the table), "samples" of each cell,
 * and "why" (set_why()). */
static json_t *study_json(const struct study *study)
{
	json_t *all = json_deep_copy(study->json), *cells = json_object_get(all, "cells");
	struct table *times = study_times(study, 1);

	json_object_set_new(all, "times", json_of_table(times));
	for (size_t i = 0; i < study->cell_count; i++)
		json_object_set_new(json_array_get(cells, i), "samples",
				    samples_json(&study->cells[i]));
	set_why(all, cells, study);
	set_counts(cells, study);
	table_free(times);
	return all;
}

static void print_json(FILE *out, const struct study *studies, size_t count,
		       const struct notes *notes)
{
	json_t *all = json_object(), *experiments = json_array(), *texts = json_array();
	struct table *findings = study_findings(studies, count);

	for (size_t i = 0; i < count; i++)
		json_array_append_new(experiments, study_json(&studies[i]));
	for (size_t i = 0; i < notes->count; i++)
		json_array_append_new(texts, json_of_text(notes->list[i].text));
	json_object_set_new(all, "schema", json_integer(1));
	json_object_set_new(all, "experiments", experiments);
	json_object_set_new(all, "findings", findings ? json_of_table(findings) : json_array());
	json_object_set_new(all, "notes", texts);
	json_dumpf(all, out, JSON_INDENT(1) | JSON_REAL_PRECISION(15));
	fputc('\n', out);
	json_decref(all);
	table_free(findings);
}

/* Writes experiments that have cells. csv has one table with a row for each cell. */
static int write_studies(FILE *out, const struct study *studies, size_t count, enum format format,
			 const struct notes *notes)
{
	struct table *times;
	bool damage = false;

	for (size_t i = 0; i < notes->count; i++)
		damage |= notes->list[i].damage;
	if (format == FORMAT_CSV) {
		times = study_wide(studies, count);
		csv_table(out, times);
		table_free(times);
	} else if (format == FORMAT_JSON) {
		print_json(out, studies, count, notes);
	} else if (format == FORMAT_HTML) {
		html_begin(out, "pvspin: the experiments of 2017", NULL);
		print_tables(out, format, studies, count);
		for (size_t i = 0; i < count; i++) {
			if (!studies[i].skipped)
				study_pictures(out, &studies[i], i + 1);
		}
		html_notes(out, "Left out, or doubtful", "warning", notes);
		html_end(out);
	} else {
		print_tables(out, format, studies, count);
		for (size_t i = 0; i < notes->count; i++)
			(format == FORMAT_MARKDOWN ? markdown_line
						   : text_line)(out, notes->list[i].text);
	}
	return damage ? STATUS_DAMAGED : STATUS_OK;
}

static int write_parts(FILE *out, const struct study *whole, enum format format,
		       struct notes *notes)
{
	json_t *parts = json_object_get(whole->json, "parts");
	size_t count = json_array_size(parts), read = 0;
	struct study *studies = memory_new(count, sizeof(*studies));
	int status = STATUS_UNREADABLE;

	for (bool good = true; good && read < count; read++) {
		const char *name = json_string_value(json_array_get(parts, read));
		char *directory = memory_print("%s/%s", whole->path, name ? name : "");

		good = study_read(directory, &studies[read], notes);
		free(directory);
		if (good && read + 1 == count) {
			study_judge(studies, count);
			status = write_studies(out, studies, count, format, notes);
		}
	}
	for (size_t i = 0; i < read; i++)
		study_free(&studies[i]);
	free(studies);
	return status;
}

int study_write(FILE *out, const char *directory, enum format format)
{
	struct notes notes = {0};
	struct study study;
	int status = STATUS_UNREADABLE;

	if (study_read(directory, &study, &notes)) {
		if (json_array_size(json_object_get(study.json, "parts")) > 0) {
			status = write_parts(out, &study, format, &notes);
		} else if (study.summary) {
			status = write_summary(out, directory, format);
		} else {
			status = write_studies(out, &study, 1, format, &notes);
		}
	}
	study_free(&study);
	notes_free(&notes);
	return status;
}

/*
 * The pictures of an experiment: study_pictures() in study.h. The plots are those of the ordinary
 * page, with a bar for each cell instead of each lock.
 */

/* Returns the length of the words that all labels begin with, "two VMs, ". The names of bars omit
 * them, because there is little room. */
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

/* Returns a set of the measured cells, whose samples still belong to the study. `split`: only cells
 * whose time split is known. */
static struct set cells_of(const struct study *study, bool split)
{
	struct set set = {.cells = memory_new(study->cell_count + 1, sizeof(*set.cells))};
	size_t skip = common_words(study);

	for (size_t i = 0; i < study->cell_count; i++) {
		const struct cell *why = &study->cells[i].why;

		if (stats_of(split ? &why->sample[SAMPLE_RUNNING] : &why->sample[SAMPLE_MERIT])
			    .count == 0)
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
		plot.missing = memory_copy("the logs do not have it");
	}
	palette_free(&palette);
	free(cells);
	free(set.cells);
	return plot;
}

/* Returns the labels of a run's cells that are VMs, "two VMs, paq". The caller frees it. */
static char *run_label(const struct study *study, const char *run)
{
	json_t *cells = json_object_get(study->json, "cells");
	char *text = memory_copy("");

	for (size_t i = 0; i < study->cell_count; i++) {
		const char *where =
			json_string_value(json_object_get(json_array_get(cells, i), "where"));

		if (strcmp(study->cells[i].run, run) == 0 && where && strcmp(where, "vm") == 0)
			memory_append(&text, "%s%s", text[0] ? "; " : "", study->cells[i].label);
	}
	return text;
}

/* Writes the pictures of one traced call, if it was made. */
static void write_traced(FILE *out, const struct study *study, json_t *trace)
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

static void write_all_traced(FILE *out, const struct study *study)
{
	json_t *traces = json_object_get(study->json, "traces");

	if (json_array_size(traces) == 0)
		return;
	fputs("<p>For each lock, a preempted holder and its waiters, or the longest wait. The "
	      "traces "
	      "come from an additional call that is not counted among the repetitions.</p>\n",
	      out);
	for (size_t i = 0; i < json_array_size(traces); i++)
		write_traced(out, study, json_array_get(traces, i));
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
	write_all_traced(out, study);
}

/* SPDX-License-Identifier: MIT */
/*
 * pvspin-report of an experiment's directory: its tables; those of all its parts, where it is
 * several (study); the usual tables of its logs, where it has no cells (sweep).
 */
#include "tools/report/base/memory.h"
#include "tools/report/base/notes.h"
#include "tools/report/base/status.h"
#include "tools/report/html/html.h"
#include "tools/report/print/machine.h"
#include "tools/report/print/output.h"
#include "tools/report/print/text.h"
#include "tools/report/study/study.h"
#include "tools/report/study/study_why.h"

#include <jansson.h>
#include <stdlib.h>

/* Of an experiment without cells. */
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

static void print(FILE *out, enum format format, const struct table *table)
{
	if (format == FORMAT_HTML)
		html_table(out, table);
	else if (format == FORMAT_MARKDOWN)
		markdown_table(out, table);
	else
		text_table(out, table);
}

/* A table for each, then the findings of all; what holds for all tables is below the last. */
static void print_tables(FILE *out, enum format format, const struct study *studies, size_t count)
{
	struct table *findings = study_findings(studies, count);

	for (size_t i = 0; i < count; i++) {
		struct table *times = study_times(&studies[i], 1), *why = study_why(&studies[i], 1);

		if (!findings && i + 1 == count)
			study_notes(studies, count, why->row_count > 0 ? why : times);
		print(out, format, times);
		if (why->row_count > 0)
			print(out, format, why);
		table_free(times);
		table_free(why);
	}
	if (findings) {
		study_notes(studies, count, findings);
		print(out, format, findings);
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
		json_object_set_new(one, "overlap", json_of_number(cell->overlap[i]));
		for (enum sample_index k = SAMPLE_LONGEST_WAIT_NS; k < SAMPLES; k++)
			json_object_set_new(one, sample_list[k].name,
					    json_of_number(cell_sample(&cell->why, k)->value[i]));
		json_array_append_new(list, one);
	}
	return list;
}

/* Each cell's row of the table of reasons; what it says in words is of the experiment. */
static void set_why(json_t *all, json_t *cells, const struct study *study)
{
	struct table *why = study_why(study, 1);
	json_t *rows = json_of_table(why), *says = json_array();

	for (size_t i = 0; i < json_array_size(rows); i++) {
		json_t *row = json_array_get(rows, i);

		json_object_del(row, "experiment");
		json_object_del(row, "cell");
		json_object_set(json_array_get(cells, i), "why", row);
	}
	for (size_t i = 0; i < why->footnote_count; i++)
		json_array_append_new(says, json_of_text(why->footnotes[i]));
	json_object_set_new(all, "why", says);
	json_decref(rows);
	table_free(why);
}

/* experiment.json as it is, with what was measured: "times" as the table has them, each cell's
 * "samples", and why: set_why(). */
static json_t *study_json(const struct study *study)
{
	json_t *all = json_deep_copy(study->json), *cells = json_object_get(all, "cells");
	struct table *times = study_times(study, 1);

	json_object_set_new(all, "times", json_of_table(times));
	for (size_t i = 0; i < study->cell_count; i++)
		json_object_set_new(json_array_get(cells, i), "samples",
				    samples_json(&study->cells[i]));
	set_why(all, cells, study);
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

/* Experiments that have cells. csv has one table, a row a cell. */
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
		if (good && read + 1 == count)
			status = write_studies(out, studies, count, format, notes);
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

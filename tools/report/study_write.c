/* SPDX-License-Identifier: MIT */
/*
 * pvspin-report of an experiment's directory: its tables; those of all its parts, where it is
 * several (study); the usual tables of its logs, where it has no cells (sweep).
 */
#include "tools/report/hooks.h"
#include "tools/report/memory.h"
#include "tools/report/notes.h"
#include "tools/report/output.h"
#include "tools/report/status.h"
#include "tools/report/study.h"
#include "tools/report/text.h"

#include <jansson.h>
#include <stdlib.h>

static void print(FILE *out, enum format format, struct table *table)
{
	(void)format;
	if (table)
		text_table(out, table);
	table_free(table);
}

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

/* Tables of experiments that all have cells, and the findings of all of them at the end. */
static void write_studies(FILE *out, const struct study *studies, size_t count, enum format format)
{
	struct table *findings = study_findings(studies, count), *times = NULL;

	for (size_t i = 0; i < count; i++) {
		times = study_times(&studies[i]);
		if (!findings && i + 1 == count)
			study_notes(studies, count, times);
		print(out, format, times);
	}
	if (findings)
		study_notes(studies, count, findings);
	print(out, format, findings);
}

static int write_notes(FILE *out, enum format format, const struct notes *notes)
{
	int status = STATUS_OK;

	for (size_t i = 0; i < notes->count; i++) {
		if (format == FORMAT_TEXT)
			text_line(out, notes->list[i].text);
		if (notes->list[i].damage)
			status = STATUS_DAMAGED;
	}
	return status;
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
			write_studies(out, studies, count, format);
			status = write_notes(out, format, notes);
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
			write_studies(out, &study, 1, format);
			status = write_notes(out, format, &notes);
		}
	}
	study_free(&study);
	notes_free(&notes);
	return status;
}

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

static int write_cells(FILE *out, const struct study *study, enum format format,
		       const struct notes *notes)
{
	int status = STATUS_OK;

	print(out, format, study_times(study));
	print(out, format, study_findings(study));
	for (size_t i = 0; i < notes->count; i++) {
		if (format == FORMAT_TEXT)
			text_line(out, notes->list[i].text);
		if (notes->list[i].damage)
			status = STATUS_DAMAGED;
	}
	return status;
}

/* The worst: unreadable, damaged, ok. */
static int worse(int a, int b)
{
	return a > b ? a : b;
}

static int write_parts(FILE *out, const struct study *study, enum format format)
{
	json_t *parts = json_object_get(study->json, "parts");
	int status = STATUS_OK;

	for (size_t i = 0; i < json_array_size(parts); i++) {
		const char *name = json_string_value(json_array_get(parts, i));
		char *directory = memory_print("%s/%s", study->path, name ? name : "");

		status = worse(status, study_write(out, directory, format));
		free(directory);
	}
	return status;
}

int study_write(FILE *out, const char *directory, enum format format)
{
	struct notes notes = {0};
	struct study study;
	int status;

	if (!study_read(directory, &study, &notes))
		status = STATUS_UNREADABLE;
	else if (json_array_size(json_object_get(study.json, "parts")) > 0)
		status = write_parts(out, &study, format);
	else if (study.summary)
		status = write_summary(out, directory, format);
	else
		status = write_cells(out, &study, format, &notes);
	study_free(&study);
	notes_free(&notes);
	return status;
}

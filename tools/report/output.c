/* SPDX-License-Identifier: MIT */
/* The formats: see output.h. */
#include "tools/report/output.h"

#include "tools/report/format.h"
#include "tools/report/identity.h"
#include "tools/report/limits.h"
#include "tools/report/notes.h"
#include "tools/report/summary.h"
#include "tools/report/text.h"

#include <stdlib.h>

static void print_notes(FILE *out, const char *title, const struct notes *notes)
{
	if (notes->count == 0)
		return;
	fprintf(out, "%s\n", title);
	for (size_t i = 0; i < notes->count; i++)
		text_line(out, notes->list[i].text);
	if (notes->hidden > 0)
		fprintf(out, "- and %zu more\n", notes->hidden);
	fputc('\n', out);
}

/* "accel hosted, 2 logs (1 damaged), pvspin v0.3; ms=300 latency=on" */
static void print_head(FILE *out, const struct set *set)
{
	char *settings = identity_common_settings(set);
	size_t damaged = 0;

	for (size_t i = 0; i < set->log_count; i++)
		damaged += !set->logs[i].complete;
	format_safe(out, set->name);
	fprintf(out, ": accel %s, %zu log%s", set->accel, set->log_count,
		set->log_count == 1 ? "" : "s");
	if (damaged > 0)
		fprintf(out, " (%zu DAMAGED)", damaged);
	fputs(settings[0] ? "; " : "", out);
	format_safe(out, settings);
	fputs("\n\n", out);
	free(settings);
}

static void print_text(FILE *out, const struct set *set)
{
	struct table *table[SUMMARY_TABLES];
	size_t count = summary_tables(set, table);
	struct notes limits = {0};

	limits_of(set, &limits);
	if (count > 0)
		print_head(out, set);
	for (size_t i = 0; i < count; i++) {
		text_table(out, table[i]);
		table_free(table[i]);
	}
	if (count == 0)
		fputs("There is no measurement in these logs.\n\n", out);
	print_notes(out, "What these figures may not be used for:", &limits);
	print_notes(out, "Left out, or doubtful:", &set->notes);
	notes_free(&limits);
}

bool output_set(FILE *out, enum format format, const struct set *set)
{
	(void)format;
	print_text(out, set);
	return true;
}

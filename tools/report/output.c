/* SPDX-License-Identifier: MIT */
/* The formats: see output.h. */
#include "tools/report/output.h"

#include "tools/report/limits.h"
#include "tools/report/notes.h"
#include "tools/report/summary.h"
#include "tools/report/text.h"

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

static void print_text(FILE *out, const struct set *set)
{
	struct table *table[SUMMARY_TABLES];
	size_t count = summary_tables(set, table);
	struct notes limits = {0};

	limits_of(set, &limits);
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

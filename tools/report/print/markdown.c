/* SPDX-License-Identifier: MIT */
/* Tables as Markdown (GitHub's pipe tables): see text.h. */
#include "tools/report/base/format.h"
#include "tools/report/print/text.h"

#include <stdlib.h>
#include <string.h>

/* Without control characters, and without what Markdown or HTML would take for markup. */
static void put(FILE *out, const char *text)
{
	char *safe = format_copy(text);

	for (const char *at = safe; *at != '\0'; at++) {
		if (*at == '<')
			fputs("&lt;", out);
		else if (*at == '&')
			fputs("&amp;", out);
		else if (strchr("|\\`*_[]", *at))
			fprintf(out, "\\%c", *at);
		else
			fputc(*at, out);
	}
	free(safe);
}

static void put_head(FILE *out, const struct table *table)
{
	for (size_t i = 0; i < table->column_count; i++) {
		if (table_same(table, i))
			continue;
		fputs("| ", out);
		put(out, table->columns[i].name);
		if (table->columns[i].unit[0] != '\0') {
			fputs(" (", out);
			put(out, table->columns[i].unit);
			fputc(')', out);
		}
		fputc(' ', out);
	}
	fputs("|\n", out);
	for (size_t i = 0; i < table->column_count; i++) {
		if (!table_same(table, i))
			fputs(table->columns[i].text ? "|---" : "|--:", out);
	}
	fputs("|\n", out);
}

static void put_same(FILE *out, const struct table *table)
{
	char *common = table_common(table);

	put(out, common);
	fputs(common[0] ? "\n\n" : "", out);
	free(common);
}

void markdown_table(FILE *out, const struct table *table)
{
	fputs("### ", out);
	put(out, table->title);
	fputs("\n\n", out);
	put_same(out, table);
	put_head(out, table);
	for (size_t row = 0; row < table->row_count; row++) {
		for (size_t i = 0; i < table->column_count; i++) {
			if (table_same(table, i))
				continue;
			fputs("| ", out);
			put(out, table_at(table, row, i)->text);
			fputc(' ', out);
		}
		fputs("|\n", out);
	}
	fputc('\n', out);
	for (size_t i = 0; i < table->footnote_count; i++) {
		put(out, table->footnotes[i]);
		fputs("\n\n", out);
	}
}

void markdown_line(FILE *out, const char *line)
{
	fputs("- ", out);
	put(out, line);
	fputc('\n', out);
}

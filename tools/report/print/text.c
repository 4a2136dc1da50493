/* SPDX-License-Identifier: MIT */
/* Tables as text and as Markdown: see print.h. In text, words are left-aligned and numbers
 * right-aligned, with two spaces between columns. */
#include "tools/report/base/format.h"
#include "tools/report/base/system.h"
#include "tools/report/print/print.h"

#include <stdlib.h>
#include <string.h>

#define LINE_COLUMNS 100

static void print_same(FILE *out, const struct table *table)
{
	char *common = table_common(table);

	fputs(common[0] ? ": " : "", out);
	format_safe(out, common);
	fputc('\n', out);
	free(common);
}

static void pad(FILE *out, const char *text, size_t width, bool left)
{
	size_t used = format_width(text), spaces = width > used ? width - used : 0;

	if (left)
		format_safe(out, text);
	fprintf(out, "%*s", (int)spaces, "");
	if (!left)
		format_safe(out, text);
}

static size_t *widths(const struct table *table)
{
	size_t *width = memory_new(table->column_count, sizeof(*width));

	for (size_t i = 0; i < table->column_count; i++) {
		size_t unit = format_width(table->columns[i].unit);

		width[i] = format_width(table->columns[i].name);
		width[i] = unit > width[i] ? unit : width[i];
		for (size_t row = 0; row < table->row_count; row++) {
			size_t cell = format_width(table_at(table, row, i)->text);

			width[i] = cell > width[i] ? cell : width[i];
		}
	}
	return width;
}

/* print_row() prints a row of the table, or one of these. */
enum { ROW_NAMES = -2, ROW_UNITS = -1 };

static void print_row(FILE *out, const struct table *table, const size_t *width, long row)
{
	const char *space = "";
	size_t last = table->column_count - 1;

	while (last > 0 && table_same(table, last))
		last--;
	for (size_t i = 0; i <= last; i++) {
		const struct table_column *column = &table->columns[i];
		const char *text = row == ROW_NAMES   ? column->name
				   : row == ROW_UNITS ? column->unit
						      : table_at(table, (size_t)row, i)->text;

		if (table_same(table, i))
			continue;
		fputs(space, out);
		pad(out, text, column->text && i == last ? 0 : width[i], column->text);
		space = "  ";
	}
	fputc('\n', out);
}

static bool has_units(const struct table *table)
{
	for (size_t i = 0; i < table->column_count; i++) {
		if (table->columns[i].unit[0] != '\0')
			return true;
	}
	return false;
}

void text_table(FILE *out, const struct table *table)
{
	size_t *width = widths(table);

	format_safe(out, table->title);
	print_same(out, table);
	print_row(out, table, width, ROW_NAMES);
	if (has_units(table))
		print_row(out, table, width, ROW_UNITS);
	for (size_t row = 0; row < table->row_count; row++)
		print_row(out, table, width, (long)row);
	for (size_t i = 0; i < table->footnote_count; i++) {
		format_safe(out, table->footnotes[i]);
		fputc('\n', out);
	}
	fputc('\n', out);
	free(width);
}

/* Breaks lines only at spaces, so a word longer than a line stays whole. */
void text_line(FILE *out, const char *line)
{
	size_t used = 1;
	char *copy = memory_copy(line), *rest = copy, *word;

	fputc('-', out);
	while ((word = strsep(&rest, " ")) != NULL) {
		size_t length = format_width(word);

		if (used + 1 + length > LINE_COLUMNS && used > 2) {
			fputs("\n ", out);
			used = 1;
		}
		fputc(' ', out);
		format_safe(out, word);
		used += 1 + length;
	}
	fputc('\n', out);
	free(copy);
}

/* ---- Markdown: GitHub's pipe tables ---- */

/* Prints text with control characters and the markup of Markdown and HTML escaped. */
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

/* SPDX-License-Identifier: MIT */
/* See table.h. */
#include "tools/report/tables/table.h"

#include "tools/report/base/format.h"
#include "tools/report/base/system.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CELL_BYTES     128
#define FOOTNOTE_BYTES 1024

struct table *table_new(const char *title, const struct table_column *columns, size_t count)
{
	struct table *table = memory_new(1, sizeof(*table));

	table->title = memory_copy(title);
	table->columns = memory_new(count, sizeof(columns[0]));
	memcpy(table->columns, columns, count * sizeof(columns[0]));
	table->column_count = count;
	return table;
}

static void add_cell(struct table *table, const char *text, double number)
{
	table->cells = memory_grow(table->cells, table->filled, sizeof(table->cells[0]));
	table->cells[table->filled++] = (struct table_cell){memory_copy(text), number};
	table->row_count = table->filled / table->column_count;
}

void table_text(struct table *table, const char *text)
{
	add_cell(table, text, NAN);
}

void table_number(struct table *table, double number, const char *format, ...)
{
	char text[CELL_BYTES];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	add_cell(table, isnan(number) ? "-" : text, number);
}

void table_count(struct table *table, double value)
{
	char text[FORMAT_BYTES];

	table_number(table, value, "%s", format_count(text, value));
}

void table_ns(struct table *table, double ns)
{
	char text[FORMAT_BYTES];

	table_number(table, ns, "%s", format_ns(text, ns));
}

void table_percent(struct table *table, double percent)
{
	table_number(table, percent, percent < 9.95 ? "%.1f" : "%.0f", percent);
}

void table_footnote(struct table *table, const char *format, ...)
{
	char text[FOOTNOTE_BYTES];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	table->footnotes =
		memory_grow(table->footnotes, table->footnote_count, sizeof(table->footnotes[0]));
	table->footnotes[table->footnote_count++] = memory_copy(text);
}

void table_free(struct table *table)
{
	if (table == NULL)
		return;
	for (size_t i = 0; i < table->filled; i++)
		free(table->cells[i].text);
	for (size_t i = 0; i < table->footnote_count; i++)
		free(table->footnotes[i]);
	free(table->cells);
	free(table->footnotes);
	free(table->columns);
	free(table->title);
	free(table);
}

const struct table_cell *table_at(const struct table *table, size_t row, size_t column)
{
	return &table->cells[row * table->column_count + column];
}

bool table_same(const struct table *table, size_t column)
{
	if (!table->columns[column].identity)
		return false;
	for (size_t row = 1; row < table->row_count; row++) {
		if (strcmp(table_at(table, row, column)->text, table_at(table, 0, column)->text) !=
		    0)
			return false;
	}
	return true;
}

char *table_common(const struct table *table)
{
	char *line = memory_copy("");

	for (size_t i = 0; i < table->column_count && table->row_count > 0; i++) {
		const char *text = table_at(table, 0, i)->text;

		if (table_same(table, i) && text[0] != '\0')
			memory_append(&line, "%s%s %s", line[0] ? ", " : "", table->columns[i].name,
				      text);
	}
	return line;
}

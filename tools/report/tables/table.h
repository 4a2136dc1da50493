/* SPDX-License-Identifier: MIT */
/*
 * A table, which summary.c, compare.c and study/ fill and print/ and html/ print. A cell has text
 * for people, and the number, if there is one, for csv and json.
 */
#ifndef PVSPIN_TOOLS_REPORT_TABLES_TABLE_H
#define PVSPIN_TOOLS_REPORT_TABLES_TABLE_H

#include <stdbool.h>
#include <stddef.h>

struct table_column {
	const char *name; /* for people: "wait p99" */
	const char *unit; /* "ns", "ops/s", "%", or "" */
	const char *key;  /* for csv, json: "wait_p99_ns" */
	bool text;        /* words, left-aligned; else numbers */
	/* Says which cell the row is, not what was measured. If all rows have the same value,
	 * printers for people print it once, above the table: table_same(). */
	bool identity;
};

struct table_cell {
	char *text;    /* for people: "1.23 M" */
	double number; /* NAN: there is none */
};

struct table {
	char *title;
	struct table_column *columns; /* a copy; the strings are constants */
	size_t column_count;
	struct table_cell *cells; /* row by row */
	size_t filled;            /* number of cells so far */
	size_t row_count;
	char **footnotes;
	size_t footnote_count;
};

/* Copies the columns, but not their strings. */
struct table *table_new(const char *title, const struct table_column *columns, size_t count);
/* Add the next cell, row by row. They copy the text. */
void table_text(struct table *table, const char *text);
void table_number(struct table *table, double number, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The text is that of format_count() or format_ns(); a percentage below 10 has one decimal. */
void table_count(struct table *table, double value);
void table_ns(struct table *table, double ns);
void table_percent(struct table *table, double percent);
void table_footnote(struct table *table, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void table_free(struct table *table);

const struct table_cell *table_at(const struct table *table, size_t row, size_t column);
/* True for an identity column in which all rows have the same text. */
bool table_same(const struct table *table, size_t column);
/* Returns the columns with table_same() in one line, "threads 4, hold 100", or "". Does not escape
 * it. The caller frees it. */
char *table_common(const struct table *table);

#endif

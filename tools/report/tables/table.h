/* SPDX-License-Identifier: MIT */
/*
 * A table between those who compute (summary.c, compare.c, study/) and those who print (print/,
 * html/): titled columns, cells with text for people and, where there
 * is one, the number itself for csv and json.
 */
#ifndef PVSPIN_TOOLS_REPORT_TABLES_TABLE_H
#define PVSPIN_TOOLS_REPORT_TABLES_TABLE_H

#include <stdbool.h>
#include <stddef.h>

struct table_column {
	const char *name; /* for people: "wait p99" */
	const char *unit; /* "ns", "ops/s", "%", or "" */
	const char *key;  /* for csv, json: "wait_p99_ns" */
	bool text;        /* left-aligned words, no number */
	/* Says what the row is, not how it did. Printers for people name it once, above the table,
	 * where all rows have the same: table_same(). */
	bool identity;
};

struct table_cell {
	char *text;    /* as people read it, "1.23 M" */
	double number; /* NAN: none */
};

struct table {
	char *title;
	struct table_column *columns; /* a copy; the strings are constants */
	size_t column_count;
	struct table_cell *cells; /* row by row */
	size_t filled;            /* cells so far */
	size_t row_count;
	char **footnotes;
	size_t footnote_count;
};

/* The strings of the columns are constants of who computes. */
struct table *table_new(const char *title, const struct table_column *columns, size_t count);
/* Adds the next cell, row by row. Text is copied. */
void table_text(struct table *table, const char *text);
void table_number(struct table *table, double number, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* As people read it: format_count(), format_ns(); a percentage with one decimal below 10. */
void table_count(struct table *table, double value);
void table_ns(struct table *table, double ns);
void table_percent(struct table *table, double percent);
void table_footnote(struct table *table, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void table_free(struct table *table);

const struct table_cell *table_at(const struct table *table, size_t row, size_t column);
/* An identity column of which all rows have the same text. */
bool table_same(const struct table *table, size_t column);
/* Those columns in one line, "threads 4, hold 100", or ""; to be freed. Not escaped. */
char *table_common(const struct table *table);

#endif

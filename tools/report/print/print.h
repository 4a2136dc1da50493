/* SPDX-License-Identifier: MIT */
/* A set, or a comparison of two, in the format that was asked for. */
#ifndef PVSPIN_TOOLS_REPORT_PRINT_PRINT_H
#define PVSPIN_TOOLS_REPORT_PRINT_PRINT_H

#include "tools/report/base/data.h"
#include "tools/report/tables/table.h"

#include <stdio.h>

enum format { FORMAT_TEXT, FORMAT_MARKDOWN, FORMAT_CSV, FORMAT_JSON, FORMAT_HTML, FORMATS };

/* False, with a message on stderr: it could not be written. */
bool output_set(FILE *out, enum format format, const struct set *set);
bool output_comparison(FILE *out, enum format format, const struct set pair[2]);

/* Tables as text for a terminal, and as Markdown. */
void text_table(FILE *out, const struct table *table);
void text_line(FILE *out, const char *line); /* "- line", wrapped */
void markdown_table(FILE *out, const struct table *table);
void markdown_line(FILE *out, const char *line);

/* What programs read: csv and JSON, of tables and of sets; docs/report.md describes both. A csv
 * table has one header line of keys, then the rows; quoted as RFC 4180 says, but lines end in LF.
 */
void csv_table(FILE *out, const struct table *table);

/* Every value of every cell in one table, for csv. */
struct table *wide_table(const struct set *set);

/* A list of objects: numbers where there is one, else strings; null for none. */
json_t *json_of_table(const struct table *table);
/* All of a set but its records. */
json_t *json_of_set(const struct set *set);
/* A string; bytes that are not UTF-8 as \xHH. */
json_t *json_of_text(const char *text);
/* A number; null for NAN and infinity, which JSON does not have. */
json_t *json_of_number(double number);

#endif

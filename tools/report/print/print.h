/* SPDX-License-Identifier: MIT */
/* Prints a set, or a comparison of two sets, in any format. */
#ifndef PVSPIN_TOOLS_REPORT_PRINT_PRINT_H
#define PVSPIN_TOOLS_REPORT_PRINT_PRINT_H

#include "tools/report/base/data.h"
#include "tools/report/tables/table.h"

#include <stdio.h>

enum format { FORMAT_TEXT, FORMAT_MARKDOWN, FORMAT_CSV, FORMAT_JSON, FORMAT_HTML, FORMATS };

/* Return false, after a message on stderr, if writing fails. */
bool output_set(FILE *out, enum format format, const struct set *set);
bool output_comparison(FILE *out, enum format format, const struct set pair[2]);

/* Text for a terminal, and Markdown. */
void text_table(FILE *out, const struct table *table);
/* Prints "- line", wrapped. */
void text_line(FILE *out, const char *line);
void markdown_table(FILE *out, const struct table *table);
void markdown_line(FILE *out, const char *line);

/* Formats for programs: csv and JSON, see docs/report.md. A csv table has a header line of keys,
 * then the rows, quoted as in RFC 4180; but lines end in LF. */
void csv_table(FILE *out, const struct table *table);

/* Makes one table of all values of all cells, for csv. */
struct table *wide_table(const struct set *set);

/* Makes a list of objects, one for each row: numbers or strings, null if there is no value. */
json_t *json_of_table(const struct table *table);
/* Makes an object of a set without its records. */
json_t *json_of_set(const struct set *set);
json_t *json_of_notes(const struct notes *notes);
/* Makes a string; bytes that are not UTF-8 become \xHH. */
json_t *json_of_text(const char *text);
/* Makes a number; null for NAN and infinity, which JSON does not have. */
json_t *json_of_number(double number);

#endif

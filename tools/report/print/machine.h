/* SPDX-License-Identifier: MIT */
/* What programs read: csv and JSON, of tables and of sets. docs/report.md describes both. */
#ifndef PVSPIN_TOOLS_REPORT_PRINT_MACHINE_H
#define PVSPIN_TOOLS_REPORT_PRINT_MACHINE_H

#include "tools/report/base/data.h"
#include "tools/report/tables/table.h"

#include <stdio.h>

/* One header line of keys, then the rows; quoted as RFC 4180 says, but lines end in LF. */
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

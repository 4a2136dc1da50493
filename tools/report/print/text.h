/* SPDX-License-Identifier: MIT */
/* Tables as text for a terminal, and as Markdown. */
#ifndef PVSPIN_TOOLS_REPORT_PRINT_TEXT_H
#define PVSPIN_TOOLS_REPORT_PRINT_TEXT_H

#include "tools/report/tables/table.h"

#include <stdio.h>

void text_table(FILE *out, const struct table *table);
void text_line(FILE *out, const char *line); /* "- line", wrapped */
void markdown_table(FILE *out, const struct table *table);
void markdown_line(FILE *out, const char *line);

#endif

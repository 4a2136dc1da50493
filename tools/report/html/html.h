/* SPDX-License-Identifier: MIT */
/*
 * Prints a set, or a comparison, as one HTML page that has no script and loads nothing. page.c has
 * the order of the page, parts.c its parts, svg.c its pictures. Every string from a log goes
 * through escape_html().
 */
#ifndef PVSPIN_TOOLS_REPORT_HTML_HTML_H
#define PVSPIN_TOOLS_REPORT_HTML_HTML_H

#include "tools/report/base/data.h"
#include "tools/report/plot/plot.h"
#include "tools/report/tables/table.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Writes the page of one set, or of the two sets of a comparison. Returns false if that fails. */
bool html_write(FILE *out, const struct set *sets, size_t count);

/* Name and version, for the footer; main() sets it. */
extern const char *html_program;

/* The window's title begins with `name`, the name of the logs; NULL: none. */
void html_begin(FILE *out, const char *title, const char *name);
void html_end(FILE *out);

/* Writes a table in a box that scrolls sideways if the page is narrow. */
void html_table(FILE *out, const struct table *table);

/* Writes notes as a list under a heading, or nothing if there are none. `class`: "warning" or "".
 */
void html_notes(FILE *out, const char *heading, const char *class, const struct notes *notes);

/* Writes plots, and the reasons for missing ones. `number`, of the set, makes their IDs unique. */
void html_plot_list(FILE *out, const struct plots *plots, size_t number);

/* Writes gnuplot's SVG as an element of the page: IDs get `prefix`, and black becomes the colour of
 * the text. Leaves out elements that are not part of a drawing. */
void html_svg(FILE *out, const char *svg, const char *prefix, const char *label);

#endif

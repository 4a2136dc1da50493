/* SPDX-License-Identifier: MIT */
/*
 * The report as one HTML page: no script, no network, nothing outside of the file. page.c has the
 * page of one or two sets, parts.c what every page is made of, svg.c the pictures. Whatever comes
 * from logs goes through escape_html().
 */
#ifndef PVSPIN_TOOLS_REPORT_HTML_HTML_H
#define PVSPIN_TOOLS_REPORT_HTML_HTML_H

#include "tools/report/base/data.h"
#include "tools/report/plot/plot.h"
#include "tools/report/tables/table.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* The page of one set, or of the two of a comparison. False: it could not be written. */
bool html_write(FILE *out, const struct set *sets, size_t count);

extern const char *html_program; /* name and version, in the footer; main() sets it */

/* name: of the logs, for the window's title; NULL: none */
void html_begin(FILE *out, const char *title, const char *name);
void html_end(FILE *out);

/* A table in a box that scrolls sideways where the page is narrow. */
void html_table(FILE *out, const struct table *table);

/* A list under a heading; nothing if there are none. `class`: "warning", or "". */
void html_notes(FILE *out, const char *heading, const char *class, const struct notes *notes);

/* Plots, and what could not be drawn. `number`: of the set, for names that are its own. */
void html_plot_list(FILE *out, const struct plots *plots, size_t number);

/* gnuplot's SVG as an element of the page: names get `prefix`, black becomes the text's colour;
 * what is no element of a drawing is left out. */
void html_svg(FILE *out, const char *svg, const char *prefix, const char *label);

#endif

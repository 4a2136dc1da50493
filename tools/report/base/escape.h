/* SPDX-License-Identifier: MIT */
/*
 * Strings from logs on their way into a page or into gnuplot. Nobody vouches for them: a lock may
 * be called <script>, or hold a newline and a gnuplot command. Both functions write valid UTF-8;
 * bytes that are not, control characters and those that turn the direction of writing become
 * U+FFFD.
 */
#ifndef PVSPIN_TOOLS_REPORT_BASE_ESCAPE_H
#define PVSPIN_TOOLS_REPORT_BASE_ESCAPE_H

#include <stddef.h>
#include <stdio.h>

#define ESCAPE_WHOLE ((size_t)-1)

/* For HTML: text, and attribute values in quotes of either kind. Newlines and tabs stay. */
void escape_html(FILE *out, const char *text);

/* For gnuplot: a literal with its single quotes, in which nothing is expanded. At most `columns`
 * characters, the last a "..." where there are more. */
void escape_gnuplot(FILE *out, const char *text, size_t columns);

/* The same for a tic's label, in which gnuplot expands %g and its like. */
void escape_gnuplot_tic(FILE *out, const char *text, size_t columns);

#endif

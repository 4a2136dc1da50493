/* SPDX-License-Identifier: MIT */
/*
 * Numbers for people, and strings from logs on their way to a terminal, into a page or into
 * gnuplot. Nobody vouches for them: a lock may be called <script>, or hold a newline and a gnuplot
 * command.
 */
#ifndef PVSPIN_TOOLS_REPORT_BASE_FORMAT_H
#define PVSPIN_TOOLS_REPORT_BASE_FORMAT_H

#include <stddef.h>
#include <stdio.h>

#define FORMAT_BYTES 32

/* Three digits and a unit of 1000^n: "38.4", "99999", "4.03 M", "126 M"; "-" for NAN. */
const char *format_count(char text[FORMAT_BYTES], double value);
/* "840 ns", "1.23 us", "534 ms", "2.10 s". */
const char *format_ns(char text[FORMAT_BYTES], double ns);

/* Prints what may come from a log: control characters, and bytes that are not UTF-8, as \xHH, so
 * that no log can send commands to a terminal. */
void format_safe(FILE *out, const char *text);
/* The same as a string; freed by the caller. */
char *format_copy(const char *text);
/* How many columns format_safe() takes on a terminal, if each character takes one. */
size_t format_width(const char *text);

/* The following write valid UTF-8; bytes that are not, control characters and those that turn the
 * direction of writing become U+FFFD. */

/* For HTML: text, and attribute values in quotes of either kind. Newlines and tabs stay. */
void escape_html(FILE *out, const char *text);

#define ESCAPE_WHOLE ((size_t)-1)

/* For gnuplot: a literal with its single quotes, in which nothing is expanded. At most `columns`
 * characters, the last a "..." where there are more. */
void escape_gnuplot(FILE *out, const char *text, size_t columns);

/* The same for a tic's label, in which gnuplot expands %g and its like. */
void escape_gnuplot_tic(FILE *out, const char *text, size_t columns);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Formats numbers for people, and strings from logs for a terminal, a page or gnuplot. Such strings
 * are not trusted: a lock may be called <script>, or its name may contain a newline and a gnuplot
 * command.
 */
#ifndef PVSPIN_TOOLS_REPORT_BASE_FORMAT_H
#define PVSPIN_TOOLS_REPORT_BASE_FORMAT_H

#include <stddef.h>
#include <stdio.h>

#define FORMAT_BYTES 32

/* Three digits or a small integer, and a unit of 1000^n: "38.4", "99999", "4.03 M"; "-" for NAN. */
const char *format_count(char text[FORMAT_BYTES], double value);
/* "840 ns", "1.23 us", "534 ms", "2.10 s". */
const char *format_ns(char text[FORMAT_BYTES], double ns);

/* Prints a string from a log: control characters, and bytes that are not UTF-8, as \xHH, so that no
 * log can send commands to a terminal. */
void format_safe(FILE *out, const char *text);
/* The same as a string; freed by the caller. */
char *format_copy(const char *text);
/* How many columns format_safe() takes on a terminal, if each character takes one. */
size_t format_width(const char *text);

/* The following write valid UTF-8: invalid bytes, control characters and characters that change the
 * direction of writing become U+FFFD. */

/* For HTML: text, and attribute values in quotes of either kind. Newlines and tabs stay. */
void escape_html(FILE *out, const char *text);

#define ESCAPE_WHOLE ((size_t)-1)

/* For gnuplot: a literal in single quotes, in which gnuplot expands nothing. It has at most
 * `columns` characters; a longer text is cut and ends in an ellipsis. */
void escape_gnuplot(FILE *out, const char *text, size_t columns);

/* The same for a tic's label, in which gnuplot would expand %g and the like. */
void escape_gnuplot_tic(FILE *out, const char *text, size_t columns);

#endif

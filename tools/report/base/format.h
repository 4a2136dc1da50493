/* SPDX-License-Identifier: MIT */
/* Numbers and strings for people's eyes. */
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

#endif

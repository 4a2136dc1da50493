/* SPDX-License-Identifier: MIT */
/* A line of text for people in the log: anything that does not start with '{' or look like TAP. */
#ifndef PVSPIN_BENCH_SAY_H
#define PVSPIN_BENCH_SAY_H

#define SAY_BYTES 2112 /* longest line, newline included; longer ones are cut */

/* Appends one line; the newline is added. CPU 0, outside measured phases. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif

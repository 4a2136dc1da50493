/* SPDX-License-Identifier: MIT */
/*
 * The log: records (record.h) and lines of text for people. In the guest kernel/log.c implements
 * log_write() and log_flush(); elsewhere the port does.
 */
#ifndef PVSPIN_LIB_LOG_H
#define PVSPIN_LIB_LOG_H

#include <stddef.h>

/* Appends to memory only, so it costs no VM exit and no system call. */
void log_write(const char *bytes, size_t count);

/* Writes out what has been appended: never inside a measured phase. */
void log_flush(void);

#define LOG_LINE_BYTES 2112 /* longest line, newline included; longer ones are cut */

/* Appends one line of text; the newline is added. Text does not start with '{', nor look like TAP
 * unless it is TAP. CPU 0, outside measured phases. */
void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif

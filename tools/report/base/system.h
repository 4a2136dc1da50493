/* SPDX-License-Identifier: MIT */
/* Memory and files: what every part of the analyser asks of the system. */
#ifndef PVSPIN_TOOLS_REPORT_BASE_SYSTEM_H
#define PVSPIN_TOOLS_REPORT_BASE_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Allocation ends the program with a message, status 4, when there is no memory. Zeroed. */
void *memory_new(size_t count, size_t size);
void *memory_resize(void *memory, size_t size);
char *memory_copy(const char *text);
/* As sprintf into fresh memory; behind what *text has already, which may move. */
char *memory_print(const char *format, ...) __attribute__((format(printf, 1, 2)));
void memory_append(char **text, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* open_memstream(). */
FILE *memory_stream(char **text, size_t *bytes);

/* Room for one more element behind `count` of `size` bytes, in an array that is only ever grown by
 * this function. */
void *memory_grow(void *list, size_t count, size_t size);

/* Says on stderr what errno says of a file; false. */
bool file_error(const char *path);
/* False, with a message: it could not be written. */
bool file_write(const char *path, const char *content, size_t bytes);

#endif

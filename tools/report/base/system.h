/* SPDX-License-Identifier: MIT */
/* Memory and files for all parts of the analyser. */
#ifndef PVSPIN_TOOLS_REPORT_BASE_SYSTEM_H
#define PVSPIN_TOOLS_REPORT_BASE_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* If there is no memory, these functions end the program with a message and status 4. */

/* Returns zeroed memory. */
void *memory_new(size_t count, size_t size);
void *memory_resize(void *memory, size_t size);
char *memory_copy(const char *text);
/* sprintf into new memory. */
char *memory_print(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Appends to *text, which may move. */
void memory_append(char **text, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* open_memstream(). */
FILE *memory_stream(char **text, size_t *bytes);

/* Returns `list` with room for one more element of `size` bytes after `count` elements. Only this
 * function may have allocated the list; NULL is an empty one. */
void *memory_grow(void *list, size_t count, size_t size);

/* Prints the error in errno for a file. Returns false. */
bool file_error(const char *path);
/* Writes a whole file. Returns false after a message if that fails. */
bool file_write(const char *path, const char *content, size_t bytes);

#endif

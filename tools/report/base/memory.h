/* SPDX-License-Identifier: MIT */
/* Allocation that ends the program with a message, status 4, when there is no memory. */
#ifndef PVSPIN_TOOLS_REPORT_BASE_MEMORY_H
#define PVSPIN_TOOLS_REPORT_BASE_MEMORY_H

#include <stddef.h>

/* Zeroed. */
void *memory_new(size_t count, size_t size);
void *memory_resize(void *memory, size_t size);
char *memory_copy(const char *text);
/* As sprintf into fresh memory. */
char *memory_print(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Room for one more element behind `count` of `size` bytes, in an array that is only ever grown by
 * this function. */
void *memory_grow(void *list, size_t count, size_t size);

#endif

/* SPDX-License-Identifier: MIT */
/* The part of C's <string.h> that a freestanding build needs; same contracts. The compiler may
 * call the mem* functions by itself. */
#ifndef PVSPIN_LIB_STRING_H
#define PVSPIN_LIB_STRING_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t count);
void *memmove(void *to, const void *from, size_t count);
void *memset(void *to, int byte, size_t count);
int memcmp(const void *a, const void *b, size_t count);
size_t strlen(const char *text);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t count);

#endif

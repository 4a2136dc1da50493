/* SPDX-License-Identifier: MIT */
/* Allocation that cannot fail: see memory.h. */
#include "tools/report/base/memory.h"

#include "tools/report/base/status.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *or_exit(void *memory)
{
	if (memory == NULL) {
		fprintf(stderr, "pvspin-report: out of memory\n");
		exit(STATUS_UNREADABLE);
	}
	return memory;
}

void *memory_new(size_t count, size_t size)
{
	return or_exit(calloc(count ? count : 1, size));
}

void *memory_resize(void *memory, size_t size)
{
	return or_exit(realloc(memory, size));
}

char *memory_copy(const char *text)
{
	return or_exit(strdup(text));
}

char *memory_print(const char *format, ...)
{
	char *text = NULL;
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vasprintf(&text, format, arguments);
	va_end(arguments);
	return or_exit(length < 0 ? NULL : text);
}

/* Capacities are the powers of two, so the count says when one is used up. */
void *memory_grow(void *list, size_t count, size_t size)
{
	if (count & (count - 1))
		return list;
	return or_exit(reallocarray(list, count ? 2 * count : 1, size));
}

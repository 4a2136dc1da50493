/* SPDX-License-Identifier: MIT */
/* See system.h. */
#include "tools/report/base/system.h"

#include "tools/report/base/data.h"

#include <errno.h>
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

void memory_append(char **text, const char *format, ...)
{
	size_t length = strlen(*text);
	char *more = NULL;
	va_list arguments;
	int added;

	va_start(arguments, format);
	added = vasprintf(&more, format, arguments);
	va_end(arguments);
	or_exit(added < 0 ? NULL : more);
	*text = memory_resize(*text, length + (size_t)added + 1);
	memcpy(*text + length, more, (size_t)added + 1);
	free(more);
}

FILE *memory_stream(char **text, size_t *bytes)
{
	return or_exit(open_memstream(text, bytes));
}

/* Capacities are powers of two, so the array is full when `count` is one. */
void *memory_grow(void *list, size_t count, size_t size)
{
	if (count & (count - 1))
		return list;
	return or_exit(reallocarray(list, count ? 2 * count : 1, size));
}

bool file_error(const char *path)
{
	fprintf(stderr, "pvspin-report: %s: %s\n", path, strerror(errno));
	return false;
}

bool file_write(const char *path, const char *content, size_t bytes)
{
	FILE *file = fopen(path, "wb");
	bool whole;

	if (file == NULL)
		return file_error(path);
	whole = fwrite(content, 1, bytes, file) == bytes;
	if (whole)
		return fclose(file) == 0 || file_error(path);
	file_error(path);
	fclose(file);
	return false;
}

/* SPDX-License-Identifier: MIT */
/* text_of.h; by open_memstream, so that neither a length nor a GNU extension is needed. */
#include "tools/report/text_of.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

char *text_of(const char *format, ...)
{
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);
	va_list arguments;

	if (out == NULL)
		return NULL;
	va_start(arguments, format);
	vfprintf(out, format, arguments);
	va_end(arguments);
	fclose(out);
	return text;
}

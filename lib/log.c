/* SPDX-License-Identifier: MIT */
/* A line of text in the log: see log.h. */
#include "lib/log.h"

#include "lib/printf.h"
#include <stdarg.h>

void log_line(const char *format, ...)
{
	static char line[LOG_LINE_BYTES];
	va_list arguments;
	size_t length;
	int wanted;

	va_start(arguments, format);
	wanted = kvsnprintf(line, sizeof(line) - 1, format, arguments);
	va_end(arguments);
	length = wanted < 0 ? 0 : (size_t)wanted;
	if (length > sizeof(line) - 2)
		length = sizeof(line) - 2;
	line[length++] = '\n';
	log_write(line, length);
}

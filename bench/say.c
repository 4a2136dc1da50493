/* SPDX-License-Identifier: MIT */
/* A line of text for people in the log: see say.h. */
#include "bench/say.h"
#include "lib/printf.h"
#include "port/port.h"
#include <stdarg.h>
#include <stddef.h>

void say(const char *format, ...)
{
	static char line[SAY_BYTES];
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
	port_write(line, length);
}

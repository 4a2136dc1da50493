/* SPDX-License-Identifier: MIT */
/*
 * Assembles lines of input from single bytes. Both LF and CR end a line, because Enter sends CR if
 * no terminal driver translates it, as on a raw line and QEMU's -serial mon:stdio. Empty lines are
 * dropped, so CR LF counts as one end.
 */
#ifndef PVSPIN_PORT_COMMON_LINE_H
#define PVSPIN_PORT_COMMON_LINE_H

#include "lib/string.h"
#include <stdbool.h>
#include <stddef.h>

#define LINE_INPUT_BYTES 256

/* The part of a line that has arrived. Longer lines are cut. */
struct line_input {
	char bytes[LINE_INPUT_BYTES];
	size_t used;
};

/* Ends the line: copies it without its end, cut to `size` - 1 bytes. False if there was no line. */
static inline bool line_end(struct line_input *input, char *line, size_t size)
{
	size_t length = input->used < size - 1 ? input->used : size - 1;

	if (input->used == 0)
		return false;
	memcpy(line, input->bytes, length);
	line[length] = '\0';
	input->used = 0;
	return true;
}

/* Adds a byte. If it ends a line, copies the line as line_end() does and returns true. */
static inline bool line_add(struct line_input *input, char byte, char *line, size_t size)
{
	if (byte == '\n' || byte == '\r')
		return line_end(input, line, size);
	if (input->used < sizeof(input->bytes))
		input->bytes[input->used++] = byte;
	return false;
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The lines of a file, whatever the file is: with bounds on the length of a line, on the bytes read
 * and on the time a pipe may keep us waiting.
 */
#ifndef PVSPIN_TOOLS_REPORT_READ_LINES_H
#define PVSPIN_TOOLS_REPORT_READ_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest line kept. The guest writes none above 16 KiB (RECORD_BYTES of
 * lib/record.h). */
#define LINE_BYTES ((size_t)256 << 10)
/* All that is read of one file. */
#define FILE_BYTES ((uint64_t)1 << 30)
/* How long a pipe may send nothing, 10 s; the tests are less patient. */
extern int lines_pipe_ms;

enum line_result {
	LINE_WHOLE,
	LINE_UNFINISHED, /* the file ends without a newline behind it */
	LINE_TOO_LONG,   /* its first LINE_BYTES */
	LINE_NONE,       /* no more: see lines->error */
};

struct lines {
	int fd;
	char *buffer;
	size_t size;       /* of it: grows up to LINE_BYTES */
	size_t start, end; /* of what is in the buffer and was not handed out */
	bool finished, skipping;
	uint64_t bytes;
	size_t number;     /* of the line handed out last: 1, 2, 3... */
	const char *error; /* NULL: the file was read to its end */
};

/* False: errno says why. Opening a FIFO does not wait for its writer, reading it
 * does. */
bool lines_open(struct lines *lines, const char *path);
/* The line is without newline (a CR before it is white space to JSON), not terminated, and valid
 * until the next call. */
enum line_result lines_next(struct lines *lines, const char **line, size_t *length);
void lines_close(struct lines *lines);

#endif

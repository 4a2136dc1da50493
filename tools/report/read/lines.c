/* SPDX-License-Identifier: MIT */
/* Lines: see read.h. */
#include "tools/report/read/read.h"

#include "tools/report/base/system.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST_BYTES ((size_t)16 << 10) /* enough for every line that the guest writes */

int lines_pipe_ms = 10000;

bool lines_open(struct lines *lines, const char *path)
{
	struct stat stat;

	*lines = (struct lines){.fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)};
	if (lines->fd < 0)
		return false;
	if (fstat(lines->fd, &stat) == 0 && S_ISDIR(stat.st_mode)) {
		close(lines->fd);
		errno = EISDIR;
		return false;
	}
	lines->size = FIRST_BYTES;
	lines->buffer = memory_new(lines->size, 1);
	return true;
}

void lines_close(struct lines *lines)
{
	close(lines->fd);
	free(lines->buffer);
}

/* Returns the number of bytes read; 0 at the end, and 0 with lines->error after an error. */
static size_t read_some(struct lines *lines, char *into, size_t size)
{
	struct pollfd ready = {.fd = lines->fd, .events = POLLIN};
	ssize_t got;

	if (lines->bytes >= FILE_BYTES) {
		lines->error = "longer than 1 GiB: the rest was not read";
		return 0;
	}
	for (;;) {
		int count = poll(&ready, 1, lines_pipe_ms);

		if (count == 0) {
			lines->error = "nothing came for a long time: given up";
			return 0;
		}
		got = count < 0 ? -1 : read(lines->fd, into, size);
		if (got >= 0)
			break;
		if (errno != EINTR && errno != EAGAIN) {
			lines->error = strerror(errno);
			return 0;
		}
	}
	lines->bytes += (uint64_t)got;
	return (size_t)got;
}

static void refill(struct lines *lines)
{
	size_t got;

	memmove(lines->buffer, lines->buffer + lines->start, lines->end - lines->start);
	lines->end -= lines->start;
	lines->start = 0;
	if (lines->end == lines->size) {
		lines->size *= 2;
		lines->buffer = memory_resize(lines->buffer, lines->size);
	}
	got = read_some(lines, lines->buffer + lines->end, lines->size - lines->end);
	lines->end += got;
	lines->finished = got == 0;
}

/* Drops the rest of a line that was too long. */
static void skip_rest(struct lines *lines)
{
	while (lines->skipping) {
		size_t length = lines->end - lines->start;
		char *newline = memchr(lines->buffer + lines->start, '\n', length);

		lines->start = newline ? (size_t)(newline + 1 - lines->buffer) : lines->end;
		lines->skipping = newline == NULL && !lines->finished;
		if (lines->skipping)
			refill(lines);
	}
}

enum line_result lines_next(struct lines *lines, const char **line, size_t *length)
{
	size_t searched = 0;

	skip_rest(lines);
	for (;;) {
		char *start = lines->buffer + lines->start;
		size_t available = lines->end - lines->start;
		char *newline = memchr(start + searched, '\n', available - searched);

		*line = start;
		*length = newline ? (size_t)(newline - start) : available;
		if (newline) {
			lines->start += *length + 1;
			lines->number++;
			return LINE_WHOLE;
		}
		if (available == LINE_BYTES || lines->finished) {
			lines->start = lines->end;
			lines->number += available > 0;
			lines->skipping = !lines->finished;
			if (available == 0)
				return LINE_NONE;
			return lines->finished ? LINE_UNFINISHED : LINE_TOO_LONG;
		}
		searched = available;
		refill(lines);
	}
}

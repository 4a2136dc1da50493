/* SPDX-License-Identifier: MIT */
/* port.h's log and input over Linux: stdout through a buffer in memory, lines from stdin. */
#define _GNU_SOURCE
#include "lib/log.h"
#include "port/common/line.h"
#include "port/port.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static char *log_bytes;
static size_t log_used, log_size;

void log_write(const char *bytes, size_t count)
{
	if (log_size - log_used < count) {
		size_t wanted = (log_used + count) * 2;
		char *grown = realloc(log_bytes, wanted);

		if (!grown) {
			fputs("pvspin: no memory for the log\n", stderr);
			exit(4);
		}
		log_bytes = grown;
		log_size = wanted;
	}
	memcpy(log_bytes + log_used, bytes, count);
	log_used += count;
}

void log_flush(void)
{
	size_t done = 0;

	while (done < log_used) {
		ssize_t n = write(STDOUT_FILENO, log_bytes + done, log_used - done);

		if (n >= 0) {
			done += (size_t)n;
		} else if (errno != EINTR) {
			fprintf(stderr, "pvspin: stdout: %s\n", strerror(errno));
			exit(4);
		}
	}
	log_used = 0;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Reads one byte of stdin; returns PORT_INPUT_LINE if it comes before `deadline`. */
static enum port_input read_byte(char *byte, uint64_t deadline)
{
	for (;;) {
		struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
		uint64_t now = now_ns();
		uint64_t left_ms = now < deadline ? (deadline - now) / 1000000 + 1 : 0;
		ssize_t n;

		if (poll(&input, 1, left_ms > 60000 ? 60000 : (int)left_ms) > 0) {
			n = read(STDIN_FILENO, byte, 1);
			if (n == 1)
				return PORT_INPUT_LINE;
			if (n == 0 || (errno != EINTR && errno != EAGAIN))
				return PORT_INPUT_ENDED;
		}
		if (now >= deadline)
			return PORT_INPUT_LATE;
	}
}

/* Reads byte by byte, so that bytes after the line stay in the pipe; lines are few. The end of the
 * input ends a line, too. */
enum port_input port_read_line(char *line, size_t size, uint64_t timeout_ns)
{
	static struct line_input pending;
	uint64_t now = now_ns();
	uint64_t deadline = timeout_ns > UINT64_MAX - now ? UINT64_MAX : now + timeout_ns;
	enum port_input input;
	char byte;

	while ((input = read_byte(&byte, deadline)) == PORT_INPUT_LINE) {
		if (line_add(&pending, byte, line, size))
			return PORT_INPUT_LINE;
	}
	if (input == PORT_INPUT_ENDED && line_end(&pending, line, size))
		return PORT_INPUT_LINE;
	return input;
}

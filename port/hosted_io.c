/* SPDX-License-Identifier: MIT */
/* port.h's log and input over Linux: stdout through a buffer in memory, lines from stdin. */
#define _GNU_SOURCE
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

void port_write(const char *bytes, size_t count)
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

void port_flush(void)
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

/* One byte of stdin before `deadline`; false if there is none. */
static bool read_byte(char *byte, uint64_t deadline)
{
	for (;;) {
		struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
		uint64_t now = now_ns();
		uint64_t left_ms = now < deadline ? (deadline - now) / 1000000 + 1 : 0;
		ssize_t n;

		if (poll(&input, 1, left_ms > 60000 ? 60000 : (int)left_ms) > 0) {
			n = read(STDIN_FILENO, byte, 1);
			if (n == 1)
				return true;
			if (n == 0 || errno != EINTR)
				return false;
		}
		if (now >= deadline)
			return false;
	}
}

/* Byte by byte: what comes after the line stays in the pipe, and lines are few. The part of a line
 * that has arrived when the time is over is kept for the next call. */
bool port_read_line(char *line, size_t size, uint64_t timeout_ns)
{
	static char kept[256];
	static size_t length;
	uint64_t now = now_ns();
	uint64_t deadline = timeout_ns > UINT64_MAX - now ? UINT64_MAX : now + timeout_ns;
	char byte;

	while (read_byte(&byte, deadline)) {
		if (byte != '\n') {
			if (length < sizeof(kept))
				kept[length++] = byte;
			continue;
		}
		if (size > 0) {
			size_t copied = length < size - 1 ? length : size - 1;

			memcpy(line, kept, copied);
			line[copied] = '\0';
		}
		length = 0;
		return true;
	}
	return false;
}

/* SPDX-License-Identifier: MIT */
/* See log.h. */
#include "sim/log.h"

#include "sim/engine.h"
#include "sim/schedule.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int events = -1;

void log_tell(int descriptor)
{
	events = descriptor;
}

static void write_all(int file, const char *bytes, size_t count)
{
	while (count) {
		ssize_t done = write(file, bytes, count);

		if (done < 0 && errno != EINTR)
			engine_die(4, "cannot write a log: %s", strerror(errno));
		if (done > 0) {
			bytes += done;
			count -= (size_t)done;
		}
	}
}

static void tell(const char *text, int length)
{
	if (events >= 0)
		write_all(events, text, (size_t)length);
}

/* The number behind "NAME": in a record; 0 if there is none. */
static uint64_t number_in(const char *record, const char *name)
{
	const char *at = strstr(record, name);

	return at ? strtoull(at + strlen(name), NULL, 10) : 0;
}

static void note_run(struct vm *vm, const char *record)
{
	const char *lock = strstr(record, "\"lock\":\"");
	char text[160];

	vm->run_start = number_in(record, "\"start_wall_ns\":");
	vm->run_end = number_in(record, "\"end_wall_ns\":");
	schedule_flush();
	lock = lock ? lock + 8 : "-";
	tell(text, snprintf(text, sizeof(text), "run %u %llu %llu %.*s\n", vm->index,
			    (unsigned long long)vm->run_start, (unsigned long long)vm->run_end,
			    (int)strcspn(lock, "\""), lock));
}

static void note(struct vm *vm, const char *line)
{
	char text[64];

	if (strncmp(line, "{\"type\":\"run\"", 13) == 0)
		note_run(vm, line);
	else if (strncmp(line, "{\"type\":\"boot\"", 14) == 0)
		tell(text, snprintf(text, sizeof(text), "boot %u\n", vm->index));
	else if (strncmp(line, "{\"type\":\"end\"", 13) == 0)
		tell(text, snprintf(text, sizeof(text), "end %u\n", vm->index));
}

void log_write(struct vm *vm, const char *bytes, size_t count)
{
	char *text = strndup(bytes, count);

	if (!text)
		engine_die(4, "no memory for a log");
	write_all(vm->log, bytes, count);
	for (char *line = text; *line;) {
		char *end = line + strcspn(line, "\n");
		bool last = *end == '\0';

		*end = '\0';
		note(vm, line);
		line = end + !last;
	}
	free(text);
}

void log_lines_for(struct vm *vm)
{
	size_t used = 0;

	for (uint32_t i = 0; i < engine.vm_count; i++) {
		const struct vm *peer = &engine.vms[i];

		if (peer == vm || peer->run_end == 0)
			continue;
		used += (size_t)snprintf(
			vm->lines + used, sizeof(vm->lines) - used, "peer %u %llu %llu\n", i,
			(unsigned long long)peer->run_start, (unsigned long long)peer->run_end);
	}
	snprintf(vm->lines + used, sizeof(vm->lines) - used, "go\n");
}

/* SPDX-License-Identifier: MIT */
/*
 * The host's side of a trace: perfetto_host() of perfetto.h. A simulator's host-schedule.tsv
 * (sim/schedule.h) has the times of the clock that the logs share. A real host's
 * (tools/run/host-trace.pl) has the host's TSC, and for each VM a line that says how the guest's
 * TSC follows from it.
 */
#include "tools/report/timeline/perfetto.h"

#include "tools/report/base/system.h"
#include <stdlib.h>
#include <string.h>

#define NS_PER_US 1000.0
#define HOST_CPUS 8192 /* the kernel's most (NR_CPUS) */
#define MOST_BITS 63   /* of a TSC ratio's fraction */
#define NUMBERS   5    /* the first fields of a line */

enum track { TRACK_TASKS, TRACK_EXITS, TRACKS };

/* The traced span of time by the file's clock. */
struct window {
	bool tsc;          /* times are the host's TSC, else ns */
	uint64_t from, to; /* guest TSC, or ns; to 0: unknown */
	uint64_t ahead;    /* where it begins in the trace's own time */
	uint64_t offset, ratio;
	unsigned bits;
};

struct slice {
	unsigned long long start, end, cpu, vm, vcpu;
	bool of_vcpu;
	char *what, *detail; /* "" if the file has none */
};

static struct window window_of(const struct writer *writer)
{
	const struct trace_run *run = writer->run;
	struct window window = {0};

	if (run->wall_ns <= 0)
		return window;
	window.ahead = perfetto_ns(writer, run->first);
	window.from = (uint64_t)run->wall_ns +
		      (uint64_t)(trace_us(run, run->start, run->first) * NS_PER_US);
	window.to = window.from + perfetto_ns(writer, run->last) - window.ahead;
	return window;
}

/* Reads a line "# vm ..."; that of the run's own VM sets the clock. */
static void read_clock(const struct writer *writer, const char *line, struct window *window)
{
	unsigned vm, bits;
	long long offset;
	unsigned long long ratio;

	if (sscanf(line, "# vm %u tsc-offset %lld ratio %llu frac %u", &vm, &offset, &ratio,
		   &bits) != 4 ||
	    vm != writer->run->log->instance || bits > MOST_BITS)
		return;
	window->tsc = true;
	window->from = writer->run->first;
	window->to = writer->run->last;
	window->offset = (uint64_t)offset;
	window->ratio = ratio;
	window->bits = bits;
}

static uint64_t clock_of(const struct window *window, uint64_t time)
{
	if (!window->tsc)
		return time;
	return (uint64_t)((unsigned __int128)time * window->ratio >> window->bits) + window->offset;
}

static uint64_t ns_in_trace(const struct writer *writer, const struct window *window, uint64_t time)
{
	return window->tsc ? perfetto_ns(writer, time) : time - window->from + window->ahead;
}

static void name_track(struct writer *writer, unsigned long long cpu, uint64_t tid,
		       enum track track)
{
	char *name = memory_print("CPU %llu%s", cpu, track == TRACK_EXITS ? " exits" : "");

	perfetto_metadata(writer, "thread_name", tid, "name", json_string(name));
	perfetto_metadata(writer, "thread_sort_index", tid, "sort_index",
			  json_integer((json_int_t)tid));
	free(name);
}

static char *name_of(const struct slice *slice)
{
	if (!slice->of_vcpu)
		return memory_copy(*slice->what ? slice->what : "host");
	if (strcmp(slice->what, "exit") == 0)
		return memory_print("%s of VM %llu, vCPU %llu", slice->detail, slice->vm,
				    slice->vcpu);
	return memory_print("VM %llu, vCPU %llu", slice->vm, slice->vcpu);
}

/* Cuts the slice to the window and writes it. */
static void put_slice(struct writer *writer, const struct slice *slice, const struct window *window,
		      bool named[HOST_CPUS][TRACKS])
{
	uint64_t start = clock_of(window, slice->start), end = clock_of(window, slice->end), tid;
	enum track track = strcmp(slice->what, "exit") == 0 ? TRACK_EXITS : TRACK_TASKS;
	char *name;
	json_t *event;

	if (end <= start || end <= window->from || start >= window->to)
		return;
	tid = slice->cpu * TRACKS + track + 1;
	if (!named[slice->cpu][track])
		name_track(writer, slice->cpu, tid, track);
	named[slice->cpu][track] = true;
	start = ns_in_trace(writer, window, start < window->from ? window->from : start);
	end = ns_in_trace(writer, window, end > window->to ? window->to : end);
	name = name_of(slice);
	event = perfetto_event(writer, "X", name, tid, start);
	json_object_set_new(event, "dur",
			    json_real(end > start ? (double)(end - start - 1) / NS_PER_US : 0));
	if (track == TRACK_TASKS && strncmp(slice->detail, "VM ", 3) == 0)
		json_object_set_new(event, "args",
				    json_pack("{s:s}", "in_place_of", slice->detail));
	perfetto_put(writer, event);
	free(name);
}

/* The file may be anything, but JSON is UTF-8. */
static void make_ascii(char *text)
{
	for (; *text != '\0'; text++) {
		if ((*text < ' ' || *text > '~') && *text != '\t')
			*text = '?';
	}
}

/* Cuts the line at a tab, and returns what is behind it; "" if there is none. */
static char *cut(char *line)
{
	char *tab = strchr(line, '\t');

	if (!tab)
		return line + strlen(line);
	*tab = '\0';
	return tab + 1;
}

static bool read_slice(char *line, struct slice *slice)
{
	int fields;

	line[strcspn(line, "\n")] = '\0';
	make_ascii(line);
	fields = sscanf(line, "%llu\t%llu\t%llu\t%llu\t%llu", &slice->start, &slice->end,
			&slice->cpu, &slice->vm, &slice->vcpu);
	slice->of_vcpu = fields == 5;
	for (int i = 0; i < NUMBERS; i++)
		line = cut(line);
	slice->what = line;
	slice->detail = cut(line);
	cut(slice->detail);
	return fields >= 3 && slice->cpu < HOST_CPUS;
}

void perfetto_host(struct writer *writer)
{
	const char *path = writer->run->log->path, *slash = path ? strrchr(path, '/') : NULL;
	struct window window = window_of(writer);
	bool named[HOST_CPUS][TRACKS] = {{false}};
	struct slice slice;
	char *file, *line = NULL;
	size_t size = 0;
	FILE *in;

	if (!slash)
		return;
	file = memory_print("%.*s/host-schedule.tsv", (int)(slash - path), path);
	in = fopen(file, "r");
	free(file);
	if (!in)
		return;
	while (getline(&line, &size, in) > 0) {
		if (*line == '#')
			read_clock(writer, line, &window);
		else if (read_slice(line, &slice))
			put_slice(writer, &slice, &window, named);
	}
	perfetto_metadata(
		writer, "process_name", 0, "name",
		json_string(window.tsc ? "CPUs of the host" : "CPUs of the simulated host"));
	free(line);
	fclose(in);
}

/* SPDX-License-Identifier: MIT */
/* Makes the runs of trace.h of event records: collects and sorts them, passes those of each vCPU to
 * cpu.c, and finds the wake-up of each kick. */
#include "tools/report/timeline/trace.h"
#include "tools/report/base/system.h"
#include "tools/report/timeline/events.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define KHZ_OF_NS 1000000 /* if the log has no tsc_khz, a cycle counts as a nanosecond */

static const char *const names[] = {
	[EVENT_WAIT] = "wait",       [EVENT_ACQUIRE] = "acquire", [EVENT_RELEASE] = "release",
	[EVENT_HANDED] = "handed",   [EVENT_HALT] = "halt",       [EVENT_WAKE] = "wake",
	[EVENT_KICK] = "kick",       [EVENT_YIELD] = "yield",     [EVENT_PREEMPTED] = "preempted",
	[EVENT_RESUMED] = "resumed", [EVENT_IDLE] = "idle",       [EVENT_BUSY] = "busy",
};

struct events {
	struct event *list;
	size_t count;
};

static enum event_what what_of(const struct record *record)
{
	const char *what = record_text(record, "what");
	size_t i = 0;

	while (i < EVENT_UNKNOWN && strcmp(names[i], what) != 0)
		i++;
	return (enum event_what)i;
}

static bool same_cpu(const struct event *a, const struct event *b)
{
	return a->log == b->log && a->run == b->run && a->cpu == b->cpu;
}

static void add_record(struct events *events, const struct record *record, size_t log,
		       struct trace *trace)
{
	struct event event = {
		.log = log,
		.run = record_u64(record, "run"),
		.cpu = record_u64(record, "cpu"),
		.tsc = record_u64(record, "tsc"),
		.to = record_u64(record, "to"),
		.order = events->count,
		.what = what_of(record),
		.lock = record_text(record, "lock"),
		.which = {record_u64(record, "lock_id"), record_text(record, "class")},
	};
	const struct event *before = events->count ? &events->list[events->count - 1] : NULL;

	if (event.what == EVENT_UNKNOWN) {
		trace->unknown++;
		return;
	}
	if (before && same_cpu(before, &event) && event.tsc < before->tsc)
		trace->unsorted++;
	events->list = memory_grow(events->list, events->count, sizeof(event));
	events->list[events->count++] = event;
}

static int compare_u64(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_events(const void *left, const void *right)
{
	const struct event *a = left, *b = right;
	int order = compare_u64(a->log, b->log);

	if (order == 0)
		order = compare_u64(a->run, b->run);
	if (order == 0)
		order = compare_u64(a->cpu, b->cpu);
	if (order == 0)
		order = compare_u64(a->tsc, b->tsc);
	return order ? order : compare_u64(a->order, b->order);
}

static int compare_kicks(const void *left, const void *right)
{
	return compare_u64(((const struct kick *)left)->tsc, ((const struct kick *)right)->tsc);
}

static int compare_marks(const void *left, const void *right)
{
	return compare_u64(((const struct mark *)left)->tsc, ((const struct mark *)right)->tsc);
}

static int compare_cpu(const void *key, const void *element)
{
	return compare_u64(*(const uint64_t *)key, ((const struct trace_cpu *)element)->cpu);
}

static void sort(void *list, size_t count, size_t size, int (*compare)(const void *, const void *))
{
	if (count > 1)
		qsort(list, count, size, compare);
}

/* A kick sets a latch in its target, and the next wake-up consumes it; so the first of several
 * kicks before a wake-up caused it. Kicks are sorted by time, so one pass over each CPU's wakes is
 * enough. */
static void match_kicks(struct trace_run *run)
{
	size_t *next = memory_new(run->cpu_count, sizeof(*next));

	for (size_t i = 0; i < run->kick_count; i++) {
		struct kick *kick = &run->kicks[i];
		const struct trace_cpu *to = bsearch(&kick->to, run->cpus, run->cpu_count,
						     sizeof(run->cpus[0]), compare_cpu);
		size_t *wake = to ? &next[to - run->cpus] : NULL;

		while (wake && *wake < to->wake_count && to->wakes[*wake] < kick->tsc)
			(*wake)++;
		if (!wake || *wake == to->wake_count)
			continue;
		kick->woke = to->wakes[(*wake)++];
		kick->woken = true;
	}
	free(next);
}

/* Returns the number of events of one run, or of one CPU in a run, that begin at `from`. */
static size_t length_of(const struct events *events, size_t from, bool whole_run)
{
	const struct event *first = &events->list[from];
	size_t i = from;

	while (i < events->count && events->list[i].log == first->log &&
	       events->list[i].run == first->run &&
	       (whole_run || events->list[i].cpu == first->cpu))
		i++;
	return i - from;
}

static void read_run(const struct events *events, size_t from, size_t count, struct trace_run *run,
		     struct trace *trace)
{
	for (size_t i = from; i < from + count;) {
		size_t length = length_of(events, i, false);
		struct trace_cpu cpu = {0};

		trace->unpaired += trace_cpu_read(&events->list[i], length, run, &cpu);
		if (run->cpu_count == 0 || cpu.first < run->first)
			run->first = cpu.first;
		if (cpu.last > run->last)
			run->last = cpu.last;
		run->cpus = memory_grow(run->cpus, run->cpu_count, sizeof(cpu));
		run->cpus[run->cpu_count++] = cpu;
		i += length;
	}
	sort(run->kicks, run->kick_count, sizeof(run->kicks[0]), compare_kicks);
	sort(run->marks, run->mark_count, sizeof(run->marks[0]), compare_marks);
	match_kicks(run);
}

static uint64_t khz_of(const struct log *log, struct trace *trace)
{
	uint64_t khz = log->boot ? record_u64(log->boot, "tsc_khz") : 0;

	if (khz == 0)
		trace->no_clock = true;
	return khz ? khz : KHZ_OF_NS;
}

/* Sets `start` of all runs. The runs of a log follow each other. */
static void set_starts(struct trace *trace)
{
	for (size_t i = 0, end; i < trace->run_count; i = end) {
		uint64_t start = UINT64_MAX;

		for (end = i; end < trace->run_count && trace->runs[end].log == trace->runs[i].log;
		     end++) {
			if (trace->runs[end].first < start)
				start = trace->runs[end].first;
		}
		for (size_t j = i; j < end; j++)
			trace->runs[j].start = start;
	}
}

double trace_us(const struct trace_run *run, uint64_t from, uint64_t tsc)
{
	return tsc > from ? (double)(tsc - from) * 1000 / (double)run->tsc_khz : 0;
}

/*
 * The logs of a call on one axis. Each log has its own TSC; its run records give, for one TSC
 * value, the time by a clock that the VMs share (start_tsc, start_wall_ns). If a log of the call
 * lacks this, each log keeps its own zero.
 */
#define LATEST_NS 4e18   /* the year 2096 */
#define MOST_US   86.4e9 /* a day; a larger difference within a call is an error */

/* Returns the shared clock's time of the log's first event, in ns; 0 if unknown. */
static int64_t wall_ns(const struct trace_run *run)
{
	const struct log *log = run->log;

	for (size_t i = 0; i < log->count; i++) {
		const struct record *record = &log->records[i];
		uint64_t tsc, wall;
		double us;

		if (record->type != RECORD_RUN || strcmp(record_text(record, "clock"), "none") == 0)
			continue;
		tsc = record_u64(record, "start_tsc");
		wall = record_u64(record, "start_wall_ns");
		us = run->start < tsc ? -trace_us(run, run->start, tsc)
				      : trace_us(run, tsc, run->start);
		if (tsc > 0 && wall > 0 && (double)wall < LATEST_NS && fabs(us) < MOST_US)
			return (int64_t)wall + llround(us * 1000);
	}
	return 0;
}

/* Returns the earliest wall_ns of the logs of a call; 0 if one is unknown. */
static int64_t earliest(const struct trace *trace, size_t call)
{
	int64_t least = INT64_MAX;

	for (size_t i = 0; i < trace->run_count; i++) {
		const struct trace_run *run = &trace->runs[i];

		if (run->log->call == call && run->wall_ns < least)
			least = run->wall_ns;
	}
	return least;
}

/* Sets wall_ns and ahead_us of all runs. The runs of a log follow each other. */
static void align(struct trace *trace)
{
	for (size_t i = 0; i < trace->run_count; i++) {
		struct trace_run *run = &trace->runs[i];

		run->wall_ns = i > 0 && trace->runs[i - 1].log == run->log
				       ? trace->runs[i - 1].wall_ns
				       : wall_ns(run);
	}
	for (size_t i = 0; i < trace->run_count; i++) {
		struct trace_run *run = &trace->runs[i];
		int64_t least;
		double ahead;

		if (i > 0 && trace->runs[i - 1].log == run->log) {
			run->ahead_us = trace->runs[i - 1].ahead_us;
			continue;
		}
		least = earliest(trace, run->log->call);
		ahead = least > 0 ? (double)(run->wall_ns - least) / 1000 : 0;
		run->ahead_us = ahead < MOST_US ? ahead : 0;
	}
}

void trace_read(const struct set *set, struct trace *trace)
{
	struct events events = {0};

	*trace = (struct trace){0};
	for (size_t i = 0; i < set->log_count; i++) {
		const struct log *log = &set->logs[i];

		for (size_t j = 0; log->usable && j < log->count; j++) {
			if (log->records[j].type == RECORD_EVENT)
				add_record(&events, &log->records[j], i, trace);
		}
	}
	sort(events.list, events.count, sizeof(events.list[0]), compare_events);
	for (size_t i = 0; i < events.count;) {
		size_t length = length_of(&events, i, true);
		const struct event *first = &events.list[i];
		struct trace_run run = {
			.log = &set->logs[first->log], .run = first->run, .lock = first->lock};

		run.tsc_khz = khz_of(run.log, trace);
		read_run(&events, i, length, &run, trace);
		trace->runs = memory_grow(trace->runs, trace->run_count, sizeof(run));
		trace->runs[trace->run_count++] = run;
		i += length;
	}
	set_starts(trace);
	align(trace);
	free(events.list);
}

void trace_free(struct trace *trace)
{
	for (size_t i = 0; i < trace->run_count; i++) {
		struct trace_run *run = &trace->runs[i];

		for (size_t j = 0; j < run->cpu_count; j++) {
			free(run->cpus[j].states.list);
			free(run->cpus[j].lock.list);
			free(run->cpus[j].wakes);
		}
		free(run->cpus);
		free(run->kicks);
		free(run->marks);
	}
	free(trace->runs);
	*trace = (struct trace){0};
}

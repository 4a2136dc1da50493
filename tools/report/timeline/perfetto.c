/* SPDX-License-Identifier: MIT */
/*
 * perfetto_write() of timeline.h. It makes and writes one event at a time, so a long trace takes no
 * memory. Times are microseconds since the first event of the call's logs, ascending in each track.
 * Slices end a nanosecond early: readers round to nanoseconds, and drop a slice that then overlaps
 * the next one (Perfetto: overlapping_complete_event).
 */
#include "tools/report/timeline/perfetto.h"

#include "tools/report/base/system.h"
#include "tools/report/timeline/timeline.h"
#include "tools/report/timeline/trace.h"
#include <stdlib.h>
#include <string.h>

#define NS_PER_US 1000.0
#define DIGITS    15 /* of a double; enough for nanoseconds of more than ten days */

static const char *const state_names[SPAN_KINDS] = {
	[SPAN_RUNNING] = "running",
	[SPAN_HALTED] = "halted",
	[SPAN_IDLE] = "idle",
	[SPAN_PREEMPTED] = "preempted",
	[SPAN_WAITED] = "waits for lock",
	[SPAN_HELD] = "holds lock",
};

enum track { TRACK_STATE, TRACK_LOCK, TRACKS };

void perfetto_put(struct writer *writer, json_t *event)
{
	if (!writer->first)
		fputs(",\n", writer->out);
	writer->first = false;
	if (event == NULL ||
	    json_dumpf(event, writer->out, JSON_COMPACT | JSON_REAL_PRECISION(DIGITS)) != 0)
		writer->failed = true;
	json_decref(event);
}

uint64_t perfetto_ns(const struct writer *writer, uint64_t tsc)
{
	double us = writer->run->ahead_us + trace_us(writer->run, writer->run->start, tsc);

	return (uint64_t)(us * NS_PER_US + 0.5);
}

json_t *perfetto_event(const struct writer *writer, const char *ph, const char *name, uint64_t tid,
		       uint64_t ns)
{
	return json_pack("{s:s, s:s, s:I, s:I, s:f}", "ph", ph, "name", name, "pid",
			 (json_int_t)writer->pid, "tid", (json_int_t)tid, "ts",
			 (double)ns / NS_PER_US);
}

/* Viewers sort tracks by this number. CPU indexes are at most a few thousand (schema.c). */
static uint64_t tid_of(uint64_t cpu, enum track track)
{
	return cpu * TRACKS + track + 1;
}

void perfetto_metadata(struct writer *writer, const char *what, uint64_t tid, const char *key,
		       json_t *value)
{
	json_t *event =
		json_pack("{s:s, s:s, s:I, s:I, s:{s:o}}", "ph", "M", "name", what, "pid",
			  (json_int_t)writer->pid, "tid", (json_int_t)tid, "args", key, value);

	perfetto_put(writer, event);
}

/* Returns the last part of a path in ASCII, because a file's name may be any bytes but JSON is
 * UTF-8. */
static char *ascii_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *text = memory_copy(slash ? slash + 1 : path);

	for (char *c = text; *c != '\0'; c++) {
		if (*c < ' ' || *c > '~')
			*c = '?';
	}
	return text;
}

static void name_process(struct writer *writer, const struct set *set)
{
	const struct trace_run *run = writer->run;
	char *file = ascii_name(run->log->path ? run->log->path : "log");
	char *name = memory_print("%zu %s, run %llu: %s", (size_t)(run->log - set->logs) + 1, file,
				  (unsigned long long)run->run, run->lock);

	perfetto_metadata(writer, "process_name", 0, "name", json_string(name));
	perfetto_metadata(writer, "process_sort_index", 0, "sort_index",
			  json_integer((json_int_t)writer->pid));
	free(name);
	free(file);
}

static void name_track(struct writer *writer, uint64_t cpu, enum track track)
{
	char *name = memory_print("vCPU %llu%s", (unsigned long long)cpu,
				  track == TRACK_LOCK ? " lock" : "");
	uint64_t tid = tid_of(cpu, track);

	perfetto_metadata(writer, "thread_name", tid, "name", json_string(name));
	perfetto_metadata(writer, "thread_sort_index", tid, "sort_index",
			  json_integer((json_int_t)tid));
	free(name);
}

/* Returns the name of a slice, with the lock's class instead of its number, so that viewers can sum
 * slices of one name. The caller frees it. */
static char *name_of(const struct span *span)
{
	const struct trace_lock *lock =
		span->holding ? &span->held[span->held_count - 1] : &span->lock;
	const char *which = lock->id == 0 ? NULL : lock->class[0] != '\0' ? lock->class : "lock";

	switch (span->kind) {
	case SPAN_WAITED:
		return which ? memory_print("waits for %s", which) : memory_copy("waits for lock");
	case SPAN_HELD:
		return which ? memory_print("holds %s", which) : memory_copy("holds lock");
	case SPAN_PREEMPTED:
		if (span->holding)
			return memory_print("preempted holding %s", which ? which : "the lock");
		return memory_copy(span->handed    ? "preempted, lock handed to it"
				   : span->waiting ? "preempted waiting"
						   : "preempted");
	default:
		return memory_copy(state_names[span->kind]);
	}
}

/* Returns the numbers of the locks that the vCPU waits for or holds in a slice. */
static json_t *locks_of(const struct span *span)
{
	json_t *ids = json_array();

	if (span->lock.id != 0)
		json_array_append_new(ids, json_integer((json_int_t)span->lock.id));
	for (size_t i = 0; i < span->held_count; i++) {
		if (span->held[i].id != 0)
			json_array_append_new(ids, json_integer((json_int_t)span->held[i].id));
	}
	return ids;
}

static void put_arguments(json_t *event, const struct span *span)
{
	json_t *locks = locks_of(span);

	if (!span->open && json_array_size(locks) == 0) {
		json_decref(locks);
		return;
	}
	json_object_set_new(event, "args", json_object());
	if (span->open)
		json_object_set_new(json_object_get(event, "args"), "end_not_traced", json_true());
	if (json_array_size(locks) != 0)
		json_object_set(json_object_get(event, "args"), "lock_ids", locks);
	json_decref(locks);
}

static void put_spans(struct writer *writer, const struct spans *spans, uint64_t tid)
{
	for (size_t i = 0; i < spans->count; i++) {
		const struct span *span = &spans->list[i];
		uint64_t start = perfetto_ns(writer, span->start),
			 end = perfetto_ns(writer, span->end);
		char *name = name_of(span);
		json_t *event = perfetto_event(writer, "X", name, tid, start);

		json_object_set_new(event, "cat", json_string(state_names[span->kind]));
		json_object_set_new(
			event, "dur",
			json_real(end > start ? (double)(end - start - 1) / NS_PER_US : 0));
		put_arguments(event, span);
		perfetto_put(writer, event);
		free(name);
	}
}

/* Writes both ends of an arrow, or none. A viewer attaches an end to the slice around it: the
 * running slice of the kicker, and the slice of the woken vCPU that begins there. */
static void put_kicks(struct writer *writer)
{
	for (size_t i = 0; i < writer->run->kick_count; i++) {
		const struct kick *kick = &writer->run->kicks[i];
		const char *const phases[] = {"s", "f"};

		if (!kick->woken)
			continue;
		writer->flows++;
		for (int end = 0; end < 2; end++) {
			uint64_t tid = tid_of(end ? kick->to : kick->from, TRACK_STATE);
			json_t *event =
				perfetto_event(writer, phases[end], "kick", tid,
					       perfetto_ns(writer, end ? kick->woke : kick->tsc));

			json_object_set_new(event, "cat", json_string("kick"));
			json_object_set_new(event, "id", json_integer((json_int_t)writer->flows));
			json_object_set_new(event, "bp", json_string("e"));
			perfetto_put(writer, event);
		}
	}
}

static void put_marks(struct writer *writer)
{
	for (size_t i = 0; i < writer->run->mark_count; i++) {
		const struct mark *mark = &writer->run->marks[i];
		char *name =
			mark->kind == MARK_YIELD
				? memory_print("yields to vCPU %llu", (unsigned long long)mark->to)
				: memory_copy("sees that it was handed the lock");
		json_t *event = perfetto_event(writer, "i", name, tid_of(mark->cpu, TRACK_LOCK),
					       perfetto_ns(writer, mark->tsc));

		json_object_set_new(event, "s", json_string("t"));
		perfetto_put(writer, event);
		free(name);
	}
}

static void put_run(struct writer *writer, const struct set *set)
{
	name_process(writer, set);
	for (size_t i = 0; i < writer->run->cpu_count; i++) {
		const struct trace_cpu *cpu = &writer->run->cpus[i];

		name_track(writer, cpu->cpu, TRACK_STATE);
		put_spans(writer, &cpu->states, tid_of(cpu->cpu, TRACK_STATE));
		name_track(writer, cpu->cpu, TRACK_LOCK);
		put_spans(writer, &cpu->lock, tid_of(cpu->cpu, TRACK_LOCK));
	}
	put_kicks(writer);
	put_marks(writer);
}

bool perfetto_write(FILE *out, const struct set *set)
{
	struct writer writer = {.out = out, .first = true};
	struct trace trace;

	trace_read(set, &trace);
	fputs("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n", out);
	for (size_t i = 0; i < trace.run_count; i++) {
		writer.pid = i + 1;
		writer.run = &trace.runs[i];
		put_run(&writer, set);
		writer.pid = trace.run_count + i + 1;
		perfetto_host(&writer);
	}
	fprintf(out, "\n],\"otherData\":{\"left_out_unpaired\":%zu,\"left_out_unknown\":%zu,",
		trace.unpaired, trace.unknown);
	fprintf(out, "\"sorted_in\":%zu,\"cycles_taken_for_ns\":%s}}\n", trace.unsorted,
		trace.no_clock ? "true" : "false");
	trace_free(&trace);
	return fflush(out) == 0 && !ferror(out) && !writer.failed;
}
